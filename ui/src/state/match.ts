// How well a typed word fits a label: for the command palette. Full-width and
// half-width forms count as the same.

function plain(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

/** Higher is better; `null` when the letters do not all occur in order. */
export function matchScore(typed: string, label: string): number | null {
  const want = plain(typed).replaceAll(/\s+/g, "");
  const have = plain(label);
  if (want === "") return 0;
  const whole = have.indexOf(plain(typed).trim());
  if (whole >= 0) return 1000 - whole;
  const initials = have.split(/[^\p{L}\p{N}]+/u).map((word) => word.slice(0, 1)).join("");
  if (want.length > 1 && initials.includes(want)) return 800 - initials.indexOf(want);
  let at = -1;
  let gaps = 0;
  for (const letter of want) {
    const next = have.indexOf(letter, at + 1);
    if (next < 0) return null;
    if (at >= 0) gaps += next - at - 1;
    at = next;
  }
  return 500 - gaps;
}

/** The items that fit, best first; equal scores keep their order. */
export function bestMatches<T>(typed: string, items: readonly T[], label: (item: T) => string): T[] {
  return items
    .map((item, index) => ({ item, index, score: matchScore(typed, label(item)) }))
    .filter((entry): entry is { item: T; index: number; score: number } => entry.score !== null)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .map((entry) => entry.item);
}
