// What was entered at a tank and is not on the server yet. An entry has an identifier made here, so that it
// may be sent again until it is acknowledged: the server takes a repeated entry for what it is. Entries go
// in their order, since a decision names the observations it rests on.
import type { ProblemBody } from "../api/types";

export interface Entry {
  /** identifier of the record on the server */
  id: string;
  operation: "sense record" | "decision record";
  input: Record<string, unknown>;
  /** photo that goes with it, uploaded before it */
  photo?: { name: string; bytes: Blob } | undefined;
  /** in words, for the list on the page */
  label: { ja: string; en: string };
  tank: string;
  /** ms since 1970 */
  made: number;
  /** not sent before, so that a slip of the finger can be taken back; ms since 1970 */
  notBefore: number;
  /** the server said no: a person must look */
  refused?: ProblemBody | undefined;
}

/** Where entries are kept on the device. */
export interface Shelf {
  all(): Promise<Entry[]>;
  put(entry: Entry): Promise<void>;
  remove(id: string): Promise<void>;
}

export type Sent = { state: "taken" } | { state: "refused"; problem: ProblemBody } | { state: "away" };
export type Send = (entry: Entry) => Promise<Sent>;

export interface Flushed {
  taken: number;
  refused: number;
  waiting: number;
  /** could the server be reached? `null`: nothing was due */
  online: boolean | null;
  /** when the next entry is due, ms since 1970 */
  next: number | null;
}

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** A new identifier: 80 bits of chance, so that two tablets never make the same. */
export function newId(prefix: string, random: (bytes: Uint8Array) => Uint8Array = (bytes) => crypto.getRandomValues(bytes)): string {
  return `${prefix}-${[...random(new Uint8Array(16))].map((byte) => ALPHABET[byte & 31]).join("")}`;
}

/** Oldest first; two made in the same millisecond keep one order. */
export function inOrder(entries: Entry[]): Entry[] {
  return [...entries].sort((a, b) => a.made - b.made || (a.id < b.id ? -1 : 1));
}

/** Must this answer wait for a better day, or is it a no that only a person can mend? */
export function isAway(status: number): boolean {
  return status === 0 || status === 408 || status === 429 || status >= 500;
}

/**
 * Sends what is due, in order. Stops at the first entry that cannot reach the server, so that the order holds;
 * a refused one is kept with its reason and does not hold up the others.
 */
export async function flush(shelf: Shelf, send: Send, now: number): Promise<Flushed> {
  const done: Flushed = { taken: 0, refused: 0, waiting: 0, online: null, next: null };
  const entries = inOrder(await shelf.all());
  let blocked = false;
  for (const entry of entries) {
    if (entry.refused) {
      done.refused += 1;
      continue;
    }
    if (blocked || entry.notBefore > now) {
      done.waiting += 1;
      if (!blocked) done.next = Math.min(done.next ?? Infinity, entry.notBefore);
      blocked = true;
      continue;
    }
    const answer = await send(entry);
    if (answer.state === "taken") {
      await shelf.remove(entry.id);
      done.taken += 1;
      done.online = true;
    } else if (answer.state === "refused") {
      await shelf.put({ ...entry, refused: answer.problem });
      done.refused += 1;
      done.online = true;
    } else {
      done.waiting += 1;
      done.online = false;
      blocked = true;
    }
  }
  return done;
}

/** The entry as it is sent again after a person looked at it. */
export function again(entry: Entry): Entry {
  const { refused: _refused, ...rest } = entry;
  return rest;
}
