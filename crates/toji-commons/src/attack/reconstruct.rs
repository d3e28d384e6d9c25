//! How near anybody comes to another's figures by linear programming.

use crate::release::Cell;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use toji_core::{Category, Error, Id, Place, Result};

/// Smallest number that is not taken for rounding, beside totals of one.
const TINY: f64 = 1e-10;
/// Most unknowns and most totals.
const UNKNOWNS_MAX: usize = 2_000;
/// Most changes of a basis.
const PIVOTS_MAX: usize = 50_000;

/// The bounds that can be derived for one member's part of something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// Whose.
    pub member: Id,
    /// Its part of which cells, by place: one for its part of that release, or all that the same sources are in.
    pub cells: Vec<usize>,
    /// The truth, in the smallest unit.
    pub value: f64,
    /// Least value that fits all releases.
    pub low: f64,
    /// Greatest value that fits.
    pub high: f64,
}

impl Estimate {
    /// How near the nearer bound comes, in % of the truth; infinite for a truth of zero.
    #[must_use]
    pub fn percent(&self) -> f64 {
        if self.value > 0.0 {
            100.0 * libm::fmin(self.value - self.low, self.high - self.value) / self.value
        } else {
            f64::INFINITY
        }
    }
}

/// Everything that those who know the figures of `knowing` (nobody, a member, several) can derive from these releases
/// with exact totals, knowing that nothing is negative. One for each member's part of each release, and of each set of
/// sources that the releases do not tell apart.
///
/// # Errors
/// Too many figures, or a programme that does not end.
pub fn reconstruct(cells: &[Cell], knowing: &BTreeSet<Id>) -> Result<Vec<Estimate>> {
    let unknowns = unknowns(cells, knowing);
    if unknowns.len() > UNKNOWNS_MAX || cells.len() > UNKNOWNS_MAX {
        return Err(too_many());
    }
    let scale = unknowns.iter().map(|u| u.value).fold(1.0, f64::max);
    let rows: Vec<Vec<f64>> = (0..cells.len())
        .map(|row| {
            let mut line: Vec<f64> = unknowns.iter().map(|u| f64::from(u8::from(u.cells.contains(&row)))).collect();
            let total = unknowns.iter().zip(&line).map(|(u, a)| a * u.value / scale).sum();
            line.push(total);
            line
        })
        .collect();
    let programme = Programme::begin(rows, unknowns.len())?;
    let mut asked: Vec<(Vec<usize>, Vec<usize>)> = (0..unknowns.len()).map(|i| (unknowns[i].cells.clone(), vec![i])).collect();
    for row in 0..cells.len() {
        let mut parts: BTreeMap<&Id, Vec<usize>> = BTreeMap::new();
        for (i, u) in unknowns.iter().enumerate().filter(|(_, u)| u.cells.contains(&row)) {
            parts.entry(u.member).or_default().push(i);
        }
        asked.extend(parts.into_values().filter(|part| part.len() > 1).map(|part| (vec![row], part)));
    }
    let estimate = |(of, part): (Vec<usize>, Vec<usize>)| {
        let high = programme.greatest(&part, 1.0)?;
        let low = -programme.greatest(&part, -1.0)?;
        Ok(Estimate {
            member: unknowns[part[0]].member.clone(),
            cells: of,
            value: part.iter().map(|&i| unknowns[i].value).sum(),
            low: low * scale,
            high: high * scale,
        })
    };
    asked.into_iter().map(estimate).collect()
}

/// A member's part of what the releases do not tell apart.
struct Unknown<'a> {
    member: &'a Id,
    cells: Vec<usize>,
    value: f64,
}

fn unknowns<'a>(cells: &'a [Cell], knowing: &BTreeSet<Id>) -> Vec<Unknown<'a>> {
    let mut sources: BTreeMap<&Id, (Vec<usize>, &Id, f64)> = BTreeMap::new();
    for (row, cell) in cells.iter().enumerate() {
        for c in cell.contributions.iter().filter(|c| !knowing.contains(&c.member)) {
            sources.entry(&c.source).or_insert((Vec::new(), &c.member, c.value as f64)).0.push(row);
        }
    }
    let mut classes: BTreeMap<(Vec<usize>, &Id), f64> = BTreeMap::new();
    for (cells, member, value) in sources.into_values() {
        *classes.entry((cells, member)).or_insert(0.0) += value;
    }
    classes.into_iter().map(|((cells, member), value)| Unknown { member, cells, value }).collect()
}

