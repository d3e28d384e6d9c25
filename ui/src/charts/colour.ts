// Colours and dashes of series. A vessel (or a run without one) keeps its colour on
// every page, because the colour is computed from its name: Okabe–Ito colours,
// without yellow and black, which vanish on a light or a dark ground.

export interface Style {
  colour: string;
  /** canvas and SVG dash pattern, in pixels; empty = solid */
  dash: number[];
}

export const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"] as const;
export const DASHES: readonly number[][] = [[], [8, 4], [2, 3], [10, 3, 2, 3], [14, 4], [4, 2]];

/** FNV-1a, 32 bits: the same name gives the same style on every machine. */
export function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash;
}

/** The colour of a name; drawn solid unless another name beside it has the same. */
export function styleOf(name: string): Style {
  return { colour: PALETTE[hashName(name) % PALETTE.length] ?? PALETTE[0], dash: [] };
}

/** Series of one panel: the first keeps `base`, the others take the next colours. */
export function styleBeside(base: Style, index: number): Style {
  if (index === 0) return base;
  const start = PALETTE.indexOf(base.colour as (typeof PALETTE)[number]);
  const at = Math.max(start, 0) + index;
  const round = Math.floor(index / PALETTE.length);
  return { colour: PALETTE[at % PALETTE.length] ?? PALETTE[0], dash: DASHES[round % DASHES.length] ?? [] };
}

/**
 * Styles of several names side by side. Where two names share a colour, the later
 * one (in name order) keeps it and takes the next free dash, so that the lines can
 * still be told apart.
 */
export function stylesOf(names: readonly string[]): Map<string, Style> {
  const turns = new Map<string, number>();
  const styles = new Map<string, Style>();
  for (const name of [...new Set(names)].sort()) {
    const { colour } = styleOf(name);
    const turn = turns.get(colour) ?? 0;
    turns.set(colour, turn + 1);
    styles.set(name, { colour, dash: DASHES[turn % DASHES.length] ?? [] });
  }
  return styles;
}
