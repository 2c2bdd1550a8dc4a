import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { Argument, Option } from "commander";
import { CliError, ExitCode, UsageError } from "@store/docker/cliError";
import { dockerEnvironment } from "@store/docker/environment";
import { messageOf } from "@store/docker/messageOf";
import { ensureSyft } from "@store/toolchain/sbom/syft";
import { connectLocalDocker, openSession } from "../../project/session";
import { DEFAULT_STACK } from "../../project/storeCommand";
import { reporter } from "../../terminal/terminal";
import { defineCommand } from "../command";

const FORMATS = ["spdx-json", "cyclonedx-json", "table"];

interface SbomOptions {
  readonly image: string;
  readonly format: string;
}

export const sbom = defineCommand<{ readonly format: string }, SbomOptions>({
  name: "sbom",
  summary: "list the packages in an image (software bill of materials)",
  arguments: [new Argument("<image>", "an image that this machine's Docker has")],
  flags: [new Option("--format <format>", "of the list").choices(FORMATS).default("spdx-json")],
  examples: [
    "./store sbom store/inventory:0123456789abcdef > inventory.spdx.json",
    "./store sbom haproxy:3.0.28 --format table",
  ],
  notes:
    "`docker image ls` lists the images. The list is made by syft, which is built from its Go module once: that takes some minutes.",
  parse: ({ args: [image], flags }) => {
    if (image === undefined) throw new UsageError("Name an image.");
    return { image, format: flags.format };
  },
  run,
});

async function run({ image, format }: SbomOptions): Promise<ExitCode> {
  const docker = await connectLocalDocker(openSession({ stack: DEFAULT_STACK }));
  if ((await docker.get(`/images/${image}/json`)) === undefined)
    throw new CliError(`This machine's Docker has no image ${image}.`, {
      hint: "`docker image ls` lists the images; ./store up builds those of the store.",
    });
  const syft = await ensureSyft(reporter());
  // Syft asks its publisher for a newer version otherwise.
  const env = {
    ...process.env,
    ...dockerEnvironment(docker.endpoint),
    SYFT_CHECK_FOR_APP_UPDATE: "false",
  };
  const args = ["scan", `docker:${image}`, "--quiet", "--output", format];
  return listPackages(syft, args, env);
}

/** Runs syft, which prints the list. @throws CliError if syft can't be started. */
export function listPackages(
  syft: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): ExitCode {
  const { status, error } = spawnSync(syft, args, { stdio: "inherit", env });
  if (error !== undefined)
    throw new CliError(`syft can't be started: ${messageOf(error)}`, {
      hint: `Remove it, and run this again, which builds it anew: rm -r ${dirname(syft)}`,
    });
  return status === 0 ? ExitCode.Ok : ExitCode.Failed;
}
