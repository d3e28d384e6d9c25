//! What the network still reaches when reactions are taken out of it: one set at a time, and all pairs of sets.
//!
//! Most deletions need no programme: when a known optimum does not use what is removed, it stays an optimum. The others are
//! solved from the optimum of the whole network by the dual method, each distinct set of columns once.

use super::parallel::pieces;
use crate::compress::{Compressed, Image};
use crate::lp::{Outcome, Problem, Solver};
use crate::network::Network;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use toji_core::Result;

/// Fluxes below this are none.
const STILL: f64 = 1e-12;
/// Programmes of one piece of work.
const PIECE: usize = 64;

/// How deletions are worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    /// Threads to use; the result is the same for any number.
    pub threads: usize,
    /// Whether the network is compressed first; the results are the same.
    pub compress: bool,
}

impl Default for Removal {
    fn default() -> Self {
        Self { threads: 1, compress: true }
    }
}

/// What is left of the objective.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase", tag = "status", content = "growth")]
pub enum Growth {
    /// The optimum.
    Optimal(f64),
    /// No steady state satisfies the bounds that remain.
    Infeasible,
    /// The objective has no limit.
    Unbounded,
}

impl Growth {
    /// The optimum, if there is one.
    #[must_use]
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Optimal(value) => Some(value),
            _ => None,
        }
    }

    /// Whether less than `fraction` of `wild_type` is left, or nothing feasible.
    #[must_use]
    pub fn is_lost(self, wild_type: f64, fraction: f64) -> bool {
        match self {
            Self::Optimal(value) => value < fraction * wild_type,
            Self::Infeasible => true,
            Self::Unbounded => false,
        }
    }
}

/// Results of deletions, in the order asked.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Knockouts {
    /// Optimum of the whole network.
    pub wild_type: f64,
    /// What each deletion leaves.
    pub results: Vec<Growth>,
    /// Linear programmes that were solved.
    pub programmes: usize,
}

/// Results of all pairs of deletions.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Pairs {
    /// The deletions alone.
    pub single: Knockouts,
    /// What each pair `(a, b)`, `a < b`, leaves: `(0, 1)`, `(0, 2)` … `(1, 2)` ….
    pub results: Vec<Growth>,
    /// Linear programmes that were solved for pairs.
    pub programmes: usize,
}

impl Pairs {
    /// What the pair of two deletions leaves; `None` when they are the same or out of range.
    #[must_use]
    pub fn get(&self, a: usize, b: usize) -> Option<Growth> {
        let (a, b, n) = (a.min(b), a.max(b), self.single.results.len());
        (a < b && b < n).then(|| self.results[a * (2 * n - a - 1) / 2 + b - a - 1])
    }
}

/// An optimum: what is left, and which columns it uses.
#[derive(Debug, Clone)]
struct Known {
    growth: Growth,
    used: Vec<u64>,
}

impl Known {
    fn new(growth: Growth, x: &[f64]) -> Self {
        let mut used = vec![0_u64; x.len().div_ceil(64)];
        for (j, value) in x.iter().enumerate() {
            if value.abs() > STILL {
                used[j / 64] |= 1 << (j % 64);
            }
        }
        Self { growth, used }
    }

    fn uses(&self, column: u32) -> bool {
        self.used[column as usize / 64] >> (column % 64) & 1 == 1
    }

    fn avoids(&self, columns: &[u32]) -> bool {
        matches!(self.growth, Growth::Optimal(_)) && !columns.iter().any(|&c| self.uses(c))
    }
}

/// The whole network, solved, from which deletions start.
struct Bench {
    small: Compressed,
    solver: Solver,
    wild: Known,
    wild_value: f64,
    lower: Vec<f64>,
    upper: Vec<f64>,
}

impl Bench {
    fn new(network: &Network, compress: bool) -> Result<Result<Self, Outcome>> {
        let problem = Problem::from(network);
        let small = if compress { Compressed::new(&problem) } else { Compressed::none(&problem) };
        let mut solver = Solver::new(small.problem.clone())?;
        let best = match solver.solve()? {
            Outcome::Optimal(best) => best,
            other => return Ok(Err(other)),
        };
        solver.settle();
        let wild = Known::new(Growth::Optimal(best.objective), &best.primal);
        let (lower, upper) = (network.lower.clone(), network.upper.clone());
        Ok(Ok(Self { small, solver, wild, wild_value: best.objective, lower, upper }))
    }

