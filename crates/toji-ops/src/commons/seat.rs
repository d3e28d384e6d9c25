//! Who asks, and under which seat: the gate of the house answered by the commons.

use super::standing::Standing;
use crate::operation::Context;
use crate::session::Session;
use std::collections::BTreeSet;
use std::sync::Arc;
use toji_commons::agreement::{Person, Purpose, Role};
use toji_commons::decide::{Commons, Seat};
use toji_core::{Access, Action, Category, Decision, Error, Gate, Id, Instant, Place, Principal, Resource, Result, Text};

/// A name nobody can have: whoever is not known asks under it.
const GUEST: &str = "guest";

impl Session {
    /// The access of a user of the commons (of a guest, when none is named) for a purpose, by its code (research, when
    /// none is named), at a time. In a store where no commons was founded everybody is its owner.
    ///
    /// # Errors
    /// `E-COMMONS-002` no such purpose; storage faults.
    pub async fn access_of(self: &Arc<Self>, user: Option<&str>, purpose: Option<&str>, now: Instant) -> Result<Access> {
        let Some(standing) = Standing::of(self, now).await? else { return Ok(Access::owner()) };
        let purpose = match purpose {
            Some(code) => purpose_of(code)?,
            None => Purpose::Research,
        };
        Ok(access(&standing, user, Seat::new(standing.commons.clone(), standing.clone(), purpose, now)))
    }
}

pub(super) fn purpose_of(code: &str) -> Result<Purpose> {
    Purpose::ALL.into_iter().find(|p| p.code() == code).ok_or_else(|| {
        let known = Purpose::ALL.map(Purpose::code).join(", ");
        Error::input("E-COMMONS-002", format!("目的「{code}」はありません"), format!("there is no purpose \"{code}\""))
            .at(Place::field("purpose"))
            .hint(format!("次のいずれかです: {known}"), format!("it is one of {known}"))
    })
}

fn access(standing: &Standing, user: Option<&str>, seat: Seat) -> Access {
    let known = user.and_then(|u| Id::parse(u).ok()).and_then(|id| standing.commons.known_person(&id));
    let who = match known {
        Some(person) => Principal { id: person.id.to_string(), organisation: Some(person.organisation.to_string()) },
        None => Principal { id: GUEST.to_owned(), organisation: None },
    };
    Access { who, gate: Arc::new(seat) }
}

/// The standing of the commons an operation needs.
///
/// # Errors
/// `E-COMMONS-001` none was founded.
pub(super) async fn standing(context: &Context) -> Result<Arc<Standing>> {
    Standing::of(&context.session, context.now).await?.ok_or_else(|| {
        Error::new(
            Category::Conflict,
            "E-COMMONS-001",
            "この保存先には共有基盤がありません",
            "no commons was founded in this store",
        )
        .hint(
            "`toji commons found 組織` で始めてください。組織の記録が先に要ります",
            "found it with `toji commons found ORGANISATION`; the record of the organisation comes first",
        )
    })
}

/// The seat of whoever asks, for a purpose, reading as computing: for operations that let only checked results out.
pub(super) fn computing(context: &Context, standing: &Arc<Standing>, purpose: Purpose) -> Access {
    if context.access.sees_all() {
        return context.access.clone();
    }
    let seat = Seat::new(standing.commons.clone(), standing.clone(), purpose, context.now);
    Access { who: context.access.who.clone(), gate: Arc::new(seat.computing()) }
}

/// The seat of whoever asks, for training of models: reading is judged as training, and only the model comes out.
pub(super) fn training(context: &Context, standing: &Arc<Standing>) -> Access {
    if context.access.sees_all() {
        return context.access.clone();
    }
    let seat = Seat::new(standing.commons.clone(), standing.clone(), Purpose::ModelTraining, context.now);
    Access { who: context.access.who.clone(), gate: Arc::new(seat.training()) }
}

/// The seat of whoever asks, as if this agreement were the only one: what another permits does not count. For what is
/// charged to, or done under, one agreement.
pub(super) fn under(context: &Context, standing: &Arc<Standing>, agreement: &Id, purpose: Purpose, train: bool) -> Access {
    if context.access.sees_all() {
        return context.access.clone();
    }
    let mut commons = (*standing.commons).clone();
    for other in standing.commons.agreements().filter(|a| a.id != *agreement) {
        commons.without_agreement(&other.id);
    }
    let seat = Seat::new(Arc::new(commons), standing.clone(), purpose, context.now);
    let gate = if train { seat.training() } else { seat.computing() };
    Access { who: context.access.who.clone(), gate: Arc::new(gate) }
}

