import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mock } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type BaseImageAction,
  type BaseImageRefs,
  type BaseImageStatus,
  chooseAction,
  type LocalImage,
  type RegistryStatus,
} from "@store/toolchain/images/plan";
import {
  ensureBaseImages,
  imagesUsedByTag,
  inspectBaseImages,
  usedByTag,
} from "@store/toolchain/images/baseImages";
import { isOnDockerHub, registryAnswer, shortReason } from "@store/toolchain/images/registryStatus";
import { localState } from "@store/toolchain/images/inspect";
import { replacingFallback } from "@store/toolchain/images/buildFallbacks";
import { distributionOf, keyringOf } from "@store/toolchain/images/releases";
import { debianBase } from "@store/toolchain/images/debian";
import {
  mergeCertificates,
  mirrorsOf,
  ubuntuMirrorsOf,
} from "@store/toolchain/images/debianSources";
import { buildFailure, readable } from "@store/toolchain/images/buildImage";
import {
  checkIntegrity,
  embeddedVersion,
  INTEGRITY,
  postgresVersionsOf,
} from "@store/toolchain/images/npmPackages";
import { buildLego, pinnedVersion } from "@store/toolchain/images/legoBinary";
import * as v from "valibot";
import { configSchema } from "../../../config/schema";
import {
  NPM_VERSION,
  Recipe,
  recipeFor,
  recipeKey,
  versionFailure,
} from "@store/toolchain/images/recipes";
import { CliError } from "@store/docker/cliError";
import { Docker } from "@store/docker/docker";
import { Reporter } from "@store/toolchain/system/report";

const REFS = { node: "node:26.10.0-slim", postgres: "postgres:18.4", haproxy: "haproxy:3.0.11" };
const SILENT: Reporter = { step: () => {}, progress: () => {}, note: () => {} };
const NO_HOST = "dial tcp: lookup registry.example on 192.0.2.1:53: no such host";

describe("chooseAction", () => {
  const serves: RegistryStatus = { answer: "serves" };
  const refuses: RegistryStatus = { answer: "refuses", reason: "manifest unknown" };
  const unreachable: RegistryStatus = { answer: "unreachable", reason: "no such host" };
  const status = (
    local: LocalImage,
    registry: RegistryStatus | undefined,
    canBeBuilt = true,
  ): BaseImageStatus => ({
    ref: REFS.postgres,
    configKey: "store:postgresImage",
    local,
    registry,
    canBeBuilt,
  });

  const table: [LocalImage, RegistryStatus | undefined, BaseImageAction][] = [
    ["official", undefined, "use"],
    ["absent", serves, "pull"],
    ["fallback", serves, "remove fallback"],
    ["outdated", serves, "remove fallback"],
    ["absent", unreachable, "build"],
    ["outdated", unreachable, "build"],
    ["fallback", unreachable, "use fallback"],
    ["tagged", serves, "pull"],
    ["tagged", unreachable, "use"],
  ];
  for (const [local, registry, expected] of table) {
    it(`returns "${expected}" for an image that is ${local} and whose registry ${registry?.answer ?? "wasn't requested"}`, () => {
      assert.equal(chooseAction(status(local, registry)), expected);
    });
  }

  for (const local of ["absent", "fallback", "outdated", "tagged"] as const) {
    it(`names the configuration key if the registry refuses and the image is ${local}`, () => {
      assert.throws(
        () => chooseAction(status(local, refuses)),
        (error: CliError) =>
          error.message.includes("manifest unknown") && error.hint?.includes("store:postgresImage"),
      );
    });
  }

  it("names the key and an example of a reference if no fallback image can be built", () => {
    assert.throws(
      () => chooseAction(status("absent", unreachable, false)),
      (error: CliError) =>
        error.message.includes("no such host") &&
        error.hint?.includes("store:postgresImage to postgres:VERSION"),
    );
  });
});

