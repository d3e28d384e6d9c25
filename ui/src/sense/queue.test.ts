import { describe, expect, it } from "vitest";
import type { ProblemBody } from "../api/types";
import { again, flush, inOrder, isAway, newId, type Entry, type Sent, type Shelf } from "./queue";

class Memory implements Shelf {
  held = new Map<string, Entry>();
  async all() {
    return [...this.held.values()];
  }
  async put(entry: Entry) {
    this.held.set(entry.id, entry);
  }
  async remove(id: string) {
    this.held.delete(id);
  }
}

const entry = (id: string, made: number, notBefore = 0): Entry => ({
  id,
  operation: "sense record",
  input: { run: "run-1", id },
  label: { ja: id, en: id },
  tank: "T-1",
  made,
  notBefore,
});
const no: ProblemBody = { status: 400, code: "E-X", category: "input", message: { ja: "不可", en: "no" } };

async function shelfWith(...entries: Entry[]) {
  const shelf = new Memory();
  for (const one of entries) await shelf.put(one);
  return shelf;
}

describe("the queue", () => {
  it("sends in order and empties itself", async () => {
    const shelf = await shelfWith(entry("b", 2), entry("a", 1), entry("c", 2));
    const sent: string[] = [];
    const done = await flush(shelf, async (one) => (sent.push(one.id), { state: "taken" }), 10);
    expect(sent).toEqual(["a", "b", "c"]);
    expect(done).toEqual({ taken: 3, refused: 0, waiting: 0, online: true, next: null });
    expect(shelf.held.size).toBe(0);
  });

  it("keeps everything while the server is away, and loses no order after", async () => {
    const shelf = await shelfWith(entry("a", 1), entry("b", 2));
    let calls = 0;
    const away = async (): Promise<Sent> => ((calls += 1), { state: "away" });
    expect(await flush(shelf, away, 10)).toEqual({ taken: 0, refused: 0, waiting: 2, online: false, next: null });
    expect(calls).toBe(1);
    expect(shelf.held.size).toBe(2);
  });

  it("sends again what was not acknowledged, under the same identifier", async () => {
    const shelf = await shelfWith(entry("a", 1));
    const server = new Set<string>();
    // The answer is lost on its way although the server took the entry.
    await flush(shelf, async (one) => (server.add(String(one.input["id"])), { state: "away" }), 10);
    await flush(shelf, async (one) => (server.add(String(one.input["id"])), { state: "taken" }), 11);
    expect([...server]).toEqual(["a"]);
    expect(shelf.held.size).toBe(0);
  });

  it("keeps a refused entry with its reason and goes on with the others", async () => {
    const shelf = await shelfWith(entry("a", 1), entry("b", 2));
    const answer = async (one: Entry): Promise<Sent> => (one.id === "a" ? { state: "refused", problem: no } : { state: "taken" });
    expect(await flush(shelf, answer, 10)).toEqual({ taken: 1, refused: 1, waiting: 0, online: true, next: null });
    expect(shelf.held.get("a")?.refused).toEqual(no);
    // It is not sent again by itself, only when a person says so.
    const sent: string[] = [];
    const take = async (one: Entry): Promise<Sent> => (sent.push(one.id), { state: "taken" });
    expect((await flush(shelf, take, 11)).refused).toBe(1);
    await shelf.put(again(shelf.held.get("a")!));
    await flush(shelf, take, 12);
    expect(sent).toEqual(["a"]);
  });

  it("holds an entry back while it can be taken back, and what depends on it too", async () => {
    const shelf = await shelfWith(entry("a", 1, 100), entry("b", 2, 50));
    const take = async (): Promise<Sent> => ({ state: "taken" });
    expect(await flush(shelf, take, 60)).toEqual({ taken: 0, refused: 0, waiting: 2, online: null, next: 100 });
    expect((await flush(shelf, take, 100)).taken).toBe(2);
  });

  it("tells a passing fault from a no", () => {
    expect([0, 408, 429, 500, 503].map(isAway)).toEqual([true, true, true, true, true]);
    expect([400, 403, 404, 409, 413, 422].some(isAway)).toBe(false);
  });

  it("makes identifiers the server accepts, never the same twice", () => {
    const made = new Set(Array.from({ length: 2000 }, () => newId("obs")));
    expect(made.size).toBe(2000);
    for (const id of made) expect(id).toMatch(/^obs-[0-9a-hjkmnp-tv-z]{16}$/);
    expect(inOrder([entry("z", 1), entry("a", 1)]).map((one) => one.id)).toEqual(["a", "z"]);
  });
});
