// Figures of control: what was commanded and by whom, and what quantities did under control, by the recipe
// and as the model had predicted.
import type { Output } from "../../api/types";
import type { IntervalSpec } from "../../charts/interval";
import type { XyMark, XySeries, XySpec } from "../../charts/xy";

type Controlled = Output<"culture control">;
export const DECIDED = ["controller", "recipe", "safe"] as const;
export type Decided = (typeof DECIDED)[number];
export const DECIDED_MARKS: Record<Decided, XyMark> = { controller: "dot", recipe: "square", safe: "triangle" };

export interface Words {
  time: string;
  given: string;
  decided: (by: Decided) => string;
  control: string;
  recipe: string;
  predicted: string;
}

/** What was commanded of each input; the mark says who decided. */
export function commandSpecs(answer: Controlled, unitText: (code: string) => string, words: Words): { name: string; spec: XySpec }[] {
  const end = answer.time.at(-1);
  return [...new Set(answer.commands.map((one) => one.input))].map((name) => {
    const all = answer.commands.filter((one) => one.input === name);
    const last = all.at(-1);
    const held = [...all.map((one) => ({ x: one.time, y: one.given })), ...(last && end !== undefined && end > last.time ? [{ x: end, y: last.given }] : [])];
    const marks = DECIDED.map((by, k): XySeries => ({ id: by, label: words.decided(by), kind: "points", mark: DECIDED_MARKS[by], colour: k, points: all.filter((one) => one.decided === by).map((one) => ({ x: one.time, y: one.given })) })).filter((one) => one.points.length > 0);
    return { name, spec: { series: [{ id: "given", label: words.given, kind: "step", points: held }, ...marks], xLabel: words.time, yLabel: unitText(all[0]?.unit ?? ""), height: 260 } };
  });
}

/** Quantities over time, with the limits that were asked for. */
export function courseSpecs(answer: Controlled, limits: readonly { quantity: string; low?: string | null; high?: string | null }[], unitText: (code: string) => string, words: Words): { name: string; label: Controlled["series"][number]["label"]; spec: XySpec }[] {
  const points = (values: readonly number[]) => values.flatMap((y, k) => (answer.time[k] === undefined ? [] : [{ x: answer.time[k] ?? 0, y }]));
  return answer.series.map((one) => {
    const series: XySeries[] = [
      { id: "control", label: words.control, kind: "line" as const, points: points(one.values) },
      { id: "recipe", label: words.recipe, kind: "line" as const, dash: "5 3", colour: 1, points: points(one.by_recipe) },
      { id: "predicted", label: words.predicted, kind: "line" as const, dash: "2 3", colour: 2, points: points(one.predicted) },
    ].filter((line) => line.points.length > 0);
    // A limit in another unit is not drawn at a wrong height.
    const lines = limits
      .filter((limit) => limit.quantity === one.name)
      .flatMap((limit) => [limit.low ? { text: limit.low, sign: "≥" } : null, limit.high ? { text: limit.high, sign: "≤" } : null])
      .flatMap((limit) => {
        const parts = /^(-?[0-9.eE+-]+)\s*(.*)$/.exec(limit?.text ?? "");
        return limit && parts && parts[2] === one.unit ? [{ y: Number(parts[1]), label: `${limit.sign} ${limit.text}` }] : [];
      });
    return { name: one.name, label: one.label, spec: { series, lines, xLabel: words.time, yLabel: unitText(one.unit), height: 220 } };
  });
}

/** The goal by the recipe and under control (mean ± standard deviation over the pairs). */
export function comparisonSpec(comparison: NonNullable<Controlled["comparison"]>, words: { recipe: string; control: string; axis: string }, note: (broken: number) => string): IntervalSpec {
  const row = (id: string, label: string, mean: number, sd: number, broken: number) => ({ id, label, main: { at: mean, low: mean - sd, high: mean + sd }, shape: id === "control" ? ("dot" as const) : ("square" as const), note: note(broken) });
  return {
    rows: [row("recipe", words.recipe, comparison.recipe_mean, comparison.recipe_sd, comparison.broken_by_recipe), row("control", words.control, comparison.control_mean, comparison.control_sd, comparison.broken_under_control)],
    lines: [],
    axisLabel: words.axis,
  };
}
