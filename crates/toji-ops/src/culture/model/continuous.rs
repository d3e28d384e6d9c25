//! `culture continuous`: the steady state of a perfusion or chemostat model with its proof, what it makes of a vessel and of
//! medium, and the same beside fed-batch.

mod beside;
mod tell;

use super::optimise::spreads;
use super::{constant, given_quantity, model_file, quantity, unit_of};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::{Error, Place, Result, Text, Unit};
use toji_culture::continuous::{Criterion, Found, Measure, Point, Reactor, Roles};
use toji_culture::model::File;

/// Points of a sweep over one constant, draws.
const POINTS_MAX: usize = 400;
const DRAWS_MAX: usize = 5_000;
/// What is looked for, with the word for it.
pub(super) const MEASURES: [Measure; 3] = [Measure::PerVolume, Measure::PerMedium, Measure::PerCell];

/// Values that a constant is swept over.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Swept {
    /// Least value, with unit.
    ///
    /// 下限。単位を添える。
    low: Json,
    /// Greatest value, with unit.
    ///
    /// 上限。単位を添える。
    high: Json,
    /// Values, at equal distances.
    ///
    /// 等間隔の値の数。
    #[serde(default = "usual_points")]
    points: usize,
}

/// Input of `culture continuous`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Model of the continuous culture: the name of one that ships, the path of a model file, or its address.
    ///
    /// 連続培養のモデル：付属モデルの名前、モデルファイルの場所、またはアドレス。
    model: String,
    /// Species that is the product.
    ///
    /// 生産物の種。
    #[serde(default)]
    product: Option<String>,
    /// Species that is the living cells; found by itself when missing.
    ///
    /// 生細胞（菌体）の種。省略時は自動で判別する。
    #[serde(default)]
    cells: Option<String>,
    /// Outflows that are collected; those that keep something back when missing, else all.
    ///
    /// 回収する流出。省略時は細胞を保持する流出、なければすべて。
    #[serde(default)]
    harvest: Vec<String>,
    /// Inflows that count as medium; all when missing.
    ///
    /// 培地として数える流入。省略時はすべて。
    #[serde(default)]
    medium: Vec<String>,
    /// Constants to set: name and value, as a number in the model's unit or as text with a unit.
    ///
    /// 変える定数。名前と値（モデルの単位の数、または単位を添えた文字）。
    #[serde(default)]
    set: BTreeMap<String, Json>,
    /// One or two constants to sweep: dilution or perfusion rate, bleed.
    ///
    /// 掃引する定数（1 つか 2 つ）。希釈率・灌流速度・ブリードなど。
    #[serde(default)]
    sweep: BTreeMap<String, Swept>,
    /// Model of the fed-batch to compare with.
    ///
    /// 比べる流加培養のモデル。
    #[serde(default)]
    against: Option<String>,
    /// Constants of that model to set.
    ///
    /// 流加培養のモデルで変える定数。
    #[serde(default)]
    against_set: BTreeMap<String, Json>,
    /// How long a batch is.
    ///
    /// 流加培養 1 回の長さ。
    #[serde(default = "usual_batch")]
    batch: String,
    /// Time between two batches.
    ///
    /// 流加培養の間の段取り時間。
    #[serde(default = "usual_turnaround")]
    batch_turnaround: String,
    /// Time that the vessel is taken before and after the continuous culture.
    ///
    /// 連続培養の前後に槽を占有する段取り時間。
    #[serde(default = "usual_turnaround")]
    turnaround: String,
    /// Length of the campaign, turnaround included.
    ///
    /// 比較する製造期間の長さ（段取りを含む）。
    #[serde(default = "usual_campaign")]
    campaign: String,
    /// Nearness to the steady state that counts as reached.
    ///
    /// 定常到達とみなす、定常値からの割合。
    #[serde(default = "usual_within")]
    within: f64,
    /// Constants that are not quite known: name and relative standard deviation, `5 %`; the same draw in both models.
    ///
    /// 不確かな定数。名前と相対標準偏差（例: 5 %）。両モデルに同じ値を使う。
    #[serde(default)]
    uncertain: BTreeMap<String, String>,
    /// Draws of constants from elsewhere, such as a posterior: each a set of names and values in the model's units.
    ///
    /// 事後分布などから引いた定数の組（モデルの単位の値）。
    #[serde(default)]
    posterior: Vec<BTreeMap<String, f64>>,
    /// Draws of the uncertain constants.
    ///
    /// 不確かな定数を引く回数。
    #[serde(default = "usual_draws")]
    draws: usize,
}

