import { definePolicy, TEXTS } from "../policy";
import {
  asContainer,
  configSet,
  CONTAINER,
  isDevelopment,
  LABEL,
  labelOf,
  PlannedResource,
  valueAt,
} from "../resource";

/** Inputs with environment variables, by the type of the resource. */
const ENVIRONMENTS: Readonly<Record<string, string>> = {
  "docker:index/container:Container": "envs",
  "docker:index/service:Service": "taskSpec.containerSpec.env",
  "command:local:Command": "environment",
  "command:remote:Command": "environment",
};

/** Variables by name. Values that aren't known yet are empty. */
function variablesOf({ type, inputs }: PlannedResource): ReadonlyMap<string, string> {
  const path = ENVIRONMENTS[type];
  const found = path === undefined ? undefined : valueAt(inputs, path);
  if (Array.isArray(found)) {
    return new Map(
      found
        .filter((entry) => typeof entry === "string")
        .map((entry) => [entry.split("=", 1)[0] ?? "", entry.slice(entry.indexOf("=") + 1)]),
    );
  }
  if (typeof found !== "object" || found === null) return new Map();
  return new Map(
    Object.entries(found).map(([name, value]) => [name, typeof value === "string" ? value : ""]),
  );
}

/** Name of a variable that holds a secret, unless it ends with _FILE and holds a path. */
const SECRET_NAME =
  /(^|_)(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|(API|ACCESS|PRIVATE|SECRET|SIGNING|ENCRYPTION)_?KEY)S?$/i;

/** Texts that are secrets under any name: a key in PEM, a URL with a password, keys of Stripe, GitHub, AWS, and a JSON Web Token. */
const SECRET_VALUE =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----|^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@|\b(sk|rk)_(live|test)_\w{8,}|\bgh[pousr]_\w{20,}|\bAKIA[0-9A-Z]{16}\b|\beyJ[\w-]+\.eyJ[\w-]+\./;

export const noSecretInEnvironment = definePolicy<{ readonly except: readonly string[] }>({
  name: "no-secret-in-environment",
  description: "No environment variable holds a secret.",
  settings: { except: TEXTS },
  check: (resource, { except }) => {
    const path = ENVIRONMENTS[resource.type];
    const isSecret = path !== undefined && resource.secretInputs.includes(path.split(".")[0] ?? "");
    const names = [...variablesOf(resource)]
      // A command's environment is its own, and gone with it: the names of its variables say nothing.
      .filter(
        ([name, value]) =>
          (resource.type.startsWith("docker:") && SECRET_NAME.test(name)) ||
          SECRET_VALUE.test(value),
      )
      .map(([name]) => name)
      .filter((name) => !except.includes(name));
    if (names.length === 0 && !isSecret) return [];
    return [
      `has a secret in ${names.length > 0 ? names.join(", ") : "its environment variables"}, which everybody who can inspect it sees. ` +
        "Pass it as a file: a service's own secret by store:secrets.SERVICE.NAME, one of the stack by `secrets` in its spec, one of a " +
        "command by `stdin`.",
    ];
  },
});

/** Name of the service that takes payments, and its variable (services/billing/src/providers/createProvider.ts). */
const BILLING = "billing";
const PROVIDER = "PAYMENT_PROVIDER";

export const noSimulatedPayments = definePolicy({
  name: "no-simulated-payments",
  description: "Outside development, payments are not simulated.",
  settings: {},
  check: (planned) => {
    const resource = asContainer(planned);
    const isBilling =
      resource.type === CONTAINER &&
      labelOf(resource, LABEL.service) === BILLING &&
      labelOf(resource, LABEL.role) === "service";
    if (!isBilling || isDevelopment(resource)) return [];
    // A text that isn't known yet may be the variable.
    const known = Object.values(valueAt(resource.inputs, "envs") ?? []).every(
      (entry) => typeof entry === "string",
    );
    const provider = variablesOf(planned).get(PROVIDER) ?? (known ? "simulated" : undefined);
    return provider === "simulated"
      ? [
          `simulates payments: orders count as paid, and nobody pays. Configure a provider: ` +
            `${configSet(resource, `--path environment.${BILLING}.${PROVIDER} stripe`)}, and its key (docs/configuration.md).`,
        ]
      : [];
  },
});
