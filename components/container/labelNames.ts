/**
 * Names of the labels of the store's containers, networks, volumes and images. The store command reads them, too. Literal in shell scripts
 * and, for the policies, which import nothing that they judge, in policy/ (resource.ts, config.json).
 */
export const LABEL = {
  /** The Pulumi project's name. */
  project: "dev.store.project",
  stack: "dev.store.stack",
  service: "dev.store.service",
  role: "dev.store.role",
  /** Number of the replica, from 0. */
  replica: "dev.store.replica",
  /** The store's address, on a gateway with HTTPS. */
  url: "dev.store.url",
  /** On a network that the gateway joins while it runs: the gateway's DNS name there, or {@link NAMELESS}. */
  gateway: "dev.store.gateway",
  /** Version of the files that the container reads when it starts. Another one replaces the container. */
  files: "dev.store.files",
  /** The same for the files with a service's own secrets. */
  secrets: "dev.store.secrets",
} as const;

/** Value of {@link LABEL}.gateway for a network on which the gateway has no DNS name. The docker provider refuses an empty one. */
export const NAMELESS = "-";

/** Purpose of a container, in addition to its service. */
export type Role = "service" | "database" | "gateway" | "certificates" | "files";
