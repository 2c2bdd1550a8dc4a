import assert from "node:assert/strict";
import type { EngineEvent } from "@store/cli/engine/events";
import { policyViolations } from "@store/cli/engine/policyPack";
import { diagnose, engineEvents } from "./failedRun";

const URN = "urn:pulumi:dev::store::docker:index/container:Container::orders-0";

function violation(enforcementLevel: string, policyName: string, message: string): EngineEvent {
  return {
    policyEvent: {
      resourceUrn: URN,
      policyName,
      enforcementLevel,
      message: `<{%reset%}>${message}\n`,
    },
  } as unknown as EngineEvent;
}

describe("diagnoseRun of a run that violates policies", () => {
  const mandatory = violation(
    "mandatory",
    "container-limits",
    "has no memory limit. Set `memory`.",
  );
  const advisory = violation("advisory", "image-pinned", "uses a tag. Name the digest.");
  const previewFailed = engineEvents({
    diagnosticEvent: { urn: "", severity: "error", message: "preview failed" },
  });

  it("names each mandatory violation with its resource, its remedy and its policy", async () => {
    const { summary, details, hint } = await diagnose([advisory, mandatory, ...previewFailed], {
      command: "preview",
    });
    assert.equal(summary, "Refused by a policy. Nothing was changed.");
    assert.deepEqual(details, [
      "orders-0 has no memory limit. Set `memory`. (policy container-limits)",
    ]);
    assert.match(hint ?? "", /\.\/store preview\b.*docs\/policies\.md/s);
  });

  it("doesn't hide another error of the same run", async () => {
    const error = engineEvents({
      diagnosticEvent: { urn: URN, severity: "error", message: "the disk is on fire" },
    });
    assert.match(
      (await diagnose([mandatory, ...error])).summary,
      /Also:\n {2}- .*the disk is on fire/s,
    );
  });

  it("reports the run's error if all violations are advisory", async () => {
    const error = engineEvents({
      diagnosticEvent: { urn: URN, severity: "error", message: "no such host" },
    });
    assert.doesNotMatch((await diagnose([advisory, ...error])).summary, /polic/);
  });

  it("reads the violations from the events", () => {
    assert.deepEqual(policyViolations([advisory]), [
      {
        policy: "image-pinned",
        isMandatory: false,
        urn: URN,
        message: "uses a tag. Name the digest.",
      },
    ]);
  });
});
