import { describe, expect, it } from "vitest";
import type { Field, FieldType } from "../../api/types";
import { buildValue, draftOf, fieldsOf } from "./form-values";

const field = (name: string, type: FieldType, more: Partial<Field> = {}): Field => ({
  name,
  type,
  label: { ja: name, en: name },
  required: false,
  many: false,
  ...more,
});

describe("the form of a record", () => {
  const declared = [
    field("name", "text", { required: true }),
    field("volume", "number"),
    field("n", "integer"),
    field("gmo", "boolean"),
    field("tags", "text", { many: true }),
    field("value", "value"),
    field("extra", "json"),
  ];
  const record = { name: "a", volume: 2.5, n: 3, gmo: false, tags: ["x", "y"], value: { kind: "less-than", high: 1, text: "< 1" }, extra: [1], hidden: "kept" };

  it("gives back what it was given", () => {
    const parsed = fieldsOf(declared, draftOf(declared, record), record);
    expect(parsed.faults).toEqual([]);
    expect(parsed.fields).toEqual(record);
  });
  it("takes full-width digits and refuses what is not a number", () => {
    const parse = (name: string, text: string) => fieldsOf(declared, { name: ["a"], [name]: [text] }, {});
    expect(parse("volume", "２．５").fields["volume"]).toBe(2.5);
    expect(parse("volume", "1,200").fields["volume"]).toBe(1200);
    expect(parse("volume", "abc").faults).toEqual([{ field: "volume", fault: "not-a-number" }]);
    expect(parse("n", "1.5").faults).toEqual([{ field: "n", fault: "not-an-integer" }]);
    expect(parse("extra", "{").faults).toEqual([{ field: "extra", fault: "not-json" }]);
  });
  it("asks for required fields and empties cleared ones", () => {
    const parsed = fieldsOf(declared, { name: [" "], tags: [] }, record);
    expect(parsed.faults).toEqual([{ field: "name", fault: "required" }]);
    expect(parsed.fields["volume"]).toBeNull();
    expect(parsed.fields["tags"]).toEqual([]);
  });
  it("builds value objects with the parts their kind has", () => {
    const parts = { number: "5", low: "1", high: "10.04", unit: "mg/L", text: "" };
    expect(buildValue("less-than", parts)).toEqual({ kind: "less-than", high: 10.04, unit: "mg/L", text: "< 10.04" });
    expect(buildValue("exact", parts)).toEqual({ kind: "exact", number: 5, unit: "mg/L", text: "5" });
    expect(buildValue("range", parts)).toEqual({ kind: "range", low: 1, high: 10.04, unit: "mg/L", text: "1–10.04" });
    expect(buildValue("missing", parts)).toEqual({ kind: "missing", text: "" });
  });
});
