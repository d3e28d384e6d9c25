//! The likelihood of one measurement.

use super::{Distribution, Scale};
use crate::kernel::{Elementary, Number};
use std::f64::consts::{LN_10, PI};

/// A value on a scale.
pub(super) fn on<N: Number>(scale: Scale, value: N) -> N {
    match scale {
        Scale::Linear => value,
        Scale::Log => value.elementary(Elementary::Ln),
        Scale::Log10 => value.elementary(Elementary::Log10),
    }
}

/// Log-density of a measurement, and its residual: measured less simulated on the scale, by the noise.
///
/// With z the residual, σ the noise and m the measurement: normal −½ ln(2πσ²) − ½ z², Laplace −ln(2σ) − |z|; on a
/// logarithmic scale less ln m (natural) or ln(m ln 10) (decimal), the density being that of m.
#[must_use]
pub fn log_density<N: Number>(scale: Scale, distribution: Distribution, measured: f64, simulated: N, noise: N) -> (N, N) {
    let residual = (on(scale, N::of(measured)) - on(scale, simulated)) / noise;
    let log_noise = noise.elementary(Elementary::Ln);
    let spread = match distribution {
        Distribution::Normal => N::of(0.5 * (2.0 * PI).ln()) + log_noise + N::of(0.5) * residual * residual,
        Distribution::Laplace => N::of(2.0_f64.ln()) + log_noise + residual.elementary(Elementary::Abs),
    };
    let scaled = match scale {
        Scale::Linear => 0.0,
        Scale::Log => Elementary::Ln.value(measured),
        Scale::Log10 => Elementary::Ln.value(measured * LN_10),
    };
    (-(spread + N::of(scaled)), residual)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: m = 2, y = 1, σ = 0.5.
    #[test]
    fn densities_as_written_down() {
        for (scale, distribution, wanted) in [
            (Scale::Linear, Distribution::Normal, -2.225_791_352_644_727_3),
            (Scale::Linear, Distribution::Laplace, -2.0),
            (Scale::Log, Distribution::Normal, -1.879_844_561_041_075_7),
            (Scale::Log, Distribution::Laplace, -2.079_441_541_679_835_7),
            (Scale::Log10, Distribution::Normal, -1.934_209_095_031_541_6),
            (Scale::Log10, Distribution::Laplace, -2.129_239_617_135_863_4),
        ] {
            let (found, _) = log_density(scale, distribution, 2.0, 1.0, 0.5);
            assert!((found - wanted).abs() < 1e-12, "{scale:?} {distribution:?}: {found} beside {wanted}");
        }
    }
}
