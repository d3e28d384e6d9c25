// The quality of a point, unpacked from its 16 bits:
// `author << 12 | cause << 4 | status`. The codes are those of toji-core.

export const STATUSES = ["good", "uncertain", "bad", "below-detection", "above-range", "substituted"] as const;
export const CAUSES = [
  "none",
  "out-of-physical-range",
  "instrument-flag",
  "not-a-number",
  "start-up",
  "stuck",
  "spike",
  "drift",
  "sensor-change",
  "sampling-disturbance",
  "clock-uncertain",
  "unit-assumed",
  "out-of-order",
  "edited",
  "uncalibrated",
  "range",
] as const;
export const AUTHORS = ["source", "rule", "person"] as const;

export type Status = (typeof STATUSES)[number] | "unknown";
export type Cause = (typeof CAUSES)[number] | "unknown";
export type Author = (typeof AUTHORS)[number] | "unknown";

export interface Quality {
  status: Status;
  cause: Cause;
  author: Author;
}

export function unpackQuality(code: number): Quality {
  return {
    status: STATUSES[code & 0xf] ?? "unknown",
    cause: CAUSES[(code >> 4) & 0xff] ?? "unknown",
    author: AUTHORS[(code >> 12) & 0xf] ?? "unknown",
  };
}

/** As the SQL columns and the CSV write it, e.g. `bad/spike/rule`. */
export function qualityText(code: number): string {
  if (code === 0) return "good";
  const { status, cause, author } = unpackQuality(code);
  return `${status}/${cause}/${author}`;
}
