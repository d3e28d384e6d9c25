//! A larger scale against a smaller one, as the ratio of their means.
//!
//! The spread is that between runs of one scale, pooled (it holds what measuring adds), or a spread that somebody states
//! from earlier runs; it is never taken smaller than the intervals of the single results. One run on each side tells no
//! spread: then nothing is said. Ratios are judged on the logarithm, by Student's t.

use serde::{Deserialize, Serialize};
use toji_core::Text;
use toji_core::special::t_two_sided;

/// Degrees of freedom of a spread that is stated: as good as known.
const STATED_FREEDOM: f64 = 1e6;
/// Half a 95 % interval in standard errors.
const HALF: f64 = 1.959_963_984_540_054;

/// A result of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Observed {
    /// Run.
    pub run: String,
    /// Value.
    pub value: f64,
    /// Lower end of its 95 % interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// What can be said of the larger scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "ScaleOutcome")]
pub enum Outcome {
    /// It is poorer by more than the tolerance, beyond doubt.
    Poor,
    /// It is not poorer by more than the tolerance, beyond doubt.
    AsGood,
    /// The data do not tell.
    Undecided,
}

/// Where the spread between runs comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "RunSpread")]
pub enum Spread {
    /// From runs of one scale.
    BetweenRuns,
    /// Stated.
    Stated,
    /// From the intervals of the results, which were wider.
    Intervals,
}

/// A larger scale against a smaller one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Comparison {
    /// Geometric mean on the smaller scale.
    pub small: Option<f64>,
    /// Geometric mean on the larger scale.
    pub large: Option<f64>,
    /// Larger over smaller scale.
    pub ratio: Option<f64>,
    /// Lower end of its interval at the confidence asked for.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Relative standard deviation between runs that was used.
    pub spread: Option<f64>,
    /// Where it comes from.
    pub spread_from: Option<Spread>,
    /// What can be said.
    pub outcome: Outcome,
    /// Why nothing can be said.
    pub why: Option<Text>,
}

impl Comparison {
    fn silent(ja: &str, en: &str) -> Self {
        Self {
            small: None,
            large: None,
            ratio: None,
            low: None,
            high: None,
            spread: None,
            spread_from: None,
            outcome: Outcome::Undecided,
            why: Some(Text::new(ja, en)),
        }
    }
}

/// Mean and sum of squares around it.
fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, values.iter().map(|v| (v - mean).powi(2)).sum())
}

