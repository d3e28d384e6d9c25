// What the server declares of an operation's input, for forms: name, words in both languages, choices, and whether it
// must be given. Forms take it from here, so that what may be typed is what the operation takes.
import { asProblem, refusal } from "./client";
import type { OperationName, Text } from "./types";

export type DeclaredKind = "text" | "number" | "check" | "select" | "many" | "list";

/** One field of an operation's input. */
export interface Declared {
  name: string;
  kind: DeclaredKind;
  /** what it is, in a few words */
  label: Text;
  /** the rest of what is said about it */
  help: Text;
  required: boolean;
  /** codes to choose from with their words; none when it is free */
  choices: { code: string; label: Text }[];
}

interface Schema {
  type?: string | string[];
  description?: string;
  const?: unknown;
  enum?: unknown[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  items?: Schema;
  $ref?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  $defs?: Record<string, Schema>;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** A doc comment, English then Japanese: what stands before the first break is the label, the rest is help. */
export function wordsOf(description: string | undefined, name: string): { label: Text; help: Text } {
  const [en = name, ja = en] = (description ?? name).split("\n\n").map((part) => part.replaceAll("\n", " ").trim());
  const cut = (text: string, at: RegExp): [string, string] => {
    const found = at.exec(text);
    return found ? [text.slice(0, found.index), text.slice(found.index + found[0].length)] : [text, ""];
  };
  const [enLabel, enHelp] = cut(en.replace(/\.$/, ""), /; |, as |\. /);
  const [jaLabel, jaHelp] = cut(ja.replace(/。$/, ""), /。/);
  return { label: { en: enLabel, ja: jaLabel }, help: { en: capital(enHelp), ja: jaHelp } };
}

function resolved(schema: Schema, root: Schema): Schema {
  if (schema.$ref !== undefined) {
    const found = root.$defs?.[schema.$ref.split("/").at(-1) ?? ""] ?? {};
    return schema.description === undefined ? found : { ...found, description: schema.description };
  }
  const inner = schema.anyOf?.find((one) => one.type !== "null");
  return inner ? { ...resolved(inner, root), ...(schema.description === undefined ? {} : { description: schema.description }) } : schema;
}

function choicesOf(schema: Schema): Declared["choices"] {
  const told = (schema.oneOf ?? []).filter((one) => typeof one.const === "string").map((one) => ({ code: String(one.const), label: wordsOf(one.description, String(one.const)).label }));
  const bare = [...(schema.enum ?? []), ...(schema.oneOf ?? []).flatMap((one) => one.enum ?? [])].filter((one) => typeof one === "string");
  return [...told, ...bare.map((code) => ({ code, label: { en: code, ja: code } }))];
}

function kindOf(schema: Schema, root: Schema): { kind: DeclaredKind; choices: Declared["choices"] } {
  const types = [schema.type ?? []].flat();
  if (types.includes("array")) {
    const choices = choicesOf(resolved(schema.items ?? {}, root));
    return { kind: choices.length > 0 ? "many" : "list", choices };
  }
  const choices = choicesOf(schema);
  if (choices.length > 0) return { kind: "select", choices };
  if (types.includes("boolean")) return { kind: "check", choices };
  return { kind: types.includes("integer") || types.includes("number") ? "number" : "text", choices };
}

/** The fields of an input; `within` names a field that holds an object of its own. */
export function fieldsOf(input: Schema, within?: string): Record<string, Declared> {
  const of = within === undefined ? input : resolved(input.properties?.[within] ?? {}, input);
  return Object.fromEntries(
    Object.entries(of.properties ?? {}).map(([name, written]) => {
      const schema = resolved(written, input);
      return [name, { name, ...kindOf(schema, input), ...wordsOf(schema.description, name), required: of.required?.includes(name) ?? false }];
    }),
  );
}

let known: Promise<Map<string, Schema>> | null = null;

async function operations(): Promise<Map<string, Schema>> {
  const response = await fetch("/api/v1/operations", { headers: { accept: "application/json" } });
  if (!response.ok) throw await refusal(response);
  const body = (await response.json()) as { operations: { name: string; input: Schema }[] };
  return new Map(body.operations.map((one) => [one.name, one.input]));
}

/** What the server declares of an operation. Asked once; again after a failure. */
export async function declared(name: OperationName, within?: string): Promise<Record<string, Declared>> {
  known ??= operations();
  try {
    return fieldsOf((await known).get(name) ?? {}, within);
  } catch (thrown) {
    known = null;
    throw asProblem(thrown);
  }
}
