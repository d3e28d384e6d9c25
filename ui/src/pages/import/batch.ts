// Importing many files: what each one gave, put together. The server refuses a lone
// bad file as a whole; here that becomes the report of that file, so that one bad
// file never hides the others.
import { Problem } from "../../api/client";
import type { ImportFile, ImportInput, ImportResult, Mapping, Uploaded } from "../../api/types";

export type Runner = (input: ImportInput) => Promise<ImportResult>;

const NOTHING: Omit<ImportResult, "dry_run"> = {
  runs: [],
  channels: 0,
  points: 0,
  samples: 0,
  assays: 0,
  events: 0,
  observations: 0,
  not_read: [],
  warnings: [],
  files: [],
  classification: [],
};

/** Refusals that are about the file, not about the server or the person's wish to stop. */
function isAboutTheFile(thrown: unknown): thrown is Problem {
  return thrown instanceof Problem && ["input", "conflict", "limit", "not-found", "denied"].includes(thrown.category);
}

export function merge(results: readonly ImportResult[], dry: boolean): ImportResult {
  const all: ImportResult = { ...NOTHING, dry_run: dry };
  for (const one of results) {
    all.runs = [...all.runs, ...one.runs];
    all.files = [...all.files, ...one.files];
    all.not_read = [...all.not_read, ...one.not_read];
    all.warnings = [...all.warnings, ...one.warnings];
    for (const key of ["channels", "points", "samples", "assays", "events", "observations"] as const) all[key] += one[key];
  }
  return all;
}

async function refusable(input: ImportInput, run: Runner): Promise<ImportResult> {
  try {
    return await run(input);
  } catch (thrown) {
    if (!isAboutTheFile(thrown)) throw thrown;
    const [first, ...rest] = input.paths;
    if (first === undefined) throw thrown;
    if (rest.length > 0) {
      const parts: ImportResult[] = [];
      for (const path of input.paths) parts.push(await refusable({ ...input, paths: [path] }, run));
      return merge(parts, input.dry_run ?? false);
    }
    const file: ImportFile = { name: first, blob: first, state: "refused", error: thrown.body };
    return { ...NOTHING, files: [file], dry_run: input.dry_run ?? false };
  }
}

/** Files without a mapping in one question, each file with its own mapping in one more. */
export async function importAll(
  files: readonly Uploaded[],
  mappings: ReadonlyMap<string, Mapping>,
  options: { dry: boolean; zone: string },
  run: Runner,
): Promise<ImportResult> {
  const common = { dry_run: options.dry, ...(options.zone ? { zone: options.zone } : {}) };
  const plain = files.filter((file) => !mappings.has(file.address)).map((file) => file.address);
  const parts: ImportResult[] = [];
  if (plain.length > 0) parts.push(await refusable({ paths: plain, ...common }, run));
  for (const file of files) {
    const mapping = mappings.get(file.address);
    if (mapping) parts.push(await refusable({ paths: [file.address], mapping, ...common }, run));
  }
  return merge(parts, options.dry);
}
