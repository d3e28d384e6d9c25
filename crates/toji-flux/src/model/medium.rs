//! What a cell may take up: exchange reactions and the medium they make.

use super::{Model, Reaction, Scenario};
use std::collections::BTreeMap;
use toji_core::{Error, Place, Result};

/// What a reaction that touches the outside is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// Uptake and secretion.
    Exchange,
    /// Removal from inside.
    Demand,
    /// Removal and supply inside.
    Sink,
}

/// Terms of the Systems Biology Ontology that say what a boundary reaction is, or that a reaction is none.
const EXCHANGE: &str = "SBO:0000627";
const DEMAND: &str = "SBO:0000628";
const SINK: &str = "SBO:0000632";
const OTHERS: [&str; 2] = ["SBO:0000629", "SBO:0000631"];

/// Names by which the outside goes.
const OUTSIDE: [&str; 12] = [
    "e",
    "C_e",
    "e0",
    "extracellular",
    "extracellular space",
    "extracellular environment",
    "extraorganism",
    "extra-organism",
    "external",
    "external medium",
    "medium",
    "out",
];

impl Model {
    /// Is it a reaction with one balanced metabolite: does matter pass between the model and the outside there?
    fn crosses(&self, reaction: &Reaction) -> Option<usize> {
        let mut balanced = reaction.stoichiometry.iter().filter(|t| !self.metabolites[t.0].boundary);
        match (balanced.next(), balanced.next()) {
            (Some(one), None) => Some(one.0),
            _ => None,
        }
    }

    /// The compartment that is the outside: the only one called so by its identifier or name, else the one most
    /// boundary reactions are in (the first of equals).
    #[must_use]
    pub fn outside(&self) -> Option<&str> {
        let called = |text: &str| OUTSIDE.iter().any(|o| o.eq_ignore_ascii_case(text));
        let mut ids: Vec<&str> = self.compartments.iter().map(|c| c.id.as_str()).collect();
        for id in self.metabolites.iter().filter_map(|m| m.compartment.as_deref()) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let named = |id: &&str| {
            let name = self.compartments.iter().find(|c| c.id == **id).and_then(|c| c.name.as_deref());
            called(id) || name.is_some_and(called)
        };
        let found: Vec<&str> = ids.iter().copied().filter(named).collect();
        let candidates = match found.len() {
            1 => return Some(found[0]),
            0 => ids,
            _ => found,
        };
        let crossing = |id: &str| {
            let inside = |m: usize| self.metabolites[m].compartment.as_deref() == Some(id);
            self.reactions.iter().filter_map(|r| self.crosses(r)).filter(|m| inside(*m)).count()
        };
        let counts: Vec<(usize, &str)> = candidates.iter().map(|id| (crossing(id), *id)).collect();
        let most = counts.iter().map(|c| c.0).max().filter(|most| *most > 0)?;
        counts.iter().find(|c| c.0 == most).map(|c| c.1)
    }

    /// What a reaction is for, when it touches the outside.
    ///
    /// An ontology term decides. Without one, a reaction with one balanced metabolite is an exchange where that is in
    /// the outside compartment and the identifier does not say demand or sink; elsewhere it is a demand when it runs one
    /// way and a sink when it runs both.
    #[must_use]
    pub fn boundary(&self, reaction: usize) -> Option<Boundary> {
        self.boundary_in(reaction, self.outside())
    }

    /// As [`boundary`](Self::boundary), of every reaction at once.
    #[must_use]
    pub fn boundaries(&self) -> Vec<Option<Boundary>> {
        let outside = self.outside();
        (0..self.reactions.len()).map(|r| self.boundary_in(r, outside)).collect()
    }

