// A panel as an SVG file: what the canvas shows, in vectors, with its legend.
import { clockLabels, elapsedLabels, timeSplits, type TimeAxis } from "./axis";
import { MARK_DASHES, QUALITY_SHAPES, type Mark } from "./marks";
import { areaPlaces, type Panel, type Series } from "./panel";
import { unpackQuality } from "./quality";
import { axisNumber, valueSplits } from "./value-axis";

export interface SvgSpec {
  panel: Panel;
  range: [number, number];
  axis: TimeAxis;
  axisLabel: string;
  valueLabel: string;
  log: boolean;
  hidden: ReadonlySet<string>;
  marks: readonly Mark[];
}

const BOX = { width: 900, height: 360, left: 72, right: 20, top: 40, bottom: 58 };

export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

interface Frame {
  x: (t: number) => number;
  y: (value: number) => number;
  low: number;
  high: number;
}

function valueExtent(series: readonly Series[], range: [number, number], log: boolean): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const one of series) {
    for (let i = 0; i < one.t.length; i += 1) {
      const t = one.t[i] ?? 0;
      const value = one.v[i];
      if (t < range[0] || t > range[1] || value === null || value === undefined || (log && value <= 0)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) return log ? [0.1, 10] : [0, 1];
  if (log) return low === high ? [low / 2, high * 2] : [low, high];
  const pad = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  return [low - pad, high + pad];
}

function frameOf(spec: SvgSpec, series: readonly Series[]): Frame {
  const [low, high] = valueExtent(series, spec.range, spec.log);
  const [from, to] = spec.range;
  const scale = spec.log ? Math.log10 : (value: number) => value;
  const width = BOX.width - BOX.left - BOX.right;
  const height = BOX.height - BOX.top - BOX.bottom;
  return {
    low,
    high,
    x: (t) => BOX.left + ((t - from) / (to - from || 1)) * width,
    y: (value) => BOX.top + height - ((scale(value) - scale(low)) / (scale(high) - scale(low) || 1)) * height,
  };
}

const at = (value: number) => String(Number(value.toFixed(2)));

function linePath(one: Series, frame: Frame, spec: SvgSpec): string {
  const parts: string[] = [];
  let pen = false;
  for (let i = 0; i < one.t.length; i += 1) {
    const t = one.t[i] ?? 0;
    const value = one.v[i];
    if (t < spec.range[0] || t > spec.range[1]) continue;
    if (value === null || value === undefined || (spec.log && value <= 0)) {
      pen = false;
      continue;
    }
    const x = at(frame.x(t));
    const y = at(frame.y(value));
    if (!pen) parts.push(`M${x} ${y}`);
    else if (one.stepped) parts.push(`H${x}V${y}`);
    else parts.push(`L${x} ${y}`);
    pen = true;
  }
  return parts.join("");
}

function seriesSvg(one: Series, frame: Frame, spec: SvgSpec): string {
  const marks: string[] = [];
  for (let i = 0; i < one.t.length; i += 1) {
    const t = one.t[i] ?? 0;
    const value = one.v[i];
    if (t < spec.range[0] || t > spec.range[1] || value === null || value === undefined || (spec.log && value <= 0)) continue;
    const x = at(frame.x(t));
    const y = at(frame.y(value));
    if (one.dots) marks.push(`<circle cx="${x}" cy="${y}" r="3.5" fill="${one.style.colour}"/>`);
    const { status } = unpackQuality(one.q?.[i] ?? 0);
    if (status !== "good") {
      marks.push(`<path d="${QUALITY_SHAPES[status].path}" transform="translate(${x} ${y}) scale(4)" fill="#fff" fill-opacity="0.8" stroke="#111" stroke-width="0.35"/>`);
    }
  }
  const dash = one.style.dash.length > 0 ? ` stroke-dasharray="${one.style.dash.join(" ")}"` : "";
  const line = one.dots ? "" : `<path d="${linePath(one, frame, spec)}" fill="none" stroke="${one.style.colour}" stroke-width="1.6"${dash}/>`;
  return `<g><title>${escapeXml(one.label)}</title>${line}${marks.join("")}</g>`;
}

/** The areas between two series, where both have a value at the same time. */
function areasSvg(spec: SvgSpec, frame: Frame): string {
  const drawn = areaPlaces(spec.panel).map(({ low, high, area }) => {
    const [under, over] = [spec.panel.series[low], spec.panel.series[high]];
    if (!under || !over || spec.hidden.has(under.id) || spec.hidden.has(over.id)) return "";
    const points: { x: string; low: string; high: string }[] = [];
    for (let i = 0; i < Math.min(under.t.length, over.t.length); i += 1) {
      const t = under.t[i] ?? 0;
      const [a, b] = [under.v[i], over.v[i]];
      if (t !== over.t[i] || t < spec.range[0] || t > spec.range[1] || typeof a !== "number" || typeof b !== "number" || (spec.log && a <= 0)) continue;
      points.push({ x: at(frame.x(t)), low: at(frame.y(a)), high: at(frame.y(b)) });
    }
    if (points.length < 2) return "";
    const path = [...points.map((one) => `${one.x} ${one.high}`), ...points.reverse().map((one) => `${one.x} ${one.low}`)].join("L");
    return `<path d="M${path}Z" fill="${area.colour}" fill-opacity="${area.opacity}"/>`;
  });
  return drawn.join("");
}

function axesSvg(spec: SvgSpec, frame: Frame): string {
  const [from, to] = spec.range;
  const foot = BOX.height - BOX.bottom;
  const parts: string[] = [];
  const times = timeSplits(spec.axis, from, to, BOX.width - BOX.left - BOX.right);
  const clock = spec.axis.mode === "clock" && spec.axis.t0 !== null;
  const words = clock ? clockLabels(times, spec.axis.t0 ?? 0, spec.axis.zone) : elapsedLabels(times, to - from);
  times.forEach((t, i) => {
    const x = at(frame.x(t));
    parts.push(`<path d="M${x} ${BOX.top}V${foot}" stroke="#e3e7ea"/>`);
    (words[i] ?? "").split("\n").forEach((line, row) => {
      parts.push(`<text x="${x}" y="${foot + 15 + row * 13}" text-anchor="middle">${escapeXml(line)}</text>`);
    });
  });
  for (const value of valueSplits(frame.low, frame.high, spec.log)) {
    const y = at(frame.y(value));
    parts.push(`<path d="M${BOX.left} ${y}H${BOX.width - BOX.right}" stroke="#e3e7ea"/>`);
    parts.push(`<text x="${BOX.left - 6}" y="${Number(y) + 4}" text-anchor="end">${axisNumber(value)}</text>`);
  }
  const middle = (BOX.top + foot) / 2;
  parts.push(`<text x="${(BOX.left + BOX.width - BOX.right) / 2}" y="${BOX.height - 10}" text-anchor="middle">${escapeXml(spec.axisLabel)}</text>`);
  parts.push(`<text transform="translate(16 ${middle}) rotate(-90)" text-anchor="middle">${escapeXml(spec.valueLabel)}</text>`);
  return parts.join("");
}

function marksSvg(spec: SvgSpec, frame: Frame): string {
  return spec.marks
    .filter((mark) => mark.t >= spec.range[0] && mark.t <= spec.range[1])
    .map((mark) => {
      const dash = MARK_DASHES[mark.kind];
      const pattern = dash.length > 0 ? ` stroke-dasharray="${dash.join(" ")}"` : "";
      const words = escapeXml(mark.note === "" ? mark.label : `${mark.label}: ${mark.note}`);
      return `<path d="M${at(frame.x(mark.t))} ${BOX.top}V${BOX.height - BOX.bottom}" stroke="#8a949e"${pattern}><title>${words}</title></path>`;
    })
    .join("");
}

function legendSvg(series: readonly Series[]): string {
  let x = BOX.left;
  return series
    .map((one) => {
      const dash = one.style.dash.length > 0 ? ` stroke-dasharray="${one.style.dash.join(" ")}"` : "";
      const item = `<path d="M${x} 31h22" stroke="${one.style.colour}" stroke-width="2"${dash}/><text x="${x + 27}" y="35">${escapeXml(one.label)}</text>`;
      x += 45 + [...one.label].reduce((width, letter) => width + (letter.charCodeAt(0) > 0x2e7f ? 12 : 6.5), 0);
      return item;
    })
    .join("");
}

export function panelSvg(spec: SvgSpec): string {
  const series = spec.panel.series.filter((one) => !spec.hidden.has(one.id));
  const frame = frameOf(spec, series);
  const title = spec.panel.unit === "" ? spec.panel.title : `${spec.panel.title} (${spec.panel.unit})`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${BOX.width} ${BOX.height}" width="${BOX.width}" height="${BOX.height}" font-family="system-ui, 'Noto Sans CJK JP', sans-serif" font-size="12" fill="#333">
<title>${escapeXml(title)}</title>
<rect width="${BOX.width}" height="${BOX.height}" fill="#fff"/>
<text x="${BOX.left}" y="18" font-size="14" font-weight="600">${escapeXml(title)}</text>
${legendSvg(series)}
${axesSvg(spec, frame)}
${marksSvg(spec, frame)}
${areasSvg(spec, frame)}
${series.map((one) => seriesSvg(one, frame, spec)).join("\n")}
<rect x="${BOX.left}" y="${BOX.top}" width="${BOX.width - BOX.left - BOX.right}" height="${BOX.height - BOX.top - BOX.bottom}" fill="none" stroke="#8a949e"/>
</svg>
`;
}
