import * as pulumi from "@pulumi/pulumi";

/** Label with the Pulumi project's name on everything that this program makes, so that it is found and never confused. */
export const LABEL_PROJECT = "dev.store.project";

/** What a container is for, beside its service's name. */
export type Role = "service" | "database" | "gateway" | "files";

/** Labels for networks, volumes and containers, in the docker provider's form. */
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