    /// The columns that a set of reactions stops, ascending; reactions that never carry flux and ones out of range drop out.
    fn columns(&self, reactions: &[usize]) -> Vec<u32> {
        let column = |j: &usize| match self.small.images.get(*j) {
            Some(Image::Multiple { column, .. }) => Some(*column as u32),
            _ => None,
        };
        let set: BTreeSet<u32> = reactions.iter().filter_map(column).collect();
        set.into_iter().collect()
    }

    /// Can a column rest when these reactions of it are removed? Their own bounds count no more.
    fn may_rest(&self, column: u32, removed: &[usize]) -> bool {
        self.small.members[column as usize]
            .iter()
            .all(|&(j, _)| removed.contains(&j) || (self.lower[j] <= 0.0 && self.upper[j] >= 0.0))
    }

    /// Solves without these columns; `solver` becomes a copy of the bench's first.
    fn without(&self, solver: &mut Solver, columns: &[u32]) -> Result<Known> {
        solver.copy_from(&self.solver);
        for &column in columns {
            solver.set_bounds(column as usize, 0.0, 0.0);
        }
        Ok(match solver.solve()? {
            Outcome::Optimal(best) => Known::new(Growth::Optimal(best.objective), &best.primal),
            Outcome::Infeasible(_) => Known { growth: Growth::Infeasible, used: Vec::new() },
            Outcome::Unbounded(_) => Known { growth: Growth::Unbounded, used: Vec::new() },
        })
    }

    /// Solves each set of columns once, over threads in pieces of fixed size.
    fn solve_all(&self, sets: &[Vec<u32>], threads: usize) -> Result<Vec<Known>> {
        let parts = pieces(sets.len().div_ceil(PIECE), threads, |at| {
            let mut solver = self.solver.clone();
            let mine = &sets[at * PIECE..((at + 1) * PIECE).min(sets.len())];
            mine.iter().map(|columns| self.without(&mut solver, columns)).collect::<Result<Vec<_>>>()
        })?;
        Ok(parts.into_iter().flatten().collect())
    }
}

/// A deletion on the compressed network.
#[derive(Debug, Clone)]
struct Cut {
    columns: Vec<u32>,
    /// Whether a column would have to rest and may not: then nothing is feasible.
    barred: bool,
}

impl Cut {
    fn new(bench: &Bench, reactions: &[usize]) -> Self {
        let columns = bench.columns(reactions);
        let barred = columns.iter().any(|&c| !bench.may_rest(c, reactions));
        Self { columns, barred }
    }
}

/// Optima by what is deleted: the index of each deletion's optimum in a list of distinct ones.
struct Table {
    known: Vec<Known>,
    of: Vec<usize>,
    programmes: usize,
}

/// Index of the optimum of the whole network.
const WILD: usize = 0;
/// Index of the answer to deletions that nothing satisfies.
const BARRED: usize = 1;

fn singles(bench: &Bench, cuts: &[Cut], threads: usize) -> Result<Table> {
    let barred = Known { growth: Growth::Infeasible, used: Vec::new() };
    let mut known = vec![bench.wild.clone(), barred];
    let mut number: BTreeMap<&[u32], usize> = BTreeMap::new();
    let mut sets: Vec<Vec<u32>> = Vec::new();
    let of = cuts
        .iter()
        .map(|cut| {
            if cut.barred {
                BARRED
            } else if bench.wild.avoids(&cut.columns) {
                WILD
            } else {
                *number.entry(&cut.columns).or_insert_with(|| {
                    sets.push(cut.columns.clone());
                    BARRED + sets.len()
                })
            }
        })
        .collect();
    let programmes = sets.len();
    known.extend(bench.solve_all(&sets, threads)?);
    Ok(Table { known, of, programmes })
}

