// What the readiness page works out: points as people read them, the codes there are,
// and the manifest behind a form. Touches no browser object.
import type { Manifest, ReadyFinding, SplitUnit } from "../api/types";

/** Thousandths of a point as points, never rounded. */
export function points(thousandths: number): string {
  const whole = Math.trunc(thousandths / 1000);
  return `${whole}.${String(thousandths % 1000).padStart(3, "0")}`;
}

/** The codes among findings with how many there are and what they cost, in order. */
export function codes(findings: readonly ReadyFinding[]): { code: string; n: number; lost: number }[] {
  const all = new Map<string, { code: string; n: number; lost: number }>();
  for (const finding of findings) {
    const one = all.get(finding.code) ?? { code: finding.code, n: 0, lost: 0 };
    one.n += 1;
    one.lost += finding.lost_thousandths;
    all.set(finding.code, one);
  }
  return [...all.values()].sort((a, b) => (a.code < b.code ? -1 : 1));
}

/** Findings of one code and severity; an empty word stands for all. */
export function chosen(findings: readonly ReadyFinding[], code: string, severity: string): ReadyFinding[] {
  return findings.filter((finding) => (code === "" || finding.code === code) && (severity === "" || finding.severity === severity));
}

export const UNITS: readonly SplitUnit[] = ["run", "strain", "strain-lot", "site"];

export function isUnit(text: string | null): text is SplitUnit {
  return UNITS.some((unit) => unit === text);
}

/** Words between commas or line breaks. */
export function listed(text: string): string[] {
  return text
    .split(/[\n,、]/)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

export interface ReleaseForm {
  name: string;
  version: string;
  title_ja: string;
  title_en: string;
  description_ja: string;
  description_en: string;
  runs: string;
  text: string;
  unit: SplitUnit;
  grid_s: number;
  seed: number;
  validation: number;
  test: number;
  licence: string;
  duo: string;
  creators: string;
  as_of: string;
}

/** The manifest of a form; what was left empty is left out, so that it counts as missing. */
export function manifestOf(form: ReleaseForm): Manifest {
  const both = (ja: string, en: string) => (ja.trim() || en.trim() ? { ja: ja.trim() || en.trim(), en: en.trim() || ja.trim() } : null);
  const manifest: Manifest = {
    name: form.name.trim(),
    version: form.version.trim(),
    grid_s: form.grid_s,
    split: { unit: form.unit, seed: form.seed, validation_percent: form.validation, test_percent: form.test },
  };
  const title = both(form.title_ja, form.title_en);
  const description = both(form.description_ja, form.description_en);
  if (title) manifest.title = title;
  if (description) manifest.description = description;
  const runs = listed(form.runs);
  if (runs.length > 0) manifest.runs = runs;
  else if (form.text.trim() !== "") manifest.select = { text: form.text.trim() };
  if (form.licence !== "") manifest.licence = form.licence;
  const duo = listed(form.duo);
  if (duo.length > 0) manifest.duo = duo;
  const creators = form.creators.split("\n").map((name) => name.trim()).filter((name) => name !== "");
  if (creators.length > 0) manifest.creators = creators.map((name) => ({ name }));
  if (form.as_of.trim() !== "") manifest.as_of = Number(form.as_of);
  return manifest;
}
