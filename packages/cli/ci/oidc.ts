/**
 * Lists what a job lacks, one line each.
 *
 * @param azure The stack runs on Azure.
 * @param env Environment of the job.
 */
export function missingVariables(azure: boolean, env: NodeJS.ProcessEnv): string[] {
  const needsAzure = azure || /^azblob:/.test(env["PULUMI_BACKEND_URL"] ?? "");
  const missing = [
    ...(env["PULUMI_BACKEND_URL"]
      ? []
      : [
          "PULUMI_BACKEND_URL isn't set; the workflows take it from the repository variable STORE_STATE",
        ]),
  ];
  if (!needsAzure) return missing;
  for (const name of ["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID"]) {
    if (!env[name]) missing.push(`${name} isn't set; ${sourceOf(name)}`);
  }
  if (!env["ACTIONS_ID_TOKEN_REQUEST_URL"]) {
    missing.push(
      "ACTIONS_ID_TOKEN_REQUEST_URL isn't set, so the job can't log in to Azure; GitHub sets it for `permissions: id-token: write`, " +
        "which a pull request from a fork never gets",
    );
  }
  return missing;
}

function sourceOf(name: string): string {
  const variable = `the workflows take it from the repository variable ${name}`;
  return name === "AZURE_CLIENT_ID" ? `${variable}, or AZURE_PREVIEW_CLIENT_ID` : variable;
}
