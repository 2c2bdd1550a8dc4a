import assert from "node:assert/strict";
import { Readable } from "node:stream";
import {
  condition,
  ContainerSummary,
  displayName,
  Inspection,
  parseContainer,
  StoreContainer,
  uptime,
} from "@store/cli/docker/containers";
import { remedy, whyUnhealthy } from "@store/cli/diagnostics/rules/health";
import { frames, parseLine } from "@store/cli/docker/logs";
import { storeUrl } from "@store/cli/docker/gateway/url";
import { CliError } from "@store/docker/cliError";
import { chooseInstance } from "@store/cli/commands/inspect/exec";
import { imageNames, memoryInUse } from "@store/cli/commands/inspect/ps";
import type { Resource } from "@store/cli/state/checkpoint";

describe("imageNames", () => {
  it("returns the names in the state by ID, without the digest by which an image was pulled", () => {
    const image = (imageId: string, name: string): Resource => ({
      ...{ urn: imageId, type: "docker:index/remoteImage:RemoteImage", outputs: { imageId, name } },
    });
    const pulled = `r.example/store/orders:1a2b@sha256:${"0123456789abcdef".repeat(4)}`;
    const resources = [image("sha256:1", "store/inventory:3c4d"), image("sha256:2", pulled)];
    assert.deepEqual(
      [...imageNames({ pending: [], resources })],
      [
        ["sha256:1", "store/inventory:3c4d"],
        ["sha256:2", "r.example/store/orders:1a2b"],
      ],
    );
  });
});

describe("parseContainer", () => {
  it("reads service, role and replica from the labels", () => {
    const gateway = parseContainer(summary());
    assert.equal(displayName(gateway), "gateway");
    assert.equal(gateway.name, "gateway-cac33bc");
    assert.equal(gateway.health, "healthy");
    assert.equal(storeUrl([gateway], "localhost"), "http://localhost:18080");
    assert.equal(storeUrl([], "localhost"), undefined);
    const url = "https://shop.example.org";
    const withHttps = parseContainer(
      summary({ Labels: { ...summary().Labels, "dev.store.url": url } }),
    );
    assert.equal(storeUrl([withHttps], "203.0.113.5"), url);
    const labels = {
      "dev.store.service": "inventory",
      "dev.store.role": "database",
      "dev.store.replica": "1",
    };
    const database = parseContainer(summary({ Labels: labels, Status: "Exited (3) 2 hours ago" }));
    assert.equal(displayName(database), "inventory-database");
    assert.equal(database.replica, 1);
  });

  it("returns the health, or the state without a health check", () => {
    const of = (state: string, status: string): string =>
      condition(parseContainer(summary({ State: state, Status: status })));
    assert.equal(of("running", "Up 5 minutes (healthy)"), "healthy");
    assert.equal(of("running", "Up 2 seconds (health: starting)"), "starting");
    assert.equal(of("running", "Up 2 hours (unhealthy)"), "unhealthy");
    assert.equal(of("running", "Up 2 hours"), "running");
    assert.equal(of("exited", "Exited (3) 2 hours ago"), "exited (3)");
    assert.equal(of("restarting", "Restarting (137) 4 seconds ago"), "restarting");
    assert.equal(of("created", "Created"), "created");
  });

  it("returns the time since the start", () => {
    const now = new Date("2026-11-23T12:10:00Z");
    const since = (StartedAt: string): string =>
      uptime(inspection({ Running: true, StartedAt }), now);
    assert.equal(since("2026-11-23T12:09:57.123456789Z"), "2 s");
    assert.equal(since("2026-11-23T10:00:00Z"), "2 h 10 min");
    assert.equal(since("2026-11-19T10:00:00Z"), "4 d 2 h");
    assert.equal(uptime(inspection({ Running: false }), now), "");
  });

  it("have their memory usage without reclaimable memory", () => {
    const MiB = 1024 * 1024;
    const stats = { memory_stats: { usage: 50 * MiB, stats: { total_inactive_file: 20 * MiB } } };
    assert.equal(memoryInUse(stats), 30);
    assert.equal(memoryInUse(undefined), undefined);
  });
});

