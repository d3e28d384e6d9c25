//! `culture rank`: the conditions of an experiment in their order, and against their control with how sure that is.

use super::experiment::Experiment;
use super::response::{Answer, described, response, to_common};
use super::system::system;
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Record, Result, Text, Unit};
use toji_culture::plan::{System, read_position};
use toji_culture::rank::{Comparisons, Group, Measured, Ranking, Verdict, quantile, rank};

/// Responses of which less is better, unless the asker says otherwise.
const LESS_IS_BETTER: [&str; 6] = ["doubling-time", "lag-time", "overflow-max", "duration", "acetate", "lactate"];
/// Most replicates that advice speaks of.
const REPLICATES_MAX: usize = 24;

/// Input of `culture rank`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Experiment.
    ///
    /// 実験。
    experiment: String,
    /// Code of the quantity to compare; the experiment's own when missing.
    ///
    /// 比べる量のコード。省略時は実験の応答。
    #[serde(default)]
    response: Option<String>,
    /// Is less better? By default only for times of growth and by-products.
    ///
    /// 小さいほど良いか。既定では増殖の時間と副生物のみ。
    #[serde(default)]
    lower_is_better: Option<bool>,
    /// Confidence of all intervals and verdicts.
    ///
    /// すべての区間と判定の信頼水準。
    #[serde(default = "usual")]
    confidence: f64,
}

fn usual() -> f64 {
    0.95
}

/// A unit with its response.
#[derive(Debug, Serialize, JsonSchema)]
struct UnitValue {
    /// Run.
    run: String,
    /// Title.
    title: String,
    /// Place.
    position: String,
    /// Response.
    value: f64,
}

/// A condition in its place.
#[derive(Debug, Serialize, JsonSchema)]
struct Ranked {
    /// Name.
    condition: String,
    /// Is it the control?
    control: bool,
    /// Place, from 1.
    rank: Option<usize>,
    /// Responses.
    n: usize,
    /// Mean.
    mean: Option<f64>,
    /// Standard deviation of its own replicates.
    sd: Option<f64>,
    /// Interval of the mean, by the pooled spread.
    low: Option<f64>,
    /// Upper end.
    high: Option<f64>,
    /// Difference from the control.
    difference: Option<f64>,
    /// Simultaneous interval of the difference.
    difference_low: Option<f64>,
    /// Upper end.
    difference_high: Option<f64>,
    /// Two-sided p, adjusted for the number of conditions.
    p: Option<f64>,
    /// `better`, `worse`, `not-separable`, `control`, `not-measured`; null where nothing can be said.
    verdict: Option<Verdict>,
    /// Its units.
    units: Vec<UnitValue>,
}

/// A unit without a response.
#[derive(Debug, Serialize, JsonSchema)]
struct Missing {
    /// Place.
    position: String,
    /// Condition.
    condition: String,
    /// Why.
    why: Text,
}

/// Effect of the edge.
#[derive(Debug, Serialize, JsonSchema)]
struct EdgeEffect {
    /// Units on the edge less those in the middle, conditions taken out.
    difference: f64,
    /// Interval.
    low: f64,
    /// Upper end.
    high: f64,
}

/// Output of `culture rank`.
#[derive(Debug, Serialize, JsonSchema)]
struct Ranks {
    /// Experiment.
    experiment: String,
    /// Name.
    name: String,
    /// Code of the quantity compared.
    response: String,
    /// Its label.
    label: Text,
    /// Its unit, UCUM.
    unit: Option<String>,
    /// Is less better?
    lower_is_better: bool,
    /// Confidence of intervals and verdicts.
    confidence: f64,
    /// Name of the control.
    control: Option<String>,
    /// Conditions, best first.
    conditions: Vec<Ranked>,
    /// Units without a response.
    missing: Vec<Missing>,
    /// Pooled standard deviation inside conditions.
    pooled_sd: Option<f64>,
    /// Degrees of freedom of it.
    degrees_of_freedom: usize,
    /// Effect of the edge; null where it cannot be told.
    edge: Option<EdgeEffect>,
    /// How it was judged.
    method: Text,
    /// What to do with it.
    advice: Vec<Text>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture rank",
            label: ["条件の順位付け", "Rank conditions"],
            about: [
                "実験の条件を応答の平均の順に並べ、対照との差を Dunnett の両側検定（同時信頼区間）で判定します。値のない槽は理由とともに必ず示し、端の影響も調べます。",
                "Puts the conditions of an experiment in the order of their mean response and judges their difference from the control by Dunnett's two-sided test with simultaneous intervals. Units without a value are always listed with the reason; an effect of the edge is looked for.",
            ],
            positional: &["experiment"],
            example: "toji culture rank exp-0a1b2c3d4e5f --response biomass-final",
        },
        Effect::Read,
        ranks,
    )
}

