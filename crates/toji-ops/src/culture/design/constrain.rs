//! `culture constrain`: is the larger scale poorer beyond doubt, what limited it, and what does that ask of the next
//! strain? Without evidence nothing is asked, and that is said.

use super::evidence::{Evidence, of_run};
use super::gather::{Bounds, Tested};
use super::judge::{Judged, judged, settled};
use super::rows::{Compared, ConstraintView, asks_text};
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use toji_core::record::FieldMap;
use toji_core::{Error, Id, Place, Record, Result, Text};
use toji_culture::gas::Known;
use toji_culture::lesson::{Ask, Cause, Comparison, Direction, Observed, Outcome, Shown, Sign, Standing, asks, compare, judge};
use toji_culture::rates;
use toji_store::{Commit, Put};

/// By-product: less is better.
const OVERFLOW: &str = "overflow-max";
/// Most runs of one comparison.
const RUNS_MAX: usize = 100;
/// Steps up to a run of a smaller scale.
const UP_MAX: usize = 20;

/// Input of `culture constrain`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Run on the larger scale.
    ///
    /// 大スケールの培養。
    run: String,
    /// Further runs of the same condition on the larger scale.
    ///
    /// 同じ条件の、ほかの大スケールの培養。
    #[serde(default)]
    also: Vec<String>,
    /// Runs on the smaller scale; its parent with that one's replicates when missing.
    ///
    /// 小スケールの培養。省略時は元の培養とその反復。
    #[serde(default)]
    small: Vec<String>,
    /// Quantities by which the scales are compared.
    ///
    /// スケールを比べる量。
    #[serde(default = "usual")]
    quantities: Vec<String>,
    /// Loss that is accepted, %.
    ///
    /// 許容する低下、%。
    #[serde(default = "ten")]
    tolerance_percent: f64,
    /// Relative standard deviation between runs of one condition, %, from earlier runs; from these runs when missing.
    ///
    /// 同じ条件の培養間の相対標準偏差、%（過去の培養から）。省略時はこれらの培養から。
    #[serde(default)]
    run_to_run_percent: Option<f64>,
    /// Confidence of all comparisons together.
    ///
    /// すべての比較を合わせた信頼水準。
    #[serde(default = "sure")]
    confidence: f64,
    /// Least dissolved oxygen, % of saturation.
    ///
    /// 溶存酸素の下限、飽和に対する %。
    #[serde(default = "twenty")]
    oxygen_least_percent: f64,
    /// Temperature above its set-point that counts as uncooled, K.
    ///
    /// 除熱不足とみなす、設定温度からの超過、K。
    #[serde(default = "one")]
    warm_k: f64,
    /// Highest partial pressure of carbon dioxide in the exit gas, bar; not judged when missing.
    ///
    /// 排ガスの CO2 分圧の上限、bar。省略時は判定しない。
    #[serde(default)]
    co2_most_bar: Option<f64>,
    /// Keep the constraints, the analyses they rest on, and the fate of earlier ones?
    ///
    /// 制約、根拠とした解析、以前の制約の判定を記録に残すか。
    #[serde(default = "yes")]
    keep: bool,
}

fn usual() -> Vec<String> {
    ["titre-final", "yield-product-substrate", "productivity", "growth-rate-max", "biomass-final", "yield-biomass-substrate"]
        .map(str::to_owned)
        .to_vec()
}
fn ten() -> f64 {
    10.0
}
fn sure() -> f64 {
    0.95
}
fn twenty() -> f64 {
    20.0
}
fn one() -> f64 {
    1.0
}
fn yes() -> bool {
    true
}

/// A quantity that could not be compared.
#[derive(Debug, Serialize, JsonSchema)]
struct NotCompared {
    /// Code.
    code: String,
    /// Label.
    label: Text,
    /// Why.
    why: Text,
}

