import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { CliError } from "@store/docker/cliError";
import { configValue, Project } from "../project/project";

/** Storage of the state. */
export type Backend =
  | {
      /** Chosen by the user. The engine accesses it without any help of the CLI. */
      readonly kind: "user";
      readonly url: string;
      /** Source of the choice, for example "PULUMI_BACKEND_URL". */
      readonly from: string;
      /** The choice is in the stack's file, which the engine doesn't read: pass it the URL. @default false */
      readonly isStackChoice?: boolean;
    }
  | {
      /** Default: files in the workspace's folder .store, which git ignores. */
      readonly kind: "workspace";
      readonly url: string;
      readonly folder: string;
    };

/** Key of the stack's configuration with the URL of a shared backend. It is per stack, because each developer has a stack dev. */
export const STATE_BACKEND_KEY = "stateBackend";

/**
 * Finds the backend in the same order of precedence as the engine: environment, Pulumi.yaml, login, default. A choice in the stack's
 * file (store:stateBackend) comes after the environment.
 *
 * @param stackFile Path of the stack's configuration. @default none
 */
export function findBackend(
  project: Project,
  storeFolder: string,
  env: NodeJS.ProcessEnv = process.env,
  stackFile?: string,
): Backend {
  const fromEnv = env["PULUMI_BACKEND_URL"];
  if (fromEnv) return { kind: "user", url: fromEnv, from: "PULUMI_BACKEND_URL" };
  const chosen = stackFile === undefined ? undefined : stackChoice(project, stackFile);
  if (chosen) return chosen;
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

function stackChoice(project: Project, stackFile: string): Backend | undefined {
  // The command that needs the file reports that it is missing.
  if (!existsSync(stackFile)) return undefined;
  const url = configValue(project, { file: stackFile }, STATE_BACKEND_KEY);
  if (typeof url !== "string" || url === "") return undefined;
  const from = `${basename(stackFile)} (${project.name}:${STATE_BACKEND_KEY})`;
  if (!/^[a-z0-9]+:\/\/.+/.test(url)) {
    throw new CliError(`${from}: "${url}" isn't the URL of a backend.`, {
      hint: "Set it to a Pulumi backend, such as azblob://state?storage_account=NAME, or remove the key.",
    });
  }
  return { kind: "user", url: absoluteUrl(url, project.root), from, isStackChoice: true };
}

/** Makes a relative file URL (`file://../state`) absolute: the engine would take it as relative to its working folder. */
export function absoluteUrl(url: string, root: string): string {
  const path = /^file:\/\/(?!~)(.*)$/.exec(url)?.[1];
  return path === undefined ? url : `file://${resolve(root, path)}`;
}

/** Returns the folder of a file backend (`file://`); undefined for another backend, and for a URL that the engine refuses. */
export function backendFolder(url: string): string | undefined {
  const path = /^file:\/\/([^?]*)/.exec(url)?.[1];
  try {
    return path === undefined ? undefined : decodeURI(path.replace(/^~/, homedir()));
  } catch {
    return undefined;
  }
}

/** Compares two URLs, of which one may have been written by hand: with a slash at its end, or a folder in another form. */
export function isSameBackend(a: string, b: string): boolean {
  const place = (url: string): string => {
    const folder = backendFolder(url);
    return folder === undefined ? url.replace(/\/+$/, "") : resolve(folder);
  };
  return place(a) === place(b);
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
      hint: "It contains Pulumi's logins. Delete it, and log in again: ./store pulumi login",
    });
  }
  return typeof current === "string" && current !== "" ? current : undefined;
}
