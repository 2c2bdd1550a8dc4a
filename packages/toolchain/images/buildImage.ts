import { existsSync } from "node:fs";
import { CliError } from "@store/docker/cliError";
import type { Docker } from "@store/docker/docker";
import { messageOf } from "@store/docker/messageOf";
import { Reporter } from "../system/report";
import { lastLines } from "../system/run";
import { sendArchive } from "./archive";
import { DebianBase } from "./debian";
import { downloadFolder, npmRegistry } from "./npmPackages";
import { folderOf, type Recipe, versionFailure } from "./recipes";

/** Builds a fallback image. @throws CliError */
export async function build(
  recipe: Recipe,
  base: DebianBase,
  docker: Docker,
  labels: Record<string, string>,
  report: Reporter,
): Promise<void> {
  const { held = recipe.version } = recipe;
  const major = held.split(".")[0] ?? "";
  const versionArgument = `${recipe.image.toUpperCase()}_VERSION`;
  const buildArguments: Record<string, string> = {
    BASE_IMAGE: base.ref,
    [versionArgument]: held,
    ...(recipe.image === "postgres" && { POSTGRES_MAJOR: major }),
    ...(recipe.image === "node" && { NPM_REGISTRY: await npmRegistry() }),
    ...proxyVariables(),
  };
  const query = new URLSearchParams({
    // The classic builder: every daemon has it, and it needs only an archive from the client.
    version: "1",
    t: recipe.ref,
    buildargs: JSON.stringify(buildArguments),
    labels: JSON.stringify(labels),
    // The host's network, so that the build reaches a proxy on a loopback address and names in /etc/hosts.
    networkmode: "host",
    rm: "1",
    forcerm: "1",
  });

  const output: string[] = [];
  const folders = [folderOf(recipe.image), downloadFolder(recipe)].filter((f) => existsSync(f));
  const tar = ["tar", "-c", "--owner=0", "--group=0", "--numeric-owner"];
  const command = [...tar, ...folders.flatMap((folder) => ["-C", folder, "."])];
  try {
    await sendArchive(docker, `/build?${query.toString()}`, command, ({ stream = "" }) => {
      const lines = readable(stream);
      output.push(...lines);
      const line = lines.at(-1);
      if (line !== undefined) report.progress(`${recipe.ref}: ${line}`);
    });
  } catch (error) {
    throw buildFailure(recipe, messageOf(error), output);
  }
}

/** Returns the lines of the builder's output without its own messages, colours and progress bars. */
export function readable(output: string): string[] {
  return (
    output
      // eslint-disable-next-line no-control-regex -- escape sequences of colours
      .replace(/\u001b\[[0-9;]*[A-Za-z]/g, "")
      .split(/[\r\n]+/)
      .map((line) => line.trim())
      .filter((line) => line !== "")
      .filter((line) => !/^--->|^Removing intermediate|^\(Reading database/.test(line))
  );
}

/** Returns the error for a failed build. */
export function buildFailure(recipe: Recipe, message: string, output: readonly string[]): CliError {
  const held = /the packages hold version (\S+)/.exec(output.slice(-8).join("\n"))?.[1];
  if (held !== undefined) return versionFailure(recipe, [held]);
  // The message repeats the whole command; the output is more useful.
  const cause = /returned a non-zero code/.test(message) ? "a step failed" : message;
  return new CliError(
    `The fallback image for ${recipe.ref} can't be built: ${cause}\n${lastLines(output.join("\n"))}`,
    {
      hint:
        "See that containers reach this machine's package registries and that the disk has space left, then run it again: " +
        "it goes on with the step that failed.",
    },
  );
}

/** Returns the proxy variables as build arguments. The builder predefines them, so they don't become part of the image. */
function proxyVariables(): Record<string, string> {
  const names = ["http_proxy", "https_proxy", "no_proxy", "ftp_proxy", "all_proxy"];
  const found = names
    .flatMap((name) => [name, name.toUpperCase()])
    .map((name) => [name, process.env[name]])
    .filter(([, value]) => value !== undefined && value !== "");
  return Object.fromEntries(found) as Record<string, string>;
}
