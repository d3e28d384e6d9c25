//! Answers with noise: figures that may leave because they would be nearly as likely without any one protected unit,
//! paid for from the privacy budget of an agreement. The rule for aggregates is not asked: no figure is exact.

use super::privacy::{Paid, Payment, noise_bytes, paid};
use super::standing::Standing;
use crate::operation::Context;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_commons::agreement::Agreement;
use toji_commons::privacy::{Answer, Charged, Loss, Noisy, Protected, Question, Row, Statistic};
use toji_core::{Error, Id, Place, Result, Text};

/// A figure with noise.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "NoisyFigure")]
pub(super) struct Figure {
    /// The figure, with its noise.
    pub(super) value: f64,
    /// Lower end of what the figure without noise may be.
    pub(super) low: f64,
    /// Upper end.
    pub(super) high: f64,
    /// With at least this confidence, in %.
    pub(super) confidence_percent: f64,
}

/// Who asks what at which cost.
pub(super) struct Asking<'a> {
    /// Agreement that pays.
    pub(super) agreement: &'a Agreement,
    /// Organisation that asks.
    pub(super) member: &'a Id,
    /// Cost.
    pub(super) loss: Loss,
    /// Draw again though it was answered before.
    pub(super) again: bool,
    /// The question as it was put.
    pub(super) asked: Json,
    /// The question in words.
    pub(super) about: Text,
    /// What of it.
    pub(super) statistic: Statistic,
}

/// Rows of the question by either protected unit.
pub(super) struct Rows {
    /// By member.
    pub(super) by_member: Vec<Row>,
    /// How many of one member count.
    pub(super) of_member_max: u32,
    /// By run, one each; none where the question is not of runs.
    pub(super) by_run: Option<Vec<Row>>,
    /// One of the unit of the answer, in the smallest unit of rows.
    pub(super) scale: f64,
}

/// The figure, drawn and charged, or as it was given before.
///
/// # Errors
/// As [`paid`]; `E-COMMONS-068` the budget protects runs and the question is of something else.
pub(super) async fn figure(
    context: &Context,
    standing: &Standing,
    asking: &Asking<'_>,
    rows: &Rows,
) -> Result<(Figure, Payment)> {
    let (agreement, member, loss) = (asking.agreement, asking.member, asking.loss);
    let cost = serde_json::to_string(&loss).map_err(|e| Error::bug("E-COMMONS-067", e))?;
    let asked = Id::derive("asked", &[agreement.id.as_str(), member.as_str(), &asking.asked.to_string(), &cost]);
    let question = Paid { agreement, asked: &asked, again: asking.again };
    let (answer, cost) = paid(context, standing, &question, &mut |budget, id| {
        let protected = budget.protected();
        let (of, rows_max) = match protected {
            Protected::Member => (&rows.by_member, rows.of_member_max),
            Protected::Run => (rows.by_run.as_ref().ok_or_else(of_runs_only)?, 1),
        };
        let question = Question { about: asking.about.clone(), statistic: asking.statistic, protected, rows_max };
        let charged = Charged { id, member, question: &question, loss, at: context.now };
        let answer = budget.answer(charged, of, &mut noise_bytes()?)?;
        serde_json::to_value(told(answer, asking.statistic, rows.scale)).map_err(|e| Error::bug("E-COMMONS-067", e))
    })
    .await?;
    let figure = serde_json::from_value(answer).map_err(|e| Error::bug("E-COMMONS-067", e))?;
    Ok((figure, cost))
}

fn of_runs_only() -> Error {
    Error::input(
        "E-COMMONS-068",
        "この予算は培養を保護単位とするため、培養についてだけ答えられます",
        "this budget protects single runs, so only questions about runs can be answered",
    )
    .at(Place::field("kind"))
    .hint(
        "種別を run とするか、会員を保護単位とする予算の契約を使ってください",
        "ask about runs, or under a budget that protects members",
    )
}

/// The figure with what its noise leaves open, in the unit of the answer. A count is none below zero.
fn told(answer: Answer, statistic: Statistic, scale: f64) -> Figure {
    let within = |noisy: Noisy, scale: f64, least: f64| {
        let [value, low, high] = [0.0, -noisy.margin_95, noisy.margin_95].map(|by| ((noisy.value + by) / scale).max(least));
        Figure { value, low, high, confidence_percent: 95.0 }
    };
    match answer {
        Answer::Count { count } => within(count, 1.0, 0.0),
        Answer::Sum { sum } => within(sum, scale, f64::NEG_INFINITY),
        Answer::Mean { mean, about_middle, count } => {
            // Sum and count are each within their margins with 95 %, so both are with 90 %.
            let (least, most) = match statistic {
                Statistic::Mean { low, high } | Statistic::Sum { low, high } => (low as f64, high as f64),
                Statistic::Count => (mean, mean),
            };
            let middle = f64::midpoint(least, most);
            let counts = [count.value - count.margin_95, count.value + count.margin_95].map(|n| n.max(1.0));
            let sums = [about_middle.value - about_middle.margin_95, about_middle.value + about_middle.margin_95];
            let ends = sums.iter().flat_map(|s| counts.map(|n| middle + s / n));
            let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
            let [value, low, high] = [mean, low, high].map(|x| x.clamp(least, most) / scale);
            Figure { value, low, high, confidence_percent: 90.0 }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_mean_holds_all_that_noise_within_its_margins_could_have_made() {
        let statistic = Statistic::Mean { low: 0, high: 100 };
        let noisy = |value, margin_95| Noisy { value, margin_95 };
        // About the middle of 50: a sum of 40 ± 20 over 8 ± 3.
        let answer = Answer::Mean { mean: 55.0, about_middle: noisy(40.0, 20.0), count: noisy(8.0, 3.0) };
        let told = super::told(answer, statistic, 1.0);
        assert!((told.low - (50.0 + 20.0 / 11.0)).abs() < 1e-12 && (told.high - (50.0 + 60.0 / 5.0)).abs() < 1e-12, "{told:?}");
        // Fewer than none are none; what is beyond the bounds is not told.
        let answer = Answer::Mean { mean: 100.0, about_middle: noisy(900.0, 20.0), count: noisy(2.0, 5.0) };
        let told = super::told(answer, statistic, 10.0);
        assert_eq!((told.value, told.high, told.confidence_percent), (10.0, 10.0, 90.0));
        let told = super::told(Answer::Count { count: noisy(-3.0, 5.0) }, Statistic::Count, 1.0);
        assert_eq!((told.value, told.low, told.high), (0.0, 0.0, 2.0));
    }
}
