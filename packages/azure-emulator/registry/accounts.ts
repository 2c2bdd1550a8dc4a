import { randomBytes } from "node:crypto";
import { Resource, View } from "../arm/resourceType";
import { REGISTRY, SCOPE_MAP, TOKEN } from "../arm/types/containerregistry";
import { listAt, textAt } from "../arm/values";

/** Who may log in to the registry, and what they may do there. */
export interface Account {
  readonly username: string;
  readonly password: string;
  readonly rights: readonly Right[];
}

export interface Right {
  /** A repository's name, or with an asterisk at its end all that begin so. */
  readonly repositories: string;
  readonly action: "read" | "write";
}

export const ALL_RIGHTS: readonly Right[] = [
  { repositories: "*", action: "read" },
  { repositories: "*", action: "write" },
];

/** By whom Azure's registries know that the password is a token of somebody's own login. */
const TOKEN_USER = "00000000-0000-0000-0000-000000000000";

/** The accounts of Azure's registries: tokens with their generated passwords, and logins that are exchanged. */
export class AzureAccounts {
  /** By the id of the token, or of the registry for which somebody was given a login. */
  private readonly secrets = new Map<string, string>();

  /** A password for a token; the one before it is none any more. */
  generate(token: Resource): string {
    return this.remember(token, randomBytes(26).toString("base64url"));
  }

  /** What `az acr login --expose-token` gives: the same for all who ask, as all of them are the one who is logged in. */
  expose(registry: Resource): string {
    return (
      this.secrets.get(registry.id) ?? this.remember(registry, randomBytes(64).toString("hex"))
    );
  }

  of(cloud: View): Account[] {
    const logins = cloud
      .all(REGISTRY)
      .map((registry) => ({ resource: registry, username: TOKEN_USER, rights: ALL_RIGHTS }));
    const tokens = cloud
      .all(TOKEN)
      .filter(({ properties }) => textAt(properties, "status") !== "disabled")
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
