// What people write one a line: `kLa = 15 %`, `feed = 0 L/h .. 0.2 L/h`, `X <= 3.5 g/L`, `S <= 2 g/L at end`.
// A line that cannot be read is handed back, never guessed.

export interface Read<T> {
  read: T;
  wrong: string[];
}

/** Lines without the empty ones; full-width letters as half-width ones. */
export function linesOf(text: string): string[] {
  return text.split(/\r?\n/).map((line) => line.normalize("NFKC").replaceAll("≤", "<=").replaceAll("≥", ">=").trim()).filter((line) => line !== "");
}

function each<T>(text: string, start: T, one: (line: string, read: T) => boolean): Read<T> {
  const wrong = linesOf(text).filter((line) => !one(line, start));
  return { read: start, wrong };
}

/** `name = text`, the text with its unit. */
export function readNamed(text: string): Read<Record<string, string>> {
  return each<Record<string, string>>(text, {}, (line, read) => {
    const parts = /^([^=<>\s]+)\s*=\s*(\S.*)$/.exec(line);
    if (!parts?.[1] || !parts[2]) return false;
    read[parts[1]] = parts[2];
    return true;
  });
}

/** `name = low .. high`; a dash between spaces is read too. */
export function readRanges(text: string): Read<Record<string, { low: string; high: string }>> {
  return each<Record<string, { low: string; high: string }>>(text, {}, (line, read) => {
    const parts = /^([^=<>\s]+)\s*=\s*(\S.*?)\s*(?:\.\.|\s[-–~]\s)\s*(\S.*)$/.exec(line);
    if (!parts?.[1] || !parts[2] || !parts[3]) return false;
    read[parts[1]] = { low: parts[2], high: parts[3] };
    return true;
  });
}

export interface LimitLine {
  quantity: string;
  low?: string;
  high?: string;
  at_end?: boolean;
}

/** `X <= 3.5 g/L`, `DO >= 20 %`; `at end` or `終点` behind it: only at the end. */
export function readLimits(text: string): Read<LimitLine[]> {
  return each<LimitLine[]>(text, [], (line, read) => {
    const parts = /^([^=<>\s]+)\s*(<=|>=)\s*(\S.*?)\s*(at end|終点)?$/.exec(line);
    if (!parts?.[1] || !parts[3]) return false;
    read.push({ quantity: parts[1], ...(parts[2] === "<=" ? { high: parts[3] } : { low: parts[3] }), ...(parts[4] ? { at_end: true } : {}) });
    return true;
  });
}

/** `0 h: 0.03 L/h, 50 h: 0.04 L/h`: values from times on. */
export function readTimed(text: string): { at: string; value: string }[] | null {
  const rows = text.normalize("NFKC").split(",").map((part) => /^\s*([^:]+?)\s*:\s*(\S.*?)\s*$/.exec(part));
  return rows.every((row) => row !== null) ? rows.map((row) => ({ at: row?.[1] ?? "", value: row?.[2] ?? "" })) : null;
}
