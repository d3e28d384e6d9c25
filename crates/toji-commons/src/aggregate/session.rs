//! Who adds together, and in which numbers.

use super::encode::Encoding;
use crate::log::{KeyKind, VerifierKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::canonical::to_canonical;
use toji_core::{Digest, Error, Id, Place, Result};

/// Most members of a session.
pub const MEMBERS_MAX: usize = 50;
/// Fewest inputs of a sum: the sum of two tells each the other's.
const FEWEST: usize = 3;

/// One sum. Everybody has the same document; its hash is in every key and signature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Identifier, never used twice.
    pub id: Id,
    /// Members with the keys they sign by, named as the member.
    #[serde(with = "printed")]
    pub members: BTreeMap<Id, VerifierKey>,
    /// How many must stay to the end, more than half.
    pub threshold: usize,
    /// Fewest inputs that are summed, at least 3.
    pub fewest: usize,
    /// Numbers.
    pub encoding: Encoding,
}

impl Session {
    /// What can be judged of it alone.
    ///
    /// # Errors
    /// Fewer than 3 or more than 50 members, a threshold of half or less, keys under other names or twice, numbers that
    /// cannot be written.
    pub fn check(&self) -> Result<()> {
        let n = self.members.len();
        let mut keys: Vec<String> = self.members.values().map(ToString::to_string).collect();
        keys.sort_unstable();
        keys.dedup();
        let named = self.members.iter().all(|(id, key)| key.name() == id.as_str() && key.kind() == KeyKind::Log);
        let fine = (FEWEST..=MEMBERS_MAX).contains(&n)
            && 2 * self.threshold > n
            && self.threshold <= n
            && (FEWEST..=n).contains(&self.fewest)
            && named
            && keys.len() == n;
        if !fine {
            return Err(Error::input(
                "E-AGGREGATE-003",
                format!("参加者は {FEWEST}〜{MEMBERS_MAX} 者、しきい値は過半数、最少の加算数は {FEWEST} 以上、鍵は参加者名で一つずつです"),
                format!("{FEWEST} to {MEMBERS_MAX} members with a key each under their name, a threshold above half, sums of {FEWEST} or more"),
            )
            .at(Place::field("session"))
            .hint("参加者を増やすか、しきい値を改めてください", "take more members, or another threshold"));
        }
        self.encoding.check(n)
    }

    /// The hash that binds everything to this session.
    ///
    /// # Errors
    /// Never for a session that passes [`Session::check`].
    pub fn digest(&self) -> Result<Digest> {
        Ok(Digest::of(to_canonical(self)?.as_bytes()))
    }

    /// The place of a member in every polynomial, from 1.
    #[must_use]
    pub fn place(&self, member: &Id) -> Option<u64> {
        self.members.keys().position(|m| m == member).map(|at| at as u64 + 1)
    }

    /// How many must be in at every phase.
    pub(super) fn needed(&self) -> usize {
        self.threshold.max(self.fewest)
    }
}

/// Keys in their printed form.
mod printed {
    use super::{BTreeMap, Id, VerifierKey};
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(keys: &BTreeMap<Id, VerifierKey>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(keys.iter().map(|(id, key)| (id, key.to_string())))
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<BTreeMap<Id, VerifierKey>, D::Error> {
        let printed = BTreeMap::<Id, String>::deserialize(from)?;
        printed.into_iter().map(|(id, key)| Ok((id, VerifierKey::parse(&key).map_err(D::Error::custom)?))).collect()
    }
}
