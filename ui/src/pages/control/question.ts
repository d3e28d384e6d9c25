// The question of control on a model as the form holds it (text) and as the server gets it.
import type { Input } from "../../api/types";
import { typedNumber } from "../../parts/number-input";
import { readLimits, readNamed, readTimed } from "../process/lines";

type Asked = Input<"culture control">;

export interface InputDraft {
  name: string;
  low: string;
  high: string;
  recipe: string;
  rise: string;
  cost: string;
}
export interface SensorDraft {
  name: string;
  sd: string;
  low: string;
  high: string;
  frozen: string;
}
export const FAULTS = ["silent", "frozen", "says", "off"] as const;
export interface FaultDraft {
  sensor: string;
  from: string;
  until: string;
  kind: string;
  value: string;
}
export interface ControlDraft {
  model: string;
  aim: string;
  least: boolean;
  until: string;
  step: string;
  horizon: string;
  seeds: string;
  seed: string;
  advice: boolean;
  inputs: InputDraft[];
  sensors: SensorDraft[];
  faults: FaultDraft[];
  limits: string;
  adapt: string;
  hidden: string;
  set: string;
}

export const emptyInput = (): InputDraft => ({ name: "", low: "", high: "", recipe: "", rise: "", cost: "" });
export const emptySensor = (): SensorDraft => ({ name: "", sd: "", low: "", high: "", frozen: "" });
export const emptyFault = (): FaultDraft => ({ sensor: "", from: "", until: "", kind: "silent", value: "" });
export const emptyControl = (): ControlDraft => ({ model: "", aim: "", least: false, until: "", step: "", horizon: "", seeds: "", seed: "", advice: false, inputs: [emptyInput()], sensors: [emptySensor()], faults: [], limits: "", adapt: "", hidden: "", set: "" });

/** A question that every server can answer: the model ships with it, and a sensor fails on the way. */
export function exampleControl(): ControlDraft {
  return {
    ...emptyControl(),
    model: "srinivasan-2003",
    aim: "P",
    until: "150 h",
    step: "5 h",
    horizon: "8",
    seeds: "4",
    seed: "1",
    inputs: [{ name: "feed", low: "0 L/h", high: "0.2 L/h", recipe: "0 h: 0.03 L/h", rise: "0.1 L/h", cost: "1" }],
    sensors: [
      { name: "X", sd: "0.05 g/L", low: "-0.5 g/L", high: "20 g/L", frozen: "3" },
      { name: "P", sd: "0.03 g/L", low: "-0.5 g/L", high: "10 g/L", frozen: "3" },
    ],
    faults: [{ sensor: "X", from: "50 h", until: "90 h", kind: "silent", value: "" }],
    limits: "X <= 3.5 g/L",
    adapt: "Y_x = 20 %",
    hidden: "Y_x = 10 %\nmu_m = 5 %",
  };
}

/** The draft that the address holds; an empty one where it holds none or a broken one. */
export function controlDraft(text: string | null): ControlDraft {
  if (!text) return emptyControl();
  try {
    const read = JSON.parse(text) as Partial<ControlDraft>;
    const rows = <T>(value: unknown, empty: () => T): T[] => (Array.isArray(value) ? value.map((one) => ({ ...empty(), ...(one as T) })) : []);
    const base = emptyControl();
    const texts = Object.fromEntries(Object.entries(read).filter(([key, value]) => key in base && typeof value === typeof base[key as keyof ControlDraft] && !Array.isArray(value)));
    return { ...base, ...texts, inputs: rows(read.inputs, emptyInput), sensors: rows(read.sensors, emptySensor), faults: rows(read.faults, emptyFault) };
  } catch {
    return emptyControl();
  }
}

export interface Fault {
  field: string;
  fault: "required" | "not-a-number" | "not-an-integer" | "line";
  line?: string;
}

export function controlInput(draft: ControlDraft): { input: Asked; faults: Fault[] } {
  const faults: Fault[] = [];
  const needed = (field: string, text: string) => {
    if (text.trim() === "") faults.push({ field, fault: "required" });
    return text.trim();
  };
  const from = <T>(field: string, { read, wrong }: { read: T; wrong: string[] }): T => {
    for (const line of wrong) faults.push({ field, fault: "line", line });
    return read;
  };
  const number = (field: string, text: string, whole: boolean): number | null => {
    if (text.trim() === "") return null;
    const value = typedNumber(text);
    if (value === null || (whole && !Number.isInteger(value))) {
      faults.push({ field, fault: whole ? "not-an-integer" : "not-a-number" });
      return null;
    }
    return value;
  };
  const some = (key: string, value: number | string | null) => (value === null || value === "" ? {} : { [key]: value });
  const filled = (key: string, value: object) => (Object.keys(value).length > 0 ? { [key]: value } : {});
  const inputs: Asked["inputs"] = {};
  draft.inputs.forEach((one, k) => {
    const recipe = readTimed(one.recipe);
    if (recipe === null) faults.push(one.recipe.trim() === "" ? { field: `inputs.${k}.recipe`, fault: "required" } : { field: `inputs.${k}.recipe`, fault: "line", line: one.recipe });
    inputs[needed(`inputs.${k}.name`, one.name)] = {
      low: needed(`inputs.${k}.low`, one.low),
      high: needed(`inputs.${k}.high`, one.high),
      recipe: recipe ?? [],
      ...some("rise_max", one.rise.trim()),
      ...some("move_cost", number(`inputs.${k}.cost`, one.cost, false)),
    };
  });
  const sensors: Asked["sensors"] = {};
  draft.sensors.forEach((one, k) => {
    sensors[needed(`sensors.${k}.name`, one.name)] = { sd: needed(`sensors.${k}.sd`, one.sd), ...some("low", one.low.trim()), ...some("high", one.high.trim()), ...some("frozen_after", number(`sensors.${k}.frozen`, one.frozen, true)) };
  });
  const failing = draft.faults.map((one, k) => ({
    sensor: needed(`faults.${k}.sensor`, one.sensor),
    from: needed(`faults.${k}.from`, one.from),
    until: needed(`faults.${k}.until`, one.until),
    fault: FAULTS.find((kind) => kind === one.kind) ?? ("silent" as const),
    ...some("value", one.value.trim()),
  }));
  const input: Asked = {
    model: needed("model", draft.model),
    aim: needed("aim", draft.aim),
    until: needed("until", draft.until),
    step: needed("step", draft.step),
    inputs,
    sensors,
    ...(draft.least ? { least: true } : {}),
    ...(draft.advice ? { mode: "advice" } : {}),
    ...(failing.length > 0 ? { faults: failing } : {}),
    ...filled("limits", from("limits", readLimits(draft.limits))),
    ...filled("adapt", from("adapt", readNamed(draft.adapt))),
    ...filled("hidden", from("hidden", readNamed(draft.hidden))),
    ...filled("set", from("set", readNamed(draft.set))),
    ...some("horizon", number("horizon", draft.horizon, true)),
    ...some("seeds", number("seeds", draft.seeds, true)),
    ...some("seed", number("seed", draft.seed, true)),
  };
  return { input, faults };
}
