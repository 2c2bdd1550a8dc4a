import assert from "node:assert/strict";
import type { EngineEvent } from "@store/cli/engine/events";
import { publicRefusal } from "@store/cli/review/collect/refusal";
import { CliError } from "@store/docker/cliError";
import { diagnose, applyRulesTo, engineEvents } from "../diagnostics/failedRun";
import { previewEvents, summaryOf } from "./reviews";

/** Values that must never be printed: in different alphabets, because some forms are allowed for names. */
const CANARIES = ["hunter2", "canarySecret", "CANARY_KEY_9", "c4n4ry-7f3a", "S3cr3t!`|<@"];
const CONTAINER = "docker:index/container:Container";

describe("a review", () => {
  it("shows no secret of configuration, inputs, outputs, environment, old state or keys", () => {
    for (const canary of CANARIES) {
      const text = JSON.stringify(summaryOf({ events: previewWithSecrets(canary) }));
      assert.equal(text.includes(JSON.stringify(canary).slice(1, -1)), false, canary);
      assert.equal(text.includes(canary.slice(0, 6)), false, `a part of ${canary}`);
    }
  });

  it("shows no secret in the error texts of a refused preview", async () => {
    for (const canary of CANARIES) {
      for (const events of failuresWithSecrets(canary)) {
        const error = await diagnose(events, { command: "preview" });
        const message = publicRefusal(error, applyRulesTo(events), "staging");
        const text = JSON.stringify(summaryOf({ events, refusal: { message, dangers: [] } }));
        assert.equal(text.includes(canary.slice(0, 6)), false, `${canary} in ${text}`);
      }
    }
  });

  it("shows no secret in the message of an engine that ended at once", () => {
    const stderr = "error: decrypting secret hunter2 failed";
    const message = publicRefusal(new CliError(stderr), applyRulesTo([], { stderr }), "staging");
    assert.equal(JSON.stringify(message).includes("hunter2"), false);
  });

  it("shows the messages of this repository's policies, and only the names of others", () => {
    const violation = (policyPackName: string): EngineEvent =>
      ({
        policyEvent: {
          ...{ policyName: "no-secrets", policyPackName, policyPackVersion: "1" },
          ...{ policyPackVersionTag: "1", color: "never", enforcementLevel: "warning" },
          message: `the value of ${policyPackName} is hunter2`,
        },
      }) as unknown as EngineEvent;
    const own = summaryOf({ events: [violation("store")] }).markdown;
    assert.match(own, /no-secrets.*hunter2/);
    const others = summaryOf({ events: [violation("elsewhere")] }).markdown;
    assert.match(others, /no-secrets/);
    assert.doesNotMatch(others, /hunter2/);
  });
});

/** A preview with a canary wherever a value can be. */
function previewWithSecrets(canary: string): EngineEvent[] {
  const inputs = {
    image: canary,
    name: canary,
    envs: [`PASSWORD=${canary}`, `${canary}=1`, canary],
    labels: [{ label: canary, value: canary }],
    ports: [{ external: canary, ip: canary, internal: canary }],
    memory: canary,
    driverOpts: { [canary]: canary, o: canary },
    securityRules: [
      {
        ...{ name: canary, direction: "Inbound", access: "Allow" },
        ...{ sourceAddressPrefixes: [canary], destinationPortRange: canary },
      },
    ],
    hardwareProfile: { vmSize: canary },
    storageProfile: { imageReference: { version: canary } },
    sku: { name: canary },
    diskSizeGB: canary,
    addressSpace: { addressPrefixes: [canary] },
    [canary]: canary,
  };
  const types = [
    CONTAINER,
    "docker:index/remoteImage:RemoteImage",
    "docker:index/volume:Volume",
    "azure-native:compute:VirtualMachine",
    "azure-native:compute:Disk",
    "azure-native:network:NetworkSecurityGroup",
    "azure-native:network:VirtualNetwork",
    "command:local:Command",
    "random:index/randomPassword:RandomPassword",
    "pulumi:providers:docker",
  ];
  const steps = types.flatMap((type, index) =>
    (["create", "update", "replace", "delete"] as const).map((op) => ({
      ...{ op, type, name: `orders-${index}-${op}`, protect: op === "delete" },
      before: { ...inputs, stdin: `old ${canary}`, envs: [`PASSWORD=old${canary}`] },
      after: inputs,
      diff: [`envs["${canary}"]`, `${canary}.x`, `environment.${canary}`, `labels[0].${canary}`],
    })),
  );
  const config = {
    preludeEvent: { config: { "store:secrets": canary } },
  } as unknown as EngineEvent;
  const outputs = {
    resOutputsEvent: { metadata: { op: "update", urn: "urn:x::y::z::w", type: "z", new: inputs } },
  } as unknown as EngineEvent;
  return [config, outputs, ...previewEvents(...steps)];
}

/** Failed previews whose messages quote a canary: of the program, of resources, of the configuration, of Azure and of Docker. */
function failuresWithSecrets(canary: string): EngineEvent[][] {
  const messages = [
    `error: something about ${canary}`,
    `Running program '/x' failed with an unhandled exception: Error: ${canary}\n    at x (index.ts:1:1)`,
    `store:httpPort: "${canary}" should be a whole number from 1 to 65535.`,
    `store:${canary}: is unknown\nstore:secrets.orders.X: ${canary}`,
    `AuthorizationFailed: the client ${canary} does not have authorization`,
    `error during connect: ${canary}`,
    `configuration key '${canary}'`,
    `not published: ${canary}`,
    `failed to decrypt ${canary}`,
    `pull access denied: unauthorized ${canary}`,
  ];
  const urn = `urn:pulumi:dev::store::${CONTAINER}::orders-0`;
  return messages.flatMap((message) => [
    engineEvents({ diagnosticEvent: { severity: "error", message } }),
    engineEvents(
      { diagnosticEvent: { urn, severity: "error", message } },
      { resOpFailedEvent: { metadata: { op: "create", urn, type: CONTAINER } } },
    ),
  ]);
}
