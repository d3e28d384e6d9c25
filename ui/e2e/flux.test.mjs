// Metabolic models: brought and remembered, knocked out by a click with fluxes and ranges drawn anew (and how long that
// takes), a map of an Escher file and the automatic layout, the medium, an envelope, deletions, the health report; in both
// languages, in a real browser. Models are those of the shared data; without them the journeys are skipped.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { ask, BASE, checkPage, downloaded, launch, open, settled, shot, visit } from "./browser.mjs";
import { words } from "./words.mjs";

const DATA = new URL("../../../shared/data/gem/models/", import.meta.url).pathname;
const CORE = `${DATA}e_coli_core.xml.gz`;
const LARGE = `${DATA}iJO1366.xml.gz`;
const MAP = new URL("./fixtures/core-glycolysis.escher.json", import.meta.url).pathname;
const skip = existsSync(CORE) && existsSync(LARGE) ? false : `no models at ${DATA}`;
let browser;
const addresses = {};

async function kept(path) {
  const form = new FormData();
  form.append("file", new Blob([readFileSync(path)]), path.split("/").at(-1));
  const answer = await fetch(`${BASE}/api/v1/upload`, { method: "POST", body: form });
  assert.ok(answer.ok, `upload: ${answer.status}`);
  return (await answer.json()).files[0].address;
}

before(async () => {
  if (skip) return;
  browser = await launch();
  for (const path of [CORE, LARGE]) addresses[path] = await kept(path);
});
after(() => browser?.close());

