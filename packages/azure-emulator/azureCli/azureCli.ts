/**
 * SUBSTITUTE for the command `az` in a rehearsal. It knows only the subcommands that this repository runs, with the options and the
 * output that it uses, and refuses everything else. What it prints without a login, for an unknown subscription and for an invalid ID is
 * what az 2.91.0 prints; the other messages follow Azure's documents.
 */
import { createServer } from "node:http";
import { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Cloud } from "../arm/cloud";
import { Resource } from "../arm/resourceType";
import { REGISTRY, TOKEN } from "../arm/types/containerregistry";
import { AzureAccounts } from "../registry/accounts";
import { inWordsOfAz, Option, requireQuery, VM_COMMANDS } from "./vmCommands";

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The subcommands of `az` that the program and `./store` use: the login, credentials of a registry, and the power of a VM. */
export class AzureCli {
  constructor(
    private readonly cloud: Cloud,
    private readonly accounts: AzureAccounts,
    private readonly faults: () => readonly string[],
  ) {}

  async run(args: readonly string[]): Promise<Answer> {
    const command = args.slice(
      0,
      args.findIndex((arg) => arg.startsWith("--")),
    );
    const option = (name: string): string => args[args.indexOf(`--${name}`) + 1] ?? "";
    try {
      if (this.faults().includes("login"))
        throw new Error("Please run 'az login' to setup account.");
      const stdout = await this.answer(command.join(" "), args, option);
      return { code: 0, stdout, stderr: "" };
    } catch (error) {
      return { code: 1, stdout: "", stderr: `ERROR: ${inWordsOfAz(error)}\n` };
    }
  }

  private async answer(command: string, args: readonly string[], option: Option): Promise<string> {
    const ofVm = Object.hasOwn(VM_COMMANDS, command) ? VM_COMMANDS[command] : undefined;
    if (ofVm !== undefined) return ofVm(this.cloud, option, this.faults());
    if (command === "account show" && option("output") === "json") return account(this.cloud);
    return `${await this.secret(command, args, option)}\n`;
  }

  private async secret(command: string, args: readonly string[], option: Option): Promise<string> {
    if (command === "acr login" && args.includes("--expose-token")) {
      const registry = this.registry(option("name"), option("subscription"));
      requireQuery(option, "accessToken");
      const secret = this.accounts.expose(registry);
      await this.cloud.reconnect();
      return secret;
    }
    if (command === "acr token credential generate" && args.includes("--password1")) {
      const registry = this.registry(option("registry"), option("subscription"));
      const id = `${registry.id}/tokens/${option("name")}`;
      requireQuery(option, "passwords[0].value");
      const token = this.cloud.get(id);
      if (token?.token !== TOKEN)
        throw new Error(`(ResourceNotFound) The Resource '${id}' was not found.`);
      const secret = this.accounts.generate(token);
      await this.cloud.passwordGenerated(token, "password1");
      return secret;
    }
    throw new Error(`The emulated az has no '${command}' with these options.`);
  }

  private registry(name: string, subscription: string): Resource {
    const found = this.cloud
      .all(REGISTRY)
      .find((one) => one.name.toLowerCase() === name.toLowerCase());
    if (found?.id.startsWith(`/subscriptions/${subscription}/`)) return found;
    throw new Error(
      `The resource with name '${name}' and type 'Microsoft.ContainerRegistry/registries' could not be found in subscription '${subscription}'.`,
    );
  }
}

/** Returns the properties of `az account show` that Microsoft's documentation shows, for the emulator's only subscription. */
function account({ subscription }: Cloud): string {
  const properties = {
    environmentName: "AzureCloud",
    id: subscription,
    isDefault: true,
    name: "Rehearsal",
    state: "Enabled",
    tenantId: "22222222-2222-4222-8222-222222222222",
    user: { name: "rehearsal@example.com", type: "user" },
  };
  return `${JSON.stringify(properties, null, 2)}\n`;
}

/** Serves the emulated `az` over HTTP. @returns the URL for azureCli/az. */
export async function serveCli(cli: AzureCli): Promise<string> {
  const server = createServer((request, response) => {
    void text(request)
      .then((body) => cli.run(JSON.parse(body) as string[]))
      .then((answer) => response.end(JSON.stringify(answer)));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  // The provider's server keeps the process running.
  server.unref();
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
