// One block of the map: its reactions and metabolites in connected pieces, each in layers, with few crossings.
import type { FluxReaction } from "../api/flux";
import type { Sized } from "./pack";

export interface Item {
  /** the reaction; null for a metabolite */
  reaction: FluxReaction | null;
  label: string;
  /** a carrier, drawn small */
  side: boolean;
  /** neighbours by index, with the coefficient in the reaction */
  links: [number, number][];
  x: number;
  y: number;
}

export interface Piece extends Sized {
  items: Item[];
}

/** Distance of layers, room of a letter, and least room of an item. */
const LAYER = 64;
const LETTER = 6.8;
const ROOM = 46;
/** A metabolite in more reactions of a block stands beside each of them instead of joining them all. */
const HUB = 9;
/** Carriers that are shown of a reaction that has nothing else. */
const ENTRANCES_TRIED = 6;

const roomOf = (item: Item) => Math.max(ROOM, 22 + item.label.length * LETTER);

/** The pieces of a block, in the order of its reactions. */
export function arranged(reactions: readonly FluxReaction[], currency: ReadonlySet<string>): Piece[] {
  const items = itemsOf(reactions, currency);
  const piece = items.map(() => -1);
  const pieces: number[][] = [];
  items.forEach((_, start) => {
    if (piece[start] !== -1) return;
    const found = [start];
    piece[start] = pieces.length;
    for (let k = 0; k < found.length; k += 1) {
      for (const [next] of items[found[k] ?? 0]?.links ?? []) {
        if (piece[next] !== -1) continue;
        piece[next] = pieces.length;
        found.push(next);
      }
    }
    pieces.push(found.sort((a, b) => a - b));
  });
  return pieces.map((members) => placed(taken(items, members)));
}

/** Reactions and metabolites as items with links; carriers only where a reaction has nothing else. */
function itemsOf(reactions: readonly FluxReaction[], currency: ReadonlySet<string>): Item[] {
  const degree = new Map<string, number>();
  for (const reaction of reactions) for (const [id] of reaction.stoichiometry) degree.set(id, (degree.get(id) ?? 0) + 1);
  const items: Item[] = [];
  const shared = new Map<string, number>();
  for (const reaction of reactions) {
    const own = items.length;
    const item: Item = { reaction, label: reaction.id, side: false, links: [], x: 0, y: 0 };
    items.push(item);
    const main = reaction.stoichiometry.filter(([id, coefficient]) => coefficient !== 0 && !currency.has(id));
    const drawn = main.length > 0 ? main : reaction.stoichiometry.filter(([, coefficient]) => coefficient !== 0);
    // A biomass reaction draws on everything: its parts stand beside it.
    for (const [id, coefficient] of drawn) {
      const alone = main.length === 0 || (degree.get(id) ?? 0) > HUB || drawn.length > 24;
      let at = alone ? undefined : shared.get(id);
      if (at === undefined) {
        at = items.length;
        items.push({ reaction: null, label: id, side: currency.has(id), links: [], x: 0, y: 0 });
        if (!alone) shared.set(id, at);
      }
      item.links.push([at, coefficient]);
      items[at]?.links.push([own, coefficient]);
    }
  }
  return items;
}

/** The members alone, with their links renumbered. */
function taken(items: readonly Item[], members: readonly number[]): Item[] {
  const at = new Map(members.map((member, index) => [member, index]));
  return members.flatMap((member) => {
    const item = items[member];
    return item ? [{ ...item, links: item.links.map(([to, coefficient]): [number, number] => [at.get(to) ?? 0, coefficient]) }] : [];
  });
}

function placed(items: Item[]): Piece {
  const layers = single(items) ?? layersOf(items);
  order(items, layers);
  spread(items, layers);
  let [left, right] = [Infinity, -Infinity];
  layers.forEach((layer, depth) => {
    for (const index of layer) {
      const item = items[index];
      if (!item) continue;
      item.y = depth * LAYER + 10;
      left = Math.min(left, item.x - 10);
      right = Math.max(right, item.x + roomOf(item) - 10);
    }
  });
  for (const item of items) item.x -= left;
  return { items, width: right - left, height: (layers.length - 1) * LAYER + 24 };
}

/** A reaction alone stands between what it uses and what it makes; of many parts, in rows of some. */
function single(items: readonly Item[]): number[][] | null {
  const reactions = items.flatMap((item, index) => (item.reaction ? [index] : []));
  const own = reactions[0];
  if (reactions.length !== 1 || own === undefined) return null;
  const links = items[own]?.links ?? [];
  const used = links.filter(([, coefficient]) => coefficient < 0).map(([to]) => to);
  const made = links.filter(([, coefficient]) => coefficient > 0).map(([to]) => to);
  const rows = (all: number[]) => Array.from({ length: Math.ceil(all.length / 12) }, (_, k) => all.slice(k * 12, k * 12 + 12));
  return [...rows(used), [own], ...rows(made)];
}

