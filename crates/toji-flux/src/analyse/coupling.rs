//! Flux coupling: which reactions can only run together.

use super::parallel::pieces;
use crate::compress::{Compressed, Image};
use crate::lp::{Outcome, Problem, Solver};
use crate::network::{Network, Sense};
use crate::sparse::Matrix;
use std::collections::BTreeMap;
use toji_core::Result;

/// A flux of at least this, where one is the unit, runs.
const RUNS: f64 = 1e-3;
/// A flux below this is told by a programme of its own.
const STILL: f64 = 1e-12;
/// Agreement of the ends of a ratio, relative.
const SAME: f64 = 1e-9;
/// Columns of one piece of work.
const PIECE: usize = 16;

/// How the fluxes of two reactions depend on each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Coupling {
    /// Their ratio is constant.
    Full,
    /// Neither runs without the other, at a ratio that varies.
    Partial,
    /// The first runs only when the second does.
    Forward,
    /// The second runs only when the first does.
    Backward,
    /// Either may run without the other.
    None,
    /// One of them never runs.
    Blocked,
}

/// How the fluxes of a network depend on each other.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Couplings {
    /// Reactions that never run, ascending.
    pub blocked: Vec<usize>,
    /// The other reactions in groups of constant ratio (enzyme subsets): reaction and its flux for each unit of the first's.
    pub groups: Vec<Vec<(usize, f64)>>,
    /// Pairs of groups, the smaller number first, that only run together at a ratio that varies.
    pub partial: Vec<(usize, usize)>,
    /// Pairs of groups the first of which runs only when the second does, and not the other way round.
    pub directional: Vec<(usize, usize)>,
    /// Linear programmes that were solved.
    pub programmes: usize,
}

impl Couplings {
    /// The group of a reaction.
    #[must_use]
    pub fn group(&self, reaction: usize) -> Option<usize> {
        self.groups.iter().position(|group| group.iter().any(|member| member.0 == reaction))
    }

    /// How two reactions depend on each other.
    #[must_use]
    pub fn between(&self, a: usize, b: usize) -> Coupling {
        let (Some(a), Some(b)) = (self.group(a), self.group(b)) else { return Coupling::Blocked };
        if a == b {
            Coupling::Full
        } else if self.partial.binary_search(&(a.min(b), a.max(b))).is_ok() {
            Coupling::Partial
        } else if self.directional.binary_search(&(a, b)).is_ok() {
            Coupling::Forward
        } else if self.directional.binary_search(&(b, a)).is_ok() {
            Coupling::Backward
        } else {
            Coupling::None
        }
    }
}

