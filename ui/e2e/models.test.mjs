// Models: listed and brought, read with their proofs, simulated with other constants, fitted to a run, forecast with bands,
// compared with what came, and a kept forecast laid over its run; in both languages, in a real browser.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ask, BASE, checkPage, downloaded, launch, open, settled, shot, visit } from "./browser.mjs";
import { words } from "./words.mjs";

const FILE = new URL("./fixtures/batch-growth.toml", import.meta.url).pathname;
const SHIPPED = "monod-fed-batch";
let browser;
let run;
let table;

/** Six runs that grow a little differently: growth rates spread by 8 %, readings by hand-made factors. */
async function courses(model) {
  const rows = ["run,time [h],X [g/L],S [g/L]"];
  for (const [index, rate] of [0.37, 0.385, 0.398, 0.41, 0.425, 0.44].entries()) {
    const { time, series } = await ask("culture simulate", { model, until: "10 h", points: 6, quantities: ["X", "S"], set: { mu_max: rate } });
    const [x, s] = series.map((one) => one.values);
    time.forEach((at, k) => {
      const off = 1 + 0.03 * [1, -1, 0.5, -0.5, 0.8, -0.2][(k + index) % 6];
      rows.push(`R${index + 1},${at},${(x[k] * off).toFixed(4)},${(s[k] / off).toFixed(4)}`);
    });
  }
  return rows.join("\n");
}

async function kept(name, bytes) {
  const form = new FormData();
  form.append("file", new Blob([bytes]), name);
  const answer = await fetch(`${BASE}/api/v1/upload`, { method: "POST", body: form });
  assert.ok(answer.ok, `upload: ${answer.status}`);
  return (await answer.json()).files[0].address;
}

before(async () => {
  browser = await launch();
  const { readFileSync } = await import("node:fs");
  table = await courses(await kept("batch-growth.toml", readFileSync(FILE)));
  const { runs } = await ask("run list", { limit: 200 });
  for (const one of runs.filter((other) => other.format === "toji-simulation")) {
    const shown = await ask("run show", { id: one.id });
    if (shown.samples.some((sample) => sample.assays.some((assay) => assay.analyte === "dry-weight"))) {
      run = one;
      break;
    }
  }
  assert.ok(run, "the demonstration has a run with dry weights");
});
after(() => browser?.close());

const query = (page, key) => new URL(page.url()).searchParams.get(key);
const fits = async (page, what) => {
  await page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth, undefined, { timeout: 5000 }).catch(() => undefined);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, `${what}: no wider than the window`);
};

