import * as pulumi from "@pulumi/pulumi";

type Inputs = Readonly<Record<string, unknown>>;

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;
const CONTAINER = "docker:index/container:Container";
const LABELS = labels({ project: "store", stack: "test" });
const TAGS = { project: "store", stack: "test", owner: "store-team" };

/** A container that breaks no policy. */
const CONTAINER_INPUTS = {
  image: DIGEST,
  user: "1000:1000",
  readOnly: true,
  memory: 256,
  capabilities: { drops: ["ALL"] },
  securityOpts: ["no-new-privileges:true"],
  healthcheck: { tests: ["CMD", "true"] },
  envs: ["PORT=3000", "STAFF_TOKEN_FILE=/run/secrets/STAFF_TOKEN"],
  labels: LABELS,
};

/** A program for the stack staging with a resource of each kind, which break no mandatory policy. */
export function obedient(): void {
  const remote = new Provider("docker", "remote");
  const local = new Provider("docker", "local-docker", new Component("LocalHost", "local"));
  const gateway = new Component("Gateway", "gateway");
  container("gateway", { ports: [{ internal: 80, external: 80 }] }, remote, gateway);
  container("billing", { labels: billing(), envs: ["PAYMENT_PROVIDER=stripe"] }, remote);
  // Advisory in this stack: policy/config.json.
  container("simulated-payments-in-staging", { labels: billing() }, remote);
  container("simulated-payments-in-development", { labels: billing() }, local);
  resource("docker:index/remoteImage:RemoteImage", "version", { name: "postgres:18.4" }, local);
  resource(
    "docker:index/remoteImage:RemoteImage",
    "digest",
    { name: `r.io/postgres:18.4@${DIGEST}` },
    remote,
  );
  resource(
    "docker:index/remoteImage:RemoteImage",
    "content",
    { name: "store/orders:0123456789abcdef" },
    remote,
  );
  const data = resource("docker:index/volume:Volume", "data", { labels: LABELS }, remote, {
    protect: true,
  });
  // Not known before the first `up`.
  const later = {
    image: data.id,
    user: data.id,
    envs: [data.id],
    memory: data.id,
    readOnly: data.id,
  };
  container("not-yet-known", { ...later, labels: billing() }, remote);
  const files = labels({ project: "store", stack: "test", role: "files" });
  resource("docker:index/volume:Volume", "files", { labels: files }, remote);

  const azure = new Provider("azure-native", "azure");
  const host = new Component("AzureHost", "host");
  firewall("firewall", "203.0.113.0/24", azure);
  resource(
    "azure-native:network:PublicIPAddress",
    "address",
    { tags: TAGS, sku: { name: "Standard" } },
    azure,
    { parent: host },
  );
  resource("azure-native:network:Subnet", "subnet", {}, azure);
  vm("vm", "Standard_DS2_v2", azure);
  resource("azure-native:compute:Disk", "disk", diskInputs(), azure, { protect: true });
}

/** A program whose resources each break the policy that they are named after. */
export function disobedient(): void {
  const docker = new Provider("docker", "remote");
  container("only-gateway-publishes-ports", { ports: [{ internal: 80, external: 81 }] }, docker);
  resource(
    "docker:index/remoteImage:RemoteImage",
    "image-not-latest",
    { name: "postgres" },
    new Provider("docker", "local-docker", new Component("LocalHost", "local")),
  );
  resource(
    "docker:index/remoteImage:RemoteImage",
    "image-pinned",
    { name: "postgres:18.4" },
    docker,
  );
  container("container-not-root", { user: undefined }, docker);
  container("container-not-privileged", { privileged: true }, docker);
  container("container-read-only", { readOnly: undefined }, docker);
  container("container-limits", { memory: undefined }, docker);
  container("container-health-check", { healthcheck: undefined }, docker);
  container("no-secret-in-environment", { envs: [pulumi.secret("GREETING=hello")] }, docker);
  container("no-simulated-payments", { labels: billing() }, docker);
  resource("docker:index/network:Network", "required-tags", {}, docker);
  resource("docker:index/volume:Volume", "data-protected", { labels: LABELS }, docker);

  const azure = new Provider("azure-native", "azure");
  firewall("ssh-not-open-to-world", "0.0.0.0/0", azure);
  resource(
    "azure-native:network:PublicIPAddress",
    "no-other-public-address",
    { tags: TAGS },
    azure,
  );
  vm("vm-size-allowed", "Standard_M416ms_v2", azure);
  vm("within-the-limit", "Standard_DS3_v2", azure);
  vm("monthly-cost", "Standard_DS3_v2", azure, { dependsOn: [...vms] });
}

class Component extends pulumi.ComponentResource {
  constructor(type: string, name: string) {
    super(`store:index:${type}`, name);
  }
}

class Provider extends pulumi.ProviderResource {
  constructor(pkg: string, name: string, parent?: pulumi.Resource) {
    super(pkg, name, {}, { parent });
  }
}

class Any extends pulumi.CustomResource {}

function resource(
  type: string,
  name: string,
  inputs: Inputs,
  provider: pulumi.ProviderResource,
  opts: pulumi.CustomResourceOptions = {},
): pulumi.CustomResource {
  return new Any(type, name, inputs, { ...opts, provider });
}

function container(
  name: string,
  inputs: Inputs,
  provider: pulumi.ProviderResource,
  parent?: pulumi.Resource,
): void {
  resource(CONTAINER, name, { ...CONTAINER_INPUTS, ...inputs }, provider, { parent });
}

const vms: pulumi.Resource[] = [];

function vm(
  name: string,
  vmSize: string,
  provider: pulumi.ProviderResource,
  opts: pulumi.CustomResourceOptions = {},
): void {
  const inputs = { tags: TAGS, hardwareProfile: { vmSize } };
  vms.push(resource("azure-native:compute:VirtualMachine", name, inputs, provider, opts));
}

function firewall(name: string, from: string, provider: pulumi.ProviderResource): void {
  const rule = { direction: "Inbound", access: "Allow", protocol: "Tcp" };
  const securityRules = [
    { ...rule, name: "http", sourceAddressPrefixes: ["0.0.0.0/0"], destinationPortRange: "80" },
    { ...rule, name: "ssh", sourceAddressPrefixes: [from], destinationPortRange: "22" },
  ];
  resource(
    "azure-native:network:NetworkSecurityGroup",
    name,
    { tags: TAGS, securityRules },
    provider,
  );
}

function diskInputs(): Inputs {
  return { tags: TAGS, diskSizeGB: 32, sku: { name: "StandardSSD_LRS" } };
}

function labels(entries: Readonly<Record<string, string>>): { label: string; value: string }[] {
  return Object.entries(entries).map(([name, value]) => ({ label: `dev.store.${name}`, value }));
}

function billing(): { label: string; value: string }[] {
  return labels({ project: "store", stack: "test", service: "billing", role: "service" });
}
