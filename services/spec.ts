import * as v from "valibot";

/** HTTP methods that a rate limit can apply to. */
export const LIMITED_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/**
 * Secrets that each stack creates. STAFF_TOKENS has a line for each staff token, with its name and its SHA-256 in hexadecimal; staff
 * send the token as `Authorization: Bearer`. STAFF_TOKEN is the stack's first token itself, for services written before there were several.
 */
export const STACK_SECRETS = ["STAFF_TOKENS", "STAFF_TOKEN"] as const;
export type StackSecret = (typeof STACK_SECRETS)[number];

export function wholeNumber(least: number, most: number) {
  const message = `should be a whole number from ${least} to ${most}.`;
  return v.pipe(
    v.number(message),
    v.integer(message),
    v.minValue(least, message),
    v.maxValue(most, message),
  );
}

export function oneOf<const T extends readonly string[]>(values: T) {
  return v.picklist(
    values,
    `should be one of ${values.filter((value) => value !== "").join(", ")}.`,
  );
}

const listOf = <T extends v.GenericSchema>(item: T) =>
  v.optional(v.pipe(v.array(item), v.readonly()));
const readonlyObject = <T extends v.ObjectEntries>(entries: T) =>
  v.pipe(v.strictObject(entries), v.readonly());
const textByName = () => v.pipe(v.record(v.string(), v.string()), v.readonly());
const command = () =>
  v.pipe(v.array(v.string()), v.minLength(1, "should have a program."), v.readonly());
const path = (example: string) =>
  v.pipe(
    v.string(),
    v.regex(/^\/$|^(\/[A-Za-z0-9._~-]+)+$/, `should be a path such as "${example}".`),
  );

const RateLimitSchema = readonlyObject({
  method: oneOf(LIMITED_METHODS),
  /** The exact path under one of the service's routes, without parameters, query or trailing slash. */
  path: path("/api/orders"),
  /** Maximum number of requests within any period of `seconds`. */
  requests: wholeNumber(1, 1_000_000),
  /** Length of the period, up to 3600. A rejected client gets it as Retry-After. */
  seconds: wholeNumber(1, 3600),
});

const RouteTimeoutSchema = readonlyObject({
  /** A path under one of the service's routes. The timeout is for it and all paths below it; the longest path wins. */
  path: path("/api/orders/events"),
  /** Longest silence in seconds, up to 86400: before and within an answer, and on a WebSocket. */
  seconds: wholeNumber(1, 86_400),
});

const ImageSpecSchema = readonlyObject({
  /**
   * Folder, relative to the repository, of an image to build first. The Dockerfile gets that image's name as the build
   * argument BASE_IMAGE. @default none
   */
  base: v.optional(v.string()),
  /** Dockerfile, relative to the service's folder. @default "Dockerfile" */
  dockerfile: v.optional(v.string()),
  /** Additional build arguments. They are part of the content tag and visible in the image: never secrets. @default {} */
  args: v.optional(textByName()),
  /**
   * Build secrets by ID, for `RUN --mount=type=secret,id=ID`: an environment variable of the machine that builds, or a file, relative to
   * the service's folder. They are in no image and not part of the content tag. @default {}
   * @example { npmrc: { file: "../../.npmrc" }, token: { environment: "NPM_TOKEN" } }
   */
  secrets: v.optional(
    v.pipe(
      v.record(
        v.pipe(
          v.string(),
          v.regex(/^[A-Za-z0-9._-]+$/, "an ID has letters, digits, '.', '_' and '-' only."),
        ),
        v.union(
          [readonlyObject({ environment: v.string() }), readonlyObject({ file: v.string() })],
          'should be {environment: "NAME"} or {file: "PATH"}.',
        ),
      ),
      v.readonly(),
    ),
  ),
});

const HealthSpecSchema = readonlyObject({
  /** Path that answers 2xx when the service is ready. @default "/readyz" */
  path: v.optional(v.string()),
  /**
   * Health check for an image without bash: a command in exec form that exits with 0 when the service is ready. Docker runs
   * it every 5 s, so readiness is noticed later than with the default. @default a bash script that requests the path
   */
  command: v.optional(command()),
  /** Seconds within which a new instance must be ready; otherwise the `up` fails. @default 120 */
  withinSeconds: v.optional(v.number()),
});

