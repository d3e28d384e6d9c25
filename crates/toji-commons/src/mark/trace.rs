//! The reading side: which copies a table agrees with more than chance allows.

use super::LABEL_COLUMN;
use super::chance::{ln_choose, ln_coins};
use super::csv::Plain;
use super::key::MarkKey;
use super::write::{CopyKey, RowSecret, SAMPLE, Trail, base, held, quotable};
use std::collections::{HashMap, HashSet};
use std::f64::consts::{LN_2, LN_10};
use toji_core::Id;

/// A copy is named when a table that was not made from it would agree so well less often than this (log₁₀), over all tests.
pub const ACCUSES_BELOW_LOG10: f64 = -6.0;
/// Most rows that are looked at.
pub const ROWS_MAX: usize = 100_000;
/// Bits of a label's tag.
const TAG_BITS: f64 = 32.0;
/// Most columns tried for one whose name is gone.
const RENAMED_MAX: usize = 64;

/// How many choices agree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Agreeing {
    /// So many.
    pub agree: u64,
    /// Of so many.
    pub of: u64,
}

/// What a table says of one copy.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The copy.
    pub copy: Id,
    /// Labels whose tag is right, among rows that name the copy.
    pub labels: Agreeing,
    /// Neighbours in the order of the copy.
    pub order: Agreeing,
    /// Cells whose quotes are those of the copy.
    pub quotes: Agreeing,
    /// log₁₀ of how likely a table that was not made from the copy agrees so well with any of those examined.
    pub chance_log10: f64,
    /// Is it named?
    pub named: bool,
    /// Share of the table's rows that the copy held, 0 to 1, by the sample; `None` when too few fall into it.
    pub held: Option<f64>,
    /// Rows the share rests on.
    pub held_of: usize,
}

/// What a table says.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracing {
    /// Rows of the table that were looked at.
    pub rows: usize,
    /// Copies it was held against.
    pub copies: usize,
    /// Tests made, by which every chance is multiplied.
    pub tests: u64,
    /// Copies, those that are named first, then by how much of the table they held.
    pub findings: Vec<Finding>,
}

/// Rows as one choice of columns tells them apart: each once, where it stands first.
struct View<'t> {
    bases: Vec<[u8; 32]>,
    rows: Vec<&'t [super::csv::Cell]>,
}

/// Holds a table against the copies that were handed out.
#[must_use]
pub fn trace(key: &MarkKey, table: &Plain, trails: &[Trail]) -> Tracing {
    let label_column = table.header.iter().position(|name| name == LABEL_COLUMN);
    let mut views: HashMap<Vec<usize>, View<'_>> = HashMap::new();
    let mut tests = 0_u64;
    let mut found = Vec::new();
    for trail in trails {
        let copy_key = CopyKey::new(key, &trail.copy);
        let mut best: Option<(f64, Finding)> = None;
        for columns in ways(table, &trail.identity, label_column) {
            let view = views.entry(columns.clone()).or_insert_with(|| view(key, table, &columns));
            let secrets: Vec<RowSecret> = view.bases.iter().map(|base| copy_key.row(base)).collect();
            let labels = labels(view, &secrets, &trail.copy, label_column);
            let order = order(&secrets);
            let quotes = if table.has_quotes { quotes(view, &secrets, label_column) } else { Agreeing::default() };
            tests += 3;
            let ln = ln_labels(labels).min(ln_coins(order.of, order.agree)).min(ln_coins(quotes.of, quotes.agree));
            let (held, held_of) = held_share(view, trail);
            let finding =
                Finding { copy: trail.copy.clone(), labels, order, quotes, chance_log10: 0.0, named: false, held, held_of };
            if best.as_ref().is_none_or(|(least, _)| ln < *least) {
                best = Some((ln, finding));
            }
        }
        found.extend(best);
    }
    let looks = (tests.max(1) as f64).ln();
    let mut findings: Vec<Finding> = found
        .into_iter()
        .map(|(ln, finding)| {
            let chance_log10 = ((ln + looks) / LN_10).min(0.0);
            Finding { chance_log10, named: chance_log10 <= ACCUSES_BELOW_LOG10, ..finding }
        })
        .collect();
    let share = |f: &Finding| f.held.unwrap_or_default();
    findings.sort_by(|a, b| {
        let by_chance = if a.named || b.named { a.chance_log10.total_cmp(&b.chance_log10) } else { std::cmp::Ordering::Equal };
        by_chance.then(share(b).total_cmp(&share(a))).then(a.copy.cmp(&b.copy))
    });
    Tracing { rows: table.rows.len().min(ROWS_MAX), copies: trails.len(), tests, findings }
}

