import { describe, expect, it } from "vitest";
import { extentOf, fitted, geometryOf, ROW, textWidth, whisker, type IntervalRow, type IntervalSpec } from "./interval";
import { intervalSvg } from "./interval-svg";

const row = (label: string, at: number | null, low: number | null, high: number | null, more: Partial<IntervalRow> = {}): IntervalRow => ({
  id: label,
  label,
  main: at === null ? null : { at, low, high },
  shape: "dot",
  note: "▲ better",
  ...more,
});
const spec = (rows: IntervalRow[], more: Partial<IntervalSpec> = {}): IntervalSpec => ({ rows, lines: [], axisLabel: "g/L", ...more });

describe("the extent of a plot of intervals", () => {
  it("holds intervals, single values and lines of reference", () => {
    const [low, high] = extentOf(spec([row("a", 5, 4, 6, { singles: [2] }), row("b", 7, null, null)], { lines: [{ at: 9, label: "control" }] }));
    expect(low).toBeLessThan(2);
    expect(high).toBeGreaterThan(9);
    expect(low).toBeCloseTo(2 - 0.35);
  });
  it("is that of the scale where it is fixed, and never empty", () => {
    expect(extentOf(spec([row("a", 0.9, 0.5, 1.4)], { fixed: [-1, 1] }))).toEqual([-1, 1]);
    expect(extentOf(spec([row("a", null, null, null)]))).toEqual([0, 1]);
    const [low, high] = extentOf(spec([row("a", 3, 3, 3)]));
    expect(high).toBeGreaterThan(low);
  });
});

describe("the geometry", () => {
  const g = geometryOf(spec([row("a", 0, -1, 1), row("b", 5, 4, 6)], { fixed: [0, 10] }), 800);
  it("keeps order and proportion", () => {
    expect(g.x(0)).toBe(g.left);
    expect(g.x(10)).toBe(g.right);
    expect(g.x(5)).toBeCloseTo((g.left + g.right) / 2);
    expect(g.y(1) - g.y(0)).toBe(ROW);
    expect(g.foot).toBe(g.top + 2 * ROW);
    expect(g.left).toBeLessThan(g.right);
  });
  it("gives labels and words at most a third each, also on a phone", () => {
    const narrow = geometryOf(spec([row("とても長い条件の名前がここに入る場合の表示", 1, 0, 2, { note: "≈ cannot be told apart from the control at all" })]), 320);
    expect(narrow.left).toBeLessThanOrEqual(320 * 0.32 + 1e-9);
    expect(narrow.right).toBeGreaterThanOrEqual(320 * 0.68 - 1e-9);
  });
  it("keeps the numbers of the axis apart", () => {
    const tight = geometryOf(spec([row("a", 123456, 100000, 150000)]), 320);
    for (let k = 1; k < tight.ticks.length; k += 1) {
      const [before, after] = [tight.ticks[k - 1], tight.ticks[k]];
      expect((after?.x ?? 0) - (before?.x ?? 0)).toBeGreaterThan(textWidth(after?.text ?? ""));
    }
  });
  it("draws ends only where the interval really ends", () => {
    const inside = whisker(g, { at: 5, low: 4, high: 6 }, 20);
    expect(inside.match(/v8/g)).toHaveLength(2);
    const cut = whisker(g, { at: 1, low: -3, high: 4 }, 20);
    expect(cut.match(/v8/g)).toHaveLength(1);
    expect(cut.startsWith(`M${Number(g.left.toFixed(1))} 20`)).toBe(true);
    expect(whisker(g, { at: 1, low: null, high: 4 }, 20)).toBe("");
  });
});

describe("words", () => {
  it("are cut to their width, full-width letters counted double", () => {
    expect(textWidth("菌体")).toBeGreaterThan(textWidth("ab") * 1.5);
    // Identifiers are of capitals, which take more room than small letters.
    expect(textWidth("DS-GROWS-ORG-D")).toBeGreaterThan(110);
    expect(fitted("short", 200)).toBe("short");
    const cut = fitted("条件の名前が長いとき", 60);
    expect(cut.endsWith("…")).toBe(true);
    expect(textWidth(cut)).toBeLessThanOrEqual(60);
  });
});

describe("the plot as a file", () => {
  it("has every label, mark and interval, escaped", () => {
    const svg = intervalSvg("Titre <g/L>", spec([row("a & b", 5, 4, 6, { singles: [4.5, 5.5] }), row("none", null, null, null, { note: "✕ not measured" })], { lines: [{ at: 5, label: "control" }] }));
    expect(svg).toContain("<title>Titre &lt;g/L&gt;</title>");
    expect(svg).toContain("a &amp; b");
    expect(svg.match(/<circle/g)).toHaveLength(2);
    expect(svg).toContain("✕ not measured");
    expect(svg).not.toContain("NaN");
  });
});
