//! The side of who adds.

use super::member::{add, fresh_advert, mask_secret, opened_consents, own_mask, pair_mask};
use super::message::{
    Advert, Adverts, Blob, Consent, Consents, Inbox, Included, Masked, Phase, Shares, Signed, Unmasking, blamed, out_of_turn,
    stranger, too_few,
};
use super::session::Session;
use super::shamir::{Points, Share, recover};
use std::collections::{BTreeMap, BTreeSet};
use toji_core::{Digest, Id, Result};
use x25519_dalek::PublicKey;

/// Bytes of a sealed pair of shares: 64 and a tag of 16.
const SEALED_BYTES: usize = 80;

/// A sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Sum {
    /// The sum of each slot, in the units of the slots.
    pub values: Vec<f64>,
    /// The same in steps.
    pub steps: Vec<i64>,
    /// Whose vectors are in it.
    pub included: BTreeSet<Id>,
}

/// Who adds. A message that is refused changes nothing; its sender has then dropped out unless it sends a better one.
#[derive(Debug, Clone)]
pub struct Server {
    session: Session,
    digest: Digest,
    phase: Phase,
    signed: BTreeMap<Id, Signed<Advert>>,
    adverts: BTreeMap<Id, Advert>,
    /// Commitments to seeds and masks.
    points: BTreeMap<Id, (Points, Points)>,
    keys: BTreeSet<Blob>,
    shares: BTreeMap<Id, Shares>,
    masked: BTreeMap<Id, Vec<u64>>,
    consents: BTreeMap<Id, Signed<Consent>>,
    unmaskings: BTreeMap<Id, Unmasking>,
}

impl Server {
    /// A server before the first phase.
    ///
    /// # Errors
    /// The session makes no sense.
    pub fn new(session: Session) -> Result<Self> {
        session.check()?;
        Ok(Self {
            digest: session.digest()?,
            session,
            phase: Phase::Keys,
            signed: BTreeMap::new(),
            adverts: BTreeMap::new(),
            points: BTreeMap::new(),
            keys: BTreeSet::new(),
            shares: BTreeMap::new(),
            masked: BTreeMap::new(),
            consents: BTreeMap::new(),
            unmaskings: BTreeMap::new(),
        })
    }

    /// Phase 1: takes a member's keys.
    ///
    /// # Errors
    /// Not signed by a member, malformed, another's, or a second time.
    pub fn advert(&mut self, signed: Signed<Advert>) -> Result<()> {
        self.turn(Phase::Keys)?;
        let advert = signed.open_of(&self.session, &self.digest)?;
        let from = advert.from.clone();
        if self.signed.contains_key(&from) {
            return Err(out_of_turn(self.phase));
        }
        let (Some(seed), Some(mask)) = (advert.seed.points(), advert.mask.points()) else {
            return Err(blamed(&from, "約束が正しくありません", "its commitments are malformed"));
        };
        fresh_advert(&self.session, &advert, &mut self.keys)?;
        self.points.insert(from.clone(), (seed, mask));
        self.adverts.insert(from.clone(), advert);
        self.signed.insert(from, signed);
        Ok(())
    }

    /// Ends phase 1: what everybody hears.
    ///
    /// # Errors
    /// Too few members.
    pub fn adverts(&mut self) -> Result<Adverts> {
        self.next(Phase::Keys, self.adverts.len(), self.session.needed())?;
        Ok(Adverts(self.signed.values().cloned().collect()))
    }

    /// Phase 2: takes a member's sealed shares.
    ///
    /// # Errors
    /// Not for exactly all others, or of another length.
    pub fn shares(&mut self, shares: Shares) -> Result<()> {
        self.turn(Phase::Shares)?;
        self.fresh(&shares.from, &self.adverts, &self.shares)?;
        let others: BTreeSet<&Id> = self.adverts.keys().filter(|id| **id != shares.from).collect();
        let fine = shares.sealed.keys().collect::<BTreeSet<_>>() == others;
        if !fine || shares.sealed.values().any(|blob| blob.0.len() != SEALED_BYTES) {
            return Err(blamed(
                &shares.from,
                "シェアが全員分ないか、長さが違います",
                "its shares are not for all others, or of another length",
            ));
        }
        self.shares.insert(shares.from.clone(), shares);
        Ok(())
    }

