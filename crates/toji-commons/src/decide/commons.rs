//! All that a decision rests on, and the decision.

use super::clause::{Clause, Decision, Obligation};
use super::request::{Action, Request};
use super::role::{is_apart, may};
use crate::account::Ledger;
use crate::agreement::{Agreement, Area, DataSet, Granted, IndustrialUse, Listing, Organisation, Patents, Person, Purpose};
use std::collections::BTreeMap;
use toji_core::{Category, Error, Id, Instant, Place, Result};

/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;

/// Organisations, persons, data sets and agreements, as they stand.
#[derive(Debug, Clone, Default)]
pub struct Commons {
    organisations: BTreeMap<Id, Organisation>,
    persons: BTreeMap<Id, Person>,
    data_sets: BTreeMap<Id, DataSet>,
    agreements: BTreeMap<Id, Agreement>,
    /// Data set → agreements that cover it, by identifier.
    covered_by: BTreeMap<Id, Vec<Id>>,
    /// Organisation → earliest date on which something it owes is due.
    first_due: BTreeMap<Id, Instant>,
    /// Time of the last signed checkpoint.
    noted: Option<Instant>,
}

impl Commons {
    /// An empty commons.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in an organisation, or what changed of it.
    pub fn organisation(&mut self, organisation: Organisation) {
        self.organisations.insert(organisation.id.clone(), organisation);
    }

    /// Takes in a person, or what changed of them.
    ///
    /// # Errors
    /// The organisation is not known.
    pub fn person(&mut self, person: Person) -> Result<()> {
        self.known(&person.organisation, "organisation")?;
        self.persons.insert(person.id.clone(), person);
        Ok(())
    }

    /// Takes in a data set, or what changed of it.
    ///
    /// # Errors
    /// The owner is not known.
    pub fn data_set(&mut self, data_set: DataSet) -> Result<()> {
        self.known(&data_set.owner, "owner")?;
        self.data_sets.insert(data_set.id.clone(), data_set);
        Ok(())
    }

    /// Takes in an agreement that [`Agreement::open`] found signed by all parties; a newer version takes the
    /// place of an older.
    ///
    /// # Errors
    /// A party is not known, the agreement contradicts itself, or a version as new is there.
    pub fn agreement(&mut self, agreement: Agreement) -> Result<()> {
        for party in &agreement.parties {
            self.known(party, "parties")?;
        }
        let faults = agreement.faults();
        if !faults.is_empty() {
            let (ja, en) = ("契約の条件が互いに矛盾しています", "the terms of the agreement contradict themselves");
            return Err(Error::input("E-AGREEMENT-001", ja, en).with(faults));
        }
        if let Some(old) = self.agreements.get(&agreement.id) {
            if old.version >= agreement.version {
                return Err(Error::new(
                    Category::Conflict,
                    "E-AGREEMENT-004",
                    format!("契約「{}」は版 {} が登録されています", agreement.id, old.version),
                    format!("agreement \"{}\" is registered in version {}", agreement.id, old.version),
                )
                .at(Place::field("version"))
                .hint("より新しい版を登録してください", "register a newer version"));
            }
            for list in self.covered_by.values_mut() {
                list.retain(|id| *id != agreement.id);
            }
        }
        for data_set in &agreement.data_sets {
            let list = self.covered_by.entry(data_set.clone()).or_default();
            list.push(agreement.id.clone());
            list.sort();
        }
        self.agreements.insert(agreement.id.clone(), agreement);
        Ok(())
    }

    /// Takes an agreement out, as if it had never been signed: for looking at what that would change.
    pub fn without_agreement(&mut self, id: &Id) {
        self.agreements.remove(id);
        for list in self.covered_by.values_mut() {
            list.retain(|known| known != id);
        }
    }

    /// Takes over from the ledger, as it stands at a time, what each organisation owes first. To be repeated
    /// after each booking.
    pub fn take_duties(&mut self, ledger: &Ledger, at: Instant) {
        let members = ledger.members().into_iter();
        self.first_due = members.filter_map(|m| ledger.first_due(m, at).map(|due| (m.clone(), due))).collect();
    }

