// Points, lines and areas over two value axes: where everything stands. The page and the SVG file
// draw from the same shapes. Touches no browser object.
import { PALETTE } from "./colour";
import { textWidth } from "./interval";
import { axisNumber, valueSplits } from "./value-axis";

export interface XyPoint {
  x: number;
  y: number | null;
  /** ends of the interval of `y` */
  low?: number | null;
  high?: number | null;
  /** what the point is, for its tooltip */
  text?: string;
}

/** A shape says what a point is; the words stand in the legend. */
export type XyMark = "dot" | "ring" | "square" | "triangle" | "cross";

export interface XySeries {
  id: string;
  label: string;
  /** `line` joins points, `step` holds a value until the next, `band` fills between low and high, `area` fills a closed outline */
  kind: "points" | "line" | "step" | "band" | "area";
  /** also the marks of a line's points, where given */
  mark?: XyMark;
  /** place in the palette; without it the ink of the page's accent */
  colour?: number;
  dash?: string;
  /** an area without its outline */
  bare?: boolean;
  /** what an area is, for its tooltip */
  text?: string;
  points: readonly XyPoint[];
}

/** A line of reference: along `y` at one x, or along `x` at one y. */
export interface XyLine {
  x?: number;
  y?: number;
  label: string;
}

export interface XySpec {
  series: readonly XySeries[];
  xLabel: string;
  yLabel: string;
  lines?: readonly XyLine[];
  /** written into the figure, around a place */
  words?: readonly { x: number; y: number; text: string }[];
  xFixed?: readonly [number, number] | undefined;
  yFixed?: readonly [number, number] | undefined;
  /** marks at whole numbers only, as for rounds */
  xWhole?: boolean;
  height?: number;
}

export interface XyTick {
  at: number;
  px: number;
  text: string;
}

export interface XyFrame {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  foot: number;
  xSpan: [number, number];
  ySpan: [number, number];
  xTicks: XyTick[];
  yTicks: XyTick[];
  x: (value: number) => number;
  y: (value: number) => number;
}

const TOP = 22;
const FOOT = 42;
const RIGHT = 16;

function padded(numbers: readonly (number | null | undefined)[], share: number): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const number of numbers) {
    if (typeof number !== "number" || !Number.isFinite(number)) continue;
    if (number < low) low = number;
    if (number > high) high = number;
  }
  if (low > high) return [0, 1];
  const pad = (high - low) * share || Math.abs(high) * 0.1 || 1;
  return [low - pad, high + pad];
}

/** Everything that is drawn lies inside, with a little room. */
export function xySpans(spec: XySpec): { x: [number, number]; y: [number, number] } {
  const points = spec.series.flatMap((one) => one.points);
  const lines = spec.lines ?? [];
  const x = spec.xFixed ? ([...spec.xFixed] as [number, number]) : padded([...points.map((p) => p.x), ...lines.map((l) => l.x)], spec.series.some((one) => one.kind === "points") ? 0.04 : 0);
  const y = spec.yFixed ? ([...spec.yFixed] as [number, number]) : padded([...points.flatMap((p) => [p.y, p.low, p.high]), ...lines.map((l) => l.y)], 0.06);
  return { x, y };
}

/** Fewer marks until their texts no longer touch. */
function thinned(ticks: XyTick[], room: (tick: XyTick) => number, length: number): XyTick[] {
  let kept = ticks;
  while (kept.length > 2 && length / kept.length < Math.max(...kept.map(room))) kept = kept.filter((_, k) => k % 2 === 0);
  return kept;
}

