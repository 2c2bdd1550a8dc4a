import { badRequest, conflict } from "../../armError";
import { Put } from "../../resourceType";
import { at, same, textAt } from "../../values";

/** Properties that Azure changes only while the VM is deallocated. */
const NEEDS_DEALLOCATION = [
  "securityProfile.securityType",
  "securityProfile.uefiSettings",
  "securityProfile.encryptionAtHost",
];

/** Validates changes of Trusted Launch and of the encryption at host. */
export function validateSecurity({ properties, before, cloud }: Put): void {
  if (at(properties, "securityProfile.encryptionAtHost") === true && !cloud.limits.encryptsAtHost) {
    throw badRequest(
      "InvalidParameter",
      "The property 'securityProfile.encryptionAtHost' is not valid because the 'Microsoft.Compute/EncryptionAtHost' feature " +
        "is not enabled for this subscription.",
    );
  }
  if (before === undefined || before.powerState === "deallocated") return;
  const changed = NEEDS_DEALLOCATION.find(
    (path) => !same(at(before.properties, path), at(properties, path)),
  );
  if (changed === undefined) return;
  throw conflict(
    "OperationNotAllowed",
    `The property '${changed}' of the VM '${textAt(before.computed, "name")}' can be changed only when the VM is in deallocated state.`,
  );
}