/// The flux couplings of a network (Burgard, Nikolaev, Schilling and Maranas, Genome Res. 14, 2004, 301–312), exact, on the
/// losslessly compressed flux cone. Only directions count: a bound says whether a reaction may run forward or backward,
/// neither how far nor that it must, and rows that are no balances play no part. For each column that is held at rest, one
/// programme runs every irreversible one that can run at once (as in `FASTCC`: Vlassis, Pacheco and Sauter, PLoS Comput. Biol.
/// 10, 2014, e1003424); reversible ones that this leaves open are asked about one by one.
///
/// # Errors
/// As for [`super::fba`].
pub fn couplings(network: &Network, threads: usize) -> Result<Couplings> {
    let (cone, small) = cone(network)?;
    let n = small.problem.lower.len();
    let mut base = Cone::new(&small.problem)?;
    let live = base.running(None, &vec![true; n])?;
    let columns: Vec<usize> = (0..n).filter(|&c| live[c]).collect();
    base.solver.settle();
    let parts = pieces(columns.len().div_ceil(PIECE), threads, |at| {
        let mut own = Cone { solver: base.solver.clone(), programmes: 0, ..base.clone() };
        let mine = columns.iter().skip(at * PIECE).take(PIECE);
        let found = mine.map(|&c| own.running(Some(c), &live)).collect::<Result<Vec<_>>>()?;
        Ok((found, own.programmes))
    })?;
    base.programmes += parts.iter().map(|p| p.1).sum::<usize>();
    let without: Vec<Vec<bool>> = parts.into_iter().flat_map(|p| p.0).collect();
    // `needs(a, b)`: the column at place a runs only when the one at place b does.
    let needs = |a: usize, b: usize| !without[b][columns[a]];
    let mut leader: Vec<usize> = (0..columns.len()).collect();
    let mut ratio = vec![1.0; columns.len()];
    for b in 0..columns.len() {
        for a in 0..b {
            let both = leader[a] == a && leader[b] == b && needs(a, b) && needs(b, a);
            let constant = if both { base.ratio(columns[a], columns[b])? } else { None };
            if let Some(r) = constant {
                (leader[b], ratio[b]) = (a, r);
            }
        }
    }
    let mut groups: Vec<Vec<(usize, f64)>> = Vec::new();
    let mut number: BTreeMap<usize, usize> = BTreeMap::new();
    for a in (0..columns.len()).filter(|&a| leader[a] == a) {
        let followers = (a..columns.len()).filter(|&b| leader[b] == a);
        let mut group: Vec<(usize, f64)> = followers
            .flat_map(|b| small.members[columns[b]].iter().map(move |&(j, f)| (b, j, f)))
            .map(|(b, j, f)| (j, f * ratio[b]))
            .collect();
        group.sort_by_key(|member| member.0);
        let unit = group[0].1;
        group.iter_mut().for_each(|member| member.1 /= unit);
        number.insert(a, groups.len());
        groups.push(group);
    }
    let leaders: Vec<(usize, usize)> = number.into_iter().collect();
    let (mut partial, mut directional) = (Vec::new(), Vec::new());
    for &(a, ga) in &leaders {
        for &(b, gb) in &leaders {
            if a != b && needs(a, b) {
                if !needs(b, a) {
                    directional.push((ga, gb));
                } else if ga < gb {
                    partial.push((ga, gb));
                }
            }
        }
    }
    partial.sort_unstable();
    directional.sort_unstable();
    let runs = |j: usize| matches!(small.images[j], Image::Multiple { column, .. } if live[column]);
    let blocked = (0..cone.reactions()).filter(|&j| !runs(j)).collect();
    Ok(Couplings { blocked, groups, partial, directional, programmes: base.programmes })
}

/// The network with directions in place of bounds and balances alone, and its compression.
fn cone(network: &Network) -> Result<(Network, Compressed)> {
    let mut cone = network.clone();
    for j in 0..cone.reactions() {
        cone.lower[j] = if network.lower[j] < 0.0 { f64::NEG_INFINITY } else { 0.0 };
        cone.upper[j] = if network.upper[j] > 0.0 { f64::INFINITY } else { 0.0 };
        cone.objective[j] = 0.0;
    }
    for i in 0..cone.rows() {
        if network.row_lower[i] != 0.0 || network.row_upper[i] != 0.0 {
            (cone.row_lower[i], cone.row_upper[i]) = (f64::NEG_INFINITY, f64::INFINITY);
        }
    }
    let small = Compressed::new(&Problem::from(&cone));
    Ok((cone, small))
}

/// The cone with a capped part of each irreversible column: `v = part + rest`, `0 ≤ part ≤ 1`.
#[derive(Clone)]
struct Cone {
    solver: Solver,
    /// Column of the capped part and its sign, where the column cannot be reversed.
    part: Vec<Option<(usize, f64)>>,
    bounds: Vec<(f64, f64)>,
    programmes: usize,
}

