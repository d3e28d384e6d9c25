import { describe, expect, it } from "vitest";
import { clockLabels, elapsedLabels, stepFor, timeSplits, zoneOffset } from "./axis";
import { DASHES, PALETTE, styleBeside, styleOf, stylesOf } from "./colour";
import { csvCell, fileName, panelRows, toCsv } from "./csv";
import { alignSeries, clampRange, lastAtOrBefore, notPositive, timeExtent, type Panel, type Series } from "./panel";
import { pythonSnippet } from "./python";
import { qualityText, unpackQuality } from "./quality";
import { panelSvg } from "./svg";
import { unitText } from "./units";
import { axisNumber, valueSplits } from "./value-axis";

function series(id: string, t: number[], v: (number | null)[], q: number[] | null = null): Series {
  return { id, label: id, style: styleOf(id), stepped: false, dots: false, t, v, q, total: t.length, downSampled: false };
}
const panel: Panel = { key: "ph", title: "pH", unit: "pH", series: [series("a", [0, 60, 120], [7, null, 6.9], [0, 0, (1 << 12) | (6 << 4) | 2])] };

describe("quality", () => {
  it("unpacks author, cause and status", () => {
    expect(unpackQuality(0)).toEqual({ status: "good", cause: "none", author: "source" });
    expect(unpackQuality((2 << 12) | (13 << 4) | 5)).toEqual({ status: "substituted", cause: "edited", author: "person" });
    expect(unpackQuality((1 << 12) | (6 << 4) | 2)).toEqual({ status: "bad", cause: "spike", author: "rule" });
    expect(unpackQuality(0xffff)).toEqual({ status: "unknown", cause: "unknown", author: "unknown" });
    expect(qualityText(3)).toBe("below-detection/none/source");
    expect(qualityText(0)).toBe("good");
  });
});

describe("aligning series with their own clocks", () => {
  it("keeps gaps, marks absent points as undefined, and keeps repeated times", () => {
    const [times, a, b] = alignSeries([series("a", [0, 2, 2, 4], [1, 2, 3, null]), series("b", [1, 2], [10, 20])]);
    expect(times).toEqual([0, 1, 2, 2, 4]);
    expect(a).toEqual([1, undefined, 2, 3, null]);
    expect(b).toEqual([undefined, 10, 20, undefined, undefined]);
  });
  it("uses one typed time axis where all clocks agree", () => {
    const [times, a] = alignSeries([series("a", [0, 1], [5, 6]), series("b", [0, 1], [7, 8])]);
    expect(times).toBeInstanceOf(Float64Array);
    expect(a).toEqual([5, 6]);
    expect(alignSeries([])).toEqual([[]]);
  });
  it("finds the last point at or before a time", () => {
    const at = (t: number) => lastAtOrBefore([0, 10, 10, 20], t);
    expect([at(-1), at(0), at(10), at(15), at(99)]).toEqual([-1, 0, 2, 2, 3]);
    expect(lastAtOrBefore([], 1)).toBe(-1);
  });
  it("knows extents and what a log axis cannot show", () => {
    expect(timeExtent([panel])).toEqual([0, 120]);
    expect(timeExtent([])).toBeNull();
    expect(notPositive([series("a", [0, 1, 2], [0, -1, 2])])).toBe(2);
  });
});

describe("zoom", () => {
  it("stays inside what was recorded and keeps its width", () => {
    expect(clampRange([-10, 10], [0, 100])).toEqual([0, 20]);
    expect(clampRange([95, 115], [0, 100])).toEqual([80, 100]);
    expect(clampRange([-50, 500], [0, 100])).toEqual([0, 100]);
    expect(clampRange([30, 20], [0, 100])[1]).toBeGreaterThan(30);
  });
});

