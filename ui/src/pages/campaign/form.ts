// What the form of a new campaign holds as text, and the question it becomes. What cannot be read
// is told at its field, never guessed.
import type { Input } from "../../api/types";
import { typedNumber } from "../../parts/number-input";

export interface FactorDraft {
  name: string;
  unit: string;
  low: string;
  high: string;
  step: string;
  usual: string;
  shared: boolean;
}

export interface LimitDraft {
  name: string;
  unit: string;
  atLeast: string;
  atMost: string;
}

export interface CampaignDraft {
  name: string;
  purpose: string;
  goal: string;
  goalUnit: string;
  lower: boolean;
  factors: FactorDraft[];
  limits: LimitDraft[];
  system: string;
  units: string;
  group: string;
  budget: string;
  noiseShare: string;
  cost: string;
  seed: string;
}

export const emptyFactor = (): FactorDraft => ({ name: "", unit: "", low: "", high: "", step: "", usual: "", shared: false });
export const emptyLimit = (): LimitDraft => ({ name: "", unit: "", atLeast: "", atMost: "" });
export const emptyCampaign = (): CampaignDraft => ({ name: "", purpose: "", goal: "", goalUnit: "", lower: false, factors: [emptyFactor()], limits: [], system: "", units: "", group: "", budget: "", noiseShare: "", cost: "", seed: "" });

export interface Fault {
  field: string;
  fault: "required" | "not-a-number" | "not-an-integer";
}

export function campaignInput(draft: CampaignDraft): { input: Input<"culture campaign">; faults: Fault[] } {
  const faults: Fault[] = [];
  const needed = (field: string, text: string) => {
    if (text.trim() === "") faults.push({ field, fault: "required" });
    return text.trim();
  };
  const number = (field: string, text: string): number => {
    const value = typedNumber(text);
    if (value === null) faults.push({ field, fault: text.trim() === "" ? "required" : "not-a-number" });
    return value ?? 0;
  };
  const maybe = (field: string, text: string): number | null => (text.trim() === "" ? null : number(field, text));
  const whole = (field: string, text: string): number | null => {
    const value = maybe(field, text);
    if (value !== null && !Number.isInteger(value)) faults.push({ field, fault: "not-an-integer" });
    return value;
  };
  const some = <K extends string>(key: K, value: number | null) => (value === null ? {} : ({ [key]: value } as Record<K, number>));
  const name = needed("name", draft.name);
  const goal = { name: needed("goal", draft.goal), unit: needed("goalUnit", draft.goalUnit) };
  const default_recipe: Record<string, unknown> = {};
  const factors = draft.factors.map((one, k) => {
    const factor = needed(`factors.${k}.name`, one.name);
    default_recipe[factor] = number(`factors.${k}.usual`, one.usual);
    return { name: factor, unit: one.unit.trim() || "1", low: number(`factors.${k}.low`, one.low), high: number(`factors.${k}.high`, one.high), ...some("step", maybe(`factors.${k}.step`, one.step)), ...(one.shared ? { shared: true } : {}) };
  });
  const limits = draft.limits.map((one, k) => ({
    name: needed(`limits.${k}.name`, one.name),
    unit: needed(`limits.${k}.unit`, one.unit),
    ...some("at_least", maybe(`limits.${k}.atLeast`, one.atLeast)),
    ...some("at_most", maybe(`limits.${k}.atMost`, one.atMost)),
  }));
  const stop = { ...some("noise_share", maybe("noiseShare", draft.noiseShare)), ...some("cost_of_run", maybe("cost", draft.cost)) };
  const input: Input<"culture campaign"> = {
    name,
    factors,
    goal,
    default_recipe,
    ...(draft.lower ? { lower_is_better: true } : {}),
    ...(limits.length > 0 ? { limits } : {}),
    ...(draft.purpose.trim() ? { purpose: draft.purpose.trim() } : {}),
    ...(draft.system ? { system: draft.system } : {}),
    ...some("units", whole("units", draft.units)),
    ...some("group_size", whole("group", draft.group)),
    ...some("budget_runs", whole("budget", draft.budget)),
    ...some("seed", whole("seed", draft.seed)),
    ...(Object.keys(stop).length > 0 ? { stop_rule: stop } : {}),
  };
  return { input, faults };
}

/** What people typed beside the units, as results to tell; empty rows are left out. */
export function resultsInput(typed: Readonly<Record<string, Readonly<Record<string, string>>>>, source: string): { results: Input<"culture campaign-results">["results"]; faults: Fault[] } {
  const faults: Fault[] = [];
  const results: Input<"culture campaign-results">["results"] = [];
  for (const [position, texts] of Object.entries(typed)) {
    const values: Record<string, number> = {};
    for (const [output, text] of Object.entries(texts)) {
      if (text.trim() === "") continue;
      const value = typedNumber(text);
      if (value === null) faults.push({ field: `${position}.${output}`, fault: "not-a-number" });
      else values[output] = value;
    }
    if (Object.keys(values).length > 0) results.push({ position, values, ...(source.trim() ? { source: source.trim() } : {}) });
  }
  return { results, faults };
}
