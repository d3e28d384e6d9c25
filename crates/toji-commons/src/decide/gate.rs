//! The decision in the place of the house's one gate ([`toji_core::Gate`]).

use super::clause::{Clause, Decision as Judged, Obligation};
use super::commons::Commons;
use super::request::{Action, Request};
use crate::agreement::{Purpose, Role};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use toji_core::{Decision, Gate, Id, Instant, Principal, Resource, Text};

/// Where a thing of the house stands among what is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a data set.
    DataSet(Id),
    /// A record of the commons itself, e.g. an agreement: open to these organisations, operators and auditors.
    Parties(BTreeSet<Id>),
    /// A record of the commons itself that every member may know.
    Members,
    /// Of the commons itself, and for nobody.
    Closed,
    /// Work that somebody asked for; its results are judged where they come from.
    Work,
    /// Nowhere.
    Nowhere,
}

/// Facts about the house that the decision needs.
pub trait Places: Send + Sync + fmt::Debug {
    /// Where a record, a series or a file stands.
    fn place(&self, what: Resource<'_>) -> Place;
    /// Does where records of a kind stand rest on their names, as it does when data sets name them?
    fn named(&self, kind: &str) -> bool;
    /// Has the member taken the data set under the agreement, so that the feedback it owes is booked?
    fn taken(&self, member: &Id, data_set: &Id, agreement: &Id) -> bool;
    /// Is the data set a secret whose export somebody else must approve first?
    fn secret(&self, data_set: &Id) -> bool;
    /// Was this person's export of the data set approved, and is that still valid?
    fn approved(&self, person: &Id, data_set: &Id, now: Instant) -> bool;
}

/// What decided about a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruled {
    /// A clause of the table.
    By(Clause),
    /// The use, which brings a duty of feedback, is not registered.
    UseNotRegistered,
    /// Nobody else approved the export of a secret.
    ExportNotApproved,
}

impl Ruled {
    /// The code.
    #[must_use]
    pub fn code(self) -> String {
        match self {
            Self::By(clause) => {
                serde_json::to_value(clause).ok().and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default()
            }
            Self::UseNotRegistered => "use-not-registered".to_owned(),
            Self::ExportNotApproved => "export-not-approved".to_owned(),
        }
    }
}

/// A session's view of the commons: its purpose and time are fixed when it is opened, so that one question has
/// one answer throughout. What stands nowhere is refused.
///
/// Two clauses stand behind the table of the module, and only make it stricter: data that brings a duty of feedback
/// is not read before its use was registered (nobody owes unasked), and a secret leaves only when somebody else
/// approved it.
#[derive(Debug, Clone)]
pub struct Seat {
    commons: Arc<Commons>,
    places: Arc<dyn Places>,
    purpose: Purpose,
    now: Instant,
    /// What reading is judged as.
    reading: Action,
}

impl Seat {
    /// A seat for a purpose at a time.
    #[must_use]
    pub fn new(commons: Arc<Commons>, places: Arc<dyn Places>, purpose: Purpose, now: Instant) -> Self {
        Self { commons, places, purpose, now, reading: Action::Read }
    }

    /// The same seat for an operation that computes upon what it reads and lets only checked results out: reading is
    /// then judged as computing.
    #[must_use]
    pub fn computing(&self) -> Self {
        Self { reading: Action::Compute, ..self.clone() }
    }

    /// The same seat for an operation that trains a model on what it reads and lets only the model out: reading is then
    /// judged as training.
    #[must_use]
    pub fn training(&self) -> Self {
        Self { reading: Action::Train, ..self.clone() }
    }

    /// The decision about a data set, with the two clauses of the seat.
    #[must_use]
    pub fn decide_set(&self, who: &Id, action: Action, data_set: &Id) -> Decision {
        self.rule_on_set(who, action, data_set).1
    }

