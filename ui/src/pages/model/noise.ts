// Levels of intervals and noise of readings, from what a person writes.
import type { Pairs } from "./pairs";

/** `50, 80, 90` in percent as shares, ascending; nothing where one of them is no level. */
export function levelsOf(text: string): number[] {
  const numbers = text.split(/[,、\s]+/).filter((part) => part !== "").map((part) => Number(part.replace(/[%％]$/, "")));
  if (numbers.length === 0 || numbers.some((one) => !(one >= 5 && one <= 99.9))) return [];
  return [...new Set(numbers)].sort((a, b) => a - b).map((one) => Number((one / 100).toPrecision(6)));
}

/** `5 %` is a share of the value; anything else a standard deviation, with its unit or in the model's. */
export function noiseInput(noise: Pairs): Record<string, { sd?: string; share?: number }> {
  return Object.fromEntries(
    Object.entries(noise).map(([name, text]) => {
      const share = /^\s*([\d.]+)\s*[%％]\s*$/.exec(text)?.[1];
      return [name, share === undefined ? { sd: text.trim() } : { share: Number(share) / 100 }];
    }),
  );
}
