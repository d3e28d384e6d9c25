// Designs of a strain as a page shows them: those that stop the same reactions stand together, each can be sorted, saved,
// written into the address and put onto the model as its changes. Touches no browser object.
import type { FluxDesigned, FluxDesignStep, FluxStrain } from "../api/flux";
import { queryList, queryText } from "../state/route";
import type { Bounds, Edits } from "./edits";
import type { Network } from "./network";

/** Product at the best growth below this is none, mmol/g/h. */
export const MADE = 1e-6;

export interface DesignRow {
  /** place in the answer, from 1 */
  rank: number;
  key: string;
  steps: readonly FluxDesignStep[];
  /** designs of the same size that stop the same reactions */
  others: (readonly FluxDesignStep[])[];
  cost: number;
  growth: number | null;
  /** of the strain without a design */
  share: number | null;
  least: number | null;
  most: number | null;
  potential: number | null;
  proved: boolean | null;
  /** reactions that stop */
  lost: string[];
}

/** A design as it stands in the address. */
export function designKey(steps: readonly FluxDesignStep[]): string[] {
  return steps.map((one) => `${one.change}:${one.id}`).sort();
}

const CHANGES: ReadonlySet<string> = new Set(["remove-gene", "remove-reaction", "hold"] satisfies FluxDesignStep["change"][]);

/** Reads what `designKey` wrote; what is no step is left out. */
export function readDesign(text: string | null): FluxDesignStep[] {
  return queryList(text).flatMap((entry) => {
    const at = entry.indexOf(":");
    const [change, id] = [entry.slice(0, at), entry.slice(at + 1)];
    return at > 0 && id !== "" && CHANGES.has(change) ? [{ change: change as FluxDesignStep["change"], id }] : [];
  });
}

/** `PFK <= 5` as bounds over those that hold already; null where it is no limit of one reaction. */
export function heldBounds(limit: string, now: (id: string) => Bounds | null): [string, Bounds] | null {
  const found = /^\s*(\S+?)\s*(<=|>=|=)\s*([-+]?[0-9.]+(?:e[-+]?[0-9]+)?)\s*$/i.exec(limit);
  const [, id, sign, number] = found ?? [];
  const value = Number(number);
  const bounds = id === undefined ? null : now(id);
  if (id === undefined || bounds === null || !Number.isFinite(value)) return null;
  return [id, { lower: sign === "<=" ? bounds.lower : value, upper: sign === ">=" ? bounds.upper : value }];
}

/** What a design stops and holds, over the changes that are there. */
export function applied(steps: readonly FluxDesignStep[], edits: Edits, network: Network): Edits {
  const removed = steps.filter((one) => one.change !== "hold").map((one) => one.id);
  const bounds = new Map(edits.bounds);
  for (const one of steps) {
    if (one.change !== "hold") continue;
    const held = heldBounds(one.id, (id) => bounds.get(id) ?? boundsOf(network, id));
    if (held) bounds.set(...held);
  }
  return { ...edits, out: [...new Set([...edits.out, ...removed])], bounds };
}

function boundsOf(network: Network, id: string): Bounds | null {
  const reaction = network.reaction(id);
  return reaction ? { lower: reaction.lower, upper: reaction.upper } : null;
}

/** The strain that `flux verify` judges. Its bounds are numbers: where there is none, the largest that models write. */
export function strainOf(steps: readonly FluxDesignStep[], edits: Edits, network: Network): FluxStrain {
  const OPEN = 1000;
  const of = (change: FluxDesignStep["change"]) => steps.filter((one) => one.change === change).map((one) => one.id);
  const held = applied(steps, edits, network).bounds;
  const changed = [...held].filter(([id, bounds]) => edits.bounds.get(id) !== bounds);
  return {
    genes_out: of("remove-gene"),
    reactions_out: of("remove-reaction"),
    ...(changed.length > 0 ? { held: Object.fromEntries(changed.map(([id, { lower, upper }]): [string, [number, number]] => [id, [lower ?? -OPEN, upper ?? OPEN]])) } : {}),
  };
}