/// Compares. `tolerance`: relative loss that is accepted. `confidence`: of this one interval (divide what may go wrong
/// by the number of comparisons). `stated`: relative standard deviation between runs, from earlier runs.
#[must_use]
pub fn compare(
    small: &[Observed],
    large: &[Observed],
    lower_is_better: bool,
    tolerance: f64,
    confidence: f64,
    stated: Option<f64>,
) -> Comparison {
    if small.is_empty() || large.is_empty() {
        return Comparison::silent("両方のスケールの値がそろっていません", "there is no value on both scales");
    }
    if small.iter().chain(large).any(|o| !(o.value.is_finite() && o.value > 0.0)) {
        return Comparison::silent("正でない値は比で比べられません", "a value that is not positive has no ratio");
    }
    let logs = |of: &[Observed]| of.iter().map(|o| o.value.ln()).collect::<Vec<f64>>();
    let ((a, sa), (b, sb)) = (moments(&logs(small)), moments(&logs(large)));
    let (n, m) = (small.len() as f64, large.len() as f64);
    let freedom = n + m - 2.0;
    // What the single results themselves leave open, as a variance of the logarithm.
    let own = |o: &Observed| {
        let (low, high) = o.low.zip(o.high)?;
        (low > 0.0 && high >= low).then(|| ((high / low).ln() / (2.0 * HALF)).powi(2))
    };
    let within: Vec<f64> = small.iter().chain(large).filter_map(own).collect();
    let within = if within.is_empty() { 0.0 } else { within.iter().sum::<f64>() / within.len() as f64 };
    let between = match stated.filter(|s| s.is_finite() && *s > 0.0) {
        Some(relative) => Some(((1.0 + relative * relative).ln(), STATED_FREEDOM, Spread::Stated)),
        None if freedom >= 1.0 => Some(((sa + sb) / freedom, freedom, Spread::BetweenRuns)),
        None => None,
    };
    let means = |mut c: Comparison| {
        (c.small, c.large, c.ratio) = (Some(a.exp()), Some(b.exp()), Some((b - a).exp()));
        c
    };
    let Some((variance, freedom, from)) = between else {
        return means(Comparison::silent(
            "各スケール 1 培養では培養間のばらつきが分かりません。同じ条件の小スケールの培養を加えるか、培養間の相対標準偏差を指定してください",
            "one run on each scale does not tell how runs differ: add runs of the same condition on the small scale, or state the relative standard deviation between runs",
        ));
    };
    let (variance, from) = if within > variance { (within, Spread::Intervals) } else { (variance, from) };
    if variance <= 0.0 {
        return means(Comparison::silent(
            "培養間のばらつきが 0 です。同じ培養を二度数えていませんか",
            "runs do not differ at all: is one run counted twice?",
        ));
    }
    let half = t_two_sided(confidence, freedom) * (variance * (1.0 / n + 1.0 / m)).sqrt();
    let (low, high) = ((b - a - half).exp(), (b - a + half).exp());
    let outcome = match lower_is_better {
        false if high < 1.0 - tolerance => Outcome::Poor,
        false if low >= 1.0 - tolerance => Outcome::AsGood,
        true if low > 1.0 + tolerance => Outcome::Poor,
        true if high <= 1.0 + tolerance => Outcome::AsGood,
        _ => Outcome::Undecided,
    };
    let why = (outcome == Outcome::Undecided).then(|| {
        Text::new(
            format!("比の区間 {low:.2}〜{high:.2} が許容の境を含みます"),
            format!("the interval of the ratio, {low:.2} to {high:.2}, holds the edge of what is accepted"),
        )
    });
    Comparison {
        low: Some(low),
        high: Some(high),
        spread: Some((variance.exp() - 1.0).sqrt()),
        spread_from: Some(from),
        outcome,
        why,
        ..means(Comparison::silent("", ""))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Vec<Observed> {
        values.iter().map(|v| Observed { run: "r".into(), value: *v, low: None, high: None }).collect()
    }

    #[test]
    fn the_interval_is_that_of_students_t_on_logarithms() {
        // scipy 1.17.1, exponentials of scipy.stats.ttest_ind(log([2.0]), log([3.1, 2.9, 3.3]), equal_var=True)
        // .confidence_interval(0.95) and of the difference of means.
        let found = compare(&of(&[3.1, 2.9, 3.3]), &of(&[2.0]), false, 0.1, 0.95, None);
        assert!((found.ratio.unwrap() - 0.646_058_907_188).abs() < 1e-9);
        let (low, high) = (found.low.unwrap(), found.high.unwrap());
        assert!((low - 0.468_649_527).abs() < 1e-6 && (high - 0.890_627_404).abs() < 1e-6, "{low} {high}");
        assert_eq!((found.outcome, found.spread_from), (Outcome::Poor, Some(Spread::BetweenRuns)));
        assert!(found.why.is_none());
    }

    #[test]
    fn what_the_data_do_not_tell_is_not_said() {
        let one = compare(&of(&[3.0]), &of(&[1.0]), false, 0.1, 0.95, None);
        assert_eq!((one.outcome, one.ratio), (Outcome::Undecided, Some(1.0 / 3.0)));
        assert!(one.why.unwrap().en.contains("one run on each scale"));
        // The same with the spread stated: a third is far outside five per cent.
        assert_eq!(compare(&of(&[3.0]), &of(&[1.0]), false, 0.1, 0.95, Some(0.05)).outcome, Outcome::Poor);
        // Wide runs, a small difference: undecided. Like runs: as good.
        assert_eq!(compare(&of(&[3.0, 2.0, 4.0]), &of(&[2.5]), false, 0.1, 0.95, None).outcome, Outcome::Undecided);
        assert_eq!(compare(&of(&[3.0, 3.01, 2.99]), &of(&[3.0]), false, 0.1, 0.95, None).outcome, Outcome::AsGood);
        assert_eq!(compare(&of(&[1.0, 1.01, 0.99]), &of(&[2.0]), true, 0.1, 0.95, None).outcome, Outcome::Poor);
        for bad in
            [compare(&[], &of(&[1.0]), false, 0.1, 0.95, None), compare(&of(&[0.0, 1.0]), &of(&[1.0]), false, 0.1, 0.95, None)]
        {
            assert!(bad.outcome == Outcome::Undecided && bad.ratio.is_none() && bad.why.is_some());
        }
        assert_eq!(compare(&of(&[2.0, 2.0]), &of(&[1.0]), false, 0.1, 0.95, None).outcome, Outcome::Undecided, "no spread");
    }

    #[test]
    fn an_interval_of_a_result_is_never_undercut() {
        let mut small = of(&[3.0, 3.001, 2.999]);
        for o in &mut small {
            (o.low, o.high) = (Some(o.value / 2.0), Some(o.value * 2.0));
        }
        let found = compare(&small, &of(&[2.0]), false, 0.1, 0.95, None);
        assert_eq!((found.outcome, found.spread_from), (Outcome::Undecided, Some(Spread::Intervals)));
    }

    #[test]
    fn false_alarms_are_as_rare_as_promised() {
        // Both scales alike, tolerance nought: half of 5 % may be called poor. 4,000 draws: standard error 0.25 %.
        let mut chance = toji_core::chance::Chance::new(11);
        let mut poor = 0;
        for _ in 0..4_000 {
            let mut draw = || (0.1 * chance.normal()).exp();
            let (small, large) = ([draw(), draw(), draw()], [draw()]);
            poor += usize::from(compare(&of(&small), &of(&large), false, 0.0, 0.95, None).outcome == Outcome::Poor);
        }
        let share = f64::from(u32::try_from(poor).unwrap()) / 4_000.0;
        assert!((share - 0.025).abs() < 4.0 * 0.0025, "{share}");
    }
}
