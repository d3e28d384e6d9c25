import { describe, expect, it } from "vitest";
import type { RankCondition, Ranking } from "../../api/culture";
import { layOut } from "../plate/layout";
import { countOf, shownTo, stretchOf } from "./feedback";
import { emptyCondition, emptyPlan, fieldOfPlace, planInput, unitsAsked, type PlanDraft } from "./plan";
import { ranked, rankRows, rankSpec, RANK_HEADER, type RankWords } from "./rank";
import { layoutUnits } from "./units";

const draft = (more: Partial<PlanDraft> = {}): PlanDraft => ({ ...emptyPlan("control"), name: "E1", system: "ves-24", conditions: [emptyCondition("control", true), emptyCondition("25 °C")], ...more });

describe("the form of a plan", () => {
  it("asks what was filled in, and leaves the rest out", () => {
    const warm = { ...emptyCondition("33 °C"), replicates: "４", learner: " S-01 ", settings: [{ variable: "temperature", value: "33", unit: "Cel" }, { variable: "", value: "", unit: "" }] };
    const { input, faults } = planInput(draft({ replicates: "3", seed: "7", conditions: [emptyCondition("control", true), warm] }));
    expect(faults).toEqual([]);
    expect(input).toEqual({
      name: "E1",
      system: "ves-24",
      replicates: 3,
      response: "titre-final",
      seed: 7,
      conditions: [{ name: "control", control: true }, { name: "33 °C", replicates: 4, learner: "S-01", settings: { temperature: { value: 33, unit: "Cel" } } }],
    });
  });
  it("says what is wrong at its field", () => {
    const bad = { ...emptyCondition("control"), replicates: "1.5", settings: [{ variable: "ph", value: "seven", unit: "" }], recipe: "{" };
    const { faults } = planInput(draft({ name: " ", system: "", replicates: "0", seed: "-1", conditions: [emptyCondition("control", true), bad, emptyCondition()] }));
    expect(faults.map((fault) => `${fault.field} ${fault.fault}`)).toEqual([
      "name required",
      "system required",
      "replicates not-an-integer",
      "seed not-an-integer",
      "conditions.1.replicates not-an-integer",
      "conditions.1.settings not-a-number",
      "conditions.1.recipe not-json",
      "conditions.2.name required",
      "conditions.1.name twice",
    ]);
  });
  it("takes a recipe only as an object, and a setting only once", () => {
    const twice = { ...emptyCondition("b"), settings: [{ variable: "ph", value: "7", unit: "[pH]" }, { variable: "ph", value: "6", unit: "[pH]" }], recipe: "[1]" };
    expect(planInput(draft({ conditions: [twice] })).faults.map((fault) => fault.fault)).toEqual(["twice", "not-json"]);
    const good = { ...emptyCondition("b"), recipe: '{"ph": 6.8}' };
    expect(planInput(draft({ conditions: [good] })).input.conditions[0]?.recipe).toEqual({ ph: 6.8 });
  });
  it("counts the units as they are typed: 25 on 24 is seen before it is asked", () => {
    expect(unitsAsked(draft())).toBe(6);
    expect(unitsAsked(draft({ replicates: "12", conditions: [{ ...emptyCondition("a"), replicates: "13" }, emptyCondition("b")] }))).toBe(25);
    expect(unitsAsked(draft({ replicates: "x" }))).toBe(2);
  });
  it.each([
    ["conditions", "conditions"],
    ["conditions[3].recipe", "conditions"],
    ["conditions.3.name", "conditions"],
    ["/replicates", "replicates"],
    ["dry_run", null],
    [undefined, null],
  ])("knows the field of %s", (place, field) => expect(fieldOfPlace(place)).toBe(field));
});

const condition = (name: string, more: Partial<RankCondition> = {}): RankCondition => ({
  condition: name,
  control: false,
  n: 3,
  rank: null,
  mean: null,
  sd: null,
  low: null,
  high: null,
  difference: null,
  difference_low: null,
  difference_high: null,
  p: null,
  verdict: "not-separable",
  units: [],
  ...more,
});
const ranking: Ranking = {
  experiment: "E",
  name: "E1",
  response: "titre-final",
  label: { ja: "力価", en: "Titre" },
  unit: "g/L",
  lower_is_better: false,
  confidence: 0.95,
  control: "c",
  conditions: [
    condition("none", { n: 0, verdict: "not-measured" }),
    condition("c", { control: true, n: 1, rank: 2, mean: 9.5, low: 8.5, high: 10.5, verdict: "control", units: [{ run: "r1", title: "r1", position: "A1", value: 9.5 }] }),
    condition("b", { rank: 1, mean: 13, low: 12, high: 14, difference: 3, difference_low: 1.5, difference_high: 4.5, p: 0.001, verdict: "better" }),
  ],
  missing: [
    { position: "A2", condition: "c", why: { ja: "測定値がありません", en: "it was not measured" } },
    { position: "A3", condition: "none", why: { ja: "この槽の培養がまだありません", en: "no run stands on this unit yet" } },
  ],
  pooled_sd: 0.8,
  degrees_of_freedom: 2,
  edge: null,
  method: { ja: "", en: "" },
  advice: [],
};
const words: RankWords = { verdict: (verdict) => verdict, control: "control", zero: "none", axis: "Titre", axisDifference: "Difference" };

