import type { CommandGroup } from "../command";

/** Commands that the workflows in .github/workflows run. */
/* eslint-disable @typescript-eslint/no-require-imports */
export const ci: CommandGroup = {
  name: "ci",
  summary:
    "commands for GitHub Actions: publish a preview, compare a deploy with it, tear down, set up",
  examples: [
    "./store ci preview staging --output summary.json",
    "./store ci publish summary.json",
    "./store ci setup --help",
  ],
  notes: "docs/team-workflow.md explains the workflows.",
  subcommands: {
    check: () => (require("./check") as typeof import("./check")).check,
    preview: () => (require("./preview") as typeof import("./preview")).preview,
    publish: () => (require("./publish") as typeof import("./publish")).publish,
    reviewed: () => (require("./reviewed") as typeof import("./reviewed")).reviewed,
    teardown: () => (require("./teardown") as typeof import("./teardown")).teardown,
    environment: () => (require("./environment") as typeof import("./environment")).environment,
    setup: () => (require("./setup") as typeof import("./setup")).setup,
  },
};
/* eslint-enable @typescript-eslint/no-require-imports */
