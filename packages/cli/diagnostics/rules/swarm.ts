import { resourceName } from "../../state/checkpoint";
import { retryCommand, Rule } from "../rule";

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
