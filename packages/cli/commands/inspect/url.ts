import { ExitCode } from "@store/docker/cliError";
import { fetchStoreUrl } from "../../docker/gateway/url";
import { openSession, StackOptions } from "../../project/session";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, StackFlags } from "../stackFlags";

export const url = defineCommand<StackFlags, StackOptions>({
  name: "url",
  summary: "print the store's address",
  arguments: [STACK_ARGUMENT],
  flags: STACK_FLAGS,
  examples: ["./store url", "curl $(./store url staging)/api"],
  parse: ({ args: [stack], flags }) => parseStack(flags, stack),
  run,
});

async function run(options: StackOptions): Promise<ExitCode> {
  const { url: address, elsewhere } = await fetchStoreUrl(openSession(options));
  process.stdout.write(`${address}\n`);
  if (elsewhere !== undefined) process.stderr.write(`${elsewhere}\n`);
  return ExitCode.Ok;
}
