//! `culture steady`: is a continuous culture of the store at steady state, from when on, and what does it make beside
//! fed-batch runs?

use super::inputs;
use crate::dataset::Whole;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result, Text, Unit, variable};
use toji_culture::continuous::observed::{Dilution, Estimate, Judged, Observed, READINGS_MIN, Rule, Series, Verdict, observe};
use toji_culture::rates::{Line, Standing};

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;
/// Readings of a channel in one exchange; more are averaged.
const PER_EXCHANGE: f64 = 8.0;
/// Readings that are kept as they are.
const FEW: usize = 200;
/// Degrees of freedom of what is stated and not measured.
const STATED: f64 = 1e6;
/// Living cells by whatever counts them, in this order.
const CELLS: [&str; 4] = ["viable-cell-density", "dry-weight", "capacitance", "optical-density"];

/// Input of `culture steady`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Continuous cultures.
    ///
    /// 連続培養。
    runs: Vec<String>,
    /// Medium per volume of broth and time, with unit; else it follows from `flow` and `volume`.
    ///
    /// 希釈率（灌流速度）。単位を添える。省略時は flow と volume から求める。
    #[serde(default)]
    dilution: Option<String>,
    /// Variable of the flow of medium: a flow, or a pump's total.
    ///
    /// 培地の流量の変数（流量、またはポンプの積算量）。
    #[serde(default = "usual_flow")]
    flow: String,
    /// Volume of the broth, with unit; else the run's own `volume`.
    ///
    /// 液量。単位を添える。省略時は培養記録の液量。
    #[serde(default)]
    volume: Option<String>,
    /// Share of the medium that is collected; the rest is bled.
    ///
    /// 流入した培地のうち回収される割合。残りはブリード。
    #[serde(default = "usual_share")]
    harvest_share: f64,
    /// Variable of the product.
    ///
    /// 生産物の変数。
    #[serde(default = "usual_product")]
    product: String,
    /// Variables that must be steady; living cells and product when missing.
    ///
    /// 定常であるべき変数。省略時は生細胞（菌体）と生産物。
    #[serde(default)]
    variables: Vec<String>,
    /// Exchanges of the volume that a steady stretch must have.
    ///
    /// 定常区間に必要な液量交換の回数。
    #[serde(default = "usual_exchanges")]
    exchanges: f64,
    /// Drift allowed from the beginning to the end of the stretch, as a share of the mean.
    ///
    /// 区間の初めから終わりまでに許す変化（平均に対する割合）。
    #[serde(default = "usual_drift")]
    drift: f64,
    /// Scatter allowed about the trend, as a share of the mean.
    ///
    /// 傾向のまわりに許すばらつき（平均に対する割合）。
    #[serde(default = "usual_scatter")]
    scatter: f64,
    /// Fed-batch runs to compare with.
    ///
    /// 比べる流加培養。
    #[serde(default)]
    fed_batch: Vec<String>,
    /// Time between two fed-batches.
    ///
    /// 流加培養の間の段取り時間。
    #[serde(default = "usual_turnaround")]
    batch_turnaround: String,
}

fn usual_flow() -> String {
    "feed".into()
}
fn usual_share() -> f64 {
    1.0
}
fn usual_product() -> String {
    "titre".into()
}
fn usual_exchanges() -> f64 {
    Rule::default().exchanges
}
fn usual_drift() -> f64 {
    Rule::default().drift
}
fn usual_scatter() -> f64 {
    Rule::default().scatter
}
fn usual_turnaround() -> String {
    "3 d".into()
}

/// Is it steady?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Is {
    /// The interval of every drift lies within what is allowed.
    Steady,
    /// A drift lies outside, or readings scatter too much.
    NotSteady,
    /// The readings cannot tell.
    CannotTell,
}

impl From<Verdict> for Is {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Steady => Self::Steady,
            Verdict::NotSteady => Self::NotSteady,
            Verdict::CannotTell => Self::CannotTell,
        }
    }
}

/// One variable over the stretch.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct SeriesView {
    /// Variable.
    variable: String,
    /// Is it steady?
    verdict: Is,
    /// Readings in the stretch.
    readings: usize,
    /// Mean.
    mean: f64,
    /// Lower end of its 95 % interval.
    low: f64,
    /// Upper end.
    high: f64,
    /// Unit, UCUM.
    unit: String,
    /// Drift from beginning to end, as a share of the mean.
    drift: f64,
    /// Lower end of its 95 % interval.
    drift_low: f64,
    /// Upper end.
    drift_high: f64,
    /// Scatter about the trend, as a share of the mean.
    scatter: f64,
    /// Correlation of neighbouring residuals.
    correlation: f64,
}

