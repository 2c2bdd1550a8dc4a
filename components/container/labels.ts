import * as pulumi from "@pulumi/pulumi";
import { LABEL, type Role } from "./labelNames";

/** Returns labels for a network, volume or container in the docker provider's form. */
export function labels(
  of: { readonly service?: string; readonly role?: Role; readonly replica?: number } = {},
): { label: string; value: string }[] {
  const entries: [string, string | undefined][] = [
    [LABEL.project, pulumi.getProject()],
    [LABEL.stack, pulumi.getStack()],
    [LABEL.service, of.service],
    [LABEL.role, of.role],
    [LABEL.replica, of.replica?.toString()],
  ];
  return entries.flatMap(([label, value]) => (value === undefined ? [] : [{ label, value }]));
}
