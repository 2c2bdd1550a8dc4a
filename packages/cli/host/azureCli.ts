import { CliError } from "@store/docker/cliError";
import { findOnPath, run } from "@store/toolchain/system/run";
import { AZURE_PROBLEMS } from "../diagnostics/rules/azureProblems";
import { completeCommands } from "../project/storeCommand";

/** A call of the command `az` for a stack. */
export interface AzCall {
  readonly args: readonly string[];
  /** Name of the stack, for the error. */
  readonly stack: string;
  /** Clause for the error, such as "Starting the VM of the stack staging failed". */
  readonly failure: string;
  /** Limit in milliseconds. @default none */
  readonly timeoutMs?: number;
  /** Ends the command. Azure goes on with what it has begun. */
  readonly signal?: AbortSignal;
}

/** Runs `az` and returns its output. @throws CliError with cause and remedy */
export async function az({ args, timeoutMs, signal, ...call }: AzCall): Promise<string> {
  if (!hasAz()) throw missing(call);
  const { code, stdout, stderr } = await run("az", [...args, "--only-show-errors"], {
    timeoutMs,
    signal,
  });
  if (code === 0) return stdout;
  const reason = stderr.trim();
  if (reason === "" || code === null) {
    const limit = timeoutMs === undefined ? "" : ` within ${timeoutMs / 1000} s`;
    throw new CliError(`${call.failure}: az gave no answer${limit}.`, {
      details: reason === "" ? [] : reason.split("\n"),
      hint: "Check the connection to Azure: az account show.",
    });
  }
  throw failed(reason, args, call);
}

/** Checks whether the command `az` is installed. */
export function hasAz(): boolean {
  return findOnPath("az") !== undefined;
}

type Failure = Pick<AzCall, "stack" | "failure">;

function missing({ failure }: Failure): CliError {
  return new CliError(`${failure}: the command az isn't installed.`, {
    hint: "Install it: https://learn.microsoft.com/cli/azure/install-azure-cli. Then log in: az login.",
  });
}

function failed(reason: string, args: readonly string[], { stack, failure }: Failure): CliError {
  const problem = [...OF_THE_COMMAND, ...AZURE_PROBLEMS].find(({ match }) =>
    match.some((pattern) => pattern.test(reason)),
  );
  const command = args.filter((arg, i) => !arg.startsWith("-") && i < 3).join(" ");
  return new CliError(problem === undefined ? `${failure}.` : `${failure}: ${problem.cause}.`, {
    // Without the frames of a Python traceback.
    details: reason
      .split("\n")
      .filter((line) => /^\S/.test(line))
      .slice(-10),
    detailsTitle: `az ${command}`,
    hint: completeCommands(problem?.hint ?? "Check the VM in the Azure portal.", stack),
  });
}

/** Problems that `az` reports in other words than the engine, or that have another remedy there. */
const OF_THE_COMMAND = [
  {
    match: [/az login|az account (set|clear)|AADSTS/i],
    cause: "az isn't logged in",
    hint: "Log in: az login. In CI: the action Azure/login. The engine's variables ARM_* are not for az.",
  },
  {
    match: [/subscription '.*' not found|subscription of '.*' (doesn't|does not) exist/i],
    cause: "the login has no access to the stack's subscription",
    hint: "List its subscriptions: az account list --refresh. Log in to the other directory: az login --tenant TENANT",
  },
  {
    match: [/ConnectionError|Max retries exceeded|Failed to (resolve|establish)/],
    cause: "az can't reach Azure",
    hint: "Check this machine's connection, and HTTPS_PROXY if it needs a proxy.",
  },
  {
    match: [/ResourceNotFound|ResourceGroupNotFound/],
    cause: "the VM doesn't exist any more",
    hint: "It was deleted outside of this stack. Create another one, which keeps the data disk: ./store down STACK, then ./store up STACK",
  },
] as const;
