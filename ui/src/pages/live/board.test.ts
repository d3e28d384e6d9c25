import { describe, expect, it } from "vitest";
import type { Board, LiveChannel, Tank } from "../../api/types";
import { LiveBoard, Rolling } from "./board";

function channel(id: string, more: Partial<LiveChannel> = {}): LiveChannel {
  return { id, key: id, label: { ja: id, en: id }, origin: "sensor", quality: 0, ...more };
}
function tank(id: string, channels: LiveChannel[], more: Partial<Tank> = {}): Tank {
  return { id, title: id, source: "mqtt", simulated: true, state: "receiving", channels, ...more };
}
function board(runs: Tank[]): Board {
  return { now: "2026-04-01T00:10:00Z", change: 1, runs };
}

describe("the board", () => {
  it("shows the newest value and never an older one", () => {
    const live = new LiveBoard();
    live.load(board([tank("R1", [channel("a", { time: "2026-04-01T00:00:00Z", value: 7 })])]));
    const t = Date.parse("2026-04-01T00:00:01Z") / 1000;
    expect(live.apply({ change: 2, values: [["a", t, 7.1, 0, null]], points: {} })).toBe(false);
    live.apply({ change: 3, values: [["a", t - 5, 6.2, 0, null]], points: {} });
    expect(live.value("a")?.value).toBe(7.1);
    live.load(board([tank("R1", [channel("a", { time: "2026-04-01T00:00:00Z", value: 7 })])]));
    expect(live.value("a")?.value).toBe(7.1);
  });
  it("asks for the board again when a channel is new", () => {
    const live = new LiveBoard();
    live.load(board([]));
    expect(live.apply({ change: 2, values: [["b", 1, 7.1, 0, null]], points: {} })).toBe(true);
  });
  it("raises alarms by limits, flags and silence, and takes an outage back when points come", () => {
    const live = new LiveBoard();
    const limits = { low: 6.8, high: 7.2, time: "2026-04-01T00:00:00Z" };
    live.load(
      board([
        tank("R1", [channel("a", { ...limits, value: 6.5 }), channel("b", { ...limits, value: 7.5 }), channel("c", { ...limits, value: 7, quality: 0x22 })]),
        tank("R2", [channel("d", { ...limits, value: 7 })], { state: "outage", outage: { since: "2026-04-01T00:01:00Z" } }),
      ]),
    );
    expect(live.alarms().map((alarm) => [alarm.tank, alarm.channel?.id ?? "", alarm.kind])).toEqual([
      ["R2", "", "outage"],
      ["R1", "a", "low"],
      ["R1", "b", "high"],
      ["R1", "c", "not-good"],
    ]);
    live.apply({ change: 2, values: [["d", Date.parse("2026-04-01T00:02:00Z") / 1000, 7, 0, null]], points: {} });
    expect(live.alarms().some((alarm) => alarm.kind === "outage")).toBe(false);
  });
  it("puts known quantities of sensors first and leaves the clock out", () => {
    const live = new LiveBoard();
    const one = tank("R1", [channel("clock-offset", { origin: "calculated" }), channel("x"), channel("sp", { quantity: "ph", origin: "setpoint" }), channel("p", { quantity: "ph" }), channel("t", { quantity: "temperature" })]);
    expect(live.first(one, 3).map((shown) => shown.id)).toEqual(["t", "p", "x"]);
  });
});

describe("rolling points", () => {
  it("stay in order, in the window, and bounded, with the extremes", () => {
    const rolling = new Rolling(400);
    for (let i = 0; i < 4000; i += 1) {
      rolling.push([i, i], [i === 3500 ? 99 : Math.sin(i / 9), 5]);
      rolling.trim(i - 1000);
    }
    expect(rolling.t.length).toBeLessThanOrEqual(401);
    expect(rolling.t[0]).toBeGreaterThanOrEqual(2999);
    expect(rolling.t.every((t, i) => i === 0 || t > (rolling.t[i - 1] ?? 0))).toBe(true);
    expect(Math.max(...rolling.v.map((v) => v ?? 0))).toBe(99);
    expect(rolling.v[rolling.v.length - 1]).not.toBe(5);
  });
});
