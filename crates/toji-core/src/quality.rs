//! Quality of a measured point: status, cause, and who said so. A flag never deletes.

use serde::{Deserialize, Serialize};

/// Is the point usable? (Names follow OPC UA's good / uncertain / bad.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Status {
    /// As measured, nothing known against it.
    #[default]
    Good = 0,
    /// Usable with care.
    Uncertain = 1,
    /// Not usable as a value.
    Bad = 2,
    /// Below the method's detection or reporting limit.
    BelowDetection = 3,
    /// Above the method's range.
    AboveRange = 4,
    /// Replaced by a value that was not measured.
    Substituted = 5,
}

/// Why a point has its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Cause {
    /// Nothing to say.
    #[default]
    None = 0,
    /// Outside what is physically possible for the quantity.
    OutOfPhysicalRange = 1,
    /// The instrument flagged the point itself.
    InstrumentFlag = 2,
    /// The cell held text or was not a number.
    NotANumber = 3,
    /// The device was starting up.
    StartUp = 4,
    /// Sensor stuck at one value.
    Stuck = 5,
    /// Spike against its neighbours.
    Spike = 6,
    /// Drift against a reference.
    Drift = 7,
    /// Sensor replaced, calibrated or re-zeroed.
    SensorChange = 8,
    /// Disturbed by sampling.
    SamplingDisturbance = 9,
    /// Clock of the point is in doubt.
    ClockUncertain = 10,
    /// Unit was assumed.
    UnitAssumed = 11,
    /// Time runs backwards in the source.
    OutOfOrder = 12,
    /// Edited by a person, with a reason in the ledger.
    Edited = 13,
    /// Calibration missing.
    Uncalibrated = 14,
    /// Reported against the method's range.
    Range = 15,
}

/// Author of a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Author {
    /// The source file or instrument.
    #[default]
    Source = 0,
    /// A rule of Toji; the ledger names its version.
    Rule = 1,
    /// A person; the ledger names who and why.
    Person = 2,
}

/// Status, cause and author, packed in 16 bits: `author << 12 | cause << 4 | status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Quality {
    /// Is it usable?
    pub status: Status,
    /// Why?
    #[serde(default)]
    pub cause: Cause,
    /// Who says so?
    #[serde(default)]
    pub author: Author,
}

const STATUSES: [Status; 6] =
    [Status::Good, Status::Uncertain, Status::Bad, Status::BelowDetection, Status::AboveRange, Status::Substituted];
const CAUSES: [Cause; 16] = [
    Cause::None,
    Cause::OutOfPhysicalRange,
    Cause::InstrumentFlag,
    Cause::NotANumber,
    Cause::StartUp,
    Cause::Stuck,
    Cause::Spike,
    Cause::Drift,
    Cause::SensorChange,
    Cause::SamplingDisturbance,
    Cause::ClockUncertain,
    Cause::UnitAssumed,
    Cause::OutOfOrder,
    Cause::Edited,
    Cause::Uncalibrated,
    Cause::Range,
];
const AUTHORS: [Author; 3] = [Author::Source, Author::Rule, Author::Person];

impl Quality {
    /// Good, nothing to say.
    pub const GOOD: Self = Self { status: Status::Good, cause: Cause::None, author: Author::Source };

    /// A flag set by the source.
    #[must_use]
    pub const fn source(status: Status, cause: Cause) -> Self {
        Self { status, cause, author: Author::Source }
    }
    /// A flag set by a rule.
    #[must_use]
    pub const fn rule(status: Status, cause: Cause) -> Self {
        Self { status, cause, author: Author::Rule }
    }
    /// 16 bits for storage; good is 0.
    #[must_use]
    pub const fn pack(self) -> u16 {
        (self.author as u16) << 12 | (self.cause as u16) << 4 | self.status as u16
    }
    /// From storage; `None` for bits no version of Toji wrote.
    #[must_use]
    pub fn unpack(bits: u16) -> Option<Self> {
        Some(Self {
            status: *STATUSES.get(usize::from(bits & 0xf))?,
            cause: *CAUSES.get(usize::from(bits >> 4 & 0xff))?,
            author: *AUTHORS.get(usize::from(bits >> 12))?,
        })
    }
    /// Is the status good?
    #[must_use]
    pub fn is_good(self) -> bool {
        self.status == Status::Good
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_survives_packing() {
        for status in STATUSES {
            for cause in CAUSES {
                for author in AUTHORS {
                    let quality = Quality { status, cause, author };
                    assert_eq!(Quality::unpack(quality.pack()), Some(quality));
                }
            }
        }
        assert_eq!(Quality::GOOD.pack(), 0);
        assert_eq!(Quality::unpack(0xffff), None);
    }
}
