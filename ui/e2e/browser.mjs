// Starts Debian's Chromium and opens pages that watch themselves: an error in the
// console or a request to another host fails the journey that caused it.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { address } from "./server.mjs";

export const BASE = await address();
const SHOTS = process.env.TOJI_SHOTS ?? "";
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A page in one language; `done` closes it and fails on what it saw. `also` is another host that it may ask. */
export async function open(browser, { scheme = "light", offline = false, base = BASE, also = base } = {}) {
  const context = await browser.newContext({
    viewport: { width: 1400, height: 900 },
    colorScheme: scheme,
    locale: "en-GB",
    timezoneId: "Asia/Tokyo",
    acceptDownloads: true,
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const seen = [];
  page.on("pageerror", (error) => seen.push(`error: ${error.message}`));
  page.on("console", (message) => {
    // A refusal (4xx) that a journey provokes is written by the browser itself, and so is a cut network.
    if (offline && /ERR_INTERNET_DISCONNECTED/.test(message.text())) return;
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) seen.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${base}/`) && !url.startsWith(`${also}/`) && !/^(?:data|blob):/.test(url)) seen.push(`request outside: ${url}`);
  });
  return {
    page,
    async done() {
      await context.close();
      assert.deepEqual(seen, []);
    },
  };
}

export async function visit(page, path) {
  await page.goto(`${BASE}${path}`);
  await settled(page);
}

/** The page has its answers: nothing is being loaded any more. */
export async function settled(page) {
  await page.waitForLoadState("networkidle");
  await page.waitForFunction(() => !document.querySelector(".busy"));
}

/** Exactly one h1, the language on <html>, and no finding of axe. */
export async function checkPage(page, lang, what) {
  assert.equal(await page.locator("h1").count(), 1, `${what}: one h1`);
  assert.equal(await page.locator("html").getAttribute("lang"), lang, `${what}: lang`);
  await page.evaluate(axeSource);
  const result = await page.evaluate(() => globalThis.axe.run());
  const found = result.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ")}`);
  assert.deepEqual(found, [], `${what}: axe`);
}

/** Writes a picture for the documentation when TOJI_SHOTS names a folder. */
export async function shot(page, name, fullPage = false) {
  if (SHOTS === "") return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage });
}

/** Asks the server directly, to know what the page should show. */
export async function ask(name, input = {}) {
  const response = await fetch(`${BASE}/api/v1/${name.replace(" ", "/")}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(input),
  });
  assert.ok(response.ok, `${name}: ${response.status} ${response.ok ? "" : await response.clone().text()}`);
  return response.json();
}

/** A download as text. */
export async function downloaded(page, click) {
  const [download] = await Promise.all([page.waitForEvent("download"), click()]);
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
}
