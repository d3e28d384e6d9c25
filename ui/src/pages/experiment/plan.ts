// The form of a plan as data: what is asked of the server, what is plainly wrong before it is
// asked, and at which field a refusal belongs. Touches no browser object.
import type { PlanCondition, PlanInput } from "../../api/culture";
import type { Fields } from "../../api/types";

export interface SettingDraft {
  variable: string;
  value: string;
  unit: string;
}

export interface ConditionDraft {
  name: string;
  control: boolean;
  /** empty = as for all */
  replicates: string;
  learner: string;
  settings: SettingDraft[];
  /** JSON of a recipe, for simulation; empty = the standard one */
  recipe: string;
}

export interface PlanDraft {
  name: string;
  purpose: string;
  system: string;
  replicates: string;
  response: string;
  seed: string;
  conditions: ConditionDraft[];
}

export type PlanFault = "required" | "not-a-number" | "not-an-integer" | "not-json" | "twice";

export interface FieldFault {
  /** `name`, `system`, `replicates`, `seed`, `conditions`, or `conditions.2.name` */
  field: string;
  fault: PlanFault;
}

export function emptyCondition(name = "", control = false): ConditionDraft {
  return { name, control, replicates: "", learner: "", settings: [], recipe: "" };
}

export function emptyPlan(control: string): PlanDraft {
  return { name: "", purpose: "", system: "", replicates: "3", response: "titre-final", seed: "", conditions: [emptyCondition(control, true), emptyCondition()] };
}

const WHOLE = /^[+]?\d+$/;

function whole(text: string, field: string, faults: FieldFault[], least: number): number | undefined {
  const trimmed = text.normalize("NFKC").trim();
  if (trimmed === "") return undefined;
  const number = Number(trimmed);
  if (!WHOLE.test(trimmed) || number < least || !Number.isSafeInteger(number)) {
    faults.push({ field, fault: "not-an-integer" });
    return undefined;
  }
  return number;
}

function settingsOf(drafts: readonly SettingDraft[], field: string, faults: FieldFault[]): PlanCondition["settings"] {
  const settings: NonNullable<PlanCondition["settings"]> = {};
  for (const draft of drafts) {
    const variable = draft.variable.trim();
    const text = draft.value.normalize("NFKC").trim();
    if (variable === "" && text === "") continue;
    if (variable === "" || text === "") faults.push({ field, fault: "required" });
    else if (!Number.isFinite(Number(text))) faults.push({ field, fault: "not-a-number" });
    else if (Object.hasOwn(settings, variable)) faults.push({ field, fault: "twice" });
    else settings[variable] = { value: Number(text), unit: draft.unit.trim() || "1" };
  }
  return settings;
}

function recipeOf(text: string, field: string, faults: FieldFault[]): Fields | undefined {
  if (text.trim() === "") return undefined;
  try {
    const recipe: unknown = JSON.parse(text);
    if (typeof recipe === "object" && recipe !== null && !Array.isArray(recipe)) return recipe as Fields;
  } catch {
    // Said below, at its field.
  }
  faults.push({ field, fault: "not-json" });
  return undefined;
}

function conditionOf(draft: ConditionDraft, at: number, faults: FieldFault[]): PlanCondition {
  const condition: PlanCondition = { name: draft.name.trim() };
  if (condition.name === "") faults.push({ field: `conditions.${at}.name`, fault: "required" });
  if (draft.control) condition.control = true;
  const replicates = whole(draft.replicates, `conditions.${at}.replicates`, faults, 1);
  if (replicates !== undefined) condition.replicates = replicates;
  const settings = settingsOf(draft.settings, `conditions.${at}.settings`, faults);
  if (settings && Object.keys(settings).length > 0) condition.settings = settings;
  const recipe = recipeOf(draft.recipe, `conditions.${at}.recipe`, faults);
  if (recipe) condition.recipe = recipe;
  if (draft.learner.trim() !== "") condition.learner = draft.learner.trim();
  return condition;
}

/** What the server is asked, and what is plainly wrong before. It decides all the rest. */
export function planInput(draft: PlanDraft): { input: PlanInput; faults: FieldFault[] } {
  const faults: FieldFault[] = [];
  const input: PlanInput = { name: draft.name.trim(), system: draft.system, conditions: [] };
  if (input.name === "") faults.push({ field: "name", fault: "required" });
  if (input.system === "") faults.push({ field: "system", fault: "required" });
  const replicates = whole(draft.replicates, "replicates", faults, 1);
  if (replicates !== undefined) input.replicates = replicates;
  if (draft.purpose.trim() !== "") input.purpose = draft.purpose.trim();
  if (draft.response !== "") input.response = draft.response;
  const seed = whole(draft.seed, "seed", faults, 0);
  if (seed !== undefined) input.seed = seed;
  input.conditions = draft.conditions.map((condition, at) => conditionOf(condition, at, faults));
  if (input.conditions.length === 0) faults.push({ field: "conditions", fault: "required" });
  const names = input.conditions.map((condition) => condition.name);
  names.forEach((name, at) => {
    if (name !== "" && names.indexOf(name) < at) faults.push({ field: `conditions.${at}.name`, fault: "twice" });
  });
  return { input, faults };
}

/** Units that the form asks for; what cannot be read counts as one. */
export function unitsAsked(draft: PlanDraft): number {
  const read = (text: string, otherwise: number) => {
    const number = Number(text.normalize("NFKC").trim());
    return text.trim() !== "" && Number.isInteger(number) && number >= 1 ? number : otherwise;
  };
  const all = read(draft.replicates, 1);
  return draft.conditions.reduce((sum, condition) => sum + read(condition.replicates, all), 0);
}

const FIELDS = ["name", "purpose", "system", "replicates", "response", "seed", "conditions"] as const;
export type PlanField = (typeof FIELDS)[number];

/** The field of the form that a place of the server names (`conditions[3].recipe`); null = none of it. */
export function fieldOfPlace(place: string | null | undefined): PlanField | null {
  const head = (place ?? "").split(/[.[/]/).find((part) => part !== "");
  return FIELDS.find((field) => field === head) ?? null;
}

/** The quantities an experiment can be ranked by: those of `culture analyse`. */
export const RESPONSES = [
  "titre-final",
  "productivity",
  "biomass-final",
  "biomass-max",
  "growth-rate-max",
  "doubling-time",
  "lag-time",
  "yield-biomass-substrate",
  "yield-product-substrate",
  "yield-product-biomass",
  "overflow-max",
  "oxygen-uptake-max",
  "carbon-evolution-max",
  "respiratory-quotient",
  "feed-total",
  "base-total",
  "time-in-band-ph",
  "time-in-band-temperature",
  "time-in-band-do",
  "duration",
  "inoculated-at",
] as const;

/** Variables of which the last value can be compared, where nothing better was measured. */
export const LAST_VALUES = ["optical-density", "dry-weight"] as const;
