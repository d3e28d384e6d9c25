//! Conditions in their order, against their control, and the effect of the edge.

use super::dunnett::{Comparisons, probability, quantile};
use serde::{Deserialize, Serialize};
use toji_core::special::t_two_sided;
use toji_core::{Error, Place, Result};

/// The response of one unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Measured {
    /// Response.
    pub value: f64,
    /// Did the unit stand on the outermost ring? `None` where the system has no middle or places are not known.
    pub edge: Option<bool>,
}

/// The responses of one condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Is it the control? The first one counts.
    pub control: bool,
    /// One response a replicate.
    pub measured: Vec<Measured>,
}

/// What can be said of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Its interval of the difference from the control lies on the good side.
    Better,
    /// Its interval lies on the bad side.
    Worse,
    /// Its interval holds zero.
    NotSeparable,
    /// It is what the others are compared with.
    Control,
    /// It has no response.
    NotMeasured,
}

/// One condition in a ranking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Condition {
    /// Name.
    pub name: String,
    /// Is it the control the test compares with?
    pub control: bool,
    /// Place, from 1; conditions of equal mean share it. `None` when not measured.
    pub rank: Option<usize>,
    /// Responses.
    pub n: usize,
    /// Mean.
    pub mean: Option<f64>,
    /// Standard deviation of its own replicates.
    pub sd: Option<f64>,
    /// Interval of its mean, by the pooled spread.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Difference from the control.
    pub difference: Option<f64>,
    /// Simultaneous interval of the difference.
    pub difference_low: Option<f64>,
    /// Upper end.
    pub difference_high: Option<f64>,
    /// Two-sided p, adjusted for the number of conditions.
    pub p: Option<f64>,
    /// What can be said. `None` where nothing can: no control, or no spread to judge by.
    pub verdict: Option<Verdict>,
}

/// Effect of the edge: units on the outermost ring less those in the middle, conditions taken out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Edge {
    /// Difference.
    pub difference: f64,
    /// Interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// A ranking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Ranking {
    /// Conditions, best first; those that were not measured last.
    pub conditions: Vec<Condition>,
    /// The control that was compared with.
    pub control: Option<String>,
    /// Pooled standard deviation inside conditions.
    pub pooled_sd: Option<f64>,
    /// Degrees of freedom of it.
    pub degrees_of_freedom: usize,
    /// Effect of the edge.
    pub edge: Option<Edge>,
    /// Least difference from the control that would have been separable, for the condition that was measured least.
    pub separable: Option<f64>,
}

/// Ranks conditions. Larger is better unless `lower_is_better`.
///
/// # Errors
/// A response that is not a finite number, or a confidence outside 0.5 to 0.9999.
pub fn rank(groups: &[Group], lower_is_better: bool, confidence: f64) -> Result<Ranking> {
    if !(0.5..=0.9999).contains(&confidence) {
        return Err(Error::input(
            "E-RANK-001",
            format!("信頼水準は 0.5〜0.9999 です: {confidence}"),
            format!("the confidence is between 0.5 and 0.9999, not {confidence}"),
        )
        .at(Place::field("confidence"))
        .hint("通常は 0.95 を指定します", "0.95 is usual"));
    }
    if let Some(group) = groups.iter().find(|g| g.measured.iter().any(|m| !m.value.is_finite())) {
        let name = &group.name;
        return Err(Error::input(
            "E-RANK-002",
            format!("条件「{name}」に有限でない応答があります"),
            format!("a response of the condition \"{name}\" is not a finite number"),
        )
        .at(Place::field("response"))
        .hint("その培養の解析結果を確認してください", "look at the analysis of that run"));
    }
    let spread = Spread::of(groups);
    let first = groups.iter().find(|g| g.control);
    let (named, control) = (first.map(|g| g.name.clone()), first.filter(|g| !g.measured.is_empty()));
    let compared: Vec<usize> =
        groups.iter().filter(|g| Some(&g.name) != named.as_ref()).map(|g| g.measured.len()).filter(|n| *n > 0).collect();
    let against = control.zip(spread.usable()).and_then(|(control, sd)| {
        let comparisons = Comparisons::new(control.measured.len(), &compared, spread.freedom)?;
        let within = quantile(&comparisons, confidence);
        Some(Against { mean: mean(control)?, n: control.measured.len() as f64, sd, within, comparisons })
    });
    let t = (spread.freedom > 0).then(|| t_two_sided(confidence, spread.freedom as f64));
    let half = |n: usize| t.zip(spread.usable()).map(|(t, sd)| t * sd / (n as f64).sqrt());
    let mut conditions: Vec<Condition> = groups
        .iter()
        .map(|group| {
            let is_control = Some(&group.name) == named.as_ref();
            let mut out = described(group, is_control, half(group.measured.len()));
            if let (false, Some(against)) = (is_control, &against) {
                against.compare(&mut out, lower_is_better, 1.0 - confidence);
            } else if let (Some(control), Some(own)) = (control.and_then(mean), out.mean)
                && !is_control
            {
                out.difference = Some(own - control);
            }
            out
        })
        .collect();
    order(&mut conditions, lower_is_better);
    let separable = against.as_ref().zip(compared.iter().min()).map(|(a, n)| a.within * a.error(*n as f64));
    Ok(Ranking {
        conditions,
        control: named,
        pooled_sd: spread.sd(),
        degrees_of_freedom: spread.freedom,
        edge: edge(groups, confidence),
        separable,
    })
}

