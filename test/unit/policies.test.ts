import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { LABEL } from "../../components/container/labelNames";
import config from "../../policy/config.json";
import { POLICIES } from "../../policy/policies";
import { Inputs, PlannedResource, UNKNOWN } from "../../policy/resource";

const REPOSITORY = resolve(__dirname, "../..");
const CONTAINER = "docker:index/container:Container";
const LOCAL = "urn:pulumi:dev::store::store:index:LocalHost$pulumi:providers:docker::local-docker";
const REMOTE = "urn:pulumi:dev::store::pulumi:providers:docker::host";
const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;

interface Options extends Partial<Omit<PlannedResource, "type" | "inputs">> {
  /** Types of the parent components. */
  readonly parents?: string;
  /** Settings in place of those in config.json. */
  readonly settings?: object;
}

/** Returns the violations of one policy by one resource. */
function violations(
  policy: string,
  type: string,
  inputs: Inputs,
  options: Options = {},
): readonly string[] {
  const found = POLICIES.find(({ name }) => name === policy);
  assert.ok(found, `There is no policy ${policy}`);
  const { parents, settings, ...rest } = options;
  const resource: PlannedResource = {
    type,
    inputs,
    urn: `urn:pulumi:test::store::${parents === undefined ? "" : `${parents}$`}${type}::name`,
    secretInputs: [],
    isProtected: false,
    provider: type.startsWith("docker:") ? REMOTE : undefined,
    ...rest,
  };
  return found.check(resource, {
    ...(config as Readonly<Record<string, object>>)[policy],
    ...settings,
  });
}

function holds(policy: string, type: string, inputs: Inputs, options?: Options): void {
  assert.deepEqual(violations(policy, type, inputs, options), [], JSON.stringify(inputs));
}

/** Asserts one violation that says what to do, in a second sentence. */
function breaks(policy: string, type: string, inputs: Inputs, options?: Options): string {
  const found = violations(policy, type, inputs, options);
  assert.equal(found.length, 1, JSON.stringify(inputs));
  assert.match(found[0] ?? "", /\. [A-Z].*\.$/);
  return found[0] ?? "";
}

describe("policies for containers", () => {
  it("let only the gateway publish a port", () => {
    const policy = "only-gateway-publishes-ports";
    const ports = [{ internal: 80, external: 80 }];
    holds(policy, CONTAINER, { ports: [] });
    holds(policy, CONTAINER, { ports }, { parents: "store:index:Store$store:index:Gateway" });
    breaks(policy, CONTAINER, { ports });
    breaks(policy, CONTAINER, { publishAllPorts: true });
    breaks(policy, CONTAINER, { networkMode: "host" });
    breaks(policy, "docker:index/service:Service", {
      endpointSpec: { ports: [{ targetPort: 80 }] },
    });
  });

  it("refuse root by name, by ID and by default", () => {
    for (const user of ["node", "1000", "1000:0", "10:10", UNKNOWN])
      holds("container-not-root", CONTAINER, { user });
    for (const user of [undefined, "", "root", "0", "0:0", "root:root", "00", ":1000"])
      breaks("container-not-root", CONTAINER, { user });
  });

  it("refuse every way to privileges on the host", () => {
    const policy = "container-not-privileged";
    const capabilities = { drops: ["ALL"] };
    holds(policy, CONTAINER, {
      capabilities,
      privileged: false,
      securityOpts: ["no-new-privileges:true"],
    });
    holds(policy, CONTAINER, {
      capabilities,
      volumes: [{ hostPath: "/srv/store/src" }, { volumeName: "data" }],
    });
    for (const inputs of [
      { privileged: true },
      { capabilities: undefined },
      { capabilities: { drops: ["NET_RAW"] } },
      { capabilities: { drops: ["ALL"], adds: ["SYS_ADMIN"] } },
      { pidMode: "host" },
      { devices: [{ hostPath: "/dev/sda" }] },
      { securityOpts: ["seccomp=unconfined"] },
      ...["/var/run/docker.sock", "/run/docker.sock", "/var/run", "/run/", "/"].map((hostPath) => ({
        volumes: [{ hostPath }],
      })),
      { mounts: [{ type: "bind", source: "/var/run/docker.sock" }] },
    ])
      breaks(policy, CONTAINER, { capabilities, ...inputs });
  });

  it("demand a read-only root file system, a memory limit and a health check", () => {
    holds("container-read-only", CONTAINER, { readOnly: true });
    holds("container-read-only", CONTAINER, { readOnly: UNKNOWN });
    for (const readOnly of [undefined, false])
      breaks("container-read-only", CONTAINER, { readOnly });
    holds("container-limits", CONTAINER, { memory: 256 });
    for (const memory of [undefined, 0]) breaks("container-limits", CONTAINER, { memory });
    holds("container-health-check", CONTAINER, { healthcheck: { tests: ["CMD", "true"] } });
    for (const healthcheck of [undefined, {}, { tests: ["NONE"] }])
      breaks("container-health-check", CONTAINER, { healthcheck });
  });
});

