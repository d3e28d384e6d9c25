// The language of the page: chosen by `lang` in the address, else by the browser.
// `t` looks a key up; `tx` picks from a text the server sent.
import type { Text } from "../api/types";
import { en, type Key } from "./en";
import { fill, type Vars } from "./fill";
import { ja } from "./ja";

export type Lang = "ja" | "en";
export type { Key } from "./en";

const dictionaries: Record<Lang, Record<Key, string>> = { en, ja };

class Language {
  lang = $state<Lang>("en");
}

export const language = new Language();

export function isLang(text: string | null | undefined): text is Lang {
  return text === "ja" || text === "en";
}

/** The language the browser asks for, when the address does not say. */
export function browserLang(preferred: readonly string[]): Lang {
  for (const tag of preferred) {
    const head = tag.toLowerCase().split("-")[0];
    if (isLang(head)) return head;
  }
  return "en";
}

export function t(key: Key, vars: Vars = {}): string {
  // A code that only a newer server knows is shown as it is.
  return fill(dictionaries[language.lang][key] ?? key, vars, language.lang);
}

/** Is there a string for this key? For codes that come from the server. */
export function known(key: string): key is Key {
  return Object.hasOwn(en, key);
}

/** A code of the server in words, or the code itself when we have no words. */
export function word(prefix: string, code: string): string {
  const key = `${prefix}.${code}`;
  return known(key) ? t(key) : code;
}

export function tx(text: Text | null | undefined): string {
  if (!text) return "";
  const own = text[language.lang];
  if (own) return own;
  return language.lang === "ja" ? text.en : text.ja;
}
