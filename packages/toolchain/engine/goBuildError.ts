import { CliError } from "@store/docker/cliError";
import { lastLines } from "../system/run";

/** Error for a failed build with Go, with the end of go's output. */
export function buildError(binary: { title: string }, stderr: string): CliError {
  return new CliError(`The ${binary.title} could not be built:\n${lastLines(stderr)}`, {
    hint: `${goBuildRemedy(stderr)} Compiled packages and downloaded modules are kept. Or install Pulumi: https://www.pulumi.com/docs/install`,
  });
}

/** Returns what to do after a failed build with Go, by go's output. Ends with "run this again." */
export function goBuildRemedy(stderr: string): string {
  const [, remedy = "Fix the cause that go names"] =
    GO_PROBLEMS.find(([problem]) => problem.test(stderr)) ?? [];
  return `${remedy}, and run this again.`;
}

const GO_PROBLEMS: readonly [RegExp, string][] = [
  [/no space left on device/, "Free some disk space"],
  [
    /signal: killed|cannot allocate memory/,
    "Most likely the memory is used up: give the machine at least 4 GB",
  ],
  [
    /checksum mismatch|SECURITY ERROR/,
    "A module differs from go.sum: remove Go's copies (go clean -modcache) or change the module proxy (GOPROXY)",
  ],
  [
    /toolchain not available|download go1[.\d]+/,
    "Install the version of Go that go.mod requires, because go can't download it",
  ],
  [
    /GOCACHE is not defined|mkdir .*: (permission denied|read-only file system)|open .*: permission denied/,
    "Make Go's folders writable (go env GOCACHE GOMODCACHE)",
  ],
  [
    /dial tcp|no such host|connection refused|i\/o timeout|TLS handshake|reading http/,
    "Check that this machine reaches the Go module proxy (go env GOPROXY names it), and that it serves these modules",
  ],
];
