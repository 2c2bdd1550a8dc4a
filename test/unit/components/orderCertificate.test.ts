import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseOrder } from "../../../packages/cli/docker/gateway/certificateOrder";

const SCRIPT = resolve(__dirname, "../../../components/certificates/orderCertificate.sh");
const HOUR_MS = 3_600_000;

// test/integration/certificates orders from a real authority. These tests cover what can't be provoked there.
describe("the script that orders the certificate", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "orders-"));
    for (const name of ["certificates", "tmp", "store", "bin"]) mkdirSync(join(folder, name));
    writeFileSync(join(folder, "store", "account.key"), "account key");
    // Ends the script when it would wait for the next try.
    writeFileSync(join(folder, "bin", "sleep"), "#!/bin/sh\nkill $PPID\n", { mode: 0o755 });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs the script with a stub for lego until it waits. In the stub, $1 is lego's command and P the folder of its option --path. */
  function run(lego: string, email = "ops@example.org", profile = "-"): void {
    const stub = `#!/bin/sh\necho "$@" >>${folder}/calls\nP=${folder}/certificates/shop-1\n${lego}\n`;
    writeFileSync(join(folder, "bin", "lego"), stub, { mode: 0o755 });
    const places = {
      lego: "bin/lego",
      certificates: "certificates",
      tmp: "tmp",
      "etc/store": "store",
    };
    const script = readFileSync(SCRIPT, "utf8").replace(
      /(?<=[ >=])\/(lego|certificates|tmp|etc\/store)(?=[ /])/g,
      (path) => join(folder, places[path.slice(1) as keyof typeof places]),
    );
    const args = ["shop-1", "shop-1.pem", "https://ca.example:14000/dir", email, profile];
    try {
      execFileSync("sh", ["-c", script, "order", ...args, "a.example", "b.example"], {
        env: { PATH: `${folder}/bin:${process.env["PATH"] ?? ""}` },
        stdio: "pipe",
      });
    } catch (error) {
      assert.equal((error as { signal?: unknown }).signal, "SIGTERM", String(error));
    }
  }
  const read = (...path: string[]): string => readFileSync(join(folder, ...path), "utf8");
  const calls = (): string[] => read("calls").trim().split("\n");
  /** Returns lego's commands without their options. */
  const commands = (): string[] => calls().map((call) => call.split(" --path")[0] ?? "");
  const order = () => {
    const found = parseOrder(read("tmp", "status"));
    assert.ok(found, read("tmp", "status"));
    return found;
  };
  const waitMs = (): number => order().next.getTime() - Date.now();
  const failing = (error: string): string =>
    `echo '{"level":"INFO","msg":"x"}'; echo '${JSON.stringify({ level: "ERROR", msg: "Error", error })}'; exit 1`;

  const ISSUE = [
    "mkdir -p $P/certificates",
    "printf 'leaf\\n\\nissuer\\n' >$P/certificates/store.crt",
    "printf 'key\\n' >$P/certificates/store.key",
    "echo '{}' >$P/certificates/store.json",
  ].join("\n");
  const UNKNOWN = "urn:ietf:params:acme:error:accountDoesNotExist :: unable to find account";

  it("orders for all names and publishes certificate, issuers and key without empty lines, for all to read", () => {
    run(`[ "$1" != run ] || { ${ISSUE}\n}`);
    assert.equal(read("certificates", "shop-1.pem"), "leaf\nissuer\nkey\n");
    const mode = execFileSync("stat", ["-c", "%a", join(folder, "certificates", "shop-1.pem")]);
    assert.equal(mode.toString().trim(), "444");
    const [, ordering = ""] = calls();
    assert.match(ordering, /^run --path \S+shop-1 --server https:\/\/ca\.example:14000\/dir /);
    assert.match(
      ordering,
      / --email ops@example\.org .* --domains a\.example --domains b\.example$/,
    );
    assert.equal(order().state, "valid");
    assert.ok(waitMs() > 11 * HOUR_MS && waitMs() < 13 * HOUR_MS);
  });

  it("orders without a contact and with a profile", () => {
    run(`[ "$1" != run ] || { ${ISSUE}\n}`, "-", "shortlived");
    assert.doesNotMatch(read("calls"), /--email/);
    assert.match(read("calls"), /^run .* --profile shortlived --domains a\.example /m);
    assert.equal(order().state, "valid");
  });

  it("uses the account of the program's key if the authority knows it", () => {
    run(`[ "$1" != run ] || { ${ISSUE}\n}`);
    const account = ["certificates", "shop-1", "accounts", "ca.example_14000", "store"];
    assert.equal(read(...account, "store.key"), "account key");
    assert.deepEqual(JSON.parse(read(...account, "account.json")), {
      ...{ id: "store", email: "ops@example.org", keyType: "EC256" },
      server: "https://ca.example:14000/dir",
    });
    assert.deepEqual(commands(), ["accounts register", "run"]);
  });

  it("registers an account and gives it the program's key if the authority doesn't know it, once", () => {
    const lego = `[ "$2" = keyrollover ] && exit
      [ "$1" = run ] && { ${ISSUE}\nexit; }
      [ ! -e $P/accounts ] || { ${failing(UNKNOWN)}; }`;
    run(lego);
    run(lego);
    assert.deepEqual(commands(), [
      ...["accounts register", "accounts register", "accounts keyrollover"],
      ...["run", "run"],
    ]);
    assert.match(calls()[2] ?? "", /--private-key \S+\/store\/account\.key/);
    assert.equal(order().state, "valid");
  });

  it("registers anew and orders anew when the program has another key than the certificate's account", () => {
    run(`[ "$1" != run ] || { ${ISSUE}\n}`);
    writeFileSync(join(folder, "store", "account.key"), "another key");
    run(`[ "$1" != run ] || { [ ! -e $P/certificates ] || exit 1; ${ISSUE}\n}`);
    assert.deepEqual(commands(), ["accounts register", "run", "accounts register", "run"]);
    const account = ["certificates", "shop-1", "accounts", "ca.example_14000", "store"];
    assert.equal(read(...account, "store.key"), "another key");
    assert.equal(order().state, "valid");
  });

  it("registers anew at once when the authority has lost the account", () => {
    run(`[ "$1" != run ] || { ${ISSUE}\n}`);
    run(`[ "$1" = run ] && [ -e $P/certificates ] && { ${failing(UNKNOWN)}; }
      [ "$1" != run ] || { ${ISSUE}\n}`);
    assert.deepEqual(commands().slice(2), ["run", "accounts register", "run"]);
    assert.equal(order().state, "valid");
  });

  it("orders nothing with an account whose registration failed", () => {
    run(failing("dial tcp: connection refused"));
    assert.equal(calls().length, 1);
    assert.deepEqual([order().state, order().error], ["failed", "dial tcp: connection refused"]);
    assert.ok(waitMs() > 14 * 60_000 && waitMs() <= 15 * 60_000);
  });

  it("keeps the published certificate when a renewal fails", () => {
    run(`[ "$1" != run ] || { ${ISSUE}\n}`);
    run(`[ "$1" != run ] || { ${failing("no")}; }`);
    assert.equal(read("certificates", "shop-1.pem"), "leaf\nissuer\nkey\n");
    assert.equal(order().state, "failed");
  });

  it("orders anew after an interruption that left half of a certificate", () => {
    run(
      `[ "$1" != run ] || { mkdir -p $P/certificates; echo half >$P/certificates/store.crt; exit 1; }`,
    );
    run(`[ "$1" != run ] || { [ ! -e $P/certificates ] || exit 1; ${ISSUE}\n}`);
    assert.equal(order().state, "valid");
  });

  describe("refused for too many orders", () => {
    const limited = (time: Date): string => {
      const text = time.toISOString().slice(0, 19).replace("T", " ");
      return `[ "$1" != run ] || { ${failing(`acme: error: 429 :: urn:ietf:params:acme:error:rateLimited :: too many certificates, retry after ${text} UTC: see https://ca.example`)}; }`;
    };

    it("waits until the time that the authority names, and so does the next container", () => {
      const time = new Date(Math.ceil(Date.now() / 1000) * 1000 + 30 * HOUR_MS);
      run(limited(time));
      assert.equal(order().next.getTime(), time.getTime());
      const before = calls().length;
      rmSync(join(folder, "tmp", "status"));
      run(limited(time));
      assert.equal(calls().length, before, "orders in spite of the refusal");
      assert.match(order().error, /too many certificates/);
    });

    it("ends lego, which would wait inside, and reports the refusal", () => {
      const line = JSON.stringify({
        level: "WARN",
        msg: "retry: acme: error: 429 :: urn:ietf:params:acme:error:rateLimited :: too many",
      });
      run(`[ "$1" != run ] || { echo '${line}'; exec /bin/sleep 300; }`);
      assert.match(order().error, /^retry: acme: error: 429 .*too many$/);
      assert.ok(waitMs() > 5.9 * HOUR_MS && waitMs() <= 6 * HOUR_MS);
    });

    it("waits six hours if the authority names no time", () => {
      run(
        `[ "$1" != run ] || { ${failing("urn:ietf:params:acme:error:rateLimited :: too many")}; }`,
      );
      assert.ok(waitMs() > 5.9 * HOUR_MS && waitMs() <= 6 * HOUR_MS);
    });

    it("orders once the time has passed", () => {
      run(limited(new Date(Date.now() + HOUR_MS)));
      writeFileSync(join(folder, "certificates", "shop-1", "limited-until"), "1\n");
      run(`[ "$1" != run ] || { ${ISSUE}\n}`);
      assert.equal(order().state, "valid");
      assert.ok(!existsSync(join(folder, "certificates", "shop-1", "limited-until")));
    });
  });
});