describe("localState and registryAnswer", () => {
  it("classify an image by the toolchain's label and the recipe's key", () => {
    const ours = { "dev.store.toolchain": "fallback", "dev.store.toolchain.key": "k" };
    assert.equal(localState(undefined, "k"), "absent");
    assert.equal(localState({}, "k"), "official");
    assert.equal(localState({ maintainer: "somebody" }, undefined), "official");
    assert.equal(localState(ours, "k"), "fallback");
    assert.equal(localState(ours, "another"), "outdated");
    assert.equal(localState(ours, undefined), "outdated");
    assert.equal(localState({}, "k", false), "tagged");
    assert.equal(localState(ours, "k", false), "fallback");
  });

  const answers: [number, string, string, RegistryStatus["answer"]][] = [
    [200, "", REFS.node, "serves"],
    [404, "manifest unknown: manifest unknown", REFS.node, "refuses"],
    [500, "manifest for node:1 not found: manifest unknown", REFS.node, "refuses"],
    [401, "denied: requested access to the resource is denied", REFS.node, "refuses"],
    // The pull may have credentials for this registry.
    [401, "denied: requested access", "registry.example/node:26.10.0-slim", "serves"],
    [500, `Get "https://registry.example/v2/": ${NO_HOST}`, REFS.node, "unreachable"],
    [500, "dial tcp 192.0.2.1:443: connect: connection refused", REFS.node, "unreachable"],
    [500, "x509: certificate signed by unknown authority", REFS.node, "unreachable"],
    [500, "context deadline exceeded", REFS.node, "unreachable"],
    [429, "toomanyrequests: You have reached your pull rate limit", REFS.node, "unreachable"],
  ];
  for (const [status, message, ref, expected] of answers) {
    it(`interpret ${status} "${message}" for ${ref} as ${expected}`, () => {
      assert.equal(registryAnswer(ref, { status, body: { message } }).answer, expected);
    });
  }

  it("shortReason returns host and cause", () => {
    const url = '"https://registry.example/v2/"';
    assert.equal(shortReason(`Get ${url}: ${NO_HOST}`), "registry.example: no such host");
    assert.equal(
      shortReason(`Get ${url}: dial tcp 192.0.2.1:443: i/o timeout`),
      "registry.example: dial tcp 192.0.2.1:443: i/o timeout",
    );
  });

  it("isOnDockerHub recognizes all spellings of Docker Hub", () => {
    for (const ref of ["node:1", "library/node:1", "docker.io/library/node:1", "user/node:1"]) {
      assert.ok(isOnDockerHub(ref), ref);
    }
    for (const ref of ["registry.example/node:1", "localhost/node:1", "localhost:5000/node:1"]) {
      assert.ok(!isOnDockerHub(ref), ref);
    }
  });
});

