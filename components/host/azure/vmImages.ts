// The program can't ask Azure for the content of an image in a preview, so it is derived from the image's name.

/** Release of a distribution. */
export interface Release {
  readonly distribution: "debian" | "ubuntu";
  /** Version, for example "12" or "24.04". */
  readonly version: string;
}

/** Returns the distribution of an image "publisher:offer:sku:version". Defaults to Debian. */
export function distributionOf(vmImage: string): Release["distribution"] {
  return /ubuntu/i.test(vmImage) ? "ubuntu" : "debian";
}

/** Returns the release of Debian's or Canonical's own image; undefined for other images. */
export function releaseOf(vmImage: string): Release | undefined {
  const [, debian] = /^debian:debian-(\d+):/i.exec(vmImage) ?? [];
  if (debian !== undefined) return { distribution: "debian", version: debian };
  const [, year, month] = /^canonical:ubuntu-(\d\d)_(\d\d)-lts:/i.exec(vmImage) ?? [];
  if (year === undefined || month === undefined) return undefined;
  return { distribution: "ubuntu", version: `${year}.${month}` };
}
