// A campaign and its proposals as their records keep them: recipes, what was expected of each run,
// why it was proposed, and what came of it. Touches no browser object.
import type { Fields } from "../../api/types";
import type { Cell } from "../../charts/csv";

export interface Factor {
  name: string;
  unit: string;
  low: number | null;
  high: number | null;
  options: string[];
  shared: boolean;
}

export interface Measurand {
  name: string;
  unit: string;
  atLeast: number | null;
  atMost: number | null;
}

export interface Campaign {
  name: string;
  purpose: string;
  system: string;
  factors: Factor[];
  /** what is sought first, then what has limits */
  outputs: Measurand[];
  lowerIsBetter: boolean;
  defaultRecipe: Record<string, unknown>;
  defaultResults: Told[];
  units: number;
  budget: number | null;
}

export const WHYS = ["exploit", "explore", "replicate", "fill-space"] as const;
export type Why = (typeof WHYS)[number];
/** A shape for each reason; its word stands beside it. */
export const WHY_SIGNS: Record<Why, string> = { exploit: "▲", explore: "?", replicate: "↻", "fill-space": "·" };

export interface Expected {
  output: number;
  mean: number;
  low: number;
  high: number;
  sd: number;
}

export interface PlannedRun {
  position: string;
  row: number | null;
  column: number | null;
  group: string;
  point: number[];
  why: Why;
  expected: Expected[];
  holds: number;
  gain: number | null;
}

export interface Told {
  position: string;
  values: Record<string, number>;
  source: string;
}

export interface Proposal {
  id: string;
  number: number;
  madeAt: string;
  experiment: string;
  resultsKnown: number;
  runs: PlannedRun[];
  results: Told[];
  gain: number | null;
}

const record = (value: unknown): Record<string, unknown> => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {});
const list = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.map(record) : []);
const text = (value: unknown): string => (typeof value === "string" ? value : typeof value === "number" ? String(value) : "");
const number = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);

function told(value: unknown): Told[] {
  return list(value).map((one) => ({
    position: text(one["position"]),
    values: Object.fromEntries(Object.entries(record(one["values"])).filter((entry): entry is [string, number] => number(entry[1]) !== null)),
    source: text(one["source"]),
  }));
}

export function readCampaign(fields: Fields): Campaign {
  return {
    name: text(fields["name"]),
    purpose: text(fields["purpose"]),
    system: text(fields["system"]),
    factors: list(fields["factors"]).map((one) => ({
      name: text(one["name"]),
      unit: text(one["unit"]) || "1",
      low: number(one["low"]),
      high: number(one["high"]),
      options: Array.isArray(one["options"]) ? one["options"].map(text) : [],
      shared: one["shared"] === true,
    })),
    outputs: list(fields["outputs"]).map((one) => ({ name: text(one["name"]), unit: text(one["unit"]), atLeast: number(one["at_least"]), atMost: number(one["at_most"]) })),
    lowerIsBetter: fields["lower_is_better"] === true,
    defaultRecipe: record(fields["default_recipe"]),
    defaultResults: told(fields["default_results"]),
    units: number(fields["units"]) ?? 1,
    budget: number(fields["budget_runs"]),
  };
}

/** Columns of a plate of this many units: 24 stand in 4 × 6, 12 in 3 × 4. */
export function columnsOf(units: number): number {
  return units > 12 ? 6 : units > 6 ? 4 : Math.max(units, 1);
}

function plannedRun(value: Record<string, unknown>, index: number, columns: number): PlannedRun {
  const why = text(value["why"]);
  return {
    position: text(value["position"]),
    // Units without a place on a system stand in the order of the sheet.
    row: Math.floor(index / columns) + 1,
    column: (index % columns) + 1,
    group: text(value["group"]),
    point: Array.isArray(value["point"]) ? value["point"].map((one) => number(one) ?? Number.NaN) : [],
    why: WHYS.find((one) => one === why) ?? "fill-space",
    expected: list(value["expected"]).map((one) => ({ output: number(one["output"]) ?? 0, mean: number(one["mean"]) ?? Number.NaN, low: number(one["low"]) ?? Number.NaN, high: number(one["high"]) ?? Number.NaN, sd: number(one["sd"]) ?? Number.NaN })),
    holds: number(value["holds"]) ?? 1,
    gain: number(value["gain"]),
  };
}

