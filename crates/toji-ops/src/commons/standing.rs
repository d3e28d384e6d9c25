//! How the commons stands: organisations, people, data sets, agreements and accounts, gathered from their records once
//! and again when one of them changed.

use super::seat::actor;
use super::write::id_in;
use crate::operation::Context;
use crate::run::text;
use crate::session::Session;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use toji_commons::account::{Cause, Ledger, Transaction};
use toji_commons::agreement::{Agreement, Area, DataSet, Listing, Organisation, Person, Role};
use toji_commons::decide::{Commons, Place, Places};
use toji_commons::log::{Note, VerifierKey};
use toji_core::record::FieldMap;
use toji_core::{Access, Belongs, Error, Id, Instant, Record, Resource, Result};
use toji_store::Store;

/// Setting that names the organisation the house itself belongs to.
pub(crate) const HOME: &str = "commons-home";
/// Kinds whose records make up the commons: a new version of one of them makes the standing anew.
pub(super) const KINDS: [&str; 9] =
    ["membership", "user", "data-set", "agreement", "account-entry", "feedback", "patent-notice", "export-approval", "transfer"];
/// Fields of a data set that name its records, with their kinds.
pub(super) const PARTS: [(&str, &str); 6] = [
    ("runs", "run"),
    ("strains", "strain"),
    ("genomes", "genome"),
    ("deposits", "deposit"),
    ("releases", "dataset-release"),
    ("protocols", "protocol"),
];

/// The commons as it stands after an event of the ledger.
#[derive(Debug)]
pub(crate) struct Standing {
    /// Newest change of the records it was gathered from.
    seq: i64,
    /// The organisation the house belongs to.
    pub(super) home: Id,
    pub(super) commons: Arc<Commons>,
    pub(super) ledger: Ledger,
    /// Public keys of organisations.
    pub(super) keys: BTreeMap<Id, VerifierKey>,
    /// (Kind, identifier) → the data set its owner put it into.
    sets: HashMap<(String, String), Id>,
    /// Records of the commons → organisations they concern.
    parties: HashMap<(String, String), BTreeSet<Id>>,
    /// Organisations that are members.
    members: BTreeSet<Id>,
    /// Kinds of which what the house itself keeps is for everyone.
    common: BTreeSet<String>,
    /// Member, data set, agreement of every use that was registered.
    takings: BTreeSet<(Id, Id, Id)>,
    secret: BTreeSet<Id>,
    /// Person, data set → until when an export is approved.
    approvals: BTreeMap<(String, Id), Instant>,
}

/// The data set that everything of an organisation in an area belongs to, which nobody put into another.
pub(super) fn implicit(organisation: &str, area: Area) -> Result<Id> {
    Id::parse(&format!("{organisation}:{}", area.code()))
}

pub(super) fn instant(fields: &FieldMap, name: &str) -> Option<Instant> {
    fields.get(name).and_then(Json::as_str).and_then(|t| Instant::parse(t).ok())
}

pub(super) fn texts(fields: &FieldMap, name: &str) -> Vec<String> {
    fields.get(name).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
}

pub(super) fn flag(fields: &FieldMap, name: &str) -> bool {
    fields.get(name).and_then(Json::as_bool).unwrap_or_default()
}

/// Reads a choice whose codes are those of a type.
pub(super) fn coded<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(Json::from(text)).ok()
}

impl Standing {
    /// The standing of a store, kept until it changes; `None` where no commons was founded.
    pub(super) async fn of(session: &Session, now: Instant) -> Result<Option<Arc<Self>>> {
        let store = &session.store;
        let Some(home) = store.setting(HOME).await? else { return Ok(None) };
        let seq = store.newest_of(&KINDS).await?;
        let mut kept = session.standing.lock().await;
        match &*kept {
            Some(standing) if standing.seq == seq && standing.home.as_str() == home => Ok(Some(standing.clone())),
            _ => {
                let standing = Arc::new(Self::gather(store, Id::parse(&home)?, seq, now).await?);
                *kept = Some(standing.clone());
                Ok(Some(standing))
            }
        }
    }

