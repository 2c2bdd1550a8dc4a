import { strict as assert } from "node:assert";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { chooseEngine, type EngineFacts } from "@store/toolchain/engine/chooseEngine";
import { networkReason } from "@store/toolchain/engine/npmPackage";
import { rejectionReason } from "@store/toolchain/engine/userEngine";
import { findGo, judgeGo } from "@store/toolchain/engine/go";
import { buildError } from "@store/toolchain/engine/goBuildError";
import { elapsed, toolchainKey } from "@store/toolchain/engine/goToolchain";
import {
  checkPins,
  disagreements,
  engineVersion,
  goSources,
  plugins,
  requiredGo,
} from "@store/toolchain/engine/pins";
import { withEnvironment } from "../environment";

const goOfToday = { usable: true, version: "1.26.0", required: "1.25.11" } as const;
const noGo = { usable: false, problem: "Go is not installed", required: "1.25.11" } as const;

const nothing: EngineFacts = {
  onPath: false,
  npmReady: false,
  toolchainReady: false,
  downloadSite: "unusable",
  go: noGo,
};

describe("chooseEngine", () => {
  const cases: [string, Partial<EngineFacts>, string][] = [
    ["the user's own before all", { onPath: true, npmReady: true, toolchainReady: true }, "path"],
    ["npm's download before ours", { npmReady: true, toolchainReady: true }, "npm"],
    ["ours when it is there", { toolchainReady: true, downloadSite: "reachable" }, "toolchain"],
    ["npm's download before building", { downloadSite: "reachable", go: goOfToday }, "npm"],
    ["a build where nothing can be downloaded", { go: goOfToday }, "toolchain"],
    ["none without Go and without the site", {}, "none"],
  ];
  for (const [title, facts, how] of cases) {
    it(title, () => assert.equal(chooseEngine({ ...nothing, ...facts }).how, how));
  }

  it("names both alternatives if no engine can be installed", () => {
    const choice = chooseEngine(nothing);
    assert.ok(choice.how === "none");
    assert.match(choice.problem, /Go is not installed/);
    assert.match(choice.remedy, /Install Go 1\.25\.11 or newer/);
    assert.match(choice.remedy, /Pulumi \d+\.\d+\.\d+ or newer/);
  });

  it("blames the site only if it was the cause", () => {
    const problem = (downloadSite: EngineFacts["downloadSite"]): string => {
      const choice = chooseEngine({ ...nothing, downloadSite });
      return choice.how === "none" ? `${choice.problem} ${choice.remedy}` : "";
    };
    assert.match(problem("unusable"), /download site can't be used.*allow access to/);
    assert.match(problem("failed"), /its download failed.*fix the cause of the failed download/);
  });

  it("rejects an engine on PATH that is too old, has no version or no language host", () => {
    const file = "/opt/bin/pulumi";
    assert.match(rejectionReason(file, "3.100.0", "3.259.0", true) ?? "", /older than 3\.259\.0/);
    assert.match(rejectionReason(file, undefined, "3.259.0", true) ?? "", /its version/);
    assert.match(rejectionReason(file, "3.300.0", "3.259.0", false) ?? "", /language-nodejs/);
    assert.equal(rejectionReason(file, "3.259.0", "3.259.0", true), undefined);
  });

  it("names the cause if the download site is unreachable", () => {
    const failed = new TypeError("fetch failed", { cause: new Error("getaddrinfo ENOTFOUND x") });
    assert.equal(networkReason(failed), "getaddrinfo ENOTFOUND x");
    const addresses = [new Error("connect ECONNREFUSED ::1:1"), new Error("connect ETIMEDOUT")];
    assert.equal(
      networkReason(new TypeError("fetch failed", { cause: new AggregateError(addresses) })),
      "connect ECONNREFUSED ::1:1, connect ETIMEDOUT",
    );
    assert.equal(networkReason(new Error("socket hang up")), "socket hang up");
    assert.match(networkReason(new DOMException("", "TimeoutError")), /no answer within 3 s/);
  });
});

describe("judgeGo", () => {
  it("accepts a Go that is new enough", () => {
    assert.equal(judgeGo({ version: "go1.25.11", toolchain: "local" }, "1.25.11").usable, true);
  });

  it("accepts an older Go that downloads a newer one", () => {
    assert.equal(judgeGo({ version: "go1.21.0", toolchain: "auto" }, "1.25.11").usable, true);
  });

  it("rejects an older Go that may not or can't download a newer one", () => {
    const local = judgeGo({ version: "go1.24.4", toolchain: "local" }, "1.25.11");
    assert.ok(!local.usable);
    assert.match(local.problem, /1\.24\.4 and may not fetch a newer one/);
    const old = judgeGo({ version: "go1.19.8", toolchain: "" }, "1.25.11");
    assert.ok(!old.usable);
    assert.equal(old.problem, "Go is 1.19.8");
    assert.equal(judgeGo(undefined, "1.25.11").usable, false);
  });

  it("doesn't call a Go that fails missing", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "go-"));
    const script = "#!/bin/sh\necho 'go: cannot find GOROOT directory' >&2\nexit 2\n";
    writeFileSync(path.join(folder, "go"), script, { mode: 0o755 });
    await withEnvironment(
      { PATH: [folder, process.env["PATH"]].join(path.delimiter) },
      async () => {
        const found = await findGo();
        assert.ok(!found.usable);
        assert.match(found.problem, /the go on PATH doesn't work \(go: cannot find GOROOT/);
      },
    );
    rmSync(folder, { recursive: true });
  });

  it("requires the highest version of all modules, compared by number", () => {
    assert.equal(requiredGo(["go 1.9.2\n", "module x\n\ngo 1.25.11\n", "go 1.25.8\n"]), "1.25.11");
  });
});

