/** Build arguments that BuildKit and RUN use without an ARG. @see https://docs.docker.com/reference/dockerfile/#predefined-args */
const PREDEFINED_ARGS = /^(BUILDKIT_.*|SOURCE_DATE_EPOCH|(https?|ftp|no|all)_proxy)$/i;

/** Returns the build arguments that the Dockerfile declares by ARG, so that no other argument changes the content tag. */
export function declaredArgs(
  dockerfile: string,
  args: Readonly<Record<string, string>>,
): Record<string, string> {
  const names = new Set(instructions(dockerfile).flatMap(declaredBy));
  return Object.fromEntries(
    Object.entries(args).filter(([name]) => names.has(name) || PREDEFINED_ARGS.test(name)),
  );
}

/** Returns the instructions, each on one line. Lines of here-documents count as instructions, too. */
function instructions(dockerfile: string): string[] {
  const escape = /^\s*#\s*escape\s*=\s*`/im.test(dockerfile) ? "`" : "\\\\";
  return (
    dockerfile
      .replace(/^\s*#.*(\r?\n|$)/gm, "")
      // Docker also skips empty lines in a continued instruction.
      .replace(new RegExp(`${escape}[ \\t]*\\r?\\n(\\s*\\n)*`, "g"), " ")
      .split(/\r?\n/)
  );
}

/** Returns the names that an instruction `ARG A B=1 C="2 3"` declares. */
function declaredBy(instruction: string): string[] {
  const [, declarations] = /^\s*ARG\s+(.*)$/i.exec(instruction) ?? [];
  const words = declarations?.match(/(?:\\.|"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'\\])+/g) ?? [];
  return words.map((word) => word.replace(/=.*$/s, ""));
}
