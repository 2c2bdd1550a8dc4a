/** A version of numbers, or undefined: "v3.259.0", "go1.26.8", "3.0.11-1+deb13u3" all have one in them. */
export function parseVersion(text: string): number[] | undefined {
  const match = /(\d+(?:\.\d+)+)/.exec(text);
  return match?.[1]?.split(".").map(Number);
}

/** Negative, zero or positive as the first is older than, as new as, or newer than the second. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parseVersion(a) ?? [], parseVersion(b) ?? []];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  // A pre-release comes before its release: 3.259.0-alpha.1 is not yet 3.259.0.
  return Number(isPreRelease(b)) - Number(isPreRelease(a));
}

export function isAtLeast(version: string, minimum: string): boolean {
  return parseVersion(version) !== undefined && compareVersions(version, minimum) >= 0;
}

function isPreRelease(text: string): boolean {
  return /\d-(?:alpha|beta|rc|dev)/.test(text);
}
