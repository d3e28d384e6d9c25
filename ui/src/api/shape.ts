// Reads a kind's declaration whichever way it is written: as the declaration file
// (`field`, title by language) or as the contract (`fields`, title as a list).
import type { Field, Kind, Text } from "./types";

type Written = Omit<Kind, "fields" | "title"> & {
  fields?: Field[];
  field?: Field[];
  title?: string[] | { ja: string; en: string };
};

export function readKind(written: unknown): Kind {
  const kind = written as Written;
  const title = Array.isArray(kind.title) ? kind.title : kind.title ? [kind.title.ja, kind.title.en] : [];
  const fields = (kind.fields ?? kind.field ?? []).map((field) => ({ ...field, required: field.required ?? false, many: field.many ?? false }));
  return { ...kind, title: [...new Set(title)], fields };
}

export function readText(text: Text | string | null | undefined): Text {
  if (!text) return { ja: "", en: "" };
  return typeof text === "string" ? { ja: text, en: text } : text;
}
