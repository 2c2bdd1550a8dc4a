import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";

/** Code name of a release of Debian or Ubuntu from whose packages a base image can be made. */
export type Suite = "bookworm" | "trixie" | "noble";

export interface Distribution {
  readonly name: "Debian" | "Ubuntu";
  /** Script of debootstrap that all releases share; an older debootstrap has none of a newer release's name. */
  readonly script: string;
  /** File with the public keys of the archive: a keyring, or a key in ASCII armor (.asc). */
  readonly keys: string;
}

const DEBIAN: Distribution = {
  name: "Debian",
  script: "sid",
  // A file of the package debian-archive-keyring.
  keys: "/usr/share/keyrings/debian-archive-keyring.gpg",
};

const UBUNTU: Distribution = {
  name: "Ubuntu",
  script: "gutsy",
  // Debian 12 has no package with Ubuntu's keys. This one is from Debian sid's ubuntu-keyring: the archive's key of 2018, with the
  // fingerprint F6EC B376 2474 EDA9 D21B 7022 8719 20D1 991B C93C.
  keys: path.join(__dirname, "ubuntu-archive-key.asc"),
};

export function distributionOf(suite: Suite): Distribution {
  return suite === "noble" ? UBUNTU : DEBIAN;
}

/** Returns the path of a keyring with the distribution's keys, which may be written to the folder: gpgv reads no ASCII armor. */
export function keyringOf({ keys }: Distribution, folder: string): string {
  if (!keys.endsWith(".asc")) return keys;
  const file = path.join(folder, "keyring.gpg");
  // The blocks of an armored key, between empty lines: a header, then the key and its checksum.
  const [, body = ""] = readFileSync(keys, "utf8").split(/\n\n/);
  writeFileSync(file, Buffer.from(body.replace(/\n[=-][^]*$/, ""), "base64"));
  return file;
}
