import type { Services } from "../rule";
import type { ConfigValues } from "../schema";

type Addresses = Pick<ConfigValues, "otlpEndpoint" | "environment" | "secrets" | "databaseUrl">;

/**
 * Returns warnings, as "store:KEY: PROBLEM", of addresses that the services which get them can't reach. Those in variables and secrets are
 * judged only if the scheme or the name says that the service connects to them: an http URL may be a link. Values aren't shown, because
 * they may have a password.
 */
export function unreachableAddresses(
  { otlpEndpoint, environment, secrets, databaseUrl }: Addresses,
  { enabledServices, specs }: Services,
): string[] {
  const problems = (key: string, url: string, services: readonly string[]): string[] => {
    const isolated = services.filter(
      (service) => specs.get(service)?.egress !== true && databaseUrl[service] === undefined,
    );
    return problemOf(url, services, isolated).map((problem) => `store:${key}: ${problem}`);
  };
  const used = (key: "environment" | "secrets", values: ConfigValues["secrets"]): string[] =>
    enabledServices.flatMap((service) =>
      Object.entries(values[service] ?? {})
        .filter(([name, value]) => isConnectedTo(name, value))
        .flatMap(([name, value]) => problems(`${key}.${service}.${name}`, value, [service])),
    );
  return [
    ...problems("otlpEndpoint", otlpEndpoint, enabledServices),
    ...used("environment", environment),
    ...used("secrets", secrets),
  ];
}

/** Variables of libraries whose value is the address of a server. */
const SERVER_VARIABLES = /^(OTEL_EXPORTER_OTLP_([A-Z]+_)?ENDPOINT|(HTTPS?|ALL)_PROXY)$/i;
const SERVER_SCHEMES =
  /^(amqps?|ftps?|ldaps?|mongodb(\+srv)?|mysql|nats|postgres(ql)?|rediss?|smtps?):$/;

function isConnectedTo(name: string, value: string): boolean {
  return (
    URL.canParse(value) &&
    (SERVER_VARIABLES.test(name) || SERVER_SCHEMES.test(new URL(value).protocol))
  );
}

/** @param isolated Those of the services that have no `egress`. */
function problemOf(
  url: string,
  services: readonly string[],
  isolated: readonly string[],
): string[] {
  const hostname = URL.canParse(url) ? new URL(url).hostname : "";
  if (services.length > 0 && /^(localhost|127\..+|\[::1\])$/.test(hostname))
    return [
      "its host is the service's own container, in which nothing else runs. Run the server in a container on the service's network, and name that: docs/metrics.md.",
    ];
  // Each service's network has a range of its own, so an address can't be a container's on several of them, nor does it stay.
  if (isolated.length === 0 || !/[.:]/.test(hostname)) return [];
  return [
    `services without egress (${isolated.join(", ")}) reach it only if a container on their networks has this name. Run the server in such a container, connected as docs/metrics.md, says for Prometheus; or let the services reach the internet: egress: true in ${isolated.map((service) => `services/${service}/service.ts`).join(", ")}.`,
  ];
}
