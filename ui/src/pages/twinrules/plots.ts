// Figures of rules on the twin: what each rule gains against doing without it, and what operators'
// own hands add to the variation before and under the rules.
import type { Output } from "../../api/types";
import type { IntervalSpec } from "../../charts/interval";

type Tried = Output<"culture rules">;
export type Benefit = Tried["benefit"];

/** Every rule with the others against without it, and all rules against none; nought is the line. */
export function benefitSpec(answer: Tried, words: { rule: (n: number) => string; all: string; none: string; axis: string }, note: (one: Benefit) => string): IntervalSpec {
  const row = (id: string, label: string, one: Benefit) => ({ id, label, main: { at: one.difference, low: one.low, high: one.high }, shape: one.helps ? ("dot" as const) : ("ring" as const), note: note(one) });
  return {
    rows: [...answer.rules.map((line, k) => row(`rule-${k + 1}`, words.rule(k + 1), line.benefit)), row("all", words.all, answer.benefit)],
    lines: [{ at: 0, label: words.none }],
    axisLabel: words.axis,
  };
}

/** The operators' part before and after; null where it could not be told. */
export function handsSpec(answer: Tried, words: { before: string; after: string; axis: string }, note: (share: number) => string): IntervalSpec | null {
  const rows = [
    { id: "before", label: words.before, of: answer.before },
    { id: "after", label: words.after, of: answer.after },
  ].flatMap(({ id, label, of }) => (of ? [{ id, label, main: { at: of.operator_sd, low: of.low, high: of.high }, shape: "dot" as const, note: note(of.share_percent) }] : []));
  return rows.length === 0 ? null : { rows, lines: [], axisLabel: words.axis };
}
