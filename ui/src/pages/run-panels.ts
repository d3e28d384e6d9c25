// From a run and its plot data to panels: channels of the same quantity and unit
// share a panel; assays of the run's samples become panels of single points.
import type { Assay, Channel, Plot, Run, Sample, Text } from "../api/types";
import { styleBeside, styleOf, type Style } from "../charts/colour";
import type { Mark } from "../charts/marks";
import type { Panel, Series } from "../charts/panel";
import { unitText } from "../charts/units";
import { plotPoint } from "../parts/value";

type Say = (text: Text | null | undefined) => string;

export interface Group {
  key: string;
  title: string;
  unit: string;
  channels: Channel[];
}

/** Channels by quantity and unit, in the order of the server; those that never moved last. */
export function groupChannels(channels: readonly Channel[], say: Say): Group[] {
  const groups = new Map<string, Group>();
  for (const channel of channels) {
    const unit = channel.unit ?? "";
    const key = channel.quantity ? `${channel.quantity}|${unit}` : `${channel.key}|${unit}`;
    const group = groups.get(key);
    if (group) {
      group.channels.push(channel);
      continue;
    }
    const title = say(channel.quantity_label) || say(channel.label) || channel.key;
    groups.set(key, { key, title, unit: unitText(channel.unit ?? channel.raw_unit), channels: [channel] });
  }
  for (const group of groups.values()) group.channels.sort((a, b) => rank(a) - rank(b));
  return [...groups.values()].sort((a, b) => Number(isFlat(a)) - Number(isFlat(b)));
}

/** Measured values come first: they take the colour of the vessel. */
function rank(channel: Channel): number {
  return ["sensor", "calculated", "unknown", "actuator", "setpoint"].indexOf(channel.origin);
}

/** A channel that never moved says little: it is drawn after the others. */
function isFlat(group: Group): boolean {
  return group.channels.every((channel) => channel.min === channel.max);
}

const FIRST_PANELS = 8;
const FIRST_SERIES = 8;

/** What is drawn until the reader chooses: the first panels, not hundreds of lines. */
export function firstChannels(groups: readonly Group[]): string[] {
  return groups
    .filter((group) => group.channels.some((channel) => channel.points > 0))
    .slice(0, FIRST_PANELS)
    .flatMap((group) => group.channels.filter((channel) => channel.points > 0).slice(0, FIRST_SERIES))
    .map((channel) => channel.id);
}

/** The vessel or strain of a run: the name in the file, else the record referred to. */
export function runFact(run: Run, what: "vessel" | "strain"): string | null {
  return text(run.fields[`${what}_name`]) ?? text(run.fields[what]);
}

/** The name whose hash gives the run its colour on every page. */
export function colourName(run: Run): string {
  return runFact(run, "vessel") ?? run.id;
}

function channelStyle(base: Style, channel: Channel, index: number): Style {
  const style = styleBeside(base, index);
  return channel.origin === "setpoint" ? { ...style, dash: [6, 4] } : style;
}

export function channelPanels(run: Run, plot: Plot | null, chosen: ReadonlySet<string>, say: Say): Panel[] {
  const base = styleOf(colourName(run));
  const data = new Map((plot?.channels ?? []).map((channel) => [channel.id, channel]));
  const panels: Panel[] = [];
  for (const group of groupChannels(run.channels, say)) {
    const series = group.channels
      .filter((channel) => chosen.has(channel.id))
      .map((channel, index): Series => {
        const points = data.get(channel.id);
        return {
          id: channel.id,
          label: say(channel.label) || channel.key,
          style: channelStyle(base, channel, index),
          stepped: channel.sampling === "on-change" || channel.origin === "setpoint",
          dots: false,
          t: points?.t_s ?? [],
          v: points?.value ?? [],
          q: points?.quality.some((code) => code !== 0) ? points.quality : null,
          total: points?.total_points ?? channel.points,
          downSampled: points?.down_sampled ?? false,
        };
      });
    if (series.length > 0) panels.push({ key: group.key, title: group.title, unit: group.unit, series });
  }
  return panels;
}

/** Seconds since t0 of something that has elapsed time, or a clock time and a t0. */
export function secondsOf(at: { elapsed_s?: number | null; time?: string | null }, t0: string | null | undefined): number | null {
  if (typeof at.elapsed_s === "number") return at.elapsed_s;
  if (!at.time || !t0) return null;
  const seconds = (Date.parse(at.time) - Date.parse(t0)) / 1000;
  return Number.isFinite(seconds) ? seconds : null;
}

interface Dot {
  t: number;
  v: number;
  q: number;
  text: string;
}