/// Output of `culture constrain`.
#[derive(Debug, Serialize, JsonSchema)]
struct Constrained {
    /// Run on the larger scale.
    run: String,
    /// Scale of it, L.
    scale_l: Option<f64>,
    /// Strain.
    strain: Option<String>,
    /// Runs on the smaller scale.
    small_runs: Vec<String>,
    /// What can be said of the larger scale as a whole.
    outcome: Outcome,
    /// In words.
    conclusion: Text,
    /// Comparisons; their intervals hold all at once.
    comparisons: Vec<Compared>,
    /// Quantities that could not be compared.
    not_compared: Vec<NotCompared>,
    /// What the runs show of each limit.
    signs: Vec<Sign>,
    /// What is asked of the next strain.
    constraints: Vec<ConstraintView>,
    /// Constraints of earlier cycles that the strain was built for.
    judged: Vec<Judged>,
    /// Confidence of all comparisons together.
    confidence: f64,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture constrain",
            label: ["設計への制約", "Constraints for the design"],
            about: [
                "大スケールの培養を小スケールの培養と比べ、許容を超えて劣ることが同時信頼区間で言えるかを判定します。言えるときだけ、何が制限したか（酸素移動・除熱・CO2・混合）を培養自身のデータから調べ、大スケールだけに現れた制限を、次の株の設計への制約（例：比酸素消費速度の上限）として、区間・理由・根拠の内容ハッシュとともに記録します。判定できないとき、原因が示されないときは制約を作らず、そう述べます。株が以前の制約に応えて作られていれば、達成・未達・棄却も判定します。",
                "Compares a run on a larger scale with runs on a smaller one and judges by simultaneous intervals whether it is poorer by more than is accepted. Only then it looks in the runs' own data for what limited (oxygen transfer, heat, carbon dioxide, mixing), and keeps a limit that the larger scale alone met as a constraint for the next strain, such as a highest specific oxygen uptake, with interval, reason and hashes of the evidence. Where the comparison is inconclusive or no cause is shown, there is no constraint, and that is said. Constraints that the strain was built for are found met, missed or refuted.",
            ],
            positional: &["run"],
            example: "toji culture constrain run-0a1b2c3d4e5f --small run-1 --small run-2",
        },
        Effect::Write,
        constrain,
    )
    .long()
}

fn check(input: &Input) -> Result<()> {
    let inside = |field: &str, value: f64, low: f64, high: f64| {
        if value.is_finite() && (low..=high).contains(&value) {
            return Ok(());
        }
        Err(Error::input(
            "E-DESIGN-004",
            format!("{field} は {low}〜{high} の数です: {value}"),
            format!("{field} lies between {low} and {high}, not {value}"),
        )
        .at(Place::field(field))
        .hint("範囲は --help を参照してください", "see --help for the range"))
    };
    inside("tolerance_percent", input.tolerance_percent, 0.0, 90.0)?;
    inside("confidence", input.confidence, 0.5, 0.9999)?;
    inside("run_to_run_percent", input.run_to_run_percent.unwrap_or(1.0), 0.01, 200.0)?;
    inside("oxygen_least_percent", input.oxygen_least_percent, 0.0, 500.0)?;
    inside("warm_k", input.warm_k, 0.01, 50.0)?;
    inside("co2_most_bar", input.co2_most_bar.unwrap_or(0.1), 1e-4, 100.0)
}

