import type { CheckoutService, ServiceReview } from "../model/reviewModel";

type FileChange = NonNullable<ServiceReview["files"]>[number];

/** Returns the files of a service's image that differ between two checkouts, sorted by path. */
export function changedFiles(
  after: CheckoutService | undefined,
  before: CheckoutService | undefined,
): FileChange[] {
  const [old, current] = [before?.files ?? {}, after?.files ?? {}];
  const paths = [...new Set([...Object.keys(old), ...Object.keys(current)])].sort();
  return paths
    .filter((path) => old[path] !== current[path])
    .map((path) => ({
      path,
      change: !(path in old) ? "added" : !(path in current) ? "deleted" : "changed",
    }));
}