describe("The pins of the toolchain", () => {
  it("agree with the installed npm packages", () => checkPins());

  it("are checked: each disagreement is named", () => {
    const goMod = readFileSync(path.join(goSources, "engine", "go.mod"), "utf8");
    const installed = {
      pulumi: engineVersion(),
      ...Object.fromEntries(plugins.map(({ name, version }) => [`@pulumi/${name}`, version])),
    };
    assert.deepEqual(disagreements(installed, goMod), []);
    assert.match(
      disagreements({ ...installed, "@pulumi/docker": "5.3.0" }, goMod).join(),
      /npm has @pulumi\/docker 5\.3\.0, packages\/toolchain\/engine\/pins\.ts 5\.2\.0/,
    );
    assert.match(
      disagreements({ ...installed, pulumi: "3.300.0" }, goMod).join(),
      /npm has pulumi 3\.300\.0/,
    );
  });
});

describe("The key of a build", () => {
  const sources = { "engine/go.mod": "module a\n" };

  it("depends on the sources only", () => {
    const key = toolchainKey(sources, "linux-x64");
    assert.match(key, /^[0-9a-f]{16}$/);
    assert.equal(toolchainKey({ ...sources }, "linux-x64"), key);
    assert.notEqual(toolchainKey({ "engine/go.mod": "module b\n" }, "linux-x64"), key);
    assert.notEqual(toolchainKey(sources, "linux-arm64"), key);
  });
});

describe("A failed build of the engine", () => {
  const remedyFor = (stderr: string): string =>
    buildError({ title: "Pulumi engine" }, stderr).hint ?? "";

  it("shows the end of go's output", () => {
    const error = buildError({ title: "Pulumi engine" }, "noise\n".repeat(50) + "x.go:1: broken\n");
    assert.match(error.message, /^The Pulumi engine could not be built:\n/);
    assert.match(error.message, /x\.go:1: broken$/);
    assert.ok(error.message.split("\n").length < 12);
  });

  it("has a hint for a full disk, too little memory and network errors", () => {
    assert.match(remedyFor("write /tmp/x: no space left on device"), /disk/);
    assert.match(remedyFor("compile: signal: killed"), /memory/);
    assert.match(remedyFor("dial tcp: lookup proxy: no such host"), /module proxy/);
  });

  it("doesn't blame the network for go's other problems", () => {
    assert.match(remedyFor("verifying x@v1: checksum mismatch"), /go clean -modcache/);
    assert.match(remedyFor("go: download go1.27 for linux: toolchain not available"), /version of/);
    assert.match(remedyFor("mkdir /root/go: permission denied"), /go env GOCACHE GOMODCACHE/);
    assert.match(remedyFor("x.go:1: broken"), /^Fix the cause that go names, and run this again/);
  });

  it("formats a duration as minutes and seconds", () => assert.equal(elapsed(65_900), "1:05"));
});
