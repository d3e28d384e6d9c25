//! Worlds for the decision, and a second evaluator: the table of the documentation read literally over plain
//! lists, without any index or early return of the engine.

use crate::{day, id};
use std::collections::BTreeSet;
use toji_commons::account::{Cause, DutyTerms, Ledger, Transaction};
use toji_commons::agreement::{
    Agreement, Area, DataSet, Granted, IndustrialUse, Listing, Organisation, Patents, Person, Purpose, Role, Terms,
};
use toji_commons::decide::{Action, Commons, Request};
use toji_core::{Digest, Id, Instant};

/// Everything a decision rests on, as plain lists.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    pub(crate) organisations: Vec<Organisation>,
    pub(crate) persons: Vec<Person>,
    pub(crate) data_sets: Vec<DataSet>,
    pub(crate) agreements: Vec<Agreement>,
    /// Organisation, units owed, due.
    pub(crate) duties: Vec<(Id, u32, Instant)>,
    pub(crate) noted: Option<Instant>,
}

impl World {
    pub(crate) fn commons(&self) -> Commons {
        let mut commons = Commons::new();
        self.organisations.iter().for_each(|o| commons.organisation(o.clone()));
        self.persons.iter().for_each(|p| commons.person(p.clone()).unwrap());
        self.data_sets.iter().for_each(|d| commons.data_set(d.clone()).unwrap());
        self.agreements.iter().for_each(|a| commons.agreement(a.clone()).unwrap());
        let mut ledger = Ledger::new();
        for (n, (member, units, due)) in self.duties.iter().enumerate() {
            let (duty, name) = (id(&format!("d{n}")), id(&format!("t{n}")));
            let duty = (*units > 0).then_some(DutyTerms { duty, units: *units, due: *due });
            let cause = Cause::Taking { member: member.clone(), agreement: id("gi"), data_set: id("x"), units: 1, duty };
            ledger.post(Transaction { id: name, at: day(-1000), cause }).unwrap();
        }
        commons.take_duties(&ledger, day(0));
        if let Some(at) = self.noted {
            commons.note_time(at);
        }
        commons
    }
}

pub(crate) fn organisation(name: &str, country: &str) -> Organisation {
    let joined = Some(day(-2000));
    Organisation { id: id(name), country: country.into(), listing: Listing::Clear, covered: false, joined, left: None }
}
pub(crate) fn person(name: &str, organisation: &str, roles: &[Role]) -> Person {
    Person { id: id(name), organisation: id(organisation), roles: roles.iter().copied().collect() }
}
pub(crate) fn agreement(name: &str, parties: &[&str], data_sets: &[&str]) -> Agreement {
    Agreement {
        id: id(name),
        version: 1,
        text: Digest::of(b"the text that people read"),
        parties: parties.iter().map(|p| id(p)).collect(),
        data_sets: data_sets.iter().map(|d| id(d)).collect(),
        terms: Terms {
            from: day(-100),
            until: day(100),
            purposes: BTreeSet::from([Purpose::Research]),
            grants: BTreeSet::from([Granted::Compute, Granted::Read, Granted::Train, Granted::Export]),
            industrial_use: IndustrialUse::Permitted,
            patents: Patents::Free,
            early_access: BTreeSet::new(),
            countries: None,
            feedback: None,
        },
    }
}

