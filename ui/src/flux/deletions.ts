// The rows of deletions: what was taken out, what is left, and which reactions were lost with it.
import type { FluxDeletions } from "../api/flux";
import type { Network } from "./network";

export interface DeletionRow {
  ids: string[];
  names: string[];
  growth: number | null;
  /** of the wild type; null where nothing meets the bounds */
  share: number | null;
  status: string;
  lost: string[];
  /** for the filter, in small letters */
  words: string;
}

export function deletionRows(answer: FluxDeletions, network: Network): DeletionRow[] {
  const whole = answer.wild_type ?? 0;
  return answer.results.map((one) => {
    const ids = [...(one.genes ?? []), ...(one.reactions ?? [])];
    const names = ids.map((id) => (network.isGene(id) ? network.geneName(id) : (network.reaction(id)?.name ?? id))).filter((name, k) => name !== ids[k]);
    const growth = one.growth ?? null;
    const lost = [...network.outBy(ids).keys()];
    return { ids, names, growth, share: growth === null || whole === 0 ? null : growth / whole, status: one.status, lost, words: [...ids, ...names, ...lost].join(" ").toLowerCase() };
  });
}

/** By identifier or by what is left; what has no steady state leaves least. */
export function sortedDeletions(rows: readonly DeletionRow[], sort: string): DeletionRow[] {
  const sign = sort.startsWith("-") ? -1 : 1;
  const id = (row: DeletionRow) => row.ids.join(" ").toLowerCase();
  const compare = sort.endsWith("id") ? (a: DeletionRow, b: DeletionRow) => (id(a) < id(b) ? -1 : id(a) > id(b) ? 1 : 0) : (a: DeletionRow, b: DeletionRow) => (a.share ?? -1) - (b.share ?? -1);
  return [...rows].sort((a, b) => sign * compare(a, b));
}
