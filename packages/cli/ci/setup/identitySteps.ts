import { az, type Step } from "./step";

/** A role on a scope. */
export type Role = readonly [role: string, scope: string];

/** Identity of a kind of jobs. It has no password: Azure trusts the tokens that GitHub gives to jobs. */
export interface Identity {
  readonly name: string;
  /** Jobs that may be this identity: the end of the subject of their tokens. */
  readonly subjects: readonly string[];
  readonly roles: readonly Role[];
}

/** Variable with the client ID of an identity. */
export function clientIdOf(name: string): string {
  return `${name.toUpperCase()}_CLIENT_ID`;
}

/** Makes an app registration, its service principal, its federated credentials and roles. */
export function identitySteps(repository: string, { name, subjects, roles }: Identity): Step[] {
  const app = `store-${name} (${repository})`;
  const clientId = clientIdOf(name);
  const objectId = `${name.toUpperCase()}_OBJECT_ID`;
  return [
    {
      title: `App registration ${app}`,
      variable: clientId,
      find: az("ad app list --query [].appId --output tsv --filter", `displayName eq '${app}'`),
      create: [az("ad app create --display-name", app)],
    },
    {
      title: `Service principal of ${app}`,
      variable: objectId,
      find: az("ad sp list --query [].id --output tsv --filter", `appId eq '$${clientId}'`),
      create: [az(`ad sp create --id $${clientId}`)],
    },
    ...subjects.map((subject) => credentialStep(`repo:${repository}:${subject}`, clientId)),
    ...roles.map((role) => roleStep(name, `$${objectId}`, "ServicePrincipal", role)),
  ];
}

function credentialStep(subject: string, clientId: string): Step {
  const parameters = {
    name: subject.replace(/[^A-Za-z0-9]+/g, "-").slice(-120),
    issuer: "https://token.actions.githubusercontent.com",
    subject,
    audiences: ["api://AzureADTokenExchange"],
  };
  return {
    title: `Trust in jobs with the subject ${subject}`,
    find: az(`ad app federated-credential list --id $${clientId} --query [].subject --output tsv`),
    expect: subject,
    create: [
      az(
        `ad app federated-credential create --id $${clientId} --parameters`,
        JSON.stringify(parameters),
      ),
    ],
  };
}

/**
 * Gives a role to an account, unless it has that role on that scope.
 *
 * @param who Name of the account for the title.
 * @param objectId Variable with its object ID.
 */
export function roleStep(
  who: string,
  objectId: string,
  type: "User" | "ServicePrincipal",
  [role, scope]: Role,
): Step {
  return {
    title: `Role ${role} on ${scope.split("/").slice(-2).join(" ")} for ${who}`,
    find: az(
      `role assignment list --assignee ${objectId} --scope ${scope} --query [].roleDefinitionName --output tsv`,
    ),
    expect: role,
    create: [
      az(
        `role assignment create --assignee-object-id ${objectId} --assignee-principal-type ${type} --scope ${scope} --role`,
        role,
      ),
    ],
  };
}
