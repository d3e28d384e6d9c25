//! Writing: level 3 version 1 with flux balance constraints 2 and groups 1.

use super::identify::long;
use crate::io::Written;
use crate::io::findings::Findings;
use crate::io::miriam::{address, is_sbo};
use crate::model::{Annotation, Gpr, GroupKind, Member, Model, Notes, Sense};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use toji_core::Result;

/// Parts of the annotation of RDF.
const RDF: &str = "xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" \
                   xmlns:bqbiol=\"http://biomodels.net/biology-qualifiers/\" \
                   xmlns:bqmodel=\"http://biomodels.net/model-qualifiers/\"";

/// Writes SBML as COBRApy and the BioModels curators read it. Identifiers get the prefixes `M_`, `R_`, `G_`, and
/// characters SBML does not allow become codes.
///
/// The report tells what FBC 2 has no place for: user-defined constraints, quadratic terms, fractions of charges.
/// FBC's strict form is declared where the model keeps it (every bound is a number or on its own side infinite, lower not
/// above upper, an objective is named).
///
/// # Errors
/// None for a checked model.
pub fn write(model: &Model) -> Result<Written> {
    let mut writer = Writer { text: String::new(), losses: Findings::default(), parameters: Parameters::default(), metaids: 0 };
    writer.document(model);
    Ok(Written { bytes: writer.text.into_bytes(), losses: writer.losses.into_notes() })
}

struct Writer {
    text: String,
    losses: Findings,
    parameters: Parameters,
    metaids: usize,
}

/// Parameters that hold bounds, one for each value.
#[derive(Default)]
struct Parameters {
    of: HashMap<u64, String>,
    list: Vec<(String, f64)>,
}

impl Parameters {
    fn of(&mut self, value: f64) -> String {
        let value = if value == 0.0 { 0.0 } else { value };
        let next = self.list.len();
        let id = self.of.entry(value.to_bits()).or_insert_with(|| match value {
            0.0 => "cobra_0_bound".into(),
            v if v == f64::INFINITY => "plus_inf".into(),
            v if v == f64::NEG_INFINITY => "minus_inf".into(),
            _ => format!("flux_bound_{next}"),
        });
        if self.list.iter().all(|p| p.0 != *id) {
            self.list.push((id.clone(), value));
        }
        id.clone()
    }
}

/// Text as content or value of XML; characters XML has no place for are left out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            '\r' => escaped.push_str("&#13;"),
            c if c < ' ' || matches!(c, '\u{FFFE}' | '\u{FFFF}') => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// A number as XML writes it.
fn number(value: f64) -> String {
    match value {
        v if v == f64::INFINITY => "INF".into(),
        v if v == f64::NEG_INFINITY => "-INF".into(),
        v => format!("{v:?}").trim_end_matches(".0").to_owned(),
    }
}

/// An attribute, when there is a value.
fn attribute(name: &str, value: Option<&str>) -> String {
    value.map(|v| format!(" {name}=\"{}\"", escape(v))).unwrap_or_default()
}

