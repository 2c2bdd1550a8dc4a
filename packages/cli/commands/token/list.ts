import { ExitCode } from "@store/docker/cliError";
import { openSession, type StackOptions } from "../../project/session";
import { tokenNames } from "../../staff/staffTokens";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, type StackFlags } from "../stackFlags";

export const list = defineCommand<StackFlags, StackOptions>({
  name: "list",
  summary: "print the names of the staff tokens",
  arguments: [STACK_ARGUMENT],
  flags: STACK_FLAGS,
  examples: ["./store token list", "./store token list staging"],
  notes: "staff is the token that the stack has created, which `./store token` prints.",
  parse: ({ args: [stack], flags }) => parseStack(flags, stack),
  run: (options) => {
    process.stdout.write(`${tokenNames(openSession(options)).join("\n")}\n`);
    return Promise.resolve(ExitCode.Ok);
  },
});
