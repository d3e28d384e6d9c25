import { describe, expect, it } from "vitest";
import { parseRoute } from "../../state/route";
import { fieldsOf, wordsOf } from "../../api/declared";
import { actFaults, asked, faultsAt, fieldOf, firstValues, inputOf, localMoment, several, shownValue, type ActField } from "./act";
import { bringsOf, course, factsText, linesOf, contactOf, dutyState, momentOf, offersOf, patentsOf, purposeOf, spentPercent, tabOf, taskOf, urgency, waiting, type Agreement, type Brings, type Duty, type Member } from "./commons";
import { choices, named } from "./names";
import { may, mayEnd, overseer, seatOf } from "./seat";

const note = (patents: object) => `toji-commons agreement v1\n${JSON.stringify({ id: "AG-1", terms: { patents } })}\n\n— ORG-A abc\n`;
const agreement = (changes: Partial<Agreement> = {}): Agreement => ({
  id: "AG-1", title: "GI", state: "signed", version: 1, in_force: true, parties: ["ORG-A", "ORG-B"], signed_by: ["ORG-A", "ORG-B"], missing: [], data_sets: ["DS-1"],
  from: "2026-04-01T00:00:00Z", until: "2031-04-01T00:00:00Z", purposes: ["research"], grants: ["read"], industrial_use: false, early_access: [], countries: [],
  feedback_units: 2, feedback_days: 90, patent_terms: "notice", patent_notice_days: 30, duo: [], note: note({ patents: "notice", within_days: 30 }), digest: "sha256:0", odrl: [], ...changes,
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
  const brings = (changes: Partial<Brings> = {}): Brings => ({ units: 2, due: "2027-02-28T00:00:00Z", patent_notice_days: 30, patent_allowed: true, ends: "2031-04-01T00:00:00Z", ...changes });
  const say = (key: string, vars: object = {}) => [key, ...Object.values(vars)].join(" ");
  const lines = (changes: Partial<Brings> = {}) => bringsOf(brings(changes), say, (at) => at.slice(0, 10));
  it("tells duty with its date, patents and the end", () => {
    expect(lines()).toEqual(["commons.brings.duty 2 2027-02-28", "commons.brings.notice 30", "commons.brings.ends 2031-04-01"]);
  });
  it("says so where nothing is owed, patents are free or none may rest on it, and no end is told", () => {
    expect(lines({ units: null, due: null, patent_notice_days: null, ends: null })).toEqual(["commons.brings.no_duty", "commons.brings.free"]);
    expect(lines({ patent_allowed: false })[1]).toBe("commons.brings.none");
  });
  it("claims nothing about patents that the document does not say", () => {
    expect(patentsOf(note({ patents: "none" }))).toEqual({ kind: "none" });
    expect(patentsOf(note({ patents: "free" }))).toEqual({ kind: "free" });
    for (const other of ["", "x\n{", "x\n{}", note({ patents: "notice" })]) expect(patentsOf(other)).toEqual({ kind: "unknown" });
  });
});

describe("what became of a duty", () => {
  const now = Date.parse("2026-11-30T00:00:00Z");
  const use = (changes: object) => ({ duty: "D", owed: 2, disputed: 0, overdue: false, due: "2027-11-30T00:00:00Z", ...changes });
  it("is none, met, or how urgent it is", () => {
    expect(dutyState(use({ duty: null, owed: 0 }), now)).toBe("none");
    expect(dutyState(use({ owed: 0 }), now)).toBe("met");
    expect(dutyState(use({}), now)).toBe("later");
    expect(dutyState(use({ due: "2026-12-10T00:00:00Z" }), now)).toBe("soon");
    expect(dutyState(use({ overdue: true }), now)).toBe("overdue");
    expect(dutyState(use({ owed: 0, disputed: 2 }), now)).toBe("disputed");
  });
});