fn mean(group: &Group) -> Option<f64> {
    let n = group.measured.len();
    (n > 0).then(|| group.measured.iter().map(|m| m.value).sum::<f64>() / n as f64)
}

/// Sum of squares about the mean.
fn squares(group: &Group) -> f64 {
    mean(group).map_or(0.0, |mean| group.measured.iter().map(|m| (m.value - mean).powi(2)).sum())
}

/// The spread inside conditions.
struct Spread {
    squares: f64,
    freedom: usize,
    /// Below this a spread is rounding, not difference.
    least: f64,
}

impl Spread {
    fn of(groups: &[Group]) -> Self {
        let largest = groups.iter().flat_map(|g| &g.measured).map(|m| m.value.abs()).fold(0.0, f64::max);
        Self {
            squares: groups.iter().map(squares).sum(),
            freedom: groups.iter().map(|g| g.measured.len().saturating_sub(1)).sum(),
            least: largest * 1e-13,
        }
    }
    fn sd(&self) -> Option<f64> {
        (self.freedom > 0).then(|| (self.squares / self.freedom as f64).sqrt())
    }
    /// The pooled standard deviation, when there is one: replicates that are the same number to the last digit
    /// were not repeated, and nothing can be judged by them.
    fn usable(&self) -> Option<f64> {
        self.sd().filter(|sd| *sd > self.least)
    }
}

/// The control with all that a comparison needs.
struct Against {
    mean: f64,
    n: f64,
    sd: f64,
    within: f64,
    comparisons: Comparisons,
}

impl Against {
    /// Standard error of the difference of a condition of `n` replicates.
    fn error(&self, n: f64) -> f64 {
        self.sd * (1.0 / n + 1.0 / self.n).sqrt()
    }
    fn compare(&self, out: &mut Condition, lower_is_better: bool, alpha: f64) {
        let Some(own) = out.mean else { return };
        let (difference, error) = (own - self.mean, self.error(out.n as f64));
        let p = 1.0 - probability(&self.comparisons, (difference / error).abs());
        out.difference = Some(difference);
        out.difference_low = Some(difference - self.within * error);
        out.difference_high = Some(difference + self.within * error);
        out.p = Some(p);
        out.verdict = Some(match (p <= alpha, (difference < 0.0) == lower_is_better) {
            (false, _) => Verdict::NotSeparable,
            (true, true) => Verdict::Better,
            (true, false) => Verdict::Worse,
        });
    }
}

fn described(group: &Group, control: bool, half: Option<f64>) -> Condition {
    let (n, mean) = (group.measured.len(), mean(group));
    Condition {
        name: group.name.clone(),
        control,
        rank: None,
        n,
        mean,
        sd: (n > 1).then(|| (squares(group) / (n - 1) as f64).sqrt()),
        low: mean.zip(half).map(|(mean, half)| mean - half),
        high: mean.zip(half).map(|(mean, half)| mean + half),
        difference: None,
        difference_low: None,
        difference_high: None,
        p: None,
        verdict: if n == 0 { Some(Verdict::NotMeasured) } else { control.then_some(Verdict::Control) },
    }
}

