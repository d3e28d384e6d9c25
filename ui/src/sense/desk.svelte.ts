// The page's side of the queue: what waits, whether the server is in reach, and when to try again.
import { asProblem, call, Problem, upload } from "../api/client";
import { again, flush, inOrder, isAway, type Entry, type Sent } from "./queue";
import { shelf } from "./shelf";

/** How long a tap can be taken back before it is sent, ms. */
export const TAKE_BACK_MS = 5000;
const RETRY_MS = 15_000;

async function send(entry: Entry): Promise<Sent> {
  try {
    let input = entry.input;
    if (entry.photo) {
      const file = new File([entry.photo.bytes], entry.photo.name, { type: entry.photo.bytes.type });
      const [uploaded] = await upload([file]);
      const photo = input["photo"];
      input = { ...input, photo: { ...(typeof photo === "object" ? photo : {}), path: uploaded?.address } };
    }
    await call(entry.operation, input);
    return { state: "taken" };
  } catch (thrown) {
    const problem: Problem = asProblem(thrown);
    return isAway(problem.status) ? { state: "away" } : { state: "refused", problem: problem.body };
  }
}

class Desk {
  entries = $state.raw<Entry[]>([]);
  online = $state<boolean | null>(null);
  busy = $state(false);
  fault = $state<string | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wanted = false;

  waiting = $derived(this.entries.filter((entry) => !entry.refused));
  refused = $derived(this.entries.filter((entry) => entry.refused));

  async add(entry: Entry): Promise<boolean> {
    try {
      await shelf.put(entry);
    } catch (thrown) {
      this.fault = thrown instanceof Error ? thrown.message : String(thrown);
      return false;
    }
    await this.read();
    this.#plan(Math.max(0, entry.notBefore - Date.now()) + 20);
    return true;
  }
  /** Takes an entry back that was not sent yet. */
  async takeBack(id: string): Promise<void> {
    await shelf.remove(id);
    await this.read();
  }
  async again(entry: Entry): Promise<void> {
    await shelf.put(again(entry));
    await this.flush();
  }
  async read(): Promise<void> {
    try {
      this.entries = inOrder(await shelf.all());
      this.fault = null;
    } catch (thrown) {
      this.fault = thrown instanceof Error ? thrown.message : String(thrown);
    }
  }
  #plan(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), ms);
  }
  /** Sends what is due. One page at a time, also over several windows. */
  async flush(): Promise<void> {
    if (this.busy) {
      this.#wanted = true;
      return;
    }
    this.busy = true;
    try {
      const done = await navigator.locks.request("toji-sense-queue", () => flush(shelf, send, Date.now()));
      if (done.online !== null) this.online = done.online;
      if (done.next !== null) this.#plan(Math.max(0, done.next - Date.now()) + 20);
      else if (done.waiting > 0) this.#plan(RETRY_MS);
    } catch (thrown) {
      this.fault = thrown instanceof Error ? thrown.message : String(thrown);
    } finally {
      this.busy = false;
      await this.read();
    }
    if (this.#wanted) {
      this.#wanted = false;
      await this.flush();
    }
  }
  /** Reads what waits and sends it, now and whenever the network comes back. */
  start(): () => void {
    void this.read().then(() => this.flush());
    const back = () => void this.flush();
    const gone = () => (this.online = false);
    addEventListener("online", back);
    addEventListener("offline", gone);
    return () => {
      removeEventListener("online", back);
      removeEventListener("offline", gone);
      clearTimeout(this.#timer);
    };
  }
}

export const desk = new Desk();
