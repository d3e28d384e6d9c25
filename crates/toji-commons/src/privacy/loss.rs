//! What a loss of privacy means.

use super::amount::Nano;
use toji_core::Result;

/// ρ of zero-concentrated differential privacy that an ε-differentially private answer has: ε²/2 (Bun and Steinke
/// 2016, Proposition 1.4), rounded up.
#[must_use]
pub fn rho_of_pure(epsilon: Nano) -> Nano {
    let square = u128::from(epsilon.0) * u128::from(epsilon.0);
    Nano(u64::try_from(square.div_ceil(2_000_000_000)).unwrap_or(u64::MAX))
}

/// δ at which ρ-zCDP gives (ε, δ)-differential privacy: the least over α of
/// exp((α − 1)(αρ − ε)) / (α − 1) · (1 − 1/α)^α (arXiv:2004.00010, §2.3). Any α gives a valid δ, so the
/// search need not be exact.
#[must_use]
pub fn delta_of(rho: f64, epsilon: f64) -> f64 {
    if rho <= 0.0 {
        return 0.0;
    }
    let (mut low, mut high) = (1.0 + 1e-9, (epsilon + 1.0) / (2.0 * rho) + 2.0);
    // The logarithm is convex in α; its slope is (2α − 1)ρ − ε + ln(1 − 1/α).
    for _ in 0..200 {
        let alpha = f64::midpoint(low, high);
        let slope = (2.0 * alpha - 1.0) * rho - epsilon + libm::log1p(-1.0 / alpha);
        if slope < 0.0 {
            low = alpha;
        } else {
            high = alpha;
        }
    }
    let log = (high - 1.0) * (high * rho - epsilon) + high * libm::log1p(-1.0 / high) - libm::log(high - 1.0);
    libm::fmin(libm::exp(log), 1.0)
}

/// The least ε at which ρ-zCDP gives (ε, δ)-differential privacy, rounded up.
///
/// # Errors
/// Above a thousand.
pub fn epsilon_of(rho: f64, delta: f64) -> Result<Nano> {
    if rho <= 0.0 {
        return Ok(Nano(0));
    }
    // Bun and Steinke 2016, Proposition 1.3, is an upper end.
    let (mut low, mut high) = (0.0, rho + 2.0 * libm::sqrt(rho * libm::fmax(-libm::log(delta), 0.0)));
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if delta_of(rho, middle) <= delta {
            high = middle;
        } else {
            low = middle;
        }
    }
    Nano::at_least(high)
}

/// The most by which anybody can tell whether a protected unit was in the data better than by chance (true less
/// false positives), under (ε, δ): (e^ε − 1 + 2δ) / (e^ε + 1) (Kairouz, Oh, Viswanath, ICML 2015).
#[must_use]
pub fn advantage_max(epsilon: f64, delta: f64) -> f64 {
    let growth = libm::expm1(epsilon);
    if growth.is_infinite() { 1.0 } else { libm::fmin((growth + 2.0 * delta) / (growth + 2.0), 1.0) }
}

/// The same under ρ-zCDP: the Kullback-Leibler divergence is at most ρ (Rényi's at order 1), so the distance in total
/// variation at most √(ρ/2) (Pinsker).
#[must_use]
pub fn advantage_max_of_rho(rho: f64) -> f64 {
    libm::fmin(libm::sqrt(libm::fmax(rho, 0.0) / 2.0), 1.0)
}

/// ρ of a sum to which each of `parties` adds discrete Gaussian noise of `variance` in each of `slots` whole numbers,
/// for a protected unit that moves the sum by at most `norm` (Euclidean): sums of discrete Gaussians are not quite
/// discrete Gaussian; arXiv:2102.06387 bounds by how much.
#[must_use]
pub fn rho_shared(norm: f64, variance: f64, parties: usize, slots: usize) -> f64 {
    let (n, d) = (parties.max(1) as f64, slots as f64);
    let gap: f64 = (1..parties.max(1))
        .map(|k| libm::exp(-2.0 * std::f64::consts::PI * std::f64::consts::PI * variance * k as f64 / (k as f64 + 1.0)))
        .sum::<f64>()
        * 10.0;
    let square = norm * norm / (n * variance);
    let one = libm::sqrt(square + gap * d / 2.0);
    let other = libm::sqrt(square) + gap * libm::sqrt(d);
    let epsilon = libm::fmin(one, other);
    epsilon * epsilon / 2.0
}
