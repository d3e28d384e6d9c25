//! Training that says next to nothing of any single unit.

use super::descend::{Bound, solve};
use super::federate::{Participant, Plan, no_rounds, one_sum};
use super::local::{Local, shape_slots};
use crate::aggregate::{Cost, Encoding};
use crate::privacy::{Fraction, Loss, Mechanism, Nano, Stream, rho_shared};
use toji_core::{Digest, Error, Place, Result};

/// What is promised to each protected unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Privacy {
    /// ρ of all rounds together.
    pub rho: Nano,
    /// Rounds, fixed beforehand: when to end must not depend on data.
    pub rounds: usize,
    /// Slopes are divided by this before they are clipped.
    pub gradient_scale: f64,
    /// And curvatures by this.
    pub curvature_scale: f64,
    /// Greatest Euclidean length of a unit's divided slopes and curvatures together; longer ones are shortened.
    pub clip: f64,
    /// Units of a site that its numbers have room for; the sum of more is cut, slot by slot.
    pub units_max: usize,
    /// Sites whose noise is counted on: no more than stay in every round, less those that might put their heads together.
    pub honest: usize,
}

/// A model trained with noise.
#[derive(Debug, Clone)]
pub struct PrivatelyTrained {
    /// Parameters.
    pub at: Vec<f64>,
    /// What it cost each protected unit; at most what was allowed.
    pub loss: Loss,
    /// Standard deviation of the noise on a sum, in divided units.
    pub noise: f64,
    /// Accuracy lost: the standard deviation that the noise of the last round alone gives each parameter. What
    /// clipping moved is not in it. It is computed from what was told and costs nothing.
    pub spreads: Vec<f64>,
    /// Did the curvature of the last round not stand out from its noise in some direction? The parameters then tell of
    /// where the search began.
    pub damped: bool,
    /// What it took.
    pub cost: Cost,
}

impl Privacy {
    fn check(&self, plan: &Plan) -> Result<()> {
        let positive = [self.gradient_scale, self.curvature_scale, self.clip].iter().all(|x| x.is_finite() && *x > 0.0);
        let counts = self.rho.0 > 0 && self.rounds > 0 && (1..=1_000_000).contains(&self.units_max);
        if positive && counts && (1..=plan.threshold.max(plan.fewest)).contains(&self.honest) {
            return Ok(());
        }
        Err(Error::input(
            "E-TRAIN-006",
            "切詰めの大きさ・尺度・ρ・回数は正、雑音を数える拠点数は残る拠点数以下でなければなりません",
            "clip, scales, rho and rounds are positive, and no more sites are counted on than must stay",
        )
        .at(Place::field("privacy"))
        .hint("例: clip = 1、honest = しきい値", "example: clip = 1, honest = the threshold"))
    }

    /// The noise that each site adds to each slot of a round: what is written beside a charge.
    ///
    /// # Errors
    /// As [`federate_privately`], before anything was asked of a site.
    pub fn mechanism(&self, plan: &Plan, parameters: usize) -> Result<Mechanism> {
        self.check(plan)?;
        self.noise(shape_slots(parameters)).map(|(_, mechanism)| mechanism)
    }

    /// Numbers of a round, and the noise each site adds to each slot in steps. A step is small beside the clip, and the
    /// noise is as wide as what is promised asks for, the rounding of each site's sum counted in.
    fn noise(&self, slots: usize) -> Result<(Encoding, Mechanism)> {
        let limit = self.clip * self.units_max as f64;
        // 2²⁰ steps in a clip, or fewer where noise would not fit what can be drawn.
        let mut bits = libm::ceil(libm::log2(self.units_max as f64)) as u32 + 20;
        let per_round = self.rho.value() / self.rounds as f64;
        loop {
            let encoding = Encoding::even(slots, limit, bits);
            let norm = self.clip / encoding.step(0) + libm::sqrt(slots as f64);
            let mut variance = norm * norm / (2.0 * per_round * self.honest as f64);
            // Sums of several discrete Gaussians want a little more.
            while rho_shared(norm, variance, self.honest, slots) > per_round * (1.0 - 1e-9) && variance < 1e17 {
                variance *= 1.0 + 1e-6;
            }
            if variance < 1e16 {
                let variance = Fraction::at_least(libm::ceil(variance) as u128, 1)?;
                return Ok((encoding, Mechanism::DiscreteGaussian { variance }));
            }
            if bits == 0 {
                return Err(Error::input(
                    "E-TRAIN-007",
                    "この予算では雑音が大きすぎます",
                    "the noise is too wide at this budget",
                )
                .at(Place::field("rho"))
                .hint("ρ を増やすか、回数を減らしてください", "allow a larger rho, or fewer rounds"));
            }
            bits -= 1;
        }
    }

    /// A unit's shape, divided and shortened.
    fn clipped(&self, local: &Local) -> Vec<f64> {
        let p = local.gradient.len();
        let scaled = local.shape().into_iter().enumerate();
        let mut shape: Vec<f64> =
            scaled.map(|(i, value)| value / if i < p { self.gradient_scale } else { self.curvature_scale }).collect();
        let length = libm::sqrt(shape.iter().map(|v| v * v).sum());
        if !length.is_finite() {
            return vec![0.0; shape.len()];
        }
        if length > self.clip {
            shape.iter_mut().for_each(|v| *v *= self.clip / length);
        }
        shape
    }
}