/// The nearest run above that is of a smaller scale, or just above where scales are not known, with its replicates.
async fn small_runs(context: &Context, large: &Tested) -> Result<Vec<String>> {
    let store = &context.session.store;
    let missing = || {
        Error::input("E-DESIGN-005", "比べる小スケールの培養が分かりません", "there is no run on a smaller scale to compare with")
            .at(Place::field("small"))
            .hint(
                "small に培養を挙げるか、培養の parent に元の培養を入れてください",
                "name runs in small, or enter the run it came from in parent",
            )
    };
    let (mut at, mut seen) = (large.run.clone(), BTreeSet::from([large.run.id.to_string()]));
    let first = loop {
        let Some(parent) = text(&at.fields, "parent").filter(|p| seen.insert(p.clone()) && seen.len() <= UP_MAX) else {
            return Err(missing());
        };
        at = store.record(&context.access, "run", &parent, None).await.map_err(|_| missing())?;
        let scale = at.fields.get("scale_l").and_then(Json::as_f64);
        match (scale, large.scale_l) {
            (Some(small), Some(large)) if small >= large => {}
            _ => break at,
        }
    };
    let mut out = vec![first.id.to_string()];
    if let (Some(experiment), Some(condition)) = (text(&first.fields, "experiment"), text(&first.fields, "condition")) {
        for run in store.linked(&context.access, "run", "experiment", &experiment).await? {
            let same = text(&run.fields, "condition").as_deref() == Some(condition.as_str());
            if same && !run.retired && run.id != first.id {
                out.push(run.id.to_string());
            }
        }
    }
    Ok(out)
}

/// The runs of both scales, of one strain.
async fn tested(context: &Context, input: &Input) -> Result<(Vec<Tested>, Vec<Tested>)> {
    let mut large = vec![Tested::load(context, &input.run).await?];
    let named = if input.small.is_empty() {
        match large.first() {
            Some(first) => small_runs(context, first).await?,
            None => Vec::new(),
        }
    } else {
        input.small.clone()
    };
    let mut seen = BTreeSet::from([input.run.clone()]);
    let all = input.also.iter().map(|id| (true, id)).chain(named.iter().map(|id| (false, id)));
    let mut small = Vec::new();
    for (i, (is_large, id)) in all.enumerate() {
        context.progress.step(i as u64, None, "培養の解析", "analysing the runs")?;
        if i >= RUNS_MAX {
            return Err(Error::input(
                "E-DESIGN-006",
                format!("培養は {RUNS_MAX} 件までです"),
                format!("at most {RUNS_MAX} runs"),
            )
            .at(Place::field("small"))
            .hint("同じ条件の培養に絞ってください", "name the runs of one condition only"));
        }
        if !seen.insert(id.clone()) {
            return Err(Error::input("E-DESIGN-007", format!("培養 {id} が二度あります"), format!("the run {id} stands twice"))
                .at(Place::field(if is_large { "also" } else { "small" }))
                .hint("一つの培養は一度だけ挙げてください", "name each run once"));
        }
        let tested = Tested::load(context, id).await?;
        if is_large { large.push(tested) } else { small.push(tested) }
    }
    let strains: BTreeSet<&String> = large.iter().chain(&small).filter_map(|t| t.strain.as_ref()).collect();
    if strains.len() > 1 {
        let named = strains.into_iter().cloned().collect::<Vec<_>>().join(", ");
        return Err(Error::input(
            "E-DESIGN-008",
            format!("株が異なる培養ではスケールの違いを言えません: {named}"),
            format!("runs of different strains do not tell what the scale does: {named}"),
        )
        .at(Place::field("small"))
        .hint("同じ株の培養を挙げてください", "name runs of one strain"));
    }
    Ok((large, small))
}

/// Values of a quantity of some runs in the unit of the first, or why not.
fn values(runs: &[Tested], code: &str, unit: &mut Option<String>) -> Result<Vec<Observed>, Text> {
    let mut out = Vec::new();
    for tested in runs {
        let Some(mut observed) = tested.observed(code) else {
            let why = tested.lacking.iter().find(|l| l.code == code).map(|l| l.why.clone());
            let why = why.unwrap_or_else(|| Text::new("解析にこの量がありません", "the analysis does not have this quantity"));
            return Err(Text::new(format!("{}: {}", tested.title, why.ja), format!("{}: {}", tested.title, why.en)));
        };
        let own = tested.quantity(code).map(|q| q.unit.clone()).unwrap_or_default();
        let wanted = unit.get_or_insert_with(|| own.clone()).clone();
        if own != wanted {
            let units = toji_core::Unit::parse(&own).ok().zip(toji_core::Unit::parse(&wanted).ok());
            let to = |v: f64| units.as_ref().and_then(|(a, b)| a.convert(v, b).ok());
            let Some(value) = to(observed.value) else {
                return Err(Text::new(
                    format!("単位 {own} は {wanted} に換算できません"),
                    format!("the unit {own} does not convert to {wanted}"),
                ));
            };
            (observed.value, observed.low, observed.high) = (value, observed.low.and_then(to), observed.high.and_then(to));
        }
        out.push(observed);
    }
    Ok(out)
}

