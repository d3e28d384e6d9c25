// The live page with a source behind it: values that move, alarms, an outage, the plots
// of one tank, the band of good runs, and the pause.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ask, BASE, checkPage, launch, open, shot } from "./browser.mjs";
import { append, batch, signals, source } from "./live-source.mjs";
import { words } from "./words.mjs";

let browser;
let plant;
const stamp = Date.now().toString(36);
const names = ["A", "B", "C"].map((name) => `${name}-${stamp}`);
const past = ["D", "E"].map((name) => `${name}-${stamp}`);

before(async () => {
  browser = await launch();
  // Two runs of the last quarter of an hour for the band.
  const now = Date.now() / 1000;
  const times = Array.from({ length: 180 }, (_, i) => now - 900 + i * 5);
  for (const run of past) await append([batch(run, signals(), times)]);
  plant = source(names);
  await new Promise((wake) => setTimeout(wake, 1500));
});
after(async () => {
  await plant?.stop();
  await browser?.close();
});

const idOf = async (name) => (await ask("live tail")).runs.find((run) => run.title === name).id;

for (const lang of ["en", "ja"]) {
  const t = words(lang);
  describe(`live in ${lang}`, () => {
    test("tanks with latest values, a limit, an outage", async () => {
      const { page, done } = await open(browser);
      // The stream stays open, so the network is never idle: wait for what is shown.
      await page.goto(`${BASE}/live?lang=${lang}`);
      const card = page.locator("article", { hasText: names[0] });
      await card.waitFor();
      await page.locator(".line").getByText(t("live.line.open"), { exact: true }).waitFor();
      assert.match(await card.textContent(), new RegExp(t("live.simulated")));
      const value = card.locator(".value").first();
      const before = await value.textContent();
      await page.waitForFunction(([name, text]) => [...document.querySelectorAll("article")].find((one) => one.textContent.includes(name))?.querySelector(".value")?.textContent !== text, [names[0], before]);
      await checkPage(page, lang, "live");
      await shot(page, `live-${lang}`);

      const run = await idOf(names[1]);
      const board = (await ask("live tail", { run })).runs[0];
      const ph = board.channels.find((channel) => channel.key === "pH");
      const record = await ask("record get", { kind: "channel", id: ph.id });
      await ask("record put", { kind: "channel", id: ph.id, fields: { ...record.fields, high_limit: 7.5 }, reason: "limit" });
      plant.change[names[1]] = { pH: 7.9 };
      await page.reload();
      const alarms = page.getByRole("region", { name: new RegExp(t("live.alarms_n", { n: 1 }).replace(/\d+/, "\\d+").replace(/alarm$/, "alarms?")) });
      await alarms.getByText(t("live.alarm.high")).first().waitFor();
      assert.match(await alarms.textContent(), new RegExp(names[1]));
      await checkPage(page, lang, "live with alarm");
      delete plant.change[names[1]];
      await ask("record put", { kind: "channel", id: ph.id, fields: record.fields, reason: "limit taken back" });

      const gone = `F-${lang}-${stamp}`;
      await append([batch(gone, signals(), [Date.now() / 1000])]);
      await append([{ source: "e2e", run: gone, marks: [{ t_ns: Date.now() * 1_000_000, kind: "death", note: "switched off" }] }]);
      await page.reload();
      const off = page.locator("article", { hasText: gone });
      await off.waitFor();
      await off.getByText(t("live.state.outage")).waitFor();
      await done();
    });

    test("the plots of one tank move, with the band, and stand still when paused", async () => {
      const { page, done } = await open(browser);
      await page.goto(`${BASE}/live?lang=${lang}`);
      await page.getByRole("button", { name: names[2] }).click();
      await page.locator(".u-over").first().waitFor();
      assert.equal(new URL(page.url()).searchParams.get("run"), await idOf(names[2]));
      const figure = page.locator("figure").first();
      await figure.getByRole("button", { name: t("chart.as_table"), exact: true }).click();
      const rows = figure.locator("tbody tr");
      await rows.first().waitFor();
      const last = () => figure.locator("[role=img]").getAttribute("aria-label");
      const before = await last();
      await page.waitForFunction((text) => document.querySelector("figure [role=img]")?.getAttribute("aria-label") !== text, before);
      await page.getByText(t("live.band"), { exact: true }).click();
      await page.getByLabel(t("live.band_add")).fill(past[0].slice(2));
      await page.locator("details").getByRole("button", { name: t("search.go"), exact: true }).click();
      for (const run of past) await page.locator("details").getByRole("button", { name: run }).click();
      await page.waitForFunction(() => new URLSearchParams(location.search).get("band")?.includes(","));
      await page.locator(".legend").first().getByText(t("live.band_median")).waitFor();
      await checkPage(page, lang, "live run with band");
      await shot(page, `live-run-${lang}`, true);
      const pause = page.getByRole("button", { name: t("live.pause"), exact: true });
      await pause.focus();
      await page.keyboard.press("Enter");
      assert.equal(await pause.getAttribute("aria-pressed"), "true");
      await page.waitForTimeout(600);
      const still = await last();
      await page.waitForTimeout(1500);
      assert.equal(await last(), still);
      await done();
    });
  });
}
