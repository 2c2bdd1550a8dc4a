import { createHash } from "node:crypto";

/**
 * The ids under which other services know what belongs to an order. They are UUIDs (version 5) of these names in the order's
 * own namespace. Orders made before an upgrade go on with the ids that they have, so this must not change with the service:
 * it is worked out here anew on purpose.
 */
export function derivedIds(order: string): { reservation: string; payment: string; shipment: string } {
  return {
    reservation: derived(order, "reservation"),
    payment: derived(order, "payment"),
    shipment: derived(order, "shipment"),
  };
}

/** The order's id and those made from it. */
export function allDerivedIds(order: string): string[] {
  return [order, ...Object.values(derivedIds(order))];
}

function derived(namespace: string, name: string): string {
  const bytes = createHash("sha1")
    .update(Buffer.from(namespace.replaceAll("-", ""), "hex"))
    .update(name)
    .digest()
    .subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) % 16) + 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) % 64) + 0x80, 8);
  const hex = bytes.toString("hex");
  return [0, 8, 12, 16, 20].map((at, n, all) => hex.slice(at, all[n + 1])).join("-");
}
