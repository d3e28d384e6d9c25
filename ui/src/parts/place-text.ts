// Where a fault is, in words: file, sheet, line, column, field.
import type { Place } from "../api/types";
import type { Key } from "../i18n/en";

export function placeText(place: Place | string | undefined, t: (key: Key, vars?: Record<string, string | number>) => string): string {
  if (typeof place === "string") return place;
  if (!place) return "";
  const parts: string[] = [];
  if (place.file) parts.push(place.file);
  if (place.sheet) parts.push(t("place.sheet", { sheet: place.sheet }));
  if (place.line !== null && place.line !== undefined) parts.push(t("place.line", { line: String(place.line) }));
  if (place.column !== null && place.column !== undefined) {
    parts.push(t("place.column", { column: String(place.column) }));
  }
  if (place.field) parts.push(t("place.field", { field: place.field }));
  return parts.join(" · ");
}
