import { RunError } from "@pulumi/pulumi";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { contentTag, TaggedFiles } from "../contentTag";
import {
  allEntries,
  ContextEntry,
  contextEntries,
  readable,
  readRegularFile,
} from "./contextEntries";

/**
 * A copy of a build context from which the builder builds. The copy makes sure that the image has exactly the content of its tag:
 * the builder finds only what the tag counts, with permissions that don't depend on the umask of a `git clone`, and a file that is
 * edited during the build changes nothing.
 */
export class StagedContext {
  /** Folder of the copied context, relative to the project. */
  readonly context: string;
  /** Copied Dockerfile, relative to {@link context}. */
  readonly dockerfile: string;
  private readonly file: string;

  /**
   * @param folder Folder for the copy, relative to the project.
   * @param tag Content tag of the context.
   */
  constructor(
    private readonly folder: string,
    private readonly content: TaggedFiles,
    private readonly tag: string,
  ) {
    // The original paths are part of the copies' paths, for messages.
    const { context, dockerfile } = content;
    this.context = join(folder, "context", inside(context));
    this.file = join(folder, "dockerfile", inside(join(context, dockerfile)));
    this.dockerfile = relative(this.context, this.file);
  }

  /**
   * Writes the copy, unless it exists already.
   *
   * @throws RunError if a file can't be read, or if the content has changed since the tag was computed.
   */
  write(): void {
    const { context, dockerfile } = this.content;
    const marker = join(this.folder, "tag");
    // The CLI reads the second line (packages/cli/state/upToDate.ts).
    const copied = `${this.tag}\n${context}\n`;
    if (existsSync(marker) && readFileSync(marker, "utf8") === copied) return;
    this.clear();
    writeFileSync(this.file, readRegularFile(join(context, dockerfile)));
    // The copy is complete: the builder must not apply the .dockerignore file that may be part of it.
    writeFileSync(`${this.file}.dockerignore`, "# Nothing is excluded.\n");
    for (const entry of contextEntries(context, dockerfile)) this.copy(entry);
    this.verify();
    writeFileSync(marker, copied);
  }

  private clear(): void {
    try {
      rmSync(this.folder, { recursive: true, force: true });
      this.makeFolder(this.context);
      this.makeFolder(dirname(this.file));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const denied = code === "EACCES" || code === "EPERM";
      throw new RunError(
        `${this.folder} can't be written: ${message}.${denied ? " If it belongs to another user: sudo chown -R $(id -u) .store" : ""}`,
      );
    }
  }

  private copy({ path, kind }: ContextEntry): void {
    const from = join(this.content.context, path);
    const to = join(this.context, path);
    this.makeFolder(kind === "folder" ? to : dirname(to));
    if (kind === "folder") return;
    if (kind === "link") {
      symlinkSync(readable(from, readlinkSync), to);
      return;
    }
    readable(from, () => copyFileSync(from, to));
    chmodSync(to, kind === "executable" ? 0o755 : 0o644);
  }

  /** Creates a folder of the copy, readable for everybody regardless of the umask. */
  private makeFolder(path: string): void {
    mkdirSync(path, { recursive: true });
    for (let at = path; at.startsWith(join(this.folder, sep)); at = dirname(at)) {
      chmodSync(at, 0o755);
    }
  }

  private verify(): void {
    const { context, dockerfile } = this;
    const copied = contentTag({ ...this.content, context, dockerfile }, allEntries(this.context));
    if (copied === this.tag) return;
    throw new RunError(
      `Files of ${this.content.context} were changed during the run. Run the command again to build them.`,
    );
  }
}

/** Keeps a path inside of the folder that it is joined to. */
function inside(path: string): string {
  return path.replace(/^(\.\.\/)+/, "");
}
