//! Who gains and who loses what by a change, before anybody votes on it.

use super::clause::Clause;
use super::commons::Commons;
use super::request::{Action, Request};
use crate::agreement::Purpose;
use std::collections::BTreeMap;
use toji_core::{Id, Instant};

/// Access that a change gives or takes, with one case that shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Organisation whose people are concerned; `None` for people of none.
    pub organisation: Option<Id>,
    /// Data set.
    pub data_set: Id,
    /// Action.
    pub action: Action,
    /// Gained; otherwise lost.
    pub gained: bool,
    /// How many cases (person, purpose, instant) change so.
    pub cases: usize,
    /// A person of the example.
    pub who: Id,
    /// Purpose of the example.
    pub purpose: Purpose,
    /// Instant of the example.
    pub at: Instant,
    /// What decides now.
    pub before: Clause,
    /// What would decide then.
    pub after: Clause,
}

/// Every person, data set, action and purpose at these instants: what is decided otherwise after than before. Somebody
/// without an account is among the people. By organisation, data set and action; what is lost comes first.
#[must_use]
pub fn compare(before: &Commons, after: &Commons, instants: &[Instant]) -> Vec<Changed> {
    let nobody = Id::derive("nobody", &[]);
    let mut people: BTreeMap<&Id, Option<&Id>> = BTreeMap::from([(&nobody, None)]);
    for person in before.everybody().chain(after.everybody()) {
        people.insert(&person.id, Some(&person.organisation));
    }
    let mut data_sets: Vec<&Id> = before.all_data_sets().chain(after.all_data_sets()).map(|d| &d.id).collect();
    data_sets.sort();
    data_sets.dedup();
    let mut found: BTreeMap<(bool, Option<&Id>, &Id, Action), Changed> = BTreeMap::new();
    for (who, organisation) in people {
        for data_set in &data_sets {
            for action in Action::ALL {
                for purpose in Purpose::ALL {
                    for at in instants {
                        let request = Request { who, action, data_set, purpose, now: *at };
                        let (was, is) = (before.decide(&request), after.decide(&request));
                        if was.allow() == is.allow() {
                            continue;
                        }
                        let key = (is.allow(), organisation, *data_set, action);
                        let changed = found.entry(key).or_insert_with(|| Changed {
                            organisation: organisation.cloned(),
                            data_set: (*data_set).clone(),
                            action,
                            gained: is.allow(),
                            cases: 0,
                            who: who.clone(),
                            purpose,
                            at: *at,
                            before: was.clause,
                            after: is.clause,
                        });
                        changed.cases += 1;
                    }
                }
            }
        }
    }
    found.into_values().collect()
}
