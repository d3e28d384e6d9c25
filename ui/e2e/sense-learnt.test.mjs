// What is learnt from the senses: observers, sensors behind the nose, rules of decisions. Blind repeats are recorded
// here; the decisions and observations of the simulated operator are those of the demonstration.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ask, checkPage, downloaded, launch, open, settled, shot, visit } from "./browser.mjs";
import { words } from "./words.mjs";

const TERM = "sake:120";
/** Levels of two judgements each of four blind samples: the second observer judges two steps higher. */
const JUDGED = { "N-01": [[1, 1], [2, 2], [3, 2], [3, 3]], "N-02": [[3, 3], [4, 4], [4, 5], [5, 5]], "N-03": [[1, 2], [2, 2], [2, 3], [3, 3]] };
let browser;

before(async () => {
  browser = await launch();
  const { runs } = await ask("run list", { sort: "-started", limit: 50 });
  const run = runs.find((one) => one.started);
  assert.ok(run, "the store needs a run with a clock");
  const start = Date.parse(run.started);
  let minute = 0;
  for (const [observer, samples] of Object.entries(JUDGED)) {
    for (const [sample, levels] of samples.entries()) {
      for (const level of levels) {
        minute += 1;
        const time = new Date(start + minute * 60_000).toISOString();
        await ask("sense record", { id: `obs-e2e-${observer.toLowerCase()}-${minute}`, run: run.id, term: TERM, level, observer, blind: true, blind_sample: `e2e-${sample}`, time });
      }
    }
  }
});
after(() => browser?.close());

const query = (page, key) => new URL(page.url()).searchParams.get(key);

for (const lang of ["en", "ja"]) {
  const t = words(lang);
  describe(`what is learnt from the senses in ${lang}`, () => {
    test("observers: bias and repeatability in figures and table", async () => {
      const { page, done } = await open(browser);
      const answer = await ask("sense observers", {});
      const term = answer.terms.find((one) => one.term === TERM);
      await visit(page, `/sense?lang=${lang}`);
      await page.getByRole("link", { name: t("observers.title"), exact: true }).click();
      await settled(page);
      await page.locator("#observers-term").selectOption(TERM);
      assert.equal(query(page, "term"), TERM);
      const table = page.getByRole("region", { name: t("table_of", { title: t("observers.title") }) });
      assert.equal(await table.locator("tbody tr").count(), term.panel.observers.length);
      const high = await table.locator("tbody tr", { has: page.getByRole("rowheader", { name: "N-02", exact: true }) }).textContent();
      assert.ok(high.includes(t("observers.lean.high")), high);
      assert.equal(await page.locator("figure svg[role='img']").count(), 2);
      assert.equal(await page.locator("figure").first().locator("path.dot, path.ring").count(), term.panel.observers.filter((one) => typeof one.bias === "number").length);
      await checkPage(page, lang, "observers");
      await shot(page, `observers-${lang}`);
      const csv = await downloaded(page, () => page.locator("figure").first().getByRole("button", { name: /CSV/ }).click());
      assert.match(csv.text, /^\uFEFFterm,observer,judgements/);
      assert.equal(csv.text.trim().split("\r\n").length, term.panel.observers.length + 1);
      await done();
    });

    test("sensors behind the nose: ranked, with intervals and in words", async () => {
      const { page, done } = await open(browser);
      await visit(page, `/sense/explain?lang=${lang}`);
      await checkPage(page, lang, "explain, nothing chosen");
      await page.locator("#explain-term").selectOption(TERM);
      await page.getByRole("heading", { level: 2, name: new RegExp(TERM) }).waitFor();
      await settled(page);
      const answer = await ask("sense explain", { term: TERM, max_age_s: 3600, perceived_from: 1 });
      assert.equal(query(page, "term"), TERM);
      const table = page.getByRole("region", { name: t("table_of", { title: t("explain.title") }) });
      assert.equal(await table.locator("tbody tr").count(), Math.min(answer.sensors.length, 20));
      const first = await table.locator("tbody tr").first().textContent();
      assert.ok(first.includes(answer.sensors[0].label[lang]) && first.includes(answer.sensors[0].says[lang]), first);
      await checkPage(page, lang, "explain");
      await shot(page, `explain-${lang}`);
      await page.locator("#explain-age").selectOption("10");
      await settled(page);
      assert.equal(query(page, "age"), "10");
      await page.reload();
      await settled(page);
      assert.equal(await page.locator("#explain-term").inputValue(), TERM);
      await done();
    });

    test("rules: sentences to read, and their agreement on runs not seen", async () => {
      const { page, done } = await open(browser);
      const answer = await ask("sense rules", { max_age_s: 3600, rules_max: 4 });
      await visit(page, `/sense/rules?lang=${lang}`);
      const list = page.locator("ol.list > li");
      assert.equal(await list.count(), answer.rules.length + 1);
      for (const [index, line] of answer.rules.entries()) assert.ok((await list.nth(index).textContent()).includes(line.says[lang]));
      assert.ok((await list.last().textContent()).includes(answer.otherwise[lang]));
      if (answer.held_out) await page.getByText(t(answer.repeats_the_expert ? "rules.repeats" : "rules.does_not")).waitFor();
      await checkPage(page, lang, "rules");
      await shot(page, `rules-${lang}`);
      await page.getByLabel(t("rules.author"), { exact: true }).fill("nobody-of-this-name");
      await page.getByRole("button", { name: t("rules.learn"), exact: true }).click();
      await page.getByText("E-SENSE-018").waitFor();
      await checkPage(page, lang, "rules refused");
      await done();
    });

    test("dark colours hold the contrast", async () => {
      const { page, done } = await open(browser, { scheme: "dark" });
      for (const path of ["/sense/observers", `/sense/explain?term=${encodeURIComponent(TERM)}`, "/sense/rules"]) {
        await visit(page, `${path}${path.includes("?") ? "&" : "?"}lang=${lang}`);
        await checkPage(page, lang, `dark ${path}`);
      }
      await done();
    });
  });
}