/// One unit of the experiment with what its run answers.
struct Answered {
    condition: String,
    position: String,
    edge: Option<bool>,
    run: Option<(String, String)>,
    answer: Answer,
}

async fn ranks(context: Context, input: Input) -> Result<Ranks> {
    let experiment = Experiment::load(&context, &input.experiment).await?;
    let Some(code) = input.response.or_else(|| experiment.response.clone()) else {
        return Err(Error::input("E-RANK-004", "比べる応答が決まっていません", "no response is named to compare by")
            .at(Place::field("response"))
            .hint("--response で量のコードを指定してください", "name the code of a quantity with --response"));
    };
    let (label, usual_unit) = described(&code)?;
    let lower_is_better = input.lower_is_better.unwrap_or_else(|| LESS_IS_BETTER.contains(&code.as_str()));
    // Where the record of the system is gone, the ranking stands without the edge.
    let grid = system(&context, &experiment.system).await.ok().map(|(_, grid)| grid);
    let (answered, unit) = answers(&context, &experiment, &code, grid).await?;
    let mut groups: Vec<Group> = Vec::new();
    for condition in &experiment.conditions {
        groups.push(Group { name: condition.name.clone(), control: condition.control, measured: Vec::new() });
    }
    for one in &answered {
        if let (Answer::Value { value, .. }, Some(group)) = (&one.answer, groups.iter_mut().find(|g| g.name == one.condition)) {
            group.measured.push(Measured { value: *value, edge: one.edge });
        }
    }
    let ranking = rank(&groups, lower_is_better, input.confidence)?;
    let unit = unit.or(usual_unit);
    let missing: Vec<Missing> = answered
        .iter()
        .filter_map(|a| match &a.answer {
            Answer::Missing(why) => {
                Some(Missing { position: a.position.clone(), condition: a.condition.clone(), why: why.clone() })
            }
            Answer::Value { .. } => None,
        })
        .collect();
    let spelt =
        unit.as_deref().map_or_else(String::new, |code| Unit::parse(code).map_or_else(|_| code.to_owned(), |u| u.label()));
    let advice = advice(&ranking, &missing, &spelt, input.confidence);
    Ok(Ranks {
        experiment: experiment.record.id.to_string(),
        name: experiment.name,
        response: code,
        label,
        unit,
        lower_is_better,
        confidence: input.confidence,
        control: ranking.control.clone(),
        method: method(&ranking, input.confidence),
        pooled_sd: ranking.pooled_sd,
        degrees_of_freedom: ranking.degrees_of_freedom,
        edge: ranking.edge.map(|e| EdgeEffect { difference: e.difference, low: e.low, high: e.high }),
        conditions: ranking.conditions.into_iter().map(|c| ranked(c, &answered)).collect(),
        missing,
        advice,
    })
}

fn ranked(c: toji_culture::rank::Condition, answered: &[Answered]) -> Ranked {
    let units = answered.iter().filter(|a| a.condition == c.name).filter_map(|a| match (&a.answer, &a.run) {
        (Answer::Value { value, .. }, Some((run, title))) => {
            Some(UnitValue { run: run.clone(), title: title.clone(), position: a.position.clone(), value: *value })
        }
        _ => None,
    });
    Ranked {
        units: units.collect(),
        condition: c.name,
        control: c.control,
        rank: c.rank,
        n: c.n,
        mean: c.mean,
        sd: c.sd,
        low: c.low,
        high: c.high,
        difference: c.difference,
        difference_low: c.difference_low,
        difference_high: c.difference_high,
        p: c.p,
        verdict: c.verdict,
    }
}

