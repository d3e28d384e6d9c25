import { describe, expect, it } from "vitest";
import type { FluxChecked } from "../api/flux";
import { withQuery } from "../state/route";
import { asked, isEdited, readEdits, toggled, writeBounds, writeMedium } from "./edits";
import { healthOf } from "./health";
import { Network } from "./network";
import { fluxText, rangeText, signedText } from "./number";
import { byNearness, difference, found, kept, rowsOf, sorted, width } from "./rows";
import { model, reaction } from "./sample";

const none = { out: null, set: null, med: null, obj: null, min: null };

describe("edits", () => {
  it("come back from the address as they were written", () => {
    const bounds = new Map([["EX_glc__D_e", { lower: -5, upper: null }], ["A,B~", { lower: 0, upper: 0 }]]);
    bounds.delete("A,B~");
    const medium = new Map([["EX_o2_e", 0], ["EX_ac_e", 2.5]]);
    const query = new URLSearchParams(withQuery("", { out: ["b0001", "P,K"], set: writeBounds(bounds), med: writeMedium(medium), obj: "EX_ac_e", min: true }));
    const get = (key: string) => query.get(key);
    const read = readEdits({ out: get("out"), set: get("set"), med: get("med"), obj: get("obj"), min: get("min") });
    expect(read).toEqual({ out: ["b0001", "P,K"], bounds, medium, objective: "EX_ac_e", minimize: true });
  });
  it("that are none are left out", () => {
    const read = readEdits({ ...none, set: "R~1,~1~2,R~x~2,OK~open~3", med: "EX~,EX~a,EY~1", out: "a,a" });
    expect([...read.bounds]).toEqual([["OK", { lower: null, upper: 3 }]]);
    expect([...read.medium]).toEqual([["EY", 1]]);
    expect(read.out).toEqual(["a"]);
    expect(isEdited(readEdits(none))).toBe(false);
  });
  it("ask the server for what is changed alone, and the medium whole", () => {
    const of = model([], { medium: { EX_glc: 10, EX_o2: 1000 } });
    expect(asked("m", of, readEdits(none))).toEqual({ model: "m" });
    expect(asked("m", of, readEdits({ out: "b,a", set: "R~open~3", med: "EX_o2~0,EX_ac~2", obj: "EX_ac", min: "1" }))).toEqual({ model: "m", knock_out: ["a", "b"], bounds: { R: [null, 3] }, medium: { EX_glc: 10, EX_ac: 2 }, objective: "EX_ac", minimize: true });
  });
  it("go out and in", () => {
    expect(toggled(["a"], "b")).toEqual(["a", "b"]);
    expect(toggled(["a", "b"], "a")).toEqual(["b"]);
  });
});

describe("rows", () => {
  const reactions = [reaction("A", { x_c: -1 }, { name: "Alpha" }), reaction("B", { y_c: -1 }, { name: "beta", genes: ["g1"] }), reaction("C", {})];
  const network = new Network(model(reactions));
  const rows = rowsOf(reactions, { fluxes: { A: 1, B: -5, C: 0 }, before: { A: 1, B: 5, C: 2 }, ranges: { A: [1, 1], B: [null, 3] }, out: new Map([["C", "genes"]]) });
  const ids = (list: typeof rows) => list.map((row) => row.reaction.id).join("");
  it("are kept and sorted", () => {
    expect(ids(kept(rows, "flowing"))).toBe("AB");
    expect(ids(kept(rows, "changed"))).toBe("BC");
    expect(ids(kept(rows, "open"))).toBe("B");
    expect(ids(sorted(rows, "-flux"))).toBe("BAC");
    expect(ids(sorted(rows, "-range"))).toBe("BAC");
    expect(ids(sorted(rows, "-change"))).toBe("BCA");
    expect(ids(sorted(rows, "name"))).toBe("CAB");
    expect(ids(sorted(rows, ""))).toBe("ABC");
    expect(rows.map(width)).toEqual([0, Infinity, 0]);
    expect(rows.map(difference)).toEqual([0, -10, -2]);
  });
  it("are found by every word", () => {
    const texts = new Map<string, string>();
    expect(reactions.filter((one) => found(network, texts, one, ["beta", "g1"])).map((one) => one.id)).toEqual(["B"]);
    expect(reactions.filter((one) => found(network, texts, one, [])).length).toBe(3);
    expect(byNearness([reaction("XPGI", {}), reaction("PGI2", {}), reaction("PGI", {})], "pgi").map((one) => one.id)).toEqual(["PGI", "PGI2", "XPGI"]);
  });
});

describe("fluxes in words", () => {
  it("have no rounding of the solver, and ends that may be none", () => {
    expect([1e-15, -7.123456789, 0.00001234, null].map((value) => fluxText(value, "en"))).toEqual(["0", "-7.1235", "1.23e-5", "–"]);
    expect([2, -2, 0].map((value) => signedText(value, "en"))).toEqual(["+2", "-2", "0"]);
    expect(rangeText(null, 3, "en")).toBe("[−∞, 3]");
  });
});

describe("the health report", () => {
  const checked = {
    status: "optimal",
    objective: { id: "BIO", value: 0.8, unit: "mmol/g/h" },
    trouble: null,
    structure: {
      size: [3, 4, 5],
      balance: { reactions: 3, imbalanced: [{ reaction: "R1", atoms: { H: 2, O: -1.5 }, charge_imbalance: -1 }], mass_unknown: ["R2"], charge_unknown: [] },
      only_produced: ["m"], only_consumed: [], crossed_bounds: [], closed_reactions: [], empty_reactions: [], unused_metabolites: [], unused_genes: [], without_genes: 1,
      duplicates: [{ reactions: ["A", "B", "C"], same_genes: true }],
    },
    consistency: null,
  } as unknown as FluxChecked;
  const line = (of: FluxChecked, key: string) => healthOf(of).find((one) => one.key === key);
  it("says what is wrong, what to look at, and what was not looked at", () => {
    expect(line(checked, "optimum")?.standing).toBe("good");
    expect(line(checked, "balanced")).toMatchObject({ standing: "bad", n: 1, about: [{ id: "R1", more: "H +2, O -1.5, e -1" }] });
    expect(line(checked, "duplicates")?.about).toEqual([{ id: "A", more: "= B, C" }]);
    expect(line(checked, "charge_unknown")?.standing).toBe("good");
    expect(line(checked, "blocked")?.standing).toBe("open");
  });
  it("of linear programmes is there after the full check", () => {
    const consistency = { unconserved: [], leak: { reactions: [["R1", 2]], metabolites: [] }, energy_cycles: [{ carrier: "ATP", rate: 1, reactions: [["R1", 1], ["R2", 2]] }], blocked: ["X"], blocked_open: [] };
    const full = { ...checked, consistency } as unknown as FluxChecked;
    expect(line(full, "leak")).toMatchObject({ standing: "bad", about: [{ id: "R1", more: "2" }] });
    expect(line(full, "energy")?.about).toEqual([{ id: "ATP", more: "R1, R2" }]);
    expect(line(full, "blocked")?.standing).toBe("look");
    expect(line(full, "masses")?.standing).toBe("good");
  });
});
