//! An implicit solver for autonomous stiff equations y' = f(y): the Rosenbrock method Rodas4P2 of order 4, stiffly accurate,
//! with an embedded one of order 3 (G. Steinebach, Improvement of Rosenbrock-Wanner method RODASP, in: Progress in
//! Differential-Algebraic Equations II, Springer 2020, 165–184; form of Hairer and Wanner, Solving Ordinary Differential
//! Equations II, 2nd ed., section IV.7). Linear invariants of f are invariants of the steps, to rounding.

use toji_core::{Category, Error, Result};

const GAMMA: f64 = 0.25;
/// Weights of the earlier stages in the state of stages 2 to 5; stage 6 stands at that of stage 5 plus the stage.
const A: [&[f64]; 4] = [
    &[3.0],
    &[0.906_377_755_268_814, -0.189_707_390_391_685],
    &[3.758_617_027_739_064, 1.161_741_776_019_525, -0.849_258_085_312_803],
    &[7.089_566_927_282_776, 4.573_591_406_461_604, -8.423_496_976_860_259, -0.959_280_113_459_775],
];
/// Weights of the earlier stages, over h, in the equation of stages 1 to 6.
const COUPLING: [&[f64]; 6] = [
    &[],
    &[-12.0],
    &[-6.354_581_592_719_008, 0.338_972_550_544_623],
    &[-8.575_016_317_114_033, -7.606_483_992_117_508, 12.224_997_650_124_82],
    &[-5.888_975_457_523_102, -8.157_396_617_841_82, 24.805_546_872_612_922, 12.790_401_512_796_98],
    &[-4.408_651_676_063_871, -6.692_003_137_674_639, 24.625_568_527_593_117, 16.627_521_966_636_085, -5.714_285_714_285_718],
];
/// Steps of one integration, those repeated among them.
const STEPS_MAX: usize = 200_000;

/// What is integrated.
pub(super) trait Slopes {
    /// f.
    fn slopes(&self, y: &[f64], into: &mut [f64]);
    /// ∂f/∂y, row by row.
    fn jacobian(&self, y: &[f64], into: &mut [f64]);
}

/// LU factors with row exchanges, row by row.
struct Factors {
    n: usize,
    entries: Vec<f64>,
    swaps: Vec<usize>,
}

impl Factors {
    /// `None`: singular.
    fn new(n: usize, mut a: Vec<f64>) -> Option<Self> {
        let mut swaps = Vec::with_capacity(n);
        for k in 0..n {
            let at = (k..n).max_by(|&i, &j| a[i * n + k].abs().total_cmp(&a[j * n + k].abs()))?;
            let pivot = a[at * n + k];
            if pivot == 0.0 || !pivot.is_finite() {
                return None;
            }
            swaps.push(at);
            if at != k {
                (0..n).for_each(|j| a.swap(k * n + j, at * n + j));
            }
            for i in k + 1..n {
                let factor = a[i * n + k] / pivot;
                a[i * n + k] = factor;
                if factor != 0.0 {
                    for j in k + 1..n {
                        a[i * n + j] -= factor * a[k * n + j];
                    }
                }
            }
        }
        Some(Self { n, entries: a, swaps })
    }

    fn solve(&self, b: &mut [f64]) {
        let n = self.n;
        for (k, &at) in self.swaps.iter().enumerate() {
            b.swap(k, at);
        }
        for i in 0..n {
            b[i] -= (0..i).map(|j| self.entries[i * n + j] * b[j]).sum::<f64>();
        }
        for i in (0..n).rev() {
            let sum: f64 = (i + 1..n).map(|j| self.entries[i * n + j] * b[j]).sum();
            b[i] = (b[i] - sum) / self.entries[i * n + i];
        }
    }
}

/// How exact steps are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tolerance<'a> {
    /// Relative.
    pub(super) relative: f64,
    /// Absolute, state by state.
    pub(super) absolute: &'a [f64],
}

/// One step of length h: the state at its end, and the error relative to what is tolerated (NaN: nothing came of it).
pub(super) fn step(of: &impl Slopes, y: &[f64], h: f64, tolerance: Tolerance<'_>) -> (Vec<f64>, f64) {
    let n = y.len();
    let mut w = vec![0.0; n * n];
    of.jacobian(y, &mut w);
    w.iter_mut().for_each(|x| *x = -*x);
    (0..n).for_each(|i| w[i * n + i] += 1.0 / (GAMMA * h));
    let Some(factors) = Factors::new(n, w) else { return (y.to_vec(), f64::NAN) };
    let mut stages: Vec<Vec<f64>> = Vec::with_capacity(6);
    let mut at = y.to_vec();
    for stage in 0..6 {
        match stage {
            0 => {}
            1..=4 => {
                for i in 0..n {
                    at[i] = y[i] + A[stage - 1].iter().zip(&stages).map(|(a, k)| a * k[i]).sum::<f64>();
                }
            }
            _ => at.iter_mut().zip(&stages[4]).for_each(|(at, k)| *at += k),
        }
        let mut k = vec![0.0; n];
        of.slopes(&at, &mut k);
        for (i, k) in k.iter_mut().enumerate() {
            *k += COUPLING[stage].iter().zip(&stages).map(|(c, earlier)| c * earlier[i]).sum::<f64>() / h;
        }
        factors.solve(&mut k);
        stages.push(k);
    }
    let last = &stages[5];
    let end: Vec<f64> = at.iter().zip(last).map(|(at, k)| at + k).collect();
    let sum: f64 = (0..n)
        .map(|i| {
            let scale = tolerance.absolute[i] + tolerance.relative * y[i].abs().max(end[i].abs());
            let share = last[i] / scale;
            share * share
        })
        .sum();
    let error = (sum / n.max(1) as f64).sqrt();
    (end, error)
}

