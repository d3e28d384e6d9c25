// What journeys of the commons have in common: signatures as an organisation's own machine makes them, and acts on the
// page, from the form over what will happen to the confirmation.
import assert from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { checkPage, settled } from "./browser.mjs";
import { escaped } from "./forms.mjs";

/** The document with the signature of an organisation, as its own machine makes it (C2SP signed-note, Ed25519). */
export function signedBy(keyFile, organisation, note) {
  const [, name, hex] = readFileSync(keyFile, "utf8").trim().split(" ");
  assert.equal(name, organisation);
  const key = createPrivateKey({ key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.from(hex, "hex")]), format: "der", type: "pkcs8" });
  const open = Buffer.from(createPublicKey(key).export({ format: "jwk" }).x, "base64url");
  const hash = createHash("sha256").update(`${name}\n`).update(Buffer.from([1])).update(open).digest().subarray(0, 4);
  const at = note.indexOf("\n\n");
  const text = at < 0 ? note : note.slice(0, at + 1);
  const line = `— ${name} ${Buffer.concat([hash, sign(null, Buffer.from(text), key)]).toString("base64")}\n`;
  return at < 0 ? `${note}\n${line}` : `${note}${line}`;
}

/** Fills one field: a text; `true` for a tick; a list for some of many; `{ one }` for one of few. */
async function fill(dialog, label, value) {
  const named = new RegExp(`^${escaped(label)}`);
  if (Array.isArray(value) || value?.one !== undefined) {
    const group = dialog.getByRole("group", { name: named });
    if (Array.isArray(value)) for (const one of value) await group.getByLabel(one).first().check();
    else await group.getByLabel(value.one, { exact: true }).check();
    return;
  }
  const input = dialog.getByLabel(named).first();
  if (value === true || value === false) await input.setChecked(value);
  else if ((await input.evaluate((one) => one.tagName)) === "SELECT") await input.selectOption(value);
  else await input.fill(value);
}

export function acts(lang, t) {
  /** Opens an act and fills its form. */
  async function begin(page, name, fields = {}) {
    await page.getByRole("button", { name, exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    for (const [label, value] of Object.entries(fields)) await fill(dialog, label, value);
    return dialog;
  }
  const next = (dialog) => dialog.getByRole("button", { name: t("commons.act.next"), exact: true });
  async function shut(page, dialog) {
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
  }
  /** Opens an act, fills its form, goes on to what will happen, and confirms it. */
  async function act(page, name, fields = {}, refused = false) {
    const dialog = await begin(page, name, fields);
    if ((await next(dialog).count()) > 0) await next(dialog).click();
    await dialog.getByText(t("commons.act.will"), { exact: true }).waitFor();
    const effects = await dialog.locator(".note li").allTextContents();
    assert.ok(effects.length > 0, "what will happen is told");
    const gains = await dialog.getByRole("region", { name: t("table_of", { title: `${t("commons.preview.then")}, ${t("commons.preview.gained")}` }), exact: true }).locator("tbody tr").allTextContents();
    const losses = await dialog.getByRole("region", { name: t("table_of", { title: `${t("commons.preview.then")}, ${t("commons.preview.lost")}` }), exact: true }).locator("tbody tr").allTextContents();
    await checkPage(page, lang, name);
    await dialog.getByRole("button", { name: t("commons.act.confirm"), exact: true }).click();
    if (refused) {
      await dialog.getByRole("alert").waitFor();
      const said = await dialog.getByRole("alert").textContent();
      await shut(page, dialog);
      return { effects, gains, losses, said };
    }
    await dialog.waitFor({ state: "hidden" });
    await settled(page);
    return { effects, gains, losses, said: "" };
  }
  /** Fills a form that is sent back before anything is done: what is said at its fields, by the field that has the focus. */
  async function stopped(page, name, fields = {}) {
    const dialog = await begin(page, name, fields);
    await next(dialog).click();
    await dialog.locator(".fault:not(:empty)").first().waitFor();
    const faults = Object.fromEntries(await dialog.locator(".fault:not(:empty)").evaluateAll((all) => all.map((one) => [one.id.replace(/-fault$/, "").split("-").at(-1), one.textContent])));
    const focus = await page.evaluate(() => document.activeElement?.id ?? "");
    await checkPage(page, lang, `${name}, sent back`);
    await shut(page, dialog);
    return { faults, focus };
  }
  return { act, stopped };
}
