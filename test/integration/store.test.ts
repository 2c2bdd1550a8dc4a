import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Load } from "./load";
import { presetFields, ShopClient } from "../support/shopClient";
import { run, TestStore } from "./testStore";

/** The tests build on each other, because `up` is too slow to start from nothing in each. */
describe("the store", function () {
  this.timeout("6m");
  this.bail(true);
  let store: TestStore;
  let output: string;

  before(async () => {
    store = await TestStore.create();
    output = await store.succeed("up");
  });
  after(() => store.dispose());

  it("comes up with one command, which prints the URL", async () => {
    assert.match(output, new RegExp(`http://localhost:${store.port}\\b`));
    const page = await fetch(store.url);
    assert.equal(page.status, 200);
    assert.match(page.headers.get("content-type") ?? "", /text\/html/);
    const first = await firstProduct();
    assert.ok((await page.text()).includes(first.name), `the page doesn't show ${first.name}`);
  });

  it("serves each service's API with its OpenAPI document", async () => {
    for (const service of ["inventory", "orders", "billing", "shipping"]) {
      const document = (await (await fetch(`${store.url}/api/${service}/openapi.json`)).json()) as {
        paths: object;
      };
      const paths = Object.keys(document.paths);
      assert.ok(
        paths.length > 0 && paths.every((path) => `${path}/`.startsWith(`/api/${service}/`)),
        paths.join(),
      );
    }
  });

  it("has a documentation page for each service's API", async () => {
    const overview = await (await fetch(`${store.url}/docs`)).text();
    for (const service of ["inventory", "orders", "billing", "shipping"]) {
      assert.match(overview, new RegExp(`href="/docs/${service}"`));
      const page = await fetch(`${store.url}/docs/${service}`);
      assert.equal(page.status, 200);
      assert.match(await page.text(), new RegExp(`/api/${service}/openapi\\.json`));
    }
  });

  it("sells through the shop's forms, from the basket to a confirmed order", async () => {
    // Like storefront's own tests, but through HAProxy, containers and networks.
    const client = new ShopClient(store.url);
    const { sku, name } = await productInStock();
    const added = await client.post("/basket/add", { sku, quantity: "2" });
    assert.equal(added.status, 303);
    const checkout = await client.get("/checkout");
    assert.match(checkout.text, new RegExp(`2 × ${name}`));
    const form = { ...presetFields(checkout), name: ADA.name, email: ADA.email, ...ADA.address };
    const foreign = await client.post("/checkout", form, "https://evil.example");
    assert.equal(foreign.status, 403);
    const { status, location = "" } = await client.post("/checkout", form);
    assert.equal(status, 303);
    assert.match(location, /^\/orders\/[0-9a-f-]{36}$/);
    await eventually(
      async () => (await client.get(location)).text.includes("your order is confirmed"),
      "the order isn't confirmed",
    );
  });

  it("sells through its API, and takes stock and money once", async () => {
    const { sku, available, price } = await productInStock();
    const key = randomUUID();
    const place = () =>
      fetch(`${store.url}/api/orders`, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": key },
        body: JSON.stringify({
          customer: ADA,
          items: [{ sku, quantity: 1 }],
          payment: { token: "tok_ok" },
        }),
      });
    const placed = await place();
    assert.equal(placed.status, 202);
    const location = placed.headers.get("location") ?? assert.fail("no Location");
    assert.deepEqual(await (await place()).json(), await placed.json());
    await eventually(
      async () => (await json<{ status: string }>(location)).status === "confirmed",
      "the order isn't confirmed",
    );
    assert.equal(
      (await json<{ available: number }>(`/api/inventory/products/${sku}`)).available,
      available - 1,
    );
    const order = location.split("/").at(-1) ?? "";
    const headers = { authorization: `Bearer ${(await store.succeed("token")).trim()}` };
    const { items } = await json<{ items: object[] }>(
      `/api/billing/payments?order=${order}`,
      headers,
    );
    assert.deepEqual(
      items.map((item) => ({ ...item, id: "", createdAt: "" })),
      [
        {
          ...{ id: "", order, status: "captured", amount: price, createdAt: "" },
          ...{ refunded: { ...price, amount: 0 }, refunds: [] },
        },
      ],
    );
  });

  it("serves /healthz, /readyz, /metrics and /openapi.json in each service, but not to the outside", async () => {
    for (const service of ["inventory", "orders", "billing", "shipping", "storefront"]) {
      for (const path of ["/healthz", "/readyz", "/metrics", "/openapi.json"]) {
        assert.equal(
          await inside(service, `http://127.0.0.1:3000${path}`),
          "200",
          `${service}${path}`,
        );
      }
    }
    for (const path of ["/healthz", "/readyz", "/metrics", "/openapi.json"]) {
      assert.equal((await fetch(`${store.url}${path}`)).status, 404, path);
    }
  });

  it("allows storefront to reach only the gateway", async () => {
    assert.equal(await inside("storefront", "http://gateway/api/inventory/products"), "200");
    for (const host of ["inventory", "orders", "billing", "shipping", "inventory-database"]) {
      assert.equal(await inside("storefront", `http://${host}:3000/healthz`), "ENOTFOUND", host);
    }
    // Nor by IP address.
    const address = await addressOf("inventory", "backend");
    assert.match(
      await inside("storefront", `http://${address}:3000/healthz`),
      /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|timeout)$/,
    );
  });

  it("allows only a service to reach its database", async () => {
    assert.equal(await connect("inventory", "inventory-database"), "connected");
    for (const service of ["orders", "billing", "shipping", "storefront"]) {
      assert.equal(await connect(service, "inventory-database"), "ENOTFOUND", service);
    }
    const address = await addressOf("inventory-database", "inventory-database");
    assert.match(
      await connect("orders", address),
      /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|timeout)$/,
    );
  });

  it("publishes one port, on the loopback interface", async () => {
    const { output } = await run("docker", [
      "ps",
      "--filter",
      `label=dev.store.stack=${store.stack}`,
      "--format",
      "{{.Ports}}",
    ]);
    const published = output.split("\n").filter((line) => line.includes("->"));
    assert.deepEqual(published, [`127.0.0.1:${store.port}->8080/tcp`]);
  });

  it("runs containers with minimal privileges", async () => {
    const containers = await store.containers("status=running");
    assert.equal(containers.length, 10);
    for (const { id, name } of containers) {
      const host = (await inspect(id)).HostConfig;
      assert.equal(host.ReadonlyRootfs, true, name);
      assert.deepEqual(host.CapDrop, ["ALL"], name);
      assert.equal(host.CapAdd, null, name);
      assert.deepEqual(host.SecurityOpt, ["no-new-privileges:true"], name);
      assert.ok(host.Memory > 0 && host.MemorySwap === host.Memory, name);
      assert.ok((host.PidsLimit ?? 0) > 0, `${name} has no limit of processes`);
      assert.equal(host.Init, true, name);
      assert.equal(host.RestartPolicy.Name, "unless-stopped", name);
      assert.equal(host.LogConfig.Config["max-size"], "10m", name);
      const { output } = await run("docker", ["exec", id, "id", "-u"]);
      assert.notEqual(output.trim(), "0", `${name} runs as root`);
    }
  });

  it("labels images with their sources", async () => {
    const id = (await store.running()).get("inventory/service");
    assert.ok(id);
    const { output } = await run("docker", ["inspect", "--format", "{{json .Config.Labels}}", id]);
    const labels = JSON.parse(output) as Record<string, string>;
    assert.match(labels["org.opencontainers.image.version"] ?? "", /^[0-9a-f]{16}$/);
    assert.equal(labels["dev.store.project"], "store");
    // The copy has no git repository, so the label for the revision is missing; see the unit tests.
    assert.equal(labels["org.opencontainers.image.revision"], undefined);
  });

  it("shows no password in docker inspect, the environment, the state or the outputs", async () => {
    const secrets = await passwords();
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
    const token = (await store.succeed("token")).trim();
    assert.match(token, /^[A-Za-z0-9]{40}$/);
    const read = 'process.stdout.write(require("fs").readFileSync(process.env.STAFF_TOKEN_FILE))';
    for (const service of ["inventory", "orders", "billing", "shipping"]) {
      assert.equal(await exec(service, "node", "-e", read), token, service);
    }
    const look = 'console.log(process.env.STAFF_TOKEN_FILE, require("fs").readdirSync("/run"))';
    assert.doesNotMatch(await exec("storefront", "node", "-e", look), /secrets|TOKEN/);
  });

  it("has no changes in a preview, in a refresh and in another up", async () => {
    const before = await store.running();
    assertNoChange(await store.succeed("preview"));
    assertNoChange(await store.succeed("preview", "--refresh"));
    // Skipped without the engine first, then with the engine.
    assert.match(await store.succeed("up"), /everything is unchanged since the last up/);
    assertNoChange(await store.succeed("up", "--refresh"));
    assert.deepEqual(await store.running(), before);
  });

  it("doesn't change the stack's configuration file", () => {
    assert.doesNotMatch(store.read(`Pulumi.${store.stack}.yaml`), /encryptionsalt/);
  });

  it("rolls a changed service out without a failed request, and changes nothing else", async () => {
    const before = await store.running();
    store.edit("services/inventory/src/main.ts", "", "// another content\n");
    const preview = await store.succeed("preview");
    assert.match(preview, /inventory-image/);
    assert.doesNotMatch(
      preview,
      /(orders|billing|shipping|storefront|packages-kit)-image:\S+ +create/,
    );

    const load = Load.on(`${store.url}/api/inventory/products`);
    await store.succeed("up");
    const { requests, failures, longestGapMs } = await load.stop();
    assert.deepEqual(failures, []);
    assert.ok(requests > 100, `only ${requests} requests were sent`);
    console.log(`      ${requests} requests, none lost, longest gap ${longestGapMs} ms`);

    const replaced = changed(before, await store.running());
    assert.deepEqual(replaced, ["inventory/service"]);
    assertNoChange(await store.succeed("preview"));
  });

  it("runs a new service in another language when its folder is added, without interrupting the others", async () => {
    const before = await store.running();
    addPerlService(store);
    const load = Load.on(`${store.url}/api/inventory/products`);
    await store.succeed("up");
    const { failures } = await load.stop();
    assert.deepEqual(failures, []);
    assert.equal(await (await fetch(`${store.url}/api/greeter/hello`)).text(), "hello from perl\n");
    assert.deepEqual(changed(before, await store.running()), ["greeter/service"]);
    assertNoChange(await store.succeed("preview", "--refresh"));
  });

  it("removes the service when its folder is deleted", async () => {
    rmSync(join(store.folder, "services/greeter"), { recursive: true });
    await store.succeed("up");
    assert.equal((await fetch(`${store.url}/api/greeter/hello`)).status, 404);
    assert.equal(
      (await store.containers()).filter(({ service }) => service === "greeter").length,
      0,
    );
  });

  it("scales a service up, which distributes the requests, and down again", async () => {
    store.configure({ replicas: { inventory: 3 } });
    await store.succeed("up");
    const inventory = async (): Promise<string[]> =>
      (await store.containers("status=running"))
        .filter((c) => c.service === "inventory" && c.role === "service")
        .map((c) => c.id);
    assert.equal((await inventory()).length, 3);

    const load = Load.on(`${store.url}/api/inventory/products`);
    store.configure({});
    await store.succeed("up");
    assert.deepEqual((await load.stop()).failures, []);
    assert.equal((await inventory()).length, 1);
  });

  it("passes variables and secrets from the configuration to a service, and shows the secrets nowhere", async () => {
    const set = (...args: string[]) => store.pulumi("config", "set", "--path", ...args);
    await set("environment.billing.LOG_LEVEL", "debug");
    await set("secrets.billing.A_KEY", "s3cret-one", "--secret");
    const before = await store.running();
    await store.succeed("up");
    assert.deepEqual(changed(before, await store.running()), ["billing/service"]);
    const read =
      'process.stdout.write(process.env.LOG_LEVEL + " " + require("fs").readFileSync(process.env.A_KEY_FILE))';
    assert.equal(await exec("billing", "node", "-e", read), "debug s3cret-one");

    await set("secrets.billing.A_KEY", "s3cret-two", "--secret");
    const output = await store.succeed("up");
    assert.equal(await exec("billing", "node", "-e", read), "debug s3cret-two");
    const ids = (await store.containers()).map(({ id }) => id);
    const inspected = (await run("docker", ["inspect", ...ids])).output;
    const stackFile = store.read(`Pulumi.${store.stack}.yaml`);
    assert.doesNotMatch([output, inspected, stackFile, store.readAll(".store")].join(), /s3cret/);
    store.configure({});
    await store.succeed("up");
  });

  it("runs a service from its sources in dev mode, where a change needs no new image", async () => {
    store.configure({ live: ["inventory"] });
    await store.succeed("up");
    const before = await store.running();
    store.edit("services/inventory/src/main.ts", "", 'console.log("live reload works");\n');
    const logged = async (): Promise<boolean> =>
      (await run("docker", ["logs", before.get("inventory/service") ?? ""])).output.includes(
        "live reload works",
      );
    await eventually(logged, "the service didn't restart on the change");
    await eventually(
      async () => (await fetch(`${store.url}/api/inventory/products`)).status === 200,
      "it doesn't answer",
    );
    assert.deepEqual(await store.running(), before);
    // The change doesn't require a new image.
    assertNoChange(await store.succeed("preview"));
    store.configure({});
    await store.succeed("up");
  });

  it("restores containers that were removed or stopped manually", async () => {
    const containers = await store.running();
    await run("docker", ["rm", "--force", containers.get("orders/service") ?? ""]);
    await run("docker", ["stop", "--time", "1", containers.get("shipping/service") ?? ""]);
    await store.succeed("up");
    const running = await store.running();
    assert.ok(running.has("orders/service") && running.has("shipping/service"));
    assert.equal((await fetch(`${store.url}/api/orders/openapi.json`)).status, 200);
  });

  it("keeps the data through down and up", async () => {
    await psql("CREATE TABLE kept AS SELECT 42 AS answer");
    await store.succeed("down", "--yes");
    assert.deepEqual((await store.containers()).length, 0);
    assert.match((await store.run("token")).output, /has no token: it isn't up.*Bring it up: /s);
    assert.ok(
      (await store.left()).every((line) => line.startsWith("volume ")),
      (await store.left()).join(),
    );
    await store.succeed("up");
    assert.match(await psql("SELECT answer FROM kept"), /42/);
  });

  it("runs a subset of the services with their dependencies, and keeps the data of the others", async () => {
    store.configure({ services: ["billing"] });
    await store.succeed("up");
    assert.deepEqual(servicesOf(await store.running()), ["billing", "gateway"]);
    assert.equal((await fetch(`${store.url}/api/orders/openapi.json`)).status, 404);
    store.configure({ services: ["inventory"] });
    await store.succeed("up");
    assert.match(await psql("SELECT answer FROM kept"), /42/);
  });

  it("leaves nothing behind after down --volumes", async () => {
    // inventory's source was changed above, so no other stack on this machine uses the same image.
    const image = await imageOf("inventory");
    await store.succeed("down", "--yes", "--volumes");
    assert.deepEqual(await store.left(), []);
    assert.notEqual((await run("docker", ["image", "inspect", image])).code, 0, `${image} is left`);
    const again = await store.succeed("down", "--yes", "--volumes");
    assert.match(again, /no resources/i);
  });

  async function firstProduct(): Promise<Product> {
    const [first] = (await json<{ items: Product[] }>("/api/inventory/products")).items;
    assert.ok(first, "the catalogue is empty");
    return first;
  }

  async function productInStock(): Promise<Product> {
    const { items } = await json<{ items: Product[] }>("/api/inventory/products?limit=50");
    const first = items.find(({ available }) => available >= 10);
    assert.ok(first, "there is nothing in stock");
    return first;
  }

  async function json<T>(path: string, headers: Record<string, string> = {}): Promise<T> {
    const answer = await fetch(store.url + path, { headers });
    assert.equal(answer.status, 200, path);
    return (await answer.json()) as T;
  }

  /** Returns the status of a request from inside a service's container, or the error's code. */
  async function inside(service: string, url: string): Promise<string> {
    const script = `fetch(${JSON.stringify(url)}, {signal: AbortSignal.timeout(2000)}).then(r => r.status, e => e.cause?.code ?? "timeout").then(console.log)`;
    return (await exec(service, "node", "-e", script)).trim();
  }

  /** Returns the result of a connection to a PostgreSQL port from inside a service's container. */
  async function connect(service: string, host: string): Promise<string> {
    const script = `const s = require("net").connect({host: ${JSON.stringify(host)}, port: 5432, timeout: 2000});
      s.on("connect", () => { console.log("connected"); s.destroy(); }); s.on("timeout", () => { console.log("timeout"); s.destroy(); });
      s.on("error", e => console.log(e.code));`;
    return (await exec(service, "node", "-e", script)).trim();
  }

  async function exec(service: string, ...command: string[]): Promise<string> {
    const id = (await store.running()).get(`${service}/service`);
    assert.ok(id, `${service} doesn't run`);
    const { code, output } = await run("docker", ["exec", id, ...command]);
    assert.equal(code, 0, output);
    return output;
  }

  async function psql(statement: string): Promise<string> {
    const id = (await store.running()).get("inventory/database");
    assert.ok(id, "the database doesn't run");
    const { code, output } = await run("docker", [
      "exec",
      id,
      "sh",
      "-c",
      `PGPASSWORD=$(cat /run/secrets/database-password) psql -h 127.0.0.1 -U inventory inventory -c '${statement}'`,
    ]);
    assert.equal(code, 0, output);
    return output;
  }

  /** Returns the name of a service's image. */
  async function imageOf(service: string): Promise<string> {
    const id = (await store.running()).get(`${service}/service`);
    assert.ok(id, `${service} doesn't run`);
    const image = (await run("docker", ["inspect", "--format", "{{.Image}}", id])).output.trim();
    const { output } = await run("docker", ["inspect", "--format", "{{index .RepoTags 0}}", image]);
    assert.match(output, /^store\//);
    return output.trim();
  }

  async function addressOf(service: string, network: string): Promise<string> {
    const role = service.endsWith("-database") ? "database" : "service";
    const id = (await store.running()).get(`${service.replace(/-database$/, "")}/${role}`);
    assert.ok(id);
    const networks = Object.entries((await inspect(id)).NetworkSettings.Networks);
    const found = networks.find(([name]) => name.startsWith(network));
    assert.ok(found, `${service} is on ${networks.map(([name]) => name).join()}`);
    return found[1].IPAddress;
  }

  async function passwords(): Promise<string[]> {
    const state = JSON.parse(await store.pulumi("stack", "export", "--show-secrets")) as {
      deployment: { resources: { type: string; outputs?: { result?: { plaintext?: string } } }[] };
    };
    return state.deployment.resources
      .filter(({ type }) => type === "random:index/randomPassword:RandomPassword")
      .map(({ outputs }) => JSON.parse(outputs?.result?.plaintext ?? '""') as string)
      .filter((password) => password.length >= 32);
  }
});

