//! Walking through a document, list by list, into [`Raw`].

use super::math;
use super::notes;
use super::raw::{Common, FluxBound, Group, Participant, Raw, Reaction, Species, Value};
use super::xml::{Space, Tag, Xml};
use crate::io::findings::{Findings, GEM_002};
use crate::io::miriam::{Words, sbo};
use crate::model::{Compartment, GroupKind};
use std::io::BufRead;
use toji_core::Result;

/// What to do about a number that is none.
pub(super) const NUMBER: (&str, &str) = ("数を書いてください", "write a number");

/// The walk.
pub(super) struct Walk<R> {
    pub(super) xml: Xml<R>,
    pub(super) findings: Findings,
    pub(super) raw: Raw,
    words: Words,
}

impl<R: BufRead> Walk<R> {
    pub(super) fn new(xml: Xml<R>, findings: Findings, level: u8) -> Self {
        Self { xml, findings, raw: Raw { level, ..Raw::default() }, words: Words::default() }
    }

    /// The element `sbml` is open.
    pub(super) fn document(&mut self) -> Result<()> {
        let mut common = Common::default();
        while self.xml.child()? {
            match self.xml.tag.key() {
                (Space::Core, "model") => self.model()?,
                _ => self.aside(&mut common)?,
            }
        }
        Ok(())
    }

    /// Notes, annotation, or something that is not kept.
    pub(super) fn aside(&mut self, common: &mut Common) -> Result<()> {
        match self.xml.tag.key() {
            (Space::Core, "notes") => notes::notes(&mut self.xml, common, &mut self.findings),
            (Space::Core, "annotation") => notes::annotation(&mut self.xml, common, &mut self.findings, &mut self.words),
            _ => {
                let tag = &self.xml.tag;
                let name = tag.name();
                self.findings.lost(format_args!("<{name}>"), || format!("要素 <{name}> "), || tag.place());
                self.xml.skip()
            }
        }
    }

    /// Identifier, name and ontology term of the element open now.
    pub(super) fn common(&mut self) -> Common {
        let tag = &self.xml.tag;
        let mut common = Common { line: tag.line, name: tag.text("name"), ..Common::default() };
        common.id = tag.text("id").unwrap_or_default();
        common.annotation.extend(tag.any("sboTerm").map(|term| sbo(term, &mut self.words)));
        common
    }

    /// The rest of an element that has only notes and annotation.
    pub(super) fn rest(&mut self, common: &mut Common) -> Result<()> {
        while self.xml.child()? {
            self.aside(common)?;
        }
        Ok(())
    }

    /// An own attribute as number.
    pub(super) fn own_number(&mut self, name: &str) -> Option<f64> {
        number(&self.xml.tag, &mut self.findings, self.xml.tag.own(name), name)
    }

    /// An own attribute that must be there.
    pub(super) fn needed(&mut self, name: &str) -> String {
        let text = self.xml.tag.text(name);
        if text.is_none() {
            let element = self.xml.tag.name().to_owned();
            let words = (format!("<{element}> に {name} がありません"), format!("<{element}> has no {name}"));
            self.findings.fault(GEM_002, self.xml.tag.place(), words, ("属性を加えてください", "add the attribute"));
        }
        text.unwrap_or_default()
    }

    fn model(&mut self) -> Result<()> {
        let mut common = self.common();
        self.raw.fbc |= self.xml.tag.fbc("strict").is_some();
        while self.xml.child()? {
            match self.xml.tag.key() {
                (Space::Core, "listOfCompartments") => self.each("compartment", Self::compartment)?,
                (Space::Core, "listOfSpecies") => self.each("species", Self::species)?,
                (Space::Core, "listOfParameters") => self.each("parameter", Self::parameter)?,
                (Space::Core, "listOfInitialAssignments") => self.each("initialAssignment", Self::initial)?,
                (Space::Core, "listOfRules") => self.each("", Self::rule)?,
                (Space::Core, "listOfFunctionDefinitions") => self.each("functionDefinition", Self::function)?,
                (Space::Core, "listOfReactions") => self.each("reaction", Self::reaction)?,
                (Space::Core, "listOfUnitDefinitions") => self.xml.skip()?,
                (Space::Fbc, "listOfFluxBounds") => self.each("fluxBound", Self::flux_bound)?,
                (Space::Fbc, "listOfObjectives") => self.objectives()?,
                (Space::Fbc, "listOfGeneProducts") => self.each("geneProduct", Self::gene)?,
                (Space::Fbc, "listOfUserDefinedConstraints") => self.each("userDefinedConstraint", Self::constraint)?,
                (Space::Groups, "listOfGroups") => self.each("group", Self::group)?,
                _ => self.aside(&mut common)?,
            }
        }
        self.raw.common = common;
        Ok(())
    }

