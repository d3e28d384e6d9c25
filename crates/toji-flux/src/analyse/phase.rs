//! Phase planes: what the best objective is worth over two fluxes, and where its prices change.
//!
//! The optimum is a concave, piecewise linear function of the two fluxes; on each piece, a phase, the shadow prices are
//! constant (Edwards, Ramakrishna and Palsson, Biotechnol. Bioeng. 77, 2002, 27–36). No grid is needed: every programme gives
//! a plane that lies nowhere below the function; where the lowest of the planes meets the function at every corner of its
//! cells, it is the function, because the function is concave. A corner where it does not gives the next plane.

use crate::lp::{Optimum, Outcome, Problem, Solver};
use crate::network::{Network, Sense};
use toji_core::error::Category;
use toji_core::{Error, Place, Result};

/// Agreement of values, relative.
const SAME: f64 = 1e-8;
/// Most programmes.
const LIMIT: usize = 4_000;
/// Share of the region below which a cell is none.
const SLIVER: f64 = 1e-10;
/// How far a corner is moved inwards, as a share of the way to the middle, so that rounding does not put it outside.
const INWARD: f64 = 1e-9;

/// A part of the plane with one set of shadow prices.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Phase {
    /// Corners in order around it: the two fluxes.
    pub corners: Vec<(f64, f64)>,
    /// The best objective at each corner.
    pub values: Vec<f64>,
    /// Change of the best objective for each unit of the first and of the second flux.
    pub slopes: (f64, f64),
    /// Shadow price of each row of the network inside the phase: change of the objective with its right-hand side.
    pub prices: Vec<f64>,
    /// Share of the feasible region's area.
    pub share: f64,
}

/// A phase plane.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct PhasePlane {
    /// Corners of all that is feasible, in order around it.
    pub region: Vec<(f64, f64)>,
    /// Its phases, the largest first.
    pub phases: Vec<Phase>,
    /// Linear programmes that were solved.
    pub programmes: usize,
}

/// The phases of the network's objective over the fluxes of two reactions. An infeasible or unbounded network, or one in which
/// either flux has no limit, is answered as [`super::fba`] answers it.
///
/// # Errors
/// `E-FLUX-089` when a reaction is out of range or the two fluxes do not vary independently, so that there is no plane (an
/// envelope shows such a pair); `E-FLUX-090` when there are more phases than the limit; otherwise as for [`super::fba`].
pub fn phase_plane(network: &Network, first: usize, second: usize) -> Result<Result<PhasePlane, Outcome>> {
    if first.max(second) >= network.reactions() || first == second {
        return Err(no_plane());
    }
    let mut plane = Plane {
        solver: Solver::new(Problem::from(network))?,
        objective: (0..network.reactions()).map(|j| (j, network.objective[j])).filter(|t| t.1 != 0.0).collect(),
        sense: network.sense,
        bounds: [first, second].map(|j| (network.lower[j], network.upper[j])),
        pair: [first, second],
        programmes: 0,
    };
    let region = match plane.region()? {
        Ok(region) => region,
        Err(other) => return Ok(Err(other)),
    };
    plane.phases(region)
}

fn no_plane() -> Error {
    Error::input(
        "E-FLUX-089",
        "反応の番号が範囲外か、二つの流束が独立に動かないため、平面になりません",
        "a reaction number is out of range, or the two fluxes do not vary independently, so there is no plane",
    )
    .at(Place::field("second"))
    .hint("独立に動く二つの反応を選んでください", "choose two reactions that vary independently")
}

type Point = [f64; 2];

/// `value + slope · (p − at)`.
#[derive(Debug, Clone, Copy)]
struct Tangent {
    at: Point,
    value: f64,
    slope: Point,
}

impl Tangent {
    fn height(&self, p: Point) -> f64 {
        self.value + self.slope[0] * (p[0] - self.at[0]) + self.slope[1] * (p[1] - self.at[1])
    }
}

struct Plane {
    solver: Solver,
    objective: Vec<(usize, f64)>,
    sense: Sense,
    bounds: [(f64, f64); 2],
    pair: [usize; 2],
    programmes: usize,
}

fn cross(a: Point, b: Point, c: Point) -> f64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

fn area(corners: &[Point]) -> f64 {
    (1..corners.len().saturating_sub(1)).map(|k| 0.5 * cross(corners[0], corners[k], corners[k + 1])).sum()
}

fn middle(corners: &[Point]) -> Point {
    let n = corners.len() as f64;
    [0, 1].map(|k| corners.iter().map(|c| c[k]).sum::<f64>() / n)
}

impl Plane {
    /// The point of the feasible region farthest along a direction.
    fn farthest(&mut self, direction: Point) -> Result<Result<Point, Outcome>> {
        self.programmes += 1;
        self.solver.set_objective(Sense::Maximize, &[(self.pair[0], direction[0]), (self.pair[1], direction[1])]);
        Ok(match self.solver.solve()? {
            Outcome::Optimal(best) => Ok(self.pair.map(|j| best.primal[j])),
            other => Err(other),
        })
    }

