import { describe, expect, it } from "vitest";
import type { Channel, Run } from "../api/types";
import { valueText } from "../parts/value";
import { assayPanels, channelPanels, firstChannels, groupChannels, runMarks, secondsOf } from "./run-panels";

const say = (text: { en: string } | null | undefined) => text?.en ?? "";
const channel = (key: string, more: Partial<Channel> = {}): Channel => ({
  id: key,
  key,
  label: { ja: key, en: key },
  origin: "sensor",
  sampling: "periodic",
  points: 10,
  flagged: 0,
  ...more,
});
const run = (more: Partial<Run>): Run => ({
  id: "R1",
  title: "R1",
  fields: { vessel: "F1" },
  clock: { zone: "Asia/Tokyo", zone_evidence: "file", t0: "2024-05-06T00:00:00Z", t0_evidence: "inoculation" },
  channels: [],
  samples: [],
  events: [],
  observations: [],
  decisions: [],
  file: { name: "f", blob: "b", format: "x", imported_at: "2024-05-06T00:00:00Z", not_read: [], warnings: [] },
  ...more,
});

describe("panels of a run", () => {
  const channels = [
    channel("temp_sp", { quantity: "temperature", unit: "Cel", origin: "setpoint" }),
    channel("temp", { quantity: "temperature", unit: "Cel" }),
    channel("ph", { quantity: "ph", unit: "[pH]" }),
    channel("x1", { unit: "V" }),
    channel("x2", { unit: "V", points: 0 }),
  ];
  it("put one quantity in one unit together, measured values first", () => {
    const groups = groupChannels(channels, say);
    expect(groups.map((group) => group.channels.map((one) => one.key))).toEqual([["temp", "temp_sp"], ["ph"], ["x1"], ["x2"]]);
  });
  it("begin with a readable number of channels, never empty ones", () => {
    const many = Array.from({ length: 48 }, (_, i) => channel(`w${i}`, { quantity: "biomass", unit: "1" }));
    expect(firstChannels(groupChannels(many, say))).toHaveLength(8);
    expect(firstChannels(groupChannels(channels, say))).not.toContain("x2");
  });
  it("hold set points as steps and keep flags", () => {
    const plot = {
      run: "R1",
      channels: [{ id: "temp", label: { ja: "", en: "" }, down_sampled: true, total_points: 99, t_s: [0, 1], value: [1, 2], quality: [0, 2] }],
    };
    const panels = channelPanels(run({ channels }), plot, new Set(["temp", "temp_sp"]), say);
    expect(panels).toHaveLength(1);
    const [temp, setpoint] = panels[0]?.series ?? [];
    expect([temp?.q, temp?.total, temp?.downSampled, temp?.stepped]).toEqual([[0, 2], 99, true, false]);
    expect([setpoint?.stepped, setpoint?.t.length]).toEqual([true, 0]);
  });
  it("draw a censored assay at its limit and show it as the limit", () => {
    const samples = [
      { id: "s2", key: "S2", elapsed_s: 7200, assays: [{ id: "a2", analyte: "Glucose", value: { kind: "less-than" as const, high: 10.04, unit: "mg/L", text: "< 10.04" }, flags: [] }] },
      { id: "s1", key: "S1", time: "2024-05-06T01:00:00Z", assays: [{ id: "a1", analyte: "Glucose", value: { kind: "exact" as const, number: 50, unit: "mg/L", text: "50" }, flags: [] }] },
      { id: "s3", key: "S3", assays: [{ id: "a3", analyte: "Glucose", value: { kind: "exact" as const, number: 1, unit: "mg/L", text: "1" }, flags: [] }] },
    ];
    const series = assayPanels(run({ samples }), (assay) => valueText(assay.value, "en"))[0]?.series[0];
    expect(series?.t).toEqual([3600, 7200]);
    expect(series?.q).toEqual([0, 3]);
    expect(series?.texts).toEqual(["50 mg/L", "< 10.04 mg/L"]);
  });
});

describe("marks", () => {
  it("take elapsed time first, else clock time against t0, and list the timeless last", () => {
    expect(secondsOf({ elapsed_s: 0, time: "2024-05-06T01:00:00Z" }, "2024-05-06T00:00:00Z")).toBe(0);
    expect(secondsOf({ time: "2024-05-06T01:00:00Z" }, "2024-05-06T00:00:00Z")).toBe(3600);
    expect(secondsOf({ time: "2024-05-06T01:00:00Z" }, null)).toBeNull();
    const events = [
      { id: "e0", type: "note", label: { ja: "", en: "No time" } },
      { id: "e1", type: "feed", label: { ja: "", en: "Feed" }, elapsed_s: 60, note: "why" },
    ];
    const words = { event: "Event", observation: "Observation", sample: "Sample", decision: "Decision", decisionPart: (name: string, said: string) => `${name}: ${said}`, outcome: (code: string) => code, value: () => "" };
    const marks = runMarks(run({ events }), say, words);
    expect(marks.map((entry) => entry.mark.id)).toEqual(["e1", "e0"]);
    expect(marks[0]?.mark.note).toBe("why");
  });
  it("tell of a decision why, what was rejected and expected, and the verdict", () => {
    const decisions = [{ id: "d1", elapsed_s: 5, done: "cool", why: "too lively", rejected: "water", expected: "calmer", outcome: "worse", verdict: "rose" }];
    const words = { event: "", observation: "", sample: "", decision: "", decisionPart: (name: string, said: string) => `${name}: ${said}`, outcome: (code: string) => code.toUpperCase(), value: () => "" };
    const [entry] = runMarks(run({ decisions }), say, words);
    expect(entry?.mark).toMatchObject({ id: "d1", kind: "decision", t: 5, label: "cool" });
    expect(entry?.mark.note).toBe("why: too lively; rejected: water; expected: calmer; outcome: WORSE: rose");
  });
});
