// Figures of a scale-up: the settings by each rule over stirrer and gas, and the chances of the limits.
import type { Output } from "../../api/types";
import type { IntervalSpec } from "../../charts/interval";
import type { XyMark, XySpec } from "../../charts/xy";

type Scaled = Output<"culture scale">;
const MARKS: readonly XyMark[] = ["dot", "square", "triangle", "ring"];

/** Settings by rule and the cheapest feasible ones, as places over stirrer and gas. */
export function settingsSpec(answer: Scaled, words: { speed: string; gas: string; cheapest: string; met: (met: boolean) => string }, text: (of: Scaled["proposals"][number]) => string): XySpec {
  const proposals = answer.proposals.map((one, k) => ({
    id: one.rule,
    label: `${text(one)} (${words.met(one.limits.every((limit) => limit.met))})`,
    kind: "points" as const,
    mark: MARKS[k % MARKS.length] ?? ("dot" as const),
    colour: k,
    points: [{ x: one.agitation_per_min, y: one.gas_l_per_min, text: text(one) }],
  }));
  const cheapest = answer.cheapest ? [{ id: "cheapest", label: words.cheapest, kind: "points" as const, mark: "cross" as const, points: [{ x: answer.cheapest.agitation_per_min, y: answer.cheapest.gas_l_per_min, text: words.cheapest }] }] : [];
  const all = [...proposals, ...cheapest].flatMap((one) => one.points);
  const most = (values: number[]) => Math.max(...values, 1e-9) * 1.1;
  return { series: [...proposals, ...cheapest], xLabel: words.speed, yLabel: words.gas, xFixed: [0, most(all.map((one) => one.x))], yFixed: [0, most(all.map((one) => one.y))], height: 380 };
}

/** The chance of each limit, from nought to one. */
export function chancesSpec(answer: Scaled, axisLabel: string, label: (one: Scaled["chances"][number]) => string, percent: (share: number) => string): IntervalSpec {
  return {
    rows: answer.chances.map((one) => ({
      id: `${one.vessel}/${one.constraint}`,
      label: label(one),
      main: { at: one.probability, low: null, high: null },
      shape: one.vessel === answer.vessel_large ? ("dot" as const) : ("ring" as const),
      note: percent(one.probability),
    })),
    lines: [],
    axisLabel,
    fixed: [0, 1],
  };
}
