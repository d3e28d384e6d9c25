// A value object in words. A censored value is never shown as a bare number:
// `< 10.04 mg/L` stays `< 10.04 mg/L`.
import type { Value } from "../api/types";
import { unitText } from "../charts/units";
import type { Lang } from "../i18n/index.svelte";

const WORDS: Record<"below-detection" | "not-determined" | "missing", Record<Lang, string>> = {
  "below-detection": { ja: "検出限界未満", en: "below detection" },
  "not-determined": { ja: "未測定", en: "not determined" },
  missing: { ja: "欠測", en: "missing" },
};

/** A number with the digits it has, grouped from five digits on: years stay years. */
export function numberText(value: number, lang: Lang, digits = 6): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e9 || size < 1e-4)) {
    return value.toExponential(Math.min(digits, 4) - 1).replace(/\.?0+e/, "e").replace("e+", "e");
  }
  return new Intl.NumberFormat(lang, { maximumSignificantDigits: digits, useGrouping: "min2", signDisplay: "negative" }).format(value);
}

/** Decimals with which numbers of this width tell about a hundredth of it apart; all of a column then have the same. */
export function sharedDecimals(width: number): number {
  if (!Number.isFinite(width) || width <= 0) return 2;
  return Math.min(Math.max(2 - Math.floor(Math.log10(width)), 0), 8);
}

/** A number with fixed decimals, so that a column can be read down: `12.00` beside `9.83`. */
export function fixedText(value: number, lang: Lang, decimals: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || size >= 1e9) return numberText(value, lang, 4);
  return new Intl.NumberFormat(lang, { minimumFractionDigits: decimals, maximumFractionDigits: decimals, useGrouping: "min2", signDisplay: "negative" }).format(value);
}

/** The digits as the file had them, when they say this very number (2.40 stays 2.40). */
function sourceDigits(number: number, text: string | null | undefined): string | null {
  const digits = /^\s*[<>≤≥＜＞]?\s*([+-]?\d+(?:\.\d+)?)\s*$/.exec(text ?? "")?.[1];
  return digits !== undefined && Number(digits) === number ? digits : null;
}

function shownNumber(number: number | null | undefined, value: Value, lang: Lang): string | null {
  if (number === null || number === undefined) return null;
  return sourceDigits(number, value.text) ?? numberText(number, lang, 8);
}

function withUnit(number: string, value: Value): string {
  const unit = unitText(value.unit ?? value.raw_unit);
  return unit === "" ? number : `${number} ${unit}`;
}

function limitText(sign: "<" | ">", number: number | null | undefined, value: Value, lang: Lang): string {
  const shown = shownNumber(number, value, lang);
  return shown === null ? (value.text ?? sign) : withUnit(`${sign} ${shown}`, value);
}

export function valueText(value: Value, lang: Lang): string {
  switch (value.kind) {
    case "exact": {
      const shown = shownNumber(value.number, value, lang);
      if (shown === null) return value.text ?? "";
      const spread = value.uncertainty ? ` ± ${numberText(value.uncertainty, lang)}` : "";
      return withUnit(`${shown}${spread}`, value);
    }
    case "less-than":
      return limitText("<", value.high ?? value.number, value, lang);
    case "greater-than":
      return limitText(">", value.low ?? value.number, value, lang);
    case "range": {
      const low = shownNumber(value.low, value, lang);
      const high = shownNumber(value.high, value, lang);
      return low === null || high === null ? (value.text ?? "") : withUnit(`${low}–${high}`, value);
    }
    case "below-detection": {
      const limit = value.high ?? value.number;
      const words = WORDS["below-detection"][lang];
      if (limit === null || limit === undefined) return words;
      return `${words} (${limitText("<", limit, value, lang)})`;
    }
    case "not-determined":
    case "missing":
      return WORDS[value.kind][lang];
    case "text":
    case "category":
      return value.text ?? "";
  }
}

/** Is this a value object, as opposed to some other JSON? */
export function isValue(candidate: unknown): candidate is Value {
  return typeof candidate === "object" && candidate !== null && "kind" in candidate && typeof candidate.kind === "string" && Object.hasOwn(KINDS, candidate.kind);
}

const KINDS: Record<Value["kind"], true> = {
  exact: true,
  "less-than": true,
  "greater-than": true,
  range: true,
  "below-detection": true,
  "not-determined": true,
  missing: true,
  text: true,
  category: true,
};

export const VALUE_KINDS = Object.keys(KINDS) as Value["kind"][];

/**
 * Where a value sits on an axis, and the quality shape that says what it is:
 * limits are drawn at the limit with the mark of a limit, never as plain points.
 */
export function plotPoint(value: Value): { number: number; quality: number } | null {
  if (value.kind === "exact" && typeof value.number === "number") return { number: value.number, quality: 0 };
  const below = value.kind === "less-than" || value.kind === "below-detection";
  const limit = below ? (value.high ?? value.number) : value.kind === "greater-than" ? (value.low ?? value.number) : null;
  if (typeof limit === "number") return { number: limit, quality: below ? 3 : 4 };
  if (value.kind === "range" && typeof value.low === "number" && typeof value.high === "number") {
    return { number: (value.low + value.high) / 2, quality: 1 };
  }
  return null;
}
