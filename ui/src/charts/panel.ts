// What a chart draws: panels of series over seconds since t0. Built from the
// server's answers; the drawing itself is in TimePanel.svelte and svg.ts.
import type { Style } from "./colour";

export interface Series {
  id: string;
  label: string;
  style: Style;
  /** held until the next point: set points and on-change recording */
  stepped: boolean;
  /** single measurements: points without a line */
  dots: boolean;
  /** seconds since t0, ascending */
  t: ArrayLike<number>;
  v: ArrayLike<number | null>;
  /** packed quality of each point; null = all good */
  q: ArrayLike<number> | null;
  /** all points of the channel, before down-sampling */
  total: number;
  downSampled: boolean;
  /** what stood in the source, point by point (assays); for tables and CSV */
  texts?: string[];
}

/** What lies between two series of a panel, shaded: an interval. Its ends stay lines with names of their own. */
export interface Area {
  /** ids of the series */
  low: string;
  high: string;
  colour: string;
  opacity: number;
}

export interface Panel {
  key: string;
  title: string;
  /** shown unit, already readable */
  unit: string;
  series: Series[];
  /** widest first: the narrower lies on it */
  areas?: readonly Area[];
}

/** Areas as pairs of places of series, where both are in the panel. */
export function areaPlaces(panel: Panel): { low: number; high: number; area: Area }[] {
  const place = (id: string) => panel.series.findIndex((one) => one.id === id);
  return (panel.areas ?? []).map((area) => ({ low: place(area.low), high: place(area.high), area })).filter((one) => one.low >= 0 && one.high >= 0);
}

export type Aligned = [number[] | Float64Array, ...(ArrayLike<number | null | undefined> | null)[]];

function sameTimes(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * Puts series with their own clocks on one time axis, as uPlot wants it.
 * `undefined` = this series has no point here (the line goes on), `null` = a gap
 * of the series itself. Repeated times of one series stay repeated.
 */
export function alignSeries(series: readonly Series[]): Aligned {
  const first = series[0];
  if (!first) return [[]];
  if (series.every((one) => sameTimes(first.t, one.t))) {
    return [Float64Array.from(first.t), ...series.map((one) => one.v)] as Aligned;
  }
  const at = series.map(() => 0);
  const times: number[] = [];
  const values: (number | null | undefined)[][] = series.map(() => []);
  for (;;) {
    let now = Infinity;
    series.forEach((one, k) => {
      const next = one.t[at[k] ?? 0];
      if (next !== undefined && next < now) now = next;
    });
    if (now === Infinity) break;
    times.push(now);
    series.forEach((one, k) => {
      const i = at[k] ?? 0;
      if (one.t[i] === now) {
        values[k]?.push(one.v[i] ?? null);
        at[k] = i + 1;
      } else {
        values[k]?.push(undefined);
      }
    });
  }
  return [times, ...values] as Aligned;
}

/** Index of the last point at or before `t`; -1 when there is none. */
export function lastAtOrBefore(times: ArrayLike<number>, t: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? Infinity) <= t) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Least and greatest time of all series; null when there is no point. */
export function timeExtent(panels: readonly Panel[]): [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (const panel of panels) {
    for (const one of panel.series) {
      if (one.t.length === 0) continue;
      low = Math.min(low, one.t[0] ?? low);
      high = Math.max(high, one.t[one.t.length - 1] ?? high);
    }
  }
  return low <= high ? [low, high] : null;
}

/** Points that a logarithmic axis cannot show. */
export function notPositive(series: readonly Series[]): number {
  let count = 0;
  for (const one of series) {
    for (let i = 0; i < one.v.length; i += 1) {
      const value = one.v[i];
      if (value !== null && value !== undefined && value <= 0) count += 1;
    }
  }
  return count;
}

/** Zoom and pan keep inside what was recorded, and never invert. */
export function clampRange(range: [number, number], full: [number, number]): [number, number] {
  const width = Math.min(Math.max(range[1] - range[0], 1e-3), full[1] - full[0]);
  const from = Math.min(Math.max(range[0], full[0]), full[1] - width);
  return [from, from + width];
}
