// Fluxes in words. Formats are made once: a table of fluxes is written anew with every click.
import type { Lang } from "../i18n/index.svelte";
import { NOTHING } from "./network";

const formats = new Map<string, Intl.NumberFormat>();

function format(lang: Lang, digits: number): Intl.NumberFormat {
  const key = `${lang} ${digits}`;
  let found = formats.get(key);
  if (!found) formats.set(key, (found = new Intl.NumberFormat(lang, { maximumSignificantDigits: digits, useGrouping: "min2", signDisplay: "negative" })));
  return found;
}

/** A flux; rounding of the solver is nothing. */
export function fluxText(value: number | null | undefined, lang: Lang, digits = 5): string {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size <= NOTHING) return "0";
  if (size < 1e-4) return value.toExponential(2).replace("e+", "e");
  return format(lang, digits).format(value);
}

/** With a sign, for a difference. */
export function signedText(value: number | null, lang: Lang): string {
  const text = fluxText(value, lang, 4);
  return value !== null && value > NOTHING ? `+${text}` : text;
}

/** `[0, 8.39]`; an end without a limit is ∞. */
export function rangeText(low: number | null, high: number | null, lang: Lang): string {
  return `[${low === null ? "−∞" : fluxText(low, lang, 4)}, ${high === null ? "∞" : fluxText(high, lang, 4)}]`;
}
