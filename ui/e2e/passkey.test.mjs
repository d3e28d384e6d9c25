// Passkeys in the browser's own hands: registered, used beside the password, used alone, named and removed, in both
// languages, with the virtual authenticator of Chromium.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { checkPage, launch, open, settled, shot } from "./browser.mjs";
import { command, own } from "./server.mjs";
import { words } from "./words.mjs";

const PASSWORD = "violet harbor lantern";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** An authenticator of this machine that knows its owner. */
async function authenticator(page) {
  const client = await page.context().newCDPSession(page);
  await client.send("WebAuthn.enable");
  const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
  const { authenticatorId } = await client.send("WebAuthn.addVirtualAuthenticator", { options });
  return {
    credentials: async () => (await client.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
    verify: (isUserVerified) => client.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
    set: (credential) => client.send("WebAuthn.addCredential", { authenticatorId, credential }),
    clear: () => client.send("WebAuthn.clearCredentials", { authenticatorId }),
  };
}

for (const lang of ["en", "ja"]) {
  const t = words(lang);
  describe(`passkeys in ${lang}`, () => {
    let base;
    let store;
    before(async () => {
      const server = await own();
      store = server.store;
      // Browsers make no passkeys for an address of numbers.
      base = server.base.replace("127.0.0.1", "localhost");
      const { enrolment_code: code } = command(store, "user", "invite", "hanako-7");
      const enrolled = await fetch(`${base}/api/v1/session/enrol`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ user: "hanako-7", code, password: PASSWORD }),
      });
      assert.ok(enrolled.ok);
    });

    test("by its number the page says where passkeys count", async () => {
      const numbers = base.replace("localhost", "127.0.0.1");
      const { page, done } = await open(browser, { base: numbers });
      await page.goto(`${numbers}/account?lang=${lang}`);
      await page.getByRole("link", { name: base, exact: true }).waitFor();
      assert.equal(await page.getByRole("button", { name: t("login.passkey"), exact: true }).count(), 0);
      await done();
    });

    test("registered, beside the password, alone, named, removed", async () => {
      const { page, done } = await open(browser, { base });
      const device = await authenticator(page);
      await page.goto(`${base}/account?lang=${lang}`);
      const enter = async () => {
        await page.locator("#login-user").fill("hanako-7");
        await page.locator("#login-password").fill(PASSWORD);
        await page.getByRole("button", { name: t("login.go"), exact: true }).click();
      };
      const inside = () => page.getByRole("heading", { name: t("account.title"), exact: true }).waitFor();
      const out = async () => {
        await page.getByRole("button", { name: t("command.log_out"), exact: true }).click();
        await page.getByRole("heading", { name: t("login.title"), exact: true }).waitFor();
      };
      await enter();
      await inside();
      await page.getByText(t("passkey.none"), { exact: true }).waitFor();
      await page.locator("#passkey-name").fill("lab laptop");
      await page.locator("#passkey-password").fill(PASSWORD);
      await page.getByRole("button", { name: t("passkey.add"), exact: true }).click();
      await page.getByRole("rowheader", { name: "lab laptop", exact: true }).waitFor();
      assert.equal(await page.locator(".note.warn li").count(), 10);
      await settled(page);
      await checkPage(page, lang, "passkeys");
      await shot(page, `passkeys-${lang}`, true);
      const [made] = await device.credentials();
      assert.equal(made.rpId, "localhost");
      // What the authenticator keeps of her says nothing of her.
      assert.ok(!Buffer.from(made.userHandle, "base64").toString("latin1").includes("hanako"));
      await out();
      // Beside the password.
      await enter();
      await page.getByRole("alert").filter({ hasText: "E-LOGIN-014" }).waitFor();
      await page.getByLabel(t("login.recovery"), { exact: true }).waitFor();
      await checkPage(page, lang, "a passkey is wanted");
      await page.getByRole("button", { name: t("login.passkey_beside"), exact: true }).click();
      await inside();
      await out();
      // Alone: no name, no password.
      await page.getByRole("button", { name: t("login.passkey"), exact: true }).press("Enter");
      await inside();
      await page.locator("dd.mono").filter({ hasText: "hanako-7" }).waitFor();
      // Its count went up, and a copy that is behind is refused.
      const [used] = await device.credentials();
      assert.ok(used.signCount > made.signCount, `${made.signCount} ${used.signCount}`);
      await out();
      await device.clear();
      await device.set({ ...used, signCount: 0 });
      await page.getByRole("button", { name: t("login.passkey"), exact: true }).click();
      await page.getByRole("alert").filter({ hasText: "E-LOGIN-001" }).waitFor();
      await device.clear();
      await device.set(used);
      await page.getByRole("button", { name: t("login.passkey"), exact: true }).click();
      await inside();
      // Named.
      await page.getByRole("button", { name: t("passkey.rename_x", { name: "lab laptop" }), exact: true }).click();
      await page.locator("#passkey-new-name").fill("青い鍵");
      await page.getByRole("button", { name: t("passkey.keep"), exact: true }).click();
      await page.getByRole("rowheader", { name: "青い鍵", exact: true }).waitFor();
      // Removed; then the password alone opens again.
      await page.getByRole("button", { name: t("passkey.remove_x", { name: "青い鍵" }), exact: true }).click();
      await page.locator("#passkey-remove-password").fill(PASSWORD);
      await checkPage(page, lang, "remove a passkey");
      await page.getByRole("button", { name: t("passkey.remove"), exact: true }).last().click();
      await page.getByText(t("passkey.none"), { exact: true }).waitFor();
      await out();
      await enter();
      await inside();
      await done();
    });
  });
}
