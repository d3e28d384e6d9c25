//! Who may give whom which role, and which roles one person cannot have together.

use crate::agreement::Role;
use std::collections::BTreeSet;
use toji_core::{Category, Error, Place, Result};

/// Roles that run or check the platform and see no data.
fn is_apart(role: Role) -> bool {
    matches!(role, Role::Operator | Role::Auditor)
}

/// Separation of duties: whoever runs the platform or checks its logs has no other role, not even each other's.
///
/// # Errors
/// `E-PEOPLE-010` names the two roles.
pub fn together(roles: &BTreeSet<Role>) -> Result<()> {
    let Some(apart) = roles.iter().copied().find(|role| is_apart(*role)) else { return Ok(()) };
    let Some(other) = roles.iter().copied().find(|role| *role != apart && *role != Role::Guest) else { return Ok(()) };
    let (a, b) = (apart.label(), other.label());
    Err(Error::new(
        Category::Conflict,
        "E-PEOPLE-010",
        format!("「{}」と「{}」は同じ人が兼ねられません（職務の分離）", a.ja, b.ja),
        format!("{} and {} cannot be one person (separation of duties)", a.en, b.en),
    )
    .at(Place::field("roles"))
    .hint("別の人に任せるか、どちらかの役割を外してください", "give one of them to somebody else, or take it away"))
}

/// Somebody, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Pseudonym.
    pub id: &'a str,
    /// Organisation.
    pub organisation: Option<&'a str>,
    /// Roles.
    pub roles: &'a BTreeSet<Role>,
}

/// May the one change the other's account? The operator everybody's, an administrator those of the same
/// organisation that neither run nor check the platform; nobody one's own.
///
/// # Errors
/// `E-PEOPLE-011` one's own; `E-PEOPLE-012` not theirs to change.
pub fn administers(actor: Seen<'_>, other: Seen<'_>) -> Result<()> {
    if actor.id == other.id {
        return Err(Error::new(
            Category::Denied,
            "E-PEOPLE-011",
            "自分自身の役割や状態は変えられません",
            "nobody changes their own roles or standing",
        )
        .hint(
            "組織の提供管理者か基盤運営者に依頼してください",
            "ask another administrator of your organisation, or the operator",
        ));
    }
    let same = actor.organisation.is_some() && actor.organisation == other.organisation;
    let theirs = actor.roles.contains(&Role::ContributorAdmin) && same && !other.roles.iter().any(|role| is_apart(*role));
    if actor.roles.contains(&Role::Operator) || theirs {
        return Ok(());
    }
    Err(not_yours())
}

/// May they give these roles? Roles that run or check the platform come from the operator (or the owner) alone.
///
/// # Errors
/// `E-PEOPLE-012`.
pub fn may_grant(actor: &BTreeSet<Role>, roles: &BTreeSet<Role>) -> Result<()> {
    if actor.contains(&Role::Operator) || !roles.iter().any(|role| is_apart(*role)) {
        return Ok(());
    }
    Err(not_yours())
}

fn not_yours() -> Error {
    Error::new(Category::Denied, "E-PEOPLE-012", "この利用者を変更する権限がありません", "this account is not yours to change")
        .hint(
            "同じ組織の提供管理者か、基盤運営者が行えます",
            "a contributor administrator of the same organisation or the platform operator can do it",
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::Action;
    use crate::decide::may;

    fn set(roles: &[Role]) -> BTreeSet<Role> {
        roles.iter().copied().collect()
    }

    #[test]
    fn whoever_runs_or_checks_the_platform_has_no_other_role() {
        for a in Role::ALL {
            assert!(together(&set(&[a])).is_ok());
            for b in Role::ALL {
                let apart = is_apart(a) || is_apart(b);
                let refused = a != b && apart && a != Role::Guest && b != Role::Guest;
                assert_eq!(together(&set(&[a, b])).is_err(), refused, "{a:?} {b:?}");
            }
            // Apart are exactly those that may describe and nothing else.
            let data = Action::ALL.into_iter().any(|action| action != Action::Describe && may(a, action));
            assert_eq!(is_apart(a), !data && a != Role::Guest, "{a:?}");
        }
    }

    #[test]
    fn who_changes_whom() {
        let (operator, admin, scientist) = (set(&[Role::Operator]), set(&[Role::ContributorAdmin]), set(&[Role::Scientist]));
        let seen = |id, organisation, roles| Seen { id, organisation: Some(organisation), roles };
        let check = |actor: Seen<'_>, other: Seen<'_>, expected: Option<&str>| {
            assert_eq!(administers(actor, other).err().map(|e| e.code()), expected, "{actor:?} {other:?}");
        };
        check(seen("op", "hub", &operator), seen("s", "acme", &scientist), None);
        check(seen("op", "hub", &operator), seen("op", "hub", &operator), Some("E-PEOPLE-011"));
        check(seen("ad", "acme", &admin), seen("s", "acme", &scientist), None);
        check(seen("ad", "acme", &admin), seen("ad", "acme", &admin), Some("E-PEOPLE-011"));
        check(seen("ad", "acme", &admin), seen("s", "beta", &scientist), Some("E-PEOPLE-012"));
        check(seen("ad", "hub", &admin), seen("op", "hub", &operator), Some("E-PEOPLE-012"));
        check(seen("s", "acme", &scientist), seen("t", "acme", &scientist), Some("E-PEOPLE-012"));
        let nowhere = Seen { id: "x", organisation: None, roles: &admin };
        check(nowhere, Seen { id: "y", ..nowhere }, Some("E-PEOPLE-012"));
        assert!(may_grant(&admin, &scientist).is_ok() && may_grant(&operator, &operator).is_ok());
        assert!(may_grant(&admin, &operator).is_err());
    }
}
