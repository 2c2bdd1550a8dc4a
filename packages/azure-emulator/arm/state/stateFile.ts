import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { replaceFile } from "@store/docker/replaceFile";
import type { Resource } from "../resourceType";

/** Returns the resources in the state file; none if there is no file. */
export function readState(file: string): readonly Resource[] {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Resource[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Writes the state file, readable by its owner only, because customData contains the VMs' host keys. */
export function writeState(file: string, resources: readonly Resource[]): void {
  mkdirSync(dirname(file), { recursive: true });
  replaceFile(file, JSON.stringify(resources, undefined, 1), { mode: 0o600 });
}
