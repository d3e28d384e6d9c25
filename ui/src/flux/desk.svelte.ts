// What the server says of the fluxes of a model, as it is and as it is edited: fluxes first, then ranges. The latest
// question wins. How long it took from the press of a button until the map was drawn is kept, and marked for the browser's
// own tools (`toji-flux fluxes`, `toji-flux ranges`), and so is when the screen had it (`… shown`).
import { tick } from "svelte";
import { asProblem, call, type Problem } from "../api/client";
import type { FluxEdits, FluxLeast, FluxRanges, FluxSolved } from "../api/flux";

export type How = "fba" | "pfba";
export type Fluxes = Pick<FluxSolved, "status" | "objective" | "fluxes" | "trouble" | "findings"> | FluxLeast;

/** Prices are not shown here, so they are not asked for: the answer is a third as long. */
function solve(how: How, question: FluxEdits, signal: AbortSignal): Promise<Fluxes> {
  return how === "pfba" ? call("flux pfba", question, signal) : call("flux fba", { ...question, brief: true }, signal);
}

interface Answer {
  fluxes: Fluxes;
  ranges: FluxRanges | null;
}

/** Milliseconds from the press until the map is drawn. */
export interface Took {
  fluxes: number | null;
  ranges: number | null;
}

/** An answer that takes longer is slow: crosses stand on the map before it is there. */
const SLOW_MS = 80;

export class Desk {
  fluxes = $state.raw<Fluxes | null>(null);
  ranges = $state.raw<FluxRanges | null>(null);
  base = $state.raw<Fluxes | null>(null);
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);
  ranging = $state(false);
  /** genes and reactions that are out in what is shown: those of the answer, or of the question when the answer is slow */
  out = $state.raw<readonly string[]>([]);
  took = $state.raw<Took>({ fluxes: null, ranges: null });
  #control: AbortController | null = null;
  /** of the model as it is, by how it was asked */
  readonly #plain = new Map<How, Answer>();

  /** Asks anew. `since` is when the button was pressed; without `ranges` only fluxes are asked for. */
  async ask(question: FluxEdits, how: How, edited: boolean, since: number, ranges: boolean): Promise<void> {
    this.#control?.abort();
    const control = new AbortController();
    this.#control = control;
    const { signal } = control;
    this.busy = true;
    this.ranging = false;
    const plain = this.#plain.get(how) ?? null;
    const out = question.knock_out ?? [];
    // Drawing twice within a blink costs more than it tells.
    const slow = setTimeout(() => (this.out = out), SLOW_MS);
    signal.addEventListener("abort", () => clearTimeout(slow));
    try {
      const fluxes = !edited && plain ? plain.fluxes : await solve(how, question, signal);
      if (signal.aborted) return;
      this.fluxes = fluxes;
      this.out = out;
      this.ranges = null;
      this.problem = null;
      this.busy = false;
      if (!edited && !plain) this.#plain.set(how, { fluxes, ranges: null });
      if (!edited || plain) this.base = plain?.fluxes ?? fluxes;
      this.took = { fluxes: await this.#drawn("fluxes", since), ranges: null };
      if (edited && !plain) await this.#basis(question.model, how, signal);
      if (ranges && fluxes.status === "optimal") await this.#range(question, how, edited, since, signal);
    } catch (thrown) {
      if (!signal.aborted) this.problem = asProblem(thrown);
    } finally {
      clearTimeout(slow);
      if (this.#control === control) {
        this.out = out;
        this.busy = false;
        this.ranging = false;
      }
    }
  }

  /** The fluxes of the model as it is, to which the others are compared. */
  async #basis(model: string, how: How, signal: AbortSignal): Promise<void> {
    const fluxes = await solve(how, { model }, signal);
    if (signal.aborted) return;
    this.#plain.set(how, { fluxes, ranges: null });
    this.base = fluxes;
  }

  async #range(question: FluxEdits, how: How, edited: boolean, since: number, signal: AbortSignal): Promise<void> {
    const plain = this.#plain.get(how);
    this.ranging = true;
    const ranges = !edited && plain?.ranges ? plain.ranges : await call("flux fva", question, signal);
    if (signal.aborted) return;
    this.ranges = ranges;
    if (!edited && plain) plain.ranges = ranges;
    this.took = { fluxes: this.took.fluxes, ranges: await this.#drawn("ranges", since) };
  }

  /** Waits until what was told is drawn, and how long it took since. */
  async #drawn(what: "fluxes" | "ranges", since: number): Promise<number> {
    await tick();
    const now = performance.now();
    performance.measure(`toji-flux ${what}`, { start: since, end: now });
    // A message after the next frame was begun comes when that frame has been handed over.
    requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = () => performance.measure(`toji-flux ${what} shown`, { start: since, end: performance.now() });
      after.port2.postMessage(null);
    });
    return now - since;
  }

  stop(): void {
    this.#control?.abort();
    this.busy = false;
    this.ranging = false;
  }
}
