import { ExitCode } from "@store/docker/cliError";
import { openSession, StackOptions } from "../../project/session";
import { addressOfStore } from "../../docker/url";

/** Prints where the store answers. */
export async function url(options: StackOptions): Promise<ExitCode> {
  process.stdout.write(`${await addressOfStore(openSession(options))}\n`);
  return ExitCode.Ok;
}
