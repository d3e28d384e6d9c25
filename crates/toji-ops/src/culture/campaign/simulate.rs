//! `culture campaign-simulate`: the runs of a proposal made on a simulated plant with a hidden truth, so that a whole
//! campaign can be tried before a real one.

use super::super::model::{model, quantity};
use super::record::{Campaign, Given};
use super::results::{keep, keep_default};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::{Error, Place, Result, Unit};
use toji_culture::campaign::Kind;
use toji_culture::model::Model;
use toji_culture::twin::{Hidden, Twin};

/// Runs of the default recipe that are made with the first proposal.
const DEFAULT_RUNS: u64 = 3;

/// Input of `culture campaign-simulate`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Campaign: name or identifier.
    ///
    /// 最適化計画：名前または識別子。
    campaign: String,
    /// Model of the plant: the name of one that ships, the path of a model file, or its address after an upload.
    ///
    /// プラントのモデル：付属モデルの名前、モデルファイルの場所、または送信後のアドレス。
    plant: String,
    /// How long a run lasts, with unit: `60 h`.
    ///
    /// 培養時間。単位を添える（例: 60 h）。
    until: String,
    /// What is hidden, JSON: spreads by plant, reactor and run, what wanders, and sensors. Without it every constant that
    /// is no factor differs by 10 % in the plant and 3 % from run to run, and measurements by 3 %.
    ///
    /// 隠された真実（JSON）：設備・槽・培養ごとのばらつき、揺らぎ、測定誤差。省略時は、因子でない定数が設備で 10 %、培養ごとに 3 %、測定が 3 % ばらつく。
    #[serde(default)]
    hidden: Option<Hidden>,
    /// Seed of the plant: the same seed is the same plant.
    ///
    /// プラントの乱数の種。同じ種は同じプラント。
    #[serde(default)]
    plant_seed: u64,
}

/// Output of `culture campaign-simulate`.
#[derive(Debug, Serialize, JsonSchema)]
struct Made {
    /// Campaign.
    campaign: String,
    /// Number of the proposal.
    number: usize,
    /// Runs that were simulated.
    simulated: usize,
    /// Runs of the default recipe that were simulated.
    default_runs: usize,
    /// What the hidden truth of the default recipe is, for whoever judges the campaign: never shown to the proposer.
    truth_default: f64,
    /// The same of the best recipe that was tried.
    truth_best: f64,
    /// Unit of both, UCUM.
    unit: String,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture campaign-simulate",
            label: ["最適化計画の模擬実行", "Simulate a campaign's runs"],
            about: [
                "最後の提案の培養を、定数が隠された模擬プラント（モデルファイル）で実行し、結果を計画に加えます。因子の名前はモデルの定数、量の名前はモデルの量です。初回は既定のレシピも 3 回実行します。",
                "Makes the runs of the last proposal on a simulated plant (a model file with hidden constants) and tells the results to the campaign. Factors are constants of the model, outputs its quantities. With the first proposal the default recipe is run three times too.",
            ],
            positional: &["campaign"],
            example: "toji culture campaign-simulate TITRE-1 --plant luedeking-piret-fed-batch --until '60 h'",
        },
        Effect::Write,
        make,
    )
    .long()
}

/// What is hidden unless somebody says otherwise.
fn usual(model: &Model, campaign: &Campaign) -> Hidden {
    use toji_culture::model::Kind as Sort;
    use toji_culture::twin::{Sensor, Spread};
    let factor = |name: &str| campaign.space.factors().iter().any(|f| f.name == name);
    let constants: Vec<String> = model
        .described
        .iter()
        .filter(|d| d.kind == Sort::Constant && !factor(&d.name))
        // Values of profiles are recipe too.
        .filter(|d| {
            !d.name
                .rsplit_once('_')
                .is_some_and(|(p, k)| k.parse::<usize>().is_ok() && model.described(p).is_some_and(|d| d.kind == Sort::Profile))
        })
        .filter(|d| model.system.constant(&d.name).is_ok() && d.unit.code() != "K")
        .map(|d| d.name.clone())
        .collect();
    let spread = |share: f64| constants.iter().map(|c| Spread { constant: c.clone(), share }).collect();
    let sensors = campaign.outputs.iter().map(|o| Sensor { quantity: o.name.clone(), share: 0.03, least: 0.0 }).collect();
    Hidden { plant: spread(0.1), reactor: Vec::new(), run: spread(0.03), wander: Vec::new(), sensors }
}

