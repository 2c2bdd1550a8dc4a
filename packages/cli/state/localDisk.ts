import { statfsSync } from "node:fs";

/** Linux's numbers of file systems that only one machine uses: ext2 to ext4, XFS, Btrfs, ZFS, F2FS, overlayfs and tmpfs. See statfs(2). */
const LOCAL_TYPES: ReadonlySet<number> = new Set([
  ...[0xef53, 0x58465342, 0x9123683e, 0x2fc12fc1, 0xf2f52010, 0x794c7630, 0x01021994],
]);

/** Returns false for a network's file system, if the type isn't known, and on systems other than Linux, which number them otherwise. */
export function isOnLocalDisk(
  path: string,
  typeOf: (path: string) => number = (file) => statfsSync(file).type,
): boolean {
  if (process.platform !== "linux") return false;
  try {
    return LOCAL_TYPES.has(typeOf(path));
  } catch {
    return false;
  }
}
