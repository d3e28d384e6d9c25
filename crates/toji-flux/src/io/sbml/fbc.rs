//! Flux balance constraints: objectives, gene associations, user-defined constraints.

use super::raw::{Association, Common, Component, Constraint, Objective, Reaction, Term};
use super::walk::Walk;
use super::xml::Space;
use crate::io::findings::{GEM_002, GEM_004, GEM_005};
use crate::model::Sense;
use std::io::BufRead;
use toji_core::Result;

/// Deepest nesting of an association.
const DEPTH_MAX: usize = 100;

impl<R: BufRead> Walk<R> {
    pub(super) fn objectives(&mut self) -> Result<()> {
        self.raw.active = self.xml.tag.text("activeObjective");
        self.each("objective", Self::objective)
    }

    fn objective(&mut self) -> Result<()> {
        let mut objective = Objective {
            id: self.xml.tag.text("id").unwrap_or_default(),
            name: self.xml.tag.text("name"),
            ..Objective::default()
        };
        let sense = self.needed("type");
        objective.sense = match sense.as_str() {
            "minimize" | "minimise" => Sense::Minimize,
            "maximize" | "maximise" | "" => Sense::Maximize,
            other => {
                let words =
                    (format!("目的関数の向き {other:?} は未知です"), format!("unknown direction {other:?} of the objective"));
                let remedy = ("maximize か minimize にしてください", "use maximize or minimize");
                self.findings.fault(GEM_002, self.xml.tag.place(), words, remedy);
                Sense::Maximize
            }
        };
        while self.xml.child()? {
            if self.xml.tag.key() != (Space::Fbc, "listOfFluxObjectives") {
                self.aside(&mut Common::default())?;
                continue;
            }
            while self.xml.child()? {
                if self.xml.tag.key() != (Space::Fbc, "fluxObjective") {
                    self.aside(&mut Common::default())?;
                    continue;
                }
                let line = self.xml.tag.line;
                let reaction = self.needed("reaction");
                let coefficient = self.own_number("coefficient").unwrap_or(1.0);
                let quadratic = self.quadratic();
                objective.terms.push(Term { reaction, coefficient, quadratic, line });
                self.rest(&mut Common::default())?;
            }
        }
        self.raw.objectives.push(objective);
        Ok(())
    }

    /// Does the element open now speak of a square? What speaks of products of variables is refused.
    fn quadratic(&mut self) -> bool {
        let kind = self.xml.tag.own("variableType").unwrap_or("linear").to_owned();
        if self.xml.tag.own("variable2").is_some() || self.xml.tag.own("reaction2").is_some() {
            self.unsupported("二つの変数の積", "the product of two variables");
        } else if !matches!(kind.as_str(), "linear" | "quadratic") {
            self.unsupported(&format!("variableType {kind:?} "), &format!("variableType {kind:?}"));
        }
        kind == "quadratic"
    }

    fn unsupported(&mut self, ja: &str, en: &str) {
        let words = (format!("{ja}には対応していません"), format!("{en} is not supported"));
        let remedy = ("線形の形に直してください", "bring it into linear form");
        self.findings.fault(GEM_005, self.xml.tag.place(), words, remedy);
    }

    pub(super) fn association(&mut self, reaction: &mut Reaction) -> Result<()> {
        let place = self.xml.tag.place();
        while self.xml.child()? {
            match self.xml.tag.name() {
                "notes" | "annotation" => self.xml.skip()?,
                _ if reaction.association.is_none() => reaction.association = self.alternatives(0)?,
                _ => {
                    let words = ("遺伝子の規則が二つあります".into(), "there are two gene rules".into());
                    let remedy = ("<fbc:or> か <fbc:and> でまとめてください", "join them with <fbc:or> or <fbc:and>");
                    self.findings.fault(GEM_002, place.clone(), words, remedy);
                    self.xml.skip()?;
                }
            }
        }
        Ok(())
    }

    /// The association open now, to its end.
    fn alternatives(&mut self, depth: usize) -> Result<Option<Association>> {
        if depth >= DEPTH_MAX {
            let words = ("遺伝子の規則の入れ子が深すぎます".into(), "a gene rule is nested too deeply".into());
            self.findings.fault(
                GEM_004,
                self.xml.tag.place(),
                words,
                ("規則を平らに書き直してください", "write the rule flatter"),
            );
            self.xml.skip()?;
            return Ok(None);
        }
        match self.xml.tag.key() {
            (Space::Fbc, "geneProductRef") => {
                let line = self.xml.tag.line;
                let gene = self.needed("geneProduct");
                self.rest(&mut Common::default())?;
                Ok(Some(Association::Gene(gene, line)))
            }
            (Space::Fbc, name @ ("and" | "or")) => {
                let all = name == "and";
                let mut parts = Vec::new();
                while self.xml.child()? {
                    match self.xml.tag.name() {
                        "notes" | "annotation" => self.xml.skip()?,
                        _ => parts.extend(self.alternatives(depth + 1)?),
                    }
                }
                Ok(match (parts.is_empty(), all) {
                    (true, _) => None,
                    (_, true) => Some(Association::And(parts)),
                    (_, false) => Some(Association::Or(parts)),
                })
            }
            _ => {
                self.aside(&mut Common::default())?;
                Ok(None)
            }
        }
    }

    pub(super) fn constraint(&mut self) -> Result<()> {
        let tag = &self.xml.tag;
        let mut constraint = Constraint {
            id: tag.text("id").unwrap_or_default(),
            name: tag.text("name"),
            lower: tag.text("lowerBound"),
            upper: tag.text("upperBound"),
            line: tag.line,
            components: Vec::new(),
        };
        while self.xml.child()? {
            if self.xml.tag.key() != (Space::Fbc, "listOfUserDefinedConstraintComponents") {
                self.aside(&mut Common::default())?;
                continue;
            }
            while self.xml.child()? {
                let line = self.xml.tag.line;
                let (coefficient, variable) = (self.needed("coefficient"), self.needed("variable"));
                let quadratic = self.quadratic();
                constraint.components.push(Component { coefficient, variable, quadratic, line });
                self.rest(&mut Common::default())?;
            }
        }
        self.raw.constraints.push(constraint);
        Ok(())
    }
}