describe("policies for Swarm services", () => {
  const SERVICE = "docker:index/service:Service";
  const limits = { limits: { memoryBytes: 268_435_456 } };
  const spec = {
    ...{ user: "1000:1000", readOnly: true, capDrops: ["ALL"], env: { PORT: "3000" } },
    healthcheck: { tests: ["CMD", "true"] },
  };
  const service = (change: object, resources: object = limits): Inputs => ({
    labels: [
      { label: LABEL.service, value: "billing" },
      { label: LABEL.role, value: "service" },
    ],
    taskSpec: { containerSpec: { ...spec, ...change }, resources },
  });

  it("demand of their instances what they demand of containers", () => {
    const wrong: readonly (readonly [policy: string, change: object, resources?: object])[] = [
      ["container-not-root", { user: "root" }],
      ["container-not-root", { user: undefined }],
      ["container-not-privileged", { capDrops: [] }],
      ["container-not-privileged", { capAdds: ["SYS_ADMIN"] }],
      ["container-not-privileged", { mounts: [{ source: "/var/run/docker.sock" }] }],
      ["container-read-only", { readOnly: false }],
      ["container-limits", {}, {}],
      ["container-health-check", { healthcheck: undefined }],
    ];
    for (const [policy, change, resources] of wrong) {
      holds(policy, SERVICE, service({}));
      holds(policy, SERVICE, { taskSpec: { containerSpec: UNKNOWN, resources: limits } });
      breaks(policy, SERVICE, service(change, resources));
    }
  });

  it("allow simulated payments in development only", () => {
    const stripe = { env: { PAYMENT_PROVIDER: "stripe" } };
    holds("no-simulated-payments", SERVICE, service(stripe));
    breaks("no-simulated-payments", SERVICE, service({}));
  });
});

describe("policies for images", () => {
  const REMOTE_IMAGE = "docker:index/remoteImage:RemoteImage";

  it("refuse latest in every stack", () => {
    for (const name of [
      "postgres:18.4",
      "localhost:5000/a/postgres:18",
      DIGEST,
      `postgres@${DIGEST}`,
    ])
      holds("image-not-latest", REMOTE_IMAGE, { name }, { provider: LOCAL });
    for (const name of ["postgres", "postgres:latest", "localhost:5000/postgres"])
      breaks("image-not-latest", REMOTE_IMAGE, { name }, { provider: LOCAL });
  });

  it("demand a digest or a content tag outside development", () => {
    for (const name of [`r.io/postgres:18.4@${DIGEST}`, "store/orders:0123456789abcdef"])
      holds("image-pinned", REMOTE_IMAGE, { name });
    holds("image-pinned", CONTAINER, { image: DIGEST });
    holds("image-pinned", CONTAINER, { image: UNKNOWN });
    holds("image-pinned", REMOTE_IMAGE, { name: "postgres:18.4" }, { provider: LOCAL });
    assert.match(
      breaks("image-pinned", REMOTE_IMAGE, { name: "postgres:18.4" }),
      /postgres:18\.4@sha256:DIGEST/,
    );
    breaks("image-pinned", CONTAINER, { image: "store/orders:1" });
    breaks("image-pinned", REMOTE_IMAGE, { name: "postgres:18.4" }, { provider: undefined });
  });
});

