import { afterEach, describe, expect, it, vi } from "vitest";
import { asProblem, call, callAsJob, operationPath, Problem } from "./client";
import { readKind } from "./shape";

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });
afterEach(() => vi.unstubAllGlobals());

describe("calling operations", () => {
  it("posts the input to noun/verb", async () => {
    const fetch = vi.fn(async (_path: string, _init: RequestInit) => json({ total: 0, runs: [] }));
    vi.stubGlobal("fetch", fetch);
    expect(await call("run list", { limit: 1 })).toEqual({ total: 0, runs: [] });
    expect(fetch.mock.calls[0]?.[0]).toBe("/api/v1/run/list");
    expect(fetch.mock.calls[0]?.[1].body).toBe('{"limit":1}');
    expect(operationPath("sql query")).toBe("/api/v1/sql/query");
  });
  it("turns a problem document into a Problem with both languages", async () => {
    const body = { status: 422, code: "E-X", category: "input", message: { ja: "誤り", en: "Wrong" }, hint: { ja: "直す", en: "Mend it" }, place: { line: 3 } };
    vi.stubGlobal("fetch", async () => json(body, 422));
    const problem = await call("run list", {}).catch((thrown: unknown) => thrown);
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({ status: 422, code: "E-X", text: { ja: "誤り" }, hint: { en: "Mend it" }, place: { line: 3 }, diagnostics: [] });
  });
  it("says something for answers without a problem document, and for no answer", async () => {
    vi.stubGlobal("fetch", async () => new Response("<html>", { status: 502, statusText: "Bad Gateway" }));
    expect(await call("run list", {}).catch((thrown: unknown) => thrown)).toMatchObject({ status: 502, text: { en: "The server answered: 502 Bad Gateway" } });
    expect(asProblem(new TypeError("failed to fetch")).text.ja).toContain("サーバー");
  });
  it("polls a job to its end when the event stream breaks", async () => {
    class Broken {
      onerror: (() => void) | null = null;
      constructor() {
        queueMicrotask(() => this.onerror?.());
      }
      close(): void {}
    }
    vi.stubGlobal("EventSource", Broken);
    const states = [json({ job: "job-1" }, 202), json({ id: "job-1", operation: "run import", state: "running" }), json({ id: "job-1", operation: "run import", state: "done", output: { runs: [] } })];
    vi.stubGlobal("fetch", async () => states.shift());
    const seen: string[] = [];
    const job = await callAsJob("run import", { paths: [] }, (state) => seen.push(state.state));
    expect(await job.done).toEqual({ runs: [] });
    expect(seen).toEqual(["running", "done"]);
  });
});

describe("readKind", () => {
  it("reads the declaration in either writing", () => {
    const label = { ja: "名", en: "Name" };
    const kind = readKind({ kind: "x", version: 1, label, about: label, title: { ja: "name", en: "name" }, field: [{ name: "name", type: "text", label }] });
    expect(kind.title).toEqual(["name"]);
    expect(kind.fields[0]).toMatchObject({ name: "name", required: false, many: false });
  });
});
