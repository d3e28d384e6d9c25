//! Our clock, the one place where this crate reads it, and the source's times in the forms they are sent.

use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};
use toji_core::clock::{DateOrder, Instant, WallClock, Zone};
use toji_core::decimal::Decimal;

/// Now by our clock, nanoseconds since 1970-01-01T00:00Z; 0 before, the last instant after 2262.
#[must_use]
pub fn now_ns() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX))
}

/// How a source writes its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeFormat {
    /// A date and a time of day as text: RFC 3339, or any clock text with the zone the configuration names.
    #[default]
    Clock,
    /// Seconds since 1970-01-01T00:00Z, with or without a fraction.
    UnixS,
    /// Milliseconds.
    UnixMs,
    /// Microseconds.
    UnixUs,
    /// Nanoseconds.
    UnixNs,
}

impl TimeFormat {
    /// The instant a text means, nanoseconds since 1970-01-01T00:00Z; digits past nanoseconds are cut.
    /// `None` when it is no time, or a wall time while no zone is known.
    #[must_use]
    pub fn read(self, text: &str, zone: Option<&Zone>) -> Option<i64> {
        let power = match self {
            Self::Clock => {
                if let Ok(instant) = Instant::parse(text) {
                    return Some(instant.0);
                }
                let wall = WallClock::parse(text, DateOrder::default())?;
                return match (zone, wall.offset) {
                    (Some(zone), _) => wall.in_zone(zone, text).ok().map(|t| t.instant.0),
                    (None, Some(_)) => wall.in_zone(&Zone::assumed(), text).ok().map(|t| t.instant.0),
                    (None, None) => None,
                };
            }
            Self::UnixS => 9,
            Self::UnixMs => 6,
            Self::UnixUs => 3,
            Self::UnixNs => 0,
        };
        let ns = Decimal::parse(text.trim())?.shift(power);
        if ns.scale <= 0 {
            return ns.at_scale(0);
        }
        let tens = 10i128.checked_pow(u32::try_from(ns.scale).ok()?)?;
        i64::try_from(ns.mantissa / tens).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_exactly() {
        let tokyo = Zone::named("Asia/Tokyo", toji_core::clock::ZoneEvidence::SiteDefault).unwrap();
        let check = |format: TimeFormat, text: &str, zone: Option<&Zone>, ns: Option<i64>| {
            assert_eq!(format.read(text, zone), ns, "{text}");
        };
        check(TimeFormat::Clock, "2026-11-24T00:00:00.5Z", None, Some(1_795_478_400_500_000_000));
        check(TimeFormat::Clock, "2026-11-24T09:00:00", Some(&tokyo), Some(1_795_478_400_000_000_000));
        check(TimeFormat::Clock, "2026-11-24T09:00:00", None, None);
        check(TimeFormat::UnixS, "1795478400.25", None, Some(1_795_478_400_250_000_000));
        check(TimeFormat::UnixS, "1.7954784e9", None, Some(1_795_478_400_000_000_000));
        check(TimeFormat::UnixMs, "1795478400001", None, Some(1_795_478_400_001_000_000));
        check(TimeFormat::UnixNs, "1795478400000000001", None, Some(1_795_478_400_000_000_001));
        check(TimeFormat::UnixS, "1795478400.12345678999", None, Some(1_795_478_400_123_456_789));
        check(TimeFormat::UnixMs, "soon", None, None);
        check(TimeFormat::UnixS, "1e300", None, None);
    }
}