export function xyFrame(spec: XySpec, width: number): XyFrame {
  const spans = xySpans(spec);
  const height = spec.height ?? 300;
  const foot = height - FOOT;
  const y = (value: number) => foot - ((value - spans.y[0]) / (spans.y[1] - spans.y[0] || 1)) * (foot - TOP);
  const yTicks = thinned(valueSplits(spans.y[0], spans.y[1], false).map((at) => ({ at, px: y(at), text: axisNumber(at) })), () => 18, foot - TOP);
  const left = Math.max(...yTicks.map((tick) => textWidth(tick.text, 12)), 8) + 30;
  const right = width - RIGHT;
  const x = (value: number) => left + ((value - spans.x[0]) / (spans.x[1] - spans.x[0] || 1)) * (right - left);
  const splits = valueSplits(spans.x[0], spans.x[1], false).filter((at) => !spec.xWhole || Number.isInteger(at));
  const xTicks = thinned(splits.map((at) => ({ at, px: x(at), text: axisNumber(at) })), (tick) => textWidth(tick.text, 12) + 10, right - left);
  return { width, height, left, right, top: TOP, foot, xSpan: spans.x, ySpan: spans.y, xTicks, yTicks, x, y };
}

/** A mark as an SVG path around 0, 0. */
export const XY_MARKS: Record<XyMark, string> = {
  dot: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z",
  ring: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z",
  square: "M-4 -4h8v8h-8Z",
  triangle: "M0 -5L5 4H-5Z",
  cross: "M-4 -4L4 4M-4 4L4 -4",
};
/** Marks drawn as an outline. */
export const HOLLOW: ReadonlySet<XyMark> = new Set(["ring", "cross"]);

export function xyColour(one: XySeries): string | null {
  return one.colour === undefined ? null : (PALETTE[one.colour % PALETTE.length] ?? null);
}

const at = (value: number) => String(Number(value.toFixed(1)));

/** The line of a series; a missing value breaks it. */
export function xyPath(frame: XyFrame, one: XySeries): string {
  let path = "";
  let last: XyPoint | null = null;
  for (const point of one.points) {
    if (point.y === null || !Number.isFinite(point.y)) {
      last = null;
      continue;
    }
    const here = `${at(frame.x(point.x))} ${at(frame.y(point.y))}`;
    if (!last) path += `M${here}`;
    else if (one.kind === "step") path += `H${at(frame.x(point.x))}V${at(frame.y(point.y))}`;
    else path += `L${here}`;
    last = point;
  }
  return one.kind === "area" && path !== "" ? `${path}Z` : path;
}

/** The outline of a band: along its upper ends and back along its lower ones. */
export function xyBand(frame: XyFrame, one: XySeries): string {
  const whole = one.points.filter((point) => typeof point.low === "number" && typeof point.high === "number");
  if (whole.length < 2) return "";
  const to = (point: XyPoint, value: number | null | undefined) => `${at(frame.x(point.x))} ${at(frame.y(value ?? 0))}`;
  return `M${whole.map((point) => to(point, point.high)).join("L")}L${[...whole].reverse().map((point) => to(point, point.low)).join("L")}Z`;
}

/** The interval of a point as a line with ends. */
export function xyWhisker(frame: XyFrame, point: XyPoint): string {
  if (typeof point.low !== "number" || typeof point.high !== "number") return "";
  const x = Number(at(frame.x(point.x)));
  const clamp = (value: number) => Math.min(Math.max(value, frame.ySpan[0]), frame.ySpan[1]);
  return `M${x} ${at(frame.y(clamp(point.low)))}V${at(frame.y(clamp(point.high)))}M${x - 3} ${at(frame.y(clamp(point.low)))}h6M${x - 3} ${at(frame.y(clamp(point.high)))}h6`;
}

/** Every point of every series as rows for a table and a CSV file. */
export function xyRows(spec: XySpec): { header: string[]; rows: (string | number | null)[][] } {
  const ends = spec.series.some((one) => one.points.some((point) => typeof point.low === "number"));
  return {
    header: ["series", spec.xLabel, spec.yLabel, ...(ends ? ["low", "high"] : [])],
    // A point without a place is a gap between lines.
    rows: spec.series.flatMap((one) => one.points.filter((point) => Number.isFinite(point.x)).map((point) => [one.label, point.x, point.y, ...(ends ? [point.low ?? null, point.high ?? null] : [])])),
  };
}
