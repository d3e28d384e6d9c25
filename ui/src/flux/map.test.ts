import { describe, expect, it } from "vitest";
import GLYCOLYSIS from "../../e2e/fixtures/core-glycolysis.escher.json?raw";
import { currencyOf } from "./currency";
import { HitGrid } from "./drawing";
import { readEscher } from "./escher";
import { autoLayout } from "./layout";
import { bandStep, change, edges, LIGHT, scaleOf, stepOf, strokeOf, turned, way, type Told } from "./look";
import { mapSvg } from "./map-svg";
import { modulesOf } from "./modules";
import { Network } from "./network";
import { packed } from "./pack";
import { fitted, meets, seenBox, type Scene } from "./paint";
import { model, reaction } from "./sample";

const told = (flux: number | null, more: Partial<Told> = {}): Told => ({ flux, before: null, low: null, high: null, ranged: false, out: null, ...more });

describe("an Escher map", () => {
  it("is read with nodes, curves, ends and texts", () => {
    const { map, findings } = readEscher(GLYCOLYSIS);
    expect(findings).toEqual([]);
    expect(map?.name).toBe("Core glycolysis");
    const drawing = map?.drawing;
    const pfk = drawing?.reactions.find((one) => one.id === "PFK");
    expect(drawing?.texts.map((one) => one.text)).toEqual(["Glycolysis"]);
    expect(Object.fromEntries((pfk?.ends ?? []).map((end) => [drawing?.nodes[end.node]?.id, end.coefficient]))).toEqual({ f6p_c: -1, fdp_c: 1, atp_c: -1, adp_c: 1 });
    expect((pfk?.curves.length ?? 0) % 8).toBe(0);
  });
  const fault = (text: string, code: string, field: string | undefined, line?: number) => {
    const { map, findings } = readEscher(text);
    expect(map, code).toBeNull();
    const found = findings.find((one) => one.code === code);
    expect(found?.place?.field ?? undefined, code).toBe(field);
    expect(found?.place?.line ?? undefined, code).toBe(line);
  };
  it("that is none is refused with the place", () => {
    fault('[{"map_name":\n"x"},\n{,}]', "E-ESCHER-001", undefined, 3);
    fault("{}", "E-ESCHER-002", "/0");
    fault('[{},{"nodes":{}}]', "E-ESCHER-003", "/1/reactions");
    fault('[{},{"nodes":{},"reactions":{}}]', "E-ESCHER-005", "/1/reactions");
  });
  it("with faults is drawn as far as can be, and each is told", () => {
    const [about, drawn] = JSON.parse(GLYCOLYSIS);
    drawn.nodes["1"].x = null;
    const first = Object.keys(drawn.reactions)[0] ?? "";
    drawn.reactions["odd/1"] = { ...drawn.reactions[first], bigg_id: "ODD", segments: {} };
    drawn.reactions["nameless"] = { segments: {} };
    drawn.text_labels = { "7": { x: 1 } };
    const { map, findings } = readEscher(JSON.stringify([about, drawn]));
    expect(map?.drawing.reactions.some((one) => one.id === "ODD")).toBe(false);
    const places = findings.map((one) => `${one.code} ${one.place?.field}`);
    expect(places).toContain("E-ESCHER-010 /1/nodes/1");
    expect(places).toContain("E-ESCHER-023 /1/reactions/odd~11/segments");
    expect(places).toContain("E-ESCHER-020 /1/reactions/nameless/bigg_id");
    expect(places).toContain("E-ESCHER-031 /1/text_labels/7");
    expect(places.some((one) => one.startsWith("E-ESCHER-021"))).toBe(true);
  });
  it("never throws, whatever the JSON", () => {
    for (const text of ["", "null", "[]", "[1,2]", '[{},{"nodes":[],"reactions":[]}]', '[{},{"nodes":{"1":7},"reactions":{"2":{"bigg_id":"A","segments":{"3":4},"metabolites":[5]}},"text_labels":[1]}]']) {
      expect(readEscher(text).map).toBeNull();
    }
  });
});

