// The `culture` operations as types, by hand: TO BE REPLACED by those of the generated `schema.d.ts`
// once the committed `openapi.json` has them. Nothing else is written here, so that this file can go whole.
import type { Diagnostic, Fields, Text } from "./types";

type Maybe<T> = T | null | undefined;

/** A named kind of vessel with its places: `culture vessels`. */
export interface VesselSystem {
  id: string;
  name: string;
  units: number;
  rows: number;
  columns: number;
  volume_working_l?: Maybe<number>;
}

export interface PlanSetting {
  value: number;
  /** UCUM */
  unit: string;
}

export interface PlanCondition {
  name: string;
  control?: boolean;
  replicates?: number;
  settings?: Record<string, PlanSetting>;
  /** a recipe of toji-plant, for simulation */
  recipe?: Fields;
  learner?: string;
}

export interface PlanInput {
  name: string;
  /** record of the vessel */
  system: string;
  conditions: PlanCondition[];
  replicates?: number;
  response?: string;
  purpose?: string;
  seed?: number;
  dry_run?: boolean;
}

export interface PlannedUnit {
  unit: number;
  /** `A1` … */
  position: string;
  row: number;
  column: number;
  condition: string;
  replicate: number;
  control: boolean;
  edge: boolean;
  block: number;
  learner?: Maybe<string>;
}

export interface Planned {
  experiment?: Maybe<string>;
  name: string;
  system: Omit<VesselSystem, "volume_working_l">;
  units: PlannedUnit[];
  spare: number;
  spare_positions?: string[];
  seed: number;
  warnings: Text[];
}

export interface AnalysisQuantity {
  code: string;
  label: Text;
  value: number;
  low?: Maybe<number>;
  high?: Maybe<number>;
  unit: string;
  method: Text;
  n?: Maybe<number>;
  from_s?: Maybe<number>;
  to_s?: Maybe<number>;
}

export interface Analysis {
  run: string;
  analysis?: Maybe<string>;
  valid: boolean;
  findings: Diagnostic[];
  quantities: AnalysisQuantity[];
  not_determined: { code: string; label: Text; why: Text }[];
  growth?: Maybe<{ t_s: number[]; rate_per_h: (number | null)[] }>;
  engine: string;
  engine_version: string;
}

export type RankVerdict = "better" | "worse" | "not-separable" | "control" | "not-measured";

export interface RankUnit {
  run: string;
  title: string;
  position?: Maybe<string>;
  value?: Maybe<number>;
}

export interface RankCondition {
  condition: string;
  control: boolean;
  rank?: Maybe<number>;
  n: number;
  mean?: Maybe<number>;
  sd?: Maybe<number>;
  low?: Maybe<number>;
  high?: Maybe<number>;
  difference?: Maybe<number>;
  difference_low?: Maybe<number>;
  difference_high?: Maybe<number>;
  p?: Maybe<number>;
  /** null where nothing can be said: an order remains */
  verdict?: Maybe<RankVerdict>;
  units: RankUnit[];
}

export interface Ranking {
  experiment: string;
  name: string;
  response: string;
  label: Text;
  unit?: Maybe<string>;
  lower_is_better?: boolean;
  confidence?: number;
  control?: Maybe<string>;
  conditions: RankCondition[];
  missing: { position: string; condition: string; why: Text }[];
  pooled_sd?: Maybe<number>;
  degrees_of_freedom?: Maybe<number>;
  edge?: Maybe<{ difference: number; low: number; high: number }>;
  method: Text;
  advice: Text[];
}

export type UnitState = "planned" | "running" | "ended" | "no-data";

export interface PlateUnit {
  position: string;
  row?: Maybe<number>;
  column?: Maybe<number>;
  run?: Maybe<string>;
  title?: Maybe<string>;
  condition?: Maybe<string>;
  control?: Maybe<boolean>;
  learner?: Maybe<string>;
  state: UnitState;
  t_s: number[];
  value: (number | null)[];
  last?: Maybe<number>;
  alarms: number;
}

export interface PlateInput {
  experiment?: string;
  file?: string;
  runs?: string[];
  quantity?: string;
  points?: number;
}

export interface PlateAnswer {
  title: string;
  rows: number;
  columns: number;
  quantity?: Maybe<string>;
  label?: Maybe<Text>;
  unit?: Maybe<string>;
  quantities: { code: string; label: Text; unit?: Maybe<string> }[];
  low?: Maybe<number>;
  high?: Maybe<number>;
  units: PlateUnit[];
  /** runs or samples without a place */
  unplaced?: { id: string; title: string; why: Text }[];
}

export type PointVerdict = "good" | "watch" | "improve";

export interface FeedbackPoint {
  topic: string;
  verdict: PointVerdict;
  message: Text;
  value?: Maybe<number>;
  unit?: Maybe<string>;
  /** ends of its 95 % interval */
  low?: Maybe<number>;
  high?: Maybe<number>;
  /** the time it speaks of; without `to_s` a single moment */
  from_s?: Maybe<number>;
  to_s?: Maybe<number>;
}

export interface LearnerFeedback {
  learner: string;
  run: string;
  title: string;
  condition?: Maybe<string>;
  points: FeedbackPoint[];
  compared: { code: string; label: Text; unit: string; own?: Maybe<number>; median?: Maybe<number>; best?: Maybe<number>; rank?: Maybe<number>; of: number }[];
}

export interface Feedback {
  experiment: string;
  name: string;
  learners: LearnerFeedback[];
  classes: { runs: number; with_learner: number };
}

export interface LineageNode {
  run: string;
  title: string;
  parent?: Maybe<string>;
  scale_l?: Maybe<number>;
  vessel?: Maybe<string>;
  started?: Maybe<string>;
  depth: number;
  quantities: { code: string; label: Text; value: number; unit?: Maybe<string> }[];
}

/** An engineering number of a run: power per volume, tip speed, kLa … */
export interface ScaleNumber {
  run: string;
  code: string;
  label?: Maybe<Text>;
  value?: Maybe<number>;
  unit: string;
  why_missing?: Maybe<Text>;
  /** where a correlation is used outside the range it was found in */
  limits?: Maybe<Text>;
}

export interface Lineage {
  root: string;
  nodes: LineageNode[];
  scale: ScaleNumber[];
  /** parents that lead in a circle, are not there, or may not be seen */
  warnings?: Text[];
}

export interface CultureOperations {
  "culture vessels": { input: Record<string, never>; output: { vessels: VesselSystem[] } };
  "culture plan": { input: PlanInput; output: Planned };
  "culture analyse": { input: { run: string; keep?: boolean }; output: Analysis };
  "culture rank": { input: { experiment: string; response?: string; lower_is_better?: boolean; confidence?: number }; output: Ranking };
  "culture plate": { input: PlateInput; output: PlateAnswer };
  "culture feedback": { input: { experiment: string; learner?: string }; output: Feedback };
  "run lineage": { input: { run: string }; output: Lineage };
}
