// Fills the blanks of a dictionary string: `{name}` and, for English plurals,
// `{n|run|runs}`, which writes the number and the right word.

export type Vars = Record<string, string | number>;

function shown(value: string | number | undefined, lang: string): string {
  if (typeof value === "number") return new Intl.NumberFormat(lang, { useGrouping: "min2" }).format(value);
  return value ?? "";
}

export function fill(pattern: string, vars: Vars, lang: string): string {
  return pattern.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_all, name: string, one?: string, many?: string) => {
    const value = vars[name];
    if (one === undefined || many === undefined) return shown(value, lang);
    return `${shown(value, lang)} ${value === 1 ? one : many}`;
  });
}
