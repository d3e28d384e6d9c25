// Strain designs: asked for as work, listed, one looked at closer (envelope before and after, verification line by line,
// published edits) and applied to the map and undone; and the phase plane of two fluxes. In both languages, in a real
// browser. The model is that of the shared data; without it the journeys are skipped.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { ask, BASE, checkPage, downloaded, launch, open, settled, shot, visit } from "./browser.mjs";
import { words } from "./words.mjs";

const CORE = new URL("../../../shared/data/gem/models/e_coli_core.xml.gz", import.meta.url).pathname;
const skip = existsSync(CORE) ? false : `no model at ${CORE}`;
const BIOMASS = "BIOMASS_Ecoli_core_w_GAM";
let browser;
let model;

before(async () => {
  if (skip) return;
  browser = await launch();
  const form = new FormData();
  form.append("file", new Blob([readFileSync(CORE)]), "e_coli_core.xml.gz");
  const answer = await fetch(`${BASE}/api/v1/upload`, { method: "POST", body: form });
  assert.ok(answer.ok, `upload: ${answer.status}`);
  model = (await answer.json()).files[0].address;
});
after(() => browser?.close());

const fits = async (page, what) => {
  await page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth, undefined, { timeout: 5000 }).catch(() => undefined);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, `${what}: no wider than the window`);
};
const at = (part) => `/flux/${encodeURIComponent(model)}/${part}`;

