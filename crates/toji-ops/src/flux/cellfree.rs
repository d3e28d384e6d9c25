//! `flux cellfree`: enzymes in a vessel, followed to conversion, and the cells' way beside them.

use super::apart;
use super::source::load;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::{Error, Place, Result};
use toji_flux::cellfree::{
    Cascade, CellRoute, CellTask, Comparison, Control, Goal, Loading, Measure, Moiety, Summary, Task, best_loading, cell_route,
    compare, control, simulate,
};
use toji_flux::model::Scenario;

/// Input of `flux cellfree`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CellFreeInput")]
struct Input {
    /// Cascade: species, enzymes, reactions with rate laws, feeds.
    ///
    /// カスケード。成分、酵素、速度式つきの反応、流加からなる。
    cascade: Cascade,
    /// How long, with how many points, and which share of the product is asked for.
    ///
    /// 反応時間、経過の点数、到達時刻を求める割合。
    task: Task,
    /// Also tell which enzyme decides over this measure.
    ///
    /// この量をどの酵素が左右するかも求める。
    #[serde(default)]
    control: Option<Measure>,
    /// Also find the best loadings of a budget of protein.
    ///
    /// 酵素の総量を定めたときの最適な配分も求める。
    #[serde(default)]
    goal: Option<Goal>,
    /// Metabolic model of cells that make the same product, by path or address, to be set beside the cascade.
    ///
    /// 同じ産物を作る細胞の代謝モデル（場所またはアドレス）。カスケードと比べる。
    #[serde(default)]
    model: Option<String>,
    /// What the cells are asked for; needed with a model.
    ///
    /// 細胞に求めること。代謝モデルを渡すときに必要。
    #[serde(default)]
    cells: Option<CellTask>,
}

/// A quantity over time.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CellFreeSeries")]
struct Series {
    /// Species or enzyme; `volume`, `progress`.
    name: String,
    /// Unit, UCUM.
    unit: String,
    /// Value at the end.
    last: Option<f64>,
    /// Values at the times.
    values: Vec<f64>,
}

/// Output of `flux cellfree`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CellFreeAnswer")]
struct Followed {
    /// What came of it.
    summary: Summary,
    /// How far each reaction went, mmol.
    extents_mmol: BTreeMap<String, f64>,
    /// Of each element, and of `charge`: what was lost or gained over the course, over what there was.
    balances: BTreeMap<String, f64>,
    /// What no reaction changes, and how well the course kept it.
    moieties: Vec<Moiety>,
    /// Which enzyme decides, where it was asked for.
    control: Option<Control>,
    /// The best loadings, where they were asked for.
    loading: Option<Loading>,
    /// What the cells can do, where a model was given.
    cells: Option<CellRoute>,
    /// The two ways, to the titre that the cascade reached.
    comparison: Option<Comparison>,
    /// Concentrations, activities (share of the start), volume and progress over time.
    series: Vec<Series>,
    /// Times of the values, h.
    times_h: Vec<f64>,
    /// Steps of integration.
    solver_steps: usize,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "flux cellfree",
            label: ["無細胞カスケード", "Cell-free cascade"],
            about: [
                "速度論の分かっている酵素カスケードを、元素と電荷の収支を保ったまま転化まで時間に沿って計算します。律速の酵素、酵素量の最適な配分、補因子の回転数を求め、同じ産物を作る細胞の代謝モデルの上限とも比べます。",
                "Follows a cascade of enzymes with known kinetics to conversion over time, keeping elements and charge. Tells which enzyme decides, how a budget of protein is spent best and how often cofactors turn over, and sets the limits of cells that make the same product beside it.",
            ],
            positional: &["cascade"],
            example: "toji flux cellfree @cascade.json --task @task.json",
        },
        Effect::Read,
        follow,
    )
    .long()
}

async fn follow(context: Context, input: Input) -> Result<Followed> {
    let loaded = match &input.model {
        Some(named) => Some(load(&context, named).await?),
        None => None,
    };
    if loaded.is_some() != input.cells.is_some() {
        return Err(Error::input(
            "E-FLUX-145",
            "細胞と比べるには model と cells の両方が要ります",
            "to set cells beside the cascade, both model and cells are needed",
        )
        .at(Place::field("cells"))
        .hint("片方を加えるか、両方を省いてください", "add the other one, or leave both out"));
    }
    apart(move || {
        let Input { cascade, task, .. } = &input;
        let outcome = simulate(cascade, task)?;
        let control = input.control.map(|measure| control(cascade, task, measure)).transpose()?;
        let loading = input.goal.as_ref().map(|goal| best_loading(cascade, task, goal)).transpose()?;
        let cells = match (&loaded, &input.cells) {
            (Some(loaded), Some(asked)) => Some(cell_route(&Scenario::new(loaded.model()), asked)?),
            _ => None,
        };
        let comparison = cells.as_ref().map(|cells| compare(&outcome, cells));
        let line =
            |name: String, unit: &str, values: Vec<f64>| Series { name, unit: unit.into(), last: values.last().copied(), values };
        let course = outcome.course;
        let mut series: Vec<Series> = course.concentrations.into_iter().map(|(id, values)| line(id, "mmol/L", values)).collect();
        series.extend(course.activity.into_iter().map(|(id, values)| line(id, "1", values)));
        series.push(line("volume".into(), "L", course.volume));
        series.extend(course.progress.map(|values| line("progress".into(), "1", values)));
        Ok(Followed {
            summary: outcome.summary,
            extents_mmol: outcome.extents,
            balances: outcome.elements,
            moieties: outcome.moieties,
            control,
            loading,
            cells,
            comparison,
            series,
            times_h: course.times,
            solver_steps: outcome.steps,
        })
    })
    .await
}