fn usual_points() -> usize {
    21
}
fn usual_batch() -> String {
    "14 d".into()
}
fn usual_turnaround() -> String {
    "3 d".into()
}
fn usual_campaign() -> String {
    "60 d".into()
}
fn usual_within() -> f64 {
    0.05
}
fn usual_draws() -> usize {
    200
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    /// A steady state with cells.
    Steady,
    /// A steady state without cells.
    WashedOut,
    /// None.
    NoSteadyState,
}

/// A number in a unit, with its interval where draws were made.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Figure {
    /// What it is.
    measure: Told,
    /// Value.
    value: f64,
    /// Lower end of the 95 % interval over the draws.
    low: Option<f64>,
    /// Upper end.
    high: Option<f64>,
    /// Unit, UCUM.
    unit: String,
}

/// What a figure tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Told {
    /// Product collected per volume of vessel and time.
    PerVolume,
    /// Product collected per volume of medium.
    PerMedium,
    /// Product collected per living cells and time.
    PerCell,
    /// Medium per volume of broth and time.
    Dilution,
    /// Medium per living cells and time.
    PerfusionPerCell,
    /// Mean time of the product in the broth.
    Residence,
    /// Product in the broth.
    Titre,
    /// Product in what is collected.
    HarvestTitre,
    /// Living cells.
    Cells,
    /// Time until all states are near the steady state.
    TimeToSteady,
    /// Time until cells and product are.
    TimeToProductive,
    /// Time in which the slowest disturbance fades to 1/e.
    SlowestMode,
}

/// A quantity at the steady state.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Standing {
    /// Name.
    quantity: String,
    /// Label.
    label: Text,
    /// Value.
    value: f64,
    /// Unit, UCUM.
    unit: String,
}

/// An eigenvalue of the balances.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
struct Mode {
    /// Real part, per day: negative fades.
    real_per_d: f64,
    /// Imaginary part, per day: swings.
    imaginary_per_d: f64,
}

/// Why it is a steady state.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Proof {
    /// When integration met the criterion, d.
    integrated_d: Option<f64>,
    /// Greatest change of a state in one exchange at the end of integration, as a share of its greatest value.
    change: f64,
    /// The same after Newton's steps.
    residual: f64,
    /// Newton's steps.
    newton_steps: usize,
    /// How far Newton's method moved what integration had found, as a share.
    newton_moved: f64,
    /// Change of the volume in one exchange, as a share.
    volume_change: f64,
    /// Do small disturbances fade?
    stable: Option<bool>,
    /// Eigenvalues of the balances, the slowest first.
    eigenvalues: Vec<Mode>,
}

/// A point of the sweep.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Row {
    /// Values of the constants, in the units of the model.
    at: BTreeMap<String, f64>,
    /// What was found there.
    verdict: Outcome,
    /// Do small disturbances fade?
    stable: Option<bool>,
    /// Living cells, in the unit of the model.
    cells: Option<f64>,
    /// Product in the broth, in the unit of the model.
    titre: Option<f64>,
    /// Product per volume and time.
    per_volume: Option<f64>,
    /// Product per medium.
    per_medium: Option<f64>,
    /// Product per cells and time.
    per_cell: Option<f64>,
    /// Why there is no steady state.
    why: Option<Text>,
}

