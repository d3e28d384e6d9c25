// Calls operations over HTTP. One function per way of calling: at once, or as a
// job with progress. Every refusal becomes a `Problem` that carries both languages.
import type { Input, Job, OperationName, Output, Place, ProblemBody, Diagnostic, Text, Uploaded } from "./types";

const BASE = "/api/v1";

/** A refusal of the server, or of the network on the way to it. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly category: string;
  readonly text: Text;
  readonly hint: Text | null;
  readonly place: Place | null;
  readonly diagnostics: Diagnostic[];
  /** as the server sent it */
  readonly body: ProblemBody;

  constructor(body: ProblemBody) {
    super(body.message.en);
    this.body = body;
    this.status = body.status;
    this.code = body.code;
    this.category = body.category;
    this.text = body.message;
    this.hint = body.hint ?? null;
    this.place = body.place ?? null;
    this.diagnostics = body.diagnostics ?? [];
  }
}

/** Reads whatever was thrown as a `Problem`, so that pages show one shape. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return new Problem({
    status: 0,
    code: "E-NET",
    category: "storage",
    message: {
      ja: `サーバーからの応答なし (${detail})`,
      en: `The server did not answer (${detail})`,
    },
    hint: {
      ja: "toji serve の動作を確かめて、再読み込み",
      en: "Check that toji serve is running, then load the page again",
    },
  });
}

export function operationPath(name: OperationName): string {
  return `${BASE}/${name.replace(" ", "/")}`;
}

function isProblemBody(body: unknown): body is ProblemBody {
  if (typeof body !== "object" || body === null || !("message" in body)) return false;
  const message: unknown = body.message;
  return typeof message === "object" && message !== null && "en" in message && "ja" in message;
}

/** Told when a request finds that the session has ended. */
export const LOGGED_OUT = "toji:logged-out";

/** What the server refused, and why. */
export async function refusal(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  if (isProblemBody(body)) {
    const problem = new Problem({ ...body, status: response.status });
    if (problem.code === "E-LOGIN-010" && typeof window !== "undefined") window.dispatchEvent(new Event(LOGGED_OUT));
    return problem;
  }
  const what = `${response.status} ${response.statusText}`.trim();
  return new Problem({
    status: response.status,
    code: `HTTP-${response.status}`,
    category: response.status >= 500 ? "bug" : "input",
    message: { ja: `サーバーの応答: ${what}`, en: `The server answered: ${what}` },
  });
}

async function post(path: string, body: unknown, headers: Record<string, string>, signal?: AbortSignal) {
  const init: RequestInit = {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", ...headers },
    body: JSON.stringify(body),
  };
  if (signal) init.signal = signal;
  const response = await fetch(path, init);
  if (!response.ok) throw await refusal(response);
  return response;
}

/** Runs one operation and waits for its output. */
export async function call<N extends OperationName>(
  name: N,
  input: Input<N>,
  signal?: AbortSignal,
): Promise<Output<N>> {
  const response = await post(operationPath(name), input, {}, signal);
  return (await response.json()) as Output<N>;
}

/** Keeps files on the server byte for byte and returns their addresses. */
export async function upload(files: File[], signal?: AbortSignal): Promise<Uploaded[]> {
  const form = new FormData();
  for (const file of files) form.append("file", file, file.name);
  const init: RequestInit = { method: "POST", body: form };
  if (signal) init.signal = signal;
  const response = await fetch(`${BASE}/upload`, init);
  if (!response.ok) throw await refusal(response);
  const body = (await response.json()) as { files: Uploaded[] };
  return body.files;
}

/** A job as the page sees it: follow it with `done`, stop it with `cancel`. */
export interface RunningJob<T> {
  done: Promise<T>;
  cancel: () => Promise<void>;
}

/** Runs one operation as a job. `onProgress` gets every state the server tells. */
export async function callAsJob<N extends OperationName>(
  name: N,
  input: Input<N>,
  onProgress: (job: Job) => void,
): Promise<RunningJob<Output<N>>> {
  const response = await post(operationPath(name), input, { prefer: "respond-async" });
  if (response.status !== 202) {
    // The server may finish short work at once.
    const output = (await response.json()) as Output<N>;
    return { done: Promise.resolve(output), cancel: async () => {} };
  }
  const { job } = (await response.json()) as { job: string };
  const path = `${BASE}/jobs/${encodeURIComponent(job)}`;
  return {
    done: follow(path, onProgress) as Promise<Output<N>>,
    cancel: async () => {
      const answer = await fetch(path, { method: "DELETE" });
      if (!answer.ok) throw await refusal(answer);
    },
  };
}

const CANCELLED: Text = { ja: "中止", en: "Cancelled" };

/** Resolves with the output once the job has ended; rejects with its problem. */
function settle(job: Job, resolve: (output: unknown) => void, reject: (problem: Problem) => void): boolean {
  if (job.state === "done") {
    resolve(job.output);
    return true;
  }
  if (job.state === "failed" || job.state === "cancelled") {
    reject(
      new Problem(
        job.error ?? {
          status: 0,
          code: job.state === "cancelled" ? "E-CANCELLED" : "E-JOB",
          category: job.state === "cancelled" ? "cancelled" : "bug",
          message: job.state === "cancelled" ? CANCELLED : { ja: "失敗", en: "The job failed" },
        },
      ),
    );
    return true;
  }
  return false;
}

function follow(path: string, onProgress: (job: Job) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const source = new EventSource(`${path}/events`);
    source.onmessage = (message: MessageEvent<string>) => {
      const job = JSON.parse(message.data) as Job;
      onProgress(job);
      if (settle(job, resolve, reject)) source.close();
    };
    source.onerror = () => {
      // The stream ended or broke: ask for the state until the job has ended.
      source.close();
      poll(path, onProgress).then(resolve, reject);
    };
  });
}

async function poll(path: string, onProgress: (job: Job) => void): Promise<unknown> {
  for (;;) {
    const response = await fetch(path);
    if (!response.ok) throw await refusal(response);
    const job = (await response.json()) as Job;
    onProgress(job);
    let ended: { output: unknown } | null = null;
    let fault: Problem | null = null;
    const over = settle(
      job,
      (output) => (ended = { output }),
      (problem) => (fault = problem),
    );
    if (over) {
      if (fault) throw fault;
      return (ended as { output: unknown } | null)?.output;
    }
    await new Promise((wake) => setTimeout(wake, 500));
  }
}
