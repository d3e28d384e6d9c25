//! The gate of what comes in from another node: it lets in what belongs to one organisation that is not the house, and
//! nothing can take the place of a record of anybody else.

use super::parcel::CARRIED;
use std::sync::Arc;
use toji_core::{Access, Action, Decision, Gate, Principal, Resource, Text};

/// Kinds of the commons itself that come over as another house has them.
pub(super) const MIRRORED: [&str; 5] = ["organisation", "membership", "data-set", "agreement", "account-entry"];

/// Writes as this organisation.
#[derive(Debug)]
struct Inflow {
    owner: String,
    kinds: &'static [&'static str],
}

impl Gate for Inflow {
    fn decide(&self, _who: &Principal, action: Action, what: Resource<'_>) -> Decision {
        let fits = match what {
            Resource::Record { kind, of, .. } => self.kinds.contains(&kind) && of.owner == Some(self.owner.as_str()),
            Resource::Series { of, .. } => self.kinds.contains(&"run") && of.owner == Some(self.owner.as_str()),
            _ => false,
        };
        if fits && action == Action::Write {
            return Decision::yes(Text::new("別のノードから届いた記録", "what came from another node"));
        }
        Decision::no(Text::new(
            "同じ識別子の記録が、別の組織のものとしてここにあります",
            "a record of this identifier is here already and belongs to another organisation",
        ))
    }
}

/// Data of an organisation.
pub(super) fn data_of(owner: &str, by: &str) -> Access {
    let who = Principal { id: by.to_owned(), organisation: Some(owner.to_owned()) };
    Access { who, gate: Arc::new(Inflow { owner: owner.to_owned(), kinds: &CARRIED }) }
}

/// Records of the commons as a house has them.
pub(super) fn commons_of(house: &str, by: &str) -> Access {
    let who = Principal { id: by.to_owned(), organisation: Some(house.to_owned()) };
    Access { who, gate: Arc::new(Inflow { owner: house.to_owned(), kinds: &MIRRORED }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::Belongs;

    #[test]
    fn it_lets_in_one_organisations_data_and_nothing_else() {
        let access = data_of("ORG-B", "sync");
        let of = |owner: Option<&'static str>| Belongs { owner, ..Belongs::default() };
        let check = |action, kind, owner, expected: bool| {
            let what = Resource::Record { kind, id: "X", of: of(owner) };
            assert_eq!(access.decide(action, what).allow, expected, "{action:?} {kind} {owner:?}");
        };
        check(Action::Write, "run", Some("ORG-B"), true);
        check(Action::Write, "run", Some("ORG-A"), false);
        check(Action::Write, "run", None, false);
        check(Action::Read, "run", Some("ORG-B"), false);
        check(Action::Write, "membership", Some("ORG-B"), false);
        check(Action::Write, "user", Some("ORG-B"), false);
        let series = |owner| access.decide(Action::Write, Resource::Series { run: "R", channel: "", of: of(owner) }).allow;
        assert!(series(Some("ORG-B")) && !series(Some("ORG-A")) && !series(None));
        let house = commons_of("HOUSE", "sync");
        let write = |kind| house.decide(Action::Write, Resource::Record { kind, id: "X", of: of(Some("HOUSE")) }).allow;
        assert!(write("agreement") && !write("run") && !write("user") && !write("export-approval"));
    }
}
