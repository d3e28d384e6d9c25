import { describe, expect, it } from "vitest";
import { xyGeometry, xyPath, xyRows, xySvg, type XySpec } from "./points";

const spec: XySpec = { sets: [{ id: "a", label: "a < b", points: [{ x: 0, y: 1 }, { x: 10, y: 5 }], line: true }, { id: "b", label: "b", points: [{ x: 5, y: 2 }], line: false }], levels: [{ at: 8, label: "limit" }], xLabel: "x", yLabel: "y", least: 0 };

describe("a plot of one number over another", () => {
  it("holds every point and every line of reference", () => {
    const g = xyGeometry(spec, 400);
    for (const { x, y } of spec.sets.flatMap((set) => set.points)) {
      expect(g.x(x)).toBeGreaterThan(g.left);
      expect(g.x(x)).toBeLessThan(g.right);
      expect(g.y(y)).toBeGreaterThan(g.top);
      expect(g.y(y)).toBeLessThan(g.foot);
    }
    expect(g.y(8)).toBeGreaterThan(g.top);
    expect(g.y(0)).toBeLessThanOrEqual(g.foot);
    expect(g.y(5)).toBeLessThan(g.y(1));
    expect(xyPath(spec.sets[0] ?? { id: "", label: "", points: [], line: true }, g)).toMatch(/^M[\d.]+ [\d.]+L[\d.]+ [\d.]+$/);
  });
  it("does not break without points or with one", () => {
    const g = xyGeometry({ ...spec, sets: [], levels: [] }, 300);
    expect([g.x(0.5), g.y(0)].every(Number.isFinite)).toBe(true);
    expect(Number.isFinite(xyGeometry({ ...spec, sets: [{ id: "a", label: "a", points: [{ x: 3, y: 3 }], line: true }] }, 300).x(3))).toBe(true);
  });
  it("is written as a table and as a file, texts escaped", () => {
    expect(xyRows(spec)).toEqual([["a < b", 0, 1], ["a < b", 10, 5], ["b", 5, 2]]);
    expect(xySvg("t & u", spec)).toContain("t &amp; u");
    expect(xySvg("t", spec)).toContain("a &lt; b");
  });
});
