// A source for the live page: simulated vessels whose points are posted as an edge
// collector would. The values are made up and marked as simulated.
import { BASE } from "./browser.mjs";

const SIGNALS = [
  { key: "Temp", raw_unit: "°C", centre: 31, swing: 0.4 },
  { key: "pH", raw_unit: "pH", centre: 7, swing: 0.1 },
  { key: "DO", raw_unit: "%", centre: 40, swing: 8 },
  { key: "Stirrer", raw_unit: "rpm", centre: 420, swing: 30 },
];

/** Signals of a vessel; more than the four known ones are numbered. */
export function signals(count = SIGNALS.length) {
  return Array.from({ length: count }, (_, i) => SIGNALS[i] ?? { key: `ch${i}`, raw_unit: "mV", centre: 100 + i, swing: 5 });
}

export function batch(run, list, times, change = {}) {
  const points = times.flatMap((t) =>
    list.map((one, signal) => {
      const value = change[one.key] ?? one.centre + one.swing * Math.sin(t / 7 + signal);
      return { signal, t_ns: Math.round(t * 1000) * 1_000_000, said: { digits: value.toFixed(3) } };
    }),
  );
  const said = list.map(({ key, raw_unit }) => ({ key, raw_unit, origin: "sensor", sampling: { rule: "periodic" } }));
  return { source: "e2e", run, vessel: run, simulated: true, signals: said, points };
}

// Whole milliseconds as nanoseconds: the shortest text of the double is exact, so JSON carries them.
export async function append(batches) {
  const response = await fetch(`${BASE}/api/v1/live/append`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ batches }) });
  if (!response.ok) throw new Error(`live append: ${response.status} ${await response.text()}`);
  return response.json();
}

/** Sends for some vessels until stopped; `change` may hold values that stay where they are put. */
export function source(runs, { hz = 4, count, change = {} } = {}) {
  const list = signals(count);
  let going = true;
  let sent = Date.now() / 1000;
  const work = (async () => {
    while (going) {
      const now = Date.now() / 1000;
      const times = [];
      while (sent + 1 / hz <= now) times.push((sent += 1 / hz));
      if (times.length > 0) await append(runs.map((run) => batch(run, list, times, change[run])));
      await new Promise((wake) => setTimeout(wake, 200));
    }
  })();
  return {
    change,
    async stop() {
      going = false;
      await work;
    },
  };
}
