import { expect, it } from "vitest";
import { Problem } from "../../api/client";
import type { ImportInput, ImportResult, Mapping } from "../../api/types";
import { importAll } from "./batch";

const refused = new Problem({ status: 422, code: "E-FILE-002", category: "input", message: { ja: "不明", en: "unknown" } });
const read = (input: ImportInput): ImportResult => ({
  runs: [{ id: "r", title: "r" }],
  channels: 1,
  points: 10,
  samples: 0,
  assays: 0,
  events: 0,
  observations: 0,
  not_read: [],
  warnings: [],
  classification: [],
  files: input.paths.map((path) => ({ name: path, blob: path, state: "would-import" })),
  dry_run: input.dry_run ?? false,
});
const file = (address: string) => ({ name: `${address}.csv`, address, bytes: 1 });

it("tells a bad file apart when the server refuses the whole question", async () => {
  const asked: string[][] = [];
  const result = await importAll([file("good"), file("bad")], new Map(), { dry: true, zone: "" }, async (input) => {
    asked.push(input.paths);
    if (input.paths.includes("bad")) throw refused;
    return read(input);
  });
  expect(asked).toEqual([["good", "bad"], ["good"], ["bad"]]);
  expect(result.files.map((one) => [one.name, one.state])).toEqual([["good", "would-import"], ["bad", "refused"]]);
  expect(result.files[1]?.error?.code).toBe("E-FILE-002");
  expect(result.points).toBe(10);
});

it("reads a file with its own mapping alone, with the zone", async () => {
  const mapping: Mapping = { name: "m", version: 1, layout: "wide", header_row: 1, columns: [] };
  const asked: ImportInput[] = [];
  const result = await importAll([file("a"), file("b")], new Map([["b", mapping]]), { dry: false, zone: "Asia/Tokyo" }, async (input) => {
    asked.push(input);
    return read(input);
  });
  expect(asked).toEqual([
    { paths: ["a"], dry_run: false, zone: "Asia/Tokyo" },
    { paths: ["b"], mapping, dry_run: false, zone: "Asia/Tokyo" },
  ]);
  expect(result.points).toBe(20);
});

it("does not swallow a stop or a fault of the server", async () => {
  const stopped = new Problem({ status: 0, code: "E-CANCELLED", category: "cancelled", message: { ja: "中止", en: "Cancelled" } });
  const asking = importAll([file("a")], new Map(), { dry: false, zone: "" }, async () => {
    throw stopped;
  });
  await expect(asking).rejects.toBe(stopped);
});