const chain = (n: number, subsystem: string | null) => Array.from({ length: n }, (_, k) => reaction(`R${k}`, { [`m${k}_c`]: -1, atp_c: -1, [`m${k + 1}_c`]: 1, adp_c: 1 }, { subsystem }));

describe("the automatic layout", () => {
  const words = (kind: string, around: string | null) => around ?? kind;
  it("draws every reaction once, in blocks, the same way each time", () => {
    const network = new Network(model([...chain(6, "Path"), reaction("EX_m0_e", { m0_e: -1 }, { kind: "exchange" }), reaction("T", { m0_e: -1, m0_c: 1 }, { subsystem: "Transport", kind: "transport" }), reaction("ATPM", { atp_c: -1, h2o_c: -1, adp_c: 1 }, { subsystem: "Upkeep" })]));
    const drawing = autoLayout(network, words);
    expect(drawing.reactions.map((one) => one.id).sort()).toEqual(network.reactions.map((one) => one.id).sort());
    expect(drawing.texts.map((one) => one.text).sort()).toEqual(["Path", "Transport", "Upkeep", "exchange"]);
    expect(autoLayout(network, words)).toEqual(drawing);
    // Carriers are drawn only where a reaction has nothing else.
    expect(drawing.nodes.filter((one) => one.id === "atp_c").length).toBe(1);
    const inner = drawing.reactions.every((one) => one.ends.length > 0 && meets(one.box, drawing.box));
    expect(inner).toBe(true);
  });
  it("joins neighbouring layers alone: no line is longer than a layer", () => {
    const ring = Array.from({ length: 8 }, (_, k) => reaction(`C${k}`, { [`c${k}_c`]: -1, [`c${(k + 1) % 8}_c`]: 1 }, { subsystem: "Ring" }));
    const drawing = autoLayout(new Network(model(ring)), words);
    for (const one of drawing.reactions) for (const end of one.ends) expect(Math.abs((drawing.nodes[end.node]?.y ?? Infinity) - one.y)).toBeCloseTo(64);
  });
  it("does not put two things at one place", () => {
    const fan = Array.from({ length: 8 }, (_, k) => reaction(`F${k}`, { hub_c: -1, [`leaf${k}_c`]: 1 }, { subsystem: "Fan" }));
    const drawing = autoLayout(new Network(model(fan)), words);
    const places = [...drawing.nodes, ...drawing.reactions].map((one) => `${Math.round(one.x)} ${Math.round(one.y)}`);
    expect(new Set(places).size).toBe(places.length);
  });
  it("lays thousands of reactions out within a second", () => {
    const many = Array.from({ length: 2700 }, (_, k) => reaction(`R${k}`, { [`m${(k * 7) % 1800}_c`]: -1, [`m${(k * 13 + 5) % 1800}_c`]: 1, atp_c: -1 }, { subsystem: `S${k % 40}` }));
    const network = new Network(model(many));
    const start = performance.now();
    const drawing = autoLayout(network, words);
    expect(performance.now() - start).toBeLessThan(3000);
    expect(drawing.reactions.length).toBe(2700);
  });
  it("takes a network without subsystems apart into modules of a size that can be read", () => {
    const many = [...chain(200, null), ...Array.from({ length: 40 }, (_, k) => reaction(`Q${k}`, { [`q${k}_c`]: -1, [`q${k + 1}_c`]: 1 }))];
    const modules = modulesOf(many, currencyOf(model(many)));
    expect(modules.flatMap((one) => one.reactions).length).toBe(240);
    for (const one of modules.filter((other) => other.around)) expect(one.reactions.length).toBeLessThanOrEqual(120);
  });
  it("packs without overlap", () => {
    const sizes = Array.from({ length: 30 }, (_, k) => ({ width: 10 + ((k * 37) % 90), height: 10 + ((k * 53) % 70) }));
    const sheet = packed(sizes, 5);
    sheet.places.forEach((a, i) => sheet.places.slice(i + 1).forEach((b) => expect(a.x + a.item.width <= b.x || b.x + b.item.width <= a.x || a.y + a.item.height <= b.y || b.y + b.item.height <= a.y).toBe(true)));
  });
});

