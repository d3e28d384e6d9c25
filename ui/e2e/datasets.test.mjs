// Readiness, release, and a run as one file, in both languages, in a real browser. The store must hold runs.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { ask, BASE, checkPage, launch, open, settled, shot, visit } from "./browser.mjs";
import { words } from "./words.mjs";

let browser;
let folder;
before(async () => {
  browser = await launch();
  folder = mkdtempSync(join(tmpdir(), "toji-e2e-"));
});
after(() => {
  rmSync(folder, { recursive: true, force: true });
  return browser?.close();
});

const points = (thousandths) => `${Math.trunc(thousandths / 1000)}.${String(thousandths % 1000).padStart(3, "0")}`;

for (const lang of ["en", "ja"]) {
  const t = words(lang);
  describe(`data sets in ${lang}`, () => {
    test("readiness: the score, a filter by code, and the way to the record", async () => {
      const { page, done } = await open(browser);
      const checked = await ask("dataset check", {});
      const lost = checked.findings.reduce((sum, one) => sum + one.lost_thousandths, 0);
      assert.equal(lost + checked.lost_left_out_thousandths, 100000 - checked.score_thousandths);
      await visit(page, `/readiness?lang=${lang}`);
      await page.getByText(t("ready.score", { score: points(checked.score_thousandths) })).waitFor();
      await checkPage(page, lang, "readiness");
      await shot(page, `readiness-${lang}`);
      const code = checked.findings[0].code;
      await page.locator("#code-filter").selectOption(code);
      assert.equal(new URL(page.url()).searchParams.get("code"), code);
      const shown = await page.locator(".findings code").allTextContents();
      assert.ok(shown.length > 0 && shown.every((one) => one === code), `${shown}`);
      const first = checked.findings.find((one) => one.code === code && one.kind === "run");
      await page.getByRole("link", { name: `${t("ready.open")}: run ${first.id}`, exact: true }).click();
      await settled(page);
      assert.equal(new URL(page.url()).pathname, `/runs/${first.id}`);
      await done();
    });

    test("release: from the form to a ZIP whose hash is the one that was told", async () => {
      const { page, done } = await open(browser);
      const run = (await ask("run list", { limit: 1, sort: "points" })).runs[0];
      await visit(page, `/release?lang=${lang}`);
      await checkPage(page, lang, "release");
      await page.getByLabel(t("release.name"), { exact: true }).fill(`e2e-${lang}`);
      await page.getByLabel(t("release.title_ja"), { exact: true }).fill("試験");
      await page.getByLabel(t("release.title_en"), { exact: true }).fill("Test");
      await page.getByLabel(t("ready.runs"), { exact: true }).fill(run.id);
      await page.getByLabel(t("release.grid"), { exact: true }).fill("600");
      await page.getByRole("button", { name: t("release.make"), exact: true }).click();
      await page.getByRole("heading", { name: `${t("release.done")}: e2e-${lang}-1.0.0` }).waitFor();
      await settled(page);
      await checkPage(page, lang, "released");
      await shot(page, `release-${lang}`);
      const link = page.getByRole("link", { name: t("release.download"), exact: true });
      const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
      assert.equal(download.suggestedFilename(), `e2e-${lang}-1.0.0.zip`);
      const zip = readFileSync(await download.path());
      const made = (await ask("record list", { kind: "dataset-release", filter: { name: `e2e-${lang}` } })).records[0];
      assert.equal(`sha256:${createHash("sha256").update(zip).digest("hex")}`, made.fields.package);
      assert.ok((await page.locator("main").textContent()).includes(made.fields.root_hash));
      await done();
    });

    test("a run as one file opens without a server and asks for nothing", async () => {
      const run = (await ask("run list", { limit: 500, sort: "-points" })).runs.find((one) => one.events > 0 || one.observations > 0);
      const answer = await fetch(`${BASE}/api/v1/run/page?id=${run.id}&download=1`);
      assert.equal(answer.headers.get("content-type"), "text/html; charset=utf-8");
      const path = join(folder, `${lang}.html`);
      writeFileSync(path, Buffer.from(await answer.arrayBuffer()));
      const context = await browser.newContext({ locale: lang === "ja" ? "ja-JP" : "en-GB", offline: true, viewport: { width: 1400, height: 900 } });
      const page = await context.newPage();
      const seen = [];
      page.on("pageerror", (error) => seen.push(`error: ${error.message}`));
      page.on("console", (message) => seen.push(`console: ${message.text()}`));
      page.on("request", (request) => {
        if (request.url() !== pathToFileURL(path).href) seen.push(`request: ${request.url()}`);
      });
      await page.goto(pathToFileURL(path).href);
      assert.equal(await page.locator("h1").textContent(), run.title);
      assert.equal(await page.locator("html").getAttribute("lang"), lang);
      assert.ok((await page.locator("svg path.line").count()) > 0, "lines are drawn");
      await checkPage(page, lang, "run page");
      const before = await page.locator("svg path.line").first().getAttribute("d");
      const box = await page.locator("svg").first().boundingBox();
      await page.mouse.move(box.x + box.width * 0.3, box.y + 40);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.5, box.y + 40);
      await page.mouse.up();
      assert.notEqual(await page.locator("svg path.line").first().getAttribute("d"), before, "a drag zooms");
      await page.locator("svg").first().dblclick();
      assert.equal(await page.locator("svg path.line").first().getAttribute("d"), before, "a double click goes back");
      await page.getByRole("button", { name: lang === "ja" ? "English" : "日本語" }).click();
      await checkPage(page, lang === "ja" ? "en" : "ja", "run page");
      await shot(page, `run-page-${lang}`);
      await context.close();
      assert.deepEqual(seen, []);
    });
  });
}

