// Decisions about a process: a campaign from its form to results beside what was foretold, the scale-up map, rules lived
// through on the twin and accepted, a best profile, control with a failing sensor, and gas safety; in both languages,
// in a real browser. Plants are simulated, decisions are recorded here.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ask, BASE, checkPage, downloaded, launch, open, settled, shot, visit } from "./browser.mjs";
import { stem, words } from "./words.mjs";

const PLANT = "luedeking-piret-fed-batch";
/** Operators and the biomass below which each feeds: their habit. */
const OPERATORS = [["OP-E1", 16], ["OP-E2", 8], ["OP-E3", 28]];
let browser;
let operatorRuns;

/** The same small chance on every machine. */
function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A run with readings of biomass and the operator's decisions by habit. */
async function operatorRun([name, likes], number, roll) {
  const biomass = Array.from({ length: 12 }, () => 1 + 40 * roll());
  const lines = ["time,dry weight [g/L],pH"];
  biomass.forEach((x, k) => {
    for (const minute of ["00", "10", "20"]) lines.push(`2026-03-${String(1 + Math.floor((6 * k) / 24)).padStart(2, "0")} ${String((6 * k) % 24).padStart(2, "0")}:${minute}:00,${x.toFixed(2)},${(6.9 + 0.2 * roll()).toFixed(2)}`);
  });
  const form = new FormData();
  form.append("file", new Blob([`${lines.join("\n")}\n`]), `e2e-${name}-${number}.csv`);
  const kept = await (await fetch(`${BASE}/api/v1/upload`, { method: "POST", body: form })).json();
  const report = await ask("run import", { paths: kept.files.map((file) => file.address), zone: "Asia/Tokyo" });
  const run = report.runs[0].id;
  for (const [k, x] of biomass.entries()) {
    await ask("decision record", { run, elapsed_s: 21_600 * k + 1300, action: x < likes ? "do:feed" : "do:hold", why: "菌体量を見て", seen: `菌体 ${x.toFixed(1)} g/L`, author: name });
  }
  return run;
}

before(async () => {
  browser = await launch();
  await ask("culture vessels");
  const roll = dice(3);
  operatorRuns = [];
  for (const operator of OPERATORS) for (let number = 0; number < 2; number += 1) operatorRuns.push(await operatorRun(operator, number, roll));
});
after(() => browser?.close());

const query = (page, key) => new URL(page.url()).searchParams.get(key);
/** Nothing is wider than the window. */
const fits = async (page, what) => {
  await page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth, undefined, { timeout: 5000 }).catch(() => undefined);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, `${what}: no wider than the window`);
};
/** Every number of the page's tables and figures in one language's words is compared as a number. */
const numberIn = (text) => Number(/-?[0-9][0-9,]*\.?[0-9]*(?:e-?[0-9]+)?/.exec(text)?.[0].replaceAll(",", ""));

