//! One step of Rodas4P2: a stiffly accurate Rosenbrock method of order 4 with an embedded one of order 3 and dense
//! output of order 3 (Steinebach 2020; the form of Hairer and Wanner, Solving Ordinary Differential Equations II, 2nd ed.,
//! section IV.7).

mod tableau;
#[cfg(test)]
mod tests;
mod wide;

use super::factor::Factors;
use super::number::{Lanes, Number};
use tableau::{A, C, COUPLING, D, DENSE, GAMMA};

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

/// Weighted sum of one state's stages, beginning with `from`.
#[inline(always)]
fn blend<N: Number>(from: N, weights: &[f64], of: &[Vec<N>], i: usize) -> N {
    weights.iter().zip(of).fold(from, |sum, (weight, stage)| sum + N::of(*weight) * stage[i])
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
        for (into, weights) in self.dense.iter_mut().zip(&DENSE) {
            for (i, to) in into.iter_mut().enumerate() {
                *to = blend(N::of(0.0), weights, &self.stages[..5], i);
            }
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
        wide::begin(self, model, t, y);
    }

    #[inline(always)]
    fn look(&mut self, model: &mut impl Slopes<N>, t: N, y: &[N]) {
        self.step.begins.copy_from_slice(y);
        self.jacobian.fill(N::of(0.0));
        model.jacobian(t, y, &mut self.step.slopes, &mut self.in_time, &mut self.jacobian);
    }

    /// Tries a step of length h from t. `to` is the instant at which the slopes at its end are looked at: t + h, or
    /// short of it where something turns there. The error relative to the tolerances; above 1, or NaN, the step is to
    /// be repeated with a shorter one.
    pub(super) fn attempt(&mut self, model: &mut impl Slopes<N>, (t, h, to): (f64, f64, f64), asked: Tolerances<'_>) -> f64 {
        let sound = wide::advance(self, model, (N::of(t), N::of(h), N::of(to)));
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
    #[inline(always)]
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
                    for (i, (at, from)) in self.at.iter_mut().zip(begins.iter()).enumerate() {
                        *at = blend(*from, A[stage - 1], done, i);
                    }
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
            if stage > 0 {
                for (i, to) in k.iter_mut().enumerate() {
                    *to = *to + per_h * blend(N::of(0.0), COUPLING[stage], done, i);
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
        let sound = wide::advance(self, model, (Lanes(t), Lanes(h), Lanes(to)));
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