describe("policies for environment variables", () => {
  const policy = "no-secret-in-environment";

  it("refuse a variable with the name of a secret, and name it without its value", () => {
    for (const name of [
      "DATABASE_PASSWORD",
      "STAFF_TOKEN",
      "STRIPE_SECRET_KEY",
      "API_KEY",
      "SECRETS",
      "pgpassword".toUpperCase().replace("PG", "PG_"),
    ]) {
      const message = breaks(policy, CONTAINER, { envs: ["PORT=3000", `${name}=hush`] });
      assert.match(message, new RegExp(name));
      assert.doesNotMatch(message, /hush/);
    }
    holds(policy, CONTAINER, {
      envs: ["DATABASE_PASSWORD_FILE=/run/x", "TOKEN_LIFETIME=60", "KEY=a", "MONKEY=b"],
    });
    holds(
      policy,
      CONTAINER,
      { envs: ["SESSION_TOKEN=public"] },
      { settings: { except: ["SESSION_TOKEN"] } },
    );
  });

  it("refuse a secret by its form", () => {
    for (const value of [
      "postgres://orders:hush@database/orders",
      "-----BEGIN OPENSSH PRIVATE KEY-----\nabc",
      "sk_live_0123456789abcdef",
      "AKIA0123456789ABCDEF",
    ])
      breaks(policy, CONTAINER, { envs: [`VALUE=${value}`] });
    holds(policy, CONTAINER, {
      envs: ["URL=http://gateway:3000/a@b", "TIME=12:30@home", "X=http://user@host"],
    });
  });

  it("refuse a value that the program marks as a secret, in a container and in a command", () => {
    breaks(policy, CONTAINER, { envs: ["GREETING=hello"] }, { secretInputs: ["envs"] });
    holds(policy, CONTAINER, { envs: ["GREETING=hello"] }, { secretInputs: ["command"] });
    breaks(
      policy,
      "command:local:Command",
      { environment: { A: "b" } },
      { secretInputs: ["environment"] },
    );
    holds(
      policy,
      "command:local:Command",
      { environment: { TOKEN: "its name" }, stdin: "hush" },
      { secretInputs: ["stdin"] },
    );
  });

  it("allow simulated payments in development only", () => {
    const labels = [
      { label: LABEL.service, value: "billing" },
      { label: LABEL.role, value: "service" },
    ];
    const payments = "no-simulated-payments";
    holds(payments, CONTAINER, { labels, envs: ["PAYMENT_PROVIDER=stripe"] });
    holds(payments, CONTAINER, { labels, envs: ["PORT=3000"] }, { provider: LOCAL });
    holds(payments, CONTAINER, { labels, envs: [UNKNOWN] });
    holds(payments, CONTAINER, {
      labels: [labels[0], { label: LABEL.role, value: "database" }],
    });
    breaks(payments, CONTAINER, { labels, envs: ["PORT=3000"] });
    breaks(payments, CONTAINER, { labels, envs: ["PAYMENT_PROVIDER=simulated"] });
  });
});

