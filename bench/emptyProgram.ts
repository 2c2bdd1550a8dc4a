import { symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ensureEngine } from "@store/toolchain/engine/engine";
import { Command, measure } from "./measure";

export const REPOSITORY = resolve(__dirname, "..");

/**
 * Creates a Pulumi program without resources, the baseline of comparisons. It uses the fastest of Pulumi's own ways to compile
 * TypeScript. Returns a function that makes commands of the engine in its folder.
 */
export async function emptyProgram(
  folder: string,
): Promise<(name: string, ...args: string[]) => Command> {
  const engine = await ensureEngine({
    step: console.error,
    progress: () => undefined,
    note: console.error,
  });
  writeFileSync(join(folder, "Pulumi.yaml"), "name: empty\nmain: index.ts\nruntime: nodejs\n");
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "empty", main: "index.ts" }));
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: join(REPOSITORY, "tsconfig.json"),
      compilerOptions: { noCheck: true },
    }),
  );
  writeFileSync(
    join(folder, "index.ts"),
    'import * as pulumi from "@pulumi/pulumi";\nexport const stack = pulumi.getStack();\n',
  );
  symlinkSync(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));
  const env = {
    ...process.env,
    ...engine.env,
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE: "empty",
  };
  const command = (name: string, ...args: string[]): Command => ({
    name,
    argv: [engine.pulumi, ...args],
    cwd: folder,
    env,
  });
  await measure(command("stack init", "stack", "init", "empty"));
  return command;
}
