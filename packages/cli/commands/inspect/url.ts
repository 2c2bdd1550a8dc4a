import { ExitCode } from "@store/docker/cliError";
import { openSession, StackOptions } from "../../project/session";
import { fetchStoreUrl } from "../../docker/url";

/** Prints where the store answers. */
export async function url(options: StackOptions): Promise<ExitCode> {
  process.stdout.write(`${await fetchStoreUrl(openSession(options))}\n`);
  return ExitCode.Ok;
}
