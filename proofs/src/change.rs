//! Who gains and who loses by a change of the rules: for those who vote on it.

use crate::Result;
use crate::prover::{Counterexample, Prover};
use cedar_policy::PolicySet;

/// What a change does. Two empty lists are a proof that it changes no decision.
#[derive(Debug, Default)]
pub struct Change {
    /// Requests that were refused and are now permitted, one of each kind where there are any.
    pub gains: Vec<Counterexample>,
    /// Requests that were permitted and are now refused.
    pub losses: Vec<Counterexample>,
}

impl Change {
    /// Compares two sets of rules over every request there can be.
    ///
    /// # Errors
    /// As [`Prover::both`]; or the ordinary authorizer contradicts an example.
    pub fn between(prover: &mut Prover, before: &PolicySet, after: &PolicySet) -> Result<Self> {
        let (old, new) = (prover.compile(before)?, prover.compile(after)?);
        let change = Self { gains: prover.only_first(&new, &old)?, losses: prover.only_first(&old, &new)? };
        let real = |e: &Counterexample, from: &PolicySet, to: &PolicySet| !e.is_permitted_by(from) && e.is_permitted_by(to);
        let all = change.gains.iter().all(|e| real(e, before, after)) && change.losses.iter().all(|e| real(e, after, before));
        if all { Ok(change) } else { Err("an example of the solver is none to the authorizer".into()) }
    }

    /// `action by principal`, of what is gained and lost.
    #[must_use]
    pub fn kinds(of: &[Counterexample]) -> Vec<String> {
        of.iter().map(|e| format!("{} by {}", e.kind.action().id().unescaped(), e.kind.principal())).collect()
    }
}
