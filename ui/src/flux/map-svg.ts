// A map as an SVG file: all of it, in the colours of a light page, with the numbers that the page shows.
import { escapeXml } from "../charts/svg";
import { LETTER, NODE_RADIUS, SIDE_RADIUS } from "./drawing";
import { bandStep, LIGHT, strokeOf, way, WIDTHS } from "./look";
import { arrowAt, type Scene } from "./paint";

const at = (value: number) => String(Number(value.toFixed(1)));

function path(curves: readonly number[]): string {
  let d = "";
  for (let k = 0; k < curves.length; k += 8) {
    const [a, b, c, e, f, g, h, i] = curves.slice(k, k + 8).map(at);
    d += `M${a} ${b}C${c} ${e} ${f} ${g} ${h} ${i}`;
  }
  return d;
}

export function mapSvg(title: string, scene: Scene): string {
  const { drawing } = scene;
  const [left, top, right, bottom] = drawing.box;
  const unit = drawing.unit;
  const lines: string[] = [];
  const over: string[] = [];
  drawing.reactions.forEach((reaction, index) => {
    const told = scene.told[index];
    const d = path(reaction.curves);
    const { step, colour, dashed } = strokeOf(told, scene.mode, scene.scale, LIGHT);
    const width = (WIDTHS[step] ?? 1) * unit;
    const band = scene.ranges ? bandStep(told, scene.scale) : 0;
    const behind = band > 0 ? `<path d="${d}" stroke="${LIGHT.band}" stroke-opacity="0.32" stroke-width="${at((WIDTHS[band] ?? 1) * unit + 4 * unit)}"/>` : "";
    lines.push(`<g><title>${escapeXml(`${reaction.name}: ${scene.label(index)}`)}</title>${behind}<path d="${d}" stroke="${colour}" stroke-width="${at(width)}"${dashed ? ` stroke-dasharray="${8 * unit} ${6 * unit}"` : ""}/></g>`);
    const ways = way(told);
    reaction.ends.forEach((end, k) => {
      const corners = end.coefficient * ways > 0 ? arrowAt(drawing, reaction, k, (7 + 2 * step) * unit) : null;
      if (corners) over.push(`<path d="M${corners.slice(0, 2).map(at).join(" ")}L${corners.slice(2, 4).map(at).join(" ")}L${corners.slice(4).map(at).join(" ")}Z" fill="${colour}"/>`);
    });
    if (told?.out) {
      const arm = 6 * unit;
      over.push(`<path d="M${at(reaction.x - arm)} ${at(reaction.y - arm)}l${2 * arm} ${2 * arm}m0 ${-2 * arm}l${-2 * arm} ${2 * arm}" stroke="${LIGHT.out}" stroke-width="${2.5 * unit}" fill="none"/>`);
    }
    over.push(`<text x="${at(reaction.labelX)}" y="${at(reaction.labelY)}" font-size="${LETTER * unit}" font-weight="600"${told?.out ? ` fill="${LIGHT.out}"` : ""}>${escapeXml(scene.label(index))}</text>`);
  });
  const nodes = drawing.nodes.map((node) => `<circle cx="${at(node.x)}" cy="${at(node.y)}" r="${(node.primary ? NODE_RADIUS : SIDE_RADIUS) * unit}"><title>${escapeXml(node.name)}</title></circle>`);
  const names = drawing.nodes.map((node) => `<text x="${at(node.labelX)}" y="${at(node.labelY)}">${escapeXml(node.id)}</text>`);
  const texts = drawing.texts.map((text) => `<text x="${at(text.x)}" y="${at(text.y)}" font-size="${text.size}" font-weight="600" fill="#4d5a66">${escapeXml(text.text)}</text>`);
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="${at(left)} ${at(top)} ${at(right - left)} ${at(bottom - top)}" font-family="system-ui, 'Noto Sans CJK JP', sans-serif" fill="#1a2128">
<title>${escapeXml(title)}</title>
<rect x="${at(left)}" y="${at(top)}" width="${at(right - left)}" height="${at(bottom - top)}" fill="#fff"/>
<g fill="none" stroke-linecap="round">
${lines.join("\n")}
</g>
<g fill="#fff" stroke="${LIGHT.node}" stroke-width="${1.4 * unit}">
${nodes.join("\n")}
</g>
<g font-size="${at(LETTER * 0.85 * unit)}" fill="#4d5a66">
${names.join("\n")}
</g>
${texts.join("\n")}
${over.join("\n")}
</svg>
`;
}
