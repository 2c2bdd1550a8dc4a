/**
 * Typical interruptions in seconds, rounded up. They tell a reviewer whether users notice a change, and promise nothing.
 */
export const DURATIONS = {
  /** PostgreSQL stops with a checkpoint and starts again. */
  database: 15,
  /** HAProxy stops and starts again. */
  gateway: 5,
  /** An instance without a successor beside it. */
  service: 15,
  /** Azure deletes the VM and boots the next one, cloud-init installs Docker, all containers start. */
  virtualMachine: 600,
} as const;
