import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(__dirname, "../../../../..");

/** A checkout with two commits, in which `./store` is the substitute of store.cjs. */
export class Checkout {
  readonly folder = mkdtempSync(join(tmpdir(), "store-workflow-"));
  /** Recorded calls and prepared outputs. */
  readonly prepared = join(this.folder, ".store", "substitute");

  constructor() {
    const own = ["store", "packages", ".git", ".store", ".gitignore", "Pulumi.staging.yaml"];
    this.linkAll("", own);
    cpSync(join(ROOT, "Pulumi.staging.yaml"), join(this.folder, "Pulumi.staging.yaml"));
    this.linkAll("packages", ["cli"]);
    // A copy, because the command finds its checkout by the path of its files.
    cpSync(join(ROOT, "packages/cli"), join(this.folder, "packages/cli"), { recursive: true });
    cpSync(join(__dirname, "store.cjs"), join(this.folder, "store"));
    chmodSync(join(this.folder, "store"), 0o755);
    mkdirSync(this.prepared, { recursive: true });
    writeFileSync(join(this.folder, ".gitignore"), "node_modules\n.store/\n");
    const git = (...args: string[]): void =>
      void execFileSync(
        "git",
        [
          "-c",
          "user.name=test",
          "-c",
          "user.email=test@example.test",
          "-c",
          "commit.gpgSign=false",
          ...args,
        ],
        { cwd: this.folder, stdio: "pipe" },
      );
    git("init", "--quiet");
    git("add", "--all");
    git("commit", "--quiet", "--no-verify", "--message=base");
    git("commit", "--quiet", "--no-verify", "--allow-empty", "--message=head");
  }

  /** Links the content of a folder of this repository. */
  private linkAll(path: string, except: readonly string[]): void {
    mkdirSync(join(this.folder, path), { recursive: true });
    for (const name of readdirSync(join(ROOT, path))) {
      if (!except.includes(name)) {
        symlinkSync(join(ROOT, path, name), join(this.folder, path, name));
      }
    }
  }

  /** Prepares the output of a command, and its exit code. */
  prepare(command: string, output: string, code = 0): void {
    writeFileSync(join(this.prepared, `${command}.txt`), output);
    writeFileSync(join(this.prepared, `${command}.code`), String(code));
  }

  /** Returns the recorded calls, and forgets them. */
  takeCalls(): string[] {
    const file = join(this.prepared, "calls");
    const calls = readFileSync(file, { encoding: "utf8", flag: "a+" }).split("\n").filter(Boolean);
    rmSync(file);
    return calls;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
