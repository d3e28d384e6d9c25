//! Rounds of secure sums.

use super::descend::Descent;
use super::local::{Local, Ranges, Site, heard, vector};
use crate::aggregate::{Cost, Encoding, Input, Part, Phase, Session, Sum, rehearse};
use crate::log::SigningKey;
use std::fmt;
use toji_core::{Digest, Error, Id, Place, Result};

/// A site that takes part.
pub struct Participant<'a> {
    /// Member.
    pub id: Id,
    /// Key it signs by.
    pub key: SigningKey,
    /// Seed of its secrets and noise: 32 random bytes, drawn for this training and never used again.
    pub seed: [u8; 32],
    /// Its data.
    pub site: &'a dyn Site,
    /// Rounds (from 0) and phases from which it sends nothing more in that round.
    pub drops: Vec<(usize, Phase)>,
}

impl fmt::Debug for Participant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Participant({})", self.id)
    }
}

/// How to go about it.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Identifier; the sessions are named after it.
    pub id: Id,
    /// How many members must stay in each round, more than half.
    pub threshold: usize,
    /// Fewest sites that are summed, at least 3.
    pub fewest: usize,
    /// Ranges.
    pub ranges: Ranges,
    /// Bits of each number below its range.
    pub bits: u32,
    /// Most rounds.
    pub rounds_max: usize,
}

/// A trained model.
#[derive(Debug, Clone)]
pub struct Trained {
    /// Parameters.
    pub at: Vec<f64>,
    /// What all said there, priors among it: from its curvature come standard errors.
    pub local: Local,
    /// Ended because nothing fell any more.
    pub converged: bool,
    /// What it took.
    pub cost: Cost,
}

impl Plan {
    /// The session of a round.
    ///
    /// # Errors
    /// An identifier that gets too long.
    pub fn session(&self, sites: &[Participant<'_>], round: usize, encoding: Encoding) -> Result<Session> {
        Ok(Session {
            id: Id::parse(&format!("{}:{round}", self.id))?,
            members: sites.iter().map(|s| (s.id.clone(), s.key.verifier().clone())).collect(),
            threshold: self.threshold,
            fewest: self.fewest,
            encoding,
        })
    }
}

/// Trains: each round asks all sites about one point and adds what they say by [`crate::aggregate`], every message
/// written out. Rounds go on without a site that drops out of them.
///
/// # Errors
/// Too few sites stay, the start cannot be computed, or the numbers of rounds are used up before anything was heard.
pub fn federate(plan: &Plan, sites: &[Participant<'_>], mut descent: Descent) -> Result<Trained> {
    let parameters = descent.parameters();
    let encoding = plan.ranges.encoding(parameters, sites.len(), plan.bits);
    let mut cost = Cost::default();
    for round in 0..plan.rounds_max {
        let at = descent.asks().to_vec();
        let input = |site: &Participant<'_>| {
            let local = Local::sum(parameters, &site.site.units(&at));
            // What does not fit its range is not computed, and is said to be so.
            let written = local.and_then(|local| encoding.encode(&vector(Some(&local), parameters)).ok());
            written.map_or_else(|| encoding.encode(&vector(None, parameters)), Ok)
        };
        let session = plan.session(sites, round, encoding.clone())?;
        let (sum, more) = one_sum(&session, sites, round, &input)?;
        cost = cost.plus(more);
        descent.hear(heard(&sum.values, parameters), sum.included)?;
        if descent.done() {
            break;
        }
    }
    let (at, local) = descent.best().ok_or_else(no_rounds)?;
    Ok(Trained { at: at.to_vec(), local: local.clone(), converged: descent.done(), cost })
}

/// One round.
pub(super) fn one_sum(
    session: &Session,
    sites: &[Participant<'_>],
    round: usize,
    input: &dyn Fn(&Participant<'_>) -> Result<Input>,
) -> Result<(Sum, Cost)> {
    let part = |site: &Participant<'_>| {
        Ok(Part {
            id: site.id.clone(),
            key: site.key.clone(),
            seed: *Digest::of_parts(&[&site.seed, b" round ", &(round as u64).to_le_bytes()]).bytes(),
            input: input(site)?,
            drops: site.drops.iter().find(|(of, _)| *of == round).map(|(_, phase)| *phase),
        })
    };
    rehearse(session, sites.iter().map(part).collect::<Result<_>>()?)
}

pub(super) fn no_rounds() -> Error {
    Error::input("E-TRAIN-005", "回数が 0 です", "no round is allowed")
        .at(Place::field("rounds_max"))
        .hint("1 回以上にしてください", "allow one or more")
}
