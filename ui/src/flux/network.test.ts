import { describe, expect, it } from "vitest";
import { equation, Network, searchText } from "./network";
import { parseRule, works } from "./rule";
import { model, reaction } from "./sample";

describe("gene rules", () => {
  const check = (text: string, without: string[], expected: boolean | null) => {
    const rule = parseRule(text);
    expect(rule === null ? null : works(rule, new Set(without)), text).toBe(expected);
  };
  it("are alternatives of complexes", () => {
    check("b1", ["b1"], false);
    check("b1 or b2", ["b1"], true);
    check("b1 or b2 and b3", ["b1", "b3"], false);
    check("b1 or b2 and b3", ["b2"], true);
    check("(b1 or b2) and b3", ["b1"], true);
    check("(b1 OR b2) AND b3", ["b3"], false);
    check("(b1|b2)&&b3", ["b2"], true);
    check("b1 and(b2 or b3)", ["b2"], true);
    check("b1 and(b2 or b3)", ["b2", "b3"], false);
  });
  it("keep a bracket inside a name", () => {
    check("MT-CO1(a) and b2", ["MT-CO1(a)"], false);
    check("MT-CO1(a) and b2", ["MT-CO1"], true);
  });
  it("that cannot be read are none", () => {
    for (const text of ["", "  ", "and", "b1 and", "(b1", "b1)", "b1 b2", "()"]) check(text, [], null);
  });
});

describe("network", () => {
  const network = new Network(
    model(
      [
        reaction("PFK", { atp_c: -1, f6p_c: -1, adp_c: 1, fdp_c: 1, h_c: 1 }, { gene_rule: "b3916 or b1723", genes: ["b3916", "b1723"], subsystem: "Glycolysis" }),
        reaction("PDH", { pyr_c: -1, accoa_c: 1 }, { gene_rule: "b0114 and b0115", genes: ["b0114", "b0115"], subsystem: "Glycolysis" }),
        reaction("EX_ac_e", { ac_e: -1 }, { kind: "exchange", lower: -10 }),
        reaction("HALF", { o2_c: -0.5, h2o_c: 1 }, { lower: -5, upper: 0 }),
      ],
      { genes: [{ id: "b3916", name: "pfkA" }, { id: "b1723" }, { id: "b0114" }, { id: "b0115" }] },
    ),
  );
  it("writes equations with the ways that are open", () => {
    const check = (id: string, expected: string) => expect(equation(network.reaction(id) ?? reaction("", {}))).toBe(expected);
    check("PFK", "atp_c + f6p_c → adp_c + fdp_c + h_c");
    check("EX_ac_e", "ac_e ⇌");
    check("HALF", "0.5 o2_c ← h2o_c");
  });
  it("says what a knock-out takes along", () => {
    const out = (...ids: string[]) => Object.fromEntries(network.outBy(ids));
    expect(out("b3916")).toEqual({});
    expect(out("b3916", "b1723")).toEqual({ PFK: "genes" });
    expect(out("b0115", "EX_ac_e")).toEqual({ PDH: "genes", EX_ac_e: "itself" });
    expect(out("nothing")).toEqual({});
  });
  it("is searched by names, genes, subsystem and metabolites", () => {
    const pfk = network.reaction("PFK");
    const text = pfk ? searchText(network, pfk) : "";
    for (const word of ["pfk", "pfka", "b1723", "glycolysis", "f6p_c"]) expect(text).toContain(word);
    expect(network.subsystems()).toEqual([["Glycolysis", 2]]);
  });
});
