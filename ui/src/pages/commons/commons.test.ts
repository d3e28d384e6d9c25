import { describe, expect, it } from "vitest";
import { parseRoute } from "../../state/route";
import { actFaults, firstValues, shownValue, type ActField } from "./act";
import { brings, course, covering, factsText, linesOf, momentOf, patentsOf, purposeOf, tabOf, urgency, waiting, type Agreement, type Duty, type Member } from "./commons";
import { choices, named } from "./names";

const note = (patents: object) => `toji-commons agreement v1\n${JSON.stringify({ id: "AG-1", terms: { patents } })}\n\n— ORG-A abc\n`;
const agreement = (changes: Partial<Agreement> = {}): Agreement => ({
  id: "AG-1", title: "GI", state: "signed", version: 1, in_force: true, parties: ["ORG-A", "ORG-B"], signed_by: ["ORG-A", "ORG-B"], missing: [], data_sets: ["DS-1"],
  from: "2026-04-01T00:00:00Z", until: "2031-04-01T00:00:00Z", purposes: ["research"], grants: ["read"], industrial_use: false, early_access: [], countries: [],
  feedback_units: 2, feedback_days: 90, duo: [], note: note({ patents: "notice", within_days: 30 }), digest: "sha256:0", odrl: [], ...changes,
});
const member = (organisation: string, state: string, key: boolean): Member => ({ organisation, name: null, state, country: "JP", listing: "clear", active: state === "approved", key });

describe("addresses", () => {
  it("names the part and the purpose, and falls back where it names none", () => {
    expect(parseRoute("/commons")).toEqual({ page: "commons" });
    expect([tabOf("log"), tabOf("x"), tabOf(null)]).toEqual(["log", "shared", "shared"]);
    expect([purposeOf("production"), purposeOf("x")]).toEqual(["production", "research"]);
  });
});

describe("what a use brings", () => {
  it("is read from agreements in force that reach the data set and the purpose", () => {
    const all = [agreement(), agreement({ id: "AG-2", in_force: false }), agreement({ id: "AG-3", data_sets: ["DS-2"] }), agreement({ id: "AG-4", purposes: ["benchmark"] })];
    expect(covering(all, "DS-1", "research").map((one) => one.id)).toEqual(["AG-1"]);
  });
  it("tells duty, date, patents and end", () => {
    expect(brings(agreement(), Date.parse("2026-11-30T00:00:00Z"))).toEqual({ agreement: "AG-1", units: 2, due: "2027-02-28T00:00:00.000Z", patents: { kind: "notice", days: 30 }, ends: "2031-04-01T00:00:00Z" });
    expect(brings(agreement({ feedback_units: null, feedback_days: null }), 0)).toMatchObject({ units: null, due: null });
  });
  it("claims nothing about patents that the document does not say", () => {
    expect(patentsOf(note({ patents: "none" }))).toEqual({ kind: "none" });
    expect(patentsOf(note({ patents: "free" }))).toEqual({ kind: "free" });
    for (const other of ["", "x\n{", "x\n{}", note({ patents: "notice" })]) expect(patentsOf(other)).toEqual({ kind: "unknown" });
  });
});

describe("what waits for whom", () => {
  it("lists screening, decision, key, signatures, feedback and exports, and nothing that is done", () => {
    const members = [member("ORG-A", "applied", false), member("ORG-B", "screened", false), member("ORG-C", "approved", false), member("ORG-D", "approved", true), member("ORG-E", "left", false)];
    const drafts = [agreement({ state: "draft", missing: ["ORG-B"] }), agreement({ id: "AG-2" })];
    const feedback = [{ id: "F-1", state: "handed-in", owner: "ORG-D" }, { id: "F-2", state: "accepted", owner: "ORG-D" }];
    expect(waiting(members, drafts, feedback, [{ id: "X-1", state: "asked", owner: "ORG-C" }, { id: "X-2", state: "refused" }])).toEqual([
      { what: "screening", about: "ORG-A", whom: "" },
      { what: "decision", about: "ORG-B", whom: "" },
      { what: "key", about: "ORG-C", whom: "ORG-C" },
      { what: "signature", about: "AG-1", whom: "ORG-B" },
      { what: "feedback", about: "F-1", whom: "ORG-D" },
      { what: "export", about: "X-1", whom: "ORG-C" },
    ]);
  });
});

