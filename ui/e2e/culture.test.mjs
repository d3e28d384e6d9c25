// Experiments and plates: planned, refused, followed, chosen by keyboard, compared, ranked, analysed and traced
// across scales, in both languages, in a real browser. The runs are simulated here, so that the store may be empty of them.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ask, BASE, checkPage, downloaded, launch, open, settled, shot, visit } from "./browser.mjs";
import { stem, words } from "./words.mjs";

const CELSIUS = (value) => ({ temperature: { value, unit: "Cel" } });
let browser;
let experiment;
let runs;

before(async () => {
  browser = await launch();
  const { vessels } = await ask("culture vessels");
  const twelve = vessels.find((one) => one.units === 12);
  assert.ok(twelve, "a system of twelve units");
  const planned = await ask("culture plan", {
    name: `TEMP-${Date.now().toString(36).slice(-4).toUpperCase()}`,
    purpose: "温度の選定 / which temperature",
    system: twelve.id,
    conditions: [{ name: "control 35 °C", control: true, settings: CELSIUS(35), learner: "S-01" }, { name: "cool 25 °C", settings: CELSIUS(25), learner: "S-02" }, { name: "same 35 °C", settings: CELSIUS(35) }],
    replicates: 3,
    response: "optical-density",
    seed: 7,
  });
  experiment = planned.experiment;
  runs = (await ask("simulate run", { experiment, hours: 12, every_s: 120, seed: 11 })).runs;
  assert.equal(runs.length, 9);
  // The plate of a file and a lineage: the second run grew from the first.
  await ask("record put", { kind: "run", id: runs[1].id, fields: { parent: runs[0].id }, reason: "e2e: grown from the first" });
});
after(() => browser?.close());

const cell = (page, position) => page.locator(`[role="gridcell"][data-at="${position}"]`);
/** Nothing is wider than the window: wide tables and plates scroll in their own frame. */
const fits = async (page, what) => {
  const over = () => document.documentElement.scrollWidth - innerWidth;
  // Charts follow a new width a moment later.
  await page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth, undefined, { timeout: 5000 }).catch(() => undefined);
  assert.equal(await page.evaluate(over), 0, `${what}: no wider than the window`);
};
const query = (page, key) => new URL(page.url()).searchParams.get(key);

