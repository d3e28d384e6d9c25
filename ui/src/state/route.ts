// The address is the view. This module reads a path into a page and writes
// addresses; it touches no browser object, so that it can be tested alone.

export type Route =
  | { page: "runs" }
  | { page: "live" }
  | { page: "run"; id: string }
  | { page: "compare" }
  | { page: "kinds" }
  | { page: "kind"; kind: string }
  | { page: "record"; kind: string; id: string }
  | { page: "search" }
  | { page: "import" }
  | { page: "sql" }
  | { page: "sense" }
  | { page: "readiness" }
  | { page: "release" }
  | { page: "plate" }
  | { page: "models" }
  | { page: "model"; id: string; part: ModelPart }
  | { page: "flux-models" }
  | { page: "flux"; id: string; part: FluxPart }
  | { page: "experiments" }
  | { page: "monitor" }
  | { page: "experiment"; id: string }
  | { page: "observers" }
  | { page: "explain" }
  | { page: "rules" }
  | { page: "campaigns" }
  | { page: "campaign"; id: string }
  | { page: "scale" }
  | { page: "twin-rules" }
  | { page: "profiles" }
  | { page: "control" }
  | { page: "gas" }
  | { page: "account" }
  | { page: "commons" }
  | { page: "unknown"; path: string };

/** What is done with a model, each below its page. */
export const MODEL_PARTS = ["simulate", "fit", "forecast", "hybrid"] as const;
export type ModelPart = (typeof MODEL_PARTS)[number];

/** What is looked at of a metabolic model, each below its page. */
export const FLUX_PARTS = ["map", "health", "envelope", "phase", "deletions", "designs", "enzymes"] as const;
export type FluxPart = (typeof FLUX_PARTS)[number];

const PLAIN: Record<string, Route> = {
  runs: { page: "runs" },
  live: { page: "live" },
  compare: { page: "compare" },
  records: { page: "kinds" },
  search: { page: "search" },
  import: { page: "import" },
  sql: { page: "sql" },
  sense: { page: "sense" },
  readiness: { page: "readiness" },
  release: { page: "release" },
  plate: { page: "plate" },
  experiments: { page: "experiments" },
  monitor: { page: "monitor" },
  models: { page: "models" },
  flux: { page: "flux-models" },
  account: { page: "account" },
  commons: { page: "commons" },
};

/** What is learnt from the senses stands below them. */
const SENSED: Record<string, Route> = {
  observers: { page: "observers" },
  explain: { page: "explain" },
  rules: { page: "rules" },
};

/** What is decided about a process stands below it; the campaigns are its front page. */
const PROCESS: Record<string, Route> = {
  campaigns: { page: "campaigns" },
  scale: { page: "scale" },
  rules: { page: "twin-rules" },
  profiles: { page: "profiles" },
  control: { page: "control" },
  gas: { page: "gas" },
};

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

export function parseRoute(path: string): Route {
  const parts = path.split("/").filter((part) => part !== "").map(decoded);
  if (parts.some((part) => part === null)) return { page: "unknown", path };
  const [head, second, third, ...rest] = parts as string[];
  if (rest.length > 0) return { page: "unknown", path };
  if (head === undefined) return { page: "runs" };
  if (head === "runs" && second !== undefined && third === undefined) return { page: "run", id: second };
  if (head === "experiments" && second !== undefined && third === undefined) return { page: "experiment", id: second };
  if (head === "models" && second !== undefined) {
    const part = third === undefined ? "simulate" : MODEL_PARTS.find((one) => one === third && one !== "simulate");
    return part ? { page: "model", id: second, part } : { page: "unknown", path };
  }
  if (head === "flux" && second !== undefined) {
    const part = third === undefined ? "map" : FLUX_PARTS.find((one) => one === third && one !== "map");
    return part ? { page: "flux", id: second, part } : { page: "unknown", path };
  }
  if (head === "sense" && second !== undefined && third === undefined && Object.hasOwn(SENSED, second)) return SENSED[second] ?? { page: "unknown", path };
  if (head === "process" && second === undefined) return { page: "campaigns" };
  if (head === "process" && second === "campaigns" && third !== undefined) return { page: "campaign", id: third };
  if (head === "process" && second !== undefined && third === undefined && Object.hasOwn(PROCESS, second)) return PROCESS[second] ?? { page: "unknown", path };
  if (head === "records" && second !== undefined) {
    return third === undefined ? { page: "kind", kind: second } : { page: "record", kind: second, id: third };
  }
  const plain = Object.hasOwn(PLAIN, head) ? PLAIN[head] : undefined;
  return plain && second === undefined ? plain : { page: "unknown", path };
}

export type QueryValue = string | number | boolean | null | undefined | readonly string[];
export type Query = Record<string, QueryValue>;

/** Writes one value as text; `null` means that the key leaves the address. */
export function queryText(value: QueryValue): string | null {
  if (value === null || value === undefined || value === "" || value === false) return null;
  if (value === true) return "1";
  if (typeof value === "number") return Number.isFinite(value) ? String(Number(value.toFixed(3))) : null;
  if (typeof value === "string") return value;
  return value.length === 0 ? null : value.map(encodeURIComponent).join(",");
}

/** Reads a list written by `queryText`. Ids and keys may hold commas. */
export function queryList(text: string | null): string[] {
  if (!text) return [];
  return text
    .split(",")
    .map((part) => decoded(part) ?? part)
    .filter((part) => part !== "");
}

export function queryNumber(text: string | null): number | null {
  if (text === null || text.trim() === "") return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** The query string after `changes`; keys not named keep their values. */
export function withQuery(search: string, changes: Query): string {
  const query = new URLSearchParams(search);
  for (const [key, value] of Object.entries(changes)) {
    const text = queryText(value);
    if (text === null) query.delete(key);
    else query.set(key, text);
  }
  const written = query.toString();
  return written === "" ? "" : `?${written}`;
}

/** A path from its parts, each part escaped. */
export function pathOf(...parts: string[]): string {
  return `/${parts.map(encodeURIComponent).join("/")}`;
}

/** Where the page of a record is. Runs have a page of their own. */
export function recordPath(kind: string, id: string): string {
  return kind === "run" ? pathOf("runs", id) : pathOf("records", kind, id);
}

/** The page of a model, or of what is done with it. */
export function modelPath(id: string, part: ModelPart = "simulate"): string {
  return part === "simulate" ? pathOf("models", id) : pathOf("models", id, part);
}

/** The page of a metabolic model, or of what is looked at of it. */
export function fluxPath(id: string, part: FluxPart = "map"): string {
  return part === "map" ? pathOf("flux", id) : pathOf("flux", id, part);
}
