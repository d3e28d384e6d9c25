// A ranking as a plot of estimates: means with the control's line, or differences from the control.
import type { RankCondition, Ranking, RankVerdict } from "../../api/culture";
import type { IntervalRow, IntervalSpec } from "../../charts/interval";

export type RankView = "means" | "differences";

export interface RankWords {
  verdict: (verdict: RankVerdict | "none") => string;
  control: string;
  zero: string;
  axis: string;
  axisDifference: string;
}

/** A shape before each verdict, so that it is read without colour. */
export const VERDICT_SIGNS: Record<RankVerdict | "none", string> = { none: "–", better: "▲", worse: "▼", "not-separable": "≈", control: "■", "not-measured": "✕" };

const is = (value: number | null | undefined): value is number => typeof value === "number" && Number.isFinite(value);

function rowOf(condition: RankCondition, view: RankView, words: RankWords): IntervalRow {
  const [at, low, high] =
    view === "means" ? [condition.mean, condition.low, condition.high] : condition.control ? [0, null, null] : [condition.difference, condition.difference_low, condition.difference_high];
  const row: IntervalRow = {
    id: condition.condition,
    label: condition.condition,
    main: is(at) ? { at, low: is(low) ? low : null, high: is(high) ? high : null } : null,
    shape: condition.control ? "square" : condition.verdict === "better" || condition.verdict === "worse" ? "dot" : "ring",
    note: `${VERDICT_SIGNS[condition.verdict ?? "none"]} ${words.verdict(condition.verdict ?? "none")}`,
  };
  if (view === "means") row.singles = condition.units.map((unit) => unit.value);
  return row;
}

/** Conditions in the order of the ranking; those without a rank last. */
export function ranked(conditions: readonly RankCondition[]): RankCondition[] {
  return [...conditions].sort((a, b) => (a.rank ?? Infinity) - (b.rank ?? Infinity));
}

export function rankSpec(ranking: Ranking, view: RankView, words: RankWords): IntervalSpec {
  const conditions = ranked(ranking.conditions);
  const control = conditions.find((condition) => condition.control);
  const lines = view === "differences" ? [{ at: 0, label: words.zero }] : is(control?.mean) ? [{ at: control.mean, label: words.control }] : [];
  return {
    rows: conditions.map((condition) => rowOf(condition, view, words)),
    lines,
    axisLabel: view === "means" ? words.axis : words.axisDifference,
  };
}

export const RANK_HEADER = ["rank", "condition", "control", "n", "mean", "sd", "low", "high", "difference", "difference_low", "difference_high", "p", "verdict", "unit"] as const;

export function rankRows(ranking: Ranking): unknown[][] {
  return ranked(ranking.conditions).map((one) => [
    one.rank, one.condition, one.control, one.n, one.mean, one.sd, one.low, one.high, one.difference, one.difference_low, one.difference_high, one.p, one.verdict, ranking.unit,
  ]);
}
