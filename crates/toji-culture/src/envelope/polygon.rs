//! Convex sets in the plane of hydrogen and oxygen.

/// A point: hydrogen, oxygen (mol/mol).
pub(crate) type Point = [f64; 2];

/// Rounding below which a point counts as on an edge, and therefore as inside.
const ROUND: f64 = 1e-12;

/// The half plane `a·H2 + b·O2 ≥ c`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Half {
    a: f64,
    b: f64,
    c: f64,
}

impl Half {
    pub(crate) fn new(a: f64, b: f64, c: f64) -> Self {
        Self { a, b, c }
    }
    /// How far inside.
    pub(crate) fn depth(&self, p: Point) -> f64 {
        self.a * p[0] + self.b * p[1] - self.c
    }
}

/// Does a point lie in all of them?
pub(crate) fn holds(halves: &[Half], p: Point) -> bool {
    halves.iter().all(|h| h.depth(p) >= -ROUND)
}

/// Distance from an edge below which a corner is dropped. A path takes some ten hulls one after the other, so all that
/// is lost stays far below `ROUND`, by which every set is taken to be larger when it is held against the limits.
const STRAIGHT: f64 = 1e-15;

/// Convex hull (A. M. Andrew, Inf. Process. Lett. 9 (1979) 216), counter-clockwise from the least hydrogen. One or two
/// points stay as they are.
pub(crate) fn hull(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by(|p, q| p[0].total_cmp(&q[0]).then(p[1].total_cmp(&q[1])));
    points.dedup();
    if points.len() < 3 {
        return points;
    }
    // Does the way over `p` from `o` to `q` turn to the left by more than rounding?
    let keeps = |o: Point, p: Point, q: Point| {
        let turn = (p[0] - o[0]) * (q[1] - o[1]) - (p[1] - o[1]) * (q[0] - o[0]);
        turn > STRAIGHT * ((q[0] - o[0]).abs() + (q[1] - o[1]).abs())
    };
    let chain = |points: &mut dyn Iterator<Item = Point>| {
        let mut out: Vec<Point> = Vec::new();
        for p in points {
            while out.len() >= 2 && !keeps(out[out.len() - 2], out[out.len() - 1], p) {
                out.pop();
            }
            out.push(p);
        }
        out.pop();
        out
    };
    let mut lower = chain(&mut points.iter().copied());
    lower.extend(chain(&mut points.iter().rev().copied()));
    lower
}

/// All `(1 − s)·p + s·z` of two convex sets as `hull` gives them: their edges, scaled, in the order of their directions.
pub(crate) fn blend(from: &[Point], to: &[Point], s: f64) -> Vec<Point> {
    let (Some(p), Some(z)) = (from.first(), to.first()) else { return Vec::new() };
    let at = |p: Point, z: Point| [p[0] + s * (z[0] - p[0]), p[1] + s * (z[1] - p[1])];
    let (n, m) = (from.len(), to.len());
    let edge = |set: &[Point], i: usize| {
        let (a, b) = (set[i % set.len()], set[(i + 1) % set.len()]);
        [b[0] - a[0], b[1] - a[1]]
    };
    let mut out = Vec::with_capacity(n + m);
    out.push(at(*p, *z));
    let (mut i, mut j) = (0, 0);
    // A set of one point has no edges.
    let (all_i, all_j) = (if n > 1 { n } else { 0 }, if m > 1 { m } else { 0 });
    while i < all_i || j < all_j {
        let turn = if i == all_i {
            -1.0
        } else if j == all_j {
            1.0
        } else {
            let (a, b) = (edge(from, i), edge(to, j));
            a[0] * b[1] - a[1] * b[0]
        };
        i += usize::from(turn >= 0.0);
        j += usize::from(turn <= 0.0);
        if i < all_i || j < all_j {
            out.push(at(from[i % n], to[j % m]));
        }
    }
    out
}

/// Can a set reach into all of the half planes? Sure where it says no: then all of it lies outside of one of them.
pub(crate) fn may_touch(points: &[Point], halves: &[Half]) -> bool {
    halves.iter().all(|h| points.iter().any(|p| h.depth(*p) >= -ROUND))
}

/// What of a convex polygon lies in the half planes (I. E. Sutherland and G. W. Hodgman, Commun. ACM 17 (1974) 32).
pub(crate) fn clip(polygon: &[Point], halves: &[Half]) -> Vec<Point> {
    if !may_touch(polygon, halves) {
        return Vec::new();
    }
    let mut kept = polygon.to_vec();
    for half in halves {
        let mut next = Vec::with_capacity(kept.len() + 1);
        for i in 0..kept.len() {
            let (p, q) = (kept[(i + kept.len() - 1) % kept.len()], kept[i]);
            let (dp, dq) = (half.depth(p) + ROUND, half.depth(q) + ROUND);
            if (dp >= 0.0) != (dq >= 0.0) {
                let s = dp / (dp - dq);
                next.push([p[0] + s * (q[0] - p[0]), p[1] + s * (q[1] - p[1])]);
            }
            if dq >= 0.0 {
                next.push(q);
            }
        }
        kept = next;
        if kept.is_empty() {
            break;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::chance::Chance;

    fn cloud(chance: &mut Chance) -> Vec<Point> {
        // Also on lines and on top of each other.
        let grid = [0.0, 8.0][chance.below(2)];
        (0..=chance.below(9))
            .map(|_| [chance.uniform(), chance.uniform()].map(|v| if grid > 0.0 { (v * grid).round() / grid } else { v }))
            .collect()
    }

    /// How far a set reaches in a direction.
    fn reach(set: &[Point], angle: f64) -> f64 {
        set.iter().map(|p| p[0] * libm::cos(angle) + p[1] * libm::sin(angle)).fold(f64::NEG_INFINITY, f64::max)
    }

    #[test]
    fn hull_and_blend_reach_as_far_as_all_their_points() {
        let mut chance = Chance::new(3);
        for _ in 0..20_000 {
            let (a, b, s) = (cloud(&mut chance), cloud(&mut chance), chance.uniform());
            let pairs: Vec<Point> =
                a.iter().flat_map(|p| b.iter().map(move |z| [p[0] + s * (z[0] - p[0]), p[1] + s * (z[1] - p[1])])).collect();
            let (p, z) = (hull(a.clone()), hull(b));
            let found = blend(&p, &z, s);
            assert!(found.len() <= p.len() + z.len());
            for k in 0..16 {
                let angle = f64::from(k) * std::f64::consts::TAU / 16.0 + 0.1;
                assert!((reach(&p, angle) - reach(&a, angle)).abs() < 1e-14, "{a:?}");
                assert!((reach(&found, angle) - reach(&pairs, angle)).abs() < 1e-14, "{p:?} {z:?} {s}");
            }
        }
    }
}
