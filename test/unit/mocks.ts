import * as pulumi from "@pulumi/pulumi";
import { skipUnreadTraces } from "../../runtime/unreadTraces";

// ts-node maps the traces, which takes most of the time of a test with many resources.
skipUnreadTraces();

/** A resource as the program registered it. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  /** URN and ID of the provider. Empty for the default provider. */
  readonly provider: string;
}

const registered: Registered[] = [];
/** Names of the images that the daemon has. */
const localImages = new Set<string>();

/**
 * Replaces the Pulumi engine and its providers by mocks, which record the registered resources and return the outputs that the real
 * providers would add. Call it before the components are used. Each test that reads resources calls `reset` first.
 */
export async function setMocks(): Promise<void> {
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, custom, provider = "" }) => {
        registered.push({ type, name, inputs: inputs as Record<string, unknown>, provider });
        return {
          id: custom === false ? undefined : `${name}-id`,
          state: {
            ...(inputs as object),
            ...outputsOf(type, name, inputs as Record<string, unknown>),
          },
        };
      },
      call: ({ token, inputs, provider }) => {
        const values = inputs as Record<string, unknown>;
        // The default provider would ask the daemon that the environment names.
        const isOnStacksDaemon = Boolean(provider) && localImages.has(String(values["name"]));
        if (token === GET_REMOTE_IMAGE && !isOnStacksDaemon) {
          throw new Error(`did not find docker image '${String(values["name"])}'`);
        }
        return { ...values, ...functionOutputs(token, values) };
      },
    },
    "store",
    "test",
    false,
  );
}

export function reset(): void {
  registered.length = 0;
  localImages.clear();
}

/** Makes the daemon have an image until the next `reset`. */
export function addLocalImage(name: string): void {
  localImages.add(name);
}

/** Returns the registered resources of a type, after all pending registrations. */
export async function resources(type: string): Promise<Registered[]> {
  await settled();
  return registered.filter((resource) => resource.type === type);
}

/** Returns the resource with a type and a name. @throws Error if there is none, or more than one. */
export async function resource(type: string, name: string): Promise<Registered> {
  const found = (await resources(type)).filter((candidate) => candidate.name === name);
  const [first] = found;
  if (first === undefined || found.length > 1) {
    const names = (await resources(type)).map((candidate) => candidate.name).join(", ");
    throw new Error(`${found.length} resources ${type} are called "${name}"; there are: ${names}`);
  }
  return first;
}

/** Returns an input without the envelope of a secret. */
export function plain(input: unknown): Record<string, unknown> {
  const record = input as Record<string, unknown>;
  return SECRET in record ? (record["value"] as Record<string, unknown>) : record;
}

/** Key that marks a secret in the engine's wire format. */
const SECRET = "4dabf18193072939515e22adb298388d";

/** Returns an output's value. */
export function promiseOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}

/** Waits until several rounds bring no new resource. Resources register asynchronously, each after its inputs. */
async function settled(): Promise<void> {
  for (let quiet = 0, count = -1; quiet < 5;) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    quiet = registered.length === count ? quiet + 1 : 0;
    count = registered.length;
  }
}

function outputsOf(
  type: string,
  name: string,
  inputs: Record<string, unknown>,
): Record<string, unknown> {
  switch (type) {
    case "docker:index/remoteImage:RemoteImage":
      return { imageId: `sha256:${name}` };
    case "docker:index/network:Network":
    case "docker:index/volume:Volume":
    case "docker:index/container:Container":
      return { name: inputs["name"] ?? `${name}-1234567` };
    case "docker:index/service:Service":
    case "docker:index/secret:Secret":
      return { name: `${name}-1234567` };
    case "command:remote:Command":
      return { stdout: stdoutOf(name) };
    case "random:index/randomPassword:RandomPassword":
      return { result: pulumi.secret(`password-of-${name}`) };
    case "tls:index/privateKey:PrivateKey":
      return {
        privateKeyOpenssh: pulumi.secret(`private-of-${name}`),
        publicKeyOpenssh: `ssh-ed25519 public-of-${name}\n`,
        privateKeyPem: pulumi.secret(`private-of-${name}`),
        publicKeyPem: PUBLIC_KEY,
      };
    case "tls:index/selfSignedCert:SelfSignedCert":
      return { certPem: `certificate-of-${name}\n` };
    case "azure-native:compute:VirtualMachine":
      return { vmId: `vm-of-${name}`, name };
    case "azure-native:network:PublicIPAddress":
      return {
        ipAddress: "203.0.113.80",
        dnsSettings: { fqdn: `${name}.australiaeast.cloudapp.azure.com` },
      };
    case "azure-native:resources:ResourceGroup":
      return { name: `group-of-${name}` };
    case "azure-native:containerregistry:Registry":
      return {
        name: inputs["registryName"],
        loginServer: "mine.azurecr.io",
        creationDate: "2026-01-02T03:04:05Z",
      };
    case "azure-native:containerregistry:Token":
      return {
        name: inputs["tokenName"],
        creationDate: "2026-01-02T03:04:05Z",
        azureApiVersion: "2024-11-01-preview",
      };
    case "random:index/randomString:RandomString":
      return { result: "0a1b2c3d" };
    case "random:index/randomBytes:RandomBytes":
      return { hex: "0a1b2c3d" };
    default:
      return {};
  }
}

/** Returns what the scripts of a swarm print. */
function stdoutOf(name: string): string | pulumi.Output<string> {
  if (name.startsWith("swarm-invitation-"))
    return pulumi.secret("SWMTKN-1-test 192.0.2.1:2377 fingerprint");
  return name.startsWith("swarm-join-") ? name.replace("swarm-join-", "node-of-") : "";
}

/** Returns what a function of a provider adds to its arguments. */
function functionOutputs(
  token: string,
  { resourceGroupName, virtualNetworkName, zoneName }: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  switch (token) {
    case "azure-native:resources:getResourceGroup":
      return { name: resourceGroupName };
    case "azure-native:network:getVirtualNetwork": {
      const id = `${SUBSCRIPTION_ID}/resourceGroups/${String(resourceGroupName)}/providers/Microsoft.Network/virtualNetworks/${String(virtualNetworkName)}`;
      const subnets = [{ id: `${id}/subnets/vms`, addressPrefix: "10.1.2.0/24" }];
      return { name: virtualNetworkName, id, location: "australiaeast", subnets };
    }
    case "azure-native:dns:getZone":
      return { name: zoneName };
    default:
      return {};
  }
}

/** A public key for ECDSA with P-256. */
export const PUBLIC_KEY = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEnUMh4IIVEHjxDengXazNyyhcqpSj
OJa0cEpK+wHcVwQo34A25yKmH13+ywx/+KhJJMQHnxdX7pjpO+3b0ii3sQ==
-----END PUBLIC KEY-----
`;

/** ID of the subscription in which the mocks find networks. */
export const SUBSCRIPTION_ID = "/subscriptions/11111111-2222-4333-8444-555555555555";

const GET_REMOTE_IMAGE = "docker:index/getRemoteImage:getRemoteImage";

/** Type tokens of the providers' resources. */
export const CONTAINER = "docker:index/container:Container";
export const REMOTE_IMAGE = "docker:index/remoteImage:RemoteImage";
export const NETWORK = "docker:index/network:Network";
export const COMMAND = "command:local:Command";
export const VOLUME = "docker:index/volume:Volume";
