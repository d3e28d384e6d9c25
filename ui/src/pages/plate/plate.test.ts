import { describe, expect, it } from "vitest";
import type { PlateUnit } from "../../api/culture";
import { block, inOrder, layOut, moved, parsePosition, positionName, rowLetters, toggled, type Placed } from "./layout";
import { plateSvg } from "./plate-svg";
import { BOX, commonSpan, counts, heatEdges, heatStep, sparkPath, spanOf, STEPS, timeSpan } from "./scale";

/** A unit as the server tells it: the row and column of its position, from 1. */
const unit = (position: string, more: Partial<PlateUnit> = {}): PlateUnit => {
  const at = parsePosition(position);
  return { position, row: (at?.row ?? -1) + 1, column: (at?.column ?? -1) + 1, state: "ended", t_s: [], value: [], alarms: 0, ...more };
};

describe("positions", () => {
  it.each([
    ["A1", { row: 0, column: 0 }],
    ["a01", { row: 0, column: 0 }],
    ["H12", { row: 7, column: 11 }],
    ["Ｆ０８", { row: 5, column: 7 }],
    [" B 3", null],
    ["AF48", { row: 31, column: 47 }],
    ["A0", null],
    ["12A", null],
    ["", null],
    [null, null],
  ])("%s", (text, place) => expect(parsePosition(text)).toEqual(place));
  it("writes what it reads, past Z too", () => {
    for (const name of ["A1", "F8", "Z9", "AA10", "AF48"]) expect(positionName(parsePosition(name) ?? { row: -1, column: -1 })).toBe(name);
    expect([0, 25, 26, 51, 52].map(rowLetters)).toEqual(["A", "Z", "AA", "AZ", "BA"]);
  });
});

describe("layout", () => {
  it("puts 48 wells written with a nought in 6 × 8", () => {
    const units = Array.from({ length: 48 }, (_, k) => unit(`${"ABCDEF"[Math.floor(k / 8)]}0${(k % 8) + 1}`));
    const plate = layOut(units, 6, 8);
    expect([plate.rows, plate.columns, plate.loose.length]).toEqual([6, 8, 0]);
    expect(plate.cells[5]?.[7]?.position).toBe("F08");
    expect(plate.cells.flat().every((one) => one !== null)).toBe(true);
  });
  it("widens rather than hides, and hands back what has no place or a taken one", () => {
    const unknown: Placed = { position: "R-7", row: null, column: null };
    const plate = layOut<Placed>([unit("A1"), unit("C9"), unit("a1", { run: "second" }), unknown, unit("ZZ1")], 2, 6);
    expect([plate.rows, plate.columns]).toEqual([3, 9]);
    expect(plate.loose.map((one) => one.position)).toEqual(["R-7", "ZZ1", "a1"]);
    expect(plate.cells[2]?.[8]?.position).toBe("C9");
    expect(layOut([unit("101", { row: 1, column: 1 }), unit("112", { row: 2, column: 2 }), unit("x", { row: 0, column: 1 })], 10, 10).cells[1]?.[1]?.position).toBe("112");
    expect(layOut([], 0, 0).cells).toEqual([[null]]);
  });
});

describe("the keyboard on a plate", () => {
  const size = { rows: 4, columns: 6 };
  const from = { row: 1, column: 2 };
  it.each([
    ["ArrowUp", false, { row: 0, column: 2 }],
    ["ArrowDown", false, { row: 2, column: 2 }],
    ["ArrowLeft", true, { row: 1, column: 0 }],
    ["ArrowRight", true, { row: 1, column: 5 }],
    ["Home", false, { row: 1, column: 0 }],
    ["End", true, { row: 3, column: 5 }],
    ["Enter", false, null],
    ["a", true, null],
  ])("%s", (key, control, to) => expect(moved(from, key, control, size)).toEqual(to));
  it("stays on the plate", () => {
    expect(moved({ row: 0, column: 0 }, "ArrowUp", false, size)).toEqual({ row: 0, column: 0 });
    expect(moved({ row: 3, column: 5 }, "ArrowRight", false, size)).toEqual({ row: 3, column: 5 });
  });
  it("chooses blocks from any corner, and keeps the order of the plate", () => {
    expect(block({ row: 2, column: 1 }, { row: 1, column: 0 }).map(positionName)).toEqual(["B1", "B2", "C1", "C2"]);
    expect(toggled(["A2", "B1"], "A10")).toEqual(["A2", "A10", "B1"]);
    expect(toggled(["A2", "B1"], "A2")).toEqual(["B1"]);
    expect(inOrder(["B1", "A12", "A2", "B1", "?"])).toEqual(["A2", "A12", "B1", "?"]);
  });
});

