import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/**
 * Returns the folder of docker's configuration for the engine and its providers: the user's own, or an empty one if the user has none.
 * The docker provider fails without a configuration file if the state names a registry with a login, also in a `down`, and it
 * ignores HOME.
 *
 * @param stateFolder Folder with the workspace's own data.
 */
export function dockerConfigFolder(
  stateFolder: string,
  env: NodeJS.ProcessEnv = process.env,
  home: string = homedir(),
): string {
  const own = resolve(env["DOCKER_CONFIG"] || join(home, ".docker"));
  if (existsSync(join(own, "config.json"))) return own;
  const folder = resolve(stateFolder, "docker-config");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, "config.json"), "{}");
  const plugins = join(own, "cli-plugins");
  rmSync(join(folder, "cli-plugins"), { force: true });
  if (existsSync(plugins)) symlinkSync(plugins, join(folder, "cli-plugins"));
  return folder;
}
