// Reads a pathway map in Escher's format, version 1 (https://escher.github.io/escher/jsonschema/1-0-0#): a list of two,
// what the map is and what is drawn. Faults are told with their place in the file; what can be drawn is drawn.
import type { Diagnostic, Text } from "../api/types";
import { along, curvesBox, wholeBox, type Drawing, type MapEnd, type MapNode, type MapReaction, type MapText } from "./drawing";

export interface EscherMap {
  name: string;
  drawing: Drawing;
}

export interface EscherRead {
  /** null where the file is no map at all */
  map: EscherMap | null;
  findings: Diagnostic[];
}

/** Escher draws its letters about twice as large as we do. */
const UNIT = 2;
/** More findings than this help nobody. */
const FINDINGS_MAX = 200;
/** Limits on what is taken from a file. */
const REACTIONS_MAX = 50_000;
const NODES_MAX = 500_000;

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const finite = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);
/** A JSON pointer (RFC 6901). */
const pointer = (...parts: string[]) => parts.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
const text = (value: unknown): string => (typeof value === "string" ? value : "");

const REMEDY: Text = { ja: "Escher でマップを開き、JSON として保存し直す", en: "Open the map in Escher and save it as JSON again" };

class Findings {
  readonly list: Diagnostic[] = [];
  add(severity: Diagnostic["severity"], code: string, field: string, ja: string, en: string): void {
    if (this.list.length >= FINDINGS_MAX) return;
    this.list.push({ severity, code, place: field === "" ? {} : { field }, message: { ja, en }, remedy: REMEDY });
  }
}

function failed(code: string, place: Diagnostic["place"], ja: string, en: string): EscherRead {
  return { map: null, findings: [{ severity: "error", code, place, message: { ja, en }, remedy: REMEDY }] };
}

