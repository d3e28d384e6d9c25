//! Where a table lies in a grid: its header lines, the line of units, the data below.

use super::Role;
use super::grid::{Field, text_at};
use super::header;
use super::plan::{Caption, repeats};
use super::profile::Profile;
use super::words::{Fit, fit};
use toji_core::{Unit, variable};

/// Where the table of a grid lies.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shape {
    pub(super) header_row: u64,
    pub(super) header_rows: u64,
    pub(super) unit_row: Option<u64>,
    pub(super) score: i64,
}

/// Finds header, further header lines above it, and the line of units below it.
pub(super) fn shape(head: &[(u64, Vec<Field<'_>>)]) -> Option<Shape> {
    let mut best: Option<(i64, usize)> = None;
    let mut looked_at = 0;
    for (i, (_, row)) in head.iter().enumerate().take(100) {
        let filled = row.iter().filter(|f| !f.is_blank()).count();
        let wordy: Vec<String> = row.iter().filter(|f| is_words(f)).map(|f| f.text().into_owned()).collect();
        if filled < 2 || wordy.len() * 2 < filled || looked_at >= 20 {
            continue;
        }
        looked_at += 1;
        let known = wordy.iter().take(40).filter(|t| is_known(t)).count();
        let below = data_below(head, i, row);
        if below == 0 {
            continue;
        }
        let score = 3 * known as i64 + wordy.len() as i64 - 3 * (filled - wordy.len()) as i64 + 2 * below.min(3) as i64;
        if known > 0 && best.is_none_or(|(s, _)| score > s) {
            best = Some((score, i));
        }
    }
    let (score, i) = best?;
    let (number, row) = head.get(i)?;
    let unit_row = head.get(i + 1).filter(|(_, next)| is_unit_row(next)).map(|(n, _)| *n);
    let upper = i.checked_sub(1).and_then(|u| head.get(u)).filter(|(n, upper)| n + 1 == *number && is_upper(upper, row));
    Some(Shape { header_row: *number, header_rows: 1 + u64::from(upper.is_some()), unit_row, score })
}

/// Words, not a number, date or time?
fn is_words(field: &Field<'_>) -> bool {
    let mut profile = Profile::default();
    profile.add(field);
    profile.filled > 0 && profile.numbers == 0 && profile.dates == 0 && profile.times_of_day == 0 && profile.durations == 0
}

fn is_known(text: &str) -> bool {
    const ROLES: [Role; 10] = [
        Role::Time,
        Role::RunKey,
        Role::SampleId,
        Role::Note,
        Role::Event,
        Role::Fact,
        Role::Variable,
        Role::Value,
        Role::Unit,
        Role::Observation,
    ];
    let name = header::split(text).name;
    ROLES.iter().any(|r| matches!(fit(*r, &name), Some((Fit::Whole, _))))
        || variable::find(&name).is_some()
        || variable::find(text).is_some()
}

/// Rows below with numbers, dates or times under this row's cells.
fn data_below(head: &[(u64, Vec<Field<'_>>)], at: usize, header: &[Field<'_>]) -> usize {
    head.iter()
        .skip(at + 1)
        .take(12)
        .filter(|(_, row)| {
            header
                .iter()
                .zip(row)
                .any(|(h, f)| !h.is_blank() && !f.is_blank() && !is_words(f) && !matches!(&*f.text(), "-" | "--" | "—"))
        })
        .count()
}

fn is_unit_row(row: &[Field<'_>]) -> bool {
    let mut real = 0;
    for field in row.iter().filter(|f| !f.is_blank()) {
        let text = field.text();
        let inside = text.trim_matches(['[', ']', '(', ')', '（', '）', '［', '］']);
        match Unit::parse(inside) {
            Ok(unit) => real += usize::from(!unit.is_one()),
            Err(_) if inside.len() < text.len() => {}
            Err(_) if text.to_lowercase().contains(":mm") || text.to_lowercase().contains("yyyy") => {}
            Err(_) => return false,
        }
        if !is_words(field) && text != "-" && text != "--" {
            return false;
        }
    }
    real > 0
}

/// Is the line above part of the header? It must explain names that stand twice or stand above blanks.
fn is_upper(upper: &[Field<'_>], lower: &[Field<'_>]) -> bool {
    let filled: Vec<usize> = (0..upper.len()).filter(|i| upper.get(*i).is_some_and(|f| !f.is_blank())).collect();
    if filled.is_empty() || filled.iter().any(|i| upper.get(*i).is_some_and(|f| f.text().chars().count() > 40)) {
        return false;
    }
    let blank_below = filled.iter().any(|i| lower.get(*i).is_none_or(Field::is_blank));
    let names: Vec<Caption> = (0..lower.len()).map(|i| Caption { header: text_at(lower, i).into_owned(), over: None }).collect();
    (repeats(&names) && filled.len() >= 2)
        || (blank_below && filled.len() >= 2 && filled.iter().any(|i| lower.get(*i).is_some_and(|f| !f.is_blank())))
}
