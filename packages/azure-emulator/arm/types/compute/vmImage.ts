import { badRequest } from "../../armError";
import { invalid, Put } from "../../resourceType";
import { at, Properties, textAt } from "../../values";

/** Returns the Debian release of a VM's image. Undefined for other images, which the emulator can't boot. */
export function suiteOf(properties: Properties): "bookworm" | "trixie" | undefined {
  const image = at(properties, "storageProfile.imageReference");
  if (textAt(image, "publisher").toLowerCase() !== "debian") return undefined;
  const offer = textAt(image, "offer").toLowerCase();
  return offer === "debian-12" ? "bookworm" : offer === "debian-13" ? "trixie" : undefined;
}

export function validateImage({ properties }: Put): void {
  const path = "storageProfile.imageReference";
  const [publisher, offer, sku, version] = ["publisher", "offer", "sku", "version"].map((part) =>
    textAt(properties, `${path}.${part}`),
  ) as [string, string, string, string];
  for (const part of ["publisher", "offer", "sku", "version"]) {
    if (textAt(properties, `${path}.${part}`) === "")
      throw invalid(`imageReference.${part}`, "is required.");
  }
  const suite = suiteOf(properties);
  if (suite === undefined) {
    if (publisher.toLowerCase() !== "debian") {
      throw new Error(
        `The Azure emulator can't boot ${publisher}:${offer}; it supports Debian:debian-12 and Debian:debian-13.`,
      );
    }
    throw imageNotFound(publisher, offer, sku, version);
  }
  const major = offer.slice("debian-".length);
  if (![major, `${major}-gen2`, `${major}-arm64`].includes(sku))
    throw imageNotFound(publisher, offer, sku, version);
  if (version !== "latest" && !/^0\.20\d{6}\.\d+$/.test(version))
    throw imageNotFound(publisher, offer, sku, version);
}

function imageNotFound(publisher: string, offer: string, sku: string, version: string): Error {
  return badRequest(
    "PlatformImageNotFound",
    `The platform image '${publisher}:${offer}:${sku}:${version}' is not available. Verify that all fields in the ` +
      `storage profile are correct.`,
  );
}
