// Lines over the course of a run with what they must stay below, or between. Touches no browser object.
import { valueSplits } from "../../charts/value-axis";

export type Cells = readonly (number | null | undefined)[];

export interface TrackSpec {
  /** where the points lie, rising */
  at: Cells;
  value: Cells;
  /** an upper limit at each point */
  limit?: Cells | undefined;
  low?: Cells | undefined;
  middle?: Cells | undefined;
  high?: Cells | undefined;
}

export interface TrackView {
  width: number;
  height: number;
  left: number;
  foot: number;
  value: string;
  limit: string;
  middle: string;
  band: string;
  /** points outside */
  outside: { x: number; y: number }[];
  xTicks: { at: number; x: number }[];
  yTicks: { at: number; y: number }[];
}

const LEFT = 64;
const RIGHT = 12;
const TOP = 10;
const FOOT = 36;

const isNumber = (value: number | null | undefined): value is number => typeof value === "number" && Number.isFinite(value);

/** A path through the points that are there; a missing one breaks the line. */
export function linePath(x: (i: number) => number | null, y: (value: number) => number, values: Cells): string {
  let path = "";
  let drawn = false;
  values.forEach((value, i) => {
    const at = x(i);
    if (!isNumber(value) || at === null) {
      drawn = false;
      return;
    }
    path += `${drawn ? "L" : "M"}${at.toFixed(1)} ${y(value).toFixed(1)}`;
    drawn = true;
  });
  return path;
}

/** Is this point beyond the limit, or outside the band? */
export function isOutside(spec: TrackSpec, i: number): boolean {
  const value = spec.value[i];
  if (!isNumber(value)) return false;
  const [limit, low, high] = [spec.limit?.[i], spec.low?.[i], spec.high?.[i]];
  return (isNumber(limit) && value > limit) || (isNumber(low) && value < low) || (isNumber(high) && value > high);
}

export function trackView(spec: TrackSpec, width: number, height: number): TrackView {
  const places = spec.at.filter(isNumber);
  const [from, to] = [Math.min(...places), Math.max(...places)];
  const all = [spec.value, spec.limit, spec.low, spec.high, spec.middle].flatMap((cells) => (cells ?? []).filter(isNumber));
  const floor = spec.limit ? Math.min(0, ...all) : Math.min(...all);
  const top = Math.max(...all);
  const room = (top - floor) * 0.05 || Math.abs(top) * 0.1 || 1;
  const [low, high] = all.length === 0 ? [0, 1] : [spec.limit ? floor : floor - room, top + room];
  const foot = height - FOOT;
  const across = (at: number) => LEFT + ((at - from) / (to - from || 1)) * (width - LEFT - RIGHT);
  const y = (value: number) => foot - ((value - low) / (high - low)) * (foot - TOP);
  const x = (i: number) => {
    const at = spec.at[i];
    return isNumber(at) ? across(at) : null;
  };
  const rim = (cells: Cells | undefined) =>
    (cells ?? []).flatMap((value, i) => {
      const at = x(i);
      return isNumber(value) && at !== null ? [`${at.toFixed(1)} ${y(value).toFixed(1)}`] : [];
    });
  const upper = rim(spec.high);
  const lower = rim(spec.low).reverse();
  return {
    width,
    height,
    left: LEFT,
    foot,
    value: linePath(x, y, spec.value),
    limit: linePath(x, y, spec.limit ?? []),
    middle: linePath(x, y, spec.middle ?? []),
    band: upper.length > 1 && lower.length > 1 ? `M${[...upper, ...lower].join("L")}Z` : "",
    outside: spec.value.flatMap((value, i) => {
      const at = x(i);
      return isNumber(value) && at !== null && isOutside(spec, i) ? [{ x: at, y: y(value) }] : [];
    }),
    xTicks: places.length === 0 ? [] : valueSplits(from, to, false).map((at) => ({ at, x: across(at) })),
    yTicks: valueSplits(low, high, false).map((at) => ({ at, y: y(at) })),
  };
}

/** Widths of bars around a middle line, as shares of the longest. */
export function barShares(values: readonly number[]): number[] {
  const longest = Math.max(...values.map(Math.abs), 0);
  return values.map((value) => (longest > 0 ? value / longest : 0));
}
