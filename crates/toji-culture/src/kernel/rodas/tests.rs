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
