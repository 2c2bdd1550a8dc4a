import { existsSync, readFileSync, rmSync } from "node:fs";
import * as path from "node:path";
import { replaceFile } from "@store/docker/replaceFile";

/** Returns the active faults: the words in the file `faults` of the emulator's folder. */
export function activeFaults(folder: string): string[] {
  const file = faultsFile(folder);
  return existsSync(file) ? readFileSync(file, "utf8").split(/\s+/).filter(Boolean) : [];
}

/** Activates a fault, in place of any other. */
export function setFault(folder: string, fault: string): void {
  replaceFile(faultsFile(folder), fault, { mode: 0o600 });
}

/** Clears one fault. */
export function clearFault(folder: string, fault: string): void {
  const left = activeFaults(folder).filter((one) => one !== fault);
  if (left.length === 0) clearFaults(folder);
  else replaceFile(faultsFile(folder), left.join("\n"), { mode: 0o600 });
}

/** Clears all faults. */
export function clearFaults(folder: string): void {
  rmSync(faultsFile(folder), { force: true });
}

function faultsFile(folder: string): string {
  return path.join(folder, "faults");
}
