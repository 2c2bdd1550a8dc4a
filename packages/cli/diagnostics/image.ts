import { registryAddress } from "../project/project";
import {
  Context,
  Diagnostic,
  Found,
  inputOf,
  KEEPS_RUNNING,
  resourceOf,
  retryCommand,
  Rule,
  stackFlag,
} from "./rule";

/** The host can't pull an image. */
export const pullFailed: Rule = {
  name: "pull-failed",
  match: [/pull(ing)? image|manifest unknown|unable to read docker image/i],
  cause: (found) => pullFailure(found).refusedBy,
  toDiagnostic,
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
  if (refusedBy === undefined) {
    return {
      summary: `Pulling the image ${image} failed: ${reason}`,
      hint: `Check its name (store:nodeImage, store:postgresImage, store:haproxyImage) and that its registry is reachable, then: ${retry}`,
    };
  }
  const { project, stack } = context.session;
  if (registryAddress(project, stack) !== refusedBy) {
    return {
      summary: `Pulling the image ${image} on the host failed: the registry ${refusedBy} rejects the login.`,
      details: [reason],
      hint: `Check the registry's permissions, then: ${retry}`,
    };
  }
  return {
    summary: `Pulling the image ${image} on the host failed: the registry ${refusedBy} rejects the login (store:registry: username, password).`,
    details: [reason],
    hint: `${KEEPS_RUNNING} Change the password: ./store pulumi config set --secret --path registry.password VALUE${stackFlag(context)}. Then: ${retry}`,
  };
}
