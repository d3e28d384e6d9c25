//! COBRA JSON into a model.

use super::value::{Json, Node, Spots, parse};
use crate::io::Reading;
use crate::io::findings::{Findings, GEM_001, GEM_002, GEM_003, GEM_005, GEM_W02, GEM_W03};
use crate::io::miriam::{IS, Words, reference};
use crate::model::{Annotation, Compartment, Gene, Gpr, Metabolite, Notes, Objective, Parts, Reaction, Reference};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use toji_core::{Error, Place, Result};

/// Bounds COBRA gives a reaction that names none.
const BOUNDS_DEFAULT: (f64, f64) = (0.0, 1000.0);

/// Reads COBRA JSON.
///
/// # Errors
/// `E-GEM-001`: not JSON, with line and column. `E-GEM-002`: faults of the model, each with line, column and element.
pub fn read(bytes: &[u8]) -> Result<Reading> {
    let broken = |line, column, ja: &str, en: &str| {
        Error::input(GEM_001, format!("JSON として読めません: {ja}"), format!("not readable as JSON: {en}"))
            .at(Place::line(line).at_column(column))
            .hint("途中で切れていないかを確かめ、書き出し直してください", "check that it is not cut off, and export it again")
    };
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).map_err(|e| {
        let line = 1 + bytes[..e.valid_up_to().min(bytes.len())].iter().filter(|b| **b == b'\n').count() as u64;
        broken(line, 1, "UTF-8 ではありません", "it is not UTF-8")
    })?;
    let spots = Spots::new(text);
    let root = parse(text).map_err(|fault| {
        let (line, column) = spots.of(fault.at);
        broken(line, column, fault.ja, fault.en)
    })?;
    let (model, findings) = tree(&root, &|at| spots.of(at), "COBRA JSON")?;
    Ok(Reading { model, findings })
}

/// A model of a tree in the form of COBRA, which JSON and YAML share. `place` gives line and column of an offset.
pub(in crate::io) fn tree(
    root: &Node<'_>,
    place: &dyn Fn(usize) -> (u64, u64),
    format: &str,
) -> Result<(crate::model::Model, Vec<toji_core::Diagnostic>)> {
    let mut reader = Reader {
        place,
        findings: Findings::default(),
        parts: Parts::default(),
        genes: HashMap::new(),
        words: Words::default(),
        is: IS.into(),
    };
    let terms = reader.document(root);
    let Reader { findings, mut parts, .. } = reader;
    if !terms.is_empty() {
        parts.objectives.push(Objective { id: "obj".into(), terms, ..Objective::default() });
        parts.active = Some(0);
    }
    findings.finish(parts, format)
}

struct Reader<'p> {
    place: &'p dyn Fn(usize) -> (u64, u64),
    findings: Findings,
    parts: Parts,
    genes: HashMap<String, usize>,
    words: Words,
    /// The word [`IS`].
    is: Arc<str>,
}

fn spot(place: &dyn Fn(usize) -> (u64, u64), node: &Node<'_>, what: &str) -> Place {
    let (line, column) = place(node.at);
    Place::line(line).at_column(column).at_field(what)
}

const AS_COBRA: (&str, &str) = ("COBRA の形式に合うように直してください", "correct it as COBRA's format has it");

