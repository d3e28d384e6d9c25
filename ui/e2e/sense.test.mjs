// At the tank: three taps, without a network, and nothing lost or doubled when it comes back.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ask, checkPage, launch, open, settled, shot, visit } from "./browser.mjs";
import { words } from "./words.mjs";

const fixture = (name) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
let browser;
let tank;

before(async () => {
  browser = await launch();
  const { runs } = await ask("run list", { sort: "-started", limit: 200 });
  tank = runs.find((run) => run.started && run.vessel) ?? runs.find((run) => run.started);
  assert.ok(tank, "the store needs a run with a clock");
});
after(() => browser?.close());

const seen = async () => (await ask("run show", { id: tank.id })).observations;

for (const lang of ["en", "ja"]) {
  const t = words(lang);
  const tankButton = (page) => page.getByRole("button", { name: tank.vessel ? `${tank.vessel} ${tank.title}` : tank.title }).first();
  const waiting = (page, n) => page.locator(`[data-waiting="${n}"]`).waitFor();

  describe(`at the tank in ${lang}`, () => {
    test("three taps record an odour; a fourth takes it back", async () => {
      const { page, done } = await open(browser);
      await page.setViewportSize({ width: 820, height: 1180 });
      const before = (await seen()).length;
      await visit(page, `/sense?lang=${lang}`);
      await checkPage(page, lang, "tanks");
      await shot(page, `sense-tanks-${lang}`);
      await page.getByLabel(t("sense.observer")).fill("N-07");
      await page.getByLabel(t("sense.observer")).press("Tab");

      await tankButton(page).click();
      await checkPage(page, lang, "terms");
      await shot(page, `sense-terms-${lang}`);
      await page.getByRole("button", { name: /\b120$/ }).first().click();
      await checkPage(page, lang, "levels");
      await shot(page, `sense-levels-${lang}`);
      await page.getByRole("button", { name: /^3/ }).click();
      await waiting(page, 1);
      await page.getByRole("button", { name: new RegExp(`^${t("sense.take_back")}`) }).click();
      await waiting(page, 0);
      assert.equal((await seen()).length, before, "taken back before it was sent");

      // The term stands first now: tank is chosen, two taps are enough.
      await page.getByRole("button", { name: /\b120$/ }).first().click();
      await page.getByRole("button", { name: /^4/ }).click();
      await waiting(page, 1);
      await waiting(page, 0);
      const after = await seen();
      assert.equal(after.length, before + 1);
      const last = after.find((one) => one.value.number === 4 && /Fruity/.test(one.label.en));
      assert.ok(last, JSON.stringify(after.at(-1)));
      await done();
    });

    test("without a network everything is kept, survives a reload, and is sent once", async () => {
      const { page, done } = await open(browser, { offline: true });
      const context = page.context();
      const before = await seen();
      await visit(page, `/sense?lang=${lang}`);
      await page.waitForFunction(async () => (await navigator.serviceWorker.ready).active?.state === "activated");
      await page.waitForFunction(() => caches.match("/index.html").then((found) => found !== undefined));

      await context.setOffline(true);
      await tankButton(page).click();
      await page.getByRole("button", { name: t("sense.foam"), exact: true }).click();
      await page.getByRole("button", { name: /taka$/ }).click();
      await waiting(page, 1);
      await page.reload();
      await page.locator("h1").waitFor();
      await waiting(page, 1);
      await page.getByRole("button", { name: t("sense.appearance"), exact: true }).click();
      await page.getByRole("button", { name: /hazy3$/ }).click();
      await waiting(page, 2);
      await page.locator(".badge", { hasText: t("sense.offline") }).waitFor();
      await checkPage(page, lang, "offline");
      await shot(page, `sense-offline-${lang}`);

      await page.getByRole("button", { name: t("sense.decision"), exact: true }).click();
      await checkPage(page, lang, "decision");
      await page.locator("fieldset button").nth(1).click();
      await page.getByRole("button", { name: t("sense.record_decision"), exact: true }).click();
      await page.getByRole("alert").waitFor();
      await page.getByLabel(new RegExp(`^${t("sense.why")}`)).fill("e2e: too lively");
      await page.getByRole("button", { name: t("sense.record_decision"), exact: true }).click();
      await waiting(page, 3);
      assert.equal((await seen()).length, before.length, "nothing has reached the server");

      await context.setOffline(false);
      await waiting(page, 0);
      await page.locator(".badge", { hasText: t("sense.online") }).waitFor();
      const after = await ask("run show", { id: tank.id });
      assert.equal(after.observations.length, before.length + 2);
      const decision = after.decisions.find((one) => one.why === "e2e: too lively" && one.sensed?.length >= 2);
      assert.ok(decision, "the decision rests on the two observations");
      await done();

      // The run's timeline shows the decision with its reason, at the end of what happened.
      const view = await open(browser);
      await visit(view.page, `/runs/${encodeURIComponent(tank.id)}?lang=${lang}`);
      const marks = after.events.length + after.observations.length + after.decisions.length;
      if (marks > 100) await view.page.getByRole("button", { name: t("show_all_n", { n: marks }), exact: true }).click();
      await view.page.getByRole("cell", { name: t("decision.why", { text: "e2e: too lively" }) }).first().waitFor();
      await view.done();
    });

    test("an entry the server refuses stays with its reason until a person decides", async () => {
      const { page, done } = await open(browser);
      await visit(page, `/sense?lang=${lang}&tank=run-gone`);
      await page.getByRole("button", { name: /\b120$/ }).first().click();
      await page.getByRole("button", { name: /^2/ }).click();
      await waiting(page, 1);
      await page.getByText("E-RECORD-004").waitFor();
      await checkPage(page, lang, "refused");
      await page.getByRole("button", { name: t("sense.discard"), exact: true }).click();
      await page.getByRole("dialog").getByRole("button", { name: t("sense.discard"), exact: true }).click();
      await page.getByText("E-RECORD-004").waitFor({ state: "detached" });
      await done();
    });

    test("dark colours hold the contrast, and the keyboard reaches every step", async () => {
      const { page, done } = await open(browser, { scheme: "dark" });
      await visit(page, `/sense?lang=${lang}&tank=${encodeURIComponent(tank.id)}&sense=colour`);
      await checkPage(page, lang, "dark colour");
      await page.locator('input[type="file"]').setInputFiles(fixture("card_simulated.png"));
      const corner = page.getByRole("button", { name: new RegExp(`^${t("sense.photo_corner", { n: 1 })}`) });
      const before = await corner.getAttribute("aria-label");
      await corner.focus();
      await page.keyboard.press("Shift+ArrowRight");
      assert.notEqual(await corner.getAttribute("aria-label"), before);
      await checkPage(page, lang, "dark photo");
      await shot(page, `sense-photo-${lang}`);
      await page.keyboard.press("Shift+ArrowLeft");
      assert.equal(await corner.getAttribute("aria-label"), before);
      const photos = async () => (await ask("sql query", { query: "SELECT lightness, blue_yellow FROM observation WHERE photo IS NOT NULL" })).rows;
      const measured = (await photos()).length;
      await page.getByRole("button", { name: t("sense.photo_keep"), exact: true }).click();
      await waiting(page, 1);
      await waiting(page, 0);
      const rows = await photos();
      assert.equal(rows.length, measured + 1);
      // The colour drawn under the warm lamp is L* 80, b* 41.
      assert.ok(rows.every(([l, b]) => Math.abs(l - 80.4) < 2 && Math.abs(b - 41) < 3), JSON.stringify(rows));
      await visit(page, `/sense?lang=${lang}&tank=${encodeURIComponent(tank.id)}`);
      const term = page.getByRole("button", { name: /\b510$/ }).first();
      await term.focus();
      await page.keyboard.press("Enter");
      await settled(page);
      await page.getByRole("heading", { name: new RegExp(t("sense.choose_level").slice(0, 4)) }).waitFor();
      await done();
    });
  });
}