impl Cone {
    fn new(problem: &Problem) -> Result<Self> {
        let n = problem.lower.len();
        let mut wide = problem.clone();
        let mut columns: Vec<Vec<(usize, f64)>> = (0..n).map(|j| problem.matrix.iter(j).collect()).collect();
        let mut part = Vec::new();
        for j in 0..n {
            let sign = if problem.lower[j] >= 0.0 { 1.0 } else { -1.0 };
            let reversible = problem.lower[j] < 0.0 && problem.upper[j] > 0.0;
            part.push((!reversible).then(|| {
                columns.push(columns[j].iter().map(|&(i, a)| (i, sign * a)).collect());
                wide.lower.push(0.0);
                wide.upper.push(1.0);
                wide.cost.push(0.0);
                (columns.len() - 1, sign)
            }));
        }
        wide.cost.fill(0.0);
        if let Some(matrix) = Matrix::from_columns(problem.matrix.rows(), columns.iter().map(Vec::as_slice)) {
            wide.matrix = matrix;
        }
        let bounds = (0..n).map(|j| (problem.lower[j], problem.upper[j])).collect();
        Ok(Self { solver: Solver::new(wide)?, part, bounds, programmes: 0 })
    }

    fn flux(&self, x: &[f64], j: usize) -> f64 {
        x[j] + self.part[j].map_or(0.0, |(p, sign)| sign * x[p])
    }

    /// Which of the columns in question can run while one rests.
    fn running(&mut self, rest: Option<usize>, asked: &[bool]) -> Result<Vec<bool>> {
        let n = self.bounds.len();
        let mut runs = vec![false; n];
        let mut told: Vec<bool> = asked.iter().map(|a| !a).collect();
        if let Some(c) = rest {
            told[c] = true;
            self.solver.set_bounds(c, 0.0, 0.0);
            if let Some((p, _)) = self.part[c] {
                self.solver.set_bounds(p, 0.0, 0.0);
            }
        }
        let parts: Vec<(usize, f64)> = (0..n).filter(|&j| !told[j]).filter_map(|j| self.part[j]).map(|(p, _)| (p, 1.0)).collect();
        self.solver.set_objective(Sense::Maximize, &parts);
        self.programmes += 1;
        if let Outcome::Optimal(best) = self.solver.solve()? {
            for j in 0..n {
                if told[j] {
                    continue;
                }
                let flux = self.flux(&best.primal, j).abs();
                runs[j] = flux >= RUNS;
                // A part of nought in the optimum of all parts is no accident: the cone would let it grow to one.
                told[j] = runs[j] || (self.part[j].is_some() && flux <= STILL);
            }
        }
        self.solver.set_objective(Sense::Maximize, &[]);
        for j in 0..n {
            if told[j] {
                continue;
            }
            let (lower, upper) = self.bounds[j];
            for (may, value) in [(upper > 0.0, 1.0), (lower < 0.0, -1.0)] {
                if !may || runs[j] {
                    continue;
                }
                if let Some(x) = self.at(j, value)? {
                    for k in (0..n).filter(|&k| asked[k] && Some(k) != rest) {
                        if self.flux(&x, k).abs() >= RUNS {
                            (runs[k], told[k]) = (true, true);
                        }
                    }
                    runs[j] = true;
                }
            }
            told[j] = true;
        }
        if let Some(c) = rest {
            self.free(c);
        }
        Ok(runs)
    }

    fn free(&mut self, c: usize) {
        self.solver.set_bounds(c, self.bounds[c].0, self.bounds[c].1);
        if let Some((p, _)) = self.part[c] {
            self.solver.set_bounds(p, 0.0, 1.0);
        }
    }

    /// A point at which a column carries a flux; the objective stays.
    fn at(&mut self, j: usize, value: f64) -> Result<Option<Vec<f64>>> {
        self.hold(j, value);
        self.programmes += 1;
        let found = self.solver.solve()?.optimum().map(|best| best.primal);
        self.free(j);
        Ok(found)
    }

    fn hold(&mut self, j: usize, value: f64) {
        self.solver.set_bounds(j, value, value);
        if let Some((p, _)) = self.part[j] {
            self.solver.set_bounds(p, 0.0, 0.0);
        }
    }