const ADA = {
  name: "Ada Lovelace",
  email: "ada@example.org",
  address: { line1: "12 Hill Street", city: "Melbourne", postcode: "3000", country: "AU" },
};

interface Product {
  readonly sku: string;
  readonly name: string;
  readonly available: number;
  readonly price: { readonly amount: number; readonly currency: string };
}

interface Inspected {
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly CapDrop: string[];
    readonly CapAdd: string[] | null;
    readonly SecurityOpt: string[];
    readonly Memory: number;
    readonly MemorySwap: number;
    readonly PidsLimit: number | null;
    readonly Init: boolean;
    readonly RestartPolicy: { readonly Name: string };
    readonly LogConfig: { readonly Config: Record<string, string> };
  };
  readonly NetworkSettings: { readonly Networks: Record<string, { readonly IPAddress: string }> };
}

async function inspect(id: string): Promise<Inspected> {
  const [found] = JSON.parse((await run("docker", ["inspect", id])).output) as Inspected[];
  assert.ok(found);
  return found;
}

function assertNoChange(output: string): void {
  assert.match(output, /\d+ unchanged/);
  assert.doesNotMatch(
    output,
    /\d+ (to (create|update|replace|delete)|created|updated|replaced|deleted)|\+-\d+/,
    output,
  );
}

