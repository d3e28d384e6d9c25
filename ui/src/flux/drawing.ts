// A pathway map as places and curves, wherever it came from: an Escher file or the automatic layout. Flat numbers, so that
// thousands of reactions are drawn and hit quickly. Touches no browser object.

export type Box = [left: number, top: number, right: number, bottom: number];

export interface MapNode {
  /** identifier of the metabolite */
  id: string;
  name: string;
  x: number;
  y: number;
  labelX: number;
  labelY: number;
  primary: boolean;
}

/** Where a reaction meets one of its metabolites: the arrow stands here when the flux makes it. */
export interface MapEnd {
  node: number;
  coefficient: number;
  /** a point on the curve a little before the node, for the direction of the arrow */
  fromX: number;
  fromY: number;
}

export interface MapReaction {
  id: string;
  name: string;
  /** middle, where marks stand */
  x: number;
  y: number;
  labelX: number;
  labelY: number;
  /** cubic curves, eight numbers each: start, two handles, end */
  curves: number[];
  ends: MapEnd[];
  box: Box;
}

export interface MapText {
  x: number;
  y: number;
  text: string;
  /** height of its letters in units of the map */
  size: number;
  /** how long it may get before it runs into its neighbour */
  room: number;
}

export interface Drawing {
  nodes: MapNode[];
  reactions: MapReaction[];
  texts: MapText[];
  box: Box;
  /** size of what is drawn: the radius of a node is 6 of these, a letter 12 */
  unit: number;
}

export const NODE_RADIUS = 6;
export const SIDE_RADIUS = 3.5;
export const LETTER = 12;

export const emptyBox = (): Box => [Infinity, Infinity, -Infinity, -Infinity];

export function widen(box: Box, x: number, y: number): void {
  if (x < box[0]) box[0] = x;
  if (y < box[1]) box[1] = y;
  if (x > box[2]) box[2] = x;
  if (y > box[3]) box[3] = y;
}

/** The box around curves; a curve lies within its four points. */
export function curvesBox(curves: readonly number[]): Box {
  const box = emptyBox();
  for (let k = 0; k + 1 < curves.length; k += 2) widen(box, curves[k] ?? 0, curves[k + 1] ?? 0);
  return box;
}

/** The box around all that is drawn; a unit square where there is nothing. */
export function wholeBox(drawing: Omit<Drawing, "box">): Box {
  const box = emptyBox();
  for (const node of drawing.nodes) widen(box, node.x, node.y);
  for (const reaction of drawing.reactions) {
    widen(box, reaction.box[0], reaction.box[1]);
    widen(box, reaction.box[2], reaction.box[3]);
    widen(box, reaction.labelX, reaction.labelY);
  }
  for (const text of drawing.texts) {
    widen(box, text.x, text.y - text.size);
    widen(box, text.x + text.text.length * text.size * 0.6, text.y);
  }
  if (box[0] > box[2]) return [0, 0, 1, 1];
  const pad = 20 * drawing.unit;
  return [box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad];
}

/** A point of a cubic curve, `share` of its parameter along it. */
export function along(curves: readonly number[], at: number, share: number): [number, number] {
  const rest = 1 - share;
  const [a, b, c, d] = [rest ** 3, 3 * rest * rest * share, 3 * rest * share * share, share ** 3];
  const point = (k: number) => a * (curves[at + k] ?? 0) + b * (curves[at + 2 + k] ?? 0) + c * (curves[at + 4 + k] ?? 0) + d * (curves[at + 6 + k] ?? 0);
  return [point(0), point(1)];
}

/** Which reaction lies under a point: a grid of cells, each with the reactions that touch it. */
export class HitGrid {
  readonly #cells = new Map<number, number[]>();
  readonly #drawing: Drawing;
  readonly #size: number;

  constructor(drawing: Drawing) {
    this.#drawing = drawing;
    this.#size = 80 * drawing.unit;
    drawing.reactions.forEach((reaction, index) => {
      const seen = new Set<number>();
      const touch = (x: number, y: number) => seen.add(this.#key(x, y));
      for (let k = 0; k < reaction.curves.length; k += 8) for (let step = 0; step <= 8; step += 1) touch(...along(reaction.curves, k, step / 8));
      touch(reaction.x, reaction.y);
      for (let letter = 0; letter <= reaction.id.length; letter += 4) touch(reaction.labelX + letter * LETTER * 0.6 * drawing.unit, reaction.labelY);
      for (const key of seen) {
        const cell = this.#cells.get(key);
        if (cell) cell.push(index);
        else this.#cells.set(key, [index]);
      }
    });
  }

  #key(x: number, y: number): number {
    return Math.floor(x / this.#size) * 65_536 + Math.floor(y / this.#size);
  }

  /** The nearest reaction within `reach` of the point; -1 when none is. */
  at(x: number, y: number, reach: number): number {
    let best = -1;
    let nearest = reach;
    const seen = new Set<number>();
    for (const dx of [-reach, 0, reach]) for (const dy of [-reach, 0, reach]) for (const index of this.#cells.get(this.#key(x + dx, y + dy)) ?? []) seen.add(index);
    for (const index of seen) {
      const far = this.#distance(index, x, y);
      if (far < nearest) {
        nearest = far;
        best = index;
      }
    }
    return best;
  }

  #distance(index: number, x: number, y: number): number {
    const reaction = this.#drawing.reactions[index];
    if (!reaction) return Infinity;
    const letter = LETTER * this.#drawing.unit;
    const inLabel = x >= reaction.labelX - letter * 0.3 && x <= reaction.labelX + reaction.id.length * letter * 0.62 && Math.abs(y - reaction.labelY + letter * 0.35) <= letter * 0.7;
    let least = inLabel ? 0 : Math.hypot(x - reaction.x, y - reaction.y);
    for (let k = 0; k < reaction.curves.length; k += 8) {
      let [px, py] = along(reaction.curves, k, 0);
      for (let step = 1; step <= 12; step += 1) {
        const [qx, qy] = along(reaction.curves, k, step / 12);
        const length = (qx - px) ** 2 + (qy - py) ** 2 || 1;
        const share = Math.min(Math.max(((x - px) * (qx - px) + (y - py) * (qy - py)) / length, 0), 1);
        least = Math.min(least, Math.hypot(x - px - share * (qx - px), y - py - share * (qy - py)));
        [px, py] = [qx, qy];
      }
    }
    return least;
  }
}
