/** Why a host can't be had, in words with a way out, as far as the provider's message tells. */
export interface HostProblem {
  readonly what: string;
  readonly remedy: string;
}

export const UNREACHABLE: HostProblem = {
  what: "the machine doesn't answer SSH",
  remedy:
    "Is this machine's address in store:adminCidrs? Does the VM run (it may have been switched off for the night)? Give a slow one more time by store:readyMinutes. If it was deleted: ./store down STACK, whose data stays, and up again.",
};

/** cloud-init has ended without making a Docker host of the machine, and doesn't begin again: nor will it the next time. */
export const HALF_DONE = /cloud-init has (failed|finished with errors)|Docker doesn't run:/;

/** What is known of the messages of Azure, of cloud-init and of SSH; undefined for anything else. */
export function hostProblem(message: string): HostProblem | undefined {
  const known = KNOWN.find(({ when }) => when.test(message));
  return known && { what: known.what, remedy: known.remedy };
}

/**
 * @see https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
 */
const KNOWN: readonly (HostProblem & { readonly when: RegExp })[] = [
  {
    when: /az login|AADSTS|DefaultAzureCredential|no subscription found|unable to (get|acquire) (an )?(access )?token|authenticat(e|ion) .*fail/i,
    what: "nobody is logged in to Azure",
    remedy:
      "Log in: az login. In CI: ARM_CLIENT_ID, ARM_TENANT_ID and ARM_USE_OIDC or ARM_CLIENT_SECRET.",
  },
  {
    when: /SubscriptionNotFound|InvalidSubscriptionId|subscription .* (could not be found|not found)/i,
    what: "there is no such subscription for this login",
    remedy: "az account list shows those that there are; name one by store:subscriptionId.",
  },
  {
    when: /AuthorizationFailed|does not have authorization/i,
    what: "this login may not do that in the subscription",
    remedy: "It needs the role Contributor on the subscription, or on the resource group.",
  },
  {
    when: /QuotaExceeded|exceeding approved .* quota|quota/i,
    what: "the subscription's quota is used up",
    remedy:
      "Ask for more (Azure portal: Quotas), delete a VM that isn't needed, or choose a smaller store:vmSize or another store:location.",
  },
  {
    when: /SkuNotAvailable|not available in location|NotAvailableForSubscription|AllocationFailed|valid sizes in the current region/i,
    what: "Azure doesn't have this size there",
    remedy:
      "az vm list-skus --location REGION --resource-type virtualMachines shows what there is; choose another store:vmSize or store:location.",
  },
  {
    when: /NetcfgInvalid|overlap/i,
    what: "its address range overlaps with another one",
    remedy: "Choose a range that nobody uses, by store:addressRange.",
  },
  {
    when: /DnsRecordInUse/i,
    what: "somebody else has this DNS name",
    remedy: "Choose another store:dnsLabel, or leave it out: then it gets a random ending.",
  },
  {
    when: /NicInUse|already owned by VM/,
    what: "a machine is in the way that the stack doesn't know of",
    remedy:
      "A run that was killed while it made the machine leaves such a one. The line above names it: az vm delete --ids ID",
  },
  {
    when: /ResourceGroupNotFound|ResourceNotFound|InvalidResourceReference/,
    what: "something of the stack isn't there any more",
    remedy: "If it was deleted by hand: ./store up STACK --refresh makes it again.",
  },
  {
    when: /PropertyChangeNotAllowed|\b409\b|Conflict/,
    what: "Azure refuses that as things are",
    remedy:
      "If something else is under way there, wait for it. ./store preview STACK --refresh shows what is really there.",
  },
  {
    when: HALF_DONE,
    what: "the new machine didn't become a Docker host",
    remedy:
      "The lines above are the machine's own. If something couldn't be reached that can be now, nothing need be mended; else see " +
      "store:dockerSource and store:dockerVersion. The next up makes another machine; the data is on a disk of its own, which stays.",
  },
  {
    // At the beginning of a line: it also stands in the command, which an error may repeat.
    when: /^not ready within \d+ minutes|custom timeout of \S+ \((?!while dialing)/m,
    what: "the machine took too long to become a Docker host",
    remedy: "Give it more time by store:readyMinutes, or look at what it does: ./store ssh STACK.",
  },
  {
    when: /host key mismatch|knownhosts: key mismatch|ssh: handshake failed: ssh: host key/i,
    what: "the machine at this address has another host key than it was given",
    remedy:
      "Somebody else answers there. Find out who before anything else; nothing was sent to it.",
  },
  {
    when: /unable to authenticate|Permission denied \(publickey/i,
    what: "the machine doesn't take our login key",
    remedy:
      "A key of your own (store:sshPublicKey) must fit store:sshPrivateKey; on a machine of your own it must be in authorized_keys.",
  },
  {
    when: /dial tcp|after \d+ failed attempts|connection (timed out|reset)|handshake failed|custom timeout|deadline exceeded|error during connect/i,
    ...UNREACHABLE,
  },
];
