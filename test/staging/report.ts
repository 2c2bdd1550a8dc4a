import { messageOf } from "@store/docker/messageOf";
import type { Reporter } from "@store/toolchain/system/report";
import { CommandFailed } from "../support/workspace";

/** A finished step. */
export interface Step {
  readonly name: string;
  readonly seconds: number;
  /** Result, or error message of a failed step. */
  readonly detail: string;
  readonly failed: boolean;
}

/** A failed step, with the end of the output of its command. */
export class StepFailed extends Error {
  constructor(
    readonly step: string,
    message: string,
    readonly evidence: readonly string[],
  ) {
    super(message);
    this.name = "StepFailed";
  }
}

/** Runs the steps of a rehearsal one after the other, and reports each. */
export class StepRunner {
  /** @param hostLog Returns further evidence for a failed step. */
  constructor(
    private readonly report: Reporter,
    private readonly onStep: (step: Step) => void,
    private readonly hostLog: () => Promise<string[]>,
  ) {}

  /** Runs a step. Its action returns the result for the report. @throws StepFailed */
  async run(name: string, action: () => Promise<string>): Promise<void> {
    this.report.step(name);
    const started = Date.now();
    const seconds = (): number => (Date.now() - started) / 1000;
    try {
      const detail = await action();
      this.onStep({ name, seconds: seconds(), detail, failed: false });
    } catch (error) {
      const detail = messageOf(error);
      this.onStep({ name, seconds: seconds(), detail, failed: true });
      const output =
        error instanceof CommandFailed ? error.output.trimEnd().split("\n").slice(-40) : [];
      throw new StepFailed(name, detail, [...output, ...(await this.hostLog())]);
    }
  }
}