describe("budgets, tasks and nodes", () => {
  it("tells what is spent in whole percent, never outside 0 to 100", () => {
    expect([spentPercent({ allowed: 2, spent: 0.5 }), spentPercent({ allowed: 3, spent: 1 }), spentPercent({ allowed: 1, spent: 9 })]).toEqual([25, 33, 100]);
    expect([spentPercent({ allowed: null, spent: null }), spentPercent({ allowed: 0, spent: 1 }), spentPercent({})]).toEqual([0, 0, 0]);
  });
  it("reads a task as its record holds it", () => {
    const task = { predicted: "titre-final", unit: "g/L", features: { "growth-rate-max": { scale: 0.05, unit: "/h" }, duration: {} }, test_points: "DS-T" };
    expect(taskOf({ id: "WT-1", task })).toEqual({ predicted: "titre-final (g/L)", features: ["growth-rate-max", "duration"], tests: "DS-T" });
    expect(taskOf({ id: "WT-1", task: { predicted: "x", unit: "1" } })).toEqual({ predicted: "x", features: [], tests: "" });
    expect(taskOf({ id: "WT-1" })).toEqual({ predicted: "", features: [], tests: "" });
  });
  it("tells how the last try to reach a node went", () => {
    const error = { ja: "x", en: "x" };
    expect([contactOf({}), contactOf({ reached_at: "t" }), contactOf({ reached_at: "t", tried_at: "u", error }), contactOf({ tried_at: "u", error })]).toEqual(["never", "reached", "away", "away"]);
  });
  it("reads the offers of a catalogue, and none where there are none", () => {
    const dataset = [{ "@id": "urn:toji:data-set:DS-1", title: "Koji", creator: "ORG-A", hasPolicy: [{ "@id": "urn:toji:offer:public/DS-1" }, { "@id": "urn:toji:offer:AG-1/DS-1" }] }];
    expect(offersOf({ dataset })).toEqual([{ id: "DS-1", title: "Koji", owner: "ORG-A", under: ["public", "AG-1"] }]);
    expect([offersOf({}), offersOf({ dataset: [{}] })]).toEqual([[], [{ id: "", title: "", owner: "", under: [] }]]);
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
  const duty = (changes: Partial<Duty> = {}): Duty => ({ duty: "D", member: "ORG-B", owner: "ORG-A", agreement: "AG-1", data_set: "DS-1", owed: 2, disputed: 0, due: "2026-01-11T00:00:00Z", overdue: false, ...changes });
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

describe("a form made from what an operation declares", () => {
  const input = {
    type: "object",
    required: ["id", "terms"],
    properties: {
      id: { type: "string", description: "Identifier of the data set; an existing one is changed.\n\nデータセットの識別子。既にあるものは改める。" },
      area: { anyOf: [{ $ref: "#/$defs/Area" }, { type: "null" }], description: "Area of sharing.\n\n共有領域。" },
      runs: { type: ["array", "null"], items: { type: "string" }, description: "Runs in it.\n\n含める培養。" },
      terms: { $ref: "#/$defs/Draft", description: "Its text and terms, as JSON." },
    },
    $defs: {
      Area: { oneOf: [{ const: "public", description: "For everyone.\n\n公開領域。" }, { const: "clean-room", description: "Never read by others.\n\nクリーンルーム。" }] },
      Granted: { enum: ["read", "train"] },
      Draft: { type: "object", required: ["until"], properties: { until: { type: "string" }, grants: { type: "array", items: { $ref: "#/$defs/Granted" } }, days: { type: ["integer", "null"] }, industrial_use: { type: "boolean" } } },
    },
  };
  it("takes names, kinds, choices and whether it must be given, in both languages", () => {
    const fields = fieldsOf(input);
    expect(fields["id"]).toEqual({ name: "id", kind: "text", choices: [], required: true, label: { en: "Identifier of the data set", ja: "データセットの識別子" }, help: { en: "An existing one is changed", ja: "既にあるものは改める" } });
    expect([fields["area"]?.kind, fields["area"]?.required, fields["area"]?.choices]).toEqual(["select", false, [{ code: "public", label: { en: "For everyone", ja: "公開領域" } }, { code: "clean-room", label: { en: "Never read by others", ja: "クリーンルーム" } }]]);
    expect(fields["runs"]?.kind).toBe("list");
  });
  it("reads the fields of an object within", () => {
    const terms = fieldsOf(input, "terms");
    expect(Object.values(terms).map((field) => `${field.name} ${field.kind} ${field.required}`)).toEqual(["until text true", "grants many false", "days number false", "industrial_use check false"]);
    expect(terms["grants"]?.choices.map((one) => one.code)).toEqual(["read", "train"]);
  });
  it("says what it is by its name where nothing is declared", () => {
    expect(wordsOf(undefined, "x")).toEqual({ label: { en: "x", ja: "x" }, help: { en: "", ja: "" } });
    expect(fieldOf({}, "x", (text) => text.en)).toEqual({ name: "x", label: "x" });
    expect(fieldOf(fieldsOf(input), "id", (text) => text.ja, { label: "略号" })).toMatchObject({ label: "略号", help: "既にあるものは改める", kind: "text", required: true });
  });
});

describe("what a form sends", () => {
  const fields: ActField[] = [
    { name: "title", label: "T", required: true },
    { name: "secrecy", label: "S", kind: "select", options: [{ value: "open", label: "Open" }, { value: "secret", label: "Secret" }] },
    { name: "useful", label: "U", required: true, when: (v) => v["secrecy"] === "secret" },
    { name: "runs", label: "R", kind: "many", options: [{ value: "R-1", label: "One" }] },
    { name: "units", label: "N", kind: "number" },
    { name: "human", label: "H", kind: "check" },
  ];
  it("asks and sends only what belongs to what was chosen", () => {
    const open = { title: " A ", secrecy: "open", useful: "left over", runs: "R-1\n", units: "2", human: "" };
    expect(asked(fields, open).map((field) => field.name)).not.toContain("useful");
    expect(actFaults(fields, open)).toEqual([]);
    expect(inputOf(fields, open)).toEqual({ title: "A", secrecy: "open", runs: ["R-1"], units: 2 });
    expect(actFaults(fields, { ...open, secrecy: "secret", useful: "" })).toEqual(["useful"]);
  });
  it("shows several by their labels", () => {
    expect(shownValue(fields[3] as ActField, "R-1\nR-2", "y", "n")).toBe("One\nR-2");
    expect(several(" a \n\nb")).toEqual(["a", "b"]);
  });
  it("puts a refusal at its fields, those of an object within and of a list too", () => {
    const text = { en: "no", ja: "否" };
    const say = (one: { en: string } | null | undefined) => one?.en ?? "";
    const about = (field: string) => faultsAt(fields, { place: { field }, text, hint: { en: "mend", ja: "" }, diagnostics: [] } as never, say);
    expect(about("terms.title")).toEqual({ title: "no · mend" });
    expect(about("runs[2]")).toEqual({ runs: "no · mend" });
    expect(about("other")).toEqual({});
    expect(faultsAt(fields, { text, diagnostics: [{ place: { field: "units" }, message: { en: "a", ja: "" }, remedy: null }] } as never, say)).toEqual({ units: "a" });
  });
  it("writes a moment as a browser's field takes it, and it comes back", () => {
    const at = "2026-04-01T09:30:00.000Z";
    expect(momentOf(localMoment(at))).toBe(at);
    expect(localMoment("x")).toBe("");
  });
});

describe("which acts are whose", () => {
  const person = (organisation: string | null, ...codes: string[]) => seatOf({ id: "p", organisation, roles: codes.map((code) => ({ code, label: { en: code, ja: code } })), second_factor: true, authenticator_app: true, passkeys: 0, recovery_codes: 0, ends: "" });
  it("are those of the roles, for one's own organisation", () => {
    const admin = person("ORG-A", "contributor-admin");
    expect([may(admin, "share"), may(admin, "sign", "ORG-A"), may(admin, "sign", "ORG-B"), may(admin, "decide"), may(admin, "screen")]).toEqual([true, true, false, false, false]);
    expect([may(person("ORG-A", "scientist"), "use"), may(person("ORG-A", "scientist"), "draft"), may(person(null, "guest"), "use")]).toEqual([true, false, false]);
    expect([overseer(admin), overseer(person("H", "auditor")), mayEnd(admin, "ORG-B"), mayEnd(person("H", "operator"), "ORG-B")]).toEqual([false, true, false, true]);
  });
  it("are all those of the owner of a store without users", () => {
    expect([may(seatOf(null), "decide"), may(seatOf(null), "sign", "ORG-B"), overseer(seatOf(null))]).toEqual([true, true, true]);
  });
});
