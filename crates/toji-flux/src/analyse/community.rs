//! Communities: members that share a medium and grow together.

use super::fba::pfba;
use crate::compress::Compressed;
use crate::lp::{Outcome, Problem, Solver};
use crate::network::{Network, Sense};
use crate::sparse::Matrix;
use toji_core::{Error, Place, Result};

/// Exchanges below this, relative to one plus the largest, are none.
const NONE: f64 = 1e-9;
/// A community of this much less than its whole mass is whole.
const WHOLE: f64 = 1e-9;
/// Halvings of the range of growth rates.
const HALVINGS: usize = 60;
/// Agreement of growth rates, relative.
const SAME: f64 = 1e-10;

/// A member of a community.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// Its network; fluxes per gram of the member.
    pub network: &'a Network,
    /// Its growth reaction.
    pub growth: usize,
    /// Exchange reaction of the member, each of one metabolite, and the metabolite of the pool it leads to.
    pub exchanges: &'a [(usize, usize)],
}

/// A metabolite of the shared medium.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Pool {
    /// Greatest supply from outside, per gram of community.
    pub supply: f64,
    /// Greatest removal to outside, per gram of community.
    pub removal: f64,
}

/// A community at steady, balanced growth.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Community {
    /// The growth rate that all members share.
    pub growth: f64,
    /// Share of each member in the community's mass.
    pub abundances: Vec<f64>,
    /// Fluxes of each member, per gram of the member; zero for one that is absent.
    pub fluxes: Vec<Vec<f64>>,
    /// Supply (above zero) or removal of each metabolite of the pool, per gram of community.
    pub supply: Vec<f64>,
    /// What members give to and take from each other: pool metabolite, member that gives, member that takes, flux per gram of
    /// community. Where several give and several take, each takes of all alike, in proportion to what is given.
    pub passed: Vec<(usize, usize, usize, f64)>,
    /// Linear programmes that were solved.
    pub programmes: usize,
}