/// Where a measure is greatest in the sweep.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct BestView {
    /// Measure.
    measure: Told,
    /// Values of the constants, in the units of the model.
    at: BTreeMap<String, f64>,
    /// The measure there.
    value: f64,
    /// Unit, UCUM.
    unit: String,
    /// At an end of the range, so that more may lie beyond?
    at_end: bool,
}

/// Where cells just wash out.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Critical {
    /// Constant.
    constant: String,
    /// Value from which on they do.
    value: f64,
    /// Unit, UCUM.
    unit: String,
}

/// One way of working over the campaign.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct WayView {
    /// Which.
    way: Way,
    /// Cultures in the campaign.
    cultures: f64,
    /// Product in all, per volume of vessel.
    product_per_vessel: f64,
    /// Medium in all, per volume of vessel.
    medium_per_vessel: f64,
    /// Figures over the whole campaign.
    figures: Vec<Figure>,
}

/// Ways of working.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Way {
    /// The continuous culture.
    Continuous,
    /// Batch after batch.
    FedBatch,
}

/// An attribute that both models tell.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Attribute {
    /// Quantity.
    quantity: String,
    /// Label.
    label: Text,
    /// At the steady state.
    continuous: f64,
    /// At the end of a batch.
    fed_batch: Option<f64>,
    /// Unit, UCUM.
    unit: String,
}

/// Both ways over one campaign.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Beside {
    /// Length of the campaign, d.
    campaign_d: f64,
    /// Product is collected from this day of the continuous culture on.
    collected_from_d: f64,
    /// The ways.
    ways: Vec<WayView>,
    /// Continuous over fed-batch.
    ratios: Vec<Figure>,
}

/// Draws that were made.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Drawn {
    /// Draws.
    draws: usize,
    /// Draws without a steady state with cells; they enter no interval.
    failed: usize,
    /// Seed.
    seed: u64,
}

/// Output of `culture continuous`.
#[derive(Debug, Serialize, JsonSchema)]
struct Continuous {
    /// Identifier of the model.
    id: String,
    /// Title.
    title: Text,
    /// Source of the model.
    source: String,
    /// What was found.
    verdict: Outcome,
    /// Why there is no steady state.
    why: Option<Text>,
    /// Species that are the living cells.
    cells: Vec<String>,
    /// Flows that are collected.
    harvest: Vec<String>,
    /// What it makes, and of what.
    figures: Vec<Figure>,
    /// Both ways over one campaign.
    beside: Option<Beside>,
    /// Attributes at the steady state and at the end of a batch.
    quality: Vec<Attribute>,
    /// Why it is a steady state.
    proof: Option<Proof>,
    /// Quantities at the steady state.
    states: Vec<Standing>,
    /// Where cells just wash out.
    critical: Vec<Critical>,
    /// Where each measure is greatest.
    best: Vec<BestView>,
    /// Units of the sweep: product per volume, per medium, per cell.
    sweep_units: Vec<String>,
    /// The sweep.
    sweep: Vec<Row>,
    /// Draws that were made.
    drawn: Option<Drawn>,
    /// What to mind.
    warnings: Vec<Text>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture continuous",
            label: ["灌流・連続培養の定常状態", "Steady state of a continuous culture"],
            about: [
                "灌流培養やケモスタットのモデルが達する定常状態を、積分で求めてニュートン法で確かめ、固有値で安定性を判定します。容積あたり・培地あたり・細胞あたりの生産性、到達までの時間、ウォッシュアウト、希釈率やブリードの掃引と最適点を示し、段取り時間を含む製造期間で流加培養と比べます。不確かな定数があれば区間も付けます。",
                "The steady state that a perfusion or chemostat model reaches: found by integration, confirmed by Newton's method, its stability judged by eigenvalues. Tells productivity per volume, per medium and per cell, the time to get there, wash-out, sweeps over dilution or bleed with the best of each, and the same beside fed-batch over a campaign with its turnaround; with intervals where constants are uncertain.",
            ],
            positional: &["model"],
            example: "toji culture continuous cho-mab-perfusion --product mAb --against cho-mab-fed-batch",
        },
        Effect::Read,
        run,
    )
    .long()
}

