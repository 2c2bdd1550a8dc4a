/**
 * Parts of the duration of `./store up` after a change of one service's source. Runs in a copy of the repository with its own stack, which
 * is removed at the end.
 *
 *     npx tsx bench/rollout.ts [rounds]
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { EngineEvent, readEvents } from "../packages/cli/engine/events";
import { TestStore } from "../test/integration/support/testStore";
import { median, printTable } from "./measure";

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 5);
  const store = await TestStore.create();
  try {
    await store.succeed("up");
    const results: (readonly Part[])[] = [];
    for (let round = 1; round <= rounds; round++) {
      store.edit("services/inventory/src/main.ts", "", `// ${round}\n`);
      results.push(partsOf(await timesOfUp(store)));
    }
    printTable(
      ["part", "s"],
      (results[0] ?? []).map(([title], i) => [
        title,
        median(results.map((parts) => parts[i]?.[1] ?? NaN)).toFixed(1),
      ]),
    );
  } finally {
    await store.dispose();
  }
}

/** Title and duration in seconds. */
type Part = readonly [title: string, seconds: number];

/** Seconds from the start of the command until something happened first, by its name. */
type Times = ReadonlyMap<string, number>;

function partsOf(times: Times): Part[] {
  const marks: readonly (readonly [title: string, until: string])[] = [
    ["start of the command and of the engine", "log"],
    ["start of the program", "stack"],
    ["program and comparison, until the first step", `start ${IMAGE}`],
    ["build", `end ${IMAGE}`],
    ["new container, until the engine knows that it is healthy", `end ${CONTAINER}`],
    ["gateway and process limits", `delete ${CONTAINER}`],
    ["drain and deletion of the old container", `deleted ${CONTAINER}`],
    ["end of the engine and of the command", "end"],
  ];
  let last = 0;
  const parts = marks.map(([title, until]): Part => {
    const time = times.get(until) ?? NaN;
    const seconds = time - last;
    last = time;
    return [title, seconds];
  });
  return [...parts, ["in all", last]];
}

const IMAGE = "RemoteImage";
const CONTAINER = "Container";

async function timesOfUp(store: TestStore): Promise<Times> {
  const times = new Map<string, number>();
  const start = Date.now();
  const mark = (name: string): void => {
    if (!times.has(name)) times.set(name, (Date.now() - start) / 1000);
  };
  let seen = 0;
  // The events have only whole seconds.
  const timer = setInterval(() => {
    const log = eventLog(store);
    if (log === undefined) return;
    mark("log");
    const events = readEvents(log);
    for (const event of events.slice(seen)) for (const name of namesOf(event)) mark(name);
    seen = events.length;
  }, 25);
  try {
    await store.succeed("up");
  } finally {
    clearInterval(timer);
  }
  mark("end");
  return times;
}

function eventLog(store: TestStore): string | undefined {
  const runs = join(store.folder, ".store/run");
  if (!existsSync(runs)) return undefined;
  return readdirSync(runs)
    .map((run) => join(runs, run, "events.json"))
    .find(existsSync);
}

/** Returns the names of what an event reports, as in {@link partsOf}. */
function namesOf({ resourcePreEvent, resOutputsEvent }: EngineEvent): string[] {
  const { op = "", type = "" } = (resourcePreEvent ?? resOutputsEvent)?.metadata ?? {};
  if (type === "pulumi:pulumi:Stack") return ["stack"];
  const kind = type.split(":").pop() ?? "";
  if (op === "delete-replaced") return [`${resourcePreEvent ? "delete" : "deleted"} ${kind}`];
  if (!op.startsWith("create")) return [];
  return [`${resourcePreEvent ? "start" : "end"} ${kind}`];
}

void main();
