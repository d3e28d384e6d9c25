import { describe, expect, it } from "vitest";
import type { FluxDesigned, FluxDesignStep } from "../api/flux";
import { queryText } from "../state/route";
import { applied, designCsv, designKey, designRows, feedstock, growthOf, heldBounds, provable, readDesign, regionsOf, sortedDesigns, strainOf } from "./designs";
import { readEdits, type Edits } from "./edits";
import { Network } from "./network";
import { model as modelOf, reaction as reactionOf } from "./sample";

const none: Edits = readEdits({ out: null, set: null, med: null, obj: null, min: null });
const gene = (id: string): FluxDesignStep => ({ change: "remove-gene", id });

describe("a design in the address", () => {
  it("is read as it was written, whatever order it has", () => {
    const steps: FluxDesignStep[] = [gene("b1"), { change: "hold", id: "PFK <= 5, x" }];
    const text = queryText(designKey(steps));
    expect(text).toBe(queryText(designKey([...steps].reverse())));
    expect(readDesign(text)).toEqual([{ change: "hold", id: "PFK <= 5, x" }, gene("b1")]);
  });
  it("leaves out what is no step", () => expect(readDesign("remove-gene:,burn:b1,:b2,remove-gene:b3")).toEqual([gene("b3")]));
});

describe("a limit", () => {
  const now = (id: string) => (id === "PFK" ? { lower: -1, upper: null } : null);
  it("replaces the side it says", () => {
    expect(heldBounds("PFK <= 5", now)).toEqual(["PFK", { lower: -1, upper: 5 }]);
    expect(heldBounds("PFK>=2e-1", now)).toEqual(["PFK", { lower: 0.2, upper: null }]);
    expect(heldBounds("PFK = 3", now)).toEqual(["PFK", { lower: 3, upper: 3 }]);
  });
  it("is none where it is a sum, no number, or of no reaction", () => {
    for (const text of ["PFK + PGI <= 5", "PFK <= many", "NONE <= 5", ""]) expect(heldBounds(text, now), text).toBeNull();
  });
});

const model = modelOf(
  [
    reactionOf("R", { a_c: -1, b_c: 1 }, { gene_rule: "g1 and g2", genes: ["g1", "g2"] }),
    reactionOf("S", { b_c: -1, c_c: 1 }, { gene_rule: "g3", genes: ["g3"], upper: null }),
    reactionOf("B", { c_c: -1 }, { kind: "biomass" }),
  ],
  { objective: { id: "obj", sense: "maximize", terms: [["B", 1]] } },
);
const network = new Network(model);
const answer = (designs: FluxDesigned["designs"]): FluxDesigned => ({
  method: "robustknock",
  over: "genes",
  growth_of: "B",
  product_of: "P",
  flux_unit: "mmol/g/h",
  wild_type: { growth: 2, product: [0, 0] },
  designs,
  found: designs.length,
  complete: true,
  candidates: 1,
  programmes: 1,
  findings: [],
});
const design = (steps: FluxDesignStep[], growth: number, product: [number, number]) => ({ interventions: steps, cost: steps.length, growth, product });

describe("rows", () => {
  // g1 and g2 stop the same reaction, g3 stops another.
  const [a, b, c] = ["g1", "g2", "g3"] as const;
  const all = answer([design([gene(a)], 1, [1, 2]), design([gene(b)], 1, [1, 2]), design([gene(c)], 0.5, [3, 4])]);

  it("stand together where they stop the same, and apart on request", () => {
    const rows = designRows(all, none, network);
    expect(rows.map((row) => [row.rank, row.others.length, row.share, row.least])).toEqual([[1, 1, 0.5, 1], [3, 0, 0.25, 3]]);
    expect(rows.map((row) => row.lost)).toEqual([["R"], ["S"]]);
    expect(designRows(all, none, network, false)).toHaveLength(3);
    // What is out already is lost to no design.
    expect(designRows(all, { ...none, out: ["S"] }, network).map((row) => row.lost)).toEqual([["R"], []]);
    expect(designCsv(rows).rows.map((row) => row[1])).toEqual([`remove-gene ${a}`, `remove-gene ${b}`, `remove-gene ${c}`]);
  });
  it("are sorted by growth, product or place", () => {
    const rows = designRows(all, none, network);
    expect(sortedDesigns(rows, "growth").map((row) => row.rank)).toEqual([3, 1]);
    expect(sortedDesigns(rows, "-least").map((row) => row.rank)).toEqual([3, 1]);
    expect(sortedDesigns(rows, "edits").map((row) => row.rank)).toEqual([1, 3]);
  });
});

describe("applying", () => {
  const id = "R";
  const [reaction] = model.reactions;
  it("adds to the changes that are there and changes none of them", () => {
    const edits: Edits = { ...none, out: ["x"], medium: new Map([["EX", 1]]) };
    const after = applied([gene("g1"), gene("x"), { change: "hold", id: `${id} <= 0.5` }], edits, network);
    expect(after.out).toEqual(["x", "g1"]);
    expect(after.bounds.get(id)).toEqual({ lower: reaction?.lower ?? null, upper: 0.5 });
    expect(after.medium).toBe(edits.medium);
    expect(edits.bounds.size).toBe(0);
  });
  it("names the strain by what is removed and held", () => {
    const strain = strainOf([gene("g"), { change: "remove-reaction", id: "R" }, { change: "hold", id: `${id} >= 0.25` }], none, network);
    expect(strain).toEqual({ genes_out: ["g"], reactions_out: ["R"], held: { [id]: [0.25, reaction?.upper ?? 1000] } });
    expect(strainOf([gene("g")], none, network)).toEqual({ genes_out: ["g"], reactions_out: [] });
  });
});

describe("what is asked", () => {
  it("grows by what was chosen, then by the objective", () => {
    expect(growthOf(network, "X")).toBe("X");
    expect(growthOf(network, null)).toBe("B");
    const sum = { id: "obj", sense: "maximize" as const, terms: [["R", 1], ["S", 1]] as [string, number][] };
    expect(growthOf(new Network({ ...model, objective: sum }), null), "the biomass reaction").toBe("B");
    expect(growthOf(new Network({ ...model, objective: null, reactions: model.reactions.slice(0, 2) }), null)).toBeNull();
  });
  it("parts regions by semicolons of either width", () => expect(regionsOf(" A <= 1, max B;；C >= 2 ")).toEqual(["A <= 1, max B", "C >= 2"]));
  it("is proved apart where targets are limits alone", () => {
    expect(provable(["P <= 1, B >= 0.05", "maximum <= 2"])).toBe(true);
    expect(provable(["P <= 1", "P <= 1, max B"])).toBe(false);
  });
  it("takes the exchange of most carbon for the feedstock, not what is in abundance", () => {
    const formulas: Record<string, string> = { glc: "C6H12O6", co2: "CO2", ac: "C2H3O2", ca: "Ca", o2: "O2" };
    const made = modelOf(Object.keys(formulas).map((id) => reactionOf(`EX_${id}`, { [id]: -1 }, { kind: "exchange" })));
    const small = new Network({ ...made, metabolites: made.metabolites.map((one) => ({ ...one, formula: formulas[one.id] ?? null })) });
    expect(feedstock(small, { EX_glc: 5, EX_co2: 1000, EX_ac: 10, EX_ca: 100, EX_o2: 20 })).toBe("EX_glc");
    expect(feedstock(small, { EX_o2: 20, EX_ca: 100 })).toBeNull();
  });
});
