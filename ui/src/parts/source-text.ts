// Where a record or a hit comes from, on one line.

export function sourceText(source: unknown): string {
  if (source === null || source === undefined) return "";
  if (typeof source === "string") return source;
  if (typeof source !== "object") return String(source);
  return Object.entries(source)
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([key, value]) => `${key}: ${typeof value === "object" ? JSON.stringify(value) : String(value)}`)
    .join(" · ");
}
