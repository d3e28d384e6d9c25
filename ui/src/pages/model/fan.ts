// Forecasts as panels: shaded bands by level, widest and palest behind, the mean in front; and stored forecasts read
// from their records.
import type { Fan, ForecastInterval, ForecastLine, ForecastOutcome, StoredForecast } from "../../api/model";
import type { RecordRow, Text } from "../../api/types";
import { styleOf } from "../../charts/colour";
import type { Area, Panel, Series } from "../../charts/panel";
import { unitText } from "../../charts/units";
import { lineOf, quantityTitle } from "./courses";
import { secondsIn } from "./time";

export interface FanWords {
  say: (text: Text) => string;
  mean: string;
  /** `{percent} %` low or high end */
  end: (percent: number, which: "low" | "high") => string;
}

/** A level as a percentage, without the noise of binary fractions. */
export function percentOf(level: number): number {
  return Number((level * 100).toPrecision(6));
}

const ENDS: readonly number[][] = [[2, 3], [6, 3], [10, 3, 2, 3], [14, 4]];

/** One panel a quantity. `shift_s` is the time of the forecast's start on the axis of the chart. */
export function fanPanels(fan: Fan, words: FanWords, shift_s = 0): Panel[] {
  const size = secondsIn(fan.time_unit);
  const t = fan.time.map((time) => time * size + shift_s);
  return fan.lines.map((line) => fanPanel(line, t, words));
}

function fanPanel(line: ForecastLine, t: number[], words: FanWords): Panel {
  const { colour } = styleOf(line.quantity);
  const widest = [...line.intervals].sort((a, b) => b.level - a.level);
  const areas: Area[] = [];
  const series: Series[] = [];
  widest.forEach((interval, place) => {
    const id = (which: string) => `${line.quantity} ${which} ${interval.level}`;
    const dash = ENDS[place % ENDS.length] ?? [];
    const percent = percentOf(interval.level);
    series.push(lineOf(id("low"), words.end(percent, "low"), { colour, dash }, t, interval.low), lineOf(id("high"), words.end(percent, "high"), { colour, dash }, t, interval.high));
    areas.push({ low: id("low"), high: id("high"), colour, opacity: 0.1 + 0.06 * Math.min(place, 4) });
  });
  series.push(lineOf(`${line.quantity} mean`, words.mean, { colour, dash: [] }, t, line.mean));
  return { key: line.quantity, title: quantityTitle(line.quantity, words.say(line.label)), unit: unitText(line.unit), series, areas };
}

const isText = (value: unknown): value is string => typeof value === "string";
const isNumbers = (value: unknown): value is number[] => Array.isArray(value) && value.every((one) => typeof one === "number");
const object = (value: unknown): Record<string, unknown> => (typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {});

function readInterval(given: unknown, n: number): ForecastInterval[] {
  const it = object(given);
  const { level, low, high, statement, runs } = it;
  if (typeof level !== "number" || !isNumbers(low) || !isNumbers(high) || low.length !== n || high.length !== n) return [];
  const said = object(statement);
  return [
    {
      level,
      low,
      high,
      at_once: it["at_once"] === true,
      evidence: it["evidence"] === "runs-left-out" ? "runs-left-out" : "model-only",
      runs: typeof runs === "number" ? runs : 0,
      statement: { ja: isText(said["ja"]) ? said["ja"] : "", en: isText(said["en"]) ? said["en"] : "" },
    },
  ];
}

function readLine(given: unknown, n: number): ForecastLine[] {
  const it = object(given);
  const { quantity, mean } = it;
  if (!isText(quantity) || !isNumbers(mean) || mean.length !== n || !Array.isArray(it["intervals"])) return [];
  const label = object(it["label"]);
  const intervals = it["intervals"].flatMap((one) => readInterval(one, n));
  return [{ quantity, mean, intervals, unit: isText(it["unit"]) ? it["unit"] : "", label: { ja: isText(label["ja"]) ? label["ja"] : quantity, en: isText(label["en"]) ? label["en"] : quantity } }];
}

function readOutcome(given: unknown): ForecastOutcome[] {
  const it = object(given);
  const { quantity, level, low, high, read } = it;
  if (!isText(quantity) || typeof level !== "number" || typeof low !== "number" || typeof high !== "number" || typeof read !== "number") return [];
  return [{ quantity, level, low, high, read, at_once: it["at_once"] === true, scale: isText(it["scale"]) ? it["scale"] : "" }];
}

/** A record as a forecast; null when its bands cannot be read. */
export function readForecast(record: Pick<RecordRow, "id" | "fields">): StoredForecast | null {
  const { fields } = record;
  const bands = object(fields["bands"]);
  const time = bands["time"];
  if (!isNumbers(time) || time.length === 0 || !Array.isArray(bands["lines"])) return null;
  const text = (name: string) => (isText(fields[name]) ? fields[name] : "");
  const outcomes = Array.isArray(fields["outcomes"]) ? fields["outcomes"].flatMap(readOutcome) : [];
  return {
    id: record.id,
    title: text("title") || record.id,
    run: text("run"),
    model: text("model"),
    scale: text("scale"),
    made_at: text("made_at"),
    time_unit: text("time_unit"),
    time,
    lines: bands["lines"].flatMap((one) => readLine(one, time.length)),
    outcomes,
  };
}

export interface Held {
  quantity: string;
  level: number;
  at_once: boolean;
  readings: number;
  inside: number;
}

/** Readings that fell into each interval, by quantity and level. */
export function heldOf(outcomes: readonly ForecastOutcome[]): Held[] {
  const cells = new Map<string, Held>();
  for (const one of outcomes) {
    const key = `${one.quantity}|${one.level}|${one.at_once}`;
    const cell = cells.get(key) ?? { quantity: one.quantity, level: one.level, at_once: one.at_once, readings: 0, inside: 0 };
    cell.readings += 1;
    if (one.read >= one.low && one.read <= one.high) cell.inside += 1;
    cells.set(key, cell);
  }
  return [...cells.values()].sort((a, b) => a.quantity.localeCompare(b.quantity) || a.level - b.level);
}
