import { createPrivateKey } from "node:crypto";

/** Whether it is a public key as in a .pub file: "ssh-ed25519 AAAA…", and its data says the same of itself. */
export function isPublicKey(text: string): boolean {
  const [type = "", data = ""] = text.trim().split(/\s+/);
  const { fields, rest } = take(Buffer.from(data, "base64"), Infinity);
  const [name, ...numbers] = fields;
  return name?.toString() === type && numbers.length > 0 && rest.length === 0;
}

/**
 * What is wrong with a private key with which somebody is to log in; undefined where nothing is.
 *
 * @param publicKey Its other half, as in a .pub file; compared where the private key is in OpenSSH's format. @default not compared
 */
export function problemOfPrivateKey(text: string, publicKey?: string): string | undefined {
  const body = /^-----BEGIN OPENSSH PRIVATE KEY-----\s([\s\S]*?)-----END/.exec(text.trim())?.[1];
  if (body === undefined) return problemOfPem(text);
  const data = Buffer.from(body, "base64");
  if (!data.subarray(0, MAGIC.length).equals(MAGIC)) return NO_KEY;
  // Cipher, key derivation and its options, the number of keys, the public key.
  const { fields, rest } = take(data.subarray(MAGIC.length), 3);
  const [publicHalf] = take(rest.subarray(4), 1).fields;
  if (publicHalf === undefined) return NO_KEY;
  if (fields[0]?.toString() !== "none") return LOCKED;
  const [, other = ""] = publicKey?.trim().split(/\s+/) ?? [];
  return publicKey === undefined || publicHalf.equals(Buffer.from(other, "base64"))
    ? undefined
    : "isn't the other half of store:sshPublicKey.";
}

const NO_KEY = "isn't a private key in PEM or OpenSSH's format.";
const LOCKED =
  "is protected by a passphrase, and nobody can be asked for it. Make a key for this alone, or take it off: ssh-keygen -p -f FILE";

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

/** The first fields of what SSH writes, each with its length before it, as many as there are; and what comes after them. */
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
