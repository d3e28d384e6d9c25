// What is asked before an act of the commons is done.
import type { Declared } from "../../api/declared";
import type { Diagnostic, Place, Text } from "../../api/types";
import { momentOf } from "./commons";

/** A thing to choose, with what is said about it. */
export interface ActOption {
  value: string;
  label: string;
  about?: readonly string[];
}

export interface ActField {
  name: string;
  label: string;
  /** `one`: one of few, all shown with what is said about them; `many`: some of many; `list`: texts, one a line */
  kind?: "text" | "lines" | "number" | "select" | "one" | "many" | "list" | "check" | "moment";
  options?: readonly ActOption[];
  /** what stands there at first; `1` for a tick, one a line for several */
  value?: string;
  required?: boolean;
  help?: string;
  /** asked only while this holds */
  when?: (values: ActValues) => boolean;
}

export type ActValues = Record<string, string>;

/** Several values as they stand in a form. */
export const several = (text: string | undefined): string[] =>
  (text ?? "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** What stands in the form at first. */
export function firstValues(fields: readonly ActField[]): ActValues {
  return Object.fromEntries(fields.map((field) => [field.name, field.value ?? (field.kind === "select" && field.required ? (field.options?.[0]?.value ?? "") : "")]));
}

/** The fields that are asked with these values. */
export const asked = (fields: readonly ActField[], values: ActValues): ActField[] => fields.filter((field) => field.when?.(values) ?? true);

/** Names of fields that must be filled in and are not, or hold no whole number above 0. */
export function actFaults(fields: readonly ActField[], values: ActValues): string[] {
  return asked(fields, values)
    .filter((field) => {
      const value = (values[field.name] ?? "").trim();
      if (value === "") return field.required === true;
      if (field.kind === "number") return !/^[1-9]\d*$/.test(value);
      return field.kind === "moment" && Number.isNaN(Date.parse(value));
    })
    .map((field) => field.name);
}

/** What was filled in, as an operation takes it: what is empty or not asked is left out. */
export function inputOf(fields: readonly ActField[], values: ActValues): Record<string, unknown> {
  const filled = asked(fields, values).flatMap((field): [string, unknown][] => {
    const value = (values[field.name] ?? "").trim();
    if (value === "") return [];
    if (field.kind === "number") return [[field.name, Number(value)]];
    if (field.kind === "check") return [[field.name, true]];
    if (field.kind === "many" || field.kind === "list") return [[field.name, several(value)]];
    return [[field.name, field.kind === "moment" ? momentOf(value) : value]];
  });
  return Object.fromEntries(filled);
}

/** A refusal by the fields it is about: the last name of each place (`terms.until` is `until`), an index left out. */
export function faultsAt(fields: readonly ActField[], found: { place?: Place | null | undefined; text: Text; hint?: Text | null; diagnostics: readonly Diagnostic[] }, say: (text: Text | null | undefined) => string): ActValues {
  const at = (place: Place | null | undefined) => {
    const parts = (place?.field ?? "").replaceAll(/\[\d*\]/g, "").split(".");
    return fields.find((field) => parts.includes(field.name))?.name;
  };
  const faults: ActValues = {};
  for (const one of found.diagnostics) {
    const name = at(one.place);
    if (name !== undefined) faults[name] ??= [say(one.message), say(one.remedy)].filter((text) => text !== "").join(" · ");
  }
  const name = at(found.place);
  if (name !== undefined) faults[name] ??= [say(found.text), say(found.hint)].filter((text) => text !== "").join(" · ");
  return faults;
}

/** Characters of a long text that are shown again before it is sent. */
const SHOWN = 400;

/** A value as the person chose it; a long text by its beginning. */
export function shownValue(field: ActField, value: string, yes: string, no: string): string {
  const named = (one: string) => field.options?.find((option) => option.value === one)?.label ?? one;
  if (field.kind === "check") return value === "1" ? yes : no;
  if (field.kind === "select" || field.kind === "one") return named(value);
  if (field.kind === "many") return several(value).map(named).join("\n");
  if (field.kind === "moment") return value.replace("T", " ");
  return value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value;
}

/** A field of the form as the operation declares it; what the page says in plainer words goes before. */
export function fieldOf(declared: Record<string, Declared>, name: string, say: (text: Text) => string, more: Partial<ActField> = {}): ActField {
  const of = declared[name];
  if (of === undefined) return { name, label: name, ...more };
  const help = say(of.help);
  return {
    name,
    label: say(of.label),
    kind: of.kind,
    required: of.required,
    ...(of.choices.length > 0 ? { options: of.choices.map((choice) => ({ value: choice.code, label: say(choice.label) })) } : {}),
    ...(help === "" ? {} : { help }),
    ...more,
  };
}

/** A moment as a field of the browser takes it: in its zone, to the minute. */
export function localMoment(at: string | number | Date): string {
  const when = new Date(at);
  if (Number.isNaN(when.getTime())) return "";
  const two = (n: number) => String(n).padStart(2, "0");
  return `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())}T${two(when.getHours())}:${two(when.getMinutes())}`;
}