/** Returns the names of the containers that were created since. */
function changed(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...after]
    .filter(([name, id]) => before.get(name) !== id)
    .map(([name]) => name)
    .sort();
}

function servicesOf(running: Map<string, string>): string[] {
  return [...new Set([...running.keys()].map((key) => key.split("/")[0] ?? ""))].sort();
}

async function eventually(condition: () => Promise<boolean>, problem: string): Promise<void> {
  for (
    const end = Date.now() + 30_000;
    Date.now() < end;
    await new Promise((resolve) => setTimeout(resolve, 250))
  ) {
    if (await condition()) return;
  }
  assert.fail(problem);
}

/** A service without Node.js and the kit, with its own Dockerfile. */
function addPerlService(store: TestStore): void {
  mkdirSync(join(store.folder, "services/greeter"));
  store.write(
    "services/greeter/service.ts",
    `import type { ServiceSpec } from "../spec";
const spec: ServiceSpec = {
  port: 4000,
  routes: ["/api/greeter"],
  health: { command: ["perl", "-MIO::Socket::INET", "-e", "exit !IO::Socket::INET->new('127.0.0.1:4000')"] },
};
export default spec;
`,
  );
  // Debian's minimal system contains Perl; the store needs this base image anyway.
  store.write(
    "services/greeter/Dockerfile",
    'ARG NODE_IMAGE\nFROM ${NODE_IMAGE}\nCOPY greeter.pl /\nUSER 1000\nENTRYPOINT []\nCMD ["perl", "/greeter.pl"]\n',
  );
  store.write(
    "services/greeter/greeter.pl",
    `use IO::Socket::INET;
$SIG{TERM} = sub { exit 0 };
my $server = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 64, ReuseAddr => 1) or die "can't listen: $!";
while (my $client = $server->accept) {
  while (my $line = <$client>) { last if $line =~ /^\\r?\\n$/ }
  print $client "HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: 16\\r\\nConnection: close\\r\\n\\r\\nhello from perl\\n";
  close $client;
}
`,
  );
}
