import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { resourceName } from "@store/cli/state/checkpoint";
import { parseEvents } from "@store/cli/engine/events";
import { failedCreations } from "@store/cli/state/interruptedRun";
import { failedStep, Finding, findings } from "@store/cli/diagnostics/diagnostics";
import { NETWORK } from "../mocks";

/**
 * The recordings are event logs of the engine, from runs of this program that were made to fail, without the events that
 * nobody looks at and with the folder's name made up.
 */
describe("what a failed run's events tell", () => {
  it("finds the container that never became healthy", () => {
    const [first, ...others] = of("unhealthy");
    assert.deepEqual(others, []);
    assert.equal(first?.kind, "unhealthy");
    assert.equal(first.resource, "broken-0");
    assert.match(first.container ?? "", /^[0-9a-f]{64}$/);
  });

  it("finds the image that can't be built, with its Dockerfile and its log", () => {
    const [first] = of("build");
    assert.equal(first?.kind, "build");
    const { image, context, dockerfile, logFile, diskFull } = first;
    assert.deepEqual(
      { image, context, dockerfile, logFile, diskFull },
      {
        image: "broken-image",
        context: "services/broken",
        dockerfile: "Dockerfile",
        logFile: "build-logs/broken-image.log",
        diskFull: false,
      },
    );
  });

  it("finds a Dockerfile that can't be read, with the builder's words", () => {
    const [first] = of("dockerfile");
    assert.equal(first?.kind, "build");
    assert.match(first.message, /unknown instruction: RUNN/);
  });

  it("finds the configuration key that the program complains about", () => {
    assert.deepEqual(of("config"), [
      {
        kind: "config",
        key: "store:services",
        message:
          'store:services: there is no service "inventori". There are: billing, broken, inventory, orders, shipping, storefront.',
      },
    ]);
  });

  it("finds the configuration key whose type the engine complains about", () => {
    const stderr =
      "error: validating stack config: Stack 'cli' with configuration key 'store:httpPort' must be of type 'integer'\n";
    assert.deepEqual(findings([], stderr), [
      {
        kind: "config",
        key: "store:httpPort",
        message: "Stack 'cli' with configuration key 'store:httpPort' must be of type 'integer'",
      },
    ]);
  });

  it("finds a secret of another checkout", () => {
    const stderr = "error: validating stack config: cipher: message authentication failed\n";
    assert.equal(findings([], stderr)[0]?.kind, "secret");
  });

  it("finds the engine's lock", () => {
    const stderr =
      "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the " +
      "lock file with `pulumi cancel`.\n  file:///s/.pulumi/locks/x.json: created by root@vm (pid 28646) at 2026-11-23T12:18:49Z\n";
    assert.equal(findings([], stderr)[0]?.kind, "locked");
  });

  it("finds changes where none were expected", () => {
    const stderr = "error: no changes were expected but changes were proposed\n";
    assert.deepEqual(findings([], stderr), [{ kind: "changesUnexpected" }]);
  });

  it("finds the image that no registry serves", () => {
    const [first] = of("noimage");
    assert.equal(first?.kind, "imageMissing");
    assert.equal(first.image, "registry.invalid/haproxy:9.9.9");
    assert.match(first.reason, /^Get "https:\/\/registry\.invalid\/v2\/".*no such host$/);
  });

  for (const { image, said, refusedBy } of [
    {
      image: "10.213.0.2:5000/store/inventory:db2586e799fc251a@sha256:529d0e57",
      said: "unauthorized: authentication required",
      refusedBy: "10.213.0.2:5000",
    },
    {
      image: "registry.example.com/store/inventory:db2586e799fc251a@sha256:529d0e57",
      said: "denied: requested access to the resource is denied",
      refusedBy: "registry.example.com",
    },
    {
      image: "haprox:9.9.9",
      said: "pull access denied for haprox, repository does not exist or may require 'docker login'",
      refusedBy: undefined,
    },
  ]) {
    it(`finds ${refusedBy ?? "no registry"} behind: ${said}`, () => {
      const urn = "urn:pulumi:staging::store::docker:index/remoteImage:RemoteImage::image:1";
      const daemon = `Error response from daemon: ${said}`;
      const message =
        `1 error occurred:\n\t* creating ${urn}: 1 error occurred:\n\t* Unable to read Docker image into resource: unable to ` +
        `pull image ${image}: error pulling image ${image}: ${daemon}\n\n`;
      const step = { op: "create", urn, type: "docker:index/remoteImage:RemoteImage" };
      const [found] = findings(
        [
          { diagnosticEvent: { urn, severity: "error", message } },
          { resOpFailedEvent: { metadata: { ...step, new: { inputs: { name: image } } } } },
        ],
        "",
      );
      assert.deepEqual(found, {
        kind: "imageMissing",
        image,
        reason: said,
        ...(refusedBy !== undefined && { refusedBy }),
      });
    });
  }

  it("finds the port that is taken", () => {
    assert.deepEqual(of("port"), [{ kind: "portTaken", port: 18091 }]);
  });

  for (const words of [
    "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
    "all predefined address pools have been fully subnetted",
  ]) {
    it(`finds that there is no address range for another network: ${words}`, () => {
      // Not recorded: it would take the ranges of everybody else on the machine.
      const urn = "urn:pulumi:dev::store::store:index:Store$docker:index/network:Network::backend";
      const message =
        `1 error occurred:\n\t* creating ${urn}: 1 error occurred:\n\t* Unable to create network: ` +
        `Error response from daemon: ${words}\n\n`;
      const found = findings(
        [
          { diagnosticEvent: { urn, severity: "error", message } },
          { resOpFailedEvent: { metadata: { op: "create", urn, type: NETWORK } } },
        ],
        "",
      );
      assert.deepEqual(
        found.map((finding) => [finding.kind, "resource" in finding ? finding.resource : ""]),
        [["networksFull", "backend"]],
      );
    });
  }

  it("finds the data of a service that isn't there any more, all in one", () => {
    // A preview says it of no step.
    const previewed = events("protected").filter(({ resOpFailedEvent }) => !resOpFailedEvent);
    for (const found of [of("protected"), findings(previewed, "")]) {
      assert.equal(found.length, 1);
      const [first] = found;
      assert.equal(first?.kind, "protected");
      assert.deepEqual(first.urns.map(resourceName), ["orders-data", "orders-data-password"]);
    }
  });

  it("finds that the daemon went away, and during what", () => {
    assert.deepEqual(of("daemongone"), [
      { kind: "daemonGone", host: "unix:///run/docker-proxy.sock", during: "broken-0" },
    ]);
  });

  it("finds a mistake in the program, and where it is", () => {
    assert.deepEqual(of("mistake"), [
      {
        kind: "program",
        message: "TypeError: Cannot read properties of undefined (reading 'x')",
        trace: ["    at Object.<anonymous> (/home/dev/store/index.ts:9:38)"],
      },
    ]);
  });

  it("names what couldn't be made, as Docker would have it", () => {
    assert.match(failedCreations(events("daemongone")).join(), /^broken-0-[0-9a-f]{7}$/);
    assert.match(failedCreations(events("port")).join(), /^gateway-[0-9a-f]{7}$/);
    assert.deepEqual(failedCreations(events("config")), []);
  });

  it("says what of Azure's it was, whose names are all the same", () => {
    for (const [type, inCloud] of [
      ["azure-native:network:PublicIPAddress", "public IP address"],
      ["azure-native:compute:VirtualMachine", "virtual machine"],
    ] as const) {
      const metadata = { op: "create", urn: `urn:pulumi:s::p::${type}::host`, type };
      const message = "Status=409";
      const diagnosticEvent = { severity: "error", urn: metadata.urn, message } as const;
      assert.deepEqual(findings([{ diagnosticEvent }, { resOpFailedEvent: { metadata } }], ""), [
        { kind: "resource", resource: "host", message, inCloud },
      ]);
    }
  });

  it("leaves out the command of a script that has said why it failed", () => {
    const type = "command:remote:Command";
    const metadata = { op: "create", urn: `urn:pulumi:s::p::${type}::host-ready`, type };
    const message =
      'Process exited with status 1: running "script=$(cat)":\nDocker doesn\'t run.\n';
    const diagnosticEvent = { severity: "error", urn: metadata.urn, message } as const;
    assert.deepEqual(findings([{ diagnosticEvent }, { resOpFailedEvent: { metadata } }], ""), [
      { kind: "resource", resource: "host-ready", message: "Docker doesn't run." },
    ]);
  });

  it("puts the cause before its consequences", () => {
    const mixed = findings([...events("unhealthy"), ...events("build"), ...events("port")], "");
    assert.deepEqual(
      mixed.map(({ kind }) => kind),
      ["portTaken", "build", "unhealthy"],
    );
  });

  it("takes the engine's own words where it knows no better", () => {
    const stderr = "error: could not query endpoint: no route to host\n";
    assert.deepEqual(findings([], stderr), [
      { kind: "engine", message: "could not query endpoint: no route to host" },
    ]);
    assert.deepEqual(findings([], ""), []);
  });
});

describe("the log of a build", () => {
  it("gives the step that failed and what it printed", () => {
    assert.deepEqual(failedStep(recording("build.build-log.txt")), [
      "[3/3] RUN echo compiling the broken part && false",
      "compiling the broken part",
    ]);
  });

  it("gives that of the last build only", () => {
    const lines = failedStep(recording("diskfull.build-log.txt"));
    assert.equal(lines[0], "[3/3] RUN head -c 9 /dev/zero > /dev/full");
    assert.match(lines[1] ?? "", /No space left on device/);
    assert.equal(lines.length, 2);
  });

  it("gives nothing of one that didn't fail", () => {
    assert.deepEqual(failedStep("#0 building with x\n#1 [1/1] FROM node\n#1 DONE 0.0s\n"), []);
  });
});

function of(name: string): Finding[] {
  return findings(events(name), "");
}

function events(name: string) {
  return parseEvents(recording(`${name}.jsonl`));
}

function recording(file: string): string {
  return readFileSync(join(__dirname, "recordings", file), "utf8");
}
