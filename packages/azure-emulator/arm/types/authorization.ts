import { ArmError, badRequest, conflict } from "../armError";
import { alwaysRemovable, isWithin, Resource, ResourceType, SCOPE, View } from "../resourceType";
import { textAt } from "../values";

const LOCK = "azure-native:authorization:ManagementLockByScope";

/** Maximum number of characters of a lock's notes. */
const MAX_NOTES = 512;

/** @see https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources */
export const managementLock: ResourceType = {
  token: LOCK,
  armType: "Microsoft.Authorization/locks",
  path: [SCOPE, "lockName"],
  located: false,
  immutable: [],
  nameRule: /^[\w().-]{1,260}$/,
  seconds: { create: 2, update: 2, remove: 2 },
  validate: ({ properties, cloud }) => {
    const scope = textAt(properties, SCOPE);
    if (cloud.get(scope) === undefined)
      throw new ArmError(404, "ResourceNotFound", `The Resource '${scope}' was not found.`);
    if (textAt(properties, "level").toLowerCase() === "notspecified")
      throw badRequest("InvalidLockLevel", "The lock level 'NotSpecified' is not valid.");
    if (textAt(properties, "notes").length > MAX_NOTES)
      throw badRequest(
        "InvalidLockNotes",
        `The notes of a lock have at most ${MAX_NOTES} characters.`,
      );
  },
  validateRemoval: alwaysRemovable,
  compute: ({ name }) => ({ name, type: "Microsoft.Authorization/locks" }),
};

/** Rejects a change of a resource with a lock of the level ReadOnly, which a lock on its group gives it as well. @throws ArmError */
export function validateWritable(type: ResourceType, id: string, cloud: View): void {
  if (type.token === LOCK) return;
  const lock = locksOf(cloud).find(
    ({ scope, level }) => level === "readonly" && isWithin(id, scope),
  );
  if (lock !== undefined) throw scopeLocked("write", id, lock.scope);
}

/** Rejects the deletion of a resource that is locked, or that contains a locked one. @throws ArmError */
export function validateUnlocked({ id, token }: Resource, cloud: View): void {
  if (token === LOCK) return;
  const lock = locksOf(cloud).find(({ scope }) => isWithin(id, scope) || isWithin(scope, id));
  if (lock !== undefined) throw scopeLocked("delete", id, lock.scope);
}

/** Returns the locks on a resource and on those in it. */
export function locksIn(id: string, cloud: View): readonly Resource[] {
  return cloud.all(LOCK).filter(({ properties }) => isWithin(textAt(properties, SCOPE), id));
}

/** Returns the error for an operation on a locked resource. */
export function scopeLocked(operation: "write" | "delete", id: string, scope: string): ArmError {
  return conflict(
    "ScopeLocked",
    `The scope '${id}' cannot perform ${operation} operation because following scope(s) are locked: '${scope}'. ` +
      `Please remove the lock and try again.`,
  );
}

function locksOf(cloud: View): { readonly scope: string; readonly level: string }[] {
  return cloud.all(LOCK).map(({ properties }) => ({
    scope: textAt(properties, SCOPE),
    level: textAt(properties, "level").toLowerCase(),
  }));
}
