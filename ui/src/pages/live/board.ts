// The live page as data: the tanks the server told of, the values that came since, the
// alarms they raise, and the rolling points of one run. No browser object, so that it
// can be tested alone.
import type { Board, LiveChannel, LiveUpdate, Tank } from "../../api/types";

/** The newest value of a channel. */
export interface Shown {
  /** seconds since 1970 */
  t: number | null;
  value: number | null;
  text: string | null;
  quality: number;
}

export type AlarmKind = "low" | "high" | "not-good" | "outage" | "silent";

export interface Alarm {
  tank: string;
  title: string;
  channel: LiveChannel | null;
  kind: AlarmKind;
  value: number | null;
  /** RFC 3339, for an outage */
  since: string | null;
}

/** What a tank shows on its card before the reader opens it: the best known quantities first. */
const FIRST = ["temperature", "ph", "dissolved-oxygen", "stirrer-speed", "optical-density", "off-gas-co2", "gas-flow", "ethanol"];

export class LiveBoard {
  tanks: Tank[] = [];
  #values = new Map<string, Shown>();
  #channels = new Map<string, { tank: Tank; channel: LiveChannel }>();

  /** Takes the server's board in; values that came later than it stay. */
  load(board: Board): void {
    this.tanks = board.runs;
    this.#channels.clear();
    for (const tank of board.runs) {
      for (const channel of tank.channels) {
        this.#channels.set(channel.id, { tank, channel });
        const t = channel.time ? Date.parse(channel.time) / 1000 : null;
        const known = this.#values.get(channel.id);
        if (known && (known.t ?? -Infinity) >= (t ?? -Infinity)) continue;
        this.#values.set(channel.id, { t, value: channel.value ?? null, text: channel.text ?? null, quality: channel.quality });
      }
    }
  }

  /** Takes an update in. True when it speaks of a channel the board does not know yet. */
  apply(update: LiveUpdate): boolean {
    let strange = false;
    for (const [id, t, value, quality, text] of update.values) {
      const known = this.#channels.get(id);
      if (!known) strange = true;
      const last = this.#values.get(id)?.t ?? -Infinity;
      if (t < last) continue;
      this.#values.set(id, { t, value, quality, text });
      // A point that is newer than the outage says that the source is back.
      if (known && t > last && Number.isFinite(last)) {
        known.tank.state = "receiving";
        known.tank.outage = null;
      }
    }
    return strange;
  }

  value(channel: string): Shown | null {
    return this.#values.get(channel) ?? null;
  }

  /** The channels of a card: known quantities that a sensor measures, at most `most`. */
  first(tank: Tank, most: number): LiveChannel[] {
    const rank = (channel: LiveChannel) => {
      const at = FIRST.indexOf(channel.quantity ?? "");
      return (at < 0 ? FIRST.length : at) + (channel.origin === "sensor" || channel.origin === "unknown" ? 0 : 100);
    };
    return tank.channels.filter((channel) => channel.key !== "clock-offset").sort((a, b) => rank(a) - rank(b)).slice(0, most);
  }

  alarmOf(channel: LiveChannel): AlarmKind | null {
    const shown = this.#values.get(channel.id);
    if (!shown || shown.t === null) return null;
    if ((shown.quality & 0xf) !== 0) return "not-good";
    if (shown.value === null) return null;
    if (typeof channel.low === "number" && shown.value < channel.low) return "low";
    if (typeof channel.high === "number" && shown.value > channel.high) return "high";
    return null;
  }

  /** Everything that needs an eye: tanks that are not heard, then values. */
  alarms(): Alarm[] {
    const found: Alarm[] = [];
    for (const tank of this.tanks) {
      const about = { tank: tank.id, title: tank.title, value: null };
      if (tank.state === "outage") found.push({ ...about, channel: null, kind: "outage", since: tank.outage?.since ?? null });
      else if (tank.state === "silent") found.push({ ...about, channel: null, kind: "silent", since: tank.heard ?? null });
    }
    for (const tank of this.tanks) {
      for (const channel of tank.channels) {
        const kind = this.alarmOf(channel);
        if (!kind) continue;
        found.push({ tank: tank.id, title: tank.title, channel, kind, value: this.value(channel.id)?.value ?? null, since: null });
      }
    }
    return found;
  }
}

/** Points of one channel over a window that moves: bounded, extremes kept. */
export class Rolling {
  t: number[] = [];
  v: (number | null)[] = [];
  readonly #most: number;

  constructor(most = 2400) {
    this.#most = most;
  }

  /** Adds points in order of time; what is not later than the last is left out. */
  push(t: readonly number[], v: readonly (number | null)[]): void {
    let last = this.t[this.t.length - 1] ?? -Infinity;
    for (let i = 0; i < t.length; i += 1) {
      const at = t[i];
      if (at === undefined || at <= last) continue;
      this.t.push(at);
      this.v.push(v[i] ?? null);
      last = at;
    }
  }

  /** Drops what is older than `from`, and thins the older half when there is too much. */
  trim(from: number): void {
    let old = 0;
    while (old < this.t.length && (this.t[old] ?? 0) < from) old += 1;
    if (old > 0) {
      this.t = this.t.slice(old);
      this.v = this.v.slice(old);
    }
    if (this.t.length > this.#most) this.#thin();
  }

  /** Of every four points in the older half the lowest and the highest stay, and every gap. */
  #thin(): void {
    const half = this.t.length >> 1;
    const keep: number[] = [];
    for (let i = 0; i < half; i += 4) {
      let low = -1;
      let high = -1;
      let gap = -1;
      for (let k = i; k < Math.min(i + 4, half); k += 1) {
        const value = this.v[k];
        if (value === null || value === undefined) gap = k;
        else {
          if (low < 0 || value < (this.v[low] ?? Infinity)) low = k;
          if (high < 0 || value > (this.v[high] ?? -Infinity)) high = k;
        }
      }
      keep.push(...[...new Set([low, high, gap])].filter((k) => k >= 0).sort((a, b) => a - b));
    }
    for (let k = half; k < this.t.length; k += 1) keep.push(k);
    this.t = keep.map((k) => this.t[k] ?? 0);
    this.v = keep.map((k) => this.v[k] ?? null);
  }
}
