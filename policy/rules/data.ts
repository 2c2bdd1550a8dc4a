import { definePolicy } from "../policy";
import { DISK, isPartOf, LABEL, labelOf, PlannedResource, textAt } from "../resource";

export const dataProtected = definePolicy({
  name: "data-protected",
  description:
    "Everything with data is protected against deletion: volumes, disks, and the passwords of databases.",
  settings: {},
  check: (resource) =>
    holdsData(resource) && !resource.isProtected
      ? [
          "holds data, and any change of the program could delete it. Set the resource option `protect: true`; `./store down --volumes` " +
            "still deletes the data.",
        ]
      : [],
});

function holdsData(resource: PlannedResource): boolean {
  switch (resource.type) {
    case DISK:
      return true;
    case "docker:index/volume:Volume":
      return !isReplaceable(resource) && !isOnDisk(resource);
    case "random:index/randomPassword:RandomPassword":
      return isPartOf(resource, "store:index:DatabaseData");
    default:
      return false;
  }
}

/**
 * Roles of volumes whose content can be made again: files that each `up` writes (components/container/files.ts), and certificates that can
 * be ordered (components/certificates).
 */
const REPLACEABLE = ["files", "certificates"];

function isReplaceable(resource: PlannedResource): boolean {
  return REPLACEABLE.includes(labelOf(resource, LABEL.role) ?? "");
}

/** A folder of a disk that is a resource of its own, and is protected: components/host/azure/azureHost.ts. */
function isOnDisk({ inputs }: PlannedResource): boolean {
  return (
    textAt(inputs, "driverOpts.o") === "bind" &&
    (textAt(inputs, "driverOpts.device") ?? "").startsWith("/data/")
  );
}
