// Courses of a model as panels of a chart: simulations, and readings beside what the model says.
import type { Fitted, Simulated } from "../../api/model";
import type { Text } from "../../api/types";
import { DASHES, PALETTE, styleOf, stylesOf } from "../../charts/colour";
import type { Mark } from "../../charts/marks";
import type { Panel, Series } from "../../charts/panel";
import { STATUSES } from "../../charts/quality";
import { unitText } from "../../charts/units";
import { secondsIn } from "./time";

type Say = (text: Text) => string;

export function lineOf(id: string, label: string, style: Series["style"], t: ArrayLike<number>, v: ArrayLike<number | null>): Series {
  return { id, label, style, stepped: false, dots: false, t, v, q: null, total: t.length, downSampled: false };
}

/** One panel a quantity; the model as it came lies beside it, dashed, where constants were changed. */
export function simulationPanels(answer: Simulated, base: Simulated | null, say: Say, words: { now: string; base: string }): Panel[] {
  const size = secondsIn(answer.time_unit);
  const t = answer.time.map((time) => time * size);
  const baseTimes = base?.time.map((time) => time * size) ?? [];
  return answer.series.map((one) => {
    const { colour } = styleOf(one.name);
    const series = [lineOf(one.name, words.now, { colour, dash: [] }, t, one.values)];
    const before = base?.series.find((other) => other.name === one.name);
    if (before) series.push(lineOf(`${one.name} base`, words.base, { colour: "#8a8a8a", dash: DASHES[1] ?? [] }, baseTimes, before.values));
    return { key: one.name, title: quantityTitle(one.name, say(one.label)), unit: unitText(one.unit), series };
  });
}

export function quantityTitle(name: string, label: string): string {
  return label === "" || label === name ? name : `${label} ${name}`;
}

/** What happened in a simulation, on the time axis. */
export function eventMarks(answer: Simulated): Mark[] {
  const size = secondsIn(answer.time_unit);
  return answer.happened.map((one, index) => ({ id: `${index} ${one.event}`, kind: "event", t: one.time * size, label: one.event, note: "" }));
}

type Seen = Fitted["readings"][number];

function byKey(readings: readonly Seen[], key: (one: Seen) => string): Map<string, Seen[]> {
  const groups = new Map<string, Seen[]>();
  for (const one of readings) {
    const group = groups.get(key(one));
    if (group) group.push(one);
    else groups.set(key(one), [one]);
  }
  return groups;
}

const BEYOND = { below: STATUSES.indexOf("below-detection"), above: STATUSES.indexOf("above-range") } as const;

/** Readings as points and the model at the same times as a line, by quantity; every run has its colour. */
export function readingPanels(fitted: Fitted, unitOf: (quantity: string) => string, labelOf: (quantity: string) => string, nameOf: (run: string) => string, words: { measured: string; modelled: string }): Panel[] {
  const size = secondsIn(fitted.time_unit);
  const styles = stylesOf(fitted.readings.map((one) => one.run));
  return [...byKey(fitted.readings, (one) => one.quantity)].map(([quantity, readings]) => {
    const series = [...byKey(readings, (one) => one.run)].flatMap(([run, own]): Series[] => {
      const sorted = [...own].sort((a, b) => a.time - b.time);
      const style = styles.get(run) ?? { colour: PALETTE[0], dash: [] };
      const t = sorted.map((one) => one.time * size);
      const codes = sorted.map((one) => (one.beyond ? BEYOND[one.beyond] : 0));
      const measured = lineOf(`${quantity} ${run} measured`, `${nameOf(run)} ${words.measured}`, style, t, sorted.map((one) => one.measured));
      const modelled = lineOf(`${quantity} ${run} modelled`, `${nameOf(run)} ${words.modelled}`, style, t, sorted.map((one) => one.modelled));
      return [{ ...measured, dots: true, q: codes.some((code) => code !== 0) ? codes : null }, modelled];
    });
    return { key: quantity, title: quantityTitle(quantity, labelOf(quantity)), unit: unitText(unitOf(quantity)), series };
  });
}
