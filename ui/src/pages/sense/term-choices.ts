// The terms of the senses to choose from: those that were recorded first, then every vocabulary.
import type { Text, Vocabulary } from "../../api/types";

export interface TermChoice {
  code: string;
  label: Text;
  /** how often it was recorded */
  n: number;
}

export interface TermGroup {
  /** `seen`, or the vocabulary's name */
  key: string;
  label: Text;
  terms: TermChoice[];
}

/**
 * What can be asked about, as the server grades it: each term of a vocabulary with levels (odours),
 * and a vocabulary as a whole where its terms are the steps (stages of foam). Actions are decisions,
 * not things that are sensed.
 */
export function termChoices(vocabularies: readonly Vocabulary[], seen: readonly (readonly [string, number])[]): TermGroup[] {
  const counted = new Map(seen);
  const groups: TermGroup[] = [];
  const whole: TermChoice[] = [];
  for (const one of vocabularies) {
    if (one.attribute === "action" || one.attribute === "level") continue;
    const terms = one.term.map((term) => ({ code: `${one.prefix}:${term.code}`, label: term.label, n: counted.get(`${one.prefix}:${term.code}`) ?? 0 }));
    if (one.scale) groups.push({ key: one.vocabulary, label: one.label, terms });
    else whole.push({ code: one.vocabulary, label: one.label, n: terms.reduce((sum, term) => sum + term.n, 0) });
  }
  const all = [...groups.flatMap((group) => group.terms), ...whole];
  const first = all.filter((term) => term.n > 0).sort((a, b) => b.n - a.n);
  const out: TermGroup[] = [];
  if (first.length > 0) out.push({ key: "seen", label: { ja: "", en: "" }, terms: first });
  out.push(...groups);
  if (whole.length > 0) out.push({ key: "whole", label: { ja: "", en: "" }, terms: whole });
  return out;
}
