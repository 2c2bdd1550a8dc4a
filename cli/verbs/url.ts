import { ExitCode } from "../failure";
import { openSession, StackOptions } from "../session";
import { addressOfStore } from "../url";

/** Prints where the store answers. */
export async function url(options: StackOptions): Promise<ExitCode> {
  process.stdout.write(`${await addressOfStore(openSession(options))}\n`);
  return ExitCode.Ok;
}
