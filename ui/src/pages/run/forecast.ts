// A stored forecast over the course of its run: which run it names, where its time begins, and what of the run lies beside which quantity.
import type { StoredForecast } from "../../api/model";
import type { Run } from "../../api/types";
import type { Panel, Series } from "../../charts/panel";

/** Does the forecast name this run: by identifier, title or name? */
export function names(forecast: Pick<StoredForecast, "run">, run: Pick<Run, "id" | "title" | "fields">): boolean {
  const wanted = forecast.run.trim();
  if (wanted === "") return false;
  return [run.id, run.title, run.fields["name"], run.fields["key"]].some((one) => typeof one === "string" && one.trim() === wanted);
}

/** Seconds from the run's zero at which the culture was inoculated: a forecast begins there. */
export function beginsAt(run: Pick<Run, "fields" | "events">): number {
  if (run.fields["zero_is"] === "inoculation") return 0;
  const inoculated = run.events.filter((event) => event.type === "inoculation").flatMap((event) => (typeof event.elapsed_s === "number" ? [event.elapsed_s] : []));
  return inoculated.length > 0 ? Math.min(...inoculated) : 0;
}

/** What of a run can lie in the panel of a quantity: a group of channels or an assay, in the same unit. */
export interface Choice {
  key: string;
  title: string;
  series: Series[];
}

/** Notes in a unit (`% sat`) say what is meant, not another size: UCUM reads both alike. */
function sameUnit(a: string, b: string): boolean {
  const bare = (unit: string) => unit.split(" ")[0] ?? "";
  return a === b || (bare(a) !== "" && bare(a) === bare(b));
}

export function choicesFor(panel: Panel, measured: readonly Panel[]): Choice[] {
  return measured.filter((one) => sameUnit(one.unit, panel.unit)).map((one) => ({ key: one.key, title: one.title, series: one.series }));
}

const plain = (text: string) => text.toLowerCase().replaceAll(/[\s_-]+/g, "");

/** What lies there unless the reader says otherwise: the one choice with the quantity's name or label in its own. */
export function firstChoice(quantity: string, labels: readonly string[], choices: readonly Choice[]): string | null {
  const wanted = [quantity, ...labels].map(plain).filter((one) => one !== "");
  const exact = choices.filter((one) => wanted.includes(plain(one.title)) || wanted.includes(plain(one.key.split("|")[0]?.replace(/^assay:/, "") ?? "")));
  if (exact.length > 0) return exact[0]?.key ?? null;
  const within = choices.filter((one) => wanted.some((name) => name.length > 2 && (plain(one.title).includes(name) || name.includes(plain(one.title)))));
  return within.length === 1 ? (within[0]?.key ?? null) : null;
}

/** The panel of a quantity with what was measured laid over its fan. */
export function overlaid(fan: Panel, choice: Choice | undefined): Panel {
  if (!choice) return fan;
  return { ...fan, series: [...fan.series, ...choice.series.map((one) => ({ ...one, id: `${fan.key} ${one.id}` }))] };
}
