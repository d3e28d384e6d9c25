//! What the runs so far say of any point, which of the points tried is the best in their light, and how far what was
//! expected came true.

use super::problem::{Direction, History, Problem};
use super::propose::{HOLDS_MIN, Settings, all_hold, expected, fit};
use super::reason::Expected;
use serde::{Deserialize, Serialize};
use toji_core::Result;

/// What is expected of a point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Foreseen {
    /// Values of the factors, in their units.
    pub point: Vec<f64>,
    /// What is expected, for the goal first and then for every output with limits.
    pub expected: Vec<Expected>,
    /// Probability that all limits hold.
    pub holds: f64,
}

/// What is expected of points. `None` where too little was measured for a model.
///
/// # Errors
/// A problem, history or point that makes no sense, or a model that cannot be fitted.
pub fn foresee(
    problem: &Problem<'_>,
    history: &History,
    points: &[Vec<f64>],
    settings: &Settings,
    seed: u64,
) -> Result<Option<Vec<Foreseen>>> {
    problem.check(history)?;
    let places = history.runs.iter().map(|r| problem.space.place(&r.point)).collect::<Result<Vec<_>>>()?;
    let Some(models) = fit(problem, history, &places, settings, seed, &mut Vec::new())? else { return Ok(None) };
    let of = |point: &Vec<f64>| {
        let cube = problem.space.place(point)?;
        let expected = expected(problem, &models, &cube, settings.confidence);
        Ok(Foreseen { point: point.clone(), expected, holds: all_hold(&models, &cube) })
    };
    points.iter().map(of).collect::<Result<Vec<_>>>().map(Some)
}

/// The best of the points tried, by what is expected of them and not by their luckiest run: allowed by the envelope, and
/// probably within the limits as far as any of them is. `None` where too little was measured, or nothing tried is allowed.
///
/// # Errors
/// As [`foresee`].
pub fn recommend(problem: &Problem<'_>, history: &History, settings: &Settings, seed: u64) -> Result<Option<Foreseen>> {
    let mut tried: Vec<Vec<f64>> = Vec::new();
    for run in &history.runs {
        if !tried.contains(&run.point) && (problem.allowed)(&run.point).is_ok() {
            tried.push(run.point.clone());
        }
    }
    let Some(all) = foresee(problem, history, &tried, settings, seed)? else { return Ok(None) };
    let better = |f: &Foreseen| {
        let mean = f.expected.first().map_or(f64::NAN, |e| e.mean);
        let gain = if problem.goal.direction == Direction::Maximise { mean } else { -mean };
        (f.holds >= HOLDS_MIN, if f.holds >= HOLDS_MIN { 0.0 } else { f.holds }, gain)
    };
    Ok(all.into_iter().reduce(|best, next| {
        let (b, n) = (better(&best), better(&next));
        let order = n.0.cmp(&b.0).then(n.1.total_cmp(&b.1)).then(n.2.total_cmp(&b.2));
        if order.is_gt() { next } else { best }
    }))
}

/// A prediction that was made before a run, and what the run gave.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Told {
    /// Expected value.
    pub mean: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// What came.
    pub came: f64,
}

/// How far predictions came true.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Score {
    /// Predictions.
    pub n: usize,
    /// Mean of what came less what was expected.
    pub bias: f64,
    /// Root mean square of that.
    pub rms: f64,
    /// Mean of its size as a share of what came.
    pub share: f64,
    /// Share of runs inside their interval.
    pub inside: f64,
}

/// How far predictions came true. `None` where there are none.
#[must_use]
pub fn score(told: &[Told]) -> Option<Score> {
    let n = told.len() as f64;
    let mean = |of: &dyn Fn(&Told) -> f64| told.iter().map(of).sum::<f64>() / n;
    (!told.is_empty()).then(|| Score {
        n: told.len(),
        bias: mean(&|t| t.came - t.mean),
        rms: libm::sqrt(mean(&|t| (t.came - t.mean) * (t.came - t.mean))),
        share: mean(&|t| (t.came - t.mean).abs() / t.came.abs().max(f64::MIN_POSITIVE)),
        inside: mean(&|t| f64::from(u8::from((t.low..=t.high).contains(&t.came)))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_are_scored_by_hand() {
        let told = |mean: f64, came: f64| Told { mean, low: mean - 1.0, high: mean + 1.0, came };
        let found = score(&[told(4.0, 5.0), told(6.0, 4.0)]).unwrap();
        assert_eq!((found.n, found.bias, found.inside), (2, -0.5, 0.5));
        assert!((found.rms - 2.5_f64.sqrt()).abs() < 1e-15 && (found.share - 0.35).abs() < 1e-15);
        assert_eq!(score(&[]), None);
    }
}
