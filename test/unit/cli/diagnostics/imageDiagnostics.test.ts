import assert from "node:assert/strict";
import { buildCause } from "@store/cli/diagnostics/buildCause";
import { pullFailure } from "@store/cli/diagnostics/rules/image";
import { NETWORK, REMOTE_IMAGE } from "../../mocks";
import { applyRulesTo, diagnose, failedStep, recordedEvents, ruleNames } from "./failedRun";

describe("diagnoseRun of an image that can't be pulled", () => {
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
      const registry = { address: refusedBy, username: "me", pullUsername: "host" };
      const pulling = await diagnose(events, {
        config: { "store:host": "ssh", "store:registry": registry },
      });
      assert.equal(/registry\.pullPassword/.test(pulling.hint ?? ""), refusedBy !== undefined);
    });
  }
});
