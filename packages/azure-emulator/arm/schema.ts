import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as ts from "typescript";

// Schemas of azure-native's resources, read from the type declarations of the npm package: names, types, required properties and
// enum values.

export type Shape =
  | { readonly kind: "string"; readonly words?: readonly string[] }
  | { readonly kind: "number" | "boolean" | "any" }
  | { readonly kind: "list" | "map"; readonly of: Shape }
  | { readonly kind: "object"; readonly module: string; readonly name: string };

export interface Field {
  readonly shape: Shape;
  readonly required: boolean;
}

export type Fields = ReadonlyMap<string, Field>;

const PACKAGE = dirname(require.resolve("@pulumi/azure-native/package.json"));

/** Version of the npm package @pulumi/azure-native. The engine expects the provider to have the same version. */
export function azureNativeVersion(): string {
  return (JSON.parse(read("package.json")) as { version: string }).version;
}

/** Returns the inputs of a resource, for example of the resource VirtualMachine in the module compute. */
export function resourceFields(module: string, resource: string): Fields {
  const file = `${module}/${resource[0]?.toLowerCase()}${resource.slice(1)}.d.ts`;
  return once(`${module}.${resource}`, () =>
    fieldsOf(interfaceIn(read(file), `export interface ${resource}Args {`)),
  );
}

/** Returns the fields of an object type within a resource. */
export function objectFields(module: string, name: string): Fields {
  return once(`${module}/${name}`, () =>
    fieldsOf(interfaceIn(namespaceOf(module), `    interface ${name} {`)),
  );
}

const known = new Map<string, Fields>();

function once(key: string, make: () => Fields): Fields {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}

// Two declaration files are 7 MB each, so only the requested interface is parsed.

const texts = new Map<string, string>();

function read(file: string): string {
  const text = texts.get(file) ?? readFileSync(join(PACKAGE, file), "utf8");
  texts.set(file, text);
  return text;
}

function namespaceOf(module: string): string {
  const all = read("types/input.d.ts");
  const start = all.indexOf(`\nexport declare namespace ${module} {`);
  if (start < 0) throw new Error(`@pulumi/azure-native has no types for the module ${module}.`);
  return all.slice(start, all.indexOf("\n}\n", start));
}

function interfaceIn(text: string, opening: string): ts.InterfaceDeclaration {
  const start = text.indexOf(`\n${opening}`);
  if (start < 0) throw new Error(`azure-native declares no "${opening.trim()} … }".`);
  const indent = /^ */.exec(opening)?.[0] ?? "";
  const end = text.indexOf(`\n${indent}}`, start + 1);
  const file = ts.createSourceFile(
    "slice.d.ts",
    text.slice(start, end + indent.length + 2),
    ts.ScriptTarget.ES2022,
  );
  const found = file.statements.find(ts.isInterfaceDeclaration);
  if (found === undefined) throw new Error(`"${opening.trim()}" is no interface.`);
  return found;
}

function fieldsOf(declaration: ts.InterfaceDeclaration): Fields {
  return new Map(
    declaration.members.filter(ts.isPropertySignature).flatMap((member) => {
      if (member.type === undefined) return [];
      const name = (member.name as ts.Identifier | ts.StringLiteral).text;
      const field = {
        shape: shapeOf(member.type),
        required: member.questionToken === undefined,
      };
      return [[name, field] as const];
    }),
  );
}

function shapeOf(type: ts.TypeNode): Shape {
  if (ts.isUnionTypeNode(type)) return unionOf(type.types.filter((part) => !isUndefined(part)));
  if (ts.isArrayTypeNode(type)) return { kind: "list", of: shapeOf(type.elementType) };
  if (ts.isTypeLiteralNode(type)) return mapOf(type);
  if (ts.isTypeReferenceNode(type)) return referenceOf(type);
  if (type.kind === ts.SyntaxKind.StringKeyword) return { kind: "string" };
  if (type.kind === ts.SyntaxKind.NumberKeyword) return { kind: "number" };
  if (type.kind === ts.SyntaxKind.BooleanKeyword) return { kind: "boolean" };
  return { kind: "any" };
}

/** Returns the values of Y for `string | enums.x.Y`. Other unions aren't validated. */
function unionOf(parts: readonly ts.TypeNode[]): Shape {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return shapeOf(only);
  const shapes = parts.map(shapeOf);
  const words = shapes.flatMap((shape) => (shape.kind === "string" ? (shape.words ?? []) : []));
  return shapes.every(({ kind }) => kind === "string")
    ? { kind: "string", words }
    : { kind: "any" };
}

function mapOf(type: ts.TypeLiteralNode): Shape {
  const index = type.members.find(ts.isIndexSignatureDeclaration);
  return index === undefined ? { kind: "any" } : { kind: "map", of: shapeOf(index.type) };
}

function referenceOf(type: ts.TypeReferenceNode): Shape {
  const name = nameOf(type.typeName);
  const [argument] = type.typeArguments ?? [];
  if (name === "pulumi.Input" && argument !== undefined) return shapeOf(argument);
  const [root, module, last] = name.split(".");
  if (module === undefined || last === undefined) return { kind: "any" };
  if (root === "inputs") return { kind: "object", module, name: last };
  if (root === "enums") return { kind: "string", words: enumWords(module, last) };
  return { kind: "any" };
}

function nameOf(name: ts.EntityName): string {
  return ts.isIdentifier(name) ? name.text : `${nameOf(name.left)}.${name.right.text}`;
}

function isUndefined(type: ts.TypeNode): boolean {
  return type.kind === ts.SyntaxKind.UndefinedKeyword;
}

function enumWords(module: string, name: string): string[] {
  const text = read(`types/enums/${module}/index.d.ts`);
  const start = text.indexOf(`\nexport declare const ${name}: {`);
  if (start < 0) throw new Error(`azure-native has no enum ${module}.${name}.`);
  const body = text.slice(start, text.indexOf("\n};", start));
  return [...body.matchAll(/: "([^"]*)";$/gm)].map(([, word = ""]) => word);
}
