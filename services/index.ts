import * as pulumi from "@pulumi/pulumi";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import {
  dependenciesOf,
  liesUnder,
  serviceNameProblems,
  ServiceSpec,
  ServiceSpecSchema,
} from "./spec";

/**
 * Loads the specs of all services by name. Each folder in services/ with a `service.ts` is a service.
 *
 * @throws RunError with all mistakes, each with its file.
 */
export function loadSpecs(folder: string = __dirname): Map<string, ServiceSpec> {
  // The folder may be a symbolic link.
  const names = readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, "service.ts")))
    .sort();
  const specs = new Map(names.map((name) => [name, loadSpec(folder, name)]));
  const problems = problemsOf(specs, folder);
  if (problems.length > 0) throw new pulumi.RunError(problems.join("\n"));
  return specs;
}

function loadSpec(folder: string, name: string): ServiceSpec {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the services' names are known at run time only
  const module = require(join(folder, name, "service")) as { default?: ServiceSpec };
  if (module.default === undefined) {
    throw new pulumi.RunError(
      `services/${name}/service.ts has no default export; it should be the service's spec.`,
    );
  }
  return module.default;
}

/** The services and, transitively, the services they depend on; sorted. */
export function withDependencies(
  services: readonly string[],
  specs: ReadonlyMap<string, ServiceSpec>,
): string[] {
  const found = new Set<string>();
  const add = (service: string): void => {
    if (found.has(service)) return;
    found.add(service);
    dependenciesOf(specs.get(service) ?? {}).forEach(add);
  };
  services.forEach(add);
  return [...found].sort();
}

/** Validates the specs. Returns one message per mistake, each with the file's name. */
export function problemsOf(specs: ReadonlyMap<string, ServiceSpec>, folder: string): string[] {
  return [...specs].flatMap(([name, spec]) => {
    const { issues = [] } = v.safeParse(ServiceSpecSchema, spec);
    const invalid = new Set(issues.map(({ path }) => path?.[0].key));
    const valid: Partial<ServiceSpec> = Object.fromEntries(
      Object.entries(spec).filter(([field]) => !invalid.has(field)),
    );
    return [
      ...issues.map((issue) => {
        const { input, message } = issue;
        const problem = message.startsWith("should")
          ? `${JSON.stringify(input)} ${message}`
          : message;
        return `${v.getDotPath(issue) ?? ""}: ${problem}`;
      }),
      ...serviceNameProblems(name),
      ...routeProblems(name, valid, specs),
      ...hostProblems(valid),
      ...rateLimitProblems(valid),
      ...timeoutProblems(valid),
      ...dependencyProblems(name, valid, specs),
      ...dockerfileProblems(join(folder, name), valid),
    ].map((problem) => `services/${name}/service.ts: ${problem}`);
  });
}

function routeProblems(
  name: string,
  { routes = [], hosts = [] }: Partial<ServiceSpec>,
  specs: ReadonlyMap<string, ServiceSpec>,
): string[] {
  const others = [...specs].filter(
    ([other, spec]) => other < name && haveCommonHost(hosts, spec.hosts ?? []),
  );
  return routes.flatMap((prefix) => {
    const owner = others.find(([, { routes = [] }]) => routes.includes(prefix))?.[0];
    return owner === undefined ? [] : [`routes: "${prefix}" is already a route of ${owner}.`];
  });
}

/** Services without hosts answer for all hosts that no service lists. */
function haveCommonHost(hosts: readonly string[], others: readonly string[]): boolean {
  return hosts.length === 0 ? others.length === 0 : hosts.some((host) => others.includes(host));
}

function hostProblems({ hosts = [], routes = [] }: Partial<ServiceSpec>): string[] {
  if (hosts.length === 0) return [];
  const programs = routes.filter((route) => `${route}/`.startsWith("/api/"));
  return [
    ...(routes.length === 0 ? ['hosts: the service has no routes. Add them: routes: ["/"].'] : []),
    ...programs.map(
      (route) => `hosts: "${route}" is for all hosts, like all routes under /api. Remove hosts.`,
    ),
  ];
}

function rateLimitProblems({ rateLimits = [], routes = [] }: Partial<ServiceSpec>): string[] {
  const keys = rateLimits.map(({ method, path }) => `${method} ${path}`);
  const duplicates = new Set(keys.filter((key, index) => keys.indexOf(key) < index));
  return [
    ...rateLimits
      .filter(({ path }) => !routes.some((prefix) => liesUnder(path, prefix)))
      .map(({ path }) => `rateLimits: "${path}" is under none of the service's routes.`),
    ...[...duplicates].map((key) => `rateLimits: ${key} is there twice.`),
  ];
}

function timeoutProblems({ timeouts = [], routes = [] }: Partial<ServiceSpec>): string[] {
  const paths = timeouts.map(({ path }) => path);
  const duplicates = new Set(paths.filter((path, index) => paths.indexOf(path) < index));
  return [
    ...paths
      .filter((path) => !routes.some((prefix) => liesUnder(path, prefix)))
      .map((path) => `timeouts: "${path}" is under none of the service's routes.`),
    ...[...duplicates].map((path) => `timeouts: ${path} is there twice.`),
  ];
}

function dependencyProblems(
  name: string,
  spec: Partial<ServiceSpec>,
  specs: ReadonlyMap<string, ServiceSpec>,
): string[] {
  const field = spec.needs === undefined ? "dependsOn" : "needs";
  if (spec.needs !== undefined && spec.dependsOn !== undefined) {
    return ["needs: is the earlier name of dependsOn; remove one of the two."];
  }
  return dependenciesOf(spec).flatMap((dependency) => {
    if (dependency === name) return [`${field}: has the service itself.`];
    if (!specs.has(dependency)) return [`${field}: services/ has no folder "${dependency}".`];
    if (spec.network !== "edge") return [];
    return [
      `${field}: has "${dependency}", but a service on the edge network reaches only the gateway.`,
    ];
  });
}

function dockerfileProblems(folder: string, { image }: Partial<ServiceSpec>): string[] {
  const dockerfile = image?.dockerfile ?? "Dockerfile";
  return existsSync(join(folder, dockerfile)) ? [] : [`there is no ${dockerfile} beside it.`];
}
