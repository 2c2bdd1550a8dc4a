import * as containerregistry from "@pulumi/azure-native/containerregistry";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { CommonProviders } from "../../host/host";
import { AzureRegistryTier, Login, RegistryAccess } from "../registry";

export interface AzureRegistryArgs {
  readonly tier: AzureRegistryTier;
  readonly resourceGroupName: pulumi.Input<string>;
  /** The stack's own resource group, together with which Azure deletes the registry. Defaults to none. */
  readonly deletedWith?: pulumi.Resource;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly providers: CommonProviders;
}

/**
 * An Azure Container Registry for one stack, deleted with its images when the stack is destroyed. It has no admin user: the user who
 * runs `up` pushes by their own Azure login, and hosts pull by a token with no other permission.
 *
 * @see https://learn.microsoft.com/azure/container-registry/container-registry-token-based-repository-permissions
 */
export class AzureRegistry extends pulumi.ComponentResource {
  readonly access: RegistryAccess;

  constructor(name: string, args: AzureRegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:AzureRegistry", name, {}, opts);
    const registry = this.registry(name, args);
    this.access = {
      address: registry.loginServer,
      namespace: pulumi.getProject(),
      generation: registry.creationDate,
      push: { azureRegistry: registry.id },
      pull: this.pullLogin(name, args, registry),
    };
    this.registerOutputs({ address: registry.loginServer });
  }

  private registry(name: string, args: AzureRegistryArgs): containerregistry.Registry {
    return new containerregistry.Registry(
      name,
      {
        resourceGroupName: args.resourceGroupName,
        location: args.location,
        tags: args.tags,
        registryName: registryName(name, { parent: this, provider: args.providers.random }),
        sku: { name: args.tier },
        adminUserEnabled: false,
      },
      { parent: this, deletedWith: args.deletedWith },
    );
  }

  /** Creates a token that may only pull the stack's images, and its password. */
  private pullLogin(
    name: string,
    { resourceGroupName, providers }: AzureRegistryArgs,
    registry: containerregistry.Registry,
  ): Login {
    // Azure deletes these together with the registry.
    const inRegistry = { parent: this, deletedWith: registry };
    const common = { resourceGroupName, registryName: registry.name };
    const scope = new containerregistry.ScopeMap(
      `${name}-pull`,
      {
        ...common,
        scopeMapName: PULL,
        description: "Pull the store's images",
        actions: [`repositories/${pulumi.getProject()}/*/content/read`],
      },
      inRegistry,
    );
    const token = new containerregistry.Token(
      `${name}-pull`,
      { ...common, tokenName: PULL, scopeMapId: scope.id, status: "enabled" },
      // Azure reports the token's password here after it has been generated.
      { ...inRegistry, ignoreChanges: ["credentials"] },
    );
    const password = new command.local.Command(
      `${name}-pull-password`,
      {
        create: "node components/registry/azure/tokenPassword.mjs",
        environment: { REGISTRY: registry.id, TOKEN: token.name },
        // A recreated token has no password, and an updated one loses it: https://github.com/Azure/acr/issues/667. These outputs
        // change with every update that the program can cause.
        triggers: [token.creationDate, token.azureApiVersion, token.scopeMapId, token.status],
        logging: "stderr",
      },
      { ...inRegistry, provider: providers.commands, additionalSecretOutputs: ["stdout"] },
    );
    return { username: token.name, password: pulumi.secret(password.stdout) };
  }
}

/** Name of the hosts' token and of its scope map. Azure requires at least five characters. */
const PULL = "host-pull";

/** Returns a name that is unique in all of Azure: 5 to 50 letters and digits, the last twelve of them random. */
function registryName(name: string, opts: pulumi.CustomResourceOptions): pulumi.Output<string> {
  const { result } = new random.RandomString(
    `${name}-name`,
    { length: 12, upper: false, special: false },
    opts,
  );
  const ours = `${pulumi.getProject()}${pulumi.getStack()}`.toLowerCase();
  return pulumi.interpolate`${ours.replaceAll(/[^a-z0-9]/g, "").slice(0, 38)}${result}`;
}
