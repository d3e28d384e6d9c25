//! The interior-point method (Mehrotra, SIAM J. Optim. 2, 1992, 575–601) and the rounds on active bounds behind it.

use super::normal::Normal;
use super::{Nearest, Pair};

/// Most steps of the interior method.
const ROUNDS: usize = 100;
/// Most rounds on active bounds.
const POLISH: usize = 60;

/// The state: a point inside its box, prices, and the prices of the bounds.
struct State {
    x: Vec<f64>,
    y: Vec<f64>,
    below: Vec<f64>,
    above: Vec<f64>,
}

/// Solves a feasible programme; the caller judges the pair.
pub(super) fn solve(p: &Nearest, start: Vec<f64>) -> Pair {
    let n = p.weight.len();
    let held: Vec<bool> = (0..n).map(|j| p.upper[j] <= p.lower[j]).collect();
    let mut normal = Normal::new(p.matrix.clone());
    let mut state = begin(p, &held, start);
    let mut best: Option<(f64, Pair)> = None;
    let mut idle = 0;
    for _ in 0..ROUNDS {
        let merit = advance(p, &held, &mut normal, &mut state);
        let pair = Pair { x: state.x.clone(), y: state.y.clone() };
        if best.as_ref().is_none_or(|b| merit < 0.9 * b.0) {
            best = Some((merit, pair));
            idle = 0;
        } else {
            idle += 1;
        }
        if idle >= 8 || merit < 1e-13 {
            break;
        }
    }
    let rough = best.map_or(Pair { x: state.x.clone(), y: state.y.clone() }, |b| b.1);
    let sharp = polish(p, &held, &mut normal, &rough);
    let (a, b) = (p.quality(&rough), p.quality(&sharp));
    let worth = |q: super::Quality| (q.gap.abs() / (1.0 + q.value)).max(q.residual * 10.0);
    if worth(b) <= worth(a) { sharp } else { rough }
}

fn begin(p: &Nearest, held: &[bool], start: Vec<f64>) -> State {
    let n = p.weight.len();
    let mut x = start;
    let (mut below, mut above) = (vec![0.0; n], vec![0.0; n]);
    for j in 0..n {
        let (l, u) = (p.lower[j], p.upper[j]);
        let wish = if p.weight[j] > 0.0 { p.target[j] } else { x[j] };
        x[j] = if held[j] {
            l
        } else {
            let room = (0.25 * (u - l)).min(1.0);
            wish.max(l + room).min(u - room)
        };
        if !held[j] {
            below[j] = if l.is_finite() { 1.0 } else { 0.0 };
            above[j] = if u.is_finite() { 1.0 } else { 0.0 };
        }
    }
    State { x, y: vec![0.0; p.right.len()], below, above }
}