for (const lang of ["en", "ja"]) {
  const t = words(lang);
  const button = (page, key, vars) => page.getByRole("button", { name: t(key, vars), exact: true });
  const field = (scope, key) => scope.getByLabel(t(key), { exact: true });
  const needed = (scope, key) => scope.getByLabel(`${t(key)} ${t("required")}`, { exact: true });
  const journey = (name, steps, options) =>
    test(name, async () => {
      const { page, done } = await open(browser, options);
      // A run of the simulated plant takes its time on a slow machine.
      page.setDefaultTimeout(120_000);
      await steps(page);
      await done();
    });

  describe(`decisions about a process in ${lang}`, () => {
    journey("campaign: the form, the first proposal, results by the twin, the next with its reasons, sheet, results by hand", async (page) => {
      await visit(page, `/process?lang=${lang}`);
      await checkPage(page, lang, "campaigns");
      await button(page, "campaign.new").first().click();
      await settled(page);
      await button(page, "campaign.start").click();
      await page.getByText(t("record.faults_n", { n: 7 })).waitFor();
      await checkPage(page, lang, "campaign with faults");
      const name = `E2E ${lang} ${Date.now().toString(36)}`;
      await needed(page, "campaign.name").fill(name);
      await needed(page, "campaign.goal").first().fill("titre");
      await needed(page, "campaign.goal_unit").fill("g/L");
      const factors = [["T_production", "K", "298.15", "307.15", "305.15"], ["feed_scale", "1", "0.5", "1.8", "0.8"]];
      await button(page, "campaign.add_factor").click();
      for (const [k, values] of factors.entries()) {
        const group = page.getByRole("group", { name: t("campaign.factor_n", { n: k + 1 }), exact: true });
        for (const [key, value] of [["campaign.factor_name", values[0]], ["campaign.low", values[2]], ["campaign.high", values[3]], ["campaign.usual", values[4]]]) await needed(group, key).fill(value);
        await field(group, "unit").fill(values[1]);
      }
      await page.locator('select[id$="-system"]').selectOption("vessel-1l-12");
      await field(page, "campaign.budget").fill("36");
      await field(page, "campaign.seed").fill("5");
      await button(page, "campaign.start").click();
      await page.waitForURL((url) => /^\/process\/campaigns\/cam-/.test(url.pathname));
      await settled(page);
      const id = decodeURIComponent(new URL(page.url()).pathname.split("/")[3]);
      assert.equal((await ask("record get", { kind: "campaign", id })).fields.budget_runs, 36);
      await page.getByText(t("campaign.no_proposal")).waitFor();
      await checkPage(page, lang, "campaign without a proposal");

      await button(page, "campaign.propose").click();
      const grid = (n) => page.getByRole("grid", { name: t("campaign.plate_of", { name, n }) });
      await grid(1).waitFor();
      assert.equal(await grid(1).locator('[role="gridcell"]:not(.none)').count(), 12, "the twelve units of the system");
      await settled(page);

      // The runs are made on the twin; results stand beside.
      await page.getByText(t("campaign.simulate"), { exact: true }).click();
      const spread = (of) => Object.entries(of).map(([constant, share]) => ({ constant, share }));
      const hidden = { plant: spread({ mu_max: 0.1, beta: 0.15 }), run: spread({ beta: 0.04, X_0: 0.1 }), sensors: [{ quantity: "titre", share: 0.03, least: 0.02 }] };
      await page.locator('details textarea[id$="-hidden"]').fill(JSON.stringify(hidden));
      await button(page, "campaign.simulate_go").click();
      await page.locator("p.note", { hasText: stem(lang, "campaign.simulated") || "12" }).last().waitFor();
      await page.waitForFunction((word) => !document.querySelector('[role="grid"]')?.textContent?.includes(word), t("campaign.no_result"));
      await settled(page);

      await field(page, "campaign.replicates").fill("2");
      await button(page, "campaign.propose").click();
      await grid(2).waitFor();
      await settled(page);
      assert.equal(query(page, "n"), "2");
      const { records } = await ask("record list", { kind: "proposal", filter: { campaign: id } });
      const second = records.map((row) => row.fields).find((fields) => fields.number === 2);
      assert.equal(second.runs.length, 12);
      assert.ok(second.runs.some((run) => run.expected[0].mean > 1), "something grows and is foretold");
      for (const run of second.runs) {
        const text = await grid(2).locator(`[data-at="${run.position}"]`).textContent();
        assert.ok(text.includes(t(`campaign.why.${run.why}`)), `${run.position}: ${text}`);
        const shown = numberIn(text.slice(text.indexOf(t("campaign.expected")) + t("campaign.expected").length));
        assert.ok(Math.abs(shown - run.expected[0].mean) <= Math.abs(run.expected[0].mean) * 0.01 + 1e-6, `${run.position}: ${shown} is ${run.expected[0].mean}`);
      }
      await checkPage(page, lang, "second proposal");
      await fits(page, "campaign");

      // Why this next, by keyboard.
      const first = second.runs[0];
      await grid(2).locator('[data-at="A1"]').focus();
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { level: 3, name: t("campaign.unit_x", { position: first.position }) }).waitFor();
      assert.equal(query(page, "unit"), first.position);
      await page.getByText(t("campaign.why_next"), { exact: true }).waitFor();
      const why = await page.locator("#unit-title + .note").textContent();
      assert.ok(why.includes(stem(lang, "campaign.reason.gain").slice(0, 4)) || first.gain === null || first.gain <= 0, why);
      await checkPage(page, lang, "a unit of the proposal");
      await shot(page, `campaign-${lang}`, true);

      const sheet = await downloaded(page, () => button(page, "campaign.sheet").click());
      const rows = sheet.text.replace(/^\uFEFF/, "").trim().split("\r\n");
      assert.equal(rows.length, 13);
      assert.ok(rows[0].includes("T_production (K)") && rows[0].includes("titre (g/L) measured"), rows[0]);

      // Results by hand: what is no number is told, the rest is kept beside what was foretold.
      await button(page, "campaign.enter_results").click();
      const entry = page.getByRole("region", { name: t("table_of", { title: t("campaign.enter_results") }) });
      await entry.getByRole("textbox").first().fill("seven");
      await button(page, "campaign.keep_results").click();
      await page.getByRole("alert").getByText("A1.titre").waitFor();
      await checkPage(page, lang, "results with a fault");
      const within = (first.expected[0].low + first.expected[0].high) / 2;
      await entry.getByRole("textbox").first().fill(String(within));
      await button(page, "campaign.keep_results").click();
      await page.waitForFunction((word) => document.querySelector('[role="gridcell"][data-at="A1"]')?.textContent?.includes(word), t("campaign.within"));
      const kept = (await ask("record list", { kind: "proposal", filter: { campaign: id } })).records.map((row) => row.fields).find((fields) => fields.number === 2);
      assert.equal(kept.results[0].values.titre, within);
      assert.deepEqual(kept.runs, second.runs, "recipes and predictions stay as they were");
      await page.getByRole("figure").filter({ has: page.getByRole("heading", { level: 3, name: t("campaign.foretold_came"), exact: true }) }).waitFor();
      await checkPage(page, lang, "results beside what was foretold");
      await page.reload();
      await settled(page);
      assert.ok((await page.locator('[role="gridcell"][data-at="A1"]').textContent()).includes(t("campaign.within")), "the address is the view");
    });

    journey("campaign: dark", async (page) => {
      await visit(page, `/process/campaigns?lang=${lang}`);
      await page.locator("tbody th a").first().click();
      await settled(page);
      await checkPage(page, lang, "campaign, dark");
    }, { scheme: "dark" });

    journey("scale-up: settings by rule, chances, the small experiment, warnings", async (page) => {
      await visit(page, `/process/scale?lang=${lang}`);
      await page.getByText(t("scaleup.nothing_asked")).waitFor();
      await checkPage(page, lang, "scale-up, nothing asked");
      await page.locator("#scale-from").selectOption("vessel-30l");
      await page.locator("#scale-to").selectOption("vessel-3000l");
      const set = async (key, value) => page.locator(`[id$="-${key}"]`).fill(value);
      await set("agitation_per_min", "fast");
      await set("gas_l_per_min", "30");
      await set("oxygen_mmol_per_l_h", "60");
      await button(page, "scaleup.go").click();
      await page.getByText(t("fault.not-a-number"), { exact: true }).waitFor();
      await set("agitation_per_min", "500");
      await button(page, "scaleup.go").click();
      await page.getByRole("heading", { level: 2, name: t("scaleup.risk"), exact: true }).waitFor();
      await settled(page);
      const answer = await ask("culture scale", { from: "vessel-30l", to: "vessel-3000l", agitation_per_min: 500, gas_l_per_min: 30, oxygen_mmol_per_l_h: 60 });
      const table = page.locator("section").filter({ has: page.locator("#scale-rules") }).locator("table").first();
      for (const one of answer.proposals) {
        const cells = await table.locator("tbody tr", { has: page.getByRole("rowheader", { name: `${one.label[lang]} · ${t(`scaleup.by.${one.gas_rule}`)}`, exact: true }) }).locator("td").allTextContents();
        assert.ok(Math.abs(numberIn(cells[0]) - one.agitation_per_min) <= one.agitation_per_min * 1e-3, `${one.rule}: ${cells[0]}`);
        for (const limit of one.limits.filter((limit) => !limit.met)) assert.ok(cells[6].includes(limit.label[lang]), `${one.rule}: ${cells[6]}`);
      }
      const map = page.getByRole("figure").filter({ has: page.getByRole("heading", { level: 3, name: t("scaleup.map"), exact: true }) });
      await map.getByText(t("scaleup.feasible"), { exact: true }).waitFor();
      const flooding = answer.chances.find((one) => one.constraint === "flooding").label[lang];
      await map.getByText(t("scaleup.limit_line", { label: flooding }), { exact: true }).waitFor();
      await page.getByText(answer.measurement[lang]).waitFor();
      await page.getByText(answer.proposals[0].warnings[0][lang]).waitFor();
      await checkPage(page, lang, "scale-up");
      await fits(page, "scale-up");
      await shot(page, `scale-up-${lang}`, true);
      const csv = await downloaded(page, () => page.getByRole("button", { name: t("chart.csv_of", { title: t("scaleup.chances") }), exact: true }).click());
      assert.equal(csv.text.trim().split("\r\n").length, answer.chances.length + 1);
      await page.reload();
      await settled(page);
      assert.equal(await page.locator('[id$="-agitation_per_min"]').inputValue(), "500");
      await page.getByText(answer.measurement[lang]).waitFor();
    });

    journey("rules on the twin: faults, a trial as a job, benefit and operators, accepted as phases", async (page) => {
      await visit(page, `/process/rules?lang=${lang}`);
      await checkPage(page, lang, "twin rules, nothing asked");
      await button(page, "twinrules.try").click();
      assert.equal(await page.locator("small.fault", { hasText: t("fault.required") }).count(), 6);
      await needed(page, "campaign.plant").fill(PLANT);
      await needed(page, "campaign.until").fill("60 h");
      await needed(page, "twinrules.every").fill("6 h");
      await needed(page, "twinrules.goal").fill("titre");
      await field(page, "rules.author").fill("OP-E1");
      await field(page, "twinrules.pairs").fill("6");
      await field(page, "twinrules.age").fill("20");
      await field(page, "twinrules.runs").fill(operatorRuns.join("\n"));
      await needed(page, "twinrules.state").fill("dry-weight = X");
      await page.getByText(t("twinrules.hidden"), { exact: true }).click();
      await field(page, "twinrules.hidden_json").fill(JSON.stringify({ run: [{ constant: "X_0", share: 0.1 }, { constant: "beta", share: 0.06 }], sensors: [{ quantity: "X", share: 0.05, least: 0.05 }] }));
      await needed(page, "twinrules.moves").fill("do:feed F 1.15");
      await button(page, "twinrules.try").click();
      await page.getByText(t("twinrules.line_unread", { line: "do:feed F 1.15" })).waitFor();
      await needed(page, "twinrules.moves").fill("do:feed = F × 1.15");
      await button(page, "twinrules.try").click();
      await page.getByRole("heading", { level: 2, name: t("twinrules.gain"), exact: true }).waitFor();
      const sentences = await page.locator(".sentence").allTextContents();
      assert.ok(sentences.length >= 2 && sentences[0].includes("<"), sentences.join(" / "));
      await page.getByText(t("twinrules.fidelity"), { exact: true }).waitFor();
      await page.getByRole("figure").filter({ hasText: t("twinrules.gain_figure", { goal: "titre" }) }).waitFor();
      await checkPage(page, lang, "twin rules");
      await fits(page, "twin rules");
      await shot(page, `twin-rules-${lang}`, true);
      const csv = await downloaded(page, () => page.getByRole("button", { name: t("chart.csv_of", { title: t("twinrules.gain_figure", { goal: "titre" }) }), exact: true }).click());
      assert.equal(csv.text.trim().split("\r\n").length, sentences.length + 1);

      const before = (await ask("record list", { kind: "recipe-phase" })).total;
      const recipe = `E2E-${lang}-${Date.now().toString(36)}`;
      await field(page, "twinrules.recipe").fill(recipe);
      await button(page, "twinrules.accept").click();
      await page.getByText(t("twinrules.accepted", { n: sentences.length - 1, recipe })).waitFor();
      assert.equal((await ask("record list", { kind: "recipe-phase" })).total, before + sentences.length - 1);
      await checkPage(page, lang, "twin rules, accepted");
      await page.getByRole("link", { name: t("twinrules.phase"), exact: true }).first().click();
      await page.waitForURL((url) => url.pathname.startsWith("/records/recipe-phase/"));
    });

    journey("profiles: the example, inputs and states beside the recipe, the replayable file", async (page) => {
      await visit(page, `/process/profiles?lang=${lang}`);
      await checkPage(page, lang, "profiles, nothing asked");
      await button(page, "profile.go").click();
      assert.equal(await page.locator("small.fault", { hasText: t("fault.required") }).count(), 4);
      await button(page, "profile.example").click();
      await button(page, "profile.go").click();
      await page.getByRole("heading", { level: 2, name: t("profile.states"), exact: true }).waitFor();
      const figure = page.getByRole("figure").filter({ hasText: t("profile.input_x", { name: "feed" }) });
      assert.ok((await figure.locator("path.series").first().getAttribute("d")) !== "", "the profile is drawn");
      assert.equal(await page.getByRole("figure").filter({ hasText: "(X)" }).first().locator("path.line").count(), 1, "the limit of X is drawn");
      await page.locator("p.note", { hasText: t("profile.kept") }).waitFor();
      await checkPage(page, lang, "profiles");
      await fits(page, "profiles");
      await shot(page, `profiles-${lang}`, true);
      const file = await downloaded(page, () => button(page, "profile.replay").click());
      assert.ok(file.name.endsWith(".toml") && file.text.includes("[model]"), file.name);
      const again = await ask("culture simulate", { model: file.text, until: "150 h" });
      const delivered = numberIn(await page.locator("dt", { hasText: t("profile.delivered", { goal: "P" }) }).locator("xpath=following-sibling::dd").textContent());
      assert.ok(Math.abs(again.series.find((one) => one.name === "P").values.at(-1) - delivered) < 1e-3, `the file gives what was told: ${delivered}`);
      assert.equal(query(page, "goal"), "P");
    });

    journey("control: a failing sensor, who decided what and why, commands and the question as files", async (page) => {
      await visit(page, `/process/control?lang=${lang}`);
      await checkPage(page, lang, "control, nothing asked");
      await button(page, "profile.example").click();
      await field(page, "control.seeds").fill("2");
      await button(page, "control.go").click();
      await page.getByRole("heading", { level: 2, name: t("control.commands"), exact: true }).waitFor();
      const taken = await page.locator("p.note.warn").first().textContent();
      assert.ok(taken.includes("60") && taken.includes("X"), taken);
      await page.getByRole("figure").filter({ hasText: t("profile.input_x", { name: "feed" }) }).getByText(t("control.by.safe"), { exact: true }).waitFor();
      await checkPage(page, lang, "control");
      await fits(page, "control");
      await shot(page, `control-${lang}`, true);
      const commands = await downloaded(page, () => button(page, "control.commands_csv").click());
      const lines = commands.text.trim().split("\r\n");
      assert.equal(lines.length, 31);
      assert.ok(lines.some((line) => line.includes(",safe,")), commands.text);
      const file = await downloaded(page, () => button(page, "control.replay").click());
      const replay = JSON.parse(file.text);
      assert.deepEqual((await ask(replay.operation, replay.input)).commands, replay.output.commands, "the same question gives the same commands");
      await page.reload();
      await settled(page);
      assert.equal(await page.locator('[id$="-model"]').inputValue(), "srinivasan-2003", "the address holds the question");
    });

    journey("gas: a mixture that could burn, one that is not forbidden, a plan that is blocked", async (page) => {
      await visit(page, `/process/gas?lang=${lang}`);
      await checkPage(page, lang, "gas, nothing asked");
      await field(page, "gas.hydrogen_axis").fill("70");
      await field(page, "gas.oxygen_axis").fill("40");
      await button(page, "gas.judge").click();
      await page.getByText(t("gas.too_much")).waitFor();
      await field(page, "gas.oxygen_axis").fill("20");
      await field(page, "gas.co2_axis").fill("10");
      await button(page, "gas.judge").click();
      await page.getByText(t("gas.forbidden"), { exact: false }).first().waitFor();
      const judged = await ask("culture gas-safety", { mixture: { hydrogen: 0.7, oxygen: 0.2, carbon_dioxide: 0.1 } });
      await page.getByText(judged.reason[lang]).waitFor();
      await page.getByText(judged.caution[lang]).waitFor();
      assert.equal(await page.getByRole("region", { name: t("table_of", { title: t("gas.rules") }) }).locator("tbody tr").count(), judged.rules.length);
      await checkPage(page, lang, "gas, forbidden");
      await shot(page, `gas-${lang}`, true);
      await visit(page, `/process/gas?lang=${lang}&h2=0&o2=0`);
      await page.getByText(t("gas.not_forbidden"), { exact: false }).first().waitFor();
      await button(page, "gas.plan").click();
      await button(page, "profile.example").click();
      await button(page, "gas.judge").click();
      const blocked = page.getByRole("region", { name: t("table_of", { title: t("gas.blocked") }) });
      await blocked.locator("tbody tr").first().waitFor();
      assert.ok((await blocked.locator("tbody tr").first().textContent()).includes("%"));
      await checkPage(page, lang, "gas, a blocked plan");
      await fits(page, "gas");
    });
  });
}
