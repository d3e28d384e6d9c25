// The diagram of hydrogen and oxygen with an inert rest, from the rules as the server applied them: what could
// burn, what lies within the margins, and the points that were judged. Shares in per cent.
import type { Output } from "../../api/types";
import type { XySpec } from "../../charts/xy";

type Judged = Output<"culture gas-safety">;
export type Corner = readonly [hydrogen: number, oxygen: number];

/** Oxygen in air, as the engine takes it for the upper limit in air. */
const AIR = 0.2095;
/** Everything that can be mixed: hydrogen and oxygen together are no more than all of it. */
const ALL: readonly Corner[] = [[0, 0], [100, 0], [0, 100]];

/** What is left of a polygon where `a·H2 + b·O2 ≥ c`. */
export function clipped(polygon: readonly Corner[], a: number, b: number, c: number): Corner[] {
  const side = ([h, o]: Corner) => a * h + b * o - c;
  return polygon.flatMap((here, k) => {
    const next = polygon[(k + 1) % polygon.length] ?? here;
    const [p, q] = [side(here), side(next)];
    const crossing: Corner[] = p * q < 0 ? [[here[0] + ((next[0] - here[0]) * p) / (p - q), here[1] + ((next[1] - here[1]) * p) / (p - q)]] : [];
    return p >= 0 ? [here, ...crossing] : crossing;
  });
}

export interface Regions {
  burns: Corner[];
  near: Corner[];
}

/** Both regions by the rules; null where one of them is not there. */
export function regions(rules: Judged["rules"]): Regions | null {
  const value = (id: string) => rules.find((rule) => rule.id === id)?.value;
  const [lfl, ufl, uflOxygen, loc, fuel, oxygen] = ["h2-lfl-air", "h2-ufl-air", "h2-ufl-oxygen", "h2-loc", "margin-fuel", "margin-oxygen"].map(value);
  if (lfl === undefined || ufl === undefined || uflOxygen === undefined || loc === undefined || fuel === undefined || oxygen === undefined) return null;
  // The rich edge is the line through the upper limit in air and the one in oxygen.
  const air = (100 - ufl) * AIR;
  const slope = (100 - uflOxygen - air) / (uflOxygen - ufl);
  const within = (limits: readonly (readonly [number, number, number])[]) => limits.reduce<readonly Corner[]>((polygon, [a, b, c]) => clipped(polygon, a, b, c), ALL);
  return {
    burns: [...within([[1, 0, lfl], [0, 1, loc], [-slope, 1, air - slope * ufl]])],
    near: [...within([[1, 0, fuel * lfl], [0, 1, oxygen * loc]])],
  };
}

export interface Judgement {
  label: string;
  hydrogen: number;
  oxygen: number;
}

export function diagramSpec(rules: Judged["rules"], points: { judged: readonly Judgement[]; safe: readonly Judgement[]; blocked: readonly Judgement[] }, words: { burns: string; near: string; judged: string; safe: string; blocked: string; hydrogen: string; oxygen: string; all: string }): XySpec {
  const found = regions(rules);
  const outline = (corners: readonly Corner[]) => corners.map(([x, y]) => ({ x, y }));
  const marks = (all: readonly Judgement[]) => all.map((one) => ({ x: one.hydrogen, y: one.oxygen, text: one.label }));
  const series: XySpec["series"] = [
    ...(found ? [{ id: "near", label: words.near, kind: "area" as const, dash: "4 3", colour: 4, points: outline(found.near) }, { id: "burns", label: words.burns, kind: "area" as const, colour: 1, points: outline(found.burns) }] : []),
    { id: "all", label: words.all, kind: "line" as const, dash: "2 3", points: [{ x: 0, y: 100 }, { x: 100, y: 0 }] },
    ...(points.judged.length > 0 ? [{ id: "judged", label: words.judged, kind: "points" as const, mark: "dot" as const, points: marks(points.judged) }] : []),
    ...(points.safe.length > 0 ? [{ id: "safe", label: words.safe, kind: "points" as const, mark: "square" as const, colour: 2, points: marks(points.safe) }] : []),
    ...(points.blocked.length > 0 ? [{ id: "blocked", label: words.blocked, kind: "points" as const, mark: "cross" as const, colour: 1, points: marks(points.blocked) }] : []),
  ];
  return { series, xLabel: words.hydrogen, yLabel: words.oxygen, xFixed: [0, 100], yFixed: [0, 100], height: 420 };
}
