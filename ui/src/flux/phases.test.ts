import { describe, expect, it } from "vitest";
import { limits, middle, optimality, phaseCorners, planeSpec, type At } from "./phases";

const phase = (share: number, slopes: [number, number], corners: [number, number, number][]) => ({
  share,
  slopes,
  corners: corners.map(([first, second, best]) => ({ first, second, best })),
  shadow_prices: {},
});
// min(-x, -2y) over uptakes to 10 and to 10: the border is y = x/2, and below it the second is in abundance.
const PLANE = [
  phase(0.75, [-1, 0], [[-10, -10, 10], [0, -10, 0], [0, 0, 0], [-10, -5, 10]]),
  phase(0.25, [0, -2], [[-10, -5, 10], [0, 0, 0], [-10, 0, 0]]),
];

describe("limits", () => {
  const check = (slopes: [number, number], uptake: [boolean, boolean], want: string) => expect(limits(slopes, uptake)).toBe(want);
  it("reads the slope by the way a flux goes", () => {
    check([-1, -2], [true, true], "both");
    check([-1, 0], [true, true], "first");
    check([0, -0.1], [true, true], "second");
    check([-0.1, 0.02], [true, true], "second-excess");
    check([0.3, -0.02], [true, true], "first-excess");
    check([1e-12, 0], [true, true], "neither");
    check([1, 0], [false, true], "first");
    check([-1, -1], [false, true], "first-excess");
  });
});

describe("the line of optimality", () => {
  it("runs along the border where the best is reached, with the smallest of what does as well", () => {
    expect(optimality(PLANE)).toEqual<At[]>([
      { x: -10, y: -5, best: 10 },
      { x: 0, y: 0, best: 0 },
    ]);
  });
  it("bends at a corner, and only there", () => {
    const bent = [
      phase(0.5, [0, -1], [[-4, -4, 4], [-2, -3, 3], [0, 0, 0], [-4, 0, 0]]),
      phase(0.5, [-0.5, 0], [[-4, -6, 4], [0, -6, 0], [0, 0, 0], [-2, -3, 3], [-4, -4, 4]]),
    ];
    expect(optimality(bent).map((at) => [at.x, at.y])).toEqual([[-4, -4], [-2, -3], [0, 0]]);
  });
  it("is none of no phases", () => expect(optimality([])).toEqual([]));
});

describe("corners", () => {
  it("that rounding keeps apart are one", () => {
    const twice = phase(1, [0, 0], [[-1, 0, 0], [-1 + 1e-13, 1e-13, 0], [0, 5, 1], [2, 0, 0], [-1, 1e-12, 0]]);
    expect(phaseCorners(twice).map((at) => [at.x, at.y])).toEqual([[-1, 0], [0, 5], [2, 0]]);
  });
});

describe("the figure", () => {
  it("has an outline for each phase, its number inside, and the line", () => {
    const words = { phase: (k: number) => `phase ${k + 1}`, tip: (k: number) => `tip ${k}`, line: "line", at: (at: At) => `${at.best}`, first: "x", second: "y" };
    const spec = planeSpec({ status: "optimal", objective: "B", first: "x", second: "y", flux_unit: "mmol/g/h", region: [], phases: PLANE, programmes: 1, findings: [] }, words);
    expect(spec.series.map((one) => [one.id, one.kind, one.points.length])).toEqual([["phase-0", "area", 4], ["phase-1", "area", 3], ["line", "line", 2]]);
    expect(spec.series[0]?.text).toBe("tip 0");
    expect(spec.words?.map((one) => one.text)).toEqual(["1", "2"]);
  });
  it("puts a number at the centre of area, or between the corners of what has none", () => {
    const at = (x: number, y: number): At => ({ x, y, best: 0 });
    expect(middle([at(0, 0), at(2, 0), at(2, 2), at(0, 2)])).toEqual({ x: 1, y: 1 });
    expect(middle([at(0, 0), at(2, 2)])).toEqual({ x: 1, y: 1 });
  });
});
