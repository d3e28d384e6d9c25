//! Production envelopes with exact break points.
//!
//! The greatest value of one flux is a concave, piecewise linear function of the value at which another is held. Where the
//! lines of two points meet, the function either lies on them, and that is a break point, or it gives a new point in
//! between (Eisner and Severance, J. ACM 23, 1976, 619–635). No grid is needed.

use crate::lp::{Outcome, Problem, Solver};
use crate::network::{Network, Sense};
use toji_core::{Error, Result};

/// Agreement of values and slopes, relative.
const SAME: f64 = 1e-9;
/// Most programmes of one side.
const LIMIT: usize = 4_000;

/// How far one flux goes while another is held, between break points linear.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Envelope {
    /// Break points of the greatest value: held flux, greatest target flux; the held flux ascends.
    pub upper: Vec<(f64, f64)>,
    /// Break points of the least value.
    pub lower: Vec<(f64, f64)>,
    /// Linear programmes that were solved.
    pub programmes: usize,
}

/// The reach of flux `target` over every feasible value of flux `along`. The network's own objective plays no part. An
/// infeasible network, or one in which either flux has no limit, is answered as [`super::fba`] answers it.
///
/// # Errors
/// `E-FLUX-020` when a reaction is out of range, `E-FLUX-021` when there are more break points than the limit, and those of
/// [`super::fba`].
pub fn envelope(network: &Network, along: usize, target: usize) -> Result<Result<Envelope, Outcome>> {
    if along.max(target) >= network.reactions() {
        return Err(Error::input(
            "E-FLUX-020",
            format!("反応の番号が範囲外です(反応は {} 個)", network.reactions()),
            format!("a reaction number is out of range (there are {} reactions)", network.reactions()),
        ));
    }
    let mut side = Side { solver: Solver::new(Problem::from(network))?, along, target, sense: Sense::Minimize, programmes: 0 };
    let mut ends = [0.0; 2];
    for (end, sense) in ends.iter_mut().zip([Sense::Minimize, Sense::Maximize]) {
        side.solver.set_objective(sense, &[(along, 1.0)]);
        side.programmes += 1;
        match side.solver.solve()? {
            Outcome::Optimal(best) => *end = best.objective,
            other => return Ok(Err(other)),
        }
    }
    let mut sides: [Vec<(f64, f64)>; 2] = [Vec::new(), Vec::new()];
    for (points, sense) in sides.iter_mut().zip([Sense::Maximize, Sense::Minimize]) {
        side.sense = sense;
        side.solver.set_objective(sense, &[(target, 1.0)]);
        match side.trace(ends)? {
            Ok(found) => *points = found,
            Err(other) => return Ok(Err(other)),
        }
    }
    let [upper, lower] = sides;
    Ok(Ok(Envelope { upper, lower, programmes: side.programmes }))
}

/// One side of an envelope while it is traced.
struct Side {
    solver: Solver,
    along: usize,
    target: usize,
    sense: Sense,
    programmes: usize,
}

/// A point of the function with a slope that bounds it.
#[derive(Clone, Copy)]
struct Point {
    at: f64,
    value: f64,
    slope: f64,
}

impl Point {
    fn line(&self, at: f64) -> f64 {
        self.value + self.slope * (at - self.at)
    }
}

fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= SAME * (1.0 + a.abs().max(b.abs()))
}

impl Side {
    fn point(&mut self, at: f64) -> Result<Result<Point, Outcome>> {
        if self.along == self.target {
            return Ok(Ok(Point { at, value: at, slope: 1.0 }));
        }
        self.programmes += 1;
        self.solver.set_bounds(self.along, at, at);
        Ok(match self.solver.solve()? {
            Outcome::Optimal(best) => Ok(Point { at, value: best.objective, slope: best.reduced_costs[self.along] }),
            other => Err(other),
        })
    }

    /// The break points from end to end.
    fn trace(&mut self, ends: [f64; 2]) -> Result<Result<Vec<(f64, f64)>, Outcome>> {
        let mut corners = Vec::new();
        for end in ends {
            match self.point(end)? {
                Ok(point) => corners.push(point),
                Err(other) => return Ok(Err(other)),
            }
        }
        let (first, last) = (corners[0], corners[1]);
        let mut found = vec![(first.at, first.value)];
        if !same(first.at, last.at) {
            found.push((last.at, last.value));
        }
        let mut open = vec![(first, last)];
        let budget = self.programmes + LIMIT;
        while let Some((a, b)) = open.pop() {
            let width = b.at - a.at;
            if same(a.at, b.at) || same(a.line(b.at), b.value) || same(b.line(a.at), a.value) {
                continue;
            }
            if self.programmes > budget {
                return Err(Error::new(
                    toji_core::error::Category::Limit,
                    "E-FLUX-021",
                    format!("折れ点を求める計算が上限({LIMIT} 回)を超えました"),
                    format!("tracing the break points took more than {LIMIT} programmes"),
                ));
            }
            let meet = (b.line(0.0) - a.line(0.0)) / (a.slope - b.slope);
            let inside = meet > a.at + 1e-7 * width && meet < b.at - 1e-7 * width;
            let at = if inside { meet } else { a.at + 0.5 * width };
            let middle = match self.point(at)? {
                Ok(point) => point,
                Err(other) => return Ok(Err(other)),
            };
            if inside && same(middle.value, a.line(at)) {
                found.push((at, middle.value));
            } else {
                open.push((a, middle));
                open.push((middle, b));
                if !inside {
                    continue;
                }
            }
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(Ok(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Column;

    #[test]
    fn a_roof_with_two_breaks() {
        // S → 2 A (up to 4) or A directly from another source (up to 3); target drains A, at most 9.
        let column = |stoichiometry, upper| Column { stoichiometry, lower: 0.0, upper, objective: 0.0 };
        let network = Network::new(
            1,
            Sense::Maximize,
            [
                column(&[(0, 2.0)][..], 4.0),
                column(&[(0, 1.0)][..], 3.0),
                column(&[(0, -1.0)][..], 9.0),
                column(&[(0, -1.0)][..], 1.0),
            ],
        )
        .unwrap();
        let found = envelope(&network, 0, 2).unwrap().unwrap();
        let upper = [(0.0, 3.0), (3.0, 9.0), (4.0, 9.0)];
        assert_eq!(found.upper.len(), upper.len(), "{found:?}");
        for (have, want) in found.upper.iter().zip(upper) {
            assert!((have.0 - want.0).abs() < 1e-9 && (have.1 - want.1).abs() < 1e-9, "{found:?}");
        }
        let lower = [(0.0, 0.0), (0.5, 0.0), (4.0, 7.0)];
        assert_eq!(found.lower.len(), lower.len(), "{found:?}");
        for (have, want) in found.lower.iter().zip(lower) {
            assert!((have.0 - want.0).abs() < 1e-9 && (have.1 - want.1).abs() < 1e-9, "{found:?}");
        }
        assert_eq!(envelope(&network, 9, 0).unwrap_err().code(), "E-FLUX-020");
    }
}
