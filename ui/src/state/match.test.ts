import { describe, expect, it } from "vitest";
import { bestMatches, matchScore } from "./match";

describe("the palette", () => {
  it("finds letters in order, best first", () => {
    const labels = ["Go to records", "Go to runs", "Import files", "Compare runs"];
    expect(bestMatches("runs", labels, (label) => label)).toEqual(["Go to runs", "Compare runs"]);
    expect(bestMatches("cr", labels, (label) => label)[0]).toBe("Compare runs");
    expect(bestMatches("", labels, (label) => label)).toEqual(labels);
    expect(bestMatches("zzz", labels, (label) => label)).toEqual([]);
  });
  it("takes full width for half width", () => {
    expect(matchScore("ＳＱＬ", "SQL による問い合わせ")).not.toBeNull();
    expect(matchScore("ｶﾀﾛｸﾞ", "カタログ")).not.toBeNull();
    expect(matchScore("x", "")).toBeNull();
  });
});