    /// Ends phase 2: what each member hears.
    ///
    /// # Errors
    /// Too few members.
    pub fn inboxes(&mut self) -> Result<BTreeMap<Id, Inbox>> {
        self.next(Phase::Shares, self.shares.len(), self.session.needed())?;
        let to = |id: &Id| {
            let from = self.shares.iter().filter_map(|(from, shares)| Some((from.clone(), shares.sealed.get(id)?.clone())));
            (id.clone(), Inbox { sealed: from.collect() })
        };
        Ok(self.shares.keys().map(to).collect())
    }

    /// Phase 3: takes a member's masked vector.
    ///
    /// # Errors
    /// Of another length, of one that dealt no shares, or a second time.
    pub fn masked(&mut self, masked: &Masked) -> Result<()> {
        self.turn(Phase::Input)?;
        self.fresh(&masked.from, &self.shares, &self.masked)?;
        let words = words_of(&masked.words).filter(|words| words.len() == self.session.encoding.limits.len());
        let words = words.ok_or_else(|| blamed(&masked.from, "ベクトルの長さが違います", "its vector has another length"))?;
        self.masked.insert(masked.from.clone(), words);
        Ok(())
    }

    /// Ends phase 3: who is in.
    ///
    /// # Errors
    /// Too few members.
    pub fn included(&mut self) -> Result<Included> {
        self.next(Phase::Input, self.masked.len(), self.session.needed())?;
        Ok(Included(self.masked.keys().cloned().collect()))
    }

    /// Phase 4: takes a member's signature.
    ///
    /// # Errors
    /// On another list, or not by one that is in.
    pub fn consent(&mut self, signed: Signed<Consent>) -> Result<()> {
        self.turn(Phase::Consent)?;
        let included: BTreeSet<Id> = self.masked.keys().cloned().collect();
        let from = opened_consents(&self.session, &self.digest, std::slice::from_ref(&signed), &included)?;
        self.consents.extend(from.into_iter().map(|from| (from, signed.clone())));
        Ok(())
    }

    /// Ends phase 4: what everybody hears.
    ///
    /// # Errors
    /// Fewer members than the threshold.
    pub fn consents(&mut self) -> Result<Consents> {
        self.next(Phase::Consent, self.consents.len(), self.session.threshold)?;
        Ok(Consents(self.consents.values().cloned().collect()))
    }

    /// Phase 5: takes a member's shares. Each is checked by the commitments of who dealt it, so who lies is named.
    ///
    /// # Errors
    /// A share that does not fit, or not exactly those that are asked for.
    pub fn unmasking(&mut self, unmasking: Unmasking) -> Result<()> {
        self.turn(Phase::Unmasking)?;
        let from = &unmasking.from;
        self.fresh(from, &self.consents, &self.unmaskings)?;
        let place = self.session.place(from).ok_or_else(|| stranger(from))?;
        let seeds: BTreeSet<&Id> = unmasking.seeds.keys().collect();
        let masks: BTreeSet<&Id> = unmasking.masks.keys().collect();
        if seeds != self.masked.keys().collect() || masks != self.dropped().collect() {
            return Err(blamed(from, "求められたシェアと違います", "its shares are not those that are asked for"));
        }
        let fits = |shares: &BTreeMap<Id, Share>, of: fn(&(Points, Points)) -> &Points| {
            shares.iter().all(|(id, share)| self.points.get(id).is_some_and(|points| of(points).holds(place, *share)))
        };
        if !(fits(&unmasking.seeds, |p| &p.0) && fits(&unmasking.masks, |p| &p.1)) {
            return Err(blamed(from, "返したシェアが約束と合いません", "the shares it returned do not fit their commitments"));
        }
        self.unmaskings.insert(from.clone(), unmasking);
        Ok(())
    }

