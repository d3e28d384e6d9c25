// How the live page keeps up: RUNS vessels of CHANNELS channels at HZ for SECONDS, one
// browser on the page with one tank open. Prints what the page did; no test.
//   TOJI_URL=… node e2e/live-load.mjs RUNS CHANNELS HZ SECONDS
import { BASE, launch, open } from "./browser.mjs";
import { source } from "./live-source.mjs";
import { ask } from "./browser.mjs";

const [runs = 50, channels = 20, hz = 10, seconds = 60] = process.argv.slice(2).map(Number);
const names = Array.from({ length: runs }, (_, i) => `L${String(i + 1).padStart(2, "0")}`);
const plants = Array.from({ length: 5 }, (_, k) => source(names.filter((_name, i) => i % 5 === k), { hz, count: channels }));
await new Promise((wake) => setTimeout(wake, 5000));
const browser = await launch();
const { page, done } = await open(browser);
const run = (await ask("live tail")).runs.find((one) => one.title === names[0]).id;
await page.addInitScript(() => {
  globalThis.seen = { updates: 0, values: 0, bytes: 0, busy: 0, longest: 0, late: [] };
  const Plain = globalThis.EventSource;
  globalThis.EventSource = class extends Plain {
    addEventListener(name, take) {
      super.addEventListener(name, (message) => {
        const { seen } = globalThis;
        take(message);
        if (name !== "update") return;
        const update = JSON.parse(message.data);
        seen.updates += 1;
        seen.values += update.values.length;
        seen.bytes += message.data.length;
        seen.late.push(Date.now() / 1000 - Math.max(...update.values.map((value) => value[1])));
      });
    }
  };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      globalThis.seen.busy += entry.duration;
      globalThis.seen.longest = Math.max(globalThis.seen.longest, entry.duration);
    }
  }).observe({ type: "longtask", buffered: true });
});
await page.goto(`${BASE}/live?lang=en&run=${run}`);
await page.locator(".u-over").first().waitFor();
const began = Date.now();
const memory = [];
while (Date.now() - began < seconds * 1000) {
  await page.waitForTimeout(5000);
  memory.push(await page.evaluate(() => (globalThis.performance.memory?.usedJSHeapSize ?? 0) / 2 ** 20));
}
const seen = await page.evaluate(() => globalThis.seen);
const took = (Date.now() - began) / 1000;
const late = seen.late.sort((a, b) => a - b);
const at = (share) => late[Math.floor((late.length - 1) * share)]?.toFixed(2);
console.log(`${runs} x ${channels} channels at ${hz} Hz for ${took.toFixed(0)} s`);
console.log(`updates ${(seen.updates / took).toFixed(1)}/s, values ${(seen.values / took).toFixed(0)}/s, ${(seen.bytes / took / 1024).toFixed(0)} KB/s`);
console.log(`newest value shown after (s): median ${at(0.5)}, 99 % ${at(0.99)}, longest ${at(1)}`);
console.log(`long tasks ${((seen.busy / took / 1000) * 100).toFixed(1)} % of the time, longest ${seen.longest.toFixed(0)} ms; heap ${memory.at(0)?.toFixed(0)} to ${memory.at(-1)?.toFixed(0)} MB`);
await done();
await browser.close();
await Promise.all(plants.map((plant) => plant.stop()));
