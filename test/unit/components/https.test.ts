import assert from "node:assert/strict";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { Gateway } from "../../../components/gateway/gateway";
import { acceptedHosts } from "../../../components/gateway/rules/allowedHosts";
import { haproxyConfig, type PublicAccess } from "../../../components/gateway/haproxy";
import type { Https } from "../../../components/gateway/https";
import { LocalHost } from "../../../components/host/localHost";
import { COMMAND, CONTAINER, reset, resource, resources, setMocks, VOLUME } from "../mocks";

const HTTPS: Https = {
  names: ["shop.example.org", "www.shop.example.org"],
  port: 443,
  hstsSeconds: 300,
  certificate: {
    pem: pulumi.secret("the-private-key"),
    fingerprint: "0123",
    expires: new Date("2030-01-01T00:00:00Z"),
  },
};
const LIMITS = { requests: 100, connections: 500 };

// test/integration/gateway tests HTTPS with a real HAProxy. These tests cover what can't be seen there.
describe("the gateway with HTTPS", () => {
  before(setMocks);
  beforeEach(reset);

  function gateway(access: PublicAccess): Gateway {
    return new Gateway("gateway", {
      imageId: "sha256:haproxy",
      routes: [],
      network: new docker.Network("edge"),
      serviceNetworks: [],
      httpPort: 80,
      clientLimits: LIMITS,
      host: new LocalHost("local", { dockerHost: "unix:///test.sock" }),
      after: [],
      ...access,
    });
  }
  const configOf = (access: PublicAccess): string =>
    haproxyConfig([], LIMITS, access).files["haproxy.cfg"];

  it("isn't replaced as long as there is no domain: the container's inputs are those of HTTP alone", async () => {
    gateway({ trustedProxies: ["10.0.0.0/8"] });
    const { inputs } = await resource(CONTAINER, "gateway");
    assert.deepEqual(inputs["ports"], [{ internal: 8080, external: 80, ip: "127.0.0.1" }]);
    assert.deepEqual(inputs["volumes"], [
      { volumeName: "gateway-config-1234567", containerPath: "/etc/store", readOnly: true },
    ]);
    assert.equal(inputs["memory"], 256);
    assert.deepEqual(
      (inputs["labels"] as { label: string }[]).map(({ label }) => label),
      ["dev.store.project", "dev.store.stack", "dev.store.service", "dev.store.role"],
    );
    assert.deepEqual(
      (await resources(VOLUME)).map(({ name }) => name),
      ["gateway-config"],
    );
    assert.doesNotMatch(configOf({}), /8443|ssl|https|308|transport-security|\/metrics\/cert/);
  });

  it("publishes a second port, after a check that it is free, and puts its address into a label", async () => {
    gateway({ https: { ...HTTPS, port: 8443 } });
    const { inputs } = await resource(CONTAINER, "gateway");
    assert.deepEqual(inputs["ports"], [
      { internal: 8080, external: 80, ip: "127.0.0.1" },
      { internal: 8443, external: 8443, ip: "127.0.0.1" },
    ]);
    assert.match(JSON.stringify(inputs["labels"]), /"https:\/\/shop\.example\.org:8443"/);
    const check = String((await resource(COMMAND, "gateway-https-port")).inputs["create"]);
    assert.match(check, /^set -- '[^']+' 'gateway-config-1234567' '127\.0\.0\.1:8443:8443' '8443'/);
  });

  it("gets the private key in a file of its own volume, and nowhere else", async () => {
    gateway({ https: HTTPS });
    const { inputs } = await resource(COMMAND, "gateway-certificate");
    assert.match(JSON.stringify(inputs["stdin"]), /'store\.pem' 'the-private-key'/);
    // Its marker in the engine's wire format.
    assert.match(JSON.stringify(inputs["stdin"]), /4dabf18193072939515e22adb298388d/);
    for (const type of [COMMAND, CONTAINER, VOLUME])
      for (const { name, inputs: other } of await resources(type))
        assert.doesNotMatch(
          JSON.stringify({ ...other, ...(name === "gateway-certificate" && { stdin: "" }) }),
          /the-private-key/,
          name,
        );
    assert.deepEqual((await resource(CONTAINER, "gateway")).inputs["volumes"], [
      { volumeName: "gateway-config-1234567", containerPath: "/etc/store", readOnly: true },
      {
        volumeName: "gateway-certificate-1234567",
        containerPath: "/etc/store-certificate",
        readOnly: true,
      },
    ]);
  });

  it("reloads a renewed certificate and isn't replaced for it", async () => {
    gateway({ https: HTTPS });
    const before = (await resource(CONTAINER, "gateway")).inputs;
    const reload = (await resource(COMMAND, "gateway-reload")).inputs["create"];
    reset();
    gateway({
      https: {
        ...HTTPS,
        certificate: { ...HTTPS.certificate, pem: pulumi.secret("new"), fingerprint: "4567" },
      },
    });
    assert.deepEqual((await resource(CONTAINER, "gateway")).inputs, before);
    assert.notEqual((await resource(COMMAND, "gateway-reload")).inputs["create"], reload);
  });

  it("sends HSTS with the configured time, but not for names that others have, too", () => {
    assert.match(configOf({ https: HTTPS }), /strict-transport-security max-age=300 if/);
    for (const name of ["localhost", "a.localhost", "x.australiaeast.cloudapp.azure.com"]) {
      const https = { ...HTTPS, names: [name, "shop.example.org"] };
      assert.doesNotMatch(configOf({ https }), /strict-transport-security/, name);
    }
    // Browsers keep a port in the address, so that plain HTTP on another port would be out of reach.
    assert.doesNotMatch(configOf({ https: { ...HTTPS, port: 8443 } }), /strict-transport-security/);
  });

  it("accepts the host's own name, those of the certificate and further ones, and reloads for another one", async () => {
    gateway({ https: HTTPS });
    const { inputs } = await resource(COMMAND, "gateway-config");
    assert.match(
      String(inputs["stdin"]),
      /'allowed-hosts\.list' '\^localhost\$\n\^shop\[\.\]example\[\.\]org\$\n\^www\[\.\]shop\[\.\]example\[\.\]org\$\n'/,
    );
    const names = {
      address: "A.example",
      names: ["b.example"],
      further: ["b.example", "c.example"],
    };
    assert.deepEqual(acceptedHosts(names), ["a.example", "b.example", "c.example"]);
    const [one, other, any] = [["a.example"], ["b.example"], ["a.example", "*"]].map((hosts) =>
      haproxyConfig([], LIMITS, { hosts }),
    );
    assert.notEqual(one?.version, other?.version);
    assert.equal(any?.files["allowed-hosts.list"], undefined);
    assert.doesNotMatch(any?.files["haproxy.cfg"] ?? "", /status 421/);
  });

  it("counts the requests of both ports, but not the connections of trusted proxies", () => {
    const config = configOf({ https: HTTPS, trustedProxies: ["10.0.0.0/8", "::1"] });
    assert.match(config, /track-sc0 src,ipmask\(32,64\) if \{ dst_port 8080 8443 \}\n/);
    assert.match(
      config,
      /connection reject if \{ dst_port 8080 8443 \} !\{ src -f \/etc\/store\/proxies\.list \} \{ sc2_conn_cur/,
    );
  });

  it("has as many names and trusted proxies as there are, although a line of the configuration takes 64 words", () => {
    const names = Array.from({ length: 100 }, (_, i) => `shop-${i}.example.org`);
    const trustedProxies = Array.from({ length: 100 }, (_, i) => `10.0.${i}.0/24`);
    const { files, version } = haproxyConfig([], LIMITS, {
      https: { ...HTTPS, names },
      trustedProxies,
    });
    assert.equal(files["names.list"], `${names.join("\n")}\n`);
    assert.equal(files["proxies.list"], `${trustedProxies.join("\n")}\n`);
    assert.doesNotMatch(files["haproxy.cfg"], /shop-1\.example|10\.0\.1\.0/);
    const one = haproxyConfig([], LIMITS, { https: HTTPS, trustedProxies: ["10.0.0.0/8"] });
    assert.notEqual(one.version, version);
  });
});
