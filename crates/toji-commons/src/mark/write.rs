//! The marking side: the order, the labels and the quotes of one copy.

use super::csv::{may_be_quoted, write_csv};
use super::key::MarkKey;
use super::{LABEL_COLUMN, csv};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use toji_core::{Digest, Id};
use unicode_normalization::UnicodeNormalization as _;

/// Most columns that tell rows apart.
const IDENTITY_MAX: usize = 6;
/// How many rows a trail keeps a sample of.
pub(super) const SAMPLE: usize = 256;

/// What is kept of a copy, to read its mark back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    /// The copy.
    pub copy: Id,
    /// Names of the columns that tell its rows apart.
    pub identity: Vec<String>,
    /// How many rows it had.
    pub rows: usize,
    /// The lowest keyed hashes of what tells its rows apart, in order: all of them when there are few.
    pub sample: Vec<u64>,
}

/// A table as one copy of it stands.
#[derive(Debug, Clone)]
pub struct Marked {
    /// What is kept of it.
    pub trail: Trail,
    /// For each row of the copy, which row of the table it is.
    pub order: Vec<usize>,
    /// For each row of the copy, its label.
    pub labels: Vec<String>,
    /// For each row of the copy, the secret its quotes come from.
    secrets: Vec<RowSecret>,
}

/// Marks a copy of a table. Rows of one band follow each other and may change places; rows of different bands may not
/// (`bands` ascends; all the same where rows have no order).
#[must_use]
pub fn mark(key: &MarkKey, copy: &Id, header: &[String], rows: &[Vec<String>], bands: &[i64]) -> Marked {
    let columns = telling_apart(header, rows);
    let copy_key = CopyKey::new(key, copy);
    let bases: Vec<[u8; 32]> = rows.iter().map(|row| base(key, columns.iter().map(|c| text_of(row, *c)))).collect();
    let secrets: Vec<RowSecret> = bases.iter().map(|base| copy_key.row(base)).collect();
    let band = |i: usize| bands.get(i).copied().unwrap_or_default();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    // Stable: rows that say the same stay as they stood.
    order.sort_by_key(|i| (band(*i), secrets.get(*i).map(RowSecret::rank)));
    let labels = order.iter().map(|i| secrets.get(*i).map_or_else(String::new, |s| s.label(copy))).collect();
    let mut sample: Vec<u64> = bases.iter().map(held).collect();
    sample.sort_unstable();
    sample.dedup();
    sample.truncate(SAMPLE);
    let identity = columns.iter().filter_map(|c| header.get(*c).cloned()).collect();
    let secrets = order.iter().filter_map(|i| secrets.get(*i).cloned()).collect();
    Marked { trail: Trail { copy: copy.clone(), identity, rows: rows.len(), sample }, order, labels, secrets }
}

impl Marked {
    /// The rows in the order of the copy, each with its label at the end, and the header with that column.
    #[must_use]
    pub fn arrange(&self, header: &[String], rows: &[Vec<String>]) -> (Vec<String>, Vec<Vec<String>>) {
        let header = header.iter().cloned().chain([LABEL_COLUMN.to_owned()]).collect();
        let labelled = |(i, label): (&usize, &String)| {
            let row = rows.get(*i).map(Vec::as_slice).unwrap_or_default();
            row.iter().cloned().chain([label.clone()]).collect()
        };
        (header, self.order.iter().zip(&self.labels).map(labelled).collect())
    }

    /// The copy as CSV, of what [`Marked::arrange`] gave.
    #[must_use]
    pub fn csv(&self, header: &[String], rows: &[Vec<String>]) -> Vec<u8> {
        let is_label = |text: &str| text.starts_with(self.trail.copy.as_str());
        write_csv(header, rows, |r, text| !is_label(text) && self.secrets.get(r).is_some_and(|s| s.quotes(text)))
    }
}

/// What a copy makes of a key.
pub(super) struct CopyKey([u8; 32]);

impl CopyKey {
    pub(super) fn new(key: &MarkKey, copy: &Id) -> Self {
        Self(key.mac("copy", copy.as_str().as_bytes()))
    }

    /// The secret of a row: both parts have a fixed length, so the hash is a keyed one.
    pub(super) fn row(&self, base: &[u8; 32]) -> RowSecret {
        RowSecret(*Digest::of_parts(&[&self.0, base]).bytes())
    }
}

/// The secret of one row of one copy: its rank, its tag, and what its quotes come from.
#[derive(Debug, Clone)]
pub(super) struct RowSecret([u8; 32]);

impl RowSecret {
    /// Where it stands among rows without an order.
    pub(super) fn rank(&self) -> u64 {
        self.0.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }

    /// Label of the row, as anybody sees it.
    pub(super) fn label(&self, copy: &Id) -> String {
        let tag = self.0.get(8..12).and_then(<[u8]>::first_chunk::<4>).map_or(0, |bytes| u32::from_be_bytes(*bytes));
        format!("{copy}.{tag:08x}")
    }

    /// Does a text cell of the row stand in quotes?
    pub(super) fn quotes(&self, text: &str) -> bool {
        let secret = self.0.get(12..).unwrap_or_default();
        Digest::of_parts(&[secret, text.trim().as_bytes()]).bytes()[0] & 1 == 1
    }
}

/// What tells a row apart, under the key alone: equal in every copy that holds the row.
pub(super) fn base<'a>(key: &MarkKey, cells: impl Iterator<Item = &'a str>) -> [u8; 32] {
    let mut content = Vec::new();
    for cell in cells {
        let text = plain(cell);
        content.extend((text.len() as u64).to_le_bytes());
        content.extend(text.as_bytes());
    }
    key.mac("row", &content)
}

/// A number that JSON holds exactly: 52 bits.
pub(super) fn held(base: &[u8; 32]) -> u64 {
    base.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes) >> 12)
}

pub(super) fn text_of(row: &[String], column: usize) -> &str {
    row.get(column).map_or("", String::as_str)
}

/// A cell without what retyping changes: numbers by their value, texts by their compatible letters.
fn plain(cell: &str) -> String {
    let text: String = cell.trim().nfkc().collect();
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => format!("{:e}", number + 0.0),
        _ => text,
    }
}

/// The few columns that tell most rows apart, those further left first.
fn telling_apart(header: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let mut chosen: Vec<usize> = Vec::new();
    let (mut classes, mut distinct) = (vec![0_usize; rows.len()], usize::from(!rows.is_empty()));
    while distinct < rows.len() && chosen.len() < IDENTITY_MAX {
        let split = |column: usize| -> (Vec<usize>, usize) {
            let mut known: HashMap<(usize, &str), usize> = HashMap::new();
            let classes = rows.iter().zip(&classes).map(|(row, class)| {
                let next = known.len();
                *known.entry((*class, text_of(row, column))).or_insert(next)
            });
            (classes.collect(), known.len())
        };
        let mut best: Option<(usize, Vec<usize>, usize)> = None;
        for column in (0..header.len()).filter(|c| !chosen.contains(c)) {
            let (into, count) = split(column);
            if count > best.as_ref().map_or(distinct, |(_, _, most)| *most) {
                best = Some((column, into, count));
            }
        }
        let Some((column, into, count)) = best else { break };
        chosen.push(column);
        (classes, distinct) = (into, count);
    }
    if chosen.is_empty() && !header.is_empty() {
        chosen.push(0);
    }
    chosen
}

/// Text cells that may carry a quote, without the label.
pub(super) fn quotable(cell: &csv::Cell) -> bool {
    may_be_quoted(&cell.text)
}
