import { describe, expect, it } from "vitest";
import { exampleControl, controlDraft, controlInput, emptyControl } from "../control/question";
import { clipped, diagramSpec, regions } from "../gas/diagram";
import { examplePlan, mixtureOf, readPlan } from "../gas/plan";
import { draftOf as profileDraft, EXAMPLE, profileInput } from "../profile/question";
import { draftOf as scaleDraft, scaleInput } from "../scaleup/question";
import { draftOf as rulesDraft, readMoves, readPairs, rulesInput } from "../twinrules/question";

describe("scale-up", () => {
  it("asks only what was filled in, and tells what is no number", () => {
    const draft = scaleDraft(new URLSearchParams("from=vessel-30l&agitation_per_min=500&power_w=a&seed=1.5&non_coalescing=1"));
    const { input, faults } = scaleInput(draft);
    expect(input).toEqual({ from: "vessel-30l", agitation_per_min: 500, non_coalescing: true });
    expect(faults).toEqual(["power_w", "seed"]);
  });
});

describe("rules on the twin", () => {
  it("reads what is what and what moves, and hands back what it cannot read", () => {
    expect(readPairs("dry-weight = X\npH=ph\nX")).toEqual({ pairs: { "dry-weight": "X", pH: "ph" }, wrong: ["X"] });
    expect(readMoves("do:feed = F × 1.15\ndo:hold = F*１\ndo:less = F x 0.9\ndo:bad = F 1.1")).toEqual({
      moves: { "do:feed": { profile: "F", factor: 1.15 }, "do:hold": { profile: "F", factor: 1 }, "do:less": { profile: "F", factor: 0.9 } },
      wrong: ["do:bad = F 1.1"],
    });
  });
  it("asks in seconds what people say in minutes", () => {
    const draft = rulesDraft(new URLSearchParams({ plant: "m", until: "60 h", every: "6 h", goal: "titre", state: "dry-weight = X", moves: "do:feed = F × 1.15", age: "20", runs: "run-1, run-2" }));
    expect(rulesInput(draft)).toEqual({ faults: [], input: { plant: "m", until: "60 h", every: "6 h", goal: "titre", state: { "dry-weight": "X" }, moves: { "do:feed": { profile: "F", factor: 1.15 } }, runs: ["run-1", "run-2"], max_age_s: 1200 } });
    expect(rulesInput({ ...draft, hidden: "{", plant: "" }).faults).toEqual([{ field: "plant", fault: "required" }, { field: "hidden", fault: "not-json" }]);
  });
});

describe("profiles", () => {
  it("become the question", () => {
    const draft = { ...profileDraft(new URLSearchParams()), ...EXAMPLE, line: "1" };
    expect(profileInput(draft)).toEqual({ faults: [], input: { model: "srinivasan-2003", goal: "P", until: "150 h", controls: { feed: { low: "0 L/h", high: "0.2 L/h", line: true } }, limits: [{ quantity: "X", high: "3.7 g/L" }], intervals: 10, starts: 4 } });
    expect(profileInput({ ...draft, controls: "feed", starts: "many" }).faults).toEqual([{ field: "controls", fault: "line", line: "feed" }, { field: "starts", fault: "not-an-integer" }]);
  });
});

describe("control", () => {
  it("becomes the question", () => {
    const { input, faults } = controlInput(exampleControl());
    expect(faults).toEqual([]);
    expect(input.inputs["feed"]).toEqual({ low: "0 L/h", high: "0.2 L/h", recipe: [{ at: "0 h", value: "0.03 L/h" }], rise_max: "0.1 L/h", move_cost: 1 });
    expect(input.sensors["X"]).toEqual({ sd: "0.05 g/L", low: "-0.5 g/L", high: "20 g/L", frozen_after: 3 });
    expect(input.faults).toEqual([{ sensor: "X", from: "50 h", until: "90 h", fault: "silent" }]);
  });
  it("says what is missing at its place", () => {
    const fields = controlInput(emptyControl()).faults.map((one) => one.field);
    for (const field of ["model", "aim", "until", "step", "inputs.0.name", "inputs.0.recipe", "sensors.0.sd"]) expect(fields).toContain(field);
  });
  it("comes back from the address as it went, and a broken address is an empty form", () => {
    expect(controlDraft(JSON.stringify(exampleControl()))).toEqual(exampleControl());
    expect(controlDraft("{")).toEqual(emptyControl());
    expect(controlDraft('{"model":5,"inputs":[{}]}')).toEqual({ ...emptyControl(), sensors: [], inputs: [{ name: "", low: "", high: "", recipe: "", rise: "", cost: "" }] });
  });
});

describe("gas", () => {
  const rules = [["h2-lfl-air", 4], ["h2-ufl-air", 75], ["h2-ufl-oxygen", 94], ["h2-loc", 4.6], ["margin-fuel", 0.25], ["margin-oxygen", 0.6]].map(([id, value]) => ({ id: String(id), value: Number(value), label: { en: "", ja: "" }, note: { en: "", ja: "" }, source: "", unit: "", version: 1 }));
  const holds = (polygon: readonly (readonly [number, number])[], x: number, y: number) => {
    let inside = false;
    polygon.forEach(([x1, y1], k) => {
      const [x2, y2] = polygon[(k + 1) % polygon.length] ?? [0, 0];
      if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
    });
    return inside;
  };
  it("cuts a polygon along a line", () => {
    expect(clipped([[0, 0], [2, 0], [2, 2], [0, 2]], 1, 0, 1)).toEqual([[1, 0], [2, 0], [2, 2], [1, 2]]);
    expect(clipped([[0, 0], [2, 0], [2, 2]], 1, 0, 5)).toEqual([]);
  });
  it("draws what could burn and the margins as the rules say", () => {
    const found = regions(rules);
    // Verdicts of `culture gas-safety`: 70 % H2 with 20 % O2 burns; 9.7 % with 2.757 % is outside; 60 % with 4 % lies within the margin.
    expect(holds(found?.burns ?? [], 70, 20)).toBe(true);
    expect(holds(found?.burns ?? [], 60, 4)).toBe(false);
    expect(holds(found?.near ?? [], 60, 4)).toBe(true);
    expect(holds(found?.near ?? [], 9.65, 2.757)).toBe(false);
    // In air the upper limit is 75 %: a point just beyond it on the line of air no longer burns.
    expect(holds(found?.burns ?? [], 74.9, (100 - 74.9) * 0.2095)).toBe(true);
    expect(holds(found?.burns ?? [], 75.1, (100 - 75.1) * 0.2095)).toBe(false);
    expect(regions(rules.slice(1))).toBeNull();
  });
  it("reads plans and mixtures", () => {
    expect(readPlan(JSON.stringify(examplePlan(1)))?.phases).toHaveLength(4);
    expect([readPlan("["), readPlan("[]")]).toEqual([null, null]);
    expect(mixtureOf(70, 20, 10)).toEqual({ hydrogen: 0.7, oxygen: 0.2, carbon_dioxide: 0.1, nitrogen: 0 });
    expect([mixtureOf(70, 40, null), mixtureOf(-1, 0, 0)]).toEqual([null, null]);
    const words = { burns: "", near: "", judged: "", safe: "", blocked: "b", hydrogen: "", oxygen: "", all: "" };
    expect(diagramSpec(rules, { judged: [], safe: [], blocked: [{ label: "x", hydrogen: 5, oxygen: 6 }] }, words).series.map((one) => one.id)).toEqual(["near", "burns", "all", "blocked"]);
  });
});
