// What is changed of a model, as it stands in the address and as the server takes it.
import type { FluxEdits, FluxModel } from "../api/flux";
import { queryList } from "../state/route";

export interface Bounds {
  lower: number | null;
  upper: number | null;
}

export interface Edits {
  /** genes and reactions that are out */
  out: string[];
  bounds: Map<string, Bounds>;
  /** greatest uptake of exchanges, where it is not the model's own */
  medium: Map<string, number>;
  objective: string | null;
  minimize: boolean;
}

const OPEN = "open";
const side = (text: string | undefined): number | null | undefined => {
  if (text === OPEN) return null;
  const value = Number(text);
  return text !== undefined && text !== "" && Number.isFinite(value) ? value : undefined;
};

/** Reads `out`, `set` (`R~lower~upper`), `med` (`EX~uptake`), `obj` and `min` of the address. */
export function readEdits(of: { out: string | null; set: string | null; med: string | null; obj: string | null; min: string | null }): Edits {
  const bounds = new Map<string, Bounds>();
  for (const entry of queryList(of.set)) {
    const [id, low, high] = entry.split("~");
    const [lower, upper] = [side(low), side(high)];
    if (id && lower !== undefined && upper !== undefined) bounds.set(id, { lower, upper });
  }
  const medium = new Map<string, number>();
  for (const entry of queryList(of.med)) {
    const [id, uptake] = entry.split("~");
    const value = side(uptake);
    if (id && typeof value === "number") medium.set(id, value);
  }
  return { out: [...new Set(queryList(of.out))], bounds, medium, objective: of.obj || null, minimize: of.min === "1" };
}

export function writeBounds(bounds: ReadonlyMap<string, Bounds>): string[] {
  return [...bounds].map(([id, { lower, upper }]) => `${id}~${lower ?? OPEN}~${upper ?? OPEN}`);
}

export function writeMedium(medium: ReadonlyMap<string, number>): string[] {
  return [...medium].map(([id, uptake]) => `${id}~${uptake}`);
}

export function isEdited(edits: Edits): boolean {
  return edits.out.length > 0 || edits.bounds.size > 0 || edits.medium.size > 0 || edits.objective !== null || edits.minimize;
}

/** The question to the server. A medium is told whole: what it does not name is not taken up. */
export function asked(named: string, model: FluxModel, edits: Edits): FluxEdits {
  const question: FluxEdits = { model: named };
  if (edits.out.length > 0) question.knock_out = [...edits.out].sort();
  if (edits.bounds.size > 0) question.bounds = Object.fromEntries([...edits.bounds].map(([id, { lower, upper }]) => [id, [lower, upper]]));
  if (edits.medium.size > 0) {
    const medium = { ...model.medium, ...Object.fromEntries(edits.medium) };
    question.medium = Object.fromEntries(Object.entries(medium).filter(([, uptake]) => uptake > 0));
  }
  if (edits.objective !== null) {
    question.objective = edits.objective;
    if (edits.minimize) question.minimize = true;
  }
  return question;
}

/** Out when it was in, and in when it was out. */
export function toggled(list: readonly string[], id: string): string[] {
  return list.includes(id) ? list.filter((one) => one !== id) : [...list, id];
}
