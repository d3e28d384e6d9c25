// What the pages of the commons work out from answers of the server: what a use would bring, what waits for whom, how
// an account stood. Touches no browser object.
import type { Input, Output } from "../../api/types";
import type { XyPoint } from "../../charts/xy";

export const TABS = ["shared", "uses", "members", "agreements", "account", "budgets", "worth", "ask", "log", "secrets", "nodes"] as const;
export type Tab = (typeof TABS)[number];

/** The part that the address names; the first when it names none. */
export function tabOf(text: string | null): Tab {
  return TABS.find((tab) => tab === text) ?? "shared";
}

export type Purpose = Output<"commons catalogue">["purpose"];
export const PURPOSES: readonly Purpose[] = ["research", "strain-improvement", "scale-up", "assessment", "model-training", "benchmark", "regulatory", "incident", "production"];

export function purposeOf(text: string | null): Purpose {
  return PURPOSES.find((purpose) => purpose === text) ?? "research";
}

export type Listed = Output<"commons catalogue">["data_sets"][number];
export type Member = Output<"commons member">["members"][number];
export type Agreement = Output<"commons agreement">["agreements"][number];
export type Account = Output<"commons account">;
export type Duty = Account["duties"][number];
export type Use = Output<"commons uses">["used"][number];
export type Budget = Output<"commons budget">["budgets"][number];
export type NodeState = Output<"node status">["nodes"][number];
export type PreviewInput = Input<"commons preview">;

/** What an agreement says of patents; it stands in the document that is signed. */
export type Patents = { kind: "free" } | { kind: "none" } | { kind: "notice"; days: number } | { kind: "unknown" };

export function patentsOf(note: string): Patents {
  const line = note.split("\n")[1] ?? "";
  try {
    const written = (JSON.parse(line) as { terms?: { patents?: { patents?: unknown; within_days?: unknown } } }).terms?.patents;
    if (written?.patents === "free" || written?.patents === "none") return { kind: written.patents };
    if (written?.patents === "notice" && typeof written.within_days === "number") return { kind: "notice", days: written.within_days };
  } catch {
    // Not a document of ours: nothing is claimed about it.
  }
  return { kind: "unknown" };
}

/** An agreement under which a data set may be used, and what that brings. */
export type Under = Listed["under"][number];
/** What a use brings, as it is told before and after it is registered. */
export type Brings = Pick<Under, "units" | "due" | "patent_notice_days" | "patent_allowed" | "ends">;
type Say = (key: "commons.brings.duty" | "commons.brings.no_duty" | "commons.brings.notice" | "commons.brings.none" | "commons.brings.free" | "commons.brings.ends", vars?: Record<string, string | number>) => string;

/** What a use under an agreement brings, in sentences: feedback with its date, patents, the end. */
export function bringsOf(one: Brings, say: Say, when: (at: string) => string): string[] {
  return [
    typeof one.units === "number" && one.due ? say("commons.brings.duty", { n: one.units, due: when(one.due) }) : say("commons.brings.no_duty"),
    !one.patent_allowed ? say("commons.brings.none") : typeof one.patent_notice_days === "number" ? say("commons.brings.notice", { n: one.patent_notice_days }) : say("commons.brings.free"),
    ...(one.ends ? [say("commons.brings.ends", { at: when(one.ends) })] : []),
  ];
}

const DAY_MS = 86_400_000;

/** What became of the duty that a use brought. */
export type DutyState = "none" | "met" | Urgency;

export function dutyState(use: Pick<Use, "duty" | "owed" | "disputed" | "overdue" | "due">, now: number): DutyState {
  if (!use.duty) return "none";
  if (use.owed === 0 && use.disputed === 0) return "met";
  return urgency({ owed: use.owed, disputed: use.disputed, overdue: use.overdue, due: use.due ?? "" }, now);
}

/** How much of a budget is spent, in whole percent of what is allowed; 0 where none is in effect. */
export function spentPercent(budget: Pick<Budget, "allowed" | "spent">): number {
  const { allowed, spent } = budget;
  if (typeof allowed !== "number" || typeof spent !== "number" || allowed <= 0) return 0;
  return Math.min(100, Math.max(0, Math.round((100 * spent) / allowed)));
}

/** Fields of a feedback or a request, as their records hold them. */
export interface Handed {
  id: string;
  [field: string]: unknown;
}

export const textOf = (row: Handed, name: string): string => (typeof row[name] === "string" ? row[name] : "");
export const numberOf = (row: Handed, name: string): number => (typeof row[name] === "number" ? row[name] : 0);

export type WaitFor = "screening" | "decision" | "key" | "signature" | "feedback" | "export";

/** One thing that somebody has to do. */
export interface Waiting {
  what: WaitFor;
  /** the application, agreement, feedback or request */
  about: string;
  /** organisation it waits for; empty when it waits for an office of the platform */
  whom: string;
}

