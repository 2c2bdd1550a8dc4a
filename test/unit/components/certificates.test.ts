import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import {
  type AcmeArgs,
  certificateFile,
  challengeAnswer,
  thumbprint,
} from "../../../components/certificates/acme";
import { haproxyConfig } from "../../../components/gateway/haproxy";
import type { Https } from "../../../components/gateway/https";
import type { Host } from "../../../components/host/host";
import { LocalHost } from "../../../components/host/localHost";
import { Store } from "../../../components/store";
import type { HttpsArgs, StoreArgs } from "../../../components/storeArgs";
import { dataProtected } from "../../../policy/rules/data";
import {
  COMMAND,
  CONTAINER,
  PUBLIC_KEY,
  plain,
  REMOTE_IMAGE,
  reset,
  resource,
  resources,
  setMocks,
  VOLUME,
} from "../mocks";

const ACME: AcmeArgs = { directory: "https://ca.example/directory", email: "ops@example.org" };
const NAMES = ["shop.example.org", "www.shop.example.org"];
const FILE = certificateFile(ACME, NAMES);

describe("an account at a certificate authority", () => {
  it("has the thumbprint of RFC 7638 for its key", () => {
    // The first key of RFC 7517, A.1.
    const key = createPublicKey({
      format: "jwk",
      key: {
        kty: "EC",
        crv: "P-256",
        x: "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        y: "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
      },
    });
    const pem = key.export({ type: "spki", format: "pem" }).toString();
    assert.equal(thumbprint(pem), "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
  });

  it("answers a challenge with the token and the thumbprint", () => {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
    assert.equal(challengeAnswer(pem), `%[path,field(-1,/)].${thumbprint(pem)}`);
  });
});

describe("the file of a certificate", () => {
  it("is another one for other names and another authority, but not for another order of the names or another contact", () => {
    const files = [
      certificateFile(ACME, NAMES),
      certificateFile(ACME, ["shop.example.org"]),
      certificateFile({ directory: "https://ca.example/staging" }, NAMES),
    ];
    assert.equal(new Set(files).size, 3);
    assert.equal(certificateFile({ directory: ACME.directory }, NAMES), FILE);
    assert.match(FILE, /^shop\.example\.org-[0-9a-f]{8}\.pem$/);
    const [, hash] = /-([0-9a-f]{8})/.exec(certificateFile(ACME, [...NAMES].reverse())) ?? [];
    assert.ok(hash !== undefined && FILE.includes(hash));
  });
});

describe("a store whose certificate is ordered", () => {
  before(setMocks);
  beforeEach(reset);

  const localHost = (): Host => new LocalHost("local", { dockerHost: "unix:///test.sock" });
  function store(
    https?: HttpsArgs,
    host: Host = localHost(),
    opts: pulumi.ComponentResourceOptions = {},
  ): Store {
    const args: StoreArgs = {
      host,
      passwords: new random.Provider("passwords"),
      specs: new Map([["storefront", { port: 3000, routes: ["/"], network: "edge" }]]),
      enabledServices: [],
      images: {
        node: "node:26.10.0-slim",
        postgres: "postgres:18.4",
        haproxy: "haproxy:3.0.11",
        lego: "goacme/lego:v5.6.0",
      },
      source: {},
      httpPort: 80,
      requestLimit: 100,
      connectionLimit: 500,
      demoData: false,
      https,
    };
    return new Store("store", args, opts);
  }
  const https = (certificate: HttpsArgs["certificate"]): HttpsArgs => ({
    ...{ names: NAMES, port: 443, hstsSeconds: 300, certificate },
  });
  const own = { pem: "pem", fingerprint: "0123", expires: new Date("2030-01-01T00:00:00Z") };
  const named = async (type: string): Promise<string[]> =>
    (await resources(type)).map(({ name }) => name).sort();
  const everything = async (): Promise<string[]> =>
    (await Promise.all([COMMAND, CONTAINER, VOLUME, REMOTE_IMAGE].map(named))).flat();

  it("has additional resources, and no other store has them", async () => {
    store(https(own));
    const without = await everything();
    assert.doesNotMatch(without.join(), /certificates|acme|placeholder/);
    assert.deepEqual(await named("tls:index/privateKey:PrivateKey"), []);
    reset();
    store(https(ACME));
    const added = (await everything()).filter((name) => !without.includes(name));
    assert.deepEqual(added, [
      // Commands
      "certificates-files",
      "certificates-volume",
      // Containers
      "certificates",
      // Volumes
      "certificates-files",
      "gateway-certificates",
      // Images
      "certificates",
    ]);
    assert.deepEqual(await named("tls:index/privateKey:PrivateKey"), [
      "gateway-certificates-account",
      "gateway-certificates-placeholder",
    ]);
  });

  it("mounts the ordered certificates for the gateway to read, and for the container that orders to write", async () => {
    store(https(ACME));
    const volumeName = "gateway-certificates-1234567";
    const volumesOf = async (name: string) =>
      (await resource(CONTAINER, name)).inputs["volumes"] as { volumeName: string }[];
    const mountedBy = async (name: string) =>
      (await volumesOf(name)).filter((volume) => volume.volumeName === volumeName);
    assert.deepEqual(await mountedBy("gateway"), [
      { volumeName, containerPath: "/etc/store-certificates", readOnly: true },
    ]);
    assert.deepEqual(await mountedBy("certificates"), [
      { volumeName, containerPath: "/certificates" },
    ]);
  });

  it("has no volume that the policy for data refuses on a host without a data disk", async () => {
    store(https(ACME));
    for (const { name, type, inputs } of await resources(VOLUME)) {
      const planned = { type, inputs, urn: "", secretInputs: [], isProtected: false };
      assert.deepEqual(dataProtected.check({ ...planned, provider: "" }, {}), [], name);
    }
  });

  it("starts the gateway with the self-signed certificate, and the answer to challenges", async () => {
    store(https(ACME));
    const { inputs: certificate } = await resource(COMMAND, "gateway-certificate");
    assert.match(
      JSON.stringify(certificate["stdin"]),
      /'certificate-of-gateway-certificates-placeholder\\nprivate-of-gateway-certificates-placeholder'/,
    );
    const config = JSON.stringify((await resource(COMMAND, "gateway-config")).inputs["stdin"]);
    assert.ok(config.includes(`'challenge.answer' '${challengeAnswer(PUBLIC_KEY)}'`));
    assert.ok(config.includes(`'certificate.name' '${FILE}`));
    assert.match(config, /watch &/);
  });

  it("goes on with the certificate of its configuration, which the self-signed one doesn't overwrite", async () => {
    const ignoredWith = async (certificate: HttpsArgs["certificate"]): Promise<unknown> => {
      reset();
      let ignored: unknown;
      const remember: pulumi.ResourceTransformation = ({ type, name, opts }) => {
        if (type === COMMAND && name === "gateway-certificate")
          ignored = (opts as pulumi.CustomResourceOptions).ignoreChanges;
        return undefined;
      };
      store(https(certificate), localHost(), { transformations: [remember] });
      await resource(COMMAND, "gateway-certificate");
      return ignored;
    };
    assert.deepEqual(await ignoredWith(ACME), ["stdin"]);
    assert.equal(await ignoredWith(own), undefined);
  });

  it("gives the account's key to the container that orders only, as a file", async () => {
    store(https(ACME));
    const key = /private-of-gateway-certificates-account/;
    const { inputs: files } = await resource(COMMAND, "certificates-files");
    assert.match(JSON.stringify(files["stdin"]), key);
    assert.notEqual(plain(files["stdin"]), files["stdin"], "isn't a secret");
    for (const type of [COMMAND, CONTAINER, VOLUME])
      for (const { name, inputs } of await resources(type))
        if (name !== "certificates-files") assert.doesNotMatch(JSON.stringify(inputs), key, name);
  });

  it("trusts the root certificate of an authority of one's own, beside the system's", async () => {
    store(https(ACME));
    assert.equal((await resource(CONTAINER, "certificates")).inputs["envs"], undefined);
    reset();
    store(https({ ...ACME, root: "PEM of the root" }));
    assert.deepEqual((await resource(CONTAINER, "certificates")).inputs["envs"], [
      "LEGO_CA_CERTIFICATES=/etc/store/root.pem",
      "LEGO_CA_SYSTEM_CERT_POOL=true",
    ]);
    const { inputs } = await resource(COMMAND, "certificates-files");
    assert.match(JSON.stringify(inputs["stdin"]), /'root\.pem' 'PEM of the root'/);
  });

  it("orders after the host's DNS records, by which the authority finds the gateway", async () => {
    const record = new pulumi.ComponentResource("test:Record", "record");
    const host = Object.assign(localHost(), { nameRecords: [record] });
    let before: pulumi.CustomResourceOptions["dependsOn"];
    const remember: pulumi.ResourceTransformation = ({ type, name, opts }) => {
      if (type === CONTAINER && name === "certificates") before = opts.dependsOn;
      return undefined;
    };
    store(https(ACME), host, { transformations: [remember] });
    await resource(CONTAINER, "certificates");
    assert.ok([before ?? []].flat().includes(record));
  });

  it("orders for its names, without delaying the up", async () => {
    store(https(ACME));
    const { inputs } = await resource(CONTAINER, "certificates");
    assert.deepEqual(inputs["command"], [
      ...[FILE.replace(/\.pem$/, ""), FILE, ACME.directory, "ops@example.org", "-"],
      ...NAMES,
    ]);
    assert.equal(inputs["wait"], false);
    assert.match(
      JSON.stringify(inputs["labels"]),
      /"dev.store.files","value":"certificates-files-id"/,
    );
    reset();
    store(https({ directory: ACME.directory }));
    const without = (await resource(CONTAINER, "certificates")).inputs["command"] as string[];
    // The docker provider refuses an empty argument.
    assert.deepEqual(without.slice(2), [ACME.directory, "-", "-", ...NAMES]);
    assert.equal(inputs["readOnly"], true);
    assert.equal(inputs["user"], "1000:1000");
    assert.deepEqual(inputs["capabilities"], { drops: ["ALL"] });
    assert.equal(inputs["ports"], undefined);
  });
});

describe("the gateway's configuration for an ordered certificate", () => {
  const ordered: Https = {
    ...{ names: NAMES, port: 443, hstsSeconds: 300 },
    certificate: { placeholder: "", challengeAnswer: "", volumeName: "", file: FILE },
  };
  const configOf = (https?: Https): string =>
    haproxyConfig([], { requests: 100, connections: 0 }, { https }).files["haproxy.cfg"];

  it("answers challenges before it counts and redirects requests", () => {
    const config = configOf(ordered);
    const at = (text: string): number => {
      assert.ok(config.includes(text), text);
      return config.indexOf(text);
    };
    assert.ok(at("acme-challenge") < at("http-request track-sc0"));
    assert.ok(at("acme-challenge") < at("redirect code 308"));
    assert.doesNotMatch(configOf(), /acme-challenge|level admin/);
  });
});