    async fn gather(store: &Store, home: Id, seq: i64, now: Instant) -> Result<Self> {
        let mut found: HashMap<&str, Vec<Record>> = HashMap::new();
        for kind in KINDS {
            // Retired records have had their day, but a retired membership is no longer one.
            found.insert(kind, store.records(&Access::owner(), kind, None, false).await?);
        }
        let of = |kind: &str| found.get(kind).map_or(&[] as &[Record], Vec::as_slice);
        let mut commons = Commons::new();
        let mut keys = BTreeMap::new();
        let mut organisations: BTreeMap<Id, Organisation> = BTreeMap::new();
        for record in of("membership") {
            let organisation = organisation_of(record);
            if let Some(key) = text(&record.fields, "key").and_then(|t| VerifierKey::parse(&t).ok()) {
                keys.insert(organisation.id.clone(), key);
            }
            organisations.insert(organisation.id.clone(), organisation);
        }
        let people: Vec<Person> = of("user").iter().filter_map(person_of).collect();
        // Whoever owns a data set is known, so that its terms hold whatever became of the owner.
        let owners: Vec<Id> = of("data-set").iter().filter_map(data_set_of).map(|d| d.owner).collect();
        for id in people.iter().map(|p| &p.organisation).chain(&owners).chain([&home]) {
            organisations.entry(id.clone()).or_insert_with(|| stranger(id));
        }
        let names: Vec<Id> = organisations.keys().cloned().collect();
        organisations.into_values().for_each(|organisation| commons.organisation(organisation));
        for person in people {
            commons.person(person)?;
        }
        for name in &names {
            for area in Area::ALL {
                let id = implicit(name.as_str(), area)?;
                commons.data_set(DataSet { id, owner: name.clone(), area, embargo: None, human_derived: false })?;
            }
        }
        let members = commons.organisations().filter(|o| o.is_member(now)).map(|o| o.id.clone()).collect();
        let (mut sets, mut secret) = (HashMap::new(), BTreeSet::new());
        for record in of("data-set").iter().filter(|r| !r.fields.contains_key("retired_at")) {
            let Some(data_set) = data_set_of(record) else { continue };
            if commons.data_set(data_set).is_err() {
                continue;
            }
            if text(&record.fields, "secrecy").as_deref() == Some("secret") {
                secret.insert(record.id.clone());
            }
            for (field, kind) in PARTS {
                for id in texts(&record.fields, field) {
                    sets.insert((kind.to_owned(), id), record.id.clone());
                }
            }
        }
        for record in of("agreement") {
            // An agreement that not every party signed, or whose keys changed since, does not count.
            let note = text(&record.fields, "note").and_then(|t| Note::parse(&t).ok());
            if let Some(agreement) = note.and_then(|note| Agreement::open(&note, &keys).ok()) {
                let _ = commons.agreement(agreement);
            }
        }
        let transactions: Vec<Transaction> = of("account-entry").iter().map(transaction_of).collect::<Result<_>>()?;
        let takings = transactions.iter().filter_map(taking).collect();
        let ledger = Ledger::gather(transactions)?;
        commons.take_duties(&ledger, now);
        let mut parties = HashMap::new();
        for (kind, records) in &found {
            for record in records {
                parties.insert(((*kind).to_owned(), record.id.to_string()), concerned(record));
            }
        }
        let approvals = of("export-approval").iter().filter_map(approval).collect();
        let common = store.kinds().iter().filter(|k| k.common).map(|k| k.kind.clone()).collect();
        Ok(Self {
            seq,
            home,
            commons: Arc::new(commons),
            ledger,
            keys,
            members,
            sets,
            parties,
            common,
            takings,
            secret,
            approvals,
        })
    }