/// Everything that the work needs, in the units of the models.
struct Question {
    reactor: Reactor,
    file: File,
    roles: Roles,
    constants: Vec<f64>,
    criterion: Criterion,
    /// Length of a day in the model's time.
    day: f64,
}

fn refused(field: &str, ja: impl Into<String>, en: impl Into<String>) -> Error {
    Error::input("E-CONTINUOUS-003", ja, en).at(Place::field(field))
}

async fn run(context: Context, input: Input) -> Result<Continuous> {
    let file = model_file(&context, &input.model, &BTreeMap::new()).await?;
    let against = match &input.against {
        Some(named) => Some(model_file(&context, named, &BTreeMap::new()).await?),
        None => None,
    };
    if input.draws > DRAWS_MAX || input.posterior.len() > DRAWS_MAX || !(1e-6..=0.5).contains(&input.within) {
        return Err(refused(
            "draws",
            format!("draws と posterior は {DRAWS_MAX} まで、within は 1e-6〜0.5 です"),
            format!("draws and posterior are at most {DRAWS_MAX}, within is 1e-6 to 0.5"),
        ));
    }
    let points: usize = input.sweep.values().map(|s| s.points).product();
    if input.sweep.len() > 2 || points > POINTS_MAX || input.sweep.values().any(|s| s.points < 2) {
        return Err(refused(
            "sweep",
            format!("掃引は 2 つまでの定数で、点は合わせて {POINTS_MAX} まで、各 2 点以上です"),
            format!("a sweep is over at most two constants, {POINTS_MAX} points together and at least 2 each"),
        ));
    }
    if input.against.is_some() && input.product.is_none() {
        return Err(refused(
            "product",
            "流加培養と比べるには product（生産物の種）が必要です",
            "to compare with fed-batch, name the product by product",
        ));
    }
    let work = move || answer(&context, &input, file, against);
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::bug("E-MODEL-018", error))?
}

fn answer(context: &Context, input: &Input, file: File, against: Option<File>) -> Result<Continuous> {
    let roles = Roles {
        product: input.product.clone(),
        cells: input.cells.clone(),
        harvest: input.harvest.clone(),
        medium: input.medium.clone(),
    };
    let reactor = Reactor::new(&file, &roles)?;
    let mut constants = reactor.model.system.constants();
    for (name, given) in &input.set {
        let (place, value) = constant(&reactor.model, name, given, &format!("set.{name}"))?;
        constants[place] = value;
    }
    let criterion = Criterion { within: input.within, ..Criterion::default() };
    let day = Unit::parse("d")?.convert(1.0, &reactor.model.time)?;
    let question = Question { reactor, file, roles, constants, criterion, day };
    context.progress.step(0, None, "定常状態を求めています", "looking for the steady state")?;
    let found = question.reactor.steady(&question.constants, &question.criterion)?;
    let mut out = tell::told(&question, &found)?;
    tell_sweep(context, input, &question, &mut out)?;
    if let Some(nominal) = found.steady().filter(|s| !s.washed_out) {
        beside::fill(context, input, &question, nominal, against.as_ref(), &mut out)?;
    }
    Ok(out)
}