for (const lang of ["en", "ja"]) {
  const t = words(lang);
  const button = (page, key, vars) => page.getByRole("button", { name: t(key, vars), exact: true });
  const region = (page, key) => page.getByRole("region", { name: t("table_of", { title: t(key) }), exact: true });
  const heading = (page, key, vars) => page.getByRole("heading", { name: t(key, vars), exact: true });
  const journey = (name, steps, options) =>
    test(name, { skip }, async () => {
      const { page, done } = await open(browser, options);
      await steps(page);
      await done();
    });
  const rows = (page) => region(page, "design.table").locator("tbody tr");

  describe(`designs in ${lang}`, () => {
    journey("designs are found, listed, sorted and saved; one is looked at closer, applied to the map and undone", async (page) => {
      await visit(page, `${at("designs")}?lang=${lang}&med=EX_o2_e~0`);
      await page.getByText(t("design.none_yet"), { exact: true }).waitFor();
      await checkPage(page, lang, "no designs");
      await button(page, "design.go").click();
      await page.getByText(t("flux.choose_exchange"), { exact: true }).and(page.locator("small")).waitFor();
      await page.getByLabel(t("flux.product"), { exact: true }).selectOption("EX_succ_e");
      await page.waitForURL((url) => url.searchParams.get("target") === "EX_succ_e");
      await button(page, "design.go").click();
      const { medium } = await ask("flux model", { model });
      delete medium.EX_o2_e;
      const known = await ask("flux design", { model, medium, method: "robustknock", product: "EX_succ_e", growth: BIOMASS, max_size: 3, designs: 20, min_growth: 0.05 });
      await region(page, "design.table").waitFor({ timeout: 20_000 });
      await settled(page);
      await page.getByText(t("design.complete"), { exact: false }).waitFor();
      const shown = await rows(page).count();
      assert.ok(shown > 0 && shown < known.designs.length, `designs that do the same stand together: ${shown} of ${known.designs.length}`);
      const [best] = known.designs;
      assert.equal(await rows(page).first().getAttribute("data-design"), best.interventions.map((one) => one.id).join(" + "));
      assert.ok((await rows(page).first().textContent()).includes(t("design.must")));
      await checkPage(page, lang, "designs");
      await fits(page, "designs");
      const csv = await downloaded(page, () => button(page, "chart.csv_of", { title: t("design.table") }).click());
      assert.equal(csv.text.trim().split("\r\n").length, known.designs.length + 1, "every design has a line");
      const json = JSON.parse((await downloaded(page, () => button(page, "design.json_of", { title: t("design.table") }).click())).text);
      assert.deepEqual(json.designs, known.designs);
      await page.getByLabel(t("design.together"), { exact: true }).uncheck();
      await page.waitForURL((url) => url.searchParams.get("same") === "0");
      assert.equal(await rows(page).count(), known.designs.length);

      await button(page, "flux.undo_all").click();
      await page.getByText(t("design.stale"), { exact: true }).waitFor();
      await page.goBack();
      await page.getByText(t("design.stale"), { exact: true }).waitFor({ state: "detached" });

      // By keyboard: the first design is chosen.
      await rows(page).first().getByRole("button").focus();
      await page.keyboard.press("Enter");
      await page.waitForURL((url) => url.searchParams.has("pick"));
      const genes = best.interventions.map((one) => one.id).sort();
      await heading(page, "design.one", { name: genes.join(" + ") }).waitFor();
      const judged = await ask("flux verify", { model, medium, strain: { genes_out: genes }, task: { growth: BIOMASS, product: "EX_succ_e", feed: "EX_glc__D_e" } });
      await page.getByText(t(`design.tie.${judged.verified.tie}`), { exact: true }).waitFor({ timeout: 20_000 });
      await settled(page);
      for (const line of judged.verified.evidence) await page.getByText(line[lang], { exact: true }).waitFor();
      assert.equal(await region(page, "design.what").locator("tbody tr").count(), genes.length);
      const title = t("flux.envelope_of", { target: "EX_succ_e", along: BIOMASS });
      await page.getByRole("heading", { name: title, exact: true }).waitFor();
      const saved = await downloaded(page, () => button(page, "chart.csv_of", { title }).click());
      for (const key of ["design.strain", "design.host"]) assert.ok(saved.text.includes(t(key)), `${key} in the plot`);
      await checkPage(page, lang, "a design");
      await fits(page, "a design");
      await shot(page, `flux-design-${lang}`, true);

      await button(page, "design.known_go").click();
      await region(page, "design.best_known").waitFor({ timeout: 20_000 });
      await settled(page);
      assert.equal(await region(page, "design.best_known").locator("tbody tr").count(), 10);
      await checkPage(page, lang, "what is known of edits");
      const whole = JSON.parse((await downloaded(page, () => button(page, "design.json_of", { title: t("design.one", { name: genes.join(" + ") }) }).click())).text);
      assert.equal(whole.verified.tie, judged.verified.tie);

      await page.getByRole("link", { name: t("design.apply"), exact: true }).click();
      await page.waitForURL((url) => url.pathname.split("/").length === 3 && url.searchParams.has("out"));
      await settled(page);
      const there = new URL(page.url()).searchParams;
      assert.deepEqual(there.get("out").split(",").sort(), genes);
      assert.equal(decodeURIComponent(there.get("med")), "EX_o2_e~0", "the medium stays");
      const optimum = page.locator(".optimum strong");
      await page.waitForFunction((want) => Math.abs(Number(document.querySelector(".optimum strong")?.textContent) - want) < 1e-4, best.growth);
      await checkPage(page, lang, "a design on the map");
      for (const id of genes) await page.getByRole("button", { name: t("flux.put_back", { name: id }), exact: true }).first().waitFor();
      await page.goBack();
      await heading(page, "design.one", { name: genes.join(" + ") }).waitFor();
      assert.equal(await optimum.count(), 0);
    });

    journey("cut sets come with their proof; a fault of a number, of a region and a search without designs are told", async (page) => {
      await visit(page, `${at("designs")}?lang=${lang}&target=EX_succ_e&method=cuts&size=2&n=50&med=EX_o2_e~0`);
      assert.equal(await page.getByLabel(t("design.target"), { exact: true }).inputValue(), `EX_succ_e <= 1, ${BIOMASS} >= 0.05`);
      await button(page, "design.go").click();
      await region(page, "design.table").waitFor({ timeout: 20_000 });
      await settled(page);
      const { medium } = await ask("flux model", { model });
      delete medium.EX_o2_e;
      const cuts = await ask("flux design", { model, medium, method: "cuts", product: "EX_succ_e", growth: BIOMASS, max_size: 2, designs: 50, proof: true, target: [`EX_succ_e <= 1, ${BIOMASS} >= 0.05`], protect: [`${BIOMASS} >= 0.05`] });
      assert.ok(cuts.designs.length > 0 && cuts.designs.every((one) => one.proved));
      const texts = await rows(page).allTextContents();
      assert.ok(texts.length > 0 && texts.every((one) => one.includes(t("design.proved"))), texts[0]);
      await checkPage(page, lang, "cut sets");
      await page.getByLabel(t("design.target"), { exact: true }).fill("EX_succ_e no limit");
      await page.keyboard.press("Tab");
      await page.waitForURL((url) => url.searchParams.get("no") === "EX_succ_e no limit");
      await button(page, "design.go").click();
      await page.getByRole("alert").waitFor();
      assert.match(await page.getByRole("alert").textContent(), /E-FLUX-[0-9]+/);
      await settled(page);
      await checkPage(page, lang, "a region that is none");

      await visit(page, `${at("designs")}?lang=${lang}&target=EX_ac_e&size=none`);
      await button(page, "design.go").click();
      await page.getByText(t("design.number_fault", { field: t("design.max_size"), least: 1 }), { exact: true }).waitFor();
      // More growth than the whole model has.
      await visit(page, `${at("designs")}?lang=${lang}&target=EX_etoh_e&size=1&least=5`);
      await button(page, "design.go").click();
      await page.getByText(t("design.no_designs"), { exact: true }).waitFor({ timeout: 20_000 });
      await settled(page);
      await checkPage(page, lang, "no such design");
    });

    journey("a phase plane: phases with their numbers, slopes and shadow prices, the line of optimality; another pair; none", async (page) => {
      await visit(page, `${at("phase")}?lang=${lang}`);
      await page.getByText(t("phase.none"), { exact: true }).waitFor();
      await checkPage(page, lang, "no plane");
      await page.getByLabel(t("phase.first"), { exact: true }).selectOption("EX_glc__D_e");
      await page.waitForURL((url) => url.searchParams.get("x") === "EX_glc__D_e");
      await page.getByLabel(t("phase.second"), { exact: true }).selectOption("EX_o2_e");
      await page.waitForURL((url) => url.searchParams.get("y") === "EX_o2_e");
      const title = t("phase.title", { objective: BIOMASS, first: "EX_glc__D_e", second: "EX_o2_e" });
      await page.getByRole("heading", { name: title, exact: true }).waitFor();
      await settled(page);
      const plane = await ask("flux phase", { model, first: "EX_glc__D_e", second: "EX_o2_e" });
      const table = region(page, "phase.table").locator("tbody tr");
      assert.equal(await table.count(), plane.phases.length);
      assert.ok((await table.first().textContent()).includes(t("phase.futile", { id: "EX_o2_e" })), "too much oxygen costs growth");
      const corners = new Set(plane.phases.flatMap((one, k) => one.corners.map((at) => [k, at.first, at.second].map((value) => Math.round(value * 1e6)).join(" "))));
      assert.equal(await region(page, "phase.corners").locator("tbody tr").count(), new Set([...corners].map((one) => one.replaceAll("-0", "0"))).size);
      const prices = Object.keys(plane.phases[0].shadow_prices).length;
      await table.first().getByText(t("phase.prices_n", { n: prices }), { exact: true }).click();
      await table.first().getByText("glc__D_e", { exact: true }).waitFor();
      // The line of optimality ends where the whole model has its optimum.
      const csv = await downloaded(page, () => button(page, "chart.csv_of", { title }).click());
      const line = csv.text.split("\r\n").filter((one) => one.startsWith(`${t("phase.line")},`)).map((one) => one.split(",").slice(1).map(Number));
      const whole = await ask("flux fba", { model });
      const end = line.find(([x]) => Math.abs(x + 10) < 1e-9);
      assert.ok(end && Math.abs(end[1] - whole.fluxes.EX_o2_e) < 1e-6, `${line}: ${whole.fluxes.EX_o2_e}`);
      await checkPage(page, lang, "a plane");
      await fits(page, "a plane");
      await shot(page, `flux-phase-${lang}`, true);
      await button(page, "phase.swap").click();
      await page.getByRole("heading", { name: t("phase.title", { objective: BIOMASS, first: "EX_o2_e", second: "EX_glc__D_e" }), exact: true }).waitFor();
      await settled(page);
      // Bounds that leave nothing are told with the reactions.
      await visit(page, `${at("phase")}?lang=${lang}&x=EX_glc__D_e&y=EX_o2_e&set=ATPM~900~1000`);
      await page.getByText(t("flux.status.infeasible"), { exact: true }).waitFor();
      await checkPage(page, lang, "no plane to draw");
    });

    journey("a grid of pairs: what is left of every pair of a subset against the expectation, synthetic lethals alone", async (page) => {
      await visit(page, `${at("deletions")}?lang=${lang}`);
      await button(page, "pairs.grid").click();
      await page.getByText(t("pairs.none"), { exact: true }).waitFor();
      await checkPage(page, lang, "no grid");
      await button(page, "pairs.go").click();
      await page.getByText(t("pairs.too_many", { most: 60, n: 0 }), { exact: true }).waitFor();
      // Genes of pairs that leave nothing together, neither essential alone, and one that is.
      const found = await ask("flux delete", { model, pairs: true, synergy: true, below: 0.01 });
      const lost = new Set(found.essential);
      const lethal = found.results.map((one) => one.genes).filter((two) => two.every((id) => !lost.has(id)));
      const subset = [...new Set(lethal.slice(0, 4).flat()), found.essential[0]];
      const within = lethal.filter((two) => two.every((id) => subset.includes(id)));
      assert.ok(within.length > 0, "the model has synthetic lethals");
      await page.getByLabel(t("pairs.which"), { exact: true }).fill(subset.join(", "));
      await page.keyboard.press("Tab");
      await button(page, "pairs.go").click();
      const grid = region(page, "pairs.title");
      await grid.waitFor({ timeout: 20_000 });
      await settled(page);
      assert.equal(await grid.locator("tbody tr").count(), subset.length);
      assert.equal(await grid.locator("tbody td").filter({ hasText: t("pairs.kind.lethal") }).count(), within.length);
      const list = region(page, "pairs.list").locator("tbody tr");
      assert.equal(await list.count(), (subset.length * (subset.length - 1)) / 2);
      await checkPage(page, lang, "a grid of pairs");
      await fits(page, "a grid of pairs");
      await shot(page, `flux-pairs-${lang}`, true);
      assert.equal(await page.getByText(t("pairs.stale"), { exact: true }).count(), 0);
      await page.getByLabel(t("pairs.only_lethal"), { exact: true }).check();
      await page.waitForURL((url) => url.searchParams.get("lethal") === "1");
      assert.equal(await list.count(), within.length);
      const csv = await downloaded(page, () => button(page, "chart.csv_of", { title: t("pairs.list") }).click());
      assert.equal(csv.text.trim().split("\r\n").length, within.length + 1);
      await button(page, "flux.reactions").click();
      await page.getByText(t("pairs.stale"), { exact: true }).waitFor();
      await button(page, "flux.genes").click();
      await list.first().getByRole("link").click();
      await page.waitForURL((url) => (url.searchParams.get("out") ?? "").split(",").length === 2);
    });

    journey("enzymes: which limit, a turnover number moved by its slider with the fluxes anew, a file with a fault told", async (page) => {
      await visit(page, `${at("enzymes")}?lang=${lang}`);
      await page.getByText(t("enzymes.none"), { exact: true }).waitFor();
      await checkPage(page, lang, "no enzymes");
      const { reactions } = await ask("flux model", { model });
      const kcats = { PFK: 5, CS: 8, ATPS4r: 20 };
      const inner = reactions.filter((one) => one.kind === "internal" && one.genes.length > 0).map((one) => one.id);
      const data = {
        enzymes: Object.fromEntries(inner.map((id) => [id, { mass_kda: 40 }])),
        turnovers: inner.flatMap((reaction) => ["forward", "backward"].map((way) => ({ reaction, way, kcat_per_s: kcats[reaction] ?? 50, subunits: { [reaction]: 1 } }))),
        pool_g_per_g: 0.02,
      };
      const bring = (name, content) => page.locator("[data-enzymes-file]").setInputFiles({ name, mimeType: "application/json", buffer: Buffer.from(content) });
      await bring("broken.json", JSON.stringify({ ...data, pool_g_per_g: -1 }));
      await page.getByText(t("enzymes.fault", { file: "broken.json", field: "pool_g_per_g" }), { exact: true }).waitFor();
      await bring("enzymes.json", JSON.stringify(data));
      const base = await ask("flux enzymes", { model, ...data });
      await region(page, "enzymes.usage").waitFor();
      await settled(page);
      assert.ok(base.control.length > 0);
      const most = base.control[0];
      const slider = page.locator(`[data-kcat="${most.reaction}~${most.way}"] input`);
      await checkPage(page, lang, "enzymes");
      await fits(page, "enzymes");
      assert.equal(await region(page, "enzymes.moved").count(), 0, "nothing has moved yet");
      // By keyboard to the end: ten times the number.
      await slider.press("End");
      await page.waitForURL((url) => decodeURIComponent(url.searchParams.get("kcat") ?? "") === `${most.reaction}~${most.way}~10`);
      const faster = await ask("flux enzymes", { model, ...data, turnovers: data.turnovers.map((one) => (one.reaction === most.reaction && one.way === most.way ? { ...one, kcat_per_s: 10 * one.kcat_per_s } : one)) });
      assert.ok(faster.objective.value > base.objective.value);
      await page.waitForFunction((want) => Math.abs(Number(document.querySelector(".optimum strong")?.textContent) - want) < 1e-4, faster.objective.value);
      await region(page, "enzymes.moved").waitFor();
      await checkPage(page, lang, "a turnover number moved");
      await shot(page, `flux-enzymes-${lang}`, true);
      await button(page, "enzymes.reset").click();
      await page.waitForFunction((want) => Math.abs(Number(document.querySelector(".optimum strong")?.textContent) - want) < 1e-4, base.objective.value);
    });

    if (lang === "ja")
      journey("dark: designs and planes keep their contrast", async (page) => {
        await visit(page, `${at("designs")}?lang=${lang}&target=EX_ac_e&med=EX_o2_e~0&pick=remove-gene:b1241`);
        await page.getByRole("heading", { name: t("flux.envelope_of", { target: "EX_ac_e", along: BIOMASS }), exact: true }).waitFor();
        await settled(page);
        await checkPage(page, lang, "dark: a design");
        await visit(page, `${at("phase")}?lang=${lang}&x=EX_glc__D_e&y=EX_o2_e`);
        await region(page, "phase.table").waitFor();
        await checkPage(page, lang, "dark: a plane");
        await shot(page, "flux-phase-dark");
      }, { scheme: "dark" });
  });
}
