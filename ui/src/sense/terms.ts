// Vocabularies as the tablet shows them: which terms a sense has, which come first, and what a tap means.
import type { Text, Vocabulary, VocabularyTerm } from "../api/types";

export const SENSES = ["odour", "foam", "appearance", "colour", "sound"] as const;
export type Sense = (typeof SENSES)[number];

export interface Tap {
  /** stored code, `prefix:code` */
  code: string;
  label: Text;
  note: Text | null;
  group: Text | null;
  standards: NonNullable<VocabularyTerm["standard"]>;
  /** steps to choose from; none when the tap says it all */
  steps: { number: number; label: Text }[];
  number: number | null;
}

const isNumber = (value: unknown): value is number => typeof value === "number";

function stepsOf(all: Vocabulary[], vocabulary: Vocabulary): Tap["steps"] {
  const scale = all.find((one) => one.vocabulary === vocabulary.scale);
  return (scale?.term ?? []).filter((term) => isNumber(term.number)).map((term) => ({ number: term.number as number, label: term.label }));
}

/** Everything that can be tapped for a sense (of one vocabulary, when it is named), in its order. */
export function tapsOf(all: Vocabulary[], sense: string, only?: string): Tap[] {
  return all
    .filter((one) => one.attribute === sense && (only === undefined || one.vocabulary === only))
    .flatMap((one) => {
      const steps = stepsOf(all, one);
      return one.term.map((term) => ({
        code: `${one.prefix}:${term.code}`,
        label: term.label,
        note: term.note ?? null,
        group: one.class?.find((group) => group.code === term.class)?.label ?? one.label,
        standards: term.standard ?? [],
        steps,
        number: isNumber(term.number) ? term.number : null,
      }));
    });
}

/** What was tapped last comes first, then the order of the vocabulary. At most `most` recent ones move. */
export function recentFirst(taps: Tap[], recent: string[], most = 6): { recent: Tap[]; rest: Tap[] } {
  const first = recent.map((code) => taps.find((tap) => tap.code === code)).filter((tap): tap is Tap => tap !== undefined).slice(0, most);
  return { recent: first, rest: taps.filter((tap) => !first.includes(tap)) };
}

/** The list of what was tapped last, newest first, after one more tap. */
export function tapped(recent: string[], code: string, most = 40): string[] {
  return [code, ...recent.filter((one) => one !== code)].slice(0, most);
}

/** Groups in the order in which they first occur. */
export function grouped(taps: Tap[]): { label: Text | null; taps: Tap[] }[] {
  const groups: { label: Text | null; taps: Tap[] }[] = [];
  for (const tap of taps) {
    const last = groups.find((group) => group.label?.en === tap.group?.en);
    if (last) last.taps.push(tap);
    else groups.push({ label: tap.group, taps: [tap] });
  }
  return groups;
}
