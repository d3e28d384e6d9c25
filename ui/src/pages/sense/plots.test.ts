import { describe, expect, it } from "vitest";
import type { DecisionRules, ExplainedSensor, Observers, Vocabulary } from "../../api/types";
import { agreementSpec, biasSpec, estimate, explainSpec, leanOf, repeatSpec } from "./plots";
import { termChoices } from "./term-choices";

const text = (en: string) => ({ ja: en, en });

describe("observers", () => {
  it("lean only where the interval keeps clear of zero", () => {
    expect(leanOf({ bias: 0.5, bias_interval: { low: 0.1, high: 0.9 } })).toBe("high");
    expect(leanOf({ bias: -0.5, bias_interval: { low: -0.9, high: -0.1 } })).toBe("low");
    expect(leanOf({ bias: 0.5, bias_interval: { low: -0.1, high: 1.1 } })).toBe("none");
    expect(leanOf({ bias: 0.5, bias_interval: null })).toBe("unknown");
    expect(leanOf({})).toBe("unknown");
  });
  it("are drawn each on a line, also when nothing could be told", () => {
    const observers = [
      { observer: "N-1", judgements: 4, shared: 2, repeated: 2, bias: 0.5, bias_interval: { low: 0.1, high: 0.9 }, repeatability: 0.3, repeatability_interval: { low: 0.2, high: 0.6 } },
      { observer: "N-2", judgements: 1, shared: 0, repeated: 0 },
    ];
    const term: Observers["terms"][number] = { term: "sake:120", label: text("Fruity"), samples: 2, repeats: [], panel: { observers, agreement_of: [] } };
    const bias = biasSpec(term, { axis: "", zero: "none", lean: (lean) => lean });
    expect(bias.rows.map((row) => [row.id, row.shape, row.note, row.main?.at ?? null])).toEqual([["N-1", "dot", "high", 0.5], ["N-2", "ring", "unknown", null]]);
    expect(bias.lines[0]?.at).toBe(0);
    expect(repeatSpec(term, { axis: "", repeated: String }).rows[0]?.main).toEqual({ at: 0.3, low: 0.2, high: 0.6 });
  });
});

describe("sensors behind the nose", () => {
  it("stand on the scale of a correlation, with time taken out below", () => {
    const sensor = { key: "ethanol", label: text("Ethanol"), unit: "%", n: 9, runs: 3, sensor: 0, says: text("strong"), rho: 0.7, interval: { low: 0.5, high: 0.9 }, rho_given_time: 0.4 } as const;
    const findings: ExplainedSensor["finding"][] = ["associated", "maybe-time", "weak", "cannot-tell"];
    const spec = explainSpec(findings.map((finding, k) => ({ ...sensor, finding, key: String(k) })), { axis: "", zero: "", label: (one) => one.key, note: (one) => one.finding });
    expect(spec.fixed).toEqual([-1, 1]);
    expect(spec.rows.map((row) => row.shape)).toEqual(["dot", "square", "ring", "ring"]);
    expect(spec.rows[0]?.beside).toEqual({ at: 0.4, low: null, high: null });
    expect(estimate(null, null)).toBeNull();
  });
  it("offers odours one by one and stages as a whole, what was recorded first", () => {
    const vocabulary = (vocabulary: string, prefix: string, attribute: string, scale: string | null, codes: string[]): Vocabulary => ({
      vocabulary,
      prefix,
      attribute,
      scale,
      label: text(vocabulary),
      about: text(""),
      source: "",
      version: 1,
      term: codes.map((code) => ({ code, label: text(code) })),
    });
    const groups = termChoices(
      [vocabulary("sake-wheel", "sake", "odour", "intensity", ["120", "310"]), vocabulary("moromi-foam", "foam", "foam", null, ["taka", "ochi"]), vocabulary("intensity", "level", "level", null, ["1"]), vocabulary("action", "do", "action", null, ["cool"])],
      [["foam:taka", 5], ["foam:ochi", 4], ["sake:310", 7], ["gone:1", 99]],
    );
    expect(groups.map((group) => [group.key, group.terms.map((term) => `${term.code} ${term.n}`)])).toEqual([
      ["seen", ["moromi-foam 9", "sake:310 7"]],
      ["sake-wheel", ["sake:120 0", "sake:310 7"]],
      ["whole", ["moromi-foam 9"]],
    ]);
  });
});

describe("agreement of rules", () => {
  it("is drawn against always doing the usual", () => {
    const held: NonNullable<DecisionRules["held_out"]> = { runs: 4, n: 20, decided: [], right: 0.8, right_interval: { low: 0.7, high: 0.9 }, usual: 0.5, gain: 0.3 };
    const spec = agreementSpec(held, { axis: "", rules: "rules", usual: "usual", gain: "gain", note: "" });
    expect(spec.fixed).toEqual([0, 1]);
    expect(spec.rows.map((row) => row.main?.at)).toEqual([0.8, 0.5]);
    expect(spec.lines[0]?.at).toBe(0.5);
  });
});
