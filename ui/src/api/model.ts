// Names for the shapes of the operations on culture models, all from the generated contract.
import type { Output, Text } from "./types";

type Row = Output<"culture check">["quantities"][number];
/** A quantity of a model; a server that knows where its value comes from says so. */
export type ModelQuantity = Row & { source?: string | null };
export type CheckedModel = Omit<Output<"culture check">, "quantities"> & { quantities: ModelQuantity[] };
export type Simulated = Output<"culture simulate">;
export type Fitted = Output<"culture fit">;
export type FittedParameter = Fitted["parameters"][number];
export type Predicted = Output<"culture predict">;
export type Calibrated = Output<"culture calibration">;
export type Counted = Calibrated["counted"][number];

/** An interval of a forecast, as the answer and the stored record have it. */
export interface ForecastInterval {
  level: number;
  at_once: boolean;
  evidence: "runs-left-out" | "model-only";
  runs: number;
  statement: Text;
  low: number[];
  high: number[];
}

export interface ForecastLine {
  quantity: string;
  label: Text;
  unit: string;
  mean: number[];
  intervals: ForecastInterval[];
}

/** What a forecast says over time. */
export interface Fan {
  time_unit: string;
  time: number[];
  lines: ForecastLine[];
}

/** A reading beside an interval, as it is kept with the forecast. */
export interface ForecastOutcome {
  quantity: string;
  scale: string;
  level: number;
  at_once: boolean;
  low: number;
  high: number;
  read: number;
}

/** A record of the kind `forecast`. */
export interface StoredForecast extends Fan {
  id: string;
  title: string;
  run: string;
  model: string;
  scale: string;
  made_at: string;
  outcomes: ForecastOutcome[];
}
