import { createPrivateKey } from "node:crypto";

/** Returns true for a public key as in a .pub file, "ssh-ed25519 AAAA…", whose data has the same type. */
export function isPublicKey(text: string): boolean {
  const [type = "", data = ""] = text.trim().split(/\s+/);
  const { fields, rest } = take(Buffer.from(data, "base64"), Infinity);
  const [name, ...numbers] = fields;
  return name?.toString() === type && numbers.length > 0 && rest.length === 0;
}

/**
 * Returns the problem of a private key that can't be used for a login, or undefined.
 *
 * @param publicKey The public key, as in a .pub file, compared with a private key in OpenSSH's format. Defaults to no comparison.
 */
export function problemOfPrivateKey(text: string, publicKey?: string): string | undefined {
  const body = /^-----BEGIN OPENSSH PRIVATE KEY-----\s([\s\S]*?)-----END/.exec(text.trim())?.[1];
  if (body === undefined) return problemOfPem(text);
  const data = Buffer.from(body, "base64");
  if (!data.subarray(0, MAGIC.length).equals(MAGIC)) return NO_KEY;
  // The fields are: cipher, key derivation, its options; then the number of keys (4 bytes) and the public key.
  const { fields, rest } = take(data.subarray(MAGIC.length), 3);
  const [publicHalf] = take(rest.subarray(4), 1).fields;
  if (publicHalf === undefined) return NO_KEY;
  if (fields[0]?.toString() !== "none") return LOCKED;
  const [, other = ""] = publicKey?.trim().split(/\s+/) ?? [];
  return publicKey === undefined || publicHalf.equals(Buffer.from(other, "base64"))
    ? undefined
    : "doesn't belong to store:sshPublicKey.";
}

const NO_KEY = "isn't a private key in PEM or OpenSSH's format.";
const LOCKED =
  "is protected by a passphrase, and there is no prompt for it. Create a key for this purpose, or remove the passphrase: ssh-keygen -p -f FILE";

function problemOfPem(text: string): string | undefined {
  if (/^-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(text)) return LOCKED;
  try {
    createPrivateKey(text);
    return undefined;
  } catch {
    return NO_KEY;
  }
}

/** @see https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key */
const MAGIC = Buffer.from("openssh-key-v1\0");

/** Reads up to `most` fields in SSH's format, each preceded by its length, and returns them with the rest of the data. */
function take(data: Buffer, most: number): { readonly fields: Buffer[]; readonly rest: Buffer } {
  const fields: Buffer[] = [];
  let rest = data;
  while (fields.length < most && rest.length >= 4) {
    const end = 4 + rest.readUInt32BE(0);
    if (end > rest.length) break;
    fields.push(rest.subarray(4, end));
    rest = rest.subarray(end);
  }
  return { fields, rest };
}
