import { describe, expect, it } from "vitest";
import type { Mapping } from "../../api/types";
import { cleaned, RULES, ruleName, ruleOf, setRole } from "./mapping";

const mapping = (): Mapping => ({
  name: "m",
  version: 1,
  layout: "wide",
  header_row: 1,
  time: { column: 1, header: "t", rule: { kind: "elapsed", unit: "min" } },
  columns: [
    { column: 1, header: "t", role: "time", confidence: 1 },
    { column: 2, header: "t2", role: "channel", quantity: null, confidence: 0.5, numbers: "comma" },
  ],
});

describe("changing a mapping", () => {
  it("names every rule and reads its own names", () => {
    for (const name of RULES) expect(ruleName(ruleOf(name, { kind: "clock" }))).toBe(name);
    const split = { kind: "date-and-time", time: "Time" } as const;
    expect(ruleOf(ruleName(split), split)).toEqual(split);
  });
  it("keeps one common time column", () => {
    const changed = mapping();
    const second = changed.columns[1];
    if (second) setRole(changed, second, "time");
    expect(changed.columns.map((column) => column.role)).toEqual(["ignore", "time"]);
    expect(changed.time).toMatchObject({ column: 2, header: "t2", rule: { kind: "elapsed", unit: "min" } });
    if (second) setRole(changed, second, "note");
    expect(changed.time).toBeNull();
  });
  it("leaves out what is empty and keeps what it does not know", () => {
    const sent = cleaned({ ...mapping(), run: "", time: null });
    expect(sent).not.toHaveProperty("run");
    expect(sent).not.toHaveProperty("time");
    expect(sent.columns[1]).toEqual({ column: 2, header: "t2", role: "channel", confidence: 0.5, numbers: "comma" });
  });
});
