import { describe, expect, it } from "vitest";
import { chanceText, intervalText, signedText } from "./interval-text";
import { fixedText, numberText, sharedDecimals } from "./value";

describe("numbers of a column", () => {
  it("share decimals that tell a hundredth of their width apart", () => {
    expect([7.2, 300, 0.05, 1, 0, Number.NaN].map(sharedDecimals)).toEqual([2, 0, 4, 2, 2, 2]);
    expect(fixedText(11, "en", 2)).toBe("11.00");
    expect(fixedText(12345.6, "en", 0)).toBe("12,346");
    expect(fixedText(-0.001, "en", 2)).toBe("0.00");
    expect(numberText(-0, "en")).toBe("0");
  });
  it("say intervals, differences and chances", () => {
    expect(intervalText(1, 2.5, "en", 2)).toBe("1.00 – 2.50");
    expect(intervalText(0.39841, 0.428, "ja")).toBe("0.3984 – 0.428");
    expect(intervalText(null, 2, "en")).toBe("–");
    expect([0.3, -0.3, 0, 0.0001, null].map((value) => signedText(value, "en", 2))).toEqual(["+0.30", "-0.30", "0.00", "0.00", "–"]);
    expect([0, 0.0004, 0.0123, 0.5, Number.NaN, undefined].map((p) => chanceText(p, "en"))).toEqual(["< 0.001", "< 0.001", "0.012", "0.500", "–", "–"]);
  });
});
