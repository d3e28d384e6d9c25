// A phenotype phase plane as a figure: its phases with exact borders, which of two fluxes limits in each, and the line of
// optimality. Touches no browser object.
import type { FluxPlane } from "../api/flux";
import { DASHES } from "../charts/colour";
import type { XyPoint, XySeries, XySpec } from "../charts/xy";

/** Slopes and differences of the objective below this are rounding. */
const NONE = 1e-9;

export type Limits = "both" | "first" | "second" | "first-excess" | "second-excess" | "neither";
type Phase = FluxPlane["phases"][number];
export interface At {
  x: number;
  y: number;
  best: number;
}

const corner = (one: Phase["corners"][number]): At => ({ x: plain(one.first), y: plain(one.second), best: plain(one.best ?? 0) });
const plain = (value: number) => (Math.abs(value) <= NONE ? 0 : value);

/** Corners in order around a phase; two that rounding keeps apart are one. */
export function phaseCorners(phase: Phase): At[] {
  const near = (a: number, b: number) => Math.abs(a - b) <= 1e-7 * (1 + Math.abs(a));
  const same = (a: At, b: At | undefined) => b !== undefined && near(a.x, b.x) && near(a.y, b.y);
  const all = phase.corners.map(corner);
  const kept = all.filter((at, k) => k === 0 || !same(at, all[k - 1]));
  const last = kept.at(-1);
  return kept.length > 1 && last && same(last, kept[0]) ? kept.slice(0, -1) : kept;
}

/** What limits in a phase. More of a flux helps where the slope goes its way: downwards for the uptake of an exchange. */
export function limits(slopes: readonly number[], uptake: readonly [boolean, boolean]): Limits {
  const gain = (k: 0 | 1) => (uptake[k] ? -1 : 1) * plain(slopes[k] ?? 0);
  const [first, second] = [gain(0), gain(1)];
  if (first < 0) return "first-excess";
  if (second < 0) return "second-excess";
  if (first > 0 && second > 0) return "both";
  return first > 0 ? "first" : second > 0 ? "second" : "neither";
}

/** Best objective at each value of the first flux. Where several of the second do as well, the smallest. */
export function optimality(phases: readonly Phase[]): At[] {
  const edges = phases.flatMap((phase) => {
    const all = phaseCorners(phase);
    return all.map((from, k): [At, At] => [from, all[(k + 1) % all.length] ?? from]);
  });
  const places = distinct(edges.flatMap(([from, to]) => [from.x, to.x]));
  const line: At[] = [];
  const put = (point: At) => {
    const last = line.at(-1);
    if (!last || Math.abs(last.x - point.x) > NONE || Math.abs(last.y - point.y) > NONE) line.push(point);
  };
  for (let k = 0; k + 1 < places.length; k += 1) {
    const [left, right] = [places[k] ?? 0, places[k + 1] ?? 0];
    const middle = (left + right) / 2;
    let best: { edge: [At, At]; at: At } | null = null;
    // Between two corners no borders cross: the border that is best in the middle is best all along.
    for (const edge of edges) {
      const at = along(edge, middle);
      if (!at) continue;
      const more = best === null ? 1 : at.best - best.at.best;
      if (best === null || more > NONE || (more > -NONE && Math.abs(at.y) < Math.abs(best.at.y))) best = { edge, at };
    }
    if (!best) continue;
    for (const x of [left, right]) put(along(best.edge, x) ?? best.at);
  }
  return straight(line);
}

function along([from, to]: readonly [At, At], x: number): At | null {
  const wide = to.x - from.x;
  if (Math.abs(wide) <= NONE) return null;
  const share = (x - from.x) / wide;
  if (share < -1e-6 || share > 1 + 1e-6) return null;
  const between = (a: number, b: number) => plain(a + Math.min(Math.max(share, 0), 1) * (b - a));
  return { x, y: between(from.y, to.y), best: between(from.best, to.best) };
}

function distinct(numbers: readonly number[]): number[] {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted.filter((value, k) => k === 0 || value - (sorted[k - 1] ?? 0) > 1e-7 * (1 + Math.abs(value)));
}

/** Points on the straight line between their neighbours say nothing. */
function straight(line: readonly At[]): At[] {
  return line.filter((point, k) => {
    const [before, after] = [line[k - 1], line[k + 1]];
    if (!before || !after) return true;
    const between = along([before, after], point.x);
    return !between || Math.abs(between.y - point.y) > 1e-6 * (1 + Math.abs(point.y)) || Math.abs(between.best - point.best) > 1e-6;
  });
}

/** The middle of a polygon, where its number stands. */
export function middle(corners: readonly At[]): { x: number; y: number } {
  let [area, x, y] = [0, 0, 0];
  corners.forEach((from, k) => {
    const to = corners[(k + 1) % corners.length] ?? from;
    const cross = from.x * to.y - to.x * from.y;
    area += cross / 2;
    x += ((from.x + to.x) * cross) / 6;
    y += ((from.y + to.y) * cross) / 6;
  });
  if (Math.abs(area) > 1e-12) return { x: x / area, y: y / area };
  const sum = corners.reduce((all, one) => ({ x: all.x + one.x, y: all.y + one.y }), { x: 0, y: 0 });
  return { x: sum.x / Math.max(corners.length, 1), y: sum.y / Math.max(corners.length, 1) };
}

export interface PlaneWords {
  phase: (index: number, share: number) => string;
  /** what a phase says when the pointer rests on it */
  tip: (index: number) => string;
  line: string;
  at: (point: At) => string;
  first: string;
  second: string;
}

/** Phases narrower than this share of the plane have no number in the figure; they are in the tables. */
const NARROW = 0.01;

export function planeSpec(plane: FluxPlane, words: PlaneWords): XySpec {
  const series: XySeries[] = plane.phases.map((phase, k) => {
    const dash = DASHES[Math.floor(k / 6) % DASHES.length] ?? [];
    const points: XyPoint[] = phaseCorners(phase).map((at) => ({ x: at.x, y: at.y, text: words.at(at) }));
    return { id: `phase-${k}`, label: words.phase(k, phase.share), kind: "area", colour: k, ...(dash.length > 0 ? { dash: dash.join(" ") } : {}), text: words.tip(k), points };
  });
  const line = optimality(plane.phases);
  series.push({ id: "line", label: words.line, kind: "line", mark: "ring", dash: "7 3", points: line.map((at) => ({ x: at.x, y: at.y, text: words.at(at) })) });
  const numbers = plane.phases.flatMap((phase, k) => (phase.share >= NARROW ? [{ ...middle(phaseCorners(phase)), text: String(k + 1) }] : []));
  return { series, words: numbers, xLabel: words.first, yLabel: words.second, height: 440 };
}
