// The HTTP contract as types: what every operation takes and gives. It is the
// only place where the shapes of the server's answers are written down by hand.

/** Every text a person reads exists in both languages. */
export interface Text {
  ja: string;
  en: string;
}

/** Where a fault sits in the input. */
export interface Place {
  file?: string | null;
  sheet?: string | null;
  line?: number | null;
  column?: string | number | null;
  field?: string | null;
}

export interface Diagnostic {
  severity: "note" | "warning" | "error";
  code: string;
  place: Place;
  message: Text;
  remedy?: Text | null;
}

/** `application/problem+json`: how the server refuses. */
export interface ProblemBody {
  type?: string;
  title?: string;
  status: number;
  code: string;
  category: string;
  message: Text;
  hint?: Text | null;
  place?: Place | null;
  diagnostics?: Diagnostic[];
}

export type ValueKind =
  | "exact"
  | "less-than"
  | "greater-than"
  | "range"
  | "below-detection"
  | "not-determined"
  | "missing"
  | "text"
  | "category";

/** A measured value is never a bare number: see the design, section 5. */
export interface Value {
  kind: ValueKind;
  number?: number | null;
  low?: number | null;
  high?: number | null;
  /** UCUM */
  unit?: string | null;
  /** as it stood in the file */
  text?: string | null;
  raw_unit?: string | null;
  uncertainty?: number | null;
  n?: number | null;
  dilution?: number | null;
  basis?: string | null;
  substance?: string | null;
}

export type T0Evidence = "inoculation" | "start-of-file" | "first-point" | "elapsed-only";
export type ZoneEvidence = "file" | "site-default" | "assumed" | "none";

export interface RunRow {
  id: string;
  title: string;
  vessel?: string | null;
  strain?: string | null;
  format?: string | null;
  started?: string | null;
  t0_evidence: T0Evidence;
  duration_s?: number | null;
  channels: number;
  points: number;
  samples: number;
  assays: number;
  events: number;
  observations: number;
  flagged_points: number;
  simulated: boolean;
  file?: string | null;
}

export interface RunListInput {
  text?: string;
  vessel?: string;
  strain?: string;
  format?: string;
  simulated?: boolean;
  from?: string;
  to?: string;
  sort?: string;
  limit?: number;
  offset?: number;
}

export interface Channel {
  id: string;
  key: string;
  label: Text;
  quantity?: string | null;
  quantity_label?: Text | null;
  unit?: string | null;
  raw_unit?: string | null;
  origin: "sensor" | "setpoint" | "actuator" | "calculated" | "unknown";
  sampling: "periodic" | "on-change" | "irregular";
  points: number;
  first_s?: number | null;
  last_s?: number | null;
  min?: number | null;
  max?: number | null;
  flagged: number;
  method?: string | null;
}

export interface Assay {
  id: string;
  analyte: string;
  quantity?: string | null;
  value: Value;
  method?: string | null;
  flags: string[];
}

export interface Sample {
  id: string;
  key: string;
  elapsed_s?: number | null;
  time?: string | null;
  assays: Assay[];
}

export interface RunEvent {
  id: string;
  elapsed_s?: number | null;
  time?: string | null;
  type: string;
  label: Text;
  note?: string | null;
}

export interface Observation {
  id: string;
  elapsed_s?: number | null;
  time?: string | null;
  attribute: string;
  label: Text;
  value: Value;
  note?: string | null;
}

export interface NotRead {
  place: Place | string;
  text: string;
  reason: Text;
}

export interface RunFile {
  /** of the file's record */
  id?: string | null;
  name: string;
  blob: string;
  format: string;
  format_version?: string | null;
  encoding?: string | null;
  imported_at?: string | null;
  not_read: NotRead[];
  warnings: Diagnostic[];
}

export interface Run {
  id: string;
  title: string;
  fields: Record<string, unknown>;
  clock: {
    zone?: string | null;
    zone_evidence: ZoneEvidence;
    t0?: string | null;
    t0_evidence: T0Evidence;
  };
  channels: Channel[];
  samples: Sample[];
  events: RunEvent[];
  observations: Observation[];
  decisions: Record<string, unknown>[];
  file: RunFile | null;
}

export interface PlotInput {
  run: string;
  channels?: string[];
  from_s?: number;
  to_s?: number;
  pixels?: number;
  raw?: boolean;
}

export interface PlotChannel {
  id: string;
  label: Text;
  unit?: string | null;
  down_sampled: boolean;
  total_points: number;
  t_s: number[];
  value: (number | null)[];
  min?: (number | null)[] | null;
  max?: (number | null)[] | null;
  quality: number[];
}

export interface Plot {
  run: string;
  t0?: string | null;
  channels: PlotChannel[];
}

