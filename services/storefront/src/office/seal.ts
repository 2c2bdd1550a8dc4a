import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

/**
 * The secret of a session, which only the browser's cookie holds. The ID under which the session is stored and the key of its content
 * follow from it, but not it from them.
 */
export class SessionSecret {
  /** Text for the cookie. */
  readonly text: string;
  readonly #secret: Buffer;

  private constructor(secret: Buffer) {
    this.#secret = secret;
    this.text = secret.toString("base64url");
  }

  static create(): SessionSecret {
    return new SessionSecret(randomBytes(BYTES));
  }

  /** Returns undefined if the text is no session's secret, such as a cookie of an earlier release. */
  static parse(text: string): SessionSecret | undefined {
    const secret = Buffer.from(text, "base64url");
    const isSecret = secret.length === BYTES && secret.toString("base64url") === text;
    return isSecret ? new SessionSecret(secret) : undefined;
  }

  /** The ID of the session: a UUID. */
  get id(): string {
    const hex = this.#derive("session id", 16).toString("hex");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }

  seal(content: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key(), nonce);
    const encrypted = Buffer.concat([cipher.update(content, "utf8"), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), encrypted]).toString("base64url");
  }

  /** @throws Error if the content wasn't sealed with this secret. */
  open(sealed: string): string {
    const bytes = Buffer.from(sealed, "base64url");
    const decipher = createDecipheriv(CIPHER, this.#key(), bytes.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const content = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
    return Buffer.concat([content, decipher.final()]).toString("utf8");
  }

  #key(): Buffer {
    return this.#derive("session key", 32);
  }

  #derive(purpose: string, bytes: number): Buffer {
    return Buffer.from(hkdfSync("sha256", this.#secret, "", purpose, bytes));
  }
}

const BYTES = 32;
const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