export function readProposal(id: string, fields: Fields): Proposal {
  const runs = list(fields["runs"]);
  return {
    id,
    number: number(fields["number"]) ?? 0,
    madeAt: text(fields["made_at"]),
    experiment: text(fields["experiment"]),
    resultsKnown: number(fields["results_known"]) ?? 0,
    runs: runs.map((one, index) => plannedRun(one, index, columnsOf(runs.length))),
    results: told(fields["results"]),
    gain: number(record(fields["stopping"])["gain"]),
  };
}

/** Values by output that a place gave: what was told, else what was read from its run. */
export type Came = ReadonlyMap<string, Readonly<Record<string, number>>>;

export function cameOf(proposal: Proposal, read: Came): Map<string, Record<string, number>> {
  const all = new Map<string, Record<string, number>>();
  for (const run of proposal.runs) {
    const given = proposal.results.find((one) => one.position === run.position)?.values ?? read.get(run.position);
    if (given && Object.keys(given).length > 0) all.set(run.position, { ...given });
  }
  return all;
}

/** Did what came lie inside what was foretold? null where one of the two is missing. */
export function inside(expected: Expected | undefined, came: number | undefined): boolean | null {
  if (!expected || came === undefined || !Number.isFinite(expected.low) || !Number.isFinite(expected.high)) return null;
  return came >= expected.low && came <= expected.high;
}

/** A value of a recipe: a number in the unit of its factor, or the name of an option. */
export function settingText(factor: Factor, value: number | undefined, show: (value: number) => string): string {
  if (value === undefined || Number.isNaN(value)) return "–";
  return factor.options.length > 0 ? (factor.options[value] ?? "–") : show(value);
}

/** One sentence of why a run is proposed, as a key of the dictionary with its blanks. */
export interface Reason {
  key: `campaign.reason.${Why | "nothing_known" | "limits" | "gain"}`;
  vars: Record<string, string>;
}

/** Why this run next: what is expected of it, whether it keeps the limits, and what it adds. */
export function reasons(campaign: Campaign, run: PlannedRun, show: (value: number) => string, unitText: (code: string) => string, nameOf: (code: string) => string): Reason[] {
  const goal = campaign.outputs[0];
  const expected = run.expected.find((one) => one.output === 0) ?? run.expected[0];
  if (!goal || !expected) return [{ key: "campaign.reason.nothing_known", vars: {} }];
  const unit = unitText(goal.unit);
  const vars = { goal: nameOf(goal.name), mean: show(expected.mean), low: show(expected.low), high: show(expected.high), sd: show(expected.sd), unit };
  const all: Reason[] = [{ key: `campaign.reason.${run.why}`, vars }];
  if (campaign.outputs.some((one) => one.atLeast !== null || one.atMost !== null)) all.push({ key: "campaign.reason.limits", vars: { percent: String(Math.round(run.holds * 100)) } });
  if (run.gain !== null && run.gain > 0) all.push({ key: "campaign.reason.gain", vars: { gain: show(run.gain), unit } });
  return all;
}

/** The sheet for the bench: every unit with its recipe, what is expected, and empty columns for what will be measured. */
export function sheetRows(campaign: Campaign, proposal: Proposal, came: Came, because: (run: PlannedRun) => string): { header: string[]; rows: Cell[][] } {
  const named = (name: string, unit: string) => (unit === "" || unit === "1" ? name : `${name} (${unit})`);
  const outputs = campaign.outputs;
  return {
    header: [
      "position",
      "group",
      "why",
      ...campaign.factors.map((factor) => named(factor.name, factor.options.length > 0 ? "" : factor.unit)),
      ...outputs.flatMap((one) => [`${named(one.name, one.unit)} expected`, `${one.name} low`, `${one.name} high`]),
      "limits_hold",
      "gain",
      "reason",
      ...outputs.map((one) => `${named(one.name, one.unit)} measured`),
    ],
    rows: proposal.runs.map((run) => [
      run.position,
      run.group,
      run.why,
      ...campaign.factors.map((factor, k): Cell => (factor.options.length > 0 ? (factor.options[run.point[k] ?? -1] ?? "") : (run.point[k] ?? null))),
      ...outputs.flatMap((_, k): Cell[] => {
        const one = run.expected.find((expected) => expected.output === k);
        return one ? [one.mean, one.low, one.high] : [null, null, null];
      }),
      run.holds,
      run.gain,
      because(run),
      ...outputs.map((one): Cell => came.get(run.position)?.[one.name] ?? null),
    ]),
  };
}
