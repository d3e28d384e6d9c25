// A map where none was drawn: one block for each subsystem; in a block the network of its reactions without currency
// metabolites, layered by distance from an entrance. In a network of metabolites and reactions every such layer joins its
// neighbours alone, so that no line is longer than a layer. The same model gives the same map. Touches no browser object.
import type { FluxReaction } from "../api/flux";
import { currencyOf } from "./currency";
import { curvesBox, wholeBox, type Drawing, type MapNode, type MapReaction, type MapText } from "./drawing";
import { modulesOf } from "./modules";
import { equation, type Network } from "./network";
import { arranged, type Piece } from "./layers";
import { packed } from "./pack";

/** Words of the headings of reactions that belong to no subsystem, by their kind. */
export type KindWords = (kind: string, around: string | null) => string;

/** Height of the heading of a block, and room around it. */
const HEADING = 28;
const MARGIN = 70;
/** A model of more reactions without subsystems is taken apart into modules. */
const ONE_BLOCK_MAX = 150;

interface Block {
  title: string;
  reactions: FluxReaction[];
}

/** The blocks of a map, in the order of the model: subsystems, then what has none, by kind. */
export function blocksOf(network: Network, currency: ReadonlySet<string>, words: KindWords): Block[] {
  const blocks = new Map<string, Block>();
  const put = (key: string, title: string, reaction: FluxReaction) => {
    const block = blocks.get(key);
    if (block) block.reactions.push(reaction);
    else blocks.set(key, { title, reactions: [reaction] });
  };
  const rest: FluxReaction[] = [];
  for (const reaction of network.reactions) {
    if (reaction.stoichiometry.length === 0) continue;
    if (reaction.subsystem) put(`s ${reaction.subsystem}`, reaction.subsystem, reaction);
    else if (["exchange", "demand", "sink", "biomass"].includes(reaction.kind)) put(`k ${reaction.kind}`, words(reaction.kind, null), reaction);
    else rest.push(reaction);
  }
  if (rest.length <= ONE_BLOCK_MAX) for (const reaction of rest) put("rest", words("internal", null), reaction);
  else modulesOf(rest, currency).forEach((module, index) => module.reactions.forEach((reaction) => put(`m ${index}`, words("internal", module.around), reaction)));
  return [...blocks.values()];
}

/** Lays the whole model out. */
export function autoLayout(network: Network, words: KindWords): Drawing {
  const currency = currencyOf(network.model);
  const blocks = blocksOf(network, currency, words).map((block) => {
    const pieces = packed(arranged(block.reactions, currency), 40);
    return { ...block, ...pieces, width: Math.max(pieces.width, block.title.length * 13), height: pieces.height + HEADING };
  });
  const sheet = packed(blocks, MARGIN);
  const parts: Omit<Drawing, "box"> = { nodes: [], reactions: [], texts: [], unit: 1 };
  sheet.places.forEach(({ x, y }, index) => {
    const block = blocks[index];
    if (!block) return;
    const text: MapText = { x, y: y + 18, text: block.title, size: 20, room: block.width + MARGIN * 0.8 };
    parts.texts.push(text);
    block.places.forEach((place) => draw(parts, place.item, x + place.x, y + HEADING + place.y, network));
  });
  return { ...parts, box: wholeBox(parts) };
}

/** Adds one connected piece at its place. */
function draw(parts: Omit<Drawing, "box">, piece: Piece, left: number, top: number, network: Network): void {
  const at = new Map<number, number>();
  piece.items.forEach((item, index) => {
    if (item.reaction !== null) return;
    const node: MapNode = { id: item.label, name: network.metaboliteName(item.label), x: left + item.x, y: top + item.y, labelX: left + item.x + 9, labelY: top + item.y + 4, primary: !item.side };
    at.set(index, parts.nodes.length);
    parts.nodes.push(node);
  });
  for (const item of piece.items) {
    if (item.reaction === null) continue;
    const [x, y] = [left + item.x, top + item.y];
    const curves: number[] = [];
    const ends = item.links.flatMap(([to, coefficient]) => {
      const node = at.get(to);
      const place = node === undefined ? undefined : parts.nodes[node];
      if (node === undefined || !place) return [];
      const half = (y + place.y) / 2;
      const start = curves.length;
      curves.push(x, y, x, half, place.x, half, place.x, place.y);
      // Before the node the curve runs straight up or down.
      const [hx, hy] = [curves[start + 4] ?? 0, curves[start + 5] ?? 0];
      return [{ node, coefficient, fromX: place.x + (hx - place.x) * 0.3, fromY: place.y + (hy - place.y) * 0.3 }];
    });
    const reaction: MapReaction = { id: item.reaction.id, name: item.reaction.name ?? equation(item.reaction), x, y, labelX: x + 8, labelY: y + 4, curves, ends, box: curvesBox(curves) };
    parts.reactions.push(reaction);
  }
}
