//! `run lineage`: from the smallest seed culture to the largest vessel, with the engineering numbers that a change
//! of scale keeps or does not keep.

use super::design::{DesignNode, design_lines};
use super::response::{QuantityView, median, results};
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::{load, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::{BTreeSet, VecDeque};
use toji_core::{Record, Result, Text, Unit};
use toji_culture::scale::{Geometry, Settings, numbers};
use toji_store::Series;

/// Most runs of one lineage.
const RUNS_MAX: usize = 500;
/// Stirrer and gas are taken where they stood highest, but for the highest twentieth of the points.
pub(super) const HIGH_SHARE: f64 = 0.95;

/// Input of `run lineage`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Any run of the lineage.
    ///
    /// 系譜の中の任意の培養。
    run: String,
}

/// A run of the lineage.
#[derive(Debug, Serialize, JsonSchema)]
struct Node {
    /// Run.
    run: String,
    /// Title.
    title: String,
    /// Run it came from.
    parent: Option<String>,
    /// Scale, L.
    scale_l: Option<f64>,
    /// Vessel.
    vessel: Option<String>,
    /// Zero of its time.
    started: Option<String>,
    /// Steps from the root.
    depth: usize,
    /// What it came to.
    quantities: Vec<QuantityView>,
}

/// An engineering number of a run.
#[derive(Debug, Serialize, JsonSchema)]
struct ScaleNumber {
    /// Run.
    run: String,
    /// `power-per-volume`, `tip-speed`, `kla`, `gas-flow`, `mixing-time` or `reynolds`.
    code: String,
    /// Label.
    label: Text,
    /// Value.
    value: Option<f64>,
    /// Unit, UCUM.
    unit: String,
    /// What is missing.
    why_missing: Option<Text>,
    /// Where the correlation is used outside the range it was found in.
    limits: Option<Text>,
}

/// Output of `run lineage`.
#[derive(Debug, Serialize, JsonSchema)]
struct Lineage {
    /// The run all others came from.
    root: String,
    /// Runs, parents before children.
    nodes: Vec<Node>,
    /// Engineering numbers of each run at the highest settings it held.
    scale: Vec<ScaleNumber>,
    /// What the strain of the run came from: the edits that made it, the constraints they answer, the tests behind those.
    design_came_from: Vec<DesignNode>,
    /// What tests of the lineage led to: constraints, edits, strains and their next tests.
    design_led_to: Vec<DesignNode>,
    /// Parents that lead in a circle, are not there, or may not be seen.
    warnings: Vec<Text>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "run lineage",
            label: ["培養の系譜", "Lineage of a run"],
            about: [
                "種培養から大きな槽まで、元の培養（parent）をたどって系譜を示し、各段階の結果と、撹拌動力・翼端速度・kLa・通気量・混合時間・レイノルズ数を並べます。分からない値は理由を添えて空けます。設計の系譜も示します。試験から設計の制約、改変、株、次の試験まで、また株のもとになった改変と試験まで、両方向にたどります。",
                "Follows parent runs from the seed culture to the largest vessel and sets the results of each scale beside power per volume, tip speed, kLa, gas flow, mixing time and Reynolds number. What is not known stays empty, with the reason. The line of the design is shown both ways: from a test over constraint, edit and strain to the next test, and from the strain back to the edits and tests behind it.",
            ],
            positional: &["run"],
            example: "toji run lineage run-0a1b2c3d4e5f",
        },
        Effect::Read,
        lineage,
    )
}

