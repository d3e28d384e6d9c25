//! The differencing guard: what follows from all releases together.
//!
//! Sources that are in exactly the same releases cannot be told apart by any sum or difference of them; they
//! make one *class*. Releases are then rows of zeros and ones over classes, and whatever can be derived is a
//! vector of their row space.
//!
//! * R7 asks of every set of too few members whether a vector of the row space touches none but them. That is
//!   so exactly when leaving out their columns lowers the rank.
//! * R9 asks of each member's part of each class, and of each member's part of each release, for a proof that
//!   it could as well be p % more and p % less: another assignment of figures, none negative, that gives every
//!   release its published total and leaves the figures of the member that looks as they are. Such an
//!   assignment is found by moving what the member has more to its peers in the class, or along a direction of
//!   the null space to other classes. Whoever cannot exclude it cannot estimate nearer. Where no proof is
//!   found the release is refused, also if a cleverer proof exists.

use super::cell::Cell;
use super::linear::{Rows, null_space, rank, reduced};
use super::rule::{Clause, Rule};
use std::collections::{BTreeMap, BTreeSet};
use toji_core::Id;

/// Elementary steps the search of R7 may take before R10 refuses: well below a
/// second.
const STEPS_MAX: u64 = 200_000_000;

/// Releases and classes of their sources.
struct Picture<'a> {
    /// Release by class: is it in?
    rows: Rows,
    /// Member → value in each class.
    classes: Vec<BTreeMap<&'a Id, i128>>,
}

/// The first clause that releasing all these cells breaks. Rounding is not counted on.
pub(super) fn judge(rule: &Rule, cells: &[&Cell]) -> Option<Clause> {
    let picture = Picture::of(cells);
    picture.judge(rule).unwrap_or(Some(Clause::TooIntricate))
}

