import { AZURE_DNS_PROBLEMS } from "./azureDnsProblems";
import type { HostProblem } from "./hostProblems";

/** ID of the stack's VM, which has the stack's name as a tag, for commands of `az`. */
const VM_ID = `$(az vm list --query "[?tags.stack=='STACK'].id" --output tsv)`;

/** Command that prints the VM's console, the only evidence while SSH doesn't answer. */
export const BOOT_LOG = `The VM's boot log: az vm boot-diagnostics get-boot-log --ids ${VM_ID}`;

/** Way to change what Azure doesn't change while the VM exists. */
const WITHOUT_VM = "./store down STACK, which keeps the data, and up again";

/** Problems before Azure looks at the resource itself. */
const ACCESS: readonly HostProblem[] = [
  {
    name: "azure-login",
    match: [
      /az login|AADSTS|DefaultAzureCredential|no subscription found|unable to (get|acquire) (an )?(access )?token|authenticat(e|ion) .*fail/i,
    ],
    cause: "not logged in to Azure",
    hint: "Log in: az login. In CI, set ARM_CLIENT_ID, ARM_TENANT_ID and ARM_USE_OIDC or ARM_CLIENT_SECRET.",
    general: true,
  },
  {
    name: "azure-subscription",
    match: [
      /SubscriptionNotFound|InvalidSubscriptionId|subscription .* (could not be found|not found)/i,
    ],
    cause: "the login has no such subscription",
    hint: "List the subscriptions: az account list. Then set store:subscriptionId, or correct the one in store:dnsZone.",
    general: true,
  },
  {
    name: "azure-lock-permission",
    match: [/action 'Microsoft\.Authorization\/locks\/(read|write|delete)'/],
    cause: "the login may neither create nor delete locks (store:dataDiskLock)",
    hint: "Contributors can't. Assign the role Owner, User Access Administrator or Locks Contributor on the resource group or the subscription, or remove store:dataDiskLock.",
  },
  {
    name: "azure-subnet-permission",
    match: [/action 'Microsoft\.Network\/virtualNetworks\/(read|subnets\/(read|join\/action))'/],
    cause: "the login may not use the subnet of store:subnetId",
    hint: "Assign the role Network Contributor on that virtual network, or one with Microsoft.Network/virtualNetworks/read and Microsoft.Network/virtualNetworks/subnets/join/action.",
  },
  {
    name: "azure-permission",
    match: [/AuthorizationFailed|does not have authorization/i],
    cause: "the login lacks a permission in the subscription",
    hint: "Assign the role Contributor on the subscription, because the stack creates a resource group. With store:resourceGroup, Contributor on that group is enough.",
  },
  {
    name: "azure-policy",
    match: [/RequestDisallowedByPolicy|disallowed by policy/i],
    cause: "a policy of the subscription forbids it",
    hint: "The message above names the policy. Choose what it allows (store:location, store:vmSize, store:owner, store:tags, store:resourceGroup, store:subnetId, store:encryptionAtHost), or ask the policy's owner for an exemption.",
  },
  {
    name: "azure-lock",
    match: [/ScopeLocked|scope\(s\) are locked/],
    cause: "a lock protects the resource or its group",
    hint: "List the locks: az lock list --output table. If the lock may go: az lock delete --ids ID. If there is none, it was deleted a moment ago: wait a minute.",
  },
  {
    name: "azure-throttled",
    match: [/Status=429|TooManyRequests|SubscriptionRequestsThrottled/],
    cause: "Azure limits the subscription's requests for now",
    hint: "Wait a few minutes. What was created so far stays.",
    general: true,
  },
  {
    name: "azure-registration",
    match: [/MissingSubscriptionRegistration|not registered to use namespace/],
    cause: "the subscription hasn't registered a resource provider",
    hint: "The message above names it: az provider register --namespace NAMESPACE --wait",
  },
];

/** Limits of the subscription and the region. */
const LIMITS: readonly HostProblem[] = [
  {
    name: "azure-regional-quota",
    match: [/Total Regional (v?CPUs|Cores)|CountLimitReached/i],
    cause: "the subscription's quota in this region is used up",
    hint: "See what uses it: az vm list-usage --location REGION --output table. Delete what isn't needed, request a higher quota (Azure portal: Quotas), or choose another store:location.",
  },
  {
    name: "azure-quota",
    match: [/quota/i],
    cause: "the subscription's quota for this family of VM sizes is used up",
    hint: "See what is left: az vm list-usage --location REGION --output table. Choose a smaller store:vmSize or one of another family, request a higher quota (Azure portal: Quotas), or choose another store:location.",
  },
  {
    name: "azure-region",
    match: [/LocationNotAvailableFor|NoRegisteredProviderFound/],
    cause: "the region doesn't exist, or doesn't offer this resource",
    hint: "List the regions: az account list-locations --output table. Then change store:location.",
  },
  {
    name: "azure-capacity",
    match: [/AllocationFailed|OverconstrainedAllocationRequest|sufficient capacity/i],
    cause: "the region has no free capacity for this VM size at the moment",
    hint: "Wait and try again, or change store:vmSize or store:location.",
  },
  {
    name: "azure-vm-size",
    match: [
      /SkuNotAvailable|not available in location|NotAvailableForSubscription|valid sizes in the current region/i,
    ],
    cause: "the VM size is not available in this location",
    hint: "List the sizes: az vm list-skus --location REGION --resource-type virtualMachines. Then change store:vmSize or store:location.",
  },
];

