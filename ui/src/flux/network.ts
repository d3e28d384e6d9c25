// A metabolic model, indexed for pages: reactions by name and by gene, equations in words, what a knock-out takes along.
// Touches no browser object.
import type { FluxModel, FluxReaction } from "../api/flux";
import { parseRule, works, type Rule } from "./rule";

/** Fluxes below this, mmol/g/h, are rounding of the solver. */
export const NOTHING = 1e-9;

export class Network {
  readonly model: FluxModel;
  readonly reactions: readonly FluxReaction[];
  readonly #at = new Map<string, number>();
  readonly #ofGene = new Map<string, number[]>();
  readonly #genes: ReadonlyMap<string, string>;
  readonly #names: ReadonlyMap<string, string>;
  readonly #rules = new Map<number, Rule | null>();

  constructor(model: FluxModel) {
    this.model = model;
    this.reactions = model.reactions;
    model.reactions.forEach((reaction, index) => {
      this.#at.set(reaction.id, index);
      for (const gene of reaction.genes) {
        const own = this.#ofGene.get(gene);
        if (own) own.push(index);
        else this.#ofGene.set(gene, [index]);
      }
    });
    this.#genes = new Map(model.genes.map((gene) => [gene.id, gene.name ?? gene.id]));
    this.#names = new Map(model.metabolites.map((one) => [one.id, one.name ?? one.id]));
  }

  reaction(id: string): FluxReaction | undefined {
    return this.reactions[this.#at.get(id) ?? -1];
  }

  isGene(id: string): boolean {
    return this.#genes.has(id);
  }

  /** Name of a gene for people; its identifier where it has none. */
  geneName(id: string): string {
    return this.#genes.get(id) ?? id;
  }

  metaboliteName(id: string): string {
    return this.#names.get(id) ?? id;
  }

  reactionsOf(gene: string): FluxReaction[] {
    return (this.#ofGene.get(gene) ?? []).flatMap((index) => this.reactions[index] ?? []);
  }

  #rule(index: number): Rule | null {
    const known = this.#rules.get(index);
    if (known !== undefined) return known;
    const rule = parseRule(this.reactions[index]?.gene_rule);
    this.#rules.set(index, rule);
    return rule;
  }

  /** Reactions that no longer run when genes or reactions are out, with how it comes. A gene comes before a reaction of its name. */
  outBy(knocked: readonly string[]): Map<string, "itself" | "genes"> {
    const out = new Map<string, "itself" | "genes">();
    const genes = new Set(knocked.filter((id) => this.#genes.has(id)));
    for (const gene of genes) {
      for (const index of this.#ofGene.get(gene) ?? []) {
        const rule = this.#rule(index);
        const reaction = this.reactions[index];
        if (reaction && rule !== null && !works(rule, genes)) out.set(reaction.id, "genes");
      }
    }
    for (const id of knocked) if (!genes.has(id) && this.#at.has(id)) out.set(id, "itself");
    return out;
  }

  /** Subsystems in alphabetical order, with how many reactions each has. */
  subsystems(): [name: string, count: number][] {
    const counts = new Map<string, number>();
    for (const { subsystem } of this.reactions) if (subsystem) counts.set(subsystem, (counts.get(subsystem) ?? 0) + 1);
    return [...counts].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  exchanges(): FluxReaction[] {
    return this.reactions.filter((one) => one.kind === "exchange");
  }
}

function side(terms: readonly [string, number][], sign: 1 | -1): string {
  return terms
    .filter(([, coefficient]) => coefficient * sign > 0)
    .map(([id, coefficient]) => (Math.abs(coefficient) === 1 ? id : `${Number(Math.abs(coefficient).toPrecision(6))} ${id}`))
    .join(" + ");
}

/** `atp_c + f6p_c → adp_c + fdp_c + h_c`; the arrow says which ways the bounds leave open. */
export function equation(reaction: Pick<FluxReaction, "stoichiometry" | "lower" | "upper">): string {
  const back = reaction.lower === null || reaction.lower < 0;
  const forth = reaction.upper === null || reaction.upper > 0;
  const arrow = back && forth ? "⇌" : back ? "←" : "→";
  const [left, right] = [side(reaction.stoichiometry, -1), side(reaction.stoichiometry, 1)];
  return `${left} ${arrow} ${right}`.trim();
}

/** The words a search looks through: names, genes, subsystem and metabolites, in small letters. */
export function searchText(network: Network, reaction: FluxReaction): string {
  const genes = reaction.genes.flatMap((gene) => [gene, network.geneName(gene)]);
  const metabolites = reaction.stoichiometry.map(([id]) => id);
  return [reaction.id, reaction.name ?? "", reaction.subsystem ?? "", ...genes, ...metabolites].join("\n").toLowerCase();
}
