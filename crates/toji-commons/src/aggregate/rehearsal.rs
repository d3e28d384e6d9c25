//! All sides in one process: every message is written as JSON, counted, and read again.

use super::encode::Input;
use super::member::Member;
use super::message::Phase;
use super::server::{Server, Sum};
use super::session::Session;
use crate::log::SigningKey;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::{Error, Id, Result};

/// One member's part.
#[derive(Debug)]
pub struct Part {
    /// Member.
    pub id: Id,
    /// Key it signs by.
    pub key: SigningKey,
    /// Seed of its secrets.
    pub seed: [u8; 32],
    /// Its vector.
    pub input: Input,
    /// The phase from which it sends nothing more.
    pub drops: Option<Phase>,
}

/// What it took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// Sums.
    pub sums: u64,
    /// Messages of members.
    pub messages: u64,
    /// Bytes that members sent, all together.
    pub up_bytes: u64,
    /// Bytes that they were sent, all together.
    pub down_bytes: u64,
}

impl Cost {
    /// Both together.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self {
            sums: self.sums + more.sums,
            messages: self.messages + more.messages,
            up_bytes: self.up_bytes + more.up_bytes,
            down_bytes: self.down_bytes + more.down_bytes,
        }
    }

    fn up<T: Serialize + DeserializeOwned>(&mut self, message: &T) -> Result<T> {
        self.messages += 1;
        let (message, bytes) = sent(message)?;
        self.up_bytes += bytes;
        Ok(message)
    }

    fn down<T: Serialize + DeserializeOwned>(&mut self, message: &T) -> Result<T> {
        let (message, bytes) = sent(message)?;
        self.down_bytes += bytes;
        Ok(message)
    }
}

/// The sum of the parts, and its cost.
///
/// # Errors
/// Too few members stay; an input of another length.
pub fn rehearse(session: &Session, parts: Vec<Part>) -> Result<(Sum, Cost)> {
    let mut cost = Cost { sums: 1, ..Cost::default() };
    let mut server = Server::new(session.clone())?;
    let mut members = BTreeMap::new();
    for Part { id, key, seed, input, drops } in parts {
        members.insert(id.clone(), (Member::new(session.clone(), id, key, &seed)?, input, drops.unwrap_or(Phase::Done)));
    }
    for (member, _, _) in present(&mut members, Phase::Keys) {
        server.advert(cost.up(&member.advert()?)?)?;
    }
    let adverts = server.adverts()?;
    for (member, _, _) in present(&mut members, Phase::Shares) {
        let heard = cost.down(&adverts)?;
        server.shares(cost.up(&member.shares(&heard)?)?)?;
    }
    let inboxes = server.inboxes()?;
    for (id, inbox) in &inboxes {
        if let Some((member, input, drops)) = members.get_mut(id)
            && *drops > Phase::Input
        {
            let heard = cost.down(inbox)?;
            server.masked(&cost.up(&member.masked(&heard, input)?)?)?;
        }
    }
    let included = server.included()?;
    for (member, _, _) in present(&mut members, Phase::Consent) {
        let heard = cost.down(&included)?;
        server.consent(cost.up(&member.consent(&heard)?)?)?;
    }
    let consents = server.consents()?;
    for (member, _, _) in present(&mut members, Phase::Unmasking) {
        let heard = cost.down(&consents)?;
        server.unmasking(cost.up(&member.unmask(&heard)?)?)?;
    }
    Ok((server.sum()?, cost))
}

type Sides = (Member, Input, Phase);

/// Who still speaks in a phase.
fn present(members: &mut BTreeMap<Id, Sides>, phase: Phase) -> impl Iterator<Item = &mut Sides> {
    members.values_mut().filter(move |(_, _, drops)| *drops > phase)
}

fn sent<T: Serialize + DeserializeOwned>(message: &T) -> Result<(T, u64)> {
    let json = serde_json::to_string(message).map_err(|e| Error::bug("E-AGGREGATE-010", e))?;
    let read = serde_json::from_str(&json).map_err(|e| Error::bug("E-AGGREGATE-010", e))?;
    Ok((read, json.len() as u64))
}
