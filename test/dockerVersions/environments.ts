import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { pathWithout } from "../support/pathWithout";
import { Cleanup } from "./cleanup";
import { succeed } from "../support/run";
import { daemon, Environment } from "./environment";
import { installNode } from "./nodeVersions";
import { createUser } from "./user";

/** Oldest supported versions of Node 20 and 22 (package.json, engines), and a current one of Node 24. */
const NODE_VERSIONS = ["20.19.0", "22.12.0", "24.21.0"];

/** The environments of the matrix, in the order of the table. */
export const ENVIRONMENTS: readonly Environment[] = [
  { title: "on Docker 20.10", setUp: (cleanup) => daemon(cleanup, "bookworm") },
  { title: "on Docker 26.1", setUp: (cleanup) => daemon(cleanup, "trixie") },
  { title: "on Docker 28.5 with overlay2", setUp: (cleanup) => daemon(cleanup, "sid") },
  {
    title: "on Docker 28.5 with the containerd image store",
    setUp: (cleanup) => daemon(cleanup, "sid", "--feature", "containerd-snapshotter=true"),
  },
  { title: "on rootless Docker 28.5", setUp: (cleanup) => daemon(cleanup, "sid-rootless") },
  {
    title: "on Podman",
    setUp: (cleanup) => daemon(cleanup, "sid-podman"),
    refusal: /Podman answers there[^]*Install Docker Engine/,
  },
  { title: "with DOCKER_HOST=ssh://", setUp: dockerBySsh },
  ...NODE_VERSIONS.map((version) => ({
    title: `with Node ${version}`,
    setUp: async () => ({ ...withPath(await installNode(version)), prepare: withoutModules }),
  })),
  { title: "for a user of the group docker who isn't root", setUp: groupMember },
  {
    title: "in a folder with a space and an umlaut",
    setUp: () => Promise.resolve({ folderName: "ein schöner Laden" }),
  },
  {
    title: "without git",
    setUp: (cleanup) =>
      Promise.resolve({ env: { PATH: pathWithout("git", temporaryFolder(cleanup, "path-")) } }),
  },
  { title: "with the state on a backend in another folder", setUp: stateElsewhere },
];

function temporaryFolder(cleanup: Cleanup, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), name));
  cleanup.add(() => rmSync(folder, { recursive: true }));
  return folder;
}

function withPath(folder: string): { readonly env: NodeJS.ProcessEnv } {
  return { env: { PATH: [folder, process.env["PATH"]].join(delimiter) } };
}

/** Makes the first command install the npm packages, as in a fresh clone. */
function withoutModules(folder: string): Promise<void> {
  rmSync(join(folder, "node_modules"), { recursive: true });
  return Promise.resolve();
}

async function groupMember(cleanup: Cleanup): ReturnType<Environment["setUp"]> {
  const user = await createUser(cleanup);
  const prepare = async (folder: string): Promise<void> => {
    await withoutModules(folder);
    await succeed("chown", "--recursive", `${user.name}:`, folder);
  };
  return { prefix: user.prefix, env: user.env, prepare };
}

function stateElsewhere(cleanup: Cleanup): ReturnType<Environment["setUp"]> {
  const folder = temporaryFolder(cleanup, "state elsewhere ");
  const env = {
    PULUMI_BACKEND_URL: pathToFileURL(folder).href,
    PULUMI_CONFIG_PASSPHRASE: "a test",
  };
  return Promise.resolve({ env });
}

/** The daemon is another machine to the commands: only ssh and the clients of the store are in its network namespace. */
async function dockerBySsh(cleanup: Cleanup): ReturnType<Environment["setUp"]> {
  const { name, clients } = await daemon(cleanup, "sid-ssh");
  const folder = temporaryFolder(cleanup, "ssh-");
  const key = join(folder, "key");
  await succeed("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key);
  const script = join(__dirname, "daemon.sh");
  const hostKey = await succeed(script, "sshd", name, `${key}.pub`);
  const knownHosts = join(folder, "known_hosts");
  writeFileSync(knownHosts, `127.0.0.1 ${hostKey}`);
  // OpenSSH has no variable for its configuration, and the user's own must stay as it is.
  const options = `-o User=root -o IdentityFile=${key} -o IdentitiesOnly=yes -o UserKnownHostsFile=${knownHosts}`;
  const command = `exec '${script}' exec ${name} /usr/bin/ssh -F none ${options} "$@"`;
  writeFileSync(join(folder, "ssh"), `#!/bin/sh\n${command}\n`, { mode: 0o755 });
  return { clients, env: { ...withPath(folder).env, DOCKER_HOST: "ssh://127.0.0.1" } };
}