/// The columns that may be those that told the rows of a copy apart: by their names; if it was one alone and its name is
/// gone, any.
fn ways(table: &Plain, identity: &[String], label: Option<usize>) -> Vec<Vec<usize>> {
    let named: Option<Vec<usize>> = identity.iter().map(|name| table.header.iter().position(|h| h == name)).collect();
    match named {
        Some(columns) if !columns.is_empty() => vec![columns],
        _ if identity.len() == 1 => {
            (0..table.header.len()).filter(|c| Some(*c) != label).take(RENAMED_MAX).map(|c| vec![c]).collect()
        }
        _ => Vec::new(),
    }
}

fn view<'t>(key: &MarkKey, table: &'t Plain, columns: &[usize]) -> View<'t> {
    let (mut seen, mut bases, mut rows) = (HashSet::new(), Vec::new(), Vec::new());
    for row in table.rows.iter().take(ROWS_MAX) {
        let cells = columns.iter().map(|c| row.get(*c).map_or("", |cell| cell.text.as_str()));
        let base = base(key, cells);
        if seen.insert(base) {
            bases.push(base);
            rows.push(row.as_slice());
        }
    }
    View { bases, rows }
}

fn labels(view: &View<'_>, secrets: &[RowSecret], copy: &Id, label: Option<usize>) -> Agreeing {
    let Some(column) = label else { return Agreeing::default() };
    let mut found = Agreeing::default();
    for (row, secret) in view.rows.iter().zip(secrets) {
        let text = row.get(column).map_or("", |cell| cell.text.trim());
        if text.rsplit_once('.').is_some_and(|(name, _)| name == copy.as_str()) {
            found.of += 1;
            found.agree += u64::from(text == secret.label(copy));
        }
    }
    found
}

/// ln of the chance that so many tags are right without the key.
fn ln_labels(labels: Agreeing) -> f64 {
    if labels.agree == 0 {
        return 0.0;
    }
    (ln_choose(labels.of, labels.agree) - labels.agree as f64 * TAG_BITS * LN_2).min(0.0)
}

/// Neighbours two by two, each row once: of rows that the key never ordered, each pair is a fair coin of its own.
fn order(secrets: &[RowSecret]) -> Agreeing {
    let pairs = secrets.as_chunks::<2>().0;
    let agree = pairs.iter().filter(|[one, two]| one.rank() < two.rank()).count();
    Agreeing { agree: agree as u64, of: pairs.len() as u64 }
}

/// Each text of a row once.
fn quotes(view: &View<'_>, secrets: &[RowSecret], label: Option<usize>) -> Agreeing {
    let mut found = Agreeing::default();
    let mut told: HashSet<&str> = HashSet::new();
    for (row, secret) in view.rows.iter().zip(secrets) {
        told.clear();
        for (column, cell) in row.iter().enumerate() {
            if Some(column) != label && quotable(cell) && told.insert(cell.text.trim()) {
                found.of += 1;
                found.agree += u64::from(cell.quoted == secret.quotes(&cell.text));
            }
        }
    }
    found
}

/// Which share of the table's rows the copy held: of those whose hash falls below the end of its sample.
fn held_share(view: &View<'_>, trail: &Trail) -> (Option<f64>, usize) {
    let sample: HashSet<u64> = trail.sample.iter().copied().collect();
    let end = if trail.sample.len() < SAMPLE { u64::MAX } else { trail.sample.last().copied().unwrap_or_default() };
    let considered: Vec<u64> = view.bases.iter().map(held).filter(|hash| *hash <= end).collect();
    let hits = considered.iter().filter(|hash| sample.contains(hash)).count();
    ((considered.len() >= 5).then(|| hits as f64 / considered.len() as f64), considered.len())
}
