// Times of a model in the seconds of the charts.

const SECONDS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600, d: 86_400, wk: 604_800 };

/** Seconds of one unit of time (UCUM); an unknown unit, or none, is read as hours. */
export function secondsIn(unit: string): number {
  return SECONDS[unit] ?? 3600;
}
