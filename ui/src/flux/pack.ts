// Puts boxes onto a sheet, tallest first, in rows of about the same length, so that the sheet is a little wider than tall.

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

export function packed<T extends Sized>(items: readonly T[], gap: number): Packed<T> {
  const area = items.reduce((sum, one) => sum + (one.width + gap) * (one.height + gap), 0);
  const row = Math.max(Math.sqrt(area * SHAPE), ...items.map((one) => one.width + gap));
  const order = items.map((_, index) => index).sort((a, b) => (items[b]?.height ?? 0) - (items[a]?.height ?? 0) || a - b);
  const places = items.map((item) => ({ item, x: 0, y: 0 }));
  let [x, y, tall, wide] = [0, 0, 0, 0];
  for (const index of order) {
    const place = places[index];
    if (!place) continue;
    if (x > 0 && x + place.item.width > row) {
      [x, y] = [0, y + tall + gap];
      tall = 0;
    }
    [place.x, place.y] = [x, y];
    x += place.item.width + gap;
    wide = Math.max(wide, x - gap);
    tall = Math.max(tall, place.item.height);
  }
  return { places, width: wide, height: y + tall };
}