const DevModeSpecSchema = readonlyObject({
  /** Mount points in the container by source folder, relative to the service's folder. Mounted read-only. */
  mounts: textByName(),
  /** Command that restarts the service on a change. Replaces the image's command. */
  command: command(),
});

/**
 * Schema of a microservice's spec: the default export of `services/NAME/service.ts`. The folder's name is the service's name.
 * The spec is all that the program needs to build, run, route and scale the service.
 */
export const ServiceSpecSchema = v.strictObject({
  /** TCP port (1024–65535) of the service's HTTP server. The container gets it as the environment variable PORT. */
  port: wholeNumber(1024, 65_535),

  /**
   * Public path prefixes that the gateway routes to the service, unchanged, for example `["/api/inventory"]`. The longest
   * prefix wins; "/" matches all paths without a route, except those under /api/. @default [] (not reachable from outside)
   */
  routes: listOf(path("/api/orders")),

  /**
   * Hosts that the routes are for, exact names and wildcards for one label, for example `["outlet.example.org", "*.example.net"]`: a
   * second front end beside the storefront. Paths under /api/ are for all hosts, so it can't have such routes. HTTPS is for these
   * names, too. @default all hosts that no other service lists
   */
  hosts: listOf(
    v.pipe(
      v.string(),
      v.regex(
        /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z][a-z0-9-]{0,61}[a-z0-9]$/,
        'should be a name such as "outlet.example.org" or "*.example.net", in lower case.',
      ),
    ),
  ),

  /**
   * Kind of the service's network. "backend": the gateway and the services that list it in `dependsOn` reach it. "edge": like an
   * outside party, it reaches only the gateway. @default "backend"
   */
  network: v.optional(oneOf(["backend", "edge"])),

  /**
   * Lets the service reach the internet, and with it other machines of the host's network, and the own ports of a host without the store's
   * firewall (docs/architecture.md). Without it, the service reaches only its database and the services in `dependsOn`, or the gateway.
   * @default false
   */
  egress: v.optional(v.boolean()),

  /**
   * Gives the service its own PostgreSQL database, unreachable for others. The environment variables are DATABASE_HOST,
   * DATABASE_PORT, DATABASE_NAME, DATABASE_USER and DATABASE_PASSWORD_FILE (path of a file). DATABASE_POOL_SIZE is the
   * maximum size of an instance's connection pool; one more connection is allowed. A stack may have the database on another server
   * (`store:databaseUrl`): then there is DATABASE_SSLMODE, too, with PostgreSQL's values "disable", "require" and "verify-full", and
   * DATABASE_SSLROOTCERT_FILE if the authority of the server's certificate isn't a public one. @default false
   */
  database: v.optional(v.boolean()),

  /**
   * Services that this service calls, and the only ones that it reaches. They are started with it. For each of them the container
   * has the environment variables NAME_URL, for example INVENTORY_URL, and NAME_TOKEN_FILE, the path of a file with the token that it
   * sends to internal routes as `Authorization: Bearer`. The called service finds the SHA-256 of the tokens that it accepts in the
   * file CALLERS_FILE, one caller in a line: its name, a space and the hash in hexadecimal. An edge service can't have any; it gets
   * GATEWAY_URL. @default []
   */
  dependsOn: listOf(v.string()),

  /** Earlier name of `dependsOn`. Cannot be used together with `dependsOn`. */
  needs: listOf(v.string()),

  /**
   * Secrets of the stack that the service reads, each from the file named in the variable NAME_FILE. The content may change
   * while the service runs: read the file at each use. @default []
   */
  secrets: listOf(oneOf(STACK_SECRETS)),

  /**
   * Environment variables whose default is meant for development, each with the values to choose from. On a host other than this
   * machine, `store:environment` must set them. @default {}
   * @example { PAYMENT_PROVIDER: ["stripe", "simulated"] }
   */
  requiredEnvironment: v.optional(
    v.pipe(
      v.record(v.string(), v.pipe(v.array(v.string()), v.nonEmpty(), v.readonly())),
      v.readonly(),
    ),
  ),

  /**
   * Limits per client address for expensive or sensitive requests, in addition to `store:requestLimit`. Further requests get
   * status 429. Only requests through the gateway count, and none if `store:requestLimit` is 0. Several people may share an
   * address. @default []
   */
  rateLimits: listOf(RateLimitSchema),

  /**
   * Timeouts of the gateway for long polls, event streams and WebSockets. Without one, an answer begins within 20 s and is never
   * silent for longer than that; a WebSocket may be silent for an hour. @default []
   */
  timeouts: listOf(RouteTimeoutSchema),

  /** Number of instances; `store:replicas` overrides it. @default 1 */
  replicas: v.optional(v.number()),

  /** Image build. The build context is the service's folder. @default {} */
  image: v.optional(ImageSpecSchema),

  /** Readiness check of Docker and the gateway. @default {} */
  health: v.optional(HealthSpecSchema),

  /**
   * User of the container: a name that the image knows or an ID, each with an optional group. Never root, which the policy
   * container-not-root refuses. Overrides USER of the Dockerfile. @default "1000:1000"
   */
  user: v.optional(v.pipe(v.string(), v.minLength(1, "should name a user."))),

  /** Limits of each instance: memory in MiB, number of processes and threads. @default 256 MiB and 128 processes */
  limits: v.optional(
    readonlyObject({ memoryMiB: v.optional(v.number()), pids: v.optional(v.number()) }),
  ),

  /**
   * Seconds for which the service keeps serving after SIGTERM, until the gateway has noticed. The container gets it as
   * DRAIN_SECONDS; Docker kills the container 10 s later. @default 1
   */
  drainSeconds: v.optional(v.number()),

  /** Dev mode (`store:live`): runs the sources without a new image. @default `store:live` rejects the service */
  live: v.optional(DevModeSpecSchema),
});

