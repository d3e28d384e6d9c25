// Currency metabolites: carriers that join everything to everything (water, ATP, redox carriers …) and would hide the
// paths of a map. Told by their names in the BiGG style, by their formulas, or because they are in so many reactions.
import type { FluxMetabolite, FluxModel } from "../api/flux";

/** Without compartment, in the BiGG style and as other models name them. */
const NAMES = new Set(
  (
    "h h2o atp adp amp pi ppi nad nadh nadp nadph co2 o2 nh4 nh3 coa fad fadh2 fmn fmnh2 gtp gdp gmp utp udp ump ctp cdp cmp itp idp imp " +
    "q8 q8h2 mqn8 mql8 2dmmq8 2dmmql8 q6 q6h2 q10 q10h2 trdox trdrd grxox grxrd fdxox fdxrd flxr flxso acp h2o2 hco3 so4 so3 h2s na1 k cl mg2 ca2 fe2 fe3 zn2 mn2 cu2 cobalt2 mobd ni2 " +
    "water proton h+ oxygen ammonium ammonia phosphate orthophosphate diphosphate nad+ nadp+"
  ).split(" "),
);
const FORMULAS = new Set(["H", "H2O", "O2", "CO2"]);
/** In so many reactions, or in such a share of them, anything is a carrier. */
const DEGREE_MIN = 60;
const DEGREE_SHARE = 0.04;

/** `atp_c`, `atp[c]` or `atp` of the compartment `c`, without the compartment. */
export function baseName(one: Pick<FluxMetabolite, "id" | "compartment">): string {
  const { id, compartment } = one;
  if (compartment) for (const tail of [`_${compartment}`, `[${compartment}]`]) if (id.endsWith(tail)) return id.slice(0, -tail.length);
  return id.replace(/(?:_[a-z][a-z0-9]?|\[[a-z][a-z0-9]?\])$/, "");
}

/** Identifiers of the currency metabolites of a model. */
export function currencyOf(model: Pick<FluxModel, "metabolites" | "reactions">): Set<string> {
  const degree = new Map<string, number>();
  for (const reaction of model.reactions) {
    if (reaction.kind === "biomass") continue;
    for (const [id] of reaction.stoichiometry) degree.set(id, (degree.get(id) ?? 0) + 1);
  }
  const most = Math.max(DEGREE_MIN, model.reactions.length * DEGREE_SHARE);
  const isCarrier = (one: FluxMetabolite) => NAMES.has(baseName(one).toLowerCase()) || NAMES.has((one.name ?? "").toLowerCase()) || FORMULAS.has(one.formula ?? "") || (degree.get(one.id) ?? 0) > most;
  return new Set(model.metabolites.filter(isCarrier).map((one) => one.id));
}
