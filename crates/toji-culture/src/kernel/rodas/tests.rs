//! The conditions that the coefficients fulfil, and what the steps reach on problems whose solutions are known.

use super::*;

type Square = [[f64; 6]; 6];

/// The method in its usual form: α and β = α + Γ, and the weights of the solution, of the embedded one, and of the dense
/// output at a share of the step.
struct Usual {
    alpha: Square,
    beta: Square,
    weights: [f64; 6],
    embedded: [f64; 6],
    gamma: Square,
}

fn product(a: &Square, b: &Square) -> Square {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..6).map(|k| a[i][k] * b[k][j]).sum()))
}

fn times(a: &Square, x: &[f64; 6]) -> [f64; 6] {
    std::array::from_fn(|i| dot(&a[i], x))
}

fn dot(a: &[f64; 6], b: &[f64; 6]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Inverse of a lower triangle.
#[expect(clippy::needless_range_loop, reason = "the indices of the formula")]
fn inverse(a: &Square) -> Square {
    let mut x = [[0.0; 6]; 6];
    for column in 0..6 {
        for row in column..6 {
            let one = if row == column { 1.0 } else { 0.0 };
            let sum: f64 = (column..row).map(|k| a[row][k] * x[k][column]).sum();
            x[row][column] = (one - sum) / a[row][row];
        }
    }
    x
}

/// Γ⁻¹ = I/γ − C, α = A·Γ, b = m·Γ (Hairer and Wanner, section IV.7, equation 7.25).
fn usual() -> Usual {
    let (mut a, mut turned) = ([[0.0; 6]; 6], [[0.0; 6]; 6]);
    for i in 0..6 {
        turned[i][i] = 1.0 / GAMMA;
        COUPLING[i].iter().enumerate().for_each(|(j, c)| turned[i][j] = -c);
        if i > 0 {
            A[(i - 1).min(3)].iter().enumerate().for_each(|(j, x)| a[i][j] = *x);
        }
    }
    a[5][4] = 1.0;
    let gamma = inverse(&turned);
    let alpha = product(&a, &gamma);
    let beta = std::array::from_fn(|i| std::array::from_fn(|j| alpha[i][j] + gamma[i][j]));
    let mut last = a[5];
    let embedded = weights(&last, &gamma);
    last[5] = 1.0;
    Usual { alpha, beta, weights: weights(&last, &gamma), embedded, gamma }
}

fn weights(m: &[f64; 6], gamma: &Square) -> [f64; 6] {
    std::array::from_fn(|j| (0..6).map(|i| m[i] * gamma[i][j]).sum())
}

/// What the weights of order 4 leave of the eight conditions at a share of the step, those of orders 1 to 3 first.
fn residues(of: &Usual, b: &[f64; 6], s: f64) -> [f64; 8] {
    let one = [1.0; 6];
    let (c, beta) = (times(&of.alpha, &one), times(&of.beta, &one));
    let (squares, cubes) = (c.map(|c| c * c), c.map(|c| c * c * c));
    let mixed: [f64; 6] = std::array::from_fn(|i| c[i] * dot(&of.alpha[i], &beta));
    let twice = times(&of.beta, &beta);
    [
        dot(b, &one) - s,
        dot(b, &beta) - s * s / 2.0,
        dot(b, &squares) - s.powi(3) / 3.0,
        dot(b, &twice) - s.powi(3) / 6.0,
        dot(b, &cubes) - s.powi(4) / 4.0,
        dot(b, &mixed) - s.powi(4) / 8.0,
        dot(b, &times(&of.beta, &squares)) - s.powi(4) / 12.0,
        dot(b, &times(&of.beta, &twice)) - s.powi(4) / 24.0,
    ]
}

#[track_caller]
fn vanish(residues: &[f64]) {
    assert!(residues.iter().all(|r| r.abs() < 1e-12), "{residues:?}");
}

#[test]
fn the_coefficients_fulfil_all_conditions_of_order_four_and_the_embedded_ones_of_order_three() {
    let of = usual();
    vanish(&residues(&of, &of.weights, 1.0));
    let embedded = residues(&of, &of.embedded, 1.0);
    vanish(&embedded[..4]);
    // Were it of order 4 too, it would measure nothing.
    assert!(embedded[4..].iter().any(|r| r.abs() > 1e-2), "{embedded:?}");
}

#[test]
fn the_coefficients_are_stiffly_accurate_and_times_are_sums_of_their_rows() {
    let of = usual();
    // b is the last row of β, and the embedded weights are that before.
    let last: [f64; 6] = std::array::from_fn(|j| of.beta[5][j] - of.weights[j]);
    let before: [f64; 6] = std::array::from_fn(|j| of.beta[4][j] - of.embedded[j]);
    vanish(&last);
    vanish(&before);
    for i in 0..6 {
        let (c, d): (f64, f64) = (of.alpha[i].iter().sum(), of.gamma[i].iter().sum());
        vanish(&[c - C.get(i).copied().unwrap_or(1.0), d - D.get(i).copied().unwrap_or(0.0)]);
    }
}

/// b·β⁻¹·α² = 1 (differential-algebraic problems of index 1), and for linear parabolic problems and those of Prothero and
/// Robinson β⁻¹·α² = 2·α in the stages whose weight counts where everything is stiff (Steinebach 2020).
#[test]
fn the_coefficients_fulfil_the_conditions_of_stiff_problems() {
    let of = usual();
    let squares = times(&of.alpha, &[1.0; 6]).map(|c| c * c);
    let turned = times(&inverse(&of.beta), &squares);
    vanish(&[dot(&of.weights, &turned) - 1.0, turned[4] - 2.0, turned[5] - 2.0]);
    for s in [0.2, 0.5, 0.9] {
        let b = dense(&of, s);
        vanish(&[dot(&b, &turned) - s * s]);
    }
}

fn dense(of: &Usual, s: f64) -> [f64; 6] {
    let mut m = [0.0; 6];
    for (j, m) in m.iter_mut().enumerate() {
        let end = if j < 4 { A[3][j] } else { 1.0 };
        let inner = if j < 5 { DENSE[0][j] + s * DENSE[1][j] } else { 0.0 };
        *m = s * (end + (1.0 - s) * inner);
    }
    weights(&m, &of.gamma)
}

#[test]
fn the_dense_output_fulfils_all_conditions_of_order_three() {
    let of = usual();
    for s in [0.1, 0.3, 0.5, 0.7, 0.9, 1.0] {
        vanish(&residues(&of, &dense(&of, s), s)[..4]);
    }
}

/// Solved by y₁ = exp(sin t), y₂ = cos t: nonlinear, not autonomous.
struct Known;
impl Slopes<f64> for Known {
    fn slopes(&mut self, t: f64, y: &[f64], into: &mut [f64]) {
        into[0] = y[0] * y[1];
        into[1] = -libm::sin(t) + 3.0 * (libm::cos(t) - y[1]) * y[0];
    }
    fn jacobian(&mut self, t: f64, y: &[f64], into: &mut [f64], in_time: &mut [f64], j: &mut [f64]) {
        self.slopes(t, y, into);
        in_time.copy_from_slice(&[0.0, -libm::cos(t) - 3.0 * libm::sin(t) * y[0]]);
        j.copy_from_slice(&[y[1], y[0], 3.0 * (libm::cos(t) - y[1]), -3.0 * y[0]]);
    }
}

/// Error at the end, and the greatest inside the steps, with fixed steps.
fn errors(steps: u32) -> (f64, f64) {
    let mut solver = Rodas::<f64>::new(2);
    let h = 2.0 / f64::from(steps);
    let mut y = vec![1.0, 1.0];
    let mut inside = 0.0f64;
    let off = |t: f64, y: &[f64]| (y[0] - libm::exp(libm::sin(t))).abs().max((y[1] - libm::cos(t)).abs());
    for i in 0..steps {
        let t = f64::from(i) * h;
        solver.begin(&mut Known, t, &y);
        solver.attempt(&mut Known, (t, h, t + h), Tolerances { relative: 1e-6, absolute: &[1e-6; 2] });
        solver.step.prepare();
        for share in [0.3, 0.7] {
            solver.step.inside(share, &mut y);
            inside = inside.max(off(t + share * h, &y));
        }
        y.copy_from_slice(&solver.step.ends);
    }
    (off(2.0, &y), inside)
}

#[test]
fn is_of_order_four_and_its_dense_output_of_order_three() {
    let (coarse, fine) = (errors(40), errors(80));
    let order = |a: f64, b: f64| libm::log2(a / b);
    assert!(order(coarse.0, fine.0) > 3.8, "{} {}", coarse.0, fine.0);
    assert!(order(coarse.1, fine.1) > 3.7, "{} {}", coarse.1, fine.1);
}

/// y' = −λ·(y − cos t) − sin t: solved by cos t, however stiff (Prothero and Robinson 1974).
struct Stiff(f64);
impl Slopes<f64> for Stiff {
    fn slopes(&mut self, t: f64, y: &[f64], into: &mut [f64]) {
        into[0] = -self.0 * (y[0] - libm::cos(t)) - libm::sin(t);
    }
    fn jacobian(&mut self, t: f64, y: &[f64], into: &mut [f64], in_time: &mut [f64], j: &mut [f64]) {
        self.slopes(t, y, into);
        in_time[0] = -self.0 * libm::sin(t) - libm::cos(t);
        j[0] = -self.0;
    }
}

/// The greatest error at the ends of fixed steps, and inside them.
fn stiff(lambda: f64, steps: u32) -> (f64, f64) {
    let mut solver = Rodas::<f64>::new(1);
    let h = 1.5 / f64::from(steps);
    let (mut y, mut at) = (vec![1.0], vec![0.0]);
    let (mut worst, mut inside) = (0.0f64, 0.0f64);
    for i in 0..steps {
        let t = f64::from(i) * h;
        solver.begin(&mut Stiff(lambda), t, &y);
        solver.attempt(&mut Stiff(lambda), (t, h, t + h), Tolerances { relative: 1e-6, absolute: &[1e-6] });
        solver.step.prepare();
        solver.step.inside(0.4, &mut at);
        inside = inside.max((at[0] - libm::cos(t + 0.4 * h)).abs());
        y.copy_from_slice(&solver.step.ends);
        worst = worst.max((y[0] - libm::cos(t + h)).abs());
    }
    (worst, inside)
}

/// Where λ·h is large the error does not stay behind: it falls with the order of the method, and with λ.
#[test]
fn stiff_problems_keep_their_order_at_the_ends_and_inside() {
    for lambda in [1e2, 1e4, 1e6, 1e9] {
        let (coarse, fine) = (stiff(lambda, 20), stiff(lambda, 40));
        let order = |a: f64, b: f64| libm::log2(a / b);
        // Rounding at 1e9 leaves 1e-15 or so.
        assert!(fine.0 < 1e-13 || order(coarse.0, fine.0) > 2.9, "{lambda}: {coarse:?} {fine:?}");
        assert!(fine.1 < 1e-13 || order(coarse.1, fine.1) > 2.5, "{lambda}: {coarse:?} {fine:?}");
    }
}

/// Three states that eat each other, in any number.
struct Chain;
impl<N: Number> Slopes<N> for Chain {
    fn slopes(&mut self, t: N, y: &[N], into: &mut [N]) {
        let rate = y[0] * y[1] / (y[0] + N::of(0.3));
        into[0] = t - rate;
        into[1] = rate - N::of(40.0) * y[1] * y[2];
        into[2] = N::of(40.0) * y[1] * y[2] - y[2] / (t + N::of(1.0));
    }
    fn jacobian(&mut self, t: N, y: &[N], into: &mut [N], in_time: &mut [N], j: &mut [N]) {
        self.slopes(t, y, into);
        let (shared, later) = (y[0] + N::of(0.3), t + N::of(1.0));
        let by = [N::of(0.3) * y[1] / (shared * shared), y[0] / shared];
        let eaten = [N::of(40.0) * y[2], N::of(40.0) * y[1]];
        in_time.copy_from_slice(&[N::of(1.0), N::of(0.0), y[2] / (later * later)]);
        let rows = [-by[0], -by[1], N::of(0.0), by[0], by[1] - eaten[0], -eaten[1]];
        j.copy_from_slice(&[&rows[..], &[N::of(0.0), eaten[0], eaten[1] - N::of(1.0) / later]].concat());
    }
}

/// The same bits from the instructions of this processor as from those that every processor has.
#[test]
fn wide_steps_are_narrow_steps() {
    fn same<N: Number>(y: &[N], h: N) {
        let (mut wide, mut narrow) = (Rodas::<N>::new(3), Rodas::<N>::new(3));
        let (mut y, mut t) = (y.to_vec(), N::of(0.0));
        for _ in 0..50 {
            wide.begin(&mut Chain, t, &y);
            narrow.look(&mut Chain, t, &y);
            let sound = wide::advance(&mut wide, &mut Chain, (t, h, t + h));
            let of_narrow = narrow.advance(&mut Chain, (t, h, t + h));
            assert_eq!(sound.lanes(), of_narrow.lanes());
            for (a, b) in
                wide.step.ends.iter().zip(&narrow.step.ends).chain(wide.step.stages[5].iter().zip(&narrow.step.stages[5]))
            {
                let bits = |n: &N| n.lanes().iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(a), bits(b));
            }
            y.copy_from_slice(&wide.step.ends);
            t = t + h;
        }
    }
    same(&[1.0, 0.4, 0.1], 0.013);
    let lanes = |start: f64| Lanes::<8>(std::array::from_fn(|l| start * (1.0 + 0.07 * l as f64)));
    same(&[lanes(1.0), lanes(0.4), lanes(0.1)], lanes(0.011));
}
