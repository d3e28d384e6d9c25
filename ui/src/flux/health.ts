// The health report of a model as a list: what was looked at, how it stands, and what it is about.
import type { FluxChecked } from "../api/flux";

export type Standing = "good" | "look" | "bad" | "open";

export interface HealthLine {
  /** key of its words: `flux.health.KEY` and `flux.why.KEY` */
  key: string;
  standing: Standing;
  /** blanks of its words */
  n: number;
  of: number;
  /** what it is about: reactions and metabolites; each with a word of its own where there is one */
  about: { id: string; more: string }[];
}

const plain = (ids: readonly string[]) => ids.map((id) => ({ id, more: "" }));

function counted(key: string, ids: readonly string[], worse: Standing, of = 0): HealthLine {
  return { key, standing: ids.length === 0 ? "good" : worse, n: ids.length, of, about: plain(ids) };
}

/** Elements and charge that are made (more than used), or used. */
function excess(one: FluxChecked["structure"]["balance"]["imbalanced"][number]): string {
  const signed = (what: string, amount: number) => `${what} ${amount > 0 ? "+" : ""}${Number(amount.toPrecision(4))}`;
  const parts = Object.entries(one.atoms).map(([symbol, amount]) => signed(symbol, amount));
  return [...parts, ...(one.charge_imbalance ? [signed("e", one.charge_imbalance)] : [])].join(", ");
}

export function healthOf(checked: FluxChecked): HealthLine[] {
  const { structure, consistency } = checked;
  const { balance } = structure;
  const imbalanced = balance.imbalanced.map((one) => ({ id: one.reaction, more: excess(one) }));
  const missing = balance.mass_unknown.length;
  const lines: HealthLine[] = [
    { key: "optimum", standing: checked.status === "optimal" && Math.abs(checked.objective.value ?? 0) > 1e-9 ? "good" : "bad", n: 0, of: 0, about: plain(checked.trouble?.reactions ?? []) },
    { key: "balanced", standing: imbalanced.length === 0 ? "good" : "bad", n: imbalanced.length, of: balance.reactions, about: imbalanced },
    { key: "mass_unknown", standing: missing === 0 ? "good" : "look", n: missing, of: balance.reactions, about: plain(balance.mass_unknown) },
    counted("charge_unknown", balance.charge_unknown, "look", balance.reactions),
    counted("only_produced", structure.only_produced, "look"),
    counted("only_consumed", structure.only_consumed, "look"),
    counted("crossed", structure.crossed_bounds, "bad"),
    counted("closed", structure.closed_reactions, "look"),
    counted("empty", structure.empty_reactions, "bad"),
    { key: "duplicates", standing: structure.duplicates.length === 0 ? "good" : "look", n: structure.duplicates.length, of: 0, about: structure.duplicates.map((one) => ({ id: one.reactions[0] ?? "", more: `= ${one.reactions.slice(1).join(", ")}` })) },
    counted("unused_metabolites", structure.unused_metabolites, "look"),
    counted("unused_genes", structure.unused_genes, "look"),
    { key: "without_genes", standing: structure.without_genes === 0 ? "good" : "look", n: structure.without_genes, of: structure.size[0] ?? 0, about: [] },
  ];
  return consistency ? [...lines, ...consistencyOf(consistency)] : [...lines, ...["masses", "leak", "energy", "blocked", "blocked_open"].map((key): HealthLine => ({ key, standing: "open", n: 0, of: 0, about: [] }))];
}

function consistencyOf(found: NonNullable<FluxChecked["consistency"]>): HealthLine[] {
  const leak = (found.leak?.reactions ?? []).map(([id, flux]) => ({ id: String(id), more: String(Number(Number(flux).toPrecision(4))) }));
  return [
    counted("masses", found.unconserved, "bad"),
    { key: "leak", standing: leak.length === 0 ? "good" : "bad", n: leak.length, of: 0, about: leak },
    { key: "energy", standing: found.energy_cycles.length === 0 ? "good" : "bad", n: found.energy_cycles.length, of: 0, about: found.energy_cycles.map((one) => ({ id: one.carrier, more: one.reactions.map(([id]) => String(id)).join(", ") })) },
    counted("blocked", found.blocked, "look"),
    counted("blocked_open", found.blocked_open, "look"),
  ];
}
