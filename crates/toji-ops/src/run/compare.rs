//! `run compare`: one quantity of several runs on time since the zero.

use super::list::text;
use super::plot::load;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result, Text, Unit, variable};
use toji_store::{Grid, align, thin};

/// Input of `run compare`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Runs.
    ///
    /// 培養。
    runs: Vec<String>,
    /// Variable (e.g. `ph`) or the source's name of the channel.
    ///
    /// 変数（例：`ph`）、または取込元での系列の名前。
    quantity: String,
    /// Bring all runs onto one grid of this step, s.
    ///
    /// すべての培養をこの間隔の格子にそろえる（s）。
    #[serde(default)]
    grid_s: Option<f64>,
    /// From, s since the zero.
    ///
    /// 開始（零時刻からの s）。
    #[serde(default)]
    from_s: Option<f64>,
    /// To, s since the zero.
    ///
    /// 終了（零時刻からの s）。
    #[serde(default)]
    to_s: Option<f64>,
    /// Width of the plot in columns.
    ///
    /// 図の幅（画素の列数）。
    #[serde(default = "pixels")]
    pixels: usize,
}

fn pixels() -> usize {
    1400
}

/// One run in a comparison.
#[derive(Debug, Serialize, JsonSchema)]
struct Line {
    /// Run.
    id: String,
    /// Title.
    title: String,
    /// Channel taken.
    channel: String,
    /// s since the zero.
    t_s: Vec<f64>,
    /// Numbers, in the common unit.
    value: Vec<Option<f64>>,
    /// Points in the stretch of time.
    points: usize,
}

/// A run that could not be compared.
#[derive(Debug, Serialize, JsonSchema)]
struct Skipped {
    /// Run.
    run: String,
    /// Why.
    reason: Text,
}

/// Output of `run compare`.
#[derive(Debug, Serialize, JsonSchema)]
struct Comparison {
    /// What is compared.
    quantity: String,
    /// Its label.
    label: Text,
    /// The common unit, UCUM.
    unit: Option<String>,
    /// Lines.
    runs: Vec<Line>,
    /// Runs left out, with the reason.
    skipped: Vec<Skipped>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "run compare",
            label: ["培養の比較", "Compare runs"],
            about: [
                "複数の培養の同じ量を、植菌からの経過時間で重ねます。単位は換算してそろえ、換算できないものは理由を添えて外します。",
                "Lays one quantity of several runs over time since inoculation. Units are converted to one; what cannot be converted is left out with the reason.",
            ],
            positional: &["quantity", "runs…"],
            example: "toji run compare ph run-0a1b2c3d4e5f run-5f4e3d2c1b0a",
        },
        Effect::Read,
        compare,
    )
}

async fn compare(context: Context, input: Input) -> Result<Comparison> {
    if input.runs.is_empty() {
        return Err(Error::input("E-RUN-011", "比較する培養がありません", "there is no run to compare")
            .at(Place::field("runs"))
            .hint("培養を二つ以上指定してください", "name two runs or more"));
    }
    let known = variable::get(&input.quantity);
    let label = known.map_or_else(|| Text::same(&input.quantity), |v| v.label.clone());
    let (mut lines, mut skipped) = (Vec::new(), Vec::new());
    let mut unit: Option<Unit> = None;
    for (i, id) in input.runs.iter().enumerate() {
        context.progress.step(i as u64, Some(input.runs.len() as u64), "比較しています", "comparing")?;
        let loaded = load(&context, id, std::slice::from_ref(&input.quantity), input.from_s, input.to_s).await;
        let (run, mut series) = match loaded {
            Ok(loaded) => loaded,
            Err(error) if error.code() == "E-RUN-010" => {
                skipped.push(Skipped {
                    run: id.clone(),
                    reason: Text::new("この量のチャネルがありません", "it has no channel of this quantity"),
                });
                continue;
            }
            Err(error) => return Err(error),
        };
        // Sensors before set-points; the longest of those.
        series.sort_by_key(|(r, s)| (text(&r.fields, "origin").as_deref() == Some("setpoint"), std::cmp::Reverse(s.len())));
        let Some((record, mut series)) = series.into_iter().next() else {
            skipped.push(Skipped { run: id.clone(), reason: Text::new("点がありません", "it has no points") });
            continue;
        };
        let own = text(&record.fields, "unit").and_then(|u| Unit::parse(&u).ok());
        match (&unit, &own) {
            (None, _) => unit = own,
            (Some(common), Some(own)) if common == own => {}
            (Some(common), Some(own)) if own.commensurable(common) => {
                for v in series.value.iter_mut().filter(|v| !v.is_nan()) {
                    *v = own.convert(*v, common)?;
                }
            }
            (Some(common), own) => {
                let own = own.as_ref().map_or_else(|| "?".to_owned(), |u| u.label());
                skipped.push(Skipped {
                    run: id.clone(),
                    reason: Text::new(
                        format!("単位 {own} は {} に換算できません", common.label()),
                        format!("its unit {own} cannot be converted to {}", common.label()),
                    ),
                });
                continue;
            }
        }
        let points = series.len();
        let (t_s, value) = match input.grid_s {
            Some(step) => {
                let span = series.t_ns.first().copied().zip(series.t_ns.last().copied());
                let grid =
                    span.and_then(|(from, to)| Grid::covering(0, from, to, (step * 1e9) as i64, 1_000_000)).ok_or_else(|| {
                        Error::input(
                            "E-ALIGN-001",
                            format!("格子の間隔 {step} s は使えません"),
                            format!("a grid step of {step} s is not usable"),
                        )
                        .at(Place::field("grid_s"))
                        .hint("0 より大きく、より広い間隔を指定してください", "give a wider step, above 0")
                    })?;
                let rule = known.map_or(variable::GridRule::Mean, |v| v.rule);
                let aligned = align(&series, grid, rule, false);
                ((0..grid.cells).map(|i| (grid.start + i as i64 * grid.step) as f64 / 1e9).collect(), aligned.value)
            }
            None => {
                let kept = thin(&series, input.pixels.clamp(1, 20_000));
                let t = kept.iter().filter_map(|i| series.t_ns.get(*i)).map(|t| *t as f64 / 1e9).collect();
                (t, kept.iter().filter_map(|i| series.value.get(*i)).map(|v| (!v.is_nan()).then_some(*v)).collect())
            }
        };
        lines.push(Line {
            id: run.id.to_string(),
            title: text(&run.fields, "title").unwrap_or_default(),
            channel: text(&record.fields, "key").unwrap_or_default(),
            t_s,
            value,
            points,
        });
    }
    Ok(Comparison { quantity: input.quantity, label, unit: unit.map(|u| u.code().to_owned()), runs: lines, skipped })
}
