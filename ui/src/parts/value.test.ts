import { describe, expect, it } from "vitest";
import type { Value } from "../api/types";
import { isValue, numberText, plotPoint, valueText } from "./value";

const check = (value: Value, en: string, ja = en) => {
  expect(valueText(value, "en")).toBe(en);
  expect(valueText(value, "ja")).toBe(ja);
};

describe("valueText", () => {
  it("keeps a censored value a limit", () => {
    check({ kind: "less-than", high: 10.04, unit: "mg/L", text: "< 10.04" }, "< 10.04 mg/L");
    check({ kind: "less-than", high: 20, unit: "U/L", text: "< 20.00" }, "< 20.00 U/L");
    check({ kind: "less-than", text: "< low" }, "< low");
    check({ kind: "greater-than", low: 4000, unit: "mg/L", text: "> 4000" }, "> 4000 mg/L");
    check({ kind: "below-detection", text: "n.d." }, "below detection", "検出限界未満");
    check({ kind: "below-detection", high: 0.5, unit: "g/L", text: "<0.5" }, "below detection (< 0.5 g/L)", "検出限界未満 (< 0.5 g/L)");
  });
  it("keeps the digits of the source when they say this number", () => {
    check({ kind: "exact", number: 2.4, unit: "mmol/L", text: "2.40" }, "2.40 mmol/L");
    // converted from g/dL: the digits of the source are of another unit
    check({ kind: "exact", number: 5, unit: "g/L", text: "0.50", raw_unit: "g/dL" }, "5 g/L");
    check({ kind: "exact", number: 0, unit: "mg/L", text: "0" }, "0 mg/L");
    check({ kind: "exact", number: 1.22, unit: "g/L", text: "1.22", uncertainty: 0.02 }, "1.22 ± 0.02 g/L");
    check({ kind: "exact", number: 37, unit: "Cel", text: "37" }, "37 °C");
  });
  it("says what is not a number in words", () => {
    check({ kind: "range", low: 120, high: 140, unit: "L", text: "120–140" }, "120–140 L");
    check({ kind: "not-determined", text: "ERROR" }, "not determined", "未測定");
    check({ kind: "missing", text: "" }, "missing", "欠測");
    check({ kind: "text", text: "良い香り" }, "良い香り");
    check({ kind: "category", text: "3/5" }, "3/5");
  });
});

describe("plotPoint", () => {
  it("draws limits at the limit, marked as limits", () => {
    expect(plotPoint({ kind: "less-than", high: 10.04 })).toEqual({ number: 10.04, quality: 3 });
    expect(plotPoint({ kind: "greater-than", low: 9 })).toEqual({ number: 9, quality: 4 });
    expect(plotPoint({ kind: "exact", number: 1 })).toEqual({ number: 1, quality: 0 });
    expect(plotPoint({ kind: "range", low: 1, high: 3 })).toEqual({ number: 2, quality: 1 });
    expect(plotPoint({ kind: "missing" })).toBeNull();
    expect(plotPoint({ kind: "below-detection" })).toBeNull();
  });
});

describe("numberText", () => {
  it("groups, rounds and shortens", () => {
    expect(numberText(1234567.891, "en", 9)).toBe("1,234,567.89");
    expect(numberText(1.5e12, "en")).toBe("1.5e12");
    expect(numberText(0.00002, "en")).toBe("2e-5");
    expect(numberText(0, "en")).toBe("0");
    expect(numberText(Number.NaN, "en")).toBe("NaN");
  });
  it("knows value objects from other JSON", () => {
    expect(isValue({ kind: "exact", number: 1 })).toBe(true);
    expect(isValue({ kind: "strain" })).toBe(false);
    expect(isValue({ kind: "toString" })).toBe(false);
    expect(isValue(null)).toBe(false);
  });
});
