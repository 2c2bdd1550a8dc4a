import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { run } from "@store/toolchain/system/run";
import { Workspace, CommandFailed } from "../../support/workspace";

/** Signature of a secret in the stack's state. */
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
 * Checks the permissions of the token with which the host pulls from the stack's Azure Container Registry.
 *
 * @throws CommandFailed unless the token allows exactly to pull from the store's repositories.
 */
export async function checkHostToken(workspace: Workspace, stack: string): Promise<string> {
  const plain = await stateOf(workspace, stack, "--show-secrets");
  const password = outputOf(plain, "-pull-password", "stdout");
  if (JSON.stringify(await stateOf(workspace, stack)).includes(password))
    throw new Error("The state contains the password of the host's token in plain text.");
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
    const foreignTag = `${registry}/store/inventory:not-ours`;
    const attempts: readonly [command: string, result: string, expected: RegExp][] = [
      ["pull", await docker("pull", "--quiet", image), /^done$/],
      ["tag", await docker("tag", image, foreignTag), /^done$/],
      ["push", await docker("push", foreignTag), /denied/i],
      ["manifest inspect", await docker("manifest", "inspect", `${registry}/other/x:1`), /denied/i],
    ];
    await docker("image", "rm", foreignTag);
    const wrong = attempts.find(([, result, expected]) => !expected.test(result));
    if (wrong !== undefined)
      throw new CommandFailed(
        `docker ${wrong[0]} with the host's token has an unexpected result.`,
        wrong[1],
      );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return `${username} may pull, but neither push nor read other repositories`;
}

async function stateOf(workspace: Workspace, stack: string, ...options: string[]): Promise<State> {
  const output = await workspace.succeed(
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
  throw new Error(`The state has no output ${property} of a resource …${name}.`);
}
