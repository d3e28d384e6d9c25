// How charts are looked at: zoom, time axis, raw points, hidden series, log axes.
// All of it lives in the address, so that a link shows the same figure.
import { clampRange } from "../charts/panel";
import { place, setQuery } from "./place.svelte";
import { queryList, queryNumber } from "./route";

export class ChartView {
  from = $derived(queryNumber(place.query.get("from")));
  to = $derived(queryNumber(place.query.get("to")));
  clock = $derived(place.query.get("time") === "clock");
  raw = $derived(place.query.get("raw") === "1");
  // Through their texts: a zoom must not make new sets, or every panel would be built anew.
  #hide = $derived(place.query.get("hide"));
  #log = $derived(place.query.get("log"));
  hidden = $derived(new Set(queryList(this.#hide)));
  log = $derived(new Set(queryList(this.#log)));
  zoomed = $derived(this.from !== null || this.to !== null);

  /** What is shown, in seconds since t0. */
  range(full: [number, number]): [number, number] {
    return clampRange([this.from ?? full[0], this.to ?? full[1]], full);
  }

  zoom(range: [number, number], full: [number, number]): void {
    const [from, to] = clampRange(range, full);
    const whole = from <= full[0] && to >= full[1];
    setQuery(whole ? { from: null, to: null } : { from, to });
  }

  reset(): void {
    setQuery({ from: null, to: null });
  }

  toggle(key: "hide" | "log", id: string): void {
    const set = new Set(key === "hide" ? this.hidden : this.log);
    if (!set.delete(id)) set.add(id);
    setQuery({ [key]: [...set] });
  }

  setClock(clock: boolean): void {
    setQuery({ time: clock ? "clock" : null });
  }

  setRaw(raw: boolean): void {
    setQuery({ raw });
  }
}