/** Properties of all resources that Azure rejects. */
const COMMON: readonly HostProblem[] = [
  {
    name: "azure-tags",
    match: [/InvalidTag(s|Name|NameCharacters|Value)?\b|TooManyTags/],
    cause: "Azure rejects a tag",
    hint: "The message above names it: correct store:tags.",
  },
];

/** Properties of the VM that Azure rejects. */
const MACHINE: readonly HostProblem[] = [
  {
    name: "azure-encryption-at-host",
    match: [/encryption ?at ?host/i],
    cause: "encryption at host isn't available",
    hint: "Register the feature and wait until its state is Registered: az feature register --namespace Microsoft.Compute --name EncryptionAtHost; az feature show --namespace Microsoft.Compute --name EncryptionAtHost. Or choose a store:vmSize that supports it, or set store:encryptionAtHost to false.",
  },
  {
    name: "azure-trusted-launch",
    match: [/Trusted ?Launch/i],
    cause: "this VM size or image doesn't support Trusted Launch",
    hint: "Set store:trustedLaunch to false, or choose another store:vmSize or store:vmImage: https://aka.ms/trustedlaunch",
  },
  {
    name: "azure-image",
    match: [/PlatformImageNotFound|ImageVersionNotFound|MarketplacePurchaseEligibilityFailed/],
    cause: "the VM's image is not available",
    hint: "List the images: az vm image list --all --publisher Debian --offer debian-12 --location REGION --output table. Then change store:vmImage.",
  },
  {
    name: "azure-image-on-size",
    match: [/cannot boot (with )?(Hypervisor|OS image)|CPU Architecture|DiskControllerType/i],
    cause: "the VM size can't boot this image",
    hint: "Generation, CPU architecture and disk controller must fit: choose another store:vmImage (such as Debian:debian-13:13-gen2:latest) or store:vmSize.",
  },
  {
    name: "azure-accelerated-networking",
    match: [/Accelerated ?Networking/i],
    cause: "the network interface has accelerated networking, which this VM size doesn't support",
    hint: `Recreate the interface: ${WITHOUT_VM}. Or choose another store:vmSize.`,
  },
  {
    name: "azure-os-provisioning",
    match: [/OSProvisioning(TimedOut|InternalError|ClientError)/],
    cause: "the VM was created, but its operating system didn't report to Azure that it works",
    hint: `${BOOT_LOG}\nThe next up replaces the VM; the data is kept on a disk of its own.`,
  },
  {
    name: "azure-while-running",
    match: [/(to be|must be|is not|when) (stopped or |stopped \()?deallocated/i],
    cause: "Azure can't change this while the VM runs",
    hint: `Change it without a VM: ${WITHOUT_VM}.`,
  },
];

const NETWORK: readonly HostProblem[] = [
  {
    name: "azure-subnet-full",
    match: [/SubnetIsFull/],
    cause: "the subnet of store:subnetId has no free address",
    hint: "Choose another subnet, or have it enlarged.",
  },
  {
    name: "azure-firewall",
    match: [
      /OverlappingSubnetsNotPermittedInSecurityRule|SecurityRule(Invalid|Parameter|Conflict)|invalid Address prefix/i,
    ],
    cause: "Azure rejects a firewall rule",
    hint: "Correct store:adminCidrs: ranges such as 203.0.113.0/24 that don't overlap.",
  },
  {
    name: "azure-range-in-use",
    match: [/InUse(Prefix|Subnet)CannotBe|SubnetsNotInSameVnet|active allocations/],
    cause: "the VM's network and its address range can't change while the VM uses them",
    hint: `Set store:addressRange or store:subnetId back, or change it without a VM: ${WITHOUT_VM}.`,
  },
  {
    name: "azure-address-range",
    match: [/NetcfgInvalid|Vnet\w*Overlap|address space .*overlap/i],
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
    name: "azure-network-interface",
    match: [/NicReservedForAnotherVm|reserved for another Virtual Machine/i],
    cause: "Azure still reserves the network interface for a VM that failed or was deleted",
    hint: "Wait three minutes. Nothing is wrong with the interface.",
  },
];

/** Resources whose actual state isn't what the stack's state says. */
const EXISTENCE: readonly HostProblem[] = [
  {
    name: "azure-resource-group",
    match: [/getResourceGroup returned an error: .*NotFound/s],
    cause: "the resource group of store:resourceGroup doesn't exist in the subscription",
    hint: "List the groups: az group list --output table. Correct store:resourceGroup or store:subscriptionId, or create the group: az group create --name NAME --location REGION",
  },
  {
    name: "azure-subnet",
    match: [/getVirtualNetwork returned an error: .*NotFound/s],
    cause: "the network of store:subnetId doesn't exist in the subscription",
    hint: "List the subnets: az network vnet list --query '[].subnets[].id' --output tsv. Then correct store:subnetId.",
  },
  {
    name: "azure-unknown-vm",
    match: [/NicInUse|already owned by VM|already existing resource .*\/virtualMachines\//],
    cause: "a VM that is not in the stack's state has its name or uses its network interface",
    hint: "A run that was killed while it created the VM has left the VM behind. The message above contains its ID: az vm delete --ids ID",
  },
  {
    name: "azure-unknown-resource",
    match: [/already existing resource/],
    cause: "a resource with this name exists, but is not in the stack's state",
    hint: "A run that was killed while it created the resource has left it behind. The message above contains its ID: az resource delete --ids ID",
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
];

/**
 * Messages of Azure, in order of precedence.
 *
 * @see https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
 */
export const AZURE_PROBLEMS: readonly HostProblem[] = [
  ...AZURE_DNS_PROBLEMS,
  ...ACCESS,
  ...COMMON,
  ...MACHINE,
  ...LIMITS,
  ...NETWORK,
  ...EXISTENCE,
];
