//! One step of RODAS: a stiffly accurate Rosenbrock method of order 4 with an embedded one of order 3 and dense
//! output of order 3 (Hairer and Wanner, Solving Ordinary Differential Equations II, 2nd ed., section IV.7 and the
//! coefficients of their code RODAS).

use super::factor::Factors;
use super::number::{Lanes, Number};

const GAMMA: f64 = 0.25;
/// Times of the stages, in steps.
const C: [f64; 4] = [0.0, 0.386, 0.21, 0.63];
/// Weights of the slope in time.
const D: [f64; 4] = [0.25, -0.1043, 0.1035, -0.036_200_000_000_000_23];
const A2: [f64; 1] = [1.544];
const A3: [f64; 2] = [0.946_678_528_081_582_6, 0.255_701_169_898_328_4];
const A4: [f64; 3] = [3.314_825_187_068_521, 2.896_124_015_972_201, 0.998_641_913_997_781_7];
const A5: [f64; 4] = [1.221_224_509_226_641, 6.019_134_481_288_629, 12.537_083_329_320_87, -0.687_886_036_105_895];
const C2: [f64; 1] = [-5.6688];
const C3: [f64; 2] = [-2.430_093_356_833_875, -0.206_359_915_709_191_5];
const C4: [f64; 3] = [-0.107_352_905_815_137_5, -9.594_562_251_023_355, -20.470_286_148_096_16];
const C5: [f64; 4] = [7.496_443_313_967_647, -10.246_804_314_643_52, -33.999_903_528_199_05, 11.708_908_932_061_6];
const C6: [f64; 5] =
    [8.083_246_795_921_522, -7.981_132_988_064_893, -31.521_594_328_743_71, 16.319_305_431_231_36, -6.058_818_238_834_054];
const H2: [f64; 5] =
    [10.126_235_083_445_86, -7.487_995_877_610_167, -34.800_918_615_557_47, -7.992_771_707_568_823, 1.025_137_723_295_662];
const H3: [f64; 5] =
    [-0.676_280_339_280_125_3, 6.087_714_651_680_015, 16.430_843_208_924_78, 24.767_225_114_183_86, -6.594_389_125_716_872];

/// What is integrated: y' = f(t, y).
pub(super) trait Slopes<N> {
    /// f at a point.
    fn slopes(&mut self, t: N, y: &[N], into: &mut [N]);
    /// f, its derivative in time, and ∂f/∂y row by row (zeros are there already).
    fn jacobian(&mut self, t: N, y: &[N], into: &mut [N], in_time: &mut [N], jacobian: &mut [N]);
}

/// A step as it was taken.
#[derive(Debug, Clone)]
pub(super) struct Step<N> {
    /// State at its beginning.
    pub(super) begins: Vec<N>,
    /// State at its end.
    pub(super) ends: Vec<N>,
    /// Slopes at its beginning.
    pub(super) slopes: Vec<N>,
    stages: [Vec<N>; 6],
    dense: [Vec<N>; 2],
}

/// The working memory of steps.
#[derive(Debug, Clone)]
pub(super) struct Rodas<N> {
    n: usize,
    w: Factors<N>,
    jacobian: Vec<N>,
    in_time: Vec<N>,
    at: Vec<N>,
    /// The last one.
    pub(super) step: Step<N>,
}

/// What is asked of steps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tolerances<'a> {
    /// Relative error of a step.
    pub(super) relative: f64,
    /// Absolute error of a step, state by state.
    pub(super) absolute: &'a [f64],
}

fn blend<N: Number>(into: &mut [N], weights: &[f64], of: &[Vec<N>]) {
    for (weight, stage) in weights.iter().zip(of) {
        let weight = N::of(*weight);
        for (to, k) in into.iter_mut().zip(stage) {
            *to = *to + weight * *k;
        }
    }
}

impl<N: Number> Step<N> {
    /// Memory for n states.
    #[must_use]
    pub(super) fn new(n: usize) -> Self {
        let zeros = || vec![N::of(0.0); n];
        Self {
            begins: zeros(),
            ends: zeros(),
            slopes: zeros(),
            stages: std::array::from_fn(|_| zeros()),
            dense: [zeros(), zeros()],
        }
    }

    /// Prepares the dense output.
    pub(super) fn prepare(&mut self) {
        for (into, weights) in self.dense.iter_mut().zip([&H2, &H3]) {
            into.fill(N::of(0.0));
            blend(into, weights, &self.stages[..5]);
        }
    }

    /// The state at a share of the step, 0…1, after [`Self::prepare`].
    pub(super) fn inside(&self, share: f64, into: &mut [N]) {
        let (s, rest) = (N::of(share), N::of(1.0 - share));
        for (i, to) in into.iter_mut().enumerate() {
            *to = self.begins[i] * rest + s * (self.ends[i] + rest * (self.dense[0][i] + s * self.dense[1][i]));
        }
    }
}

impl<const L: usize> Step<Lanes<L>> {
    /// The step of one lane; its stages only where its inside is to be looked at.
    pub(super) fn lane(&self, lane: usize, inside: bool, into: &mut Step<f64>) {
        let copy = |from: &[Lanes<L>], to: &mut [f64]| to.iter_mut().zip(from).for_each(|(to, from)| *to = from.0[lane]);
        copy(&self.begins, &mut into.begins);
        copy(&self.ends, &mut into.ends);
        copy(&self.slopes, &mut into.slopes);
        if inside {
            self.stages.iter().zip(&mut into.stages).for_each(|(from, to)| copy(from, to));
        }
    }
}

