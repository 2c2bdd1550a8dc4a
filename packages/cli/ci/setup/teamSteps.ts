import { githubSteps } from "./githubSteps";
import { identitySteps, roleStep, type Identity } from "./identitySteps";
import { az, type Step } from "./step";
import {
  CONTAINER,
  containerScope,
  KEY,
  keyScope,
  stateUrl,
  SUBSCRIPTION_SCOPE,
  type TeamNames,
  vaultScope,
} from "./teamNames";

/**
 * Returns everything that a team's workflows need, in the order in which it is made.
 *
 * @param environments Also lets pull requests have environments, which run the request's code as the identity that deploys.
 */
export function teamSteps(names: TeamNames, environments = false): Step[] {
  return [
    ...accountSteps(),
    ...stateSteps(names),
    ...keySteps(names),
    ...identitySteps(names.repository, deployIdentity(names, environments)),
    ...identitySteps(names.repository, previewIdentity(names)),
    ...githubSteps(names.repository, stateUrl(names), environments),
  ];
}

/** Identity that deploys and tears down. Its stacks create resource groups, which takes a role on the subscription. */
function deployIdentity(names: TeamNames, environments: boolean): Identity {
  return {
    name: "deploy",
    subjects: [
      "environment:staging",
      "ref:refs/heads/main",
      ...(environments ? ["environment:pull-requests"] : []),
    ],
    roles: [
      ["Contributor", SUBSCRIPTION_SCOPE],
      ["Storage Blob Data Contributor", containerScope(names)],
      ["Key Vault Crypto User", keyScope(names)],
    ],
  };
}

/** Identity that previews pull requests. It only reads; without the key there is no preview. */
function previewIdentity(names: TeamNames): Identity {
  return {
    name: "preview",
    subjects: ["pull_request"],
    roles: [
      ["Reader", SUBSCRIPTION_SCOPE],
      ["Storage Blob Data Reader", containerScope(names)],
      ["Key Vault Crypto User", keyScope(names)],
    ],
  };
}

function accountSteps(): Step[] {
  return [
    {
      title: "Subscription of the login",
      variable: "SUBSCRIPTION",
      find: az("account show --query id --output tsv"),
      create: [],
    },
    {
      title: "Tenant of the login",
      variable: "TENANT",
      find: az("account show --query tenantId --output tsv"),
      create: [],
    },
    {
      title: "Account of the login",
      variable: "ME",
      find: az("ad signed-in-user show --query id --output tsv"),
      create: [],
    },
  ];
}

function stateSteps({ resourceGroup, storageAccount, location }: TeamNames): Step[] {
  const inGroup = `--resource-group ${resourceGroup}`;
  const account = `--account-name ${storageAccount} ${inGroup}`;
  const names = "--query [].name --output tsv";
  return [
    {
      title: `Resource group ${resourceGroup}`,
      find: az(`group list ${names}`),
      expect: resourceGroup,
      create: [az(`group create --name ${resourceGroup} --location ${location}`)],
    },
    {
      title: `Storage account ${storageAccount}, without keys and public access`,
      find: az(`storage account list ${inGroup} ${names}`),
      expect: storageAccount,
      create: [
        az(
          `storage account create --name ${storageAccount} ${inGroup} --location ${location} --sku Standard_LRS ` +
            "--min-tls-version TLS1_2 --allow-blob-public-access false --allow-shared-key-access false",
        ),
      ],
    },
    {
      title: "Old versions of the state, kept for 30 days",
      find: az(
        `storage account blob-service-properties show ${account} --query isVersioningEnabled --output tsv`,
      ),
      expect: "true",
      create: [
        az(
          `storage account blob-service-properties update ${account} --enable-versioning true ` +
            "--enable-delete-retention true --delete-retention-days 30",
        ),
      ],
    },
    {
      title: `Container ${CONTAINER}`,
      find: az(`storage container-rm list --storage-account ${storageAccount} ${inGroup} ${names}`),
      expect: CONTAINER,
      create: [
        az(
          `storage container-rm create --name ${CONTAINER} --storage-account ${storageAccount} ${inGroup}`,
        ),
      ],
    },
  ];
}

function keySteps(names: TeamNames): Step[] {
  const { resourceGroup, keyVault, location } = names;
  const list = "--query [].name --output tsv";
  return [
    {
      title: `Key vault ${keyVault}`,
      find: az(`keyvault list --resource-group ${resourceGroup} ${list}`),
      expect: keyVault,
      create: [
        az(
          `keyvault create --name ${keyVault} --resource-group ${resourceGroup} --location ${location} ` +
            "--enable-rbac-authorization true --enable-purge-protection true",
        ),
      ],
    },
    roleStep("you", "$ME", "User", ["Key Vault Crypto Officer", vaultScope(names)]),
    roleStep("you", "$ME", "User", ["Storage Blob Data Contributor", containerScope(names)]),
    {
      title: `Key ${KEY}, which encrypts the state's secrets`,
      find: az(`keyvault key list --vault-name ${keyVault} ${list}`),
      expect: KEY,
      create: [
        az(`keyvault key create --vault-name ${keyVault} --name ${KEY} --kty RSA --size 3072`),
      ],
    },
  ];
}
