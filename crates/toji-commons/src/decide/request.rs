//! What is asked.

use crate::agreement::Purpose;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Id, Instant, Text};

/// What somebody wants to do with a data set: from seeing that it exists to taking it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// See that it exists and what it is.
    Describe,
    /// Compute upon it; only checked results leave.
    Compute,
    /// Read rows.
    Read,
    /// Train a model.
    Train,
    /// Take rows out of the platform.
    Export,
    /// Add or correct.
    Write,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 6] = [Self::Describe, Self::Compute, Self::Read, Self::Train, Self::Export, Self::Write];

    /// How people call it.
    #[must_use]
    pub fn label(self) -> Text {
        match self {
            Self::Describe => Text::new("概要の閲覧", "describe"),
            Self::Compute => Text::new("計算", "compute"),
            Self::Read => Text::new("閲覧", "read"),
            Self::Train => Text::new("学習", "train"),
            Self::Export => Text::new("持出し", "export"),
            Self::Write => Text::new("記入・訂正", "write"),
        }
    }
}

impl From<toji_core::Action> for Action {
    fn from(action: toji_core::Action) -> Self {
        match action {
            toji_core::Action::Read => Self::Read,
            toji_core::Action::Export => Self::Export,
            toji_core::Action::Write => Self::Write,
            toji_core::Action::Train => Self::Train,
            toji_core::Action::Compute => Self::Compute,
        }
    }
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// Who asks, by pseudonym; a name that is not known asks as the public.
    pub who: &'a Id,
    /// What they want to do.
    pub action: Action,
    /// With which data set.
    pub data_set: &'a Id,
    /// What for.
    pub purpose: Purpose,
    /// When.
    pub now: Instant,
}
