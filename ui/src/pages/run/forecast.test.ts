import { describe, expect, it } from "vitest";
import type { Panel } from "../../charts/panel";
import { lineOf } from "../model/courses";
import { beginsAt, choicesFor, firstChoice, names, overlaid } from "./forecast";

const panel = (key: string, title: string, unit: string): Panel => ({ key, title, unit, series: [lineOf(`${key} s`, title, { colour: "#000000", dash: [] }, [0], [1])] });
const run = { id: "run-1", title: "R9", fields: {}, events: [] };

describe("a forecast and its run", () => {
  it("meet by identifier, title or name, never by nothing", () => {
    expect([names({ run: "R9" }, run), names({ run: " run-1 " }, run), names({ run: "R8" }, run), names({ run: "" }, { ...run, title: "" })]).toEqual([true, true, false, false]);
    expect(names({ run: "B7" }, { ...run, fields: { key: "B7" } })).toBe(true);
  });
  it("begin at inoculation", () => {
    const event = (type: string, elapsed_s: number | null) => ({ id: type, type, elapsed_s, time: null, label: { ja: "", en: "" }, note: null });
    expect(beginsAt({ fields: {}, events: [event("inoculation", 900), event("inoculation", 300), event("feed", 10)] } as never)).toBe(300);
    expect(beginsAt({ fields: { zero_is: "inoculation" }, events: [event("inoculation", 900)] } as never)).toBe(0);
    expect(beginsAt({ fields: {}, events: [event("inoculation", null)] } as never)).toBe(0);
  });
  it("lie over each other in the same unit only", () => {
    const fan = panel("X", "Biomass X", "g/L");
    const measured = [panel("dissolved-oxygen|%", "DO", "%"), panel("assay:dry-weight|g/L", "dry-weight", "g/L"), panel("assay:glucose|g/L", "glucose", "g/L")];
    const choices = choicesFor(fan, measured);
    expect(choices.map((one) => one.key)).toEqual(["assay:dry-weight|g/L", "assay:glucose|g/L"]);
    expect(choicesFor(panel("DO", "DO", "%"), [panel("a", "a", "% sat"), panel("b", "b", "")]).map((one) => one.key)).toEqual(["a"]);
    expect(choicesFor(panel("f", "f", ""), [panel("a", "a", "% sat"), panel("b", "b", "")]).map((one) => one.key)).toEqual(["b"]);
    expect(firstChoice("X", ["Dry weight"], choices)).toBe("assay:dry-weight|g/L");
    expect(firstChoice("S", ["Glucose in the broth"], choices)).toBe("assay:glucose|g/L");
    expect(firstChoice("X", ["Biomass"], choices)).toBeNull();
    expect(overlaid(fan, choices[1]).series.map((one) => one.id)).toEqual(["X s", "X assay:glucose|g/L s"]);
    expect(overlaid(fan, undefined)).toBe(fan);
  });
});
