import { CERTIFICATES } from "../../../../components/certificates/acme";
import type { EngineEvent } from "../../engine/events";
import { shellQuote } from "../../../../components/shell/shell";
import { storeCommand } from "../../project/storeCommand";
import { engineSteps } from "../../review/collect/engineStep";
import type { Reporter } from "../../terminal/terminal";
import { CONTAINER_TYPE } from "../../state/resourceTypes";

const ACCOUNT_KEY = "::gateway-certificates-account";

/**
 * Says that a changed store:acmeEmail doesn't reach the authority: lego gives it the address when it creates the account, and has no
 * command that changes an account. The account itself isn't replaced without being asked: a CAA record may name it (RFC 8657). The events
 * don't say whether the account is registered: it isn't if the authority refused the address.
 *
 * @returns undefined if the address stays, or goes to another authority or with another account.
 */
export function renderUnchangedContact(
  events: readonly EngineEvent[],
  stack: string,
): string | undefined {
  const { steps, unchanged } = engineSteps(events);
  const orders = steps.find(({ type, name }) => type === CONTAINER_TYPE && name === CERTIFICATES);
  const [before, after] = [orders?.old, orders?.new].map((state) => orderOf(state?.inputs));
  const key = unchanged.find(({ urn }) => urn.endsWith(ACCOUNT_KEY));
  if (!before || !after || !key) return undefined;
  if (before.directory !== after.directory || before.email === after.email) return undefined;
  const kept =
    before.email === "-" ? "stays without an address" : `keeps the address ${before.email}`;
  return (
    `store:acmeEmail: an account that the authority has registered already ${kept}, because lego can't change it; one that isn't registered gets the ` +
    `new address. For a new account, whose first certificate counts against the authority's limits: ${storeCommand("up", stack)} -- --replace ${shellQuote(key.urn)}`
  );
}

/** Reports it for the events of a preview or an `up`. */
export function reportUnchangedContact(
  events: readonly EngineEvent[],
  stack: string,
  report: Reporter,
): void {
  const text = renderUnchangedContact(events, stack);
  if (text !== undefined) report.note(text);
}

/** Returns what the container orders with, by its arguments (components/certificates/certificateOrders.ts). */
function orderOf(
  inputs: Readonly<Record<string, unknown>> = {},
): { readonly directory: string; readonly email: string } | undefined {
  const { command } = inputs;
  if (!Array.isArray(command)) return undefined;
  const [, , directory, email] = command as readonly unknown[];
  return typeof directory === "string" && typeof email === "string"
    ? { directory, email }
    : undefined;
}
