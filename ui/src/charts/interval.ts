// Estimates with their intervals, one a row: where everything stands. The page and the SVG file
// draw from the same geometry. Touches no browser object.
import { axisNumber, valueSplits } from "./value-axis";

export interface Estimate {
  at: number;
  /** ends of the interval; null = it could not be told */
  low: number | null;
  high: number | null;
}

/** A shape says what kind of estimate it is; the words stand beside it. */
export type MarkShape = "dot" | "ring" | "square";

export interface IntervalRow {
  id: string;
  label: string;
  /** null = nothing was measured */
  main: Estimate | null;
  shape: MarkShape;
  /** drawn below the first, as a ring */
  beside?: Estimate | null;
  /** the single values behind the estimate */
  singles?: readonly number[];
  /** what is concluded, in words */
  note: string;
}

export interface IntervalLine {
  at: number;
  label: string;
}

export interface IntervalSpec {
  rows: readonly IntervalRow[];
  lines: readonly IntervalLine[];
  axisLabel: string;
  /** a scale with known ends, such as −1 to 1 */
  fixed?: readonly [number, number] | undefined;
}

export interface Geometry {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  foot: number;
  extent: [number, number];
  ticks: { at: number; x: number; text: string }[];
  x: (value: number) => number;
  /** the middle of a row */
  y: (row: number) => number;
}

export const ROW = 34;
const TOP = 22;
const FOOT = 40;

/** Part of an em that a letter takes: full-width letters all of it, capitals and digits more than small ones. */
const widthOf = (letter: string) => (letter.charCodeAt(0) > 0x2e7f ? 1 : /[A-Z0-9%@—–_]/.test(letter) ? 0.72 : 0.58);

/** Width of a text at 12.5 px. */
export function textWidth(text: string, size = 12.5): number {
  return [...text].reduce((width, letter) => width + size * widthOf(letter), 0);
}

/** Cuts a text to a width, with an ellipsis. */
export function fitted(text: string, width: number, size = 12.5): string {
  if (textWidth(text, size) <= width) return text;
  let cut = "";
  for (const letter of text) {
    if (textWidth(`${cut}${letter}…`, size) > width) break;
    cut += letter;
  }
  return `${cut}…`;
}

/** Everything that is drawn lies inside, with a little room. */
export function extentOf(spec: IntervalSpec): [number, number] {
  if (spec.fixed) return [spec.fixed[0], spec.fixed[1]];
  const all = [
    ...spec.lines.map((line) => line.at),
    ...spec.rows.flatMap((row) => [
      ...(row.singles ?? []),
      ...[row.main, row.beside].flatMap((one) => (one ? [one.at, one.low ?? one.at, one.high ?? one.at] : [])),
    ]),
  ].filter(Number.isFinite);
  if (all.length === 0) return [0, 1];
  const low = Math.min(...all);
  const high = Math.max(...all);
  const pad = (high - low) * 0.05 || Math.abs(high) * 0.1 || 1;
  return [low - pad, high + pad];
}

export function geometryOf(spec: IntervalSpec, width: number): Geometry {
  const extent = extentOf(spec);
  const longest = (texts: string[]) => Math.max(0, ...texts.map((text) => textWidth(text)));
  const left = Math.min(longest(spec.rows.map((row) => row.label)) + 14, width * 0.32);
  const right = width - Math.min(longest(spec.rows.map((row) => row.note)) + 16, width * 0.32);
  const x = (value: number) => left + ((value - extent[0]) / (extent[1] - extent[0] || 1)) * (right - left);
  const foot = TOP + spec.rows.length * ROW;
  // Marks at least so far apart that their numbers do not touch.
  let splits = valueSplits(extent[0], extent[1], false);
  while (splits.length > 2 && (right - left) / splits.length < Math.max(...splits.map((split) => textWidth(axisNumber(split)))) + 10) splits = splits.filter((_, k) => k % 2 === 0);
  return {
    width,
    height: foot + FOOT,
    left,
    right,
    top: TOP,
    foot,
    extent,
    ticks: splits.map((at) => ({ at, x: x(at), text: axisNumber(at) })),
    x,
    y: (row) => TOP + (row + 0.5) * ROW,
  };
}

/** The mark of an estimate as an SVG path around 0, 0. */
export const MARK_PATHS: Record<MarkShape, string> = {
  dot: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0Z",
  ring: "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0Z",
  square: "M-4.5 -4.5h9v9h-9Z",
};

/** An interval as a line with ends; cut where the scale ends. */
export function whisker(geometry: Geometry, estimate: Estimate, y: number): string {
  if (estimate.low === null || estimate.high === null) return "";
  const [from, to] = geometry.extent;
  const low = Math.max(Math.min(estimate.low, to), from);
  const high = Math.max(Math.min(estimate.high, to), from);
  const a = Number(geometry.x(low).toFixed(1));
  const b = Number(geometry.x(high).toFixed(1));
  const end = (inside: boolean, x: number) => (inside ? `M${x} ${y - 4}v8` : "");
  return `M${a} ${y}H${b}${end(estimate.low >= from, a)}${end(estimate.high <= to, b)}`;
}

/** Offset of the second estimate below the first. */
export const BESIDE = 10;