impl<'a> Picture<'a> {
    fn of(cells: &[&'a Cell]) -> Self {
        let mut patterns: BTreeMap<&Id, (Vec<usize>, &Id, i128)> = BTreeMap::new();
        for (row, cell) in cells.iter().enumerate() {
            for c in &cell.contributions {
                patterns.entry(&c.source).or_insert((Vec::new(), &c.member, i128::from(c.value))).0.push(row);
            }
        }
        let mut classes: BTreeMap<Vec<usize>, BTreeMap<&Id, i128>> = BTreeMap::new();
        for (pattern, member, value) in patterns.into_values() {
            *classes.entry(pattern).or_default().entry(member).or_insert(0) += value;
        }
        let rows = (0..cells.len()).map(|row| classes.keys().map(|p| i128::from(p.contains(&row))).collect()).collect();
        Self { rows, classes: classes.into_values().collect() }
    }

    /// `None` when it cannot be told exactly.
    fn judge(&self, rule: &Rule) -> Option<Option<Clause>> {
        let (echelon, _) = reduced(self.rows.clone())?;
        if self.few_derivable(rule)? {
            return Some(Some(Clause::FewDerivable));
        }
        if self.derived_total_breaks(rule, &echelon)? {
            return Some(Some(Clause::DerivedTotal));
        }
        Some(if self.estimates_are_wide(rule)? { None } else { Some(Clause::Estimate) })
    }

    /// R7. Only vectors that vanish on every class with enough members matter; what is left of the row space
    /// after those columns is searched, set by set.
    fn few_derivable(&self, rule: &Rule) -> Option<bool> {
        let most = rule.contributors_min.saturating_sub(1);
        let (small, large): (Vec<usize>, Vec<usize>) = (0..self.classes.len()).partition(|&c| self.classes[c].len() <= most);
        let order: Vec<usize> = large.iter().chain(&small).copied().collect();
        let (echelon, pivots) = reduced(self.rows.iter().map(|row| order.iter().map(|&c| row[c]).collect()).collect())?;
        // A reduced row whose pivot is a small class is zero on all columns before it, so on all large ones.
        let vanishing: Rows = echelon
            .into_iter()
            .zip(&pivots)
            .filter(|(_, pivot)| **pivot >= large.len())
            .map(|(row, _)| row[large.len()..].to_vec())
            .collect();
        if vanishing.is_empty() {
            return Some(false);
        }
        let members: Vec<BTreeSet<&Id>> = small.iter().map(|&c| self.classes[c].keys().copied().collect()).collect();
        let distinct: BTreeSet<&BTreeSet<&Id>> = members.iter().collect();
        let cost = (vanishing.len() * vanishing.len() * small.len() + distinct.len()) as u64;
        let mut steps = 0u64;
        // All unions of small classes that stay small: only within such a set can a vector live. What lives in
        // a set lives in every larger one, so only sets that cannot grow are looked at.
        let mut sets: BTreeSet<BTreeSet<&Id>> = BTreeSet::new();
        let mut waiting: Vec<BTreeSet<&Id>> = distinct.iter().map(|set| (*set).clone()).collect();
        while let Some(set) = waiting.pop() {
            if !sets.insert(set.clone()) {
                continue;
            }
            steps = steps.saturating_add(cost);
            if steps > STEPS_MAX {
                return None;
            }
            let unions = distinct
                .iter()
                .filter(|more| !more.is_subset(&set))
                .map(|more| set.union(more).copied().collect::<BTreeSet<&Id>>());
            let grown: Vec<BTreeSet<&Id>> = unions.filter(|union| union.len() <= most).collect();
            if !grown.is_empty() {
                waiting.extend(grown);
                continue;
            }
            let kept: Vec<usize> = (0..small.len()).filter(|&c| !members[c].is_subset(&set)).collect();
            let part: Rows = vanishing.iter().map(|row| kept.iter().map(|&c| row[c]).collect()).collect();
            if rank(part)? < vanishing.len() {
                return Some(true);
            }
        }
        Some(false)
    }

    /// R8: differences of two releases and the reduced rows, where they are totals.
    fn derived_total_breaks(&self, rule: &Rule, echelon: &[Vec<i128>]) -> Option<bool> {
        let mut derived: Rows = echelon.to_vec();
        for (i, a) in self.rows.iter().enumerate() {
            for b in &self.rows[..i] {
                derived.push(a.iter().zip(b).map(|(a, b)| a - b).collect());
            }
        }
        for vector in derived {
            let positive = vector.iter().any(|w| *w > 0);
            let negative = vector.iter().any(|w| *w < 0);
            if positive != negative && rule.concentration(&self.weighed(&vector)?).is_some() {
                return Some(true);
            }
        }
        Some(false)
    }

    /// What each member gives to a derived total.
    fn weighed(&self, vector: &[i128]) -> Option<Vec<i128>> {
        let mut sums: BTreeMap<&Id, i128> = BTreeMap::new();
        for (class, weight) in self.classes.iter().zip(vector).filter(|(_, w)| **w != 0) {
            for (member, value) in class {
                let sum = sums.entry(member).or_insert(0);
                *sum = sum.checked_add(value.checked_mul(weight.checked_abs()?)?)?;
            }
        }
        // Concentration multiplies by a hundred.
        sums.values().all(|s| s.checked_mul(1000).is_some()).then(|| sums.into_values().collect())
    }

    /// R9.
    fn estimates_are_wide(&self, rule: &Rule) -> Option<bool> {
        let members: BTreeSet<&Id> = self.classes.iter().flat_map(|c| c.keys().copied()).collect();
        for looker in &members {
            let mut found: Option<Rows> = None;
            for (c, class) in self.classes.iter().enumerate() {
                for (target, value) in class.iter().filter(|(m, value)| *m != looker && **value > 0) {
                    if peers_take(class, target, looker, rule.p_percent, *value) {
                        continue;
                    }
                    let directions = match &mut found {
                        Some(directions) => directions,
                        none => none.insert(self.directions(looker)?),
                    };
                    if !self.elsewhere_takes(c, looker, rule.p_percent, *value, directions)? {
                        return Some(false);
                    }
                }
            }
        }
        for row in &self.rows {
            let inside: Vec<&BTreeMap<&Id, i128>> =
                self.classes.iter().zip(row).filter(|(_, w)| **w != 0).map(|(class, _)| class).collect();
            for target in &members {
                let parts: Vec<i128> = inside.iter().filter_map(|class| class.get(target).copied()).filter(|v| *v > 0).collect();
                let own: i128 = parts.iter().sum();
                // One part alone was looked at above.
                if parts.len() > 1
                    && !members.iter().filter(|m| *m != target).all(|l| whole_is_wide(&inside, target, l, rule.p_percent, own))
                {
                    return Some(false);
                }
            }
        }
        Some(true)
    }

    /// The null space for one that looks: what is its own alone stays as it is.
    fn directions(&self, looker: &Id) -> Option<Rows> {
        let moved = |class: &BTreeMap<&Id, i128>| class.keys().any(|m| *m != looker);
        let kept: Vec<usize> = (0..self.classes.len()).filter(|&c| moved(&self.classes[c])).collect();
        let (echelon, pivots) = reduced(self.rows.iter().map(|row| kept.iter().map(|&c| row[c]).collect()).collect())?;
        let narrow = null_space(&echelon, &pivots, kept.len())?;
        let spread = |direction: Vec<i128>| {
            let mut wide = vec![0; self.classes.len()];
            kept.iter().zip(direction).for_each(|(&c, d)| wide[c] = d);
            wide
        };
        Some(narrow.into_iter().map(spread).collect())
    }

    /// Is there a direction of the null space that carries p % of the value to other classes and back?
    fn elsewhere_takes(&self, class: usize, looker: &Id, p: u32, value: i128, null: &[Vec<i128>]) -> Option<bool> {
        for direction in null.iter().filter(|d| d[class] != 0) {
            let both =
                self.carries(direction, class, 1, looker, p, value)? && self.carries(direction, class, -1, looker, p, value)?;
            if both {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Moves the class by p % of the value along the direction, up or down: does no other class go below zero?
    fn carries(&self, direction: &[i128], class: usize, up: i128, looker: &Id, p: u32, value: i128) -> Option<bool> {
        let size = direction[class].checked_abs()?;
        let sign = up * direction[class].signum();
        for (other, &step) in direction.iter().enumerate().filter(|(c, d)| *c != class && **d != 0) {
            let others = self.classes[other].iter().filter(|(m, _)| **m != looker);
            let (count, sum) = others.fold((0, 0i128), |(n, s), (_, v)| (n + 1, s + v));
            let needed = i128::from(p).checked_mul(value)?.checked_mul(step.checked_abs()?)?;
            let enough = sum.checked_mul(100)?.checked_mul(size)? >= needed;
            if count == 0 || step * sign < 0 && !enough {
                return Some(false);
            }
        }
        Some(true)
    }
}

/// Can the peers of the class, without the one that looks, take p % of the value and give it back?
fn peers_take(class: &BTreeMap<&Id, i128>, target: &Id, looker: &Id, p: u32, value: i128) -> bool {
    let (peers, room) = room(class, target, looker);
    peers > 0 && 100 * room >= i128::from(p) * value
}

/// Peers of a target in a class without the one that looks: how many, and what they have together.
fn room(class: &BTreeMap<&Id, i128>, target: &Id, looker: &Id) -> (usize, i128) {
    let peers = class.iter().filter(|(m, _)| **m != target && **m != looker);
    peers.fold((0, 0), |(n, sum), (_, value)| (n + 1, sum + value))
}

/// Can the peers in the classes of a release take p % of all a member gives to it, and give it back?
fn whole_is_wide(inside: &[&BTreeMap<&Id, i128>], target: &Id, looker: &Id, p: u32, own: i128) -> bool {
    let (mut up, mut down) = (0, 0);
    for class in inside {
        if let Some(value) = class.get(target) {
            let (peers, sum) = room(class, target, looker);
            up += sum;
            down += if peers > 0 { *value } else { 0 };
        }
    }
    100 * up >= i128::from(p) * own && 100 * down >= i128::from(p) * own
}
