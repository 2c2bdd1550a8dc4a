import { readFileSync, readdirSync } from "node:fs";
import * as path from "node:path";

import { goSources, requiredGo } from "./pins";
import { findOnPath, run } from "../system/run";
import { isAtLeast } from "../system/versions";

/** Usability of this machine's Go for building the engine's modules. */
export type GoFound =
  | { usable: true; version: string; required: string }
  | { usable: false; problem: string; required: string };

/** Examines the Go on PATH. */
export async function findGo(): Promise<GoFound> {
  const required = requiredGo(
    readdirSync(goSources).map((m) => readFileSync(path.join(goSources, m, "go.mod"), "utf8")),
  );
  if (findOnPath("go") === undefined) return judgeGo(undefined, required);
  const { code, stdout, stderr } = await run("go", ["env", "-json", "GOVERSION", "GOTOOLCHAIN"], {
    // Outside of the repository, where a go.mod could make go switch its version.
    cwd: path.parse(goSources).root,
    timeoutMs: 20_000,
  });
  if (code !== 0) {
    const reason = stderr.trim().split("\n").at(-1) || "it doesn't answer";
    return { usable: false, required, problem: `the go on PATH doesn't work (${reason})` };
  }
  const env = JSON.parse(stdout) as { GOVERSION?: string; GOTOOLCHAIN?: string };
  return judgeGo({ version: env.GOVERSION ?? "", toolchain: env.GOTOOLCHAIN ?? "" }, required);
}

/** Decides whether a Go version and its GOTOOLCHAIN setting can build the modules. */
export function judgeGo(
  found: { version: string; toolchain: string } | undefined,
  required: string,
): GoFound {
  if (found === undefined) return { usable: false, required, problem: "Go is not installed" };
  const version = found.version.replace(/^go/, "");
  if (isAtLeast(version, required)) return { usable: true, version, required };
  // Since 1.21, go downloads the version that a go.mod requires, unless GOTOOLCHAIN prevents it.
  if (isAtLeast(version, "1.21.0") && found.toolchain.startsWith("auto")) {
    return { usable: true, version, required };
  }
  const problem =
    found.toolchain === "local"
      ? `Go is ${version || "too old"} and may not fetch a newer one (GOTOOLCHAIN=local)`
      : `Go is ${version || "too old"}`;
  return { usable: false, required, problem };
}