/** Distances from an entrance: of what is used but not made here, that from which the piece is deepest. */
function layersOf(items: readonly Item[]): number[][] {
  const forth = (index: number) => (items[index]?.links ?? []).every(([to, coefficient]) => (items[to]?.reaction ? coefficient < 0 && (items[to]?.reaction?.upper ?? 1) > 0 : true));
  const entrances = items.flatMap((item, index) => (!item.reaction && forth(index) ? [index] : []));
  const candidates = entrances.length > 0 ? entrances.slice(0, ENTRANCES_TRIED) : [farthest(items, 0)];
  let best = distances(items, candidates[0] ?? 0);
  for (const candidate of candidates.slice(1)) {
    const other = distances(items, candidate);
    if (other.length > best.length) best = other;
  }
  return best;
}

function distances(items: readonly Item[], start: number): number[][] {
  const seen = new Set([start]);
  const layers = [[start]];
  for (let depth = 0; depth < layers.length; depth += 1) {
    const next: number[] = [];
    for (const index of layers[depth] ?? []) {
      for (const [to] of items[index]?.links ?? []) {
        if (seen.has(to)) continue;
        seen.add(to);
        next.push(to);
      }
    }
    if (next.length > 0) layers.push(next);
  }
  return layers;
}

function farthest(items: readonly Item[], start: number): number {
  return distances(items, start).at(-1)?.[0] ?? start;
}

/** Sorts each layer by the middle of its neighbours, down and up, so that few lines cross. */
function order(items: readonly Item[], layers: number[][]): void {
  const rank = new Array<number>(items.length).fill(0);
  const depth = new Array<number>(items.length).fill(0);
  layers.forEach((layer, d) => layer.forEach((index, k) => ((rank[index] = k / Math.max(layer.length - 1, 1)), (depth[index] = d))));
  for (let sweep = 0; sweep < 6; sweep += 1) {
    const down = sweep % 2 === 0;
    const all = layers.map((_, d) => (down ? d : layers.length - 1 - d));
    for (const d of all) {
      const layer = layers[d];
      if (!layer || layer.length < 2) continue;
      const middle = new Map(
        layer.map((index) => {
          const near = (items[index]?.links ?? []).filter(([to]) => (down ? (depth[to] ?? 0) < d : (depth[to] ?? 0) > d));
          return [index, near.length === 0 ? (rank[index] ?? 0) : near.reduce((sum, [to]) => sum + (rank[to] ?? 0), 0) / near.length];
        }),
      );
      layer.sort((a, b) => (middle.get(a) ?? 0) - (middle.get(b) ?? 0) || a - b);
      layer.forEach((index, k) => (rank[index] = k / Math.max(layer.length - 1, 1)));
    }
  }
}

/** Places along a layer: as near the middle of the neighbours as the room of each allows. */
function spread(items: Item[], layers: readonly number[][]): void {
  for (const layer of layers) {
    let x = 0;
    for (const index of layer) {
      const item = items[index];
      if (!item) continue;
      item.x = x;
      x += roomOf(item);
    }
    const half = x / 2;
    for (const index of layer) if (items[index]) items[index].x -= half;
  }
  for (let round = 0; round < 8; round += 1) {
    const turn = round % 2 === 0 ? layers : [...layers].reverse();
    for (const layer of turn) settle(items, layer);
  }
}

function settle(items: Item[], layer: readonly number[]): void {
  const wish = layer.map((index) => {
    const links = items[index]?.links ?? [];
    return links.length === 0 ? (items[index]?.x ?? 0) : links.reduce((sum, [to]) => sum + (items[to]?.x ?? 0), 0) / links.length;
  });
  // Pushed apart from the left, and from the right; the mean of both keeps the order and the room.
  const fromLeft = [...wish];
  for (let k = 1; k < layer.length; k += 1) fromLeft[k] = Math.max(wish[k] ?? 0, (fromLeft[k - 1] ?? 0) + room(items, layer[k - 1]));
  const fromRight = [...wish];
  for (let k = layer.length - 2; k >= 0; k -= 1) fromRight[k] = Math.min(wish[k] ?? 0, (fromRight[k + 1] ?? 0) - room(items, layer[k]));
  layer.forEach((index, k) => {
    const item = items[index];
    if (item) item.x = ((fromLeft[k] ?? 0) + (fromRight[k] ?? 0)) / 2;
  });
}

const room = (items: readonly Item[], index: number | undefined) => {
  const item = items[index ?? -1];
  return item ? roomOf(item) : ROOM;
};
