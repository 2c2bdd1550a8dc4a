import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as ts from "typescript";

// Schemas of azure-native's resources, read from the type declarations of the npm package: names, types, required properties and
// enum values of inputs and of outputs, and API versions.

export type Shape =
  | { readonly kind: "string"; readonly words?: readonly string[] }
  | { readonly kind: "number" | "boolean" | "any" }
  | { readonly kind: "list" | "map"; readonly of: Shape }
  | {
      readonly kind: "object";
      readonly direction: Direction;
      readonly module: string;
      readonly name: string;
    };

type Direction = "input" | "output";

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

/** Returns the module and the name of a resource type, for example ["compute", "VirtualMachine"]. */
export function partsOf(token: string): [module: string, resource: string] {
  const [, module = "", resource = ""] = token.split(":");
  return [module, resource];
}

/** Returns the inputs of a resource, for example of the resource VirtualMachine in the module compute. */
export function resourceFields(module: string, resource: string): Fields {
  return once(`${module}.${resource}`, () =>
    fieldsOf(
      declarationIn(read(fileOf(module, resource)), `export interface ${resource}Args {`).members,
    ),
  );
}

/** Returns the outputs of a resource. */
export function outputFields(module: string, resource: string): Fields {
  return once(`${module}.${resource} outputs`, () =>
    fieldsOf(
      declarationIn(
        read(fileOf(module, resource)),
        `export declare class ${resource} extends pulumi.CustomResource {`,
      ).members,
    ),
  );
}

/** Returns the fields of an object type within a resource. */
export function objectFields({ direction, module, name }: Shape & { kind: "object" }): Fields {
  return once(`${direction}/${module}/${name}`, () =>
    fieldsOf(declarationIn(namespaceOf(direction, module), `    interface ${name} {`).members),
  );
}

/** Returns the version of Azure's API that azure-native uses for a resource type, for example 2024-11-01. */
export function apiVersionOf(token: string): string {
  const declaration = read(fileOf(...partsOf(token)));
  return /Uses Azure REST API version (\S+)\. /.exec(declaration)?.[1] ?? "";
}

function fileOf(module: string, resource: string): string {
  return `${module}/${resource[0]?.toLowerCase()}${resource.slice(1)}.d.ts`;
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

function namespaceOf(direction: Direction, module: string): string {
  const all = read(`types/${direction}.d.ts`);
  const start = all.indexOf(`\nexport declare namespace ${module} {`);
  if (start < 0) throw new Error(`@pulumi/azure-native has no types for the module ${module}.`);
  return all.slice(start, all.indexOf("\n}\n", start));
}

function declarationIn(
  text: string,
  opening: string,
): ts.InterfaceDeclaration | ts.ClassDeclaration {
  const start = text.indexOf(`\n${opening}`);
  if (start < 0) throw new Error(`azure-native declares no "${opening.trim()} … }".`);
  const indent = /^ */.exec(opening)?.[0] ?? "";
  const end = text.indexOf(`\n${indent}}`, start + 1);
  const file = ts.createSourceFile(
    "slice.d.ts",
    text.slice(start, end + indent.length + 2),
    ts.ScriptTarget.ES2022,
  );
  const found = file.statements.find(
    (one) => ts.isInterfaceDeclaration(one) || ts.isClassDeclaration(one),
  );
  if (found === undefined) throw new Error(`"${opening.trim()}" is no interface.`);
  return found;
}

function fieldsOf(members: ts.NodeArray<ts.TypeElement | ts.ClassElement>): Fields {
  return new Map(
    members.flatMap((member) => {
      if (!ts.isPropertySignature(member) && !ts.isPropertyDeclaration(member)) return [];
      if (member.type === undefined) return [];
      const name = (member.name as ts.Identifier | ts.StringLiteral).text;
      const field = {
        shape: shapeOf(member.type),
        required: member.questionToken === undefined && !mayBeUndefined(member.type),
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
  if (["pulumi.Input", "pulumi.Output"].includes(name) && argument !== undefined)
    return shapeOf(argument);
  const [root, module, last] = name.split(".");
  if (module === undefined || last === undefined) return { kind: "any" };
  if (root === "inputs") return { kind: "object", direction: "input", module, name: last };
  if (root === "outputs") return { kind: "object", direction: "output", module, name: last };
  if (root === "enums") return { kind: "string", words: enumWords(module, last) };
  return { kind: "any" };
}

function nameOf(name: ts.EntityName): string {
  return ts.isIdentifier(name) ? name.text : `${nameOf(name.left)}.${name.right.text}`;
}

function isUndefined(type: ts.TypeNode): boolean {
  return type.kind === ts.SyntaxKind.UndefinedKeyword;
}

/** Outputs are required by type: `pulumi.Output<T>` without undefined. Inputs are by the question mark. */
function mayBeUndefined(type: ts.TypeNode): boolean {
  if (!ts.isTypeReferenceNode(type) || nameOf(type.typeName) !== "pulumi.Output") return false;
  const [argument] = type.typeArguments ?? [];
  return argument !== undefined && ts.isUnionTypeNode(argument) && argument.types.some(isUndefined);
}

function enumWords(module: string, name: string): string[] {
  // The first enum has no line before it.
  const text = `\n${read(`types/enums/${module}/index.d.ts`)}`;
  const start = text.indexOf(`\nexport declare const ${name}: {`);
  if (start < 0) throw new Error(`azure-native has no enum ${module}.${name}.`);
  const body = text.slice(start, text.indexOf("\n};", start));
  return [...body.matchAll(/: "([^"]*)";$/gm)].map(([, word = ""]) => word);
}
