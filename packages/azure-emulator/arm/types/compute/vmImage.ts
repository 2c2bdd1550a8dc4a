import type { Suite } from "@store/toolchain/images/releases";
import { badRequest } from "../../armError";
import { invalid, Put } from "../../resourceType";
import { at, Properties, textAt, Value } from "../../values";
import { sizeOf } from "./vmSize";

/** Returns the release of a VM's image. Undefined for an image that the emulator can't boot. */
export function suiteOf(properties: Properties): Suite | undefined {
  const image = at(properties, "storageProfile.imageReference");
  return suiteOfImage(`${textAt(image, "publisher")}:${textAt(image, "offer")}`);
}

/** Returns the release of an image "publisher:offer:sku:version". Undefined for an image that the emulator can't boot. */
export function suiteOfImage(vmImage: string): Suite | undefined {
  return SUITES[vmImage.toLowerCase().split(":", 2).join(":")];
}

const SUITES: Readonly<Record<string, Suite | undefined>> = {
  "debian:debian-12": "bookworm",
  "debian:debian-13": "trixie",
  "canonical:ubuntu-24_04-lts": "noble",
};

export function validateImage({ properties }: Put): void {
  const path = "storageProfile.imageReference";
  const [publisher, offer, sku, version] = ["publisher", "offer", "sku", "version"].map((part) =>
    textAt(properties, `${path}.${part}`),
  ) as [string, string, string, string];
  for (const part of ["publisher", "offer", "sku", "version"]) {
    if (textAt(properties, `${path}.${part}`) === "")
      throw invalid(`imageReference.${part}`, "is required.");
  }
  const known = IMAGES.find((one) => one.publisher === publisher.toLowerCase());
  if (known === undefined) {
    throw new Error(
      `The Azure emulator doesn't know images of ${publisher}; it knows those of Debian and Canonical.`,
    );
  }
  const skus = known.skus(offer.toLowerCase());
  if (!skus.includes(sku) || (version !== "latest" && !known.version.test(version)))
    throw imageNotFound(publisher, offer, sku, version);
}

interface Images {
  readonly publisher: string;
  /** Returns the SKUs of an offer; none for an unknown offer. */
  readonly skus: (offer: string) => readonly string[];
  readonly version: RegExp;
}

const IMAGES: readonly Images[] = [
  {
    publisher: "debian",
    skus: (offer) => {
      const [, major] = /^debian-(12|13)$/.exec(offer) ?? [];
      return major === undefined ? [] : [major, `${major}-gen2`, `${major}-arm64`];
    },
    version: /^0\.20\d{6}\.\d+$/,
  },
  {
    publisher: "canonical",
    skus: (offer) =>
      offer === "ubuntu-24_04-lts"
        ? ["server", "server-gen1", "server-arm64", "minimal", "minimal-gen1", "minimal-arm64"]
        : [],
    version: /^24\.04\.20\d{6}$/,
  },
];

/** Returns the generation of the hypervisor for which an image is made. */
function generationOf(image: Value | undefined): "V1" | "V2" {
  const sku = textAt(image, "sku");
  if (textAt(image, "publisher").toLowerCase() === "canonical")
    return sku.endsWith("-gen1") ? "V1" : "V2";
  return /-(gen2|arm64)$/.test(sku) ? "V2" : "V1";
}

/** Validates that the size can boot the image, and that the image supports the security type. */
export function validateBoot({ properties }: Put): void {
  const size = sizeOf(properties);
  const image = at(properties, "storageProfile.imageReference");
  const architecture = textAt(image, "sku").endsWith("-arm64") ? "Arm64" : "x64";
  const generation = generationOf(image);
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
  // Microsoft's list has Debian 11 and 12: https://learn.microsoft.com/azure/virtual-machines/trusted-launch.
  const isListed = suiteOf(properties) !== "trixie";
  if (security !== "trustedlaunch" || (generation === "V2" && architecture === "x64" && isListed))
    return;
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