async fn make(context: Context, input: Input) -> Result<Made> {
    let campaign = Campaign::load(&context, &input.campaign).await?;
    let proposals = campaign.proposals(&context).await?;
    let Some(last) = proposals.last() else {
        return Err(Error::not_found("E-CAMPAIGN-049", "提案がまだありません", "there is no proposal yet")
            .at(Place::field("campaign"))
            .hint("`toji culture campaign-propose` で提案してください", "propose with `toji culture campaign-propose`"));
    };
    let model = model(&context, &input.plant).await?;
    let until = quantity(&input.until, &model.time, "until")?;
    let hidden = input.hidden.unwrap_or_else(|| usual(&model, &campaign));
    let first: u64 = proposals.iter().filter(|p| p.number < last.number).map(|p| p.runs.len() as u64).sum();
    let tried: Vec<Vec<f64>> = proposals.iter().flat_map(|p| p.runs.iter().map(|r| r.point.clone())).collect();
    let points: Vec<(String, Vec<f64>)> = last.runs.iter().map(|r| (r.position.clone(), r.point.clone())).collect();
    let want_default = campaign.default_results.is_empty();
    context.progress.step(0, None, "模擬培養", "simulating")?;
    let (seed, source) = (input.plant_seed, format!("simulated: {} seed {}", model.id, input.plant_seed));
    let work = move || -> Result<_> {
        let twin = Twin::new(&model, &hidden, until, seed)?;
        let plant = Plant { model: &model, campaign: &campaign };
        let run = |position: &str, point: &[f64], reactor: u64, number: u64| -> Result<Given> {
            let batch = twin.live(&plant.recipe(point)?, reactor, number, &[], |_, _, _| Ok(Vec::new()))?;
            let mut values = BTreeMap::new();
            for output in &campaign.outputs {
                let at = model.system.quantity(&output.name).map_err(|e| e.at(Place::field("outputs")))?;
                let seen = batch.seen.iter().find(|s| s.quantity == at).map(|s| s.value);
                let value = seen.or_else(|| batch.end.get(at).copied()).unwrap_or(f64::NAN);
                values.insert(output.name.clone(), plant.unit(&output.name)?.convert(value, &output.unit)?);
            }
            Ok(Given { position: position.to_owned(), values, source: Some(source.clone()) })
        };
        let mut results = Vec::new();
        for (i, (position, point)) in (0..).zip(&points) {
            results.push(run(position, point, i, 1_000 + first + i)?);
        }
        let mut defaults = Vec::new();
        let first_runs = if want_default { DEFAULT_RUNS } else { 0 };
        for i in 0..first_runs {
            defaults.push(run(&format!("default-{}", i + 1), &campaign.default, i, i)?);
        }
        let truth = |point: &[f64]| -> Result<f64> {
            let goal = campaign.outputs.get(campaign.goal.output).map_or("", |o| o.name.as_str());
            let at = model.system.quantity(goal)?;
            Ok(twin.truth(&plant.recipe(point)?)?.get(at).copied().unwrap_or(f64::NAN))
        };
        let less = campaign.goal.direction == toji_culture::campaign::Direction::Minimise;
        let mut best = truth(&campaign.default)?;
        let of_default = best;
        for point in &tried {
            let found = truth(point)?;
            best = if less { best.min(found) } else { best.max(found) };
        }
        let unit = plant.unit(campaign.outputs.first().map_or("", |o| o.name.as_str()))?.code().to_owned();
        Ok((campaign, results, defaults, of_default, best, unit))
    };
    let (campaign, results, defaults, truth_default, truth_best, unit) =
        tokio::task::spawn_blocking(work).await.map_err(|e| Error::bug("E-CAMPAIGN-045", e))??;
    let default_runs = defaults.len();
    if !defaults.is_empty() {
        keep_default(&context, &campaign, defaults).await?;
    }
    let heard = keep(&context, &campaign, last, results, "culture campaign-simulate").await?;
    Ok(Made {
        campaign: heard.campaign,
        number: heard.number,
        simulated: heard.taken,
        default_runs,
        truth_default,
        truth_best,
        unit,
    })
}

/// A campaign's points as constants of a model.
struct Plant<'a> {
    model: &'a Model,
    campaign: &'a Campaign,
}

impl Plant<'_> {
    fn unit(&self, name: &str) -> Result<Unit> {
        self.model.described(name).map(|d| d.unit.clone()).ok_or_else(|| {
            Error::not_found("E-CAMPAIGN-052", format!("モデルに «{name}» はありません"), format!("the model has no «{name}»"))
                .at(Place::field("plant"))
                .hint("因子と量の名前をモデルに合わせてください", "name factors and outputs as the model does")
        })
    }

    fn recipe(&self, point: &[f64]) -> Result<Vec<f64>> {
        let mut constants = self.model.system.constants();
        for (factor, value) in self.campaign.space.factors().iter().zip(point) {
            let place = self.model.system.constant(&factor.name).map_err(|e| e.at(Place::field("factors")))?;
            if matches!(factor.kind, Kind::Choice { .. }) {
                let name = &factor.name;
                return Err(Error::input(
                    "E-CAMPAIGN-053",
                    format!("選択肢の因子「{name}」はモデルで模擬できません"),
                    format!("the factor \"{name}\" is a choice and cannot be simulated by a model"),
                )
                .at(Place::field("factors"))
                .hint("数の因子にしてください", "make it a number"));
            }
            if let Some(slot) = constants.get_mut(place) {
                *slot = factor.unit.convert(*value, &self.unit(&factor.name)?)?;
            }
        }
        Ok(constants)
    }
}
