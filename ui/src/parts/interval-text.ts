// An interval, a difference and a chance in words, as tables and sentences write them.
import type { Lang } from "../i18n/index.svelte";
import { fixedText, numberText } from "./value";

type Maybe = number | null | undefined;

/** `1.2 – 3.4`; a dash when it could not be told. `decimals` keeps a column alike. */
export function intervalText(low: Maybe, high: Maybe, lang: Lang, decimals?: number): string {
  if (typeof low !== "number" || typeof high !== "number") return "–";
  const shown = (value: number) => (decimals === undefined ? numberText(value, lang, 4) : fixedText(value, lang, decimals));
  return `${shown(low)} – ${shown(high)}`;
}

/** A chance: `< 0.001`, never `0`. */
export function chanceText(p: Maybe, lang: Lang): string {
  if (typeof p !== "number" || Number.isNaN(p)) return "–";
  return p < 0.001 ? "< 0.001" : fixedText(p, lang, 3);
}

/** With its sign, as a difference is written. */
export function signedText(value: Maybe, lang: Lang, decimals: number): string {
  if (typeof value !== "number") return "–";
  const shown = fixedText(value, lang, decimals);
  return value > 0 && /[1-9]/.test(shown) ? `+${shown}` : shown;
}
