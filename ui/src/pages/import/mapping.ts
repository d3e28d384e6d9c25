// Changing a proposed mapping: the role of a column, and how its times are written.
// Everything the page does not know stays in the mapping as the server wrote it.
import type { Mapping, MappingColumn, Role, TimeRule } from "../../api/types";

/** The rules a person can choose, as one word each. */
export const RULES = [
  "clock",
  "clock-ymd",
  "clock-mdy",
  "clock-dmy",
  "elapsed-ms",
  "elapsed-s",
  "elapsed-min",
  "elapsed-h",
  "elapsed-d",
  "elapsed-hms",
] as const;
export type RuleName = (typeof RULES)[number] | "date-and-time";

const ORDERS = { "clock-ymd": "year-month-day", "clock-mdy": "month-day-year", "clock-dmy": "day-month-year" } as const;

export function ruleName(rule: TimeRule): RuleName {
  if (rule.kind === "date-and-time") return "date-and-time";
  if (rule.kind === "elapsed") return `elapsed-${rule.unit}`;
  const found = (Object.keys(ORDERS) as (keyof typeof ORDERS)[]).find((name) => ORDERS[name] === rule.order);
  return found ?? "clock";
}

/** The rule of a name; a date in two columns keeps what the proposal found. */
export function ruleOf(name: RuleName, before: TimeRule): TimeRule {
  if (name === "date-and-time") return before;
  if (name === "clock") return { kind: "clock" };
  if (name.startsWith("clock-")) return { kind: "clock", order: ORDERS[name as keyof typeof ORDERS] };
  return { kind: "elapsed", unit: name.slice("elapsed-".length) as "h" };
}

const BY_HAND = { ja: "手で選択", en: "Chosen by hand" };

/** Gives a column its role. A table has one common time column. */
export function setRole(mapping: Mapping, column: MappingColumn, role: Role): void {
  const was = column.role;
  column.role = role;
  const isTime = (one: { column: string | number }) => mapping.time?.column === one.column;
  if (role === "time") {
    for (const other of mapping.columns) if (other !== column && isTime(other) && other.role === "time") other.role = "ignore";
    const rule = mapping.time?.rule ?? { kind: "elapsed", unit: "h" };
    mapping.time = { column: column.column, header: column.header, rule, evidence: BY_HAND };
  } else if (was === "time" && isTime(column)) {
    mapping.time = null;
  }
}

/** As the server takes it: what is empty is left out. */
export function cleaned(mapping: Mapping): Mapping {
  const kept = Object.entries(mapping).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const columns = mapping.columns.map(
    (column) => Object.fromEntries(Object.entries(column).filter(([, value]) => value !== null && value !== undefined)) as MappingColumn,
  );
  return { ...(Object.fromEntries(kept) as Mapping), columns };
}