    /// The decision about a data set, and what decided it: a clause of the table, or one of the seat.
    #[must_use]
    pub fn rule_on_set(&self, who: &Id, action: Action, data_set: &Id) -> (Ruled, Decision) {
        let Self { purpose, now, .. } = *self;
        let request = Request { who, action, data_set, purpose, now };
        let mut decision = self.commons.decide(&request);
        if !decision.allow() {
            let no = Decision { allow: false, reason: decision.reason(), remedy: Some(decision.clause.remedy()) };
            return (Ruled::By(decision.clause), no);
        }
        let member = self.commons.known_person(who).map(|person| &person.organisation);
        // Of several agreements that permit it one is enough whose duty was taken on, or that brings none.
        if let (true, Some(member)) = (owes(&decision), member) {
            let each = self.commons.covering(data_set).map(|agreement| self.commons.decide_under(&request, &agreement.id));
            let free = |d: &Judged| {
                d.allow() && (!owes(d) || d.agreement.as_ref().is_some_and(|id| self.places.taken(member, data_set, id)))
            };
            let Some(found) = each.into_iter().find(free) else { return (Ruled::UseNotRegistered, unregistered(data_set)) };
            decision = found;
        }
        if action == Action::Export && self.places.secret(data_set) && !self.places.approved(who, data_set, now) {
            let no = Decision {
                allow: false,
                reason: Text::new("営業秘密の持出しが承認されていません", "the export of a trade secret is not approved"),
                remedy: Some(Text::new(
                    format!("`toji commons request-export {data_set}` で承認を申請してください"),
                    format!("ask for approval with `toji commons request-export {data_set}`"),
                )),
            };
            return (Ruled::ExportNotApproved, no);
        }
        (Ruled::By(decision.clause), Decision::yes(decision.reason()))
    }

    /// Records of the commons itself are read by those they concern; operations alone write them.
    fn of_the_commons(&self, who: &Id, action: toji_core::Action, parties: Option<&BTreeSet<Id>>) -> Decision {
        if action == toji_core::Action::Write {
            return Decision::no(Text::new("操作だけが書く記録です", "written by operations only"));
        }
        let Some(person) = self.commons.known_person(who) else {
            return Decision::no(Text::new("会員の記録です", "a record of the members"));
        };
        if person.roles.iter().any(|r| matches!(r, Role::Operator | Role::Auditor)) {
            return Decision::yes(Text::new("運営者・監査人", "operator or auditor"));
        }
        let member = self.commons.known_organisation(&person.organisation).is_some_and(|o| o.is_member(self.now));
        match parties {
            Some(parties) if parties.contains(&person.organisation) => Decision::yes(Text::new("当事者", "a party to it")),
            None if member => Decision::yes(Text::new("会員", "a member")),
            _ => Decision::no(Text::new("当事者・会員の記録です", "a record of its parties or of members")),
        }
    }

    fn of_the_house(&self, who: &Id, action: toji_core::Action) -> Decision {
        let keeps = |role: &Role| matches!(role, Role::Operator | Role::Auditor);
        let may = action == toji_core::Action::Read
            && self.commons.known_person(who).is_some_and(|person| person.roles.iter().any(keeps));
        if may {
            return Decision::yes(Text::new("運営者・監査人", "operator or auditor"));
        }
        Decision::no(Text::new("運営者・監査人だけの情報です", "for operators and auditors only"))
    }
}

/// Does it bring a duty of feedback?
fn owes(decision: &Judged) -> bool {
    decision.obligations.iter().any(|o| matches!(o, Obligation::Feedback { .. }))
}

fn unregistered(data_set: &Id) -> Decision {
    Decision {
        allow: false,
        reason: Text::new(
            "還元義務のある利用が登録されていません",
            "its use, which brings a duty of feedback, is not registered",
        ),
        remedy: Some(Text::new(
            format!("`toji commons use {data_set}` で利用を登録してください"),
            format!("register the use with `toji commons use {data_set}`"),
        )),
    }
}

impl Gate for Seat {
    fn decide(&self, who: &Principal, action: toji_core::Action, what: Resource<'_>) -> Decision {
        let Ok(who) = Id::parse(&who.id) else {
            return Decision::no(Text::new("利用者の識別子ではありません", "not the identifier of a person"));
        };
        match what {
            Resource::Store => return self.of_the_house(&who, action),
            // Each answer is judged by itself; knowing an address opens nothing (the store asks for what names it).
            Resource::Question | Resource::Blob { .. } if action == toji_core::Action::Read => {
                return Decision::yes(Text::new("答えごとに判断", "each answer is judged by itself"));
            }
            _ => {}
        }
        let action_on_data = match action {
            toji_core::Action::Read => self.reading,
            action => action.into(),
        };
        match self.places.place(what) {
            Place::DataSet(data_set) => self.decide_set(&who, action_on_data, &data_set),
            Place::Parties(parties) => self.of_the_commons(&who, action, Some(&parties)),
            Place::Members => self.of_the_commons(&who, action, None),
            Place::Closed => Decision::no(Text::new("誰にも見せない記録です", "shown to nobody")),
            Place::Work => Decision::yes(Text::new("依頼した作業", "work that was asked for")),
            Place::Nowhere => Decision::no(Text::new("どのデータセットにも属しません", "it belongs to no data set")),
        }
    }

    fn goes_by_name(&self, kind: &str) -> bool {
        self.places.named(kind)
    }
}
