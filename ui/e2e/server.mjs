// The program that the journeys walk through: the one at TOJI_URL; or, with TOJI_STORE, one of our own (TOJI_BIN) on a
// copy of that store. Then each file of journeys has its own, so that they go side by side and none sees what another
// does.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

async function freePort() {
  const listener = createServer();
  await new Promise((done) => listener.listen(0, "127.0.0.1", done));
  const { port } = listener.address();
  await new Promise((done) => listener.close(done));
  return port;
}

const PROGRAM = process.env.TOJI_BIN ?? "toji";

/** Runs a command on a store and reads its answer. */
export function command(store, ...words) {
  return JSON.parse(execFileSync(PROGRAM, ["--store", store, ...words, "--json"], { encoding: "utf8" }));
}

/** A server of one's own: on a copy of a store, or on a new one. `store` is where it is. */
export async function own(from, more = []) {
  const folder = mkdtempSync(join(tmpdir(), "toji-journey-"));
  const store = join(folder, "store");
  if (from) cpSync(from, store, { recursive: true });
  else command(store, "init");
  const port = await freePort();
  const program = spawn(PROGRAM, ["--store", store, "serve", "--address", `127.0.0.1:${port}`, ...more], { stdio: ["ignore", "ignore", "inherit"] });
  process.on("exit", () => {
    program.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  // Nothing stays behind when the journeys are broken off.
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
  program.unref();
  const base = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 240; tries += 1) {
    if (program.exitCode !== null) throw new Error(`the program ended with ${program.exitCode}`);
    const answer = await fetch(`${base}/healthz`).catch(() => null);
    if (answer?.ok) return { base, store };
    await new Promise((done) => setTimeout(done, 500));
  }
  throw new Error(`no answer from ${base}`);
}

/** Where it listens, without a slash at the end. */
export async function address() {
  const { TOJI_STORE: store, TOJI_URL: url } = process.env;
  return store ? (await own(store)).base : (url ?? "http://127.0.0.1:8080").replace(/\/$/, "");
}
