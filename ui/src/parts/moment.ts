// Moments and durations in words, always with their zone or unit.
import type { Lang } from "../i18n/index.svelte";
import { clockParts } from "../charts/axis";
import { numberText } from "./value";

export const browserZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

export function isZone(zone: string | null | undefined): zone is string {
  if (!zone) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** The zone's short name at that moment: `JST`, `GMT+9`, `UTC`. */
export function zoneName(at: number, zone: string, lang: Lang): string {
  const parts = new Intl.DateTimeFormat(lang, { timeZone: zone, timeZoneName: "short" }).formatToParts(at);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? zone;
}

/** `2024-05-06 18:12 JST`; the text itself when it is not a moment. */
export function momentText(rfc3339: string | null | undefined, lang: Lang, zone = browserZone()): string {
  if (!rfc3339) return "";
  const at = Date.parse(rfc3339);
  if (Number.isNaN(at)) return rfc3339;
  const shown = isZone(zone) ? zone : "UTC";
  const { date, time } = clockParts(at, shown, false);
  return `${date} ${time} ${zoneName(at, shown, lang)}`;
}

/** Seconds as a person says them: `42 s`, `12.5 min`, `37.2 h`, `12.4 d`. */
export function durationText(seconds: number | null | undefined, lang: Lang): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "";
  const size = Math.abs(seconds);
  if (size < 120) return `${numberText(seconds, lang, 3)} s`;
  if (size < 7200) return `${numberText(seconds / 60, lang, 4)} min`;
  if (size < 30 * 86_400) return `${numberText(seconds / 3600, lang, 4)} h`;
  return `${numberText(seconds / 86_400, lang, 4)} d`;
}

/** Bytes with a unit. */
export function bytesText(bytes: number, lang: Lang): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = bytes;
  let at = 0;
  while (size >= 1000 && at < units.length - 1) {
    size /= 1000;
    at += 1;
  }
  return `${numberText(size, lang, 3)} ${units[at]}`;
}