async fn lineage(context: Context, input: Input) -> Result<Lineage> {
    let store = &context.session.store;
    let mut warnings = Vec::new();
    let mut root = store.record(&context.access, "run", &input.run, None).await?;
    let mut above = BTreeSet::from([root.id.to_string()]);
    while let Some(parent) = text(&root.fields, "parent") {
        if !above.insert(parent.clone()) {
            warnings.push(Text::new(
                format!("元の培養が循環しています: {} → {parent}", root.id),
                format!("parents lead in a circle: {} → {parent}", root.id),
            ));
            break;
        }
        match store.record(&context.access, "run", &parent, None).await {
            Ok(record) => root = record,
            Err(_) => {
                warnings.push(Text::new(
                    format!("元の培養 {parent} は見つからないか、見られません"),
                    format!("the parent run {parent} is not there or may not be seen"),
                ));
                break;
            }
        }
    }
    let root_id = root.id.to_string();
    let (mut nodes, mut scale) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::from([root_id.clone()]);
    let mut waiting = VecDeque::from([(root, 0_usize)]);
    while let Some((run, depth)) = waiting.pop_front() {
        context.progress.step(nodes.len() as u64, None, "系譜をたどっています", "following the lineage")?;
        for child in store.linked(&context.access, "run", "run", run.id.as_str()).await? {
            if seen.len() >= RUNS_MAX {
                warnings
                    .push(Text::new(format!("系譜は {RUNS_MAX} 件までです"), format!("a lineage shows at most {RUNS_MAX} runs")));
                break;
            }
            if seen.insert(child.id.to_string()) {
                waiting.push_back((child, depth + 1));
            }
        }
        scale.extend(scale_of(&context, &run).await?);
        nodes.push(Node {
            run: run.id.to_string(),
            title: text(&run.fields, "title").unwrap_or_default(),
            parent: text(&run.fields, "parent"),
            scale_l: run.fields.get("scale_l").and_then(Json::as_f64),
            vessel: text(&run.fields, "vessel").or_else(|| text(&run.fields, "vessel_name")),
            started: text(&run.fields, "started"),
            depth,
            quantities: results(&context, &run).await?,
        });
    }
    warnings.dedup();
    let all: Vec<String> = nodes.iter().map(|n| n.run.clone()).collect();
    let (design_came_from, design_led_to) = design_lines(&context, &input.run, &all).await?;
    Ok(Lineage { root: root_id, nodes, scale, design_came_from, design_led_to, warnings })
}

/// Engineering numbers of a run: the geometry of its vessel at the settings it held.
async fn scale_of(context: &Context, run: &Record) -> Result<Vec<ScaleNumber>> {
    let vessel = match text(&run.fields, "vessel") {
        Some(id) => context.session.store.record(&context.access, "vessel", &id, None).await.ok(),
        None => None,
    };
    let of_vessel = |name: &str| vessel.as_ref().and_then(|v| v.fields.get(name)).and_then(Json::as_f64);
    let geometry = Geometry {
        diameter_m: of_vessel("diameter_m"),
        impeller_diameter_m: of_vessel("impeller_diameter_m"),
        impellers: of_vessel("impellers"),
        power_number: of_vessel("power_number"),
    };
    let settings = Settings {
        volume_l: run.fields.get("scale_l").and_then(Json::as_f64).or_else(|| of_vessel("volume_working_l")),
        agitation_per_min: level(context, run, "stirrer-speed", "/min", HIGH_SHARE).await?,
        gas_flow_l_per_min: level(context, run, "gas-flow", "L/min", HIGH_SHARE).await?,
        temperature_c: level(context, run, "temperature", "Cel", 0.5).await?,
        pressure_bar: level(context, run, "pressure", "bar", 0.5).await?,
    };
    let one = |n: toji_culture::scale::Number| ScaleNumber {
        run: run.id.to_string(),
        code: n.code,
        label: n.label,
        value: n.value,
        unit: n.unit,
        why_missing: n.why_missing,
        limits: n.limits,
    };
    Ok(numbers(&geometry, &settings).into_iter().map(one).collect())
}

/// The level that a sensor of this variable stays below for this share of its points since the zero.
pub(super) async fn level(context: &Context, run: &Record, quantity: &str, unit: &str, share: f64) -> Result<Option<f64>> {
    let loaded = match load(context, run.id.as_str(), &[quantity.to_owned()], Some(0.0), None).await {
        Ok((_, loaded)) => loaded,
        Err(error) if error.code() == "E-RUN-010" => return Ok(None),
        Err(error) => return Err(error),
    };
    let wanted = Unit::parse(unit)?;
    let set = |channel: &Record| text(&channel.fields, "origin").as_deref() == Some("setpoint");
    for (channel, series) in loaded.into_iter().filter(|(c, _)| !set(c)) {
        let Some(own) = text(&channel.fields, "unit").and_then(|u| Unit::parse(&u).ok()) else { continue };
        let Some(value) = level_of(&series, share) else { continue };
        if let Ok(value) = own.convert(value, &wanted) {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

fn level_of(series: &Series, share: f64) -> Option<f64> {
    let mut values: Vec<f64> =
        (0..series.len()).filter(|i| series.is_good(*i)).filter_map(|i| series.value.get(i).copied()).collect();
    if share == 0.5 {
        return median(&mut values);
    }
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    values.get((share * last as f64).floor() as usize).copied()
}
