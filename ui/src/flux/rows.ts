// The rows of the table of fluxes: what is known of each reaction, looked through and sorted.
import type { FluxReaction } from "../api/flux";
import { change, type Told } from "./look";
import { NOTHING, searchText, type Network } from "./network";

export interface Row extends Told {
  reaction: FluxReaction;
}

export type Only = "all" | "flowing" | "changed" | "open";
export const ONLY: readonly Only[] = ["all", "flowing", "changed", "open"];
export const SORTS = ["id", "name", "flux", "range", "change"] as const;

interface Answers {
  fluxes: Readonly<Record<string, number>> | null;
  before: Readonly<Record<string, number>> | null;
  ranges: Readonly<Record<string, readonly (number | null)[]>> | null;
  out: ReadonlyMap<string, "itself" | "genes">;
}

export function tellOf(id: string, of: Answers): Told {
  const range = of.ranges?.[id];
  return { flux: of.fluxes?.[id] ?? null, before: of.before?.[id] ?? null, low: range?.[0] ?? null, high: range?.[1] ?? null, ranged: range !== undefined, out: of.out.get(id) ?? null };
}

export function rowsOf(reactions: readonly FluxReaction[], of: Answers): Row[] {
  return reactions.map((reaction) => ({ reaction, ...tellOf(reaction.id, of) }));
}

/** How far the flux can go; unlimited is infinite. */
export function width(row: Told): number {
  return row.ranged ? (row.high ?? Infinity) - (row.low ?? -Infinity) : 0;
}

/** By how much the flux itself is another than before. */
export function difference(row: Told): number | null {
  return row.flux === null || row.before === null ? null : row.flux - row.before;
}

const isChanged = (row: Row) => row.out !== null || Math.abs(difference(row) ?? 0) > 1e-6 || Math.abs(change(row) ?? 0) > 1e-6;

/** Reactions whose words hold every word asked for. */
export function found(network: Network, texts: Map<string, string>, reaction: FluxReaction, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  let text = texts.get(reaction.id);
  if (text === undefined) texts.set(reaction.id, (text = searchText(network, reaction)));
  return words.every((word) => text.includes(word));
}

/** Whose identifier is the word comes first, then those that begin with it; the order of the model decides between equals. */
export function byNearness(reactions: readonly FluxReaction[], word: string): FluxReaction[] {
  const rank = ({ id }: FluxReaction) => (id.toLowerCase() === word ? 0 : id.toLowerCase().startsWith(word) ? 1 : 2);
  return [...reactions].sort((a, b) => rank(a) - rank(b));
}

export function kept(rows: readonly Row[], only: Only): Row[] {
  if (only === "flowing") return rows.filter((row) => Math.abs(row.flux ?? 0) > NOTHING);
  if (only === "changed") return rows.filter(isChanged);
  return only === "open" ? rows.filter((row) => width(row) > 1e-6) : [...rows];
}

/** Sorted by a key, `-` in front for descending; the order of the model decides between equals. */
export function sorted(rows: readonly Row[], sort: string): Row[] {
  const down = sort.startsWith("-");
  const key = down ? sort.slice(1) : sort;
  const number: Record<string, (row: Row) => number> = { flux: (row) => Math.abs(row.flux ?? -1), range: (row) => width(row), change: (row) => Math.abs(difference(row) ?? -1) };
  const text: Record<string, (row: Row) => string> = { id: (row) => row.reaction.id.toLowerCase(), name: (row) => (row.reaction.name ?? "").toLowerCase() };
  const sign = down ? -1 : 1;
  const [numbers, texts] = [number[key], text[key]];
  if (numbers) {
    const values = new Map(rows.map((row) => [row, numbers(row)]));
    // Infinite less infinite is no number.
    return [...rows].sort((a, b) => {
      const [x, y] = [values.get(a) ?? 0, values.get(b) ?? 0];
      return x === y ? 0 : sign * (x < y ? -1 : 1);
    });
  }
  if (texts) return [...rows].sort((a, b) => (texts(a) === texts(b) ? 0 : sign * (texts(a) < texts(b) ? -1 : 1)));
  return [...rows];
}