/// A continuous culture.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct RunView {
    /// Run.
    run: String,
    /// Is it steady?
    verdict: Is,
    /// Why not.
    why: Option<Text>,
    /// Beginning of the steady stretch, or else of the stretch that was judged, d from inoculation.
    from_d: Option<f64>,
    /// End of it, d.
    until_d: Option<f64>,
    /// Exchanges of the volume in it.
    exchanges: Option<f64>,
    /// Mean dilution rate in it, 1/d.
    dilution_per_d: Option<f64>,
    /// Product collected per volume and time.
    productivity_g_per_l_d: Option<f64>,
    /// Lower end of its 95 % interval.
    low_g_per_l_d: Option<f64>,
    /// Upper end.
    high_g_per_l_d: Option<f64>,
    /// Product collected per volume of medium.
    per_medium_g_per_l: Option<f64>,
    /// Variables.
    series: Vec<SeriesView>,
}

/// A fed-batch run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct BatchView {
    /// Run.
    run: String,
    /// Last titre.
    titre_g_per_l: f64,
    /// Length, d.
    duration_d: f64,
    /// Product per volume and time, turnaround included.
    productivity_g_per_l_d: f64,
}

/// Which productivity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Per {
    /// Per volume of vessel and time.
    PerVolume,
    /// Per volume of medium.
    PerMedium,
}

/// Both ways beside each other.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Compared {
    /// Which productivity.
    measure: Per,
    /// Of the continuous cultures.
    continuous: f64,
    /// Of the fed-batch runs.
    fed_batch: f64,
    /// Unit, UCUM.
    unit: String,
    /// Continuous over fed-batch.
    ratio: f64,
    /// Lower end of its 95 % interval; none where a single fed-batch says nothing of how they scatter.
    low: Option<f64>,
    /// Upper end.
    high: Option<f64>,
    /// What the interval rests on.
    rests_on: Text,
}

/// Output of `culture steady`.
#[derive(Debug, Serialize, JsonSchema)]
struct Steady {
    /// What counts as steady.
    rule: Text,
    /// The continuous cultures.
    runs: Vec<RunView>,
    /// The fed-batch runs.
    batches: Vec<BatchView>,
    /// Both beside each other; from steady stretches alone.
    compared: Vec<Compared>,
    /// What to mind.
    warnings: Vec<Text>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture steady",
            label: ["連続培養の定常判定", "Is a continuous culture steady?"],
            about: [
                "灌流・連続培養が定常状態にあるか、いつからかを測定値で判定します。必要な回数の液量交換があり、区間を通した各変数の変化の 95 % 区間が許容内で、ばらつきも許容内の区間だけを定常とします。測定が少なければ「分からない」と答えます。定常区間の生産性を区間付きで求め、段取りを含む流加培養と比べます。",
                "Judges by measurements whether a perfusion or chemostat run is at steady state, and from when on: enough exchanges of the volume, the 95 % interval of every drift within what is allowed, and no more scatter than allowed. Few readings cannot tell, and it says so. Gives the productivity of the steady stretch with its interval, beside fed-batch runs with their turnaround.",
            ],
            positional: &["runs…"],
            example: "toji culture steady run-0a1b2c --dilution '1.5 /d' --fed-batch run-3d4e5f",
        },
        Effect::Read,
        steady,
    )
}

fn refused(field: &str, ja: impl Into<String>, en: impl Into<String>) -> Error {
    Error::input("E-STEADY-001", ja, en).at(Place::field(field))
}

fn number(text: &str, unit: &str, field: &str) -> Result<f64> {
    super::model::quantity(text, &Unit::parse(unit)?, field)
}

