//! The one gate: every read of a record, a series or a blob asks it first.
//!
//! The store calls [`Gate::decide`]; who answers (the single owner here, agreements of a consortium
//! later) plugs in without touching a caller.

use crate::text::Text;
use std::fmt;
use std::sync::Arc;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    /// Pseudonymous identifier.
    pub id: String,
    /// Organisation, when the person acts for one.
    pub organisation: Option<String>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// See one thing or search it.
    Read,
    /// Take data out of the store.
    Export,
    /// Add or correct.
    Write,
    /// Use for training a model.
    Train,
    /// Compute upon it without seeing it: only checked results leave.
    Compute,
}

/// To whom and to what a thing belongs, as the store knows it; the gate judges by this and not by names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Belongs<'a> {
    /// Area of sharing it declares, itself or by its run.
    pub area: Option<&'a str>,
    /// Organisation of whoever entered it; none in a single user's store and for what was there before it was shared.
    pub owner: Option<&'a str>,
    /// Run it is part of.
    pub run: Option<&'a str>,
}

/// The thing asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource<'a> {
    /// A record of a kind.
    Record {
        /// Kind, e.g. `run`.
        kind: &'a str,
        /// Identifier.
        id: &'a str,
        /// To whom and to what it belongs.
        of: Belongs<'a>,
    },
    /// The series of a run.
    Series {
        /// Run.
        run: &'a str,
        /// Channel; empty for all of them.
        channel: &'a str,
        /// To whom and to what the run belongs.
        of: Belongs<'a>,
    },
    /// A blob by address.
    Blob {
        /// `sha256:…`.
        address: &'a str,
    },
    /// The ledger and catalogue as a whole: who read what, sizes, maintenance.
    Store,
    /// A question over many kinds at once, each answer of which is judged by itself.
    Question,
}

/// The answer with its reason; the reason is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Yes or no.
    pub allow: bool,
    /// Why.
    pub reason: Text,
    /// What the asker can do about a no, when the gate knows better than to name the owner.
    pub remedy: Option<Text>,
}

impl Decision {
    /// Yes, for this reason.
    #[must_use]
    pub fn yes(reason: Text) -> Self {
        Self { allow: true, reason, remedy: None }
    }
    /// No, for this reason.
    #[must_use]
    pub fn no(reason: Text) -> Self {
        Self { allow: false, reason, remedy: None }
    }
}

/// Answers access questions. Must be deterministic for equal inputs.
pub trait Gate: Send + Sync + fmt::Debug {
    /// May `who` do `action` on `what`?
    fn decide(&self, who: &Principal, action: Action, what: Resource<'_>) -> Decision;

    /// May `who` read everything there is? A yes spares asking about every record when only counting;
    /// a gate that answers yes here must also say yes to each single question.
    fn sees_all(&self, _who: &Principal) -> bool {
        false
    }

    /// Does the answer about records of a kind rest on their names? A gate that says no here must answer alike about all
    /// records of the kind that belong to the same, and is then asked once for all of them.
    fn goes_by_name(&self, _kind: &str) -> bool {
        true
    }
}

/// The single-user default: the owner of an embedded store sees all.
#[derive(Debug, Default)]
pub struct OwnerGate;

impl Gate for OwnerGate {
    fn decide(&self, _who: &Principal, _action: Action, _what: Resource<'_>) -> Decision {
        Decision::yes(Text::new("単独利用: 所有者はすべて閲覧可", "single user: the owner sees all"))
    }
    fn sees_all(&self, _who: &Principal) -> bool {
        true
    }
    fn goes_by_name(&self, _kind: &str) -> bool {
        false
    }
}

/// A principal together with the gate that judges them: what every store read takes.
#[derive(Debug, Clone)]
pub struct Access {
    /// Who asks.
    pub who: Principal,
    /// Who answers.
    pub gate: Arc<dyn Gate>,
}

impl Access {
    /// The owner of an embedded store.
    #[must_use]
    pub fn owner() -> Self {
        Self { who: Principal { id: "owner".into(), organisation: None }, gate: Arc::new(OwnerGate) }
    }
    /// Asks the gate.
    #[must_use]
    pub fn decide(&self, action: Action, what: Resource<'_>) -> Decision {
        self.gate.decide(&self.who, action, what)
    }
    /// May they read everything?
    #[must_use]
    pub fn sees_all(&self) -> bool {
        self.gate.sees_all(&self.who)
    }
}
