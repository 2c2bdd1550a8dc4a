import { releaseOf } from "../components/host/azure/vmImages";
import { hasNvmeDisks } from "../components/host/azure/vmSizes";
import { overlaps } from "./addressRanges";
import { MAX_TAGS, subscriptionOf } from "./azureNames";
import { Mistake } from "./configError";
import { configSet, type Rule, when } from "./rule";
import { ConfigValues, DEFAULT_ADDRESS_RANGE } from "./schema";

/** Checks of the VM's image, network and tags across keys. */
export const AZURE_RULES: readonly Rule[] = [
  { reads: ["host", "hosts"], check: hostsOnAzure },
  { reads: ["host", "hosts", "addressRange"], check: networkBesideSwarm },
  { reads: ["host", "vmSize", "vmImage"], check: imageForDisks },
  { reads: ["host", "trustedLaunch", "vmImage"], check: imageForTrustedLaunch },
  { reads: ["host", "dockerSource", "dockerVersion", "vmImage"], check: dockerForImage },
  { reads: ["host", "subnetId", "addressRange"], check: oneNetwork },
  { reads: ["host", "subnetId", "subscriptionId"], check: subnetInSubscription },
  { reads: ["host", "tags"], check: tagsFit },
];

function hostsOnAzure({ host, hosts }: ConfigValues): Mistake[] {
  const remedy =
    host === "ssh"
      ? `Name the further machines: ${configSet("--path 'workers[0].address' HOST")}; ${configSet("--path 'workers[0].hostKey' KEY")}`
      : `A stack on this machine has one host. To create VMs in Azure: ${configSet("host azure")}`;
  return when(
    host !== "azure" && hosts > 1,
    "hosts",
    `is the number of VMs in Azure, but store:host is ${host}. ${remedy}`,
  );
}

/** Range of components/swarm/init.sh. */
const SWARM_RANGE = "172.30.0.0/16";

function networkBesideSwarm({ host, hosts, addressRange }: ConfigValues): Mistake[] {
  return when(
    host === "azure" && hosts > 1 && overlaps(addressRange, SWARM_RANGE),
    "addressRange",
    `${addressRange} overlaps with ${SWARM_RANGE}, in which Docker Swarm creates the networks of the services. Choose another one, such as ${DEFAULT_ADDRESS_RANGE}.`,
  );
}

/** Debian 12 lacks azure-vm-utils, whose udev rules give NVMe disks the names by which the data disk is found. */
function imageForDisks({ host, vmSize, vmImage }: ConfigValues): Mistake[] {
  return when(
    host === "azure" && hasNvmeDisks(vmSize) && /^debian:debian-12:/i.test(vmImage),
    "vmSize",
    `${vmSize} has NVMe disks, which Debian 12 doesn't name. Choose a size of version 5 or earlier, or another image: ${configSet("vmImage Debian:debian-13:13-gen2:latest")}`,
  );
}

/** @see https://learn.microsoft.com/azure/virtual-machines/trusted-launch#operating-systems-supported */
function imageForTrustedLaunch({ host, trustedLaunch, vmImage }: ConfigValues): Mistake[] {
  const release = releaseOf(vmImage);
  return when(
    host === "azure" &&
      trustedLaunch &&
      release?.distribution === "debian" &&
      Number(release.version) > 12,
    "trustedLaunch",
    `Azure's Trusted Launch doesn't support Debian ${release?.version ?? ""}. Choose Debian 12 or Ubuntu: ${configSet("vmImage Canonical:ubuntu-24_04-lts:server:latest")}`,
  );
}

/** Docker's own packages have the distribution's version in theirs, such as 5:28.5.2-1~debian.12~bookworm. */
function dockerForImage({ host, dockerSource, dockerVersion, vmImage }: ConfigValues): Mistake[] {
  const [, distribution, version] = /~(debian|ubuntu)\.([\d.]+)~/.exec(dockerVersion) ?? [];
  const release = releaseOf(vmImage);
  if (host !== "azure" || dockerSource !== "docker" || distribution === undefined) return [];
  return when(
    release !== undefined && (release.distribution !== distribution || release.version !== version),
    "dockerVersion",
    `${dockerVersion} is a package for ${distribution} ${version ?? ""}, but store:vmImage is ${vmImage}. Name a package for that image, or remove the key to install the newest.`,
  );
}

function oneNetwork({ host, subnetId, addressRange }: ConfigValues): Mistake[] {
  return when(
    host === "azure" && subnetId !== "" && addressRange !== DEFAULT_ADDRESS_RANGE,
    "addressRange",
    "is the range of a network that the stack creates, but store:subnetId names an existing subnet. Remove one of the keys.",
  );
}

function subnetInSubscription({ host, subnetId, subscriptionId }: ConfigValues): Mistake[] {
  const subscription = subscriptionOf(subnetId);
  return when(
    host === "azure" &&
      subnetId !== "" &&
      subscriptionId !== "" &&
      subscription.toLowerCase() !== subscriptionId.toLowerCase(),
    "subnetId",
    `is in the subscription ${subscription}, but store:subscriptionId is ${subscriptionId}. Azure requires a VM and its subnet to be in one subscription.`,
  );
}

function tagsFit({ host, tags }: ConfigValues): Mistake[] {
  if (host !== "azure") return [];
  const names = Object.keys(tags);
  const twice = names.find((name, i) =>
    names.slice(0, i).some((other) => other.toLowerCase() === name.toLowerCase()),
  );
  return [
    ...when(
      names.length > MAX_TAGS,
      "tags",
      `has ${names.length} tags, and the program adds three. Azure permits 50: remove ${names.length - MAX_TAGS}.`,
    ),
    ...when(
      twice !== undefined,
      "tags",
      `has ${twice ?? ""} twice: Azure ignores the case of a tag's name. Remove one of them.`,
    ),
  ];
}
