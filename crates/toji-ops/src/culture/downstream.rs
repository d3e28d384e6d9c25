//! `culture downstream`: the steps before and after a culture as one chain, with yields, purity and what misses.

use super::inputs::{ended_s, measured};
use crate::dataset::Whole;
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_core::record::FieldMap;
use toji_core::{Diagnostic, Error, Place, Record, Result, Text, Unit, Value, ValueKind};
use toji_culture::downstream::{Amount, Phase, Ratio, Step, Total, chain};
use toji_culture::rates::Standing;

/// Volume at the end: the mean of the last stretch of this length, s.
const LAST_S: f64 = 1_800.0;
/// Half a 95 % interval in standard errors.
const HALF: f64 = 1.959_963_984_540_054;
/// Most conditions of one step.
const CONDITIONS_MAX: usize = 100;

/// Input of `culture downstream`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Run.
    ///
    /// 培養。
    #[serde(default)]
    run: Option<String>,
    /// Lot, instead of a run: all steps that name it or one of its runs.
    ///
    /// 培養の代わりに製造ロット。ロットとその培養を挙げる全工程。
    #[serde(default)]
    lot: Option<String>,
}

/// An amount.
#[derive(Debug, Serialize, JsonSchema)]
struct AmountView {
    /// Value.
    value: f64,
    /// Unit, UCUM.
    unit: String,
    /// Standard uncertainty.
    uncertainty: Option<f64>,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StepCondition")]
pub(super) struct Condition {
    /// Quantity.
    pub(super) quantity: String,
    /// Value.
    pub(super) value: f64,
    /// Unit, UCUM.
    pub(super) unit: String,
    /// Lowest value held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) low: Option<f64>,
    /// Highest value held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) high: Option<f64>,
}

/// A step of the chain.
#[derive(Debug, Serialize, JsonSchema)]
struct StepView {
    /// Record.
    step: String,
    /// Title.
    title: String,
    /// Phase.
    #[serde(rename = "process_phase")]
    phase: Phase,
    /// Sort.
    sort: String,
    /// Place in the chain.
    order: i64,
    /// Conditions.
    conditions: Vec<Condition>,
    /// Product in.
    product_in: Option<AmountView>,
    /// Product out.
    product_out: Option<AmountView>,
    /// Purity of what came out.
    purity: Option<AmountView>,
    /// Product out over product in, with its 95 % interval where uncertainties are stated.
    step_yield: Option<Ratio>,
    /// All that came out over all that went in and was added.
    recovery: Option<Ratio>,
    /// Purity over the one before.
    purification_factor: Option<Ratio>,
}

/// A stretch of the chain.
#[derive(Debug, Serialize, JsonSchema)]
struct Stretch {
    /// Number of steps.
    steps: usize,
    /// Yield of all of them.
    total_yield: Option<Ratio>,
    /// Steps whose yield is not known, so that there is no total.
    lacking: Vec<String>,
}

impl Stretch {
    fn of(total: Total) -> Self {
        Self { steps: total.steps, total_yield: total.yielded, lacking: total.lacking }
    }
}

/// Output of `culture downstream`.
#[derive(Debug, Serialize, JsonSchema)]
struct Downstream {
    /// Runs.
    runs: Vec<String>,
    /// Lot.
    lot: Option<String>,
    /// Steps, from pretreatment to finishing.
    steps: Vec<StepView>,
    /// Product at the end of the culture: titre times volume, with its interval.
    made_by_culture: Option<AmountView>,
    /// Why that is not known.
    made_missing: Option<Text>,
    /// Before the culture.
    pretreatment: Stretch,
    /// After the culture.
    after_culture: Stretch,
    /// Purity of the last step that states one.
    final_purity: Option<AmountView>,
    /// Product at the end over the product of the culture.
    from_culture: Option<Ratio>,
    /// What does not add up and what misses.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture downstream",
            label: ["前処理・精製の工程", "Steps before and after a culture"],
            about: [
                "培養の前後の工程（前処理・回収・精製・仕上げ。種別 process-step）を工程の順に並べ、条件、工程ごとの収率・純度と 95 % 区間、全体の収率を示します。入りより多い出、工程の間で合わない量、培養がつくった量との不一致、足りない工程・条件・量を所見に挙げます。不確かさの記載がない収率に区間は付けません。",
                "Sets the steps before and after a culture (pretreatment, harvest, purification, finishing; kind process-step) in their order, with conditions, yield and purity of each with 95 % intervals, and the total yield. More out than in, pools that differ between steps, disagreement with what the culture made, and missing steps, conditions or amounts are findings. A yield without stated uncertainties gets no interval.",
            ],
            positional: &["run"],
            example: "toji culture downstream run-0a1b2c3d4e5f",
        },
        Effect::Read,
        downstream,
    )
}

