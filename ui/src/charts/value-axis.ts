// Marks of a value axis: round steps, or the decades of a logarithm.

export function axisNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6 || (size !== 0 && size < 1e-3)) {
    return value.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e");
  }
  return String(Number(value.toPrecision(10)));
}

/** Five or so round values between `low` and `high`. */
export function valueSplits(low: number, high: number, log: boolean): number[] {
  if (log) {
    const splits: number[] = [];
    for (let power = Math.ceil(Math.log10(low)); power <= Math.log10(high); power += 1) splits.push(10 ** power);
    return splits.length > 1 ? splits : [low, high];
  }
  const rough = (high - low) / 5 || 1;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * decade).find((size) => size >= rough) ?? rough;
  const splits: number[] = [];
  for (let k = Math.ceil(low / step); k * step <= high; k += 1) splits.push(Number((k * step).toPrecision(12)));
  return splits;
}
