// The stream of live values: opens it, tells how it is, and hands updates on. The
// browser itself tries again after a break.
import type { LiveUpdate, ProblemBody } from "../../api/types";
import { Problem } from "../../api/client";

export type Line = "connecting" | "open" | "broken";

export class Follow {
  line = $state<Line>("connecting");
  problem = $state.raw<Problem | null>(null);
  #source: EventSource | null = null;

  /** Follows all values, and the points of one run. `begun` is called at each (new) connection. */
  open(run: string | null, take: (update: LiveUpdate) => void, begun: () => void): void {
    this.close();
    this.line = "connecting";
    const query = run === null ? "" : `?run=${encodeURIComponent(run)}`;
    const source = new EventSource(`/api/v1/live/stream${query}`);
    source.onopen = () => {
      this.line = "open";
      this.problem = null;
      begun();
    };
    source.onerror = () => {
      this.line = "broken";
    };
    source.addEventListener("update", (message) => take(JSON.parse((message as MessageEvent<string>).data) as LiveUpdate));
    source.addEventListener("fault", (message) => {
      const fault = JSON.parse((message as MessageEvent<string>).data) as Omit<ProblemBody, "status">;
      this.problem = new Problem({ ...fault, status: 0 });
      this.line = "broken";
      source.close();
    });
    this.#source = source;
  }

  close(): void {
    this.#source?.close();
    this.#source = null;
  }
}
