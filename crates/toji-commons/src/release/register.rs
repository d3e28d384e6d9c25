//! All releases so far: what judges the next one.

use super::cell::Cell;
use super::guard;
use super::rule::{Clause, Field, Refusal, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use toji_core::unit::Quantity;
use toji_core::{Category, Error, Id, Instant, Place, Result, Text};

/// A released total.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Published {
    /// The total, rounded.
    pub total: Quantity,
    /// Significant digits it was rounded to.
    pub digits: u32,
    /// Contributors.
    pub contributors: usize,
    /// Version of the rule.
    pub rule: String,
}

/// The answer to a question that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// At least so many.
    AtLeast {
        /// Count, rounded down to the base of the rule.
        count: u64,
    },
    /// None, few, or a count that would tell too much: which of these is not said.
    Withheld {
        /// Why.
        reason: Text,
    },
}

/// What was released, by table.
#[derive(Debug, Clone, Default)]
pub struct Register {
    rule: Rule,
    released: BTreeMap<Id, Vec<Cell>>,
}

impl Register {
    /// An empty register under a rule.
    #[must_use]
    pub fn new(rule: Rule) -> Self {
        Self { rule, released: BTreeMap::new() }
    }

    /// The rule.
    #[must_use]
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// How many cells of a table were released.
    #[must_use]
    pub fn released(&self, table: &Id) -> usize {
        self.released.get(table).map_or(0, Vec::len)
    }

    /// May this cell be released at this time? Changes nothing.
    ///
    /// # Errors
    /// The cell makes no sense to the rules: a negative value, a source twice, or a source whose value or
    /// member differs from an earlier release. A refusal is no error but an answer.
    pub fn judge(&self, cell: &Cell, now: Instant) -> Result<std::result::Result<Published, Refusal>> {
        cell.check()?;
        self.known_sources(cell)?;
        Ok(match self.first_broken(cell, now) {
            Some(clause) => Err(self.rule.refuse(clause)),
            None => Ok(Published {
                total: Quantity::new(self.rounded(cell), cell.unit.clone()),
                digits: self.rule.digits,
                contributors: cell.by_member().len(),
                rule: self.rule.version.clone(),
            }),
        })
    }

    /// Releases a cell and remembers it.
    ///
    /// # Errors
    /// As [`Register::judge`].
    pub fn release(&mut self, cell: Cell, now: Instant) -> Result<std::result::Result<Published, Refusal>> {
        let judged = self.judge(&cell, now)?;
        if judged.is_ok() {
            self.remember(cell);
        }
        Ok(judged)
    }

    /// Answers how many there are, each source counting by its value: rounded down, or withheld without
    /// saying whether there is none, few, or more than may be told.
    ///
    /// # Errors
    /// As [`Register::judge`].
    pub fn count(&mut self, cell: Cell, now: Instant) -> Result<Answer> {
        if self.judge(&cell, now)?.is_err() {
            let n = self.rule.contributors_min;
            return Ok(Answer::Withheld {
                reason: Text::new(
                    format!("お答えできません: 該当が {n} 者に満たないか、個社の数が推定されうるためです(R1〜R10)"),
                    format!("not told: fewer than {n} members have any, or one member's count could be estimated (R1 to R10)"),
                ),
            });
        }
        let total: i128 = cell.by_member().values().sum();
        let base = i128::from(self.rule.count_base.max(1));
        let count = u64::try_from(total / base * base).map_err(|e| Error::bug("E-RELEASE-004", e))?;
        self.remember(cell);
        Ok(Answer::AtLeast { count })
    }

    /// Takes in a cell that was released before, without judging it: how a register is made again from what was kept.
    pub fn remember(&mut self, cell: Cell) {
        let sources = |cell: &Cell| cell.contributions.iter().map(|c| c.source.clone()).collect::<BTreeSet<Id>>();
        let known = self.released.entry(cell.table.clone()).or_default();
        // The same sources again are the same answer, not a further one.
        let of_new = sources(&cell);
        if !known.iter().any(|k| sources(k) == of_new) {
            known.push(cell);
        }
    }

    fn first_broken(&self, cell: &Cell, now: Instant) -> Option<Clause> {
        let young = || cell.newest().is_some_and(|at| at.plus_ns(self.rule.age_ns_min()).is_none_or(|old| old > now));
        match cell.field {
            Field::Never => return Some(Clause::NeverList),
            Field::Aged if young() => return Some(Clause::Age),
            Field::Aged | Field::Process => {}
        }
        let shares: Vec<i128> = cell.by_member().into_values().collect();
        self.rule.concentration(&shares).or_else(|| guard::judge(&self.rule, &self.connected(cell)))
    }

    /// The cell with all earlier ones that share a source with it, directly or through others.
    fn connected<'a>(&'a self, cell: &'a Cell) -> Vec<&'a Cell> {
        let mut chosen = vec![cell];
        let mut rest: Vec<&Cell> = self.released.get(&cell.table).into_iter().flatten().collect();
        let mut sources: BTreeSet<&Id> = cell.contributions.iter().map(|c| &c.source).collect();
        loop {
            let (near, far): (Vec<&Cell>, Vec<&Cell>) =
                rest.into_iter().partition(|r| r.contributions.iter().any(|c| sources.contains(&c.source)));
            if near.is_empty() {
                return chosen;
            }
            sources.extend(near.iter().flat_map(|r| &r.contributions).map(|c| &c.source));
            chosen.extend(near);
            rest = far;
        }
    }

    /// A source means the same in all releases of a table.
    fn known_sources(&self, cell: &Cell) -> Result<()> {
        let earlier = self.released.get(&cell.table).into_iter().flatten();
        let known: BTreeMap<&Id, (&Id, i64)> =
            earlier.flat_map(|c| &c.contributions).map(|c| (&c.source, (&c.member, c.value))).collect();
        for c in &cell.contributions {
            if known.get(&c.source).is_some_and(|seen| *seen != (&c.member, c.value)) {
                return Err(Error::new(
                    Category::Conflict,
                    "E-RELEASE-003",
                    format!("「{}」は以前の公表と値または提供者が違います", c.source),
                    format!("\"{}\" has another value or member than in an earlier release", c.source),
                )
                .at(Place::field("source"))
                .hint(
                    "訂正した値には版の付いた別の識別子を使ってください",
                    "give the corrected source an identifier with its version",
                ));
            }
        }
        Ok(())
    }

    /// The total to the digits of the rule, halves up.
    fn rounded(&self, cell: &Cell) -> f64 {
        let total: i128 = cell.by_member().values().sum();
        let digits = total.max(1).ilog10() + 1;
        let base = 10i128.pow(digits.saturating_sub(self.rule.digits.max(1)));
        let rounded = (total + base / 2) / base * base;
        // At most three or so digits before zeros: exact in binary up to the division.
        rounded as f64 / 10f64.powi(i32::try_from(cell.decimals).unwrap_or(0))
    }
}
