// Light or dark: what the system says, unless the reader chose. The choice is a
// habit of the reader, not part of a view, so it is kept in the browser.

export type Theme = "auto" | "light" | "dark";
const KEY = "toji-theme";

class ThemeState {
  theme = $state<Theme>("auto");
  /** Grows when colours change, so that canvases draw again. */
  turn = $state(0);
}

export const themeState = new ThemeState();

function apply(): void {
  const root = document.documentElement;
  if (themeState.theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = themeState.theme;
  themeState.turn += 1;
}

export function startTheme(): void {
  const kept = localStorage.getItem(KEY);
  if (kept === "light" || kept === "dark") themeState.theme = kept;
  apply();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
}

export function setTheme(theme: Theme): void {
  themeState.theme = theme;
  localStorage.setItem(KEY, theme);
  apply();
}

export function nextTheme(): void {
  const order: Theme[] = ["auto", "light", "dark"];
  setTheme(order[(order.indexOf(themeState.theme) + 1) % order.length] ?? "auto");
}