/// Every planned unit with what its run answers, then runs that stand on no planned unit; and the common unit.
async fn answers(
    context: &Context,
    experiment: &Experiment,
    code: &str,
    grid: Option<System>,
) -> Result<(Vec<Answered>, Option<String>)> {
    let mut runs = experiment.runs(context).await?;
    // Of several runs on one unit the latest counts.
    runs.sort_by_cached_key(|r| (text(&r.fields, "started"), r.id.to_string()));
    let mut out = Vec::new();
    let mut common = None;
    let (mut done, total) = (0, Some(experiment.units.len() as u64));
    for planned in &experiment.units {
        context.progress.step(done, total, "応答を集めています", "gathering responses")?;
        done += 1;
        let at = |r: &Record| text(&r.fields, "position").as_deref().and_then(read_position);
        let here = read_position(&planned.unit.position);
        let found = runs.iter().rposition(|r| here.is_some() && at(r) == here).map(|i| runs.remove(i));
        let (run, answer) = match found {
            Some(run) => {
                let answer = to_common(response(context, &run, code).await?, &mut common);
                (Some((run.id.to_string(), text(&run.fields, "title").unwrap_or_default())), answer)
            }
            None => (None, Answer::Missing(Text::new("この槽の培養がまだありません", "no run stands on this unit yet"))),
        };
        out.push(Answered {
            condition: planned.unit.condition.clone(),
            position: planned.unit.position.clone(),
            edge: grid.filter(System::has_middle).map(|_| planned.unit.edge),
            run,
            answer,
        });
    }
    for run in runs {
        let position = text(&run.fields, "position").unwrap_or_default();
        let taken = out.iter().any(|a| a.run.is_some() && read_position(&a.position) == read_position(&position));
        let condition = text(&run.fields, "condition").unwrap_or_default();
        let known = experiment.conditions.iter().find(|c| c.name == condition);
        let answer = match (taken && !position.is_empty(), known) {
            (true, _) => Answer::Missing(Text::new(
                format!("同じ槽に後の培養があるため、{} は数えていません", run.id),
                format!("{} is not counted: a later run stands on the same unit", run.id),
            )),
            (false, None) => Answer::Missing(Text::new(
                format!("{} の条件は実験にありません", run.id),
                format!("the condition of {} is not one of the experiment", run.id),
            )),
            (false, Some(_)) => to_common(response(context, &run, code).await?, &mut common),
        };
        out.push(Answered {
            condition,
            position,
            edge: None,
            run: Some((run.id.to_string(), text(&run.fields, "title").unwrap_or_default())),
            answer,
        });
    }
    // What has no condition of the experiment is listed, and ranks nowhere.
    Ok((out, common.flatten()))
}

fn method(ranking: &Ranking, confidence: f64) -> Text {
    let percent = confidence * 100.0;
    let compared = ranking.conditions.iter().filter(|c| c.p.is_some()).count();
    if compared == 0 {
        return Text::new(
            format!("平均の順。区間は分散分析の併合標準偏差（自由度 {}）による {percent} %", ranking.degrees_of_freedom),
            format!(
                "order of means; intervals of {percent} % by the pooled standard deviation of analysis of variance ({} degrees of freedom)",
                ranking.degrees_of_freedom
            ),
        );
    }
    Text::new(
        format!(
            "対照との比較は Dunnett の両側検定（{compared} 条件同時、{percent} %、数値積分）。ばらつきは条件内の併合標準偏差（自由度 {}）",
            ranking.degrees_of_freedom
        ),
        format!(
            "Dunnett's two-sided test against the control ({compared} conditions at once, {percent} %, by quadrature); spread pooled inside conditions ({} degrees of freedom)",
            ranking.degrees_of_freedom
        ),
    )
}

