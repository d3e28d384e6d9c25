// The colours of the current theme, for canvases: CSS variables resolved to
// colours by the browser itself.

export interface Ink {
  ink: string;
  soft: string;
  grid: string;
  sheet: string;
  bad: string;
  accent: string;
}

let cache: { turn: number; ink: Ink } | null = null;

/** `turn` is the theme's turn: the colours are read again when it changes. */
export function inkOf(turn: number): Ink {
  if (cache?.turn === turn) return cache.ink;
  const probe = document.createElement("span");
  document.body.append(probe);
  const read = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const ink = {
    ink: read("--ink"),
    soft: read("--soft"),
    grid: read("--grid"),
    sheet: read("--sheet"),
    bad: read("--bad"),
    accent: read("--accent"),
  };
  probe.remove();
  cache = { turn, ink };
  return ink;
}