describe("the account over time", () => {
  const balance = (given: number, taken: number, owed: number) => ({ given, taken, owed, disputed: 0 });
  const duty = (changes: Partial<Duty> = {}): Duty => ({ duty: "D", agreement: "AG-1", data_set: "DS-1", owed: 2, disputed: 0, due: "2026-01-11T00:00:00Z", overdue: false, ...changes });
  it("steps from the opening through every line to now, in the unit that fits", () => {
    const what = { ja: "", en: "" };
    const lines = [
      { at: "2026-01-01T00:00:00Z", transaction: "a", what, change: balance(0, 3, 2), after: balance(0, 3, 2) },
      { at: "2026-01-03T12:00:00Z", transaction: "b", what, change: balance(0, 0, -1), after: balance(0, 3, 1) },
    ];
    const found = course({ opening: balance(0, 0, 0), lines, closing: balance(0, 3, 1), duties: [duty()] }, Date.parse("2026-01-06T00:00:00Z"));
    expect(found?.taken).toEqual([{ x: 0, y: 0 }, { x: 0, y: 3 }, { x: 2.5, y: 3 }, { x: 5, y: 3 }]);
    expect(found?.owed.map((point) => point.y)).toEqual([0, 2, 1, 1]);
    expect(found?.due).toEqual([{ at: 10, duty: "D" }]);
    expect(found?.unit).toBe("days");
    const young = course({ opening: balance(0, 0, 0), lines: lines.slice(0, 1), closing: balance(0, 3, 2), duties: [] }, Date.parse("2026-01-01T03:00:00Z"));
    expect([young?.unit, young?.taken.at(-1)]).toEqual(["hours", { x: 3, y: 3 }]);
    expect(course({ opening: balance(0, 0, 0), lines: [], closing: balance(0, 0, 0), duties: [] }, 0)).toBeNull();
  });
  it("tells what is overdue, soon due, frozen or open", () => {
    const now = Date.parse("2026-01-01T00:00:00Z");
    expect(urgency(duty({ overdue: true }), now)).toBe("overdue");
    expect(urgency(duty(), now)).toBe("soon");
    expect(urgency(duty({ due: "2026-06-01T00:00:00Z" }), now)).toBe("later");
    expect(urgency(duty({ owed: 0, disputed: 2 }), now)).toBe("disputed");
  });
});

describe("texts", () => {
  it("names organisations, reads lines, moments and entries", () => {
    const members = [{ ...member("ORG-A", "approved", true), name: "A社" }, member("ORG-B", "approved", true)];
    expect([named(members, "ORG-A"), named(members, "ORG-B"), named(members, "ORG-X")]).toEqual(["A社 (ORG-A)", "ORG-B", "ORG-X"]);
    expect(choices(members)[0]).toEqual({ value: "ORG-A", label: "A社 (ORG-A)" });
    expect(linesOf(" a \n\n b")).toEqual(["a", "b"]);
    expect([momentOf("2026-01-01T00:00Z"), momentOf("soon"), momentOf("")]).toEqual(["2026-01-01T00:00:00.000Z", "", ""]);
    expect(factsText({ kind: "ledger-head", at: "2026", facts: { seq: "1", hash: "x" } })).toEqual({ kind: "ledger-head", at: "2026", facts: "seq 1 · hash x" });
    expect(factsText(null)).toEqual({ kind: "", at: "", facts: "" });
  });
});

describe("an act", () => {
  const fields: ActField[] = [
    { name: "organisation", label: "Organisation", kind: "select", options: [{ value: "ORG-A", label: "A社" }], required: true },
    { name: "units", label: "Units", kind: "number", value: "2", required: true },
    { name: "due", label: "Due", kind: "moment" },
    { name: "covered", label: "Covered", kind: "check" },
    { name: "reason", label: "Reason", required: true },
  ];
  it("starts with what is known and names what is missing or wrong", () => {
    const values = firstValues(fields);
    expect(values).toEqual({ organisation: "ORG-A", units: "2", due: "", covered: "", reason: "" });
    expect(actFaults(fields, values)).toEqual(["reason"]);
    expect(actFaults(fields, { ...values, reason: "x", units: "0", due: "soon" })).toEqual(["units", "due"]);
    expect(actFaults(fields, { ...values, reason: "x", units: "1.5" })).toEqual(["units"]);
    expect(actFaults(fields, { ...values, reason: "x" })).toEqual([]);
  });
  it("shows values as they were chosen", () => {
    expect(fields.map((field) => shownValue(field, { organisation: "ORG-A", units: "2", due: "2026-01-01T09:00", covered: "1", reason: "x" }[field.name] ?? "", "yes", "no"))).toEqual(["A社", "2", "2026-01-01 09:00", "yes", "x"]);
    expect(shownValue({ name: "note", label: "Note", kind: "lines" }, "x".repeat(500), "yes", "no")).toBe(`${"x".repeat(400)}…`);
  });
});
