import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { CliError } from "@store/docker/cliError";
import { captureEngine, EngineOutput } from "../../engine/runEngine";
import { removeIncompleteAttributes } from "../attributeFiles";
import { resourcesByUrn, StackContent } from "./stackContent";

/** A folder with a minimal project, in which the engine may rewrite the stack's configuration file. */
export class ScratchProject {
  private readonly stackFile: string;

  constructor(
    readonly folder: string,
    project: string,
    stack: string,
    stackText: string,
  ) {
    this.stackFile = join(folder, `Pulumi.${stack}.yaml`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const pulumiYaml = stringify({ name: project, runtime: "nodejs" });
    writeFileSync(join(folder, "Pulumi.yaml"), pulumiYaml);
    writeFileSync(this.stackFile, stackText, { mode: 0o600 });
  }

  /** Returns the stack's configuration file as the engine has left it. */
  stackText(): string {
    return readFileSync(this.stackFile, "utf8");
  }
}

export interface Place {
  /** Path of the pulumi executable. */
  readonly pulumi: string;
  readonly env: NodeJS.ProcessEnv;
  readonly project: ScratchProject;
  readonly url: string;
  /** Name of the stack for the engine. */
  readonly stack: string;
}

/** A stack on one of the two backends of a move. */
export class StackAtBackend {
  constructor(private readonly place: Place) {}

  get url(): string {
    return this.place.url;
  }

  /** Returns undefined if the backend has no such stack. Secrets are in plain text. @throws CliError */
  async content(): Promise<StackContent | undefined> {
    const exported = await this.run(["stack", "export", "--show-secrets"]);
    if (/no stack named/.test(exported.stderr)) return undefined;
    const config = await this.succeed(["config", "--json", "--show-secrets"]);
    const history = await this.succeed(["stack", "history", "--json", "--page-size", "1000000"]);
    return {
      resources: resourcesByUrn(this.outputOf(exported, "stack export")),
      config: JSON.parse(config) as Readonly<Record<string, unknown>>,
      history: (JSON.parse(history || "[]") as readonly unknown[]).length,
    };
  }

  /** Returns true if the backend has the stack. @throws CliError */
  async exists(): Promise<boolean> {
    return (await this.countResources()) !== undefined;
  }

  /** Returns undefined if the backend has no such stack. Needs no passphrase. @throws CliError */
  async countResources(): Promise<number | undefined> {
    const exported = await this.run(["stack", "export"]);
    if (/no stack named/.test(exported.stderr)) return undefined;
    return resourcesByUrn(this.outputOf(exported, "stack export")).size;
  }

  /** Copies the stack from another backend, and re-encrypts its secrets and the scratch project's file. @throws CliError */
  async copyFrom(source: StackAtBackend, secretsProvider: string): Promise<void> {
    const provider = ["--secrets-provider", secretsProvider];
    const args = ["stack", "migrate", source.url, source.place.stack, "--yes", ...provider];
    // This command has no option --stack.
    this.outputOf(await this.pulumi(args), "stack migrate");
  }

  /** Renames the stack, as the last step of a move. @throws CliError */
  async rename(name: string): Promise<void> {
    const renamed = await this.run(["stack", "rename", name]);
    if (renamed.exitCode === 0) return;
    throw new CliError(`The state was moved, but the old one on ${this.url} can't be renamed.`, {
      details: renamed.stderr.trim().split("\n"),
      detailsTitle: "pulumi stack rename",
      hint: "The stack uses the new backend. Fix the cause, then run the command again, which finishes the move.",
    });
  }

  /** Removes the stack from the backend, with its history. It leaves its resources alone. @throws CliError */
  async forget(): Promise<void> {
    await this.succeed(["stack", "rm", "--yes", "--force", "--preserve-config"]);
  }

  /** Removes what engines that were killed have left: their locks, and files that stop others from reading the state. */
  async unlock(): Promise<void> {
    removeIncompleteAttributes(this.url);
    await this.run(["cancel", "--yes"]);
  }

  private async succeed(args: readonly string[]): Promise<string> {
    return this.outputOf(await this.run(args), args.slice(0, 2).join(" "));
  }

  private run(args: readonly string[]): Promise<EngineOutput> {
    return this.pulumi([...args, "--stack", this.place.stack]);
  }

  private pulumi(args: readonly string[]): Promise<EngineOutput> {
    const { pulumi, project, env, url } = this.place;
    return captureEngine({
      pulumi,
      args: [...args, "--non-interactive", "--color", "never"],
      cwd: project.folder,
      env: { ...env, PULUMI_BACKEND_URL: url },
    });
  }

  private outputOf({ exitCode, stdout, stderr }: EngineOutput, command: string): string {
    if (exitCode === 0) return stdout;
    throw new CliError(`Moving the state failed on ${this.url}.`, {
      details: stderr.trim().split("\n"),
      detailsTitle: `pulumi ${command}`,
      hint: hintFor(stderr),
    });
  }
}

function hintFor(stderr: string): string {
  const retry = "The stack is unchanged. Fix the cause, then run the command again.";
  if (/currently locked by/.test(stderr)) return `Another run is working on the stack. ${retry}`;
  if (/passphrase/.test(stderr))
    return `The passphrase is missing or wrong: set PULUMI_CONFIG_PASSPHRASE_FILE to a file with it. ${retry}`;
  if (/ContainerNotFound|NoSuchBucket/.test(stderr))
    return `Create the container or bucket. ${retry}`;
  if (/DefaultAzureCredential|AuthorizationPermissionMismatch|AuthorizationFailure/.test(stderr))
    return `Log in (az login) with an account that may read and write blobs and use the key, or set AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY. ${retry}`;
  return retry;
}
