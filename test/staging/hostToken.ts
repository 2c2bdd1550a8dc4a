import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { run } from "@store/toolchain/system/run";
import { Checkout, CommandFailed } from "./workspace";

/** By which the engine's state marks a secret. */
const SECRET = "4dabf18193072939515e22adb298388d";

interface State {
  readonly deployment: {
    readonly resources: readonly {
      readonly urn: string;
      readonly type: string;
      readonly inputs?: Readonly<Record<string, unknown>>;
      readonly outputs?: Readonly<Record<string, unknown>>;
    }[];
  };
}

/**
 * Tries out what the token may do with which the host pulls from the registry that the stack has made in Azure.
 *
 * @returns what was found. @throws an error if it may do more than to pull, or not that.
 */
export async function tryHostToken(checkout: Checkout, stack: string): Promise<string> {
  const plain = await stateOf(checkout, stack, "--show-secrets");
  const password = outputOf(plain, "-pull-password", "stdout");
  if (JSON.stringify(await stateOf(checkout, stack)).includes(password))
    throw new Error("The password of the host's token stands in the engine's state as it is.");
  const username = outputOf(plain, "-registry-pull", "name", "Token");
  const { IMAGE: image = "" } = (plain.deployment.resources.find(
    ({ urn, type }) => type === "command:local:Command" && urn.includes("::inventory-image:"),
  )?.inputs?.["environment"] ?? {}) as Record<string, string>;
  const [registry = ""] = image.split("/");

  const folder = mkdtempSync(path.join(tmpdir(), "store-rehearsal-"));
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  writeFileSync(
    path.join(folder, "config.json"),
    JSON.stringify({ auths: { [registry]: { auth } } }),
    { mode: 0o600 },
  );
  const docker = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run("docker", args, { env: { DOCKER_CONFIG: folder } });
    return code === 0 ? "done" : stdout + stderr;
  };
  try {
    const stolen = `${registry}/store/inventory:not-ours`;
    const found: readonly [what: string, answer: string, right: RegExp][] = [
      ["pull", await docker("pull", "--quiet", image), /^done$/],
      ["tag", await docker("tag", image, stolen), /^done$/],
      ["push", await docker("push", stolen), /denied/i],
      ["look elsewhere", await docker("manifest", "inspect", `${registry}/other/x:1`), /denied/i],
    ];
    await docker("image", "rm", stolen);
    const wrong = found.find(([, answer, right]) => !right.test(answer));
    if (wrong !== undefined)
      throw new CommandFailed(`With the host's token, "${wrong[0]}" ends otherwise.`, wrong[1]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return `${username} pulls, and is refused a push and other repositories`;
}

async function stateOf(checkout: Checkout, stack: string, ...options: string[]): Promise<State> {
  const output = await checkout.succeed(
    ...["pulumi", "stack", "export", "--stack", stack],
    ...options,
  );
  return JSON.parse(output.slice(output.indexOf("{"), output.lastIndexOf("}") + 1)) as State;
}

function outputOf(state: State, name: string, property: string, type = "Command"): string {
  const found = state.deployment.resources.find(
    (one) => one.urn.endsWith(name) && one.type.endsWith(`:${type}`),
  );
  const value = found?.outputs?.[property];
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null && SECRET in value && "plaintext" in value)
    return JSON.parse(String(value.plaintext)) as string;
  throw new Error(`The engine's state has no ${property} of …${name}.`);
}
