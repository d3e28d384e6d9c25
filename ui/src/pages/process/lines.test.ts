import { describe, expect, it } from "vitest";
import { readLimits, readNamed, readRanges, readTimed } from "./lines";

describe("lines", () => {
  it("are read by name, with what is not readable handed back", () => {
    expect(readNamed("kLa = 15 %\n\n mu_m=5 %\nkLa 3")).toEqual({ read: { kLa: "15 %", mu_m: "5 %" }, wrong: ["kLa 3"] });
    expect(readNamed("ｋＬａ＝１５ %").read).toEqual({ kLa: "15 %" });
  });
  it("hold ranges, negative ones too", () => {
    expect(readRanges("feed = 0 L/h .. 0.2 L/h\nT = -5 Cel - 10 Cel\nbad = 3").read).toEqual({ feed: { low: "0 L/h", high: "0.2 L/h" }, T: { low: "-5 Cel", high: "10 Cel" } });
    expect(readRanges("bad = 3").wrong).toEqual(["bad = 3"]);
  });
  it("hold limits of either side, also at the end alone", () => {
    expect(readLimits("X <= 3.5 g/L\nDO ≥ 20 %\nS <= 2 g/L at end\nS ≤ 1 g/L 終点\nX < 3").read).toEqual([
      { quantity: "X", high: "3.5 g/L" },
      { quantity: "DO", low: "20 %" },
      { quantity: "S", high: "2 g/L", at_end: true },
      { quantity: "S", high: "1 g/L", at_end: true },
    ]);
    expect(readLimits("X < 3").wrong).toEqual(["X < 3"]);
  });
  it("hold values from times on", () => {
    expect(readTimed("0 h: 0.03 L/h, 50 h: 0.04 L/h")).toEqual([{ at: "0 h", value: "0.03 L/h" }, { at: "50 h", value: "0.04 L/h" }]);
    expect(readTimed("0.03 L/h")).toBeNull();
  });
});
