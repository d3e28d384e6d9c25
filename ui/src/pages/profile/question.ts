// The question of a best profile as the address keeps it, and the question the server gets.
import type { Input } from "../../api/types";
import { typedNumber } from "../../parts/number-input";
import { readLimits, readNamed, readRanges } from "../process/lines";

export const KEYS = ["model", "goal", "least", "until", "until_max", "controls", "line", "limits", "free", "set", "uncertain", "intervals", "starts", "draws", "seed"] as const;
export type Key = (typeof KEYS)[number];
export type Draft = Record<Key, string>;

export interface Fault {
  field: string;
  fault: "required" | "not-an-integer" | "line";
  line?: string;
}

/** A question that every server can answer: the model ships with it. */
export const EXAMPLE: Partial<Draft> = { model: "srinivasan-2003", goal: "P", until: "150 h", controls: "feed = 0 L/h .. 0.2 L/h", limits: "X <= 3.7 g/L", intervals: "10", starts: "4" };

export function draftOf(query: URLSearchParams): Draft {
  return Object.fromEntries(KEYS.map((key) => [key, query.get(key) ?? ""])) as Draft;
}

export function profileInput(draft: Draft): { input: Input<"culture optimise">; faults: Fault[] } {
  const faults: Fault[] = [];
  for (const field of ["model", "goal", "until", "controls"] as const) if (draft[field].trim() === "") faults.push({ field, fault: "required" });
  const from = <T>(field: Key, { read, wrong }: { read: T; wrong: string[] }): T => {
    for (const line of wrong) faults.push({ field, fault: "line", line });
    return read;
  };
  const whole = (field: Key) => {
    if (draft[field].trim() === "") return {};
    const value = typedNumber(draft[field]);
    if (value === null || !Number.isInteger(value)) {
      faults.push({ field, fault: "not-an-integer" });
      return {};
    }
    return { [field]: value };
  };
  const some = (key: string, value: object) => (Object.keys(value).length > 0 ? { [key]: value } : {});
  const ranges = from("controls", readRanges(draft.controls));
  const controls = Object.fromEntries(Object.entries(ranges).map(([name, range]) => [name, draft.line === "1" ? { ...range, line: true } : range]));
  const input: Input<"culture optimise"> = {
    model: draft.model.trim(),
    goal: draft.goal.trim(),
    until: draft.until.trim(),
    controls,
    ...(draft.least === "1" ? { least: true } : {}),
    ...(draft.until_max.trim() ? { until_max: draft.until_max.trim() } : {}),
    ...some("limits", from("limits", readLimits(draft.limits))),
    ...some("free", from("free", readRanges(draft.free))),
    ...some("set", from("set", readNamed(draft.set))),
    ...some("uncertain", from("uncertain", readNamed(draft.uncertain))),
    ...whole("intervals"),
    ...whole("starts"),
    ...whole("draws"),
    ...whole("seed"),
  };
  return { input, faults };
}
