import { describe, expect, it } from "vitest";
import type { FluxDeletions } from "../api/flux";
import { pairGrid, pairKind, pairOf, sortedPairs } from "./pairs";

const answer = (results: [string[], number | null][]): FluxDeletions => ({
  status: "optimal",
  objective: { id: "B", value: 2, unit: "mmol/g/h" },
  wild_type: 2,
  results: results.map(([genes, growth]) => ({ genes, reactions: [], growth, status: growth === null ? "infeasible" : "optimal" })),
  tried: results.length,
  essential: [],
  programmes: 1,
  findings: [],
});
const single = answer([[["a"], 2], [["b"], 1], [["c"], 0], [["d"], 1]]);
const both = answer([[["b", "a"], 0.001], [["a", "c"], 0], [["d", "a"], 1], [["b", "c"], null], [["b", "d"], 0.2], [["c", "d"], 0]]);

describe("a pair", () => {
  it("is lethal only where either alone leaves growth", () => {
    expect(pairKind(0, 1, 0.5)).toBe("lethal");
    expect(pairKind(0, 1, 0)).toBe("none");
    expect(pairKind(0.5, 1, 0.5)).toBe("none");
    expect(pairKind(0.1, 0.5, 0.5)).toBe("worse");
    expect(pairKind(0.5, 0.5, 0.5)).toBe("better");
  });
});

describe("the grid", () => {
  const grid = pairGrid(["a", "b", "c", "d"], single, both);
  it("has every pair once, whichever way it was told", () => {
    expect(grid.pairs).toHaveLength(6);
    const of = pairOf(grid);
    expect(of("b", "a")).toBe(of("a", "b"));
    expect(of("a", "b")).toMatchObject({ share: 0.0005, expected: 0.5, kind: "lethal" });
    expect(of("b", "c")).toMatchObject({ share: 0, expected: 0, kind: "none" });
    expect(of("b", "d")).toMatchObject({ expected: 0.25, kind: "worse" });
    expect(of("a", "a")).toBeUndefined();
    expect(grid.alone.get("c")).toBe(0);
  });
  it("lists the lethal first, then what is furthest from the expectation", () => {
    expect(sortedPairs(grid.pairs).map((one) => one.ids.join("")).slice(0, 2)).toEqual(["ab", "bd"]);
  });
  it("leaves out what was not told", () => expect(pairGrid(["a", "x"], single, both).pairs).toEqual([]));
});