    /// Whose account is asked for: one's own (that of the house for the owner of the store), or any for those who answer
    /// for the platform.
    ///
    /// # Errors
    /// `E-COMMONS-003` it is not for them.
    pub(super) fn account_of(&self, context: &Context, organisation: Option<&str>) -> Result<Id> {
        let own = context.access.who.organisation.as_deref();
        let member = match organisation.or(own) {
            Some(name) => id_in("organisation", name)?,
            None => self.home.clone(),
        };
        if own != Some(member.as_str()) {
            actor(context, self, &[Role::Operator, Role::Auditor], None)?;
        }
        Ok(member)
    }

    /// Did the member register the use of a data set under an agreement?
    pub(super) fn has_taken(&self, member: &Id, data_set: &Id, agreement: &Id) -> bool {
        self.takings.contains(&(member.clone(), data_set.clone(), agreement.clone()))
    }

    /// The data set of a record.
    pub(super) fn data_set_of(&self, kind: &str, id: &str) -> Option<&Id> {
        self.sets.get(&(kind.to_owned(), id.to_owned()))
    }

    /// The data set that a record of its own belongs to, also that of its owner and area.
    pub(super) fn set_of(&self, record: &Record) -> Option<Id> {
        let area = record.fields.get("area").and_then(Json::as_str);
        let of = Belongs { owner: record.owner.as_deref(), area, ..Belongs::default() };
        match self.place(Resource::Record { kind: &record.kind, id: record.id.as_str(), of }) {
            Place::DataSet(set) => Some(set),
            _ => None,
        }
    }
}

impl Places for Standing {
    fn place(&self, what: Resource<'_>) -> Place {
        let (kind, id, of) = match what {
            Resource::Record { kind: "job", .. } => return Place::Work,
            Resource::Record {
                kind: "aggregate-release" | "log-checkpoint" | "shared-model" | "worth-task" | "sum-round",
                ..
            } => {
                return Place::Members;
            }
            Resource::Record {
                kind: "aggregate-cell" | "marked-copy" | "privacy-entry" | "worth-round" | "sum-half", ..
            } => {
                return Place::Closed;
            }
            // That an organisation is a member, members know, and itself how it stands; of its people only its own.
            Resource::Record { kind: "membership", id, .. } => {
                let mut parties = self.members.clone();
                parties.extend(Id::parse(id).ok());
                return Place::Parties(parties);
            }
            Resource::Record { kind, id, .. } if KINDS.contains(&kind) && kind != "data-set" => {
                let parties = self.parties.get(&(kind.to_owned(), id.to_owned())).cloned();
                return Place::Parties(parties.unwrap_or_default());
            }
            // What a data set is, is judged as the data set itself.
            Resource::Record { kind: "data-set", id, .. } => {
                return match Id::parse(id).ok().filter(|id| self.commons.known_data_set(id).is_some()) {
                    Some(id) => Place::DataSet(id),
                    None => {
                        Place::Parties(self.parties.get(&("data-set".to_owned(), id.to_owned())).cloned().unwrap_or_default())
                    }
                };
            }
            Resource::Record { kind, id, of } => (kind, id, of),
            Resource::Series { run, of, .. } => ("run", run, of),
            Resource::Blob { .. } | Resource::Store | Resource::Question => return Place::Nowhere,
        };
        let own = self.data_set_of(kind, id);
        let set = own.or_else(|| of.run.and_then(|run| self.data_set_of("run", run)));
        // A data set holds what its owner has, whatever it names: one that came from another node might name more.
        let owner = of.owner.unwrap_or(self.home.as_str());
        if let Some(set) = set.filter(|set| self.commons.known_data_set(set).is_some_and(|d| d.owner.as_str() == owner)) {
            return Place::DataSet(set.clone());
        }
        let house = of.owner.is_none();
        let area = match of.area.and_then(Area::from_code) {
            Some(area) => area,
            None if house && self.common.contains(kind) => Area::Public,
            None => Area::Competitive,
        };
        match implicit(of.owner.unwrap_or(self.home.as_str()), area) {
            Ok(id) => Place::DataSet(id),
            Err(_) => Place::Nowhere,
        }
    }
    fn named(&self, kind: &str) -> bool {
        KINDS.contains(&kind) || PARTS.iter().any(|(_, part)| *part == kind)
    }
    fn taken(&self, member: &Id, data_set: &Id, agreement: &Id) -> bool {
        self.has_taken(member, data_set, agreement)
    }
    fn secret(&self, data_set: &Id) -> bool {
        self.secret.contains(data_set)
    }
    fn approved(&self, person: &Id, data_set: &Id, now: Instant) -> bool {
        self.approvals.get(&(person.to_string(), data_set.clone())).is_some_and(|until| now < *until)
    }
}

