import { describe, expect, it } from "vitest";
import type { Vocabulary } from "../api/types";
import { grouped, recentFirst, tapped, tapsOf } from "./terms";

const text = (en: string) => ({ ja: `${en}（和）`, en });
const base = { version: 1, about: text("about"), source: "s", ordered: false };
const ALL: Vocabulary[] = [
  { ...base, vocabulary: "wheel", prefix: "w", attribute: "odour", scale: "intensity", label: text("Wheel"), class: [{ code: "1", label: text("Fruity") }], term: [{ code: "120", label: text("Banana"), class: "1" }, { code: "510", label: text("Aged") }] },
  { ...base, vocabulary: "foam", prefix: "foam", attribute: "foam", label: text("Foam"), term: [{ code: "taka", label: text("High"), number: 4 }] },
  { ...base, vocabulary: "intensity", prefix: "level", attribute: "level", ordered: true, label: text("Intensity"), term: [{ code: "0", label: text("None"), number: 0 }, { code: "3", label: text("Clear"), number: 3 }] },
];

describe("taps", () => {
  it("ask for a level where the vocabulary is graded, and not where the term says it all", () => {
    const odour = tapsOf(ALL, "odour");
    expect(odour.map((tap) => [tap.code, tap.group?.en, tap.steps.map((step) => step.number)])).toEqual([
      ["w:120", "Fruity", [0, 3]],
      ["w:510", "Wheel", [0, 3]],
    ]);
    expect(tapsOf(ALL, "foam").map((tap) => [tap.code, tap.steps.length, tap.number])).toEqual([["foam:taka", 0, 4]]);
    expect(tapsOf(ALL, "sound")).toEqual([]);
    expect(tapsOf(ALL, "odour", "wheel")).toHaveLength(2);
    expect(tapsOf(ALL, "odour", "another")).toEqual([]);
    expect(grouped(odour).map((group) => [group.label?.en, group.taps.length])).toEqual([["Fruity", 1], ["Wheel", 1]]);
  });

  it("put first what was tapped last, each once", () => {
    const recent = tapped(tapped(tapped([], "w:120"), "gone:1"), "w:510");
    expect(recent).toEqual(["w:510", "gone:1", "w:120"]);
    const sorted = recentFirst(tapsOf(ALL, "odour"), recent, 1);
    expect(sorted.recent.map((tap) => tap.code)).toEqual(["w:510"]);
    expect(sorted.rest.map((tap) => tap.code)).toEqual(["w:120"]);
    expect(tapped(["a", "b"], "b")).toEqual(["b", "a"]);
  });
});
