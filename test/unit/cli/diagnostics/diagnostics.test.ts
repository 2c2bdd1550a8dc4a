import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildCause } from "@store/cli/diagnostics/buildCause";
import { failedStep as failedBuildStep } from "@store/cli/diagnostics/rules/build";
import { pullFailure } from "@store/cli/diagnostics/rules/image";
import type { Found } from "@store/cli/diagnostics/rule";
import { parseEvents } from "@store/cli/engine/events";
import { resourceName } from "@store/cli/state/checkpoint";
import { failedCreations } from "@store/cli/state/interruptedRun";
import { ExitCode } from "@store/docker/cliError";
import { NETWORK, REMOTE_IMAGE } from "../../mocks";
import { applyRulesTo, diagnose, engineEvents, failedStep } from "./failedRun";

/**
 * The recordings are event logs of the engine, from runs of this program that were made to fail, without irrelevant events and
 * with the project's folder replaced.
 */
describe("diagnoseRun", () => {
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

  it("finds the image that can't be built, with its Dockerfile and its log", async () => {
    assert.deepEqual(ruleNames(recordedEvents("build")), ["build-failed"]);
    const { summary, hint } = await diagnose(recordedEvents("build"));
    assert.match(summary, /image of broken .*services\/broken\/Dockerfile/);
    assert.match(hint ?? "", /build-logs\/broken-image\.log/);
  });

  for (const { error, summary, hint } of [
    {
      error:
        "failed to solve: r.io/node:26.10.0: failed to resolve source metadata for r.io/node:26.10.0: unexpected status from HEAD request to https://r.io/v2/: 401 Unauthorized",
      summary: /the registry of its base image r\.io\/node:26\.10\.0 denies access/,
      hint: /docker login/,
    },
    {
      error:
        'failed to solve: r.io/node:26.10.0: failed to resolve source metadata for r.io/node:26.10.0: failed to do request: Head "https://r.io/v2/": dial tcp: lookup r.io: no such host',
      summary: /base image r\.io\/node:26\.10\.0 can't be downloaded/,
      hint: /network of Docker's daemon/,
    },
    {
      error: "failed to open build log file: open build-logs/x-image.log: permission denied",
      summary: /build-logs\/x-image\.log can't be written: permission denied/,
      hint: /chown/,
    },
    {
      error: "failed to stat ../.npmrc: stat ../.npmrc: no such file or directory",
      summary: /a build secret is missing/,
      hint: /image\.secrets/,
    },
    {
      error: 'no builder "default" found',
      summary: /Docker's builder doesn't work/,
      hint: /docker buildx ls/,
    },
    {
      error:
        'failed to solve: process "/bin/sh -c npm ci" did not complete successfully: exit code: 137',
      summary: /lack of memory/,
      hint: /memory/,
    },
  ]) {
    it(`doesn't blame the Dockerfile for: ${error.slice(-60)}`, async () => {
      const message = `Error running buildx build: ${error}`;
      const found = await diagnose(failedStep(REMOTE_IMAGE, "inventory-image:1", message));
      assert.match(found.summary, summary);
      assert.doesNotMatch(found.hint ?? "", /Fix .*Dockerfile/);
      assert.match(found.hint ?? "", hint);
    });
  }

  it("doesn't blame the Dockerfile for a download that a step can't do", async () => {
    const log = `#0 building with "default" instance using docker driver
#7 [2/3] RUN npm ci
#7 1.2 npm error code EAI_AGAIN
#7 ERROR: process "/bin/sh -c npm ci" did not complete successfully: exit code: 1
`;
    const { summary } = await diagnose(recordedEvents("build"), {
      files: { "build-logs/broken-image.log": log },
    });
    assert.match(summary, /image of broken failed: a download failed/);
  });

  it("tells to log in at a private registry, and to allow plain HTTP", async () => {
    const image = "mirror.example.com/postgres:18.4";
    const pull = (reason: string) =>
      diagnose(
        failedStep(REMOTE_IMAGE, "database", `error pulling image ${image}: ${reason}`, {
          name: image,
        }),
      );
    const denied = await pull("Error response from daemon: unauthorized: authentication required");
    assert.match(denied.hint ?? "", /docker login mirror\.example\.com/);
    const http = await pull("http: server gave HTTP response to HTTPS client");
    assert.match(http.hint ?? "", /insecure-registries.*mirror\.example\.com/);
  });

  it("reports a credential helper that isn't installed once, and how to go on", async () => {
    const message =
      "Error loading registry auth config: could not get auth config (the credentialhelper did not work or was not found): " +
      'error getting credentials - err: exec: "docker-credential-desktop": executable file not found in $PATH';
    const events = [failedStep(NETWORK, "edge", message), failedStep(NETWORK, "backend", message)];
    assert.deepEqual(ruleNames(events.flat()), ["login-unreadable"]);
    const { summary, hint } = await diagnose(events.flat());
    assert.match(summary, /docker-credential-desktop/);
    assert.match(hint ?? "", /credsStore/);
  });

  it("names the Dockerfile of the repository, not the copy that was built", async () => {
    const folder = ".store/contexts/dev/inventory-image";
    const message = "Error running buildx build: failed to solve: exit code: 1";
    const { summary } = await diagnose(
      failedStep(REMOTE_IMAGE, "inventory-image:1", message, {
        build: {
          context: `${folder}/context/services/inventory`,
          dockerfile: "../../../dockerfile/services/inventory/Dockerfile",
        },
      }),
    );
    assert.match(summary, / in services\/inventory\/Dockerfile\./);
  });

  it("finds a Dockerfile with a syntax error, with the builder's message", async () => {
    assert.deepEqual(ruleNames(recordedEvents("dockerfile")), ["build-failed"]);
    const { details } = await diagnose(recordedEvents("dockerfile"));
    assert.match(details.join("\n"), /unknown instruction: RUNN/);
  });

  it("finds a build that failed because the disk is full", async () => {
    const { summary, hint } = await diagnose(recordedEvents("diskfull"), {
      files: { "build-logs/broken-image.log": recording("diskfull.build-log.txt") },
    });
    assert.match(summary, /disk is full/);
    assert.match(hint ?? "", /docker system df/);
  });

  it("finds a resource that failed because the disk is full", () => {
    const events = failedStep(NETWORK, "backend", "write /var/lib/x: no space left on device");
    assert.deepEqual(ruleNames(events), ["no-space"]);
  });

  it("blames the limit that was reached, not the disk, for the same error code", async () => {
    for (const [message, limit] of [
      [
        "inotify_add_watch(7, /x): no space left on device",
        /watched files.*fs\.inotify\.max_user_watches/s,
      ],
      ["ENOSPC: System limit for number of file watchers reached, watch '/x'", /watched files/],
      [
        "unable to join session keyring: unable to create session key: disk quota exceeded",
        /kernel\.keys\.maxkeys/,
      ],
      ["mkdir /sys/fs/cgroup/memory/docker/1: no space left on device", /control groups/],
      ["write /var/lib/docker/inotify.log: no space left on device\nnext line", /watched files/],
      ["write /var/lib/x: no space left on device\ninotify is fine", /the disk is full/],
    ] as const) {
      const { summary, hint } = await diagnose(failedStep(NETWORK, "backend", message));
      assert.match(`${summary}\n${hint}`, limit);
    }
    const output = ["Error: ENOSPC: System limit for number of file watchers reached"];
    assert.match(buildCause("exit code: 1", output)?.problem ?? "", /watched files/);
  });

  it("finds the configuration key that the program rejects", async () => {
    assert.deepEqual(ruleNames(recordedEvents("config")), ["config-rejected"]);
    const { summary, hint } = await diagnose(recordedEvents("config"));
    assert.equal(
      summary,
      'store:services: there is no service "inventori". There are: billing, broken, inventory, orders, shipping, storefront.',
    );
    assert.match(hint ?? "", /Change the value in Pulumi\.dev\.yaml, then: \.\/store up/);
  });

  it("tells how to set a part of an object, and points to the file for several values", async () => {
    const withMessage = (message: string) =>
      parseEvents(
        recording("config.jsonl").replace(
          /store:services: .*?storefront\./,
          JSON.stringify(message).slice(1, -1),
        ),
      );
    const one = await diagnose(withMessage("store:environment.my-service.A: 1 should be text."));
    assert.match(one.hint ?? "", /config set --path 'environment\.my-service\.A' VALUE/);
    const file = await diagnose(withMessage("store:certificate: has expired."));
    assert.match(file.hint ?? "", /config set --secret certificate < FILE$/);
    const two = await diagnose(withMessage("store:httpPort: 0 is wrong.\nstore:live: x is wrong."));
    assert.match(two.summary, /httpPort.*live/s);
    assert.doesNotMatch(two.hint ?? "", /config set/);
    assert.match(two.hint ?? "", /Pulumi\.dev\.yaml/);
  });

  it("suggests no command that can't set a mapping, and takes no provider for a key", async () => {
    const program = (message: string) =>
      engineEvents({ diagnosticEvent: { urn: "", severity: "error", message } });
    const mapping = await diagnose(program("store:registry: is empty."));
    assert.doesNotMatch(mapping.hint ?? "", /config set/);
    const provider = await diagnose(program("pulumi:providers:docker: not found"));
    assert.doesNotMatch(provider.hint ?? "", /config set/);
  });

  it("names a configuration key once that several resources reject", async () => {
    const rejected = ["billing", "orders"].flatMap((service) =>
      failedStep("command:local:Command", service, "store:postgresImage: 16 is too old"),
    );
    assert.deepEqual(ruleNames(rejected), ["config-rejected-by-resource"]);
    const { summary } = await diagnose(rejected);
    assert.equal(summary, "store:postgresImage: 16 is too old");
  });

  it("finds the configuration key whose type the engine rejects", async () => {
    const stderr =
      "error: validating stack config: Stack 'cli' with configuration key 'store:httpPort' must be of type 'integer'\n";
    assert.deepEqual(ruleNames([], stderr), ["config-rejected-by-engine"]);
    const { summary, hint } = await diagnose([], { stderr });
    assert.equal(
      summary,
      "Stack 'cli' with configuration key 'store:httpPort' must be of type 'integer'",
    );
    assert.match(hint ?? "", /config set httpPort VALUE/);
  });

  it("claims only what was checked: whether a previous version runs, and whether something was changed", async () => {
    const failed = failedStep(NETWORK, "backend", "something unknown");
    assert.doesNotMatch((await diagnose(failed)).hint ?? "", /previous version|left unchanged/);
    const { hint } = await diagnose(failed, { running: ["c1"] });
    assert.match(hint ?? "", /^The previous version keeps running\. Fix the cause, then: /);
    const down = await diagnose(failed, { running: ["c1"], command: "down" });
    assert.doesNotMatch(down.hint ?? "", /previous version/);

    const message = "a program's error";
    const program = { diagnosticEvent: { urn: "", severity: "error", message } } as const;
    const step = (op: string) => ({
      resOutputsEvent: { metadata: { op, urn: "urn:n", type: NETWORK } },
    });
    const hintAfter = async (...ops: readonly string[]) =>
      (await diagnose(engineEvents(...ops.map(step), program))).hint ?? "";
    assert.match(await hintAfter("same", "refresh"), /^Nothing was changed\./);
    assert.match(await hintAfter("same", "create"), /^The stack dev is partly changed\./);
  });

  it("lists an error that only the engine's stderr has, and no summary of the others", async () => {
    const failed = failedStep(NETWORK, "backend", "something unknown");
    const withEngine = async (stderr: string) => (await diagnose(failed, { stderr })).summary;
    assert.match(
      await withEngine("error: saving the state: disk quota\n"),
      /Also:\n.*saving the state/,
    );
    assert.doesNotMatch(await withEngine("error: update failed\n"), /Also/);
  });

  it("suggests to correct a wrong name in a mapping in the file, where it stands", async () => {
    const program = (message: string) =>
      diagnose(engineEvents({ diagnosticEvent: { urn: "", severity: "error", message } }));
    const service = await program('store:environment.inventori: there is no service "inventori".');
    assert.doesNotMatch(service.hint ?? "", /config set/);
    assert.match(service.hint ?? "", /Correct it in Pulumi\.dev\.yaml, then: \.\/store up/);
  });

  it("blames the certificate, plain HTTP or the rate limit of a registry, not its network", () => {
    const problem = (error: string) => buildCause(`failed to do request: ${error}`, []);
    assert.match(
      problem("tls: x509: certificate signed by unknown authority")?.problem ?? "",
      /certificate/,
    );
    assert.match(
      problem("http: server gave HTTP response to HTTPS client")?.problem ?? "",
      /plain HTTP/,
    );
    assert.match(problem("429 Too Many Requests - toomanyrequests")?.problem ?? "", /rate limit/);
    const denied =
      "failed to resolve source metadata for my.registry:5000/a/node:1.2: pull access denied";
    assert.match(buildCause(denied, [])?.remedy ?? "", /docker login my\.registry:5000\.$/);
  });

  it("finds a secret of another workspace", () => {
    const stderr = "error: validating stack config: cipher: message authentication failed\n";
    assert.deepEqual(ruleNames([], stderr), ["undecryptable-secret"]);
  });

  it("finds the salt of another passphrase", () => {
    const stderr = "error: getting secrets manager: incorrect passphrase\n";
    assert.deepEqual(ruleNames([], stderr), ["wrong-passphrase"]);
  });

  it("finds the engine's lock", () => {
    const stderr =
      "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the " +
      "lock file with `pulumi cancel`.\n  file:///s/.pulumi/locks/x.json: created by root@vm (pid 28646) at 2026-11-23T12:18:49Z\n";
    assert.deepEqual(ruleNames([], stderr), ["stack-locked"]);
  });

  it("names the holder of a lock on a remote backend", async () => {
    const stderr =
      "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the " +
      "lock file with `pulumi cancel`.\n" +
      "  azblob://state/.pulumi/locks/organization/store/dev/1.json: created by ann@annes-laptop (pid 7) at 2026-11-23T12:18:49Z\n";
    const { summary, hint } = await diagnose([], { stderr });
    assert.match(summary, /Another run .*process 7 on annes-laptop, of ann, since 23\/11\/2026/);
    assert.match(hint ?? "", /\.\/store pulumi cancel --yes/);
    const cloud = "error: [409] Conflict: Another update is currently in progress.\n";
    assert.deepEqual(ruleNames([], cloud), ["stack-locked"]);
  });

  it("asks for the passphrase of a shared stack, instead of advising to delete its salt", async () => {
    const stderr = "error: getting secrets manager: incorrect passphrase\n";
    const shared = { "store:host": "local", "store:stateBackend": "file:///mnt/state" };
    const { summary, hint } = await diagnose([], { stderr, config: shared });
    assert.match(summary, /passphrase of the shared stack dev/);
    assert.match(hint ?? "", /\.store\/passphrases\/dev/);
    assert.doesNotMatch(hint ?? "", /Delete/);
    assert.match((await diagnose([], { stderr })).hint ?? "", /Delete that line/);
  });

  it("names the key that can't be used", async () => {
    const stderr =
      "error: getting stack configuration: secrets (code=Unknown): keeper.Decrypt: DefaultAzureCredential: failed to acquire a token\n";
    const { summary, hint } = await diagnose([], { stderr });
    assert.match(summary, /secretsprovider/);
    assert.match(hint ?? "", /az login/);
  });

  it("finds changes when none were expected", async () => {
    const stderr = "error: no changes were expected but changes were proposed\n";
    assert.deepEqual(ruleNames([], stderr), ["unexpected-changes"]);
    const { summary, hint } = await diagnose([], { stderr, command: "preview" });
    assert.match(summary, /--expect-no-changes/);
    assert.match(hint ?? "", /\.\/store up/);
  });

  it("finds the image that no registry serves", () => {
    const [first] = applyRulesTo(recordedEvents("noimage"));
    assert.equal(first?.rule.name, "pull-failed");
    const { image, reason } = pullFailure(first);
    assert.equal(image, "registry.invalid/haproxy:9.9.9");
    assert.match(reason, /^Get "https:\/\/registry\.invalid\/v2\/".*no such host$/);
  });

  for (const { image, answer, refusedBy } of [
    {
      image: "10.213.0.2:5000/store/inventory:db2586e799fc251a@sha256:529d0e57",
      answer: "unauthorized: authentication required",
      refusedBy: "10.213.0.2:5000",
    },
    {
      image: "registry.example.com/store/inventory:db2586e799fc251a@sha256:529d0e57",
      answer: "denied: requested access to the resource is denied",
      refusedBy: "registry.example.com",
    },
    {
      image: "haprox:9.9.9",
      answer:
        "pull access denied for haprox, repository does not exist or may require 'docker login'",
      refusedBy: undefined,
    },
  ]) {
    it(`attributes "${answer}" to ${refusedBy ?? "no registry"}`, async () => {
      const urn = "urn:pulumi:staging::store::docker:index/remoteImage:RemoteImage::image:1";
      const message =
        `1 error occurred:\n\t* creating ${urn}: 1 error occurred:\n\t* Unable to read Docker image into resource: unable to ` +
        `pull image ${image}: error pulling image ${image}: Error response from daemon: ${answer}\n\n`;
      const type = "docker:index/remoteImage:RemoteImage";
      const events = failedStep(type, "image:1", message, { name: image });
      const [found] = applyRulesTo(events);
      assert.ok(found);
      assert.deepEqual(pullFailure(found), { image, reason: answer, refusedBy });
      const own = await diagnose(events, {
        config: { "store:host": "ssh", "store:registry": { address: refusedBy, username: "me" } },
      });
      assert.equal(/registry\.password/.test(own.hint ?? ""), refusedBy !== undefined);
    });
  }

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
      const { summary, hint } = await diagnose(only, { isDockerGone: true });
      assert.match(summary, /^Lost the connection to Docker at unix:\/\/\/nowhere\/docker\.sock\./);
      assert.match(hint ?? "", /Start Docker .*Then: \.\/store up/);
    }
  });

  it("finds an exception in the program, and its place", async () => {
    assert.deepEqual(ruleNames(recordedEvents("mistake")), ["program-failed"]);
    const { summary, details } = await diagnose(recordedEvents("mistake"));
    assert.match(summary, /TypeError: Cannot read properties of undefined \(reading 'x'\)$/);
    assert.deepEqual(details, ["at Object.<anonymous> (/home/dev/store/index.ts:9:38)"]);
  });

  it("omits the command of a script from the script's error message", () => {
    const message =
      'Process exited with status 1: running "script=$(cat)":\nDocker doesn\'t run.\n';
    const [found] = applyRulesTo(failedStep("command:remote:Command", "host-ready", message));
    assert.equal(found?.rule.name, "resource-failed");
    assert.equal(found.error.message, "Docker doesn't run.");
  });

  it("reports the cause before its consequences", async () => {
    const mixed = ["unhealthy", "build", "port"].flatMap(recordedEvents);
    assert.deepEqual(ruleNames(mixed), ["port-taken", "build-failed", "container-unhealthy"]);
    const { summary } = await diagnose(mixed);
    assert.match(summary, /18091[^]*Also:\n {2}- broken-image.*\n {2}- broken-0/);
  });

  it("omits what the engine canceled because of another error, but not if there is no other", async () => {
    const canceled = engineEvents({
      diagnosticEvent: {
        severity: "error",
        message: "failed to run remediation: context canceled",
      },
    });
    const failed = failedStep("command:remote:Command", "data-folders", "no space left");
    const { summary } = await diagnose([...canceled, ...failed]);
    assert.doesNotMatch(summary, /canceled/);
    assert.match((await diagnose(canceled)).summary, /context canceled/);
  });

  it("says a message once that many resources have in common, and lists all different ones", async () => {
    const volumes = Array.from({ length: 17 }, (_, n) => `volume-${n}`);
    const steps = volumes.flatMap((name) =>
      failedStep("docker:index:Volume", name, "no context foo"),
    );
    const other = failedStep(
      "docker:index:Network",
      "edge",
      "1 error occurred:\n\t* no such driver",
    );
    // In a preview no step fails, and the engine puts "Preview failed: " before the message.
    const preview = volumes.map((name) => ({
      urn: `urn:pulumi:dev::store::docker:index:Volume::${name}`,
      severity: "error" as const,
      message: "Preview failed: 1 error occurred:\n\t* no context foo\n",
    }));
    const errors = [
      await diagnose([...steps, ...other]),
      await diagnose(engineEvents(...preview.map((diagnosticEvent) => ({ diagnosticEvent })))),
    ];
    assert.match(
      errors[0]?.summary ?? "",
      /^volume-0, volume-1, volume-2 and 14 more: no context foo\n {2}Also:\n {2}- edge: no such driver$/,
    );
    assert.equal(errors[1]?.summary, "no context foo");
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

  it("passes on the engine's message if no rule is for it", async () => {
    const stderr = "error: could not query endpoint: no route to host\n";
    assert.deepEqual(ruleNames([], stderr), ["engine-failed"]);
    const { summary } = await diagnose([], { stderr });
    assert.equal(summary, "could not query endpoint: no route to host");
  });

  it("reports the exit code of an engine that reported no error", async () => {
    assert.deepEqual(ruleNames([]), []);
    assert.match((await diagnose([])).summary, /exit code 255/);
  });

  it("reports an interrupted run with an exit code of its own", async () => {
    const error = await diagnose(recordedEvents("interrupted"), { interrupted: true });
    assert.equal(error.exitCode, ExitCode.Interrupted);
    assert.match(error.hint ?? "", /\.\/store up/);
  });
});

