import { randomBytes } from "node:crypto";

/** Returns a key pair in the format of ssh-keygen. Only the public half of the private key is valid. */
export function keyPair(cipher = "none"): { readonly public: string; readonly private: string } {
  const publicHalf = Buffer.concat([field("ssh-ed25519"), field(randomBytes(32))]);
  const one = Buffer.alloc(4);
  one.writeUInt32BE(1);
  const data = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    ...[field(cipher), field("none"), field(""), one, field(publicHalf), field(randomBytes(64))],
  ]);
  return {
    public: `ssh-ed25519 ${publicHalf.toString("base64")} somebody@somewhere`,
    private: `-----BEGIN OPENSSH PRIVATE KEY-----\n${data.toString("base64")}\n-----END OPENSSH PRIVATE KEY-----\n`,
  };
}

function field(content: string | Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, Buffer.from(content)]);
}
