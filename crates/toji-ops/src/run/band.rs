//! `run band`: what good runs looked like, as a band over time since inoculation.

use super::list::text;
use super::plot::load;
use super::show::zero_ns;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_core::variable::{self, GridRule};
use toji_core::{Error, Instant, Place, Record, Result, Text, Unit};
use toji_store::{Grid, Series, align};

/// Input of `run band`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Reference runs.
    ///
    /// 基準とする培養。
    runs: Vec<String>,
    /// Variable (e.g. `ph`) or the source's name of the channel.
    ///
    /// 変数（例：`ph`）、または取込元での系列の名前。
    quantity: String,
    /// Step of the grid, s.
    ///
    /// 格子の間隔（s）。
    #[serde(default = "minute")]
    grid_s: f64,
    /// Lower edge: this share of the runs lies below (0: the lowest run).
    ///
    /// 帯の下端：これより下にある培養の割合（0：最も低い培養）。
    #[serde(default)]
    low: f64,
    /// Upper edge: this share of the runs lies below (1: the highest run).
    ///
    /// 帯の上端：これより下にある培養の割合（1：最も高い培養）。
    #[serde(default = "one")]
    high: f64,
    /// The run that the band is laid over, whose zero of time is aligned in the same way.
    ///
    /// 帯を重ねる培養。零時刻も同じ方法でそろえる。
    #[serde(default)]
    over: Option<String>,
}

fn minute() -> f64 {
    60.0
}
fn one() -> f64 {
    1.0
}

/// A run of the band, and what its time counts from.
#[derive(Debug, Serialize, JsonSchema)]
struct Reference {
    /// Run.
    id: String,
    /// Title.
    title: String,
    /// Time counts from its inoculation, or else from its zero.
    from_inoculation: bool,
    /// The zero used, s since the run's own zero.
    zero_s: f64,
}

/// A run that is not in the band.
#[derive(Debug, Serialize, JsonSchema)]
struct Skipped {
    /// Run.
    run: String,
    /// Why.
    reason: Text,
}

/// Output of `run band`.
#[derive(Debug, Serialize, JsonSchema)]
struct Band {
    /// Quantity.
    quantity: String,
    /// Label.
    label: Text,
    /// Unit, UCUM.
    unit: Option<String>,
    /// Middle of each cell, s since inoculation.
    t_s: Vec<f64>,
    /// Lower edge; `null` where fewer than two runs say anything.
    low: Vec<Option<f64>>,
    /// Median.
    median: Vec<Option<f64>>,
    /// Upper edge.
    high: Vec<Option<f64>>,
    /// Runs that say something.
    n: Vec<u32>,
    /// Runs of the band.
    runs: Vec<Reference>,
    /// Runs left out, with the reason.
    skipped: Vec<Skipped>,
    /// The run the band is laid over: its zero of time.
    over: Option<Reference>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "run band",
            label: ["基準帯", "Reference band"],
            about: [
                "選んだ良好な培養から、植菌からの経過時間ごとの幅 (最小〜最大、または分位点) と中央値を求めます。植菌の事象がない培養は、その培養の零時刻から数えます。",
                "From chosen good runs, the band of a quantity over time since inoculation: lowest to highest, or quantiles, with the median. Runs without an inoculation event count from their own zero.",
            ],
            positional: &["quantity", "runs…"],
            example: "toji run band ph run-0a1b2c3d4e5f run-5f4e3d2c1b0a --grid-s 300",
        },
        Effect::Read,
        band,
    )
}

async fn reference(context: &Context, run: &Record) -> Result<Reference> {
    let events = context.session.store.linked(&context.access, "event", "run", run.id.as_str()).await?;
    let zero = zero_ns(&run.fields);
    let at = |event: &Record| {
        let clock =
            text(&event.fields, "time").and_then(|t| Instant::parse(&t).ok()).zip(zero).map(|(t, z)| (t.0 - z) as f64 / 1e9);
        clock.or_else(|| event.fields.get("elapsed_s").and_then(Json::as_f64))
    };
    let inoculated = events.iter().filter(|e| text(&e.fields, "sort").as_deref() == Some("inoculation")).filter_map(at);
    let inoculated = inoculated.reduce(f64::min);
    let stated = text(&run.fields, "zero_is").as_deref() == Some("inoculation");
    Ok(Reference {
        id: run.id.to_string(),
        title: text(&run.fields, "title").unwrap_or_default(),
        from_inoculation: stated || inoculated.is_some(),
        zero_s: inoculated.unwrap_or(0.0),
    })
}

/// The series of a quantity: sensors first, then the longest.
fn chosen(mut series: Vec<(Record, Series)>) -> Option<(Record, Series)> {
    series.sort_by_key(|(r, s)| (text(&r.fields, "origin").as_deref() == Some("setpoint"), std::cmp::Reverse(s.len())));
    series.into_iter().find(|(_, s)| !s.is_empty())
}

