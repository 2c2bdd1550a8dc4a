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
      : ["PULUMI_BACKEND_URL: the repository variable STORE_STATE isn't set"]),
  ];
  if (!needsAzure) return missing;
  for (const name of ["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID"]) {
    if (!env[name]) missing.push(`${name}: the repository variable isn't set`);
  }
  if (!env["ACTIONS_ID_TOKEN_REQUEST_URL"]) {
    missing.push(
      "the job can't log in to Azure without a secret: it lacks `permissions: id-token: write`",
    );
  }
  return missing;
}