describe("a ranking as a plot", () => {
  it("goes by rank, unmeasured last", () => {
    expect(ranked(ranking.conditions).map((one) => one.condition)).toEqual(["b", "c", "none"]);
  });
  it("shows means with the control's line, single values, and a shape for each verdict", () => {
    const spec = rankSpec(ranking, "means", words);
    expect(spec.lines).toEqual([{ at: 9.5, label: "control" }]);
    expect(spec.rows.map((row) => [row.id, row.shape, row.main?.at ?? null, row.note])).toEqual([
      ["b", "dot", 13, "▲ better"],
      ["c", "square", 9.5, "■ control"],
      ["none", "ring", null, "✕ not-measured"],
    ]);
    expect(spec.rows[1]?.singles).toEqual([9.5]);
  });
  it("shows differences around zero, where the control stands without an interval", () => {
    const spec = rankSpec(ranking, "differences", words);
    expect(spec.lines).toEqual([{ at: 0, label: "none" }]);
    expect(spec.rows[0]?.main).toEqual({ at: 3, low: 1.5, high: 4.5 });
    expect(spec.rows[1]?.main).toEqual({ at: 0, low: null, high: null });
  });
  it("has a row of the CSV for every condition", () => {
    const rows = rankRows(ranking);
    expect(rows).toHaveLength(3);
    for (const row of rows) expect(row).toHaveLength(RANK_HEADER.length);
  });
});

describe("units of an experiment", () => {
  const planned = [
    { unit: 1, position: "A1", row: 1, column: 1, condition: "c", replicate: 1, control: true, edge: true, block: 1 },
    { unit: 2, position: "A2", row: 1, column: 2, condition: "b", replicate: 1, control: false, edge: true, block: 1, learner: "S-1" },
  ];
  it("join the plan with what runs, whatever the spelling of a position", () => {
    const units = layoutUnits(planned, [
      { position: "A02", row: 1, column: 2, state: "running", run: "R2", title: "two", t_s: [], value: [], last: null, alarms: 0 },
      { position: "B9", row: 2, column: 9, state: "ended", run: "R9", condition: "x", t_s: [0], value: [1], last: 1, alarms: 0 },
    ]);
    expect(units.map((unit) => [unit.position, unit.state, unit.run, unit.condition, unit.learner])).toEqual([
      ["A1", "planned", null, "c", null],
      ["A2", "running", "R2", "b", "S-1"],
      ["B9", "ended", "R9", "x", null],
    ]);
  });
  it("stand where the plan says when their position is a number of its own", () => {
    const numbered = layoutUnits([{ unit: 7, position: "R-7", row: 2, column: 1, condition: "c" }, { position: "R-8", row: "2", condition: "c" }], []);
    const plate = layOut(numbered, 2, 2);
    expect(plate.cells.flat().map((one) => one?.position ?? null)).toEqual([null, null, "R-7", null]);
    expect(plate.loose.map((one) => one.position)).toEqual(["R-8"]);
  });
  it("survive a record that holds something else", () => {
    expect(layoutUnits(null, [])).toEqual([]);
    expect(layoutUnits([1, null, {}, { position: "" }], [])).toEqual([]);
  });
});

describe("feedback", () => {
  const point = (from_s?: number, to_s?: number) => ({ topic: "feed-start", verdict: "watch" as const, message: { ja: "", en: "" }, ...(from_s === undefined ? {} : { from_s }), ...(to_s === undefined ? {} : { to_s }) });
  it("leads to the stretch it is about, and around a single moment", () => {
    expect(stretchOf(point(3600, 7200))).toEqual({ from: 3600, to: 7200, moment: false });
    expect(stretchOf(point(3600))).toEqual({ from: 1800, to: 5400, moment: true });
    expect(stretchOf(point(3600, 3600))?.moment).toBe(true);
    expect(stretchOf(point())).toBeNull();
  });
  it("is shown to the learner chosen, with all their runs; a class of one needs no choice", () => {
    const learner = (name: string, run: string) => ({ learner: name, run, title: run, points: [point(1), { ...point(2), verdict: "good" as const }], compared: [] });
    const all = [learner("S-1", "a"), learner("S-1", "b"), learner("S-2", "c")];
    expect(shownTo(all, "S-1").map((one) => one.run)).toEqual(["a", "b"]);
    expect(shownTo(all, null)).toEqual([]);
    expect(shownTo(all.slice(0, 1), null)).toHaveLength(1);
    expect([countOf(all[0] ?? learner("", ""), "good"), countOf(all[0] ?? learner("", ""), "improve")]).toEqual([1, 0]);
  });
});
