// The words the journeys look for, read from the page's own dictionaries, so that a
// journey follows the text a person sees.
import { readFileSync } from "node:fs";

function dictionary(lang) {
  const source = [lang, `commons-${lang}`, `flux-${lang}`, `flux-design-${lang}`].map((name) => readFileSync(new URL(`../src/i18n/${name}.ts`, import.meta.url), "utf8")).join("\n");
  const strings = {};
  for (const [, key, text] of source.matchAll(/^ {2}("(?:[^"\\]|\\.)*"): ("(?:[^"\\]|\\.)*"),$/gm)) strings[JSON.parse(key)] = JSON.parse(text);
  return strings;
}

const strings = { en: dictionary("en"), ja: dictionary("ja") };

/** The string of a key with its blanks filled. */
export function words(lang) {
  return (key, vars = {}) => {
    const text = strings[lang][key];
    if (text === undefined) throw new Error(`no string ${key}`);
    return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_all, name, one, many) =>
      one === undefined ? String(vars[name]) : `${vars[name]} ${vars[name] === 1 ? one : many}`,
    );
  };
}

/** The part of a string before its first blank: for text that holds numbers. */
export function stem(lang, key) {
  return strings[lang][key].split("{")[0].trim();
}
