import { isIPv4 } from "node:net";
import { ArmError, badRequest, conflict } from "../armError";
import { alwaysRemovable, etag, Put, ResourceType, sameId } from "../resourceType";
import { at, isList, listAt, Properties, textAt, Value } from "../values";

export const ZONE = "azure-native:dns:Zone";
export const RECORD_SET = "azure-native:dns:RecordSet";

/** Limits of Azure DNS. @see https://learn.microsoft.com/azure/dns/dns-faq */
const MAX_RECORDS = 20;
const MAX_TTL = 2_147_483_647;

/** Lower-case, as Azure DNS returns it. */
const ZONE_TYPE = "Microsoft.Network/dnszones";

export const dnsZone: ResourceType = {
  token: ZONE,
  armType: ZONE_TYPE,
  path: ["resourceGroupName", "zoneName"],
  // Its location is "global", which no other resource has.
  located: false,
  immutable: ["zoneType"],
  nameRule: /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i,
  seconds: { create: 4, update: 2, remove: 6 },
  validate: ({ properties }) => {
    const location = textAt(properties, "location");
    if (location.toLowerCase() === "global") return;
    throw badRequest(
      "LocationNotAvailableForResourceType",
      `The provided location '${location}' is not available for resource type '${ZONE_TYPE}'. List of available regions for the ` +
        `resource type is 'global'.`,
    );
  },
  // Azure deletes the records with the zone.
  validateRemoval: alwaysRemovable,
  compute: ({ name }) => ({
    name,
    type: ZONE_TYPE,
    etag: etag(),
    nameServers: ["com", "net", "org", "info"].map((domain) => `ns1-01.azure-dns.${domain}.`),
  }),
  defaults: () => ({ zoneType: "Public" }),
};

/** A set of records of the type A or CNAME. The other types aren't emulated. */
export const dnsRecordSet: ResourceType = {
  token: RECORD_SET,
  armType: `${ZONE_TYPE}/{recordType}`,
  path: ["resourceGroupName", "zoneName", "relativeRecordSetName"],
  located: false,
  replacedOn: ["recordType"],
  immutable: [],
  nameRule: /^(@|\*|(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?)$/i,
  seconds: { create: 2, update: 2, remove: 2 },
  validate: (put) => {
    validateZone(put);
    validateTtl(put.properties);
    validateRecords(put.properties);
    validateOnlyCname(put);
  },
  validateRemoval: alwaysRemovable,
  compute: ({ name, properties }) => ({
    name,
    type: `${ZONE_TYPE}/${textAt(properties, "recordType")}`,
    etag: crypto.randomUUID(),
    fqdn: `${name === "@" ? "" : `${name}.`}${textAt(properties, "zoneName")}.`,
    provisioningState: "Succeeded",
    targetResource: {},
  }),
};

function validateZone({ cloud, id, properties }: Put): void {
  if (cloud.get(zoneIdOf(id))?.token === ZONE) return;
  throw new ArmError(
    404,
    "ParentResourceNotFound",
    `Can not perform requested operation on nested resource. Parent resource '${textAt(properties, "zoneName")}' not found.`,
  );
}

/** Azure says no more than this about a missing TTL. @see https://github.com/Azure/azure-rest-api-specs/issues/13011 */
function validateTtl(properties: Properties): void {
  const ttl = at(properties, "ttl");
  if (ttl === undefined) throw badRequest("BadRequest", "The request was invalid.");
  if (typeof ttl === "number" && Number.isInteger(ttl) && ttl >= 1 && ttl <= MAX_TTL) return;
  throw badRequest(
    "BadRequest",
    `The TTL ${JSON.stringify(ttl)} is invalid: it can be 1 to ${MAX_TTL}.`,
  );
}

function validateRecords(properties: Properties): void {
  const type = textAt(properties, "recordType");
  if (type !== "A" && type !== "CNAME")
    throw new Error(`The Azure emulator doesn't support DNS records of the type ${type}.`);
  if (type === "CNAME" && textAt(properties, "relativeRecordSetName") === "@")
    throw badRequest("BadRequest", "The CNAME record set cannot be created at the zone apex.");
  const addresses = listAt(properties, "aRecords").map((record) => textAt(record, "ipv4Address"));
  const wrong = addresses.find((address) => !isIPv4(address));
  if (wrong !== undefined)
    throw badRequest("BadRequest", `The IPv4 address '${wrong}' is invalid.`);
  if (new Set(addresses).size < addresses.length)
    throw badRequest("BadRequest", "The record set contains the same record more than once.");
  if (addresses.length > MAX_RECORDS)
    throw badRequest("BadRequest", `A record set can have at most ${MAX_RECORDS} records.`);
  const foreign = Object.keys(properties).find(
    (name) => hasRecords(properties[name]) && name !== RECORDS_OF[type],
  );
  if (foreign !== undefined)
    throw badRequest("BadRequest", `The record set of the type ${type} cannot contain ${foreign}.`);
}

const RECORDS_OF = { A: "aRecords", CNAME: "cnameRecord" } as const;

function hasRecords(value: Value | undefined): boolean {
  return isList(value) || textAt(value, "cname") !== "";
}

/** A name with a CNAME record has no other records. @see https://www.rfc-editor.org/rfc/rfc1034#section-3.6.2 */
function validateOnlyCname({ cloud, id, name, properties }: Put): void {
  const isCname = textAt(properties, "recordType") === "CNAME";
  const others = cloud
    .all(RECORD_SET)
    .filter((other) => sameId(zoneIdOf(other.id), zoneIdOf(id)) && sameId(other.name, name))
    .filter((other) => !sameId(other.id, id));
  const isOther = (type: string): boolean =>
    others.some((other) => textAt(other.properties, "recordType") === type);
  if (isCname && others.length > 0)
    throw conflict(
      "Conflict",
      "The CNAME record could not be created because another record with the same name already exists in this zone.",
    );
  if (!isCname && isOther("CNAME"))
    throw conflict(
      "Conflict",
      "The record could not be created because a CNAME record with the same name already exists in this zone.",
    );
}

/** Returns the ID of the zone of a record set. */
function zoneIdOf(id: string): string {
  return id.split("/").slice(0, -2).join("/");
}
