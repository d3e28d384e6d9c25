// Work that takes minutes: started as a job, followed, stopped on request, and left alone when the page goes.
import { asProblem, type Problem, type RunningJob } from "../api/client";
import type { Job } from "../api/types";

export class LongWork<T> {
  data = $state.raw<T | null>(null);
  problem = $state.raw<Problem | null>(null);
  job = $state.raw<Job | null>(null);
  busy = $state(false);
  stopped = $state(false);
  #cancel = $state.raw<(() => Promise<void>) | null>(null);
  #turn = 0;

  get cancel(): (() => Promise<void>) | null {
    return this.#cancel;
  }

  /** Starts; what was shown stays until the answer is there. Resolves with whether there is one. */
  async run(start: (onProgress: (job: Job) => void) => Promise<RunningJob<T>>): Promise<boolean> {
    this.#turn += 1;
    const turn = this.#turn;
    this.busy = true;
    this.stopped = false;
    this.job = null;
    this.problem = null;
    try {
      const running = await start((job) => {
        if (turn === this.#turn) this.job = job;
      });
      if (turn === this.#turn) this.#cancel = running.cancel;
      const data = await running.done;
      if (turn !== this.#turn) return false;
      this.data = data;
      return true;
    } catch (thrown) {
      if (turn !== this.#turn) return false;
      const problem = asProblem(thrown);
      this.stopped = problem.category === "cancelled";
      this.problem = this.stopped ? null : problem;
      return false;
    } finally {
      if (turn === this.#turn) {
        this.busy = false;
        this.#cancel = null;
      }
    }
  }
}