    fn boundary_in(&self, reaction: usize, outside: Option<&str>) -> Option<Boundary> {
        let reaction = self.reactions.get(reaction)?;
        let term = reaction.annotation.iter().find(|r| &*r.collection == "sbo").map(|r| r.id.as_str());
        match term {
            Some(EXCHANGE) => return Some(Boundary::Exchange),
            Some(DEMAND) => return Some(Boundary::Demand),
            Some(SINK) => return Some(Boundary::Sink),
            Some(other) if OTHERS.contains(&other) => return None,
            _ => {}
        }
        let metabolite = self.crosses(reaction)?;
        let outer = outside.is_some() && self.metabolites[metabolite].compartment.as_deref() == outside;
        let says = |marks: &[&str]| marks.iter().any(|m| reaction.id.contains(m));
        let inner = says(&["DM_", "demand", "SK_", "SN_", "sink", "biosynthesis", "transcription", "replication"]);
        match (outer, inner) {
            (true, false) => Some(Boundary::Exchange),
            (true, true) => None,
            (false, _) if says(&["EX_", "exchange"]) => None,
            (false, _) if reaction.lower < 0.0 && reaction.upper > 0.0 => Some(Boundary::Sink),
            (false, _) => Some(Boundary::Demand),
        }
    }

    /// The exchange reactions, ascending.
    #[must_use]
    pub fn exchanges(&self) -> Vec<usize> {
        let outside = self.outside();
        (0..self.reactions.len()).filter(|r| self.boundary_in(*r, outside) == Some(Boundary::Exchange)).collect()
    }
}

/// Does a positive flux take the metabolite in? An exchange written `→ a` does, one written `a →` does not.
fn inward(reaction: &Reaction) -> bool {
    reaction.stoichiometry.iter().all(|t| t.1 > 0.0)
}

impl Scenario<'_> {
    /// The greatest uptake by exchange reaction, of those that allow any; in the model's unit of flux.
    #[must_use]
    pub fn medium(&self) -> BTreeMap<String, f64> {
        let uptake = |index: usize| {
            let (lower, upper) = self.bounds_set(index);
            let reaction = &self.model().reactions[index];
            let greatest = if inward(reaction) { upper } else { -lower };
            (greatest > 0.0).then(|| (reaction.id.clone(), greatest))
        };
        self.model().exchanges().into_iter().filter_map(uptake).collect()
    }

    /// Allows just these uptakes, by exchange reaction and greatest rate; every other exchange is closed inwards. What
    /// an exchange is forced to give off stays.
    ///
    /// # Errors
    /// `E-MODEL-010`: there is no such reaction. `E-MODEL-013`: it is no exchange reaction, or the rate is negative or
    /// not a number. Nothing is changed then.
    pub fn set_medium(&mut self, medium: &BTreeMap<String, f64>) -> Result<&mut Self> {
        let exchanges = self.model().exchanges();
        let mut wanted: BTreeMap<usize, f64> = BTreeMap::new();
        for (id, rate) in medium {
            let reaction = self.model().reaction_named(id)?;
            if rate.is_nan() || *rate < 0.0 || exchanges.binary_search(&reaction).is_err() {
                return Err(Error::input(
                    super::MODEL_013,
                    format!("{id}: {rate} は培地の項目になりません"),
                    format!("{id}: {rate} is no entry of a medium"),
                )
                .at(Place::field(id))
                .hint(
                    "交換反応と、0 以上の最大取り込み速度を書いてください",
                    "name an exchange reaction and a greatest uptake of zero or more",
                ));
            }
            wanted.insert(reaction, *rate);
        }
        for index in exchanges {
            let (lower, upper) = self.bounds_set(index);
            let reaction = &self.model().reactions[index];
            let inward = inward(reaction);
            let now = if inward { upper } else { -lower };
            let greatest = wanted.get(&index).copied().unwrap_or(now.min(0.0));
            let bounds = if inward { (lower.min(greatest), greatest) } else { (-greatest, upper.max(-greatest)) };
            self.bounds.insert(index, bounds);
        }
        Ok(self)
    }
}