describe("scales", () => {
  it("know what is not a number", () => {
    expect(spanOf([null, undefined, Number.NaN, 3, -1, Infinity])).toEqual([-1, 3]);
    expect(spanOf([])).toBeNull();
  });
  it("have one axis for all curves, at least as wide as what is drawn", () => {
    const units = [unit("A1", { t_s: [0, 60], value: [1, 9] }), unit("A2", { t_s: [30, 90], value: [null, 2] })];
    expect(commonSpan(units, 0, 5)).toEqual([0, 9]);
    expect(timeSpan(units)).toEqual([0, 90]);
  });
  it("give every value a step, the ends too, and none to what is missing", () => {
    const span: [number, number] = [0, 7];
    expect([0, 0.99, 1, 3.5, 6.999, 7].map((value) => heatStep(value, span))).toEqual([0, 0, 1, 3, 6, 6]);
    expect(heatStep(null, span)).toBeNull();
    expect(heatStep(4, [4, 4])).toBe(3);
    expect(heatStep(4, null)).toBeNull();
    expect(heatEdges(span)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    for (const edge of heatEdges([1, 2]).slice(0, STEPS)) expect(heatStep(edge + 1e-9, [1, 2])).toBe(heatEdges([1, 2]).indexOf(edge));
  });
});

describe("small curves", () => {
  const time: [number, number] = [0, 100];
  it("reach from edge to edge, up for more", () => {
    const { width, height, pad } = BOX;
    expect(sparkPath([0, 100], [0, 10], time, [0, 10])).toBe(`M${pad} ${height - pad}L${width - pad} ${pad}`);
  });
  it("break where a value is missing, and show a lone point", () => {
    const path = sparkPath([0, 25, 50, 75, 100], [1, 1, null, 2, null], time, [1, 2]);
    expect(path.match(/M/g)).toHaveLength(2);
    expect(path.endsWith("h1")).toBe(true);
    expect(sparkPath([], [], time, [0, 1])).toBe("");
    expect(sparkPath([0], [null], time, [0, 1])).toBe("");
  });
  it("run through the middle where nothing changes", () => {
    expect(sparkPath([0, 100], [5, 5], time, [5, 5])).toBe(`M2 ${BOX.height / 2}L98 ${BOX.height / 2}`);
  });
});

describe("the plate as a file", () => {
  const words = { title: "P<1>", control: "control", state: () => "ended", number: (value: number) => value.toFixed(1) };
  it("has every well, its state, mark and number, and the colours of the steps", () => {
    const units = [unit("A1", { condition: "a & b", control: true, last: 1, t_s: [0, 9], value: [0, 1] }), unit("B2", { last: 8, alarms: 3 })];
    const svg = plateSvg(layOut(units, 2, 2), { time: timeSpan(units), common: null, heat: spanOf([1, 8]) }, words);
    expect(svg).toContain("<title>P&lt;1&gt;</title>");
    expect(svg).toContain("◆ control a &amp; b");
    expect(svg).toContain("▲ 3");
    expect(svg).toContain('rx="5" fill="#fbf7df"');
    expect(svg).toContain('rx="5" fill="#76a6d0"');
    expect(svg.match(/■ ended/g)).toHaveLength(2);
    expect(svg).toContain(">8.0</text>");
  });
  it("counts states", () => {
    expect(counts([unit("A1"), unit("A2", { state: "running" }), unit("A3")])).toEqual({ planned: 0, running: 1, ended: 2, "no-data": 0 });
  });
});