export function waiting(members: readonly Member[], agreements: readonly Agreement[], feedback: readonly Handed[], exports: readonly Handed[]): Waiting[] {
  const found: Waiting[] = [];
  for (const one of members) {
    if (one.state === "applied") found.push({ what: "screening", about: one.organisation, whom: "" });
    if (one.state === "screened") found.push({ what: "decision", about: one.organisation, whom: "" });
    if (one.state === "approved" && !one.key) found.push({ what: "key", about: one.organisation, whom: one.organisation });
  }
  for (const one of agreements) {
    if (one.state === "draft") for (const party of one.missing) found.push({ what: "signature", about: one.id, whom: party });
  }
  for (const one of feedback) if (one["state"] === "handed-in") found.push({ what: "feedback", about: one.id, whom: textOf(one, "owner") });
  for (const one of exports) if (one["state"] === "asked") found.push({ what: "export", about: one.id, whom: textOf(one, "owner") });
  return found;
}

/** How the last try to reach a node went. */
export function contactOf(node: Pick<NodeState, "reached_at" | "tried_at" | "error">): "never" | "reached" | "away" {
  if (node.error) return "away";
  return node.reached_at ? "reached" : "never";
}

/** A data set that this node offers, and under what: agreements, or `public`. */
export interface Offer {
  id: string;
  title: string;
  owner: string;
  under: string[];
}

/** The offers of a catalogue of a data space (DCAT and ODRL), by what their identifiers say. */
export function offersOf(catalogue: unknown): Offer[] {
  const listed = (catalogue as { dataset?: unknown }).dataset;
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return (Array.isArray(listed) ? listed : []).map((entry) => {
    const one = entry as { "@id"?: unknown; title?: unknown; creator?: unknown; hasPolicy?: unknown };
    const policies = Array.isArray(one.hasPolicy) ? (one.hasPolicy as { "@id"?: unknown }[]) : [];
    return {
      id: text(one["@id"]).replace(/^urn:toji:data-set:/, ""),
      title: text(one.title),
      owner: text(one.creator),
      under: policies.map((policy) => text(policy["@id"]).replace(/^urn:toji:offer:/, "").split("/")[0] ?? ""),
    };
  });
}

/** What a task asks, as its record holds it. */
export function taskOf(row: Handed): { predicted: string; features: string[]; tests: string } {
  const task = (typeof row["task"] === "object" && row["task"] !== null ? row["task"] : {}) as { predicted?: unknown; unit?: unknown; features?: unknown; test_points?: unknown };
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  const features = typeof task.features === "object" && task.features !== null ? Object.keys(task.features) : [];
  const unit = text(task.unit);
  return { predicted: unit === "" || unit === "1" ? text(task.predicted) : `${text(task.predicted)} (${unit})`, features, tests: text(task.test_points) };
}

/** Is its date past, soon (within 30 days), or later? What is in dispute is frozen. */
export type Urgency = "overdue" | "soon" | "later" | "disputed";

export function urgency(duty: Pick<Duty, "owed" | "disputed" | "overdue" | "due">, now: number): Urgency {
  if (duty.overdue) return "overdue";
  if (duty.owed === 0 && duty.disputed > 0) return "disputed";
  return Date.parse(duty.due) - now < 30 * DAY_MS ? "soon" : "later";
}

/** In what the course is told: the longest unit that it fills. */
export type CourseUnit = "days" | "hours" | "minutes";

export interface Course {
  /** moment of 0 */
  start: string;
  unit: CourseUnit;
  given: XyPoint[];
  taken: XyPoint[];
  owed: XyPoint[];
  /** where open duties are due */
  due: { at: number; duty: string }[];
}

/** How given, taken and owed stood, since the first line; null when nothing happened yet. */
export function course(account: Pick<Account, "opening" | "lines" | "closing" | "duties">, now: number): Course | null {
  const start = account.lines[0]?.at;
  if (start === undefined) return null;
  const zero = Date.parse(start);
  const span = Math.max(now, ...account.duties.map((duty) => Date.parse(duty.due))) - zero;
  const [unit, length]: [CourseUnit, number] = span >= 2 * DAY_MS ? ["days", DAY_MS] : span >= DAY_MS / 12 ? ["hours", DAY_MS / 24] : ["minutes", DAY_MS / 1440];
  const since = (at: string) => (Date.parse(at) - zero) / length;
  const steps = [{ x: 0, of: account.opening }, ...account.lines.map((line) => ({ x: since(line.at), of: line.after })), { x: Math.max((now - zero) / length, 0), of: account.closing }];
  const points = (name: "given" | "taken" | "owed") => steps.map((step) => ({ x: step.x, y: step.of[name] }));
  return { start, unit, given: points("given"), taken: points("taken"), owed: points("owed"), due: account.duties.map((duty) => ({ at: since(duty.due), duty: duty.duty })) };
}

/** Identifiers or keys, one a line. */
export function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** A moment typed in the browser's zone, as RFC 3339; empty when it is none. */
export function momentOf(local: string): string {
  const at = Date.parse(local);
  return Number.isNaN(at) ? "" : new Date(at).toISOString();
}

/** What an entry of the log says beside its kind and moment. */
export function factsText(entry: unknown, named: (name: string) => string = (name) => name): { kind: string; at: string; facts: string } {
  const { kind, at, facts } = (typeof entry === "object" && entry !== null ? entry : {}) as { kind?: unknown; at?: unknown; facts?: unknown };
  const pairs = typeof facts === "object" && facts !== null ? Object.entries(facts) : [];
  return {
    kind: typeof kind === "string" ? kind : "",
    at: typeof at === "string" ? at : "",
    facts: pairs.map(([name, value]) => `${named(name)} ${typeof value === "string" ? value : JSON.stringify(value)}`).join(" · "),
  };
}
