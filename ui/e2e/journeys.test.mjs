// What a person does with Toji, in both languages, in a real browser against a real
// server (TOJI_URL). The store must hold runs; `make demo` or an import fills it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ask, BASE, checkPage, downloaded, launch, open, settled, shot, visit } from "./browser.mjs";
import { escaped, fillRequired } from "./forms.mjs";
import { stem, words } from "./words.mjs";

const fixture = (name) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
let browser;
let runs;

before(async () => {
  browser = await launch();
  runs = (await ask("run list", { limit: 500, sort: "-points" })).runs;
  assert.ok(runs.length >= 2, "the store needs at least two runs: import some files first");
});
after(() => browser?.close());

/** The run with the most points that has a clock, else the one with the most points. */
const richRun = () => runs.find((run) => run.points > 500 && run.started && run.events > 0) ?? runs.find((run) => run.points > 100 && run.started) ?? runs[0];

for (const lang of ["en", "ja"]) {
  const t = words(lang);
  const journey = (name, steps, options) =>
    test(name, async () => {
      const { page, done } = await open(browser, options);
      await steps(page);
      await done();
    });
  const button = (page, key, vars) => page.getByRole("button", { name: t(key, vars), exact: true });

  describe(`journeys in ${lang}`, () => {
    journey("find a run: filter, sort, and the address keeps both", async (page) => {
      await visit(page, `/?lang=${lang}`);
      assert.ok(page.url().startsWith(`${BASE}/runs?`));
      await checkPage(page, lang, "runs");
      await shot(page, `runs-${lang}`);
      const wanted = runs[0];
      await page.getByLabel(t("runs.filter_text")).fill(wanted.title);
      await button(page, "filter").click();
      await settled(page);
      const link = page.getByRole("link", { name: wanted.title, exact: true }).first();
      await link.waitFor();
      assert.equal(new URL(page.url()).searchParams.get("text"), wanted.title);
      const head = page.getByRole("columnheader", { name: t("points") });
      await head.getByRole("button").click();
      await settled(page);
      assert.equal(await head.getAttribute("aria-sort"), "ascending");
      await page.reload();
      await settled(page);
      assert.equal(await page.getByLabel(t("runs.filter_text")).inputValue(), wanted.title);
      await link.click();
      await settled(page);
      assert.equal((await page.locator("h1").textContent()).trim(), wanted.title);
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1", "the focus follows the navigation");
    });

    journey("look at a run: zoom, reset, hide, log, table, CSV and SVG", async (page) => {
      const run = richRun();
      await visit(page, `/runs/${encodeURIComponent(run.id)}?lang=${lang}`);
      await page.locator(".u-over").first().waitFor();
      await checkPage(page, lang, "run");
      await shot(page, `run-${lang}`);
      const plots = [];
      page.on("request", (request) => {
        if (request.url().endsWith("/run/plot")) plots.push(JSON.parse(request.postData()));
      });
      const over = page.locator(".u-over").first();
      await over.scrollIntoViewIfNeeded();
      const box = await over.boundingBox();
      const middle = box.y + box.height / 2;
      await page.mouse.move(box.x + box.width * 0.25, middle);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.5, middle, { steps: 6 });
      await page.mouse.up();
      await page.waitForFunction(() => new URLSearchParams(location.search).has("from"));
      await page.waitForTimeout(400);
      await settled(page);
      const { searchParams } = new URL(page.url());
      const zoomed = plots.at(-1);
      assert.ok(zoomed, "the zoom asks the server again");
      assert.equal(zoomed.from_s, Number(searchParams.get("from")));
      assert.equal(zoomed.to_s, Number(searchParams.get("to")));
      await page.mouse.dblclick(box.x + box.width * 0.4, middle);
      await page.waitForFunction(() => !new URLSearchParams(location.search).has("from"));
      await settled(page);

      const figure = page.locator("figure").first();
      await figure.getByRole("button", { name: t("chart.log"), exact: true }).click();
      assert.ok(new URL(page.url()).searchParams.get("log"));
      await figure.getByRole("button", { name: t("chart.log"), exact: true }).click();
      const legend = figure.locator(".legend button").first();
      await legend.click();
      assert.equal(await legend.getAttribute("aria-pressed"), "false");
      assert.ok(new URL(page.url()).searchParams.get("hide"));
      await legend.click();
      await figure.getByRole("button", { name: t("chart.as_table"), exact: true }).click();
      assert.ok((await figure.locator("tbody tr").count()) > 0, "the table has rows");
      await checkPage(page, lang, "run with table");
      const csv = await downloaded(page, () => figure.getByRole("button", { name: new RegExp("CSV") }).click());
      assert.match(csv.text, /^\uFEFFseries,elapsed_s,time,value,unit,quality,original\r\n/);
      assert.ok(csv.text.split("\r\n").length > 3);
      const svg = await downloaded(page, () => figure.getByRole("button", { name: new RegExp("SVG") }).click());
      assert.match(svg.text, /<svg [^>]*viewBox/);
      assert.match(svg.text, /<path d="M/);
      await figure.getByRole("button", { name: t("chart.python"), exact: true }).click();
      await page.getByText(t("copied")).waitFor();
      const snippet = await page.evaluate(() => navigator.clipboard.readText());
      assert.match(snippet, /urllib\.request/);
      assert.match(snippet, /\/api\/v1\/run\//);
    });

    journey("the address is the view: keyboard zoom, clock time, raw points survive a reload", async (page) => {
      const run = richRun();
      await visit(page, `/runs/${encodeURIComponent(run.id)}?lang=${lang}`);
      await page.locator(".u-over").first().waitFor();
      await page.getByRole("group", { name: t("chart.keys") }).focus();
      for (const key of ["+", "+", "ArrowRight", "-"]) await page.keyboard.press(key);
      await page.waitForFunction(() => new URLSearchParams(location.search).has("from"));
      if (run.started) await button(page, "chart.clock").click();
      await page.getByLabel(t("chart.raw")).check();
      await page.waitForTimeout(400);
      await settled(page);
      const before = await page.locator(".readout").textContent();
      const address = page.url();
      await page.reload();
      await page.locator(".u-over").first().waitFor();
      await settled(page);
      assert.equal(page.url(), address);
      assert.equal(await page.locator(".readout").textContent(), before);
      assert.ok(await page.getByLabel(t("chart.raw")).isChecked());
      await page.getByRole("group", { name: t("chart.keys") }).focus();
      await page.keyboard.press("Shift+ArrowRight");
      assert.match(await page.locator(".readout").textContent(), new RegExp(t("chart.crosshair")));
      await page.keyboard.press("0");
      await page.waitForFunction(() => !new URLSearchParams(location.search).has("from"));
    });

    journey("a censored assay is shown as the limit it is", async (page) => {
      const { rows } = await ask("sql query", { query: "SELECT file, value_high, value_unit FROM assay WHERE value_kind = 'less-than' AND value_high IS NOT NULL ORDER BY value_high DESC LIMIT 1" });
      assert.ok(rows.length > 0, "the store needs a less-than assay: import an analyser's file with one");
      const [file, high] = rows[0];
      await visit(page, `/records/file/${encodeURIComponent(file)}?lang=${lang}`);
      const table = page.getByRole("region", { name: t("table_of", { title: t("run.samples") }) });
      await table.waitFor();
      const cells = (await table.getByText(/^\s*< [0-9]/).allTextContents()).map((cell) => cell.trim());
      const numbers = cells.map((cell) => Number(/^< ([0-9.,]+)/.exec(cell)?.[1]?.replaceAll(",", "")));
      assert.ok(numbers.includes(high), `${cells.join(" | ")} holds < ${high}`);
      assert.equal(await table.getByText(/-0(?:\.0)?(?: |$)/).count(), 0, "no limit became a number");
      await checkPage(page, lang, "samples of a file");
      await table.scrollIntoViewIfNeeded();
      await shot(page, `samples-${lang}`);
    });

    journey("compare two runs: a vessel keeps its colour", async (page) => {
      const withPoints = runs.filter((run) => run.points > 0);
      // Two vessels of one instrument where there are such, so that quantities are shared.
      const first = withPoints.find((run) => withPoints.some((other) => other.format === run.format && other.vessel !== run.vessel)) ?? withPoints[0];
      const second = withPoints.find((run) => run.format === first.format && run.vessel !== first.vessel) ?? withPoints.find((run) => run.id !== first.id);
      const pair = [first, second];
      await visit(page, `/runs?lang=${lang}&sort=-points`);
      for (const run of pair) {
        await page.getByRole("checkbox", { name: t("runs.choose_x", { title: run.title }), exact: true }).first().check();
      }
      const colourOf = (run) => page.locator("tr", { has: page.getByRole("link", { name: run.title, exact: true }) }).first().locator("svg line").getAttribute("stroke");
      const colour = await colourOf(pair[0]);
      await page.getByRole("button", { name: new RegExp(`^${stem(lang, "runs.compare_n").replace(/[()]/g, "").trim()}`) }).click();
      await settled(page);
      await page.locator(".u-over").first().waitFor();
      assert.equal(new URL(page.url()).pathname, "/compare");
      const legend = page.locator("figure").first().locator(".legend button");
      assert.ok((await legend.count()) >= 1);
      assert.equal(await page.locator(".chip", { hasText: pair[0].title }).first().locator("svg line").getAttribute("stroke"), colour);
      await checkPage(page, lang, "compare");
      await shot(page, `compare-${lang}`);
    });

    journey("keep a record: new, refused, saved, changed, retired, undone", async (page) => {
      const kind = await ask("kind show", { kind: "strain" });
      await visit(page, `/records?lang=${lang}`);
      await checkPage(page, lang, "kinds");
      await shot(page, `records-${lang}`);
      await page.getByRole("link", { name: kind.label[lang], exact: true }).click();
      await settled(page);
      await button(page, "record.new").click();
      await checkPage(page, lang, "new record");
      await button(page, "record.save").click();
      const invalid = page.locator('[aria-invalid="true"]');
      await invalid.first().waitFor();
      const id = `E2E-${lang.toUpperCase()}-${Date.now().toString(36).toUpperCase()}`;
      const filled = await fillRequired(page, kind, lang, id);
      await button(page, "record.save").click();
      await page.waitForURL((url) => url.pathname.startsWith("/records/strain/"));
      await settled(page);
      await checkPage(page, lang, "record");
      await shot(page, `record-${lang}`);

      await button(page, "record.edit").click();
      await settled(page);
      await page.getByLabel(new RegExp(`^${filled.label}`)).first().fill(`${filled.text} 2`);
      await page.getByLabel(t("record.reason"), { exact: true }).fill("e2e: a reason");
      await checkPage(page, lang, "edit");
      await button(page, "record.save").click();
      const history = page.getByRole("region", { name: t("table_of", { title: t("record.history") }) });
      await history.getByText("e2e: a reason").waitFor();
      assert.ok(await history.getByText(`${filled.text} 2`).first().isVisible());

      await button(page, "record.retire").click();
      await page.getByLabel(t("record.reason_required")).fill("e2e: out of use");
      await page.locator("dialog").getByRole("button", { name: t("record.retire"), exact: true }).click();
      await button(page, "undo").click();
      await button(page, "record.edit").waitFor();
      await history.getByText("e2e: out of use").waitFor();
    });

    journey("search everything from the keyboard", async (page) => {
      const kinds = (await ask("kind list")).kinds.filter((one) => one.records > 0);
      const kind = kinds.find((one) => one.kind === "technology") ?? kinds.find((one) => one.kind === "strain") ?? kinds[0];
      assert.ok(kind, "the store needs a record: load the policy tables");
      const list = await ask("record list", { kind: kind.kind, limit: 1 });
      const wanted = list.records[0].title[lang] || list.records[0].id;
      await visit(page, `/runs?lang=${lang}`);
      await page.keyboard.press("/");
      assert.equal(await page.evaluate(() => document.activeElement?.id), "search-box");
      await page.keyboard.type(wanted);
      await page.keyboard.press("Enter");
      await settled(page);
      assert.equal(new URL(page.url()).searchParams.get("q"), wanted);
      await page.locator(`.hits a[href*="/${list.records[0].id}"]`).first().waitFor();
      await checkPage(page, lang, "search");
      await shot(page, `search-${lang}`);
      const other = list.records[0].title[lang === "en" ? "ja" : "en"];
      const ids = async (text) => (await ask("search query", { text, limit: 200 })).hits.map((hit) => hit.id);
      assert.ok((await ids(other || wanted)).includes(list.records[0].id), "the other language finds it too");
    });

    journey("the command palette goes anywhere", async (page) => {
      await visit(page, `/runs?lang=${lang}`);
      await page.keyboard.press("Control+k");
      await page.keyboard.type("SQL");
      assert.equal(await page.getByLabel(t("palette.label")).inputValue(), "SQL", "the focus is in the palette");
      await checkPage(page, lang, "palette");
      await page.keyboard.press("Enter");
      await page.waitForURL((url) => url.pathname === "/sql");
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
      await page.keyboard.press("?");
      await page.getByRole("dialog", { name: t("command.help") }).waitFor();
      await page.keyboard.press("Escape");
      assert.equal(await page.locator("dialog[open]").count(), 0);
    });

    journey("import a table: trial first, mapping, then the run", async (page) => {
      await visit(page, `/import?lang=${lang}&zone=Asia%2FTokyo`);
      await checkPage(page, lang, "import");
      await page.locator("#files").setInputFiles([fixture("flask_growth.csv"), fixture("unreadable.bin")]);
      await page.getByText(t("import.nothing_written")).waitFor();
      const table = page.getByRole("article", { name: "flask_growth.csv" });
      const broken = page.getByRole("article", { name: "unreadable.bin" });
      await broken.getByText(t("import.state.refused"), { exact: true }).waitFor();
      await broken.getByRole("alert").waitFor();
      await table.waitFor();
      await checkPage(page, lang, "trial reading");
      const map = table.getByRole("button", { name: new RegExp(`^(?:${escaped(t("import.map"))}|${escaped(t("import.map_again"))})$`) });
      if (await map.count()) {
        await map.click();
        await page.getByRole("heading", { name: t("mapping.title", { name: "flask_growth.csv" }) }).waitFor();
        await button(page, "mapping.use").waitFor();
        await checkPage(page, lang, "mapping");
        await shot(page, `mapping-${lang}`);
        await button(page, "mapping.use").click();
      }
      await table.locator(".state").filter({ hasText: new RegExp(`^(?:${escaped(t("import.state.would-import"))}|${escaped(t("import.state.already-there"))})$`) }).waitFor();
      await shot(page, `import-${lang}`);
      await button(page, "import.confirm_n", { n: 1 }).click();
      await page.getByRole("heading", { name: t("import.done_n", { n: 1 }) }).waitFor();
      await checkPage(page, lang, "imported");
      const link = page.locator("main a[href^='/runs/']").first();
      await link.click();
      await settled(page);
      assert.match(new URL(page.url()).pathname, /^\/runs\/.+/);
      await page.getByRole("heading", { name: t("run.file_long") }).waitFor();
    });

    journey("ask with SQL and take the answer as CSV", async (page) => {
      await visit(page, `/sql?lang=${lang}`);
      await page.getByLabel(t("sql.query")).fill("SELECT * FROM run LIMIT 3");
      await page.keyboard.press("Control+Enter");
      await page.getByRole("region", { name: t("sql.result") }).waitFor();
      await settled(page);
      await checkPage(page, lang, "sql");
      await shot(page, `sql-${lang}`);
      const csv = await downloaded(page, () => button(page, "sql.csv").click());
      assert.ok(csv.text.split("\r\n").length >= 3);
      await page.getByLabel(t("sql.query")).fill("SELEKT 1");
      await button(page, "sql.run").click();
      await page.getByRole("alert").waitFor();
      await checkPage(page, lang, "sql refused");
    });

    journey("dark colours hold the same contrast; language and skip link work", async (page) => {
      const run = richRun();
      const other = lang === "en" ? "ja" : "en";
      for (const path of ["/runs", `/runs/${encodeURIComponent(run.id)}`, "/records/strain", "/import", "/sql", "/nowhere"]) {
        await visit(page, `${path}?lang=${lang}`);
        await checkPage(page, lang, `dark ${path}`);
      }
      await visit(page, `/runs/${encodeURIComponent(run.id)}?lang=${lang}`);
      await page.locator(".u-over").first().waitFor();
      await shot(page, `run-dark-${lang}`);
      await page.keyboard.press("Tab");
      await page.getByRole("link", { name: t("skip_to_content") }).press("Enter");
      assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
      await page.getByRole("button", { name: other === "ja" ? "日本語" : "English", exact: true }).click();
      assert.equal(await page.locator("html").getAttribute("lang"), other);
      assert.equal(new URL(page.url()).searchParams.get("lang"), other);
      await page.getByRole("heading", { name: words(other)("run.marks") }).waitFor();
    }, { scheme: "dark" });
  });
}
