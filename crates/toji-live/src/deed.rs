//! What an instrument is told beside set-points: the few deeds that protocols and configurations name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::Text;

/// Something an instrument does when it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// Add the inoculum: the culture begins.
    Inoculate,
    /// Switch the feed on.
    FeedOn,
    /// Switch the feed off.
    FeedOff,
    /// Let the oxygen cascade drive stirrer, gas and oxygen.
    CascadeOn,
    /// Let the stirrer keep its set-point.
    CascadeOff,
    /// End the culture.
    Stop,
}

impl Deed {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Inoculate, Self::FeedOn, Self::FeedOff, Self::CascadeOn, Self::CascadeOff, Self::Stop];

    /// Code, as protocols and configurations write it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Inoculate => "inoculate",
            Self::FeedOn => "feed-on",
            Self::FeedOff => "feed-off",
            Self::CascadeOn => "cascade-on",
            Self::CascadeOff => "cascade-off",
            Self::Stop => "stop",
        }
    }

    /// The deed of a code.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|deed| deed.code() == code)
    }

    /// Everyday words.
    #[must_use]
    pub fn label(self) -> Text {
        let (ja, en) = match self {
            Self::Inoculate => ("植菌", "inoculation"),
            Self::FeedOn => ("流加 入", "feed on"),
            Self::FeedOff => ("流加 切", "feed off"),
            Self::CascadeOn => ("DO カスケード 入", "oxygen cascade on"),
            Self::CascadeOff => ("DO カスケード 切", "oxygen cascade off"),
            Self::Stop => ("培養終了", "end of the culture"),
        };
        Text::new(ja, en)
    }

    /// Sort of the event that records it.
    #[must_use]
    pub const fn event_sort(self) -> &'static str {
        match self {
            Self::Inoculate => "inoculation",
            Self::FeedOn | Self::FeedOff => "step",
            Self::CascadeOn | Self::CascadeOff => "setpoint",
            Self::Stop => "stop",
        }
    }
}
