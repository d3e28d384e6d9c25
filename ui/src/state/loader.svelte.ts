// One answer of the server on its way: the latest question wins, an older
// answer that arrives late is thrown away.
import { asProblem, type Problem } from "../api/client";

export class Loader<T> {
  data = $state.raw<T | null>(null);
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);
  #control: AbortController | null = null;

  /** Asks again. What was shown stays until the answer is there. */
  async run(ask: (signal: AbortSignal) => Promise<T>): Promise<void> {
    this.#control?.abort();
    const control = new AbortController();
    this.#control = control;
    this.busy = true;
    try {
      const data = await ask(control.signal);
      if (control.signal.aborted) return;
      this.data = data;
      this.problem = null;
    } catch (thrown) {
      if (control.signal.aborted) return;
      this.problem = asProblem(thrown);
    } finally {
      if (this.#control === control) this.busy = false;
    }
  }

  stop(): void {
    this.#control?.abort();
    this.busy = false;
  }
}
