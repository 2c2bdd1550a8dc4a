import * as fc from "fast-check";

/** Paths of the folder that the patterns are applied to. A path that ends with "/" is an empty folder. */
export const TREE = [
  ".dockerignore",
  ".env",
  "Dockerfile",
  "README.md",
  "a",
  "a.b/c.ts",
  "b/a/b/a.ts",
  "b/a/c/",
  "b/b.ts",
  "dist/a.js",
  "dist/keep/a.js",
  "ü/a.ts",
  "src/a.ts",
  "src/a.test.ts",
  "src/b/a.ts",
  "src/b/c/a.ts",
  "src/b/c/b.js",
  "src/empty/",
  "x[1]/a+b.ts",
  "x y/#a",
];

const piece = fc.constantFrom(
  ...["a", "b", "c", "src", "dist", "keep", "*", "*", "**", "**", "?", "*.ts", "*.test.ts", "a.ts"],
  ...[
    "a*",
    "*b",
    "**a",
    "a**",
    "***",
    "[a-c]",
    "[^b]",
    "[a",
    "\\*",
    "a\\.ts",
    "x[[]1]",
    "[a*c]",
    "ü",
  ],
  ...[
    ".",
    "..",
    "",
    "a+b.ts",
    "x y",
    "a.b",
    "(a)",
    "{a,b}",
    "a$",
    "^a",
    "[]a]",
    "[b-a]",
    "a]",
    "?*",
  ],
);
const body = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join("/"));
const line = fc
  .tuple(
    fc.constantFrom("", "", "", "", "/", " ", "./", "\t", "#", " #"),
    fc.constantFrom("", "", "!", "!", "! ", "!/"),
    body,
    fc.constantFrom("", "", "", "/", " ", "/**", "/*", "\r"),
  )
  .map((parts) => parts.join(""));
const first = fc.constantFrom("*", "**", "src", "b", "\ufeffsrc", "", "!", "**/*.ts", "*/*");

/** Returns generated texts of .dockerignore files, the same ones in each run. */
export function generateSets(): string[] {
  const set = fc
    .tuple(first, fc.array(line, { maxLength: 4 }))
    .map(([start, lines]) => [start, ...lines].join("\n"));
  return [...new Set(fc.sample(set, { numRuns: 1500, seed: 20 }))];
}
