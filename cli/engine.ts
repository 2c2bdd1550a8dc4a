import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { Failure } from "./failure";
import { EngineEvent, readEvents } from "./events";

/** How an engine's run ended. */
export interface EngineRun {
  readonly exitCode: number;
  /** The person, or whoever sent a signal, wanted it to end. */
  readonly interrupted: boolean;
  readonly events: readonly EngineEvent[];
}

export interface EngineCall {
  readonly pulumi: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Where the engine writes its events; none for subcommands that have no such log. */
  readonly eventLog?: string;
}

/**
 * Runs the engine on our terminal, so that its own progress display is what the person sees.
 *
 * The first Ctrl-C or signal asks it to stop after what it is doing, the second ends it. On a terminal the engine gets Ctrl-C
 * by itself; a second one from us would make it leave half of its work behind. Elsewhere it stands in a process group of its
 * own, so that only we tell it.
 */
export async function runEngine(call: EngineCall): Promise<EngineRun> {
  const onTerminal = process.stdin.isTTY === true;
  const child = spawn(
    call.pulumi,
    call.eventLog ? [...call.args, "--event-log", call.eventLog] : [...call.args],
    {
      cwd: call.cwd,
      env: call.eventLog ? { ...call.env, PULUMI_DEBUG_COMMANDS: "true" } : call.env,
      stdio: "inherit",
      detached: !onTerminal,
    },
  );
  const signals = passOnSignals(child, onTerminal);
  try {
    const exitCode = await exitOf(child, call.pulumi);
    const events = call.eventLog ? readEvents(call.eventLog) : [];
    const canceled = events.some((event) => event.summaryEvent?.result === "canceled");
    return { exitCode, interrupted: signals.count() > 0 || canceled, events };
  } finally {
    signals.stop();
  }
}

/** Runs the engine quietly for what it prints. */
export async function askEngine(
  call: Omit<EngineCall, "eventLog">,
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const child = spawn(call.pulumi, [...call.args], {
    cwd: call.cwd,
    env: call.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text.stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text.stderr += chunk));
  return { exitCode: await exitOf(child, call.pulumi), ...text };
}

function passOnSignals(
  child: ChildProcess,
  onTerminal: boolean,
): { count(): number; stop(): void } {
  let count = 0;
  let last = 0;
  const handle = (signal: NodeJS.Signals): void => {
    // One request can arrive twice: by the process group and by npm, which passes on what it gets.
    if (Date.now() - last < 300) return;
    last = Date.now();
    count += 1;
    if (signal === "SIGINT" && onTerminal) return;
    child.kill(count === 1 && signal === "SIGHUP" ? "SIGTERM" : signal);
  };
  for (const signal of SIGNALS) process.on(signal, handle);
  return {
    count: () => count,
    stop: () => {
      for (const signal of SIGNALS) process.off(signal, handle);
    },
  };
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function exitOf(child: ChildProcess, pulumi: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Failure(`${pulumi} can't be run: ${error.message}`)));
    child.once("close", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
  });
}
