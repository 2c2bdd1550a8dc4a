import { Checkout, CommandFailed } from "./workspace";

/** The host as the stack's outputs should say it is. */
export interface ExpectedHost {
  readonly stack: string;
  readonly address: string;
  readonly user: string;
  /** How many containers run on it. */
  readonly containers: number;
}

/**
 * Looks into the host with what takes docker-machine's place: the docker command after `eval "$(./store env STACK)"`, and the
 * verbs.
 *
 * @returns what was found. @throws an error that names the first thing that is wrong.
 */
export async function lookIntoHost(checkout: Checkout, host: ExpectedHost): Promise<string> {
  const { stack, address, user, containers } = host;
  await dockerCommand(checkout, host);
  // All that only look, at once.
  const [ip, url, ls, ps, logs, ssh, exec, credentials] = await Promise.all([
    checkout.succeed("ip", stack),
    checkout.succeed("url", stack),
    checkout.succeed("ls", "--json"),
    checkout.succeed("ps", stack),
    checkout.succeed("logs", "orders", "--stack", stack),
    checkout.succeed("ssh", stack, "--", "id", "--name", "--user"),
    checkout.succeed("exec", "orders", "--stack", stack, "--", "node", "--version"),
    checkout.succeed("ssh", stack, "--", "sudo find /root /home -path '*/.docker/*'"),
  ]);
  const row = (JSON.parse(ls) as Record<string, string>[]).find((one) => one["stack"] === stack);
  const findings: readonly [verb: string, right: boolean, output: string][] = [
    ["ip", ip.trim() === address, ip],
    ["url", /^https?:\/\/\S+$/.test(url.trim()), url],
    ["ls", row?.["state"] === "up" && row["address"] === address && row["docker"] !== "", ls],
    ["ps", ps.split("\n").filter((line) => line.includes("healthy")).length === containers, ps],
    ["logs", /^orders .*"service":"orders"/m.test(logs), logs],
    ["ssh", ssh.trim() === user, ssh],
    ["exec", /^v\d+\.\d+/.test(exec.trim()), exec],
  ];
  const wrong = findings.find(([, right]) => !right);
  if (wrong !== undefined)
    throw new CommandFailed(`./store ${wrong[0]} doesn't say what is there.`, wrong[2]);
  if (credentials.trim() !== "")
    throw new CommandFailed("Docker has left credentials on the host's disk.", credentials);
  return `docker ps by ./store env: ${containers} containers; ${findings.map(([verb]) => verb).join(", ")} agree`;
}

/** The user's own docker command, and whether it refuses a machine that has another host key than the pinned one. */
async function dockerCommand(
  checkout: Checkout,
  { stack, containers }: ExpectedHost,
): Promise<void> {
  const output = await checkout.shell(`
    set -eu
    eval "$(./store env ${stack})"
    echo "there: $(docker ps --quiet | wc -l)"
    cd .store/ssh/${stack}
    cp known_hosts right
    other=$(ssh-keygen -y -f identity | cut -d ' ' -f 2)
    sed -E "s|AAAA[^ ]+|$other|" right >known_hosts
    if docker ps --quiet >said 2>&1; then echo "another host key was believed"; fi
    mv right known_hosts
    grep -i "host key" said || cat said
    rm said
    cd - >/dev/null
    eval "$(./store env --unset)"
    echo "back: \${DOCKER_HOST-none}"
  `);
  if (!output.includes(`there: ${containers}\n`))
    throw new CommandFailed(`docker ps doesn't list ${containers} containers.`, output);
  if (output.includes("was believed") || !/host key/i.test(output))
    throw new CommandFailed("docker doesn't refuse a machine with another host key.", output);
  if (!output.includes("back: none"))
    throw new CommandFailed("./store env --unset doesn't lead back.", output);
}
