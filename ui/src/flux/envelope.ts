// A production envelope as a figure: the region of what is possible, its exact corners, and the region before the edits.
import type { FluxReach } from "../api/flux";
import type { XyPoint, XySeries, XySpec } from "../charts/xy";
import { NOTHING } from "./network";

export interface Corner {
  side: "greatest" | "least";
  along: number;
  target: number;
}

const plain = (value: number) => (Math.abs(value) <= NOTHING ? 0 : value);

/** Break points of both sides, in the order of growth. */
export function corners(reach: FluxReach): Corner[] {
  const side = (name: Corner["side"]) => reach[name].map((one): Corner => ({ side: name, along: plain(one.along), target: plain(one.target) }));
  return [...side("greatest"), ...side("least")];
}

/** Once around the region: along the greatest, and back along the least. */
export function outline(reach: FluxReach): XyPoint[] {
  const to = (list: FluxReach["greatest"]) => list.map((one) => ({ x: plain(one.along), y: plain(one.target) }));
  return [...to(reach.greatest), ...to(reach.least).reverse()];
}

export function envelopeSpec(now: FluxReach, before: FluxReach | null, words: { now: string; before: string; corner: string; along: string; target: string }): XySpec {
  const marks: XyPoint[] = corners(now).map((one) => ({ x: one.along, y: one.target, text: `${one.along}, ${one.target}` }));
  const series: XySeries[] = [
    ...(before && before.status === "optimal" ? [{ id: "before", label: words.before, kind: "area" as const, dash: "6 4", colour: 4, points: outline(before) }] : []),
    { id: "now", label: words.now, kind: "area", colour: 0, points: outline(now) },
    { id: "corners", label: words.corner, kind: "points", mark: "dot", colour: 0, points: marks },
  ];
  return { series, xLabel: words.along, yLabel: words.target, height: 420 };
}
