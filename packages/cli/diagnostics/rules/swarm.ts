import { describeExit } from "./health";
import { resourceName } from "../../state/checkpoint";
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
