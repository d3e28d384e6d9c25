// What a fit found, for tables and figures: a value only where the data determine it.
import type { FittedParameter, Fitted } from "../../api/model";
import type { XySpec } from "../../charts/points";
import { intervalText } from "../../parts/interval-text";
import { numberText } from "../../parts/value";
import type { Lang } from "../../i18n/index.svelte";

/** Rise of −2 ln L at the ends of a 95 % interval: the quantile of χ² with one degree of freedom. */
export const RISE_95 = 3.841459;

export const TOLD_SIGNS = { determined: "●", "only-below": "◐", "only-above": "◑", "not-identifiable": "○", "not-examined": "–" } as const;

/** The value of a parameter, or nothing where the data do not determine it, whatever else the answer holds. */
export function valueOf(one: FittedParameter): number | null {
  return one.identifiable === "determined" && typeof one.value === "number" ? one.value : null;
}

/** The interval in words: both ends, one end, or none. */
export function boundsText(one: FittedParameter, lang: Lang): string {
  switch (one.identifiable) {
    case "determined":
      return intervalText(one.low, one.high, lang);
    case "only-below":
      return typeof one.low === "number" ? `≥ ${numberText(one.low, lang, 4)}` : "–";
    case "only-above":
      return typeof one.high === "number" ? `≤ ${numberText(one.high, lang, 4)}` : "–";
    default:
      return "–";
  }
}

interface Words {
  x: string;
  y: string;
}

/** The profile of a parameter; the line is where a 95 % interval ends. */
export function profileSpec(one: FittedParameter, words: Words & { limit: string }): XySpec {
  const points = one.profile.flatMap(([x, y]) => (typeof x === "number" && typeof y === "number" && Number.isFinite(x) && Number.isFinite(y) ? [{ x, y }] : [])).sort((a, b) => a.x - b.x);
  return { sets: [{ id: "profile", label: words.y, points, line: true }], levels: [{ at: RISE_95, label: words.limit }], xLabel: words.x, yLabel: words.y, least: 0 };
}

/** Starts from the best to the worst, as what each lacks to the best. */
export function waterfall(starts: Fitted["starts"]): { points: { x: number; y: number }[]; failed: number } {
  const ended = starts.filter((one): one is number => typeof one === "number" && Number.isFinite(one)).sort((a, b) => a - b);
  const best = ended[0] ?? 0;
  return { points: ended.map((one, index) => ({ x: index + 1, y: one - best })), failed: starts.length - ended.length };
}

export function waterfallSpec(starts: Fitted["starts"], words: Words): XySpec {
  return { sets: [{ id: "starts", label: words.y, points: waterfall(starts).points, line: true }], levels: [], xLabel: words.x, yLabel: words.y, least: 0 };
}

/** Measured less modelled over time, one set a run; limits of detection are no differences. */
export function residualSpec(fitted: Fitted, quantity: string, nameOf: (run: string) => string, words: Words): XySpec {
  const own = fitted.readings.filter((one) => one.quantity === quantity && !one.beyond && Number.isFinite(one.modelled));
  const runs = [...new Set(own.map((one) => one.run))];
  const sets = runs.map((run) => ({ id: run, label: nameOf(run), points: own.filter((one) => one.run === run).map((one) => ({ x: one.time, y: one.measured - one.modelled })), line: false }));
  return { sets, levels: [{ at: 0, label: "" }], xLabel: words.x, yLabel: words.y };
}
