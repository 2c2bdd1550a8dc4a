import { z } from "zod";

/** HTTP methods that a rate limit can apply to. */
export const LIMITED_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/** Secrets that each stack creates. Staff send STAFF_TOKEN as `Authorization: Bearer`. */
export const STACK_SECRETS = ["STAFF_TOKEN"] as const;
export type StackSecret = (typeof STACK_SECRETS)[number];

export function wholeNumber(least: number, most: number): z.ZodInt {
  const message = `should be a whole number from ${least} to ${most}.`;
  return z.int(message).min(least, message).max(most, message);
}

export function oneOf<const T extends readonly string[]>(values: T) {
  return z.enum(values, `should be one of ${values.filter((value) => value !== "").join(", ")}.`);
}

const names = () => z.array(z.string()).readonly();
const command = () => z.array(z.string()).min(1, "should have a program.").readonly();
const path = (example: string) =>
  z.string().regex(/^\/$|^(\/[A-Za-z0-9._~-]+)+$/, `should be a path such as "${example}".`);

const RateLimitSchema = z.strictObject({
  method: oneOf(LIMITED_METHODS),
  /** The exact path under one of the service's routes, without parameters, query or trailing slash. */
  path: path("/api/orders"),
  /** Maximum number of requests within any period of `seconds`. */
  requests: wholeNumber(1, 1_000_000),
  /** Length of the period, up to 3600. A rejected client gets it as Retry-After. */
  seconds: wholeNumber(1, 3600),
});

const ImageSpecSchema = z.strictObject({
  /**
   * Folder, relative to the repository, of an image to build first. The Dockerfile gets that image's name as the build
   * argument BASE_IMAGE. @default none
   */
  base: z.string().optional(),
  /** Dockerfile, relative to the service's folder. @default "Dockerfile" */
  dockerfile: z.string().optional(),
  /** Additional build arguments. They are part of the content tag and visible in the image: never secrets. @default {} */
  args: z.record(z.string(), z.string()).readonly().optional(),
});

const HealthSpecSchema = z.strictObject({
  /** Path that answers 2xx when the service is ready. @default "/readyz" */
  path: z.string().optional(),
  /**
   * Health check for an image without bash: a command in exec form that exits with 0 when the service is ready. Docker runs
   * it every 5 s, so readiness is noticed later than with the default. @default a bash script that requests the path
   */
  command: command().optional(),
  /** Seconds within which a new instance must be ready; otherwise the `up` fails. @default 60 */
  withinSeconds: z.number().optional(),
});

const DevModeSpecSchema = z.strictObject({
  /** Mount points in the container by source folder, relative to the service's folder. Mounted read-only. */
  mounts: z.record(z.string(), z.string()).readonly(),
  /** Command that restarts the service on a change. Replaces the image's command. */
  command: command(),
});

/**
 * Schema of a microservice's spec: the default export of `services/NAME/service.ts`. The folder's name is the service's name.
 * The spec is all that the program needs to build, run, route and scale the service.
 */
export const ServiceSpecSchema = z.strictObject({
  /** TCP port (1024–65535) of the service's HTTP server. The container gets it as the environment variable PORT. */
  port: wholeNumber(1024, 65_535),

  /**
   * Public path prefixes that the gateway routes to the service, unchanged, for example `["/api/inventory"]`. The longest
   * prefix wins; "/" matches all paths without a route, except those under /api/. @default [] (not reachable from outside)
   */
  routes: z.array(path("/api/orders")).readonly().optional(),

  /**
   * Network of the service. "backend": the gateway and the services that list it in `dependsOn` reach it. "edge": like an
   * outside party, it reaches only the gateway. @default "backend"
   */
  network: oneOf(["backend", "edge"]).optional(),

  /**
   * Gives the service its own PostgreSQL database, unreachable for others. The environment variables are DATABASE_HOST,
   * DATABASE_PORT, DATABASE_NAME, DATABASE_USER and DATABASE_PASSWORD_FILE (path of a file). DATABASE_POOL_SIZE is the
   * maximum size of an instance's connection pool; one more connection is allowed. @default false
   */
  database: z.boolean().optional(),

  /**
   * Services that this service calls. They are started with it, and their addresses are in the environment variables
   * NAME_URL, for example INVENTORY_URL. An edge service can't have any; it gets GATEWAY_URL. @default []
   */
  dependsOn: names().optional(),

  /** Earlier name of `dependsOn`. Cannot be used together with `dependsOn`. */
  needs: names().optional(),

  /**
   * Secrets of the stack that the service reads, each from the file named in the variable NAME_FILE. The content may change
   * while the service runs: read the file at each use. @default []
   */
  secrets: z.array(oneOf(STACK_SECRETS)).readonly().optional(),

  /**
   * Limits per client address for expensive or sensitive requests, in addition to `store:requestLimit`. Further requests get
   * status 429. Only requests through the gateway count, and none if `store:requestLimit` is 0. Several people may share an
   * address. @default []
   */
  rateLimits: z.array(RateLimitSchema.readonly()).readonly().optional(),

  /** Number of instances; `store:replicas` overrides it. @default 1 */
  replicas: z.number().optional(),

  /** Image build. The build context is the service's folder. @default {} */
  image: ImageSpecSchema.readonly().optional(),

  /** Readiness check of Docker and the gateway. @default {} */
  health: HealthSpecSchema.readonly().optional(),

  /** Limits of each instance: memory in MiB, number of processes and threads. @default 256 MiB and 128 processes */
  limits: z
    .strictObject({ memoryMiB: z.number().optional(), pids: z.number().optional() })
    .readonly()
    .optional(),

  /**
   * Seconds for which the service keeps serving after SIGTERM, until the gateway has noticed. The container gets it as
   * DRAIN_SECONDS; Docker kills the container 10 s later. @default 3
   */
  drainSeconds: z.number().optional(),

  /** Dev mode (`store:live`): runs the sources without a new image. @default `store:live` rejects the service */
  live: DevModeSpecSchema.readonly().optional(),
});

export type ServiceSpec = Readonly<z.infer<typeof ServiceSpecSchema>>;
/** @example { method: "POST", path: "/api/orders", requests: 60, seconds: 60 } */
export type RateLimit = Readonly<z.infer<typeof RateLimitSchema>>;
export type ImageSpec = Readonly<z.infer<typeof ImageSpecSchema>>;
export type HealthSpec = Readonly<z.infer<typeof HealthSpecSchema>>;
export type DevModeSpec = Readonly<z.infer<typeof DevModeSpecSchema>>;

/** The services that a service calls. */
export const dependenciesOf = ({ dependsOn, needs }: Partial<ServiceSpec>): readonly string[] =>
  dependsOn ?? needs ?? [];

/** Path that answers 2xx when the service is ready. */
export const healthPath = ({ health }: ServiceSpec): string => health?.path ?? "/readyz";

/** Returns true if the gateway routes the path by this prefix. The prefix "/" doesn't match paths under /api/. */
export const liesUnder = (path: string, prefix: string): boolean =>
  prefix === "/" ? !path.startsWith("/api/") : path === prefix || path.startsWith(`${prefix}/`);
