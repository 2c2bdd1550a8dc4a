import * as os from "node:os";
import * as path from "node:path";
import { type EngineSource } from "./chooseEngine";
import { type Toolchain } from "./goToolchain";
import { engineVersion } from "./pins";

export interface Engine {
  /** Absolute path of the executable. */
  pulumi: string;
  version: string;
  how: EngineSource;
  /** Environment variables for the engine and its child processes. */
  env: Record<string, string>;
}

/** Disables the notice about newer versions, because the repository pins the version. */
export const NO_UPDATE_CHECK = { PULUMI_SKIP_UPDATE_CHECK: "true" };

export function npmEngine(pulumi: string): Engine {
  return {
    pulumi,
    version: engineVersion(),
    how: "npm",
    // Like the package's start script: the language hosts are in the same folder.
    env: { ...NO_UPDATE_CHECK, PATH: prependToPath(path.dirname(pulumi)) },
  };
}

export function toolchainEngine({ bin, home }: Toolchain): Engine {
  return {
    pulumi: path.join(bin, "pulumi"),
    version: engineVersion(),
    how: "toolchain",
    env: {
      ...NO_UPDATE_CHECK,
      PATH: prependToPath(bin),
      // Keep the built plugins apart from published ones in ~/.pulumi …
      PULUMI_HOME: home,
      // … but share the user's login.
      PULUMI_CREDENTIALS_PATH:
        process.env.PULUMI_CREDENTIALS_PATH ??
        process.env.PULUMI_HOME ??
        path.join(os.homedir(), ".pulumi"),
      // The download site is unreachable; retries would cost each preview seconds.
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      NODE_OPTIONS: [process.env.NODE_OPTIONS, `--require ${JSON.stringify(RUNTIME_OPTIONS)}`]
        .filter(Boolean)
        .join(" "),
    },
  };
}

const RUNTIME_OPTIONS = path.join(__dirname, "runtimeOptions.cjs");

function prependToPath(folder: string): string {
  return [folder, process.env.PATH].filter(Boolean).join(path.delimiter);
}
