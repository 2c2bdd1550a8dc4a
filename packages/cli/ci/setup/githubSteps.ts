import { clientIdOf } from "./identitySteps";
import { gh, type Step } from "./step";

/** Makes the environments and variables that the workflows name. None of the variables is a secret. */
export function githubSteps(repository: string, stateUrl: string, environments: boolean): Step[] {
  const variable = (name: string, value: string): Step => ({
    title: `Repository variable ${name}`,
    find: gh(
      `variable list --repo ${repository} --json name,value --jq`,
      '.[] | .name + "=" + .value',
    ),
    expect: `${name}=${value}`,
    create: [gh(`variable set ${name} --repo ${repository} --body`, value)],
  });
  return [
    environment(repository, "staging"),
    stagingFromMainOnly(repository),
    variable("AZURE_SUBSCRIPTION_ID", "$SUBSCRIPTION"),
    variable("AZURE_TENANT_ID", "$TENANT"),
    variable("AZURE_CLIENT_ID", `$${clientIdOf("deploy")}`),
    variable("AZURE_PREVIEW_CLIENT_ID", `$${clientIdOf("preview")}`),
    variable("STORE_STATE", stateUrl),
    ...(environments
      ? [environment(repository, "pull-requests"), variable("STORE_ENVIRONMENTS", "true")]
      : []),
  ];
}

function environment(repository: string, name: string): Step {
  const policy =
    name === "staging"
      ? [
          "--field=deployment_branch_policy[protected_branches]=false",
          "--field=deployment_branch_policy[custom_branch_policies]=true",
        ]
      : [];
  return {
    title: `GitHub environment ${name}`,
    find: gh(`api repos/${repository}/environments --jq .environments[].name`),
    expect: name,
    create: [gh(`api --method PUT repos/${repository}/environments/${name}`, ...policy)],
  };
}

/** Anybody who can push a branch can write a workflow on it. Only main's may be the identity that deploys. */
function stagingFromMainOnly(repository: string): Step {
  const path = `repos/${repository}/environments/staging/deployment-branch-policies`;
  return {
    title: "Environment staging for the branch main only",
    find: gh(`api ${path} --jq .branch_policies[].name`),
    expect: "main",
    create: [gh(`api --method POST ${path} --raw-field=name=main`)],
  };
}
