import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  BaseImageFinding,
  Decision,
  decisionOn,
  ensureBaseImages,
  inspectBaseImages,
  isOnDockerHub,
  Local,
  localState,
  Registry,
  registryAnswer,
  shortReason,
} from "@store/toolchain/images/baseImages";
import { debianBase, mergeCertificates, mirrorsOf } from "@store/toolchain/images/debian";
import {
  buildFailure,
  embeddedVersion,
  postgresVersionsOf,
  readable,
  Recipe,
  recipeFor,
  recipeKey,
} from "@store/toolchain/images/recipes";
import { CliError } from "@store/docker/cliError";
import { Reporter } from "@store/toolchain/system/report";

const REFS = { node: "node:26.10.0-slim", postgres: "postgres:18.4", haproxy: "haproxy:3.0.11" };
const NO_HOST = "dial tcp: lookup registry.example on 192.0.2.1:53: no such host";

describe("toolchain: what to do about a base image", () => {
  const serves: Registry = { answer: "serves" };
  const refuses: Registry = { answer: "refuses", reason: "manifest unknown" };
  const unreachable: Registry = { answer: "unreachable", reason: "no such host" };
  const finding = (
    local: Local,
    registry: Registry | undefined,
    canBeMade = true,
  ): BaseImageFinding => ({
    ref: REFS.postgres,
    configKey: "store:postgresImage",
    local,
    registry,
    canBeMade,
  });

  const table: [Local, Registry | undefined, Decision][] = [
    ["official", undefined, "use"],
    ["absent", serves, "pull"],
    ["stand-in", serves, "free the name"],
    ["outdated", serves, "free the name"],
    ["absent", unreachable, "make"],
    ["outdated", unreachable, "make"],
    ["stand-in", unreachable, "use stand-in"],
  ];
  for (const [local, registry, expected] of table) {
    it(`${local}, registry ${registry?.answer ?? "not asked"}: ${expected}`, () => {
      assert.equal(decisionOn(finding(local, registry)), expected);
    });
  }

  for (const local of ["absent", "stand-in", "outdated"] as const) {
    it(`${local}, registry refuses: names the key`, () => {
      assert.throws(
        () => decisionOn(finding(local, refuses)),
        (error: CliError) =>
          error.message.includes("manifest unknown") && error.hint?.includes("store:postgresImage"),
      );
    });
  }

  it("an image that nobody can make: names the key and what could be made", () => {
    assert.throws(
      () => decisionOn(finding("absent", unreachable, false)),
      (error: CliError) =>
        error.message.includes("no such host") &&
        error.hint?.includes("store:postgresImage to postgres:VERSION"),
    );
  });
});

describe("toolchain: what a daemon has and a registry says", () => {
  it("only our label makes a stand-in, and only today's key a current one", () => {
    const ours = { "dev.store.toolchain": "stand-in", "dev.store.toolchain.key": "k" };
    assert.equal(localState(undefined, "k"), "absent");
    assert.equal(localState({}, "k"), "official");
    assert.equal(localState({ maintainer: "somebody" }, undefined), "official");
    assert.equal(localState(ours, "k"), "stand-in");
    assert.equal(localState(ours, "another"), "outdated");
    assert.equal(localState(ours, undefined), "outdated");
  });

  const answers: [number, string, string, Registry["answer"]][] = [
    [200, "", REFS.node, "serves"],
    [404, "manifest unknown: manifest unknown", REFS.node, "refuses"],
    [500, "manifest for node:1 not found: manifest unknown", REFS.node, "refuses"],
    [401, "denied: requested access to the resource is denied", REFS.node, "refuses"],
    // There a login may be missing that the pull has.
    [401, "denied: requested access", "registry.example/node:26.10.0-slim", "serves"],
    [500, `Get "https://registry.example/v2/": ${NO_HOST}`, REFS.node, "unreachable"],
    [500, "dial tcp 192.0.2.1:443: connect: connection refused", REFS.node, "unreachable"],
    [500, "x509: certificate signed by unknown authority", REFS.node, "unreachable"],
    [500, "context deadline exceeded", REFS.node, "unreachable"],
    [429, "toomanyrequests: You have reached your pull rate limit", REFS.node, "unreachable"],
  ];
  for (const [status, message, ref, expected] of answers) {
    it(`${status} ${message}, for ${ref}: ${expected}`, () => {
      assert.equal(registryAnswer(ref, { status, body: { message } }).answer, expected);
    });
  }

  it("gives the cause in short", () => {
    const url = '"https://registry.example/v2/"';
    assert.equal(shortReason(`Get ${url}: ${NO_HOST}`), "registry.example: no such host");
    assert.equal(
      shortReason(`Get ${url}: dial tcp 192.0.2.1:443: i/o timeout`),
      "registry.example: dial tcp 192.0.2.1:443: i/o timeout",
    );
  });

  it("knows Docker Hub by its names", () => {
    for (const ref of ["node:1", "library/node:1", "docker.io/library/node:1", "user/node:1"]) {
      assert.ok(isOnDockerHub(ref), ref);
    }
    for (const ref of ["registry.example/node:1", "localhost/node:1", "localhost:5000/node:1"]) {
      assert.ok(!isOnDockerHub(ref), ref);
    }
  });
});