/// A number for people: three digits that count.
fn brief(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let digits = 2 - value.abs().log10().floor() as i32;
    match usize::try_from(digits) {
        Ok(digits) if digits <= 9 => format!("{value:.digits$}"),
        Ok(_) => format!("{value:.2e}"),
        Err(_) => format!("{value:.0}"),
    }
}

fn advice(ranking: &Ranking, missing: &[Missing], unit: &str, confidence: f64) -> Vec<Text> {
    let mut out = Vec::new();
    if !missing.is_empty() {
        let n = missing.len();
        out.push(Text::new(
            format!("{n} 槽に応答の値がありません。missing に理由を示します"),
            format!("{n} units have no response; the reasons stand in missing"),
        ));
    }
    let measured = ranking.conditions.iter().filter(|c| c.n > 0).count();
    let control = ranking.conditions.iter().find(|c| c.control);
    match control {
        None => out.push(Text::new(
            "対照がないため、条件の良し悪しは判定していません。次の実験には対照を入れてください",
            "conditions are not judged, since there is no control; put one into the next experiment",
        )),
        Some(control) if control.n == 0 => out.push(Text::new(
            format!("対照「{}」の値がないため、条件の良し悪しは判定していません", control.name),
            format!("conditions are not judged, since the control \"{}\" has no value", control.name),
        )),
        Some(_) => {}
    }
    if measured > 0 && ranking.degrees_of_freedom == 0 {
        out.push(Text::new(
            "反復がないため差の確かさを言えません。次は各条件を 3 反復にしてください",
            "without replicates nothing can be said about how sure a difference is; give each condition three next time",
        ));
    }
    if let Some(separable) = ranking.separable {
        let separable = brief(separable);
        out.push(Text::new(
            format!("この実験で対照と区別できる差は {separable} {unit} 以上です"),
            format!("differences from the control of {separable} {unit} and more can be told apart in this experiment"),
        ));
    }
    if let Some((name, replicates)) = more_replicates(ranking, confidence) {
        out.push(Text::new(
            format!("条件「{name}」の差が本物なら、各条件 {replicates} 反復で対照と区別できる見込みです"),
            format!("if the difference of the condition \"{name}\" is real, {replicates} replicates each should tell it from the control"),
        ));
    }
    if let Some(edge) = ranking.edge.filter(|e| e.low > 0.0 || e.high < 0.0) {
        let (difference, low, high) = (brief(edge.difference), brief(edge.low), brief(edge.high));
        out.push(Text::new(
            format!("端の槽は中央より {difference} {unit}（{low}〜{high}）違います。端を空けるか、対照を端と中央に置いて補正してください"),
            format!("units on the edge differ from those in the middle by {difference} {unit} ({low} to {high}): leave the edge free, or correct by controls on both"),
        ));
    }
    out
}

/// The best condition that could not be told from the control, and how many replicates each would tell it.
fn more_replicates(ranking: &Ranking, confidence: f64) -> Option<(String, usize)> {
    let sd = ranking.pooled_sd?;
    let open = ranking.conditions.iter().find(|c| c.verdict == Some(Verdict::NotSeparable))?;
    let (difference, compared) = (open.difference?.abs(), ranking.conditions.iter().filter(|c| c.p.is_some()).count());
    if difference <= 0.0 {
        return None;
    }
    let enough = |n: &usize| {
        let of = Comparisons::new(*n, &vec![*n; compared], (compared + 1) * (n - 1));
        of.is_some_and(|of| quantile(&of, confidence) * sd * (2.0 / *n as f64).sqrt() < difference)
    };
    let replicates = (open.n.max(1) + 1..=REPLICATES_MAX).find(enough)?;
    Some((open.name.clone(), replicates))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        let all = [0.0, 1234.5, 12.345, 0.012_345, -3.456, 1.2e-9].map(brief);
        assert_eq!(all, ["0", "1234", "12.3", "0.0123", "-3.46", "1.20e-9"]);
    }
}
