// Draws a map onto a canvas: lines of one look in one stroke, so that thousands of reactions take milliseconds. Only what
// is in view is drawn, and letters only where they can be read.
import type { Ink } from "../charts/ink";
import { LETTER, NODE_RADIUS, SIDE_RADIUS, type Box, type Drawing, type MapReaction } from "./drawing";
import { bandStep, pixels, strokeOf, way, type Colours, type Mode, type Told } from "./look";

/** What of the map is seen: the place of the canvas's corner, and pixels for a unit. */
export interface View {
  x: number;
  y: number;
  zoom: number;
}

export interface Scene {
  drawing: Drawing;
  told: readonly (Told | undefined)[];
  mode: Mode;
  scale: number;
  ranges: boolean;
  chosen: number;
  hovered: number;
  label: (index: number) => string;
}

/** Letters smaller than this, in pixels, are not drawn. */
const READABLE = 6.5;
const TITLE_LEAST = 11;

export const meets = (box: Box, seen: Box) => box[0] <= seen[2] && box[2] >= seen[0] && box[1] <= seen[3] && box[3] >= seen[1];

/** The part of the map that a canvas of this size shows. */
export function seenBox(view: View, width: number, height: number): Box {
  return [view.x, view.y, view.x + width / view.zoom, view.y + height / view.zoom];
}

/** The view that shows all of a box. */
export function fitted(box: Box, width: number, height: number): View {
  const zoom = Math.min(width / (box[2] - box[0] || 1), height / (box[3] - box[1] || 1));
  return { zoom, x: (box[0] + box[2]) / 2 - width / zoom / 2, y: (box[1] + box[3]) / 2 - height / zoom / 2 };
}

interface Batch {
  width: number;
  colour: string;
  dashed: boolean;
  reactions: MapReaction[];
}

function trace(context: CanvasRenderingContext2D, curves: readonly number[]): void {
  for (let k = 0; k < curves.length; k += 8) {
    context.moveTo(curves[k] ?? 0, curves[k + 1] ?? 0);
    context.bezierCurveTo(curves[k + 2] ?? 0, curves[k + 3] ?? 0, curves[k + 4] ?? 0, curves[k + 5] ?? 0, curves[k + 6] ?? 0, curves[k + 7] ?? 0);
  }
}

export function paint(context: CanvasRenderingContext2D, scene: Scene, view: View, size: { width: number; height: number; ratio: number }, ink: Ink, colours: Colours): void {
  const { drawing } = scene;
  const { zoom } = view;
  const unit = drawing.unit;
  context.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
  context.fillStyle = ink.sheet;
  context.fillRect(0, 0, size.width, size.height);
  const scale = size.ratio * zoom;
  context.setTransform(scale, 0, 0, scale, -view.x * scale, -view.y * scale);
  const seen = seenBox(view, size.width, size.height);
  const margin = 10 * unit;
  const wide: Box = [seen[0] - margin, seen[1] - margin, seen[2] + margin, seen[3] + margin];
  const shown: number[] = [];
  drawing.reactions.forEach((reaction, index) => {
    if (meets(reaction.box, wide)) shown.push(index);
  });

  context.lineCap = "round";
  if (scene.ranges) bands(context, scene, shown, zoom, colours);
  for (const batch of batches(scene, shown, zoom, colours)) {
    context.beginPath();
    for (const reaction of batch.reactions) trace(context, reaction.curves);
    context.strokeStyle = batch.colour;
    context.lineWidth = batch.width / zoom;
    context.setLineDash(batch.dashed ? [6 / zoom + 2 * unit, 5 / zoom + 2 * unit] : []);
    context.stroke();
  }
  context.setLineDash([]);
  marks(context, scene, shown, zoom, ink, colours);
  nodes(context, drawing, wide, zoom, ink, colours);
  arrows(context, scene, shown, zoom, colours);
  letters(context, scene, shown, wide, zoom, ink, colours);
}