/// The fastest steady growth of a community of given abundances, all members growing at one rate (balanced growth as in cFBA:
/// Khandelwal, Olivier, Röling, Teusink and Bruggeman, PLoS ONE 8, 2013, e64567; and as the fixed-abundance models of MICOM:
/// Diener, Gibbons and Resendis-Antonio, mSystems 5, 2020, e00606-19), and there the fluxes of least total. A pool metabolite
/// is balanced: what members give off, and the supply, is what members take up and the removal. Bounds of the members count
/// per gram of member. An infeasible or unbounded community is answered as [`super::fba`] answers it.
///
/// # Errors
/// `E-FLUX-092` when a reaction or pool metabolite is out of range, an exchange has not exactly one metabolite, a supply is
/// negative, or the abundances are not one share for each member that sum to one; otherwise as for [`super::fba`].
pub fn community(members: &[Member<'_>], pool: &[Pool], abundances: &[f64]) -> Result<Result<Community, Outcome>> {
    check(members, pool)?;
    let sum: f64 = abundances.iter().sum();
    let sound = abundances.len() == members.len() && abundances.iter().all(|a| *a >= 0.0) && (sum - 1.0).abs() < 1e-9;
    if !sound {
        return Err(bad("abundances"));
    }
    let joint = Joint::new(members, pool)?;
    let network = joint.fixed(members, abundances)?;
    let best = match pfba(&network, 1.0)? {
        Ok(best) => best,
        Err(other) => return Ok(Err(other)),
    };
    Ok(Ok(joint.report(members, abundances, best.objective, &best.fluxes, 2)))
}

/// The fastest steady growth of a community over all abundances (`SteadyCom`: Chan, Simons and Maranas, PLoS Comput. Biol. 13,
/// 2017, e1005539): at a given growth rate the mass that can grow is a linear
/// programme, so the greatest rate at which it is the whole is bracketed by halving.
/// The abundances are some that allow it; they need not be the only ones. `least` is the least share of each member.
/// A community that cannot even rest is answered by its conflict.
///
/// # Errors
/// As for [`community`]; `E-FLUX-093` when no growth rate up to `growth_max` is too fast.
pub fn fastest_community(
    members: &[Member<'_>],
    pool: &[Pool],
    least: f64,
    growth_max: f64,
) -> Result<Result<Community, Outcome>> {
    check(members, pool)?;
    if !(least >= 0.0 && least * members.len() as f64 <= 1.0 && growth_max > 0.0 && growth_max.is_finite()) {
        return Err(bad("least"));
    }
    let joint = Joint::new(members, pool)?;
    let mut programmes = 0;
    // The most mass, up to all of it, that can grow at a rate; no mass at all always can.
    let mut most = |rate: f64| -> Result<(bool, Vec<f64>)> {
        programmes += 1;
        let (problem, _) = joint.free(members, least, rate)?;
        let small = Compressed::new(&problem);
        Ok(match Solver::new(small.problem.clone())?.solve()? {
            Outcome::Optimal(best) => (best.objective >= 1.0 - WHOLE, small.expand(&best.primal)),
            _ => (false, Vec::new()),
        })
    };
    let (rests, mut found) = most(0.0)?;
    if !rests {
        let (mut problem, total) = joint.free(members, least, 0.0)?;
        (problem.row_lower[total], problem.row_upper[total]) = (1.0, 1.0);
        return match Solver::new(problem)?.solve()? {
            Outcome::Optimal(_) => Err(Error::bug("E-FLUX-098", "a community that cannot rest has a resting point")),
            other => Ok(Err(other)),
        };
    }
    let (mut low, mut high) = (0.0, growth_max);
    if most(high)?.0 {
        return Err(Error::input(
            "E-FLUX-093",
            format!("増殖速度 {growth_max} でもまだ上限に達しません"),
            format!("the community can still grow at {growth_max}"),
        )
        .at(Place::field("growth_max"))
        .hint(
            "上限を上げるか、取り込みの境界を有限にしてください",
            "raise the limit, or make the bounds of the uptakes finite",
        ));
    }
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        match most(middle)? {
            (true, point) => (low, found) = (middle, point),
            (false, _) => high = middle,
        }
        if high - low <= SAME * high {
            break;
        }
    }
    let raw: Vec<f64> = (0..members.len()).map(|k| found[joint.columns + k].max(0.0)).collect();
    let sum: f64 = raw.iter().sum();
    let abundances: Vec<f64> = raw.iter().map(|a| a / sum).collect();
    Ok(Ok(joint.report(members, &abundances, low, &found, programmes)))
}

fn bad(field: &str) -> Error {
    Error::input(
        "E-FLUX-092",
        format!("群集の記述({field})が範囲外か、割合の和が 1 ではありません"),
        format!("the description of the community ({field}) is out of range, or the shares do not sum to one"),
    )
    .at(Place::field(field))
    .hint(
        "各成員の反応・交換・培地成分の番号を確かめ、割合は 0 以上で和を 1 にしてください",
        "check the numbers of reactions, exchanges and pool metabolites; let shares be zero or more and sum to one",
    )
}

fn check(members: &[Member<'_>], pool: &[Pool]) -> Result<()> {
    if members.is_empty() {
        return Err(bad("members"));
    }
    for (k, member) in members.iter().enumerate() {
        let n = member.network.reactions();
        let sound = |&(j, m): &(usize, usize)| j < n && m < pool.len() && member.network.stoichiometry.column(j).0.len() == 1;
        if member.growth >= n || !member.exchanges.iter().all(sound) {
            return Err(bad(&format!("members[{k}]")));
        }
    }
    if pool.iter().any(|p| p.supply.is_nan() || p.removal.is_nan() || p.supply < 0.0 || p.removal < 0.0) {
        return Err(bad("pool"));
    }
    Ok(())
}

/// Columns: the members' reactions per gram of community, then the removal from each pool. Rows: the members' rows, then the
/// pools.
struct Joint {
    entries: Vec<Vec<(usize, f64)>>,
    /// First column and row of each member.
    starts: Vec<(usize, usize)>,
    rows: usize,
    columns: usize,
    pool: Vec<Pool>,
}

impl Joint {
    fn new(members: &[Member<'_>], pool: &[Pool]) -> Result<Self> {
        let (mut entries, mut starts, mut rows) = (Vec::new(), Vec::new(), 0);
        let pools: usize = members.iter().map(|m| m.network.rows()).sum();
        for member in members {
            starts.push((entries.len(), rows));
            for j in 0..member.network.reactions() {
                let mut column: Vec<(usize, f64)> = member.network.stoichiometry.iter(j).map(|(i, a)| (rows + i, a)).collect();
                for &(_, m) in member.exchanges.iter().filter(|e| e.0 == j) {
                    // What leaves the member's surroundings arrives in the pool.
                    column.push((pools + m, -column[0].1));
                }
                entries.push(column);
            }
            rows += member.network.rows();
        }
        entries.extend((0..pool.len()).map(|m| vec![(pools + m, -1.0)]));
        let columns = entries.len();
        Ok(Self { entries, starts, rows: pools + pool.len(), columns, pool: pool.to_vec() })
    }

    fn row_sides(&self, members: &[Member<'_>], share: impl Fn(usize) -> f64) -> (Vec<f64>, Vec<f64>) {
        let scaled = |value: f64, a: f64| if value == 0.0 || a == 0.0 { 0.0 } else { value * a };
        let (mut lower, mut upper) = (Vec::new(), Vec::new());
        for (k, member) in members.iter().enumerate() {
            lower.extend(member.network.row_lower.iter().map(|&v| scaled(v, share(k))));
            upper.extend(member.network.row_upper.iter().map(|&v| scaled(v, share(k))));
        }
        lower.resize(self.rows, 0.0);
        upper.resize(self.rows, 0.0);
        (lower, upper)
    }

    /// The network at given abundances, with a column for the common growth, the objective.
    fn fixed(&self, members: &[Member<'_>], abundances: &[f64]) -> Result<Network> {
        let mut entries = self.entries.clone();
        let (mut lower, mut upper) = (Vec::new(), Vec::new());
        let (mut row_lower, mut row_upper) = self.row_sides(members, |k| abundances[k]);
        let mut common = Vec::new();
        for (k, member) in members.iter().enumerate() {
            let a = abundances[k];
            let scaled = |value: f64| if value == 0.0 || a == 0.0 { 0.0 } else { value * a };
            lower.extend(member.network.lower.iter().map(|&v| scaled(v)));
            upper.extend(member.network.upper.iter().map(|&v| scaled(v)));
            if a > 0.0 {
                let row = row_lower.len();
                entries[self.starts[k].0 + member.growth].push((row, 1.0));
                common.push((row, -a));
                row_lower.push(0.0);
                row_upper.push(0.0);
            }
        }
        lower.extend(self.pool.iter().map(|p| -p.supply));
        upper.extend(self.pool.iter().map(|p| p.removal));
        entries.push(common);
        lower.push(0.0);
        upper.push(f64::INFINITY);
        let mut objective = vec![0.0; entries.len()];
        objective[self.columns] = 1.0;
        let stoichiometry = Matrix::from_columns(row_lower.len(), entries.iter().map(Vec::as_slice)).ok_or_else(too_large)?;
        Ok(Network { stoichiometry, lower, upper, objective, sense: Sense::Maximize, row_lower, row_upper })
    }

    /// The problem of the most mass, at most one, at a given growth rate, with a column for each abundance; and the row of the
    /// total.
    fn free(&self, members: &[Member<'_>], least: f64, rate: f64) -> Result<(Problem, usize)> {
        let mut entries = self.entries.clone();
        let (mut row_lower, mut row_upper) = self.row_sides(members, |_| 0.0);
        let (mut lower, mut upper) = (Vec::new(), Vec::new());
        let mut shares: Vec<Vec<(usize, f64)>> = Vec::new();
        let mut banned = Vec::new();
        for (k, member) in members.iter().enumerate() {
            let (column, first) = self.starts[k];
            let mut share = Vec::new();
            for i in 0..member.network.rows() {
                // Rows with sides of their own scale with the share.
                let (low, high) = (member.network.row_lower[i], member.network.row_upper[i]);
                if low == high && low != 0.0 {
                    share.push((first + i, -low));
                } else if low != high {
                    (row_lower[first + i], row_upper[first + i]) = (f64::NEG_INFINITY, f64::INFINITY);
                    let copy: Vec<(usize, f64)> =
                        (0..member.network.reactions()).map(|j| (column + j, self.entry(column + j, first + i))).collect();
                    for (bound, below) in [(low, true), (high, false)] {
                        if bound.is_finite() {
                            side(&mut entries, &mut share, (&mut row_lower, &mut row_upper), &copy, bound, below);
                        }
                    }
                }
            }
            for j in 0..member.network.reactions() {
                let (low, high) = (member.network.lower[j], member.network.upper[j]);
                if j == member.growth {
                    // Exactly at the rate; where its own bounds forbid that, the member has no mass.
                    let row = row_lower.len();
                    entries[column + j].push((row, 1.0));
                    row_lower.push(0.0);
                    row_upper.push(0.0);
                    share.push((row, -rate));
                    banned.push(rate < low || rate > high);
                    lower.push(0.0);
                    upper.push(f64::INFINITY);
                    continue;
                }
                for (bound, below) in [(low, true), (high, false)] {
                    if bound.is_finite() && bound != 0.0 {
                        side(&mut entries, &mut share, (&mut row_lower, &mut row_upper), &[(column + j, 1.0)], bound, below);
                    }
                }
                lower.push(if low >= 0.0 { 0.0 } else { f64::NEG_INFINITY });
                upper.push(if high <= 0.0 { 0.0 } else { f64::INFINITY });
            }
            shares.push(share);
        }
        lower.extend(self.pool.iter().map(|p| -p.supply));
        upper.extend(self.pool.iter().map(|p| p.removal));
        let total = row_lower.len();
        row_lower.push(0.0);
        row_upper.push(1.0);
        let count = if least > 0.0 { members.len() } else { 0 };
        for (k, mut share) in shares.into_iter().enumerate() {
            share.push((total, 1.0));
            // share ≥ least · total, by member.
            share.extend((0..count).map(|other| (total + 1 + other, f64::from(u8::from(other == k)) - least)));
            entries.push(share);
            lower.push(0.0);
            upper.push(if banned[k] { 0.0 } else { 1.0 });
        }
        row_lower.extend(vec![0.0; count]);
        row_upper.extend(vec![f64::INFINITY; count]);
        let mut cost = vec![0.0; entries.len()];
        cost[self.columns..].fill(1.0);
        let matrix = Matrix::from_columns(row_lower.len(), entries.iter().map(Vec::as_slice)).ok_or_else(too_large)?;
        Ok((Problem { matrix, lower, upper, cost, sense: Sense::Maximize, row_lower, row_upper }, total))
    }

    fn entry(&self, column: usize, row: usize) -> f64 {
        self.entries[column].iter().filter(|e| e.0 == row).map(|e| e.1).sum()
    }

    fn report(&self, members: &[Member<'_>], abundances: &[f64], growth: f64, x: &[f64], programmes: usize) -> Community {
        let mut given = vec![vec![0.0; members.len()]; self.pool.len()];
        let mut fluxes = Vec::new();
        for (k, member) in members.iter().enumerate() {
            let (column, _) = self.starts[k];
            let own = &x[column..column + member.network.reactions()];
            for &(j, m) in member.exchanges {
                given[m][k] += -member.network.stoichiometry.column(j).1[0] * own[j];
            }
            let a = abundances[k];
            fluxes.push(own.iter().map(|v| if a > 0.0 { v / a } else { 0.0 }).collect());
        }
        let supply: Vec<f64> = x[self.columns - self.pool.len()..self.columns].iter().map(|v| 0.0 - v).collect();
        let largest = given.iter().flatten().fold(0.0_f64, |s, v| s.max(v.abs()));
        let mut passed = Vec::new();
        for (m, by) in given.iter().enumerate() {
            let made: f64 = by.iter().map(|v| v.max(0.0)).sum::<f64>() + supply[m].max(0.0);
            for (from, &gift) in by.iter().enumerate().filter(|g| *g.1 > 0.0) {
                for (to, &take) in by.iter().enumerate().filter(|t| *t.1 < 0.0) {
                    let flux = gift * -take / made;
                    if flux > NONE * (1.0 + largest) {
                        passed.push((m, from, to, flux));
                    }
                }
            }
        }
        Community { growth, abundances: abundances.to_vec(), fluxes, supply, passed, programmes }
    }
}

/// Adds a row `sum ≥ bound · share` or `sum ≤ bound · share`.
fn side(
    entries: &mut [Vec<(usize, f64)>],
    share: &mut Vec<(usize, f64)>,
    (row_lower, row_upper): (&mut Vec<f64>, &mut Vec<f64>),
    sum: &[(usize, f64)],
    bound: f64,
    below: bool,
) {
    let row = row_lower.len();
    for &(column, a) in sum.iter().filter(|t| t.1 != 0.0) {
        entries[column].push((row, a));
    }
    share.push((row, -bound));
    row_lower.push(if below { 0.0 } else { f64::NEG_INFINITY });
    row_upper.push(if below { f64::INFINITY } else { 0.0 });
}

fn too_large() -> Error {
    Error::input("E-FLUX-001", "モデルが大きすぎます", "the model is too large")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Column;

    /// Takes a substrate (row 0) up, makes biomass from it and, per unit of growth, gives `gift` of a by-product (row 1) off,
    /// needing `need` of the other's by-product (row 2). Reactions: uptake, growth, by-product out, other in.
    fn member(gift: f64, need: f64, yields: f64) -> Network {
        let grow = [(0, -1.0 / yields), (1, gift), (2, -need)];
        let columns = [
            Column { stoichiometry: &[(0, -1.0)][..], lower: -10.0, upper: 0.0, objective: 0.0 },
            Column { stoichiometry: &grow, lower: 0.0, upper: 100.0, objective: 1.0 },
            Column { stoichiometry: &[(1, -1.0)], lower: 0.0, upper: 100.0, objective: 0.0 },
            Column { stoichiometry: &[(2, -1.0)], lower: -100.0, upper: 0.0, objective: 0.0 },
        ];
        Network::new(3, Sense::Maximize, columns).unwrap()
    }

    #[test]
    fn two_members_feed_each_other() {
        // Each needs what the other gives: at growth μ the first gives 2 a μ and needs 0.5 a μ, the second gives b μ and needs
        // 4 b μ. Pools are balanced (removal allowed): b ≥ 0.5 a and 2 a ≥ 4 b, so a = 2 b: a 2/3, b 1/3.
        let (first, second) = (member(2.0, 0.5, 0.1), member(1.0, 4.0, 0.2));
        let members = [
            Member { network: &first, growth: 1, exchanges: &[(0, 0), (2, 1), (3, 2)] },
            Member { network: &second, growth: 1, exchanges: &[(0, 0), (2, 2), (3, 1)] },
        ];
        let pool =
            [Pool { supply: 3.0, removal: 0.0 }, Pool { supply: 0.0, removal: 100.0 }, Pool { supply: 0.0, removal: 100.0 }];
        let shares = [2.0 / 3.0, 1.0 / 3.0];
        let found = community(&members, &pool, &shares).unwrap().unwrap();
        // Substrate: μ (a / 0.1 + b / 0.2) = 3 → μ = 3 / (20/3 + 5/3) = 0.36.
        assert!((found.growth - 0.36).abs() < 1e-9, "{found:?}");
        assert!((found.supply[0] - 3.0).abs() < 1e-9 && found.supply[1].abs() < 1e-9, "{found:?}");
        let want = [(1, 0, 1, 0.48), (2, 1, 0, 0.12)];
        assert_eq!(found.passed.len(), 2, "{found:?}");
        for (have, want) in found.passed.iter().zip(want) {
            assert!((have.0, have.1, have.2) == (want.0, want.1, want.2) && (have.3 - want.3).abs() < 1e-9, "{found:?}");
        }
        // At equal shares the second starves; the community with it cannot grow.
        let even = community(&members, &pool, &[0.5, 0.5]).unwrap().unwrap();
        assert!(even.growth.abs() < 1e-9, "{even:?}");
        // Free shares find two to one by themselves.
        let best = fastest_community(&members, &pool, 0.0, 10.0).unwrap().unwrap();
        assert!((best.growth - 0.36).abs() < 1e-8 && (best.abundances[0] - shares[0]).abs() < 1e-6, "{best:?}");
        assert_eq!(community(&members, &pool, &[0.5, 0.6]).unwrap_err().code(), "E-FLUX-092");
        assert_eq!(fastest_community(&members, &pool, 0.0, 0.1).unwrap_err().code(), "E-FLUX-093");
    }
}