    /// Every element of this name (any, when blank) in the list open now.
    pub(super) fn each(&mut self, name: &str, take: fn(&mut Self) -> Result<()>) -> Result<()> {
        self.raw.fbc |= self.xml.tag.space == Space::Fbc;
        let (space, mut common) = (self.xml.tag.space, Common::default());
        while self.xml.child()? {
            let fits = name.is_empty() && !matches!(self.xml.tag.name(), "notes" | "annotation") || self.xml.tag.name() == name;
            match fits && self.xml.tag.space == space {
                true => take(self)?,
                false => self.aside(&mut common)?,
            }
        }
        Ok(())
    }

    fn compartment(&mut self) -> Result<()> {
        let mut common = self.common();
        let value = self.own_number("size");
        self.raw.values.insert(common.id.clone(), Value { value });
        self.rest(&mut common)?;
        if !common.notes.is_empty() {
            let place = toji_core::Place::line(common.line).at_field(format!("compartment {}", common.id));
            self.findings.lost(format_args!("notes of compartments"), || "区画の注記".into(), || place);
        }
        self.raw.compartments.push(Compartment { id: common.id, name: common.name, annotation: common.annotation });
        Ok(())
    }

    fn species(&mut self) -> Result<()> {
        let mut common = self.common();
        let tag = &self.xml.tag;
        let (charge, formula) = (tag.fbc("charge").or_else(|| tag.own("charge")), tag.fbc("chemicalFormula"));
        let mut species = Species {
            compartment: tag.text("compartment"),
            boundary: tag.own("boundaryCondition").is_some_and(truth),
            formula: formula.filter(|f| !f.is_empty()).map(str::to_owned),
            charge: number(tag, &mut self.findings, charge, "charge"),
            ..Species::default()
        };
        let initial = ["initialConcentration", "initialAmount"].into_iter().find(|n| self.xml.tag.own(n).is_some());
        if let Some(value) = initial.and_then(|n| self.own_number(n)) {
            self.raw.values.insert(common.id.clone(), Value { value: Some(value) });
        }
        self.rest(&mut common)?;
        self.raw.symbol(&common.id);
        species.common = common;
        self.raw.species.push(species);
        Ok(())
    }

    fn parameter(&mut self) -> Result<()> {
        let id = self.needed("id");
        let value = self.own_number("value");
        self.raw.values.insert(id, Value { value });
        self.rest(&mut Common::default())
    }

    fn initial(&mut self) -> Result<()> {
        let symbol = self.needed("symbol");
        if let Some(math) = self.formula()? {
            self.raw.initial.insert(symbol, math);
        }
        Ok(())
    }

    fn rule(&mut self) -> Result<()> {
        let kind = self.xml.tag.name().to_owned();
        let variable = self.xml.tag.text("variable").unwrap_or_default();
        let place = self.xml.tag.place();
        let line = self.xml.tag.line;
        let math = self.formula()?;
        match (kind.as_str(), math) {
            ("assignmentRule", Some(math)) => drop(self.raw.rules.insert(variable, math)),
            ("assignmentRule", None) => {}
            ("rateRule", _) => drop(self.raw.rates.insert(variable, line)),
            _ => self.findings.lost(format_args!("<{kind}>"), || format!("<{kind}> "), || place),
        }
        Ok(())
    }

    fn function(&mut self) -> Result<()> {
        let id = self.needed("id");
        if let Some(math) = self.formula()? {
            self.raw.functions.insert(id, math);
        }
        Ok(())
    }

    /// The formula inside the element open now, to its end.
    pub(super) fn formula(&mut self) -> Result<Option<math::Math>> {
        let mut found = None;
        while self.xml.child()? {
            match self.xml.tag.key() {
                (Space::Math, "math") => found = math::read(&mut self.xml)?,
                _ => self.aside(&mut Common::default())?,
            }
        }
        Ok(found)
    }

    fn reaction(&mut self) -> Result<()> {
        let mut common = self.common();
        let tag = &self.xml.tag;
        let mut reaction = Reaction {
            reversible: tag.own("reversible").map(truth),
            lower: tag.fbc("lowerFluxBound").map(str::to_owned),
            upper: tag.fbc("upperFluxBound").map(str::to_owned),
            ..Reaction::default()
        };
        if reaction.reversible.is_none() && self.raw.level == 2 {
            reaction.reversible = Some(true);
        }
        while self.xml.child()? {
            match self.xml.tag.key() {
                (Space::Core, "listOfReactants") => self.participants(-1.0, &mut reaction)?,
                (Space::Core, "listOfProducts") => self.participants(1.0, &mut reaction)?,
                (Space::Core, "listOfModifiers") => self.xml.skip()?,
                (Space::Core, "kineticLaw") => self.law(&mut reaction)?,
                (Space::Fbc, "geneProductAssociation") => self.association(&mut reaction)?,
                _ => self.aside(&mut common)?,
            }
        }
        reaction.common = common;
        self.raw.reactions.push(reaction);
        Ok(())
    }

