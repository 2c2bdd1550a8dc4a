import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { cacheFolder } from "@store/toolchain/system/cache";
import { toolchain } from "@store/toolchain/engine/goToolchain";
import { Cleanup } from "./cleanup";
import { succeed } from "../support/run";
import { requireRoot } from "./environment";

export interface User {
  readonly name: string;
  /** Command line that runs another command as the user. */
  readonly prefix: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

const SOCKET = "/var/run/docker.sock";

/** Creates a user who may use this machine's Docker, with a home folder and no other rights. */
export async function createUser(cleanup: Cleanup): Promise<User> {
  requireRoot("Creating a user");
  if (!existsSync(SOCKET))
    throw new Error(`No Docker daemon listens at ${SOCKET}. Start one there.`);
  const name = `store-${randomBytes(3).toString("hex")}`;
  const home = join("/home", name);
  cleanup.add(() => succeed("userdel", "--remove", name));
  const group = String(statSync(SOCKET).gid);
  await succeed("useradd", "--create-home", "--home-dir", home, "--groups", group, name);
  copyEngine(home);
  await succeed("chown", "--recursive", `${name}:`, home);
  const id = (await succeed("id", "--user", name)).trim();
  return {
    name,
    prefix: ["setpriv", "--reuid", id, "--regid", id, "--init-groups", "--inh-caps=-all"],
    env: { ...withoutNpm(), HOME: home, USER: name, LOGNAME: name, XDG_CACHE_HOME: undefined },
  };
}

/** Copies an engine that this user has built: building it again takes too long. */
function copyEngine(home: string): void {
  const { folder, ready } = toolchain();
  if (!ready) return;
  const copy = join(home, ".cache", "store-on-docker", relative(cacheFolder(), folder));
  mkdirSync(dirname(copy), { recursive: true });
  cpSync(folder, copy, { recursive: true });
}

/** Removes the variables that `npm test` sets, such as the folder of npm's cache. */
function withoutNpm(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter((name) => /^npm_/i.test(name));
  return Object.fromEntries(names.map((name) => [name, undefined]));
}
