// The commons on its page, in both languages: an applicant becomes a member, an agreement is signed elsewhere and comes
// into force, a use is registered with what it brings, feedback is handed in and accepted, questions are asked, the log
// is mirrored and verified, a secret is asked for. The store is made by the command line and the pages act as its owner.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { own } from "./server.mjs";
import { words } from "./words.mjs";

const folder = mkdtempSync(join(tmpdir(), "toji-commons-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const store = join(folder, "store");
const keyFile = (organisation) => join(folder, `${organisation}.key`);

function toji(...words) {
  return execFileSync(process.env.TOJI_BIN ?? "toji", ["--store", store, "--json", ...words], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

const terms = (dataSet) => ({
  title: "Early access to cultures of koji", text: "What people read and sign.", parties: ["ORG-A", "ORG-HOME"], data_sets: [dataSet],
  from: "2026-04-01T00:00:00Z", until: "2036-04-01T00:00:00Z", purposes: ["research"], grants: ["read"], early_access: ["ORG-A"],
  feedback_units: 3, feedback_days: 20, patent_notice_days: 30,
});

toji("init");
const empty = join(folder, "empty");
execFileSync("cp", ["-a", store, empty]);
for (const [id, name] of [["ORG-HOME", "基盤の運営組織"], ["ORG-A", "A社"], ["ORG-EN", "E社"], ["ORG-JA", "J社"]]) toji("record", "put", "organisation", id, "--fields", JSON.stringify({ name, country: "JP" }));
toji("commons", "found", "ORG-HOME", "--country", "JP");
toji("commons", "apply", "ORG-A", "--country", "JP", "--reason", "strain improvement");
toji("commons", "screen", "ORG-A", "--listing", "clear", "--evidence", "looked up");
toji("commons", "decide", "ORG-A", "--approve", "--reason", "fits");
for (const organisation of ["ORG-HOME", "ORG-A"]) {
  const made = JSON.parse(toji("--out", keyFile(organisation), "commons", "make-key", organisation));
  toji("commons", "key", organisation, "--key", made.key);
}
for (const lang of ["EN", "JA"]) {
  toji("commons", "share", `DS-${lang}`, "--title", "Koji cultures", "--area", "cooperative", "--units", "2", "--embargo-until", "2035-04-01T00:00:00Z");
  toji("commons", "share", `SECRET-${lang}`, "--title", "Recipe of the seed", "--area", "competitive", "--secrecy", "secret", "--marked-secret", "--access-controlled", "--useful", "halves the lag");
  writeFileSync(join(folder, "terms.json"), JSON.stringify(terms(`DS-${lang}`)));
  toji("commons", "draft", `AG-${lang}`, "--terms", `@${join(folder, "terms.json")}`);
}
// What nodes, budgets and the worth of data need: a node that is not there, and a budget of one owner.
toji("node", "connect", "platform", "http://127.0.0.1:9", "--user", "node-home");
toji("node", "give", "platform", "DS-EN");
toji("record", "put", "cooperation-topic", "TOPIC-1", "--fields", JSON.stringify({ title: "麹の共通基盤", title_en: "Koji in common", lead: "ORG-HOME", members: ["ORG-HOME", "ORG-A"], outputs: ["a recipe for all"] }));
toji("commons", "share", "DS-A", "--organisation", "ORG-A", "--title", "Cultures at 45 °C", "--area", "cooperative");
toji("commons", "checkpoint", "--key-file", keyFile("ORG-HOME"));

process.env.TOJI_STORE = store;
const { ask, BASE, checkPage, downloaded, launch, open, settled, shot, visit } = await import("./browser.mjs");
const { acts, signedBy } = await import("./acts.mjs");

const signed = (organisation, note) => signedBy(keyFile(organisation), organisation, note);

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

for (const lang of ["en", "ja"]) {
  const t = words(lang);
  const mine = lang.toUpperCase();
  const scheme = lang === "ja" ? "dark" : "light";
  const table = (page, title) => page.getByRole("region", { name: t("table_of", { title }), exact: true });

  const { act, stopped } = acts(lang, t);

  describe(`the commons in ${lang}`, () => {
    test("a commons is founded in a store without one, with an organisation that is entered for it", async () => {
      const { base } = await own(empty);
      const { page, done } = await open(browser, { scheme, base });
      await page.goto(`${base}/commons?lang=${lang}`);
      await settled(page);
      await page.getByText(t("commons.none"), { exact: true }).waitFor();
      await page.getByText("toji commons found ORG-HOME --country JP", { exact: true }).waitFor();
      await checkPage(page, lang, "no commons");
      const before = await stopped(page, t("commons.found"), { [t("commons.found.id")]: "ORG-NEW" });
      assert.deepEqual(before, { faults: { name: t("commons.act.missing") }, focus: "found-name" });
      const wrong = await act(page, t("commons.found"), { [t("commons.found.id")]: "ORG-NEW", [t("commons.found.name")]: "新しい基盤", [t("commons.country")]: "Japan" }, true).catch((error) => error);
      assert.ok(wrong.said?.length > 0, String(wrong));
      await page.reload();
      await settled(page);
      const { effects } = await act(page, t("commons.found"), { [t("commons.country")]: "JP" });
      assert.ok(effects.includes(t("commons.found.once")) && effects.includes(t("commons.found.owns", { organisation: "新しい基盤 (ORG-NEW)", n: 0 })), effects.join("\n"));
      await page.getByText(t("commons.acting.owner"), { exact: true }).waitFor();
      await page.getByRole("navigation", { name: t("commons.tabs") }).getByRole("link", { name: t("commons.tab.members"), exact: true }).click();
      await settled(page);
      assert.match(await table(page, t("commons.members")).locator("tbody tr").first().textContent(), /新しい基盤.*ORG-NEW/);
      await checkPage(page, lang, "a commons just founded");
      await done();
    });

    test("an applicant is screened and becomes a member", async () => {
      const { page, done } = await open(browser, { scheme });
      const organisation = `ORG-${mine}`;
      await visit(page, `/runs?lang=${lang}`);
      await page.getByRole("link", { name: t("nav.commons"), exact: true }).click();
      await page.getByRole("navigation", { name: t("commons.tabs") }).getByRole("link", { name: t("commons.tab.members"), exact: true }).click();
      await settled(page);
      assert.equal(new URL(page.url()).searchParams.get("tab"), "members");
      await checkPage(page, lang, "members");
      // Nothing is sent while something is missing.
      await page.getByRole("button", { name: t("commons.apply"), exact: true }).click();
      await page.getByRole("dialog").getByRole("button", { name: t("commons.act.next"), exact: true }).click();
      await page.getByRole("dialog").getByText(t("commons.act.missing"), { exact: true }).waitFor();
      assert.equal(await page.evaluate(() => document.activeElement?.id), "apply-reason");
      await page.keyboard.press("Escape");
      const wrong = await act(page, t("commons.apply"), { [t("commons.organisation")]: organisation, [t("commons.country")]: "Japan", [t("commons.apply.reason")]: "x" }, true).catch((error) => error);
      assert.ok(wrong.said?.includes("E-COMMONS-009"), String(wrong));
      await act(page, t("commons.apply"), { [t("commons.organisation")]: organisation, [t("commons.country")]: "JP", [t("commons.apply.reason")]: "koji for all" });
      await page.getByText(t("commons.waits.screening"), { exact: false }).first().waitFor();
      await act(page, `${t("commons.screen")}: ${organisation}`, { [t("commons.listing")]: "clear", [t("commons.evidence")]: "lists of today" });
      await page.getByText(t("commons.office.decision"), { exact: true }).waitFor();
      await act(page, `${t("commons.approve")}: ${organisation}`, { [t("commons.reason")]: "fits" });
      const row = table(page, t("commons.members")).locator("tbody tr", { hasText: organisation });
      await row.getByText(t("commons.state.approved")).first().waitFor();
      const [member] = (await ask("commons member", { organisation })).members;
      assert.deepEqual([member.state, member.active, member.listing], ["approved", true, "clear"]);
      await page.locator("li", { hasText: organisation }).getByText(t("commons.waits.key")).waitFor();
      await checkPage(page, lang, "members with a new one");
      await act(page, `${t("commons.leave")}: ${organisation}`, { [t("commons.reason")]: "ends its business" });
      assert.equal((await ask("commons member", { organisation })).members[0].state, "left");
      await done();
    });

    test("an agreement is looked at, signed elsewhere and comes into force", async () => {
      const { page, done } = await open(browser, { scheme });
      const id = `AG-${mine}`;
      await visit(page, `/commons?tab=agreements&lang=${lang}`);
      await page.getByRole("button", { name: `${t("commons.open")}: ${id}`, exact: true }).click();
      await settled(page);
      assert.equal(new URL(page.url()).searchParams.get("agreement"), id);
      await page.getByText(t("commons.term.feedback_n", { n: 3, days: 20 }), { exact: true }).waitFor();
      await page.getByText(t("commons.brings.notice", { n: 30 }), { exact: true }).waitFor();
      const preview = await ask("commons preview", { agreement: id });
      assert.ok(preview.gained.length > 0);
      assert.equal(await table(page, `${t("commons.preview.draft")}, ${t("commons.preview.gained")}`).locator("tbody tr").count(), preview.gained.length);
      await checkPage(page, lang, "a draft");
      const note = async () => (await ask("commons agreement", { id })).agreements[0].note;
      const name = `${t("commons.sign")}: ${id}`;
      const [who, document] = [t("commons.sign.organisation"), t("commons.sign.document")];
      // Signed by another than it is handed in for.
      await page.getByRole("button", { name, exact: true }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel(new RegExp(`^${who}`)).selectOption("ORG-A");
      await dialog.locator("textarea").fill(signed("ORG-HOME", await note()));
      await dialog.getByRole("button", { name: t("commons.act.next"), exact: true }).click();
      await dialog.getByRole("button", { name: t("commons.act.confirm"), exact: true }).click();
      await dialog.getByRole("alert").waitFor();
      await page.keyboard.press("Escape");
      assert.equal((await ask("commons agreement", { id })).agreements[0].signed_by.length, 0);
      await act(page, name, { [who]: "ORG-A", [document]: signed("ORG-A", await note()) });
      await page.locator("li", { hasText: "ORG-A" }).getByText(t("commons.signed"), { exact: true }).waitFor();
      const last = await act(page, name, { [who]: "ORG-HOME", [document]: signed("ORG-HOME", await note()) });
      assert.ok(last.effects.includes(t("commons.sign.last")));
      assert.equal((await ask("commons agreement", { id })).agreements[0].in_force, true);
      await page.locator("#agreement-title").waitFor();
      assert.ok((await table(page, t("commons.tab.agreements")).locator("tbody tr", { hasText: id }).textContent()).includes(t("commons.force.yes")));
      await page.getByRole("button", { name: t("commons.preview.ask_end"), exact: true }).click();
      await settled(page);
      assert.ok((await table(page, `${t("commons.preview.end")}, ${t("commons.preview.lost")}`).locator("tbody tr").count()) > 0);
      await checkPage(page, lang, "an agreement in force");
      await shot(page, `commons-agreement-${lang}`, true);
      await done();
    });

    test("a use is registered with what it brings, and the account tells of it until the feedback is accepted", async () => {
      const { page, done } = await open(browser, { scheme });
      await visit(page, `/commons?lang=${lang}`);
      const set = page.getByRole("article").filter({ hasText: `DS-${mine}` }).filter({ hasNotText: "SECRET" });
      assert.equal(await set.count(), 1);
      // What is one's own is used without more ado: nothing is offered.
      await set.locator(".badge").getByText(t("commons.own"), { exact: true }).waitFor();
      assert.equal(await set.getByRole("button", { name: `${t("commons.use")}: DS-${mine}`, exact: true }).count(), 0);
      await page.locator("#commons-as").selectOption("ORG-A");
      await settled(page);
      await page.locator("#commons-purpose").selectOption("production");
      await settled(page);
      await checkPage(page, lang, "shared");
      await page.locator("#commons-purpose").selectOption("research");
      await settled(page);
      const { effects } = await act(page, `${t("commons.use")}: DS-${mine}`);
      assert.ok(effects.includes(t("commons.brings.under", { agreement: `AG-${mine}` })) && effects.includes(t("commons.brings.notice", { n: 30 })), effects.join("\n"));
      assert.ok(effects.some((line) => line.includes(lang === "ja" ? "還元 3 単位" : "3 units")));
      await page.getByText(t("commons.use.done", { data_set: `DS-${mine}` }), { exact: true }).first().waitFor();
      await checkPage(page, lang, "a use");
      await shot(page, `commons-shared-${lang}`, true);

      // It stands among the uses of both, with its duty, and what is owed stands with the owner.
      await visit(page, `/commons?tab=uses&organisation=ORG-A&lang=${lang}`);
      const used = table(page, t("commons.uses.mine")).locator("tbody tr", { hasText: `DS-${mine}` });
      const told = await used.textContent();
      assert.ok(told.includes(`AG-${mine}`) && told.includes(t("commons.uses.duty.soon")) && told.includes(t("commons.purpose.research")), told);
      await checkPage(page, lang, "uses");
      await shot(page, `commons-uses-${lang}`, true);
      await page.locator("#uses-organisation").selectOption("ORG-HOME");
      await settled(page);
      assert.ok((await table(page, t("commons.uses.others")).locator("tbody tr", { hasText: `DS-${mine}` }).textContent()).includes("ORG-A"));
      await visit(page, `/commons?tab=account&organisation=ORG-HOME&lang=${lang}`);
      const owed = table(page, t("commons.owed_to")).locator("tbody tr", { hasText: `DS-${mine}` });
      assert.ok((await owed.textContent()).includes("ORG-A"));
      assert.equal(await owed.getByRole("button", { name: t("commons.settle") }).count(), 1);
      await checkPage(page, lang, "what is owed to the owner");

      await visit(page, `/commons?tab=account&organisation=ORG-A&lang=${lang}`);
      const account = await ask("commons account", { organisation: "ORG-A" });
      const duty = account.duties.find((one) => one.data_set === `DS-${mine}`);
      assert.equal(duty.owed, 3);
      const row = table(page, t("commons.duties")).locator("tbody tr", { hasText: duty.duty });
      assert.ok((await row.textContent()).includes(t("commons.urgency.soon")));
      assert.equal(await page.locator("figure svg[role=img]").count(), 1);
      await checkPage(page, lang, "account");
      await act(page, `${t("commons.dispute")}: ${duty.duty}`, { [t("commons.units")]: "1", [t("commons.reason")]: "used once" });
      await act(page, `${t("commons.settle")}: ${duty.duty}`, { [t("commons.outcome")]: "dismissed", [t("commons.units")]: "1", [t("commons.reason")]: "so it was" });
      await act(page, `${t("commons.feedback")}: ${duty.duty}`, { [t("commons.feedback.given")]: "DS-A", [t("commons.units")]: "2", [t("commons.feedback.title")]: "grows at 45 °C" });
      const handed = (await ask("commons account", { organisation: "ORG-A" })).feedback.find((one) => one.duty === duty.duty);
      assert.deepEqual([handed.state, handed.units], ["handed-in", 2]);
      await act(page, `${t("commons.accept")}: ${handed.id}`, { [t("commons.reason")]: "looked at" });
      await act(page, t("commons.patent"), { [t("commons.data_set")]: `DS-${mine}`, [t("commons.agreement")]: `AG-${mine}`, [t("commons.patent.title")]: "A mutant", [t("commons.patent.filed")]: "2026-06-01T09:00" });
      const then = await ask("commons account", { organisation: "ORG-A" });
      assert.ok(!then.duties.some((one) => one.duty === duty.duty), "booked off");
      assert.deepEqual([then.closing.owed, then.closing.disputed, then.sum_data_sets, then.sum_duties], [0, 0, 0, 0]);
      assert.equal(await row.count(), 0);
      assert.equal(await table(page, t("commons.lines")).locator("tbody tr").count(), then.lines.length);
      assert.ok((await table(page, t("commons.patents")).locator("tbody tr").first().textContent()).includes("A mutant"));
      await checkPage(page, lang, "account after it all");
      await shot(page, `commons-account-${lang}`, true);
      await done();
    });

    test("a privacy budget is set by its owner, and shown with what is spent and left", async () => {
      const { page, done } = await open(browser, { scheme });
      await visit(page, `/commons?tab=budgets&lang=${lang}`);
      if (lang === "en") await page.getByText(t("commons.budget.none"), { exact: true }).waitFor();
      await checkPage(page, lang, "budgets before any");
      const wrong = await act(page, t("commons.budget.set"), { [t("commons.agreement")]: `AG-${mine}`, [t("commons.budget.epsilon")]: "99" }, true);
      assert.ok(wrong.said.includes("E-COMMONS-063"), wrong.said);
      const { effects } = await act(page, t("commons.budget.set"), { [t("commons.agreement")]: `AG-${mine}`, [t("commons.budget.epsilon")]: "2" });
      assert.ok(effects.includes(t("commons.budget.set_least")), effects.join("\n"));
      const [told] = (await ask("commons budget", { agreement: `AG-${mine}` })).budgets;
      const card = page.getByRole("article").filter({ hasText: `AG-${mine}` });
      assert.deepEqual([told.in_effect, told.allowed, told.remaining], [true, 2, 2]);
      await card.getByRole("img", { name: t("commons.budget.bar", { percent: 0 }), exact: true }).waitFor();
      await card.getByText(t("commons.budget.left", { left: "2", allowed: "2", unit: t("commons.budget.unit.epsilon") }), { exact: true }).waitFor();
      assert.equal(await table(page, `${t("commons.budget.statements")}: AG-${mine}`).locator("tbody tr").count(), told.statements.length);
      await checkPage(page, lang, "budgets");
      await shot(page, `commons-budgets-${lang}`, true);
      await done();
    });

    test("nodes say when they were reached, what waits and what is offered, and one that is away says why", async () => {
      const { page, done } = await open(browser, { scheme });
      await visit(page, `/commons?tab=nodes&lang=${lang}`);
      const card = page.getByRole("article").filter({ hasText: "platform" });
      assert.ok((await card.textContent()).includes("DS-EN"), "what waits to go");
      await page.getByRole("button", { name: `${t("commons.node.sync")}: platform`, exact: true }).click();
      await page.getByRole("alert").waitFor();
      await page.reload();
      await settled(page);
      await card.getByText(t("commons.node.contact.away"), { exact: true }).waitFor();
      const node = (await ask("node status", { node: "platform" })).nodes[0];
      assert.ok((await card.textContent()).includes(node.error[lang]), "why it is away");
      const name = `node-${lang}`;
      const { effects } = await act(page, t("commons.node.connect"), { [t("commons.node.name")]: name, [t("commons.node.url")]: "http://127.0.0.1:9", [t("commons.node.user")]: "node-home" });
      assert.ok(effects.includes(t("commons.node.connect_key")), effects.join("\n"));
      const made = page.getByRole("article").filter({ hasText: name });
      await made.getByText(t("commons.node.contact.never"), { exact: true }).waitFor();
      await act(page, `${t("commons.node.give")}: ${name}`, { [t("commons.node.give_sets")]: [`Koji cultures (DS-${mine})`] });
      await act(page, `${t("commons.node.take")}: ${name}`, { [t("commons.node.take_sets")]: "DS-A" });
      const known = (await ask("node status", { node: name })).nodes[0];
      assert.deepEqual([known.waiting, known.coming], [[`DS-${mine}`], ["DS-A"]]);
      assert.ok((await made.textContent()).includes("DS-A"));
      const offered = (await ask("node catalogue", {})).dataset ?? [];
      assert.ok(offered.length > 0);
      assert.equal(await table(page, t("commons.node.offers")).locator("tbody tr").count(), offered.length);
      await checkPage(page, lang, "nodes");
      await shot(page, `commons-nodes-${lang}`, true);
      await done();
    });

    test("after an import the proposal is taken, changed and taken back, run by run", async () => {
      const { page, done } = await open(browser, { scheme });
      await ask("commons import-default", { area: "clean-room" });
      const name = `社外秘_batch-${lang}.csv`;
      const day = lang === "ja" ? "03" : "04";
      const rows = Array.from({ length: 12 }, (_, h) => `2026-06-${day} ${String(6 + h).padStart(2, "0")}:00,${h},${(0.1 * 1.4 ** h).toFixed(3)},${(40 - 3 * h).toFixed(2)}`);
      const csv = ["時刻,経過時間 (h),OD600,グルコース (g/L)", ...rows, ""].join("\n");
      await visit(page, `/import?lang=${lang}&zone=Asia%2FTokyo`);
      await page.locator("#files").setInputFiles([{ name, mimeType: "text/csv", buffer: Buffer.from(csv) }]);
      await page.getByText(t("import.nothing_written")).waitFor();
      // Nothing is kept yet: the proposal is read, and there is nothing to take.
      const file = page.getByRole("article", { name });
      await file.getByText(t("import.protection.secret"), { exact: true }).waitFor();
      assert.equal(await file.getByRole("button", { name: new RegExp(t("import.class_accept")) }).count(), 0);
      await page.getByRole("button", { name: t("import.confirm_n", { n: 1 }), exact: true }).click();
      await page.getByRole("heading", { name: t("import.done_n", { n: 1 }) }).waitFor();
      const row = file.getByRole("region", { name: t("table_of", { title: `${t("import.class")} 1` }), exact: true }).locator("tbody tr");
      assert.equal(await row.count(), 1);
      const run = (await row.getByRole("rowheader").textContent()).trim();
      const stands = async () => (await ask("record get", { kind: "run", id: run })).fields.area ?? "";
      assert.equal(await stands(), "");
      await checkPage(page, lang, "a proposal after an import");
      const { effects } = await act(page, `${t("import.class_accept")}: ${run}`);
      assert.ok(effects.includes(t("commons.area_effect.clean-room")) && effects.includes(t("import.class_can_undo")), effects.join("\n"));
      assert.equal(await stands(), "clean-room");
      assert.ok((await row.textContent()).includes(t("import.class_as_proposed")));
      assert.equal(await row.getByRole("button", { name: `${t("import.class_accept")}: ${run}`, exact: true }).count(), 0);
      await shot(page, `import-class-${lang}`);
      await act(page, `${t("import.class_undo")}: ${run}`);
      assert.equal(await stands(), "");
      assert.equal(await row.getByRole("button", { name: `${t("import.class_undo")}: ${run}`, exact: true }).count(), 0);
      // Another area than proposed is offered only where it opens nothing.
      await page.getByRole("button", { name: `${t("import.class_other")}: ${run}`, exact: true }).click();
      assert.deepEqual(await page.getByRole("dialog").getByRole("radio").count(), 1);
      await page.keyboard.press("Escape");
      await act(page, `${t("import.class_other")}: ${run}`, { [t("commons.area")]: { one: t("commons.area.clean-room") } });
      assert.equal(await stands(), "clean-room");
      await checkPage(page, lang, "a run that was moved");
      await done();
    });

    test("questions are answered or withheld with clause and remedy", async () => {
      const { page, done } = await open(browser, { scheme });
      await visit(page, `/commons?tab=ask&lang=${lang}`);
      await page.locator("#ask-value").fill("Aspergillus oryzae");
      await page.getByRole("button", { name: t("commons.ask.go"), exact: true }).click();
      await settled(page);
      const asked = await ask("commons ask", { kind: "strain", field: "taxon_name", value: "Aspergillus oryzae" });
      await page.getByText(asked.question[lang], { exact: true }).waitFor();
      await page.getByText(asked.withheld[lang], { exact: false }).waitFor();
      await page.getByRole("button", { name: t("commons.benchmark.go"), exact: true }).click();
      await settled(page);
      const compared = await ask("commons benchmark", { measure: "titre-final", unit: "g/L" });
      await page.getByText(compared.refused.reason[lang], { exact: true }).waitFor();
      await page.getByText(compared.refused.remedy[lang], { exact: false }).waitFor();
      assert.ok((await page.getByRole("status").filter({ hasText: compared.refused.clause }).count()) > 0);
      assert.ok((await page.locator("figure svg").getAttribute("aria-label")).includes(t("commons.benchmark.refused")));
      await checkPage(page, lang, "ask");
      await page.locator("#benchmark-measure").fill("no-such-measure");
      await page.getByRole("button", { name: t("commons.benchmark.go"), exact: true }).click();
      await page.getByRole("alert").waitFor();
      await done();
    });

    test("the log is mirrored and verified, and a changed mirror is not", async () => {
      const { page, done } = await open(browser, { scheme });
      await visit(page, `/commons?tab=log&lang=${lang}`);
      const head = await ask("commons log");
      await page.getByText(head.root, { exact: true }).waitFor();
      await page.getByText(t("commons.log.entries_n", { n: head.size }), { exact: true }).waitFor();
      assert.equal(await table(page, t("commons.log.newest")).locator("tbody tr").count(), head.entries.length);
      const mirror = await downloaded(page, () => page.getByRole("link", { name: t("commons.log.mirror"), exact: true }).click());
      assert.equal(JSON.parse(mirror.text).leaves.length, head.size);
      await page.locator("#verify-file").setInputFiles({ name: "log.json", mimeType: "application/json", buffer: Buffer.from(mirror.text) });
      await page.waitForFunction(() => document.querySelector("#verify-mirror").value !== "");
      await page.getByRole("button", { name: t("commons.verify.go"), exact: true }).click();
      await page.getByText(t("commons.verify.good", { origin: "ORG-HOME", n: head.size }), { exact: false }).waitFor();
      await checkPage(page, lang, "a verified log");
      await shot(page, `commons-log-${lang}`, true);
      await page.locator("#verify-mirror").fill(mirror.text.replace("2026", "2025"));
      await page.getByRole("button", { name: t("commons.verify.go"), exact: true }).click();
      await page.getByText(t("commons.verify.bad"), { exact: false }).waitFor();
      await page.getByRole("alert").waitFor();
      await checkPage(page, lang, "a mirror that was changed");
      await done();
    });

    test("a secret is checked and asked for, and the asker does not approve", async () => {
      const { page, done } = await open(browser, { scheme });
      const id = `SECRET-${mine}`;
      await visit(page, `/commons?tab=secrets&lang=${lang}`);
      await page.locator("#protection-set").selectOption(id);
      await settled(page);
      const checked = await ask("commons protection", { id });
      assert.equal(checked.met, false);
      await page.getByText(t("commons.protection.unmet"), { exact: true }).waitFor();
      for (const one of checked.requirements) {
        const row = table(page, t("commons.protection")).locator("tbody tr", { hasText: one.name[lang] });
        assert.ok((await row.textContent()).includes(t(one.met ? "commons.met.yes" : "commons.met.no")));
      }
      await act(page, t("commons.request_export"), { [t("commons.data_set")]: id, [t("commons.recipient")]: "LAB", [t("commons.reason")]: "contract production" });
      const asked = (await ask("record list", { kind: "export-approval" })).records.find((one) => one.fields.data_set === id);
      const { said } = await act(page, `${t("commons.approve_export")}: ${asked.id}`, { [t("commons.approve_export.days")]: "7" }, true);
      assert.ok(said.includes("E-COMMONS-035"), said);
      await page.getByRole("heading", { name: lang === "ja" ? "麹の共通基盤" : "Koji in common", exact: true }).waitFor();
      await checkPage(page, lang, "secrets");
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, "no wider than the window");
      await done();
    });
  });
}
assert.ok(BASE.startsWith("http"));
