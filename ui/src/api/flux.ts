// Names for the shapes of the operations on metabolic models, all from the generated contract.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type FluxSolved = Schemas["FluxFbaOutput"];
export type FluxLeast = Schemas["FluxPfbaOutput"];
export type FluxRanges = Schemas["FluxFvaOutput"];
export type FluxChecked = Schemas["FluxCheckOutput"];
export type FluxReach = Schemas["FluxEnvelopeOutput"];
export type FluxDeletions = Schemas["FluxDeleteOutput"];
export type FluxStatus = Schemas["FluxStatus"];

export type FluxMetabolite = Schemas["FluxMetabolite"];
export type FluxGene = Schemas["FluxGene"];
/** A bound is null where there is none, and always told. */
export type FluxReaction = Omit<Schemas["FluxReaction"], "lower" | "upper"> & { lower: number | null; upper: number | null };
/** What a metabolic model holds. */
export type FluxModel = Omit<Schemas["FluxModelOutput"], "reactions"> & { reactions: FluxReaction[] };

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
  "flux model": { input: Schemas["FluxModelInput"]; output: FluxModel };
}

export type FluxDesigned = Schemas["FluxDesignOutput"];
export type FluxDesignMethod = Schemas["FluxDesignMethod"];
export type FluxDesignStep = Schemas["FluxDesignStep"];
export type FluxStrain = Schemas["Strain"];
export type FluxJudged = Schemas["FluxVerifyOutput"];
export type FluxRanked = Schemas["FluxRankOutput"];
export type FluxPlane = Schemas["FluxPhaseOutput"];
export type FluxConstrained = Schemas["FluxEnzymesOutput"];
/** What a file of enzymes holds. */
export type FluxEnzymeData = Pick<Schemas["FluxEnzymesInput"], "enzymes" | "turnovers" | "pool_g_per_g" | "saturation" | "encoding">;