async fn steady(context: Context, input: Input) -> Result<Steady> {
    let rule = Rule { exchanges: input.exchanges, drift: input.drift, scatter: input.scatter };
    let fits = rule.exchanges >= 1.0 && rule.drift > 0.0 && rule.scatter > 0.0 && (0.0..=1.0).contains(&input.harvest_share);
    if input.runs.is_empty() || !fits {
        return Err(refused(
            "runs",
            "runs は 1 つ以上、exchanges は 1 以上、drift と scatter は正、harvest_share は 0〜1 です",
            "there is at least one run, exchanges is at least 1, drift and scatter are positive, harvest_share is 0 to 1",
        ));
    }
    let turnaround = number(&input.batch_turnaround, "d", "batch_turnaround")?;
    if turnaround < 0.0 {
        return Err(refused("batch_turnaround", "段取り時間は 0 以上です", "a turnaround is at least 0"));
    }
    let mut warnings = Vec::new();
    let (mut runs, mut found) = (Vec::new(), Vec::new());
    for run in &input.runs {
        let whole = Whole::load(&context, run).await.map_err(|e| e.at(Place::field("runs")))?;
        let (view, estimates) = judged(&whole, &input, &rule)?;
        found.extend(estimates);
        runs.push(view);
    }
    let (mut batches, mut of_batches) = (Vec::new(), Vec::new());
    for run in &input.fed_batch {
        let whole = Whole::load(&context, run).await.map_err(|e| e.at(Place::field("fed_batch")))?;
        let points = readings(&whole, &input.product, "g/L");
        let Some(&(duration, titre)) = points.last().filter(|p| p.1 > 0.0 && p.0 > 0.0) else {
            warnings.push(Text::new(
                format!("流加培養 {run} に力価の測定がないため、比較に入れていません"),
                format!("the fed-batch {run} has no titre and is left out"),
            ));
            continue;
        };
        // The broth at the end is all that was given, and fills the vessel.
        let productivity = titre / (duration + turnaround);
        batches.push(BatchView {
            run: run.clone(),
            titre_g_per_l: titre,
            duration_d: duration,
            productivity_g_per_l_d: productivity,
        });
        let one = |value: f64| Estimate { value, relative: None, freedom: 1.0 };
        of_batches.push([one(productivity), one(titre)]);
    }
    Ok(Steady { rule: said(&rule), runs, batches, compared: compared(&found, &of_batches), warnings })
}

fn said(rule: &Rule) -> Text {
    let (exchanges, drift, scatter) = (rule.exchanges, 100.0 * rule.drift, 100.0 * rule.scatter);
    Text::new(
        format!("液量交換 {exchanges} 回以上、区間を通した変化の 95 % 区間が ±{drift} % 以内、ばらつき {scatter} % 以内"),
        format!(
            "at least {exchanges} exchanges of the volume, the 95 % interval of the drift from beginning to end within ±{drift} %, scatter at most {scatter} %"
        ),
    )
}

/// Good readings of a variable from inoculation on: days and values.
fn readings(whole: &Whole, variable: &str, unit: &str) -> Vec<(f64, f64)> {
    let begins = inputs::inoculated_s(whole).unwrap_or(0.0);
    let line: Option<Line> = inputs::measured(whole, variable, unit);
    good(line.as_ref(), begins)
}

fn good(line: Option<&Line>, begins: f64) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = line
        .into_iter()
        .flat_map(|l| &l.points)
        .filter(|p| p.standing == Standing::Good && p.value.is_finite() && p.t_s >= begins)
        .map(|p| ((p.t_s - begins) / DAY_S, p.value))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

/// Means over equal times where a channel has many readings in one exchange.
fn thinned(points: Vec<(f64, f64)>, dilution: f64) -> Vec<(f64, f64)> {
    if points.len() <= FEW || dilution <= 0.0 {
        return points;
    }
    let width = 1.0 / (PER_EXCHANGE * dilution);
    let mut out: Vec<(f64, f64)> = Vec::new();
    for cell in points.chunk_by(|a, b| (a.0 / width).floor() == (b.0 / width).floor()) {
        let n = cell.len() as f64;
        out.push((cell.iter().map(|p| p.0).sum::<f64>() / n, cell.iter().map(|p| p.1).sum::<f64>() / n));
    }
    out
}

