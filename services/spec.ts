/**
 * What a microservice says about itself. `services/NAME/service.ts` exports one of these as its default export; the folder's
 * name is the service's name. Nothing else has to be said anywhere for the service to be built, run, routed and scaled.
 */
export interface ServiceSpec {
  /** TCP port (1024–65535) on which it answers HTTP. It is also given to it as the environment variable PORT. */
  readonly port: number;

  /**
   * Public path prefixes that the gateway passes on to it, unchanged, for example `["/api/inventory"]`. The longest prefix
   * wins; "/" takes what nobody else does. @default [] (not reachable from outside)
   */
  readonly routes?: readonly string[];

  /**
   * On which side of the gateway it stands. "backend": with the other services, reached by the gateway and by the services
   * that name it in `needs`. "edge": like an outside party, it reaches nothing but the gateway. @default "backend"
   */
  readonly network?: "backend" | "edge";

  /**
   * Gives it a PostgreSQL of its own, which nobody else can reach. It finds it by DATABASE_HOST, DATABASE_PORT,
   * DATABASE_NAME, DATABASE_USER and the file that DATABASE_PASSWORD_FILE names. An instance may keep as many connections to it
   * as DATABASE_POOL_SIZE says (10 where it isn't set) and one more. @default false
   */
  readonly database?: boolean;

  /**
   * Services that it calls. Running it brings these, and it finds each by the variable NAME_URL (INVENTORY_URL, say); an
   * edge service has GATEWAY_URL instead. @default []
   */
  readonly needs?: readonly string[];

  /**
   * Secrets of the stack that it is given, each as a file that the variable NAME_FILE names. A file may get new content while
   * the service runs: read it at each use. @default []
   */
  readonly secrets?: readonly StackSecret[];

  /**
   * What one client address may ask of it beyond `store:requestLimit`, where a request does more than answer: it sets goods aside, or
   * tries a password. What is more is answered 429. Counts what comes from outside, and not at all where `store:requestLimit` is 0.
   * Many people may share an address. @default []
   */
  readonly rateLimits?: readonly RateLimit[];

  /** How many instances run where `store:replicas` doesn't say otherwise. @default 1 */
  readonly replicas?: number;

  /** How its image is built. The build context is its folder. @default {} */
  readonly image?: ImageSpec;

  /** How Docker and the gateway learn whether it can serve. @default {} */
  readonly health?: HealthSpec;

  /** What it may use of the host. @default 256 MiB and 128 processes */
  readonly limits?: { readonly memoryMiB?: number; readonly pids?: number };

  /**
   * Seconds for which it goes on serving after SIGTERM, so that the gateway notices first. Given to it as DRAIN_SECONDS;
   * Docker waits this long and 10 s more before it kills. @default 3
   */
  readonly drainSeconds?: number;

  /** How its sources are run without a new image (`store:live`). @default none: `store:live` refuses it */
  readonly live?: LiveSpec;
}

/** @example { method: "POST", path: "/api/orders", requests: 60, seconds: 60 } */
export interface RateLimit {
  readonly method: (typeof LIMITED_METHODS)[number];
  /** Exactly this path, without a query. It lies under one of the service's routes. */
  readonly path: string;
  /** How many requests are answered within any `seconds`, from 1. */
  readonly requests: number;
  /** From 1 to 3600. Who has asked for too much is told to wait as long. */
  readonly seconds: number;
}

export const LIMITED_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/** Whether a path is routed by this prefix. What is no API goes to who has the root. */
export const liesUnder = (path: string, prefix: string): boolean =>
  prefix === "/" ? !path.startsWith("/api/") : path === prefix || path.startsWith(`${prefix}/`);

/** Secrets that a stack has one of: STAFF_TOKEN is what the store's own people send as `Authorization: Bearer`. */
export const STACK_SECRETS = ["STAFF_TOKEN"] as const;
export type StackSecret = (typeof STACK_SECRETS)[number];

export interface ImageSpec {
  /** Folder, relative to the repository, of an image to build first; the Dockerfile gets its name as the build argument BASE_IMAGE. @default none */
  readonly base?: string;
  /** Dockerfile, relative to the service's folder. @default "Dockerfile" */
  readonly dockerfile?: string;
  /** Further build arguments. They are part of the content tag and visible in the image: never secrets. @default {} */
  readonly args?: Readonly<Record<string, string>>;
}

export interface HealthSpec {
  /** Path on which it says whether it can serve, which is any 2xx. @default "/readyz" */
  readonly path?: string;
  /**
   * For an image without bash: a command that ends with 0 when it can serve, in exec form. Docker runs it every 5 s, so a start is
   * noticed later. @default bash asks on the path, and Docker knows at once
   */
  readonly command?: readonly string[];
  /** Seconds within which a new instance must be able to serve; later, the `up` that started it fails. @default 60 */
  readonly withinSeconds?: number;
}

/** The path on which it says whether it can serve. */
export const healthPath = ({ health }: ServiceSpec): string => health?.path ?? "/readyz";

export interface LiveSpec {
  /** Folders of the service (keys, relative to its folder) and where they are mounted in the container, read-only. */
  readonly mounts: Readonly<Record<string, string>>;
  /** Replaces the image's command with one that restarts on a change. */
  readonly command: readonly string[];
}
