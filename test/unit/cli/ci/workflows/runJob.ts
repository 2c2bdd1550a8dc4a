/** SUBSTITUTE for a runner of GitHub Actions, for tests: runs the `run:` steps of one job, and skips the actions. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { parse } from "yaml";

const WORKFLOWS = join(__dirname, "../../../../../.github/workflows");

interface Step {
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Job {
  readonly if?: string;
  readonly permissions: Readonly<Record<string, string>>;
  readonly environment?: string | { readonly url?: string };
  readonly env?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly env?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

/** Event that starts a workflow, and the settings of the repository. */
export interface Trigger {
  readonly event: string;
  readonly payload: object;
  readonly vars?: Readonly<Record<string, string>>;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly matrix?: Readonly<Record<string, string>>;
}

export interface JobResult {
  /** Undefined if the job's condition doesn't hold. */
  readonly exitCode?: number;
  /** Commands and actions that ran, in their order. */
  readonly steps: readonly string[];
  readonly output: string;
  readonly summary: string;
  /** URL of the deployment. */
  readonly url?: string;
}

/**
 * Runs a job.
 *
 * @param env Environment of the runner. GITHUB_TOKEN reaches only steps that ask for it.
 */
export async function runJob(
  [file, name]: readonly [workflow: string, job: string],
  trigger: Trigger,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<JobResult> {
  const { workflow, job } = readJob(file, name);
  const steps: Record<string, { outputs: Record<string, string> }> = {};
  const evaluate = evaluator(trigger, steps, folder);
  if (job.if !== undefined && !evaluate(job.if)) return { steps: [], output: "", summary: "" };
  const temporary = mkdtempSync(join(tmpdir(), "store-job-"));
  try {
    const files = { event: join(temporary, "event.json"), summary: join(temporary, "summary") };
    writeFileSync(files.event, JSON.stringify(trigger.payload));
    const result = { exitCode: 0, steps: [] as string[], output: "" };
    for (const [index, step] of job.steps.entries()) {
      const always = step.if?.includes("always()") === true;
      if (result.exitCode !== 0 && !always) continue;
      if (step.if !== undefined && !evaluate(step.if)) continue;
      result.steps.push(step.run ?? step.uses ?? "");
      if (step.run === undefined) continue;
      const outputFile = join(temporary, `output-${index}`);
      writeFileSync(outputFile, "");
      const { code, output } = await bash(step.run, folder, {
        ...env,
        GITHUB_EVENT_NAME: trigger.event,
        GITHUB_EVENT_PATH: files.event,
        GITHUB_STEP_SUMMARY: files.summary,
        GITHUB_OUTPUT: outputFile,
        ...(job.permissions["id-token"] === "write" && { ACTIONS_ID_TOKEN_REQUEST_URL: "x" }),
        ...texts({ ...workflow.env, ...job.env, ...step.env }, evaluate),
      });
      result.output += output;
      result.exitCode = result.exitCode || code;
      if (step.id !== undefined) steps[step.id] = { outputs: readOutputs(outputFile) };
    }
    const url = typeof job.environment === "object" ? job.environment.url : undefined;
    return {
      ...result,
      summary: existsSync(files.summary) ? readFileSync(files.summary, "utf8") : "",
      url: url === undefined ? undefined : interpolate(url, evaluate),
    };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Returns a job's rights, as the fake API names them. */
export function rightsOf([file, name]: readonly [string, string]): string[] {
  return Object.entries(readJob(file, name).job.permissions).flatMap(([scope, right]) => [
    "read",
    ...(right === "write" ? [`${scope.replace("-", "_")}:write`] : []),
  ]);
}

function readJob(file: string, name: string): { workflow: Workflow; job: Job } {
  const workflow = parse(readFileSync(join(WORKFLOWS, file), "utf8")) as Workflow;
  const job = workflow.jobs[name];
  if (job === undefined) throw new Error(`${file} has no job ${name}`);
  return { workflow, job };
}

type Evaluate = (expression: string) => unknown;

/** Evaluates expressions as JavaScript, which has the same operators. A missing property is undefined. */
function evaluator(trigger: Trigger, steps: object, folder: string): Evaluate {
  const { event, payload, vars = {}, inputs = {}, matrix = {} } = trigger;
  const context = createContext({
    github: { event_name: event, event: payload, repository: "acme/store", token: "job-token" },
    vars,
    inputs,
    matrix,
    steps,
    runner: { temp: folder },
    contains: (list: readonly unknown[] | undefined, item: unknown) =>
      list?.includes(item) === true,
    endsWith: (text: string | undefined, end: string) => text?.endsWith(end) === true,
    always: () => true,
    hashFiles: (file: string) => (existsSync(join(folder, file)) ? "hash" : ""),
  });
  return (expression) => {
    const script = expression
      .replace(/\.\*\.(\w+)/g, "?.map((item) => item.$1)")
      .replace(/(?<=\w)\.(?=[a-z_])(?![^']*'(?:[^']*'[^']*')*[^']*$)/gi, "?.");
    return runInContext(script, context) as unknown;
  };
}

function interpolate(text: string, evaluate: Evaluate): string {
  return text.replace(/\$\{\{(.*?)\}\}/g, (_, expression: string) => {
    const value = evaluate(expression.trim());
    return typeof value === "string" || typeof value === "number" ? String(value) : "";
  });
}

function texts(env: Readonly<Record<string, string>>, evaluate: Evaluate): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, interpolate(value, evaluate)]),
  );
}

function readOutputs(file: string): Record<string, string> {
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

function bash(
  script: string,
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["-e", "-c", script], {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    }
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}