for (const lang of ["en", "ja"]) {
  const t = words(lang);
  const button = (page, key, vars) => page.getByRole("button", { name: t(key, vars), exact: true });
  const journey = (name, steps, options) =>
    test(name, async () => {
      const { page, done } = await open(browser, options);
      await steps(page);
      await done();
    });

  describe(`plates and experiments in ${lang}`, () => {
    journey("plan: 25 on 24 are refused at the field, the trial writes nothing, the plan is kept as it was shown", async (page) => {
      const vessels = (await ask("culture vessels")).vessels;
      const system = vessels.find((one) => one.units === 24);
      const count = async () => (await ask("record list", { kind: "experiment", limit: 500 })).total;
      const before = await count();
      await visit(page, `/experiments?lang=${lang}`);
      await checkPage(page, lang, "experiments");
      await shot(page, `experiments-${lang}`);
      await button(page, "experiments.plan").first().click();
      await settled(page);
      await checkPage(page, lang, "plan");
      await button(page, "plan.try").click();
      await page.getByText(t("record.faults_n", { n: 3 })).waitFor();
      await checkPage(page, lang, "plan with faults");

      const name = `E2E ${lang} ${Date.now().toString(36)}`;
      await page.getByLabel(`${t("experiments.name")} ${t("required")}`, { exact: true }).fill(name);
      await page.locator('select[id$="-system"]').selectOption(system.id);
      const conditionNames = page.getByLabel(`${t("plan.condition_name")} ${t("required")}`, { exact: true });
      await conditionNames.nth(1).fill("cool");
      await page.getByLabel(t("plan.replicates"), { exact: true }).fill("12");
      await page.getByLabel(t("plan.own_replicates"), { exact: true }).first().fill("13");
      await page.getByText(t("plan.units_of", { n: 25, of: 24 }), { exact: true }).waitFor();
      await button(page, "plan.try").click();
      await page.getByText("E-PLAN-001").waitFor();
      const conditions = page.getByRole("region", { name: t("plan.conditions"), exact: true });
      const fault = await conditions.locator("p.fault").textContent();
      assert.ok(fault.includes("25") && fault.includes("24"), fault);
      await checkPage(page, lang, "plan refused");
      await shot(page, `plan-refused-${lang}`);
      assert.equal(await count(), before, "a refusal writes nothing");

      await page.getByLabel(t("plan.own_replicates"), { exact: true }).first().fill("12");
      await page.getByRole("button", { name: t("plan.add_setting_to", { condition: "cool" }), exact: true }).click();
      await page.getByLabel(t("plan.variable"), { exact: true }).fill("temperature");
      await page.getByLabel(t("value"), { exact: true }).fill("28");
      assert.equal(await page.getByLabel(t("value.part.unit"), { exact: true }).inputValue(), "Cel", "the usual unit is offered");
      await button(page, "plan.try").click();
      const grid = page.getByRole("grid", { name: t("plan.layout_of", { name }) });
      await grid.waitFor();
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H2", "the focus is at the trial");
      const shown = await grid.locator('[role="gridcell"]').allTextContents();
      assert.equal(shown.length, 24);
      assert.equal(await count(), before, "a trial writes nothing");
      await checkPage(page, lang, "plan on trial");
      await fits(page, "plan");
      await shot(page, `plan-${lang}`, true);

      await button(page, "plan.keep").click();
      await page.waitForURL((url) => /^\/experiments\/.+/.test(url.pathname));
      await settled(page);
      assert.equal(await count(), before + 1);
      const id = decodeURIComponent(new URL(page.url()).pathname.split("/")[2]);
      const kept = await ask("record get", { kind: "experiment", id });
      assert.equal(kept.fields.units.length, 24);
      assert.deepEqual(await page.getByRole("grid", { name: t("plan.layout_of", { name }) }).locator('[role="gridcell"]').allTextContents(), shown, "kept as it was shown");
      await page.getByText(t("experiments.nothing_run")).waitFor();
      await checkPage(page, lang, "planned experiment");
    });

    journey("plate: values, keyboard, choice in the address, table, CSV, SVG, comparison", async (page) => {
      const answer = await ask("culture plate", { experiment });
      await visit(page, `/plate?experiment=${encodeURIComponent(experiment)}&lang=${lang}`);
      const grid = page.getByRole("grid");
      assert.equal(await grid.locator('[role="gridcell"]').count(), answer.rows * answer.columns);
      for (const unit of answer.units.filter((one) => one.run)) {
        const text = await cell(page, unit.position).textContent();
        assert.ok(text.includes(unit.condition), `${unit.position}: ${text}`);
        assert.ok(text.includes(t(`plate.state.${unit.state}`)), `${unit.position}: state in words`);
        assert.ok((await cell(page, unit.position).locator("svg path").getAttribute("d")).startsWith("M"), `${unit.position}: a curve`);
        const last = Number(/-?[0-9][0-9,]*\.?[0-9]*/.exec(await cell(page, unit.position).locator(".last").textContent())?.[0].replaceAll(",", ""));
        assert.ok(Math.abs(last - unit.last) <= Math.max(Math.abs(unit.last) * 0.02, 0.02), `${unit.position}: ${last} is ${unit.last}`);
      }
      const control = answer.units.find((one) => one.control);
      assert.ok((await cell(page, control.position).textContent()).includes("◆"));
      await checkPage(page, lang, "plate");
      await page.setViewportSize({ width: 1400, height: 640 });
      await shot(page, `plate-${lang}`);
      await page.setViewportSize({ width: 1400, height: 900 });

      // By keyboard: to A2, take it, stretch down, and the address keeps it.
      await cell(page, "A1").focus();
      await page.keyboard.press("ArrowRight");
      assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("data-at")), "A2");
      const running = answer.units.filter((one) => one.run).map((one) => one.position);
      await page.keyboard.press("Control+a");
      assert.deepEqual(query(page, "sel").split(",").sort(), [...running].sort());
      await page.keyboard.press("Escape");
      await page.waitForFunction(() => !new URL(location.href).searchParams.has("sel"));
      const [first, second] = running;
      for (const position of [first, second]) {
        await cell(page, position).focus();
        await page.keyboard.press("Space");
      }
      assert.equal(await cell(page, first).getAttribute("aria-selected"), "true");
      await page.reload();
      await settled(page);
      assert.equal(await page.locator('[role="gridcell"][aria-selected="true"]').count(), 2);
      await checkPage(page, lang, "plate with a choice");

      await button(page, "plate.scale_own").click();
      assert.equal(query(page, "scale"), "own");
      await page.getByLabel(t("plate.coloured")).uncheck();
      assert.equal(await page.locator('[role="gridcell"][class*="heat-"]').count(), 0);
      await page.getByLabel(t("plate.coloured")).check();
      const other = answer.quantities.find((one) => one.code !== answer.quantity);
      if (other) {
        await page.locator("#plate-quantity").selectOption(other.code);
        await settled(page);
        assert.equal(query(page, "quantity"), other.code);
        await page.locator("#plate-quantity").selectOption(answer.quantity);
        await settled(page);
      }
      await button(page, "chart.as_table").click();
      const rows = page.getByRole("region", { name: new RegExp(stem(lang, "table_of")) }).last().locator("tbody tr");
      assert.equal(await rows.count(), answer.units.length);
      await checkPage(page, lang, "plate as table");
      const csv = await downloaded(page, () => page.getByRole("button", { name: /CSV/ }).click());
      assert.match(csv.text, /^\uFEFFposition,run,title,condition,control,learner,state,alarms,last,unit,quantity\r\n/);
      assert.equal(csv.text.trim().split("\r\n").length, answer.units.length + 1);
      const svg = await downloaded(page, () => page.getByRole("button", { name: /SVG/ }).click());
      assert.equal(svg.text.match(/<path d="M/g).length, answer.units.filter((one) => one.t_s.length > 0).length);

      await page.getByRole("button", { name: t("runs.compare_n", { n: 2 }), exact: true }).click();
      await settled(page);
      assert.equal(new URL(page.url()).pathname, "/compare");
      assert.equal(query(page, "runs").split(",").length, 2);
      await page.locator(".u-over").first().waitFor();
      await page.goBack();
      await settled(page);
      await cell(page, first).focus();
      await page.keyboard.press("Enter");
      await settled(page);
      assert.equal(new URL(page.url()).pathname, `/runs/${answer.units.find((one) => one.position === first).run}`);
    });

    journey("plate: of chosen runs, and where to begin", async (page) => {
      await visit(page, `/plate?lang=${lang}`);
      await checkPage(page, lang, "plates");
      const { title } = (await ask("record list", { kind: "experiment", limit: 1 })).records[0];
      await page.getByRole("link", { name: title[lang] || title.en, exact: true }).first().waitFor();
      await visit(page, `/plate?runs=${runs.slice(0, 3).map((run) => encodeURIComponent(run.id)).join(",")}&lang=${lang}`);
      assert.equal(await page.locator('[role="gridcell"] .well').count(), 3);
      await checkPage(page, lang, "plate of runs");
      await page.keyboard.press("Control+k");
      await page.keyboard.type(t("command.experiments"));
      await page.keyboard.press("Enter");
      await page.waitForURL((url) => url.pathname === "/experiments");
    });

    journey("plate: of a file of a plate reader, every well in its place", async (page) => {
      const { rows } = await ask("sql query", { query: "SELECT run.file, count(*) AS n FROM run JOIN file ON run.file = file.id WHERE file.format LIKE 'biolector%' GROUP BY run.file ORDER BY n DESC LIMIT 1" });
      assert.ok(rows.length > 0, "the store needs a file of a BioLector: load the demonstration");
      const answer = await ask("culture plate", { file: rows[0][0] });
      assert.ok(answer.units.length >= 6, `${answer.units.length} wells`);
      await visit(page, `/plate?file=${encodeURIComponent(rows[0][0])}&lang=${lang}`);
      for (const unit of answer.units) assert.ok((await cell(page, unit.position.replace(/^([A-Z]+)0+/, "$1")).textContent()).includes(t(`plate.state.${unit.state}`)), unit.position);
      await checkPage(page, lang, "plate of a file");
      await shot(page, `plate-file-${lang}`);
      // A block by Shift: from the first well, one to the right and one down.
      const runsIn = answer.units.filter((unit) => unit.run).length;
      await cell(page, "A1").focus();
      await page.keyboard.press("Shift+ArrowRight");
      await page.keyboard.press("Shift+ArrowDown");
      const taken = (query(page, "sel") ?? "").split(",").filter((one) => one !== "");
      assert.ok(taken.length >= 1 && taken.length <= Math.min(4, runsIn), taken.join(" "));
      assert.ok(taken.every((one) => ["A1", "A2", "B1", "B2"].includes(one)), taken.join(" "));
    });

    journey("plate: while a run is live it asks again, and a pause stops that", async (page) => {
      let asked = 0;
      // One run of the answer is said to go on: nothing else is changed.
      await page.route("**/api/v1/culture/plate", async (route) => {
        asked += 1;
        const response = await route.fetch();
        const body = await response.json();
        body.units.find((unit) => unit.run).state = "running";
        await route.fulfill({ response, json: body });
      });
      await visit(page, `/plate?experiment=${encodeURIComponent(experiment)}&lang=${lang}`);
      await page.getByText(t("plate.again", { n: 5 })).waitFor();
      const first = asked;
      await page.waitForResponse((response) => response.url().endsWith("/culture/plate"), { timeout: 15_000 });
      assert.ok(asked > first, "asked again");
      await checkPage(page, lang, "live plate");
      await button(page, "live.pause").click();
      await page.getByText(t("plate.paused")).waitFor();
      await settled(page);
      const paused = asked;
      await page.waitForTimeout(6500);
      assert.equal(asked, paused, "a pause stops the asking");
    });

    journey("experiment: progress, ranking in figure and table, differences, feedback of a learner", async (page) => {
      const ranking = await ask("culture rank", { experiment });
      await visit(page, `/experiments/${encodeURIComponent(experiment)}?lang=${lang}`);
      await page.getByText(t("experiments.progress", { ended: 9, all: 9 })).waitFor();
      const table = page.getByRole("region", { name: t("table_of", { title: t("rank.title") }) });
      assert.equal(await table.locator("tbody tr").count(), ranking.conditions.length);
      for (const one of ranking.conditions) {
        const row = await table.locator("tbody tr", { has: page.getByRole("rowheader", { name: one.condition, exact: true }) }).textContent();
        assert.ok(row.includes(t(`rank.verdict.${one.verdict ?? "none"}`)), `${one.condition}: ${row}`);
      }
      const figure = page.locator("figure svg[role='img']");
      assert.equal(await figure.locator("circle.single").count(), ranking.conditions.reduce((sum, one) => sum + one.units.length, 0));
      assert.equal(await figure.locator("path.line").count(), 1, "the line of the control");
      await checkPage(page, lang, "experiment");
      await shot(page, `experiment-${lang}`);
      await button(page, "rank.differences").click();
      assert.equal(query(page, "view"), "differences");
      assert.equal(await figure.locator("circle.single").count(), 0);
      const csv = await downloaded(page, () => page.locator("figure").getByRole("button", { name: /CSV/ }).click());
      assert.equal(csv.text.trim().split("\r\n").length, ranking.conditions.length + 1);
      const svg = await downloaded(page, () => page.locator("figure").getByRole("button", { name: /SVG/ }).click());
      assert.ok(ranking.conditions.every((one) => svg.text.includes(one.condition)));

      const feedback = await ask("culture feedback", { experiment });
      const learner = feedback.learners[0];
      await page.getByRole("button", { name: learner.learner, exact: true }).first().click();
      const article = page.getByRole("article", { name: t("feedback.of", { learner: learner.learner }) }).first();
      await article.waitFor();
      assert.equal(await article.locator(".points > li").count(), learner.points.length);
      assert.equal(query(page, "learner"), learner.learner);
      await checkPage(page, lang, "experiment with feedback");
      await page.locator("#rank-response").selectOption("growth-rate-max");
      await settled(page);
      assert.equal(query(page, "response"), "growth-rate-max");
      await checkPage(page, lang, "experiment by growth rate");
    });

    journey("run: the analysis with what it could not tell, kept on demand; the growth rate; the lineage", async (page) => {
      const run = runs[lang === "en" ? 0 : 1];
      const analysis = await ask("culture analyse", { run: run.id, keep: false });
      const kept = async () => (await ask("record list", { kind: "analysis", limit: 500 })).total;
      const before = await kept();
      await visit(page, `/runs/${encodeURIComponent(run.id)}?lang=${lang}`);
      await page.locator(".u-over").first().waitFor();
      await button(page, "analysis.do").click();
      const table = page.getByRole("region", { name: t("table_of", { title: t("analysis.title") }) });
      await table.waitFor();
      assert.equal(query(page, "analysis"), "1");
      assert.equal(await table.locator("tbody tr").count(), analysis.quantities.length);
      for (const one of analysis.not_determined) await page.getByText(one.why[lang]).first().waitFor();
      if (analysis.growth) await page.locator("figure", { has: page.getByRole("heading", { name: new RegExp(t("analysis.growth")) }) }).locator(".u-over").waitFor();
      assert.equal(await kept(), before, "looking keeps nothing");
      await settled(page);
      await checkPage(page, lang, "run with analysis");
      await table.scrollIntoViewIfNeeded();
      await shot(page, `analysis-${lang}`);
      await button(page, "analysis.keep").click();
      const link = page.getByRole("link", { name: t("analysis.open_kept"), exact: true });
      await link.waitFor();
      assert.match(await link.getAttribute("href"), /^\/records\/analysis\/.+/);

      const lineage = await ask("run lineage", { run: run.id });
      assert.ok(lineage.nodes.length >= 2);
      assert.equal(await page.locator(".tree .node").count(), lineage.nodes.length);
      assert.equal(await page.locator(".tree .here").count(), 1);
      const child = page.locator(".tree ul ul .node").first();
      assert.ok((await child.textContent()).includes(runs[1].title), "the second run stands below the first");
    });

    journey("dark colours hold the contrast on all of it", async (page) => {
      for (const path of [`/plate?experiment=${encodeURIComponent(experiment)}`, `/experiments/${encodeURIComponent(experiment)}`, "/experiments", "/experiments?new=1", `/runs/${encodeURIComponent(runs[0].id)}?analysis=1`]) {
        await visit(page, `${path}${path.includes("?") ? "&" : "?"}lang=${lang}`);
        await checkPage(page, lang, `dark ${path}`);
        for (const width of [1400, 390]) {
          await page.setViewportSize({ width, height: 900 });
          await fits(page, `${path} at ${width}`);
        }
      }
      await page.setViewportSize({ width: 1400, height: 900 });
      await visit(page, `/plate?experiment=${encodeURIComponent(experiment)}&lang=${lang}`);
      await shot(page, `plate-dark-${lang}`);
    }, { scheme: "dark" });
  });
}

test("an unknown experiment is refused in words, not with an empty plate", async () => {
  const { page, done } = await open(browser);
  await visit(page, "/plate?experiment=exp-none&lang=en");
  await page.getByRole("alert").waitFor();
  assert.equal(await page.getByRole("grid").count(), 0);
  assert.ok(page.url().startsWith(BASE));
  await done();
});
