// A plot of one number over another: where everything stands. The page and the SVG file draw from the same geometry.
// Touches no browser object.
import { DASHES, PALETTE } from "./colour";
import { escapeXml } from "./svg";
import { axisNumber, valueSplits } from "./value-axis";

export interface XySet {
  id: string;
  label: string;
  points: readonly { x: number; y: number }[];
  /** joined by a line, else points alone */
  line: boolean;
}

export interface XySpec {
  sets: readonly XySet[];
  /** horizontal lines of reference */
  levels: readonly { at: number; label: string }[];
  xLabel: string;
  yLabel: string;
  /** the value axis begins here at the latest */
  least?: number;
}

export interface XyGeometry {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  foot: number;
  xTicks: { at: number; place: number; text: string }[];
  yTicks: { at: number; place: number; text: string }[];
  x: (value: number) => number;
  y: (value: number) => number;
}

const LEFT = 64;
const TOP = 10;
const FOOT = 38;

function padded(values: readonly number[]): [number, number] {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return [0, 1];
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  const pad = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  return [low - pad, high + pad];
}

export function xyGeometry(spec: XySpec, width: number, height = 200): XyGeometry {
  const points = spec.sets.flatMap((set) => set.points);
  const [fromX, toX] = padded(points.map((point) => point.x));
  const [fromY, toY] = padded([...points.map((point) => point.y), ...spec.levels.map((level) => level.at), ...(spec.least === undefined ? [] : [spec.least])]);
  const left = LEFT;
  const right = width - 12;
  const foot = height - FOOT;
  const x = (value: number) => left + ((value - fromX) / (toX - fromX)) * (right - left);
  const y = (value: number) => foot - ((value - fromY) / (toY - fromY)) * (foot - TOP);
  const ticks = (low: number, high: number, place: (value: number) => number) => valueSplits(low, high, false).map((at) => ({ at, place: place(at), text: axisNumber(at) }));
  // Numbers along the foot must not touch each other.
  let xTicks = ticks(fromX, toX, x);
  while (xTicks.length > 2 && (right - left) / xTicks.length < Math.max(...xTicks.map((tick) => tick.text.length)) * 7 + 8) xTicks = xTicks.filter((_, k) => k % 2 === 0);
  return { width, height, left, right, top: TOP, foot, xTicks, yTicks: ticks(fromY, toY, y), x, y };
}

const at = (value: number) => String(Number(value.toFixed(1)));

export function xyPath(set: XySet, g: XyGeometry): string {
  return set.points.map((point, index) => `${index === 0 ? "M" : "L"}${at(g.x(point.x))} ${at(g.y(point.y))}`).join("");
}

/** Colour and dash of a set, by its place. */
export function xyStyle(place: number): { colour: string; dash: string } {
  return { colour: PALETTE[place % PALETTE.length] ?? PALETTE[0], dash: (DASHES[Math.floor(place / PALETTE.length) % DASHES.length] ?? []).join(" ") };
}

/** The mark of a set around 0, 0: sets are told apart by shape too. */
export function xyMark(place: number): string {
  const marks = ["M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0Z", "M-3.2 -3.2h6.4v6.4h-6.4Z", "M0 -4.2L4 3.2H-4Z", "M0 -4.4L4.4 0L0 4.4L-4.4 0Z", "M-4 -3.2H4L0 4.2Z"];
  return marks[place % marks.length] ?? "";
}

export function xyRows(spec: XySpec): (string | number)[][] {
  return spec.sets.flatMap((set) => set.points.map((point) => [set.label, point.x, point.y]));
}

const WIDTH = 720;
const HEIGHT = 360;
const HEAD = 34;

export function xySvg(title: string, spec: XySpec): string {
  const g = xyGeometry(spec, WIDTH, HEIGHT);
  const parts = [
    ...g.xTicks.map((tick) => `<path d="M${at(tick.place)} ${g.top}V${g.foot}" stroke="#e3e7ea"/><text x="${at(tick.place)}" y="${g.foot + 15}" text-anchor="middle">${escapeXml(tick.text)}</text>`),
    ...g.yTicks.map((tick) => `<path d="M${g.left} ${at(tick.place)}H${g.right}" stroke="#e3e7ea"/><text x="${g.left - 6}" y="${at(tick.place + 4)}" text-anchor="end">${escapeXml(tick.text)}</text>`),
    ...spec.levels.map((level) => `<path d="M${g.left} ${at(g.y(level.at))}H${g.right}" stroke="#4d5a66" stroke-dasharray="5 3"/><text x="${g.right - 4}" y="${at(g.y(level.at) - 4)}" text-anchor="end">${escapeXml(level.label)}</text>`),
  ];
  spec.sets.forEach((set, place) => {
    const { colour, dash } = xyStyle(place);
    if (set.line) parts.push(`<path d="${xyPath(set, g)}" fill="none" stroke="${colour}" stroke-width="1.6"${dash === "" ? "" : ` stroke-dasharray="${dash}"`}/>`);
    for (const point of set.points) parts.push(`<path d="${xyMark(place)}" transform="translate(${at(g.x(point.x))} ${at(g.y(point.y))})" fill="${colour}"><title>${escapeXml(set.label)}</title></path>`);
  });
  parts.push(`<text x="${(g.left + g.right) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escapeXml(spec.xLabel)}</text><text transform="translate(14 ${(g.top + g.foot) / 2}) rotate(-90)" text-anchor="middle">${escapeXml(spec.yLabel)}</text>`);
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT + HEAD}" width="${WIDTH}" height="${HEIGHT + HEAD}" font-family="system-ui, 'Noto Sans CJK JP', sans-serif" font-size="12" fill="#1a2128">
<title>${escapeXml(title)}</title>
<rect width="${WIDTH}" height="${HEIGHT + HEAD}" fill="#fff"/>
<text x="12" y="20" font-size="14" font-weight="600">${escapeXml(title)}</text>
<g transform="translate(0 ${HEAD})">
${parts.join("\n")}
</g>
</svg>
`;
}
