import { describe, expect, it } from "vitest";
import type { FluxConstrained, FluxEnzymeData } from "../api/flux";
import { queryText } from "../state/route";
import { heaviest, moved, readEnzymes, readFactors, scaled, sliders, writeFactors } from "./enzymes";

const data: FluxEnzymeData = {
  enzymes: { e: { mass_kda: 40 } },
  turnovers: [
    { reaction: "R", kcat_per_s: 5, subunits: { e: 1 } },
    { reaction: "R", way: "forward", kcat_per_s: 8, subunits: { e: 2 } },
    { reaction: "R", way: "backward", kcat_per_s: 3, subunits: { e: 1 } },
  ],
  pool_g_per_g: 0.1,
};
const answer = (control: FluxConstrained["control"], fluxes: Record<string, number>, usage: FluxConstrained["usage"] = {}): FluxConstrained => ({
  status: "optimal",
  objective: { id: "B", value: 1, unit: "mmol/g/h" },
  pool_used_g_per_g: 0.1,
  usage,
  control,
  flux_unit: "mmol/g/h",
  fluxes,
  findings: [],
});

describe("a file of enzymes", () => {
  it("is read, or told where it is wrong", () => {
    expect(readEnzymes(JSON.stringify(data))).toEqual(data);
    const fault = (change: object) => readEnzymes(JSON.stringify({ ...data, ...change }));
    expect(readEnzymes("{")).toEqual({ fault: "JSON" });
    expect(readEnzymes("[]")).toEqual({ fault: "{}" });
    expect(fault({ enzymes: {} })).toEqual({ fault: "enzymes" });
    expect(fault({ enzymes: { x: { mass_kda: -1 } } })).toEqual({ fault: "enzymes.x.mass_kda" });
    expect(fault({ turnovers: [{ ...data.turnovers[0], kcat_per_s: 0 }] })).toEqual({ fault: "turnovers[0].kcat_per_s" });
    expect(fault({ pool_g_per_g: 0 })).toEqual({ fault: "pool_g_per_g" });
  });
});

describe("factors", () => {
  it("stand in the address and within their limits; one is none", () => {
    const factors = new Map([["R~forward", 2.5], ["S~backward", 1]]);
    expect(readFactors(queryText(writeFactors(factors)))).toEqual(new Map([["R~forward", 2.5]]));
    expect(readFactors("R~forward~1000,R~up~2,R~backward~-1")).toEqual(new Map([["R~forward", 10]]));
  });
  it("scale all isozymes of a way and leave what was given", () => {
    expect(scaled(data, new Map([["R~forward", 2]])).turnovers.map((one) => one.kcat_per_s)).toEqual([10, 16, 3]);
    expect(data.turnovers[0]?.kcat_per_s).toBe(5);
  });
});

describe("what limits", () => {
  it("has a slider for what matters and for what was moved", () => {
    const base = answer([{ reaction: "R", way: "forward", control: 0.4 }, { reaction: "R", way: "forward", control: 0.1 }], {});
    expect(sliders(data, base, new Map([["R~backward", 2], ["X~forward", 3]]))).toEqual([
      { key: "R~forward", reaction: "R", way: "forward", kcat: 8, control: 0.5 },
      { key: "R~backward", reaction: "R", way: "backward", kcat: 3, control: 0 },
    ]);
  });
  it("lists enzymes by their protein and fluxes by how far they moved", () => {
    const usage = { a: { g_per_g: 0.02, mmol_per_g: 1 }, b: { g_per_g: 0.08, mmol_per_g: 1, of_measured: 1 }, c: { g_per_g: 0, mmol_per_g: 0 } };
    expect(heaviest(answer([], {}, usage)).map((one) => [one.id, Number(one.share.toFixed(9)), one.measured])).toEqual([["b", 0.8, 1], ["a", 0.2, null]]);
    expect(moved(answer([], { R: 1, S: 2 }), answer([], { R: 1, S: -1, T: 0.5 })).map((one) => one.id)).toEqual(["S", "T"]);
  });
});