    /// Notes the time of a signed checkpoint; decisions may not go back before it.
    pub fn note_time(&mut self, at: Instant) {
        self.noted = self.noted.max(Some(at));
    }

    /// A person, if known.
    #[must_use]
    pub fn known_person(&self, id: &Id) -> Option<&Person> {
        self.persons.get(id)
    }

    /// An organisation, if known.
    #[must_use]
    pub fn known_organisation(&self, id: &Id) -> Option<&Organisation> {
        self.organisations.get(id)
    }

    /// A data set, if known.
    #[must_use]
    pub fn known_data_set(&self, id: &Id) -> Option<&DataSet> {
        self.data_sets.get(id)
    }

    /// An agreement, if known, in its newest version.
    #[must_use]
    pub fn known_agreement(&self, id: &Id) -> Option<&Agreement> {
        self.agreements.get(id)
    }

    /// All organisations.
    pub fn organisations(&self) -> impl Iterator<Item = &Organisation> {
        self.organisations.values()
    }

    /// Everybody, by pseudonym.
    pub fn persons(&self) -> impl Iterator<Item = &Person> {
        self.persons.values()
    }

    /// All data sets.
    pub fn data_sets(&self) -> impl Iterator<Item = &DataSet> {
        self.data_sets.values()
    }

    /// Agreements that cover a data set, by identifier, whatever their term and parties.
    pub fn covering(&self, data_set: &Id) -> impl Iterator<Item = &Agreement> {
        self.covered_by.get(data_set).into_iter().flatten().filter_map(|id| self.agreements.get(id))
    }

    /// All agreements.
    pub fn agreements(&self) -> impl Iterator<Item = &Agreement> {
        self.agreements.values()
    }

    /// When something that an organisation owes is first due.
    pub(crate) fn first_due(&self, organisation: &Id) -> Option<Instant> {
        self.first_due.get(organisation).copied()
    }

    /// The time of the last signed checkpoint.
    pub(crate) fn noted(&self) -> Option<Instant> {
        self.noted
    }

    fn known(&self, organisation: &Id, field: &str) -> Result<()> {
        if self.organisations.contains_key(organisation) {
            return Ok(());
        }
        Err(Error::not_found(
            "E-AGREEMENT-005",
            format!("組織「{organisation}」は登録されていません"),
            format!("organisation \"{organisation}\" is not registered"),
        )
        .at(Place::field(field))
        .hint("組織を先に登録してください", "register the organisation first"))
    }

