// An interval and a chance in words, as tables and sentences write them.
import type { Lang } from "../i18n/index.svelte";
import { numberText } from "./value";

type Maybe = number | null | undefined;

/** `1.2 – 3.4`; a dash when it could not be told. */
export function intervalText(low: Maybe, high: Maybe, lang: Lang, digits = 4): string {
  if (typeof low !== "number" || typeof high !== "number") return "–";
  return `${numberText(low, lang, digits)} – ${numberText(high, lang, digits)}`;
}

/** A chance: `< 0.001`, never `0`. */
export function chanceText(p: Maybe, lang: Lang): string {
  if (typeof p !== "number" || Number.isNaN(p)) return "–";
  if (p < 0.001) return "< 0.001";
  return numberText(Math.round(p * 1e4) / 1e4, lang, p < 0.1 ? 2 : 3);
}

/** With its sign, as a difference is written. */
export function signedText(value: Maybe, lang: Lang, digits = 4): string {
  if (typeof value !== "number") return "–";
  const shown = numberText(Math.abs(value), lang, digits);
  return value > 0 ? `+${shown}` : value < 0 ? `−${shown}` : shown;
}