/// Who acts: a person of an organisation, or the owner of the store's files, who acts for whom they name.
#[derive(Debug, Clone)]
pub(super) struct Actor {
    /// Pseudonym.
    pub(super) id: String,
    /// Organisation they act for.
    pub(super) organisation: Id,
    /// Access under which the records of the commons are written.
    pub(super) office: Access,
}

impl Actor {
    /// The house itself, which keeps what an operation released, whoever asked.
    pub(super) fn house(context: &Context) -> Self {
        let who = Principal { id: context.access.who.id.clone(), organisation: None };
        let organisation = context.access.who.organisation.as_deref().and_then(|o| Id::parse(o).ok());
        let organisation = organisation.unwrap_or_else(|| Id::derive("house", &[]));
        Self { id: who.id.clone(), organisation, office: Access { who, gate: Arc::new(Office) } }
    }
}

/// The person who asks, when one of these roles is theirs and the organisation, if one is named, is theirs too.
/// Whoever holds the files of the store stands above its rules, as `docs` say; what they do stands in the ledger.
///
/// # Errors
/// `E-COMMONS-003` not for them, `E-COMMONS-004` the owner of the store does not say for whom.
pub(super) fn actor(context: &Context, standing: &Standing, roles: &[Role], organisation: Option<&str>) -> Result<Actor> {
    let office = Access { who: context.access.who.clone(), gate: Arc::new(Office) };
    let named = organisation.map(|o| Id::parse(o).map_err(|e| e.at(Place::field("organisation")))).transpose()?;
    if context.access.sees_all() {
        let organisation = named.unwrap_or_else(|| standing.home.clone());
        let who = Principal { id: context.access.who.id.clone(), organisation: Some(organisation.to_string()) };
        return Ok(Actor { id: who.id.clone(), organisation, office: Access { who, ..office } });
    }
    let person = Id::parse(&context.access.who.id).ok().and_then(|id| standing.commons.known_person(&id).cloned());
    let fits = |p: &Person| p.roles.iter().any(|r| roles.contains(r)) && named.as_ref().is_none_or(|o| *o == p.organisation);
    match person.filter(fits) {
        Some(person) => Ok(Actor { id: person.id.to_string(), organisation: person.organisation, office }),
        None => {
            let [ja, en] =
                [|r: &Role| r.label().ja, |r: &Role| r.label().en].map(|f| roles.iter().map(f).collect::<Vec<_>>().join(", "));
            Err(Error::new(
                Category::Denied,
                "E-COMMONS-003",
                format!("この操作は次の役割の人が、自分の組織について行います: {ja}"),
                format!("this is for people of these roles, for their own organisation: {en}"),
            )
            .hint("役割の変更は `toji user roles` で申請してください", "ask for another role (`toji user roles`)"))
        }
    }
}

/// The commons as whoever acts is judged in it. The owner of the store is nobody in it: acting for an organisation, they
/// are judged as a steward of it.
pub(super) fn judged(context: &Context, standing: &Standing, actor: &Actor) -> Result<Arc<Commons>> {
    if !context.access.sees_all() {
        return Ok(standing.commons.clone());
    }
    let mut commons = (*standing.commons).clone();
    let roles = BTreeSet::from([Role::Steward]);
    commons.person(Person { id: Id::parse(&actor.id)?, organisation: actor.organisation.clone(), roles })?;
    Ok(Arc::new(commons))
}

/// The gate of operations that write the records of the commons, after they asked whose office it is.
#[derive(Debug)]
struct Office;

impl Gate for Office {
    fn decide(&self, _who: &Principal, _action: Action, what: Resource<'_>) -> Decision {
        match what {
            Resource::Record { kind, .. } if OF_OFFICE.contains(&kind) => {
                Decision::yes(Text::new("共有基盤の手続き", "an act of the commons"))
            }
            _ => Decision::no(Text::new("共有基盤の記録ではありません", "no record of the commons")),
        }
    }
}

/// Kinds that operations of the commons write.
const OF_OFFICE: [&str; 20] = [
    "membership",
    "data-set",
    "agreement",
    "account-entry",
    "feedback",
    "patent-notice",
    "aggregate-release",
    "aggregate-cell",
    "shared-model",
    "export-approval",
    "transfer",
    "log-checkpoint",
    "node",
    "node-transfer",
    "privacy-entry",
    "worth-task",
    "worth-round",
    "marked-copy",
    "sum-round",
    "sum-half",
];
