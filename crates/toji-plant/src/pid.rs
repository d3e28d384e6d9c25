//! A PID controller as plants use it: derivative on the measurement, limited output, anti-windup by
//! back-calculation, bumpless switch between hand and automatic.
//!
//! Form and anti-windup after Åström and Hägglund, "Advanced PID Control" (ISA, 2006), chapter 3; tunings
//! by Skogestad's rules (J. Process Control 13:291, 2003).

/// Tuning of a [`Pid`]: gain in output per unit of the measurement, times in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuning {
    /// Proportional gain, output unit per measured unit.
    pub gain: f64,
    /// Integral time, s; infinite for none.
    pub integral_s: f64,
    /// Derivative time, s; 0 for none.
    pub derivative_s: f64,
    /// Deviations smaller than this count as none, measured unit.
    pub dead_band: f64,
    /// Lowest output.
    pub low: f64,
    /// Highest output.
    pub high: f64,
}

impl Tuning {
    /// Skogestad's rules for a first-order process of `process_gain` (measured unit per output unit), time
    /// constant and dead time, to a closed-loop time constant.
    #[must_use]
    pub fn first_order(process_gain: f64, lag_s: f64, dead_s: f64, closed_s: f64, low: f64, high: f64) -> Self {
        let gain = lag_s / (process_gain * (closed_s + dead_s));
        Self { gain, integral_s: lag_s.min(4.0 * (closed_s + dead_s)), derivative_s: 0.0, dead_band: 0.0, low, high }
    }
    /// Skogestad's rules for an integrating process: `slope` is the measured unit per second and output unit.
    #[must_use]
    pub fn integrating(slope: f64, dead_s: f64, closed_s: f64, low: f64, high: f64) -> Self {
        let gain = 1.0 / (slope * (closed_s + dead_s));
        Self { gain, integral_s: 4.0 * (closed_s + dead_s), derivative_s: 0.0, dead_band: 0.0, low, high }
    }
}

/// The controller's state.
#[derive(Debug, Clone, PartialEq)]
pub struct Pid {
    /// How it is tuned; may be changed while it runs (gain scheduling) without a jump of the integral.
    pub tuning: Tuning,
    integral: f64,
    before: Option<f64>,
    output: f64,
}

impl Pid {
    /// A controller whose output begins here.
    #[must_use]
    pub fn new(tuning: Tuning, output: f64) -> Self {
        Self { tuning, integral: output, before: None, output }
    }
    /// The last output.
    #[must_use]
    pub fn output(&self) -> f64 {
        self.output
    }
    /// One step of automatic control; returns the output.
    pub fn step(&mut self, set_point: f64, measured: f64, dt_s: f64) -> f64 {
        let t = self.tuning;
        let deviation = set_point - measured;
        let deviation = if deviation.abs() <= t.dead_band { 0.0 } else { deviation };
        let rate = self.before.map_or(0.0, |before| (measured - before) / dt_s);
        let wanted = t.gain * deviation + self.integral - t.gain * t.derivative_s * rate;
        self.output = wanted.clamp(t.low, t.high);
        // Back-calculation: while the output is limited, the integral follows it instead of winding up.
        let tracking_s = t.integral_s.clamp(1.0, 1e6);
        let integral = t.gain * deviation / t.integral_s + (self.output - wanted) / tracking_s;
        self.integral = (self.integral + integral * dt_s).clamp(t.low, t.high);
        self.before = Some(measured);
        self.output
    }
    /// One step by hand: the output is given, and the integral follows so that switching back makes no jump.
    pub fn track(&mut self, set_point: f64, measured: f64, output: f64) {
        let deviation = set_point - measured;
        let deviation = if deviation.abs() <= self.tuning.dead_band { 0.0 } else { deviation };
        self.output = output.clamp(self.tuning.low, self.tuning.high);
        self.integral = self.output - self.tuning.gain * deviation;
        self.before = Some(measured);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A first-order process of gain 2 and 50 s behind the controller.
    fn run(pid: &mut Pid, mut value: f64, set_point: f64, load: f64, seconds: usize) -> Vec<f64> {
        (0..seconds)
            .map(|_| {
                let output = pid.step(set_point, value, 1.0);
                value += (2.0 * output + load - value) / 50.0;
                value
            })
            .collect()
    }

    fn tuned() -> Pid {
        Pid::new(Tuning::first_order(2.0, 50.0, 1.0, 10.0, -1.0, 1.0), 0.0)
    }

    #[test]
    fn a_load_is_taken_out_without_offset() {
        let mut pid = tuned();
        let path = run(&mut pid, 0.0, 0.5, -0.4, 400);
        assert!((path[399] - 0.5).abs() < 1e-3, "{}", path[399]);
        assert!(path.iter().all(|v| *v < 0.6), "overshoot");
    }

    #[test]
    fn the_integral_does_not_wind_up() {
        let mut pid = tuned();
        // Out of reach: 2 * 1 = 2 at most.
        run(&mut pid, 0.0, 5.0, 0.0, 2000);
        assert_eq!(pid.output(), 1.0);
        let after = run(&mut pid, 2.0, 0.0, 0.0, 300);
        // It turns round at once instead of waiting until the integral has run down.
        assert!(after[20] < 1.2, "{}", after[20]);
        assert!(after[299].abs() < 0.01);
    }

    #[test]
    fn switching_to_automatic_makes_no_jump() {
        let mut pid = tuned();
        pid.track(1.0, 0.8, 0.37);
        let output = pid.step(1.0, 0.8, 1.0);
        assert!((output - 0.37).abs() < 1e-12, "{output}");
    }
}
