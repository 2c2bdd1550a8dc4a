import * as path from "node:path";
import { CliError } from "@store/docker/cliError";
import { findGo } from "../engine/go";
import { buildGoBinary } from "../engine/goBinary";
import { cacheFolder, filesBelow, folderExists, keyOf, makeFolder } from "../system/cache";
import { withLock } from "../system/lock";
import type { Reporter } from "../system/report";

const SOURCES = path.join(__dirname, "syft");

/**
 * Returns syft, which lists the packages in an image, in the version that syft/go.mod pins. Builds it once per machine from its Go
 * module, because no package registry has it as an executable.
 *
 * @throws CliError with instructions if it can't be built.
 */
export async function ensureSyft(report: Reporter): Promise<string> {
  const key = keyOf({ ...filesBelow(SOURCES), platform: `${process.platform}-${process.arch}` });
  const folder = path.join(cacheFolder(), `syft-${key}`);
  await withLock(
    cacheFolder(),
    "syft",
    (pid) => report.step(`Waiting for process ${pid}, which is building syft`),
    async () => {
      if (!folderExists(folder)) await makeFolder(folder, (partial) => build(partial, report));
    },
  );
  return path.join(folder, "syft");
}

async function build(folder: string, report: Reporter): Promise<void> {
  const go = await findGo();
  if (!go.usable)
    throw new CliError(`The list of an image's packages is made by syft, and ${go.problem}.`, {
      hint: `Install Go ${go.required} or newer, with which syft is built.`,
    });
  report.step("Building syft from its Go module (once, some minutes)");
  await buildGoBinary({
    title: "syft",
    module: SOURCES,
    package: "github.com/anchore/syft/cmd/syft",
    output: path.join(folder, "syft"),
  });
}
