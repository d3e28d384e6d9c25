// The answer of `culture monitor`, as far as its page shows it.
import type { Text } from "./types";

export interface MonitorVariable {
  variable: string;
  label: Text;
  unit?: string | null;
}

export interface MonitorRegion extends MonitorVariable {
  low: (number | null)[];
  middle: (number | null)[];
  high: (number | null)[];
}

export interface MonitorAlarm {
  raised_by: "model" | "golden-band" | "forecast";
  time_h?: number | null;
  variable?: string | null;
  promised?: number | null;
  evidence: Text;
}

export interface MonitorContributions {
  which: "first" | "farthest" | "latest";
  point: number;
  time_h?: number | null;
  contributions: { variable: string; label: Text; t2: number; spe: number }[];
}

export interface MonitorJudged {
  run: string;
  title: string;
  state: "running" | "ended";
  conformity: "normal" | "departs";
  alarms: MonitorAlarm[];
  course: {
    reached: number;
    points: number;
    time_h: (number | null)[];
    t2: number[];
    t2_limit: (number | null)[];
    spe: (number | null)[];
    spe_limit: (number | null)[];
    first?: { point: number; time_h?: number | null } | null;
  };
  class: {
    departure: string;
    statement: Text;
    evidence: (MonitorVariable & { share: number; time_h?: number | null; value: number; usual: number; deviation: number })[];
    alike: { name: string; angle: number }[];
  };
  contributions: MonitorContributions[];
  values: (MonitorVariable & { value: (number | null)[] })[];
  lacking: { variable: string; why: Text }[];
}

export interface MonitorAnswer {
  monitor_model?: string | null;
  learnt: {
    references: { run: string; title: string }[];
    axis: { method: string; points: number; unit: string; position: number[]; time_h: (number | null)[] };
    run_confidence: number;
    false_alarms: { statement: Text };
  };
  band: { coverage: number; regions: MonitorRegion[] };
  runs: MonitorJudged[];
  not_judged: { run: string; why: Text }[];
}

export interface MonitorOperations {
  "culture monitor": { input: { model: string; runs: string[]; running?: boolean }; output: MonitorAnswer };
}
