import * as path from "node:path";
import { messageOf } from "@store/docker/messageOf";
import { cacheFolder } from "../system/cache";
import { withLock } from "../system/lock";
import { type Reporter } from "../system/report";
import { isExecutable, lastLines, run } from "../system/run";
import { NO_UPDATE_CHECK } from "./engineEnv";
import { engineVersion, repositoryRoot } from "./pins";

/** Internal functions of the npm package `pulumi` that return its download folder and URL. */
interface PulumiPackage {
  cacheDir: (version: string) => string;
  installCLI: (
    version: string,
    root: string,
    io: { fetchText: (url: string) => Promise<string> },
  ) => Promise<void>;
}

function pulumiPackage(): PulumiPackage {
  const lib = path.join(repositoryRoot, "node_modules", "pulumi", "lib");
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the package has no types and no exports map
  const load = (name: string): object => require(path.join(lib, name)) as object;
  return { ...load("cache"), ...load("download") } as PulumiPackage;
}

export function npmBinary(): string {
  return path.join(pulumiPackage().cacheDir(engineVersion()), "bin", "pulumi");
}

const PROBE_LIMIT_MS = 3_000;

type DownloadSite = { reachable: true } | { reachable: false; reason: string };

/** Requests the first URL that the npm package would download. Gives up after 3 s. */
export async function probeDownloadSite(): Promise<DownloadSite> {
  const url = await firstDownload();
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_LIMIT_MS) });
    // An unread body would keep the connection, and thereby the process, open.
    await response.body?.cancel();
    return response.ok
      ? { reachable: true }
      : { reachable: false, reason: `it answers with HTTP status ${response.status}` };
  } catch (error) {
    return { reachable: false, reason: networkReason(error) };
  }
}

async function firstDownload(): Promise<string> {
  let firstUrl: string | undefined;
  const stop = new Error("stopped before the first download");
  await pulumiPackage()
    .installCLI(engineVersion(), "", {
      fetchText: (url) => {
        firstUrl = url;
        throw stop;
      },
    })
    .catch((error: unknown) => {
      if (error !== stop) throw error;
    });
  if (firstUrl === undefined) throw new Error("The npm package pulumi downloads nothing.");
  return firstUrl;
}

export function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return messageOf(error);
  if (error.name === "TimeoutError") return `no answer within ${PROBE_LIMIT_MS / 1000} s`;
  return messageOf(error.cause ?? error);
}

/** Downloads the engine with the npm package. @returns the output if it failed. */
export function downloadByNpm(report: Reporter): Promise<string | undefined> {
  return withLock(
    cacheFolder(),
    "engine-download",
    (pid) => report.step(`Waiting for process ${pid}, which is downloading the engine`),
    async () => {
      if (isExecutable(npmBinary())) return undefined;
      report.step(`Downloading Pulumi ${engineVersion()} (npm package pulumi)`);
      const { code, stdout, stderr } = await run(
        process.execPath,
        [path.join(repositoryRoot, "node_modules", "pulumi", "run.js"), "version"],
        {
          // Override a version that the user may have set for another project.
          env: { ...NO_UPDATE_CHECK, PULUMI_VERSION: engineVersion() },
          onLine: (line) => report.progress(line),
        },
      );
      return code === 0 && isExecutable(npmBinary()) ? undefined : lastLines(stdout + stderr);
    },
  );
}
