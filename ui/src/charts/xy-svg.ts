// A plot over two value axes as an SVG file: what the page shows, in vectors, with its legend.
import { escapeXml } from "./svg";
import { HOLLOW, XY_MARKS, xyBand, xyColour, xyFrame, xyPath, xyWhisker, type XyFrame, type XySeries, type XySpec } from "./xy";

const WIDTH = 900;
const HEAD = 30;
const INK = "#17506f";
const at = (value: number) => String(Number(value.toFixed(1)));

function seriesSvg(frame: XyFrame, one: XySeries): string {
  const colour = xyColour(one) ?? INK;
  if (one.kind === "band") return `<path d="${xyBand(frame, one)}" fill="${colour}" fill-opacity="0.18"/>`;
  if (one.kind === "area") return `<path d="${xyPath(frame, one)}" fill="${colour}" fill-opacity="0.2"${one.bare ? "" : ` stroke="${colour}"`}${one.dash ? ` stroke-dasharray="${one.dash}"` : ""}/>`;
  const line = one.kind === "points" ? "" : `<path d="${xyPath(frame, one)}" fill="none" stroke="${colour}" stroke-width="2"${one.dash ? ` stroke-dasharray="${one.dash}"` : ""}/>`;
  if (one.kind !== "points" && !one.mark) return line;
  const mark = one.mark ?? "dot";
  const marks = one.points
    .filter((point) => point.y !== null)
    .map((point) => {
      const whisker = xyWhisker(frame, point);
      return `${whisker ? `<path d="${whisker}" stroke="${colour}" fill="none"/>` : ""}<path d="${XY_MARKS[mark]}" transform="translate(${at(frame.x(point.x))} ${at(frame.y(point.y ?? 0))})" fill="${HOLLOW.has(mark) ? "none" : colour}" stroke="${colour}" stroke-width="1.6"/>`;
    })
    .join("");
  return `${line}${marks}`;
}

export function xySvg(title: string, spec: XySpec): string {
  const frame = xyFrame(spec, WIDTH);
  const legend = spec.series.length * 18;
  const parts: string[] = [];
  for (const tick of frame.xTicks) parts.push(`<path d="M${at(tick.px)} ${frame.top}V${frame.foot}" stroke="#e3e7ea"/><text x="${at(tick.px)}" y="${frame.foot + 15}" text-anchor="middle">${escapeXml(tick.text)}</text>`);
  for (const tick of frame.yTicks) parts.push(`<path d="M${at(frame.left)} ${at(tick.px)}H${at(frame.right)}" stroke="#e3e7ea"/><text x="${at(frame.left - 6)}" y="${at(tick.px + 4)}" text-anchor="end">${escapeXml(tick.text)}</text>`);
  for (const one of spec.series) parts.push(seriesSvg(frame, one));
  for (const word of spec.words ?? []) parts.push(`<text x="${at(frame.x(word.x))}" y="${at(frame.y(word.y) + 5)}" text-anchor="middle" font-size="14" font-weight="600">${escapeXml(word.text)}</text>`);
  for (const line of spec.lines ?? []) {
    const d = line.x === undefined ? `M${at(frame.left)} ${at(frame.y(line.y ?? 0))}H${at(frame.right)}` : `M${at(frame.x(line.x))} ${frame.top}V${frame.foot}`;
    parts.push(`<path d="${d}" stroke="#4d5a66" stroke-dasharray="5 3" fill="none"/>`);
    parts.push(line.x === undefined ? `<text x="${at(frame.right - 4)}" y="${at(frame.y(line.y ?? 0) - 4)}" text-anchor="end">${escapeXml(line.label)}</text>` : `<text x="${at(frame.x(line.x))}" y="${frame.top - 6}" text-anchor="middle">${escapeXml(line.label)}</text>`);
  }
  parts.push(`<text x="${at((frame.left + frame.right) / 2)}" y="${frame.foot + 34}" text-anchor="middle">${escapeXml(spec.xLabel)}</text>`);
  parts.push(`<text transform="translate(13 ${at((frame.top + frame.foot) / 2)}) rotate(-90)" text-anchor="middle">${escapeXml(spec.yLabel)}</text>`);
  spec.series.forEach((one, k) => {
    const y = frame.height + 12 + k * 18;
    const colour = xyColour(one) ?? INK;
    const sign = one.kind === "points" ? `<path d="${XY_MARKS[one.mark ?? "dot"]}" transform="translate(${frame.left + 9} ${y})" fill="${HOLLOW.has(one.mark ?? "dot") ? "none" : colour}" stroke="${colour}"/>` : `<path d="M${frame.left} ${y}h18" stroke="${colour}" stroke-width="${one.kind === "band" || one.kind === "area" ? 8 : 2}" stroke-opacity="${one.kind === "band" || one.kind === "area" ? 0.3 : 1}"${one.dash ? ` stroke-dasharray="${one.dash}"` : ""}/>`;
    parts.push(`${sign}<text x="${frame.left + 24}" y="${y + 4}">${escapeXml(one.label)}</text>`);
  });
  const height = frame.height + HEAD + legend + 10;
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, 'Noto Sans CJK JP', sans-serif" font-size="12" fill="#1a2128">
<title>${escapeXml(title)}</title>
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="12" y="20" font-size="14" font-weight="600">${escapeXml(title)}</text>
<g transform="translate(0 ${HEAD})">
${parts.join("\n")}
</g>
</svg>
`;
}
