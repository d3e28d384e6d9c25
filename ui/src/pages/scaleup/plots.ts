// Figures of a scale-up: the feasible region with the lines of the limits and the settings by each rule over
// stirrer and gas, and the chances of the limits.
import type { Output, Text } from "../../api/types";
import type { IntervalSpec } from "../../charts/interval";
import type { XyMark, XySeries, XySpec } from "../../charts/xy";
import { contour, feasibleCells } from "./contour";

/** How far every limit is over the map, which is asked for with `margins`. */
export interface Margins {
  agitation_per_min: number[];
  gas_l_per_min: number[];
  limits: { constraint: string; label: Text; ratio: (number | null)[] }[];
}
type Scaled = Output<"culture scale"> & { margins?: Margins | null };
const DASHES = ["", "8 4", "2 3", "10 3 2 3", "14 4", "4 2", "6 2 2 2"] as const;
const MARKS: readonly XyMark[] = ["dot", "square", "triangle", "ring"];

/** Settings by rule and the cheapest feasible ones, as places over stirrer and gas. */
export function settingsSpec(answer: Scaled, words: { speed: string; gas: string; cheapest: string; feasible: string; limit: (label: Text) => string; met: (met: boolean) => string }, text: (of: Scaled["proposals"][number]) => string): XySpec {
  const map = answer.margins;
  const region: XySeries[] = map ? [{ id: "feasible", label: words.feasible, kind: "area", bare: true, colour: 2, points: feasibleCells(map.agitation_per_min, map.gas_l_per_min, map.limits.map((one) => one.ratio)) }] : [];
  const lines = (map?.limits ?? []).flatMap((one, k): XySeries[] => {
    const points = contour({ x: map?.agitation_per_min ?? [], y: map?.gas_l_per_min ?? [], ratio: one.ratio });
    // A limit that is met everywhere has no line.
    return points.length > 0 ? [{ id: `limit-${one.constraint}`, label: words.limit(one.label), kind: "line", colour: k + 3, dash: DASHES[k % DASHES.length] ?? "", points }] : [];
  });
  const proposals = answer.proposals.map((one, k) => ({
    id: `${one.rule}/${one.gas_rule}`,
    label: `${text(one)} (${words.met(one.limits.every((limit) => limit.met))})`,
    kind: "points" as const,
    mark: MARKS[k % MARKS.length] ?? ("dot" as const),
    colour: k,
    points: [{ x: one.agitation_per_min, y: one.gas_l_per_min, text: text(one) }],
  }));
  const cheapest = answer.cheapest ? [{ id: "cheapest", label: words.cheapest, kind: "points" as const, mark: "cross" as const, points: [{ x: answer.cheapest.agitation_per_min, y: answer.cheapest.gas_l_per_min, text: words.cheapest }] }] : [];
  const all = [...proposals, ...cheapest].flatMap((one) => one.points);
  const most = (values: number[]) => Math.max(...values, 1e-9) * 1.06;
  return { series: [...region, ...lines, ...proposals, ...cheapest], xLabel: words.speed, yLabel: words.gas, xFixed: [0, most([...all.map((one) => one.x), ...(map?.agitation_per_min ?? [])])], yFixed: [0, most([...all.map((one) => one.y), ...(map?.gas_l_per_min ?? [])])], height: 420 };
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
