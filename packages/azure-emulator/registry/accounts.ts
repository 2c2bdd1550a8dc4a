import { randomBytes } from "node:crypto";
import type { Resource, View } from "../arm/resourceType";
import { REGISTRY, SCOPE_MAP, TOKEN } from "../arm/types/containerregistry";
import { listAt, textAt } from "../arm/values";

/** An account of the registry with its permissions. */
export interface Account {
  readonly username: string;
  readonly password: string;
  readonly rights: readonly Right[];
}

/** Permission for one action on some repositories. */
export interface Right {
  /** Name of a repository. An asterisk at the end makes it a prefix. */
  readonly repositories: string;
  readonly action: "read" | "write";
}

export const ALL_RIGHTS: readonly Right[] = [
  { repositories: "*", action: "read" },
  { repositories: "*", action: "write" },
];

/** Fixed user name that tells Azure registries that the password is an access token. */
const TOKEN_USER = "00000000-0000-0000-0000-000000000000";

/** Accounts of the emulated Azure registries: tokens with generated passwords, and access tokens of the logged-in user. */
export class AzureAccounts {
  /** Passwords, by the resource ID of the token or of the registry. */
  private readonly secrets = new Map<string, string>();

  /** Generates a password for a token, which replaces the token's previous password. */
  generate(token: Resource): string {
    return this.remember(token, randomBytes(26).toString("base64url"));
  }

  /** Returns the access token of `az acr login --expose-token`. It is always the same, because there is one logged-in user. */
  expose(registry: Resource): string {
    return (
      this.secrets.get(registry.id) ?? this.remember(registry, randomBytes(64).toString("hex"))
    );
  }

  /** Returns the accounts of all registries in the cloud. Disabled tokens and tokens without a password are left out. */
  of(cloud: View): Account[] {
    const logins = cloud
      .all(REGISTRY)
      .map((registry) => ({ resource: registry, username: TOKEN_USER, rights: ALL_RIGHTS }));
    const tokens = cloud
      .all(TOKEN)
      .filter(({ properties }) => textAt(properties, "status").toLowerCase() !== "disabled")
      // An update of the token without its passwords removes them: https://github.com/Azure/acr/issues/667.
      .filter(({ properties }) => listAt(properties, "credentials.passwords").length > 0)
      .map((token) => ({ resource: token, username: token.name, rights: rightsOf(token, cloud) }));
    return [...logins, ...tokens].flatMap(({ resource, username, rights }) => {
      const password = this.secrets.get(resource.id);
      return password === undefined ? [] : [{ username, password, rights }];
    });
  }

  private remember(resource: Resource, secret: string): string {
    this.secrets.set(resource.id, secret);
    return secret;
  }
}

function rightsOf(token: Resource, cloud: View): Right[] {
  const map = cloud.get(textAt(token.properties, "scopeMapId"));
  if (map?.token !== SCOPE_MAP) return [];
  return listAt(map.properties, "actions").flatMap((text) => {
    const [, repositories, action] =
      /^repositories\/(.+)\/content\/(read|write)$/.exec(typeof text === "string" ? text : "") ??
      [];
    return repositories !== undefined && (action === "read" || action === "write")
      ? [{ repositories, action }]
      : [];
  });
}
