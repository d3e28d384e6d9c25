// Small models for the tests of this folder.
import type { FluxModel, FluxReaction } from "../api/flux";

export function reaction(id: string, stoichiometry: Record<string, number>, more: Partial<FluxReaction> = {}): FluxReaction {
  return { id, name: null, stoichiometry: Object.entries(stoichiometry), lower: 0, upper: 1000, gene_rule: null, genes: [], subsystem: null, kind: "internal", ...more };
}

export function model(reactions: FluxReaction[], more: Partial<FluxModel> = {}): FluxModel {
  const metabolites = [...new Set(reactions.flatMap((one) => one.stoichiometry.map(([id]) => id)))];
  const genes = [...new Set(reactions.flatMap((one) => one.genes))];
  return {
    file: "t.json",
    format: "json",
    id: "t",
    name: null,
    flux_unit: "mmol/g/h",
    objective: null,
    compartments: [],
    metabolites: metabolites.map((id) => ({ id, name: null, compartment: id.split("_").at(-1) ?? null })),
    reactions,
    genes: genes.map((id) => ({ id, name: null })),
    medium: {},
    findings: [],
    ...more,
  };
}
