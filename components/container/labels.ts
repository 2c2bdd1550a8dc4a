import * as pulumi from "@pulumi/pulumi";

/** Label with the Pulumi project's name, by which the store's networks, volumes, containers and images are found. */
export const LABEL_PROJECT = "dev.store.project";

/** Purpose of a container, in addition to its service. */
export type Role = "service" | "database" | "gateway" | "certificates" | "files";

/** Returns labels for a network, volume or container in the docker provider's form. */
export function labels(
  of: { readonly service?: string; readonly role?: Role; readonly replica?: number } = {},
): { label: string; value: string }[] {
  const entries: [string, string | undefined][] = [
    [LABEL_PROJECT, pulumi.getProject()],
    ["dev.store.stack", pulumi.getStack()],
    ["dev.store.service", of.service],
    ["dev.store.role", of.role],
    ["dev.store.replica", of.replica?.toString()],
  ];
  return entries.flatMap(([label, value]) => (value === undefined ? [] : [{ label, value }]));
}