impl<N: Number> Rodas<N> {
    /// Memory for n states.
    #[must_use]
    pub(super) fn new(n: usize) -> Self {
        let zeros = || vec![N::of(0.0); n];
        Self { n, w: Factors::new(n), jacobian: vec![N::of(0.0); n * n], in_time: zeros(), at: zeros(), step: Step::new(n) }
    }

    /// Looks at the beginning of steps: slopes and Jacobian there.
    pub(super) fn begin(&mut self, model: &mut impl Slopes<N>, t: N, y: &[N]) {
        self.step.begins.copy_from_slice(y);
        self.jacobian.fill(N::of(0.0));
        model.jacobian(t, y, &mut self.step.slopes, &mut self.in_time, &mut self.jacobian);
    }

    /// Tries a step of length h from t. `to` is the instant at which the slopes at its end are looked at: t + h, or
    /// short of it where something turns there. The error relative to the tolerances; above 1, or NaN, the step is to
    /// be repeated with a shorter one.
    pub(super) fn attempt(&mut self, model: &mut impl Slopes<N>, (t, h, to): (f64, f64, f64), asked: Tolerances<'_>) -> f64 {
        let sound = self.advance(model, (N::of(t), N::of(h), N::of(to)));
        let mut sum = if sound.lanes().contains(&0.0) { f64::NAN } else { 0.0 };
        let Step { stages, begins, ends, .. } = &self.step;
        for (i, scale) in asked.absolute.iter().enumerate() {
            let lanes = stages[5][i].lanes().iter().zip(begins[i].lanes()).zip(ends[i].lanes());
            let worst = lanes.fold(0.0, |worst: f64, ((e, from), to)| {
                let share = e.abs() / (scale + asked.relative * from.abs().max(to.abs()));
                if share.is_nan() || worst.is_nan() { f64::NAN } else { worst.max(share) }
            });
            sum += worst * worst;
        }
        libm::sqrt(sum / (self.n.max(1) as f64))
    }

    /// The stages of a step and the state at its end. 0 in a lane whose matrix is singular.
    fn advance(&mut self, model: &mut impl Slopes<N>, (t, h, to): (N, N, N)) -> N {
        let n = self.n;
        let per_h = N::of(1.0) / h;
        let diagonal = per_h * N::of(1.0 / GAMMA);
        for (w, j) in self.w.entries.iter_mut().zip(&self.jacobian) {
            *w = -*j;
        }
        for i in 0..n {
            self.w.entries[i * n + i] = self.w.entries[i * n + i] + diagonal;
        }
        let sound = self.w.factor();
        let Step { begins, ends, slopes, stages, .. } = &mut self.step;
        for stage in 0..6 {
            let (done, rest) = stages.split_at_mut(stage);
            let k = &mut rest[0];
            match stage {
                0 => k.copy_from_slice(slopes),
                1..=4 => {
                    self.at.copy_from_slice(begins);
                    let weights: &[f64] = [&A2[..], &A3, &A4, &A5][stage - 1];
                    blend(&mut self.at, weights, done);
                    let time = if stage == 4 { to } else { t + N::of(C[stage]) * h };
                    model.slopes(time, &self.at, k);
                }
                _ => {
                    for (at, last) in self.at.iter_mut().zip(&done[4]) {
                        *at = *at + *last;
                    }
                    model.slopes(to, &self.at, k);
                }
            }
            let weights: &[f64] = [&[][..], &C2, &C3, &C4, &C5, &C6][stage];
            for (weight, earlier) in weights.iter().zip(done.iter()) {
                let weight = N::of(*weight) * per_h;
                for (to, e) in k.iter_mut().zip(earlier) {
                    *to = *to + weight * *e;
                }
            }
            if stage < 4 {
                let weight = N::of(D[stage]) * h;
                for (to, s) in k.iter_mut().zip(&self.in_time) {
                    *to = *to + weight * *s;
                }
            }
            self.w.solve(k);
        }
        for i in 0..n {
            ends[i] = self.at[i] + stages[5][i];
        }
        sound
    }
}

impl<const L: usize> Rodas<Lanes<L>> {
    /// As [`Self::attempt`], each lane with its own step, and its own error.
    pub(super) fn attempt_apart(
        &mut self,
        model: &mut impl Slopes<Lanes<L>>,
        (t, h, to): ([f64; L], [f64; L], [f64; L]),
        asked: Tolerances<'_>,
    ) -> [f64; L] {
        let sound = self.advance(model, (Lanes(t), Lanes(h), Lanes(to)));
        let mut sums = sound.0.map(|sound| if sound == 0.0 { f64::NAN } else { 0.0 });
        let Step { stages, begins, ends, .. } = &self.step;
        for (i, scale) in asked.absolute.iter().enumerate() {
            for (l, sum) in sums.iter_mut().enumerate() {
                let size = begins[i].0[l].abs().max(ends[i].0[l].abs());
                let share = stages[5][i].0[l].abs() / (scale + asked.relative * size);
                *sum += share * share;
            }
        }
        sums.map(|sum| libm::sqrt(sum / (self.n.max(1) as f64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