impl Reader<'_> {
    fn at(&self, node: &Node<'_>, what: &str) -> Place {
        spot(self.place, node, what)
    }

    fn wrong(&mut self, node: &Node<'_>, what: &str, ja: &str, en: &str) {
        let place = self.at(node, what);
        self.findings.fault(GEM_002, place, (format!("{what}: {ja}が要ります"), format!("{what} must be {en}")), AS_COBRA);
    }

    fn lost(&mut self, node: &Node<'_>, of: (&str, &str), key: &str) {
        let place = self.place;
        self.findings.lost(
            format_args!("member {key} of {}", of.1),
            || format!("{}の項目 {key} ", of.0),
            || spot(place, node, key),
        );
    }

    fn text(&mut self, node: &Node<'_>, what: &str) -> Option<String> {
        match &node.value {
            Json::Text(text) if text.is_empty() => None,
            Json::Text(text) => Some(text.to_string()),
            Json::Null => None,
            Json::Number(number) => Some(number.to_string()),
            _ => {
                self.wrong(node, what, "文字列", "a text");
                None
            }
        }
    }

    /// A number, or a number written as text (`"inf"`).
    fn number(&mut self, node: &Node<'_>, what: &str) -> Option<f64> {
        let number = match &node.value {
            Json::Number(number) => Some(*number),
            Json::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        if number.is_none() {
            self.wrong(node, what, "数", "a number");
        }
        number
    }

    fn list<'n, 't>(&mut self, node: Option<&'n Node<'t>>, what: &str) -> &'n [Node<'t>] {
        match node.map(|n| (n, &n.value)) {
            Some((_, Json::List(items))) => items,
            Some((node, _)) => {
                self.wrong(node, what, "並び", "a list");
                &[]
            }
            None => &[],
        }
    }

    fn members<'n, 't>(&mut self, node: &'n Node<'t>, what: &str) -> &'n [(Cow<'t, str>, Node<'t>)] {
        match &node.value {
            Json::Object(members) => members,
            _ => {
                self.wrong(node, what, "名前付きの項目", "an object");
                &[]
            }
        }
    }

    /// Reads everything; the terms of the objective.
    fn document(&mut self, root: &Node<'_>) -> Vec<(usize, f64)> {
        let members = self.members(root, "model");
        let find = |key: &str| members.iter().find(|m| m.0 == key).map(|m| &m.1);
        if !members.is_empty() && (find("reactions").is_none() || find("metabolites").is_none()) {
            self.wrong(root, "model", "reactions と metabolites の並び", "an object with lists of reactions and metabolites");
        }
        for (key, node) in members {
            match key.as_ref() {
                "id" => self.parts.id = self.text(node, "id").unwrap_or_default(),
                "name" => self.parts.name = self.text(node, "name"),
                "compartments" => {
                    for (id, name) in self.members(node, "compartments") {
                        let name = self.text(name, id);
                        self.parts.compartments.push(Compartment { id: id.to_string(), name, ..Compartment::default() });
                    }
                }
                "annotation" => self.parts.annotation = self.annotation(node),
                "notes" => self.parts.notes = self.notes(node),
                "reactions" | "metabolites" | "genes" | "version" => {}
                other => self.lost(node, ("モデル", "the model"), other),
            }
        }
        let nodes = self.list(find("metabolites"), "metabolites");
        self.parts.metabolites.reserve_exact(nodes.len());
        for node in nodes {
            let metabolite = self.metabolite(node);
            self.parts.metabolites.push(metabolite);
        }
        let nodes = self.list(find("genes"), "genes");
        self.parts.genes.reserve(nodes.len());
        self.genes.reserve(nodes.len());
        for node in nodes {
            let gene = self.gene(node);
            self.genes.insert(gene.id.clone(), self.parts.genes.len());
            self.parts.genes.push(gene);
        }
        let index: HashMap<String, usize> = self.parts.metabolites.iter().enumerate().map(|(i, m)| (m.id.clone(), i)).collect();
        let mut terms = Vec::new();
        let nodes = self.list(find("reactions"), "reactions");
        self.parts.reactions.reserve_exact(nodes.len());
        for node in nodes {
            let (reaction, coefficient) = self.reaction(node, &index);
            if coefficient != 0.0 {
                terms.push((self.parts.reactions.len(), coefficient));
            }
            self.parts.reactions.push(reaction);
        }
        terms
    }

    fn metabolite(&mut self, node: &Node<'_>) -> Metabolite {
        let mut metabolite = Metabolite::default();
        for (key, node) in self.members(node, "metabolite") {
            match key.as_ref() {
                "id" => metabolite.id = self.text(node, "id").unwrap_or_default(),
                "name" => metabolite.name = self.text(node, "name"),
                "compartment" => metabolite.compartment = self.text(node, "compartment"),
                "formula" => metabolite.formula = self.text(node, "formula"),
                "charge" if node.value == Json::Null => {}
                "charge" => metabolite.charge = self.number(node, "charge"),
                "annotation" => metabolite.annotation = self.annotation(node),
                "notes" => metabolite.notes = self.notes(node),
                "_bound" if node.value == Json::Number(0.0) => {}
                "_constraint_sense" if node.value == Json::Text("E".into()) => {}
                "_bound" | "_constraint_sense" => self.unsupported(node, key),
                other => self.lost(node, ("代謝物", "metabolites"), other),
            }
        }
        metabolite
    }

    fn unsupported(&mut self, node: &Node<'_>, what: &str) {
        let place = self.at(node, what);
        let words = (
            format!("{what} のこの値には対応していません"),
            format!("this value of {what} is not supported: it would change the result"),
        );
        let remedy = ("モデルを通常の定常状態の形に直してください", "bring the model into the ordinary steady-state form");
        self.findings.fault(GEM_005, place, words, remedy);
    }

    fn gene(&mut self, node: &Node<'_>) -> Gene {
        let mut gene = Gene::default();
        for (key, node) in self.members(node, "gene") {
            match key.as_ref() {
                "id" => gene.id = self.text(node, "id").unwrap_or_default(),
                "name" => gene.name = self.text(node, "name"),
                "annotation" => gene.annotation = self.annotation(node),
                "notes" => gene.notes = self.notes(node),
                other => self.lost(node, ("遺伝子", "genes"), other),
            }
        }
        gene
    }

    /// A reaction and its coefficient in the objective.
    fn reaction(&mut self, node: &Node<'_>, metabolites: &HashMap<String, usize>) -> (Reaction, f64) {
        let mut reaction = Reaction::default();
        let (mut lower, mut upper, mut coefficient) = (None, None, 0.0);
        for (key, node) in self.members(node, "reaction") {
            match key.as_ref() {
                "id" => reaction.id = self.text(node, "id").unwrap_or_default(),
                "name" => reaction.name = self.text(node, "name"),
                "subsystem" => reaction.subsystem = self.text(node, "subsystem"),
                "lower_bound" => lower = self.number(node, "lower_bound"),
                "upper_bound" => upper = self.number(node, "upper_bound"),
                "objective_coefficient" => coefficient = self.number(node, "objective_coefficient").unwrap_or(0.0),
                "metabolites" => reaction.stoichiometry = self.stoichiometry(node, metabolites),
                "gene_reaction_rule" => reaction.gpr = self.rule(node),
                "annotation" => reaction.annotation = self.annotation(node),
                "notes" => reaction.notes = self.notes(node),
                "variable_kind" if node.value == Json::Text("continuous".into()) => {}
                "variable_kind" => self.unsupported(node, key),
                other => self.lost(node, ("反応", "reactions"), other),
            }
        }
        if lower.is_none() || upper.is_none() {
            let place = self.at(node, &reaction.id);
            let (least, most) = BOUNDS_DEFAULT;
            self.findings.warn(
                GEM_W02,
                place,
                (
                    format!("流束の上下限がない反応があり、{least} と {most} とみなしました"),
                    format!("a reaction has no bounds; {least} and {most} were assumed"),
                ),
                ("lower_bound と upper_bound を書いてください", "give lower_bound and upper_bound"),
            );
        }
        (reaction.lower, reaction.upper) = (lower.unwrap_or(BOUNDS_DEFAULT.0), upper.unwrap_or(BOUNDS_DEFAULT.1));
        (reaction, coefficient)
    }

    fn stoichiometry(&mut self, node: &Node<'_>, metabolites: &HashMap<String, usize>) -> Vec<(usize, f64)> {
        let members = self.members(node, "metabolites");
        let mut terms = Vec::with_capacity(members.len());
        for (id, node) in members {
            let Some(value) = self.number(node, id) else { continue };
            match metabolites.get(id.as_ref()) {
                Some(&index) => terms.push((index, value)),
                None => {
                    let place = self.at(node, id);
                    let words = (format!("代謝物 {id} がありません"), format!("there is no metabolite {id}"));
                    let remedy =
                        ("metabolites に加えるか、綴りを直してください", "add it to metabolites, or correct the spelling");
                    self.findings.fault(GEM_003, place, words, remedy);
                }
            }
        }
        terms
    }

    fn rule(&mut self, node: &Node<'_>) -> Option<Gpr> {
        let text = self.text(node, "gene_reaction_rule")?;
        let (rule, unlisted) = rule(&text, &mut self.genes, &mut self.parts.genes);
        if unlisted > 0 {
            let place = self.at(node, &text);
            self.findings.warn(
                GEM_W02,
                place,
                (
                    "遺伝子の規則にある遺伝子が一覧になく、加えました".into(),
                    "a gene of a rule was not listed, and was added".into(),
                ),
                ("genes に加えてください", "add it to genes"),
            );
        }
        rule.unwrap_or_else(|why| {
            let place = self.at(node, &text);
            self.findings.warn(
                GEM_W03,
                place,
                (
                    format!("遺伝子の規則が読めず、規則なしとしました: {}", why.ja),
                    format!("a gene rule is unreadable, and the reaction was left without: {}", why.en),
                ),
                ("and・or・括弧で書き直してください", "write it with and, or and brackets"),
            );
            None
        })
    }

    /// Notes: each member a text or a list of texts.
    fn notes(&mut self, node: &Node<'_>) -> Notes {
        if matches!(&node.value, Json::Text(t) if t.is_empty()) || node.value == Json::Null {
            return Vec::new();
        }
        let mut notes = Vec::new();
        for (key, node) in self.members(node, "notes") {
            let items = if let Json::List(items) = &node.value { items } else { std::slice::from_ref(node) };
            for item in items {
                match scalar(item) {
                    Some(text) => notes.push((key.to_string(), text)),
                    None => self.lost(item, ("注記", "notes"), key),
                }
            }
        }
        notes
    }

    /// Annotation: collection to entry, entries, or pairs of qualifier and entry; or a list of pairs of label and
    /// address, as BiGG's service has it.
    fn annotation(&mut self, node: &Node<'_>) -> Annotation {
        let mut found = Vec::new();
        match &node.value {
            Json::Object(members) => {
                let count = |node: &Node<'_>| if let Json::List(items) = &node.value { items.len() } else { 1 };
                found.reserve_exact(members.iter().map(|m| count(&m.1)).sum());
                for (collection, node) in members {
                    let items = if let Json::List(items) = &node.value { items } else { std::slice::from_ref(node) };
                    for item in items {
                        let (qualifier, id) = match &item.value {
                            Json::List(pair) if pair.len() == 2 => {
                                (written(&pair[0]).map(|q| self.words.get(&q)), scalar(&pair[1]))
                            }
                            _ => (Some(self.is.clone()), scalar(item)),
                        };
                        match qualifier.zip(id) {
                            Some((qualifier, id)) => {
                                found.push(Reference { qualifier, collection: self.words.get(collection), id });
                            }
                            None => self.lost(item, ("注釈", "annotations"), collection),
                        }
                    }
                }
            }
            Json::List(items) => {
                for item in items {
                    match &item.value {
                        Json::List(pair) if pair.len() == 2 && matches!(pair[1].value, Json::Text(_)) => {
                            found.push(reference(&self.is, &written(&pair[1]).unwrap_or_default(), &mut self.words));
                        }
                        _ => self.lost(item, ("注釈", "annotations"), "[]"),
                    }
                }
            }
            Json::Null => {}
            _ => self.lost(node, ("注釈", "annotations"), "annotation"),
        }
        found
    }
}

/// A rule over genes by name; genes that are new are added. Also how many those were.
pub(in crate::io) fn rule(
    text: &str,
    index: &mut HashMap<String, usize>,
    genes: &mut Vec<Gene>,
) -> (std::result::Result<Option<Gpr>, crate::model::GprError>, usize) {
    let before = genes.len();
    let rule = Gpr::parse(text, &mut |name| match index.get(name) {
        Some(&known) => known,
        None => {
            genes.push(Gene { id: name.to_owned(), ..Gene::default() });
            index.insert(name.to_owned(), genes.len() - 1);
            genes.len() - 1
        }
    });
    if rule.is_err() {
        for gene in genes.drain(before..) {
            index.remove(&gene.id);
        }
    }
    (rule, genes.len() - before.min(genes.len()))
}

/// A text, number or truth value as it is written.
fn written<'n>(node: &'n Node<'_>) -> Option<Cow<'n, str>> {
    match &node.value {
        Json::Text(text) => Some(Cow::Borrowed(text)),
        Json::Number(number) => Some(number.to_string().into()),
        Json::Bool(truth) => Some(truth.to_string().into()),
        _ => None,
    }
}

fn scalar(node: &Node<'_>) -> Option<String> {
    written(node).map(Cow::into_owned)
}
