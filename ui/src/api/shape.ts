// Brings answers of the server into the one shape the pages rely on: lists are there
// even when empty, a measured value is always a value object, and a kind reads the
// same from the contract (`fields`) and from the declaration file (`field`).
import type { Field, Kind, Observation, Run, RunFile, Sample, Value } from "./types";

const MISSING: Value = { kind: "missing", text: "" };

function readFile(file: RunFile | null | undefined): RunFile | null {
  if (!file) return null;
  return { ...file, not_read: Array.isArray(file.not_read) ? file.not_read : [], warnings: Array.isArray(file.warnings) ? file.warnings : [] };
}

function readSample(sample: Sample): Sample {
  const assays = (sample.assays ?? []).map((assay) => ({ ...assay, value: assay.value ?? MISSING, flags: assay.flags ?? [] }));
  return { ...sample, key: sample.key || sample.id, assays };
}

export function readRun(run: Run): Run {
  const observed = (one: Observation): Observation => ({ ...one, value: one.value ?? MISSING });
  return {
    ...run,
    title: run.title || run.id,
    fields: run.fields ?? {},
    channels: run.channels ?? [],
    samples: (run.samples ?? []).map(readSample),
    events: run.events ?? [],
    observations: (run.observations ?? []).map(observed),
    decisions: run.decisions ?? [],
    file: readFile(run.file),
  };
}

type Written = Omit<Kind, "fields" | "title"> & {
  fields?: Field[];
  field?: Field[];
  title?: string[] | { ja: string; en: string };
};

export function readKind(written: unknown): Kind {
  const kind = written as Written;
  const title = Array.isArray(kind.title) ? kind.title : kind.title ? [kind.title.ja, kind.title.en] : [];
  const fields = (kind.fields ?? kind.field ?? []).map((field) => ({ ...field, required: field.required ?? false, many: field.many ?? false }));
  return { ...kind, title: [...new Set(title)], fields };
}
