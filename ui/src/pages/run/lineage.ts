// A lineage as a tree, and its engineering numbers as a table with one column a run.
import type { Lineage, LineageNode, ScaleNumber } from "../../api/culture";

export interface Branch {
  node: LineageNode;
  children: Branch[];
}

/**
 * The tree below each run without a known parent, in order of scale then start. A run is placed
 * once: what a cycle would repeat is left to the problem that the server reports.
 */
export function branches(nodes: readonly LineageNode[]): Branch[] {
  const known = new Set(nodes.map((node) => node.run));
  const below = new Map<string, LineageNode[]>();
  for (const node of nodes) {
    if (node.parent && known.has(node.parent) && node.parent !== node.run) below.set(node.parent, [...(below.get(node.parent) ?? []), node]);
  }
  const placed = new Set<string>();
  const order = (a: LineageNode, b: LineageNode) => (a.scale_l ?? 0) - (b.scale_l ?? 0) || (a.started ?? "").localeCompare(b.started ?? "") || (a.title < b.title ? -1 : 1);
  const grow = (node: LineageNode): Branch => {
    placed.add(node.run);
    const children = [...(below.get(node.run) ?? [])].sort(order).flatMap((child) => (placed.has(child.run) ? [] : [grow(child)]));
    return { node, children };
  };
  const roots = nodes.filter((node) => !node.parent || !known.has(node.parent) || node.parent === node.run);
  const tree = roots.map(grow);
  // What stands in a cycle has no root: it is still shown.
  for (const node of nodes) if (!placed.has(node.run)) tree.push(grow(node));
  return tree;
}

/** Runs in the order of the tree, from the top. */
export function inTreeOrder(tree: readonly Branch[]): LineageNode[] {
  return tree.flatMap((branch) => [branch.node, ...inTreeOrder(branch.children)]);
}

export const SCALE_CODES = ["power-per-volume", "tip-speed", "kla", "gas-flow", "mixing-time", "reynolds"] as const;

export interface ScaleRow {
  code: string;
  unit: string;
  first: ScaleNumber;
  cells: Map<string, ScaleNumber>;
}

/** Rows by code in the usual order, then what else the server gives. */
export function scaleRows(lineage: Lineage): ScaleRow[] {
  const rows = new Map<string, ScaleRow>();
  for (const one of lineage.scale) {
    const row = rows.get(one.code) ?? { code: one.code, unit: one.unit, first: one, cells: new Map() };
    row.cells.set(one.run, one);
    rows.set(one.code, row);
  }
  const at = (code: string) => {
    const found = (SCALE_CODES as readonly string[]).indexOf(code);
    return found < 0 ? SCALE_CODES.length : found;
  };
  return [...rows.values()].sort((a, b) => at(a.code) - at(b.code));
}
