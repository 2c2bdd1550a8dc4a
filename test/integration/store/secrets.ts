import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { run } from "../../support/run";
import { TestStore } from "../support/testStore";

/** Defines tests of the passwords and the staff token of a running store. */
export function testSecrets(running: () => TestStore): void {
  it("shows no password in docker inspect, the environment, the state or the outputs", async () => {
    const store = running();
    const secrets = await passwords(store);
    // Passwords of four databases, the staff token, and the secret of which orders' tokens for other services are made.
    assert.equal(secrets.length, 6);
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

  it("prints the staff token, of which the services have the hash only", async () => {
    const store = running();
    const token = (await store.succeed("token")).trim();
    assert.match(token, /^[A-Za-z0-9]{40}$/);
    const hash = createHash("sha256").update(token).digest("hex");
    const read = 'process.stdout.write(require("fs").readFileSync(process.env.STAFF_TOKENS_FILE))';
    for (const service of ["inventory", "orders", "billing", "shipping"]) {
      const tokens = await store.exec(`${service}/service`, "node", "-e", read);
      assert.equal(tokens.trim(), `staff ${hash}`, service);
    }
    const look = 'console.log(process.env.STAFF_TOKENS_FILE, require("fs").readdirSync("/run"))';
    assert.doesNotMatch(
      await store.exec("storefront/service", "node", "-e", look),
      /secrets|TOKEN/,
    );
  });

  it("adds a staff token to the running store and removes it, without a restart", async () => {
    const store = running();
    const first = (await store.succeed("token")).trim();
    const { output: before } = await run("docker", containersOf(store));
    const statusFor = async (token: string): Promise<number> =>
      (
        await fetch(`${store.url}/api/inventory/stock`, {
          headers: { authorization: `Bearer ${token}` },
        })
      ).status;
    const change = async (...args: string[]): Promise<string> => {
      const { code, output } = await store.command("./store", "token", ...args, store.stack);
      assert.equal(code, 0, output);
      return output;
    };
    const printed = await change("add", "ana");
    const token = /^[A-Za-z0-9]{40}$/m.exec(printed)?.[0] ?? assert.fail(printed);
    assert.equal(await statusFor(token), 200);
    assert.equal(await statusFor(first), 200);
    assert.match(await change("list"), /^ana$\n^staff$/m);
    assert.ok(!store.readAll(".store").includes(token), "the state shows the token");

    await change("remove", "ana");
    assert.equal(await statusFor(token), 401);
    assert.equal(await statusFor(first), 200);
    assert.equal((await run("docker", containersOf(store))).output, before);
  });
}

/** Arguments of docker that list the stack's containers. */
function containersOf({ stack }: TestStore): string[] {
  return ["ps", "-q", "--no-trunc", "--filter", `label=dev.store.stack=${stack}`];
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