describe("remedy", () => {
  const of = (line: string, role: "service" | "database" = "service", hasDatabase = true) =>
    remedy({ role, service: "inventory", hasDatabase }, [line], "demo");

  it("blames the database, not the service, for the database's errors", () => {
    for (const line of [
      'error: no pg_hba.conf entry for host "172.18.0.3"',
      "Error: connect ECONNREFUSED 172.18.0.2:5432",
      "getaddrinfo EAI_AGAIN inventory-database",
      "FATAL: the database system is starting up",
    ]) {
      assert.match(of(line), /logs inventory-database -s demo/, line);
    }
    assert.equal(of("TypeError: x is undefined"), "Fix services/inventory.");
    assert.equal(of("Error: connect ECONNREFUSED 172.18.0.2:3000"), "Fix services/inventory.");
    assert.match(of("initdb: error", "database"), /cause shown in its log/);
  });

  it("blames the server of a database that has no container", () => {
    const line = `{"msg":"The database can't be reached: self-signed certificate in certificate chain"}`;
    assert.match(of(line, "service", false), /another server \(store:databaseUrl\.inventory\)/);
    assert.equal(of("TypeError: x", "service", false), "Fix services/inventory.");
  });

  it("says that a database lacks what its first start sets up", () => {
    const hint = of('FATAL:  no pg_hba.conf entry for host "172.18.0.2"', "database");
    assert.match(hint, /interrupted before the data folder of inventory was complete/);
    assert.match(hint, /\.\/store down demo --volumes/);
  });

  it("doesn't take a wrong password for missing data", () => {
    const line = 'FATAL:  password authentication failed for user "inventory"';
    assert.doesNotMatch(of(line, "database"), /--volumes/);
  });
});

describe("whyUnhealthy", () => {
  const why = (state: Partial<Inspection["State"]>, RestartCount = 0): string =>
    whyUnhealthy(
      {
        inspection: {
          ...inspection(state),
          RestartCount,
          HostConfig: { Memory: 64 * 1024 * 1024 },
        },
      },
      { state: "running", status: "Up", health: "starting" },
    );

  it("returns the exit code and the number of restarts", () => {
    assert.equal(
      why({ Status: "restarting", Running: true, ExitCode: 3 }, 8),
      "it exited with code 3, also after each of 8 restarts",
    );
    assert.equal(why({ Status: "exited", Running: false, ExitCode: 1 }), "it exited with code 1");
    // Docker has no exit code of a running container.
    assert.equal(
      why({ Status: "running", Running: true, ExitCode: 0 }, 6),
      "it exited and was restarted 6 times",
    );
  });

  it("names the memory limit of a container that was killed", () => {
    const limit = "exceeded its memory limit of 64 MiB";
    assert.match(why({ Running: true, OOMKilled: true }, 2), new RegExp(limit));
    assert.match(why({ Running: false, ExitCode: 137 }), new RegExp(`most likely .*${limit}`));
  });

  it("returns the last line of the health check's output", () => {
    const Log = [{ ExitCode: 1, Output: 'first\n{"reason":"no database"}\n' }];
    assert.equal(
      why({ Running: true, Health: { Status: "starting", Log } }),
      'its health check fails (exit code 1): {"reason":"no database"}',
    );
  });

  it("explains that the image has no bash for the health check", () => {
    const Output =
      'OCI runtime exec failed: exec failed: unable to start container process: exec: "bash": executable file not found in $PATH: unknown';
    assert.equal(
      why({ Running: true, Health: { Status: "starting", Log: [{ ExitCode: -1, Output }] } }),
      "its image has no bash for the default health check; set health.command in its spec",
    );
  });

  it("returns Docker's error if the container can't be started", () => {
    assert.equal(
      why({ Status: "created", Running: false, Error: 'exec: "nod": not found' }),
      `Docker can't start it: exec: "nod": not found`,
    );
    assert.equal(
      whyUnhealthy({ inspection: undefined }, { state: "", status: "", health: undefined }),
      "its container no longer exists",
    );
  });
});