/// A stored value object as an amount; none for words, bounds, and numbers without a unit.
fn amount(fields: &FieldMap, name: &str) -> Option<Amount> {
    let value: Value = serde_json::from_value(fields.get(name)?.clone()).ok()?;
    let number = value.number.filter(|n| value.kind == ValueKind::Exact && n.is_finite())?;
    Some(Amount { value: number, unit: value.unit?, error: value.uncertainty.filter(|e| e.is_finite() && *e > 0.0) })
}

fn shown(amount: &Amount) -> AmountView {
    AmountView { value: amount.value, unit: amount.unit.code().to_owned(), uncertainty: amount.error }
}

/// Conditions of a step; those that cannot be read were refused at the door, and old ones are left out.
fn conditions(fields: &FieldMap) -> Vec<Condition> {
    let list = fields.get("conditions").and_then(Json::as_array);
    list.into_iter().flatten().filter_map(|c| serde_json::from_value(c.clone()).ok()).collect()
}

fn step_of(record: &Record) -> Option<Step> {
    let fields = &record.fields;
    Some(Step {
        id: record.id.to_string(),
        phase: Phase::of(&text(fields, "phase")?)?,
        order: fields.get("order").and_then(Json::as_i64)?,
        conditions: !conditions(fields).is_empty(),
        input: amount(fields, "input"),
        added: amount(fields, "added"),
        output: amount(fields, "output"),
        product_in: amount(fields, "product_in"),
        product_out: amount(fields, "product_out"),
        purity: amount(fields, "purity"),
    })
}

/// Runs and the lot that are asked for.
async fn asked(context: &Context, input: &Input) -> Result<(Vec<String>, Option<String>)> {
    let store = &context.session.store;
    match (&input.run, &input.lot) {
        (Some(run), None) => {
            let run = store.record(&context.access, "run", run, None).await?;
            Ok((vec![run.id.to_string()], None))
        }
        (None, Some(lot)) => {
            let lot = store.record(&context.access, "lot", lot, None).await?;
            let runs = lot.fields.get("runs").and_then(Json::as_array);
            let runs = runs.into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect();
            Ok((runs, Some(lot.id.to_string())))
        }
        _ => Err(Error::input("E-CHAIN-010", "培養かロットのどちらか一方を指定してください", "name either a run or a lot")
            .at(Place::field("run"))
            .hint("例: toji culture downstream RUN", "for example toji culture downstream RUN")),
    }
}

