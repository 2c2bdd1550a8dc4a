import { setTimeout as sleep } from "node:timers/promises";
import { CERTIFICATES } from "../../../components/certificates/acme";
import type { Fault } from "@store/azure-emulator/arm/faults";
import { CommandFailed } from "../../support/workspace";
import type { RehearsalAuthority } from "../authority";
import { type RehearsalContext, STACK } from "../context";

/** Limit for an order, in milliseconds. The gateway looks for a new certificate every 5 s. */
const ORDER_LIMIT_MS = 300_000;

/**
 * Makes the authority suggest a renewal, and the container that orders ask at once.
 *
 * @returns a function that waits until the renewed certificate is served.
 */
export async function renewCertificate(context: RehearsalContext): Promise<() => Promise<string>> {
  const { probe, runningAuthority: authority, site } = context;
  if (!authority || !site) return () => Promise.resolve("");
  const before = await probe.certificate(site);
  await authority.suggestRenewal(before);
  await restartOrders(context);
  return async () => {
    await untilServed(context, before);
    return "certificate renewed; ";
  };
}

/** Waits until another certificate is served. */
async function untilServed(context: RehearsalContext, before: string): Promise<void> {
  const { probe, site } = context;
  const deadline = Date.now() + ORDER_LIMIT_MS;
  // After another start of the authority, its earlier certificate isn't trusted any more.
  while (site && (await probe.certificate(site).catch(() => before)) === before) {
    if (Date.now() > deadline) throw new Error("The new certificate isn't served.");
    await sleep(500);
  }
}

/** Returns a function that checks that the same certificate is served as now, and that none was ordered. */
export async function keptCertificate(context: RehearsalContext): Promise<() => Promise<string>> {
  const { site } = context;
  if (!site) return () => Promise.resolve("");
  const before = await context.probe.certificate(site);
  return async () => {
    // The container has asked the authority whether to renew.
    await untilOrder(context, "valid");
    if ((await context.probe.certificate(site)) !== before)
      throw new Error("The new VM serves another certificate than the one before.");
    return "same certificate";
  };
}

/** Predicate of the message about an order under a fault. */
const MESSAGES: Partial<Record<Fault, RegExp>> = {
  "acme-away": /its container doesn't reach the authority/,
  "http-closed": /the authority doesn't reach port 80 at the name/,
  "name-elsewhere": /leads to another server|the authority doesn't reach port 80/,
};

/**
 * Loses the certificates' volume while no certificate can be ordered. Checks that the gateway serves on, and that `up` succeeds and
 * reports the cause once. Then clears the fault, and checks that a certificate is ordered.
 *
 * @returns the message.
 */
export async function failOrder(context: RehearsalContext, fault: string): Promise<string> {
  const { emulator, probe, runningAuthority: authority, site, workspace } = context;
  if (!authority || !site) throw new Error(`The fault ${fault} requires HTTPS.`);
  const before = await probe.certificate(site);
  const clear = await preventOrders(context, authority, site.name, fault);
  await context.dockerOnHost(
    ...["exec", await ordersContainer(context), "sh", "-c", "rm -rf /certificates/*"],
  );
  await restartOrders(context);
  await untilOrder(context, "failed");
  const output = await workspace.succeed("up", STACK, "--yes");
  const messages = output.split("\n").filter((line) => line.includes("can't be ordered"));
  const [message = ""] = messages;
  if (messages.length !== 1 || MESSAGES[fault as Fault]?.test(message) !== true)
    throw new CommandFailed(`The output of up doesn't report the cause once.`, output);
  if ((await probe.certificate(site)) !== before)
    throw new Error("The gateway doesn't serve the certificate any more.");
  await clear();
  emulator.clearFaults();
  await restartOrders(context);
  await untilOrder(context, "valid");
  await untilServed(context, before);
  return message.trim();
}

/** Makes orders fail. Returns a function that ends it. */
async function preventOrders(
  { emulator }: RehearsalContext,
  authority: RehearsalAuthority,
  name: string,
  fault: string,
): Promise<() => Promise<void>> {
  switch (fault as Fault) {
    case "acme-away":
      await authority.stop();
      return () => authority.restart();
    case "http-closed":
      emulator.injectFault(fault);
      return () => Promise.resolve();
    case "name-elsewhere": {
      const address = emulator.publicAddress() ?? "";
      await authority.setAddress(name, OTHER_ADDRESS);
      return () => authority.setAddress(name, address);
    }
    default:
      throw new Error(`The rehearsal can't prevent orders by ${fault}.`);
  }
}

/** Address of this machine at which nothing listens. */
const OTHER_ADDRESS = "127.77.0.1";

/** Waits until the container that orders reports this state. */
async function untilOrder(context: RehearsalContext, state: "valid" | "failed"): Promise<void> {
  const deadline = Date.now() + ORDER_LIMIT_MS;
  for (;;) {
    const status = await context
      .dockerOnHost("exec", await ordersContainer(context), "cat", "/tmp/status")
      .catch(() => "");
    if (status.startsWith(`${state} `)) return;
    if (Date.now() > deadline) throw new Error(`The order isn't ${state}: ${status}`);
    await sleep(500);
  }
}

async function restartOrders(context: RehearsalContext): Promise<void> {
  await context.dockerOnHost("restart", "--time", "0", await ordersContainer(context));
}

async function ordersContainer(context: RehearsalContext): Promise<string> {
  const filter = `label=dev.store.role=${CERTIFICATES}`;
  return context.dockerOnHost("ps", "--quiet", "--filter", filter);
}
