//! What each role is for.

use super::request::Action;
use crate::agreement::Role;

/// May a role do this at all? Whether it may do so with a certain data set, the other clauses say.
#[must_use]
pub fn may(role: Role, action: Action) -> bool {
    use Action::{Compute, Describe, Export, Read, Train, Write};
    let permitted: &[Action] = match role {
        Role::Operator | Role::Auditor => &[Describe],
        Role::Steward => &[Describe, Compute, Read, Train, Export, Write],
        Role::ContributorAdmin => &[Describe, Read, Export, Write],
        Role::Scientist => &[Describe, Compute, Read, Train, Write],
        Role::CdmoOperator => &[Describe, Read, Write],
        Role::BiosafetyOfficer | Role::BiosecurityReviewer | Role::ExportControlOfficer => &[Describe, Read],
        Role::AiService => &[Compute, Train],
        Role::Guest => &[],
    };
    permitted.contains(&action)
}

/// Roles that see no data, whatever other roles the same person has.
pub(super) fn is_apart(role: Role) -> bool {
    matches!(role, Role::Operator | Role::Auditor)
}
