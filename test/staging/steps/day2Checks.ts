import { readFileSync } from "node:fs";
import * as path from "node:path";
import { type RehearsalContext, STACK } from "../context";
import { CommandFailed, type Workspace } from "../../support/workspace";

/**
 * Checks the daily commands against the host: the docker command after `eval "$(./store env STACK)"`, and the commands of `./store`.
 *
 * @throws CommandFailed for the first wrong output.
 */
export async function checkDay2Commands(context: RehearsalContext): Promise<string> {
  const { workspace, emulator } = context;
  const address = emulator.publicAddress() ?? "";
  const user = emulator.ready.machines[0]?.user ?? "azureuser";
  const containers = (await context.containers()).length;
  const docker = await checkDockerCommand(workspace, containers);
  // None of these changes anything, so they run in parallel.
  const [ip, url, ls, ps, logs, ssh, exec, credentials] = await Promise.all([
    workspace.succeed("ip", STACK),
    workspace.succeed("url", STACK),
    workspace.succeed("ls", "--json"),
    workspace.succeed("ps", STACK),
    workspace.succeed("logs", "orders", "--stack", STACK),
    workspace.succeed("ssh", STACK, "--", "id", "--name", "--user"),
    workspace.succeed("exec", "orders", "--stack", STACK, "--", "node", "--version"),
    workspace.succeed("ssh", STACK, "--", "sudo find /root /home -path '*/.docker/*'"),
  ]);
  const row = (JSON.parse(ls) as Record<string, string>[]).find((one) => one["stack"] === STACK);
  const checks: readonly [command: string, isRight: boolean, output: string][] = [
    ["ip", ip.trim() === address, ip],
    ["url", /^https?:\/\/\S+$/.test(url.trim()), url],
    ["ls", row?.["state"] === "up" && row["address"] === address && row["docker"] !== "", ls],
    ["ps", ps.split("\n").filter((line) => line.includes("healthy")).length === containers, ps],
    ["logs", /^orders .*"service":"orders"/m.test(logs), logs],
    ["ssh", ssh.trim() === user, ssh],
    ["exec", /^v\d+\.\d+/.test(exec.trim()), exec],
  ];
  const wrong = checks.find(([, isRight]) => !isRight);
  if (wrong !== undefined)
    throw new CommandFailed(`./store ${wrong[0]} prints a wrong result.`, wrong[2]);
  if (credentials.trim() !== "")
    throw new CommandFailed("Docker has stored credentials on the host's disk.", credentials);
  const names = checks.map(([command]) => command).join(", ");
  return `docker ${docker}; ${names} agree`;
}

/**
 * Checks that the user's docker command reaches the host, and rejects a host with another host key. Docker 29 refuses a docker command
 * before version 25.
 *
 * @returns what the docker command does.
 */
async function checkDockerCommand(workspace: Workspace, containers: number): Promise<string> {
  const script = readFileSync(path.join(__dirname, "dockerCommand.sh"), "utf8");
  const output = await workspace.shell(script, STACK);
  const isTooOld = /client version \S+ is too old/.test(output);
  if (!isTooOld && !output.includes(`containers: ${containers}\n`))
    throw new CommandFailed(`docker ps doesn't list ${containers} containers.`, output);
  if (!output.includes(`healthy in ps: ${containers}\n`))
    throw new CommandFailed(
      `./store ps with DOCKER_HOST doesn't list ${containers} containers.`,
      output,
    );
  if (output.includes("accepted another host key") || !/host key/i.test(output))
    throw new CommandFailed("docker doesn't reject a host with another host key.", output);
  if (!output.includes("DOCKER_HOST: unset"))
    throw new CommandFailed("./store env --unset doesn't unset DOCKER_HOST.", output);
  return isTooOld ? "of this machine is too old for the host's" : `lists ${containers} containers`;
}