export interface CompareInput {
  runs: string[];
  quantity: string;
  grid_s?: number;
  from_s?: number;
  to_s?: number;
  pixels?: number;
}

export interface Compare {
  quantity: string;
  label: Text;
  unit?: string | null;
  runs: { id: string; title: string; t_s: number[]; value: (number | null)[]; points: number }[];
  skipped: { run: string; reason: Text }[];
}

export interface ImportInput {
  paths: string[];
  mapping?: Mapping | string;
  dry_run?: boolean;
  zone?: string;
}

export interface ImportCounts {
  channels: number;
  points: number;
  samples: number;
  assays: number;
  events: number;
  observations: number;
  not_read: NotRead[];
  warnings: Diagnostic[];
}

export interface ImportFile extends Partial<ImportCounts> {
  name: string;
  blob?: string | null;
  format?: string | null;
  /** `would-import` is what a trial says of a readable file */
  state: "imported" | "would-import" | "already-there" | "refused";
  runs?: { id: string; title: string }[] | null;
  error?: ProblemBody | null;
}

export interface ImportResult extends ImportCounts {
  runs: { id: string; title: string }[];
  blob?: string | null;
  files: ImportFile[];
  dry_run: boolean;
}

export const ROLES = [
  "time",
  "channel",
  "assay",
  "sample-id",
  "run-key",
  "event",
  "observation",
  "note",
  "fact",
  "variable",
  "value",
  "unit",
  "quality",
  "ignore",
] as const;
export type Role = (typeof ROLES)[number];

/** How the times of a table are written. */
export type TimeRule =
  | { kind: "clock"; order?: "year-month-day" | "month-day-year" | "day-month-year" | null }
  | { kind: "date-and-time"; time: string; order?: string | null }
  | { kind: "elapsed"; unit: "ms" | "s" | "min" | "h" | "d" | "hms"; assumed?: boolean };

export const LAYOUTS = ["wide", "long", "samples", "runs"] as const;

export interface MappingColumn {
  column: string | number;
  header: string;
  role: Role;
  quantity?: string | null;
  unit?: string | null;
  raw_unit?: string | null;
  confidence: number;
  evidence?: Text | null;
  [extra: string]: unknown;
}

export interface Mapping {
  name: string;
  version: number | string;
  header_row?: number | null;
  unit_row?: number | null;
  layout?: (typeof LAYOUTS)[number];
  sheets?: string[];
  /** the run's name where no column tells it */
  run?: string | null;
  time?: { column: string | number; header?: string; rule: TimeRule; evidence?: Text | null } | null;
  columns: MappingColumn[];
  [extra: string]: unknown;
}

export interface Proposal {
  format: string;
  sheets?: unknown[];
  mapping: Mapping;
  preview: string[][];
  /** may be read unasked */
  confident?: boolean;
  evidence?: Text | null;
  diagnostics?: Diagnostic[];
}

export interface KindRow {
  kind: string;
  version: number | string;
  label: Text;
  about: Text;
  /** a code such as `culture` */
  group: string | Text;
  records: number;
}

export type FieldType =
  | "text"
  | "integer"
  | "number"
  | "boolean"
  | "date"
  | "instant"
  | "choice"
  | "ref"
  | "value"
  | "json";

export interface Field {
  name: string;
  type: FieldType;
  label: Text;
  help?: Text | null;
  required: boolean;
  many: boolean;
  unit?: string | null;
  unit_field?: string | null;
  choices?: { code: string; label: Text }[] | null;
  ref?: string | null;
  /** the target's field that holds the shared identifier, when it is not its id */
  ref_field?: string | null;
  /** other values than the choices are kept with a warning */
  open?: boolean;
  low?: number | null;
  high?: number | null;
}

export interface Kind {
  kind: string;
  version: number | string;
  label: Text;
  about: Text;
  source?: Text | string | null;
  title: string[];
  fields: Field[];
  /** written by imports only; no form */
  derived?: boolean;
}

export type Fields = Record<string, unknown>;

export interface RecordRow {
  id: string;
  version: number;
  title: Text;
  fields: Fields;
  updated_at?: string | null;
}

export interface RecordLink {
  field: string;
  kind: string;
  id: string;
  title: Text;
}

export interface RecordBody {
  kind: string;
  id: string;
  version: number;
  kind_version: number | string;
  title: Text;
  fields: Fields;
  created_at: string;
  updated_at: string;
  links: RecordLink[];
  linked_from: RecordLink[];
  retired?: boolean;
  diagnostics: Diagnostic[];
  source?: string | Record<string, unknown> | null;
}

export interface RecordVersion {
  version: number;
  at: string;
  actor: string;
  reason?: string | null;
  change: Record<string, [unknown, unknown]>;
  retired: boolean;
  event: number;
}

