/**
 * Writes the OpenAPI documents in `openapi/` by starting each service and requesting its documents. Names of services limit it to
 * these. With `--check` it writes nothing and fails where a document in the repository differs from the published one.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { bundleService } from "../../kit/test/support/bundle.ts";
import { createStaff } from "../../kit/test/support/staff.ts";
import { type Audience, AUDIENCES, documentPath, DOCUMENTS, REPOSITORY } from "./folders.ts";

const SERVICES = join(REPOSITORY, "services");
const args = process.argv.slice(2);
const check = args.includes("--check");
const named = args.filter((arg) => !arg.startsWith("-"));

/** Required by the services at start; nothing is connected to and nobody is let in while documents are requested. */
const UNUSED_CONFIGURATION = {
  DATABASE_HOST: "127.0.0.1",
  DATABASE_PORT: "1",
  DATABASE_NAME: "none",
  DATABASE_USER: "none",
  DATABASE_PASSWORD_FILE: "/dev/null",
  STAFF_TOKENS_FILE: createStaff().environment.STAFF_TOKENS_FILE,
  CALLERS_FILE: "/dev/null",
  GATEWAY_URL: "http://127.0.0.1:1",
  ...Object.fromEntries(nodeServices().map(urlOf)),
};

const changed: string[] = [];
for (const service of named.length > 0 ? named : nodeServices()) {
  for (const [audience, text] of await publishedDocuments(service)) {
    const file = join(DOCUMENTS, audience, `${service}.json`);
    if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
    changed.push(`${audience}/${service}.json`);
    if (check) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
if (changed.length === 0) {
  console.log("All contracts match the published documents.");
} else if (check) {
  console.error(
    `Contracts differ from the published documents: ${changed.join(", ")}. Run "npm run contracts", review the difference and commit it.`,
  );
  process.exitCode = 1;
} else {
  console.log(`Written: ${changed.join(", ")}. Review the difference and commit it.`);
}

/** Returns the environment variable by which a service finds another one. */
function urlOf(service: string): [variable: string, url: string] {
  return [`${service.toUpperCase().replaceAll("-", "_")}_URL`, "http://127.0.0.1:1"];
}

/** Returns the services written for Node, by folder name. */
function nodeServices(): string[] {
  return readdirSync(SERVICES).filter((name) => existsSync(join(SERVICES, name, "src/main.ts")));
}

/** Runs a service while its documents are requested; it needs no database for that. */
async function publishedDocuments(service: string): Promise<[Audience, string][]> {
  const folder = join(SERVICES, service);
  const child = spawn(process.execPath, [await bundleService(REPOSITORY, folder)], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...UNUSED_CONFIGURATION, PORT: "0" },
  });
  try {
    for await (const line of createInterface(child.stdout)) {
      const address = /Server listening at (http:\/\/[^"]+)/.exec(line)?.[1];
      if (address !== undefined) return await requestDocuments(service, address);
    }
    throw new Error(`services/${service} exited before it listened.`);
  } finally {
    child.kill("SIGINT");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
}

async function requestDocuments(service: string, address: string): Promise<[Audience, string][]> {
  const documents: [Audience, string][] = [];
  for (const audience of AUDIENCES) {
    const response = await fetch(address + documentPath(service, audience));
    // A service without an API, such as a web front end.
    if (response.status === 404) continue;
    if (!response.ok) throw new Error(`${service} answered ${response.status} for its document.`);
    documents.push([audience, `${JSON.stringify(sorted(await response.json()), null, 2)}\n`]);
  }
  return documents;
}

/** Returns the value with the keys of all objects in alphabetical order, so that a review shows changes only. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
