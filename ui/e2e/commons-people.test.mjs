// The commons among people: the house, a depositor, a member and an applicant, each logged in with password and one-time
// code, and a guest who is not. A data set is shared under an agreement, its use is registered, what it owes is handed in
// and accepted; an applicant is screened and approved by two people; the log is verified. What
// somebody may not see or do is absent, and refused with its reason when asked for all the same.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { command, own } from "./server.mjs";
import { words } from "./words.mjs";

const folder = mkdtempSync(join(tmpdir(), "toji-people-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const store = join(folder, "store");
const keyFile = (organisation) => join(folder, `${organisation}.key`);
const toji = (...said) => command(store, ...said);
const PASSWORD = "violet harbor lantern";

/** Who is who: organisation and role. */
const PEOPLE = {
  "umi-1": ["ORG-HOME", "operator"],
  "sora-2": ["ORG-HOME", "export-control-officer"],
  "riku-3": ["ORG-HOME", "steward"],
  "dan-4": ["ORG-D", "contributor-admin"],
  "mei-5": ["ORG-M", "contributor-admin"],
  "saku-6": ["ORG-M", "scientist"],
  "nao-7": ["ORG-N", "contributor-admin"],
  "rin-8": ["ORG-D", "steward"],
};

command(store, "init");
// Whose data are valued beside those of ORG-D: of fewer than five owners, the worth of one would tell of the others' data.
const GROWERS = ["ORG-V", "ORG-W", "ORG-X", "ORG-Y"];
for (const [id, name] of [["ORG-HOME", "基盤の運営組織"], ["ORG-D", "D社"], ["ORG-M", "M社"], ["ORG-N", "N社"], ...GROWERS.map((id) => [id, id])]) toji("record", "put", "organisation", id, "--fields", JSON.stringify({ name, country: "JP" }));
toji("commons", "found", "ORG-HOME", "--country", "JP");
for (const organisation of ["ORG-D", "ORG-M", ...GROWERS]) {
  toji("commons", "apply", organisation, "--country", "JP", "--reason", "strain improvement");
  toji("commons", "screen", organisation, "--listing", "clear", "--evidence", "looked up");
  toji("commons", "decide", organisation, "--approve", "--reason", "fits");
}
for (const organisation of ["ORG-HOME", "ORG-D", "ORG-M", ...GROWERS]) {
  const made = toji("--out", keyFile(organisation), "commons", "make-key", organisation);
  toji("commons", "key", organisation, "--key", made.key);
}
/** Cultures that grow the faster the longer they run, so that one can be foretold from the other. */
function growing(hours, day) {
  const rows = Array.from({ length: hours + 1 }, (_, h) => `2026-06-${String(day).padStart(2, "0")} ${String(h).padStart(2, "0")}:00,${h},${(0.05 * Math.exp((0.2 + 0.01 * hours) * h)).toFixed(5)},${(40 - h).toFixed(2)}`);
  return ["時刻,経過時間 (h),OD600,グルコース (g/L)", ...rows, ""].join("\n");
}
// The house has reference cultures, which anybody's data can be tried on.
const references = Array.from({ length: 6 }, (_, i) => join(folder, `reference-${i}.csv`));
references.forEach((file, i) => writeFileSync(file, growing(9 + 2 * i, 22 + i)));
const brought = toji("run", "import", ...references).runs.map((run) => run.id);
toji("commons", "share", "DS-OPEN", "--title", "Reference cultures", "--area", "public", ...brought.flatMap((run) => ["--runs", run]));
toji("commons", "checkpoint", "--key-file", keyFile("ORG-HOME"));
const codes = Object.fromEntries(Object.entries(PEOPLE).map(([id, [organisation, role]]) => [id, toji("user", "invite", id, "--organisation", organisation, "--roles", role).enrolment_code]));
for (const organisation of GROWERS) for (const role of ["steward", "contributor-admin"]) codes[`${organisation}-${role}`] = toji("user", "invite", `${organisation}-${role}`, "--organisation", organisation, "--roles", role).enrolment_code;

process.env.TOJI_STORE = store;
const { checkPage, downloaded, launch, open, settled, shot } = await import("./browser.mjs");
const { acts, signedBy } = await import("./acts.mjs");

/** RFC 6238, as an authenticator app does it. */
function appCode(secret, at) {
  const bits = [...secret].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac("sha1", key).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/** Waits while a step of the codes is about to end, so that a code is not too old when it arrives. */
async function steady() {
  const left = 30_000 - (Date.now() % 30_000);
  if (left < 8_000) await new Promise((done) => setTimeout(done, left + 200));
}

/** A request of the page itself: with the session of who is logged in on it. */
const send = (page, path, body) =>
  page.evaluate(async ([where, what]) => {
    const answer = await fetch(where, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(what) });
    return { status: answer.status, body: await answer.json().catch(() => null) };
  }, [`/api/v1/${path}`, body]);
const sender = (page) => (path, body) =>
  body instanceof FormData
    ? body.get("file").text().then((text) => page.evaluate(async ([where, name, text]) => {
        const form = new FormData();
        form.append("file", new File([text], name, { type: "text/csv" }));
        const answer = await fetch(where, { method: "POST", body: form });
        return { status: answer.status, body: await answer.json() };
      }, [`/api/v1/${path}`, body.get("file").name, text]))
    : send(page, path, body);
const refusedBy = (answer, code) => {
  assert.ok(answer.status >= 400, JSON.stringify(answer));
  assert.equal(answer.body.code, code);
  assert.ok(answer.body.message.en.length > 0 && answer.body.message.ja.length > 0 && answer.body.hint, "with its reason and a way out");
};

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

for (const lang of ["en", "ja"]) {
  const t = words(lang);
  const scheme = lang === "ja" ? "dark" : "light";
  const { act, stopped } = acts(lang, t);
  const table = (page, title) => page.getByRole("region", { name: t("table_of", { title }), exact: true });
  const button = (page, name) => page.getByRole("button", { name, exact: true });

  describe(`people of the commons in ${lang}`, () => {
    let base;
    const pages = {};
    const visit = async (page, tab, more = "") => {
      await page.goto(`${base}/commons?tab=${tab}${more}&lang=${lang}`);
      await settled(page);
    };
    const note = async (page, id) => (await send(page, "commons/agreement", { id })).body.agreements[0].note;
    /** The row that says whether somebody may do something with the data set. */
    const says = (page, action) => table(page, `${t("commons.may")}: DS-KOJI`).locator("tbody tr").filter({ has: page.getByRole("rowheader", { name: t(`commons.action.${action}`), exact: true }) });
    const article = (page, id) => page.getByRole("article").filter({ has: page.getByText(id, { exact: true }) });

    const tokens = {};
    /** Requests of somebody who works without a page. */
    async function bearer(user) {
      const ask = async (path, body, token) => {
        const form = body instanceof FormData;
        const headers = { ...(form ? {} : { "content-type": "application/json" }), ...(token ? { authorization: `Bearer ${token}` } : {}) };
        const answer = await fetch(`${base}/api/v1/${path}`, { method: "POST", headers, body: form ? body : JSON.stringify(body) });
        return { status: answer.status, body: await answer.json() };
      };
      if (!tokens[user]) {
        const enrolled = await ask("session/enrol", { user, code: codes[user], password: PASSWORD });
        assert.equal(enrolled.status, 200, JSON.stringify(enrolled));
        tokens[user] = (await ask("session", { user, password: PASSWORD, bearer: true })).body.token;
      }
      return (path, body) => ask(path, body, tokens[user]);
    }

    /** Enrols somebody with a second factor, and lets them in at the door. */
    async function enter(user) {
      const { page, done } = await open(browser, { scheme, base });
      await page.goto(`${base}/commons?lang=${lang}`);
      await settled(page);
      await steady();
      assert.equal((await send(page, "session/enrol", { user, code: codes[user], password: PASSWORD })).status, 200);
      const { secret } = (await send(page, "session/second-factor", { password: PASSWORD })).body;
      const at = Date.now();
      assert.equal((await send(page, "session/second-factor", { code: appCode(secret, at - 30_000) })).status, 200);
      assert.equal(await page.evaluate(async () => (await fetch("/api/v1/session", { method: "DELETE" })).status), 200);
      await page.reload();
      await page.getByRole("heading", { name: t("login.title"), exact: true }).waitFor();
      await page.locator("#login-user").fill(user);
      await page.locator("#login-password").fill(PASSWORD);
      await page.keyboard.press("Enter");
      await page.locator("#login-code").fill(appCode(secret, at));
      await page.keyboard.press("Enter");
      await page.getByRole("link", { name: `${t("account.title")}: ${user}` }).waitFor();
      await settled(page);
      pages[user] = { page, done };
    }

    before(async () => {
      base = (await own(store)).base;
    });

    test("a guest finds the door and nothing behind it", async () => {
      const { page, done } = await open(browser, { scheme, base });
      for (const tab of ["shared", "uses", "members", "agreements", "account", "budgets", "worth", "ask", "log", "secrets", "nodes"]) {
        await visit(page, tab);
        await page.getByRole("heading", { name: t("login.title"), exact: true }).waitFor();
        assert.equal(await page.getByRole("navigation", { name: t("commons.tabs") }).count(), 0);
        assert.ok(!(await page.locator("body").textContent()).includes("ORG-"), tab);
      }
      await checkPage(page, lang, "the door");
      // Asked directly: what is public, and of everything else nothing.
      const seen = await send(page, "commons/catalogue", {});
      assert.deepEqual([seen.status, seen.body.data_sets.map((one) => one.id)], [200, ["DS-OPEN"]]);
      assert.deepEqual((await send(page, "commons/member", {})).body.members, []);
      for (const [path, body] of [["commons/use", { data_set: "DS-OPEN", purpose: "research" }], ["commons/share", { id: "DS-X" }], ["commons/account", {}]]) {
        const answer = await send(page, path, body);
        assert.ok([401, 403].includes(answer.status) && answer.body.message[lang].length > 0, `${path}: ${JSON.stringify(answer)}`);
      }
      await done();
    });

    test("everybody enters with password and one-time code", async () => {
      for (const user of Object.keys(PEOPLE)) await enter(user);
      const { page } = pages["mei-5"];
      await visit(page, "shared");
      const role = (await send(page, "commons/catalogue", {})).body;
      assert.equal(role.user, "mei-5");
      const said = await page.locator("p.note").first().textContent();
      assert.ok(said.includes("mei-5") && said.includes("M社 (ORG-M)"), said);
      await checkPage(page, lang, "as a member");
    });

    test("an applicant applies, one of the house screens, another approves", async () => {
      const { page: nao } = pages["nao-7"];
      await visit(nao, "members");
      // Of members an applicant sees nothing yet, and applies for the own organisation alone.
      assert.equal(await table(nao, t("commons.members")).locator("tbody tr").count(), 0);
      await button(nao, t("commons.apply")).click();
      assert.deepEqual(await nao.locator("#apply-organisation option").evaluateAll((all) => all.map((one) => one.value)), ["ORG-N"]);
      await nao.keyboard.press("Escape");
      await act(nao, t("commons.apply"), { [t("commons.apply.reason")]: "koji for all" });
      refusedBy(await send(nao, "commons/apply", { organisation: "ORG-M", country: "JP", reason: "x" }), "E-COMMONS-003");
      await visit(nao, "shared");
      assert.deepEqual(await nao.getByRole("article").count(), 1);
      await article(nao, "DS-OPEN").waitFor();

      const { page: sora } = pages["sora-2"];
      await visit(sora, "members");
      await checkPage(sora, lang, "an application");
      await act(sora, `${t("commons.screen")}: ORG-N`, { [t("commons.listing")]: "clear", [t("commons.evidence")]: "lists of today" });
      assert.equal(await button(sora, `${t("commons.approve")}: ORG-N`).count(), 0, "who screens does not decide");
      refusedBy(await send(sora, "commons/decide", { organisation: "ORG-N", approve: true, reason: "x" }), "E-COMMONS-003");

      const { page: umi } = pages["umi-1"];
      await visit(umi, "members");
      assert.equal(await button(umi, `${t("commons.screen")}: ORG-N`).count(), 0);
      assert.equal(await button(umi, t("commons.apply")).count(), 0);
      await act(umi, `${t("commons.approve")}: ORG-N`, { [t("commons.reason")]: "fits" });
      await table(umi, t("commons.members")).locator("tbody tr", { hasText: "ORG-N" }).getByText(t("commons.state.approved")).first().waitFor();
      await checkPage(umi, lang, "approved");
    });

    test("the depositor shares a data set: faults stand at their fields, and who would gain by a change is shown before it", async () => {
      const { page } = pages["dan-4"];
      await visit(page, "shared");
      const strain = await send(page, "record/put", { kind: "strain", id: "KOJI-45", fields: { name: "KOJI-45", taxon_name: "Aspergillus oryzae" } });
      assert.equal(strain.status, 200, JSON.stringify(strain));
      const share = t("commons.share");
      assert.deepEqual(await stopped(page, share, { [t("commons.share.id")]: "DS-KOJI" }), { faults: { title: t("commons.act.missing") }, focus: "share-title" });
      const wrong = await act(page, share, { [t("commons.share.id")]: "DS:KOJI", [t("commons.share.title")]: "x" }, true);
      assert.ok(wrong.said.includes("E-COMMONS-012"), wrong.said);
      const filled = { [t("commons.share.id")]: "DS-KOJI", [t("commons.share.title")]: "Cultures at 45 °C", [t("commons.area")]: { one: t("commons.area.cooperative") }, [t("commons.kind.strain")]: ["KOJI-45"], [t("commons.share.units")]: "2" };
      const shared = await act(page, share, filled);
      assert.ok(shared.effects.includes(t("commons.area_effect.cooperative")) && shared.effects.includes(t("commons.share.records", { n: 1 })), shared.effects.join("\n"));
      const mine = article(page, "DS-KOJI");
      await mine.locator(".badge").getByText(t("commons.own"), { exact: true }).waitFor();
      assert.equal(await button(page, `${t("commons.use")}: DS-KOJI`).count(), 0, "one's own needs no registration");
      // A change to the public area is shown for what it is, and is not made.
      await button(page, `${t("commons.share.change")}: DS-KOJI`).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel(t("commons.area.public"), { exact: true }).check();
      await dialog.getByRole("button", { name: t("commons.act.next"), exact: true }).click();
      await dialog.getByText(t("commons.preview.everybody"), { exact: true }).first().waitFor();
      await checkPage(page, lang, "what a public area would change");
      await shot(page, `commons-share-${lang}`);
      await page.keyboard.press("Escape");
      const kept = (await send(page, "commons/catalogue", {})).body.data_sets.find((one) => one.id === "DS-KOJI");
      assert.deepEqual([kept.area, kept.owner, kept.records], ["cooperative", "ORG-D", { strain: 1 }]);
      await checkPage(page, lang, "shared");
    });

    test("an agreement is drafted, looked at before it is signed, and signed by those who may", async () => {
      const { page: dan } = pages["dan-4"];
      const { page: mei } = pages["mei-5"];
      await visit(dan, "agreements");
      const draft = t("commons.draft");
      const filled = (id, more) => ({
        [t("commons.draft.id")]: id, [lang === "ja" ? "標題" : "Title"]: `Cultures at 45 °C, ${id}`, [lang === "ja" ? "人が読み" : "The text"]: "What people read and sign.",
        [t("commons.term.parties")]: ["M社 (ORG-M)"], [t("commons.term.data_sets")]: ["Cultures at 45 °C (DS-KOJI) · D社 (ORG-D)"],
        [t("commons.draft.from")]: "2026-04-01T00:00", [t("commons.draft.until")]: "2036-04-01T00:00",
        [t("commons.term.purposes")]: [t("commons.purpose.research")], [t("commons.term.grants")]: [t("commons.action.read")], ...more,
      });
      // What contradicts itself is refused at its field, before anything is confirmed.
      const back = await stopped(dan, draft, filled("AG-1", { [t("commons.draft.until")]: "2020-04-01T00:00" }));
      assert.ok(back.faults["until"]?.length > 0, JSON.stringify(back));
      const units = { [t("commons.draft.feedback_units")]: "2", [t("commons.draft.feedback_days")]: "20", [t("commons.term.patents")]: "notice" };
      const drafted = await act(dan, draft, filled("AG-2", units));
      // Who would gain is shown before the draft is kept.
      assert.ok(drafted.gains.some((row) => row.includes("M社")) && !drafted.gains.some((row) => row.includes("N社")), drafted.gains.join("\n"));
      assert.ok(drafted.effects[0].includes("M社") && drafted.effects[0].includes("D社"), drafted.effects[0]);
      // It opens beside what it would change: who is a party gains, who is none does not.
      const gained = table(dan, `${t("commons.preview.draft")}, ${t("commons.preview.gained")}`).locator("tbody tr");
      await gained.filter({ hasText: "M社" }).first().waitFor();
      assert.equal(await gained.filter({ hasText: "N社" }).count(), 0);
      for (const id of ["AG-2"]) {
        // The member looks at what it would change for whom, and both sign, each for their own alone.
        await visit(mei, "agreements", `&agreement=${id}`);
        const gains = table(mei, `${t("commons.preview.draft")}, ${t("commons.preview.gained")}`).locator("tbody tr");
        await gains.filter({ hasText: t("commons.action.read") }).filter({ hasText: "M社" }).first().waitFor();
        await checkPage(mei, lang, "a draft that waits");
        await button(mei, `${t("commons.sign")}: ${id}`).click();
        assert.deepEqual(await mei.locator(`#sign-${id}-organisation option`).evaluateAll((all) => all.map((one) => one.value)), ["ORG-M"]);
        await mei.keyboard.press("Escape");
        await act(mei, `${t("commons.sign")}: ${id}`, { [t("commons.sign.document")]: signedBy(keyFile("ORG-M"), "ORG-M", await note(mei, id)) });
        await visit(dan, "agreements", `&agreement=${id}`);
        const { effects } = await act(dan, `${t("commons.sign")}: ${id}`, { [t("commons.sign.document")]: signedBy(keyFile("ORG-D"), "ORG-D", await note(dan, id)) });
        assert.ok(effects.includes(t("commons.sign.last")));
      }
      // A scientist reads the terms and decides nothing; who is no party sees no agreement at all, nor what it would change.
      const { page: saku } = pages["saku-6"];
      await visit(saku, "agreements", "&agreement=AG-2");
      await saku.locator("#agreement-title").waitFor();
      for (const name of [draft, `${t("commons.sign")}: AG-2`, `${t("commons.draft.anew")}: AG-2`, t("commons.preview.ask_end")]) assert.equal(await button(saku, name).count(), 0, name);
      refusedBy(await send(saku, "commons/preview", { without: "AG-2" }), "E-COMMONS-003");
      const { page: nao } = pages["nao-7"];
      await visit(nao, "agreements", "&agreement=AG-2");
      await nao.getByText(t("commons.agreements.empty"), { exact: true }).waitFor();
      assert.equal(await nao.locator("#agreement-title").count(), 0);
      assert.equal((await send(nao, "commons/agreement", { id: "AG-2" })).status, 403);
    });

    test("the member registers the use by keyboard, and its people read only then", async () => {
      const { page: saku } = pages["saku-6"];
      const { page: mei } = pages["mei-5"];
      await saku.goto(`${base}/records/strain/KOJI-45?lang=${lang}`);
      await settled(saku);
      await saku.getByRole("alert").first().waitFor();
      await visit(saku, "shared");
      const reads = (page) => says(page, "read");
      assert.ok((await reads(saku).textContent()).includes(t("no")));
      await visit(mei, "shared");
      const set = article(mei, "DS-KOJI");
      assert.equal(await set.getByRole("list", { name: `${t("commons.use.agreements")}: DS-KOJI` }).locator("li").count(), 1);
      await checkPage(mei, lang, "a data set under an agreement");
      await shot(mei, `commons-member-${lang}`);
      await button(mei, `${t("commons.use")}: DS-KOJI`).focus();
      await mei.keyboard.press("Enter");
      const dialog = mei.getByRole("dialog");
      await dialog.getByText(t("commons.act.will"), { exact: true }).waitFor();
      const effects = await dialog.locator(".note li").allTextContents();
      assert.ok(effects.includes(t("commons.brings.under", { agreement: "AG-2" })) && effects.includes(t("commons.brings.notice", { n: 30 })), effects.join("\n"));
      await checkPage(mei, lang, "what the use brings");
      await shot(mei, `commons-use-${lang}`);
      await dialog.getByRole("button", { name: t("commons.act.confirm"), exact: true }).press("Enter");
      await dialog.waitFor({ state: "hidden" });
      await settled(mei);
      await mei.getByText(t("commons.use.done", { data_set: "DS-KOJI" }), { exact: true }).first().waitFor();
      const { duties } = (await send(mei, "commons/account", {})).body;
      assert.deepEqual(duties.map((one) => [one.agreement, one.data_set, one.owed]), [["AG-2", "DS-KOJI", 2]]);
      // The use stands among the uses of both sides; the owner sees what is owed to it, and by whom.
      await visit(mei, "uses");
      const used = await table(mei, t("commons.uses.mine")).locator("tbody tr").first().textContent();
      assert.ok(used.includes("DS-KOJI") && used.includes("AG-2") && used.includes("D社") && used.includes(t("commons.uses.duty.soon")), used);
      assert.equal(await mei.locator("#uses-organisation").count(), 0, "nobody chooses another's uses");
      await checkPage(mei, lang, "uses of a member");
      const { page: dan } = pages["dan-4"];
      await visit(dan, "uses");
      assert.ok((await table(dan, t("commons.uses.others")).locator("tbody tr").first().textContent()).includes("M社"));
      await visit(dan, "account");
      const owed = table(dan, t("commons.owed_to")).locator("tbody tr");
      const row = await owed.first().textContent();
      assert.ok(row.includes("M社") && row.includes("DS-KOJI") && row.includes(duties[0].duty), row);
      await owed.first().getByRole("button", { name: `${t("commons.settle")}: ${duties[0].duty}`, exact: true }).waitFor();
      await checkPage(dan, lang, "what is owed to a member");
      refusedBy(await send(pages["nao-7"].page, "commons/uses", { organisation: "ORG-D" }), "E-COMMONS-003");
      // Its people read now; those of an organisation that is no party do not, and are told why.
      await saku.goto(`${base}/records/strain/KOJI-45?lang=${lang}`);
      await settled(saku);
      assert.equal(await saku.getByRole("alert").count(), 0);
      assert.ok((await saku.locator("main").textContent()).includes("Aspergillus oryzae"));
      const { page: nao } = pages["nao-7"];
      await visit(nao, "shared");
      const why = await reads(nao).textContent();
      assert.ok(why.includes(t("no")) && why.length > 20, why);
      assert.equal(await button(nao, `${t("commons.use")}: DS-KOJI`).count(), 0);
      const use = await send(nao, "commons/use", { data_set: "DS-KOJI", purpose: "research" });
      assert.ok(use.status === 403 && use.body.code.startsWith("E-"), JSON.stringify(use));
      await nao.goto(`${base}/records/strain/KOJI-45?lang=${lang}`);
      await nao.getByRole("alert").first().waitFor();
    });

    test("the duty stands with its date; feedback is handed in, seen by the owner, and accepted", async () => {
      const { page: mei } = pages["mei-5"];
      const { page: dan } = pages["dan-4"];
      await visit(mei, "account");
      const duties = table(mei, t("commons.duties")).locator("tbody tr");
      const [duty] = (await send(mei, "commons/account", {})).body.duties;
      const row = await duties.first().textContent();
      const due = new Date(Date.now() + 20 * 86_400_000).toLocaleDateString("sv-SE", { timeZone: "Asia/Tokyo" });
      assert.ok(row.includes(due) && row.includes(t("commons.urgency.soon")) && row.includes("AG-2"), `${row} ${due}`);
      assert.equal(await mei.locator("#commons-organisation").count(), 0, "nobody chooses another's account");
      refusedBy(await send(mei, "commons/account", { organisation: "ORG-D" }), "E-COMMONS-003");
      await checkPage(mei, lang, "an account with a duty");
      await visit(mei, "shared");
      await act(mei, t("commons.share"), { [t("commons.share.id")]: "DS-BACK", [t("commons.share.title")]: "What grew at 45 °C", [t("commons.area")]: { one: t("commons.area.cooperative") } });
      await visit(mei, "account");
      await act(mei, `${t("commons.feedback")}: ${duty.duty}`, { [t("commons.feedback.given")]: "DS-BACK", [t("commons.units")]: "2", [t("commons.feedback.title")]: "grows at 45 °C" });
      const [handed] = (await send(mei, "commons/account", {})).body.feedback;
      assert.deepEqual([handed.state, handed.owner], ["handed-in", "ORG-D"]);
      assert.equal(await button(mei, `${t("commons.accept")}: ${handed.id}`).count(), 0, "nobody accepts their own");
      refusedBy(await send(mei, "commons/accept", { feedback: handed.id, reason: "x" }), "E-COMMONS-003");
      await visit(dan, "members");
      await dan.locator("li", { hasText: handed.id }).getByText(t("commons.waits.feedback")).waitFor();
      await visit(dan, "account");
      await act(dan, `${t("commons.accept")}: ${handed.id}`, { [t("commons.reason")]: "looked at" });
      await table(dan, t("commons.feedbacks")).locator("tbody tr", { hasText: handed.id }).getByText(t("commons.feedback_state.accepted")).waitFor();
      await checkPage(dan, lang, "accepted");
      await visit(mei, "account");
      await mei.getByText(t("commons.duties.none"), { exact: true }).waitFor();
      const { closing, sum_data_sets, sum_duties } = (await send(mei, "commons/account", {})).body;
      assert.deepEqual([closing.owed, closing.taken, sum_data_sets, sum_duties], [0, 2, 0, 0]);
    });

    test("a task that data are valued for is stated by somebody without a stake, and asked about by a steward", async () => {
      const { page: dan } = pages["dan-4"];
      const { page: mei } = pages["mei-5"];
      const { page: umi } = pages["umi-1"];
      const { page: rin } = pages["rin-8"];
      await visit(dan, "worth");
      await dan.getByText(t("commons.worth.no_task"), { exact: true }).waitFor();
      // Each owner's steward brings three cultures, and who answers for its data shares them.
      const owners = ["ORG-D", ...GROWERS];
      for (const [k, owner] of owners.entries()) {
        const [steward, admin] = owner === "ORG-D" ? [rin, dan].map(sender) : await Promise.all([`${owner}-steward`, `${owner}-contributor-admin`].map(bearer));
        const runs = [];
        for (let i = 0; i < 3; i += 1) {
          const form = new FormData();
          form.append("file", new File([growing(8 + k + 5 * i, 1 + k + 6 * i)], `${owner}-${i}.csv`, { type: "text/csv" }));
          const address = (await steward("upload", form)).body.files[0].address;
          runs.push((await steward("run/import", { paths: [address] })).body.runs[0].id);
        }
        const shared = await admin("commons/share", { id: `DS-GROWS-${owner}`, title: "Cultures of growth", area: "clean-room", runs });
        assert.equal(shared.status, 200, JSON.stringify(shared));
      }
      const parties = [...owners, "ORG-M"];
      const terms = { title: "Worth", text: "What people read and sign.", parties, data_sets: owners.map((owner) => `DS-GROWS-${owner}`), from: "2026-04-01T00:00:00Z", until: "2036-04-01T00:00:00Z", purposes: ["benchmark"], grants: ["compute"] };
      assert.equal((await send(dan, "commons/draft", { id: "AG-W", terms })).status, 200);
      for (const organisation of parties) {
        const signs = { "ORG-D": sender(dan), "ORG-M": sender(mei) }[organisation] ?? (await bearer(`${organisation}-contributor-admin`));
        assert.equal((await signs("commons/sign", { id: "AG-W", organisation, signed: signedBy(keyFile(organisation), organisation, await note(dan, "AG-W")) })).status, 200);
      }
      const task = { title: "Growth", agreement: "AG-W", target: "growth-rate-max", same: "0.002 /h", features: { duration: "1 h" }, tests: "DS-OPEN", neighbours: 2 };
      refusedBy(await send(dan, "commons/worth-task", { id: "WT-1", task }), "E-COMMONS-003");
      const stated = await send(umi, "commons/worth-task", { id: "WT-1", task });
      assert.equal(stated.status, 200, JSON.stringify(stated));
      // Whoever signs for an organisation does not compute for it: it is for its steward.
      await visit(dan, "worth");
      assert.equal(await button(dan, `${t("commons.worth.go")}: WT-1`).count(), 0);
      await visit(rin, "worth");
      await button(rin, `${t("commons.worth.go")}: WT-1`).waitFor();
      await rin.getByText("growth-rate-max (/h)", { exact: true }).waitFor();
      await checkPage(rin, lang, "tasks that data are valued for");
      await button(rin, `${t("commons.worth.go")}: WT-1`).click();
      await rin.getByRole("heading", { name: t("commons.worth.result", { task: "WT-1" }), exact: true }).waitFor();
      // One's own data and nobody else's; the figure, the table and the answer say the same.
      const { data_sets } = (await send(rin, "commons/worth", { task: "WT-1" })).body;
      assert.deepEqual(data_sets.map((one) => [one.data_set, one.accepted, one.complete, one.runs]), [["DS-GROWS-ORG-D", true, 3, 3]]);
      const cells = await table(rin, t("commons.worth.figure")).locator("tbody tr").locator("th, td").allTextContents();
      assert.equal(cells.length, 6);
      assert.equal(cells[0], "DS-GROWS-ORG-D");
      assert.equal(cells[2], String(data_sets[0].worth_percent));
      assert.ok(data_sets[0].low_percent <= data_sets[0].worth_percent && data_sets[0].worth_percent <= data_sets[0].high_percent, cells.join(" | "));
      assert.equal(await rin.getByText("DS-GROWS-ORG-V").count(), 0);
      await checkPage(rin, lang, "the worth of one's data");
      await shot(rin, `commons-worth-${lang}`);
    });

    test("the house keeps the platform without seeing the data, and everybody's log can be verified", async () => {
      const { page: umi } = pages["umi-1"];
      const { page: riku } = pages["riku-3"];
      await visit(umi, "shared");
      assert.ok((await says(umi, "read").textContent()).includes(t("no")));
      for (const name of [t("commons.share"), `${t("commons.use")}: DS-KOJI`]) assert.equal(await button(umi, name).count(), 0, name);
      // Who answers for the platform sees as another sees, and does nothing for them.
      await umi.locator("#commons-user").selectOption("saku-6");
      await settled(umi);
      assert.ok((await says(umi, "read").textContent()).includes(t("yes")));
      assert.equal(await button(umi, `${t("commons.use")}: DS-KOJI`).count(), 0);
      await checkPage(umi, lang, "with another's eyes");
      await umi.goto(`${base}/records/strain/KOJI-45?lang=${lang}`);
      await umi.getByRole("alert").first().waitFor();
      await visit(riku, "shared");
      assert.equal(await riku.locator("#commons-user").count(), 0, "a steward looks with their own eyes");
      assert.ok((await says(riku, "read").textContent()).includes(t("no")));
      refusedBy(await send(riku, "commons/catalogue", { user: "saku-6" }), "E-COMMONS-003");
      await visit(riku, "log");
      const head = (await send(riku, "commons/log", {})).body;
      const mirror = await downloaded(riku, () => riku.getByRole("link", { name: t("commons.log.mirror"), exact: true }).click());
      await riku.locator("#verify-file").setInputFiles({ name: "log.json", mimeType: "application/json", buffer: Buffer.from(mirror.text) });
      await riku.waitForFunction(() => document.querySelector("#verify-mirror").value !== "");
      await button(riku, t("commons.verify.go")).click();
      await riku.getByText(t("commons.verify.good", { origin: "ORG-HOME", n: head.size }), { exact: false }).waitFor();
      await checkPage(riku, lang, "a verified log");
    });

    test("nothing spills over at 800 pixels, whoever looks", async () => {
      for (const user of ["mei-5", "umi-1"]) {
        const { page } = pages[user];
        await page.setViewportSize({ width: 800, height: 900 });
        for (const tab of ["shared", "uses", "members", "agreements&agreement=AG-2", "account", "budgets", "worth", "ask", "log", "secrets", "nodes"]) {
          await visit(page, tab);
          await checkPage(page, lang, `${tab} at 800 pixels`);
          assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, `${tab}: no wider than the window`);
          await shot(page, `commons-800-${user}-${tab.split("&")[0]}-${lang}`, true);
        }
      }
      for (const { done } of Object.values(pages)) await done();
    });
  });
}
