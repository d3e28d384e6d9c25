import { describe, expect, it } from "vitest";
import { cameOf, columnsOf, inside, readCampaign, readProposal, reasons, settingText, sheetRows } from "./campaign";
import { campaignInput, emptyCampaign, emptyFactor, emptyLimit, resultsInput } from "./form";
import { foretoldSpec, progressSpec, unitsSpec } from "./plots";

const campaign = readCampaign({
  name: "T-1",
  factors: [{ name: "temperature", unit: "Cel", low: 25, high: 35, shared: true }, { name: "medium", options: ["A", "B"] }],
  outputs: [{ name: "titre", unit: "g/L" }, { name: "sugar", unit: "g/L", at_most: 5 }],
  default_recipe: { temperature: 30, medium: "A" },
  default_results: [{ position: "d1", values: { titre: 1 } }],
  units: 24,
});
const expected = [{ output: 0, mean: 7, low: 6, high: 8, sd: 0.5, holds: 1 }, { output: 1, mean: 2, low: 0, high: 4, sd: 1, holds: 0.9 }];
const proposal = readProposal("p1", {
  number: 2,
  runs: [
    { position: "A1", group: "1", point: [28, 1], why: "exploit", expected, holds: 0.9, gain: 0.4 },
    { position: "A2", group: "1", point: [29, 0], why: "no-such-reason", expected: [], holds: 1, gain: null },
    { position: "A3", group: "1", point: [29, 0], why: "replicate", expected, holds: 0.5 },
  ],
  results: [{ position: "A1", values: { titre: 7.5, sugar: "x" }, source: "HPLC" }],
  stopping: { gain: 0.5 },
});
const show = (value: number) => value.toFixed(1);
const plain = (code: string) => code;

describe("a campaign as it is kept", () => {
  it("is read, and what is not readable is left out, not guessed", () => {
    expect([campaign.factors[0]?.low, campaign.factors[1]?.options, campaign.outputs[1]?.atMost]).toEqual([25, ["A", "B"], 5]);
    expect(proposal.runs[1]?.why).toBe("fill-space");
    expect(proposal.results[0]?.values).toEqual({ titre: 7.5 });
    expect([proposal.gain, proposal.runs[2]?.gain]).toEqual([0.5, null]);
    expect(readCampaign({}).factors).toEqual([]);
  });
  it("stands in the usual shapes of plates", () => expect([24, 12, 6, 1].map(columnsOf)).toEqual([6, 4, 6, 1]));
  it("shows options by name and numbers in their unit", () => {
    expect(settingText(campaign.factors[1]!, 1, show)).toBe("B");
    expect(settingText(campaign.factors[0]!, 28, show)).toBe("28.0");
    expect(settingText(campaign.factors[0]!, undefined, show)).toBe("–");
  });
});

describe("what came", () => {
  it("is what was told, else what was read from the run", () => {
    const came = cameOf(proposal, new Map([["A1", { titre: 1 }], ["A3", { titre: 9 }]]));
    expect([came.get("A1")?.["titre"], came.get("A2"), came.get("A3")?.["titre"]]).toEqual([7.5, undefined, 9]);
  });
  it("lies inside what was foretold, ends included, or cannot be told", () => {
    const one = proposal.runs[0]?.expected[0];
    expect([inside(one, 8), inside(one, 8.01), inside(one, undefined), inside(undefined, 7)]).toEqual([true, false, null, null]);
  });
});

describe("why this next", () => {
  it("says what is expected, whether limits hold, and what it adds", () => {
    const all = reasons(campaign, proposal.runs[0]!, show, plain, plain);
    expect(all.map((one) => one.key)).toEqual(["campaign.reason.exploit", "campaign.reason.limits", "campaign.reason.gain"]);
    expect(all[0]?.vars).toEqual({ goal: "titre", mean: "7.0", low: "6.0", high: "8.0", sd: "0.5", unit: "g/L" });
    expect([all[1]?.vars["percent"], all[2]?.vars["gain"]]).toEqual(["90", "0.4"]);
  });
  it("says so where nothing could be foretold", () => expect(reasons(campaign, proposal.runs[1]!, show, plain, plain).map((one) => one.key)).toEqual(["campaign.reason.nothing_known"]));
});