for (const lang of ["en", "ja"]) {
  const t = words(lang);
  const button = (page, key, vars) => page.getByRole("button", { name: t(key, vars), exact: true });
  const region = (page, key) => page.getByRole("region", { name: t("table_of", { title: t(key) }), exact: true });
  const journey = (name, steps, options) =>
    test(name, async () => {
      const { page, done } = await open(browser, options);
      await steps(page);
      await done();
    });
  /** Brings the model of the journeys by the page itself, and gives its address. */
  async function bring(page) {
    await visit(page, `/models?lang=${lang}`);
    await page.locator("#model-file").setInputFiles(FILE);
    await page.waitForURL((url) => url.searchParams.has("own"));
    await settled(page);
    return decodeURIComponent(query(page, "own"));
  }
  async function addParameter(page, name, low, high) {
    await page.locator('select[id$="-next"]').selectOption(name);
    await button(page, "fit.add_parameter").click();
    for (const [key, value] of [["fit.low_of", low], ["fit.high_of", high]]) {
      const field = page.getByLabel(t(key, { name }), { exact: true });
      await field.fill(value);
      await field.press("Tab");
    }
  }

  describe(`models in ${lang}`, () => {
    journey("list: every model that ships with its proofs, and a file of one's own that stands in the address", async (page) => {
      await visit(page, `/runs?lang=${lang}`);
      await page.getByRole("link", { name: t("nav.models"), exact: true }).click();
      await page.waitForURL((url) => url.pathname === "/models");
      await settled(page);
      const rows = page.locator("main tbody tr");
      const shipped = await rows.count();
      assert.ok(shipped >= 13, `${shipped} models ship`);
      const monod = await ask("culture check", { model: SHIPPED });
      const open = monod.balances.filter((one) => !one.closed).length;
      const row = rows.filter({ hasText: SHIPPED });
      assert.ok((await row.textContent()).includes(t("models.balances_n", { closed: monod.balances.length - open, open })));
      await checkPage(page, lang, "models");
      await fits(page, "models");
      await shot(page, `models-${lang}`);
      const address = await bring(page);
      assert.match(address, /^sha256:[0-9a-f]{64}$/);
      assert.equal(await rows.count(), shipped + 1);
      await checkPage(page, lang, "models with one's own");
      await page.reload();
      await settled(page);
      await rows.filter({ hasText: "batch-growth" }).getByRole("link").click();
      await page.waitForURL((url) => decodeURIComponent(url.pathname) === `/models/${address}`);
      await settled(page);
      await page.getByText(t("models.no_balances")).waitFor();
      await checkPage(page, lang, "one's own model");
    });

    journey("a file that is no model is refused with its place", async (page) => {
      await visit(page, `/models?lang=${lang}`);
      await page.locator("#model-file").setInputFiles({ name: "broken.toml", mimeType: "application/toml", buffer: Buffer.from("[model]\nid = 3\n") });
      await page.getByRole("alert").waitFor();
      assert.match(await page.getByRole("alert").textContent(), /E-[A-Z]+-[0-9]+/);
      await settled(page);
      await checkPage(page, lang, "models refused");
    });

    journey("simulation: proofs with the open ones marked, constants changed with units, quantities, table, CSV; all in the address", async (page) => {
      const checked = await ask("culture check", { model: SHIPPED });
      await visit(page, `/models/${SHIPPED}?lang=${lang}`);
      const balances = await region(page, "models.balances_long").locator("tbody tr").allTextContents();
      assert.equal(balances.length, checked.balances.length);
      checked.balances.forEach((one, index) => assert.ok(balances[index].includes(t(`models.balance_${one.closed ? "closed" : "open"}`)), balances[index]));
      const constants = checked.quantities.filter((one) => one.what === "constant");
      assert.equal(await region(page, "models.constants").locator("tbody tr").count(), constants.length);
      await checkPage(page, lang, "model");
      await fits(page, "model");
      await shot(page, `model-${lang}`);

      // Another growth rate, given per minute: the same as 0.3 /h.
      const field = page.getByLabel(t("models.set_of", { name: "mu_set", unit: "/h" }), { exact: true });
      await field.fill("0.005 /min");
      await field.press("Tab");
      await page.waitForURL((url) => url.searchParams.get("set") !== null);
      assert.equal(decodeURIComponent(query(page, "set")), "mu_set=0.005 /min");
      const until = page.getByLabel(t("models.until"), { exact: true });
      await until.fill("8 h");
      await until.press("Tab");
      await page.waitForURL((url) => url.searchParams.get("until") === "8 h");
      await settled(page);
      await page.getByRole("button", { name: t("models.as_set"), exact: true }).first().waitFor();
      await page.getByRole("button", { name: t("models.as_given"), exact: true }).first().waitFor();

      // Only biomass, by keyboard; the figure says what the server says.
      await page.getByText(t("models.choose", { n: await chosen(page, checked), all: checked.quantities.length - constants.length })).focus();
      await page.keyboard.press("Enter");
      for (const one of checked.quantities.filter((other) => ["volume", "species", "observed"].includes(other.what) && other.name !== "X")) {
        const box = page.getByRole("checkbox", { name: title(one), exact: true });
        await box.focus();
        await page.keyboard.press("Space");
      }
      await page.waitForURL((url) => url.searchParams.get("q") === "X");
      await settled(page);
      const said = await ask("culture simulate", { model: SHIPPED, until: "8 h", quantities: ["X"], set: { mu_set: 0.3 } });
      const saved = await downloaded(page, () => button(page, "chart.csv_of", { title: title(checked.quantities.find((one) => one.name === "X")) }).click());
      const own = saved.text.trim().split("\r\n").slice(1).map((line) => line.split(",")).filter((cells) => cells[0] === t("models.as_set"));
      assert.equal(own.length, said.time.length);
      const last = own.at(-1);
      assert.ok(Math.abs(Number(last[1]) - 8 * 3600) < 1e-6 && Math.abs(Number(last[3]) / said.series[0].last - 1) < 1e-9, `${last} is ${said.series[0].last}`);
      await checkPage(page, lang, "model with changes");
      const url = page.url();
      await page.goto(url);
      await settled(page);
      assert.equal(await page.getByLabel(t("models.set_of", { name: "mu_set", unit: "/h" }), { exact: true }).inputValue(), "0.005 /min", "the address is the view");
      await page.getByLabel(t("models.set_of", { name: "mu_set", unit: "/h" }), { exact: true }).fill("3 kg");
      await page.keyboard.press("Tab");
      await page.getByRole("alert").waitFor();
      await checkPage(page, lang, "model refused");
      await button(page, "models.unset").click();
      await page.waitForURL((url) => !url.searchParams.has("set"));
    });
    const title = (one) => (one.label[lang] === one.name ? one.name : `${one.label[lang]} ${one.name}`);
    const chosen = async (_page, checked) => checked.quantities.filter((one) => ["volume", "species", "state", "observed"].includes(one.what)).length;

    journey("fit: a run, a reading, bounds; what the data do not tell is no number; profiles, starts, residuals", async (page) => {
      const address = await bring(page);
      await visit(page, `/models/${encodeURIComponent(address)}/fit?lang=${lang}&starts=4&hops=0`);
      assert.ok(await button(page, "fit.start").isDisabled(), "nothing to fit yet");
      await checkPage(page, lang, "fit, empty");
      await page.getByLabel(t("fit.find_runs"), { exact: true }).fill(run.title.split(" ")[0]);
      await button(page, "search.go").last().click();
      await page.getByRole("list", { name: t("compare.found") }).getByRole("button", { name: run.title, exact: false }).first().click();
      await page.waitForURL((url) => url.searchParams.get("runs") !== null);
      assert.equal(decodeURIComponent(query(page, "runs")), run.id);
      await settled(page);
      const readings = page.getByRole("group", { name: t("fit.readings"), exact: true });
      await readings.locator("select").selectOption("X");
      assert.equal(await readings.getByLabel(t("fit.variable"), { exact: true }).inputValue(), "dry-weight", "the usual variable is proposed");
      await button(page, "fit.add_reading").click();
      await addParameter(page, "mu_max", "0.05 /h", "2 /h");
      await addParameter(page, "K_S", "0.0001 g/L", "10 g/L");
      await addParameter(page, "X_0", "0.01 g/L", "5 g/L");
      await checkPage(page, lang, "fit, filled");
      await fits(page, "fit");
      await button(page, "fit.start").click();
      await page.getByRole("heading", { name: t("fit.result"), exact: true }).waitFor({ timeout: 120_000 });
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H2", "the focus is at the result");
      const said = await ask("culture fit", { model: address, runs: [run.id], readings: { X: "dry-weight" }, parameters: { mu_max: ["0.05 /h", "2 /h"], K_S: ["0.0001 g/L", "10 g/L"], X_0: ["0.01 g/L", "5 g/L"] }, starts: 4, hops: 0 });
      for (const one of said.parameters) {
        const cells = await page.locator(`tr[data-parameter="${one.name}"] td`).allTextContents();
        assert.ok(cells[0].includes(t(`fit.told_${one.identifiable}`)), `${one.name}: ${cells[0]}`);
        if (one.identifiable === "determined") assert.match(cells[1], /[0-9]/);
        else assert.equal(cells[1].trim(), t(`fit.no_value_${one.identifiable}`), `${one.name} is no number`);
      }
      assert.ok(said.parameters.some((one) => one.identifiable === "not-identifiable"), "the half-saturation of a batch is not told by its biomass");
      const starts = page.getByRole("img", { name: t("fit.waterfall_summary", { all: 4, best: said.starts_at_best }), exact: true });
      await starts.scrollIntoViewIfNeeded();
      assert.equal(await page.getByRole("img", { name: t("fit.residuals_summary", { name: "X" }), exact: true }).count(), 1);
      for (const one of said.parameters.filter((other) => other.profile.length > 1)) await page.getByRole("heading", { name: t("fit.profile_of", { name: one.name }), exact: true }).waitFor();
      await checkPage(page, lang, "fit, found");
      await fits(page, "fit, found");
      await shot(page, `fit-${lang}`, true);
      const residuals = await downloaded(page, () => button(page, "chart.csv_of", { title: t("fit.residuals_of", { name: `${lang === "ja" ? "菌体" : "Biomass"} X` }) }).click());
      assert.equal(residuals.text.trim().split("\r\n").length - 1, said.readings.filter((one) => !one.beyond).length);
      await page.getByRole("link", { name: t("fit.simulate_best"), exact: true }).click();
      await page.waitForURL((url) => url.searchParams.get("set") !== null && !url.pathname.endsWith("/fit"));
      await settled(page);
      assert.equal(await page.getByRole("alert").count(), 0);
    });

    journey("fit: a long fit is followed and stopped", async (page) => {
      const address = await bring(page);
      const settings = new URLSearchParams({ lang, runs: run.id, read: encodeURIComponent("X=dry-weight"), par: ["mu_max=0.05 /h~2 /h", "X_0=0.01 g/L~5 g/L", "K_S=0.0001 g/L~10 g/L", "Y_XS=0.1 g/g~1 g/g", "S_0=1 g/L~50 g/L"].map(encodeURIComponent).join(","), starts: "1000", hops: "50" });
      await visit(page, `/models/${encodeURIComponent(address)}/fit?${settings}`);
      await button(page, "fit.start").click();
      await page.getByRole("heading", { name: t("fit.working"), exact: true }).waitFor();
      await page.locator("progress[value]").waitFor({ timeout: 60_000 });
      await button(page, "cancel").click();
      await page.getByText(t("fit.stopped"), { exact: true }).waitFor({ timeout: 60_000 });
      await checkPage(page, lang, "fit, stopped");
    });

    journey("forecast: a pasted table, bands with what vouches for them, kept, compared with what came, and laid over its run", async (page) => {
      const address = await bring(page);
      await visit(page, `/models/${encodeURIComponent(address)}/forecast?lang=${lang}`);
      await checkPage(page, lang, "forecast, empty");
      await page.getByText(t("forecast.paste"), { exact: true }).first().click();
      await page.getByLabel(t("forecast.paste_here"), { exact: true }).first().fill(table);
      await button(page, "forecast.take_pasted").first().click();
      await page.waitForURL((url) => url.searchParams.get("table") !== null);
      await page.getByText(t("forecast.table_holds", { runs: 6, rows: 36, readings: "X, S", settings: "–" }), { exact: true }).waitFor();
      await addParameter(page, "mu_max", "0.1 /h", "1 /h");
      const name = `${run.title}`;
      for (const [key, value] of [["models.until", "10 h"], ["forecast.levels", "50, 80, 95"], ["forecast.name", name], ["forecast.scale", "1 L"]]) {
        const field = page.getByLabel(t(key), { exact: true }).first();
        await field.fill(value);
        await field.press("Tab");
      }
      await page.getByRole("checkbox", { name: t("forecast.store"), exact: true }).check();
      await checkPage(page, lang, "forecast, filled");
      await button(page, "forecast.start").click();
      await page.getByRole("heading", { name: t("forecast.of_run", { run: name }), exact: true }).first().waitFor({ timeout: 120_000 });
      await settled(page);
      const vouched = page.getByRole("region", { name: t("table_of", { title: `${t("forecast.vouches")}, batch-growth-forecast` }), exact: true });
      const rows = await vouched.locator("tbody tr").allTextContents();
      assert.equal(rows.length, 6, "two quantities at three levels");
      assert.equal(rows.filter((one) => one.includes(t("forecast.evidence_runs-left-out"))).length, 4, rows.join("\n"));
      assert.equal(rows.filter((one) => one.includes(t("forecast.evidence_model-only"))).length, 2, "six runs do not promise 95 %");
      await checkPage(page, lang, "forecast");
      await fits(page, "forecast");
      await shot(page, `forecast-${lang}`, true);
      const own = (await ask("record list", { kind: "forecast", limit: 500 })).records.filter((one) => one.fields.run === name && one.fields.model === "batch-growth");
      assert.ok(own.length > 0, "the forecast is kept");

      // What came of it: the run had begun long before, so it proves nothing and is said so.
      const outcomes = `run,started,time [h],X [g/L]\n"${name}",2020-01-01T00:00:00Z,2,0.2\n"${name}",2020-01-01T00:00:00Z,4,0.5`;
      await page.getByText(t("forecast.paste"), { exact: true }).last().click();
      await page.getByLabel(t("forecast.paste_here"), { exact: true }).last().fill(outcomes);
      await button(page, "forecast.take_pasted").last().click();
      await page.waitForURL((url) => url.searchParams.get("outcomes") !== null);
      await button(page, "forecast.count").click();
      const all = (await ask("record list", { kind: "forecast", limit: 500 })).records.filter((one) => one.fields.model === "batch-growth");
      await page.getByText(t("forecast.counted", { forecasts: all.length, matched: 0, late: own.length, undated: 0, open: all.length - own.length }), { exact: true }).waitFor();
      await region(page, "forecast.stored").getByRole("button", { name: t("forecast.show_of", { run: name }), exact: true }).first().click();
      await page.waitForURL((url) => url.searchParams.get("forecast") !== null);
      await page.getByText(t("forecast.not_ended"), { exact: true }).waitFor();
      await checkPage(page, lang, "kept forecasts");

      // A run that begins after its forecast counts: one reading in its band, one far out.
      const future = `F-${lang}-${Date.now().toString(36)}`;
      await ask("culture predict", { model: address, runs: table, parameters: { mu_max: ["0.1 /h", "1 /h"] }, until: "10 h", levels: [0.8], name: future, scale: "1 L", store: true });
      const came = await kept("came.csv", `run,started,time [h],X [g/L]\n${future},2099-01-01T00:00:00Z,2,0.22\n${future},2099-01-01T00:00:00Z,4,99\n`);
      await visit(page, `/models/${encodeURIComponent(address)}/forecast?lang=${lang}&outcomes=${encodeURIComponent(came)}`);
      await page.getByRole("checkbox", { name: t("forecast.keep_outcomes"), exact: true }).check();
      await button(page, "forecast.count").click();
      const ledger = region(page, "forecast.ledger");
      await ledger.waitFor();
      const { counted } = await ask("culture calibration", { model: address, runs: came });
      const lines = await ledger.locator("tbody tr").allTextContents();
      assert.equal(lines.length, counted.length);
      counted.forEach((one, index) => assert.ok(lines[index].includes(t(`forecast.permission.${one.permission}`)) && lines[index].includes(one.reason[lang]), lines[index]));
      await region(page, "forecast.stored").getByRole("button", { name: t("forecast.show_of", { run: future }), exact: true }).click();
      const result = region(page, "forecast.came");
      await result.waitFor();
      assert.ok((await result.locator("tbody tr").first().textContent()).includes(t("forecast.inside_of", { n: 1, all: 2 })));
      await checkPage(page, lang, "what came of a forecast");

      await visit(page, `/runs/${encodeURIComponent(run.id)}?lang=${lang}`);
      await page.getByRole("heading", { name: t("forecast.over_run"), exact: true }).waitFor();
      const quantity = (label) => page.locator("label", { hasText: t("forecast.over_of", { name: label }) }).locator("select");
      await quantity(lang === "ja" ? "菌体 X" : "Biomass X").selectOption("assay:dry-weight|g/L");
      await page.waitForURL((url) => decodeURIComponent(url.searchParams.get("over") ?? "").startsWith("X=assay:dry-weight"));
      await settled(page);
      const section = page.locator('section[aria-labelledby="forecast-over"]');
      await section.getByRole("button", { name: "dry-weight", exact: true }).waitFor();
      await section.getByRole("button", { name: t("forecast.end_low", { percent: "95" }), exact: true }).first().waitFor();
      await checkPage(page, lang, "forecast over its run");
      await shot(page, `forecast-run-${lang}`, true);

      // The live page of the same run shows it too; its stream never rests, so the heading is waited for.
      await page.goto(`${BASE}/live?lang=${lang}&run=${encodeURIComponent(run.id)}`);
      await page.getByRole("heading", { name: t("forecast.over_run"), exact: true }).waitFor();
      await checkPage(page, lang, "live with a forecast");
    });

    journey("hybrid: a factor learnt from the table, beside each part alone on runs not seen, and its sections", async (page) => {
      const address = await bring(page);
      const settings = new URLSearchParams({ lang, table: await kept("runs.csv", table), on: encodeURIComponent("mu=S"), every: "4 h", folds: "2" });
      await visit(page, `/models/${encodeURIComponent(address)}/hybrid?${settings}`);
      await checkPage(page, lang, "hybrid, filled");
      await button(page, "hybrid.start").click();
      await page.getByRole("heading", { name: t("hybrid.result", { runs: 6 }), exact: true }).waitFor({ timeout: 120_000 });
      const judged = await region(page, "hybrid.judged").locator("tbody tr").allTextContents();
      assert.equal(judged.length, 2, "biomass and glucose");
      const factors = await region(page, "hybrid.factors").locator("tbody tr").allTextContents();
      assert.equal(factors.length, 1);
      assert.ok(factors[0].includes("mu") && factors[0].includes("S"), factors[0]);
      const saved = await downloaded(page, () => button(page, "hybrid.save").click());
      assert.match(saved.text, /\[factor\.f_mu\]/);
      await checkPage(page, lang, "hybrid");
      await fits(page, "hybrid");
      await shot(page, `hybrid-${lang}`, true);
    });

    if (lang === "ja")
      journey("dark: the pages of models keep their contrast", async (page) => {
        for (const path of [`/models?lang=${lang}`, `/models/${SHIPPED}?lang=${lang}&set=${encodeURIComponent(encodeURIComponent("mu_set=0.2"))}`, `/models/${SHIPPED}/fit?lang=${lang}`, `/models/${SHIPPED}/forecast?lang=${lang}`, `/models/${SHIPPED}/hybrid?lang=${lang}`]) {
          await visit(page, path);
          await checkPage(page, lang, `dark ${path}`);
        }
      }, { scheme: "dark" });
  });
}
