import { mkdirSync, renameSync, rmSync } from "node:fs";
import * as path from "node:path";
import { CliError } from "@store/docker/cliError";
import { lastLines, run } from "../system/run";
import { goBuildRemedy } from "./goBuildError";

export interface GoBinary {
  /** Name for messages. */
  readonly title: string;
  /** Folder with the go.mod that pins the package's module. */
  readonly module: string;
  readonly package: string;
  /** Path of the binary. It appears only when it is complete. */
  readonly output: string;
  /** Build tags. Defaults to none. */
  readonly tags?: readonly string[];
  /** Variable that the linker sets, and its value. Defaults to none. */
  readonly version?: readonly [variable: string, version: string];
  /** Executable of Go. Defaults to the one on PATH. */
  readonly go?: string;
}

/** Builds a static binary from a Go module, whatever the user's settings are. @throws CliError */
export async function buildGoBinary(binary: GoBinary): Promise<void> {
  const temporary = `${binary.output}.tmp`;
  mkdirSync(temporary, { recursive: true });
  const partial = path.join(temporary, "binary");
  const ldflags = ["-s", "-w", ...(binary.version ? [`-X ${binary.version.join("=")}`] : [])];
  try {
    const { code, stderr } = await run(
      binary.go ?? "go",
      [
        ...["build", "-mod=readonly", "-trimpath", "-buildvcs=false"],
        ...(binary.tags ? [`-tags=${binary.tags.join(",")}`] : []),
        ...[`-ldflags=${ldflags.join(" ")}`, "-o", partial, binary.package],
      ],
      {
        cwd: binary.module,
        env: { GOWORK: "off", GOFLAGS: "", CGO_ENABLED: "0", GOTMPDIR: temporary },
      },
    );
    if (code !== 0) {
      throw new CliError(`${binary.title} can't be built:\n${lastLines(stderr)}`, {
        hint: goBuildRemedy(stderr),
      });
    }
    renameSync(partial, binary.output);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
