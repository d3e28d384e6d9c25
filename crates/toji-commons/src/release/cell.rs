//! One figure that may be released: who contributes what to it.

use super::rule::Field;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use toji_core::{Error, Id, Instant, Place, Result, Unit};

/// Largest contribution, in the smallest unit of its cell.
pub const VALUE_MAX: i64 = 1_000_000_000_000_000;
/// Most contributions of a cell.
const CONTRIBUTIONS_MAX: usize = 100_000;

/// What one source (a run, a batch, a month) of one member gives to a total.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contribution {
    /// The source, with its version: the same source corrected is another one. One source may enter several
    /// cells and is known by this name in all of them.
    pub source: Id,
    /// Member.
    pub member: Id,
    /// Value in the smallest unit of the cell, not negative.
    pub value: i64,
    /// When it was measured.
    pub at: Instant,
}

/// A total that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Table: all cells that measure the same thing. Sources are compared within one table.
    pub table: Id,
    /// What kind of field it is.
    pub field: Field,
    /// Unit.
    pub unit: Unit,
    /// Decimals: a value of 1234 with 2 decimals is 12.34 of the unit.
    pub decimals: u32,
    /// Who gives what.
    pub contributions: Vec<Contribution>,
}

impl Cell {
    /// What the rules need to make sense: no negative value, no source twice, limits.
    pub(super) fn check(&self) -> Result<()> {
        let fault = |field: &str, ja: String, en: String| Error::input("E-RELEASE-002", ja, en).at(Place::field(field));
        if self.contributions.len() > CONTRIBUTIONS_MAX || self.decimals > 15 {
            return Err(fault(
                "contributions",
                format!("提供は {CONTRIBUTIONS_MAX} 件、小数は 15 桁までです"),
                format!("at most {CONTRIBUTIONS_MAX} contributions and 15 decimals"),
            )
            .hint("区分を分けて求めてください", "split the cell"));
        }
        let mut seen = BTreeSet::new();
        for Contribution { source, value, .. } in &self.contributions {
            if !(0..=VALUE_MAX).contains(value) {
                return Err(fault(
                    "value",
                    format!("「{source}」の値 {value} は 0 から {VALUE_MAX} の範囲にありません"),
                    format!("value {value} of \"{source}\" is not within 0 to {VALUE_MAX}"),
                )
                .hint(
                    "占有規則と p % 規則は負でない値にしか意味を持ちません。基準からの差などは集計しないでください",
                    "dominance and p % rules mean something for non-negative values only; do not total differences",
                ));
            }
            if !seen.insert(source) {
                return Err(fault("source", format!("「{source}」が二度入っています"), format!("\"{source}\" is in it twice"))
                    .hint("同じ出所は一度だけ入れてください", "give each source once"));
            }
        }
        Ok(())
    }

    /// What each member gives.
    pub(crate) fn by_member(&self) -> BTreeMap<&Id, i128> {
        let mut sums = BTreeMap::new();
        for contribution in &self.contributions {
            *sums.entry(&contribution.member).or_insert(0) += i128::from(contribution.value);
        }
        sums
    }

    /// The newest source.
    pub(crate) fn newest(&self) -> Option<Instant> {
        self.contributions.iter().map(|c| c.at).max()
    }
}
