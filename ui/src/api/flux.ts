// Names for the shapes of the operations on metabolic models, from the generated contract. What a model holds
// (`flux model`) is said here in full, because pages index it.
import type { components } from "./schema";
import type { Diagnostic } from "./types";

type Schemas = components["schemas"];

export type FluxSolved = Schemas["FluxFbaOutput"];
export type FluxLeast = Schemas["FluxPfbaOutput"];
export type FluxRanges = Schemas["FluxFvaOutput"];
export type FluxChecked = Schemas["FluxCheckOutput"];
export type FluxReach = Schemas["FluxEnvelopeOutput"];
export type FluxDeletions = Schemas["FluxDeleteOutput"];
export type FluxStatus = Schemas["FluxStatus"];

export interface FluxMetabolite {
  id: string;
  name?: string | null;
  compartment?: string | null;
  formula?: string | null;
  charge?: number | null;
}

export interface FluxReaction {
  id: string;
  name?: string | null;
  /** metabolite and coefficient, in the order of the model; negative is consumed */
  stoichiometry: [string, number][];
  /** mmol/g/h; null where there is no bound */
  lower: number | null;
  upper: number | null;
  /** `(b0001 and b0002) or b0003`; null when it needs no gene */
  gene_rule?: string | null;
  genes: string[];
  subsystem?: string | null;
  /** `exchange`, `demand`, `sink`, `transport`, `biomass`, `internal` */
  kind: string;
}

export interface FluxGene {
  id: string;
  name?: string | null;
}

/** What a metabolic model holds. */
export interface FluxModel {
  file: string;
  format: string;
  id: string;
  name?: string | null;
  flux_unit: string;
  objective: { id: string; sense: "maximize" | "minimize"; terms: [string, number][] } | null;
  compartments: { id: string; name?: string | null }[];
  metabolites: FluxMetabolite[];
  reactions: FluxReaction[];
  genes: FluxGene[];
  /** exchange reactions and their greatest uptake, mmol/g/h */
  medium: Record<string, number>;
  findings: Diagnostic[];
}

/** A model as some edits leave it. */
export interface FluxEdits {
  model: string;
  knock_out?: string[];
  bounds?: Record<string, [number | null, number | null]>;
  medium?: Record<string, number>;
  objective?: string;
  minimize?: boolean;
}

export interface FluxOperations {
  "flux model": { input: { model: string }; output: FluxModel };
}