fn order(conditions: &mut [Condition], lower_is_better: bool) {
    let key = |c: &Condition| c.mean.map_or(f64::INFINITY, |mean| if lower_is_better { mean } else { -mean });
    conditions.sort_by(|a, b| key(a).total_cmp(&key(b)).then_with(|| a.name.cmp(&b.name)));
    let mut before: Option<(f64, usize)> = None;
    for (place, condition) in (1..).zip(conditions.iter_mut()) {
        let Some(mean) = condition.mean else { continue };
        let rank = before.filter(|(last, _)| *last == mean).map_or(place, |(_, rank)| rank);
        condition.rank = Some(rank);
        before = Some((mean, rank));
    }
}

/// Slope of the response on "stands on the edge" inside conditions (both taken about the means of their condition),
/// with Student's interval. `None` where no condition stands on both sides, or nothing is left to judge by.
fn edge(groups: &[Group], confidence: f64) -> Option<Edge> {
    let (mut sxx, mut sxy, mut syy, mut freedom) = (0.0, 0.0, 0.0, 0_usize);
    for group in groups {
        let known: Vec<(f64, f64)> =
            group.measured.iter().filter_map(|m| m.edge.map(|edge| (f64::from(u8::from(edge)), m.value))).collect();
        let n = known.len() as f64;
        let (x_mean, y_mean) = known.iter().fold((0.0, 0.0), |(x, y), (a, b)| (x + a / n, y + b / n));
        for (x, y) in &known {
            sxx += (x - x_mean).powi(2);
            sxy += (x - x_mean) * (y - y_mean);
            syy += (y - y_mean).powi(2);
        }
        freedom += known.len().saturating_sub(1);
    }
    let left = freedom.checked_sub(1).filter(|left| *left > 0)? as f64;
    if sxx <= 0.0 {
        return None;
    }
    let difference = sxy / sxx;
    let variance = ((syy - difference * sxy) / left).max(0.0);
    let half = t_two_sided(confidence, left) * (variance / sxx).sqrt();
    Some(Edge { difference, low: difference - half, high: difference + half })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str, control: bool, values: &[f64]) -> Group {
        let measured = values.iter().map(|value| Measured { value: *value, edge: None }).collect();
        Group { name: name.to_owned(), control, measured }
    }

    fn verdicts(ranking: &Ranking) -> Vec<(&str, Option<usize>, Option<Verdict>)> {
        ranking.conditions.iter().map(|c| (c.name.as_str(), c.rank, c.verdict)).collect()
    }

    fn eight() -> Vec<Group> {
        vec![
            group("control", true, &[10.0, 10.2, 9.9]),
            group("better", false, &[12.1, 11.8, 12.0]),
            group("worse", false, &[8.0, 8.3, 7.9]),
            group("same", false, &[10.1, 9.8, 10.1]),
            group("lost", false, &[]),
        ]
    }

    #[test]
    fn conditions_are_told_apart_or_not() {
        let ranking = rank(&eight(), false, 0.95).unwrap();
        let wanted = [
            ("better", Some(1), Some(Verdict::Better)),
            ("control", Some(2), Some(Verdict::Control)),
            ("same", Some(3), Some(Verdict::NotSeparable)),
            ("worse", Some(4), Some(Verdict::Worse)),
            ("lost", None, Some(Verdict::NotMeasured)),
        ];
        assert_eq!(verdicts(&ranking), wanted);
        assert_eq!((ranking.degrees_of_freedom, ranking.control.as_deref()), (8, Some("control")));
        // Analysis of variance by hand: squares about the means 7/150, 7/150, 13/150, 9/150 over 8.
        assert!((ranking.pooled_sd.unwrap() - (0.24_f64 / 8.0).sqrt()).abs() < 1e-12);
        for condition in ranking.conditions.iter().filter(|c| c.p.is_some()) {
            let outside = condition.difference_low.unwrap() > 0.0 || condition.difference_high.unwrap() < 0.0;
            assert_eq!(outside, condition.p.unwrap() < 0.05, "{condition:?}");
        }
        // Where less is better, the order and the verdicts turn round.
        let turned = rank(&eight(), true, 0.95).unwrap();
        assert_eq!(turned.conditions[0].name, "worse");
        assert_eq!((turned.conditions[0].verdict, turned.conditions[3].verdict), (Some(Verdict::Better), Some(Verdict::Worse)));
    }

    #[test]
    fn nothing_is_said_that_the_data_do_not_say() {
        // No control: an order with intervals, no verdict.
        let mut groups = eight();
        groups[0].control = false;
        let ranking = rank(&groups, false, 0.95).unwrap();
        assert!(ranking.conditions.iter().take(4).all(|c| c.verdict.is_none() && c.low.is_some() && c.difference.is_none()));
        // The control was lost: the others are ordered, and it is named.
        let mut groups = eight();
        groups[0].measured.clear();
        let ranking = rank(&groups, false, 0.95).unwrap();
        assert_eq!(ranking.control.as_deref(), Some("control"));
        let lost = ranking.conditions.iter().find(|c| c.control).unwrap();
        assert_eq!((lost.verdict, lost.rank), (Some(Verdict::NotMeasured), None));
        assert!(ranking.conditions.iter().all(|c| c.p.is_none()));
        // No replicates: differences, but neither intervals nor verdicts.
        let single = [group("a", true, &[1.0]), group("b", false, &[2.0])];
        let ranking = rank(&single, false, 0.95).unwrap();
        assert_eq!((ranking.pooled_sd, ranking.degrees_of_freedom), (None, 0));
        assert_eq!(verdicts(&ranking), [("b", Some(1), None), ("a", Some(2), Some(Verdict::Control))]);
        assert_eq!(ranking.conditions[0].difference, Some(1.0));
        // Replicates that are one number copied are no replicates.
        let copied = [group("a", true, &[1.0, 1.0]), group("b", false, &[2.0, 2.0])];
        let ranking = rank(&copied, false, 0.95).unwrap();
        assert_eq!((ranking.conditions[0].p, ranking.conditions[0].low), (None, None));
        assert!(rank(&[], false, 0.95).unwrap().conditions.is_empty());
        assert_eq!(rank(&[group("a", true, &[f64::NAN])], false, 0.95).unwrap_err().code(), "E-RANK-002");
        assert_eq!(rank(&eight(), false, 1.0).unwrap_err().code(), "E-RANK-001");
    }

    #[test]
    fn conditions_of_equal_mean_share_a_place() {
        let ranking =
            rank(&[group("b", false, &[1.0]), group("a", false, &[1.0]), group("c", false, &[0.0])], false, 0.9).unwrap();
        assert_eq!(
            ranking.conditions.iter().map(|c| (c.name.as_str(), c.rank)).collect::<Vec<_>>(),
            [("a", Some(1)), ("b", Some(1)), ("c", Some(3))]
        );
    }

    #[test]
    fn an_effect_of_the_edge_is_found_beside_the_conditions() {
        // Conditions at 10, 20, 30; the edge costs 2; a little noise. Condition c stands on the edge alone.
        let noise = [0.1, -0.2, 0.15, 0.05, -0.1, 0.12, -0.08, 0.02, -0.06];
        let shape = [("a", 10.0, [true, true, false]), ("b", 20.0, [true, false, false]), ("c", 30.0, [true, true, true])];
        let mut left = noise.iter();
        let mut groups = Vec::new();
        for (name, level, edges) in shape {
            let one = |edge: bool| level - 2.0 * f64::from(u8::from(edge)) + left.next().unwrap();
            let values: Vec<f64> = edges.into_iter().map(one).collect();
            let measured = values.iter().zip(edges).map(|(value, edge)| Measured { value: *value, edge: Some(edge) }).collect();
            groups.push(Group { name: name.to_owned(), control: name == "a", measured });
        }
        let edge = rank(&groups, false, 0.95).unwrap().edge.unwrap();
        assert!((edge.difference + 2.0).abs() < 0.3 && edge.low < -2.0 && edge.high > -2.0 && edge.high < 0.0, "{edge:?}");
        // Least squares with three means and one slope, by hand: sxx = 2/3 + 2/3.
        let pair = |g: &Group, e: bool| {
            let of: Vec<f64> = g.measured.iter().filter(|m| m.edge == Some(e)).map(|m| m.value).collect();
            of.iter().sum::<f64>() / of.len() as f64
        };
        let by_hand = (0..2).map(|i| pair(&groups[i], true) - pair(&groups[i], false)).sum::<f64>() / 2.0;
        assert!((edge.difference - by_hand).abs() < 1e-12);
        // No middle, no answer.
        for group in &mut groups {
            group.measured.iter_mut().for_each(|m| m.edge = Some(true));
        }
        assert_eq!(rank(&groups, false, 0.95).unwrap().edge, None);
    }
}