/// One predictor and corrector; the merit of where it started from: residuals and complementarity, relative.
fn advance(p: &Nearest, held: &[bool], normal: &mut Normal, s: &mut State) -> f64 {
    let n = p.weight.len();
    let mut primal: Vec<f64> = p.right.clone();
    for (j, &x) in s.x.iter().enumerate() {
        for (i, a) in p.matrix.iter(j) {
            primal[i] -= a * x;
        }
    }
    let mut dual = vec![0.0; n];
    let (mut inverse, mut product, mut count) = (vec![0.0; n], 0.0, 0.0_f64);
    for j in (0..n).filter(|&j| !held[j]) {
        dual[j] = p.pull(&s.y, j) + s.below[j] - s.above[j] - p.weight[j] * (s.x[j] - p.target[j]);
        let mut d = p.weight[j];
        for (price, room) in [(s.below[j], s.x[j] - p.lower[j]), (s.above[j], p.upper[j] - s.x[j])] {
            if price > 0.0 {
                d += price / room;
                product += price * room;
                count += 1.0;
            }
        }
        inverse[j] = 1.0 / d.max(1e-14);
    }
    let mu = product / count.max(1.0);
    let size = p.value(&s.x).abs() + 1.0;
    let merit = largest(&primal).max(largest(&dual)).max(product / size);
    normal.factor(&inverse, |_| true);
    // The predictor aims at no complementarity at all.
    let aim = |target: f64, step: Option<&Step>| -> Vec<(f64, f64)> {
        (0..n)
            .map(|j| {
                let (dx, db, da) = step.map_or((0.0, 0.0, 0.0), |t| (t.x[j], t.below[j], t.above[j]));
                let lower = target - s.below[j] * (s.x[j] - p.lower[j]) - dx * db;
                let upper = target - s.above[j] * (p.upper[j] - s.x[j]) + dx * da;
                (if s.below[j] > 0.0 { lower } else { 0.0 }, if s.above[j] > 0.0 { upper } else { 0.0 })
            })
            .collect()
    };
    let first = direction(p, held, normal, s, (&primal, &dual, &inverse), &aim(0.0, None));
    let (long, tall) = lengths(p, s, &first);
    let mut after = 0.0;
    for j in (0..n).filter(|&j| !held[j]) {
        let x = s.x[j] + long * first.x[j];
        if s.below[j] > 0.0 {
            after += (x - p.lower[j]) * (s.below[j] + tall * first.below[j]);
        }
        if s.above[j] > 0.0 {
            after += (p.upper[j] - x) * (s.above[j] + tall * first.above[j]);
        }
    }
    let ratio = if product > 0.0 { (after / product).clamp(0.0, 1.0) } else { 0.0 };
    let step = direction(p, held, normal, s, (&primal, &dual, &inverse), &aim(ratio.powi(3) * mu, Some(&first)));
    // One length for both sides: the primal and dual share the quadratic term.
    let (long, tall) = lengths(p, s, &step);
    let length = (0.995 * long.min(tall)).min(1.0);
    for j in (0..n).filter(|&j| !held[j]) {
        s.x[j] += length * step.x[j];
        s.below[j] += length * step.below[j];
        s.above[j] += length * step.above[j];
        // Room that rounding took is given back.
        if s.below[j] > 0.0 {
            s.x[j] = s.x[j].max(p.lower[j] + 1e-15 * (1.0 + p.lower[j].abs()));
        }
        if s.above[j] > 0.0 {
            s.x[j] = s.x[j].min(p.upper[j] - 1e-15 * (1.0 + p.upper[j].abs()));
        }
    }
    for (y, d) in s.y.iter_mut().zip(&step.y) {
        *y += length * d;
    }
    merit
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0_f64, |a, v| a.max(v.abs()))
}

struct Step {
    x: Vec<f64>,
    y: Vec<f64>,
    below: Vec<f64>,
    above: Vec<f64>,
}

fn direction(
    p: &Nearest,
    held: &[bool],
    normal: &Normal,
    s: &State,
    (primal, dual, inverse): (&[f64], &[f64], &[f64]),
    aim: &[(f64, f64)],
) -> Step {
    let n = p.weight.len();
    let (mut pull, mut right) = (vec![0.0; n], primal.to_vec());
    for j in (0..n).filter(|&j| !held[j]) {
        pull[j] = dual[j];
        if s.below[j] > 0.0 {
            pull[j] += aim[j].0 / (s.x[j] - p.lower[j]);
        }
        if s.above[j] > 0.0 {
            pull[j] -= aim[j].1 / (p.upper[j] - s.x[j]);
        }
        for (i, a) in p.matrix.iter(j) {
            right[i] -= a * inverse[j] * pull[j];
        }
    }
    let y = refined(normal, inverse, &right);
    let (mut x, mut below, mut above) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    for j in (0..n).filter(|&j| !held[j]) {
        x[j] = (p.matrix.column_dot(j, &y) + pull[j]) * inverse[j];
        if s.below[j] > 0.0 {
            below[j] = (aim[j].0 - s.below[j] * x[j]) / (s.x[j] - p.lower[j]);
        }
        if s.above[j] > 0.0 {
            above[j] = (aim[j].1 + s.above[j] * x[j]) / (p.upper[j] - s.x[j]);
        }
    }
    Step { x, y, below, above }
}

/// Solves the normal equations and corrects twice.
fn refined(normal: &Normal, weights: &[f64], right: &[f64]) -> Vec<f64> {
    let matrix = normal.matrix();
    let mut y = normal.solve(right);
    for _ in 0..2 {
        let scaled: Vec<f64> =
            weights.iter().enumerate().map(|(j, w)| if *w == 0.0 { 0.0 } else { w * matrix.column_dot(j, &y) }).collect();
        let left: Vec<f64> = matrix.times(&scaled).iter().zip(right).map(|(a, b)| b - a).collect();
        for (y, c) in y.iter_mut().zip(normal.solve(&left)) {
            *y += c;
        }
    }
    y
}

/// How far the point and the prices may go.
fn lengths(p: &Nearest, s: &State, step: &Step) -> (f64, f64) {
    let (mut long, mut tall) = (1.0_f64 / 0.995, 1.0_f64 / 0.995);
    for j in 0..s.x.len() {
        if s.below[j] > 0.0 && step.x[j] < 0.0 {
            long = long.min((p.lower[j] - s.x[j]) / step.x[j]);
        }
        if s.above[j] > 0.0 && step.x[j] > 0.0 {
            long = long.min((p.upper[j] - s.x[j]) / step.x[j]);
        }
        for (price, d) in [(s.below[j], step.below[j]), (s.above[j], step.above[j])] {
            if price > 0.0 && d < 0.0 {
                tall = tall.min(-price / d);
            }
        }
    }
    (long, tall)
}

