import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, makeFolder } from "@store/toolchain/system/cache";
import { succeed } from "../support/run";

/** Installs a version of Node from npm. @returns the folder with the executable. */
export async function installNode(version: string): Promise<string> {
  const folder = join(cacheFolder(), `node-${version}`);
  const bin = join(folder, "package", "bin");
  if (existsSync(bin)) return bin;
  mkdirSync(cacheFolder(), { recursive: true });
  await makeFolder(folder, async (partial) => {
    const name = `node-linux-${process.arch}@${version}`;
    const archive = await succeed("npm", "pack", "--silent", name, "--pack-destination", partial);
    await succeed("tar", "-xzf", join(partial, archive.trim()), "-C", partial);
  });
  return bin;
}
