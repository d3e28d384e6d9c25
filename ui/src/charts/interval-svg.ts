// A plot of estimates and intervals as an SVG file.
import { BESIDE, fitted, geometryOf, MARK_PATHS, whisker, type Estimate, type IntervalSpec } from "./interval";
import { escapeXml } from "./svg";

const WIDTH = 900;
const HEAD = 30;
const at = (value: number) => String(Number(value.toFixed(1)));

export function intervalSvg(title: string, spec: IntervalSpec): string {
  const g = geometryOf(spec, WIDTH);
  const parts: string[] = [];
  for (const tick of g.ticks) {
    parts.push(`<path d="M${at(tick.x)} ${g.top}V${g.foot}" stroke="#e3e7ea"/><text x="${at(tick.x)}" y="${g.foot + 15}" text-anchor="middle">${escapeXml(tick.text)}</text>`);
  }
  for (const line of spec.lines) {
    parts.push(`<path d="M${at(g.x(line.at))} ${g.top - 4}V${g.foot}" stroke="#4d5a66" stroke-dasharray="5 3"/><text x="${at(g.x(line.at))}" y="${g.top - 8}" text-anchor="middle">${escapeXml(line.label)}</text>`);
  }
  const estimate = (one: Estimate, y: number, shape: "dot" | "ring" | "square") =>
    `<path d="${whisker(g, one, y)}" stroke="#17506f" stroke-width="1.8" fill="none"/><path d="${MARK_PATHS[shape]}" transform="translate(${at(g.x(one.at))} ${y})" fill="${shape === "ring" ? "#fff" : "#17506f"}" stroke="#17506f" stroke-width="1.5"/>`;
  spec.rows.forEach((row, index) => {
    const y = g.y(index);
    parts.push(`<text x="${at(g.left - 8)}" y="${y + 4}" text-anchor="end">${escapeXml(fitted(row.label, g.left - 10))}</text>`);
    for (const single of row.singles ?? []) parts.push(`<circle cx="${at(g.x(single))}" cy="${y - 8}" r="2.4" fill="none" stroke="#4d5a66"/>`);
    if (row.main) parts.push(estimate(row.main, y, row.shape));
    if (row.beside) parts.push(estimate(row.beside, y + BESIDE, "ring"));
    parts.push(`<text x="${at(g.right + 10)}" y="${y + 4}">${escapeXml(fitted(row.note, g.width - g.right - 10))}</text>`);
  });
  parts.push(`<path d="M${at(g.left)} ${g.foot}H${at(g.right)}" stroke="#7d8a96"/><text x="${at((g.left + g.right) / 2)}" y="${g.foot + 33}" text-anchor="middle">${escapeXml(spec.axisLabel)}</text>`);
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${g.height + HEAD}" width="${WIDTH}" height="${g.height + HEAD}" font-family="system-ui, 'Noto Sans CJK JP', sans-serif" font-size="12.5" fill="#1a2128">
<title>${escapeXml(title)}</title>
<rect width="${WIDTH}" height="${g.height + HEAD}" fill="#fff"/>
<text x="12" y="20" font-size="14" font-weight="600">${escapeXml(title)}</text>
<g transform="translate(0 ${HEAD})">
${parts.join("\n")}
</g>
</svg>
`;
}
