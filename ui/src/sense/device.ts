// Habits of one device: who uses it, what was tapped last, what was sensed here in the last hours.

export interface Sensed {
  id: string;
  run: string;
  at: number;
  label: { ja: string; en: string };
}

const KEYS = { observer: "toji-sense-observer", recent: "toji-sense-recent", tanks: "toji-sense-tanks", sensed: "toji-sense-sensed", wheel: "toji-sense-wheel" } as const;
type Habit = keyof typeof KEYS;

function read<T>(habit: Habit, otherwise: T): T {
  try {
    const text = localStorage.getItem(KEYS[habit]);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}
function write(habit: Habit, value: unknown): void {
  try {
    localStorage.setItem(KEYS[habit], JSON.stringify(value));
  } catch {
    // A full or closed keeping place costs a convenience, no entry: those are in the queue.
  }
}

const HOURS_MS = 2 * 3_600_000;

export const device = {
  observer: () => read("observer", ""),
  setObserver: (name: string) => write("observer", name),
  wheel: () => read("wheel", ""),
  setWheel: (name: string) => write("wheel", name),
  recent: () => read<string[]>("recent", []),
  setRecent: (codes: string[]) => write("recent", codes),
  tanks: () => read<string[]>("tanks", []),
  setTanks: (ids: string[]) => write("tanks", ids),
  /** Observations of a run made here in the last two hours, newest last. */
  sensed: (run: string, now: number) => read<Sensed[]>("sensed", []).filter((one) => one.run === run && now - one.at < HOURS_MS),
  addSensed: (one: Sensed) => write("sensed", [...read<Sensed[]>("sensed", []).filter((old) => one.at - old.at < HOURS_MS), one].slice(-200)),
  dropSensed: (id: string) => write("sensed", read<Sensed[]>("sensed", []).filter((one) => one.id !== id)),
};