/// A tableau in a feasible basis: A x = b, x ≥ 0.
struct Programme {
    /// Rows of A and b.
    rows: Vec<Vec<f64>>,
    basis: Vec<usize>,
    n: usize,
}

impl Programme {
    /// Finds a feasible basis by artificial unknowns (phase one). The truth is feasible, so there is one.
    fn begin(rows: Vec<Vec<f64>>, n: usize) -> Result<Self> {
        let m = rows.len();
        let wide = |(i, row): (usize, Vec<f64>)| {
            let mut wide = row[..n].to_vec();
            wide.extend((0..m).map(|j| f64::from(u8::from(i == j))));
            wide.push(row[n]);
            wide
        };
        let mut it = Self { rows: rows.into_iter().enumerate().map(wide).collect(), basis: (n..n + m).collect(), n: n + m };
        let cost: Vec<f64> = (0..n + m).map(|j| if j < n { 0.0 } else { -1.0 }).collect();
        it.climb(&cost, n + m)?;
        // An artificial unknown still in the basis is zero: another takes its place, or its row says nothing.
        let mut row = 0;
        while row < it.rows.len() {
            if it.basis[row] >= n {
                match (0..n).find(|&j| it.rows[row][j].abs() > 1e-7) {
                    Some(column) => it.pivot(row, column),
                    None => {
                        it.rows.remove(row);
                        it.basis.remove(row);
                        continue;
                    }
                }
            }
            row += 1;
        }
        for row in &mut it.rows {
            row.drain(n..n + m);
        }
        it.n = n;
        Ok(it)
    }

    /// The greatest value of a signed sum of unknowns.
    fn greatest(&self, part: &[usize], sign: f64) -> Result<f64> {
        let mut it = Self { rows: self.rows.clone(), basis: self.basis.clone(), n: self.n };
        let cost: Vec<f64> = (0..self.n).map(|j| if part.contains(&j) { sign } else { 0.0 }).collect();
        it.climb(&cost, self.n)
    }

    /// The simplex method: Dantzig's rule, and Bland's, which does not cycle, when it goes on for long.
    fn climb(&mut self, cost: &[f64], columns: usize) -> Result<f64> {
        // Reduced costs are kept as one more row.
        let mut reduced: Vec<f64> = cost.iter().copied().chain([0.0]).collect();
        for (row, &basic) in self.rows.iter().zip(&self.basis) {
            let factor = cost[basic];
            if factor != 0.0 {
                reduced.iter_mut().zip(row).for_each(|(r, a)| *r -= factor * a);
            }
        }
        for step in 0..PIVOTS_MAX {
            let better = (0..columns).filter(|&j| reduced[j] > 1e-9);
            let entering = if step < 500 { better.max_by(|&a, &b| reduced[a].total_cmp(&reduced[b])) } else { { better }.next() };
            let Some(column) = entering else { return Ok(-reduced[self.n]) };
            let rows = (0..self.rows.len()).filter(|&r| self.rows[r][column] > 1e-9);
            let ratio = |r: usize| libm::fmax(self.rows[r][self.n], 0.0) / self.rows[r][column];
            let leaving = rows.min_by(|&a, &b| ratio(a).total_cmp(&ratio(b)).then(self.basis[a].cmp(&self.basis[b])));
            // Figures in some total are bounded by it.
            let Some(row) = leaving else { return Err(Error::bug("E-ATTACK-002", "an unbounded figure")) };
            self.pivot(row, column);
            let factor = reduced[column];
            reduced.iter_mut().zip(&self.rows[row]).for_each(|(r, a)| *r -= factor * a);
        }
        Err(too_many())
    }

    fn pivot(&mut self, row: usize, column: usize) {
        let by = self.rows[row][column];
        self.rows[row].iter_mut().for_each(|v| *v /= by);
        let pivot = self.rows[row].clone();
        for (_, other) in self.rows.iter_mut().enumerate().filter(|(r, _)| *r != row) {
            let factor = other[column];
            if factor.abs() > TINY {
                other.iter_mut().zip(&pivot).for_each(|(v, p)| *v -= factor * p);
            }
            other[column] = 0.0;
        }
        self.basis[row] = column;
    }
}

fn too_many() -> Error {
    Error::new(Category::Limit, "E-ATTACK-003", "公表が多すぎて解けません", "too many releases to solve")
        .at(Place::field("cells"))
        .hint("表を分けて試してください", "try table by table")
}
