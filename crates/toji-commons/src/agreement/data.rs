//! What is shared: data sets, each in one area.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Id, Instant, Text};

/// An area of sharing (共有領域). The codes are those of the field `area` of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Area {
    /// For everyone.
    ///
    /// 公開領域。
    Public,
    /// For members under an agreement, against feedback.
    ///
    /// 協調領域。
    Cooperative,
    /// The owner's own; for others only by a grant.
    ///
    /// 競争領域。
    Competitive,
    /// Computed upon, never read by others.
    ///
    /// クリーンルーム。
    CleanRoom,
}

impl Area {
    /// All areas.
    pub const ALL: [Self; 4] = [Self::Public, Self::Cooperative, Self::Competitive, Self::CleanRoom];

    /// Reads the code a record declares.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|area| area.code() == code)
    }

    /// The code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Cooperative => "cooperative",
            Self::Competitive => "competitive",
            Self::CleanRoom => "clean-room",
        }
    }

    /// How people call it.
    #[must_use]
    pub fn label(self) -> Text {
        match self {
            Self::Public => Text::new("公開領域", "Public"),
            Self::Cooperative => Text::new("協調領域", "Cooperative"),
            Self::Competitive => Text::new("競争領域", "Competitive"),
            Self::CleanRoom => Text::new("クリーンルーム", "Clean room"),
        }
    }
}

/// A data set as the decision knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSet {
    /// Identifier.
    pub id: Id,
    /// Organisation that owns it.
    pub owner: Id,
    /// Area.
    pub area: Area,
    /// Until before when only the owner and early access see it (DUO:0000024).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embargo: Option<Instant>,
    /// Derived from humans.
    #[serde(default)]
    pub human_derived: bool,
}

impl DataSet {
    /// Is it under embargo at this time?
    #[must_use]
    pub fn is_embargoed(&self, now: Instant) -> bool {
        self.embargo.is_some_and(|end| now < end)
    }
}