impl Writer {
    fn line(&mut self, depth: usize, text: &str) {
        for _ in 0..depth {
            self.text.push_str("  ");
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn document(&mut self, model: &Model) {
        self.text.push_str(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <sbml xmlns=\"http://www.sbml.org/sbml/level3/version1/core\" \
             xmlns:fbc=\"http://www.sbml.org/sbml/level3/version1/fbc/version2\" \
             xmlns:groups=\"http://www.sbml.org/sbml/level3/version1/groups/version1\" \
             level=\"3\" version=\"1\" fbc:required=\"false\" groups:required=\"false\">\n",
        );
        let strict = model.active.is_some() && model.reactions.iter().all(|r| r.lower <= r.upper);
        let id = if model.id.is_empty() { None } else { Some(long("", &model.id)) };
        let open = format!(
            "<model{}{} fbc:strict=\"{strict}\" substanceUnits=\"mmol_per_gDW\" extentUnits=\"mmol_per_gDW\" timeUnits=\"hour\"",
            attribute("id", id.as_deref().filter(|i| i.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))),
            attribute("name", model.name.as_deref())
        );
        self.element(1, &open, (&model.notes, &model.annotation), |this, _| this.model(model));
        self.text.push_str("</sbml>\n");
    }

    fn model(&mut self, model: &Model) {
        self.units();
        self.compartments(model);
        self.species(model);
        let before = std::mem::take(&mut self.text);
        self.reactions(model);
        let reactions = std::mem::replace(&mut self.text, before);
        self.line(2, "<listOfParameters>");
        for (id, value) in std::mem::take(&mut self.parameters.list) {
            let text = format!(
                "<parameter id=\"{id}\" value=\"{}\" units=\"mmol_per_gDW_per_hr\" constant=\"true\" sboTerm=\"SBO:0000626\"/>",
                number(value)
            );
            self.line(3, &text);
        }
        self.line(2, "</listOfParameters>");
        self.text.push_str(&reactions);
        self.objectives(model);
        self.genes(model);
        self.groups(model);
        for constraint in &model.constraints {
            self.losses.unwritten(&constraint.id, "追加の制約", "a user-defined constraint");
        }
    }

    fn units(&mut self) {
        let unit = |kind: &str, exponent: i32, scale: i32, multiplier: &str| {
            format!("<unit kind=\"{kind}\" exponent=\"{exponent}\" scale=\"{scale}\" multiplier=\"{multiplier}\"/>")
        };
        let (mole, gram, second) = (unit("mole", 1, -3, "1"), unit("gram", -1, 0, "1"), unit("second", -1, 0, "3600"));
        let hour = unit("second", 1, 0, "3600");
        self.line(2, "<listOfUnitDefinitions>");
        for (id, units) in
            [("mmol_per_gDW_per_hr", format!("{mole}{gram}{second}")), ("mmol_per_gDW", format!("{mole}{gram}")), ("hour", hour)]
        {
            self.line(3, &format!("<unitDefinition id=\"{id}\"><listOfUnits>{units}</listOfUnits></unitDefinition>"));
        }
        self.line(2, "</listOfUnitDefinitions>");
    }

    /// Opens `open` (without its bracket), writes notes and annotation, then what `inside` writes, and closes it. The
    /// first SBO term becomes an attribute.
    fn element(&mut self, depth: usize, open: &str, about: (&Notes, &Annotation), inside: impl FnOnce(&mut Self, usize)) {
        let (notes, annotation) = about;
        let of_model = open.starts_with("<model");
        let sbo = annotation.iter().find(|r| is_sbo(r));
        let rest: Vec<_> = annotation.iter().filter(|r| sbo.is_none_or(|s| !std::ptr::eq(s, *r))).collect();
        let mut tag = open.to_owned();
        if !rest.is_empty() {
            self.metaids += 1;
            let _ = write!(tag, " metaid=\"meta_{}\"", self.metaids);
        }
        tag.push_str(&attribute("sboTerm", sbo.map(|s| s.id.as_str())));
        let start = self.text.len();
        self.line(depth, &format!("{tag}>"));
        let headed = self.text.len();
        if !notes.is_empty() {
            self.line(depth + 1, "<notes><body xmlns=\"http://www.w3.org/1999/xhtml\">");
            for (key, value) in notes {
                self.line(depth + 2, &format!("<p>{}: {}</p>", escape(key), escape(value)));
            }
            self.line(depth + 1, "</body></notes>");
        }
        if !rest.is_empty() {
            self.annotation(depth + 1, &rest, of_model);
        }
        inside(self, depth + 1);
        if self.text.len() == headed {
            self.text.truncate(start);
            self.line(depth, &format!("{tag}/>"));
        } else {
            self.line(depth, &format!("</{}>", open[1..].split(' ').next().unwrap_or_default()));
        }
    }

    fn annotation(&mut self, depth: usize, references: &[&crate::model::Reference], of_model: bool) {
        let about = self.metaids;
        self.line(depth, &format!("<annotation><rdf:RDF {RDF}><rdf:Description rdf:about=\"#meta_{about}\">"));
        let mut by_qualifier: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for reference in references {
            by_qualifier.entry(&reference.qualifier).or_default().push(address(reference));
        }
        let model_words = ["isDerivedFrom", "isInstanceOf", "hasInstance"];
        for (qualifier, addresses) in by_qualifier {
            let space = match qualifier {
                "is" | "isDescribedBy" if of_model => "bqmodel",
                q if model_words.contains(&q) => "bqmodel",
                _ => "bqbiol",
            };
            let name: String = qualifier.chars().filter(char::is_ascii_alphanumeric).collect();
            let name = if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { "is".into() };
            self.line(depth + 1, &format!("<{space}:{name}><rdf:Bag>"));
            for address in addresses {
                self.line(depth + 2, &format!("<rdf:li rdf:resource=\"{}\"/>", escape(&address)));
            }
            self.line(depth + 1, &format!("</rdf:Bag></{space}:{name}>"));
        }
        self.line(depth, "</rdf:Description></rdf:RDF></annotation>");
    }

    fn compartments(&mut self, model: &Model) {
        self.line(2, "<listOfCompartments>");
        let listed: Vec<&str> = model.compartments.iter().map(|c| c.id.as_str()).collect();
        for compartment in &model.compartments {
            let id = long("", &compartment.id);
            let open = format!("<compartment id=\"{id}\"{} constant=\"true\"", attribute("name", compartment.name.as_deref()));
            self.element(3, &open, (&Vec::new(), &compartment.annotation), |_, _| {});
        }
        let mut named: Vec<&str> = model.metabolites.iter().map(|m| m.compartment.as_deref().unwrap_or("")).collect();
        named.sort_unstable();
        named.dedup();
        for id in named.into_iter().filter(|id| !listed.contains(id)) {
            self.line(3, &format!("<compartment id=\"{}\" constant=\"true\"/>", compartment_id(Some(id))));
        }
        self.line(2, "</listOfCompartments>");
    }

    fn species(&mut self, model: &Model) {
        self.line(2, "<listOfSpecies>");
        for metabolite in &model.metabolites {
            let whole = metabolite.charge.filter(|c| c.fract() == 0.0).map(number);
            if metabolite.charge.is_some() && whole.is_none() {
                self.losses.unwritten(&metabolite.id, "整数でない電荷", "a charge that is not whole");
            }
            let open = format!(
                "<species id=\"{}\"{} compartment=\"{}\" hasOnlySubstanceUnits=\"false\" boundaryCondition=\"{}\" constant=\"false\"{}{}",
                long("M_", &metabolite.id),
                attribute("name", metabolite.name.as_deref()),
                compartment_id(metabolite.compartment.as_deref()),
                metabolite.boundary,
                attribute("fbc:charge", whole.as_deref()),
                attribute("fbc:chemicalFormula", metabolite.formula.as_deref()),
            );
            self.element(3, &open, (&metabolite.notes, &metabolite.annotation), |_, _| {});
        }
        self.line(2, "</listOfSpecies>");
    }

    fn reactions(&mut self, model: &Model) {
        self.line(2, "<listOfReactions>");
        for reaction in &model.reactions {
            let (lower, upper) = (self.parameters.of(reaction.lower), self.parameters.of(reaction.upper));
            let open = format!(
                "<reaction id=\"{}\"{} reversible=\"{}\" fast=\"false\" fbc:lowerFluxBound=\"{lower}\" fbc:upperFluxBound=\"{upper}\"",
                long("R_", &reaction.id),
                attribute("name", reaction.name.as_deref()),
                reaction.lower < 0.0,
            );
            let mut notes = reaction.notes.clone();
            notes.extend(reaction.subsystem.iter().map(|s| ("SUBSYSTEM".to_owned(), s.clone())));
            let inside = |this: &mut Self, depth: usize| {
                for (list, sign) in [("listOfReactants", -1.0), ("listOfProducts", 1.0)] {
                    let side: Vec<_> = reaction.stoichiometry.iter().filter(|t| t.1 * sign > 0.0).collect();
                    if side.is_empty() {
                        continue;
                    }
                    this.line(depth, &format!("<{list}>"));
                    for (metabolite, coefficient) in side {
                        let species = long("M_", &model.metabolites[*metabolite].id);
                        let value = number(coefficient.abs());
                        let text =
                            format!("<speciesReference species=\"{species}\" stoichiometry=\"{value}\" constant=\"true\"/>");
                        this.line(depth + 1, &text);
                    }
                    this.line(depth, &format!("</{list}>"));
                }
                if let Some(gpr) = &reaction.gpr {
                    this.line(depth, "<fbc:geneProductAssociation>");
                    this.association(depth + 1, gpr, model);
                    this.line(depth, "</fbc:geneProductAssociation>");
                }
            };
            self.element(3, &open, (&notes, &reaction.annotation), inside);
        }
        self.line(2, "</listOfReactions>");
    }

    fn association(&mut self, depth: usize, gpr: &Gpr, model: &Model) {
        let (name, parts) = match gpr {
            Gpr::Gene(gene) => {
                let id = long("G_", &model.genes[*gene].id);
                return self.line(depth, &format!("<fbc:geneProductRef fbc:geneProduct=\"{id}\"/>"));
            }
            Gpr::And(parts) => ("and", parts),
            Gpr::Or(parts) => ("or", parts),
        };
        self.line(depth, &format!("<fbc:{name}>"));
        parts.iter().for_each(|p| self.association(depth + 1, p, model));
        self.line(depth, &format!("</fbc:{name}>"));
    }

    fn objectives(&mut self, model: &Model) {
        if model.objectives.is_empty() {
            return;
        }
        let id = |index: usize| match model.objectives[index].id.as_str() {
            "" => format!("obj_{index}"),
            id => long("", id),
        };
        let active = model.active.map(id);
        self.line(2, &format!("<fbc:listOfObjectives{}>", attribute("fbc:activeObjective", active.as_deref())));
        for (index, objective) in model.objectives.iter().enumerate() {
            let sense = if objective.sense == Sense::Minimize { "minimize" } else { "maximize" };
            let name = attribute("fbc:name", objective.name.as_deref());
            self.line(3, &format!("<fbc:objective fbc:id=\"{}\"{name} fbc:type=\"{sense}\">", id(index)));
            self.line(4, "<fbc:listOfFluxObjectives>");
            for (reaction, coefficient) in &objective.terms {
                let reaction = long("R_", &model.reactions[*reaction].id);
                let value = number(*coefficient);
                self.line(5, &format!("<fbc:fluxObjective fbc:reaction=\"{reaction}\" fbc:coefficient=\"{value}\"/>"));
            }
            self.line(4, "</fbc:listOfFluxObjectives>");
            self.line(3, "</fbc:objective>");
            if !objective.quadratic.is_empty() {
                self.losses.unwritten(&objective.id, "目的関数の二乗の項", "quadratic terms of the objective");
            }
        }
        self.line(2, "</fbc:listOfObjectives>");
    }

    fn genes(&mut self, model: &Model) {
        if model.genes.is_empty() {
            return;
        }
        self.line(2, "<fbc:listOfGeneProducts>");
        for gene in &model.genes {
            let id = long("G_", &gene.id);
            let name = attribute("fbc:name", gene.name.as_deref());
            let open = format!("<fbc:geneProduct fbc:id=\"{id}\"{name} fbc:label=\"{id}\"");
            self.element(3, &open, (&gene.notes, &gene.annotation), |_, _| {});
        }
        self.line(2, "</fbc:listOfGeneProducts>");
    }

    fn groups(&mut self, model: &Model) {
        if model.groups.is_empty() {
            return;
        }
        let id = |index: usize| match model.groups[index].id.as_str() {
            "" => format!("group_{index}"),
            id => long("", id),
        };
        self.line(2, "<groups:listOfGroups>");
        for (index, group) in model.groups.iter().enumerate() {
            let kind = match group.kind {
                GroupKind::Collection => "collection",
                GroupKind::Partonomy => "partonomy",
                GroupKind::Classification => "classification",
            };
            let name = attribute("groups:name", group.name.as_deref());
            let open = format!("<groups:group groups:id=\"{}\"{name} groups:kind=\"{kind}\"", id(index));
            let inside = |this: &mut Self, depth: usize| {
                if group.members.is_empty() {
                    return;
                }
                this.line(depth, "<groups:listOfMembers>");
                for member in &group.members {
                    let id = match *member {
                        Member::Metabolite(i) => long("M_", &model.metabolites[i].id),
                        Member::Reaction(i) => long("R_", &model.reactions[i].id),
                        Member::Gene(i) => long("G_", &model.genes[i].id),
                        Member::Group(i) => id(i),
                    };
                    this.line(depth + 1, &format!("<groups:member groups:idRef=\"{id}\"/>"));
                }
                this.line(depth, "</groups:listOfMembers>");
            };
            self.element(3, &open, (&Vec::new(), &group.annotation), inside);
        }
        self.line(2, "</groups:listOfGroups>");
    }
}

/// Identifier of a compartment; SBML asks every species for one.
fn compartment_id(id: Option<&str>) -> String {
    match id.unwrap_or("") {
        "" => "unknown_compartment".into(),
        id => long("", id),
    }
}
