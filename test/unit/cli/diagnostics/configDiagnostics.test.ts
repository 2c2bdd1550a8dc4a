import assert from "node:assert/strict";
import { malformedSecrets } from "@store/cli/diagnostics/rules/config";
import { parseEvents } from "@store/cli/engine/events";
import {
  diagnose,
  engineEvents,
  failedStep,
  recordedEvents,
  recording,
  ruleNames,
} from "./failedRun";

describe("diagnoseRun of a wrong configuration", () => {
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

  it("has the command that sets a database's URL again, as a secret", async () => {
    const message = "store:databaseUrl.orders: the server db:5432 refuses the password";
    const rejected = failedStep("command:local:Command", "orders-database-check", message);
    const { summary, hint } = await diagnose(rejected);
    assert.equal(summary, message);
    assert.match(hint ?? "", /config set --secret --path 'databaseUrl\.orders' VALUE/);
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

  it("suggests to correct a wrong name in a mapping in the file, where it stands", async () => {
    const program = (message: string) =>
      diagnose(engineEvents({ diagnosticEvent: { urn: "", severity: "error", message } }));
    const service = await program('store:environment.inventori: there is no service "inventori".');
    assert.doesNotMatch(service.hint ?? "", /config set/);
    assert.match(service.hint ?? "", /Correct it in Pulumi\.dev\.yaml, then: \.\/store up/);
  });

  it("finds a secret of another workspace", () => {
    const stderr = "error: validating stack config: cipher: message authentication failed\n";
    assert.deepEqual(ruleNames([], stderr), ["undecryptable-secret"]);
  });

  it("finds a value that is marked as encrypted, but isn't", async () => {
    const stderr = "error: bad value\n";
    assert.deepEqual(ruleNames([], stderr), ["malformed-secret"]);
    const A = { secure: "nonsense" };
    const secrets = { orders: { A, B: { secure: "v1:3q2+7w==:AAAA" }, C: "plain" } };
    assert.deepEqual(malformedSecrets({ secrets, certificate: A }), [
      "secrets.orders.A",
      "certificate",
    ]);
    const { summary, hint } = await diagnose([], { stderr });
    assert.match(summary, /^Pulumi\.dev\.yaml marks .* as encrypted \("secure"\)/);
    assert.match(hint ?? "", /pulumi config set --secret --path/);
  });

  it("finds the salt of another passphrase", () => {
    const stderr = "error: getting secrets manager: incorrect passphrase\n";
    assert.deepEqual(ruleNames([], stderr), ["wrong-passphrase"]);
  });

  it("asks for the passphrase of a shared stack, instead of advising to delete its salt", async () => {
    const stderr = "error: getting secrets manager: incorrect passphrase\n";
    const shared = { "store:host": "local", "store:stateBackend": "file:///mnt/state" };
    const { summary, hint } = await diagnose([], { stderr, config: shared });
    assert.match(summary, /passphrase of the shared stack dev/);
    assert.match(hint ?? "", /\.store\/passphrases\/dev/);
    assert.doesNotMatch(hint ?? "", /Delete/);
    const withSalt = { "Pulumi.dev.yaml": "encryptionsalt: v1:c2FsdA==:v1:bm9uY2U=:dGV4dA==\n" };
    assert.match((await diagnose([], { stderr, files: withSalt })).hint ?? "", /Delete that line/);
  });

  it("names the key that can't be used", async () => {
    const stderr =
      "error: getting stack configuration: secrets (code=Unknown): keeper.Decrypt: DefaultAzureCredential: failed to acquire a token\n";
    const { summary, hint } = await diagnose([], { stderr });
    assert.match(summary, /secretsprovider/);
    assert.match(hint ?? "", /az login/);
  });
});