    /// The feasible region, counter-clockwise: beyond every side it is asked whether there is more.
    fn region(&mut self) -> Result<Result<Vec<Point>, Outcome>> {
        let mut ends = Vec::new();
        for direction in [[-1.0, 0.0], [0.0, -1.0], [1.0, 0.0], [0.0, 1.0]] {
            match self.farthest(direction)? {
                Ok(point) => ends.push(point),
                Err(other) => return Ok(Err(other)),
            }
        }
        let scale = [ends[2][0] - ends[0][0], ends[3][1] - ends[1][1]];
        if scale.iter().zip(&ends[2]).any(|(s, e)| *s <= 1e-9 * (1.0 + e.abs())) {
            return Err(no_plane());
        }
        // In units of the two ranges.
        let unit = |p: Point| [p[0] / scale[0], p[1] / scale[1]];
        let mut corners: Vec<Point> = Vec::new();
        for side in 0..4 {
            let mut open = vec![(ends[side], ends[(side + 1) % 4])];
            corners.push(ends[side]);
            while let Some((a, b)) = open.pop() {
                let (ua, ub) = (unit(a), unit(b));
                let (dx, dy) = (ub[0] - ua[0], ub[1] - ua[1]);
                let length = dx.hypot(dy);
                if length < 1e-9 {
                    continue;
                }
                // Outward of a side that is walked with the region on its left.
                let c = match self.farthest([dy / length / scale[0], -dx / length / scale[1]])? {
                    Ok(point) => point,
                    Err(other) => return Ok(Err(other)),
                };
                if -cross(ua, ub, unit(c)) / length > SAME {
                    open.push((c, b));
                    open.push((a, c));
                    // The last pushed is taken first, so corners come in order.
                } else if b != ends[(side + 1) % 4] {
                    corners.push(b);
                }
                self.within()?;
            }
        }
        let scaled: Vec<Point> = corners.iter().map(|&p| unit(p)).collect();
        let kept = tidy(&scaled);
        if kept.len() < 3 || area(&kept.iter().map(|&k| scaled[k]).collect::<Vec<_>>()) < 1e-9 {
            return Err(no_plane());
        }
        Ok(Ok(kept.into_iter().map(|k| corners[k]).collect()))
    }

    fn within(&self) -> Result<()> {
        if self.programmes <= LIMIT {
            return Ok(());
        }
        Err(Error::new(
            Category::Limit,
            "E-FLUX-090",
            format!("相を求める計算が上限({LIMIT} 回)を超えました"),
            format!("finding the phases took more than {LIMIT} programmes"),
        )
        .hint("境界を狭めてください", "narrow the bounds of the two reactions"))
    }

    /// The optimum at a point.
    fn at(&mut self, p: Point) -> Result<Result<Optimum, Outcome>> {
        self.programmes += 1;
        self.within()?;
        for ((j, at), (lower, upper)) in self.pair.into_iter().zip(p).zip(self.bounds) {
            let value = at.max(lower).min(upper);
            self.solver.set_bounds(j, value, value);
        }
        Ok(match self.solver.solve()? {
            Outcome::Optimal(best) => Ok(best),
            other => Err(other),
        })
    }

    fn tangent(&self, best: &Optimum) -> Tangent {
        let [a, b] = self.pair;
        let sign = self.sense.sign();
        Tangent {
            at: [best.primal[a], best.primal[b]],
            value: sign * best.objective,
            slope: [sign * best.reduced_costs[a], sign * best.reduced_costs[b]],
        }
    }

    fn phases(mut self, region: Vec<Point>) -> Result<Result<PhasePlane, Outcome>> {
        self.solver.set_objective(self.sense, &self.objective.clone());
        let (centre, whole) = (middle(&region), area(&region));
        let mut tangents: Vec<Tangent> = Vec::new();
        let mut known: Vec<Point> = Vec::new();
        let size = [0, 1].map(|k| region.iter().fold(0.0_f64, |a, p| a.max((p[k] - centre[k]).abs())));
        let close = |a: Point, b: Point| (0..2).all(|k| (a[k] - b[k]).abs() <= 1e-9 * size[k]);
        let mut waiting: Vec<Point> = std::iter::once(centre).chain(region.iter().copied()).collect();
        loop {
            let mut lower = false;
            for p in waiting {
                if known.iter().any(|&k| close(k, p)) {
                    continue;
                }
                known.push(p);
                let inside = [0, 1].map(|k| p[k] + INWARD * (centre[k] - p[k]));
                let best = match self.at(inside)? {
                    Ok(best) => best,
                    Err(other) => return Ok(Err(other)),
                };
                let tangent = self.tangent(&best);
                let least = tangents.iter().map(|t| t.height(inside)).fold(f64::INFINITY, f64::min);
                if tangent.value < least - SAME * (1.0 + tangent.value.abs()) {
                    tangents.push(tangent);
                    lower = true;
                }
            }
            let cells = cells(&region, &tangents);
            if !lower {
                return self.report(&region, whole, &tangents, cells);
            }
            waiting = cells.into_iter().flatten().collect();
        }
    }

