//! An agreement, and what makes it count: the signature of every party.

use super::terms::{IndustrialUse, Purpose, Terms};
use crate::log::{KeyKind, Note, SigningKey, VerifierKey};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use toji_core::canonical::to_canonical;
use toji_core::{Category, Diagnostic, Digest, Error, Id, Place, Result};

/// The first line of what is signed; no other note of the house begins so.
const HEADING: &str = "toji-commons agreement v1";

/// An agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Identifier.
    pub id: Id,
    /// Version, from 1.
    pub version: u32,
    /// The text that people signed, by hash.
    pub text: Digest,
    /// Organisations.
    pub parties: BTreeSet<Id>,
    /// Data sets it covers.
    pub data_sets: BTreeSet<Id>,
    /// Terms.
    pub terms: Terms,
}

impl Agreement {
    /// All that contradicts itself.
    #[must_use]
    pub fn faults(&self) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, ja: &str, en: &str, remedy_ja: &str, remedy_en: &str| {
            let fault = Diagnostic::error("E-AGREEMENT-001", Place::field(field), ja, en);
            faults.push(fault.remedy(remedy_ja, remedy_en));
        };
        let Terms { from, until, purposes, grants, industrial_use, early_access, .. } = &self.terms;
        if self.parties.len() < 2 {
            fault("parties", "当事者が二者に足りません", "fewer than two parties", "当事者を加えてください", "add the parties");
        }
        if self.version == 0 {
            fault("version", "版は 1 から始まります", "versions begin at 1", "版を 1 以上にしてください", "set it to 1 or more");
        }
        if from >= until {
            fault("until", "期間が空です", "the term is empty", "終期を始期より後にしてください", "let it end after it begins");
        }
        if purposes.is_empty() || grants.is_empty() {
            fault(
                "purposes",
                "目的または許諾がありません",
                "no purpose, or nothing granted",
                "目的と許諾を一つ以上挙げてください",
                "name at least one of each",
            );
        }
        if *industrial_use == IndustrialUse::Forbidden && purposes.contains(&Purpose::Production) {
            fault(
                "industrial_use",
                "産業利用を禁じながら目的に生産があります",
                "industrial use is forbidden, yet production is a purpose",
                "どちらかを改めてください",
                "change one of the two",
            );
        }
        if !early_access.is_subset(&self.parties) {
            fault(
                "early_access",
                "早期利用者に当事者でない者がいます",
                "early access names others than parties",
                "当事者から選んでください",
                "choose among the parties",
            );
        }
        faults
    }

    /// The note that the parties sign.
    ///
    /// # Errors
    /// Never for an agreement that was made.
    pub fn note(&self) -> Result<Note> {
        Note::new(format!("{HEADING}\n{}\n", to_canonical(self)?))
    }

    /// The hash of what is signed: how the log and a decision name the agreement.
    ///
    /// # Errors
    /// As [`Agreement::note`].
    pub fn digest(&self) -> Result<Digest> {
        Ok(Digest::of(self.note()?.text().as_bytes()))
    }

    /// Reads a signed agreement. `keys` holds the key of each organisation, named as the organisation.
    ///
    /// # Errors
    /// A party has no key or did not sign, a signature does not fit, the note is no agreement, or it
    /// contradicts itself.
    pub fn open(note: &Note, keys: &BTreeMap<Id, VerifierKey>) -> Result<Self> {
        let unreadable = || {
            Error::input("E-AGREEMENT-002", "契約の文書ではありません", "not the document of an agreement")
                .at(Place::field("note"))
                .hint("署名された文書を、そのままのバイト列で渡してください", "pass the signed document byte for byte")
        };
        let json = note.text().strip_prefix(HEADING).and_then(|t| t.strip_prefix('\n')).ok_or_else(unreadable)?;
        let agreement: Self = serde_json::from_str(json).map_err(|_| unreadable())?;
        if agreement.note()?.text() != note.text() {
            // Another spelling of the same terms would have another hash.
            return Err(unreadable());
        }
        let mut missing = Vec::new();
        for party in &agreement.parties {
            let key = keys.get(party).filter(|k| k.kind() == KeyKind::Log && k.name() == party.as_str());
            match key.map(|key| note.verified(std::slice::from_ref(key))) {
                Some(Ok(_)) => {}
                Some(Err(forged)) if forged.code() != "E-LOG-009" => return Err(forged),
                Some(Err(_)) | None => missing.push(party.as_str()),
            }
        }
        if !missing.is_empty() {
            let missing = missing.join(", ");
            return Err(Error::new(
                Category::Denied,
                "E-AGREEMENT-003",
                format!("署名のない当事者がいます: {missing}"),
                format!("not signed by {missing}"),
            )
            .at(Place::field("parties"))
            .hint("全当事者の署名がそろってから登録してください", "register it once every party has signed"));
        }
        let faults = agreement.faults();
        if faults.is_empty() {
            return Ok(agreement);
        }
        let (ja, en) = ("契約の条件が互いに矛盾しています", "the terms of the agreement contradict themselves");
        Err(Error::input("E-AGREEMENT-001", ja, en).with(faults))
    }
}

/// Adds the signature of a party to the note of an agreement.
///
/// # Errors
/// The key is a cosigner's.
pub fn sign(note: &mut Note, key: &SigningKey) -> Result<()> {
    note.add(key.sign(note.text())?);
    Ok(())
}