describe("toolchain: recipes of base images", () => {
  const recipe = (image: keyof typeof REFS): Recipe => {
    const found = recipeFor(image, REFS[image]);
    assert.ok(found);
    return found;
  };

  it("takes the version from the official names, however they are written", () => {
    assert.equal(recipe("node").version, "26.10.0");
    assert.equal(recipe("postgres").version, "18.4");
    assert.equal(recipe("haproxy").version, "3.0.11");
    assert.equal(recipeFor("node", "node:26.10.0-trixie-slim")?.version, "26.10.0");
    assert.equal(recipeFor("postgres", "docker.io/library/postgres:18.4-trixie")?.version, "18.4");
  });

  it("has none for anything else", () => {
    for (const ref of [
      "node:26-slim",
      "node:26.10.0",
      "node:latest",
      "registry.example/node:26.10.0-slim",
    ]) {
      assert.equal(recipeFor("node", ref), undefined, ref);
    }
    for (const ref of [
      "postgres:18",
      "postgres:18.4-alpine",
      `postgres@sha256:${"0".repeat(64)}`,
    ]) {
      assert.equal(recipeFor("postgres", ref), undefined, ref);
    }
    assert.equal(recipeFor("haproxy", "haproxy:3.0"), undefined);
  });

  it("a key stands for the image, its version and its base", () => {
    const base = { key: "base" };
    const key = recipeKey(recipe("node"), base);
    assert.match(key, /^[0-9a-f]{16}$/);
    assert.equal(recipeKey({ ...recipe("node"), ref: "docker.io/node:26.10.0-slim" }, base), key);
    assert.notEqual(recipeKey({ ...recipe("node"), version: "26.9.0" }, base), key);
    assert.notEqual(recipeKey(recipe("node"), { key: "another" }), key);
    assert.notEqual(recipeKey(recipe("haproxy"), base), recipeKey(recipe("postgres"), base));
  });

  it("finds the package that holds a PostgreSQL", () => {
    const versions = ["17.9.0-beta.17", "18.3.0-beta.16", "18.3.0-beta.17", "18.4.0-beta.17"];
    assert.equal(embeddedVersion(versions, "18.3"), "18.3.0-beta.17");
    assert.equal(embeddedVersion(versions, "18.5"), undefined);
    assert.equal(embeddedVersion([...versions, "18.40.0"], "18.4"), "18.4.0-beta.17");
    assert.deepEqual(postgresVersionsOf(versions, "18"), ["18.3", "18.4"]);
  });

  it("a version that the packages don't hold: which one they do, and the key", () => {
    const output = ["Get:1 …", "the packages hold version 3.0.12", "Removing"];
    const error = buildFailure(recipe("haproxy"), "returned a non-zero code: 1", output);
    assert.match(error.message, /haproxy:3\.0\.11.*but 3\.0\.12/);
    assert.match(error.hint ?? "", /store:haproxyImage to haproxy:3\.0\.12/);
  });

  it("another failure: the last lines, not the whole command", () => {
    const message = "The command '/bin/sh -c a && b' returned a non-zero code: 100";
    const error = buildFailure(recipe("node"), message, ["E: No space left on device"]);
    assert.match(error.message, /a step failed\n {4}E: No space left on device/);
    assert.doesNotMatch(error.message, /bin\/sh/);
  });

  it("shows the builder's output without its own remarks and colours", () => {
    assert.deepEqual(readable("\u001b[91mE: broken\u001b[0m\n ---> Running in 1234\n"), [
      "E: broken",
    ]);
    assert.deepEqual(readable("(Reading database ... 5%\rUnpacking\n"), ["Unpacking"]);
  });
});

