import { LABEL } from "../../components/container/labelNames";
/** Part of the output of `docker inspect` for a container. */
export interface InspectedContainer {
  readonly Config: {
    readonly Image: string;
    readonly User: string;
    readonly Env: readonly string[];
    readonly Entrypoint: readonly string[] | null;
    readonly Cmd: readonly string[] | null;
    readonly StopTimeout?: number;
    readonly Labels: Readonly<Record<string, string>>;
    readonly Healthcheck?: Readonly<
      Record<"Interval" | "Timeout" | "StartPeriod" | "Retries", number>
    > & {
      readonly Test: readonly string[];
    };
  };
  readonly HostConfig: {
    readonly Memory: number;
    readonly ShmSize: number;
    readonly ReadonlyRootfs: boolean;
    readonly Init: boolean | null;
    readonly Tmpfs: Readonly<Record<string, string>> | null;
    readonly CapAdd: readonly string[] | null;
    readonly CapDrop: readonly string[] | null;
    readonly SecurityOpt: readonly string[] | null;
    readonly Sysctls: Readonly<Record<string, string>> | null;
    readonly PortBindings: Readonly<
      Record<string, readonly { HostIp: string; HostPort: string }[]>
    > | null;
  };
  readonly Mounts: readonly {
    readonly Type: string;
    readonly Name?: string;
    readonly Destination: string;
    readonly RW: boolean;
  }[];
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly Aliases: readonly string[] | null }>>;
  };
}

/** Build of a service's image. */
export interface Build {
  readonly context: string;
  readonly args: Readonly<Record<string, string>>;
}

/** Returns the content of a Compose file with the same containers, on the same networks and volumes. */
export function composeFile(
  containers: readonly InspectedContainer[],
  builds: ReadonlyMap<string, Build>,
): object {
  const networks = containers.flatMap((c) => Object.keys(c.NetworkSettings.Networks));
  const volumes = containers.flatMap((c) => c.Mounts.flatMap(({ Name }) => Name ?? []));
  const model = {
    services: Object.fromEntries(containers.map((c) => [nameOf(c), service(c, builds)])),
    networks: Object.fromEntries(networks.map((name) => [name, { external: true }])),
    volumes: Object.fromEntries(volumes.map((name) => [name, { external: true }])),
  };
  // Compose replaces variables in all texts.
  return JSON.parse(JSON.stringify(model).replaceAll("$", () => "$$")) as object;
}

function nameOf({ Config: { Labels } }: InspectedContainer): string {
  return `${Labels[LABEL.service] ?? ""}-${Labels[LABEL.role] ?? ""}`;
}

function service(container: InspectedContainer, builds: ReadonlyMap<string, Build>): object {
  const { Config, HostConfig, Mounts, NetworkSettings } = container;
  const build =
    Config.Labels[LABEL.role] === "database"
      ? undefined
      : builds.get(Config.Labels[LABEL.service] ?? "");
  return {
    ...(build ? { build } : { image: Config.Image }),
    entrypoint: Config.Entrypoint ?? undefined,
    command: Config.Cmd ?? undefined,
    environment: Config.Env,
    user: Config.User || undefined,
    stop_grace_period: `${Config.StopTimeout ?? 10}s`,
    restart: "unless-stopped",
    init: HostConfig.Init ?? undefined,
    read_only: HostConfig.ReadonlyRootfs,
    mem_limit: HostConfig.Memory,
    shm_size: HostConfig.ShmSize,
    tmpfs: Object.entries(HostConfig.Tmpfs ?? {}).map(([path, options]) => `${path}:${options}`),
    cap_add: HostConfig.CapAdd ?? [],
    cap_drop: HostConfig.CapDrop ?? [],
    security_opt: HostConfig.SecurityOpt ?? [],
    sysctls: HostConfig.Sysctls ?? {},
    healthcheck: healthcheck(container),
    ports: Object.entries(HostConfig.PortBindings ?? {}).flatMap(([port, bindings]) =>
      bindings.map(({ HostIp, HostPort }) => `${HostIp ? `${HostIp}:` : ""}${HostPort}:${port}`),
    ),
    volumes: Mounts.flatMap(({ Name, Destination, RW }) =>
      Name === undefined ? [] : [`${Name}:${Destination}${RW ? "" : ":ro"}`],
    ),
    networks: Object.fromEntries(
      Object.entries(NetworkSettings.Networks).map(([name, { Aliases }]) => [
        name,
        { aliases: (Aliases ?? []).filter((alias) => !/^[0-9a-f]{12}$/.test(alias)) },
      ]),
    ),
  };
}

function healthcheck({ Config: { Healthcheck } }: InspectedContainer): object | undefined {
  return (
    Healthcheck && {
      test: Healthcheck.Test,
      interval: duration(Healthcheck.Interval),
      timeout: duration(Healthcheck.Timeout),
      start_period: duration(Healthcheck.StartPeriod),
      retries: Healthcheck.Retries,
    }
  );
}

/** Converts nanoseconds. Undefined for Docker's default. */
function duration(nanoseconds = 0): string | undefined {
  return nanoseconds === 0 ? undefined : `${nanoseconds / 1000}us`;
}
