import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

/** Returns the active faults: the words in the file `faults` of the emulator's folder. */
export function activeFaults(folder: string): string[] {
  const file = faultsFile(folder);
  return existsSync(file) ? readFileSync(file, "utf8").split(/\s+/).filter(Boolean) : [];
}

/** Activates a fault, in place of any other. */
export function setFault(folder: string, fault: string): void {
  writeAtomically(faultsFile(folder), fault);
}

/** Clears one fault. */
export function clearFault(folder: string, fault: string): void {
  const left = activeFaults(folder).filter((one) => one !== fault);
  if (left.length > 0) writeAtomically(faultsFile(folder), left.join("\n"));
  else clearFaults(folder);
}

/** Clears all faults. */
export function clearFaults(folder: string): void {
  rmSync(faultsFile(folder), { force: true });
}

/** Writes a file, readable by its owner only, so that readers never see a part of it. */
export function writeAtomically(file: string, text: string): void {
  writeFileSync(`${file}.draft`, text, { mode: 0o600 });
  renameSync(`${file}.draft`, file);
}

function faultsFile(folder: string): string {
  return path.join(folder, "faults");
}
