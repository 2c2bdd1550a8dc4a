/**
 * Duration of `up` from nothing, `preview` without changes and `down` of the staging stack, by number of services. `up` is broken down
 * by phase; the preview is compared with an empty Pulumi program's. The Azure emulator adds no latency, so the times are those of this
 * repository, the VM's boot and its cloud-init.
 *
 *     npx tsx bench/staging.ts [numbers of services, from 6 on]
 *
 * Linux only, like `./store rehearse`.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseExport, Resource } from "@store/cli/state/checkpoint";
import { Rehearsal } from "../test/staging/rehearsal";
import { findDocker } from "@store/toolchain/tools/docker";
import { emptyProgram, REPOSITORY } from "./emptyProgram";
import { measure, median, printTable } from "./measure";

const PREVIEWS = 5;
/** Number of the store's own services. */
const STORE_SERVICES = 6;

async function main(): Promise<void> {
  const numbers = process.argv.slice(2).map(Number);
  const runs: Run[] = [];
  for (const services of numbers.length > 0 ? numbers : [6, 12, 24]) {
    runs.push(await rehearse(services));
  }

  printTable(
    ["up from nothing: finished after s", ...runs.map(({ services }) => `${services} services`)],
    [
      ...PHASES.map(({ name }) => [name, ...runs.map(({ phases }) => seconds(phases.get(name)))]),
      ["whole command", ...runs.map(({ up }) => seconds(up))],
    ],
  );
  printTable(
    ["", ...runs.map(({ services }) => `${services} services`)],
    [
      ["resources", ...runs.map(({ resources }) => String(resources))],
      ["preview, empty program: s", ...runs.map(({ empty }) => empty.toFixed(2))],
      ["preview without changes: s", ...runs.map(({ preview }) => preview.toFixed(2))],
      ["ratio to empty program", ...runs.map(({ ratio }) => `${ratio.toFixed(2)}×`)],
      ["down: s", ...runs.map(({ down }) => seconds(down))],
    ],
  );
}

interface Run {
  readonly services: number;
  readonly resources: number;
  /** Duration in seconds. */
  readonly up: number;
  readonly down: number;
  readonly empty: number;
  readonly preview: number;
  readonly ratio: number;
  /** Seconds from the start of `up` until the phase's last resource was created. */
  readonly phases: ReadonlyMap<string, number>;
}

/** Phases of an `up` from nothing, with their resources. Phases overlap. */
const PHASES: readonly { readonly name: string; readonly of: RegExp }[] = [
  { name: "network, address, disk", of: /\$azure-native:(?!compute:VirtualMachine::)/ },
  { name: "virtual machine", of: /\$azure-native:compute:VirtualMachine::/ },
  { name: "images built and pushed", of: /\$command:local:Command::.*-image:/ },
  { name: "Docker on the machine answers", of: /\$command:remote:Command::.*-ready$/ },
  { name: "images pulled", of: /docker:index\/remoteImage:RemoteImage::/ },
  { name: "databases healthy", of: /Database\$docker:index\/container:Container::/ },
  { name: "services healthy", of: /Service\$docker:index\/container:Container::/ },
  { name: "gateway healthy", of: /Gateway\$docker:index\/container:Container::/ },
];

async function rehearse(services: number): Promise<Run> {
  const docker = await findDocker();
  const spent = new Map<string, number>();
  const rehearsal = new Rehearsal({
    root: REPOSITORY,
    dockerHost: docker.host,
    latencyFactor: 0,
    faults: [],
    host: "azure",
    registry: "named",
    report: { step: () => undefined, progress: () => undefined, note: () => undefined },
    onStep: ({ name, seconds }) => {
      console.error(`${services} services, ${name}: ${seconds.toFixed(1)} s`);
      spent.set(name, seconds);
    },
    onCopy: (folder) => addServices(folder, services - STORE_SERVICES),
  });
  try {
    await rehearsal.bringUp();
    const end = Date.now();
    const up = spent.get("up") ?? NaN;
    const resources = parseExport(await rehearsal.state()).resources;
    const previews = await comparePreviews(rehearsal);
    await rehearsal.down();
    return {
      services,
      resources: resources.length,
      up,
      down: spent.get("down") ?? NaN,
      ...previews,
      phases: phasesOf(resources, end - up * 1000),
    };
  } finally {
    await rehearsal.end();
  }
}

/** Adds copies of the service shipping, each with a database, under other names and routes. */
function addServices(folder: string, count: number): void {
  for (let i = 1; i <= count; i++) {
    const name = `extra-${i}`;
    cpSync(join(folder, "services/shipping"), join(folder, "services", name), { recursive: true });
    const spec = join(folder, "services", name, "service.ts");
    const text = readFileSync(spec, "utf8");
    const routed = text.replace('"/api/shipping"', `"/api/${name}"`);
    if (routed === text) throw new Error("services/shipping/service.ts has no route /api/shipping");
    writeFileSync(spec, routed);
  }
}

function phasesOf(resources: readonly Resource[], start: number): Map<string, number> {
  return new Map(
    PHASES.map(({ name, of }) => {
      const createdAt = resources
        .filter(({ urn, created }) => of.test(urn) && created !== undefined)
        .map(({ created }) => Date.parse(created ?? ""));
      if (createdAt.length === 0)
        throw new Error(`the state has no resources of the phase "${name}"`);
      return [name, (Math.max(...createdAt) - start) / 1000];
    }),
  );
}

async function comparePreviews(
  rehearsal: Rehearsal,
): Promise<Pick<Run, "empty" | "preview" | "ratio">> {
  const folder = mkdtempSync(join(tmpdir(), "empty-program-"));
  try {
    const empty = await emptyProgram(folder);
    const pairs: { empty: number; preview: number }[] = [];
    for (let round = 0; round <= PREVIEWS; round++) {
      const { seconds } = await measure(empty("preview, empty program", "preview"));
      const start = performance.now();
      await rehearsal.store("preview");
      // The first round is a warm-up.
      if (round > 0) pairs.push({ empty: seconds, preview: (performance.now() - start) / 1000 });
    }
    return {
      empty: median(pairs.map((pair) => pair.empty)),
      preview: median(pairs.map((pair) => pair.preview)),
      ratio: median(pairs.map((pair) => pair.preview / pair.empty)),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function seconds(value: number | undefined): string {
  return (value ?? NaN).toFixed(1);
}

void main();