    /// The constant ratio of the second column to the first, if it is constant.
    fn ratio(&mut self, first: usize, second: usize) -> Result<Option<f64>> {
        let (lower, upper) = self.bounds[first];
        let mut found: Option<f64> = None;
        let terms: Vec<(usize, f64)> = std::iter::once((second, 1.0)).chain(self.part[second]).collect();
        for (may, unit) in [(upper > 0.0, 1.0), (lower < 0.0, -1.0)] {
            if !may {
                continue;
            }
            self.hold(first, unit);
            for sense in [Sense::Minimize, Sense::Maximize] {
                self.solver.set_objective(sense, &terms);
                self.programmes += 1;
                let ratio = match self.solver.solve()? {
                    Outcome::Optimal(best) => best.objective * unit,
                    // This direction is not possible: it says nothing.
                    Outcome::Infeasible(_) => break,
                    Outcome::Unbounded(_) => {
                        self.free(first);
                        return Ok(None);
                    }
                };
                if found.is_some_and(|f| (f - ratio).abs() > SAME * (f.abs() + ratio.abs())) {
                    self.free(first);
                    return Ok(None);
                }
                found.get_or_insert(ratio);
            }
            self.free(first);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Column;

    #[test]
    fn every_kind_of_coupling() {
        // In → A; A → B (1:2); B → C and B → D, D → C; C out needs both? C → out. A side: E comes only with the step A → B.
        let way = |stoichiometry| Column { stoichiometry, lower: 0.0, upper: 10.0, objective: 0.0 };
        let both = |stoichiometry| Column { stoichiometry, lower: -10.0, upper: 10.0, objective: 0.0 };
        let columns = [
            way(&[(0, 1.0)][..]),         // 0: in
            way(&[(0, -1.0), (1, 2.0)]),  // 1: A → 2 B
            both(&[(1, -1.0), (2, 1.0)]), // 2: B ⇌ C
            way(&[(1, -1.0), (3, 1.0)]),  // 3: B → D
            way(&[(3, -1.0), (2, 1.0)]),  // 4: D → C
            way(&[(2, -1.0)]),            // 5: C out
            way(&[(4, -1.0)]),            // 6: out of E, which nothing makes
            way(&[(2, -1.0), (5, 1.0)]),  // 7: C → F
            way(&[(5, -1.0)]),            // 8: F out
        ];
        let network = Network::new(6, Sense::Maximize, columns).unwrap();
        let found = couplings(&network, 2).unwrap();
        assert_eq!(found, couplings(&network, 1).unwrap());
        assert_eq!(found.blocked, [6]);
        assert_eq!(found.between(0, 1), Coupling::Full);
        assert_eq!(found.between(3, 4), Coupling::Full);
        assert_eq!(found.between(7, 8), Coupling::Full);
        // C runs off only when something comes in; not the other way round, for it may leave as F.
        assert_eq!((found.between(5, 0), found.between(0, 5)), (Coupling::Forward, Coupling::Backward));
        // D is made from B alone, but B may come from C by the reversible step: a cycle B → D → C → B runs by itself.
        assert_eq!(
            (found.between(3, 0), found.between(2, 6), found.between(2, 3)),
            (Coupling::None, Coupling::Blocked, Coupling::None)
        );
        let group = &found.groups[found.group(1).unwrap()];
        assert_eq!(group, &[(0, 1.0), (1, 1.0)]);
    }

    #[test]
    fn a_ratio_that_varies_is_partial() {
        // Two products of one substrate that a third reaction joins in any proportion between one and two.
        let way = |stoichiometry| Column { stoichiometry, lower: 0.0, upper: 10.0, objective: 0.0 };
        let columns = [way(&[(0, 1.0)][..]), way(&[(0, -1.0), (1, 1.0)]), way(&[(0, -1.0), (1, 2.0)]), way(&[(1, -1.0)])];
        let network = Network::new(2, Sense::Maximize, columns).unwrap();
        let found = couplings(&network, 1).unwrap();
        assert_eq!(found.between(0, 3), Coupling::Partial);
        assert_eq!((found.between(1, 0), found.between(1, 2)), (Coupling::Forward, Coupling::None));
    }
}
