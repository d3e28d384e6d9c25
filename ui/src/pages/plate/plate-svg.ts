// The plate as an SVG file: what the page shows, in vectors, with its scale.
import type { PlateUnit } from "../../api/culture";
import { escapeXml } from "../../charts/svg";
import { rowLetters, type Plate } from "./layout";
import { BOX, heatEdges, heatStep, sparkPath, spanOf, STATE_SIGNS, type Span } from "./scale";

/** The light colours of the page's `heat` steps. */
const HEAT = ["#fbf7df", "#e8f1d4", "#cfe7cb", "#b2dbc6", "#97ccc8", "#82bacd", "#76a6d0"] as const;
const CELL = { width: 132, height: 92, gap: 4, left: 34, top: 96 };

export interface PlateScales {
  time: Span | null;
  /** null = each well has its own axis */
  common: Span | null;
  /** null = without colours */
  heat: Span | null;
}

export interface PlateWords {
  title: string;
  control: string;
  state: (unit: PlateUnit) => string;
  number: (value: number) => string;
}

function shortened(text: string, most: number): string {
  const letters = [...text];
  return letters.length <= most ? text : `${letters.slice(0, most - 1).join("")}…`;
}

function wellSvg(unit: PlateUnit, x: number, y: number, scales: PlateScales, words: PlateWords): string {
  const step = scales.heat ? heatStep(unit.last, scales.heat) : null;
  const span = scales.common ?? spanOf(unit.value);
  const path = scales.time && span ? sparkPath(unit.t_s, unit.value, scales.time, span) : "";
  const name = `${unit.control ? `◆ ${words.control} ` : ""}${unit.condition ?? unit.title ?? ""}`;
  const stretch = `translate(${x + 6} ${y + 36}) scale(${(CELL.width - 12) / BOX.width} 1)`;
  return [
    `<rect x="${x}" y="${y}" width="${CELL.width}" height="${CELL.height}" rx="5" fill="${step === null ? "#fff" : HEAT[step]}" stroke="#7d8a96"/>`,
    `<text x="${x + 6}" y="${y + 15}"><tspan font-weight="600">${escapeXml(unit.position)}</tspan> ${STATE_SIGNS[unit.state]} ${escapeXml(words.state(unit))}</text>`,
    `<text x="${x + 6}" y="${y + 30}" font-size="11">${escapeXml(shortened(name, 20))}</text>`,
    path === "" ? "" : `<path d="${path}" transform="${stretch}" fill="none" stroke="#1a2128" stroke-width="1.4" vector-effect="non-scaling-stroke"/>`,
    `<text x="${x + 6}" y="${y + 86}" font-weight="600">${typeof unit.last === "number" ? escapeXml(words.number(unit.last)) : "–"}</text>`,
    unit.alarms > 0 ? `<text x="${x + CELL.width - 6}" y="${y + 86}" text-anchor="end">▲ ${unit.alarms}</text>` : "",
  ].join("");
}

function legendSvg(span: Span, words: PlateWords): string {
  const edges = heatEdges(span);
  const boxes = HEAT.map((colour, k) => `<rect x="${CELL.left + k * 60}" y="36" width="60" height="12" fill="${colour}" stroke="#7d8a96"/>`);
  const numbers = edges.map((edge, k) => `<text x="${CELL.left + k * 60}" y="62" text-anchor="middle" font-size="11">${escapeXml(words.number(edge))}</text>`);
  return [...boxes, ...numbers].join("");
}

export function plateSvg(plate: Plate<PlateUnit>, scales: PlateScales, words: PlateWords): string {
  const width = Math.max(CELL.left + plate.columns * (CELL.width + CELL.gap) + 8, 520);
  const height = CELL.top + plate.rows * (CELL.height + CELL.gap) + 8;
  const x = (column: number) => CELL.left + column * (CELL.width + CELL.gap);
  const y = (row: number) => CELL.top + row * (CELL.height + CELL.gap);
  const heads = Array.from({ length: plate.columns }, (_, column) => `<text x="${x(column) + CELL.width / 2}" y="${CELL.top - 8}" text-anchor="middle">${column + 1}</text>`);
  const sides = Array.from({ length: plate.rows }, (_, row) => `<text x="14" y="${y(row) + CELL.height / 2}" text-anchor="middle">${rowLetters(row)}</text>`);
  const wells = plate.cells.flatMap((line, row) => line.map((unit, column) => (unit ? wellSvg(unit, x(column), y(row), scales, words) : "")));
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, 'Noto Sans CJK JP', sans-serif" font-size="12" fill="#1a2128">
<title>${escapeXml(words.title)}</title>
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="${CELL.left}" y="22" font-size="14" font-weight="600">${escapeXml(words.title)}</text>
${scales.heat && scales.heat[1] > scales.heat[0] ? legendSvg(scales.heat, words) : ""}
${[...heads, ...sides, ...wells].join("\n")}
</svg>
`;
}
