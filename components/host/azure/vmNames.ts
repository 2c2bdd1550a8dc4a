/**
 * Returns the VM's host name. Azure accepts letters, digits and hyphens, no hyphen at an end, and at most 64 characters; the names of
 * projects and stacks may also contain dots and underscores.
 */
export function computerName(project: string, stack: string): string {
  return `${project}-${stack}`
    .replaceAll(/[^A-Za-z0-9-]/g, "-")
    .slice(0, 60)
    .replaceAll(/^-+|-+$/g, "");
}
