import { describe, expect, test } from "vitest";
import type { ReadyFinding } from "../api/types";
import { chosen, codes, isUnit, listed, manifestOf, points, type ReleaseForm } from "./ready";

const finding = (code: string, lost: number, severity: ReadyFinding["severity"] = "error"): ReadyFinding => ({
  severity,
  code,
  place: { field: "run/r/strain" },
  message: { ja: "あ", en: "a" },
  lost_thousandths: lost,
});

describe("points", () => {
  test("thousandths are written out, not rounded", () => {
    expect([points(56099), points(7), points(100000), points(0)]).toEqual(["56.099", "0.007", "100.000", "0.000"]);
  });
});

describe("codes and filters", () => {
  const all = [finding("W-READY-003", 5, "warning"), finding("E-READY-001", 10), finding("E-READY-001", 11)];
  test("every code with what it costs", () => {
    expect(codes(all)).toEqual([
      { code: "E-READY-001", n: 2, lost: 21 },
      { code: "W-READY-003", n: 1, lost: 5 },
    ]);
  });
  test("a filter keeps what it names; an empty one keeps all", () => {
    expect(chosen(all, "E-READY-001", "")).toHaveLength(2);
    expect(chosen(all, "", "warning")).toHaveLength(1);
    expect(chosen(all, "", "")).toHaveLength(3);
    expect(chosen(all, "E-READY-001", "warning")).toHaveLength(0);
  });
});

describe("the manifest of a form", () => {
  const form: ReleaseForm = {
    name: " set ", version: "1.0.0", title_ja: "", title_en: "Set", description_ja: "", description_en: "", runs: "", text: "",
    unit: "run", grid_s: 60, seed: 1, validation: 10, test: 20, licence: "", duo: "", creators: "", as_of: "",
  };
  test("what is empty is left out", () => {
    expect(manifestOf(form)).toEqual({
      name: "set", version: "1.0.0", grid_s: 60, title: { ja: "Set", en: "Set" },
      split: { unit: "run", seed: 1, validation_percent: 10, test_percent: 20 },
    });
  });
  test("runs that are named win over words", () => {
    const manifest = manifestOf({ ...form, runs: "run-a\n run-b,", text: "x", as_of: "12", duo: "DUO:0000042、DUO:0000029", creators: "A, B Ltd\nC" });
    expect(manifest.runs).toEqual(["run-a", "run-b"]);
    expect(manifest.select).toBeUndefined();
    expect([manifest.as_of, manifest.duo, manifest.creators]).toEqual([12, ["DUO:0000042", "DUO:0000029"], [{ name: "A, B Ltd" }, { name: "C" }]]);
  });
  test("lists and units", () => {
    expect(listed("a, b\nc、d")).toEqual(["a", "b", "c", "d"]);
    expect([isUnit("site"), isUnit("row"), isUnit(null)]).toEqual([true, false, false]);
  });
});
