// Where a limit lies on a map of two settings: the line on which bound and value are alike, and the cells
// around the points at which every limit is met. Touches no browser object.
import type { XyPoint } from "../../charts/xy";

/** How far a limit is over the map; the least gas first, along the stirrer. null: without bounds. */
export interface Grid {
  x: readonly number[];
  y: readonly number[];
  ratio: readonly (number | null)[];
}

const GAP: XyPoint = { x: Number.NaN, y: null };
/** A ratio as a height: what has no bounds lies far above. */
const height = (ratio: number | null | undefined) => (typeof ratio === "number" && Number.isFinite(ratio) ? Math.min(Math.max(ratio, 1e-6), 1e6) : 1e6);

/** The line at ratio 1 as segments with gaps between them (marching squares; between points by the logarithm). */
export function contour({ x, y, ratio }: Grid): XyPoint[] {
  const at = (column: number, row: number) => Math.log(height(ratio[row * x.length + column]));
  const points: XyPoint[] = [];
  for (let row = 0; row + 1 < y.length; row += 1) {
    for (let column = 0; column + 1 < x.length; column += 1) {
      const corners = [
        [column, row],
        [column + 1, row],
        [column + 1, row + 1],
        [column, row + 1],
      ] as const;
      const crossings: { x: number; y: number }[] = [];
      corners.forEach(([c, r], k) => {
        const [nc, nr] = corners[(k + 1) % 4] ?? [c, r];
        const [a, b] = [at(c, r), at(nc, nr)];
        if (a >= 0 === b >= 0) return;
        const share = a / (a - b);
        const between = (from: number | undefined, to: number | undefined) => (from ?? 0) + ((to ?? 0) - (from ?? 0)) * share;
        crossings.push({ x: between(x[c], x[nc]), y: between(y[r], y[nr]) });
      });
      // Four crossings are a saddle: each pair stands for one branch.
      for (let k = 0; k + 1 < crossings.length; k += 2) points.push(crossings[k] ?? GAP, crossings[k + 1] ?? GAP, GAP);
    }
  }
  return points;
}

/** Cells of the map at whose point every limit is met, as outlines with gaps between them. */
export function feasibleCells(x: readonly number[], y: readonly number[], ratios: readonly (readonly (number | null)[])[]): XyPoint[] {
  const edge = (axis: readonly number[], k: number) => {
    const [before, here, after] = [axis[k - 1], axis[k] ?? 0, axis[k + 1]];
    const half = ((after ?? here) - (before ?? here)) / (before !== undefined && after !== undefined ? 4 : 2);
    return [before === undefined ? here - half : (before + here) / 2, after === undefined ? here + half : (here + after) / 2] as const;
  };
  const points: XyPoint[] = [];
  y.forEach((_, row) => {
    x.forEach((__, column) => {
      if (!ratios.every((ratio) => height(ratio[row * x.length + column]) >= 1)) return;
      const [left, right] = edge(x, column);
      const [low, high] = edge(y, row);
      points.push({ x: left, y: low }, { x: right, y: low }, { x: right, y: high }, { x: left, y: high }, { x: left, y: low }, GAP);
    });
  });
  return points;
}