const query = (page, key) => new URL(page.url()).searchParams.get(key);
const fits = async (page, what) => {
  await page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth, undefined, { timeout: 5000 }).catch(() => undefined);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, `${what}: no wider than the window`);
};
const pathOf = (path, part = "") => `/flux/${encodeURIComponent(addresses[path])}${part}`;
const numberIn = (text) => Number(/-?[0-9][0-9,]*\.?[0-9]*(?:e-?[0-9]+)?/.exec(text.replaceAll("−", "-"))?.[0].replaceAll(",", ""));
/** Fluxes and ranges of the last question are drawn. */
async function answered(page) {
  await settled(page);
  await page.waitForFunction(() => {
    const took = document.querySelector("[data-fluxes-ms]");
    return took?.getAttribute("data-ranges-ms");
  }, undefined, { timeout: 60_000 });
}
/** Colours of the map as one number, to see that it was drawn anew. */
const picture = (page) =>
  page.evaluate(() => {
    const canvas = document.querySelector("canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let sum = 0;
    for (let k = 0; k < data.length; k += 4) sum = (sum * 31 + data[k] + 3 * data[k + 1] + 7 * data[k + 2]) >>> 0;
    return sum;
  });

for (const lang of ["en", "ja"]) {
  const t = words(lang);
  const button = (page, key, vars) => page.getByRole("button", { name: t(key, vars), exact: true });
  const region = (page, key) => page.getByRole("region", { name: t("table_of", { title: t(key) }), exact: true });
  const journey = (name, steps, options) =>
    test(name, { skip }, async () => {
      const { page, done } = await open(browser, options);
      await steps(page);
      await done();
    });
  const row = (page, id) => page.locator(`tr[data-row="${id}"]`);
  async function search(page, text) {
    await page.getByLabel(t("flux.search"), { exact: true }).fill(text);
    await page.waitForURL((url) => (url.searchParams.get("q") ?? "") === text);
    await settled(page);
  }

  describe(`fluxes in ${lang}`, () => {
    journey("a model is brought, summed up, and remembered in this browser; a file that is none is refused", async (page) => {
      await visit(page, `/runs?lang=${lang}`);
      await page.getByRole("link", { name: t("nav.flux"), exact: true }).click();
      await page.waitForURL((url) => url.pathname === "/flux");
      await settled(page);
      await page.getByText(t("flux.none"), { exact: true }).waitFor();
      await checkPage(page, lang, "no models");
      await page.locator("#flux-file").setInputFiles({ name: "none.xml", mimeType: "text/xml", buffer: Buffer.from("<nothing/>") });
      await page.getByRole("alert").waitFor();
      assert.match(await page.getByRole("alert").textContent(), /E-[A-Z]+-[0-9]+/);
      await settled(page);
      await checkPage(page, lang, "no model in the file");
      await page.locator("#flux-file").setInputFiles(CORE);
      await page.waitForURL((url) => decodeURIComponent(url.pathname) === `/flux/${addresses[CORE]}`);
      await answered(page);
      await page.goto(`${BASE}/flux?lang=${lang}`);
      await settled(page);
      const checked = await ask("flux check", { model: addresses[CORE], quick: true });
      const line = await region(page, "flux.remembered").locator("tbody tr").textContent();
      for (const number of [checked.reactions, checked.metabolites, checked.genes]) assert.ok(line.includes(String(number)), line);
      assert.ok(line.includes(checked.objective.id), line);
      await checkPage(page, lang, "models of this browser");
      await fits(page, "models of this browser");
      await button(page, "flux.forget_x", { name: "e_coli_core.xml.gz" }).click();
      await page.getByText(t("flux.none"), { exact: true }).waitFor();
    });

    journey("a click knocks out: fluxes, ranges and the map are drawn anew, a second click puts back; all in the address", async (page) => {
      await visit(page, `${pathOf(CORE)}?lang=${lang}`);
      await answered(page);
      const whole = await ask("flux fba", { model: addresses[CORE] });
      await page.getByText(t("flux.as_it_is", { id: whole.objective.id, value: "0.87392" }), { exact: false }).waitFor();
      await checkPage(page, lang, "a model");
      await fits(page, "a model");
      await shot(page, `flux-${lang}`, true);
      const plain = await picture(page);

      await search(page, "PFK");
      await row(page, "PFK").getByRole("button", { name: t("flux.take_out_x", { name: "PFK" }), exact: true }).click();
      await page.waitForURL((url) => url.searchParams.get("out") === "PFK");
      await answered(page);
      const without = await ask("flux fba", { model: addresses[CORE], knock_out: ["PFK"] });
      assert.ok(Math.abs(numberIn(await page.locator(".optimum strong").textContent()) - without.objective.value) < 1e-4, "the optimum of the knock-out");
      assert.equal((await row(page, "PFK").locator(".flux").textContent()).trim(), "0");
      assert.notEqual(await picture(page), plain, "the map is drawn anew");
      await checkPage(page, lang, "a knock-out");

      // Genes of the search: one that takes a reaction along, told beforehand.
      await search(page, "b0720");
      await page.locator('button[data-gene="b0720"]').first().click();
      await page.waitForURL((url) => url.searchParams.get("out") === "PFK,b0720");
      await answered(page);
      assert.ok((await row(page, "CS").textContent()).includes(t("flux.out_genes")));
      await button(page, "flux.put_back", { name: "PFK" }).first().click();
      await page.waitForURL((url) => url.searchParams.get("out") === "b0720");
      await button(page, "flux.undo_all").click();
      await page.waitForURL((url) => !url.searchParams.has("out"));
      await search(page, "");
      await answered(page);
      assert.equal(await picture(page), plain, "as it was");
      await page.goBack();
      await page.waitForURL((url) => url.searchParams.has("out"));
    });

    journey("the medium, bounds, the objective and least total flux; ranges and what changed, as a table and a CSV file", async (page) => {
      await visit(page, `${pathOf(CORE)}?lang=${lang}`);
      await answered(page);
      const oxygen = page.getByLabel(t("flux.uptake_number", { id: "EX_o2_e" }), { exact: true });
      await oxygen.fill("0");
      await oxygen.press("Tab");
      await page.waitForURL((url) => decodeURIComponent(url.searchParams.get("med") ?? "") === "EX_o2_e~0");
      await answered(page);
      const { medium } = await ask("flux model", { model: addresses[CORE] });
      delete medium.EX_o2_e;
      const anaerobic = await ask("flux fba", { model: addresses[CORE], medium });
      assert.ok(Math.abs(numberIn(await page.locator(".optimum strong").textContent()) - anaerobic.objective.value) < 1e-4, "without oxygen");
      await page.getByLabel(t("flux.uptake_of", { id: "EX_glc__D_e" }), { exact: true }).press("ArrowLeft");
      await page.waitForURL((url) => decodeURIComponent(url.searchParams.get("med") ?? "").includes("EX_glc__D_e~9.9"));
      await answered(page);
      await button(page, "flux.only_changed").click();
      await button(page, "flux.show_change").click();
      await settled(page);
      await checkPage(page, lang, "before and after");
      await shot(page, `flux-change-${lang}`);
      const file = await downloaded(page, () => button(page, "chart.csv_of", { title: t("flux.table") }).click());
      const lines = file.text.trim().split("\r\n");
      assert.ok(lines.length > 30 && lines[0].includes("equation"), lines[0]);
      const drawn = await downloaded(page, () => button(page, "chart.svg_of", { title: t("flux.map") }).click());
      assert.match(drawn.text, /^<\?xml[\s\S]*<svg/);

      await button(page, "flux.undo_all").click();
      await button(page, "flux.only_all").click();
      await search(page, "ATPM");
      await row(page, "ATPM").getByRole("button", { name: "ATPM", exact: true }).click();
      const pane = page.locator('[data-reaction="ATPM"]');
      await pane.getByLabel(t("flux.lower"), { exact: true }).fill("20");
      await page.keyboard.press("Tab");
      await page.waitForURL((url) => decodeURIComponent(url.searchParams.get("set") ?? "") === "ATPM~20~1000");
      await answered(page);
      assert.equal((await row(page, "ATPM").locator(".flux").textContent()).trim(), "20");
      await pane.getByRole("button", { name: t("flux.maximise"), exact: true }).click();
      await page.waitForURL((url) => url.searchParams.get("obj") === "ATPM");
      await button(page, "flux.how_pfba").click();
      await page.waitForURL((url) => url.searchParams.get("how") === "pfba");
      await answered(page);
      await checkPage(page, lang, "another objective");
      // Bounds that clash are said, with the reactions.
      await pane.getByLabel(t("flux.lower"), { exact: true }).fill("900");
      await page.keyboard.press("Tab");
      await page.locator(".optimum").filter({ hasText: t("flux.status.infeasible") }).waitFor();
      await settled(page);
      await checkPage(page, lang, "no steady state");
    });

    journey("a map of an Escher file: drawn, a click on it knocks out, one with faults is told with their places", async (page) => {
      await visit(page, `${pathOf(CORE)}?lang=${lang}`);
      await answered(page);
      await page.locator("#flux-map-file").setInputFiles(MAP);
      await page.waitForURL((url) => url.searchParams.get("map") === "Core glycolysis");
      await settled(page);
      await page.getByRole("application", { name: t("flux.map_summary", { reactions: 10, flowing: 10, out: 0 }), exact: true }).waitFor();
      await checkPage(page, lang, "an Escher map");
      await shot(page, `flux-escher-${lang}`);
      // The middle of PFK is at (1000, 750) of the file.
      const at = await page.evaluate(() => {
        const host = document.querySelector('[role="application"]').getBoundingClientRect();
        return { left: host.left, top: host.top, width: host.width, height: host.height };
      });
      await button(page, "flux.zoom_in").click();
      await page.waitForURL((url) => url.searchParams.has("view"));
      const [x, y, zoom] = query(page, "view").split("_").map(Number);
      await page.mouse.click(at.left + (1000 - x) * zoom, at.top + (750 - y) * zoom);
      await page.waitForURL((url) => url.searchParams.get("out") === "PFK");
      assert.equal(query(page, "sel"), "PFK");
      await answered(page);
      assert.ok((await page.locator('[data-reaction="PFK"] .badge').textContent()).includes(t("flux.out_itself")));
      // By keyboard: moved, zoomed, and seen whole again.
      await page.getByRole("application").focus();
      const before = await picture(page);
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("+");
      assert.notEqual(await picture(page), before, "moved by keys");
      await page.keyboard.press("0");
      await page.waitForURL((url) => !url.searchParams.has("view"));
      await page.reload();
      await answered(page);
      assert.equal(query(page, "map"), "Core glycolysis");
      const broken = JSON.parse(readFileSync(MAP, "utf8"));
      broken[1].nodes = {};
      await page.locator("#flux-map-file").setInputFiles({ name: "broken.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(broken)) });
      const refused = page.getByRole("alert").filter({ hasText: t("flux.map_unreadable") });
      await refused.waitFor();
      assert.match(await refused.textContent(), /E-ESCHER-021/);
      await checkPage(page, lang, "a map with faults");
    });

    journey("a large model: laid out by itself, a click on a knock-out timed until the map is drawn", async (page) => {
      await visit(page, `${pathOf(LARGE)}?lang=${lang}`);
      await answered(page);
      const layout = Number(await page.locator("[data-layout-ms]").getAttribute("data-layout-ms"));
      const times = [];
      for (const id of ["PFK", "PGI", "TPI"]) {
        await search(page, id);
        await row(page, id).getByRole("button", { name: t("flux.take_out_x", { name: id }), exact: true }).click();
        await page.waitForURL((url) => (url.searchParams.get("out") ?? "").endsWith(id));
        await answered(page);
        await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50))));
        const marks = await page.evaluate(() => Object.fromEntries(["fluxes", "fluxes shown", "ranges", "ranges shown"].map((what) => [what, performance.getEntriesByName(`toji-flux ${what}`).at(-1)?.duration])));
        times.push(marks);
      }
      const text = times.map((one) => Object.values(one).map((ms) => ms.toFixed(0)).join("/")).join(", ");
      console.log(`# iJO1366, ${lang}: laid out in ${layout} ms; fluxes drawn/on the screen, ranges drawn/on the screen after a click, ms: ${text}`);
      assert.ok(layout > 0 && layout < 20_000);
      assert.ok(times.every((one) => one.fluxes > 0 && one.ranges > one.fluxes));
      await search(page, "");
      await checkPage(page, lang, "a large model");
      await fits(page, "a large model");
      await shot(page, `flux-large-${lang}`);
    });

    journey("an envelope: the region with exact corners, beside that of the model as it is", async (page) => {
      await visit(page, `${pathOf(CORE, "/envelope")}?lang=${lang}&out=b0903`);
      await page.getByLabel(t("flux.product"), { exact: true }).selectOption("EX_ac_e");
      await page.waitForURL((url) => url.searchParams.get("target") === "EX_ac_e");
      const title = t("flux.envelope_of", { target: "EX_ac_e", along: "BIOMASS_Ecoli_core_w_GAM" });
      await page.getByRole("heading", { name: title, exact: true }).waitFor();
      await settled(page);
      const reach = await ask("flux envelope", { model: addresses[CORE], target: "EX_ac_e", knock_out: ["b0903"] });
      const lines = await region(page, "flux.corners").locator("tbody tr").allTextContents();
      assert.equal(lines.length, reach.greatest.length + reach.least.length);
      const saved = await downloaded(page, () => button(page, "chart.csv_of", { title }).click());
      assert.ok(saved.text.includes(String(reach.greatest[1].along)), saved.text);
      await checkPage(page, lang, "an envelope");
      await fits(page, "an envelope");
      await shot(page, `flux-envelope-${lang}`);
    });

    journey("deletions: essential genes, pairs that do more than the worse alone, sorted and filtered", async (page) => {
      await visit(page, `${pathOf(CORE, "/deletions")}?lang=${lang}`);
      await checkPage(page, lang, "nothing deleted");
      await button(page, "flux.delete_go").click();
      const single = await ask("flux delete", { model: addresses[CORE] });
      await page.getByText(t("flux.essential_n", { n: single.essential.length }), { exact: true }).waitFor({ timeout: 60_000 });
      await settled(page);
      await checkPage(page, lang, "single deletions");
      await button(page, "flux.pairs").click();
      await page.getByLabel(t("flux.below"), { exact: true }).fill("0.01");
      await page.keyboard.press("Tab");
      await page.waitForURL((url) => url.searchParams.get("below") === "0.01");
      await button(page, "flux.delete_go").click();
      const table = region(page, "flux.pairs_left");
      const both = await ask("flux delete", { model: addresses[CORE], pairs: true, synergy: true, below: 0.01 });
      await page.getByText(t("pager.range", { from: 1, to: Math.min(50, both.results.length), total: both.results.length }), { exact: true }).waitFor({ timeout: 60_000 });
      await page.getByLabel(t("filter"), { exact: true }).fill("b2417");
      await page.waitForURL((url) => url.searchParams.get("q") === "b2417");
      assert.equal(await table.locator("tbody tr").count(), Math.min(50, both.results.filter((one) => one.genes.includes("b2417")).length));
      await checkPage(page, lang, "pairs");
      await fits(page, "pairs");
      await shot(page, `flux-deletions-${lang}`);
    });

    journey("the health report: what is wrong with reasons, and the full check as work of its own", async (page) => {
      await visit(page, `${pathOf(CORE, "/health")}?lang=${lang}`);
      const line = (key) => page.locator(`[data-health="${key}"]`);
      assert.equal(await line("charge_unknown").getAttribute("data-standing"), "look");
      assert.ok((await line("charge_unknown").textContent()).includes(t("flux.why.charge_unknown")));
      assert.equal(await line("blocked").getAttribute("data-standing"), "open");
      await checkPage(page, lang, "health");
      await fits(page, "health");
      await shot(page, `flux-health-${lang}`, true);
      await button(page, "flux.check_all").click();
      await page.locator('[data-health="blocked"][data-standing="look"]').waitFor({ timeout: 60_000 });
      const checked = await ask("flux check", { model: addresses[CORE] });
      assert.ok((await line("blocked").textContent()).includes(t("flux.health.blocked", { n: checked.consistency.blocked.length })));
      await settled(page);
      await checkPage(page, lang, "full health");
      await line("blocked").getByRole("link", { name: checked.consistency.blocked[0], exact: true }).click();
      await page.waitForURL((url) => url.searchParams.get("sel") === checked.consistency.blocked[0]);
      await answered(page);
    });

    if (lang === "ja")
      journey("dark: the pages of metabolic models keep their contrast", async (page) => {
        for (const path of [`${pathOf(CORE)}?lang=${lang}&out=PFK&show=change&sel=PFK`, `${pathOf(CORE, "/health")}?lang=${lang}`, `${pathOf(CORE, "/envelope")}?lang=${lang}&target=EX_ac_e`]) {
          await visit(page, path);
          await checkPage(page, lang, `dark ${path}`);
        }
        await shot(page, "flux-dark");
      }, { scheme: "dark" });
  });
}
