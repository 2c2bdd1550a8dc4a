import * as containerregistry from "@pulumi/azure-native/containerregistry";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { CommonProviders } from "../../host/host";
import { AzureRegistryTier, RegistryAccess } from "../registry";

export interface AzureRegistryArgs {
  readonly tier: AzureRegistryTier;
  /** The group that it is in, and with which it goes. */
  readonly group: pulumi.Resource & { readonly name: pulumi.Output<string> };
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly providers: CommonProviders;
}

/**
 * An Azure Container Registry for the stack alone, which goes with its images when the stack goes. There is no administrator's
 * account: whoever runs `up` pushes by their own login, hosts pull by a token that can do nothing else.
 *
 * @see https://learn.microsoft.com/azure/container-registry/container-registry-token-based-repository-permissions
 */
export class AzureRegistry extends pulumi.ComponentResource {
  readonly access: RegistryAccess;

  constructor(name: string, args: AzureRegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:AzureRegistry", name, {}, opts);
    const resourceGroupName = args.group.name;
    const namespace = pulumi.getProject();
    const registry = new containerregistry.Registry(
      name,
      {
        resourceGroupName,
        location: args.location,
        tags: args.tags,
        registryName: registryName(name, { parent: this, provider: args.providers.random }),
        sku: { name: args.tier },
        adminUserEnabled: false,
      },
      { parent: this, deletedWith: args.group },
    );

    // What is in it goes with it.
    const inRegistry = { parent: this, deletedWith: registry };
    const of = { resourceGroupName, registryName: registry.name };
    const scope = new containerregistry.ScopeMap(
      `${name}-pull`,
      {
        ...of,
        scopeMapName: PULL,
        description: "Pull the store's images",
        actions: [`repositories/${namespace}/*/content/read`],
      },
      inRegistry,
    );
    const token = new containerregistry.Token(
      `${name}-pull`,
      { ...of, tokenName: PULL, scopeMapId: scope.id, status: "Enabled" },
      // Azure says there that it has a password, once it has.
      { ...inRegistry, ignoreChanges: ["credentials"] },
    );
    const password = new command.local.Command(
      `${name}-pull-password`,
      {
        create: "node components/registry/azure/tokenPassword.mjs",
        environment: { REGISTRY: registry.id, TOKEN: token.name },
        // Made anew, it has none.
        triggers: [token.creationDate],
        logging: "stderr",
      },
      { ...inRegistry, provider: args.providers.commands, additionalSecretOutputs: ["stdout"] },
    );

    this.access = {
      address: registry.loginServer,
      namespace,
      made: registry.creationDate,
      push: { azureRegistry: registry.id },
      pull: { username: token.name, password: pulumi.secret(password.stdout) },
    };
    this.registerOutputs({ address: registry.loginServer });
  }
}

/** Of the token for hosts, and of what it may do. At least five characters. */
const PULL = "host-pull";

/** Nobody else in all of Azure may have it: 5 to 50 letters and digits, the last twelve by chance. */
function registryName(name: string, opts: pulumi.CustomResourceOptions): pulumi.Output<string> {
  const { result } = new random.RandomString(
    `${name}-name`,
    { length: 12, upper: false, special: false },
    opts,
  );
  const ours = `${pulumi.getProject()}${pulumi.getStack()}`.toLowerCase();
  return pulumi.interpolate`${ours.replaceAll(/[^a-z0-9]/g, "").slice(0, 38)}${result}`;
}
