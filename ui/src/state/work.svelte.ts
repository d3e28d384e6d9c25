// One long operation of a page: started as a job, followed, stopped, and its answer or refusal kept.
import { asProblem, callAsJob, type Problem } from "../api/client";
import type { Input, Job, OperationName, Output } from "../api/types";

export class Work<N extends OperationName> {
  job = $state.raw<Job | null>(null);
  data = $state.raw<Output<N> | null>(null);
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);
  cancel = $state.raw<(() => Promise<void>) | null>(null);
  readonly #name: N;

  constructor(name: N) {
    this.#name = name;
  }

  /** Starts the work; null when it was refused or stopped. What was shown before stays. */
  async run(input: Input<N>): Promise<Output<N> | null> {
    if (this.busy) return null;
    this.busy = true;
    this.problem = null;
    this.job = null;
    try {
      const running = await callAsJob(this.#name, input, (state) => (this.job = state));
      this.cancel = running.cancel;
      this.data = await running.done;
      return this.data;
    } catch (thrown) {
      this.problem = asProblem(thrown);
      return null;
    } finally {
      this.cancel = null;
      this.busy = false;
    }
  }
}
