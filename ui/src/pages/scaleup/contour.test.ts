import { describe, expect, it } from "vitest";
import { contour, feasibleCells } from "./contour";

const x = [1, 2, 3, 4];
const y = [10, 20, 30];
const over = (of: (x: number, y: number) => number | null) => y.flatMap((b) => x.map((a) => of(a, b)));

describe("the line of a limit", () => {
  it("stands where bound and value are alike", () => {
    // Met from x = 2.5 on, by the logarithm: e^(x − 2.5).
    const line = contour({ x, y, ratio: over((a) => Math.exp(a - 2.5)) });
    const drawn = line.filter((point) => point.y !== null);
    expect(drawn).toHaveLength(4);
    for (const point of drawn) expect(point.x).toBeCloseTo(2.5, 9);
    expect(drawn.map((point) => point.y).sort()).toEqual([10, 20, 20, 30]);
    expect(line.filter((point) => point.y === null)).toHaveLength(2);
  });
  it("is nowhere where a limit is met, or exceeded, everywhere; what has no bounds is met", () => {
    expect(contour({ x, y, ratio: over(() => 2) })).toEqual([]);
    expect(contour({ x, y, ratio: over(() => 0.5) })).toEqual([]);
    expect(contour({ x, y, ratio: over(() => null) })).toEqual([]);
  });
});

describe("the feasible region", () => {
  it("has a cell for every point at which all limits are met", () => {
    const cells = feasibleCells(x, y, [over((a) => a / 2), over((_, b) => 20 / b)]);
    // x ≥ 2 and y ≤ 20: three columns, two rows.
    expect(cells.filter((point) => point.y === null)).toHaveLength(6);
    const drawn = cells.filter((point) => point.y !== null);
    expect(Math.min(...drawn.map((point) => point.x))).toBe(1.5);
    expect(Math.max(...drawn.map((point) => point.x))).toBe(4.5);
    expect(Math.max(...drawn.map((point) => point.y ?? 0))).toBe(25);
  });
});