export interface Hit {
  kind: string;
  id: string;
  title: Text;
  snippet: Text;
  field: string;
  score: number;
  source?: string | Record<string, unknown> | null;
}

export interface SqlResult {
  columns: { name: string; type: string }[];
  rows: unknown[][];
  truncated: boolean;
}

export interface Job {
  id: string;
  operation: string;
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  progress?: { done: number; total?: number | null; message?: Text | null } | null;
  output?: unknown;
  error?: ProblemBody | null;
}

export interface Uploaded {
  name: string;
  address: string;
  bytes: number;
}

/** What a data set is made of: see `dataset release`. Parts that are left out have a default. */
export interface Manifest {
  name?: string;
  version?: string;
  title?: Text;
  description?: Text;
  runs?: string[];
  select?: { text?: string; strain?: string; vessel?: string; format?: string; simulated?: boolean; from?: string; to?: string };
  grid_s?: number;
  rules?: Record<string, "mean" | "last" | "linear" | "sum">;
  split?: { unit?: SplitUnit; seed?: number; validation_percent?: number; test_percent?: number };
  licence?: string;
  duo?: string[];
  deposit?: string;
  creators?: { name: string; person?: boolean; id?: string }[];
  publisher?: string;
  url?: string;
  as_of?: number;
}

export type SplitUnit = "run" | "strain" | "strain-lot" | "site";

export interface Parts {
  train: number;
  validation: number;
  test: number;
}

/** A finding of `dataset check` with the points it costs. */
export interface ReadyFinding extends Diagnostic {
  lost_thousandths: number;
  kind?: string | null;
  id?: string | null;
  run?: string | null;
}

export interface ReadyRule {
  rule: string;
  label: Text;
  weight_thousandths: number;
  lost_thousandths: number;
  places: number;
  failing: number;
}

export interface Readiness {
  score: number;
  score_thousandths: number;
  runs: number;
  points: number;
  as_of?: number | null;
  split: Parts;
  rules: ReadyRule[];
  findings: ReadyFinding[];
  findings_left_out: number;
  lost_left_out_thousandths: number;
}

export interface Released {
  release?: string | null;
  root_hash: string;
  package: string;
  bytes: number;
  name: string;
  runs: number;
  points: number;
  rows: number;
  columns: number;
  split: Parts;
  score: number;
  as_of?: number | null;
  manifest: Manifest;
  files: { path: string; bytes: number; sha256: string }[];
}

/** Operation name → what it takes and what it gives. */
export interface Operations {
  "run list": { input: RunListInput; output: { total: number; runs: RunRow[] } };
  "run show": { input: { id: string }; output: Run };
  "run plot": { input: PlotInput; output: Plot };
  "run compare": { input: CompareInput; output: Compare };
  "run import": { input: ImportInput; output: ImportResult };
  "run propose": { input: { path: string; zone?: string }; output: Proposal };
  "kind list": { input: Record<string, never>; output: { kinds: KindRow[] } };
  "kind show": { input: { kind: string }; output: Kind };
  "record list": {
    input: {
      kind: string;
      text?: string;
      filter?: Record<string, unknown>;
      sort?: string;
      limit?: number;
      offset?: number;
      as_of?: string;
    };
    output: { kind: string; total: number; records: RecordRow[] };
  };
  "record get": { input: { kind: string; id: string; as_of?: string }; output: RecordBody };
  "record put": {
    input: { kind: string; id?: string; fields: Fields; reason?: string; if_version?: number };
    output: { id: string; version: number; diagnostics: Diagnostic[] };
  };
  "record retire": { input: { kind: string; id: string; reason: string }; output: { id: string; version: number } };
  "record restore": { input: { kind: string; id: string; reason: string }; output: { id: string; version: number } };
  "record history": { input: { kind: string; id: string }; output: { versions: RecordVersion[] } };
  "search query": {
    input: { text: string; kinds?: string[]; limit?: number };
    output: {
      total: number;
      hits: Hit[];
      /** no record has all the words; these have some of them */
      partial?: boolean;
      /** the words searched for, each with its names in the other language */
      terms?: string[][];
    };
  };
  "sql query": { input: { query: string; limit?: number }; output: SqlResult };
  "dataset check": { input: { runs?: string[]; manifest?: Manifest }; output: Readiness };
  "dataset fetch": { input: { release: string }; output: { release: string; name: string; root_hash: string; bytes: number } };
  "dataset release": { input: { manifest: Manifest; dry_run?: boolean }; output: Released };
  "store status": { input: Record<string, never>; output: Record<string, unknown> };
}

export type OperationName = keyof Operations;
export type Input<N extends OperationName> = Operations[N]["input"];
export type Output<N extends OperationName> = Operations[N]["output"];
