import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const SCRIPTS = resolve(__dirname, "../../../components/gateway");

// test/integration/failures.test.ts and test/integration/gateway run them with a real Docker.
describe("the gateway's scripts", () => {
  let folder: string;

  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "gateway-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it("wait for the services of which Docker reports a healthy container on the gateway's networks", () => {
    applyConfig({ inspect: "edge-1 web-1 orders-1 ", ps: "inventory\norders\norders\n" });
    const ps = calls().find((call) => call.startsWith("ps ")) ?? "";
    assert.match(ps, /^ps --filter network=web-1 --filter network=orders-1 --filter status=run/);
    assert.match(ps, / --filter health=healthy --filter label=dev\.store\.role=service /);
    assert.equal(calls().at(-1), `${RELOAD} inventory orders`);
  });

  it("wait for services with a healthy instance on another machine, too", () => {
    applyConfig({
      inspect: "edge-1 web-1 orders-1 ",
      ps: "",
      "service-ls": "a1 2/2\nb2 0/1\n",
      "service-inspect": "orders\n",
    });
    const inspected = calls().filter((call) => call.startsWith("service inspect"));
    assert.equal(inspected.length, 1);
    assert.match(inspected[0] ?? "", / a1$/);
    assert.equal(calls().at(-1), `${RELOAD} orders`);
  });

  const RELOAD = "exec gateway-id bash /etc/store/reload.sh 0123456789abcdef";

  it("connect the gateway to new networks, and disconnect it from those of removed services only", () => {
    applyConfig({
      inspect: "edge-1 gifts-1 monitoring ",
      network: "web-1\ngifts-1\nother-stack\n",
    });
    assert.deepEqual(
      calls().filter((call) => /^network (dis)?connect/.test(call)),
      [
        "network connect --alias gateway web-1 gateway-id",
        "network connect orders-1 gateway-id",
        "network disconnect gifts-1 gateway-id",
      ],
    );
  });

  it("leave a connected gateway alone", () => {
    applyConfig({ inspect: "edge-1 orders-1 web-1 ", network: "web-1\norders-1\nother-stack\n" });
    assert.deepEqual(
      calls().filter((call) => / (dis)?connect /.test(call)),
      [],
    );
  });

  const applyConfig = (outputs: Outputs): void =>
    runScript(
      "applyConfig.sh",
      ["gateway-id", "0123456789abcdef", "web-1=gateway", "orders-1="],
      outputs,
    );

  it("don't check the port while the stack's own gateway holds it", () => {
    runScript("portCheck.sh", PORT_CHECK, { ps: "0123456789ab\n" });
    assert.deepEqual(calls(), [
      "ps --quiet --filter publish=8081 --filter volume=gateway-config-1",
    ]);
  });

  it("check the port if no container, or the gateway of another stack or checkout, holds it", () => {
    runScript("portCheck.sh", PORT_CHECK, { ps: "" });
    assert.match(calls()[1] ?? "", /^run --rm --publish 127\.0\.0\.1:8081:8080 .* haproxy-id$/);
  });

  const PORT_CHECK = ["haproxy-id", "gateway-config-1", "127.0.0.1:8081:8080", "8081"];

  /** Runs a script with a stub for the docker command, which prints these outputs. */
  function runScript(script: string, args: readonly string[], outputs: Outputs): void {
    for (const [command, output] of Object.entries(outputs))
      writeFileSync(join(folder, `${command}.output`), output);
    const stub = `#!/bin/sh\necho "$@" >>${folder}/calls\nfor name in $1-$2 $1; do [ ! -e ${folder}/$name.output ] || cat ${folder}/$name.output; done\n`;
    writeFileSync(join(folder, "docker"), stub, { mode: 0o755 });
    execFileSync("sh", [join(SCRIPTS, script), ...args], {
      env: { PATH: `${folder}:${process.env["PATH"] ?? ""}` },
    });
  }

  function calls(): string[] {
    return readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
  }
});

/** Output of the docker command, by its first argument or two. Defaults to none. */
type Outputs = Readonly<
  Partial<Record<"ps" | "inspect" | "network" | "service-ls" | "service-inspect", string>>
>;