export type ServiceSpec = Readonly<v.InferOutput<typeof ServiceSpecSchema>>;
/** @example { method: "POST", path: "/api/orders", requests: 60, seconds: 60 } */
export type RateLimit = Readonly<v.InferOutput<typeof RateLimitSchema>>;
/** @example { path: "/api/orders/events", seconds: 3600 } */
export type RouteTimeout = Readonly<v.InferOutput<typeof RouteTimeoutSchema>>;
export type BuildSecret = NonNullable<ImageSpec["secrets"]>[string];
export type ImageSpec = Readonly<v.InferOutput<typeof ImageSpecSchema>>;

/** Names of the containers of the gateway and of the certificates, of networks, and of PostgreSQL's superuser. */
const RESERVED_NAMES = ["gateway", "certificates", "edge", "backend", "database", "postgres"];

/** Checks a service's name, which becomes a DNS name and part of an image's name. */
export function serviceNameProblems(name: string): string[] {
  if (/^[a-z][a-z0-9-]{0,38}$/.test(name) && !RESERVED_NAMES.includes(name)) return [];
  return [
    `"${name}" can't be a service's name: use lower-case letters, digits and "-", and none of ${RESERVED_NAMES.join(", ")}.`,
  ];
}

/** The services that a service calls. */
export const dependenciesOf = ({ dependsOn, needs }: Partial<ServiceSpec>): readonly string[] =>
  dependsOn ?? needs ?? [];

/** Name of the variable by which a service finds a service that it calls, for example INVENTORY_URL. The kit reads it. */
export const urlVariable = (service: string): string =>
  `${service.toUpperCase().replaceAll("-", "_")}_URL`;

/** Name of the secret with the token that a caller sends to a service, for example INVENTORY_TOKEN. */
export const tokenSecret = (service: string): string =>
  urlVariable(service).replace(/_URL$/, "_TOKEN");

/** Name of the secret with the hashes of the tokens that a service accepts. */
export const CALLERS_SECRET = "CALLERS";

/** Path that answers 2xx when the service is ready. */
export const healthPath = ({ health }: ServiceSpec): string => health?.path ?? "/readyz";

/** Returns true if the gateway routes the path by this prefix. The prefix "/" doesn't match paths under /api/. */
export const liesUnder = (path: string, prefix: string): boolean =>
  prefix === "/" ? !path.startsWith("/api/") : path === prefix || path.startsWith(`${prefix}/`);