/// An organisation that is no member: its country is not known, so no agreement of certain countries reaches it.
fn stranger(id: &Id) -> Organisation {
    Organisation { id: id.clone(), country: String::new(), listing: Listing::Clear, covered: false, joined: None, left: None }
}

fn organisation_of(record: &Record) -> Organisation {
    let fields = &record.fields;
    let state = text(fields, "state").unwrap_or_default();
    // What was not screened is under review: it fails closed.
    let listing = text(fields, "listing").and_then(|t| coded(&t)).unwrap_or(Listing::Review);
    Organisation {
        id: record.id.clone(),
        country: text(fields, "country").unwrap_or_default(),
        listing,
        covered: flag(fields, "covered"),
        joined: instant(fields, "joined").filter(|_| matches!(state.as_str(), "approved" | "left")),
        left: instant(fields, "left"),
    }
}

fn person_of(record: &Record) -> Option<Person> {
    if text(&record.fields, "state").as_deref() != Some("active") {
        return None;
    }
    let organisation = Id::parse(&text(&record.fields, "organisation")?).ok()?;
    let roles: BTreeSet<Role> = texts(&record.fields, "commons_roles").iter().filter_map(|t| coded(t)).collect();
    Some(Person { id: record.id.clone(), organisation, roles })
}

fn data_set_of(record: &Record) -> Option<DataSet> {
    Some(DataSet {
        id: record.id.clone(),
        owner: Id::parse(&text(&record.fields, "owner")?).ok()?,
        area: Area::from_code(&text(&record.fields, "area")?)?,
        embargo: instant(&record.fields, "embargo_until"),
        human_derived: flag(&record.fields, "human_derived"),
    })
}

/// A transaction that cannot be read must not be taken for none: it may be a duty.
fn transaction_of(record: &Record) -> Result<Transaction> {
    let json = record.fields.get("transaction").cloned().unwrap_or_default();
    serde_json::from_value(json).map_err(|e| {
        Error::storage(
            "E-COMMONS-049",
            format!("勘定の取引「{}」を読めません: {e}", record.id),
            format!("the account transaction \"{}\" is not readable: {e}", record.id),
        )
        .hint(
            "`toji verify` で確かめ、より新しい Toji で開いてください",
            "check it with `toji verify`, and open it with a newer Toji",
        )
    })
}

fn taking(transaction: &Transaction) -> Option<(Id, Id, Id)> {
    match &transaction.cause {
        Cause::Taking { member, agreement, data_set, .. } => Some((member.clone(), data_set.clone(), agreement.clone())),
        _ => None,
    }
}

fn approval(record: &Record) -> Option<((String, Id), Instant)> {
    let fields = &record.fields;
    if text(fields, "state").as_deref() != Some("approved") {
        return None;
    }
    Some(((text(fields, "asked_by")?, Id::parse(&text(fields, "data_set")?).ok()?), instant(fields, "until")?))
}

/// Organisations that a record of the commons concerns: those it names.
fn concerned(record: &Record) -> BTreeSet<Id> {
    let one = ["organisation", "member", "owner"].into_iter().filter_map(|name| text(&record.fields, name));
    let named = one.chain(texts(&record.fields, "parties"));
    named.filter_map(|id| Id::parse(&id).ok()).collect()
}