async fn downstream(context: Context, input: Input) -> Result<Downstream> {
    let (runs, lot) = asked(&context, &input).await?;
    let store = &context.session.store;
    let mut records: Vec<Record> = Vec::new();
    for run in &runs {
        records.extend(store.linked(&context.access, "process-step", "run", run).await?);
    }
    if let Some(lot) = &lot {
        records.extend(store.linked(&context.access, "process-step", "lot", lot).await?);
    }
    records.retain(|r| !r.retired);
    records.sort_by(|a, b| a.id.cmp(&b.id));
    records.dedup_by(|a, b| a.id == b.id);
    let steps: Vec<Step> = records.iter().filter_map(step_of).collect();
    // What the last run made, since a seed culture is not purified.
    let made = match runs.last() {
        Some(run) => made(&context, run).await?,
        None => Err(Text::new("ロットに培養がありません", "the lot names no run")),
    };
    let found = chain(&steps, made.as_ref().ok());
    let record = |id: &str| records.iter().find(|r| r.id.as_str() == id);
    let mut views = Vec::new();
    for reached in &found.steps {
        let (Some(record), Some(step)) = (record(&reached.id), steps.iter().find(|s| s.id == reached.id)) else { continue };
        views.push(StepView {
            step: reached.id.clone(),
            title: text(&record.fields, "title").unwrap_or_default(),
            phase: step.phase,
            sort: text(&record.fields, "sort").unwrap_or_default(),
            order: step.order,
            conditions: conditions(&record.fields),
            product_in: step.product_in.as_ref().map(shown),
            product_out: step.product_out.as_ref().map(shown),
            purity: step.purity.as_ref().map(shown),
            step_yield: reached.yielded,
            recovery: reached.recovered,
            purification_factor: reached.purified,
        });
    }
    let last = found.steps.last().and_then(|r| steps.iter().find(|s| s.id == r.id && s.phase != Phase::Pretreatment));
    let from_culture = last.and_then(|l| l.product_out.as_ref()).zip(made.as_ref().ok()).and_then(|(o, m)| Ratio::over(o, m));
    let (made_by_culture, made_missing) = match &made {
        Ok(amount) => (Some(shown(amount)), None),
        Err(why) => (None, Some(why.clone())),
    };
    Ok(Downstream {
        runs,
        lot,
        steps: views,
        made_by_culture,
        made_missing,
        pretreatment: Stretch::of(found.before),
        after_culture: Stretch::of(found.after),
        final_purity: found.purity.as_ref().map(shown),
        from_culture,
        findings: found.findings,
    })
}

/// Product at the end of a run, g: titre times volume, or why not.
async fn made(context: &Context, run: &str) -> Result<Result<Amount, Text>> {
    let (found, lacking) = super::analyse::quantities(context, run).await?;
    let Some(titre) = found.into_iter().find(|q| q.code == "titre-final") else {
        let why = lacking.into_iter().find(|l| l.code == "titre-final").map(|l| l.why);
        return Ok(Err(why.unwrap_or_else(|| Text::new("力価がありません", "there is no titre"))));
    };
    let grams = Unit::parse("g/L")?;
    let own = Unit::parse(&titre.unit)?;
    let in_grams = |v: f64| own.convert(v, &grams).ok();
    let Some(value) = in_grams(titre.value) else {
        return Ok(Err(Text::new(
            format!("力価の単位 {} は g/L に換算できません", titre.unit),
            format!("the titre's unit {} does not convert to g/L", titre.unit),
        )));
    };
    let whole = Whole::load(context, run).await?;
    let end = ended_s(&whole).or(titre.to_s);
    // Load cells tell kilograms: a broth of 1 kg/L is taken, as the standard analysis does where no density is stated.
    let line = measured(&whole, "volume", "L").or_else(|| measured(&whole, "weight", "kg"));
    let volume = line.and_then(|l| {
        let good = l.points.iter().filter(|p| p.standing == Standing::Good && end.is_none_or(|e| p.t_s <= e));
        let points: Vec<(f64, f64)> = good.map(|p| (p.t_s, p.value)).collect();
        let last = points.iter().map(|p| p.0).reduce(f64::max)?;
        let tail: Vec<f64> = points.iter().filter(|p| p.0 >= last - LAST_S).map(|p| p.1).collect();
        Some(tail.iter().sum::<f64>() / tail.len() as f64)
    });
    let Some(volume) = volume.filter(|v| *v > 0.0) else {
        return Ok(Err(Text::new("終了時の液量が分かりません", "the volume at the end is not known")));
    };
    let half = titre.low.zip(titre.high).and_then(|(l, h)| Some((in_grams(h)? - in_grams(l)?) / (2.0 * HALF)));
    let error = half.filter(|e| e.is_finite() && *e > 0.0).map(|e| e * volume);
    Ok(Ok(Amount { value: value * volume, unit: Unit::parse("g")?, error }))
}