/** Line of a JSON fault, from where the reader of the browser says it stopped. */
function lineOf(source: string, error: unknown): Diagnostic["place"] {
  const said = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined;
  if (said === undefined) return {};
  const before = source.slice(0, Number(said)).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

export function readEscher(source: string): EscherRead {
  let read: unknown;
  try {
    read = JSON.parse(source.startsWith("\uFEFF") ? source.slice(1) : source);
  } catch (error) {
    return failed("E-ESCHER-001", lineOf(source, error), "JSON として読めない", "This is no JSON");
  }
  if (!Array.isArray(read) || read.length !== 2 || !isObject(read[0]) || !isObject(read[1])) {
    return failed("E-ESCHER-002", { field: "/0" }, "Escher のマップではない。マップは二つの要素の並び（情報と図）", "This is no Escher map: a map is a list of two, what it is and what is drawn");
  }
  const [about, drawn] = read as [Json, Json];
  if (!isObject(drawn["reactions"]) || !isObject(drawn["nodes"])) {
    const field = isObject(drawn["nodes"]) ? "/1/reactions" : "/1/nodes";
    return failed("E-ESCHER-003", { field }, "反応か節点の一覧がない", "The list of reactions or of nodes is missing");
  }
  if (Object.keys(drawn["reactions"]).length > REACTIONS_MAX || Object.keys(drawn["nodes"]).length > NODES_MAX) {
    return failed("E-ESCHER-004", { field: "/1" }, `大きすぎる。反応は ${REACTIONS_MAX}、節点は ${NODES_MAX} まで`, `Too large: ${REACTIONS_MAX} reactions and ${NODES_MAX} nodes are the most`);
  }
  const findings = new Findings();
  const places = readNodes(drawn["nodes"], findings);
  const reactions = readReactions(drawn["reactions"], places, findings);
  if (reactions.length === 0) {
    const list = [...findings.list, ...failed("E-ESCHER-005", { field: "/1/reactions" }, "描ける反応がない", "No reaction can be drawn").findings];
    return { map: null, findings: list };
  }
  const parts = { nodes: places.nodes, reactions, texts: readTexts(drawn["text_labels"], findings), unit: UNIT };
  return { map: { name: text(about["map_name"]), drawing: { ...parts, box: wholeBox(parts) } }, findings: findings.list };
}

interface Places {
  nodes: MapNode[];
  /** of every node of the file, marker or metabolite */
  all: Map<string, { x: number; y: number; node: number | null }>;
}

function readNodes(listed: Json, findings: Findings): Places {
  const places: Places = { nodes: [], all: new Map() };
  for (const [key, given] of Object.entries(listed)) {
    const field = pointer("1", "nodes", key);
    const [x, y] = isObject(given) ? [finite(given["x"]), finite(given["y"])] : [null, null];
    if (!isObject(given) || x === null || y === null) {
      findings.add("warning", "E-ESCHER-010", field, "位置 (x, y) のない節点。描かない", "A node without a place (x, y); it is not drawn");
      continue;
    }
    const metabolite = given["node_type"] === "metabolite";
    places.all.set(key, { x, y, node: metabolite ? places.nodes.length : null });
    if (!metabolite) continue;
    const id = text(given["bigg_id"]);
    if (id === "") findings.add("note", "E-ESCHER-011", `${field}/bigg_id`, "代謝物の識別子がない", "The identifier of the metabolite is missing");
    places.nodes.push({ id, name: text(given["name"]) || id, x, y, labelX: finite(given["label_x"]) ?? x + 10 * UNIT, labelY: finite(given["label_y"]) ?? y, primary: given["node_is_primary"] !== false });
  }
  return places;
}

function readReactions(listed: Json, places: Places, findings: Findings): MapReaction[] {
  return Object.entries(listed).flatMap(([key, given]) => {
    const field = pointer("1", "reactions", key);
    if (!isObject(given) || text(given["bigg_id"]) === "") {
      findings.add("warning", "E-ESCHER-020", `${field}/bigg_id`, "識別子のない反応。描かない", "A reaction without an identifier; it is not drawn");
      return [];
    }
    const one = readReaction(field, given, places, findings);
    return one ? [one] : [];
  });
}

/** A handle of a curve; a straight segment has none. */
function handle(given: unknown): [number, number] | null {
  if (!isObject(given)) return null;
  const [x, y] = [finite(given["x"]), finite(given["y"])];
  return x === null || y === null ? null : [x, y];
}

function readReaction(field: string, given: Json, places: Places, findings: Findings): MapReaction | null {
  const coefficients = new Map<string, number>();
  if (Array.isArray(given["metabolites"])) {
    for (const part of given["metabolites"]) if (isObject(part)) coefficients.set(text(part["bigg_id"]), finite(part["coefficient"]) ?? 0);
  }
  const curves: number[] = [];
  const ends: MapEnd[] = [];
  const middles: [number, number][] = [];
  for (const [key, segment] of Object.entries(isObject(given["segments"]) ? given["segments"] : {})) {
    const at = `${field}${pointer("segments", key)}`;
    const from = isObject(segment) ? places.all.get(String(segment["from_node_id"])) : undefined;
    const to = isObject(segment) ? places.all.get(String(segment["to_node_id"])) : undefined;
    if (!isObject(segment) || !from || !to) {
      findings.add("warning", "E-ESCHER-021", `${at}/${from ? "to_node_id" : "from_node_id"}`, "線分の端の節点がない。描かない", "A segment leads to a node that is not there; it is not drawn");
      continue;
    }
    const b1 = handle(segment["b1"]) ?? [from.x + (to.x - from.x) / 3, from.y + (to.y - from.y) / 3];
    const b2 = handle(segment["b2"]) ?? [from.x + ((to.x - from.x) * 2) / 3, from.y + ((to.y - from.y) * 2) / 3];
    const start = curves.length;
    curves.push(from.x, from.y, ...b1, ...b2, to.x, to.y);
    for (const [end, share] of [[from, 0.15], [to, 0.85]] as const) {
      if (end.node === null) {
        middles.push([end.x, end.y]);
        continue;
      }
      const id = places.nodes[end.node]?.id ?? "";
      const coefficient = coefficients.get(id);
      if (coefficient === undefined) findings.add("note", "E-ESCHER-022", `${field}/metabolites`, `${id} の係数がない。矢印なしで描く`, `No coefficient of ${id}: drawn without an arrow`);
      const [fromX, fromY] = along(curves, start, share);
      ends.push({ node: end.node, coefficient: coefficient ?? 0, fromX, fromY });
    }
  }
  if (curves.length === 0) {
    findings.add("warning", "E-ESCHER-023", `${field}/segments`, "線分のない反応。描かない", "A reaction without segments; it is not drawn");
    return null;
  }
  const box = curvesBox(curves);
  const [x, y] = middleOf(middles) ?? [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
  const id = text(given["bigg_id"]);
  return { id, name: text(given["name"]) || id, x, y, labelX: finite(given["label_x"]) ?? x, labelY: finite(given["label_y"]) ?? y, curves, ends, box };
}

/** The marker nearest the middle of all of them: the mid-marker of the reaction. */
function middleOf(markers: readonly [number, number][]): [number, number] | null {
  if (markers.length === 0) return null;
  const [cx, cy] = [markers.reduce((sum, one) => sum + one[0], 0) / markers.length, markers.reduce((sum, one) => sum + one[1], 0) / markers.length];
  const far = ([x, y]: [number, number]) => (x - cx) ** 2 + (y - cy) ** 2;
  return markers.reduce((best, one) => (far(one) < far(best) ? one : best));
}

function readTexts(listed: unknown, findings: Findings): MapText[] {
  if (listed === undefined || listed === null) return [];
  if (!isObject(listed)) {
    findings.add("note", "E-ESCHER-030", "/1/text_labels", "見出しの一覧が読めない", "The list of texts is unreadable");
    return [];
  }
  return Object.entries(listed).flatMap(([key, given]) => {
    const [x, y] = isObject(given) ? [finite(given["x"]), finite(given["y"])] : [null, null];
    if (!isObject(given) || x === null || y === null || text(given["text"]) === "") {
      findings.add("note", "E-ESCHER-031", pointer("1", "text_labels", key), "位置か文字のない見出し。描かない", "A text without a place or without letters; it is not drawn");
      return [];
    }
    return [{ x, y, text: text(given["text"]), size: 25 * UNIT, room: Infinity }];
  });
}
