//! A member's side: figures of its own runs, split in two before anything leaves.

use super::message::{Part, signed};
use super::question::{Of, Question};
use crate::commons::aggregate::measured;
use crate::commons::agreement::key_from;
use crate::operation::Context;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use toji_commons::log::KeyKind;
use toji_core::{Category, Error, Id, Place, Result, Text};

/// Input of `commons sum-report`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportInput {
    /// Document of the question, as `toji commons sum` made it.
    ///
    /// 問いの文書。`toji commons sum` の document。
    question: String,
    /// Key file of one's own organisation, on this machine.
    ///
    /// この機械にある自社の鍵のファイル。
    key_file: String,
    /// Runs that count; all of one's own when missing.
    ///
    /// 数える培養。省略時は自社のすべて。
    #[serde(default)]
    runs: Vec<String>,
}

/// Output of `commons sum-report`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Reported {
    /// What is asked.
    question: Text,
    /// Who reports.
    member: String,
    /// One's own figures, which go to nobody.
    own_figures: Vec<f64>,
    /// Runs behind them.
    own_runs: u64,
    /// The first aggregator.
    first_aggregator: String,
    /// What to hand to it, and to nobody else.
    to_first: String,
    /// The second aggregator.
    second_aggregator: String,
    /// What to hand to it, and to nobody else.
    to_second: String,
}

/// Only in a store of one's own: a house that works the figures out from the rows has no need of shares.
pub(super) fn at_home(context: &Context, ja: &str, en: &str) -> Result<()> {
    if context.access.sees_all() {
        return Ok(());
    }
    Err(Error::new(Category::Denied, "E-COMMONS-105", ja, en)
        .hint("自社の機械の保存先で実行してください", "run it in the store on your own machine"))
}

pub(super) async fn report(context: Context, input: ReportInput) -> Result<Reported> {
    at_home(&context, "和への報告は会員自身の保存先で行います", "reports to a sum are made in a member's own store")?;
    let question = Question::parse(&input.question)?;
    let key = key_from(&context, &input.key_file, KeyKind::Log)?;
    let member = Id::parse(key.verifier().name())?;
    let known = question.key(&member, "key_file")?;
    if known != *key.verifier() || !question.members.contains(&member) {
        return Err(Error::input(
            "E-COMMONS-097",
            format!("「{member}」のこの鍵は、問いの会員のものではありません"),
            format!("this key of \"{member}\" is not that of a member of the question"),
        )
        .at(Place::field("key_file"))
        .hint("登録した鍵を指定してください", "give the key that was registered"));
    }
    let values = values(&context, &question, &member, &input.runs).await?;
    let figures = figures(&question, &values)?;
    let mut seed = [0u8; 32];
    crate::random::fill(&mut seed)?;
    let report = question.engine()?.report(&member, &question.input(&figures)?, &seed)?;
    let digest = question.digest()?;
    let [first, second] = report.shares;
    let part = |to: &Id, share| Part {
        question: digest,
        to: to.clone(),
        from: member.clone(),
        nonce: report.nonce.clone(),
        public: report.public.clone(),
        share,
    };
    Ok(Reported {
        question: question.words(),
        own_figures: figures,
        own_runs: values.len() as u64,
        first_aggregator: question.first.to_string(),
        to_first: signed(&part(&question.first, first), &key)?,
        second_aggregator: question.second.to_string(),
        to_second: signed(&part(&question.second, second), &key)?,
        member: member.to_string(),
    })
}

/// The measure of one's own runs.
async fn values(context: &Context, question: &Question, member: &Id, named: &[String]) -> Result<Vec<f64>> {
    let named: BTreeSet<&str> = named.iter().map(String::as_str).collect();
    let runs = context.session.store.records(&context.access, "run", None, false).await?;
    if let Some(missing) = named.iter().find(|name| !runs.iter().any(|r| r.id.as_str() == **name)) {
        return Err(Error::not_found(
            "E-COMMONS-106",
            format!("培養「{missing}」はありません"),
            format!("there is no run \"{missing}\""),
        )
        .at(Place::field("runs"))
        .hint("`toji run list` で確かめてください", "see `toji run list`"));
    }
    let mut out = Vec::new();
    for (n, run) in runs.iter().enumerate() {
        context.progress.step(n as u64, Some(runs.len() as u64), "培養を読んでいます", "reading runs")?;
        let own = run.owner.as_deref().is_none_or(|owner| owner == member.as_str());
        if !own || !named.is_empty() && !named.contains(run.id.as_str()) {
            continue;
        }
        if let Some((value, unit)) = measured(context, run, &question.measure).await?
            && unit == question.unit
        {
            out.push(value);
        }
    }
    if out.is_empty() {
        return Err(Error::not_found(
            "E-COMMONS-106",
            format!("{}（{}）のある自社の培養がありません。報告せずにおくことができます", question.measure, question.unit),
            format!("no run of one's own states {} in {}; one need not report", question.measure, question.unit),
        )
        .at(Place::field("question"))
        .hint("`toji culture analyse` で解析できるか確かめてください", "see whether `toji culture analyse` works it out"));
    }
    Ok(out)
}

/// What is reported of them.
fn figures(question: &Question, values: &[f64]) -> Result<Vec<f64>> {
    let most = question.of_member_max as usize;
    match question.of {
        Of::Runs => Ok(vec![values.len().min(most) as f64]),
        Of::Mean => Ok(vec![values.iter().sum::<f64>() / values.len() as f64]),
        Of::Classes => {
            let mut counts = vec![0.0; question.slots()];
            for value in values.iter().take(most) {
                // Out of the bounds: refused, as a mean would be.
                let at = question.class_of(*value).and_then(|at| counts.get_mut(at));
                *at.ok_or_else(|| question.beyond(*value, (question.low, question.high)))? += 1.0;
            }
            Ok(counts)
        }
    }
}