    /// Ends phase 5: the sum.
    ///
    /// # Errors
    /// Fewer members than the threshold; a dropped member whose shared secret is not that of its key.
    pub fn sum(&mut self) -> Result<Sum> {
        self.next(Phase::Unmasking, self.unmaskings.len(), self.session.threshold)?;
        let mut words = vec![0u64; self.session.encoding.limits.len()];
        for vector in self.masked.values() {
            words.iter_mut().zip(vector).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
        }
        for (id, (points, _)) in self.points.iter().filter(|(id, _)| self.masked.contains_key(*id)) {
            let seed = self.recovered(id, |u| &u.seeds)?;
            if !points.hold_secret(&seed) {
                return Err(blamed(id, "種が約束と合いません", "its seed does not fit its commitments"));
            }
            add(&mut words, &own_mask(&self.digest, id, &seed), false);
        }
        for id in self.dropped() {
            let secret = mask_secret(&self.digest, id, &self.recovered(id, |u| &u.masks)?);
            let advert = self.adverts.get(id).ok_or_else(|| stranger(id))?;
            if advert.mask_key.0 != PublicKey::from(&secret).to_bytes() {
                return Err(blamed(id, "鍵が約束と合いません", "its key does not fit its commitments"));
            }
            for other in self.masked.keys() {
                let advert = self.adverts.get(other).ok_or_else(|| stranger(other))?;
                // What `other` added for the dropped one is taken away.
                add(&mut words, &pair_mask(&self.digest, id, &secret, other, advert)?, id < other);
            }
        }
        Ok(Sum {
            values: self.session.encoding.decode(&words),
            steps: words.iter().map(|w| w.cast_signed()).collect(),
            included: self.masked.keys().cloned().collect(),
        })
    }

    /// Who dealt shares and sent no vector.
    fn dropped(&self) -> impl Iterator<Item = &Id> {
        self.shares.keys().filter(|id| !self.masked.contains_key(*id))
    }

    /// A secret of a member from the first shares that suffice.
    fn recovered(&self, of: &Id, which: fn(&Unmasking) -> &BTreeMap<Id, Share>) -> Result<[u8; 32]> {
        let shares = self.unmaskings.iter().filter_map(|(from, u)| Some((self.session.place(from)?, *which(u).get(of)?)));
        let shares: Vec<(u64, Share)> = shares.take(self.session.threshold).collect();
        if shares.len() < self.session.threshold {
            return Err(too_few(shares.len(), self.session.threshold));
        }
        Ok(recover(&shares))
    }

    fn turn(&self, phase: Phase) -> Result<()> {
        if self.phase == phase { Ok(()) } else { Err(out_of_turn(self.phase)) }
    }

    fn next(&mut self, phase: Phase, left: usize, needed: usize) -> Result<()> {
        self.turn(phase)?;
        if left < needed {
            return Err(too_few(left, needed));
        }
        self.phase = match phase {
            Phase::Keys => Phase::Shares,
            Phase::Shares => Phase::Input,
            Phase::Input => Phase::Consent,
            Phase::Consent => Phase::Unmasking,
            Phase::Unmasking | Phase::Done => Phase::Done,
        };
        Ok(())
    }

    /// Was it there in the phase before, and silent in this one?
    fn fresh<A, B>(&self, from: &Id, before: &BTreeMap<Id, A>, now: &BTreeMap<Id, B>) -> Result<()> {
        match (before.contains_key(from), now.contains_key(from)) {
            (true, false) => Ok(()),
            (true, true) => Err(out_of_turn(self.phase)),
            (false, _) => Err(stranger(from)),
        }
    }
}

fn words_of(blob: &Blob) -> Option<Vec<u64>> {
    let (words, rest) = blob.0.as_chunks::<8>();
    rest.is_empty().then(|| words.iter().map(|w| u64::from_le_bytes(*w)).collect())
}
