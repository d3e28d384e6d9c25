// The HTTP contract as types. They are generated: `schema.d.ts` comes from the committed `openapi.json`
// (`npm run api`), and here its parts get the names that the pages use. Where the contract leaves a JSON
// value open (fields of a record, a measured value) or a text that is one of a few words, this file says more.
import type { CultureOperations } from "./culture";
import type { MonitorOperations } from "./monitor";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];
type Narrow<T, F> = Omit<T, keyof F> & F;

export type Text = Schemas["Text"];
export type Place = Schemas["Place"];
export type Diagnostic = Schemas["Diagnostic"];
/** `application/problem+json`: how the server refuses. */
export type ProblemBody = Pick<Schemas["Problem"], "status" | "code" | "message"> & Partial<Schemas["Problem"]> & { category: string };

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

export type RunRow = Narrow<Schemas["RunListOutputRow"], { t0_evidence: T0Evidence }>;
export type RunListInput = Schemas["RunListInput"];

export type Channel = Narrow<
  Schemas["ChannelRow"],
  { origin: Schemas["Origin"]; sampling: "periodic" | "on-change" | "irregular" }
>;
export type Assay = Narrow<Schemas["AssayRow"], { value: Value }>;
type Item = Schemas["RunShowOutputItem"];
export type Sample = Pick<Item, "id" | "elapsed_s" | "time"> & { key: string; assays: Assay[] };
export type RunEvent = Pick<Item, "id" | "elapsed_s" | "time" | "type" | "label" | "note">;
export type Observation = Pick<Item, "id" | "elapsed_s" | "time" | "label" | "note"> & { attribute: string; value: Value };

export type NotRead = Narrow<Schemas["NotRead"], { place: Place | string }>;
export type RunFile = Narrow<Omit<Schemas["FileView"], "instrument">, { id?: string | null; not_read: NotRead[]; warnings: Diagnostic[] }>;
export type Run = Narrow<
  Schemas["RunShowOutput"],
  {
    fields: Fields;
    clock: Narrow<Schemas["Clock"], { zone_evidence: ZoneEvidence; t0_evidence: T0Evidence }>;
    channels: Channel[];
    samples: Sample[];
    events: RunEvent[];
    observations: Observation[];
    decisions: Fields[];
    file: RunFile | null;
  }
>;

export type PlotInput = Schemas["RunPlotInput"];
export type PlotChannel = Schemas["PlotChannel"];
export type Plot = Schemas["RunPlotOutput"];
export type CompareInput = Schemas["RunCompareInput"];
export type Compare = Schemas["RunCompareOutput"];

/** Area of sharing. */
export type Area = Schemas["Area"];
export type ImportInput = Narrow<Schemas["RunImportInput"], { mapping?: Mapping | string }>;
/** A proposal of an import: where records should stand among what is shared. */
export interface Classified {
  kind: string;
  records: number;
  examples: string[];
  ids: string[];
  area: Area;
  area_now: Area;
  area_label: Text;
  protection_sought: "open" | "limited" | "secret";
  stricter: boolean;
  evidence: { rule: string; because: Text }[];
  requirements_missing: Text[];
  next_step: Text;
}
export type ImportFile = Pick<Schemas["FileReport"], "name" | "state"> &
  Partial<Narrow<Schemas["FileReport"], { not_read: NotRead[]; error: ProblemBody | null }>> & { classification?: Classified[] };
export type ImportResult = Narrow<Schemas["RunImportOutput"], { not_read: NotRead[]; files: ImportFile[] }>;

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
export type Role = Schemas["Role"];
/** How the times of a table are written. */
export type TimeRule = Schemas["TimeRule"];

export const LAYOUTS = ["wide", "long", "samples", "runs"] as const;

export type Proposal = Schemas["RunProposeOutput"];
export type Mapping = Proposal["mapping"];
export type MappingColumn = Mapping["columns"][number];

export type KindRow = Schemas["KindListOutput"]["kinds"][number];
export type FieldType = Schemas["FieldType"];
export type Field = Narrow<Schemas["Field"], { required: boolean; many: boolean }>;
export type Kind = Narrow<Omit<Schemas["KindShowOutput"], "field" | "group">, { title: string[]; fields: Field[] }>;

/** Fields of a record, as its kind declares them. */
export type Fields = Record<string, unknown>;
export type RecordRow = Narrow<Schemas["RecordListOutputRow"], { fields: Fields }>;
export type RecordLink = Schemas["LinkView"];
export type RecordBody = Narrow<Schemas["RecordGetOutput"], { fields: Fields }>;
export type RecordVersion = Narrow<Schemas["VersionView"], { change: Record<string, [unknown, unknown]> }>;
export type Hit = Schemas["Hit"];
export type SqlResult = Schemas["SqlQueryOutput"];
export type Job = Narrow<Schemas["Job"], { error?: ProblemBody | null }>;

