import { strict as assert } from "node:assert";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import * as ts from "typescript";

import { goSources, repositoryRoot } from "@store/toolchain/engine/pins";

/** Property names of an input type, each with those of the type below it, if that is an object (or a list of them). */
interface Names {
  [property: string]: Names;
}

describe("names.json of the Docker provider's Go test", () => {
  it("lists the property names of @pulumi/docker's types", () => {
    const file = path.join(goSources, "docker-provider", "names.json");
    const text = JSON.stringify(namesOfTheSdk(), undefined, 2) + "\n";
    if (process.env["UPDATE_NAMES"]) writeFileSync(file, text);
    assert.ok(existsSync(file), "missing: run this test with UPDATE_NAMES=1");
    assert.equal(
      readFileSync(file, "utf8"),
      text,
      "@pulumi/docker has changed: run this test with UPDATE_NAMES=1, then `go test .` in packages/toolchain/go/docker-provider",
    );
  });
});

/** Read, not type-checked: the generated files name every input type as `inputs.Name`, and checking takes seconds. */
function namesOfTheSdk(): Record<string, Names> {
  const folder = path.join(repositoryRoot, "node_modules", "@pulumi", "docker");
  const inputs = new Map(interfacesIn(path.join(folder, "types", "input.d.ts")));
  const resources = readdirSync(folder)
    // The native Image is in no bridged provider, and functions' arguments are the functions'.
    .filter((file) => file.endsWith(".d.ts") && file !== "image.d.ts" && !file.startsWith("get"))
    .flatMap((file) => interfacesIn(path.join(folder, file)))
    .filter(([name]) => name.endsWith("Args"));
  const names = resources.map(([name, node]): [string, Names] => [
    name.slice(0, -"Args".length),
    namesOf(node, inputs),
  ]);
  return sorted(Object.fromEntries(names));
}

function interfacesIn(file: string): [string, ts.InterfaceDeclaration][] {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022);
  return source.statements
    .filter(ts.isInterfaceDeclaration)
    .map((node): [string, ts.InterfaceDeclaration] => [node.name.text, node]);
}

function namesOf(
  node: ts.InterfaceDeclaration,
  inputs: ReadonlyMap<string, ts.InterfaceDeclaration>,
): Names {
  const names: Names = {};
  for (const member of node.members) {
    if (!ts.isPropertySignature(member) || !ts.isIdentifier(member.name)) continue;
    const below = inputs.get(inputTypeIn(member.type) ?? "");
    names[member.name.text] = below === undefined ? {} : namesOf(below, inputs);
  }
  return sorted(names);
}

/** The name of the `inputs.Name` in a type, wherever in it that is. */
function inputTypeIn(type: ts.Node | undefined): string | undefined {
  if (type === undefined) return undefined;
  if (ts.isQualifiedName(type) && ts.isIdentifier(type.left) && type.left.text === "inputs") {
    return type.right.text;
  }
  return ts.forEachChild(type, inputTypeIn);
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