/// What the network reaches without each set of reactions, alone (the bounds of a removed reaction become zero). An
/// infeasible or unbounded network is answered as [`super::fba`] answers it.
///
/// # Errors
/// As for [`super::fba`].
pub fn knockouts(network: &Network, sets: &[Vec<usize>], how: &Removal) -> Result<Result<Knockouts, Outcome>> {
    let bench = match Bench::new(network, how.compress)? {
        Ok(bench) => bench,
        Err(other) => return Ok(Err(other)),
    };
    let cuts: Vec<Cut> = sets.iter().map(|set| Cut::new(&bench, set)).collect();
    let table = singles(&bench, &cuts, how.threads)?;
    Ok(Ok(table.report(&bench)))
}

impl Table {
    fn report(&self, bench: &Bench) -> Knockouts {
        let results = self.of.iter().map(|&k| self.known[k].growth).collect();
        Knockouts { wild_type: bench.wild_value, results, programmes: self.programmes }
    }
}

/// What the network reaches without each set of reactions, and without each pair of sets; `extra` names reactions that only
/// a pair removes, by the positions `(a, b)`, `a < b`, of its sets.
///
/// # Errors
/// As for [`super::fba`].
pub fn pairs(
    network: &Network,
    sets: &[Vec<usize>],
    extra: &HashMap<(usize, usize), Vec<usize>>,
    how: &Removal,
) -> Result<Result<Pairs, Outcome>> {
    let bench = match Bench::new(network, how.compress)? {
        Ok(bench) => bench,
        Err(other) => return Ok(Err(other)),
    };
    let cuts: Vec<Cut> = sets.iter().map(|set| Cut::new(&bench, set)).collect();
    let table = singles(&bench, &cuts, how.threads)?;
    let n = sets.len();
    // Every pair is the optimum of one of its parts, or that of a programme still to be solved.
    let mut number: HashMap<Vec<u32>, usize> = HashMap::new();
    let mut open: Vec<Vec<u32>> = Vec::new();
    let mut of: Vec<usize> = Vec::with_capacity(n * n.saturating_sub(1) / 2);
    for a in 0..n {
        for b in a + 1..n {
            let more = extra.get(&(a, b));
            let pair = match more {
                // Bounds that forbid rest are lifted only by a removal of their own reaction: judge the union.
                _ if cuts[a].barred || cuts[b].barred => Some(union(&bench, sets, a, b, more)),
                Some(_) => Some(union(&bench, sets, a, b, more)),
                None => None,
            };
            let (first, second) = (&table.known[table.of[a]], &table.known[table.of[b]]);
            let avoided = |known: &Known, other: &Cut| match &pair {
                Some(cut) => !cut.barred && known.avoids(&cut.columns),
                None => known.avoids(&other.columns),
            };
            of.push(if pair.as_ref().is_some_and(|cut| cut.barred) {
                BARRED
            } else if avoided(first, &cuts[b]) {
                table.of[a]
            } else if avoided(second, &cuts[a]) {
                table.of[b]
            } else {
                let columns = pair.map_or_else(|| merged(&cuts[a].columns, &cuts[b].columns), |cut| cut.columns);
                *number.entry(columns).or_insert_with_key(|columns| {
                    open.push(columns.clone());
                    table.known.len() + open.len() - 1
                })
            });
        }
    }
    let programmes = open.len();
    let solved = bench.solve_all(&open, how.threads)?;
    let growth = |k: usize| table.known.get(k).map_or_else(|| solved[k - table.known.len()].growth, |known| known.growth);
    let results = of.into_iter().map(growth).collect();
    Ok(Ok(Pairs { single: table.report(&bench), results, programmes }))
}

fn union(bench: &Bench, sets: &[Vec<usize>], a: usize, b: usize, more: Option<&Vec<usize>>) -> Cut {
    let all: Vec<usize> = sets[a].iter().chain(&sets[b]).chain(more.into_iter().flatten()).copied().collect();
    Cut::new(bench, &all)
}

fn merged(a: &[u32], b: &[u32]) -> Vec<u32> {
    let set: BTreeSet<u32> = a.iter().chain(b).copied().collect();
    set.into_iter().collect()
}
