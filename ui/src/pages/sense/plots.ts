// Observers, sensors and rules as plots of estimates with intervals. Touches no browser object.
import type { DecisionRules, ExplainedSensor, Observers } from "../../api/types";
import type { Estimate, IntervalRow, IntervalSpec } from "../../charts/interval";

type Ends = { low: number; high: number } | null | undefined;

export function estimate(at: number | null | undefined, ends: Ends): Estimate | null {
  if (typeof at !== "number" || !Number.isFinite(at)) return null;
  return { at, low: ends?.low ?? null, high: ends?.high ?? null };
}

type Term = Observers["terms"][number];
export type Observer = Term["panel"]["observers"][number];
export type Lean = "high" | "low" | "none" | "unknown";

/** Does an observer judge higher or lower than the others, beyond the interval? */
export function leanOf(observer: Pick<Observer, "bias" | "bias_interval">): Lean {
  const ends = observer.bias_interval;
  if (typeof observer.bias !== "number" || !ends) return "unknown";
  return ends.low > 0 ? "high" : ends.high < 0 ? "low" : "none";
}

export function biasSpec(term: Term, words: { axis: string; zero: string; lean: (lean: Lean) => string }): IntervalSpec {
  const rows = term.panel.observers.map((observer): IntervalRow => {
    const lean = leanOf(observer);
    return { id: observer.observer, label: observer.observer, main: estimate(observer.bias, observer.bias_interval), shape: lean === "high" || lean === "low" ? "dot" : "ring", note: words.lean(lean) };
  });
  return { rows, lines: [{ at: 0, label: words.zero }], axisLabel: words.axis };
}

export function repeatSpec(term: Term, words: { axis: string; repeated: (n: number) => string }): IntervalSpec {
  const rows = term.panel.observers.map(
    (observer): IntervalRow => ({ id: observer.observer, label: observer.observer, main: estimate(observer.repeatability, observer.repeatability_interval), shape: "dot", note: words.repeated(observer.repeated) }),
  );
  return { rows, lines: [], axisLabel: words.axis };
}

export const FINDING_SIGNS: Record<ExplainedSensor["finding"], string> = { associated: "●", "maybe-time": "◷", weak: "○", "cannot-tell": "?" };

export function explainSpec(sensors: readonly ExplainedSensor[], words: { axis: string; zero: string; label: (sensor: ExplainedSensor) => string; note: (sensor: ExplainedSensor) => string }): IntervalSpec {
  const rows = sensors.map(
    (sensor): IntervalRow => ({
      id: String(sensor.sensor),
      label: words.label(sensor),
      main: estimate(sensor.rho, sensor.interval),
      shape: sensor.finding === "associated" ? "dot" : sensor.finding === "maybe-time" ? "square" : "ring",
      beside: estimate(sensor.rho_given_time, sensor.interval_given_time),
      note: words.note(sensor),
    }),
  );
  return { rows, lines: [{ at: 0, label: words.zero }], axisLabel: words.axis, fixed: [-1, 1] };
}

/** Agreement on runs not seen, against always doing the usual. */
export function agreementSpec(held: NonNullable<DecisionRules["held_out"]>, words: { axis: string; rules: string; usual: string; gain: string; note: string }): IntervalSpec {
  return {
    rows: [
      { id: "rules", label: words.rules, main: estimate(held.right, held.right_interval), shape: "dot", note: words.note },
      { id: "usual", label: words.usual, main: estimate(held.usual, null), shape: "square", note: "" },
    ],
    lines: [{ at: held.usual, label: words.usual }],
    axisLabel: words.axis,
    fixed: [0, 1],
  };
}
