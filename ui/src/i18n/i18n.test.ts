import { describe, expect, it } from "vitest";
import { en } from "./en";
import { fill } from "./fill";
import { ja } from "./ja";

describe("dictionaries", () => {
  it("have the same keys and no empty string", () => {
    expect(Object.keys(ja).sort()).toEqual(Object.keys(en).sort());
    for (const [key, text] of [...Object.entries(en), ...Object.entries(ja)]) expect(text, key).not.toBe("");
  });
  it("use the same blanks in both languages", () => {
    const blanks = (text: string) => [...new Set([...text.matchAll(/\{(\w+)/g)].map((match) => match[1]))].sort();
    for (const [key, text] of Object.entries(en)) expect(blanks(ja[key as keyof typeof en]), key).toEqual(blanks(text));
  });
  it("write sentence case in English and no です・ます in Japanese labels", () => {
    for (const [key, text] of Object.entries(ja)) expect(text, key).not.toMatch(/(です|ます|ください)/);
    for (const [key, text] of Object.entries(en)) expect(text, key).not.toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+ [A-Z][a-z]+$/);
  });
});

describe("fill", () => {
  const check = (pattern: string, vars: Record<string, string | number>, lang: string, expected: string) =>
    expect(fill(pattern, vars, lang)).toBe(expected);
  it("writes numbers and words", () => {
    check("{n|run|runs}", { n: 1 }, "en", "1 run");
    check("{n|run|runs}", { n: 0 }, "en", "0 runs");
    check("{n|run|runs}", { n: 12345 }, "en", "12,345 runs");
    check("{n} 件の培養", { n: 12345 }, "ja", "12,345 件の培養");
    check("Search: {text}", { text: "<b>" }, "en", "Search: <b>");
    check("{missing}!", {}, "en", "!");
  });
});
