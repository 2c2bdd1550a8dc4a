import assert from "node:assert/strict";
import { resourceName } from "@store/cli/state/checkpoint";
import { failedCreations } from "@store/cli/state/interruptedRun";
import { NETWORK, REMOTE_IMAGE } from "../../mocks";
import {
  applyRulesTo,
  diagnose,
  engineEvents,
  failedStep,
  recordedEvents,
  ruleNames,
} from "./failedRun";

describe("diagnoseRun of a failed operation in Docker", () => {
  it("finds the container that did not become healthy", async () => {
    const [first, ...others] = applyRulesTo(recordedEvents("unhealthy"));
    assert.deepEqual(others, []);
    assert.equal(first?.rule.name, "container-unhealthy");
    assert.match(first.error.step?.new?.id ?? "", /^[0-9a-f]{64}$/);
    const { summary, hint } = await diagnose(recordedEvents("unhealthy"));
    assert.match(summary, /^broken-0 /);
    assert.match(hint ?? "", /\.\/store up/);
  });

  it("doesn't blame a container's health for a failed down", async () => {
    const { summary, hint } = await diagnose(recordedEvents("unhealthy"), { command: "down" });
    assert.match(summary, /^broken-0 was not deleted: /);
    assert.match(hint ?? "", /Repeat the command: \.\/store down/);
  });

  it("finds a port below 1024, on which rootless Docker may not listen", async () => {
    // Docker 28.5. Its advice, to change /etc/sysctl.conf alone, has no effect before a reboot.
    const events = failedStep(
      "command:local:Command",
      "gateway-port",
      'exit status 126: running "set -- ...":\ndocker: Error response from daemon: failed to set up container networking: driver ' +
        "failed programming external connectivity on endpoint focused_vaughan (89f8b08def42): error while calling RootlessKit " +
        "PortManager.AddPort(): cannot expose privileged port 81, you can add 'net.ipv4.ip_unprivileged_port_start=81' to " +
        "/etc/sysctl.conf (currently 1024), or set CAP_NET_BIND_SERVICE on rootlesskit binary, or choose a larger port number " +
        "(>= 1024): listen tcp4 127.0.0.1:81: bind: permission denied\n\nRun 'docker run --help' for more information",
    );
    const { summary, hint } = await diagnose(events);
    assert.match(summary, /^Rootless Docker may not listen on port 81 \(store:httpPort\)/);
    assert.match(hint ?? "", /config set httpPort 8080[^]*ip_unprivileged_port_start=81/);
  });

  it("finds the port that is in use", async () => {
    assert.deepEqual(ruleNames(recordedEvents("port")), ["port-taken"]);
    assert.match((await diagnose(recordedEvents("port"))).summary, /18091/);
  });

  for (const words of [
    "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
    "all predefined address pools have been fully subnetted",
  ]) {
    it(`finds that Docker has no address range for another network: ${words}`, async () => {
      // Not recorded: that would take the address ranges of everything else on the machine.
      const message =
        `1 error occurred:\n\t* creating urn:pulumi:dev::x: 1 error occurred:\n\t* Unable to create network: ` +
        `Error response from daemon: ${words}\n\n`;
      const events = failedStep(NETWORK, "backend", message);
      assert.deepEqual(ruleNames(events), ["networks-exhausted"]);
      const { summary, hint } = await diagnose(events);
      assert.match(summary, /backend/);
      assert.match(hint ?? "", /docker network prune/);
    });
  }

  it("finds that something else is connected to a network of a removed service", async () => {
    // The provider's message in test/integration/failures.test.ts.
    const message =
      "deleting urn:pulumi:dev::store::store:index:Store$docker:index/network:Network::orders-network: 1 error occurred:\n" +
      "\t* timeout while waiting for state to become 'removed' (last state: 'pending', timeout: 30s)\n\n";
    const events = failedStep(NETWORK, "orders-network", message);
    assert.deepEqual(ruleNames(events), ["network-in-use"]);
    const { summary, hint } = await diagnose(events);
    assert.match(summary, /orders-network/);
    assert.match(hint ?? "", /docker network disconnect \$\(docker network ls --quiet --filter/);
  });

  it("reports all data of a removed service as one diagnostic", async () => {
    const all = recordedEvents("protected");
    // In a preview no step fails.
    const preview = all.filter(({ resOpFailedEvent }) => !resOpFailedEvent);
    for (const events of [all, preview]) {
      const [found, ...others] = applyRulesTo(events);
      assert.deepEqual(others, []);
      assert.equal(found?.rule.name, "protected-data");
      assert.deepEqual(found.urns.map(resourceName), ["orders-data", "orders-data-password"]);
      const { summary, hint } = await diagnose(events);
      assert.match(summary, /services\/orders.*orders-data, orders-data-password/);
      for (const urn of found.urns) assert.ok(hint?.includes(`'${urn}'`));
    }
  });

  it("finds that Docker went away", async () => {
    assert.deepEqual(ruleNames(recordedEvents("daemongone")), ["daemon-unreachable"]);
    const { summary } = await diagnose(recordedEvents("daemongone"));
    assert.match(summary, /unix:\/\/\/run\/docker-proxy\.sock/);
  });

  it("finds that Docker went away while an image was built, another container created and a network", async () => {
    const builder = "Error running buildx build: Unavailable: error reading from server: EOF";
    const events = [
      failedStep(REMOTE_IMAGE, "inventory-image:1", builder),
      failedStep(
        "docker:index/container:Container",
        "orders-0",
        "cannot connect to the Docker daemon. Is 'docker daemon' running on this host?: dial unix /a.sock: connect: no such file or directory",
      ),
      failedStep(NETWORK, "edge", "expected non-nil error with nil state during Create of urn:x"),
    ];
    const [rule] = ruleNames(events.flat());
    assert.equal(rule, "daemon-unreachable");
    assert.match((await diagnose(events.flat())).summary, /^Lost the connection to Docker\./);

    for (const only of events) {
      const { summary, details, hint } = await diagnose(only, { isDockerGone: true });
      assert.equal(
        details.some((line) => summary.includes(line)),
        false,
        "an error is shown twice",
      );
      assert.match(summary, /^Lost the connection to Docker at unix:\/\/\/nowhere\/docker\.sock\./);
      assert.match(hint ?? "", /Start Docker .*Then: \.\/store up/);
    }
  });

  it("finds that Docker doesn't answer in a preview, too", async () => {
    const message =
      "Preview failed: 1 error occurred:\n\t* Error pinging Docker server, please make sure that unix:///a.sock is reachable and has a '_ping' endpoint.";
    const error = await diagnose(
      engineEvents({ diagnosticEvent: { urn: "urn:x::y", severity: "error", message } }),
      { command: "preview" },
    );
    assert.match(error.summary, /^Lost the connection to Docker at unix:\/\/\/a\.sock\.$/);
  });
});

describe("failedCreations", () => {
  it("returns the names that Docker has for resources that couldn't be created", () => {
    assert.match(failedCreations(recordedEvents("daemongone")).join(), /^broken-0-[0-9a-f]{7}$/);
    assert.match(failedCreations(recordedEvents("port")).join(), /^gateway-[0-9a-f]{7}$/);
    assert.deepEqual(failedCreations(recordedEvents("config")), []);
  });
});
