//! A total over members, measured for the rule of release.

use super::words::code;
use crate::release::{Cell, Field};
use serde_json::{Value, json};
use toji_core::{Id, Instant};

/// Nanoseconds of a day.
const DAY_NS: i128 = 86_400_000_000_000;

/// What the rule of release asks of a total, in whole per cent and whole days, each rounded to the side that refuses:
/// against a whole limit this decides as the exact fractions do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// What kind of field it is.
    pub field: Field,
    /// Age of the newest figure in days, rounded down; 0 without figures.
    pub age_days: i64,
    /// Contributors.
    pub contributors: i64,
    /// The largest contributor, in % of the total, rounded up.
    pub top_share_percent: i64,
    /// The two largest, in % of the total, rounded up.
    pub top_two_percent: i64,
    /// By how much the second largest misses the largest, in % of the largest, rounded down; 0 for a total of nothing.
    pub nearness_percent: i64,
    /// R7 to R10 hold over all earlier releases.
    pub guarded: bool,
}

impl Total {
    /// Measures a cell; whether it is `guarded`, the register of releases says.
    #[must_use]
    pub fn measure(cell: &Cell, now: Instant, guarded: bool) -> Self {
        let mut shares: Vec<i128> = cell.by_member().into_values().collect();
        shares.sort_unstable_by(|a, b| b.cmp(a));
        let (total, largest) = (shares.iter().sum::<i128>(), shares.first().copied().unwrap_or(0));
        let second = shares.get(1).copied().unwrap_or(0);
        let up = |part: i128| if total == 0 { 0 } else { (100 * part + total - 1).div_euclid(total) };
        let nearness = if largest == 0 { 0 } else { (100 * (total - largest - second)).div_euclid(largest) };
        let age = cell.newest().map_or(0, |at| (i128::from(now.0) - i128::from(at.0)).div_euclid(DAY_NS));
        let whole = |n: i128| i64::try_from(n).unwrap_or(i64::MAX);
        Self {
            field: cell.field,
            age_days: whole(age),
            contributors: i64::try_from(shares.len()).unwrap_or(i64::MAX),
            top_share_percent: whole(up(largest)),
            top_two_percent: whole(up(largest + second)),
            nearness_percent: whole(nearness),
            guarded,
        }
    }

    /// The question whether somebody who is not known may see it, as `cedar authorize --request-json` takes it.
    #[must_use]
    pub fn question(&self, who: &Id, table: &Id, now: Instant) -> Value {
        json!({
            "principal": super::words::entity("Stranger", who.as_str()),
            "action": "Action::\"release\"",
            "resource": super::words::entity("Table", table.as_str()),
            "context": {
                "now": now.0,
                "field": {"__entity": {"type": "Field", "id": code(self.field)}},
                "ageDays": self.age_days,
                "contributors": self.contributors,
                "topSharePercent": self.top_share_percent,
                "topTwoPercent": self.top_two_percent,
                "nearnessPercent": self.nearness_percent,
                "guarded": self.guarded,
            },
        })
    }
}