describe("policies for Azure", () => {
  const GROUP = "azure-native:network:NetworkSecurityGroup";
  const VM = "azure-native:compute:VirtualMachine";
  const rule = { name: "ssh", direction: "Inbound", access: "Allow", protocol: "Tcp" };

  it("refuse SSH from anywhere, however it is written", () => {
    const policy = "ssh-not-open-to-world";
    const port = { destinationPortRange: "22" };
    for (const change of [
      { ...port, sourceAddressPrefixes: ["203.0.113.0/24", "10.0.0.0/8", "2001:db8::/32"] },
      { ...port, sourceAddressPrefix: "VirtualNetwork" },
      { destinationPortRange: "80", sourceAddressPrefix: "*" },
      { ...port, sourceAddressPrefix: "*", access: "Deny" },
      { ...port, sourceAddressPrefix: "*", direction: "Outbound" },
      { ...port, sourceAddressPrefix: "*", protocol: "Udp" },
      { ...port, sourceAddressPrefix: UNKNOWN },
    ])
      holds(policy, GROUP, { securityRules: [{ ...rule, ...change }] });
    for (const change of [
      ...["*", "0.0.0.0/0", "::/0", "Internet", "128.0.0.0/1"].map((sourceAddressPrefix) => ({
        ...port,
        sourceAddressPrefix,
      })),
      { ...port, sourceAddressPrefixes: ["203.0.113.0/24", "0.0.0.0/0"] },
      { destinationPortRange: "*", sourceAddressPrefix: "*" },
      { destinationPortRanges: ["80", "20-30"], sourceAddressPrefix: "*" },
      { ...port, sourceAddressPrefix: "*", protocol: "*" },
      { destinationPortRange: "2375", sourceAddressPrefix: "*" },
    ]) {
      breaks(policy, GROUP, { securityRules: [{ ...rule, ...change }] });
      breaks(policy, "azure-native:network:SecurityRule", { ...rule, ...change });
    }
  });

  it("allow public addresses to hosts only", () => {
    const policy = "no-other-public-address";
    const ADDRESS = "azure-native:network:PublicIPAddress";
    holds(policy, ADDRESS, {}, { parents: "store:index:AzureHost" });
    breaks(policy, ADDRESS, {});
    breaks(policy, "azure-native:network:NetworkInterface", {
      ipConfigurations: [{ publicIPAddress: { id: "x" } }],
    });
    holds(policy, "azure-native:network:NetworkInterface", {
      ipConfigurations: [{ subnet: { id: "x" } }],
    });
  });

  it("allow VM sizes of the list, in any case, and name the list in the violation", () => {
    holds("vm-size-allowed", VM, { hardwareProfile: { vmSize: "standard_ds2_V2" } });
    holds("vm-size-allowed", VM, { hardwareProfile: { vmSize: UNKNOWN } });
    assert.match(
      breaks("vm-size-allowed", VM, { hardwareProfile: { vmSize: "Standard_M416ms_v2" } }),
      /Standard_DS2_v2.*config set -s test vmSize/,
    );
  });

  it("limit the sum of a stack's resources, each of which counts once", () => {
    const limit = { settings: { limitUsd: 200 } };
    const vm = (name: string): readonly string[] =>
      violations(
        "monthly-cost",
        VM,
        { hardwareProfile: { vmSize: "Standard_DS2_v2" } },
        { ...limit, urn: `urn:pulumi:cost::store::${VM}::${name}` },
      );
    assert.deepEqual([vm("a"), vm("a")], [[], []]);
    assert.match(
      vm("b").join(),
      /268\.64 USD per month, over the limit of 200 USD: .*a \(Standard_DS2_v2\) 134\.32 USD/,
    );
    assert.deepEqual(
      violations(
        "monthly-cost",
        VM,
        { hardwareProfile: { vmSize: "Standard_DS2_v2" } },
        { ...limit, urn: `urn:pulumi:other::store::${VM}::a` },
      ),
      [],
    );
  });

  it("refuse a VM or a disk whose price isn't known", () => {
    const inputs = { hardwareProfile: { vmSize: "Standard_M416ms_v2" } };
    assert.match(breaks("monthly-cost", VM, inputs), /Standard_M416ms_v2.*prices\.json/);
  });

  it("demand tags of resources that can have some, and labels in Docker", () => {
    const tags = { project: "store", stack: "test", owner: "team" };
    holds("required-tags", VM, { tags });
    holds("required-tags", "azure-native:network:Subnet", {});
    holds("required-tags", "azure-native:authorization:ManagementLockByScope", {});
    holds("required-tags", "azure-native:dns:RecordSet", {});
    breaks("required-tags", "azure-native:compute:Snapshot", {});
    holds("required-tags", VM, { tags: { ...tags, owner: UNKNOWN } });
    assert.match(breaks("required-tags", VM, { tags: { ...tags, owner: "" } }), /tag owner/);
    assert.match(breaks("required-tags", VM, {}), /tags project, stack, owner/);
    assert.match(breaks("required-tags", CONTAINER, { labels: [] }), /labels dev\.store\.project/);
    holds("required-tags", "docker:index/remoteImage:RemoteImage", {});
  });

  it("demand that everything with data is protected", () => {
    const VOLUME = "docker:index/volume:Volume";
    const PASSWORD = "random:index/randomPassword:RandomPassword";
    for (const type of [VOLUME, "azure-native:compute:Disk"]) {
      holds("data-protected", type, {}, { isProtected: true });
      breaks("data-protected", type, {});
    }
    for (const role of ["files", "certificates"])
      holds("data-protected", VOLUME, { labels: [{ label: LABEL.role, value: role }] });
    breaks("data-protected", VOLUME, { labels: [{ label: LABEL.role, value: "database" }] });
    holds("data-protected", VOLUME, {
      driverOpts: { type: "none", o: "bind", device: "/data/orders" },
    });
    breaks("data-protected", PASSWORD, {}, { parents: "store:index:DatabaseData" });
    holds("data-protected", PASSWORD, {});
  });
});

describe("the policy pack", () => {
  it("has a level and all settings for each policy in config.json", () => {
    const configured = config as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    assert.deepEqual(Object.keys(configured).sort(), POLICIES.map(({ name }) => name).sort());
    for (const { name, settings } of POLICIES) {
      const { enforcementLevel, stacks: _stacks, ...values } = configured[name] ?? {};
      assert.match(String(enforcementLevel), /^(mandatory|advisory|disabled)$/);
      assert.deepEqual(Object.keys(values).sort(), Object.keys(settings).sort(), name);
    }
  });

  it("is described in docs/policies.md, policy by policy", () => {
    const text = execFileSync("cat", ["docs/policies.md"], { cwd: REPOSITORY, encoding: "utf8" });
    const described = [...text.matchAll(/^\| `([a-z-]+)` /gm)].map(([, name]) => name);
    assert.deepEqual(
      described,
      POLICIES.map(({ name }) => name),
    );
  });

  it("starts the way Pulumi's Node.js language host starts it", async () => {
    const host = resolve(REPOSITORY, "node_modules/@pulumi/pulumi/cmd/run-policy-pack");
    const child = spawn(process.execPath, [host, "127.0.0.1:1", "."], {
      cwd: resolve(REPOSITORY, "policy"),
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const [port] = (await once(child.stdout, "data")) as [Buffer];
      assert.match(String(port), /^\d+\n$/);
    } finally {
      child.kill();
    }
  });
});