/** Assays over time: censored values stand at their limit with the mark of a limit. */
export function assayPanels(run: Run, valueWords: (assay: Assay) => string): Panel[] {
  const groups = new Map<string, { title: string; unit: string; dots: Dot[] }>();
  for (const sample of run.samples) {
    const t = secondsOf(sample, run.clock.t0);
    if (t === null) continue;
    for (const assay of sample.assays) {
      const point = plotPoint(assay.value);
      if (!point) continue;
      const unit = unitText(assay.value.unit ?? assay.value.raw_unit);
      const key = `assay:${assay.analyte}|${unit}`;
      const group = groups.get(key) ?? { title: assay.analyte, unit, dots: [] };
      const quality = point.quality === 0 && assay.flags.length > 0 ? 1 : point.quality;
      group.dots.push({ t, v: point.number, q: quality, text: valueWords(assay) });
      groups.set(key, group);
    }
  }
  const style = styleOf(colourName(run));
  return [...groups].map(([key, group]) => {
    const dots = group.dots.sort((a, b) => a.t - b.t);
    const series: Series = {
      id: key,
      label: group.title,
      style,
      stepped: false,
      dots: true,
      t: dots.map((dot) => dot.t),
      v: dots.map((dot) => dot.v),
      q: dots.some((dot) => dot.q !== 0) ? dots.map((dot) => dot.q) : null,
      total: dots.length,
      downSampled: false,
      texts: dots.map((dot) => dot.text),
    };
    return { key, title: group.title, unit: group.unit, series: [series] };
  });
}

export interface MarkWords {
  event: string;
  observation: string;
  sample: string;
  decision: string;
  /** `why`, `rejected`, `expected` or `outcome`, with what was said */
  decisionPart: (name: string, said: string) => string;
  outcome: (code: string) => string;
  value: (value: Run["observations"][number]["value"]) => string;
}

/** Everything that happened, in order of time; without a time it is only listed. */
export function runMarks(run: Run, say: Say, words: MarkWords): { mark: Mark; time: string | null }[] {
  const all: { mark: Mark; time: string | null }[] = [];
  const add = (mark: Mark | null, time: string | null | undefined) => {
    if (mark) all.push({ mark, time: time ?? null });
  };
  for (const event of run.events) {
    const t = secondsOf(event, run.clock.t0) ?? NaN;
    add({ id: event.id, kind: "event", t, label: say(event.label) || event.type, note: event.note ?? "" }, event.time);
  }
  for (const seen of run.observations) {
    const t = secondsOf(seen, run.clock.t0) ?? NaN;
    const label = `${say(seen.label) || seen.attribute}: ${words.value(seen.value)}`;
    add({ id: seen.id, kind: "observation", t, label, note: seen.note ?? "" }, seen.time);
  }
  for (const sample of run.samples) add(sampleMark(sample, run, words), sample.time);
  for (const decision of run.decisions) add(decisionMark(decision, run, words), text(decision["time"]));
  return all.sort((a, b) => (Number.isNaN(a.mark.t) ? 1 : Number.isNaN(b.mark.t) ? -1 : a.mark.t - b.mark.t));
}

function sampleMark(sample: Sample, run: Run, words: MarkWords): Mark {
  const t = secondsOf(sample, run.clock.t0) ?? NaN;
  const note = sample.assays.map((assay) => assay.analyte).join(", ");
  return { id: sample.id, kind: "sample", t, label: `${words.sample} ${sample.key}`, note };
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** A decision with its reasons: what was done, then why, what was rejected, what was expected, and the verdict. */
function decisionMark(decision: Record<string, unknown>, run: Run, words: MarkWords): Mark {
  const elapsed = typeof decision["elapsed_s"] === "number" ? decision["elapsed_s"] : null;
  const t = secondsOf({ elapsed_s: elapsed, time: text(decision["time"]) }, run.clock.t0) ?? NaN;
  const label = text(decision["done"]) ?? text(decision["action"]) ?? text(decision["title"]) ?? words.decision;
  const parts = ["why", "rejected", "expected"].map((name) => {
    const said = text(decision[name]);
    return said ? words.decisionPart(name, said) : null;
  });
  const outcome = text(decision["outcome"]);
  const verdict = text(decision["verdict"]);
  if (outcome || verdict) parts.push(words.decisionPart("outcome", [outcome ? words.outcome(outcome) : null, verdict].filter(Boolean).join(": ")));
  const note = parts.filter((part) => part !== null).join("; ");
  return { id: text(decision["id"]) ?? label, kind: "decision", t, label, note: note || (text(decision["note"]) ?? "") };
}
