import { describeExit } from "./health";
import { resourceName } from "../../state/checkpoint";
import { isAzure } from "../../project/session";
import { storeCommand } from "../../project/storeCommand";
import { UNREACHABLE } from "./hostProblems";
import { SERVICE_TYPE } from "../../state/resourceTypes";
import { commandFor, keepsRunning, resourceOf, retryCommand, Rule } from "../rule";

/** Messages of the scripts in components/swarm, which have the cause and the way out. They may quote texts that other rules match. */
export const swarmFailed: Rule = {
  name: "swarm-failed",
  remoteOnly: true,
  match: [/^((This|The) machine |Two workers |A worker |Docker's live-restore ).*/m],
  accepts: ({ urn = "" }) => urn.includes("store:index:Swarm$"),
  toDiagnostic: ({ error, match: [message] }, context) => {
    const worker = /^swarm-join-(.*)$/.exec(resourceName(error.urn ?? ""))?.[1];
    return {
      summary: worker === undefined ? message : `${worker}: ${message}`,
      hint: `Then: ${retryCommand(context)}`,
    };
  },
};

/** A worker that doesn't answer. The rules for hosts would name the first machine. */
export const workerUnreachable: Rule = {
  name: "worker-unreachable",
  remoteOnly: true,
  match: UNREACHABLE.match,
  accepts: ({ urn = "" }) => workerOf(urn) !== undefined,
  toDiagnostic: ({ error }, context) => {
    const { session } = context;
    const name = workerOf(error.urn ?? "") ?? "";
    const isLeaving = error.step?.op.startsWith("delete") === true;
    const up = storeCommand("up --yes", session.stack.name);
    const hint = isAzure(session)
      ? `Check that store:adminCidrs contains this machine's address and that the VM runs: ${commandFor("start", context)}. A VM that is lost is replaced by: ${up}`
      : `Check that it runs, and that sshd answers at its address and port in store:workers. If it is gone for ever, take it out of store:workers, then: ${up}`;
    return {
      summary: `Host unreachable: no answer over SSH from the worker ${name}${isLeaving ? ", which leaves the swarm" : ""}.`,
      details: error.message.split("\n").slice(-22),
      hint: `${hint}\nThen: ${retryCommand(context)}`,
    };
  },
};

/** Returns the worker on which a command runs, by the names that the components give it; undefined for another resource. */
function workerOf(urn: string): string | undefined {
  const name = resourceName(urn);
  const [, joining] = /^(?:swarm-join|firewall)-(.+)$/.exec(name) ?? [];
  const [, azure, address] = /^(?:(worker-\d)|worker-(.+))-ready$/.exec(name) ?? [];
  return joining ?? azure ?? address;
}

/** A Swarm service whose instances didn't become healthy. The provider, or the CLI during the run (lifecycle/serviceWatch.ts), has removed it. */
export const serviceUnhealthy: Rule = {
  name: "swarm-service-unhealthy",
  match: [/did not converge after (\S+)/, /service \S+ not found/i],
  accepts: ({ urn = "" }) => urn.includes(SERVICE_TYPE),
  toDiagnostic: (found, context) => {
    const service = resourceOf(found);
    const crash = [...context.crashed.values()].find(
      ({ container }) => container.task !== undefined && container.service === service,
    );
    if (crash !== undefined) {
      const { hint = "", ...diagnostic } = describeExit(service, crash, context);
      return { ...diagnostic, hint: `${keepsRunning(context)}${hint}` };
    }
    const limit = found.match[1];
    if (limit === undefined)
      return {
        summary: `The Swarm service of ${service} was removed during the run.`,
        hint: `Retry: ${retryCommand(context)}`,
      };
    return {
      summary: `${service} did not become healthy on the workers within ${limit}.`,
      hint:
        `${keepsRunning(context)}Its new instances are removed. To see why, follow their log during another ${retryCommand(context)}: ` +
        `${commandFor(`logs -f ${service}`, context)}; the state of each: ${commandFor("ps", context)}`,
    };
  },
};
