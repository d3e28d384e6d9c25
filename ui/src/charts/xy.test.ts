import { describe, expect, it } from "vitest";
import { xyBand, xyFrame, xyPath, xyRows, xySpans, xyWhisker, type XySeries, type XySpec } from "./xy";
import { xySvg } from "./xy-svg";

const series = (more: Partial<XySeries>): XySeries => ({ id: "a", label: "A", kind: "line", points: [], ...more });
const spec = (one: XySeries, more: Partial<XySpec> = {}): XySpec => ({ series: [one], xLabel: "x", yLabel: "y", ...more });

describe("spans", () => {
  it("hold the ends of intervals and the lines of reference", () => {
    const spans = xySpans(spec(series({ kind: "points", points: [{ x: 1, y: 5, low: -1, high: 9 }, { x: 3, y: null }] }), { lines: [{ y: 20, label: "limit" }] }));
    expect(spans.y[0]).toBeLessThan(-1);
    expect(spans.y[1]).toBeGreaterThan(20);
    expect(spans.x[0]).toBeLessThan(1);
  });
  it("are there without any number, and as they are fixed", () => {
    expect(xySpans(spec(series({})))).toEqual({ x: [0, 1], y: [0, 1] });
    expect(xySpans(spec(series({ points: [{ x: 9, y: 9 }] }), { xFixed: [0, 4], yFixed: [-1, 1] }))).toEqual({ x: [0, 4], y: [-1, 1] });
  });
});

describe("what is drawn", () => {
  const fixed = { xFixed: [0, 10], yFixed: [0, 10] } as const;
  it("runs up for more and right for later", () => {
    const frame = xyFrame(spec(series({}), fixed), 600);
    expect(frame.x(0)).toBe(frame.left);
    expect(frame.x(10)).toBe(frame.right);
    expect(frame.y(0)).toBe(frame.foot);
    expect(frame.y(10)).toBe(frame.top);
  });
  it("breaks a line where a value is missing, holds a step, closes an area", () => {
    const points = [{ x: 0, y: 1 }, { x: 1, y: 2 }, { x: 2, y: null }, { x: 3, y: 4 }];
    const frame = xyFrame(spec(series({}), fixed), 600);
    expect(xyPath(frame, series({ points })).match(/M/g)).toHaveLength(2);
    expect(xyPath(frame, series({ points: points.slice(0, 2), kind: "step" }))).toMatch(/^M\S+ \S+H\S+V\S+$/);
    expect(xyPath(frame, series({ points: points.slice(0, 2), kind: "area" })).endsWith("Z")).toBe(true);
    expect(xyPath(frame, series({ points: [] }))).toBe("");
  });
  it("cuts an interval where the axis ends", () => {
    const frame = xyFrame(spec(series({}), fixed), 600);
    expect(xyWhisker(frame, { x: 5, y: 5, low: -90, high: 90 })).toContain(`V${frame.top}`);
    expect(xyWhisker(frame, { x: 5, y: 5 })).toBe("");
  });
  it("fills a band there and back", () => {
    const frame = xyFrame(spec(series({}), fixed), 600);
    expect(xyBand(frame, series({ points: [{ x: 0, y: 1, low: 0, high: 2 }, { x: 1, y: 1, low: 0, high: 2 }] })).match(/L/g)).toHaveLength(3);
    expect(xyBand(frame, series({ points: [{ x: 0, y: 1 }] }))).toBe("");
  });
  it("marks rounds at whole numbers", () => {
    const frame = xyFrame(spec(series({}), { xFixed: [0.6, 2.4], xWhole: true }), 600);
    expect(frame.xTicks.map((tick) => tick.at)).toEqual([1, 2]);
  });
});

describe("files", () => {
  it("have every point, with ends where there are some", () => {
    const one = series({ kind: "points", points: [{ x: 1, y: 5, low: 4, high: 6 }] });
    expect(xyRows(spec(one))).toEqual({ header: ["series", "x", "y", "low", "high"], rows: [["A", 1, 5, 4, 6]] });
    expect(xyRows(spec(series({ points: [{ x: 1, y: null }] }))).rows).toEqual([["A", 1, null]]);
  });
  it("write the title, the labels and the legend into the SVG", () => {
    const svg = xySvg("P<1>", spec(series({ label: "a & b", kind: "points", mark: "ring", points: [{ x: 1, y: 5 }] }), { xLabel: "time (h)", lines: [{ x: 1, label: "now" }] }));
    for (const part of ["<title>P&lt;1&gt;</title>", "a &amp; b", "time (h)", ">now<"]) expect(svg).toContain(part);
  });
});
