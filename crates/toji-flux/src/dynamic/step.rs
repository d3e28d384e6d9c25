//! One step of a differential equation: Dormand and Prince's pair of orders 5 and 4 (J. Comput. Appl. Math. 6, 1980, 19–26).

const A: [&[f64]; 6] = [
    &[1.0 / 5.0],
    &[3.0 / 40.0, 9.0 / 40.0],
    &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
    &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
    &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
    &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
];
/// Weights of order five less those of order four.
const E: [f64; 7] = [71.0 / 57600.0, 0.0, -71.0 / 16695.0, 71.0 / 1920.0, -17253.0 / 339_200.0, 22.0 / 525.0, -1.0 / 40.0];

/// Where a step ends.
pub(super) struct Step {
    pub(super) end: Vec<f64>,
    /// Slope at the start and at the end.
    pub(super) slopes: (Vec<f64>, Vec<f64>),
    /// Estimated error over what is tolerated; at most one is good.
    pub(super) error: f64,
}

/// A step of length `h` from `y`; `tolerance` is relative to each value and to one thousandth.
pub(super) fn step(y: &[f64], h: f64, tolerance: f64, mut slope: impl FnMut(&[f64]) -> Vec<f64>) -> Step {
    let mut k = vec![slope(y)];
    let mut end = y.to_vec();
    for row in A {
        for (i, value) in end.iter_mut().enumerate() {
            *value = y[i] + h * row.iter().zip(&k).map(|(a, k)| a * k[i]).sum::<f64>();
        }
        k.push(slope(&end));
    }
    let mut error = 0.0_f64;
    for i in 0..y.len() {
        let wrong = h * E.iter().zip(&k).map(|(e, k)| e * k[i]).sum::<f64>();
        error = error.max(wrong.abs() / (tolerance * (1e-3 + y[i].abs().max(end[i].abs()))));
    }
    let last = k.pop().unwrap_or_default();
    Step { end, slopes: (k.swap_remove(0), last), error }
}

impl Step {
    /// The state at a part of the step, by Hermite's cubic.
    pub(super) fn at(&self, y: &[f64], h: f64, part: f64) -> Vec<f64> {
        let (s, t) = (part, 1.0 - part);
        (0..y.len())
            .map(|i| {
                let (a, b) = (y[i], self.end[i]);
                t * a + s * b + s * t * ((2.0 * s - 1.0) * (b - a) + t * h * self.slopes.0[i] - s * h * self.slopes.1[i])
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decay_and_oscillation_are_of_the_fifth_order() {
        let field = |y: &[f64]| vec![y[1], -y[0], -y[2]];
        let fault = |h: f64| {
            let s = step(&[0.0, 1.0, 1.0], h, 1e-9, field);
            let middle = s.at(&[0.0, 1.0, 1.0], h, 0.5);
            assert!((middle[0] - (h / 2.0).sin()).abs() < h.powi(4) / 50.0);
            (s.end[0] - h.sin()).abs().max((s.end[2] - (-h).exp()).abs())
        };
        let order = (fault(0.2) / fault(0.1)).log2();
        assert!(order > 5.5, "{order}");
    }
}