describe("the sheet", () => {
  it("has every unit with recipe, expectations, reason, and a column for what is measured", () => {
    const { header, rows } = sheetRows(campaign, proposal, cameOf(proposal, new Map()), (run) => run.why);
    expect(header).toEqual(["position", "group", "why", "temperature (Cel)", "medium", "titre (g/L) expected", "titre low", "titre high", "sugar (g/L) expected", "sugar low", "sugar high", "limits_hold", "gain", "reason", "titre (g/L) measured", "sugar (g/L) measured"]);
    expect(rows[0]).toEqual(["A1", "1", "exploit", 28, "B", 7, 6, 8, 2, 0, 4, 0.9, 0.4, "exploit", 7.5, null]);
    expect(rows[1]?.slice(5, 8)).toEqual([null, null, null]);
  });
});

describe("figures", () => {
  const round = { proposal, came: new Map([["A1", { titre: 7.5 }], ["A3", { titre: 9 }]]) };
  const first = { proposal: { ...proposal, number: 1 }, came: new Map([["A1", { titre: 10 }]]) };
  it("carry the best of earlier rounds on, and take the least where less is better", () => {
    const words = { round: "", goal: "", single: "", best: "", usual: "" };
    const best = (less: boolean) => progressSpec({ ...campaign, lowerIsBetter: less }, [first, round], words).series.find((one) => one.id === "best")?.points;
    expect(best(false)).toEqual([{ x: 1, y: 10 }, { x: 2, y: 10 }]);
    expect(best(true)).toEqual([{ x: 1, y: 10 }, { x: 2, y: 7.5 }]);
    expect(progressSpec(campaign, [round], words).series.find((one) => one.id === "usual")?.points).toEqual([{ x: 0, y: 1, text: "d1" }]);
  });
  it("put what was foretold against what came, only where both are known", () => {
    const spec = foretoldSpec([round], campaign, { came: "", foretold: "", alike: "", round: String });
    expect(spec.series.map((one) => one.id)).toEqual(["alike", "round-2"]);
    expect(spec.series[1]?.points.map((point) => [point.x, point.y, point.low, point.high])).toEqual([[7.5, 7, 6, 8], [9, 7, 6, 8]]);
    expect(foretoldSpec([], campaign, { came: "", foretold: "", alike: "", round: String }).series).toEqual([]);
  });
  it("show every unit, foretold or not", () => {
    const spec = unitsSpec(campaign, round, "titre", (within) => String(within));
    expect(spec.rows.map((row) => [row.main?.at, row.singles, row.note])).toEqual([[7, [7.5], "true"], [undefined, [], "null"], [7, [9], "false"]]);
  });
});

describe("the form", () => {
  it("says every missing field at its place", () => {
    const draft = { ...emptyCampaign(), limits: [emptyLimit()], units: "1.5" };
    expect(campaignInput(draft).faults.map((one) => `${one.field} ${one.fault}`)).toEqual(["name required", "goal required", "goalUnit required", "factors.0.name required", "factors.0.usual required", "factors.0.low required", "factors.0.high required", "limits.0.name required", "limits.0.unit required", "units not-an-integer"]);
  });
  it("becomes the question, full-width digits and all", () => {
    const factor = { ...emptyFactor(), name: "temperature", unit: "Cel", low: "２５", high: "35", usual: "30", shared: true };
    const { input, faults } = campaignInput({ ...emptyCampaign(), name: " T-1 ", goal: "titre", goalUnit: "g/L", factors: [factor], limits: [{ name: "sugar", unit: "g/L", atLeast: "", atMost: "5" }], budget: "48", noiseShare: "0.2" });
    expect(faults).toEqual([]);
    expect(input).toEqual({ name: "T-1", factors: [{ name: "temperature", unit: "Cel", low: 25, high: 35, shared: true }], goal: { name: "titre", unit: "g/L" }, default_recipe: { temperature: 30 }, limits: [{ name: "sugar", unit: "g/L", at_most: 5 }], budget_runs: 48, stop_rule: { noise_share: 0.2 } });
  });
  it("takes results of filled rows only, and tells what is no number", () => {
    expect(resultsInput({ A1: { titre: "7,500.5", sugar: "" }, A2: { titre: " " } }, "HPLC")).toEqual({ results: [{ position: "A1", values: { titre: 7500.5 }, source: "HPLC" }], faults: [] });
    expect(resultsInput({ A1: { titre: "ca. 7" } }, "").faults).toEqual([{ field: "A1.titre", fault: "not-a-number" }]);
  });
});