function batches(scene: Scene, shown: readonly number[], zoom: number, colours: Colours): Batch[] {
  const found = new Map<string, Batch>();
  for (const index of shown) {
    const reaction = scene.drawing.reactions[index];
    if (!reaction) continue;
    const { step, colour, dashed } = strokeOf(scene.told[index], scene.mode, scene.scale, colours);
    const key = `${step}${colour}${dashed}`;
    const batch = found.get(key);
    if (batch) batch.reactions.push(reaction);
    else found.set(key, { width: pixels(step, scene.drawing.unit, zoom), colour, dashed, reactions: [reaction] });
  }
  return [...found.values()].sort((a, b) => a.width - b.width);
}

/** Behind each line, as wide as its flux can get. */
function bands(context: CanvasRenderingContext2D, scene: Scene, shown: readonly number[], zoom: number, colours: Colours): void {
  const bySteps = new Map<number, MapReaction[]>();
  for (const index of shown) {
    const reaction = scene.drawing.reactions[index];
    const step = bandStep(scene.told[index], scene.scale);
    if (!reaction || step === 0) continue;
    const own = bySteps.get(step);
    if (own) own.push(reaction);
    else bySteps.set(step, [reaction]);
  }
  context.globalAlpha = 0.32;
  context.strokeStyle = colours.band;
  for (const [step, reactions] of bySteps) {
    context.beginPath();
    for (const reaction of reactions) trace(context, reaction.curves);
    context.lineWidth = (pixels(step, scene.drawing.unit, zoom) + 4 + 2 * scene.drawing.unit * zoom) / zoom;
    context.stroke();
  }
  context.globalAlpha = 1;
}

function marks(context: CanvasRenderingContext2D, scene: Scene, shown: readonly number[], zoom: number, ink: Ink, colours: Colours): void {
  const arm = Math.max(6 * scene.drawing.unit, 4 / zoom);
  context.beginPath();
  for (const index of shown) {
    const reaction = scene.drawing.reactions[index];
    if (!reaction || !scene.told[index]?.out) continue;
    context.moveTo(reaction.x - arm, reaction.y - arm);
    context.lineTo(reaction.x + arm, reaction.y + arm);
    context.moveTo(reaction.x - arm, reaction.y + arm);
    context.lineTo(reaction.x + arm, reaction.y - arm);
  }
  context.strokeStyle = colours.out;
  context.lineWidth = Math.max(2.5 * scene.drawing.unit, 1.8 / zoom);
  context.stroke();
  for (const [index, width] of [[scene.hovered, 1.5], [scene.chosen, 3]] as const) {
    const reaction = scene.drawing.reactions[index];
    if (!reaction) continue;
    context.beginPath();
    context.arc(reaction.x, reaction.y, Math.max(12 * scene.drawing.unit, 9 / zoom), 0, Math.PI * 2);
    context.strokeStyle = index === scene.chosen ? ink.accent : ink.soft;
    context.lineWidth = width / zoom;
    context.stroke();
  }
}

function nodes(context: CanvasRenderingContext2D, drawing: Drawing, seen: Box, zoom: number, ink: Ink, colours: Colours): void {
  if (NODE_RADIUS * drawing.unit * zoom < 0.9) return;
  context.beginPath();
  for (const node of drawing.nodes) {
    if (node.x < seen[0] || node.x > seen[2] || node.y < seen[1] || node.y > seen[3]) continue;
    const radius = (node.primary ? NODE_RADIUS : SIDE_RADIUS) * drawing.unit;
    context.moveTo(node.x + radius, node.y);
    context.arc(node.x, node.y, radius, 0, Math.PI * 2);
  }
  context.fillStyle = ink.sheet;
  context.fill();
  context.strokeStyle = colours.node;
  context.lineWidth = Math.max(1.4 * drawing.unit, 0.8 / zoom);
  context.stroke();
}

