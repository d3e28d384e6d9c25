//! The total, and what of it may leave.

use super::aggregator::{KeptOpen, accept_all, by_member, half_sum, of_house, open_all, shared};
use super::message::{Answered, LeftOut, Step, enough, opened};
use super::question::{Of, Question};
use crate::commons::noisy::Figure;
use crate::commons::seat::{actor, standing};
use crate::commons::write::{out_of_order, with};
use crate::operation::Context;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use toji_commons::aggregate::Half;
use toji_commons::agreement::Role;
use toji_commons::release::Rule;
use toji_core::record::FieldMap;
use toji_core::{Id, Result, Text};
use toji_store::Put;

/// Counts are rounded down to multiples of this.
const FIVES: f64 = 5.0;

/// Input of `commons sum-total`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TotalInput {
    /// The question.
    ///
    /// 問いの識別子。
    sum: String,
    /// What the second aggregator gave, as `toji commons sum-check` made it.
    ///
    /// `toji commons sum-check` が作った、第二の集計者の答え。
    answer: String,
}

/// Output of `commons sum-total`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub(super) struct Totalled {
    /// The question.
    sum: String,
    /// In words.
    question: Text,
    /// Unit of the quantity, UCUM.
    unit: String,
    /// How many members stand behind it.
    contributors: u64,
    /// What was found.
    totals: Vec<TotalView>,
    /// Reports that do not count, and why.
    left_out: Vec<LeftOut>,
    /// Version of the rule.
    rule: String,
}

/// One figure.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SumTotal")]
struct TotalView {
    /// Lower end of its class.
    class_from: Option<f64>,
    /// Upper end.
    class_to: Option<f64>,
    /// The figure: a count rounded down to fives, or a mean to three digits.
    value: Option<f64>,
    /// The figure with the noise of both aggregators.
    with_noise: Option<Figure>,
    /// Why it is withheld.
    withheld: Option<Text>,
    /// Release.
    release: Option<String>,
}

pub(super) async fn total(context: Context, input: TotalInput) -> Result<Totalled> {
    let standing = standing(&context).await?;
    actor(&context, &standing, &[Role::Operator], None)?;
    let question = of_house(&context, &standing, &input.sum).await?;
    if let Some(kept) = Step::Totalled.kept(&context, &question).await? {
        return Ok(kept);
    }
    let kept: KeptOpen = Step::Opened.kept(&context, &question).await?.ok_or_else(|| {
        out_of_order(
            "sum",
            "報告がまだ開かれていません".into(),
            "its reports were not opened yet".into(),
            ["先に `toji commons sum-open` を行ってください", "do `toji commons sum-open` first"],
        )
    })?;
    let second = question.key(&question.second, "answer")?;
    let answered = opened("answer", &input.answer, &second, |a: &Answered| a.question, &question)?;
    let mut left_out = kept.left_out.clone();
    left_out.extend(answered.left_out.iter().filter(|l| !kept.left_out.contains(l)).cloned());
    let mut half = Half::new(question.engine()?, false, shared(&kept.key)?);
    // Those the second aggregator left out are told with its reason.
    let parts: Vec<_> = kept.parts.into_iter().filter(|p| answered.half.included.contains(&p.from)).collect();
    let own = open_all(&mut half, &parts, &mut left_out);
    let accepted = accept_all(&mut half, [&own, &by_member(&answered.openings)], &mut left_out);
    enough(&accepted, &question)?;
    let sum = question.engine()?.sum([&half_sum(&half, &question)?, &answered.half])?;
    let rule = Rule::default().version;
    let figures = question.totals(&sum);
    let (mut totals, mut puts) = (Vec::new(), Vec::new());
    for (at, figure) in figures.into_iter().enumerate() {
        let mut told = told(&question, at, figure, accepted.len());
        if let Some(value) = told.value.or(told.with_noise.as_ref().map(|f| f.value)) {
            let id = Id::derive("sum-release", &[&question.digest()?.to_string(), &at.to_string()]);
            told.release = Some(id.to_string());
            puts.push(release(&context, &question, &told, id, (value, accepted.len(), &rule)));
        }
        totals.push(told);
    }
    let totalled = Totalled {
        sum: question.sum.to_string(),
        question: question.words(),
        unit: question.unit.clone(),
        contributors: accepted.len() as u64,
        totals,
        left_out,
        rule,
    };
    Step::Totalled.keep(&context, &question, &totalled, puts).await?;
    Ok(totalled)
}

/// What of a total is told.
fn told(question: &Question, at: usize, total: f64, members: usize) -> TotalView {
    let class = (question.of == Of::Classes).then(|| question.class(at));
    let n = if question.of == Of::Mean { members as f64 } else { 1.0 };
    let mut view = TotalView {
        class_from: class.map(|c| c.0),
        class_to: class.map(|c| c.1),
        value: None,
        with_noise: None,
        withheld: None,
        release: None,
    };
    if let Some(margin) = question.margin() {
        let within = |x: f64| if question.of == Of::Mean { (x / n).clamp(question.low, question.high) } else { x.max(0.0) };
        let [value, low, high] = [0.0, -margin, margin].map(|by| within(total + by));
        view.with_noise = Some(Figure { value, low, high, confidence_percent: 90.0 });
    } else if question.of == Of::Mean {
        view.value = Some(three_digits(total / n));
    } else {
        // Fixed point leaves less than half a run.
        let count = (total.round() / FIVES).floor() * FIVES;
        if count >= FIVES {
            view.value = Some(count);
        } else {
            view.withheld =
                Some(Text::new("なし、または5件未満です（どちらかは示しません）", "none or fewer than 5, without saying which"));
        }
    }
    view
}

fn three_digits(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// What is kept for members, as of every other figure that left.
fn release(context: &Context, question: &Question, told: &TotalView, id: Id, (value, members, rule): (f64, usize, &str)) -> Put {
    let words = question.words();
    let class = told.class_from.zip(told.class_to).map(|(from, to)| format!(" [{from}, {to}]")).unwrap_or_default();
    let count = question.of != Of::Mean;
    let fields = with(
        FieldMap::new(),
        [
            ("title", json!(format!("{}{class} / {}{class}", words.ja, words.en))),
            ("table", json!(Id::derive("sum", &[&question.measure, question.of.code()]).as_str())),
            ("total", json!(value)),
            ("unit", json!(if count { "1" } else { question.unit.as_str() })),
            ("contributors", json!(members)),
            ("rule", json!(rule)),
            (
                "question",
                json!({ "sum": question.sum, "agreement": question.agreement, "measure": question.measure, "of": question.of }),
            ),
            ("released_at", json!(context.now.to_string())),
            ("asked_by", json!(question.asked_by.as_str())),
        ],
    );
    Put { if_version: Some(0), ..Put::new("aggregate-release", id, fields) }
}
