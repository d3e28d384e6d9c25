// CSV as RFC 4180 says. A byte order mark is put in front when a file is saved,
// so that spreadsheet programs read Japanese as UTF-8.
import { qualityText } from "./quality";
import type { Panel } from "./panel";

export type Cell = string | number | boolean | null | undefined;

export function csvCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function toCsv(header: readonly string[], rows: Iterable<readonly unknown[]>): string {
  const lines = [header.map(csvCell).join(",")];
  for (const row of rows) lines.push(row.map(csvCell).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

/** Every point that the panel shows, one a row: series have their own clocks. */
export function panelRows(panel: Panel, t0: string | null, range: [number, number]): Cell[][] {
  const base = t0 === null ? null : Date.parse(t0);
  const rows: Cell[][] = [];
  for (const one of panel.series) {
    for (let i = 0; i < one.t.length; i += 1) {
      const t = one.t[i] ?? 0;
      if (t < range[0] || t > range[1]) continue;
      const time = base === null ? "" : new Date(base + t * 1000).toISOString();
      rows.push([one.label, t, time, one.v[i] ?? null, panel.unit, qualityText(one.q?.[i] ?? 0), one.texts?.[i] ?? ""]);
    }
  }
  return rows;
}

export const PANEL_HEADER = ["series", "elapsed_s", "time", "value", "unit", "quality", "original"] as const;

/** Hands text to the browser as a file. */
export function saveText(name: string, text: string, type: string): void {
  const mark = type.startsWith("text/csv") ? "\uFEFF" : "";
  const url = URL.createObjectURL(new Blob([mark, text], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A file name that every system accepts. */
export function fileName(...parts: string[]): string {
  return parts.map((part) => part.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-").replaceAll(/^-+|-+$/g, "")).filter(Boolean).join("_");
}
