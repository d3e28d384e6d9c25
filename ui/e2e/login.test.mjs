// Invited, enrolled, in, a second factor, out and in again: in both languages, on stores of their own. A store without
// users shows none of it.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { checkPage, launch, open, settled, shot } from "./browser.mjs";
import { command, own } from "./server.mjs";
import { words } from "./words.mjs";

const PASSWORD = "violet harbor lantern";
const OTHER = "quiet meadow turbine";

/** RFC 6238, as an authenticator app does it. */
function appCode(secret, at = Date.now()) {
  const bits = [...secret].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac("sha1", key).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

for (const lang of ["en", "ja"]) {
  const t = words(lang);
  describe(`accounts in ${lang}`, () => {
    let base;
    let invited;
    before(async () => {
      const server = await own();
      base = server.base;
      const { page, done } = await open(browser, { base });
      // Before anybody is invited there is nothing to log in to.
      await page.goto(`${base}/runs?lang=${lang}`);
      await settled(page);
      assert.equal(await page.getByRole("button", { name: t("command.log_out"), exact: true }).count(), 0);
      assert.equal(await page.locator("#login-user").count(), 0);
      await done();
      invited = command(server.store, "user", "invite", "hanako-7");
    });

    test("an invitation, a password that is refused, and one that is taken; all by keyboard", async () => {
      const { page, done } = await open(browser, { base });
      await page.goto(`${base}/records?lang=${lang}`);
      await settled(page);
      await page.getByRole("heading", { name: t("login.title"), exact: true }).waitFor();
      await checkPage(page, lang, "log in");
      await shot(page, `login-${lang}`);
      await page.getByRole("button", { name: t("login.to_enrol"), exact: true }).press("Enter");
      await checkPage(page, lang, "enrol");
      await page.locator("#login-user").focus();
      await page.keyboard.type("hanako-7");
      await page.keyboard.press("Tab");
      await page.keyboard.type(invited.enrolment_code.toLowerCase());
      await page.keyboard.press("Tab");
      await page.keyboard.type("hanako-7 hanako-7");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").filter({ hasText: "E-PEOPLE-003" }).waitFor();
      await checkPage(page, lang, "refused password");
      await page.getByLabel(t("login.new_password"), { exact: true }).fill(PASSWORD);
      await page.keyboard.press("Enter");
      // Where she wanted to go.
      await page.getByRole("link", { name: `${t("account.title")}: hanako-7` }).waitFor();
      await settled(page);
      assert.equal(new URL(page.url()).pathname, "/records");
      const cookies = await page.context().cookies();
      const cookie = cookies.find((one) => one.name === "toji-session");
      assert.ok(cookie.httpOnly && cookie.sameSite === "Strict" && !cookie.secure, JSON.stringify(cookie));
      assert.equal(await page.evaluate(() => document.cookie), "");
      await page.getByRole("button", { name: t("command.log_out"), exact: true }).press("Enter");
      await page.getByRole("heading", { name: t("login.title"), exact: true }).waitFor();
      assert.equal((await page.context().cookies()).length, 0);
      await done();
    });

    test("a second factor, recovery codes, a new password, and the ends of sessions", async () => {
      const { page, done } = await open(browser, { base });
      await page.goto(`${base}/account?lang=${lang}`);
      const enter = async (password) => {
        await page.locator("#login-user").fill("hanako-7");
        await page.locator("#login-password").fill(password);
        await page.getByRole("button", { name: t("login.go"), exact: true }).click();
      };
      await enter("not the password");
      await page.getByRole("alert").filter({ hasText: "E-LOGIN-001" }).waitFor();
      await enter(PASSWORD);
      await page.getByRole("heading", { name: t("account.title"), exact: true }).waitFor();
      await settled(page);
      await checkPage(page, lang, "account");
      await page.locator("#account-second-password").fill(PASSWORD);
      await page.getByRole("button", { name: t("account.second_begin"), exact: true }).click();
      const secret = await page.locator(".copy code").first().textContent();
      await page.locator("#account-six").fill(appCode(secret));
      const used = appCode(secret);
      await page.getByRole("button", { name: t("account.confirm"), exact: true }).click();
      await page.getByRole("heading", { name: t("account.recovery"), exact: true }).waitFor();
      const recovery = await page.locator(".note.warn li").allTextContents();
      assert.equal(recovery.length, 10);
      await settled(page);
      await checkPage(page, lang, "recovery codes");
      await shot(page, `account-${lang}`);
      // Out and in: the code that was used does not count again, a recovery code does, once.
      await page.getByRole("button", { name: t("command.log_out"), exact: true }).click();
      await enter(PASSWORD);
      const code = page.locator("#login-code");
      await code.fill(used);
      await page.keyboard.press("Enter");
      await page.getByRole("alert").filter({ hasText: "E-LOGIN-001" }).waitFor();
      await code.fill(recovery[0]);
      await page.keyboard.press("Enter");
      await page.getByText(t("account.second_on", { n: 9 })).waitFor();
      // Somewhere else too; a new password here ends it there.
      const other = await open(browser, { base });
      await other.page.goto(`${base}/account?lang=${lang}`);
      await other.page.locator("#login-user").fill("hanako-7");
      await other.page.locator("#login-password").fill(PASSWORD);
      await other.page.keyboard.press("Enter");
      await other.page.locator("#login-code").fill(recovery[1]);
      await other.page.keyboard.press("Enter");
      await other.page.getByText(t("account.second_on", { n: 8 })).waitFor();
      await page.locator("#account-present").fill(PASSWORD);
      await page.locator("#account-new").fill(OTHER);
      await page.locator("#account-change-code").fill(recovery[2]);
      await page.getByRole("button", { name: t("account.change"), exact: true }).click();
      await page.getByText(t("account.changed")).waitFor();
      await other.page.reload();
      await other.page.getByRole("heading", { name: t("login.title"), exact: true }).waitFor();
      await other.done();
      await done();
    });
  });
}
