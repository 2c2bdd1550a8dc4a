import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { buildCause, NO_SPACE, noSpaceCause } from "../buildCause";
import {
  Context,
  Diagnostic,
  Found,
  inputOf,
  keepsRunning,
  resourceOf,
  retryCommand,
  Rule,
} from "../rule";

/** The last line of components/image/publish/publish.mjs, followed by docker's output. */
export const notPublished: Rule = {
  name: "image-not-published",
  match: [/^not published: (.*)$([\s\S]*)/m],
  cause: ({ match }) => match[1],
  toDiagnostic: publishDiagnostic,
};

export const buildFailed: Rule = {
  name: "build-failed",
  match: [/running buildx build|error building (?!Azure)|failed to solve|dockerfile/i],
  toDiagnostic: buildDiagnostic,
};

/** Not enough space, usually on the disk. */
export const noSpace: Rule = {
  name: "no-space",
  match: [NO_SPACE],
  toDiagnostic: (found, context) => {
    const { problem, remedy } = noSpaceCause(found.error.message);
    return {
      summary: `Creating ${resourceOf(found)} failed: ${problem}`,
      details: [found.error.message],
      hint: `${remedy} Then: ${retryCommand(context)}`,
    };
  },
};

function publishDiagnostic(found: Found, context: Context): Diagnostic {
  const [, problem = "", output = ""] = found.match;
  const details = output.split("\n").filter((line) => line.trim() !== "");
  const cause = / can't be built$/.test(problem)
    ? buildCause(builderError(details), details)
    : undefined;
  return {
    summary: `Publishing the image of ${serviceOf(found)} failed: ${cause?.problem ?? `${problem}.`}`,
    details,
    hint: `${keepsRunning(context)}${cause?.remedy ?? "Fix the cause, then"}${cause ? " Then" : ""}: ${retryCommand(context)}`,
  };
}

/** Returns the builder's own error in the output of `docker build`. */
function builderError(output: readonly string[]): string {
  return output.findLast((line) => /^ERROR: /.test(line)) ?? "";
}

function buildDiagnostic(found: Found, context: Context): Diagnostic {
  const service = serviceOf(found);
  const dockerfile = originalPath(
    join(
      inputOf(found, "build", "context") ?? "",
      inputOf(found, "build", "dockerfile") ?? "Dockerfile",
    ),
  );
  const logFile = inputOf(found, "build", "buildLogFile");
  const [step = "", ...output] = readFailedStep(context.session.project.root, logFile);
  const hasLog = step !== "";
  const details = hasLog
    ? [step, ...output.slice(-14)]
    : [found.error.message.replace(/^.*?failed to solve: /s, "")];
  const title = hasLog ? "The failed step and the end of its output" : undefined;
  const fullLog = logFile ? `\nComplete log: ${logFile}` : "";
  const cause = buildCause(`${found.error.message}\n${step}`, output);
  if (cause) {
    return {
      summary: `Building the image of ${service} failed: ${cause.problem}`,
      details,
      detailsTitle: title,
      hint: `${keepsRunning(context)}${cause.remedy} Then: ${retryCommand(context)}${fullLog}`,
    };
  }
  return {
    summary: `Building the image of ${service} failed: error in ${dockerfile}.`,
    details,
    detailsTitle: title,
    hint: `${keepsRunning(context)}Fix ${dockerfile} or the files that it copies, then: ${retryCommand(context)}${fullLog}`,
  };
}

/** Returns the path in the repository of a file in a copied build context (components/image/context/stagedContext.ts). */
function originalPath(path: string): string {
  return path.replace(/^\.store\/contexts\/[^/]+\/[^/]+\/(context|dockerfile)\//, "");
}

function readFailedStep(root: string, logFile: string | undefined): string[] {
  const file = logFile && join(root, logFile);
  return file && existsSync(file) ? failedStep(readFileSync(file, "utf8")) : [];
}

/** Returns the title and the output of the failed step in a build log with one or more builds; empty if the last one succeeded. */
export function failedStep(log: string): string[] {
  const lastBuild = log.slice(Math.max(0, log.lastIndexOf("#0 building with")));
  const step = /^#(\d+) ERROR: /m.exec(lastBuild)?.[1];
  if (step === undefined) return [];
  return lastBuild
    .split("\n")
    .filter((line) => line.startsWith(`#${step} `))
    .map((line) => line.replace(/^#\d+ (\d+\.\d+ )?/, ""))
    .filter((line) => !/^(ERROR: |DONE |CACHED)/.test(line));
}

/** "inventory" for the resource inventory-image:TAG. */
function serviceOf(found: Found): string {
  return resourceOf(found)
    .replace(/:[^:]*$/, "")
    .replace(/-image$/, "");
}
