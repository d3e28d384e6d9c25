//! What must hold.

use crate::Result;
use crate::prover::{Compiled, Counterexample, Prover};
use crate::text::valid;
use cedar_policy::{PolicySet, Schema};
use std::collections::BTreeMap;

/// All properties, as Cedar.
pub const PROPERTIES: &str = include_str!("../properties.cedar");

/// How the requests of a property are decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// None is permitted.
    Never,
    /// All are permitted.
    Always,
}

/// A property: requests, and how they are decided.
#[derive(Debug)]
pub struct Property {
    /// Name.
    pub name: String,
    /// In Japanese.
    pub ja: String,
    /// In English.
    pub en: String,
    /// Never or always.
    pub kind: Kind,
    /// The requests, as what this set permits.
    pub requests: PolicySet,
    compiled: Compiled,
}

impl Property {
    /// Reads properties. A rule belongs to the property whose name its name begins with.
    ///
    /// # Errors
    /// Not Cedar, not of the schema, or a property without its words.
    pub fn read(text: &str, schema: &Schema, prover: &Prover) -> Result<Vec<Self>> {
        let mut sets: BTreeMap<(usize, String), PolicySet> = BTreeMap::new();
        let all = valid(text, schema)?;
        for policy in all.policies() {
            let name = policy.id().to_string();
            let name = name.split(' ').next().unwrap_or_default().to_owned();
            let order = (name.len(), name);
            sets.entry(order).or_default().add(policy.clone())?;
        }
        let mut properties = Vec::new();
        for ((_, name), requests) in sets {
            let note = |key: &str| {
                let head = requests.policies().find(|p| p.id().to_string() == name);
                let text = head.and_then(|p| p.annotation(key)).ok_or_else(|| format!("{name} has no @{key}"));
                text.map(str::to_owned)
            };
            let kind = match note("kind")?.as_str() {
                "never" => Kind::Never,
                "always" => Kind::Always,
                other => return Err(format!("{name}: kind {other}").into()),
            };
            let (ja, en) = (note("ja")?, note("en")?);
            let compiled = prover.compile(&requests)?;
            properties.push(Self { name, ja, en, kind, requests, compiled });
        }
        Ok(properties)
    }

    /// What refutes the property of these rules; nothing is a proof.
    ///
    /// # Errors
    /// As [`Prover::both`].
    pub fn refute(&self, prover: &mut Prover, rules: &Compiled) -> Result<Vec<Counterexample>> {
        match self.kind {
            Kind::Never => prover.both(rules, &self.compiled),
            Kind::Always => prover.only_first(&self.compiled, rules),
        }
    }

    /// In how many kinds of request it says anything.
    ///
    /// # Errors
    /// As [`Prover::both`].
    pub fn reach(&self, prover: &mut Prover) -> Result<usize> {
        prover.reach(&self.compiled)
    }

    /// Does the ordinary authorizer agree that an example breaks the property of these rules?
    #[must_use]
    pub fn is_broken_by(&self, example: &Counterexample, rules: &PolicySet) -> bool {
        example.is_permitted_by(&self.requests) && example.is_permitted_by(rules) == (self.kind == Kind::Never)
    }
}
