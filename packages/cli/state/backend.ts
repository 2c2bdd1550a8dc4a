import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CliError } from "@store/docker/cliError";
import { Project } from "../project/project";

/** Storage of the state. */
export type Backend =
  | {
      /** Chosen by the user. The engine accesses it without any help of the CLI. */
      readonly kind: "user";
      readonly url: string;
      /** Source of the choice, for example "PULUMI_BACKEND_URL". */
      readonly from: string;
    }
  | {
      /** Default: files in the workspace's folder .store, which git ignores. */
      readonly kind: "workspace";
      readonly url: string;
      readonly folder: string;
    };

/** Finds the backend in the same order of precedence as the engine: environment, Pulumi.yaml, login, default. */
export function findBackend(
  project: Project,
  storeFolder: string,
  env: NodeJS.ProcessEnv = process.env,
): Backend {
  const fromEnv = env["PULUMI_BACKEND_URL"];
  if (fromEnv) return { kind: "user", url: fromEnv, from: "PULUMI_BACKEND_URL" };
  if (project.backendUrl)
    return { kind: "user", url: project.backendUrl, from: "Pulumi.yaml (backend.url)" };
  const credentials = join(credentialsFolder(env), "credentials.json");
  const login = currentLogin(credentials);
  if (login) return { kind: "user", url: login, from: `the login in ${credentials}` };
  if (env["PULUMI_ACCESS_TOKEN"]) {
    return {
      kind: "user",
      url: env["PULUMI_API"] ?? "https://api.pulumi.com",
      from: "PULUMI_ACCESS_TOKEN",
    };
  }
  const folder = join(storeFolder, "state");
  return { kind: "workspace", url: pathToFileURL(folder).href, folder };
}

/** Folder with the user's login, found as the engine finds it. */
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
      hint: "It contains Pulumi's logins. Delete it and log in again (pulumi login).",
    });
  }
  return typeof current === "string" && current !== "" ? current : undefined;
}
