// A log-in at an OpenID provider: the browser goes there and comes back, in both languages. The provider is a small one
// of the journey's own that signs with a real key.
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { checkPage, launch, open } from "./browser.mjs";
import { command, own } from "./server.mjs";
import { words } from "./words.mjs";

const SECRET = "hush-hush";
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const code = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A provider that lets in whoever comes, as `person.sub`; or says no. */
function provide(person) {
  const grants = new Map();
  let issuer = "";
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, issuer);
    const answer = (body, status = 200) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (url.pathname === "/.well-known/openid-configuration")
      return answer({ issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks` });
    if (url.pathname === "/jwks") return answer({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k", use: "sig", alg: "RS256" }] });
    if (url.pathname === "/authorize") {
      const asked = url.searchParams;
      const back = new URL(asked.get("redirect_uri"));
      back.searchParams.set("state", asked.get("state"));
      if (person.sub === null) back.searchParams.set("error", "access_denied");
      else {
        const given = `code-${grants.size}`;
        grants.set(given, { nonce: asked.get("nonce"), challenge: asked.get("code_challenge"), redirect: asked.get("redirect_uri") });
        back.searchParams.set("code", given);
      }
      return response.writeHead(302, { location: back.href }).end();
    }
    let body = "";
    for await (const part of request) body += part;
    const form = new URLSearchParams(body);
    const grant = grants.get(form.get("code"));
    const basic = `Basic ${Buffer.from(`toji:${SECRET}`).toString("base64")}`;
    const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
    if (!grant || grant.challenge !== challenge || grant.redirect !== form.get("redirect_uri") || request.headers.authorization !== basic)
      return answer({ error: "invalid_grant" }, 400);
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer, sub: person.sub, aud: "toji", exp: now + 60, iat: now, nonce: grant.nonce };
    const signed = `${code({ alg: "RS256", kid: "k" })}.${code(claims)}`;
    return answer({ access_token: "x", token_type: "Bearer", id_token: `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}` });
  });
  return new Promise((done) =>
    server.listen(0, "127.0.0.1", () => {
      issuer = `http://localhost:${server.address().port}`;
      server.unref();
      done(issuer);
    }),
  );
}

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

for (const lang of ["en", "ja"]) {
  const t = words(lang);
  describe(`a log-in at a provider in ${lang}`, () => {
    const person = { sub: "3f9a" };
    const folder = mkdtempSync(join(tmpdir(), "toji-provider-"));
    after(() => rmSync(folder, { recursive: true, force: true }));
    let base;
    let issuer;
    before(async () => {
      issuer = await provide(person);
      writeFileSync(join(folder, "secret"), `${SECRET}\n`);
      const settings = [`issuer = "${issuer}"`, 'name = "Acme ID"', 'client_id = "toji"', `client_secret_file = "${join(folder, "secret")}"`, "[users]", '"3f9a" = "hanako-7"'];
      writeFileSync(join(folder, "provider.toml"), settings.join("\n"));
      const server = await own(undefined, ["--provider", join(folder, "provider.toml")]);
      base = server.base.replace("127.0.0.1", "localhost");
      command(server.store, "user", "invite", "hanako-7");
    });

    test("there and back, to where one wanted to go", async () => {
      const { page, done } = await open(browser, { base, also: issuer });
      await page.goto(`${base}/records?lang=${lang}`);
      const button = page.getByRole("button", { name: t("login.provider", { name: "Acme ID" }), exact: true });
      await button.waitFor();
      await checkPage(page, lang, "log in with a provider");
      await button.press("Enter");
      await page.getByRole("link", { name: `${t("account.title")}: hanako-7` }).waitFor();
      const there = new URL(page.url());
      assert.deepEqual([there.pathname, there.search], ["/records", `?lang=${lang}`]);
      assert.equal(await page.evaluate(() => document.cookie), "");
      await done();
    });

    test("somebody who is no user here, and a provider that says no", async () => {
      const { page, done } = await open(browser, { base, also: issuer });
      const button = page.getByRole("button", { name: t("login.provider", { name: "Acme ID" }), exact: true });
      person.sub = "4711";
      await page.goto(`${base}/runs?lang=${lang}`);
      await button.click();
      await page.getByRole("alert").filter({ hasText: "E-PROVIDER-006" }).waitFor();
      assert.deepEqual([new URL(page.url()).pathname, new URL(page.url()).search], ["/signed-in", ""]);
      person.sub = null;
      await page.goto(`${base}/runs?lang=${lang}`);
      await button.click();
      await page.getByRole("alert").filter({ hasText: "access_denied" }).waitFor();
      person.sub = "3f9a";
      await done();
    });
  });
}