/// From `y` at time `from` to `to`, telling each step (its beginning, its length, the state there and the state at its
/// end); `false` ends early. `length` is the first step tried and the last one found good.
///
/// # Errors
/// `E-FLUX-102` when the steps do not come to the end.
pub(super) fn integrate(
    of: &impl Slopes,
    y: &mut Vec<f64>,
    (from, to): (f64, f64),
    length: &mut f64,
    tolerance: Tolerance<'_>,
    mut told: impl FnMut(f64, f64, &[f64], &[f64]) -> bool,
) -> Result<usize> {
    let (mut t, mut steps) = (from, 0);
    while t < to {
        steps += 1;
        let lands = *length >= to - t;
        let h = if lands { to - t } else { *length };
        let (end, error) = step(of, y, h, tolerance);
        if steps > STEPS_MAX || h < 1e-14 * to.abs() && error.is_nan() {
            return Err(Error::new(
                Category::Model,
                "E-FLUX-102",
                format!("時刻 {t} h で計算が進まなくなりました"),
                format!("the course no longer advances at {t} h"),
            )
            .hint(
                "速度定数と阻害定数の桁を見直すか、許容誤差を緩めてください",
                "look at the size of rate and inhibition constants, or ask for less exactness",
            ));
        }
        let sound = error.is_finite() && end.iter().all(|v| v.is_finite());
        let factor = if sound { (0.9 * error.max(1e-12).powf(-0.25)).clamp(0.2, 5.0) } else { 0.1 };
        if !sound || error > 1.0 {
            *length = h * factor.min(0.9);
            continue;
        }
        let goes_on = told(t, h, y, &end);
        *y = end;
        t = if lands { to } else { t + h };
        *length = if lands { (h * factor).max(*length) } else { h * factor };
        if !goes_on {
            break;
        }
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// y₁ = exp(sin t), y₂ = cos t, y₃ = t.
    struct Known;
    impl Slopes for Known {
        fn slopes(&self, y: &[f64], into: &mut [f64]) {
            into[0] = y[0] * y[1];
            into[1] = -y[2].sin() + 3.0 * (y[2].cos() - y[1]) * y[0];
            into[2] = 1.0;
        }
        fn jacobian(&self, y: &[f64], j: &mut [f64]) {
            j.copy_from_slice(&[
                y[1],
                y[0],
                0.0,
                3.0 * (y[2].cos() - y[1]),
                -3.0 * y[0],
                -y[2].cos() - 3.0 * y[2].sin() * y[0],
                0.0,
                0.0,
                0.0,
            ]);
        }
    }

    fn error(steps: u32) -> f64 {
        let h = 2.0 / f64::from(steps);
        let mut y = vec![1.0, 1.0, 0.0];
        let tolerance = Tolerance { relative: 1e-6, absolute: &[1e-6; 3] };
        for _ in 0..steps {
            y = step(&Known, &y, h, tolerance).0;
        }
        (y[0] - 2.0_f64.sin().exp()).abs().max((y[1] - 2.0_f64.cos()).abs())
    }

    #[test]
    fn is_of_order_four() {
        let (coarse, fine) = (error(40), error(80));
        assert!((coarse / fine).log2() > 3.8, "{coarse} {fine}");
    }

    /// Robertson's problem (1966), stiff: values at t = 40 from Hairer and Wanner's test set are 0.7158, 9.185e-6, 0.2842;
    /// the digits here are SciPy 1.17.1's Radau and LSODA at 1e-13, which agree to 1e-11.
    struct Robertson;
    impl Slopes for Robertson {
        fn slopes(&self, y: &[f64], into: &mut [f64]) {
            let (a, b, c) = (0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]);
            into.copy_from_slice(&[-a + b, a - b - c, c]);
        }
        fn jacobian(&self, y: &[f64], j: &mut [f64]) {
            let (b1, b2, c1) = (1e4 * y[2], 1e4 * y[1], 6e7 * y[1]);
            j.copy_from_slice(&[-0.04, b1, b2, 0.04, -b1 - c1, -b2, 0.0, c1, 0.0]);
        }
    }

    #[test]
    fn a_stiff_problem_is_solved_and_its_invariant_kept() {
        let mut y = vec![1.0, 0.0, 0.0];
        let tolerance = Tolerance { relative: 1e-9, absolute: &[1e-15; 3] };
        let mut length = 1e-6;
        let steps = integrate(&Robertson, &mut y, (0.0, 40.0), &mut length, tolerance, |_, _, _, _| true).unwrap();
        for (have, want) in y.iter().zip(&ROBERTSON_40) {
            assert!((have - want).abs() < 1e-7 * want.abs(), "{have} but {want}");
        }
        assert!((y.iter().sum::<f64>() - 1.0).abs() < 1e-13, "{y:?}");
        assert!(steps < 2000, "{steps}");
    }
    const ROBERTSON_40: [f64; 3] = [0.715_827_068_72, 9.185_534_764_57e-6, 0.284_163_745_745];
}