/// The sweep, wash-out and the best of each measure.
fn tell_sweep(context: &Context, input: &Input, question: &Question, out: &mut Continuous) -> Result<()> {
    let reactor = &question.reactor;
    if input.sweep.is_empty() {
        return Ok(());
    }
    let mut names = Vec::new();
    let (mut places, mut axes) = (Vec::new(), Vec::new());
    for (name, swept) in &input.sweep {
        let field = format!("sweep.{name}");
        let unit = unit_of(&reactor.model, name);
        places.push(reactor.model.system.constant(name).map_err(|e| e.at(Place::field(&field)))?);
        let (low, high) = (given_quantity(&swept.low, &unit, &field)?, given_quantity(&swept.high, &unit, &field)?);
        if low >= high {
            return Err(refused(&field, "low は high より小さくしてください", "low must be less than high"));
        }
        let last = (swept.points - 1) as f64;
        axes.push((0..swept.points).map(|i| low + (high - low) * i as f64 / last).collect::<Vec<f64>>());
        names.push(name.clone());
    }
    let settings: Vec<Vec<f64>> = match axes.as_slice() {
        [one] => one.iter().map(|v| vec![*v]).collect(),
        [one, two] => one.iter().flat_map(|a| two.iter().map(|b| vec![*a, *b])).collect(),
        _ => Vec::new(),
    };
    let all = settings.len() as u64;
    let watch = |done: usize| context.progress.step(done as u64, Some(all), "掃引しています", "sweeping");
    let points = reactor.sweep(&question.constants, &places, &settings, &question.criterion, &watch)?;
    let units = tell::Units::new(reactor)?;
    out.sweep_units = MEASURES.iter().map(|m| units.of(*m).1.clone()).collect();
    let named = |at: &[f64]| names.iter().cloned().zip(at.iter().copied()).collect::<BTreeMap<_, _>>();
    for point in &points {
        out.sweep.push(row(question, &units, named(&point.at), &point.found));
    }
    for measure in MEASURES {
        let (told, unit, factor) = (tell::told_of(measure), units.of(measure).1.clone(), units.of(measure).0);
        if let [place] = places.as_slice() {
            if let Some(best) = reactor.best(&question.constants, *place, &points, measure, &question.criterion)? {
                let (value, at) = (best.value * factor, named(&[best.at]));
                out.best.push(BestView { measure: told, at, value, unit, at_end: best.at_end });
            }
        } else if let Some((point, value)) = greatest(reactor, &points, measure) {
            let ends = |(k, v): (usize, &f64)| axes[k].first() == Some(v) || axes[k].last() == Some(v);
            let at_end = point.at.iter().enumerate().any(ends);
            out.best.push(BestView { measure: told, at: named(&point.at), value: value * factor, unit, at_end });
        }
    }
    if reactor.cells().is_empty() {
        return Ok(());
    }
    for ((name, place), axis) in names.iter().zip(&places).zip(&axes) {
        let range = (axis[0], axis[axis.len() - 1]);
        if let Some(value) = reactor.critical(&question.constants, *place, range, &question.criterion)? {
            let unit = unit_of(&reactor.model, name).code().to_owned();
            out.critical.push(Critical { constant: name.clone(), value, unit });
        }
    }
    Ok(())
}

/// The point of a sweep at which a measure is greatest.
fn greatest<'p>(reactor: &Reactor, points: &'p [Point], measure: Measure) -> Option<(&'p Point, f64)> {
    let value = |p: &'p Point| {
        let steady = p.found.steady().filter(|s| !s.washed_out)?;
        Some((p, reactor.measures(&steady.quantities).of(measure)?))
    };
    points.iter().filter_map(value).reduce(|best, it| if it.1 > best.1 { it } else { best })
}

fn row(question: &Question, units: &tell::Units, at: BTreeMap<String, f64>, found: &Found) -> Row {
    let mut row = Row {
        at,
        verdict: tell::state(found),
        stable: None,
        cells: None,
        titre: None,
        per_volume: None,
        per_medium: None,
        per_cell: None,
        why: None,
    };
    match found {
        Found::Missed(missed) => row.why = Some(tell::why(missed)),
        Found::Steady(steady) => {
            let measures = question.reactor.measures(&steady.quantities);
            let of = |m: Measure| measures.of(m).filter(|_| !steady.washed_out).map(|v| v * units.of(m).0);
            (row.stable, row.cells, row.titre) = (steady.stable, measures.cells, measures.titre);
            (row.per_volume, row.per_medium, row.per_cell) =
                (of(Measure::PerVolume), of(Measure::PerMedium), of(Measure::PerCell));
        }
    }
    row
}
