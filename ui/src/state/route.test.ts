import { describe, expect, it } from "vitest";
import { modelPath, parseRoute, pathOf, queryList, queryNumber, queryText, recordPath, withQuery } from "./route";

describe("parseRoute", () => {
  const cases: [string, unknown][] = [
    ["/", { page: "runs" }],
    ["/runs", { page: "runs" }],
    ["/runs/", { page: "runs" }],
    ["/runs/RUN-1", { page: "run", id: "RUN-1" }],
    ["/runs/%E9%BA%B9%2F1", { page: "run", id: "麹/1" }],
    ["/compare", { page: "compare" }],
    ["/records", { page: "kinds" }],
    ["/records/strain", { page: "kind", kind: "strain" }],
    ["/records/strain/STR-1", { page: "record", kind: "strain", id: "STR-1" }],
    ["/search", { page: "search" }],
    ["/import", { page: "import" }],
    ["/sql", { page: "sql" }],
    ["/account", { page: "account" }],
    ["/plate", { page: "plate" }],
    ["/plate/x", { page: "unknown", path: "/plate/x" }],
    ["/models", { page: "models" }],
    ["/models/monod-fed-batch", { page: "model", id: "monod-fed-batch", part: "simulate" }],
    ["/models/sha256%3Aab/fit", { page: "model", id: "sha256:ab", part: "fit" }],
    ["/models/m/simulate", { page: "unknown", path: "/models/m/simulate" }],
    ["/flux", { page: "flux-models" }],
    ["/flux/sha256%3Aab", { page: "flux", id: "sha256:ab", part: "map" }],
    ["/flux/sha256%3Aab/health", { page: "flux", id: "sha256:ab", part: "health" }],
    ["/flux/m/map", { page: "unknown", path: "/flux/m/map" }],
    ["/models/m/x", { page: "unknown", path: "/models/m/x" }],
    ["/experiments", { page: "experiments" }],
    ["/experiments/EXP%2F1", { page: "experiment", id: "EXP/1" }],
    ["/monitor", { page: "monitor" }],
    ["/sense", { page: "sense" }],
    ["/sense/observers", { page: "observers" }],
    ["/sense/explain", { page: "explain" }],
    ["/sense/rules", { page: "rules" }],
    ["/sense/toString", { page: "unknown", path: "/sense/toString" }],
    ["/process", { page: "campaigns" }],
    ["/process/campaigns/cam-1", { page: "campaign", id: "cam-1" }],
    ["/process/scale", { page: "scale" }],
    ["/process/rules", { page: "twin-rules" }],
    ["/process/profiles", { page: "profiles" }],
    ["/process/control", { page: "control" }],
    ["/process/gas", { page: "gas" }],
    ["/process/gas/x", { page: "unknown", path: "/process/gas/x" }],
    ["/process/toString", { page: "unknown", path: "/process/toString" }],
    ["/sql/x", { page: "unknown", path: "/sql/x" }],
    ["/records/a/b/c", { page: "unknown", path: "/records/a/b/c" }],
    ["/runs/%E0%A4", { page: "unknown", path: "/runs/%E0%A4" }],
    ["/constructor", { page: "unknown", path: "/constructor" }],
  ];
  it.each(cases)("%s", (path, expected) => expect(parseRoute(path)).toEqual(expected));
  it("reads what pathOf writes", () => {
    expect(parseRoute(pathOf("runs", "a/b c?#%"))).toEqual({ page: "run", id: "a/b c?#%" });
    expect(parseRoute(modelPath("sha256:1f/2", "forecast"))).toEqual({ page: "model", id: "sha256:1f/2", part: "forecast" });
    expect(parseRoute(modelPath("m"))).toEqual({ page: "model", id: "m", part: "simulate" });
    expect(recordPath("run", "R1")).toBe("/runs/R1");
    expect(recordPath("strain", "S 1")).toBe("/records/strain/S%201");
  });
});

describe("query", () => {
  it("adds, changes and removes keys and keeps the others", () => {
    expect(withQuery("?lang=ja&from=1", { from: 2.00049, to: 3, raw: true })).toBe("?lang=ja&from=2&to=3&raw=1");
    expect(withQuery("?lang=ja&raw=1", { raw: false })).toBe("?lang=ja");
    expect(withQuery("?a=1", { a: null })).toBe("");
  });
  it("keeps ids with commas apart in lists", () => {
    const ids = ["a,b", "c d", "麹", "100%"];
    const search = withQuery("", { runs: ids });
    expect(queryList(new URLSearchParams(search).get("runs"))).toEqual(ids);
    expect(queryList(null)).toEqual([]);
    expect(queryText([])).toBeNull();
  });
  it("reads numbers or nothing", () => {
    expect(queryNumber("12.5")).toBe(12.5);
    expect(queryNumber("")).toBeNull();
    expect(queryNumber("abc")).toBeNull();
    expect(queryText(Number.NaN)).toBeNull();
  });
});
