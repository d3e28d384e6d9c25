// Marks the words of a query in a text, without caring for case or width of letters.

export interface Part {
  text: string;
  hit: boolean;
}

function escaped(word: string): string {
  return word.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Snippets may come with `<b>` or `<mark>` of a search engine: shown as plain text. */
export function marked(text: string, words: readonly string[]): Part[] {
  const plain = text.replaceAll(/<\/?(?:b|em|mark)>/g, "");
  const wanted = words.map((word) => word.normalize("NFKC").trim()).filter((word) => word !== "");
  if (wanted.length === 0 || plain === "") return [{ text: plain, hit: false }];
  const pattern = new RegExp(`(${wanted.map(escaped).join("|")})`, "giu");
  return plain
    .split(pattern)
    .map((part, index) => ({ text: part, hit: index % 2 === 1 }))
    .filter((part) => part.text !== "");
}