describe("chooseInstance", () => {
  const instance = (replica: number, over: Partial<StoreContainer> = {}): StoreContainer => ({
    ...parseContainer(summary()),
    service: "orders",
    role: "service",
    replica,
    ...over,
  });
  const unhealthy = instance(0, { health: "unhealthy" });
  const healthy = instance(1);

  it("prefers the first healthy replica", () => {
    assert.equal(chooseInstance([unhealthy, healthy], undefined, "dev"), healthy);
    assert.equal(chooseInstance([unhealthy], undefined, "dev"), unhealthy);
  });

  it("returns the requested replica, and lists the replicas if it doesn't exist", () => {
    assert.equal(chooseInstance([unhealthy, healthy], 0, "dev"), unhealthy);
    assert.throws(() => chooseInstance([unhealthy, healthy], 2, "dev"), /0, 1/);
  });

  it("rejects a replica that isn't running", () => {
    const ended = instance(0, { state: "exited", status: "Exited (1) 1 second ago" });
    assert.throws(
      () => chooseInstance([ended], undefined, "trial"),
      (error: unknown) =>
        error instanceof CliError &&
        /exited \(1\)/.test(error.message) &&
        / -s trial shows why/.test(error.hint ?? ""),
    );
  });
});

describe("container logs", () => {
  it("are decoded from frames that are split anywhere", async () => {
    const frame = (stream: number, text: string): Buffer => {
      const head = Buffer.alloc(8);
      head[0] = stream;
      head.writeUInt32BE(Buffer.byteLength(text), 4);
      return Buffer.concat([head, Buffer.from(text)]);
    };
    const bytes = Buffer.concat([frame(1, "grüß dich\n"), frame(2, ""), frame(2, "no\n")]);
    for (const size of [1, 3, 8, 100]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      const read: string[] = [];
      for await (const { stream, data } of frames(Readable.from(pieces))) {
        read.push(`${stream} ${data.toString()}`);
      }
      assert.deepEqual(read, ["1 grüß dich\n", "2 ", "2 no\n"], `pieces of ${size}`);
    }
  });

  it("have Docker's timestamp before each line", () => {
    assert.deepEqual(parseLine("2026-11-23T12:00:00.123456789Z a b\r"), {
      time: "2026-11-23T12:00:00.123456789Z",
      text: "a b",
    });
    assert.deepEqual(parseLine("2026-11-23T12:00:00.1Z "), {
      time: "2026-11-23T12:00:00.1Z",
      text: "",
    });
    assert.deepEqual(parseLine("no time"), { time: "", text: "no time" });
  });
});

/** A recorded entry of Docker's list, reduced to the fields that the CLI reads. */
function summary(over: Partial<ContainerSummary> = {}): ContainerSummary {
  return {
    Id: "f2ef283d86fa764dfdb2d08d2c9d6bf5aeab4b3d9a2fd0e3a5d4c5d0d6a7b8c9",
    Names: ["/gateway-cac33bc"],
    Image: "sha256:648ed5cd6ffb",
    ImageID: "sha256:648ed5cd6ffb",
    Created: 1795435380,
    State: "running",
    Status: "Up 2 seconds (healthy)",
    Labels: {
      "dev.store.project": "store",
      "dev.store.stack": "dev",
      "dev.store.service": "gateway",
      "dev.store.role": "gateway",
    },
    Ports: [{ IP: "127.0.0.1", PublicPort: 18080 }],
    ...over,
  };
}

function inspection(state: Partial<Inspection["State"]>): Inspection {
  return {
    Id: "f2ef283d86fa",
    Name: "/gateway-cac33bc",
    State: { Status: "running", Running: true, ExitCode: 0, ...state },
  };
}