describe("toolchain: the Debian base", () => {
  it("takes apt's own mirrors, in either format", () => {
    const oneLine =
      "# deb http://old.example/debian x main\ndeb http://a.example/debian/ trixie main";
    assert.deepEqual(mirrorsOf(oneLine), {
      main: "http://a.example/debian",
      security: "http://deb.debian.org/debian-security",
    });
    const deb822 =
      "Types: deb\nURIs: https://a.example/debian\n\nTypes: deb\nURIs: https://a.example/debian-security";
    assert.deepEqual(mirrorsOf(deb822), {
      main: "https://a.example/debian",
      security: "https://a.example/debian-security",
    });
  });

  it("takes Debian's on another distribution", () => {
    const ubuntu = "deb http://archive.ubuntu.example/ubuntu noble main";
    assert.equal(mirrorsOf(ubuntu).main, "http://deb.debian.org/debian");
  });

  it("merges what is trusted, each certificate once", () => {
    const certificate = (body: string): string =>
      `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`;
    const [a, b, c] = ["A", "B", "C"].map(certificate);
    assert.equal(mergeCertificates([`# x\n${a}\n${b}\n`, `${b}\n\n${c}`]), `${a}\n${b}\n${c}\n`);
  });
});

describe("toolchain: base images at a daemon", () => {
  let folder: string;
  let docker: { host: string };
  let server: Server;
  let asked: string[];
  let notes: string[];
  /** Labels of the images that it has, and what it answers to everything else. */
  let images: Record<string, Record<string, string>>;
  let respond: (request: string) => { status: number; message: string; afterMs?: number };

  const report: Reporter = {
    step: (title) => assert.fail(`nothing is to be made: ${title}`),
    progress: () => undefined,
    note: (line) => notes.push(line),
  };
  const cacheBefore = process.env.XDG_CACHE_HOME;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "base-images-"));
    process.env.XDG_CACHE_HOME = join(folder, "cache");
    [asked, notes, images] = [[], [], {}];
    respond = () => ({ status: 500, message: NO_HOST });
    server = createServer((request, response) => {
      const question = `${request.method ?? ""} ${request.url ?? ""}`;
      asked.push(question);
      const ref = /^GET \/images\/(.+)\/json$/.exec(question)?.[1];
      const labels = ref === undefined ? undefined : images[ref];
      const {
        status,
        message,
        afterMs = 0,
      } = ref === undefined ? respond(question) : { status: labels ? 200 : 404, message: "" };
      void sleep(afterMs).then(() => {
        response.writeHead(status).end(JSON.stringify({ message, Config: { Labels: labels } }));
      });
    });
    const socket = join(folder, "docker.sock");
    docker = { host: `unix://${socket}` };
    await new Promise<void>((resolve) => server.listen(socket, resolve));
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
    if (cacheBefore === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = cacheBefore;
  });

  const standIn = (image: keyof typeof REFS, base = debianBase()): Record<string, string> => {
    const recipe = recipeFor(image, REFS[image]);
    assert.ok(recipe);
    return {
      "dev.store.toolchain": "stand-in",
      "dev.store.toolchain.key": recipeKey(recipe, base),
    };
  };
  const hows = async (): Promise<string[]> =>
    (await ensureBaseImages(REFS, docker, report)).map(({ how }) => how);
  const questionsTo = (kind: string): string[] => asked.filter((line) => line.includes(kind));

  it("official ones are looked up, and nothing else is asked", async () => {
    images = { [REFS.node]: {}, [REFS.postgres]: {}, [REFS.haproxy]: { maintainer: "x" } };
    assert.deepEqual(await hows(), ["present", "present", "present"]);
    assert.equal(asked.length, 3);
    assert.deepEqual(notes, []);
  });

  it("what a registry serves is left to the pull, and stand-ins give their names back", async () => {
    images = { [REFS.node]: standIn("node"), [REFS.postgres]: {} };
    respond = () => ({ status: 200, message: "" });
    assert.deepEqual(await hows(), ["pullable", "present", "pullable"]);
    assert.deepEqual(questionsTo("DELETE"), [`DELETE /images/${REFS.node}?force=1&noprune=1`]);
    assert.match(notes.join("\n"), /A registry serves node:26\.10\.0-slim/);
  });

  it("stand-ins are used while no registry is reachable, and that is said", async () => {
    const { node, postgres, haproxy } = REFS;
    images = {
      [node]: standIn("node"),
      [postgres]: standIn("postgres"),
      [haproxy]: standIn("haproxy"),
    };
    assert.deepEqual(await hows(), ["stand-in", "stand-in", "stand-in"]);
    assert.deepEqual(questionsTo("DELETE"), []);
    assert.match(
      notes.join("\n"),
      /No registry is reachable: .*are equivalents made from packages/,
    );
    // A failure that costs no time is asked for anew each time.
    await hows();
    assert.equal(questionsTo("/distribution/").length, 6);
  });

  it("a registry that takes long to fail is not asked again for a while", async () => {
    images = {
      [REFS.node]: standIn("node"),
      [REFS.postgres]: standIn("postgres"),
      [REFS.haproxy]: standIn("haproxy"),
    };
    respond = () => ({ status: 500, message: "i/o timeout", afterMs: 350 });
    await hows();
    await hows();
    assert.equal(questionsTo("/distribution/").length, 3);
  });

  it("what a registry refuses ends it, with nothing changed", async () => {
    images = { [REFS.node]: standIn("node"), [REFS.postgres]: {} };
    respond = (request) =>
      request.includes("haproxy")
        ? { status: 404, message: "manifest unknown" }
        : { status: 200, message: "" };
    await assert.rejects(hows(), /There is no image haproxy:3\.0\.11/);
    assert.deepEqual(questionsTo("DELETE"), []);
  });

  it("inspecting changes nothing", async () => {
    images = {
      [REFS.node]: standIn("node"),
      [REFS.postgres]: standIn("postgres", { ...debianBase(), key: "old" }),
    };
    respond = () => ({ status: 200, message: "" });
    const found = await inspectBaseImages(REFS, docker);
    assert.deepEqual(
      found.map(({ local, registry }) => [local, registry?.answer]),
      [
        ["stand-in", "serves"],
        ["outdated", "serves"],
        ["absent", "serves"],
      ],
    );
    assert.deepEqual(
      asked.filter((line) => !line.startsWith("GET ")),
      [],
    );
  });

  it("a daemon that doesn't answer is a message, not a stack", async () => {
    const nobody = { host: `unix://${join(folder, "nobody.sock")}` };
    await assert.rejects(
      ensureBaseImages(REFS, nobody, report),
      (error: unknown) => error instanceof CliError && error.message.includes(nobody.host),
    );
  });

  it("through ssh all is left to the pull", async () => {
    const far = { host: "ssh://somebody@host.example" };
    const images = await ensureBaseImages(REFS, far, report);
    assert.deepEqual(
      images.map(({ how }) => how),
      ["pullable", "pullable", "pullable"],
    );
    assert.deepEqual(await inspectBaseImages(REFS, far), []);
  });
});
