import { badRequest } from "../../armError";
import { invalid, Put } from "../../resourceType";
import { at, Properties, textAt } from "../../values";
import { sizeOf } from "./vmSize";

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

/** Validates that the size can boot the image, and that the image supports the security type. */
export function validateBoot({ properties }: Put): void {
  const size = sizeOf(properties);
  const sku = textAt(properties, "storageProfile.imageReference.sku");
  const architecture = sku.endsWith("-arm64") ? "Arm64" : "x64";
  const generation = /-(gen2|arm64)$/.test(sku) ? "V2" : "V1";
  if (architecture !== size.architecture) {
    throw badRequest(
      "BadRequest",
      `The VM size '${size.name}' with CPU architecture '${size.architecture}' cannot boot the image with CPU architecture ` +
        `'${architecture}'. Please check that the CPU architecture of the image is compatible with that of the VM size.`,
    );
  }
  if (!size.generations.includes(generation)) {
    throw badRequest(
      "BadRequest",
      `The selected VM size '${size.name}' cannot boot Hypervisor Generation '${generation.slice(1)}'. If this was a Create ` +
        `operation please check that the Hypervisor Generation of the Image matches the Hypervisor Generation of the ` +
        `selected VM Size.`,
    );
  }
  const security = textAt(properties, "securityProfile.securityType").toLowerCase();
  if (security !== "trustedlaunch" || (generation === "V2" && architecture === "x64")) return;
  throw badRequest(
    "BadRequest",
    "Use of TrustedLaunch setting is not supported for the provided image. Please select Trusted Launch Supported Gen2 OS " +
      "Image. For more information, see https://aka.ms/TrustedLaunch-FAQ.",
  );
}

function imageNotFound(publisher: string, offer: string, sku: string, version: string): Error {
  return badRequest(
    "PlatformImageNotFound",
    `The platform image '${publisher}:${offer}:${sku}:${version}' is not available. Verify that all fields in the ` +
      `storage profile are correct.`,
  );
}