/// Rows of the table: clause, does it apply.
pub(crate) fn naive(world: &World, request: &Request<'_>) -> (&'static str, Option<Id>) {
    let Request { who, action, data_set, purpose, now } = request;
    let data = world.data_sets.iter().find(|d| d.id == **data_set);
    let asker = world.persons.iter().find(|p| p.id == **who);
    let org = asker.and_then(|p| world.organisations.iter().find(|o| o.id == p.organisation));
    let Some(d) = data else {
        let early = world.noted.is_some_and(|n| n > *now);
        return (if early { "clock-set-back" } else { "unknown" }, None);
    };
    let has = |r: Role| asker.is_some_and(|p| p.roles.contains(&r));
    let embargo_runs = match d.embargo {
        None => false,
        Some(end) => end > *now,
    };
    let own = org.is_some_and(|o| o.id == d.owner);
    let cooperative = d.area == Area::Cooperative;
    let overdue = org.is_some_and(|o| world.duties.iter().any(|(m, units, due)| *m == o.id && *units > 0 && *due < *now));
    let member = org.is_some_and(|o| matches!(o.joined, Some(from) if from <= *now) && !matches!(o.left, Some(to) if to <= *now));
    // Role by role, as the members' guide would list it.
    let able: &[(Role, &[Action])] = &[
        (Role::Operator, &[Action::Describe]),
        (Role::Auditor, &[Action::Describe]),
        (Role::Steward, &Action::ALL),
        (Role::ContributorAdmin, &[Action::Write, Action::Export, Action::Read, Action::Describe]),
        (Role::Scientist, &[Action::Write, Action::Train, Action::Read, Action::Compute, Action::Describe]),
        (Role::CdmoOperator, &[Action::Write, Action::Read, Action::Describe]),
        (Role::BiosafetyOfficer, &[Action::Read, Action::Describe]),
        (Role::BiosecurityReviewer, &[Action::Read, Action::Describe]),
        (Role::ExportControlOfficer, &[Action::Read, Action::Describe]),
        (Role::AiService, &[Action::Train, Action::Compute]),
    ];
    let role_fits = able.iter().any(|(role, actions)| has(*role) && actions.contains(action));

    // Agreements: how many of the questions each passes; all six are needed, three to describe.
    let questions = |a: &Agreement| -> Vec<bool> {
        let o = org.unwrap();
        let mut passed = vec![
            a.data_sets.contains(&d.id) && a.parties.contains(&o.id) && a.parties.contains(&d.owner),
            a.terms.from <= *now && *now < a.terms.until,
            a.terms.countries.is_none() || a.terms.countries.iter().flatten().any(|c| *c == o.country),
        ];
        if *action != Action::Describe {
            passed.push(match action {
                Action::Compute => a.terms.grants.contains(&Granted::Compute),
                Action::Read => a.terms.grants.contains(&Granted::Read),
                Action::Train => a.terms.grants.contains(&Granted::Train),
                Action::Export => a.terms.grants.contains(&Granted::Export),
                Action::Describe | Action::Write => false,
            });
            let industrial = *purpose == Purpose::Production && a.terms.industrial_use == IndustrialUse::Forbidden;
            passed.push(a.terms.purposes.contains(purpose) && !industrial);
            passed.push(!embargo_runs || a.terms.early_access.contains(&o.id));
        }
        passed
    };
    let mut by_id: Vec<&Agreement> = world.agreements.iter().collect();
    by_id.sort_by(|a, b| a.id.cmp(&b.id));
    let reached = |a: &Agreement| questions(a).iter().take_while(|p| **p).count();
    let needed = if *action == Action::Describe { 3 } else { 6 };

    let rows: [(&'static str, bool); 15] = [
        ("clock-set-back", world.noted.is_some_and(|n| n > *now)),
        ("covered-person", d.human_derived && org.is_none_or(|o| o.covered)),
        ("open", d.area == Area::Public && !embargo_runs && *action != Action::Write),
        ("no-account", asker.is_none() || org.is_none()),
        ("separation-of-duties", (has(Role::Operator) || has(Role::Auditor)) && *action != Action::Describe),
        ("role", !role_fits),
        ("own", own),
        ("write-own-only", *action == Action::Write),
        ("listed", org.is_some_and(|o| o.listing == Listing::Blocked)),
        ("listing-review", org.is_some_and(|o| o.listing == Listing::Review)),
        ("clean-room", d.area == Area::CleanRoom && [Action::Read, Action::Export, Action::Train].contains(action)),
        ("never-exported", cooperative && *action == Action::Export),
        ("membership", !member),
        ("feedback-overdue", cooperative && overdue && *action != Action::Describe),
        ("catalogue", cooperative && *action == Action::Describe),
    ];
    if let Some((clause, _)) = rows.iter().find(|(_, applies)| *applies) {
        return (*clause, None);
    }
    if let Some(a) = by_id.iter().find(|a| reached(a) == needed) {
        return ("agreement", Some(a.id.clone()));
    }
    let furthest = by_id.iter().map(|a| reached(a)).max().unwrap_or(0);
    if furthest == 0 {
        return ("no-agreement", None);
    }
    let failing = ["no-agreement", "not-in-force", "territory", "not-granted", "purpose", "embargo"][furthest];
    (failing, by_id.iter().find(|a| reached(a) == furthest).map(|a| a.id.clone()))
}
