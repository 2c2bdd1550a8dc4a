import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CliError } from "@store/docker/cliError";
import { Project } from "../project/project";

/** Where the engine keeps the state. */
export type Backend =
  | {
      /** One that the user has chosen: nothing of ours is put between it and the engine. */
      readonly kind: "own";
      readonly url: string;
      /** By what it was chosen. */
      readonly from: string;
    }
  | {
      /** None was chosen: files in the ignored folder of the checkout. */
      readonly kind: "checkout";
      readonly url: string;
      readonly folder: string;
    };

/** The same order of precedence as the engine's. */
export function findBackend(
  project: Project,
  storeFolder: string,
  env: NodeJS.ProcessEnv = process.env,
): Backend {
  const fromEnv = env["PULUMI_BACKEND_URL"];
  if (fromEnv) return { kind: "own", url: fromEnv, from: "PULUMI_BACKEND_URL" };
  if (project.backendUrl)
    return { kind: "own", url: project.backendUrl, from: "Pulumi.yaml (backend.url)" };
  const credentials = join(credentialsFolder(env), "credentials.json");
  const login = currentLogin(credentials);
  if (login) return { kind: "own", url: login, from: `the login in ${credentials}` };
  if (env["PULUMI_ACCESS_TOKEN"]) {
    return {
      kind: "own",
      url: env["PULUMI_API"] ?? "https://api.pulumi.com",
      from: "PULUMI_ACCESS_TOKEN",
    };
  }
  const folder = join(storeFolder, "state");
  return { kind: "checkout", url: pathToFileURL(folder).href, folder };
}

/** Where the user's login is, whatever home the engine is given for its plugins. */
function credentialsFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env["PULUMI_CREDENTIALS_PATH"] || env["PULUMI_HOME"] || join(homedir(), ".pulumi");
}

function currentLogin(file: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    // Never logged in.
    return undefined;
  }
  let current: unknown;
  try {
    ({ current } = JSON.parse(text) as { current?: unknown });
  } catch {
    throw new CliError(`${file} is not valid JSON.`, {
      hint: "It holds Pulumi's logins. Delete it, and log in again if you had (pulumi login).",
    });
  }
  return typeof current === "string" && current !== "" ? current : undefined;
}
