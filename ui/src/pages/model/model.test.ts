import { describe, expect, it } from "vitest";
import source from "../../../../crates/toji-culture/src/model/shipped.rs?raw";
import type { Fitted, FittedParameter, Simulated } from "../../api/model";
import { areaPlaces } from "../../charts/panel";
import { panelSvg } from "../../charts/svg";
import { eventMarks, quantityTitle, readingPanels, simulationPanels } from "./courses";
import { fanPanels, heldOf, percentOf, readForecast } from "./fan";
import { boundsText, profileSpec, residualSpec, RISE_95, valueOf, waterfall } from "./fitted";
import { levelsOf, noiseInput } from "./noise";
import { firstBound, readBounds, readPairs, soughtOf, unbounded, withPair, writeBounds, writePairs } from "./pairs";
import { SHIPPED, shortAddress, usualTime } from "./shipped";
import { cells, tableHead } from "./table-head";
import { likely, variablesOf } from "./variables";

const label = (name: string) => ({ ja: name, en: name });

describe("shipped models", () => {
  it("are those that the server holds", () => {
    const names = [...source.matchAll(/\("([a-z0-9-]+)", include_str!/g)].map((match) => match[1]);
    expect(names.length).toBeGreaterThan(0);
    expect(SHIPPED.map((one) => one.name)).toEqual(names);
  });
  it("have a usual time, and others a day or so in their unit", () => {
    expect(usualTime("park-ramirez-1988", "h")).toBe("15 h");
    expect(usualTime("sha256:00", "min")).toBe("24 min");
    expect(shortAddress(`sha256:${"ab".repeat(32)}`)).toBe("sha256:abababababab…");
    expect(shortAddress("monod-fed-batch")).toBe("monod-fed-batch");
  });
});

describe("settings in the address", () => {
  it("are read as they were written", () => {
    const pairs = { mu_max: "0.4 /h", S_feed: "500 g/L" };
    expect(readPairs(writePairs(pairs))).toEqual(pairs);
    expect(writePairs({ b: " 2 ", a: "1", c: " " })).toEqual(["a=1", "b=2"]);
    expect(readPairs(["=1", "x", "y=", "z=a=b"])).toEqual({ z: "a=b" });
    expect(withPair(pairs, "mu_max", " ")).toEqual({ S_feed: "500 g/L" });
  });
  it("keep bounds and tell which are missing", () => {
    const bounds = { mu_max: { low: "0.1 /h", high: "1 /h", each: false }, Y: { low: "0.3", high: "", each: true } };
    expect(readBounds(writeBounds(bounds))).toEqual(bounds);
    expect(unbounded(bounds)).toEqual(["Y"]);
    expect(soughtOf(bounds)).toEqual({ mu_max: ["0.1 /h", "1 /h"], Y: { low: "0.3", high: "", each: true } });
  });
  it("begin with bounds around what the model has", () => {
    expect(firstBound(0.5, "/h")).toEqual({ low: "0.05 /h", high: "5 /h", each: false });
    expect(firstBound(2, "1")).toEqual({ low: "0.2", high: "20", each: false });
    expect(firstBound(-1, "Cel")).toEqual({ low: "-2 Cel", high: "0 Cel", each: false });
    expect(firstBound(0, "g/L")).toEqual({ low: "", high: "", each: false });
  });
  it("read levels and noise", () => {
    expect(levelsOf("90, 50%、80")).toEqual([0.5, 0.8, 0.9]);
    expect(levelsOf("95 100")).toEqual([]);
    expect(levelsOf("")).toEqual([]);
    expect(noiseInput({ X: "5 %", S: "0.1 g/L" })).toEqual({ X: { share: 0.05 }, S: { sd: "0.1 g/L" } });
    expect(percentOf(0.29)).toBe(29);
  });
});

const simulated = (values: number[]): Simulated =>
  ({
    id: "m",
    title: label("m"),
    source: "",
    time_unit: "h",
    set: [],
    series: [{ name: "X", label: { ja: "菌体", en: "Biomass" }, unit: "g/L", last: values[1], values }],
    happened: [{ time: 0.5, event: "feed on" }],
    solver: "",
    tolerance: 1e-6,
    solver_steps: 3,
    accurate: true,
    difference_max: 0,
    warnings: [],
    time: [0, 1],
  }) as Simulated;

describe("courses", () => {
  it("stand in seconds, the model as given dashed beside a change", () => {
    const [panel] = simulationPanels(simulated([1, 2]), simulated([1, 3]), (text) => text.en, { now: "now", base: "base" });
    expect(panel?.title).toBe("Biomass X");
    expect(panel?.series.map((one) => [one.label, Array.from(one.t), Array.from(one.v), one.style.dash.length > 0])).toEqual([
      ["now", [0, 3600], [1, 2], false],
      ["base", [0, 3600], [1, 3], true],
    ]);
    expect(eventMarks(simulated([1, 2]))[0]).toMatchObject({ t: 1800, label: "feed on", kind: "event" });
    expect(quantityTitle("X", "X")).toBe("X");
  });
  it("put readings as points over the model's line, limits with their mark", () => {
    const panels = readingPanels(fitted, () => "g/L", (name) => name, (run) => run, { measured: "measured", modelled: "model" });
    expect(panels.map((one) => one.key)).toEqual(["X", "S"]);
    const [dots, line] = panels[0]?.series ?? [];
    expect([dots?.dots, line?.dots, Array.from(dots?.t ?? [])]).toEqual([true, false, [0, 3600]]);
    expect(Array.from(panels[1]?.series[0]?.q ?? [])).toEqual([3]);
  });
});

const parameter = (over: Partial<FittedParameter>): FittedParameter =>
  ({ name: "k", label: label("k"), unit: "/h", identifiable: "determined", value: 2, low: 1, high: 3, at_best: 2, at_bound: false, profile: [[3, 4], [1, 4], [2, 0]], ...over }) as FittedParameter;
const fitted = {
  id: "m",
  time_unit: "h",
  parameters: [],
  spreads: [],
  starts: [12, null, 10, 10.5],
  readings: [
    { run: "b", quantity: "X", time: 1, measured: 3, modelled: 2.5 },
    { run: "b", quantity: "X", time: 0, measured: 1, modelled: 1.25 },
    { run: "b", quantity: "S", time: 2, measured: 0.1, modelled: 0.02, beyond: "below" },
  ],
} as unknown as Fitted;

describe("what a fit found", () => {
  it("gives no number where the data give none, whatever the answer holds", () => {
    expect(valueOf(parameter({}))).toBe(2);
    for (const identifiable of ["not-identifiable", "only-below", "only-above", "not-examined"] as const) expect(valueOf(parameter({ identifiable }))).toBeNull();
    expect(boundsText(parameter({}), "en")).toBe("1 – 3");
    expect(boundsText(parameter({ identifiable: "only-below" }), "en")).toBe("≥ 1");
    expect(boundsText(parameter({ identifiable: "only-above" }), "en")).toBe("≤ 3");
    expect(boundsText(parameter({ identifiable: "not-identifiable" }), "en")).toBe("–");
  });
  it("draws profiles in order with the limit of 95 %", () => {
    const spec = profileSpec(parameter({}), { x: "k", y: "rise", limit: "95 %" });
    expect(spec.sets[0]?.points.map((point) => point.x)).toEqual([1, 2, 3]);
    expect(spec.levels[0]?.at).toBe(RISE_95);
  });
  it("orders the starts and counts those that failed", () => {
    expect(waterfall(fitted.starts)).toEqual({ points: [{ x: 1, y: 0 }, { x: 2, y: 0.5 }, { x: 3, y: 2 }], failed: 1 });
    expect(waterfall([null])).toEqual({ points: [], failed: 1 });
  });
  it("takes no limit of detection for a difference", () => {
    const words = { x: "time", y: "residual" };
    expect(residualSpec(fitted, "X", (run) => run, words).sets[0]?.points).toEqual([{ x: 1, y: 0.5 }, { x: 0, y: -0.25 }]);
    expect(residualSpec(fitted, "S", (run) => run, words).sets).toEqual([]);
  });
});

const interval = (level: number, low: number[], high: number[]) => ({ level, at_once: true, evidence: "runs-left-out", runs: 9, statement: { ja: "文", en: "text" }, low, high });
const record = {
  id: "fc-1",
  fields: {
    title: "R9 · m",
    run: "R9",
    model: "m",
    scale: "0.25 L",
    made_at: "2026-04-01T00:00:00Z",
    time_unit: "h",
    bands: { time: [0, 2], lines: [{ quantity: "X", label: { ja: "菌体", en: "Biomass" }, unit: "g/L", mean: [1, 3], intervals: [interval(0.5, [0.9, 2.5], [1.1, 3.5]), interval(0.9, [0.7, 2], [1.3, 4]), { level: 0.8, low: [1], high: [2, 3] }] }] },
    outcomes: [
      { quantity: "X", scale: "0.25 L", level: 0.9, at_once: true, low: 1, high: 2, read: 1.5 },
      { quantity: "X", scale: "0.25 L", level: 0.9, at_once: true, low: 1, high: 2, read: 2.5 },
      { quantity: "X", scale: "0.25 L", level: 0.5, at_once: true, low: 1, high: 2, read: 2 },
      { broken: true },
    ],
  },
};

describe("forecasts", () => {
  it("are read from their records, without what cannot be drawn", () => {
    const forecast = readForecast(record);
    expect(forecast).toMatchObject({ run: "R9", model: "m", time: [0, 2] });
    expect(forecast?.lines[0]?.intervals.map((one) => one.level)).toEqual([0.5, 0.9]);
    expect(forecast?.outcomes).toHaveLength(3);
    expect(readForecast({ id: "x", fields: {} })).toBeNull();
  });
  it("are drawn widest first, each end a line of its own", () => {
    const forecast = readForecast(record);
    if (!forecast) throw new Error("no forecast");
    const [panel] = fanPanels(forecast, { say: (text) => text.en, mean: "mean", end: (percent, which) => `${percent} ${which}` }, 600);
    if (!panel) throw new Error("no panel");
    expect(panel.series.map((one) => one.label)).toEqual(["90 low", "90 high", "50 low", "50 high", "mean"]);
    expect(Array.from(panel.series[0]?.t ?? [])).toEqual([600, 7800]);
    expect(areaPlaces(panel).map(({ low, high }) => [low, high])).toEqual([[0, 1], [2, 3]]);
    const spec = { panel, range: [0, 7800] as [number, number], axis: { mode: "elapsed" as const, t0: null, zone: "UTC" }, axisLabel: "h", valueLabel: "g/L", log: false, hidden: new Set<string>(), marks: [] };
    expect(panelSvg(spec).match(/fill-opacity="0\.1\d?"/g)).toHaveLength(2);
    expect(panelSvg({ ...spec, hidden: new Set([panel.series[0]?.id ?? ""]) }).match(/fill-opacity="0\.1\d?"/g)).toHaveLength(1);
  });
  it("count what fell inside by quantity and level, ends included", () => {
    expect(heldOf(readForecast(record)?.outcomes ?? [])).toEqual([
      { quantity: "X", level: 0.5, at_once: true, readings: 1, inside: 1 },
      { quantity: "X", level: 0.9, at_once: true, readings: 2, inside: 1 },
    ]);
  });
});

describe("tables of runs", () => {
  it("tell what they hold", () => {
    expect(tableHead('# note\nrun,time [h],X [g/L],set:mu_set [/h],started\nR1,0,5,0.2,\nR1,6,9,,\n"R,2",0,5,,\n')).toEqual({ runs: ["R1", "R,2"], readings: ["X"], settings: ["mu_set"], rows: 3, missing: [] });
    expect(tableHead("culture,X\na,1").missing).toEqual(["run", "time"]);
    expect(cells('a,"b ""c"", d",')).toEqual(["a", 'b "c", d', ""]);
  });
});

describe("variables of runs", () => {
  it("come from channels and results, and the usual one is proposed", () => {
    const runs = [{ channels: [{ quantity: "dissolved-oxygen", quantity_label: label("DO") }, { quantity: null }], samples: [{ assays: [{ analyte: "glucose" }, { analyte: "dry-weight" }] }] }];
    const found = variablesOf(runs as never, (text) => text?.en ?? "");
    expect(found.map((one) => one.value)).toEqual(["dissolved-oxygen", "dry-weight", "glucose"]);
    expect([likely("X", found), likely("Glc", found), likely("glucose", found), likely("P", found)]).toEqual(["dry-weight", "glucose", "glucose", ""]);
  });
});
