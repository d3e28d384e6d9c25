// Every pair of a subset taken out, against what the two alone let expect: the product of their shares (Segrè et al., Nat.
// Genet. 37, 2005, 77–83). Touches no browser object.
import type { FluxDeletions } from "../api/flux";

/** Most that a grid takes: 1,770 pairs. */
export const GRID_MOST = 60;
/** Less than this share left counts as lost, as the server counts. */
const LOST = 0.01;
/** Differences of shares below this are none. */
const SAME = 1e-6;

export type PairKind = "lethal" | "worse" | "better" | "none";

export interface Pair {
  ids: [string, string];
  share: number;
  /** product of the shares of the two alone */
  expected: number;
  difference: number;
  kind: PairKind;
}

export interface Grid {
  ids: string[];
  /** share that one alone leaves */
  alone: Map<string, number>;
  pairs: Pair[];
}

const key = (a: string, b: string) => (a < b ? `${a}\n${b}` : `${b}\n${a}`);

/** What nothing meets the bounds of leaves nothing. */
function shares(answer: FluxDeletions): Map<string, number> {
  const whole = answer.wild_type ?? 0;
  return new Map(
    answer.results.map((one) => {
      const ids = [...(one.genes ?? []), ...(one.reactions ?? [])];
      return [ids.length === 2 ? key(ids[0] ?? "", ids[1] ?? "") : (ids[0] ?? ""), whole > 0 ? Math.max((one.growth ?? 0) / whole, 0) : 0];
    }),
  );
}

export function pairKind(share: number, first: number, second: number): PairKind {
  if (share < LOST && first >= LOST && second >= LOST) return "lethal";
  const difference = share - first * second;
  if (Math.abs(difference) <= SAME) return "none";
  return difference < 0 ? "worse" : "better";
}

/** The grid of a subset from the answers for each alone and for all pairs; both must tell of everything. */
export function pairGrid(ids: readonly string[], single: FluxDeletions, both: FluxDeletions): Grid {
  const [alone, together] = [shares(single), shares(both)];
  const pairs: Pair[] = [];
  ids.forEach((first, k) => {
    for (const second of ids.slice(k + 1)) {
      const share = together.get(key(first, second));
      if (share === undefined) continue;
      const [a, b] = [alone.get(first) ?? 0, alone.get(second) ?? 0];
      pairs.push({ ids: [first, second], share, expected: a * b, difference: share - a * b, kind: pairKind(share, a, b) });
    }
  });
  return { ids: [...ids], alone, pairs };
}

const WEIGHT: Record<PairKind, number> = { lethal: 0, worse: 1, better: 2, none: 3 };

/** Lethal ones first, then by how far they are from what was expected. */
export function sortedPairs(pairs: readonly Pair[]): Pair[] {
  return [...pairs].sort((a, b) => WEIGHT[a.kind] - WEIGHT[b.kind] || Math.abs(b.difference) - Math.abs(a.difference) || (key(...a.ids) < key(...b.ids) ? -1 : 1));
}

export function pairOf(grid: Grid): (first: string, second: string) => Pair | undefined {
  const all = new Map(grid.pairs.map((pair) => [key(...pair.ids), pair]));
  return (first, second) => all.get(key(first, second));
}
