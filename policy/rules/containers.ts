import { definePolicy, type Policy } from "../policy";
import {
  asContainer,
  CONTAINER,
  isPartOf,
  listAt,
  PlannedResource,
  textAt,
  UNKNOWN,
  valueAt,
} from "../resource";

const GATEWAY = "store:index:Gateway";

interface ContainerPolicy extends Pick<Policy, "name" | "description"> {
  /** Returns the violation of a container, or of the instances of a Swarm service; undefined if there is none. */
  readonly violation: (container: PlannedResource) => string | undefined;
}

function defineContainerPolicy({ violation, ...policy }: ContainerPolicy): Policy {
  return definePolicy({
    ...policy,
    settings: {},
    check: (resource) => {
      const container = asContainer(resource);
      const found = container.type === CONTAINER ? violation(container) : undefined;
      return found === undefined ? [] : [found];
    },
  });
}

export const onlyGatewayPublishes = definePolicy({
  name: "only-gateway-publishes-ports",
  description: "Only the gateway publishes a port of the host.",
  settings: {},
  check: (resource) => {
    const { inputs } = resource;
    const publishes =
      listAt(inputs, "ports").length > 0 ||
      inputs["publishAllPorts"] === true ||
      inputs["networkMode"] === "host" ||
      // A Swarm service.
      listAt(inputs, "endpointSpec.ports").length > 0;
    return resource.type.startsWith("docker:") && publishes && !isPartOf(resource, GATEWAY)
      ? [
          "publishes a port of the host, past the gateway's limits and logs. Remove `ports` (or `publishAllPorts`, or the network mode " +
            "host), and give the service a route in its spec: services/NAME/service.ts, `routes`.",
        ]
      : [];
  },
});

export const notRoot = defineContainerPolicy({
  name: "container-not-root",
  description: "No container runs as root.",
  violation: (resource) => {
    const user = valueAt(resource.inputs, "user");
    // Root by its name or its ID, with any group. Without a user, an image without USER runs as root.
    const isRoot =
      user === undefined || (typeof user === "string" && /^(|root|0+)(:|$)/.test(user));
    return isRoot
      ? "runs as root, or as the image's user, which may be root. Set `user`: a service's is `user` in services/NAME/service.ts."
      : undefined;
  },
});

export const notPrivileged = defineContainerPolicy({
  name: "container-not-privileged",
  description: "No container is privileged.",
  violation: (resource) => {
    const found = privilegesOf(resource);
    return found.length > 0
      ? `has privileges on its host: ${found.join(", ")}. Remove them; components/container/container.ts has arguments that all containers share.`
      : undefined;
  },
});

function privilegesOf({ inputs }: PlannedResource): string[] {
  const named = (condition: boolean, name: string): string[] => (condition ? [name] : []);
  const dropsAll = listAt(inputs, "capabilities.drops").some((drop) =>
    /^(cap_)?all$/i.test(String(drop)),
  );
  return [
    ...named(inputs["privileged"] === true, "`privileged`"),
    ...named(
      !dropsAll && inputs["capabilities"] !== UNKNOWN,
      'Docker\'s default capabilities (no `capabilities.drops: ["ALL"]`)',
    ),
    ...listAt(inputs, "capabilities.adds").map((added) => `capability ${String(added)}`),
    ...["networkMode", "pidMode", "ipcMode", "usernsMode"]
      .filter((mode) => inputs[mode] === "host")
      .map((mode) => `\`${mode}\` host`),
    ...named(listAt(inputs, "devices").length > 0, "`devices`"),
    ...named(mountsDaemon(inputs), "Docker's socket"),
    ...listAt(inputs, "securityOpts")
      .filter((option) => /[:=](unconfined|disable)$/.test(String(option)))
      .map((option) => `\`${String(option)}\``),
  ];
}

/** Returns true if the container mounts the daemon's socket or a folder with it. */
function mountsDaemon(inputs: PlannedResource["inputs"]): boolean {
  const sources = [
    ...listAt(inputs, "volumes").map((volume) => textAt(volume, "hostPath")),
    ...listAt(inputs, "mounts").map((mount) => textAt(mount, "source")),
  ];
  return sources.some((source) => /^(\/|(\/var)?\/run(\/docker\.sock)?\/?)$/.test(source ?? ""));
}

export const readOnlyRoot = defineContainerPolicy({
  name: "container-read-only",
  description: "No container can write to its root file system.",
  violation: (resource) => {
    return ![true, UNKNOWN].includes(resource.inputs["readOnly"] as boolean | symbol)
      ? "has a writable root file system. Set `readOnly: true`, and give it what it writes to as `tmpfs` or as a volume."
      : undefined;
  },
});

export const limited = defineContainerPolicy({
  name: "container-limits",
  description: "Every container has a memory limit.",
  violation: (resource) => {
    const memory = valueAt(resource.inputs, "memory");
    return memory === undefined || memory === 0
      ? "has no memory limit, so it can take all of its host's memory. Set `memory` in MiB: a service's is `limits.memoryMiB` in services/NAME/service.ts."
      : undefined;
  },
});

export const hasHealthCheck = defineContainerPolicy({
  name: "container-health-check",
  description: "Every container has a health check.",
  violation: (resource) => {
    const { inputs } = resource;
    const [kind] = listAt(inputs, "healthcheck.tests");
    const isUnknown = [inputs["healthcheck"], valueAt(inputs, "healthcheck.tests")].includes(
      UNKNOWN,
    );
    return !isUnknown && (kind === undefined || kind === "NONE")
      ? "has no health check, so a rollout can't wait for it. Set `healthcheck`: components/container/health.ts."
      : undefined;
  },
});
