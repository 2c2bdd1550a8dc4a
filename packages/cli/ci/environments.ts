import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { parseDocument } from "yaml";
import { CliError } from "@store/docker/cliError";
import { findStack, readProject, ROOT } from "../project/project";
import type { GitHub } from "./github/github";
import { apiFailure } from "./github/githubError";
import { runStore } from "./runStore";
import { takeDown } from "./takeDown";

/** Returns the stack of a pull request's environment. */
export function environmentStack(pullRequest: number): string {
  return `pr-${pullRequest}`;
}

/**
 * Writes the configuration of an environment: that of another stack without its own keys. It isn't committed, so each job writes it anew.
 *
 * @throws UsageError if there is no such stack
 */
export function writeEnvironmentConfig(stack: string, from: string): void {
  const config = environmentConfig(readFileSync(findStack(readProject(), from).file, "utf8"));
  writeFileSync(join(ROOT, `Pulumi.${stack}.yaml`), config);
}

/**
 * Keys for one stack alone. With its names, clients would reach the other stack, and Azure refuses the label; an environment's data
 * needs no protection.
 */
const OWN_KEYS = ["domain", "certificate", "dnsLabel", "dnsZone", "dataDiskLock", "diskSnapshots"];

/** Returns the configuration of an environment: that of another stack without its own keys. */
export function environmentConfig(text: string): string {
  const document = parseDocument(text);
  const paths = OWN_KEYS.flatMap((key) => [`store:${key}`, key].map((name) => ["config", name]));
  const present = paths.filter((path) => document.hasIn(path));
  for (const path of present) document.deleteIn(path);
  return present.length === 0 ? text : document.toString({ lineWidth: 0 });
}

/** Deletes an environment with its data and its state. @throws CliError */
export async function removeEnvironment(stack: string, from: string): Promise<void> {
  writeEnvironmentConfig(stack, from);
  await takeDown(stack, ["--volumes"]);
  const { code, stderr } = await runStore(["pulumi", "stack", "rm", "--yes", "-s", stack]);
  if (code !== 0 && !/no stack named/.test(stderr)) {
    throw new CliError(
      `The environment ${stack} is down, but its state can't be deleted: \`pulumi stack rm\` failed.`,
      { hint: "The message above says why. Fix the cause, then run the job again." },
    );
  }
}

const stackList = v.array(v.object({ name: v.string(), lastUpdate: v.optional(v.string()) }));

export interface Environment {
  readonly stack: string;
  readonly pullRequest: number;
  /** Time of the last `up`. Undefined if it never finished. */
  readonly updated?: Date;
}

/** Lists the environments in the backend. @throws CliError */
export async function listEnvironments(): Promise<Environment[]> {
  const { code, stdout } = await runStore(["pulumi", "stack", "ls", "--json"]);
  if (code !== 0) {
    throw new CliError("The environments can't be listed: `pulumi stack ls` failed.", {
      hint: "The message above says why. ./store ci check staging lists the variables that the job lacks.",
    });
  }
  return parseEnvironments(stdout);
}

/** Parses the output of `pulumi stack ls --json`. */
export function parseEnvironments(json: string): Environment[] {
  return v.parse(stackList, JSON.parse(json)).flatMap(({ name, lastUpdate }) => {
    const number = /^(?:.*\/)?pr-(\d+)$/.exec(name)?.[1];
    if (number === undefined) return [];
    const updated = lastUpdate === undefined ? undefined : new Date(lastUpdate);
    return [{ stack: `pr-${number}`, pullRequest: Number(number), updated }];
  });
}

/** Returns why an environment is no longer needed; undefined if it is. @throws CliError */
export async function expiryReason(
  github: GitHub,
  { pullRequest, updated }: Environment,
  days: number,
  now = new Date(),
): Promise<string | undefined> {
  const age = updated === undefined ? 0 : (now.getTime() - updated.getTime()) / 86_400_000;
  if (age > days) return `unchanged for more than ${days} days`;
  const state = await github.try(`read pull request ${pullRequest}`, async () => {
    try {
      const { data } = await github.octokit.request(
        "GET /repos/{owner}/{repo}/pulls/{pull_number}",
        { ...github.repository, pull_number: pullRequest },
      );
      return data.state;
    } catch (error) {
      if (apiFailure(error)?.status === 404) return "missing";
      throw error;
    }
  });
  return state === "open" ? undefined : `its pull request is ${state}`;
}
