// A plate as a grid: where each unit stands, how the keyboard moves over it, and what is
// chosen. Touches no browser object, so that it can be tested alone.
/** A place on the plate, counted from zero. */
export interface Place {
  row: number;
  column: number;
}

/** A, B … Z, AA, AB: as plates with more than 26 rows write it. */
export function rowLetters(row: number): string {
  let rest = row;
  let letters = "";
  do {
    letters = String.fromCharCode(65 + (rest % 26)) + letters;
    rest = Math.floor(rest / 26) - 1;
  } while (rest >= 0);
  return letters;
}

export function positionName(place: Place): string {
  return `${rowLetters(place.row)}${place.column + 1}`;
}

/** `A1`, `a01`, `AF12`; null when it is no position. */
export function parsePosition(text: string | null | undefined): Place | null {
  const parts = /^\s*([A-Za-z]{1,2})0*([1-9]\d{0,2})\s*$/.exec((text ?? "").normalize("NFKC"));
  if (!parts) return null;
  const letters = (parts[1] ?? "").toUpperCase();
  const row = [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
  return { row, column: Number(parts[2]) - 1 };
}

/** What has a place: row and column count from 1; null where a record does not tell them. */
export interface Placed {
  position: string;
  row: number | null;
  column: number | null;
}

/** Where a unit stands: by its position, else by the row and column that the server tells, as for wells that are numbered. */
export function placeOf(unit: Placed): Place | null {
  const named = parsePosition(unit.position);
  if (named) return named;
  const { row, column } = unit;
  return Number.isInteger(row) && Number.isInteger(column) && Number(row) >= 1 && Number(column) >= 1 ? { row: Number(row) - 1, column: Number(column) - 1 } : null;
}

export interface Plate<T> {
  rows: number;
  columns: number;
  /** row by row; null where nothing stands */
  cells: (T | null)[][];
  /** without a position, or a second one at the same place */
  loose: T[];
}

/** No plate is larger: 1,536 wells have 32 rows and 48 columns. */
const MOST = { rows: 32, columns: 48 };

/**
 * Units by their positions. The size that the server tells is widened where a position lies
 * outside it, so that nothing is hidden; a unit without a place is handed back, never guessed.
 */
export function layOut<T extends Placed>(units: readonly T[], rows: number, columns: number): Plate<T> {
  const loose: T[] = [];
  const placed: { unit: T; place: Place }[] = [];
  for (const unit of units) {
    const place = placeOf(unit);
    if (place && place.row < MOST.rows && place.column < MOST.columns) placed.push({ unit, place });
    else loose.push(unit);
  }
  const high = Math.min(Math.max(rows, 1, ...placed.map(({ place }) => place.row + 1)), MOST.rows);
  const wide = Math.min(Math.max(columns, 1, ...placed.map(({ place }) => place.column + 1)), MOST.columns);
  const cells: (T | null)[][] = Array.from({ length: high }, () => Array.from({ length: wide }, () => null));
  for (const { unit, place } of placed) {
    const line = cells[place.row];
    if (!line) continue;
    if (line[place.column]) loose.push(unit);
    else line[place.column] = unit;
  }
  return { rows: high, columns: wide, cells, loose };
}

/** Where a key moves to; null when the key does not move. */
export function moved(from: Place, key: string, control: boolean, size: { rows: number; columns: number }): Place | null {
  const last = { row: size.rows - 1, column: size.columns - 1 };
  const to = { ...from };
  if (key === "ArrowUp") to.row = control ? 0 : from.row - 1;
  else if (key === "ArrowDown") to.row = control ? last.row : from.row + 1;
  else if (key === "ArrowLeft") to.column = control ? 0 : from.column - 1;
  else if (key === "ArrowRight") to.column = control ? last.column : from.column + 1;
  else if (key === "Home") Object.assign(to, { column: 0, row: control ? 0 : from.row });
  else if (key === "End") Object.assign(to, { column: last.column, row: control ? last.row : from.row });
  else return null;
  return { row: Math.min(Math.max(to.row, 0), last.row), column: Math.min(Math.max(to.column, 0), last.column) };
}

/** All places of the rectangle between two corners. */
export function block(a: Place, b: Place): Place[] {
  const places: Place[] = [];
  for (let row = Math.min(a.row, b.row); row <= Math.max(a.row, b.row); row += 1) {
    for (let column = Math.min(a.column, b.column); column <= Math.max(a.column, b.column); column += 1) places.push({ row, column });
  }
  return places;
}

/** What is chosen after one more is taken or put back; in the order of the plate. */
export function toggled(chosen: readonly string[], position: string): string[] {
  return inOrder(chosen.includes(position) ? chosen.filter((one) => one !== position) : [...chosen, position]);
}

export function inOrder(positions: readonly string[]): string[] {
  const key = (position: string) => {
    const place = parsePosition(position);
    return place ? place.row * MOST.columns + place.column : Number.MAX_SAFE_INTEGER;
  };
  return [...new Set(positions)].sort((a, b) => key(a) - key(b) || (a < b ? -1 : 1));
}