async fn band(context: Context, input: Input) -> Result<Band> {
    let ordered = (0.0..=1.0).contains(&input.low) && (0.0..=1.0).contains(&input.high) && input.low <= input.high;
    if input.runs.is_empty() || !ordered {
        let place = if ordered { "runs" } else { "low" };
        return Err(Error::input(
            "E-RUN-020",
            "基準にする培養か、幅の指定が不正です",
            "there is no reference run, or the edges are not usable",
        )
        .at(Place::field(place))
        .hint(
            "培養を一つ以上、low と high は 0 から 1 で指定してください",
            "name a run or more, and low and high between 0 and 1",
        ));
    }
    let known = variable::get(&input.quantity);
    let (mut runs, mut skipped, mut lines, mut unit) = (Vec::new(), Vec::new(), Vec::new(), None::<Unit>);
    for id in &input.runs {
        let mut skip = |ja: &str, en: &str| skipped.push(Skipped { run: id.clone(), reason: Text::new(ja, en) });
        let (run, series) = match load(&context, id, std::slice::from_ref(&input.quantity), None, None).await {
            Ok(loaded) => loaded,
            Err(error) if error.code() == "E-RUN-010" => {
                skip("この量のチャネルがありません", "it has no channel of this quantity");
                continue;
            }
            Err(error) => return Err(error),
        };
        let Some((record, mut series)) = chosen(series) else {
            skip("点がありません", "it has no points");
            continue;
        };
        let own = text(&record.fields, "unit").and_then(|u| Unit::parse(&u).ok());
        if lines.is_empty() {
            unit = own;
        } else if let Err(error) = converted(&mut series, own.as_ref(), unit.as_ref()) {
            let message = &error.fault().message;
            skip(&message.ja, &message.en);
            continue;
        }
        let of = reference(&context, &run).await?;
        let zero = (of.zero_s * 1e9) as i64;
        series.t_ns.iter_mut().for_each(|t| *t = t.saturating_sub(zero));
        lines.push((series, text(&record.fields, "sampling").as_deref() == Some("on-change")));
        runs.push(of);
    }
    let over = match &input.over {
        Some(run) => Some(reference(&context, &context.session.store.record(&context.access, "run", run, None).await?).await?),
        None => None,
    };
    let rule = known.map_or(GridRule::Mean, |v| v.rule);
    let (t_s, cells) = cells(&lines, rule, input.grid_s)?;
    let edge = |share: f64| cells.iter().map(|c| if c.len() >= 2 { quantile(c, share) } else { None }).collect();
    Ok(Band {
        label: known.map_or_else(|| Text::same(&input.quantity), |v| v.label.clone()),
        unit: unit.map(|u| u.code().to_owned()),
        low: edge(input.low),
        median: edge(0.5),
        high: edge(input.high),
        n: cells.iter().map(|c| c.len() as u32).collect(),
        quantity: input.quantity,
        t_s,
        runs,
        skipped,
        over,
    })
}

fn converted(series: &mut Series, own: Option<&Unit>, common: Option<&Unit>) -> Result<()> {
    let (Some(own), Some(common)) = (own, common) else {
        let same = own.is_none() && common.is_none();
        return if same {
            Ok(())
        } else {
            Err(Error::input("E-RUN-021", "単位が分かりません", "its unit is not known"))
        };
    };
    if own != common {
        for v in series.value.iter_mut().filter(|v| !v.is_nan()) {
            *v = own.convert(*v, common)?;
        }
    }
    Ok(())
}

/// Of each cell of a common grid: its middle, and what the runs say there, ascending.
fn cells(lines: &[(Series, bool)], rule: GridRule, grid_s: f64) -> Result<(Vec<f64>, Vec<Vec<f64>>)> {
    let from = lines.iter().filter_map(|(s, _)| s.t_ns.first()).min();
    let to = lines.iter().filter_map(|(s, _)| s.t_ns.last()).max();
    let Some((from, to)) = from.zip(to) else { return Ok((Vec::new(), Vec::new())) };
    let grid = Grid::covering(0, *from, *to, (grid_s * 1e9) as i64, 200_000).ok_or_else(|| {
        Error::input(
            "E-ALIGN-001",
            format!("格子の間隔 {grid_s} s は使えません"),
            format!("a grid step of {grid_s} s is not usable"),
        )
        .at(Place::field("grid_s"))
        .hint("0 より大きく、より広い間隔を指定してください", "give a wider step, above 0")
    })?;
    let mut cells: Vec<Vec<f64>> = vec![Vec::new(); grid.cells];
    for (series, holds) in lines {
        for (cell, value) in cells.iter_mut().zip(align(series, grid, rule, *holds).value) {
            cell.extend(value);
        }
    }
    cells.iter_mut().for_each(|c| c.sort_by(f64::total_cmp));
    let middle = |i: usize| (grid.start as f64 + (i as f64 + 0.5) * grid.step as f64) / 1e9;
    Ok(((0..grid.cells).map(middle).collect(), cells))
}

/// Linear between neighbours (Hyndman and Fan's definition 7). `sorted` ascends.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let at = share * (sorted.len().checked_sub(1)?) as f64;
    let (low, high) = (sorted.get(at.floor() as usize)?, sorted.get(at.ceil() as usize)?);
    Some(low + (high - low) * at.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_band_of_three_runs() {
        assert_eq!([0.0, 0.25, 0.5, 1.0].map(|q| quantile(&[1.0, 2.0, 4.0], q)), [Some(1.0), Some(1.5), Some(2.0), Some(4.0)]);
        assert_eq!(quantile(&[], 0.5), None);
        let line = |t: &[i64], v: &[f64]| {
            let t_ns = t.iter().map(|t| t * 1_000_000_000).collect();
            (Series { t_ns, value: v.to_vec(), quality: vec![0; v.len()], texts: Vec::new() }, false)
        };
        let lines = [line(&[0, 60], &[7.0, 6.0]), line(&[5, 65], &[7.2, 6.4]), line(&[10], &[6.8])];
        let (t_s, cells) = cells(&lines, GridRule::Mean, 60.0).unwrap();
        assert_eq!(t_s, [30.0, 90.0]);
        assert_eq!(cells, [vec![6.8, 7.0, 7.2], vec![6.0, 6.4]]);
    }
}
