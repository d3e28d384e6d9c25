// Between a record's fields and what the form holds: the form holds text, the
// record holds typed values. What cannot be read is told, never guessed.
import type { Field, Fields, Value } from "../../api/types";

/** One input's content. Values and JSON are edited as their own text. */
export type Draft = Record<string, string[]>;

function toText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

export function draftOf(fields: readonly Field[], values: Fields): Draft {
  const draft: Draft = {};
  for (const field of fields) {
    const value = values[field.name];
    const list = Array.isArray(value) && (field.many || field.type !== "json") ? value.map(toText) : [toText(value)];
    draft[field.name] = field.many ? list.filter((text) => text !== "") : list.slice(0, 1);
  }
  return draft;
}

export type Fault = "not-a-number" | "not-an-integer" | "not-json" | "required" | "not-a-moment";

function parseNumber(text: string): number | null {
  // Full-width digits are what a Japanese keyboard gives.
  const plain = text.normalize("NFKC").trim().replaceAll(",", "");
  const value = Number(plain);
  return plain !== "" && Number.isFinite(value) ? value : null;
}

function parseOne(field: Field, text: string): { value: unknown } | { fault: Fault } {
  switch (field.type) {
    case "number": {
      const value = parseNumber(text);
      return value === null ? { fault: "not-a-number" } : { value };
    }
    case "integer": {
      const value = parseNumber(text);
      return value === null || !Number.isInteger(value) ? { fault: "not-an-integer" } : { value };
    }
    case "boolean":
      return { value: text === "true" };
    case "instant": {
      const at = Date.parse(text);
      return Number.isNaN(at) ? { fault: "not-a-moment" } : { value: text };
    }
    case "json":
    case "value":
      try {
        return { value: JSON.parse(text) as unknown };
      } catch {
        return { fault: "not-json" };
      }
    default:
      return { value: text };
  }
}

export interface Parsed {
  fields: Fields;
  faults: { field: string; fault: Fault }[];
}

/** An emptied field becomes `null` when it was set before: the history shows it. */
export function fieldsOf(declared: readonly Field[], draft: Draft, before: Fields): Parsed {
  const fields: Fields = {};
  const faults: Parsed["faults"] = [];
  const known = new Set(declared.map((field) => field.name));
  // What the form does not show stays as it was.
  for (const [name, value] of Object.entries(before)) if (!known.has(name)) fields[name] = value;
  for (const field of declared) {
    const texts = (draft[field.name] ?? []).filter((text) => text.trim() !== "");
    if (texts.length === 0) {
      if (field.required) faults.push({ field: field.name, fault: "required" });
      if (before[field.name] !== undefined && before[field.name] !== null) fields[field.name] = field.many ? [] : null;
      continue;
    }
    const values: unknown[] = [];
    for (const text of texts) {
      const parsed = parseOne(field, text);
      if ("fault" in parsed) faults.push({ field: field.name, fault: parsed.fault });
      else values.push(parsed.value);
    }
    fields[field.name] = field.many ? values : values[0];
  }
  return { fields, faults };
}

/** A value object from the parts of its editor. */
export function buildValue(kind: Value["kind"], parts: { number: string; low: string; high: string; unit: string; text: string }): Value {
  const value: Value = { kind };
  const number = parseNumber(parts.number);
  const low = parseNumber(parts.low);
  const high = parseNumber(parts.high);
  const uses = partsOf(kind);
  if (uses.includes("number") && number !== null) value.number = number;
  if (uses.includes("low") && low !== null) value.low = low;
  if (uses.includes("high") && high !== null) value.high = high;
  if (uses.includes("unit") && parts.unit.trim() !== "") value.unit = parts.unit.trim();
  if (parts.text.trim() !== "") value.text = parts.text.trim();
  else value.text = writtenText(kind, parts);
  return value;
}

/** Which parts a kind of value has. */
export function partsOf(kind: Value["kind"]): ("number" | "low" | "high" | "unit" | "text")[] {
  switch (kind) {
    case "exact":
      return ["number", "unit"];
    case "less-than":
    case "below-detection":
      return ["high", "unit"];
    case "greater-than":
      return ["low", "unit"];
    case "range":
      return ["low", "high", "unit"];
    case "text":
    case "category":
      return ["text"];
    default:
      return [];
  }
}

function writtenText(kind: Value["kind"], parts: { number: string; low: string; high: string }): string {
  if (kind === "exact") return parts.number.trim();
  if (kind === "less-than") return `< ${parts.high.trim()}`;
  if (kind === "greater-than") return `> ${parts.low.trim()}`;
  if (kind === "range") return `${parts.low.trim()}–${parts.high.trim()}`;
  return "";
}