/// Trains with noise, for a number of rounds that is fixed beforehand. Each round is one Gauss-Newton step; where
/// the curvature does not stand out from its noise, a ridge makes up for it. No objective is told. The caller charges
/// [`PrivatelyTrained::loss`] (the whole of [`Privacy::rho`]) to the budgets before.
///
/// # Errors
/// Parameters that make no sense; too few sites stay.
pub fn federate_privately(
    plan: &Plan,
    privacy: &Privacy,
    sites: &[Participant<'_>],
    bounds: &[Bound],
) -> Result<PrivatelyTrained> {
    privacy.check(plan)?;
    let p = bounds.len();
    let (encoding, mechanism) = privacy.noise(shape_slots(p))?;
    let Mechanism::DiscreteGaussian { variance } = mechanism else { return Err(no_rounds()) };
    let mut at: Vec<f64> = bounds.iter().map(|b| b.start).collect();
    let mut cost = Cost::default();
    let mut noise = 0.0;
    let (mut spreads, mut damped) = (Vec::new(), true);
    for round in 0..privacy.rounds {
        let session = plan.session(sites, round, encoding.clone())?;
        let of = session.digest()?;
        let input = |site: &Participant<'_>| {
            let mut sum = vec![0.0; shape_slots(p)];
            for unit in site.site.units(&at).iter().flatten() {
                sum.iter_mut().zip(privacy.clipped(unit)).for_each(|(a, b)| *a += b);
            }
            // Cutting each slot of the sum moves no two sums apart.
            let limit = encoding.limits.first().copied().unwrap_or(0.0);
            sum.iter_mut().for_each(|v| *v = v.clamp(-limit, limit));
            let key = Digest::of_parts(&[&site.seed, b" noise ", of.bytes()]);
            encoding.encode(&sum)?.noised(mechanism, &mut Stream::new(key.bytes()))
        };
        let (sum, more) = one_sum(&session, sites, round, &input)?;
        cost = cost.plus(more);
        noise = libm::sqrt(variance.value() * sum.included.len() as f64) * encoding.step(0);
        let scaled = sum.values.iter().enumerate();
        let shape: Vec<f64> =
            scaled.map(|(i, v)| v * if i < p { privacy.gradient_scale } else { privacy.curvature_scale }).collect();
        let local = Local::of_shape(p, &shape);
        let ridge = ridge(&local, bounds, 2.0 * noise * privacy.curvature_scale * libm::sqrt(p as f64));
        damped = ridge > 0.0;
        let next = stepped(&at, &local, bounds, ridge);
        // The slopes are off by their noise, and by what the noise of the curvature makes of the way that was gone.
        let gone = at.iter().zip(&next).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        let (slope, curve) = (noise * privacy.gradient_scale, noise * privacy.curvature_scale);
        spreads = spreads_of(&local, bounds, ridge, libm::sqrt(slope * slope + curve * curve * gone));
        at = next;
    }
    Ok(PrivatelyTrained { at, loss: Loss::Concentrated { rho: privacy.rho }, noise, spreads, damped, cost })
}

/// As little of a ridge as lifts the smallest eigenvalue of the curvature to `floor`, which is what noise may have made of
/// nothing (2 σ √p is what the greatest eigenvalue of a symmetric matrix of such noise tends to; Wang, UAI 2018, AdaSSP,
/// for linear models). A curvature that is well above its noise is left as it is.
fn ridge(local: &Local, bounds: &[Bound], floor: f64) -> f64 {
    let positive = |ridge: f64| solve(curved(local, bounds, ridge - floor), vec![0.0; bounds.len()]).is_some();
    // The least ridge, between 0 and one that is enough.
    let (mut low, mut high) = (0.0, 0.0);
    for _ in 0..200 {
        if positive(high) {
            break;
        }
        low = high;
        high = (2.0 * high).max(floor).max(f64::MIN_POSITIVE);
    }
    if high == 0.0 {
        return 0.0;
    }
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if positive(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

/// The curvature with its priors and a ridge.
fn curved(local: &Local, bounds: &[Bound], ridge: f64) -> Vec<Vec<f64>> {
    let p = bounds.len();
    let cell = |i: usize, j: usize| local.curvature[i * p + j] + if i == j { ridge + bounds[i].precision } else { 0.0 };
    (0..p).map(|i| (0..p).map(|j| cell(i, j)).collect()).collect()
}

fn stepped(at: &[f64], local: &Local, bounds: &[Bound], ridge: f64) -> Vec<f64> {
    let p = at.len();
    let downhill: Vec<f64> = (0..p).map(|i| -local.gradient[i] - bounds[i].precision * (at[i] - bounds[i].mean)).collect();
    let Some(step) = solve(curved(local, bounds, ridge), downhill) else { return at.to_vec() };
    (0..p).map(|i| (at[i] + step[i]).clamp(bounds[i].low, bounds[i].high)).collect()
}

/// What noise of this standard deviation on every slope makes of the step: the lengths of the rows of the inverse.
fn spreads_of(local: &Local, bounds: &[Bound], ridge: f64, slope: f64) -> Vec<f64> {
    let p = bounds.len();
    let mut squares = vec![0.0; p];
    for j in 0..p {
        let unit = (0..p).map(|i| f64::from(u8::from(i == j))).collect();
        let Some(column) = solve(curved(local, bounds, ridge), unit) else { return vec![f64::INFINITY; p] };
        squares.iter_mut().zip(column).for_each(|(square, cell)| *square += cell * cell);
    }
    squares.into_iter().map(|square| slope * libm::sqrt(square)).collect()
}