describe("time axis", () => {
  it("puts elapsed marks on round steps", () => {
    expect(timeSplits({ mode: "elapsed", t0: null, zone: "UTC" }, 0, 6 * 3600, 600)).toEqual([0, 1, 2, 3, 4, 5, 6].map((h) => h * 3600));
    expect(elapsedLabels([0, 3600, 5400], 48 * 3600)).toEqual(["0", "1", "1.5"]);
    expect(stepFor(86_400, 100, 64)).toBe(86_400);
  });
  it("puts clock marks on whole hours of the zone and names the day", () => {
    const t0 = Date.parse("2024-05-06T14:10:00Z");
    const splits = timeSplits({ mode: "clock", t0, zone: "Asia/Tokyo" }, 0, 4 * 3600, 400);
    expect(splits[0]).toBe(50 * 60);
    expect(clockLabels(splits, t0, "Asia/Tokyo")).toEqual(["00:00\n05-07", "01:00", "02:00", "03:00"]);
  });
  it("knows the offset of a zone, half hours and summer time too", () => {
    expect(zoneOffset(Date.parse("2024-07-01T00:00:00Z"), "Asia/Kolkata")).toBe(19_800);
    expect(zoneOffset(Date.parse("2024-07-01T00:00:00Z"), "Europe/Paris")).toBe(7200);
    expect(zoneOffset(Date.parse("1965-01-01T00:00:00.500Z"), "UTC")).toBe(0);
  });
  it("makes round value marks", () => {
    expect(valueSplits(0, 10, false)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(valueSplits(0.05, 2000, true)).toEqual([0.1, 1, 10, 100, 1000]);
    expect([axisNumber(1500000), axisNumber(0.0005), axisNumber(0.1 + 0.2)]).toEqual(["1.5e6", "5e-4", "0.3"]);
  });
});

describe("colours", () => {
  it("are the same for the same vessel", () => {
    expect(styleOf("F1")).toEqual(styleOf("F1"));
    expect(stylesOf(["F1", "F2"]).get("F1")?.colour).toBe(styleOf("F1").colour);
  });
  it("never give two of many vessels the same colour and dash", () => {
    const names = Array.from({ length: 12 }, (_, i) => `V${i}`);
    const styles = [...stylesOf(names).values()].map((style) => `${style.colour} ${style.dash.join()}`);
    const most = Math.max(...PALETTE.map((colour) => names.filter((name) => styleOf(name).colour === colour).length));
    expect(most).toBeLessThanOrEqual(DASHES.length);
    expect(new Set(styles).size).toBe(names.length);
  });
  it("give the series of a panel different colours", () => {
    const base = styleOf("F1");
    const colours = [0, 1, 2, 3, 4, 5].map((index) => styleBeside(base, index).colour);
    expect(colours[0]).toBe(base.colour);
    expect(new Set(colours).size).toBe(6);
  });
});

describe("units", () => {
  it.each([
    ["Cel", "°C"], ["[pH]", "pH"], ["%{sat}", "% sat"], ["10*6/mL", "10⁶/mL"], ["umol/L", "µmol/L"], ["1", ""], ["mL/h", "mL/h"],
    ["g.L-1", "g·L⁻¹"], ["{cells}/mL", "/mL cells"], ["m3", "m³"], ["", ""],
  ])("%s", (code, shown) => expect(unitText(code)).toBe(shown));
});

describe("csv", () => {
  it("quotes what needs quotes", () => {
    expect(["a", 'say "x"', "a,b", "a\nb", null, 1.5, { a: 1 }].map(csvCell)).toEqual(["a", '"say ""x"""', '"a,b"', '"a\nb"', "", "1.5", '"{""a"":1}"']);
    expect(toCsv(["a", "b"], [[1, "麹"]])).toBe("a,b\r\n1,麹\r\n");
  });
  it("writes every point with unit, time and quality", () => {
    const rows = panelRows(panel, "2024-05-06T00:00:00Z", [0, 120]);
    expect(rows).toEqual([
      ["a", 0, "2024-05-06T00:00:00.000Z", 7, "pH", "good", ""],
      ["a", 60, "2024-05-06T00:01:00.000Z", null, "pH", "good", ""],
      ["a", 120, "2024-05-06T00:02:00.000Z", 6.9, "pH", "bad/spike/rule", ""],
    ]);
    expect(panelRows(panel, null, [100, 120])).toHaveLength(1);
  });
  it("makes file names that every system takes", () => {
    expect(fileName("RUN/1", "溶存 酸素 (%)", "")).toBe("RUN-1_溶存-酸素");
  });
});

describe("svg", () => {
  it("breaks lines at gaps, draws flags and escapes text", () => {
    const svg = panelSvg({
      panel: { ...panel, title: "pH <&>" },
      range: [0, 120],
      axis: { mode: "elapsed", t0: null, zone: "UTC" },
      axisLabel: "Time (h)",
      valueLabel: "pH",
      log: false,
      hidden: new Set(),
      marks: [{ id: "e", kind: "event", t: 30, label: "Feed", note: "a & b" }],
    });
    expect(svg).toContain("pH &lt;&amp;&gt;");
    expect(svg).toContain("Feed: a &amp; b");
    expect(svg.match(/ d="M[\d.]+ [\d.]+M[\d.]+ [\d.]+"/)).not.toBeNull();
    expect(svg).toContain('transform="translate(');
  });
  it("leaves hidden series and non-positive log values out", () => {
    const spec = { panel, range: [0, 120] as [number, number], axis: { mode: "elapsed", t0: null, zone: "UTC" } as const, axisLabel: "h", valueLabel: "", log: true, marks: [] };
    expect(panelSvg({ ...spec, hidden: new Set(["a"]) })).not.toContain("<title>a</title>");
    const negative = { ...panel, series: [series("n", [0, 60], [-1, 0])] };
    expect(panelSvg({ ...spec, panel: negative, hidden: new Set() })).not.toContain("NaN");
  });
});

describe("copy as Python", () => {
  it("writes Python literals, not JSON ones", () => {
    const text = pythonSnippet("http://127.0.0.1:8080", "/api/v1/run/plot", { run: "true, null", raw: true, from: null, list: [false] }, "print(answer)");
    expect(text).toContain('"run": "true, null"');
    expect(text).toContain('"raw": True');
    expect(text).toContain('"from": None');
    expect(text).toContain("False");
    expect(text).toContain("http://127.0.0.1:8080/api/v1/run/plot");
  });
});
