// Numbers of a plate as lines and colours: the small curve of a well, the common axis, and
// the steps of the colour scale with the numbers they stand for.
import type { PlateUnit } from "../../api/culture";

export type Span = [number, number];

/** Colours of the scale: `heat-0` … `heat-6` of the page's style. */
export const STEPS = 7;

/** Least and greatest of numbers; null when there is none. */
export function spanOf(numbers: Iterable<number | null | undefined>): Span | null {
  let low = Infinity;
  let high = -Infinity;
  for (const number of numbers) {
    if (typeof number !== "number" || !Number.isFinite(number)) continue;
    if (number < low) low = number;
    if (number > high) high = number;
  }
  return low <= high ? [low, high] : null;
}

/** The common axis of the curves: what the server tells, widened to what is drawn. */
export function commonSpan(units: readonly PlateUnit[], low: number | null | undefined, high: number | null | undefined): Span | null {
  return spanOf([low, high, ...units.flatMap((unit) => unit.value)]);
}

export function timeSpan(units: readonly PlateUnit[]): Span | null {
  return spanOf(units.flatMap((unit) => [unit.t_s[0], unit.t_s[unit.t_s.length - 1]]));
}

/** The step of the colour scale a value falls in; all are in the middle where nothing differs. */
export function heatStep(value: number | null | undefined, span: Span | null): number | null {
  if (typeof value !== "number" || !Number.isFinite(value) || !span) return null;
  if (span[1] <= span[0]) return STEPS >> 1;
  const share = (value - span[0]) / (span[1] - span[0]);
  return Math.min(Math.max(Math.floor(share * STEPS), 0), STEPS - 1);
}

/** The edges of the steps, one more than there are steps. */
export function heatEdges(span: Span): number[] {
  return Array.from({ length: STEPS + 1 }, (_, k) => span[0] + ((span[1] - span[0]) * k) / STEPS);
}

/** A box in which small curves are drawn; stretched to the cell by the browser. */
export const BOX = { width: 100, height: 36, pad: 2 };

const at = (value: number) => String(Number(value.toFixed(2)));

/** One curve as an SVG path: a missing value breaks the line, a lone point is a short dash. */
export function sparkPath(t: readonly number[], v: readonly (number | null)[], time: Span, value: Span): string {
  const wide = time[1] - time[0] || 1;
  const tall = value[1] - value[0];
  const x = (seconds: number) => BOX.pad + ((seconds - time[0]) / wide) * (BOX.width - 2 * BOX.pad);
  const y = (number: number) => (tall > 0 ? BOX.height - BOX.pad - ((number - value[0]) / tall) * (BOX.height - 2 * BOX.pad) : BOX.height / 2);
  const lines: string[][] = [[]];
  t.forEach((seconds, i) => {
    const number = v[i];
    if (typeof number === "number" && Number.isFinite(number)) lines[lines.length - 1]?.push(`${at(x(seconds))} ${at(y(number))}`);
    else lines.push([]);
  });
  return lines
    .filter((points) => points.length > 0)
    .map((points) => (points.length === 1 ? `M${points[0]}h1` : `M${points.join("L")}`))
    .join("");
}

export const STATES = ["running", "ended", "planned", "no-data"] as const;
export type State = (typeof STATES)[number];

/** A shape for each state; its word stands beside it. */
export const STATE_SIGNS: Record<State, string> = { planned: "○", running: "▶", ended: "■", "no-data": "✕" };

export function counts(units: readonly Pick<PlateUnit, "state">[]): Record<State, number> {
  const all: Record<State, number> = { planned: 0, running: 0, ended: 0, "no-data": 0 };
  for (const unit of units) all[unit.state] += 1;
  return all;
}