/// What may be entered of a step by hand or by table.
///
/// # Errors
/// `E-CHAIN-001` with all places: no run and no lot, conditions that cannot be read, amounts without a unit or below zero.
pub(crate) fn may_put_step(fields: &FieldMap) -> Result<()> {
    let mut found = Vec::new();
    let fault = |field: &str, ja: String, en: String| Diagnostic::error("E-CHAIN-001", Place::field(field), ja, en);
    if text(fields, "run").is_none() && text(fields, "lot").is_none() {
        found.push(
            fault("run", "培養もロットもありません".into(), "it names neither a run nor a lot".into())
                .remedy("run か lot に識別子を入れてください", "enter an identifier in run or lot"),
        );
    }
    conditions_may_stand(fields.get("conditions"), &mut found);
    for name in ["input", "added", "output", "product_in", "product_out", "purity"] {
        let Some(value) = fields.get(name).and_then(|v| serde_json::from_value::<Value>(v.clone()).ok()) else { continue };
        let ends = [value.number, value.low, value.high];
        if ends.iter().flatten().any(|n| *n < 0.0) {
            found.push(
                fault(name, "量が負です".into(), "the amount is below zero".into())
                    .remedy("0 以上の量を入れてください", "enter an amount of zero or more"),
            );
        }
        if ends.iter().any(Option::is_some) && value.unit.is_none() {
            found.push(
                fault(name, "単位がありません".into(), "the unit is missing".into())
                    .remedy("UCUM の単位を付けてください（例: 12.5 kg）", "add a UCUM unit (such as 12.5 kg)"),
            );
        }
    }
    if let Some(percent) = amount(fields, "purity").and_then(|p| p.unit.convert(p.value, &Unit::parse("%").ok()?).ok())
        && percent > 100.0 + 1e-9
    {
        found.push(
            fault("purity", format!("純度が 100 % を超えています: {percent} %"), format!("a purity above 100 %: {percent} %"))
                .remedy("値と単位を確認してください", "check the value and its unit"),
        );
    }
    let times = [text(fields, "started"), text(fields, "ended")].map(|t| t.and_then(|t| toji_core::Instant::parse(&t).ok()));
    if let [Some(from), Some(to)] = times
        && to < from
    {
        found.push(
            fault("ended", "終了が開始より前です".into(), "it ends before it starts".into())
                .remedy("時刻を確認してください", "check the times"),
        );
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(Error::input("E-CHAIN-001", "工程の記録に誤りがあります", "the record of the step has faults")
        .with(found)
        .hint("所見の各項目を直してください", "correct each of the fields named"))
}

fn conditions_may_stand(conditions: Option<&Json>, found: &mut Vec<Diagnostic>) {
    let mut add = |place: String, ja: String, en: String| {
        found.push(Diagnostic::error("E-CHAIN-002", Place::field(place), ja, en).remedy(
            "例: [{\"quantity\": \"temperature\", \"value\": 80, \"unit\": \"Cel\"}]",
            "such as [{\"quantity\": \"temperature\", \"value\": 80, \"unit\": \"Cel\"}]",
        ));
    };
    let list = match conditions {
        None | Some(Json::Null) => return,
        Some(Json::Array(list)) => list,
        Some(_) => {
            return add("conditions".into(), "条件は一覧にしてください".into(), "conditions are a list".into());
        }
    };
    if list.len() > CONDITIONS_MAX {
        return add(
            "conditions".into(),
            format!("条件は {CONDITIONS_MAX} 件までです"),
            format!("at most {CONDITIONS_MAX} conditions"),
        );
    }
    for (i, one) in list.iter().enumerate() {
        let place = format!("conditions/{i}");
        match serde_json::from_value::<Condition>(one.clone()) {
            Err(e) => add(place, format!("条件を読めません: {e}"), format!("the condition cannot be read: {e}")),
            Ok(c) => {
                if let Err(e) = Unit::parse(&c.unit) {
                    let message = e.fault().message.clone();
                    add(format!("{place}/unit"), message.ja, message.en);
                }
                let (low, high) = (c.low.unwrap_or(c.value), c.high.unwrap_or(c.value));
                if !(c.value.is_finite() && low <= c.value && c.value <= high) {
                    let (ja, en) = ("値が下限と上限の間にありません", "the value is not between its low and high");
                    add(format!("{place}/value"), ja.into(), en.into());
                }
            }
        }
    }
}
