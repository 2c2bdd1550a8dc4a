import { createHash } from "node:crypto";

/**
 * Returns the ids of an order's reservation, payment and shipment in the other services: version 5 UUIDs of these names in the order's
 * namespace. Orders must keep their ids across upgrades of the service, so this duplicates the service's code on purpose.
 */
export function derivedIds(order: string): {
  reservation: string;
  payment: string;
  shipment: string;
} {
  return {
    reservation: derived(order, "reservation"),
    payment: derived(order, "payment"),
    shipment: derived(order, "shipment"),
  };
}

/** Returns the order's id and the ids derived from it. */
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
