// Settings as they stand in the address: names with a text each (`mu_max=0.4 /h`), and parameters with their bounds.

export type Pairs = Readonly<Record<string, string>>;

/** From the items of a list in the address; the first `=` parts the name from the text. */
export function readPairs(items: readonly string[]): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const item of items) {
    const at = item.indexOf("=");
    if (at > 0 && at + 1 < item.length) pairs[item.slice(0, at)] = item.slice(at + 1);
  }
  return pairs;
}

/** Items for the address, by name; an empty text leaves it. */
export function writePairs(pairs: Pairs): string[] {
  return Object.keys(pairs)
    .sort()
    .map((name) => [name, pairs[name]?.trim() ?? ""] as const)
    .filter(([, text]) => text !== "")
    .map(([name, text]) => `${name}=${text}`);
}

export function withPair(pairs: Pairs, name: string, text: string): Record<string, string> {
  const next = { ...pairs, [name]: text };
  if (text.trim() === "") delete next[name];
  return next;
}

/** A parameter that is sought between two values. */
export interface Bound {
  low: string;
  high: string;
  /** a value for each group of runs instead of one for all */
  each: boolean;
}

export type Bounds = Readonly<Record<string, Bound>>;

/** `0.1 /h~1 /h`, and `~each` where every group has its own. */
export function readBounds(items: readonly string[]): Record<string, Bound> {
  const bounds: Record<string, Bound> = {};
  for (const [name, text] of Object.entries(readPairs(items))) {
    const [low = "", high = "", each] = text.split("~");
    bounds[name] = { low, high, each: each === "each" };
  }
  return bounds;
}

export function writeBounds(bounds: Bounds): string[] {
  return writePairs(Object.fromEntries(Object.entries(bounds).map(([name, bound]) => [name, `${bound.low.trim()}~${bound.high.trim()}${bound.each ? "~each" : ""}`])));
}

type Sought = [string, string] | { low: string; high: string; each: true };

/** As the operations take them. */
export function soughtOf(bounds: Bounds): Record<string, Sought> {
  return Object.fromEntries(Object.entries(bounds).map(([name, { low, high, each }]) => [name, each ? { low, high, each } : [low, high]]));
}

/** Names whose bounds are not both given. */
export function unbounded(bounds: Bounds): string[] {
  return Object.entries(bounds)
    .filter(([, bound]) => bound.low.trim() === "" || bound.high.trim() === "")
    .map(([name]) => name);
}

/** Bounds to begin with: a tenth and ten times a positive value, else around it. */
export function firstBound(value: number | null | undefined, unit: string): Bound {
  const written = (number: number) => `${Number(number.toPrecision(3))}${unit === "" || unit === "1" ? "" : ` ${unit}`}`;
  if (typeof value !== "number" || value === 0) return { low: "", high: "", each: false };
  const [low, high] = value > 0 ? [value / 10, value * 10] : [value * 2, 0];
  return { low: written(low), high: written(high), each: false };
}