    fn report(
        &mut self,
        region: &[Point],
        whole: f64,
        tangents: &[Tangent],
        cells: Vec<Vec<Point>>,
    ) -> Result<Result<PhasePlane, Outcome>> {
        let sign = self.sense.sign();
        let mut phases = Vec::new();
        for (tangent, cell) in tangents.iter().zip(cells) {
            let share = if cell.len() < 3 { 0.0 } else { area(&cell) / whole };
            if share <= SLIVER {
                continue;
            }
            let best = match self.at(middle(&cell))? {
                Ok(best) => best,
                Err(other) => return Ok(Err(other)),
            };
            let values = cell.iter().map(|&p| sign * tangent.height(p)).collect();
            let corners = cell.iter().map(|p| (p[0], p[1])).collect();
            let slopes = (sign * tangent.slope[0], sign * tangent.slope[1]);
            phases.push(Phase { corners, values, slopes, prices: best.prices, share });
        }
        phases.sort_by(|a, b| b.share.total_cmp(&a.share));
        let region = region.iter().map(|p| (p[0], p[1])).collect();
        Ok(Ok(PhasePlane { region, phases, programmes: self.programmes }))
    }
}

/// Which corners are corners: none twice, none on the line of its neighbours.
fn tidy(points: &[Point]) -> Vec<usize> {
    let mut kept: Vec<usize> = Vec::new();
    for (k, p) in points.iter().enumerate() {
        let twice = kept.iter().any(|&other| (points[other][0] - p[0]).abs() + (points[other][1] - p[1]).abs() < 1e-9);
        if !twice {
            kept.push(k);
        }
    }
    let mut at = 0;
    while kept.len() > 3 && at < kept.len() {
        let n = kept.len();
        let (a, b, c) = (points[kept[(at + n - 1) % n]], points[kept[at]], points[kept[(at + 1) % n]]);
        if cross(a, b, c) <= 1e-10 {
            kept.remove(at);
            at = at.saturating_sub(1);
        } else {
            at += 1;
        }
    }
    kept
}

/// The part of the region on which each tangent is the lowest.
fn cells(region: &[Point], tangents: &[Tangent]) -> Vec<Vec<Point>> {
    let cell = |k: usize| {
        let mut cell = region.to_vec();
        for (other, t) in tangents.iter().enumerate() {
            if other != k && !cell.is_empty() {
                cell = clip(&cell, |p| t.height(p) - tangents[k].height(p));
            }
        }
        cell
    };
    (0..tangents.len()).map(cell).collect()
}

/// The part of a convex polygon where a linear function is not negative (Sutherland and Hodgman, Commun. ACM 17, 1974,
/// 32–42).
fn clip(cell: &[Point], side: impl Fn(Point) -> f64) -> Vec<Point> {
    let mut out = Vec::new();
    for (k, &a) in cell.iter().enumerate() {
        let b = cell[(k + 1) % cell.len()];
        let (sa, sb) = (side(a), side(b));
        if sa >= 0.0 {
            out.push(a);
        }
        if (sa > 0.0 && sb < 0.0) || (sa < 0.0 && sb > 0.0) {
            let t = sa / (sa - sb);
            out.push([a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Column;

    #[test]
    fn two_substrates_of_one_product_make_two_phases() {
        // Product needs one of A and two of B; what is left over flows off. A, B up to 10: best is min(A, B / 2).
        let column = |stoichiometry, upper, objective| Column { stoichiometry, lower: 0.0, upper, objective };
        let columns = [
            column(&[(0, 1.0)][..], 10.0, 0.0),
            column(&[(1, 1.0)], 10.0, 0.0),
            column(&[(0, -1.0), (1, -2.0)], 100.0, 1.0),
            column(&[(0, -1.0)], 100.0, 0.0),
            column(&[(1, -1.0)], 100.0, 0.0),
        ];
        let network = Network::new(2, Sense::Maximize, columns).unwrap();
        let found = phase_plane(&network, 0, 1).unwrap().unwrap();
        assert_eq!((found.region.len(), found.phases.len()), (4, 2), "{found:?}");
        let large = &found.phases[0];
        // B limits above the line B = 2 A … below it: the triangle and the rest; three quarters of the square.
        assert!((large.share - 0.75).abs() < 1e-9 && (large.slopes.0).abs() < 1e-9 && (large.slopes.1 - 0.5).abs() < 1e-9);
        assert!((found.phases[1].slopes.0 - 1.0).abs() < 1e-9 && (found.phases[1].share - 0.25).abs() < 1e-9);
        for phase in &found.phases {
            for (corner, value) in phase.corners.iter().zip(&phase.values) {
                assert!((value - corner.0.min(0.5 * corner.1)).abs() < 1e-8, "{phase:?}");
            }
        }
        // The price of A's balance: one more of A taken away costs what A is worth in the phase.
        assert!((large.prices[0]).abs() < 1e-9 && (large.prices[1].abs() - 0.5).abs() < 1e-9, "{large:?}");
        assert_eq!(phase_plane(&network, 0, 0).unwrap_err().code(), "E-FLUX-089");
    }
}
