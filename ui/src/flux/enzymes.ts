// Data of enzymes as a file brings them, turnover numbers changed by factors, and what limits. Touches no browser object.
import type { FluxConstrained, FluxEnzymeData } from "../api/flux";
import { queryList } from "../state/route";
import { NOTHING } from "./network";

/** Largest factor a slider gives, and its inverse the smallest. */
export const FACTOR_MOST = 10;

type Way = "forward" | "backward";
const isObject = (given: unknown): given is Record<string, unknown> => typeof given === "object" && given !== null && !Array.isArray(given);
const isPositive = (given: unknown): given is number => typeof given === "number" && Number.isFinite(given) && given > 0;

/** Reads `{"enzymes": …, "turnovers": […], "pool_g_per_g": …}`; what is wrong is told by its field. */
export function readEnzymes(text: string): FluxEnzymeData | { fault: string } {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return { fault: "JSON" };
  }
  if (!isObject(read)) return { fault: "{}" };
  const { enzymes, turnovers, pool_g_per_g: pool } = read;
  if (!isObject(enzymes) || Object.keys(enzymes).length === 0) return { fault: "enzymes" };
  if (!Array.isArray(turnovers) || turnovers.length === 0) return { fault: "turnovers" };
  if (!isPositive(pool)) return { fault: "pool_g_per_g" };
  for (const [id, one] of Object.entries(enzymes)) if (!isObject(one) || !isPositive(one["mass_kda"])) return { fault: `enzymes.${id}.mass_kda` };
  for (const [k, one] of turnovers.entries()) {
    if (!isObject(one) || typeof one["reaction"] !== "string") return { fault: `turnovers[${k}].reaction` };
    if (!isPositive(one["kcat_per_s"])) return { fault: `turnovers[${k}].kcat_per_s` };
    if (!isObject(one["subunits"])) return { fault: `turnovers[${k}].subunits` };
  }
  return read as unknown as FluxEnzymeData;
}

/** A turnover number by reaction and way; isozymes go together. */
export function kcatKey(reaction: string, way: Way | undefined): string {
  return `${reaction}~${way ?? "forward"}`;
}

/** Reads `R~forward~2.5` of the address. */
export function readFactors(text: string | null): Map<string, number> {
  const factors = new Map<string, number>();
  for (const entry of queryList(text)) {
    const [reaction, way, number] = entry.split("~");
    const factor = Number(number);
    if (reaction && (way === "forward" || way === "backward") && isPositive(factor)) factors.set(kcatKey(reaction, way), Math.min(Math.max(factor, 1 / FACTOR_MOST), FACTOR_MOST));
  }
  return factors;
}

export function writeFactors(factors: ReadonlyMap<string, number>): string[] {
  return [...factors].filter(([, factor]) => factor !== 1).map(([key, factor]) => `${key}~${Number(factor.toPrecision(4))}`);
}

/** The data with its turnover numbers changed; what was given is left as it is. */
export function scaled(data: FluxEnzymeData, factors: ReadonlyMap<string, number>): FluxEnzymeData {
  return { ...data, turnovers: data.turnovers.map((one) => ({ ...one, kcat_per_s: one.kcat_per_s * (factors.get(kcatKey(one.reaction, one.way)) ?? 1) })) };
}

export interface Slider {
  key: string;
  reaction: string;
  way: Way;
  /** greatest turnover number given of it, 1/s */
  kcat: number;
  control: number;
}

/** Turnover numbers to move: those that matter most, and those that were moved already, in the order of the first answer. */
export function sliders(data: FluxEnzymeData, base: FluxConstrained, factors: ReadonlyMap<string, number>, most = 12): Slider[] {
  const greatest = new Map<string, number>();
  for (const one of data.turnovers) greatest.set(kcatKey(one.reaction, one.way), Math.max(greatest.get(kcatKey(one.reaction, one.way)) ?? 0, one.kcat_per_s));
  const control = new Map<string, number>();
  for (const one of base.control) control.set(kcatKey(one.reaction, one.way), (control.get(kcatKey(one.reaction, one.way)) ?? 0) + one.control);
  const first = [...control.keys()].slice(0, most);
  const moved = [...factors.keys()].filter((key) => !first.includes(key) && greatest.has(key));
  return [...first, ...moved].map((key) => {
    const [reaction, way] = key.split("~");
    return { key, reaction: reaction ?? "", way: way === "backward" ? "backward" : "forward", kcat: greatest.get(key) ?? 0, control: control.get(key) ?? 0 };
  });
}

/** Enzymes by the protein they take, most first. */
export function heaviest(answer: FluxConstrained, most = 15): { id: string; grams: number; share: number; measured: number | null }[] {
  const pool = answer.pool_used_g_per_g ?? 0;
  return Object.entries(answer.usage)
    .filter(([, use]) => use.g_per_g > 1e-12)
    .sort(([a, x], [b, y]) => y.g_per_g - x.g_per_g || (a < b ? -1 : 1))
    .slice(0, most)
    .map(([id, use]) => ({ id, grams: use.g_per_g, share: pool > 0 ? use.g_per_g / pool : 0, measured: use.of_measured ?? null }));
}

/** Fluxes that differ most between two answers. */
export function moved(before: FluxConstrained, now: FluxConstrained, most = 20): { id: string; before: number; now: number }[] {
  return Object.entries(now.fluxes)
    .map(([id, flux]) => ({ id, before: before.fluxes[id] ?? 0, now: flux }))
    .filter((one) => Math.abs(one.now - one.before) > NOTHING * 1e3)
    .sort((a, b) => Math.abs(b.now - b.before) - Math.abs(a.now - a.before) || (a.id < b.id ? -1 : 1))
    .slice(0, most);
}