    fn participants(&mut self, sign: f64, reaction: &mut Reaction) -> Result<()> {
        while self.xml.child()? {
            if self.xml.tag.key() != (Space::Core, "speciesReference") {
                self.aside(&mut Common::default())?;
                continue;
            }
            let line = self.xml.tag.line;
            let species = match self.xml.tag.own("species").filter(|name| !name.is_empty()) {
                Some(name) => self.raw.symbol(name),
                None => {
                    let none = self.needed("species");
                    self.raw.symbol(&none)
                }
            };
            let mut stoichiometry = self.own_number("stoichiometry");
            if self.raw.level == 2 {
                stoichiometry = Some(stoichiometry.unwrap_or(1.0) / self.own_number("denominator").unwrap_or(1.0));
            }
            let id = self.xml.tag.own("id").map(Into::into);
            let mut math = None;
            while self.xml.child()? {
                match self.xml.tag.key() {
                    (Space::Core, "stoichiometryMath") => math = self.formula()?.map(Box::new),
                    _ => self.aside(&mut Common::default())?,
                }
            }
            reaction.participants.push(Participant { species, sign, stoichiometry, id, math, line });
        }
        Ok(())
    }

    /// COBRA's parameters in a kinetic law.
    fn law(&mut self, reaction: &mut Reaction) -> Result<()> {
        while self.xml.child()? {
            if !matches!(self.xml.tag.name(), "listOfParameters" | "listOfLocalParameters") {
                self.xml.skip()?;
                continue;
            }
            while self.xml.child()? {
                let id = self.xml.tag.text("id").unwrap_or_default();
                let value = self.own_number("value");
                match id.as_str() {
                    "LOWER_BOUND" => reaction.lower_local = value,
                    "UPPER_BOUND" => reaction.upper_local = value,
                    "OBJECTIVE_COEFFICIENT" => reaction.objective_local = value,
                    _ => {}
                }
                self.xml.skip()?;
            }
        }
        Ok(())
    }

    fn flux_bound(&mut self) -> Result<()> {
        let line = self.xml.tag.line;
        let reaction = self.needed("reaction");
        let value = self.own_number("value").unwrap_or(f64::NAN);
        let operation = self.needed("operation");
        let side = match operation.as_str() {
            "lessEqual" | "less" => (false, true),
            "greaterEqual" | "greater" => (true, false),
            "equal" => (true, true),
            other => {
                let words = (format!("operation {other:?} は境界になりません"), format!("operation {other:?} is no bound"));
                let remedy = ("lessEqual・greaterEqual・equal のどれかにしてください", "use lessEqual, greaterEqual or equal");
                self.findings.fault(GEM_002, self.xml.tag.place(), words, remedy);
                (false, false)
            }
        };
        self.raw.bounds.push(FluxBound { reaction, side, value, line });
        self.rest(&mut Common::default())
    }

    fn gene(&mut self) -> Result<()> {
        let mut gene = self.common();
        // A label that only repeats the identifier is no name.
        gene.name = gene.name.or_else(|| self.xml.tag.text("label").filter(|l| *l != gene.id));
        self.rest(&mut gene)?;
        self.raw.genes.push(gene);
        Ok(())
    }

    fn group(&mut self) -> Result<()> {
        let mut group = Group { common: self.common(), ..Group::default() };
        group.kind = match self.xml.tag.own("kind") {
            Some("classification") => GroupKind::Classification,
            Some("partonomy") => GroupKind::Partonomy,
            _ => GroupKind::Collection,
        };
        while self.xml.child()? {
            if self.xml.tag.key() != (Space::Groups, "listOfMembers") {
                self.aside(&mut group.common)?;
                continue;
            }
            while self.xml.child()? {
                match self.xml.tag.text("idRef") {
                    Some(id) => group.members.push((id, self.xml.tag.line)),
                    None => {
                        let ja = || "metaid によるグループの成員".into();
                        self.findings.lost(format_args!("members of groups by metaid"), ja, || self.xml.tag.place());
                    }
                }
                self.xml.skip()?;
            }
        }
        self.raw.groups.push(group);
        Ok(())
    }
}

/// A number in an attribute of the tag; INF and NaN as XML writes them.
fn number(tag: &Tag, findings: &mut Findings, text: Option<&str>, what: &str) -> Option<f64> {
    let text = text?.trim();
    let number = match text {
        "INF" => Some(f64::INFINITY),
        "-INF" => Some(f64::NEG_INFINITY),
        other => other.parse().ok(),
    };
    if number.is_none() {
        let words = (format!("{what} が数ではありません: {text:?}"), format!("{what} is not a number: {text:?}"));
        findings.fault(GEM_002, tag.place(), words, NUMBER);
    }
    number
}

fn truth(text: &str) -> bool {
    matches!(text.trim(), "true" | "1")
}