/** Corners of the arrow at an end of a reaction. */
export function arrowAt(drawing: Drawing, reaction: MapReaction, end: number, size: number): [number, number, number, number, number, number] | null {
  const at = reaction.ends[end];
  const node = drawing.nodes[at?.node ?? -1];
  if (!at || !node) return null;
  const [dx, dy] = [node.x - at.fromX, node.y - at.fromY];
  const length = Math.hypot(dx, dy) || 1;
  const [ux, uy] = [dx / length, dy / length];
  const radius = (node.primary ? NODE_RADIUS : SIDE_RADIUS) * drawing.unit + 1.2 * drawing.unit;
  const [tx, ty] = [node.x - ux * radius, node.y - uy * radius];
  const [bx, by] = [tx - ux * size, ty - uy * size];
  return [tx, ty, bx - uy * size * 0.55, by + ux * size * 0.55, bx + uy * size * 0.55, by - ux * size * 0.55];
}

function arrows(context: CanvasRenderingContext2D, scene: Scene, shown: readonly number[], zoom: number, colours: Colours): void {
  const paths = new Map<string, number[]>();
  for (const index of shown) {
    const told = scene.told[index];
    const reaction = scene.drawing.reactions[index];
    const ways = way(told);
    if (!reaction || ways === 0) continue;
    const { step, colour } = strokeOf(told, scene.mode, scene.scale, colours);
    const size = (7 + 2 * step) * scene.drawing.unit;
    if (size * zoom < 3) continue;
    for (let end = 0; end < reaction.ends.length; end += 1) {
      if ((reaction.ends[end]?.coefficient ?? 0) * ways <= 0) continue;
      const corners = arrowAt(scene.drawing, reaction, end, size);
      if (!corners) continue;
      const path = paths.get(colour);
      if (path) path.push(...corners);
      else paths.set(colour, [...corners]);
    }
  }
  for (const [colour, corners] of paths) {
    context.beginPath();
    for (let k = 0; k < corners.length; k += 6) {
      context.moveTo(corners[k] ?? 0, corners[k + 1] ?? 0);
      context.lineTo(corners[k + 2] ?? 0, corners[k + 3] ?? 0);
      context.lineTo(corners[k + 4] ?? 0, corners[k + 5] ?? 0);
      context.closePath();
    }
    context.fillStyle = colour;
    context.fill();
  }
}

function letters(context: CanvasRenderingContext2D, scene: Scene, shown: readonly number[], seen: Box, zoom: number, ink: Ink, colours: Colours): void {
  const { drawing } = scene;
  const family = "system-ui, 'Noto Sans CJK JP', sans-serif";
  for (const text of drawing.texts) {
    const size = Math.max(text.size, TITLE_LEAST / zoom);
    if (text.x > seen[2] || text.y < seen[1] || text.y - size > seen[3] || text.x + text.text.length * size < seen[0]) continue;
    context.font = `600 ${size}px ${family}`;
    context.fillStyle = ink.soft;
    // As much of a heading as there is room for.
    const width = context.measureText(text.text).width;
    const fit = Math.floor((text.text.length * (text.room - size / 2)) / width);
    if (width <= text.room) context.fillText(text.text, text.x, text.y);
    else if (fit >= 4) context.fillText(`${text.text.slice(0, fit - 1)}…`, text.x, text.y);
  }
  const letter = LETTER * drawing.unit;
  if (letter * zoom < READABLE) return;
  context.font = `${letter * 0.85}px ${family}`;
  context.fillStyle = ink.soft;
  for (const node of drawing.nodes) {
    if (!node.primary && letter * zoom < READABLE * 1.4) continue;
    if (node.labelX > seen[2] || node.labelX < seen[0] - 200 * drawing.unit || node.labelY < seen[1] || node.labelY > seen[3]) continue;
    context.fillText(node.id, node.labelX, node.labelY);
  }
  context.font = `600 ${letter}px ${family}`;
  for (const index of shown) {
    const reaction = drawing.reactions[index];
    if (!reaction) continue;
    context.fillStyle = scene.told[index]?.out ? colours.out : ink.ink;
    context.fillText(scene.label(index), reaction.labelX, reaction.labelY);
  }
}
