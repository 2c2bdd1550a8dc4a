import { Option } from "commander";
import { ExitCode } from "@store/docker/cliError";
import { findUpdates, type BaseImageUpdate, writeUpdates } from "../../project/baseImageUpdates";
import { connectLocalDocker, openSession, type StackOptions } from "../../project/session";
import { table } from "../../terminal/terminal";
import { defineCommand } from "../command";
import { parseStack } from "../stackFlags";

interface ImagesOptions extends StackOptions {
  readonly update: boolean;
}

export const images = defineCommand<{ readonly update?: boolean }, ImagesOptions>({
  name: "images",
  summary: "list newer base images than the project's, or take them",
  flags: [new Option("--update", "write the newest versions and digests into the project's files")],
  examples: [
    "./store images             list versions and digests, and what the registries have",
    "./store images --update    take the newest ones; the next up builds the images again",
  ],
  notes: `The defaults are in config/baseImages.json and Pulumi.yaml. Commit a change of them like any other one.
A stack's own store:nodeImage, store:postgresImage and store:haproxyImage stay as they are.`,
  parse: ({ flags }) => ({ ...parseStack({}), update: flags.update === true }),
  run,
});

async function run(options: ImagesOptions): Promise<ExitCode> {
  const session = openSession(options);
  const updates = await findUpdates(session.project.root, await connectLocalDocker(session));
  process.stdout.write(`${render(updates)}\n`);
  if (!options.update) return ExitCode.Ok;
  const files = writeUpdates(session.project.root, updates);
  process.stdout.write(
    files.length === 0
      ? "\nEverything is up to date.\n"
      : `\nUpdated ${files.join(", ")}. Check the change with ./store up, then commit it.\n`,
  );
  return ExitCode.Ok;
}

function render(updates: readonly BaseImageUpdate[]): string {
  return table(updates, [
    { title: "image", value: ({ image }) => image },
    { title: "default", value: ({ current }) => shortened(current) },
    {
      title: "newest",
      value: ({ current, newest }) => (current === newest ? "the same" : shortened(newest)),
    },
  ]);
}

/** Twelve digits of a digest are enough to tell it from others. */
function shortened(ref: string): string {
  return ref.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]{52}$/, "$1…");
}
