// What of a run can be a reading of a quantity: variables of channels and of results.
import type { Run, Text } from "../../api/types";

export interface Variable {
  value: string;
  label: string;
}

/** Variables of all these runs, each once, by code. */
export function variablesOf(runs: readonly Pick<Run, "channels" | "samples">[], say: (text: Text | null | undefined) => string): Variable[] {
  const found = new Map<string, string>();
  for (const run of runs) {
    for (const channel of run.channels) if (channel.quantity) found.set(channel.quantity, say(channel.quantity_label) || channel.quantity);
    for (const sample of run.samples) for (const assay of sample.assays) if (!found.has(assay.analyte)) found.set(assay.analyte, assay.analyte);
  }
  return [...found].map(([value, label]) => ({ value, label })).sort((a, b) => a.value.localeCompare(b.value));
}

const USUAL: Readonly<Record<string, readonly string[]>> = {
  X: ["dry-weight", "biomass"],
  Xv: ["viable-cell-density"],
  S: ["glucose", "sucrose"],
  Glc: ["glucose"],
  Lac: ["lactate"],
  Gln: ["glutamine"],
  Amm: ["ammonium", "ammonia"],
  P: ["product", "titre"],
  mAb: ["titre", "product"],
  DO: ["dissolved-oxygen"],
  OUR: ["oxygen-uptake-rate", "our"],
  F: ["feed-rate", "feed"],
};

/** A likely variable for a quantity: the usual one, when the runs have it. */
export function likely(quantity: string, variables: readonly Variable[]): string {
  const codes = variables.map((one) => one.value);
  return USUAL[quantity]?.find((code) => codes.includes(code)) ?? codes.find((code) => code.toLowerCase() === quantity.toLowerCase()) ?? "";
}
