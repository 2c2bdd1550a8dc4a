import assert from "node:assert/strict";
import { execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { CliError, ExitCode } from "@store/docker/cliError";
import {
  engineLocks,
  isHeld,
  lockedError,
  parseLock,
  removeAbandonedLock,
  takeLock,
} from "@store/cli/state/locks";
import { processIdentity } from "@store/toolchain/system/processIdentity";

/** A lock written by the engine 3.259.0. */
const RECORDED =
  '{"pid":28646,"username":"root","hostname":"vm","timestamp":"2026-11-23T12:18:49.887515007Z"}';

describe("stack locks", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "locks-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const lockOf = (pid: number, host = hostname(), since = new Date()): string =>
    JSON.stringify({ pid, hostname: host, username: "ann", timestamp: since.toISOString() });
  const deadPid = (): number => spawnSync(process.execPath, ["-e", ""]).pid;

  it("are read in the engine's format; invalid files are ignored", () => {
    const lock = parseLock("f", RECORDED);
    assert.deepEqual(
      { pid: lock?.pid, host: lock?.host, user: lock?.user },
      { pid: 28646, host: "vm", user: "root" },
    );
    assert.equal(lock?.since.toISOString(), "2026-11-23T12:18:49.887Z");
    for (const text of ["", "{", "null", "[]", '{"pid":"1"}']) {
      assert.equal(parseLock("f", text), undefined, text);
    }
  });

  it("of the engine are found in the stack's folder, without other files", () => {
    writeFileSync(join(folder, "a.json"), RECORDED);
    writeFileSync(join(folder, "a.json.attrs"), "{}");
    assert.equal(engineLocks(folder).length, 1);
    assert.deepEqual(engineLocks(join(folder, "none")), []);
  });

  it("are held by a running process and by a process of another machine", () => {
    assert.equal(isHeld(parse(lockOf(process.pid))), true);
    assert.equal(isHeld(parse(lockOf(1, "elsewhere"))), true);
    assert.equal(isHeld(parse(lockOf(deadPid()))), false);
  });

  it("aren't held by a process that got the same pid later", function () {
    if (process.platform !== "linux") this.skip();
    assert.equal(isHeld(parse(lockOf(process.pid, hostname(), new Date(0)))), false);
  });

  it("leave no draft behind on a full disk", () => {
    // A limit of the shell on the size of files fails a write like a full disk does: after the file's creation.
    const script = `process.on("SIGXFSZ", () => {});
      require(process.argv[1]).takeLock(process.argv[2], "dev", "up dev");`;
    const locks = join(__dirname, "../../../../packages/cli/state/locks.ts");
    const { status, stderr } = spawnSync(
      "sh",
      [
        ...["-c", 'ulimit -f 0; exec "$0" --require tsx/cjs -e "$@"', process.execPath, script],
        ...[locks, join(folder, "dev.json")],
      ],
      { encoding: "utf8", env: { ...process.env, TSX_DISABLE_CACHE: "1" } },
    );
    assert.notEqual(status, 0);
    assert.match(stderr, /EFBIG/);
    assert.deepEqual(readdirSync(folder), []);
  });

  it("are held by one process at a time, and released", () => {
    const file = join(folder, "deep", "dev.json");
    const release = takeLock(file, "dev", "up dev");
    assert.throws(
      () => takeLock(file, "dev", "down dev"),
      (error: unknown) => {
        assert.ok(error instanceof CliError);
        assert.equal(error.exitCode, ExitCode.Failed);
        assert.match(error.message, /stack dev.*`\.\/store up dev`/);
        assert.match(error.message, new RegExp(`process ${process.pid}, .*\\d\\d:\\d\\d:\\d\\d`));
        return true;
      },
    );
    release();
    assert.equal(existsSync(file), false);
    takeLock(file, "dev", "up dev")();
  });

  it("stay with the next process when the one that has released them exits", () => {
    const file = join(folder, "dev.json");
    const listeners = process.listenerCount("exit");
    takeLock(file, "dev", "up dev")();
    assert.equal(process.listenerCount("exit"), listeners);
  });

  it("are taken over from processes that died", () => {
    const file = join(folder, "dev.json");
    for (const left of [lockOf(deadPid()), "", "{"]) {
      writeFileSync(file, left);
      takeLock(file, "dev", "up dev")();
    }
    mkdirSync(folder, { recursive: true });
  });

  it("are taken over by one process at a time", async () => {
    const file = join(folder, "dev.json");
    const deadLock = lockOf(deadPid());
    writeFileSync(file, deadLock);
    const racer = [
      ...["--require", "ts-node/register/transpile-only"],
      ...[join(__dirname, "lockRacer.ts"), file, deadLock, "40"],
    ];
    const run = promisify(execFile);
    await Promise.all([1, 2, 3].map(() => run(process.execPath, racer)));
    const left = readdirSync(folder).filter((name) => name !== "dev.json");
    assert.deepEqual(left, [], "drafts and auxiliary locks are removed");
  });

  it("stay with a process that has taken them after `pulumi cancel`", () => {
    const file = join(folder, "dev.json");
    const release = takeLock(file, "dev", "up dev");
    writeFileSync(file, lockOf(1, "elsewhere"));
    release();
    assert.ok(existsSync(file));
  });

  it("of a previous host name or container are held only while the process can still live", function () {
    if (process.platform !== "linux") this.skip();
    const held = (identity: string, host: string): boolean =>
      isHeld(parse(JSON.stringify({ ...JSON.parse(lockOf(1, host)), identity })));
    const [boot, namespace, pid, start] = processIdentity().split(" ");
    assert.equal(held([boot, namespace, pid, start].join(" "), "renamed"), true);
    assert.equal(held([boot, namespace, pid, "1"].join(" "), "renamed"), false);
    assert.equal(held([boot, namespace, deadPid(), "1"].join(" "), hostname()), false);
    assert.equal(held([boot, "pid:[1]", pid, start].join(" "), "other-container"), true);
    // Before the last start of this machine, and on another machine.
    assert.equal(held(["boot", namespace, pid, start].join(" "), hostname()), false);
    assert.equal(held(["boot", namespace, pid, start].join(" "), "elsewhere"), true);
  });

  it("show the date, and are removed unless their process runs on this machine", () => {
    const file = join(folder, "dev.json");
    writeFileSync(file, lockOf(7, "elsewhere", new Date("2026-01-02T03:04:05")));
    assert.throws(
      () => takeLock(file, "dev", "up dev"),
      /process 7 on elsewhere.*since 02\/01\/2026, 03:04:05/,
    );
    assert.equal(removeAbandonedLock(file)?.pid, 7);
    takeLock(file, "dev", "up dev");
    assert.equal(removeAbandonedLock(file), undefined);
    assert.ok(existsSync(file));
  });

  it("of this machine name a signal that the CLI forwards to the engine soon", async () => {
    const holder = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    const ended = once(holder, "exit");
    const { hint = "" } = lockedError("dev", parse(lockOf(holder.pid ?? 0)));
    execFileSync("sh", ["-c", /kill -\w+ \d+/.exec(hint)?.[0] ?? hint]);
    // SIGINT is taken for the terminal's, which has reached the engine: the CLI forwards it after 15 s.
    assert.deepEqual(await ended, [null, "SIGTERM"]);
  });

  it("are removed with pulumi cancel if the holder is on another machine", () => {
    const error = lockedError("dev", parse(lockOf(7, "elsewhere")));
    assert.match(error.message, /pulumi.*process 7 on elsewhere.*ann/);
    assert.match(error.hint ?? "", /\.\/store pulumi cancel/);
  });

  it("of another container with this host name name no process to signal, and are removed", function () {
    if (process.platform !== "linux") this.skip();
    const [boot, , pid, start] = processIdentity().split(" ");
    const identity = [boot, "pid:[1]", pid, start].join(" ");
    const text = JSON.stringify({ ...JSON.parse(lockOf(7)), identity });
    const error = lockedError("dev", parse(text));
    assert.match(error.message, /in another container/);
    assert.match(error.hint ?? "", /pulumi cancel/);
    const file = join(folder, "dev.json");
    writeFileSync(file, text);
    assert.equal(removeAbandonedLock(file)?.pid, 7);
  });

  function parse(text: string) {
    const lock = parseLock("f", text);
    assert.ok(lock);
    return lock;
  }
});
