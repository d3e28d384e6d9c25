// A drifting run beside those that went well: the choice of model and run in the address, the verdict with its alarm,
// the statistics with their limits, what is behind it, and the golden band; in both languages, in a real browser.
// The reactors are simulated.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ask, checkPage, launch, open, settled, shot, visit } from "./browser.mjs";
import { words } from "./words.mjs";

const CHANNELS = ["dissolved-oxygen", "stirrer-speed", "oxygen-fraction", "co2-fraction"];
const DRIFT = [{ from_h: 5, until_h: 10, fault: "drift", signal: "offgas-co2", per_h: 0.4 }];
let browser;
let model;
let runs;

/** Reactors of one recipe whose inocula differ. */
async function reactors(name, faults) {
  const plant = faults.map((fault, i) => ({
    name: `${name}-${i}`,
    batch: `${name}-${i}`,
    scale: "1-l",
    faults: fault,
    recipe: { stop_at_h: 10, sample_every_h: 0, biomass_g_per_l: 0.2 + 0.01 * ((7 * i) % 5), glucose_g_per_l: 15 + 0.1 * ((3 * i) % 4) },
  }));
  return (await ask("simulate run", { name, plant, hours: 10, every_s: 120, seed: 7 })).runs.map((run) => run.id);
}

before(async () => {
  browser = await launch();
  const name = `E2E-${Date.now().toString(36)}`;
  const reference = await reactors(`${name}-REF`, Array.from({ length: 12 }, () => []));
  runs = await reactors(`${name}-NEW`, [[], DRIFT]);
  const learnt = await ask("culture monitor", { reference, channels: CHANNELS, store: true, name: `${name}: reactors of 1 L with a recipe whose name is as long as such names are, in the words of those who gave it, and longer` });
  model = learnt.monitor_model;
});
after(() => browser?.close());

for (const lang of ["en", "ja"]) {
  const t = words(lang);
  describe(`monitoring in ${lang}`, () => {
    test("a drift is named with its time and its variable, and the usual run beside it is not", async () => {
      const { page, done } = await open(browser);
      page.setDefaultTimeout(60_000);
      await visit(page, `/monitor?lang=${lang}`);
      await checkPage(page, lang, "monitor");
      const judge = page.getByRole("button", { name: t("monitor.judge"), exact: true });
      assert.ok(await judge.isDisabled(), "nothing is chosen yet");
      // Fields stand side by side, whatever the length of a name in them.
      const boxes = await page.locator(".sheet.row select, .sheet.row input, .sheet.row button").evaluateAll((all) => all.map((one) => one.getBoundingClientRect()).map(({ left, right, top, bottom }) => ({ left, right, top, bottom })));
      for (const [i, a] of boxes.entries()) for (const b of boxes.slice(i + 1)) assert.ok(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top, `${JSON.stringify(a)} lies over ${JSON.stringify(b)}`);

      await page.locator("#monitor-model").selectOption(model);
      await page.locator("#monitor-find").fill(runs[1]);
      await page.locator(`#monitor-run option[value="${runs[1]}"]`).waitFor({ state: "attached" });
      await page.locator("#monitor-run").selectOption(runs[1]);
      await page.locator("#verdict").waitFor();
      await settled(page);
      const address = new URL(page.url()).searchParams;
      assert.deepEqual([address.get("model"), address.get("run")], [model, runs[1]]);

      const answer = await ask("culture monitor", { model, runs: [runs[1]] });
      const [judged] = answer.runs;
      assert.equal(judged.conformity, "departs");
      assert.equal(judged.class.evidence[0].variable, "co2-fraction");
      assert.ok((await page.locator("#verdict").textContent()).includes(t("monitor.conformity.departs")));
      await page.getByText(judged.class.statement[lang], { exact: true }).first().waitFor();
      const alarms = page.getByRole("region", { name: t("table_of", { title: t("monitor.alarms") }), exact: true });
      assert.equal(await alarms.locator("tbody tr").count(), judged.alarms.length);
      assert.ok((await alarms.locator("tbody tr").first().textContent()).includes(judged.alarms[0].evidence[lang]));
      const behind = page.getByRole("region", { name: t("table_of", { title: t("monitor.behind") }), exact: true });
      assert.ok((await behind.locator("tbody tr").first().textContent()).startsWith(judged.class.evidence[0].label[lang]));
      // Both statistics, two figures of contributions a point, and a band a variable.
      assert.equal(await page.locator("figure svg").count(), 2 + 2 * judged.contributions.length + CHANNELS.length);
      const beyond = judged.course.spe.filter((value, i) => value > judged.course.spe_limit[i]).length;
      assert.ok(beyond > 0 && (await page.locator("figure", { hasText: t("monitor.spe") }).locator("circle.outside").count()) === beyond, "every point beyond the limit is marked");
      await checkPage(page, lang, "a judged run");
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, "no wider than the window");
      await shot(page, `monitor-${lang}`, true);

      // Another run by the keyboard's way: the address alone brings the same page.
      await visit(page, `/monitor?model=${encodeURIComponent(model)}&run=${encodeURIComponent(runs[0])}&lang=${lang}`);
      await page.locator("#verdict").waitFor();
      const usual = (await ask("culture monitor", { model, runs: [runs[0]] })).runs[0];
      assert.ok((await page.locator("#verdict").textContent()).includes(t(`monitor.conformity.${usual.conformity}`)));
      assert.ok(usual.course.first === null || usual.class.evidence[0]?.variable !== "co2-fraction");
      await page.getByRole("link", { name: t("monitor.to_run"), exact: true }).click();
      await settled(page);
      assert.equal(new URL(page.url()).pathname, `/runs/${runs[0]}`);
      await done();
    });

    test("an unknown model is refused in words, in dark colours too", async () => {
      const { page, done } = await open(browser, { scheme: "dark" });
      await visit(page, `/monitor?model=none-such&run=${encodeURIComponent(runs[0])}&lang=${lang}`);
      await page.getByRole("alert").first().waitFor();
      await checkPage(page, lang, "unknown model");
      assert.equal(await page.locator("#verdict").count(), 0);
      await done();
    });
  });
}