/// Where a column stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stand {
    Lower,
    Upper,
    Free,
}

/// Rounds of Newton's method on the dual, whose pieces are the sets of active bounds: the columns that the prices push
/// beyond a bound stand on it, the others follow the prices, and the prices are those at which the rows hold.
fn polish(p: &Nearest, held: &[bool], normal: &mut Normal, rough: &Pair) -> Pair {
    let n = p.weight.len();
    let mut y = rough.y.clone();
    let mut x = rough.x.clone();
    let mut best: Option<(f64, Pair)> = None;
    let mut slack: Vec<Option<usize>> = vec![None; p.right.len()];
    for j in (0..n).filter(|&j| p.weight[j] == 0.0) {
        for (i, _) in p.matrix.iter(j) {
            slack[i] = Some(j);
        }
    }
    for _ in 0..POLISH {
        let stand: Vec<Stand> = (0..n).map(|j| if held[j] { Stand::Lower } else { stands(p, &y, &x, j) }).collect();
        // A row whose activity is between its sides has no price.
        let keep = |i: usize| slack[i].is_none_or(|j| stand[j] != Stand::Free);
        let weights: Vec<f64> =
            (0..n).map(|j| if stand[j] == Stand::Free && p.weight[j] > 0.0 { 1.0 / p.weight[j] } else { 0.0 }).collect();
        let mut right = p.right.clone();
        for (j, standing) in stand.iter().enumerate() {
            let at = match standing {
                Stand::Lower => p.lower[j],
                Stand::Upper => p.upper[j],
                Stand::Free if p.weight[j] > 0.0 => p.target[j],
                Stand::Free => 0.0,
            };
            for (i, a) in p.matrix.iter(j) {
                right[i] -= a * at;
            }
        }
        for (i, r) in right.iter_mut().enumerate() {
            if !keep(i) {
                *r = 0.0;
            }
        }
        normal.factor(&weights, keep);
        y = refined_kept(normal, &weights, &right, &keep);
        x = (0..n).map(|j| p.wish(&y, j, x[j])).collect();
        let sums = p.matrix.times(&x);
        for (i, j) in slack.iter().enumerate().filter_map(|(i, j)| j.map(|j| (i, j))) {
            let others = sums[i] + x[j];
            x[j] = others.max(p.lower[j]).min(p.upper[j]);
        }
        let pair = Pair { x: x.clone(), y: y.clone() };
        let quality = p.quality(&pair);
        let worth = (quality.gap.abs() / (1.0 + quality.value)).max(quality.residual * 10.0);
        if best.as_ref().is_none_or(|b| worth < b.0) {
            best = Some((worth, pair));
        }
        if worth < 1e-14 {
            break;
        }
    }
    best.map_or_else(|| rough.clone(), |b| b.1)
}

fn refined_kept(normal: &Normal, weights: &[f64], right: &[f64], keep: &impl Fn(usize) -> bool) -> Vec<f64> {
    let matrix = normal.matrix();
    let mut y = normal.solve(right);
    for _ in 0..3 {
        let scaled: Vec<f64> =
            weights.iter().enumerate().map(|(j, w)| if *w == 0.0 { 0.0 } else { w * matrix.column_dot(j, &y) }).collect();
        let product = matrix.times(&scaled);
        let left: Vec<f64> = (0..right.len()).map(|i| if keep(i) { right[i] - product[i] } else { 0.0 }).collect();
        for (y, c) in y.iter_mut().zip(normal.solve(&left)) {
            *y += c;
        }
    }
    y
}

fn stands(p: &Nearest, y: &[f64], x: &[f64], j: usize) -> Stand {
    let pull = p.pull(y, j);
    if p.weight[j] > 0.0 {
        let wish = p.target[j] + pull / p.weight[j];
        if wish <= p.lower[j] {
            Stand::Lower
        } else if wish >= p.upper[j] {
            Stand::Upper
        } else {
            Stand::Free
        }
    } else {
        // The price of a side against the room before it.
        let (below, above) = (x[j] - p.lower[j], p.upper[j] - x[j]);
        if pull < 0.0 && -pull > below {
            Stand::Lower
        } else if pull > 0.0 && pull > above {
            Stand::Upper
        } else {
            Stand::Free
        }
    }
}
