//! What must hold before a data set is valued.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Category, Error, Id, Place, Result, Text};

/// Most comparisons of rows.
const COMPARISONS_MAX: usize = 200_000_000;

/// What was judged elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quality {
    /// Its schema is that which was agreed on.
    pub schema: bool,
    /// Every number has a unit that converts.
    pub units: bool,
    /// Replicates agree within what was agreed on.
    pub replicates: bool,
}

/// A row, with features on comparable scales.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Features.
    pub features: Vec<f64>,
    /// What was measured, or a class.
    pub response: f64,
}

/// A data set, in the order in which they were given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deposit {
    /// Data set.
    pub data_set: Id,
    /// Whose.
    pub member: Id,
    /// What was judged.
    pub quality: Quality,
    /// Rows.
    pub rows: Vec<Row>,
}

/// How near is a repeat.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// Euclidean distance of features up to which rows are near.
    pub near: f64,
    /// Difference of responses up to which near rows are repeats.
    pub same: f64,
    /// Least share of rows that are no repeats.
    pub novel_min: f64,
}

/// The judgement on a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// Data set.
    pub data_set: Id,
    /// Whose.
    pub member: Id,
    /// Is it valued?
    pub accepted: bool,
    /// Why not.
    pub reasons: Vec<Text>,
    /// Rows that nearly repeat an earlier row of another member.
    pub repeats: Vec<usize>,
}

/// Judges data sets in the order in which they were given: a repeat is always the later one, of a row that counts. A
/// member's own rows are its replicates and no repeats.
///
/// # Errors
/// Rows with features of several lengths or without numbers, or too many to compare.
pub fn gate(gate: &Gate, deposits: &[Deposit]) -> Result<Vec<Verdict>> {
    check(deposits)?;
    let mut verdicts = Vec::new();
    // Rows that count, with whose they are.
    let mut counted: Vec<(&Id, &Row)> = Vec::new();
    for deposit in deposits {
        let Quality { schema, units, replicates } = deposit.quality;
        let mut reasons = Vec::new();
        let mut want = |fine: bool, ja: &str, en: &str| {
            if !fine {
                reasons.push(Text::new(ja, en));
            }
        };
        want(schema, "取り決めた形式と違います", "its schema is not the one agreed on");
        want(units, "換算できない単位の値があります", "some numbers have no unit that converts");
        want(replicates, "反復の一致が不十分です", "its replicates do not agree");
        let known = |row: &Row| counted.iter().any(|(member, other)| **member != deposit.member && repeated(gate, other, row));
        let repeats: Vec<usize> = (0..deposit.rows.len()).filter(|&i| known(&deposit.rows[i])).collect();
        let novel = 1.0 - repeats.len() as f64 / deposit.rows.len().max(1) as f64;
        want(!deposit.rows.is_empty(), "行がありません", "it has no rows");
        want(novel >= gate.novel_min, "ほとんどが先の提供の重複です", "most of it repeats what was given before");
        if reasons.is_empty() {
            let fresh = deposit.rows.iter().enumerate().filter(|(i, _)| repeats.binary_search(i).is_err());
            counted.extend(fresh.map(|(_, row)| (&deposit.member, row)));
        }
        let (data_set, member) = (deposit.data_set.clone(), deposit.member.clone());
        verdicts.push(Verdict { data_set, member, accepted: reasons.is_empty(), reasons, repeats });
    }
    Ok(verdicts)
}

fn repeated(gate: &Gate, a: &Row, b: &Row) -> bool {
    let square: f64 = a.features.iter().zip(&b.features).map(|(x, y)| (x - y) * (x - y)).sum();
    square <= gate.near * gate.near && (a.response - b.response).abs() <= gate.same
}

fn check(deposits: &[Deposit]) -> Result<()> {
    let rows = || deposits.iter().flat_map(|d| &d.rows);
    let length = rows().next().map_or(0, |row| row.features.len());
    let fine = |row: &Row| row.features.len() == length && row.response.is_finite() && row.features.iter().all(|f| f.is_finite());
    if !rows().all(fine) {
        return Err(Error::input(
            "E-WORTH-001",
            "特徴の数がそろわないか、数でない値があります",
            "features of several lengths, or values that are no numbers",
        )
        .at(Place::field("rows"))
        .hint(
            "全データセットで同じ特徴を使い、欠測を除いてください",
            "use the same features in all data sets, and leave out what is missing",
        ));
    }
    let n = rows().count();
    if n.saturating_mul(n) / 2 > COMPARISONS_MAX {
        return Err(Error::new(
            Category::Limit,
            "E-WORTH-002",
            format!("行が多すぎて比較できません({n} 行)"),
            format!("too many rows to compare ({n})"),
        )
        .at(Place::field("rows"))
        .hint("20,000 行以下に抽出してください", "draw at most 20,000 of them"));
    }
    Ok(())
}