describe("failedCreations", () => {
  it("returns the names that Docker has for resources that couldn't be created", () => {
    assert.match(failedCreations(recordedEvents("daemongone")).join(), /^broken-0-[0-9a-f]{7}$/);
    assert.match(failedCreations(recordedEvents("port")).join(), /^gateway-[0-9a-f]{7}$/);
    assert.deepEqual(failedCreations(recordedEvents("config")), []);
  });
});

describe("failedStep of a build log", () => {
  it("returns the failed step and its output", () => {
    assert.deepEqual(failedBuildStep(recording("build.build-log.txt")), [
      "[3/3] RUN echo compiling the broken part && false",
      "compiling the broken part",
    ]);
  });

  it("returns the step of the last build only", () => {
    const lines = failedBuildStep(recording("diskfull.build-log.txt"));
    assert.equal(lines[0], "[3/3] RUN head -c 9 /dev/zero > /dev/full");
    assert.match(lines[1] ?? "", /No space left on device/);
    assert.equal(lines.length, 2);
  });

  it("returns nothing for a build that succeeded", () => {
    assert.deepEqual(failedBuildStep("#0 building with x\n#1 [1/1] FROM node\n#1 DONE 0.0s\n"), []);
  });
});

function ruleNames(events: Parameters<typeof applyRulesTo>[0], stderr = ""): string[] {
  return applyRulesTo(events, { stderr }).map(({ rule }: Found) => rule.name);
}

function recordedEvents(name: string) {
  return parseEvents(recording(`${name}.jsonl`));
}

function recording(file: string): string {
  return readFileSync(join(__dirname, "recordings", file), "utf8");
}
