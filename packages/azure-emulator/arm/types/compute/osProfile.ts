import { invalid, Put } from "../../resourceType";
import { at, isObject, listAt, Properties, textAt } from "../../values";

/** User names that Azure rejects. https://learn.microsoft.com/azure/virtual-machines/linux/faq */
const FORBIDDEN_USERS = (
  "1 123 a actuser adm admin admin1 admin2 administrator aspnet backup console david guest john owner root server sql " +
  "support support_388945a0 sys test test1 test2 test3 user user1 user2 user3 user4 user5 video"
).split(" ");

/** Maximum size of the decoded customData in bytes. */
const MAX_CUSTOM_DATA = 65_535;

export function validateUser({ properties }: Put): void {
  const user = textAt(properties, "osProfile.adminUsername");
  if (FORBIDDEN_USERS.includes(user.toLowerCase())) {
    throw invalid("adminUsername", "The Admin Username specified is not allowed.");
  }
  if (!/^[a-z_][\w-]{0,63}$/i.test(user))
    throw invalid("adminUsername", `"${user}" is not a valid user name.`);
  const computer = textAt(properties, "osProfile.computerName");
  if (!/^[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?$/.test(computer)) {
    throw invalid(
      "computerName",
      `Linux host name "${computer}" must be 1 to 64 letters, digits and hyphens.`,
    );
  }
  validateCustomData(at(properties, "osProfile.customData"));
  validateLogin(properties, user);
}

function validateCustomData(data: unknown): void {
  if (data === undefined) return;
  const text = typeof data === "string" ? data : "";
  const decoded = Buffer.from(text, "base64");
  const isBase64 = decoded.toString("base64").replace(/=+$/, "") === text.replace(/\s|=+$/g, "");
  if (isBase64 && decoded.length <= MAX_CUSTOM_DATA) return;
  throw invalid(
    "customData",
    `Custom data in OSProfile must be in Base64 encoding and with a maximum length of 87380 characters` +
      (isBase64 ? ` (it is ${text.length}).` : "."),
  );
}

function validateLogin(properties: Properties, user: string): void {
  const path = "osProfile.linuxConfiguration";
  const keys = listAt(properties, `${path}.ssh.publicKeys`).filter(isObject);
  const passwordLogin = at(properties, `${path}.disablePasswordAuthentication`) !== true;
  if (passwordLogin && textAt(properties, "osProfile.adminPassword") === "") {
    throw invalid("adminPassword", "is required while password authentication isn't disabled.");
  }
  if (!passwordLogin && keys.length === 0) {
    throw invalid(
      "linuxConfiguration.ssh.publicKeys",
      "Authentication using either SSH or by user name and password must be enabled in Linux profile.",
    );
  }
  const place = `/home/${user}/.ssh/authorized_keys`;
  for (const key of keys) {
    if (textAt(key, "path") !== place) {
      throw invalid(
        "linuxConfiguration.ssh.publicKeys.path",
        `Destination path for SSH public keys is currently limited to its default value ${place}.`,
      );
    }
    if (!isPublicKey(textAt(key, "keyData"))) {
      throw invalid(
        "linuxConfiguration.ssh.publicKeys.keyData",
        "The value is not a supported SSH public key. Azure accepts RSA of at least 2048 bits and Ed25519.",
      );
    }
  }
}

/** Returns whether the text is an SSH public key that Azure accepts: RSA of at least 2048 bits, or Ed25519. */
export function isPublicKey(text: string): boolean {
  const [type, data = ""] = text.trim().split(/\s+/);
  const blob = Buffer.from(data, "base64");
  if (blob.length < 8 || blob.subarray(4, 4 + blob.readUInt32BE(0)).toString() !== type)
    return false;
  if (type === "ssh-ed25519") return blob.length === 51;
  return type === "ssh-rsa" && blob.length >= 256 + 20;
}
