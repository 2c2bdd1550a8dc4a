/**
 * Writes the types of the clients, `services/CALLER/src/clients/CALLED.ts`, from the OpenAPI document that the called service
 * publishes. A new client: create that file empty and run this. With --check it writes nothing and fails where one is stale.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import openapiTypescript, { astToString } from "openapi-typescript";
import * as prettier from "prettier";

const services = new URL("../../../services/", import.meta.url);
/** The gateway is no service of ours that could be asked: it publishes this file at /api/openapi.json. */
const gatewayApi = new URL("../../../components/gateway/gatewayApi.json", import.meta.url);
const check = process.argv.includes("--check");

interface ClientFile {
  readonly caller: string;
  readonly called: string;
  readonly url: URL;
}

const stale: string[] = [];
for (const client of clientFiles()) {
  const wanted = await generate(client);
  if (wanted === (await readFile(client.url, "utf8"))) continue;
  stale.push(`services/${client.caller}/src/clients/${client.called}.ts`);
  if (!check) await writeFile(client.url, wanted);
}
if (check && stale.length > 0) {
  console.error(
    `Stale: ${stale.join(", ")}. Run "npm run clients -w @store/kit" and look at what changed.`,
  );
  process.exitCode = 1;
} else {
  console.log(stale.length > 0 ? `Written: ${stale.join(", ")}` : "All clients are current.");
}

function clientFiles(): ClientFile[] {
  return readdirSync(services).flatMap((caller) => {
    const folder = new URL(`${caller}/src/clients/`, services);
    if (!existsSync(folder)) return [];
    return readdirSync(folder).map((file) => ({
      caller,
      called: file.replace(/\.ts$/, ""),
      url: new URL(file, folder),
    }));
  });
}

async function generate({ caller, called, url }: ClientFile): Promise<string> {
  // Whoever stands outside of the gateway is told of the public interface only.
  const outside = (await readFile(new URL(`${caller}/service.ts`, services), "utf8")).includes(
    'network: "edge"',
  );
  const path = outside ? `/api/${called}/openapi.json` : "/openapi.json";
  const document = await (called === "gateway"
    ? readFile(gatewayApi, "utf8")
    : fetchDocument(called, path));
  const types = astToString(await openapiTypescript(document, { alphabetize: true }));
  const source =
    called === "gateway" ? "components/gateway/gatewayApi.json" : `${path} of ${called}`;
  const banner = `// Made by "npm run clients -w @store/kit" from ${source}: change that, not this.\n`;
  const options = await prettier.resolveConfig(fileURLToPath(url));
  return prettier.format(banner + types, { ...options, parser: "typescript" });
}

/** Runs the service for as long as it takes to ask for its document, which needs no database. */
async function fetchDocument(service: string, path: string): Promise<string> {
  const child = spawn(process.execPath, ["--import", "tsx", "src/main.ts"], {
    cwd: new URL(`${service}/`, services),
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      PORT: "0",
      DATABASE_HOST: "127.0.0.1",
      DATABASE_PORT: "1",
      DATABASE_NAME: "none",
      DATABASE_USER: "none",
      DATABASE_PASSWORD_FILE: "/dev/null",
      // Nobody is let in: any file that isn't empty does.
      STAFF_TOKEN_FILE: fileURLToPath(import.meta.url),
      // Nobody is called: any URL does.
      INVENTORY_URL: "http://127.0.0.1:1",
      BILLING_URL: "http://127.0.0.1:1",
      SHIPPING_URL: "http://127.0.0.1:1",
      GATEWAY_URL: "http://127.0.0.1:1",
    },
  });
  try {
    for await (const line of createInterface(child.stdout)) {
      const address = /Server listening at (http:\/\/[^"]+)/.exec(line)?.[1];
      if (address !== undefined) return await (await fetch(address + path)).text();
    }
    throw new Error(`services/${service} ended before it listened.`);
  } finally {
    child.kill("SIGINT");
  }
}
