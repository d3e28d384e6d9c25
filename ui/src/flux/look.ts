// How fluxes look on a map: a step of width and colour by size, an arrow by direction, a band for the range, dashes and a
// cross for what is knocked out. Page and SVG file draw from the same. Nothing is told by colour alone.
import { NOTHING } from "./network";

/** What is known of a reaction, by its place in the drawing. */
export interface Told {
  /** null before an answer, or where there is no optimum */
  flux: number | null;
  before: number | null;
  low: number | null;
  high: number | null;
  /** is there a range at all; its ends are null where it has no limit */
  ranged: boolean;
  out: "itself" | "genes" | null;
}

export type Mode = "flux" | "change";

/** Shares of the scale at which the next step begins; below the first there is no flux to speak of. */
export const STEPS = [0, 0.02, 0.1, 0.3, 0.7] as const;
/** Width of each step in units of the map, the first of no flux, and the least on the screen in pixels. */
export const WIDTHS = [1.2, 2, 3, 4.4, 6, 8] as const;
const LEAST = [0.7, 1, 1.3, 1.8, 2.3, 3] as const;

export interface Colours {
  none: string;
  flux: readonly string[];
  more: readonly string[];
  less: readonly string[];
  band: string;
  node: string;
  out: string;
}

export const LIGHT: Colours = {
  none: "#9aa5ae",
  flux: ["#5f9cc4", "#3a83b6", "#1b699d", "#0f4d7d", "#4b1d75"],
  more: ["#d89a5c", "#cf7c35", "#c05f12", "#9c4503", "#752f00"],
  less: ["#6a9fc9", "#3f86bd", "#1a6cab", "#0a4f8a", "#04366a"],
  band: "#cc79a7",
  node: "#7d8a96",
  out: "#9c1c1c",
};
export const DARK: Colours = {
  none: "#5d6a75",
  flux: ["#3f7ea6", "#4f9cc9", "#6cb8e2", "#97d0f0", "#d9c2ff"],
  more: ["#9b6a34", "#c08040", "#e09a4c", "#f4b766", "#ffd596"],
  less: ["#3f7ea6", "#4f9cc9", "#6cb8e2", "#97d0f0", "#c8e8ff"],
  band: "#cc79a7",
  node: "#74828f",
  out: "#ff9c93",
};

/** The step of a size: 0 where there is nothing, else 1 to 5. */
export function stepOf(size: number, scale: number): number {
  if (!(size > NOTHING)) return 0;
  const share = size / (scale || 1);
  let step = 1;
  for (let k = 1; k < STEPS.length; k += 1) if (share >= (STEPS[k] ?? Infinity)) step = k + 1;
  return step;
}

/** A scale that a few huge fluxes do not flatten: what nine in ten of those that flow stay below, on a round number. */
export function scaleOf(sizes: Iterable<number>): number {
  const flowing = [...sizes].map(Math.abs).filter((size) => size > NOTHING && Number.isFinite(size)).sort((a, b) => a - b);
  const high = flowing[Math.min(Math.floor(flowing.length * 0.95), flowing.length - 1)];
  if (high === undefined) return 1;
  const decade = 10 ** Math.floor(Math.log10(high));
  return ([1, 2, 5, 10].find((k) => k * decade >= high * 0.999) ?? 10) * decade;
}

/** The edges of the steps as numbers, for a legend. */
export function edges(scale: number): number[] {
  return STEPS.map((share) => share * scale);
}

/** How much more (or, below zero, less) a reaction carries than before, whichever way it runs. */
export function change(told: Told): number | null {
  return told.flux === null || told.before === null ? null : Math.abs(told.flux) - Math.abs(told.before);
}

/** Does it run the other way than before? */
export function turned(told: Told): boolean {
  return told.flux !== null && told.before !== null && told.flux * told.before < 0 && Math.abs(told.flux) > NOTHING && Math.abs(told.before) > NOTHING;
}

export interface Stroke {
  step: number;
  colour: string;
  dashed: boolean;
}

export function strokeOf(told: Told | undefined, mode: Mode, scale: number, colours: Colours): Stroke {
  if (told?.out) return { step: 0, colour: colours.out, dashed: true };
  if (!told || told.flux === null) return { step: 0, colour: colours.none, dashed: false };
  if (mode === "flux") {
    const step = stepOf(Math.abs(told.flux), scale);
    return { step, colour: step === 0 ? colours.none : (colours.flux[step - 1] ?? colours.none), dashed: false };
  }
  const by = change(told) ?? 0;
  const step = stepOf(Math.abs(by), scale);
  if (step === 0) return { step, colour: colours.none, dashed: false };
  // Less is dashed: more and less are told apart without colour.
  return { step, colour: (by > 0 ? colours.more : colours.less)[step - 1] ?? colours.none, dashed: by < 0 };
}

/** Width in units of the map of a band that is as wide as the flux can get; 0 where the flux is what it is. */
export function bandStep(told: Told | undefined, scale: number): number {
  if (!told?.ranged || told.out) return 0;
  const [low, high] = [told.low ?? -Infinity, told.high ?? Infinity];
  if (Number.isFinite(high - low) && high - low <= 1e-6 * Math.max(1, Math.abs(low), Math.abs(high))) return 0;
  return stepOf(Math.max(Math.abs(low), Math.abs(high)), scale);
}

/** Width on the screen. */
export function pixels(step: number, unit: number, zoom: number): number {
  return Math.max((WIDTHS[step] ?? 1) * unit * zoom, LEAST[step] ?? 0.7);
}

/** Which way it runs: 1 as written, -1 backwards, 0 not at all. */
export function way(told: Told | undefined): number {
  return !told || told.out || told.flux === null || Math.abs(told.flux) <= NOTHING ? 0 : Math.sign(told.flux);
}
