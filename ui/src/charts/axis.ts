// Where the marks of a time axis go, and what they say. Positions are seconds since
// t0; the words are hours since t0 or the clock of the run's own zone.

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const STEPS = [
  0.001, 0.01, 0.1, 1, 2, 5, 10, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR,
  6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 5 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 91 * DAY, 364 * DAY,
];

export interface TimeAxis {
  mode: "elapsed" | "clock";
  /** milliseconds since 1970 of t0; null when the run has no clock */
  t0: number | null;
  /** IANA name; the clock is shown in this zone */
  zone: string;
}

/** The finest step whose marks are at least `gap` pixels apart. */
export function stepFor(range: number, pixels: number, gap: number): number {
  const least = (range / Math.max(pixels, 1)) * gap;
  return STEPS.find((step) => step >= least) ?? Math.ceil(least / (364 * DAY)) * 364 * DAY;
}

/** Seconds by which the zone is ahead of UTC at that moment. */
export function zoneOffset(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).formatToParts(at);
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value ?? 0);
  const local = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  return Math.round((local - Math.floor(at / 1000) * 1000) / 1000);
}

export function timeSplits(axis: TimeAxis, from: number, to: number, pixels: number): number[] {
  const clock = axis.mode === "clock" && axis.t0 !== null;
  const step = stepFor(to - from, pixels, clock ? 78 : 64);
  // On the clock, marks fall on whole hours and midnights of the zone.
  const shift = clock && axis.t0 !== null ? axis.t0 / 1000 + zoneOffset(axis.t0 + from * 1000, axis.zone) : 0;
  const splits: number[] = [];
  let k = Math.ceil((from + shift) / step);
  while (k * step - shift <= to && splits.length < 200) {
    splits.push(k * step - shift);
    k += 1;
  }
  return splits;
}

/** The unit in which elapsed time reads best over this width. */
export function elapsedUnit(range: number): { unit: "s" | "min" | "h" | "d"; seconds: number } {
  if (range <= 3 * MINUTE) return { unit: "s", seconds: 1 };
  if (range <= 3 * HOUR) return { unit: "min", seconds: MINUTE };
  if (range <= 21 * DAY) return { unit: "h", seconds: HOUR };
  return { unit: "d", seconds: DAY };
}

function trimmed(value: number): string {
  return String(Number(value.toFixed(6)));
}

export function elapsedLabels(splits: readonly number[], range: number): string[] {
  const { seconds } = elapsedUnit(range);
  return splits.map((split) => trimmed(split / seconds));
}

/** `09:30`, with the date on the first mark and at each midnight. */
export function clockLabels(splits: readonly number[], t0: number, zone: string): string[] {
  const step = splits.length > 1 ? (splits[1] ?? 0) - (splits[0] ?? 0) : HOUR;
  let day = "";
  return splits.map((split) => {
    const { date, time } = clockParts(t0 + split * 1000, zone, step < MINUTE);
    const turn = date !== day;
    day = date;
    if (step >= DAY) return date.slice(5);
    return turn ? `${time}\n${date.slice(5)}` : time;
  });
}

export function clockParts(at: number, zone: string, seconds: boolean): { date: string; time: string } {
  const local = new Date(Math.round(at) + zoneOffset(at, zone) * 1000).toISOString();
  return { date: local.slice(0, 10), time: seconds ? local.slice(11, 19) : local.slice(11, 16) };
}
