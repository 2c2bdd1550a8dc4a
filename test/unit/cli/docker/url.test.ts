import assert from "node:assert/strict";
import { addressInState, elsewhereNote, sshTunnel } from "@store/cli/docker/gateway/url";
import { type Checkpoint } from "@store/cli/state/checkpoint";
import { remoteHost } from "@store/cli/host/remoteHost";
import { daemonAddress, publishesHere } from "@store/docker/endpoint";
import { withEnvironment } from "../../environment";
import { createSession } from "../diagnostics/failedRun";
import { CONTAINER_TYPE } from "@store/cli/state/resourceTypes";

describe("sshTunnel", () => {
  it("returns the command for a daemon behind ssh only", () => {
    assert.equal(
      sshTunnel("ssh://jane.doe@shop.example.org:2222", "http://localhost:8080"),
      "ssh -N -L 8080:127.0.0.1:8080 -l jane.doe -p 2222 -- shop.example.org",
    );
    assert.match(
      sshTunnel("ssh://host", "http://localhost") ?? "",
      /-L 8080:127\.0\.0\.1:80 -- host$/,
    );
    assert.match(
      sshTunnel("ssh://host", "https://shop.example.org") ?? "",
      /-L 8443:127\.0\.0\.1:443 -- host$/,
    );
    assert.equal(sshTunnel("unix:///var/run/docker.sock", "http://localhost:8080"), undefined);
  });
});

describe("addressInState", () => {
  const withLabels = (labels: readonly object[]): Checkpoint => ({
    resources: [
      { type: "pulumi:providers:docker", inputs: { host: "ssh://azureuser@203.0.113.7:22" } },
      { type: CONTAINER_TYPE, inputs: { ports: [{ external: 80 }], labels } },
    ] as unknown as Checkpoint["resources"],
    pending: [],
  });

  it("has the store's own name with HTTPS, and the host's address to ask", () => {
    assert.deepEqual(addressInState(withLabels([])), {
      url: "http://203.0.113.7",
      host: "203.0.113.7",
    });
    const url = "https://shop.example.org";
    assert.deepEqual(addressInState(withLabels([{ label: "dev.store.url", value: url }])), {
      url,
      host: "203.0.113.7",
    });
    assert.equal(addressInState(undefined), undefined);
  });
});

describe("publishesHere", () => {
  it("is true for daemons whose 127.0.0.1 is this machine's", () => {
    for (const host of ["unix:///run/docker.sock", "tcp://127.0.0.1:2376", "tcp://[::1]:2375"])
      assert.ok(publishesHere(host), host);
    for (const host of ["ssh://host", "tcp://10.0.0.5:2376", "tcp://localhost.example.org:2375"])
      assert.ok(!publishesHere(host), host);
    assert.ok(publishesHere("tcp://localhost:2375"));
  });
});

describe("the address of a local stack's daemon", () => {
  it("is this machine's, or the name or address in the daemon's", () => {
    assert.equal(daemonAddress("unix:///var/run/docker.sock"), "127.0.0.1");
    assert.equal(daemonAddress("ssh://jane@shop.example.org:2222"), "shop.example.org");
    assert.equal(daemonAddress("tcp://[2001:db8::5]:2376"), "2001:db8::5");
  });

  it("is part of a note that a URL of localhost is another machine's", () => {
    const url = "http://localhost:8080";
    assert.match(
      elsewhereNote("ssh://shop.example.org", url) ?? "",
      /localhost:8080 on the machine shop\.example\.org.*Reach it from here: ssh -N -L/,
    );
    assert.match(
      elsewhereNote("ssh://host", "https://shop.example.org") ?? "",
      /then open https:\/\/shop\.example\.org:8443 with "127\.0\.0\.1 shop\.example\.org" in \/etc\/hosts$/,
    );
    assert.match(elsewhereNote("tcp://10.0.0.5:2376", url) ?? "", /10\.0\.0\.5.* only\.$/);
    assert.equal(elsewhereNote("unix:///run/docker.sock", url), undefined);
  });

  it("isn't called this machine where a login by ssh is refused", async () => {
    const session = createSession({ "store:host": "local" });
    const refused = (host: string, message: RegExp): Promise<void> =>
      withEnvironment({ DOCKER_HOST: host }, () => assert.rejects(remoteHost(session), message));
    await refused("ssh://jane@shop.example.org", /runs on the Docker daemon at ssh:\/\/jane@shop/);
    await refused("unix:///run/docker.sock", /runs on this machine/);
  });
});
