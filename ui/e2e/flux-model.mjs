// What `flux model` tells, read from a model file as BiGG writes them (SBML level 3 with FBC 2 and groups), packed or not.
// Stands in for a server that does not have the operation yet; the pages then have it from here.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const attributes = (tag) => Object.fromEntries([...tag.matchAll(/([\w:]+)="([^"]*)"/g)].map(([, key, value]) => [key.split(":").at(-1), value]));
const all = (text, tag) => [...text.matchAll(new RegExp(`<${tag}[ >][^>]*>`, "g"))].map(([whole]) => attributes(whole));
const plain = (id) => id?.replace(/^(R|M|G)_/, "");

function rule(text) {
  let out = "";
  const open = [];
  for (const [, end, kind, rest] of text.matchAll(/<(\/?)fbc:(and|or|geneProductRef)([^>]*)>/g)) {
    if (kind === "geneProductRef") {
      const top = open.at(-1);
      out += `${top && top.n > 0 ? ` ${top.kind} ` : ""}${plain(attributes(rest).geneProduct)}`;
      if (top) top.n += 1;
    } else if (end) {
      open.pop();
      out += ")";
    } else {
      const top = open.at(-1);
      out += `${top && top.n > 0 ? ` ${top.kind} ` : ""}(`;
      if (top) top.n += 1;
      open.push({ kind, n: 0 });
    }
  }
  return out.replace(/^\((.*)\)$/s, (whole, inner) => (/^[^()]*$/.test(inner) ? inner : whole)) || null;
}

/** The answer of `flux model` for a file. */
export function fluxModel(path) {
  const bytes = readFileSync(path);
  const text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  const values = Object.fromEntries(all(text, "parameter").map((one) => [one.id, Number(one.value)]));
  const bound = (id) => (Number.isFinite(values[id]) ? values[id] : null);
  const subsystems = {};
  for (const [, head, inner] of text.matchAll(/<groups:group ([^>]*)>([\s\S]*?)<\/groups:group>/g)) for (const member of all(inner, "groups:member")) subsystems[member.idRef] ??= attributes(head).name;
  const objectives = all(text, "fbc:fluxObjective");
  const metabolites = all(text, "species").map((one) => ({ id: plain(one.id), name: one.name ?? null, compartment: one.compartment ?? null, formula: one.chemicalFormula ?? null, charge: one.charge ? Number(one.charge) : null }));
  const places = new Map(metabolites.map((one) => [one.id, one.compartment]));
  const reactions = [...text.matchAll(/<reaction ([^>]*)>([\s\S]*?)<\/reaction>/g)].map(([, head, inner]) => {
    const told = attributes(head);
    const side = (list, sign) => all(new RegExp(`<${list}>([\\s\\S]*?)</${list}>`).exec(inner)?.[1] ?? "", "speciesReference").map((one) => [plain(one.species), sign * Number(one.stoichiometry ?? 1)]);
    const stoichiometry = [...side("listOfReactants", -1), ...side("listOfProducts", 1)];
    const gene_rule = rule(/<fbc:geneProductAssociation[\s\S]*?<\/fbc:geneProductAssociation>/.exec(inner)?.[0] ?? "");
    const [lower, upper] = [bound(told.lowerFluxBound), bound(told.upperFluxBound)];
    const across = new Set(stoichiometry.map(([id]) => places.get(id))).size > 1;
    const kind = stoichiometry.length === 1 ? (stoichiometry[0][0].endsWith("_e") ? "exchange" : "demand") : objectives.some((one) => one.reaction === told.id) ? "biomass" : across ? "transport" : "internal";
    return { id: plain(told.id), name: told.name ?? null, stoichiometry, lower, upper, gene_rule, genes: [...new Set(gene_rule?.match(/[^\s()]+/g)?.filter((word) => word !== "and" && word !== "or") ?? [])], subsystem: subsystems[told.id] ?? null, kind };
  });
  const medium = Object.fromEntries(reactions.filter((one) => one.kind === "exchange" && one.lower < 0).map((one) => [one.id, -one.lower]));
  return {
    file: path.split("/").at(-1),
    format: "sbml",
    id: attributes(/<model [^>]*>/.exec(text)[0]).id,
    name: attributes(/<model [^>]*>/.exec(text)[0]).name ?? null,
    flux_unit: "mmol/g/h",
    objective: { id: "obj", sense: "maximize", terms: objectives.map((one) => [plain(one.reaction), Number(one.coefficient)]) },
    compartments: all(text, "compartment").map((one) => ({ id: one.id, name: one.name ?? null })),
    metabolites,
    reactions,
    genes: all(text, "fbc:geneProduct").map((one) => ({ id: plain(one.id), name: one.label && one.label !== plain(one.id) ? one.label : (one.name ?? null) })),
    medium,
    findings: [],
  };
}