/// The dilution rate, and its relative error where it is stated (none) or measured.
fn dilution(whole: &Whole, input: &Input) -> Result<Option<Dilution>> {
    if let Some(stated) = &input.dilution {
        let rate = number(stated, "/d", "dilution")?;
        if rate <= 0.0 {
            return Err(refused("dilution", "希釈率は正の値です", "a dilution rate is positive"));
        }
        return Ok(Some(Dilution::Constant(rate)));
    }
    let begins = inputs::inoculated_s(whole).unwrap_or(0.0);
    let volume = match &input.volume {
        Some(text) => number(text, "L", "volume")?,
        None => {
            let points = readings(whole, "volume", "L");
            let mut values: Vec<f64> = points.iter().map(|p| p.1).filter(|v| *v > 0.0).collect();
            values.sort_by(f64::total_cmp);
            let Some(middle) = values.get(values.len() / 2) else { return Ok(None) };
            *middle
        }
    };
    if volume <= 0.0 {
        return Err(refused("volume", "液量は正の値です", "a volume is positive"));
    }
    let Some((line, unit)) = inputs::given(whole, &input.flow, &["L/d", "L"]) else { return Ok(None) };
    let points = good(Some(&line), begins);
    let rates: Vec<(f64, f64)> = if unit == "L/d" {
        points.iter().map(|p| (p.0, p.1 / volume)).collect()
    } else {
        // A total: what it rises by over half days, so that single strokes of a pump do not show.
        let end = points.last().map_or(0.0, |p| p.0);
        let cells = (2.0 * end).floor().max(1.0) as usize;
        let at = |t: f64| points.iter().take_while(|p| p.0 <= t).last().or(points.first()).map_or(0.0, |p| p.1);
        (0..cells)
            .map(|i| (end * i as f64 / cells as f64, end * (i + 1) as f64 / cells as f64))
            .filter(|(a, b)| b > a && at(*b) >= at(*a))
            .map(|(a, b)| (0.5 * (a + b), (at(b) - at(a)) / (b - a) / volume))
            .collect()
    };
    Ok((!rates.is_empty()).then_some(Dilution::Measured(rates)))
}

fn without(run: &str, ja: impl Into<String>, en: impl Into<String>) -> RunView {
    RunView {
        run: run.to_owned(),
        verdict: Is::CannotTell,
        why: Some(Text::new(ja, en)),
        from_d: None,
        until_d: None,
        exchanges: None,
        dilution_per_d: None,
        productivity_g_per_l_d: None,
        low_g_per_l_d: None,
        high_g_per_l_d: None,
        per_medium_g_per_l: None,
        series: Vec::new(),
    }
}

/// A run judged, and its productivity per volume and per medium where it is steady.
fn judged(whole: &Whole, input: &Input, rule: &Rule) -> Result<(RunView, Option<[Estimate; 2]>)> {
    let run = whole.run.id.to_string();
    let Some(dilution) = dilution(whole, input)? else {
        let (ja, en) = (
            "希釈率が分かりません。dilution を与えるか、flow（流量）と volume（液量）を確かめてください",
            "the dilution rate is not known: give dilution, or see to flow and volume",
        );
        return Ok((without(&run, ja, en), None));
    };
    let rough = match &dilution {
        Dilution::Constant(rate) => *rate,
        Dilution::Measured(points) => points.iter().map(|p| p.1).sum::<f64>() / points.len() as f64,
    };
    let unit_of = |name: &str| -> String {
        if name == input.product { "g/L".to_owned() } else { variable::get(name).map_or_else(String::new, |v| v.unit.clone()) }
    };
    let mut wanted = input.variables.clone();
    if wanted.is_empty() {
        wanted.extend(CELLS.iter().find(|v| readings(whole, v, &unit_of(v)).len() >= READINGS_MIN).map(|v| (*v).to_owned()));
        wanted.push(input.product.clone());
    }
    let mut series: Vec<Series> = Vec::new();
    for name in &wanted {
        let points = thinned(readings(whole, name, &unit_of(name)), rough);
        if points.len() < READINGS_MIN {
            let n = points.len();
            let view = without(
                &run,
                format!("«{name}» の測定が {n} 点しかなく、少なくとも {READINGS_MIN} 点必要です"),
                format!("«{name}» has {n} readings, and at least {READINGS_MIN} are needed"),
            );
            return Ok((view, None));
        }
        series.push(Series { name: name.clone(), points });
    }
    if let Dilution::Measured(points) = &dilution {
        // Steady cells in a flow that changes are no steady state.
        let points = thinned(points.clone(), rough);
        if points.len() >= READINGS_MIN {
            series.push(Series { name: "dilution".into(), points });
        }
    }
    let Some(found) = observe(&series, &dilution, rule) else {
        let view = without(
            &run,
            format!("液量交換 {} 回分の測定がまだありません", rule.exchanges),
            format!("there are no readings over {} exchanges of the volume yet", rule.exchanges),
        );
        return Ok((view, None));
    };
    Ok(shown(&run, input, &found, &unit_of))
}