/** The answer in rows; designs of one size that stop and hold the same stand in one, under the first of them. */
export function designRows(answer: FluxDesigned, edits: Edits, network: Network, together = true): DesignRow[] {
  const rows: DesignRow[] = [];
  const seen = new Map<string, DesignRow>();
  const already = network.outBy(edits.out);
  const wild = answer.wild_type?.growth ?? 0;
  answer.designs.forEach((one, index) => {
    const steps = one.interventions;
    const removed = steps.filter((step) => step.change.startsWith("remove")).map((step) => step.id);
    const lost = [...network.outBy([...edits.out, ...removed]).keys()].filter((id) => !already.has(id)).sort();
    const rest = steps.filter((step) => !step.change.startsWith("remove")).map((step) => `${step.change}:${step.id}`);
    const same = JSON.stringify([steps.length, one.cost, lost, rest.sort()]);
    const before = together ? seen.get(same) : undefined;
    if (before) {
      before.others.push(steps);
      return;
    }
    const growth = one.growth ?? null;
    const row: DesignRow = {
      rank: index + 1,
      key: queryText(designKey(steps)) ?? "",
      steps,
      others: [],
      cost: one.cost,
      growth,
      share: growth === null || wild <= 0 ? null : growth / wild,
      least: one.product?.[0] ?? null,
      most: one.product?.[1] ?? null,
      potential: one.potential ?? null,
      proved: one.proved ?? null,
      lost,
    };
    seen.set(same, row);
    rows.push(row);
  });
  return rows;
}

export type DesignSort = "rank" | "growth" | "least" | "edits" | "lost";

/** By a column; rows that tie keep the order of the answer. */
export function sortedDesigns(rows: readonly DesignRow[], sort: string): DesignRow[] {
  const sign = sort.startsWith("-") ? -1 : 1;
  const column = sort.replace(/^-/, "");
  const of = (row: DesignRow): number => {
    if (column === "growth") return row.growth ?? -1;
    if (column === "least") return row.least ?? -1;
    if (column === "edits") return row.steps.length;
    return column === "lost" ? row.lost.length : row.rank;
  };
  return [...rows].sort((a, b) => sign * (of(a) - of(b)) || a.rank - b.rank);
}

/** Every design of the answer, one a row, also those that stand together. */
export function designCsv(rows: readonly DesignRow[]): { header: string[]; rows: (string | number | boolean | null)[][] } {
  const text = (steps: readonly FluxDesignStep[]) => steps.map((one) => `${one.change} ${one.id}`).join("; ");
  return {
    header: ["rank", "design", "edits", "cost", "growth", "product least", "product most", "potential", "proved", "reactions lost"],
    rows: rows.flatMap((row) => [row.steps, ...row.others].map((steps) => [row.rank, text(steps), steps.length, row.cost, row.growth, row.least, row.most, row.potential, row.proved, row.lost.join(" ")])),
  };
}

/** Exchanges of products that published strains of Escherichia coli were built for, by their names in that collection. */
export const PUBLISHED: Readonly<Record<string, string>> = {
  EX_succ_e: "succinate",
  EX_lac__D_e: "lactate",
  EX_etoh_e: "ethanol",
  EX_ac_e: "acetate",
  EX_pyr_e: "pyruvate",
  EX_fum_e: "fumarate",
  EX_mal__L_e: "malate",
  EX_h2_e: "hydrogen",
  EX_ala__L_e: "alanine",
  EX_thr__L_e: "threonine",
  EX_val__L_e: "valine",
  EX_phe__L_e: "phenylalanine",
  EX_tyr__L_e: "tyrosine",
  EX_trp__L_e: "tryptophan",
  EX_ptrc_e: "putrescine",
  EX_15dap_e: "cadaverine",
};

/** The exchange that most carbon can be taken up by: what yields count on. */
export function feedstock(network: Network, medium: Readonly<Record<string, number>>): string | null {
  const formulas = new Map(network.model.metabolites.map((one) => [one.id, one.formula ?? ""]));
  let best: [string, number] | null = null;
  for (const [id, uptake] of Object.entries(medium)) {
    const metabolite = network.reaction(id)?.stoichiometry[0]?.[0];
    const carbons = /C(?![a-z])(\d*)/.exec(formulas.get(metabolite ?? "") ?? "");
    // Carbon dioxide in abundance feeds nobody who eats sugar.
    if (!carbons || uptake <= 0 || uptake >= 999) continue;
    const carbon = uptake * Number(carbons[1] || 1);
    if (best === null || carbon > best[1]) best = [id, carbon];
  }
  return best?.[0] ?? null;
}

/** The reaction that is growth: what was chosen, or the objective where it is one reaction alone, or the biomass reaction. */
export function growthOf(network: Network, chosen: string | null): string | null {
  if (chosen) return chosen;
  const terms = network.model.objective?.terms ?? [];
  if (terms.length === 1) return terms[0]?.[0] ?? null;
  return network.reactions.find((one) => one.kind === "biomass")?.id ?? null;
}

/** Whether cut sets for these targets can be proved apart: not where a region is about the most or least of a flux. */
export function provable(targets: readonly string[]): boolean {
  return !targets.some((region) => region.split(",").some((limit) => /^\s*(?:max|min)\s/.test(limit)));
}

/** Limits of regions as they are typed: regions are parted by semicolons, limits of one by commas. */
export function regionsOf(text: string): string[] {
  return text.split(/[;；\n]/).map((one) => one.trim()).filter(Boolean);
}
