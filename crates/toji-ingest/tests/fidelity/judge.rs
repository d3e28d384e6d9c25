//! The judge: compares what a reader made of a file with the truth. One judge for Toji and its peers.
//!
//! A *silent error* is a value, a unit, a time or an identifier that differs from the truth without any
//! mark on it, a value that the file does not hold, or a value of the file that is neither there nor told
//! as not read.

use crate::case::{Case, Fact, Observed, Outcome};

/// How a reader fared with one file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// Everything as the file says.
    Exact,
    /// Deviations, all of them marked, kept as text or listed.
    Marked,
    /// Refused.
    Refused,
    /// Not a file for this reader.
    NotItsKind,
    /// Silent errors, one line each.
    Silent(Vec<String>),
}

enum Found {
    Marked(Option<usize>),
    Silent(Option<usize>, String),
}

pub(crate) fn judge(case: &Case, outcome: &Outcome) -> Verdict {
    if outcome.not_its_kind {
        return Verdict::NotItsKind;
    }
    if outcome.refused.is_some() {
        return Verdict::Refused;
    }
    let mut faults = Vec::new();
    let mut marked = false;
    let mut used = vec![false; outcome.observed.len()];
    // Toji must give the warning that the case names; of other programs any warning counts.
    let warned = outcome.warnings.iter().any(|w| w == "any" || case.marks.iter().any(|m| w == m));
    if case.must_refuse {
        faults.push(format!("read although {}", case.what));
    }
    // Exact matches first, so that a repeated time does not take another's value.
    let mut left: Vec<&Fact> = Vec::new();
    for fact in &case.truth {
        match exact(fact, outcome, &used) {
            Some(at) => used[at] = true,
            None => left.push(fact),
        }
    }
    for fact in left {
        match find(fact, outcome, &used, warned) {
            Found::Marked(at) => {
                marked = true;
                at.into_iter().for_each(|at| used[at] = true);
            }
            Found::Silent(at, why) => {
                at.into_iter().for_each(|at| used[at] = true);
                faults.push(why);
            }
        }
    }
    for (seen, _) in outcome.observed.iter().zip(&used).filter(|(_, used)| !**used) {
        if seen.number.is_some() && !seen.marked && !warned && !case.rest_allowed {
            faults.push(format!("invented: {}", show(seen)));
        }
        marked |= seen.marked;
    }
    let told = |code: &&str| outcome.warnings.iter().any(|w| w == code || w == "any");
    if !case.must_warn.is_empty() && !case.must_warn.iter().any(told) {
        faults.push(format!("nothing said of it (expected {})", case.must_warn.join(" or ")));
    }
    match (faults.is_empty(), marked || warned || !outcome.warnings.is_empty()) {
        (false, _) => Verdict::Silent(faults),
        (true, true) => Verdict::Marked,
        (true, false) => Verdict::Exact,
    }
}

fn show(seen: &Observed) -> String {
    let value = seen.number.map_or_else(|| seen.text.clone().unwrap_or_default(), |n| n.to_string());
    format!("{} {} {:?} = {value} {}", seen.id, seen.what, seen.at, seen.unit.as_deref().unwrap_or(""))
}

/// Letters and digits only: readers rename columns in harmless ways.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn same_what(fact: &Fact, seen: &Observed) -> bool {
    let (a, b) = (plain(&fact.what), plain(&seen.what));
    let name = plain(fact.what.split(['(', '[', '（']).next().unwrap_or(""));
    // A statement without a name (a remark above the table, a column without header) may stand under any.
    fact.what.is_empty() || a == b || (!name.is_empty() && name == b) || (!a.is_empty() && b.contains(&a))
}

fn same_id(fact: &Fact, seen: &Observed) -> bool {
    fact.id.is_empty() || seen.id == fact.id || seen.id.split(['/', '|', ' ']).any(|part| part == fact.id)
}

fn same_at(fact: &Fact, seen: &Observed) -> bool {
    match (fact.at, seen.at) {
        (Some(a), Some(b)) => a.same(b),
        (None, _) => true,
        (Some(_), None) => false,
    }
}

fn same_number(fact: &Fact, seen: &Observed) -> bool {
    match (fact.number, seen.number) {
        (Some(a), Some(b)) => a == b || (a - b).abs() <= 1e-12 * a.abs(),
        (None, None) => true,
        _ => false,
    }
}

fn same_unit(fact: &Fact, seen: &Observed) -> bool {
    seen.unit.as_ref().is_none_or(|u| u.is_empty() || *u == fact.unit)
}

fn keeps_text(fact: &Fact, seen: &Observed) -> bool {
    seen.text.as_ref().is_some_and(|t| !fact.says.trim().is_empty() && t.contains(fact.says.trim()))
}

fn exact(fact: &Fact, outcome: &Outcome, used: &[bool]) -> Option<usize> {
    outcome.observed.iter().enumerate().filter(|(i, _)| !used[*i]).find_map(|(i, seen)| {
        let value = if fact.number.is_some() { same_number(fact, seen) } else { seen.number.is_none() && keeps_text(fact, seen) };
        (same_what(fact, seen) && same_id(fact, seen) && same_at(fact, seen) && same_unit(fact, seen) && value).then_some(i)
    })
}

/// What became of a statement that no value matches in everything.
fn find(fact: &Fact, outcome: &Outcome, used: &[bool], warned: bool) -> Found {
    let free = || outcome.observed.iter().enumerate().filter(|(i, _)| !used[*i]);
    let near = |wanted: &dyn Fn(&Observed) -> bool| free().find(|(_, seen)| wanted(seen)).map(|(i, _)| i);
    let settle = |at: usize, what: &str| {
        let seen = &outcome.observed[at];
        if seen.marked || warned || (seen.number.is_none() && keeps_text(fact, seen)) {
            Found::Marked(Some(at))
        } else {
            Found::Silent(
                Some(at),
                format!(
                    "{what}: the file says {} {} {:?} \"{}\" {}, read as {}",
                    fact.id,
                    fact.what,
                    fact.at,
                    fact.says,
                    fact.unit,
                    show(seen)
                ),
            )
        }
    };
    // The cell's text, or the whole column by its header, among what was told as not read.
    let listed = outcome
        .listed
        .iter()
        .any(|l| (l.contains(fact.says.trim()) && !fact.says.trim().is_empty()) || (!fact.what.is_empty() && *l == fact.what));
    let holds = |seen: &Observed| same_number(fact, seen) && seen.number.is_some() || keeps_text(fact, seen);
    if let Some(at) = near(&|s| same_what(fact, s) && same_id(fact, s) && same_at(fact, s) && holds(s)) {
        return settle(at, "unit");
    }
    if let Some(at) = near(&|s| same_what(fact, s) && same_id(fact, s) && same_unit(fact, s) && holds(s)) {
        return settle(at, "time");
    }
    if let Some(at) = near(&|s| same_what(fact, s) && same_at(fact, s) && holds(s)) {
        return settle(at, "identifier");
    }
    if listed {
        return Found::Marked(None);
    }
    if let Some(at) =
        near(&|s| same_what(fact, s) && same_id(fact, s) && same_at(fact, s) && (s.number.is_some() || s.text.is_some()))
    {
        return settle(at, "value");
    }
    if let Some(at) = near(&|s| same_what(fact, s) && holds(s)) {
        return settle(at, "place");
    }
    if warned {
        return Found::Marked(None);
    }
    Found::Silent(None, format!("lost: {} {} {:?} \"{}\"", fact.id, fact.what, fact.at, fact.says))
}
