import { shellQuote } from "../../../components/shell/shell";

export const DEFAULT_STACK = "dev";

/** Commands whose argument is the stack. The others have the option -s. */
const TAKES_STACK: ReadonlySet<string> = new Set([
  ...["up", "preview", "down", "ps", "open", "token", "url", "ip", "env", "ssh"],
  ...["start", "stop", "reboot"],
]);

/**
 * Command line for a message to the user, which works when typed: it selects the stack, and the configuration file that the running
 * command was given, without which it would act on another configuration.
 *
 * @param command The command without `./store`, for example "pulumi config set httpPort 9000". The selection goes before " -- ".
 * @param stack Omitted for the default stack.
 * @param configFile Empty for the usual file of the stack. Defaults to --config-file of the running command, which
 *   {@link noteConfigFile} has put into the environment.
 */
export function storeCommand(
  command: string,
  stack: string,
  configFile = process.env["STORE_CONFIG_FILE"] ?? "",
): string {
  const [own = "", ...rest] = command.split(/(?= -- )/);
  const [name = "", ...others] = own.split(" ");
  // "token add NAME": the argument of the command itself would be the stack.
  const isOption = !TAKES_STACK.has(name) || others.some((word) => !word.startsWith("-"));
  const selection = stack === DEFAULT_STACK ? [] : [isOption ? `-s ${stack}` : stack];
  const file =
    configFile && (/^[\w./@:+-]+$/.test(configFile) ? configFile : shellQuote(configFile));
  // Pulumi's own option --config-file would bypass the copy of the file that the store gives to Pulumi.
  const isPulumi = name === "pulumi";
  const words = [
    ...(file && isPulumi ? [`STORE_CONFIG_FILE=${file}`] : []),
    "./store",
    name,
    ...(isOption ? [...others, ...selection] : [...selection, ...others]),
    ...(file && !isPulumi ? [`--config-file ${file}`] : []),
  ];
  return words.join(" ") + rest.join("");
}

/**
 * Makes the file of --config-file known to {@link storeCommand}, and to the program and the policies, whose messages also name commands.
 */
export function noteConfigFile(
  configFile: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
): void {
  if (configFile !== undefined) env["STORE_CONFIG_FILE"] = configFile;
}

/** Completes a fixed text for a stack. The text has its commands as "./store COMMAND STACK". */
export function completeCommands(text: string, stack: string): string {
  return text
    .replace(/\.\/store (\S+) STACK\b/g, (_, command: string) => storeCommand(command, stack))
    .replaceAll("STACK", stack);
}
