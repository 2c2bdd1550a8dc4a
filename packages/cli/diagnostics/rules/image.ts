import { stackRegistry } from "../../project/project";
import {
  Context,
  Diagnostic,
  Found,
  inputOf,
  keepsRunning,
  resourceOf,
  retryCommand,
  Rule,
  commandFor,
} from "../rule";

/** The host can't pull an image. */
export const pullFailed: Rule = {
  name: "pull-failed",
  match: [/pull(ing)? image|manifest unknown|unable to read docker image/i],
  cause: (found) => pullFailure(found).refusedBy,
  toDiagnostic,
};

/** The docker provider can't read the user's login at a registry, which it needs for every resource. */
export const loginUnreadable: Rule = {
  name: "login-unreadable",
  match: [/Error loading registry auth config: (?:could not get auth config[^:]*: )?([^\n]*)/],
  cause: () => "login",
  toDiagnostic: ({ match }, context) => ({
    summary: `Docker's login at a registry can't be read: ${match[1] ?? "unknown error"}.`,
    hint: `Install the credential helper that docker's configuration (~/.docker/config.json: credHelpers, credsStore) names, or remove it there and run docker login. Then: ${retryCommand(context)}`,
  }),
};

interface PullFailure {
  /** With registry, tag and digest. */
  readonly image: string;
  readonly reason: string;
  /** Address of the registry, if it rejected the login. */
  readonly refusedBy?: string;
}

export function pullFailure(found: Found): PullFailure {
  const image = inputOf(found, "name") ?? resourceOf(found);
  const { message } = found.error;
  const reason = (message.split(`error pulling image ${image}: `).at(-1) ?? message).replace(
    /^Error response from daemon: /,
    "",
  );
  const registry = /^([^/]+[.:][^/]+)\//.exec(image)?.[1];
  // Docker Hub answers "pull access denied … may require 'docker login'" for a repository that doesn't exist.
  const refused = /unauthorized|authentication required|no basic auth|^denied/i.test(reason);
  return { image, reason, refusedBy: refused ? registry : undefined };
}

function toDiagnostic(found: Found, context: Context): Diagnostic {
  const { image, reason, refusedBy } = pullFailure(found);
  const retry = retryCommand(context);
  const host = context.isLocal ? "" : " on the host";
  if (/server gave HTTP response to HTTPS client/i.test(reason)) {
    const [registry] = image.split("/");
    return {
      summary: `Pulling the image ${image}${host} failed: its registry speaks plain HTTP.`,
      hint: `Allow it${context.isLocal ? "" : ", on the host"}: {"insecure-registries": ["${registry}"]} in /etc/docker/daemon.json, and systemctl restart docker. Then: ${retry}`,
    };
  }
  if (refusedBy === undefined) {
    return {
      summary: `Pulling the image ${image}${host} failed: ${reason}`,
      hint: `Check its name (store:nodeImage, store:postgresImage, store:haproxyImage), that its registry is reachable, and, if it is private, your docker login. Then: ${retry}`,
    };
  }
  return rejectedLogin(refusedBy, { image, reason, host }, context);
}

function rejectedLogin(
  registry: string,
  {
    image,
    reason,
    host,
  }: { readonly image: string; readonly reason: string; readonly host: string },
  context: Context,
): Diagnostic {
  const { project, stack } = context.session;
  const own = stackRegistry(project, stack);
  const failed = `Pulling the image ${image}${host} failed: the registry ${registry} rejects`;
  if (own?.address === registry && own.pullLogin !== undefined) {
    const [username, password] = own.pullLogin;
    return {
      summary: `${failed} the login (store:registry: ${username}, ${password}).`,
      details: [reason],
      hint: `${keepsRunning(context)}Change the password: ${commandFor(`pulumi config set --secret --path registry.${password} VALUE`, context)}. Then: ${retryCommand(context)}`,
    };
  }
  if (context.isLocal || own?.address === registry) {
    return {
      summary: `${failed} your docker login, or there is none.`,
      details: [reason],
      hint: `Log in: docker login ${registry}. Then: ${retryCommand(context)}`,
    };
  }
  return {
    summary: `${failed} the login.`,
    details: [reason],
    hint: `Check the registry's permissions, then: ${retryCommand(context)}`,
  };
}
