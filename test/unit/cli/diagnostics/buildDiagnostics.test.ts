import assert from "node:assert/strict";
import { buildCause } from "@store/cli/diagnostics/buildCause";
import { failedStep as failedBuildStep } from "@store/cli/diagnostics/rules/build";
import { NETWORK, REMOTE_IMAGE } from "../../mocks";
import { diagnose, failedStep, recordedEvents, recording, ruleNames } from "./failedRun";

describe("diagnoseRun of a failed build", () => {
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