describe("carriers", () => {
  it("are told by name, formula and how much they join", () => {
    const many = [...chain(3, null), ...Array.from({ length: 70 }, (_, k) => reaction(`H${k}`, { joiner_c: -1, [`x${k}_c`]: 1 }))];
    const all = model(many);
    const found = currencyOf({ ...all, metabolites: [...all.metabolites, { id: "w1", name: "Water", formula: null }, { id: "w2", name: null, formula: "H2O" }, { id: "nadh[m]", compartment: "m" }] });
    expect([...found].sort()).toEqual(["adp_c", "atp_c", "joiner_c", "nadh[m]", "w1", "w2"]);
  });
});

describe("the look of a flux", () => {
  it("has steps by size, and none for nothing", () => {
    expect([0, 1e-12, 0.01, 0.5, 2, 5, 9, 100].map((size) => stepOf(size, 10))).toEqual([0, 0, 1, 2, 3, 4, 5, 5]);
    expect(edges(10)).toEqual([0, 0.2, 1, 3, 7]);
    expect(scaleOf([0, -3, 4, 7])).toBe(10);
    expect(scaleOf([])).toBe(1);
  });
  it("says more and less without colour, and what is out", () => {
    expect(strokeOf(told(2, { before: -5 }), "change", 10, LIGHT)).toMatchObject({ dashed: true });
    expect(strokeOf(told(-5, { before: 2 }), "change", 10, LIGHT)).toMatchObject({ dashed: false, step: 4 });
    expect(change(told(2, { before: -5 }))).toBe(-3);
    expect(turned(told(2, { before: -5 }))).toBe(true);
    expect(strokeOf(told(2, { out: "genes" }), "flux", 10, LIGHT)).toMatchObject({ colour: LIGHT.out, dashed: true });
    expect([told(2), told(-2), told(0), told(null), told(2, { out: "itself" })].map(way)).toEqual([1, -1, 0, 0, 0]);
  });
  it("has a band only where the flux can be another", () => {
    expect(bandStep(told(2, { ranged: true, low: 2, high: 2 }), 10)).toBe(0);
    expect(bandStep(told(2, { ranged: true, low: 0, high: 9 }), 10)).toBe(5);
    expect(bandStep(told(2, { ranged: true, low: null, high: 9 }), 10)).toBe(5);
    expect(bandStep(told(2), 10)).toBe(0);
  });
});

describe("seeing the map", () => {
  const drawing = readEscher(GLYCOLYSIS).map?.drawing;
  it("fits all of it and finds what is under a point", () => {
    if (!drawing) throw new Error("no map");
    const view = fitted(drawing.box, 800, 600);
    const seen = seenBox(view, 800, 600);
    expect(drawing.reactions.every((one) => meets(one.box, seen))).toBe(true);
    const grid = new HitGrid(drawing);
    drawing.reactions.forEach((one, index) => expect(grid.at(one.x, one.y, 10)).toBe(index));
    expect(grid.at(drawing.box[0] - 500, drawing.box[1] - 500, 10)).toBe(-1);
  });
  it("is an SVG file with every reaction, arrows the way the flux runs, and crosses", () => {
    if (!drawing) throw new Error("no map");
    const at = drawing.reactions.findIndex((one) => one.id === "PFK");
    const scene = (one: Told): Scene => ({ drawing, told: drawing.reactions.map((_, k) => (k === at ? one : undefined)), mode: "flux", scale: 10, ranges: true, chosen: -1, hovered: -1, label: (k) => `${drawing.reactions[k]?.id} <7>` });
    const count = (text: string, what: RegExp) => [...text.matchAll(what)].length;
    const forth = mapSvg("Map & more", scene(told(5, { ranged: true, low: 0, high: 8 })));
    expect(count(forth, /<title>/g)).toBe(1 + drawing.reactions.length + drawing.nodes.length);
    expect(forth).toContain("Map &amp; more");
    expect(count(forth, /Z" fill=/g)).toBe(2);
    expect(count(forth, /stroke-opacity/g)).toBe(1);
    expect(count(mapSvg("", scene(told(5, { out: "itself" }))), /Z" fill=/g)).toBe(0);
  });
});