/// A quantity on both scales.
struct Pair {
    code: String,
    unit: String,
    small: Vec<Observed>,
    large: Vec<Observed>,
}

fn pairs(input: &Input, large: &[Tested], small: &[Tested]) -> Result<(Vec<Pair>, Vec<NotCompared>)> {
    let (mut out, mut not) = (Vec::new(), Vec::new());
    let mut codes: Vec<String> = Vec::new();
    for code in input.quantities.iter().cloned().chain([OVERFLOW.to_owned()]) {
        if !rates::CODES.contains(&code.as_str()) {
            return Err(Error::input(
                "E-DESIGN-009",
                format!("量「{code}」は知られていません"),
                format!("the quantity \"{code}\" is not known"),
            )
            .at(Place::field("quantities"))
            .hint(format!("次のいずれかです: {}", rates::CODES.join(", ")), format!("one of {}", rates::CODES.join(", "))));
        }
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    for code in codes {
        let mut unit = None;
        let both = values(small, &code, &mut unit).and_then(|s| Ok((s, values(large, &code, &mut unit)?)));
        match both {
            Ok((small, large)) => out.push(Pair { code, unit: unit.unwrap_or_else(|| "1".into()), small, large }),
            Err(why) => not.push(NotCompared { label: rates::label(&code), code, why }),
        }
    }
    Ok((out, not))
}

fn compared(pair: &Pair, c: Comparison) -> Compared {
    Compared {
        code: pair.code.clone(),
        label: rates::label(&pair.code),
        small: c.small,
        large: c.large,
        unit: pair.unit.clone(),
        ratio: c.ratio,
        low: c.low,
        high: c.high,
        spread: c.spread,
        spread_from: c.spread_from,
        outcome: c.outcome,
        why: c.why,
    }
}

/// What runs show of each cause; mixing by the by-product, where oxygen was measured and sufficed.
fn signs(input: &Input, large: &[Tested], small: &[Tested], comparisons: &[Compared]) -> Vec<Sign> {
    let bounds =
        Bounds { oxygen_least_percent: input.oxygen_least_percent, warm_k: input.warm_k, co2_most_bar: input.co2_most_bar };
    let hours = |runs: &[Tested], cause: Cause| runs.iter().map(|t| t.beyond(cause, &bounds)).collect::<Vec<_>>();
    let mut out: Vec<Sign> = Cause::ALL
        .into_iter()
        .filter(|c| *c != Cause::Mixing)
        .map(|cause| judge(cause, &hours(large, cause), &hours(small, cause)))
        .collect();
    let oxygen = out.iter().find(|s| s.cause == Cause::OxygenTransfer).map(|s| s.standing);
    let overflow = comparisons.iter().find(|c| c.code == OVERFLOW).map(|c| c.outcome);
    let standing = match (overflow, oxygen) {
        (None, _) | (_, None | Some(Standing::NotMeasured)) => Standing::NotMeasured,
        (Some(Outcome::Poor), Some(Standing::NotSeen)) => Standing::Shown,
        _ => Standing::NotSeen,
    };
    out.push(Sign { cause: Cause::Mixing, label: Cause::Mixing.label(), standing, large_h: None, small_h: None });
    out
}

/// Mean of a quantity over runs with the standard error of the mean; of one run its own.
fn mean(runs: &[Tested], code: &str, unit: &str) -> Option<Known> {
    let all: Option<Vec<Known>> = runs.iter().map(|t| t.known(code, unit)).collect();
    let all = all.filter(|a| !a.is_empty())?;
    let n = all.len() as f64;
    let value = all.iter().map(|k| k.value).sum::<f64>() / n;
    let own = (all.iter().map(|k| k.error * k.error).sum::<f64>()).sqrt() / n;
    let spread =
        if all.len() > 1 { (all.iter().map(|k| (k.value - value).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt() } else { 0.0 };
    Some(Known::new(value, own.max(spread)))
}

fn shown_by(large: &[Tested], small: &[Tested]) -> Shown {
    let uptake = mean(large, "oxygen-uptake-max", "mmol/L/h");
    Shown {
        uptake_large: uptake,
        uptake_hot: uptake,
        biomass_small: mean(small, "biomass-max", "g/L"),
        co2_large_bar: large.iter().filter_map(Tested::co2_most_bar).reduce(f64::min),
        overflow_small: mean(small, OVERFLOW, "g/L"),
    }
}

/// Why something is asked, with the numbers it rests on.
fn why(ask: &Ask, sign: &Sign, poor: &Compared, input: &Input) -> Text {
    let percent = |r: Option<f64>| r.map_or_else(|| "?".to_owned(), |r| format!("{:.0}", 100.0 * r));
    let (ratio, low, high) = (percent(poor.ratio), percent(poor.low), percent(poor.high));
    let hours = |h: Option<f64>| h.map_or_else(|| "?".to_owned(), |h| format!("{h:.1}"));
    let (large, small) = (hours(sign.large_h), hours(sign.small_h));
    let (ja, en) = match ask.cause {
        Cause::OxygenTransfer => (
            format!("溶存酸素 {} % 未満が大スケールで {large} h、小スケールで {small} h", input.oxygen_least_percent),
            format!(
                "dissolved oxygen stood below {} % for {large} h, on the smaller scale for {small} h",
                input.oxygen_least_percent
            ),
        ),
        Cause::HeatRemoval => (
            format!("設定温度を {} K 超えた時間が大スケールで {large} h、小スケールで {small} h", input.warm_k),
            format!(
                "the temperature stood {} K above its set-point for {large} h, on the smaller scale for {small} h",
                input.warm_k
            ),
        ),
        Cause::CarbonDioxide => (
            format!("排ガスの CO2 分圧が上限を超えた時間が大スケールで {large} h、小スケールで {small} h"),
            format!("carbon dioxide of the exit gas stood above its bound for {large} h, on the smaller scale for {small} h"),
        ),
        Cause::Mixing => (
            "溶存酸素は足りていたのに副生物が小スケールより多い".to_owned(),
            "more by-product than on the smaller scale although oxygen sufficed at the probe".to_owned(),
        ),
    };
    Text::new(
        format!("{}が小スケールの {ratio} %（同時 {} % 区間 {low}〜{high} %）。{ja}。", poor.label.ja, 100.0 * input.confidence),
        format!(
            "{} came to {ratio} % of the smaller scale (simultaneous {} % interval {low} to {high} %); {en}.",
            poor.label.en,
            100.0 * input.confidence
        ),
    )
}

fn conclusion(outcome: Outcome, worst: Option<&Compared>, asked: usize, signs: &[Sign]) -> Text {
    let measured = signs.iter().filter(|s| s.standing != Standing::NotMeasured).count();
    match (outcome, worst) {
        (Outcome::Poor, Some(worst)) if asked > 0 => Text::new(
            format!("{}は許容を超えて劣り、原因も示されました。制約は {asked} 件です", worst.label.ja),
            format!(
                "{} is poorer by more than is accepted, and the cause is shown: constraints for the next strain: {asked}",
                worst.label.en
            ),
        ),
        (Outcome::Poor, Some(worst)) => Text::new(
            format!(
                "{}は許容を超えて劣りますが、大スケールだけに現れた制限は示されません（調べた原因 {measured} 件）。制約は作りません",
                worst.label.ja
            ),
            format!(
                "{} is poorer by more than is accepted, but no limit is shown that the larger scale alone met (causes looked for: {measured}); nothing is asked of the next strain",
                worst.label.en
            ),
        ),
        (Outcome::AsGood, _) => Text::new(
            "比べたどの量も許容を超えて劣りません。制約は作りません",
            "no quantity compared is poorer by more than is accepted; nothing is asked of the next strain",
        ),
        _ => Text::new(
            "大スケールが劣るとは言い切れません。制約は作りません",
            "the comparison is inconclusive: whether the larger scale is poorer is open; nothing is asked of the next strain",
        ),
    }
}

async fn constrain(context: Context, input: Input) -> Result<Constrained> {
    check(&input)?;
    let (large, small) = tested(&context, &input).await?;
    let (pairs, not_compared) = pairs(&input, &large, &small)?;
    // What may go wrong is shared out over all comparisons (Bonferroni), so that the intervals hold all at once.
    let each = 1.0 - (1.0 - input.confidence) / pairs.len().max(1) as f64;
    let (tolerance, stated) = (input.tolerance_percent / 100.0, input.run_to_run_percent.map(|p| p / 100.0));
    let one = |p: &Pair| compared(p, compare(&p.small, &p.large, p.code == OVERFLOW, tolerance, each, stated));
    let comparisons: Vec<Compared> = pairs.iter().map(one).collect();
    let signs = signs(&input, &large, &small, &comparisons);
    let judging: Vec<&Compared> = comparisons.iter().filter(|c| c.code != OVERFLOW).collect();
    let poor = judging.iter().copied().filter(|c| c.outcome == Outcome::Poor);
    let worst = poor.min_by(|a, b| a.high.unwrap_or(1.0).total_cmp(&b.high.unwrap_or(1.0)));
    let outcome = match worst {
        Some(_) => Outcome::Poor,
        None if !judging.is_empty() && judging.iter().all(|c| c.outcome == Outcome::AsGood) => Outcome::AsGood,
        None => Outcome::Undecided,
    };
    let causes: Vec<Cause> = signs.iter().filter(|s| s.standing == Standing::Shown).map(|s| s.cause).collect();
    let causes = if worst.is_some() { causes } else { Vec::new() };
    let asked = asks(&causes, &shown_by(&large, &small));
    let Some(first) = large.first() else { return Err(Error::bug("E-DESIGN-010", "no run")) };
    let judged = judged(&context, first, &small, &causes).await?;
    let mut made = Vec::new();
    if let Some(worst) = worst {
        for ask in &asked {
            let Some(sign) = signs.iter().find(|s| s.cause == ask.cause) else { continue };
            made.push((ask.clone(), why(ask, sign, worst, &input)));
        }
    }
    let constraints = keep(&context, &input, &large, &small, &made, &judged).await?;
    Ok(Constrained {
        run: first.run.id.to_string(),
        scale_l: first.scale_l,
        strain: first.strain.clone(),
        small_runs: small.iter().map(|t| t.run.id.to_string()).collect(),
        outcome,
        conclusion: conclusion(outcome, worst, made.len(), &signs),
        comparisons,
        not_compared,
        signs,
        constraints,
        judged,
        confidence: input.confidence,
    })
}

/// The records of what is asked, with their evidence; kept when that is wished.
async fn keep(
    context: &Context,
    input: &Input,
    large: &[Tested],
    small: &[Tested],
    made: &[(Ask, Text)],
    judged: &[Judged],
) -> Result<Vec<ConstraintView>> {
    let store = &context.session.store;
    let (mut puts, mut views) = (Vec::new(), Vec::new());
    let (mut evidence, mut deviations): (Vec<Evidence>, Vec<String>) = (Vec::new(), Vec::new());
    if !made.is_empty() {
        for tested in large.iter().chain(small) {
            let (of_this, of_lot) = of_run(context, &tested.run, input.keep).await?;
            evidence.extend(of_this);
            deviations.extend(of_lot);
        }
    }
    let Some(first) = large.first() else { return Ok(views) };
    for (ask, why) in made {
        let id = Id::derive("dcon", &[first.run.id.as_str(), ask.cause.code(), &ask.variable]);
        let before = store.record(&context.access, "design-constraint", id.as_str(), None).await.ok();
        let mut fields = fields(ask, why, first, small, &evidence, &deviations)?;
        // Its state is what became of it since, and an equal statement is not made anew.
        let mut same = false;
        if let Some(before) = &before {
            for name in ["state", "cycle", "judged_by", "notes"] {
                if let Some(value) = before.fields.get(name) {
                    fields.insert(name.to_owned(), value.clone());
                }
            }
            let mut as_before = before.fields.clone();
            as_before.remove("made_at");
            same = as_before == fields && !before.retired;
        }
        fields.insert("made_at".to_owned(), json!(context.now.to_string()));
        let record = Record {
            kind: "design-constraint".into(),
            id: id.clone(),
            version: before.as_ref().map_or(1, |b| b.version),
            kind_version: 1,
            fields,
            retired: false,
            owner: None,
        };
        views.extend(ConstraintView::of(&record).map(|v| ConstraintView { constraint: input.keep.then(|| id.to_string()), ..v }));
        if !same {
            puts.push(Put::new("design-constraint", id, record.fields));
        }
    }
    if input.keep {
        let asked: Vec<String> = puts.iter().map(|put| put.id.to_string()).collect();
        for one in judged.iter().filter(|j| !asked.contains(&j.constraint)) {
            if let Some(record) = settled(context, one, first, small).await? {
                puts.push(Put::new("design-constraint", record.id, record.fields));
            }
        }
        if !puts.is_empty() {
            let commit = Commit { operation: "culture constrain".into(), puts, ..Commit::default() };
            store.commit(&context.access, context.now, commit).await?;
        }
    }
    Ok(views)
}

fn fields(
    ask: &Ask,
    why: &Text,
    large: &Tested,
    small: &[Tested],
    evidence: &[Evidence],
    deviations: &[String],
) -> Result<FieldMap> {
    let asks = asks_text(&ask.variable, ask.direction, ask.limit, &ask.unit);
    let evidence = serde_json::to_value(evidence).map_err(|e| Error::bug("E-DESIGN-011", e))?;
    let small: Vec<String> = small.iter().map(|t| t.run.id.to_string()).collect();
    let mut fields = FieldMap::from_iter([
        ("title".to_owned(), Json::from(format!("{} / {}", asks.ja, asks.en))),
        ("run".to_owned(), large.run.id.as_str().into()),
        ("small_runs".to_owned(), json!(small)),
        ("cause".to_owned(), ask.cause.code().into()),
        ("variable".to_owned(), ask.variable.as_str().into()),
        ("direction".to_owned(), if ask.direction == Direction::AtMost { "at-most" } else { "at-least" }.into()),
        ("limit".to_owned(), json!(ask.limit)),
        ("unit".to_owned(), ask.unit.as_str().into()),
        ("why_ja".to_owned(), why.ja.as_str().into()),
        ("why_en".to_owned(), why.en.as_str().into()),
        ("evidence".to_owned(), evidence),
        ("state".to_owned(), "open".into()),
    ]);
    if !deviations.is_empty() {
        fields.insert("deviations".to_owned(), json!(deviations));
    }
    for (name, value) in [("limit_low", ask.low), ("limit_high", ask.high)] {
        if let Some(value) = value {
            fields.insert(name.to_owned(), json!(value));
        }
    }
    for (name, value) in [("strain", large.strain.clone()), ("area", text(&large.run.fields, "area"))] {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value.into());
        }
    }
    Ok(fields)
}