    /// The one decision. See the table in the module documentation.
    #[must_use]
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        self.decided(request, None)
    }

    /// The decision as if this agreement were the only one: what another permits does not count.
    #[must_use]
    pub fn decide_under(&self, request: &Request<'_>, agreement: &Id) -> Decision {
        self.decided(request, Some(agreement))
    }

    fn decided(&self, request: &Request<'_>, only: Option<&Id>) -> Decision {
        let Request { action, now, .. } = *request;
        if self.noted.is_some_and(|noted| now < noted) {
            return Decision::by(Clause::ClockSetBack);
        }
        let Some(data_set) = self.data_sets.get(request.data_set) else { return Decision::by(Clause::Unknown) };
        let person = self.persons.get(request.who);
        let organisation = person.and_then(|p| self.organisations.get(&p.organisation));
        if data_set.human_derived && organisation.is_none_or(|o| o.covered) {
            return Decision::by(Clause::CoveredPerson);
        }
        if data_set.area == Area::Public && !data_set.is_embargoed(now) && action != Action::Write {
            return Decision::by(Clause::Open);
        }
        let (Some(person), Some(organisation)) = (person, organisation) else { return Decision::by(Clause::NoAccount) };
        if action != Action::Describe && person.roles.iter().any(|r| is_apart(*r)) {
            return Decision::by(Clause::SeparationOfDuties);
        }
        if !person.roles.iter().any(|r| may(*r, action)) {
            return Decision::by(Clause::Role);
        }
        if data_set.owner == organisation.id {
            return Decision::by(Clause::Own);
        }
        if let Some(clause) = self.barred(organisation, data_set, action, now) {
            return Decision::by(clause);
        }
        self.by_agreement(request, organisation, data_set, only)
    }

    /// What stands before any agreement, on data of others.
    fn barred(&self, organisation: &Organisation, data_set: &DataSet, action: Action, now: Instant) -> Option<Clause> {
        let cooperative = data_set.area == Area::Cooperative;
        if action == Action::Write {
            return Some(Clause::WriteOwnOnly);
        }
        match organisation.listing {
            Listing::Blocked => return Some(Clause::Listed),
            Listing::Review => return Some(Clause::ListingReview),
            Listing::Clear => {}
        }
        if data_set.area == Area::CleanRoom && matches!(action, Action::Read | Action::Export | Action::Train) {
            return Some(Clause::CleanRoom);
        }
        if cooperative && action == Action::Export {
            return Some(Clause::NeverExported);
        }
        if !organisation.is_member(now) {
            return Some(Clause::Membership);
        }
        if cooperative && action == Action::Describe {
            return Some(Clause::Catalogue);
        }
        if cooperative && self.first_due.get(&organisation.id).is_some_and(|due| *due < now) {
            return Some(Clause::FeedbackOverdue);
        }
        None
    }

    fn by_agreement(
        &self,
        request: &Request<'_>,
        organisation: &Organisation,
        data_set: &DataSet,
        only: Option<&Id>,
    ) -> Decision {
        let mut furthest = Decision::by(Clause::NoAgreement);
        for agreement in self.covering(&data_set.id).filter(|a| only.is_none_or(|only| a.id == *only)) {
            let id = &agreement.id;
            let clause = asked(agreement, request, organisation, data_set);
            if clause == Clause::Agreement {
                let obligations = obligations(agreement, request);
                return Decision { clause, agreement: Some(id.clone()), obligations };
            }
            if clause > furthest.clause {
                furthest = Decision { clause, agreement: Some(id.clone()), obligations: Vec::new() };
            }
        }
        furthest
    }
}

/// One agreement, asked.
fn asked(agreement: &Agreement, request: &Request<'_>, organisation: &Organisation, data_set: &DataSet) -> Clause {
    let terms = &agreement.terms;
    let Request { action, purpose, now, .. } = *request;
    if !agreement.parties.contains(&organisation.id) || !agreement.parties.contains(&data_set.owner) {
        return Clause::NoAgreement;
    }
    if now < terms.from || terms.until <= now {
        return Clause::NotInForce;
    }
    if terms.countries.as_ref().is_some_and(|countries| !countries.contains(&organisation.country)) {
        return Clause::Territory;
    }
    let granted = match action {
        Action::Describe => return Clause::Agreement,
        Action::Compute => Granted::Compute,
        Action::Read => Granted::Read,
        Action::Train => Granted::Train,
        Action::Export => Granted::Export,
        Action::Write => return Clause::NotGranted,
    };
    if !terms.grants.contains(&granted) {
        return Clause::NotGranted;
    }
    let industrial = purpose == Purpose::Production && terms.industrial_use == IndustrialUse::Forbidden;
    if industrial || !terms.purposes.contains(&purpose) {
        return Clause::Purpose;
    }
    if data_set.is_embargoed(now) && !terms.early_access.contains(&organisation.id) {
        return Clause::Embargo;
    }
    Clause::Agreement
}

/// What comes with a yes; to describe obliges to nothing.
fn obligations(agreement: &Agreement, request: &Request<'_>) -> Vec<Obligation> {
    let terms = &agreement.terms;
    if request.action == Action::Describe {
        return Vec::new();
    }
    let mut obligations = Vec::new();
    if let Some(feedback) = terms.feedback {
        let due = request.now.plus_ns(i64::from(feedback.within_days).saturating_mul(DAY_NS));
        obligations.push(Obligation::Feedback { units: feedback.units, due: due.unwrap_or(Instant(i64::MAX)) });
    }
    match terms.patents {
        Patents::Free => {}
        Patents::Notice { within_days } => obligations.push(Obligation::PatentNotice { within_days }),
        Patents::None => obligations.push(Obligation::NoPatent),
    }
    obligations.push(Obligation::UseEnds { at: terms.until });
    obligations
}
