import { CliError } from "@store/docker/cliError";
import { type Reporter } from "../system/report";
import { isExecutable } from "../system/run";
import { chooseEngine, type EngineChoice, type EngineFacts } from "./chooseEngine";
import { noteUse } from "./engineCache";
import { type Engine, NO_UPDATE_CHECK, npmEngine, toolchainEngine } from "./engineEnv";
import { findGo } from "./go";
import { buildToolchain, toolchain, type Toolchain } from "./goToolchain";
import { downloadByNpm, npmBinary, probeDownloadSite } from "./npmPackage";
import { checkPins } from "./pins";
import { findOnUsersPath } from "./userEngine";

/**
 * Returns the engine to use; downloads or builds it if none is ready. If one is ready, uses neither network nor child processes.
 */
export async function ensureEngine(report: Reporter): Promise<Engine> {
  const survey = await surveyReady({ remember: true });
  const ready = readyEngine(survey);
  if (ready !== undefined && (await isStillThere(ready, survey, report))) return ready;
  survey.rejected.forEach((reason) => report.note(reason));

  const site = await probeDownloadSite();
  if (site.reachable) {
    const failure = await downloadByNpm(report);
    if (failure === undefined) return npmEngine(npmBinary());
    report.note(`Pulumi's download failed:\n${failure}`);
  }
  checkPins();
  const go = await findGo();
  const choice = chooseEngine({
    ...facts(survey),
    downloadSite: site.reachable ? "failed" : "unusable",
    go,
  });
  if (choice.how === "none") throw new CliError(choice.problem, { hint: choice.remedy });
  const cause = site.reachable ? "" : `Pulumi's download site can't be used (${site.reason}). `;
  report.note(`${cause}Building the engine from Go modules, once.`);
  await buildToolchain(survey.toolchain, report);
  return toolchainEngine(survey.toolchain);
}

/** Another checkout may remove the built engine if it wasn't used for a month. */
async function isStillThere(
  engine: Engine,
  survey: ReadySurvey,
  report: Reporter,
): Promise<boolean> {
  return engine.how !== "toolchain" || noteUse(survey.toolchain.folder, report);
}

export interface EngineSurvey {
  choice: EngineChoice;
  /** Undefined unless an engine is ready. */
  engine?: Engine;
  /** Engines that were found but can't be used, each with the reason. */
  rejected: string[];
  downloadSite: EngineFacts["downloadSite"];
}

/** Returns the engine that `ensureEngine` would use, and whether it is ready. Changes nothing. */
export async function findEngine(): Promise<EngineSurvey> {
  const survey = await surveyReady({ remember: false });
  const engine = readyEngine(survey);
  if (engine !== undefined) {
    return {
      choice: { how: engine.how, ready: true },
      engine,
      rejected: survey.rejected,
      downloadSite: "not asked",
    };
  }
  const [site, go] = await Promise.all([probeDownloadSite(), findGo()]);
  const downloadSite = site.reachable ? "reachable" : "unusable";
  return {
    choice: chooseEngine({ ...facts(survey), downloadSite, go }),
    rejected: survey.rejected,
    downloadSite,
  };
}

interface ReadySurvey {
  onPath?: { pulumi: string; version: string };
  npmReady: boolean;
  toolchain: Toolchain;
  rejected: string[];
}

async function surveyReady(options: { remember: boolean }): Promise<ReadySurvey> {
  const { found, rejected } = await findOnUsersPath(options);
  return {
    onPath: found,
    npmReady: isExecutable(npmBinary()),
    toolchain: toolchain(),
    rejected,
  };
}

function facts(survey: ReadySurvey): Omit<EngineFacts, "downloadSite" | "go"> {
  return {
    onPath: survey.onPath !== undefined,
    npmReady: survey.npmReady,
    toolchainReady: survey.toolchain.ready,
  };
}

function readyEngine(survey: ReadySurvey): Engine | undefined {
  if (survey.onPath !== undefined) {
    const { pulumi, version } = survey.onPath;
    return { pulumi, version, how: "path", env: NO_UPDATE_CHECK };
  }
  if (survey.npmReady) return npmEngine(npmBinary());
  if (survey.toolchain.ready) return toolchainEngine(survey.toolchain);
  return undefined;
}
