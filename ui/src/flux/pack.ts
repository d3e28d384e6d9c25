// Puts boxes onto a sheet, tallest first, each as low as it goes, so that the sheet is a little wider than tall.

export interface Sized {
  width: number;
  height: number;
}

export interface Packed<T> extends Sized {
  /** in the order given */
  places: { item: T; x: number; y: number }[];
}

/** How much wider than tall a sheet is. */
const SHAPE = 1.5;

/** A stretch of the upper edge of what is already placed. */
interface Step {
  x: number;
  width: number;
  y: number;
}

export function packed<T extends Sized>(items: readonly T[], gap: number): Packed<T> {
  const area = items.reduce((sum, one) => sum + (one.width + gap) * (one.height + gap), 0);
  const sheet = Math.max(Math.sqrt(area * SHAPE), ...items.map((one) => one.width + gap));
  const order = items.map((_, index) => index).sort((a, b) => (items[b]?.height ?? 0) - (items[a]?.height ?? 0) || a - b);
  const places = items.map((item) => ({ item, x: 0, y: 0 }));
  let steps: Step[] = [{ x: 0, width: sheet, y: 0 }];
  let [wide, tall] = [0, 0];
  for (const index of order) {
    const place = places[index];
    if (!place) continue;
    const [width, height] = [place.item.width + gap, place.item.height + gap];
    const at = lowest(steps, width, sheet);
    [place.x, place.y] = [at.x, at.y];
    steps = raised(steps, at.x, width, at.y + height);
    wide = Math.max(wide, at.x + place.item.width);
    tall = Math.max(tall, at.y + place.item.height);
  }
  return { places, width: wide, height: tall };
}

/** Where a box of this width lies lowest; of several such places the leftmost. */
function lowest(steps: readonly Step[], width: number, sheet: number): { x: number; y: number } {
  let best = { x: 0, y: Infinity };
  for (const [k, step] of steps.entries()) {
    if (step.x + width > sheet + 1e-6) break;
    let y = 0;
    for (let next = k; next < steps.length && (steps[next]?.x ?? 0) < step.x + width - 1e-6; next += 1) y = Math.max(y, steps[next]?.y ?? 0);
    if (y < best.y - 1e-6) best = { x: step.x, y };
  }
  return best;
}

/** The edge with a stretch of it raised. */
function raised(steps: readonly Step[], x: number, width: number, y: number): Step[] {
  const end = x + width;
  const next: Step[] = [];
  for (const step of steps) {
    const stop = step.x + step.width;
    if (stop <= x + 1e-6 || step.x >= end - 1e-6) next.push(step);
    else {
      if (step.x < x - 1e-6) next.push({ x: step.x, width: x - step.x, y: step.y });
      if (stop > end + 1e-6) next.push({ x: end, width: stop - end, y: step.y });
    }
  }
  return [...next, { x, width, y }].sort((a, b) => a.x - b.x);
}