export type Observers = Schemas["SenseObserversOutput"];
export type Explained = Schemas["SenseExplainOutput"];
export type ExplainedSensor = Schemas["SenseExplainOutputSensor"];
export type DecisionRules = Schemas["SenseRulesOutput"];

/** A declared vocabulary of the senses; a stored code is `prefix:code`. */
export type Vocabulary = Schemas["Vocabulary"];
export type VocabularyTerm = Schemas["Term"];

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

/** A channel with its latest value, as `live tail` tells it. */
export interface LiveChannel {
  id: string;
  key: string;
  label: Text;
  quantity?: string | null;
  unit?: string | null;
  origin: Channel["origin"];
  time?: string | null;
  age_s?: number | null;
  value?: number | null;
  text?: string | null;
  quality: number;
  low?: number | null;
  high?: number | null;
}

export interface Tank {
  id: string;
  title: string;
  vessel?: string | null;
  source: string;
  simulated: boolean;
  t0?: string | null;
  state: "receiving" | "silent" | "outage";
  heard?: string | null;
  outage?: { since: string; note?: string | null } | null;
  channels: LiveChannel[];
}

export interface Board {
  now: string;
  change: number;
  runs: Tank[];
}

/** What the stream sends: channel, seconds since 1970, number, quality, text. */
export interface LiveUpdate {
  change: number;
  values: [string, number, number | null, number, string | null][];
  points: Record<string, { t_s: number[]; value: (number | null)[] }>;
}

export interface BandReference {
  id: string;
  title: string;
  from_inoculation: boolean;
  zero_s: number;
}

export interface Band {
  quantity: string;
  label: Text;
  unit?: string | null;
  t_s: number[];
  low: (number | null)[];
  median: (number | null)[];
  high: (number | null)[];
  n: number[];
  runs: BandReference[];
  skipped: { run: string; reason: Text }[];
  over?: BandReference | null;
}

type JsonOf<T> = T extends { content: { "application/json": infer Body } } ? Body : never;
type Post<P> = P extends { post: { requestBody?: infer Asked; responses: { 200: infer Given } } }
  ? { input: JsonOf<NonNullable<Asked>>; output: JsonOf<Given> }
  : never;
type Named<P> = P extends `/api/v1/${infer Noun}/${infer Verb}` ? `${Noun} ${Verb}` : never;
type Declared = { [P in keyof paths as Post<paths[P]> extends never ? never : Named<P>]: Post<paths[P]> };

/** What this file says more exactly than the contract does. */
interface Exact extends CultureOperations, MonitorOperations {
  "live tail": { input: { run?: string; hours?: number }; output: Board };
  "run band": { input: { runs: string[]; quantity: string; grid_s?: number; low?: number; high?: number; over?: string }; output: Band };
  "dataset check": { input: { runs?: string[]; manifest?: Manifest }; output: Readiness };
  "dataset fetch": { input: { release: string }; output: { release: string; name: string; root_hash: string; bytes: number } };
  "dataset release": { input: { manifest: Manifest; dry_run?: boolean }; output: Released };
  "run list": { input: RunListInput; output: Narrow<Schemas["RunListOutput"], { runs: RunRow[] }> };
  "run show": { input: Schemas["RunShowInput"]; output: Run };
  "run import": { input: ImportInput; output: ImportResult };
  "kind show": { input: Schemas["KindShowInput"]; output: Kind };
  "record list": { input: Schemas["RecordListInput"]; output: Narrow<Schemas["RecordListOutput"], { records: RecordRow[] }> };
  "record get": { input: Schemas["RecordGetInput"]; output: RecordBody };
  "record put": { input: Narrow<Schemas["RecordPutInput"], { fields: Fields }>; output: Schemas["RecordPutOutput"] };
  // Built by the tablet page field by field and kept until it can be sent.
  "sense record": { input: Fields; output: Schemas["SenseRecordOutput"] };
  "decision record": { input: Fields; output: Schemas["DecisionRecordOutput"] };
  "record history": { input: Schemas["RecordHistoryInput"]; output: { versions: RecordVersion[] } };
}

/** Operation name → what it takes and what it gives. */
export type Operations = Omit<Declared, keyof Exact> & Exact;
export type OperationName = keyof Operations & string;
export type Input<N extends OperationName> = Operations[N]["input"];
export type Output<N extends OperationName> = Operations[N]["output"];
