// Which genes a reaction needs: alternatives (isoenzymes) of complexes (subunits), as the model writes them. The server
// judges what a knock-out does; this says beforehand which reactions fail, and why.

export type Rule = string | { and: Rule[] } | { or: Rule[] };

/** A bracket that opens and closes inside a word, as in `MT-CO1(a)`, belongs to the word. */
const TOKEN = /\s*(\(|\)|&&?|\|\|?|[^\s()&|]+(?:\([^\s()&|]+\)[^\s()&|]*)?)/y;

function tokensOf(text: string): string[] | null {
  const found: string[] = [];
  TOKEN.lastIndex = 0;
  const end = text.trimEnd().length;
  while (TOKEN.lastIndex < end) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match?.[1]) return null;
    // `and(b1 or b2)` is a joint and a bracket, not a word.
    const joint = /^(and|or)\(/i.exec(match[1]);
    if (joint?.[1]) {
      TOKEN.lastIndex = from + match[0].indexOf(match[1]) + joint[1].length;
      found.push(joint[1]);
    } else found.push(match[1]);
  }
  return found;
}

const isAnd = (token: string | undefined) => token !== undefined && /^(and|&&?)$/i.test(token);
const isOr = (token: string | undefined) => token !== undefined && /^(or|\|\|?)$/i.test(token);

/** The rule of a text; null when there is none or it is unreadable. */
export function parseRule(text: string | null | undefined): Rule | null {
  const tokens = tokensOf(text ?? "");
  if (!tokens || tokens.length === 0) return null;
  let at = 0;
  const one = (depth: number): Rule | null => {
    const token = tokens[at];
    if (token === undefined || depth > 100 || token === ")" || isAnd(token) || isOr(token)) return null;
    at += 1;
    if (token !== "(") return token;
    const inner = any(depth + 1);
    if (inner === null || tokens[at] !== ")") return null;
    at += 1;
    return inner;
  };
  const joined = (part: (depth: number) => Rule | null, joins: (token: string | undefined) => boolean, make: (parts: Rule[]) => Rule) => (depth: number) => {
    const parts: Rule[] = [];
    for (;;) {
      const next = part(depth);
      if (next === null) return null;
      parts.push(next);
      if (!joins(tokens[at])) break;
      at += 1;
    }
    return parts.length === 1 ? (parts[0] ?? null) : make(parts);
  };
  const all = joined(one, isAnd, (and) => ({ and }));
  const any: (depth: number) => Rule | null = joined(all, isOr, (or) => ({ or }));
  const rule = any(0);
  return at === tokens.length ? rule : null;
}

/** Does it still work without these genes? */
export function works(rule: Rule, without: ReadonlySet<string>): boolean {
  if (typeof rule === "string") return !without.has(rule);
  return "and" in rule ? rule.and.every((part) => works(part, without)) : rule.or.some((part) => works(part, without));
}
