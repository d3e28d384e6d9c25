// Figures of a best profile: each input over time, and each quantity at the optimum beside the model's own recipe.
import type { Output } from "../../api/types";
import type { XySeries, XySpec } from "../../charts/xy";

type Optimised = Output<"culture optimise">;
type Simulated = Output<"culture simulate">;

export interface Words {
  time: string;
  optimum: string;
  recipe: string;
  limit: (value: number, upper: boolean) => string;
}

const course = (of: Simulated | null, name: string) => {
  const line = of?.series.find((one) => one.name === name);
  return line && of ? of.time.map((x, k) => ({ x, y: line.values[k] ?? null })) : null;
};

/** The inputs of the profile, each with the model's own recipe where that tells it. */
export function inputSpecs(found: Optimised, recipe: Simulated | null, unitText: (code: string) => string, words: Words): { name: string; spec: XySpec }[] {
  return [...new Set(found.profile.map((row) => row.input))].map((name) => {
    const rows = found.profile.filter((row) => row.input === name);
    const before = course(recipe, name);
    const series: XySeries[] = [{ id: "optimum", label: words.optimum, kind: "line", points: rows.flatMap((row) => [{ x: row.from, y: row.value }, { x: row.until, y: row.value_end }]) }];
    if (before) series.push({ id: "recipe", label: words.recipe, kind: "line", dash: "5 3", colour: 1, points: before });
    return { name, spec: { series, xLabel: words.time, yLabel: unitText(rows[0]?.unit ?? ""), height: 240 } };
  });
}

/** Quantities with a limit first, then the goal, then the others; none of the inputs. */
export function stateSpecs(found: Optimised, optimum: Simulated | null, recipe: Simulated | null, unitText: (code: string) => string, words: Words): { name: string; label: Simulated["series"][number]["label"]; spec: XySpec }[] {
  if (!optimum) return [];
  const inputs = new Set(found.profile.map((row) => row.input));
  const weight = (name: string) => (found.limits.some((one) => one.quantity === name) ? 0 : name === found.goal ? 1 : 2);
  return optimum.series
    .filter((one) => !inputs.has(one.name))
    .map((one, k) => ({ one, k }))
    .sort((a, b) => weight(a.one.name) - weight(b.one.name) || a.k - b.k)
    .map(({ one }) => {
      const before = course(recipe, one.name);
      const series: XySeries[] = [{ id: "optimum", label: words.optimum, kind: "line", points: course(optimum, one.name) ?? [] }];
      if (before) series.push({ id: "recipe", label: words.recipe, kind: "line", dash: "5 3", colour: 1, points: before });
      const lines = found.limits.filter((limit) => limit.quantity === one.name).map((limit) => ({ y: limit.limit, label: words.limit(limit.limit, limit.upper) }));
      return { name: one.name, label: one.label, spec: { series, lines, xLabel: words.time, yLabel: unitText(one.unit), height: 220 } };
    });
}
