// The question of rules on the twin: what of the state is what of the model, and what an action moves,
// written one a line as `dry-weight = X` and `do:feed = F × 1.15`. What cannot be read is told.
import type { Input } from "../../api/types";
import { typedNumber } from "../../parts/number-input";

export const KEYS = ["plant", "until", "every", "goal", "state", "moves", "lower", "expert", "runs", "pairs", "most", "seed", "age", "hidden"] as const;
export type Draft = Record<(typeof KEYS)[number], string>;
const NEEDED = ["plant", "until", "every", "goal", "state", "moves"] as const;

export interface Fault {
  field: (typeof KEYS)[number];
  fault: "required" | "not-a-number" | "not-json" | "line";
  /** the line that could not be read */
  line?: string;
}

export function draftOf(query: URLSearchParams): Draft {
  return Object.fromEntries(KEYS.map((key) => [key, query.get(key) ?? ""])) as Draft;
}

const lines = (text: string) => text.split(/\r?\n|;/).map((line) => line.normalize("NFKC").trim()).filter((line) => line !== "");

/** `dry-weight = X`, one a line. */
export function readPairs(text: string): { pairs: Record<string, string>; wrong: string[] } {
  const pairs: Record<string, string> = {};
  const wrong: string[] = [];
  for (const line of lines(text)) {
    const parts = /^([^=\s]+)\s*=\s*(\S+)$/.exec(line);
    if (parts?.[1] && parts[2]) pairs[parts[1]] = parts[2];
    else wrong.push(line);
  }
  return { pairs, wrong };
}

/** `do:feed = F × 1.15`, one a line; `*` and `x` are read too. */
export function readMoves(text: string): { moves: Record<string, { profile: string; factor: number }>; wrong: string[] } {
  const moves: Record<string, { profile: string; factor: number }> = {};
  const wrong: string[] = [];
  for (const line of lines(text)) {
    const parts = /^([^=\s]+)\s*=\s*(\S+?)\s*(?:×|\*|\sx\s)\s*([0-9.,eE+-]+)$/.exec(line);
    const factor = typedNumber(parts?.[3] ?? "");
    if (parts?.[1] && parts[2] && factor !== null) moves[parts[1]] = { profile: parts[2], factor };
    else wrong.push(line);
  }
  return { moves, wrong };
}

export function rulesInput(draft: Draft): { input: Input<"culture rules">; faults: Fault[] } {
  const faults: Fault[] = [];
  for (const key of NEEDED) if (draft[key].trim() === "") faults.push({ field: key, fault: "required" });
  const { pairs, wrong } = readPairs(draft.state);
  for (const line of wrong) faults.push({ field: "state", fault: "line", line });
  const { moves, wrong: unread } = readMoves(draft.moves);
  for (const line of unread) faults.push({ field: "moves", fault: "line", line });
  const number = (field: "pairs" | "most" | "seed" | "age"): number | null => {
    const value = typedNumber(draft[field]);
    if (value === null && draft[field].trim() !== "") faults.push({ field, fault: "not-a-number" });
    return value;
  };
  const some = (key: string, value: unknown) => (value === null || value === "" ? {} : { [key]: value });
  let hidden: unknown = null;
  if (draft.hidden.trim() !== "") {
    try {
      hidden = JSON.parse(draft.hidden);
    } catch {
      faults.push({ field: "hidden", fault: "not-json" });
    }
  }
  const age = number("age");
  const runs = draft.runs.split(/[\s,]+/).filter((one) => one !== "");
  const input: Input<"culture rules"> = {
    plant: draft.plant.trim(),
    until: draft.until.trim(),
    every: draft.every.trim(),
    goal: draft.goal.trim(),
    state: pairs,
    moves,
    ...(draft.lower === "1" ? { lower_is_better: true } : {}),
    ...some("expert", draft.expert.trim()),
    ...(runs.length > 0 ? { runs } : {}),
    ...some("pairs", number("pairs")),
    ...some("rules_max", number("most")),
    ...some("plant_seed", number("seed")),
    ...some("max_age_s", age === null ? null : age * 60),
    ...some("hidden", hidden),
  };
  return { input, faults };
}
