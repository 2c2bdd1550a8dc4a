import * as pulumi from "@pulumi/pulumi";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { liesUnder, LIMITED_METHODS, RateLimit, ServiceSpec, STACK_SECRETS } from "./spec";

/**
 * The spec of every service, by the service's name: each folder here with a `service.ts` in it is one.
 *
 * @throws RunError that names the file and what is wrong with it.
 */
export function loadSpecs(folder: string = __dirname): Map<string, ServiceSpec> {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, "service.ts")))
    .map((entry) => entry.name)
    .sort();
  const specs = new Map(names.map((name) => [name, loadSpec(folder, name)]));
  const problems = problemsOf(specs, folder);
  if (problems.length > 0) throw new pulumi.RunError(problems.join("\n"));
  return specs;
}

function loadSpec(folder: string, name: string): ServiceSpec {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- which services there are is known at run time only
  const module = require(join(folder, name, "service")) as { default?: ServiceSpec };
  if (module.default === undefined) {
    throw new pulumi.RunError(
      `services/${name}/service.ts has no default export; it should be the service's spec.`,
    );
  }
  return module.default;
}

/** What is wrong with the specs, a line each. */
export function problemsOf(specs: ReadonlyMap<string, ServiceSpec>, folder: string): string[] {
  const problems: string[] = [];
  const prefixOwner = new Map<string, string>();
  for (const [name, spec] of specs) {
    const say = (problem: string): void =>
      void problems.push(`services/${name}/service.ts: ${problem}`);

    // It becomes a DNS name and part of an image's name.
    if (!/^[a-z][a-z0-9-]{0,38}$/.test(name) || RESERVED.has(name)) {
      say(
        `"${name}" can't be a service's name: use lower-case letters, digits and "-", and none of ${[...RESERVED].join(", ")}.`,
      );
    }
    if (!Number.isInteger(spec.port) || spec.port < 1024 || spec.port > 65535) {
      say(`port is ${String(spec.port)}; it should be a whole number from 1024 to 65535.`);
    }
    for (const prefix of spec.routes ?? []) {
      const owner = prefixOwner.get(prefix);
      if (owner !== undefined) say(`routes has "${prefix}", which is ${owner}'s already.`);
      prefixOwner.set(prefix, name);
      if (!/^\/$|^(\/[A-Za-z0-9._~-]+)+$/.test(prefix)) {
        say(
          `routes has "${prefix}"; a prefix looks like "/api/orders", without a slash at the end.`,
        );
      }
    }
    for (const problem of problemsOfRateLimits(spec)) say(problem);
    for (const need of spec.needs ?? []) {
      if (need === name) say("needs has the service itself.");
      else if (!specs.has(need))
        say(`needs has "${need}", for which there is no folder in services/.`);
      else if (spec.network === "edge")
        say(`needs has "${need}", but a service on the edge network reaches only the gateway.`);
    }
    for (const secret of spec.secrets ?? []) {
      if (!STACK_SECRETS.includes(secret))
        say(`secrets has "${secret}"; a stack has ${STACK_SECRETS.join(", ")}.`);
    }
    if (spec.health?.command?.length === 0)
      say("health.command is empty; it should be a command and its arguments.");
    const dockerfile = spec.image?.dockerfile ?? "Dockerfile";
    if (!existsSync(join(folder, name, dockerfile))) say(`there is no ${dockerfile} beside it.`);
  }
  return problems;
}

function problemsOfRateLimits({ rateLimits = [], routes = [] }: ServiceSpec): string[] {
  const isRouted = (path: string): boolean => routes.some((prefix) => liesUnder(path, prefix));
  const problems = ({ method, path, requests, seconds }: RateLimit): string[] => [
    ...(LIMITED_METHODS.includes(method)
      ? []
      : [
          `has the method ${JSON.stringify(method)}; it should be one of ${LIMITED_METHODS.join(", ")}.`,
        ]),
    ...(/^(\/[A-Za-z0-9._~-]+)+$|^\/$/.test(path)
      ? []
      : [
          `has the path ${JSON.stringify(path)}; it looks like "/api/orders", without parameters, a query or a slash at the end.`,
        ]),
    ...(isRouted(path) ? [] : [`has ${JSON.stringify(path)}, which is under none of its routes.`]),
    ...(isWholeNumber(requests, 1_000_000)
      ? []
      : [`has ${String(requests)} requests; it should be a whole number from 1 to 1000000.`]),
    ...(isWholeNumber(seconds, 3600)
      ? []
      : [`has ${String(seconds)} seconds; it should be a whole number from 1 to 3600.`]),
  ];
  const names = rateLimits.map(({ method, path }) => `${method} ${path}`);
  const twice = new Set(names.filter((name, index) => names.indexOf(name) < index));
  return [...rateLimits.flatMap(problems), ...[...twice].map((name) => `has ${name} twice.`)].map(
    (problem) => `rateLimits ${problem}`,
  );
}

function isWholeNumber(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= most;
}

/** Names that other containers and networks have. */
const RESERVED = new Set(["gateway", "edge", "backend", "database"]);
