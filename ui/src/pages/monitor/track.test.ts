import { describe, expect, it } from "vitest";
import { barShares, isOutside, linePath, trackView } from "./track";

describe("a track", () => {
  it("breaks where nothing was measured", () => {
    const path = linePath((i) => i * 10, (value) => value, [1, 2, null, 4, 5]);
    expect(path).toBe("M0.0 1.0L10.0 2.0M30.0 4.0L40.0 5.0");
  });
  it("marks what is beyond the limit or outside the band", () => {
    const limited = { at: [0, 1, 2], value: [1, 3, null], limit: [2, 2, 2] };
    expect([0, 1, 2].map((i) => isOutside(limited, i))).toEqual([false, true, false]);
    const banded = { at: [0, 1, 2], value: [1, 3, 9], low: [2, 2, null], high: [4, 4, null] };
    expect([0, 1, 2].map((i) => isOutside(banded, i))).toEqual([true, false, false]);
    expect(trackView(limited, 400, 200).outside).toHaveLength(1);
  });
  it("stays inside its frame and starts statistics at zero", () => {
    const view = trackView({ at: [0, 10], value: [5, 20], limit: [8, 8] }, 400, 200);
    expect(view.value).toMatch(/^M64\.0 .*L388\.0 /);
    expect(view.yTicks[0]).toEqual({ at: 0, y: view.foot });
    expect(view.band).toBe("");
  });
  it("closes the band around its low and high edges", () => {
    const view = trackView({ at: [0, 1], value: [1, 1], low: [0, 0], high: [2, 2] }, 400, 200);
    expect(view.band.startsWith("M64.0")).toBe(true);
    expect(view.band.endsWith("Z")).toBe(true);
  });
  it("draws nothing of nothing", () => {
    expect(trackView({ at: [], value: [] }, 400, 200).value).toBe("");
    expect(barShares([])).toEqual([]);
  });
});

it("bars are shares of the longest and keep their sign", () => {
  expect(barShares([2, -4, 0])).toEqual([0.5, -1, 0]);
  expect(barShares([0, 0])).toEqual([0, 0]);
});
