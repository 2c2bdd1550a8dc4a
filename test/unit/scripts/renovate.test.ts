import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readProject } from "@store/cli/project/project";

const ROOT = join(__dirname, "../../..");

interface Renovate {
  readonly customManagers: readonly {
    readonly managerFilePatterns: readonly string[];
    readonly matchStrings: readonly string[];
  }[];
  readonly packageRules: readonly Readonly<Record<string, unknown>>[];
}

/** Options of a package rule that Renovate documents and this repository uses; a misspelt one is ignored without a message. */
const RULE_OPTIONS = [
  ...["description", "matchManagers", "matchDepNames", "matchPackageNames", "matchUpdateTypes"],
  ...["matchFileNames", "matchDepTypes", "groupName", "pinDigests", "allowedVersions"],
  ...["dependencyDashboardApproval", "enabled"],
];

describe("renovate.json", () => {
  const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
  const renovate = JSON.parse(read("renovate.json")) as Renovate;

  it("finds every base image, in Pulumi.yaml and in config/baseImages.json", () => {
    const [manager] = renovate.customManagers;
    assert.ok(manager);
    const { defaults } = readProject(ROOT);
    const images = ["node", "postgres", "haproxy"].map((name) => defaults[`store:${name}Image`]);
    for (const pattern of manager.managerFilePatterns) {
      const file = pattern.replace(/^\/\^|\$\/$/g, "").replaceAll("\\", "");
      const found: string[] = manager.matchStrings.flatMap((text) =>
        [...read(file).matchAll(new RegExp(text, "g"))].map(([image]) => image),
      );
      assert.deepEqual(found, images, file);
    }
  });

  it("finds the tool that the workflow Audit builds from a Go module", () => {
    const [pattern = ""] = renovate.customManagers[1]?.matchStrings ?? [];
    const { depName, currentValue = "" } =
      new RegExp(pattern).exec(read(".github/workflows/audit.yml"))?.groups ?? {};
    assert.equal(depName, "github.com/anchore/grype");
    assert.match(currentValue, /^v\d+\.\d+\.\d+$/);
  });

  it("has only known options in its rules, and folders that exist", () => {
    for (const rule of renovate.packageRules) {
      for (const option of Object.keys(rule)) assert.ok(RULE_OPTIONS.includes(option), option);
      for (const glob of (rule["matchFileNames"] ?? []) as string[])
        assert.ok(existsSync(join(ROOT, glob.replace(/\/\*\*$/, ""))), glob);
    }
  });
});
