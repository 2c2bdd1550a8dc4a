import type { Account, Right } from "./accounts";

/** Generated configuration of the registry's TLS proxy, by file name; see image/haproxy.cfg. */
export interface TlsProxyFiles {
  readonly "accounts.cfg": string;
  readonly "permissions.txt": string;
}

/** Returns the files that make the registry's TLS proxy accept these accounts with their rights. */
export function tlsProxyFiles(accounts: readonly Account[]): TlsProxyFiles {
  const users = accounts.map(
    ({ username, password }) => `  user ${username} insecure-password ${password}\n`,
  );
  const permissions = accounts.flatMap(({ username, rights }) =>
    rights.map((right) => `${permissionPattern(username, right)}\n`),
  );
  return {
    "accounts.cfg": `userlist accounts\n${users.join("")}`,
    "permissions.txt": permissions.join(""),
  };
}

/** Returns a regular expression for the string "USER read|write PATH" that the proxy makes of a request. */
function permissionPattern(username: string, { repositories, action }: Right): string {
  const names = repositories.endsWith("*")
    ? `${escapeDots(repositories.slice(0, -1))}.+`
    : escapeDots(repositories);
  return `^${escapeDots(username)} ${action} /v2/${names}/(manifests|blobs|tags)/`;
}

function escapeDots(text: string): string {
  return text.replaceAll(".", "\\.");
}
