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

/// Convex hull (A. M. Andrew, Inf. Process. Lett. 9 (1979) 216), counter-clockwise. One or two points stay as they are.
pub(crate) fn hull(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by(|p, q| p[0].total_cmp(&q[0]).then(p[1].total_cmp(&q[1])));
    points.dedup();
    if points.len() < 3 {
        return points;
    }
    let turn = |o: Point, p: Point, q: Point| (p[0] - o[0]) * (q[1] - o[1]) - (p[1] - o[1]) * (q[0] - o[0]);
    let chain = |points: &mut dyn Iterator<Item = Point>| {
        let mut out: Vec<Point> = Vec::new();
        for p in points {
            // Only what turns the wrong way goes: nearly straight corners stay, so that the hull never shrinks.
            while out.len() >= 2 && turn(out[out.len() - 2], out[out.len() - 1], p) < 0.0 {
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

/// What of a convex polygon lies in the half planes (I. E. Sutherland and G. W. Hodgman, Commun. ACM 17 (1974) 32).
pub(crate) fn clip(polygon: &[Point], halves: &[Half]) -> Vec<Point> {
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
