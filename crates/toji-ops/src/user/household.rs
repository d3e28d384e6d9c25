//! What an account may, whether a commons was founded or not.
//!
//! Where one was, agreements decide. Where none was, the store is one household: roles alone decide, and a guest sees
//! what is public. In neither case is anybody the owner but the owner: they keep their name, and no gate of theirs
//! sees all.

use super::account;
use crate::session::Session;
use std::collections::BTreeSet;
use std::sync::Arc;
use toji_commons::agreement::Role;
use toji_commons::decide::{self, may};
use toji_core::{Access, Action, Decision, Gate, Instant, Principal, Resource, Result, Text};

/// The gate of a store that has users and no commons.
#[derive(Debug)]
struct Household {
    roles: BTreeSet<Role>,
}

impl Gate for Household {
    fn decide(&self, _who: &Principal, action: Action, what: Resource<'_>) -> Decision {
        let has = |roles: &[Role]| self.roles.iter().any(|role| roles.contains(role));
        // Whoever runs or checks the platform sees no data, whatever else they are.
        let apart = has(&[Role::Operator, Role::Auditor]);
        let reads = action == Action::Read;
        let allow = match what {
            Resource::Store => reads && has(&[Role::Operator, Role::Auditor, Role::Steward]),
            // Each answer is judged by itself; knowing an address opens nothing.
            Resource::Question | Resource::Blob { .. } if reads => true,
            Resource::Record { kind: "job", .. } => true,
            Resource::Record { of, .. } | Resource::Series { of, .. } if reads && of.area == Some("public") => true,
            _ => !apart && self.roles.iter().any(|role| may(*role, decide::Action::from(action))),
        };
        if allow {
            Decision::yes(Text::new("役割による", "by role"))
        } else {
            Decision::no(Text::new("役割が足りません", "no role of theirs allows it"))
        }
    }

    fn goes_by_name(&self, _kind: &str) -> bool {
        false
    }
}

impl Session {
    /// The access of an account that is in use, or of a guest.
    ///
    /// # Errors
    /// No such purpose, storage faults.
    pub(crate) async fn seat_of(self: &Arc<Self>, user: Option<&str>, purpose: Option<&str>, now: Instant) -> Result<Access> {
        let account = match user {
            Some(user) => account::find(self, user).await?,
            None => None,
        };
        let access = self.access_of(user, purpose, now).await?;
        let who = Principal {
            id: account.as_ref().map_or_else(|| "guest".to_owned(), |account| account.id.to_string()),
            organisation: account.as_ref().and_then(|account| account.organisation.clone()),
        };
        // No commons: what it answers then is the owner's.
        if access.sees_all() {
            let roles = account.map(|account| account.roles).unwrap_or_default();
            return Ok(Access { who, gate: Arc::new(Household { roles }) });
        }
        Ok(Access { who, ..access })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::Belongs;

    #[test]
    fn roles_decide_and_nobody_is_the_owner() {
        let who = Principal { id: "x".into(), organisation: None };
        let record =
            |area: Option<&'static str>| Resource::Record { kind: "run", id: "r", of: Belongs { area, ..Belongs::default() } };
        let check = |roles: &[Role], action: Action, what: Resource<'_>, expected: bool| {
            let gate = Household { roles: roles.iter().copied().collect() };
            assert_eq!(gate.decide(&who, action, what).allow, expected, "{roles:?} {action:?} {what:?}");
            assert!(!gate.sees_all(&who));
        };
        for action in [Action::Read, Action::Export, Action::Write, Action::Train] {
            for area in [None, Some("competitive"), Some("cooperative"), Some("clean-room")] {
                check(&[], action, record(area), false);
                check(&[Role::Guest], action, record(area), false);
                check(&[Role::Operator], action, record(area), false);
                check(&[Role::Auditor, Role::Scientist], action, record(area), false);
                check(&[Role::Steward], action, record(area), true);
            }
        }
        check(&[], Action::Read, record(Some("public")), true);
        check(&[], Action::Write, record(Some("public")), false);
        check(&[Role::Scientist], Action::Export, record(None), false);
        check(&[Role::Scientist], Action::Read, Resource::Store, false);
        check(&[Role::Auditor], Action::Read, Resource::Store, true);
        check(&[], Action::Read, Resource::Store, false);
    }
}
