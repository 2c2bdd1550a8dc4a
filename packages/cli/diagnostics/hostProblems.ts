/** A known problem of a host that is another machine. */
export interface HostProblem {
  readonly name: string;
  readonly match: readonly RegExp[];
  /** A clause. */
  readonly cause: string;
  /** STACK stands for the name of the stack. */
  readonly hint: string;
  /** Cause and hint for a machine reached by SSH (store:host is ssh). @default those for Azure */
  readonly onSsh?: { readonly cause?: string; readonly hint: string };
  /** The problem is the connection, not the provisioning. @default false */
  readonly connection?: boolean;
}

/** Messages of a VM whose cloud-init failed. It runs once per VM, so a retry on the same VM can't succeed. */
export const FAILED_PROVISIONING =
  /cloud-init has (failed|finished with errors)|Docker doesn't run:/;

export const UNREACHABLE: HostProblem = {
  name: "host-unreachable",
  match: [
    /dial tcp|after \d+ failed attempts|connection (timed out|reset)|handshake failed|custom timeout|deadline exceeded|error during connect/i,
  ],
  cause: "no answer over SSH",
  hint: "Check that store:adminCidrs contains this machine's address and that the VM runs (it may be switched off at night). Raise store:readyMinutes for a slow VM. If the VM was deleted: ./store down STACK, which keeps the data, and up again.",
  onSsh: {
    hint: "Check that the machine runs, and that sshd answers at store:sshAddress and store:sshPort. Raise store:readyMinutes for a machine that starts slowly.",
  },
  connection: true,
};

/**
 * Messages of Azure, cloud-init and SSH, in order of precedence.
 *
 * @see https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
 */
export const PROBLEMS: readonly HostProblem[] = [
  {
    name: "azure-login",
    match: [
      /az login|AADSTS|DefaultAzureCredential|no subscription found|unable to (get|acquire) (an )?(access )?token|authenticat(e|ion) .*fail/i,
    ],
    cause: "not logged in to Azure",
    hint: "Log in: az login. In CI, set ARM_CLIENT_ID, ARM_TENANT_ID and ARM_USE_OIDC or ARM_CLIENT_SECRET.",
  },
  {
    name: "azure-subscription",
    match: [
      /SubscriptionNotFound|InvalidSubscriptionId|subscription .* (could not be found|not found)/i,
    ],
    cause: "the login has no such subscription",
    hint: "List the subscriptions: az account list. Then set store:subscriptionId.",
  },
  {
    name: "azure-permission",
    match: [/AuthorizationFailed|does not have authorization/i],
    cause: "the login lacks a permission in the subscription",
    hint: "Assign the role Contributor on the subscription or on the resource group.",
  },
  {
    name: "azure-quota",
    match: [/quota/i],
    cause: "the subscription's quota is used up",
    hint: "Request a higher quota (Azure portal: Quotas), delete an unused VM, or choose a smaller store:vmSize or another store:location.",
  },
  {
    name: "azure-vm-size",
    match: [
      /SkuNotAvailable|not available in location|NotAvailableForSubscription|AllocationFailed|valid sizes in the current region/i,
    ],
    cause: "the VM size is not available in this location",
    hint: "List the sizes: az vm list-skus --location REGION --resource-type virtualMachines. Then change store:vmSize or store:location.",
  },
  {
    name: "azure-address-range",
    match: [/NetcfgInvalid|overlap/i],
    cause: "the address range overlaps with another network",
    hint: "Set store:addressRange to an unused range.",
  },
  {
    name: "azure-dns-label",
    match: [/DnsRecordInUse/i],
    cause: "the DNS name is already taken",
    hint: "Change store:dnsLabel, or remove it to get a name with a random suffix.",
  },
  {
    name: "azure-unknown-vm",
    match: [/NicInUse|already owned by VM/],
    cause: "a VM that is not in the stack's state uses its network interface",
    hint: "A run that was killed while it created the VM has left the VM behind. The message above contains its ID: az vm delete --ids ID",
  },
  {
    name: "azure-not-found",
    match: [/ResourceGroupNotFound|ResourceNotFound|InvalidResourceReference/],
    cause: "a resource of the stack no longer exists",
    hint: "If it was deleted by hand, recreate it: ./store up STACK --refresh",
  },
  {
    name: "azure-conflict",
    match: [/PropertyChangeNotAllowed|\b409\b|Conflict/],
    cause: "Azure refuses the operation in the resource's current state",
    hint: "Wait until other operations on the resource are done. To see the resources' actual state: ./store preview STACK --refresh",
  },
  {
    name: "provisioning-failed",
    match: [FAILED_PROVISIONING],
    cause: "cloud-init finished without a working Docker",
    hint:
      "The lines above are the VM's own output. If a server was unreachable and is reachable again, retry; otherwise check " +
      "store:dockerSource and store:dockerVersion. The next up creates another VM; the data is kept on a disk of its own.",
    onSsh: {
      cause: "Docker doesn't run on the machine",
      hint: "The lines above are the machine's own output. Repair Docker there (systemctl status docker).",
    },
  },
  {
    name: "provisioning-timeout",
    // Anchored: the script, which an error may quote, contains the same text.
    match: [/^not ready within \d+ minutes|custom timeout of \S+ \((?!while dialing)/m],
    cause: "the VM had no working Docker within the time limit",
    hint: "Raise store:readyMinutes, or read the VM's serial log (Azure portal: Boot diagnostics).",
    onSsh: {
      cause: "the machine had no working Docker within the time limit",
      hint: "Raise store:readyMinutes, or log in to the machine and see why: journalctl -u docker.",
    },
  },
  {
    name: "host-key-mismatch",
    match: [/host key mismatch|knownhosts: key mismatch|ssh: handshake failed: ssh: host key/i],
    cause: "the machine at this address has an unexpected host key",
    hint: "Another machine may have got the address. Find out which one before you continue. Nothing was sent to it.",
    connection: true,
  },
  {
    name: "ssh-login",
    match: [/unable to authenticate|Permission denied \(publickey/i],
    cause: "the machine rejects the SSH key",
    hint: "store:sshPublicKey must belong to store:sshPrivateKey.",
    onSsh: {
      hint: "Add the public key of store:sshPrivateKey (ssh-keygen -y -f FILE prints it) to ~/.ssh/authorized_keys of store:sshUser on the machine.",
    },
    connection: true,
  },
  UNREACHABLE,
];