fn shown(run: &str, input: &Input, found: &Observed, unit_of: &dyn Fn(&str) -> String) -> (RunView, Option<[Estimate; 2]>) {
    let verdict = Is::from(found.verdict);
    let of = |name: &str| found.series.iter().find(|s| s.name == name);
    let estimate = |j: &Judged| Estimate { value: j.mean.0, relative: Some(j.error.0 / j.mean.0.abs()), freedom: j.error.1 };
    let stated = |value: f64| Estimate { value, relative: Some(0.0), freedom: STATED };
    let estimates = of(&input.product).filter(|t| verdict == Is::Steady && t.mean.0 > 0.0).map(|titre| {
        let rate = of("dilution").map_or_else(|| stated(found.dilution), estimate);
        let per_medium = estimate(titre).times(stated(input.harvest_share));
        [rate.times(per_medium), per_medium]
    });
    let interval = estimates.as_ref().and_then(|e| e[0].interval());
    let off: Vec<&str> = found.series.iter().filter(|s| s.verdict != Verdict::Steady).map(|s| s.name.as_str()).collect();
    let why = match verdict {
        Is::Steady => None,
        Is::NotSteady => Some(Text::new(
            format!("最後の区間でも定常ではありません（{}）", off.join("、")),
            format!("not steady even in the last stretch ({})", off.join(", ")),
        )),
        Is::CannotTell => Some(Text::new(
            format!("測定が足りないか、ばらつきが大きく判定できません（{}）", off.join("、")),
            format!("too few or too noisy readings to tell ({})", off.join(", ")),
        )),
    };
    let series = found.series.iter().map(|j| SeriesView {
        variable: j.name.clone(),
        verdict: j.verdict.into(),
        readings: j.readings,
        mean: j.mean.0,
        low: j.mean.1,
        high: j.mean.2,
        unit: if j.name == "dilution" { "/d".to_owned() } else { unit_of(&j.name) },
        drift: j.drift.0,
        drift_low: j.drift.1,
        drift_high: j.drift.2,
        scatter: j.scatter,
        correlation: j.correlation,
    });
    let view = RunView {
        run: run.to_owned(),
        verdict,
        why,
        from_d: Some(found.from),
        until_d: Some(found.until),
        exchanges: Some(found.exchanges),
        dilution_per_d: Some(found.dilution),
        productivity_g_per_l_d: estimates.as_ref().map(|e| e[0].value),
        low_g_per_l_d: interval.map(|i| i.0),
        high_g_per_l_d: interval.map(|i| i.1),
        per_medium_g_per_l: estimates.as_ref().map(|e| e[1].value),
        series: series.collect(),
    };
    (view, estimates)
}

/// Continuous over fed-batch, each from its runs.
fn compared(found: &[[Estimate; 2]], batches: &[[Estimate; 2]]) -> Vec<Compared> {
    let measures = [(Per::PerVolume, "g/(L.d)"), (Per::PerMedium, "g/L")];
    let each = |(i, (measure, unit)): (usize, (Per, &str))| {
        let of = |all: &[[Estimate; 2]]| Estimate::of_runs(&all.iter().map(|e| e[i]).collect::<Vec<_>>());
        let (continuous, fed_batch) = (of(found)?, of(batches)?);
        let ratio = continuous.over(fed_batch);
        let interval = ratio.interval();
        let rests_on = match (found.len(), batches.len()) {
            (_, 1) => Text::new(
                "流加培養が 1 回だけなので、培養間のばらつきが分からず区間は付けません",
                "one fed-batch says nothing of how they scatter, so there is no interval",
            ),
            (1, n) => Text::new(
                format!("連続培養 1 回の区間内の誤差と、流加培養 {n} 回の培養間のばらつき"),
                format!("the error within one continuous run and the spread between {n} fed-batches"),
            ),
            (m, n) => Text::new(
                format!("連続培養 {m} 回と流加培養 {n} 回の培養間のばらつき"),
                format!("the spread between {m} continuous runs and between {n} fed-batches"),
            ),
        };
        Some(Compared {
            measure,
            continuous: continuous.value,
            fed_batch: fed_batch.value,
            unit: unit.to_owned(),
            ratio: ratio.value,
            low: interval.map(|i| i.0),
            high: interval.map(|i| i.1),
            rests_on,
        })
    };
    measures.into_iter().enumerate().filter_map(each).collect()
}