describe("Recipes of fallback images", () => {
  const recipe = (image: keyof typeof REFS): Recipe => {
    const found = recipeFor(image, REFS[image]);
    assert.ok(found);
    return found;
  };

  it("take the version from every spelling of an official reference", () => {
    assert.equal(recipe("node").version, "26.10.0");
    assert.equal(recipe("postgres").version, "18.4");
    assert.equal(recipe("haproxy").version, "3.0.11");
    assert.equal(recipeFor("node", "node:26.10.0-trixie-slim")?.version, "26.10.0");
    assert.equal(recipeFor("postgres", "docker.io/library/postgres:18.4-trixie")?.version, "18.4");
  });

  it("don't exist for any other reference", () => {
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
    assert.equal(recipeFor("lego", "goacme/lego:latest"), undefined);
  });

  it("build lego in the version of the default image from its Go module, and no other", async () => {
    const legoImage = v.getDefault(configSchema([]).entries.legoImage);
    assert.equal(recipeFor("lego", legoImage)?.version, pinnedVersion());
    const other: Recipe = { ref: "goacme/lego:v1.0.0", image: "lego", version: "1.0.0" };
    await assert.rejects(buildLego(other, SILENT), (error: CliError) => {
      assert.match(error.hint ?? "", /store:legoImage to goacme\/lego:v\d/);
      return true;
    });
  });

  it("have a key that depends on image, version and base", () => {
    const base = { key: "base" };
    const key = recipeKey(recipe("node"), base);
    assert.match(key, /^[0-9a-f]{16}$/);
    assert.equal(recipeKey({ ...recipe("node"), ref: "docker.io/node:26.10.0-slim" }, base), key);
    assert.notEqual(recipeKey({ ...recipe("node"), version: "26.9.0" }, base), key);
    assert.notEqual(recipeKey(recipe("node"), { key: "another" }), key);
    assert.notEqual(recipeKey(recipe("haproxy"), base), recipeKey(recipe("postgres"), base));
  });

  it("find the npm package that contains a PostgreSQL version", () => {
    const versions = ["17.9.0-beta.17", "18.3.0-beta.16", "18.3.0-beta.17", "18.4.0-beta.17"];
    assert.equal(embeddedVersion(versions, "18.3"), "18.3.0-beta.17");
    assert.equal(embeddedVersion(versions, "18.5"), undefined);
    assert.equal(embeddedVersion([...versions, "18.40.0"], "18.4"), "18.4.0-beta.17");
    assert.deepEqual(postgresVersionsOf(versions, "18"), ["18.3", "18.4"]);
  });

  it("have the name and the version of a reference with a digest, but no digest", () => {
    const pinned = recipeFor("haproxy", `${REFS.haproxy}@sha256:${"0".repeat(64)}`);
    assert.deepEqual(pinned, recipe("haproxy"));
  });

  it("lag behind by the newest version that fits data and configuration, and no other", () => {
    const laggingAt = (image: keyof typeof REFS, ...held: readonly string[]) =>
      versionFailure(recipe(image), held).compatibleRecipe()?.held;
    assert.equal(laggingAt("haproxy", "3.0.9"), "3.0.9");
    assert.equal(laggingAt("haproxy", "3.2.1"), undefined);
    assert.equal(laggingAt("postgres", "18.2", "18.3"), "18.3");
    assert.equal(laggingAt("postgres", "17.9"), undefined);
    assert.equal(laggingAt("node"), undefined);
    const lagging = { ...recipe("haproxy"), held: "3.0.9" };
    assert.equal(versionFailure(lagging, ["3.0.9"]).compatibleRecipe(), undefined);
    // The image of an up that lags is the one that the next up looks for.
    assert.equal(recipeKey(lagging, { key: "b" }), recipeKey(recipe("haproxy"), { key: "b" }));
  });

  it("don't use a package with another hash than the known one", () => {
    const folder = mkdtempSync(join(tmpdir(), "npm-package-"));
    try {
      writeFileSync(join(folder, "package.tgz"), "somebody else's");
      assert.throws(() => checkIntegrity("npm@11.21.2", folder), /isn't the known one/);
      assert.doesNotThrow(() => checkIntegrity("npm@1.0.0", folder));
      const versions: Record<string, string> = { npm: NPM_VERSION };
      for (const arch of ["x64", "arm64"]) versions[`node-linux-${arch}`] = recipe("node").version;
      for (const [name, version] of Object.entries(versions))
        assert.ok(INTEGRITY[`${name}@${version}`], `${name} ${version} has no hash`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("name the available version and the configuration key if the packages have another version", () => {
    const output = ["Get:1 …", "the packages hold version 3.0.12", "Removing"];
    const error = buildFailure(recipe("haproxy"), "returned a non-zero code: 1", output);
    assert.match(error.message, /haproxy:3\.0\.11.*3\.0\.12/);
    assert.match(error.hint ?? "", /store:haproxyImage to haproxy:3\.0\.12/);
  });

  it("show the last lines of the output, not the whole command, for any other failure", () => {
    const message = "The command '/bin/sh -c a && b' returned a non-zero code: 100";
    const error = buildFailure(recipe("node"), message, ["E: No space left on device"]);
    assert.match(error.message, /a step failed\n {4}E: No space left on device/);
    assert.doesNotMatch(error.message, /bin\/sh/);
  });

  it("show the builder's output without its own messages and colours", () => {
    assert.deepEqual(readable("\u001b[91mE: broken\u001b[0m\n ---> Running in 1234\n"), [
      "E: broken",
    ]);
    assert.deepEqual(readable("(Reading database ... 5%\rUnpacking\n"), ["Unpacking"]);
  });
});

describe("The Debian base image", () => {
  it("uses the mirrors of apt's sources in both formats", () => {
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

  it("uses Debian's mirrors on another distribution", () => {
    const ubuntu = "deb http://archive.ubuntu.example/ubuntu noble main";
    assert.equal(mirrorsOf(ubuntu).main, "http://deb.debian.org/debian");
  });

  it("uses Ubuntu's mirror for Ubuntu, and no other archive of the same layout", () => {
    const ubuntu = (...urls: string[]): string =>
      ubuntuMirrorsOf(urls.map((url) => `deb ${url} noble main`).join("\n")).main;
    const [docker, ppa] = [
      "https://download.docker.com/linux/ubuntu",
      "https://ppa.launchpadcontent.net/x/y/ubuntu",
    ];
    assert.equal(ubuntu(docker, ppa, "http://a.example/ubuntu/"), "http://a.example/ubuntu");
    assert.equal(ubuntu(docker, ppa), "http://archive.ubuntu.com/ubuntu");
    assert.equal(ubuntu("http://deb.debian.org/debian"), "http://archive.ubuntu.com/ubuntu");
    const { main, security } = debianBase("noble").mirrors;
    assert.match(main, /\/ubuntu$/);
    assert.equal(security, main);
  });

  it("has a name of its distribution", () => {
    assert.match(debianBase("bookworm").ref, /^store-toolchain\/debian:bookworm-/);
    assert.match(debianBase("noble").ref, /^store-toolchain\/ubuntu:noble-/);
  });

  it("is verified with the key of its archive", () => {
    const folder = mkdtempSync(join(tmpdir(), "keyring-"));
    try {
      assert.match(keyringOf(distributionOf("trixie"), folder), /debian-archive-keyring\.gpg$/);
      const key = readFileSync(keyringOf(distributionOf("noble"), folder));
      // An OpenPGP fingerprint is the hash of the first packet: its tag and length, then its content.
      const packet = key.subarray(0, 3 + key.readUInt16BE(1));
      const fingerprint = createHash("sha1").update(packet).digest("hex").toUpperCase();
      assert.equal(fingerprint, "F6ECB3762474EDA9D21B7022871920D1991BC93C");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("merges CA bundles without duplicates", () => {
    const certificate = (body: string): string =>
      `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`;
    const [a, b, c] = ["A", "B", "C"].map(certificate);
    assert.equal(mergeCertificates([`# x\n${a}\n${b}\n`, `${b}\n\n${c}`]), `${a}\n${b}\n${c}\n`);
  });
});

describe("ensureBaseImages", () => {
  let folder: string;
  let docker: Docker;
  let server: Server;
  let requests: string[];
  let notes: string[];
  /** Labels of the daemon's images, by reference. */
  let images: Record<string, Record<string, string>>;
  let respond: (request: string) => { status: number; message: string; afterMs?: number };

  const report: Reporter = {
    step: (title) => assert.fail(`unexpected build: ${title}`),
    progress: () => undefined,
    note: (line) => notes.push(line),
  };
  const cacheBefore = process.env.XDG_CACHE_HOME;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "base-images-"));
    process.env.XDG_CACHE_HOME = join(folder, "cache");
    [requests, notes, images] = [[], [], {}];
    respond = () => ({ status: 500, message: NO_HOST });
    server = createServer((request, response) => {
      const question = `${request.method ?? ""} ${request.url ?? ""}`;
      requests.push(question);
      const ref = /^GET \/images\/(.+)\/json$/.exec(question)?.[1];
      const labels = ref === undefined ? undefined : images[ref];
      const {
        status,
        message,
        afterMs = 0,
      } = ref === undefined ? respond(question) : { status: labels ? 200 : 404, message: "" };
      void sleep(afterMs).then(() => {
        const Id = `sha256:${createHash("sha256")
          .update(JSON.stringify(labels ?? {}))
          .digest("hex")}`;
        response.writeHead(status).end(JSON.stringify({ message, Id, Config: { Labels: labels } }));
      });
    });
    const socket = join(folder, "docker.sock");
    docker = new Docker({ host: `unix://${socket}` });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
    if (cacheBefore === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = cacheBefore;
  });

  const fallbackLabels = (
    image: keyof typeof REFS,
    base = debianBase(),
  ): Record<string, string> => {
    const recipe = recipeFor(image, REFS[image]);
    assert.ok(recipe);
    return {
      "dev.store.toolchain": "fallback",
      "dev.store.toolchain.key": recipeKey(recipe, base),
    };
  };
  const availability = async (): Promise<string[]> =>
    (await ensureBaseImages(REFS, docker, report)).map(({ how }) => how);
  const requestsTo = (kind: string): string[] => requests.filter((line) => line.includes(kind));

  it("only looks official images up", async () => {
    images = { [REFS.node]: {}, [REFS.postgres]: {}, [REFS.haproxy]: { maintainer: "x" } };
    assert.deepEqual(await availability(), ["present", "present", "present"]);
    assert.equal(requests.length, 3);
    assert.deepEqual(notes, []);
  });

  it("leaves available images to the pull and removes fallback images if a registry is reachable", async () => {
    images = { [REFS.node]: fallbackLabels("node"), [REFS.postgres]: {} };
    respond = () => ({ status: 200, message: "" });
    assert.deepEqual(await availability(), ["pullable", "present", "pullable"]);
    assert.deepEqual(requestsTo("DELETE"), [`DELETE /images/${REFS.node}?force=1&noprune=1`]);
    assert.match(notes.join("\n"), /A registry serves node:26\.10\.0-slim/);
  });

  it("uses fallback images and prints a note while no registry is reachable", async () => {
    const { node, postgres, haproxy } = REFS;
    images = {
      [node]: fallbackLabels("node"),
      [postgres]: fallbackLabels("postgres"),
      [haproxy]: fallbackLabels("haproxy"),
    };
    assert.deepEqual(await availability(), ["fallback", "fallback", "fallback"]);
    assert.deepEqual(requestsTo("DELETE"), []);
    assert.match(notes.join("\n"), /No registry is reachable: .*node:26.*postgres:18.*haproxy:3/);
  });

  it("requests a registry that fails fast again each time", async () => {
    const { node, postgres, haproxy } = REFS;
    images = {
      [node]: fallbackLabels("node"),
      [postgres]: fallbackLabels("postgres"),
      [haproxy]: fallbackLabels("haproxy"),
    };
    // However slow this machine is.
    const clock = mock.method(Date, "now", () => 0);
    try {
      await availability();
      await availability();
    } finally {
      clock.mock.restore();
    }
    assert.equal(requestsTo("/distribution/").length, 6);
  });

  it("uses a fallback image by its tag in place of a digest, and says how far it lags behind", async () => {
    const digest = `@sha256:${"0".repeat(64)}`;
    const pinned = { ...REFS, haproxy: REFS.haproxy + digest, postgres: REFS.postgres + digest };
    images = {
      [REFS.node]: fallbackLabels("node"),
      [REFS.haproxy]: { ...fallbackLabels("haproxy"), "dev.store.toolchain.version": "3.0.9" },
      [pinned.postgres]: {},
    };
    const found = await ensureBaseImages(pinned, docker, report);
    assert.deepEqual(
      found.map(({ how }) => how),
      ["fallback", "present", "fallback"],
    );
    assert.match(notes.join("\n"), /haproxy:3\.0\.11 lags behind: it has version 3\.0\.9/);
    assert.deepEqual(await imagesUsedByTag(pinned, docker), [pinned.haproxy]);

    respond = () => ({ status: 200, message: "" });
    await ensureBaseImages(pinned, docker, report);
    assert.deepEqual(requestsTo(`DELETE /images/${REFS.haproxy}`), [
      `DELETE /images/${REFS.haproxy}?force=1&noprune=1`,
    ]);
  });

  it("doesn't take another official image under the tag for the one with the digest", async () => {
    const pinned = { ...REFS, haproxy: `${REFS.haproxy}@sha256:${"0".repeat(64)}` };
    images = { [REFS.node]: {}, [REFS.postgres]: {}, [REFS.haproxy]: {} };
    respond = () => ({ status: 200, message: "" });
    const found = await ensureBaseImages(pinned, docker, report);
    assert.deepEqual(
      found.map(({ how }) => how),
      ["present", "present", "pullable"],
    );
    assert.deepEqual(await imagesUsedByTag(pinned, docker), []);
    assert.deepEqual(notes, []);
  });

  it("uses an official image under the tag while no registry is reachable, for example one of docker load", async () => {
    const pinned = { ...REFS, haproxy: `${REFS.haproxy}@sha256:${"0".repeat(64)}` };
    images = { [REFS.node]: {}, [REFS.postgres]: {}, [REFS.haproxy]: { maintainer: "x" } };
    const found = await ensureBaseImages(pinned, docker, report);
    assert.deepEqual(
      found.map(({ how }) => how),
      ["present", "present", "tagged"],
    );
    assert.match(notes.join("\n"), /haproxy:3\.0\.11.*digest can't be checked/);
    assert.deepEqual(usedByTag(found), [pinned.haproxy]);
    // A preview doesn't ensure the images.
    assert.deepEqual(await imagesUsedByTag(pinned, docker), [pinned.haproxy]);
    assert.deepEqual(requestsTo("DELETE"), []);
  });

  it("deletes the image that a build has replaced only if it is a fallback image", async () => {
    const build = (): Promise<void> => {
      images[REFS.haproxy] = { ...fallbackLabels("haproxy"), built: "anew" };
      return Promise.resolve();
    };
    images = { [REFS.haproxy]: { maintainer: "x" } };
    await replacingFallback(REFS.haproxy, docker, build);
    assert.deepEqual(requestsTo("DELETE"), []);

    images = { [REFS.haproxy]: fallbackLabels("haproxy") };
    const { Id } = (await docker.get<{ Id: string }>(`/images/${REFS.haproxy}/json`)) ?? {};
    await replacingFallback(REFS.haproxy, docker, build);
    assert.deepEqual(requestsTo("DELETE"), [`DELETE /images/${String(Id)}`]);
  });

  it("remembers a registry that fails slowly", async () => {
    images = {
      [REFS.node]: fallbackLabels("node"),
      [REFS.postgres]: fallbackLabels("postgres"),
      [REFS.haproxy]: fallbackLabels("haproxy"),
    };
    respond = () => ({ status: 500, message: "i/o timeout", afterMs: 350 });
    await availability();
    await availability();
    assert.equal(requestsTo("/distribution/").length, 3);
  });

  it("fails without any change if a registry refuses an image", async () => {
    images = { [REFS.node]: fallbackLabels("node"), [REFS.postgres]: {} };
    respond = (request) =>
      request.includes("haproxy")
        ? { status: 404, message: "manifest unknown" }
        : { status: 200, message: "" };
    await assert.rejects(availability(), /haproxy:3\.0\.11/);
    assert.deepEqual(requestsTo("DELETE"), []);
  });

  it("inspectBaseImages changes nothing", async () => {
    images = {
      [REFS.node]: fallbackLabels("node"),
      [REFS.postgres]: fallbackLabels("postgres", { ...debianBase(), key: "old" }),
    };
    respond = () => ({ status: 200, message: "" });
    const found = await inspectBaseImages(REFS, docker);
    assert.deepEqual(
      found.map(({ local, registry }) => [local, registry?.answer]),
      [
        ["fallback", "serves"],
        ["outdated", "serves"],
        ["absent", "serves"],
      ],
    );
    assert.deepEqual(
      requests.filter((line) => !line.startsWith("GET ")),
      [],
    );
  });

  it("inspects the image of lego only for a stack that orders a certificate", async () => {
    respond = () => ({ status: 200, message: "" });
    const lego = "goacme/lego:v5.6.0";
    const refsOf = async (refs: BaseImageRefs): Promise<string[]> =>
      (await inspectBaseImages(refs, docker)).map(({ ref }) => ref);
    assert.deepEqual(await refsOf({ ...REFS, lego }), [...Object.values(REFS), lego]);
    assert.deepEqual(await refsOf(REFS), Object.values(REFS));
  });

  it("reports an unreachable daemon with its address", async () => {
    const nobody = new Docker({ host: `unix://${join(folder, "nobody.sock")}` });
    await assert.rejects(
      ensureBaseImages(REFS, nobody, report),
      (error: unknown) => error instanceof CliError && error.message.includes(nobody.host),
    );
  });
});
