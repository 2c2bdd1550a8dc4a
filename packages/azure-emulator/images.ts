import * as path from "node:path";
import { cacheFolder, filesBelow, keyOf } from "@store/toolchain/system/cache";
import { Docker } from "@store/docker/docker";
import { debianBase, ensureDebianBase } from "@store/toolchain/images/debian";
import { distributionOf, type Suite } from "@store/toolchain/images/releases";
import { exitingOnSignals } from "@store/toolchain/images/scratchFolder";
import { withLock } from "@store/toolchain/system/lock";
import { CliError } from "@store/docker/cliError";
import { Reporter } from "@store/toolchain/system/report";
import { lastLines, run } from "@store/toolchain/system/run";
import { docker, dockerQuietly } from "./docker";

const LABEL = "dev.store.toolchain";
const MACHINE = path.join(__dirname, "machine", "image");
const REGISTRY = path.join(__dirname, "registry", "image");

/** Returns the image of an emulated VM with this release of Debian or Ubuntu. Builds it from packages if necessary, in about a minute. */
export function ensureMachineImage(suite: Suite, host: string, report: Reporter): Promise<string> {
  return ensureImage("machine", suite, MACHINE, host, report);
}

/** Returns the image of the emulated registry. Builds it from packages if necessary. */
export function ensureRegistryImage(host: string, report: Reporter): Promise<string> {
  return ensureImage("registry", "bookworm", REGISTRY, host, report);
}

async function ensureImage(
  name: string,
  suite: Suite,
  recipe: string,
  host: string,
  report: Reporter,
): Promise<string> {
  const base = debianBase(suite);
  const repository = `store-rehearsal/${name}`;
  const ref = `${repository}:${suite}-${keyOf({ ...filesBelow(recipe), base: base.key })}`;
  if (await dockerQuietly("image", "inspect", ref)) return ref;
  const onWait = (pid: number): void =>
    report.progress(`waiting for process ${pid}, which is building images`);
  await exitingOnSignals(() =>
    withLock(cacheFolder(), "base-images", onWait, async () => {
      if (await dockerQuietly("image", "inspect", ref)) return;
      report.step(
        `Building the image of the emulated ${name} (${distributionOf(suite).name} ${suite}) from packages; this happens once`,
      );
      await ensureDebianBase(
        base,
        new Docker({ host }),
        { [LABEL]: "base", [`${LABEL}.key`]: base.key },
        report,
      );
      await build(ref, base.ref, recipe, report);
      await removeOlder(repository, suite, ref);
    }),
  );
  return ref;
}

async function build(ref: string, base: string, recipe: string, report: Reporter): Promise<void> {
  const args = [
    "build",
    "--tag",
    ref,
    "--build-arg",
    `BASE=${base}`,
    "--label",
    `${LABEL}=rehearsal`,
    recipe,
  ];
  const { code, stdout, stderr } = await run("docker", args, {
    // The classic builder, because BuildKit needs the plugin buildx, which may not be installed.
    env: { DOCKER_BUILDKIT: "0" },
    onLine: (line) => report.progress(line),
  });
  if (code === 0) return;
  throw new CliError(
    `The emulator's image ${ref} can't be built:\n${lastLines(`${stdout}\n${stderr}`)}`,
    { hint: "Check that this machine reaches the distribution's mirror, then run it again." },
  );
}

/** Removes images of older recipes, except those in use. */
async function removeOlder(repository: string, suite: Suite, ref: string): Promise<void> {
  const list = await docker("image", "ls", repository, "--format", "{{.Repository}}:{{.Tag}}");
  const older = list
    .split("\n")
    .filter((one) => one.startsWith(`${repository}:${suite}-`) && one !== ref);
  for (const image of older) await dockerQuietly("image", "rm", image);
}
