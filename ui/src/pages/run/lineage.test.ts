import { describe, expect, it } from "vitest";
import type { LineageNode } from "../../api/culture";
import { branches, inTreeOrder, scaleRows } from "./lineage";

const node = (run: string, parent: string | null, scale_l: number): LineageNode => ({ run, title: run, parent, scale_l, depth: 0, quantities: [] });

describe("a lineage", () => {
  it("grows from the seed, smaller scale first", () => {
    const tree = branches([node("3000", "30", 3000), node("30", "seed", 30), node("seed", null, 0.1), node("1", "seed", 1)]);
    expect(tree.map((branch) => branch.node.run)).toEqual(["seed"]);
    expect(inTreeOrder(tree).map((one) => one.run)).toEqual(["seed", "1", "30", "3000"]);
  });
  it("shows every run once, in a cycle too", () => {
    const order = inTreeOrder(branches([node("a", "b", 1), node("b", "a", 2), node("c", "c", 3)])).map((one) => one.run);
    expect([...order].sort()).toEqual(["a", "b", "c"]);
  });
  it("keeps a run whose parent the reader may not see", () => {
    expect(branches([node("x", "hidden", 1)]).map((branch) => branch.node.run)).toEqual(["x"]);
  });
  it("puts engineering numbers in rows, one cell a run", () => {
    const kla = { ja: "kLa", en: "kLa" };
    const rows = scaleRows({
      root: "a",
      nodes: [],
      design_came_from: [],
      design_led_to: [],
      scale: [
        { run: "a", code: "reynolds", label: { ja: "レイノルズ数", en: "Reynolds number" }, value: 1, unit: "1", why_missing: null, limits: null },
        { run: "a", code: "kla", label: kla, value: 200, unit: "/h", why_missing: null, limits: null },
        { run: "b", code: "kla", label: kla, value: null, unit: "/h", why_missing: { ja: "通気量がありません", en: "no gas flow" }, limits: null },
        { run: "b", code: "other", label: { ja: "そのほか", en: "Other" }, value: 2, unit: "1", why_missing: null, limits: null },
      ],
      warnings: [],
    });
    expect(rows.map((row) => row.code)).toEqual(["kla", "reynolds", "other"]);
    expect(rows[0]?.cells.get("b")?.why_missing?.en).toBe("no gas flow");
  });
});
