import assert from "node:assert/strict";
import { run, TestStore } from "../support/testStore";

/** Defines tests of the passwords and the staff token of a running store. */
export function testSecrets(running: () => TestStore): void {
  it("shows no password in docker inspect, the environment, the state or the outputs", async () => {
    const store = running();
    const secrets = await passwords(store);
    // Passwords of four databases, and the staff token.
    assert.equal(secrets.length, 5);
    const { output: ids } = await run("docker", [
      "ps",
      "-aq",
      "--filter",
      `label=dev.store.stack=${store.stack}`,
    ]);
    const inspected = (await run("docker", ["inspect", ...ids.trim().split("\n")])).output;
    const state = store.readAll(".store");
    for (const secret of secrets) {
      assert.ok(!inspected.includes(secret), "docker inspect shows a password");
      assert.ok(!state.includes(secret), "the state shows a password");
    }
  });

  it("prints the staff token, which the services read from a file", async () => {
    const store = running();
    const token = (await store.succeed("token")).trim();
    assert.match(token, /^[A-Za-z0-9]{40}$/);
    const read = 'process.stdout.write(require("fs").readFileSync(process.env.STAFF_TOKEN_FILE))';
    for (const service of ["inventory", "orders", "billing", "shipping"]) {
      assert.equal(await store.exec(`${service}/service`, "node", "-e", read), token, service);
    }
    const look = 'console.log(process.env.STAFF_TOKEN_FILE, require("fs").readdirSync("/run"))';
    assert.doesNotMatch(
      await store.exec("storefront/service", "node", "-e", look),
      /secrets|TOKEN/,
    );
  });
}

async function passwords(store: TestStore): Promise<string[]> {
  const state = JSON.parse(await store.pulumi("stack", "export", "--show-secrets")) as {
    deployment: { resources: { type: string; outputs?: { result?: { plaintext?: string } } }[] };
  };
  return state.deployment.resources
    .filter(({ type }) => type === "random:index/randomPassword:RandomPassword")
    .map(({ outputs }) => JSON.parse(outputs?.result?.plaintext ?? '""') as string)
    .filter((password) => password.length >= 32);
}
