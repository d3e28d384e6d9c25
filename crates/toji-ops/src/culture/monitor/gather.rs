//! From a stored run to a batch of the engine: which channel is which variable, in one unit, on one grid of time.
//!
//! Time counts from inoculation, or else from the run's zero, and ends with the run. What was not measured stays
//! missing: no value is drawn across an outage, none is carried beyond the end of a series.

use super::super::inputs;
use super::super::model::begins_s;
use crate::dataset::Whole;
use crate::operation::Context;
use crate::run::{outages_of, text, zero_ns};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::variable::{self, GridRule};
use toji_core::{Digest, Error, Place, Record, Result, Text, Unit};
use toji_culture::monitor::{Batch, Mark, Matrix};
use toji_culture::rates::Standing;
use toji_store::{Grid, Outage, Series, align, silence};

/// Nanoseconds in an hour.
const HOUR_NS: f64 = 3.6e12;
/// Most rows of a run on its grid.
const ROWS_MAX: usize = 20_000;

/// A variable that is watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Watched {
    /// Variable, or the source's name of the channel.
    pub(super) variable: String,
    /// Label.
    pub(super) label: Text,
    /// Unit, UCUM.
    pub(super) unit: Option<String>,
}

impl Watched {
    /// As it is named; the unit of one that the vocabulary does not know comes from the first run.
    pub(super) fn named(name: &str) -> Self {
        let known = variable::get(name);
        Self {
            variable: name.to_owned(),
            label: known.map_or_else(|| Text::same(name), |v| v.label.clone()),
            unit: known.map(|v| v.unit.clone()),
        }
    }
}

/// A variable that a run does not have.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Lacking {
    /// Variable.
    pub(super) variable: String,
    /// Why.
    pub(super) why: Text,
}

/// A channel or the results of samples, from the beginning of the culture on.
#[derive(Debug, Clone)]
struct Line {
    series: Series,
    rule: GridRule,
    /// Written only when it changes.
    holds: bool,
    /// Results of samples: a straight line between them, however far apart.
    samples: bool,
}

/// What was measured in a run.
#[derive(Debug, Clone)]
pub(super) struct Course {
    pub(super) run: String,
    pub(super) title: String,
    pub(super) area: Option<String>,
    /// Has it ended?
    pub(super) ended: bool,
    /// Last time, h.
    pub(super) end_h: f64,
    /// When the culture began, s from the run's zero; and that zero, nanoseconds.
    pub(super) begins_s: f64,
    pub(super) zero_ns: Option<i64>,
    /// Events: sort, label, h.
    events: Vec<(String, String, f64)>,
    outages: Vec<Outage>,
    lines: Vec<Option<Line>>,
    pub(super) lacking: Vec<Lacking>,
    /// SHA-256 of all that was read.
    pub(super) sha256: String,
}

impl Course {
    /// Reads the variables of a run. A variable without a unit takes that of this run.
    ///
    /// # Errors
    /// No such run, storage faults.
    pub(super) async fn load(context: &Context, run: &str, variables: &mut [Watched], running: bool) -> Result<Self> {
        let names: Vec<String> = variables.iter().map(|v| v.variable.clone()).collect();
        let whole = Whole::load_only(context, run, &names).await?;
        let outages = outages_of(context, &whole.run).await?;
        let begins_s = begins_s(&whole);
        let begins_ns = (begins_s * 1e9) as i64;
        let ended_s = inputs::ended_s(&whole);
        let zero = zero_ns(&whole.run.fields);
        let (mut lines, mut lacking, mut hashed) = (Vec::new(), Vec::new(), String::new());
        for variable in variables.iter_mut() {
            match line(&whole, variable) {
                Ok((line, hash)) => {
                    hashed.push_str(&format!("{} {} {hash}\n", variable.variable, variable.unit.as_deref().unwrap_or_default()));
                    lines.push(Some(after(line, begins_ns)));
                }
                Err(why) => {
                    lacking.push(Lacking { variable: variable.variable.clone(), why });
                    lines.push(None);
                }
            }
        }
        let last =
            lines.iter().flatten().filter_map(|l| l.series.t_ns.last()).max().copied().unwrap_or_default() as f64 / HOUR_NS;
        let stopped = ended_s.map_or(f64::INFINITY, |s| (s - begins_s) / 3600.0);
        let events = whole
            .of("event")
            .iter()
            .filter_map(|e| {
                let at = inputs::elapsed_s(e, zero)?;
                let said = text(&e.fields, "label").unwrap_or_default();
                Some((text(&e.fields, "sort").unwrap_or_default(), said, (at - begins_s) / 3600.0))
            })
            .collect();
        hashed.push_str(&format!("{begins_s} {}", ended_s.unwrap_or(f64::NAN)));
        let live = text(&whole.run.fields, "format").as_deref() == Some("live");
        let shift = |o: Outage| Outage {
            from_ns: o.from_ns.saturating_sub(begins_ns),
            to_ns: o.to_ns.map(|t| t.saturating_sub(begins_ns)),
            ..o
        };
        Ok(Self {
            run: whole.run.id.to_string(),
            title: text(&whole.run.fields, "title").unwrap_or_default(),
            area: text(&whole.run.fields, "area"),
            ended: !running && (ended_s.is_some() || !live),
            end_h: last.min(stopped),
            begins_s,
            zero_ns: zero,
            events,
            outages: outages.into_iter().map(shift).collect(),
            lines,
            lacking,
            sha256: Digest::of(hashed.as_bytes()).hex(),
        })
    }

    /// The first time of an event of this sort, or whose label has these words, h; `start` is the beginning.
    pub(super) fn mark(&self, named: &str) -> Option<f64> {
        if named == "start" {
            return Some(0.0);
        }
        let wanted = named.to_lowercase();
        let is_it = |(sort, label, at): &&(String, String, f64)| {
            *at >= 0.0 && (sort.to_lowercase() == wanted || label.to_lowercase().contains(&wanted))
        };
        self.events.iter().filter(is_it).map(|e| e.2).reduce(f64::min)
    }

    /// Names by which beginnings of phases can be told.
    pub(super) fn sorts(&self) -> Vec<String> {
        let mut all: Vec<String> = self.events.iter().filter(|e| e.2 >= 0.0).map(|e| e.0.clone()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// First and last good value of a variable.
    pub(super) fn ends(&self, column: usize) -> Option<(f64, f64)> {
        let series = &self.lines.get(column)?.as_ref()?.series;
        let last_ns = (self.end_h * HOUR_NS) as i64;
        let good = |i: &usize| series.is_good(*i) && series.t_ns.get(*i).is_some_and(|t| *t <= last_ns);
        let first = (0..series.len()).find(good)?;
        let last = (0..series.len()).rev().find(good)?;
        Some((*series.value.get(first)?, *series.value.get(last)?))
    }

    /// The run as rows a step apart.
    ///
    /// # Errors
    /// A step that gives more rows than a run may have, or fewer than two.
    pub(super) fn batch(&self, step_h: f64, phases: &[String]) -> Result<Batch> {
        let rows = (self.end_h / step_h + 1e-9).floor() + 1.0;
        if !(2.0..=ROWS_MAX as f64).contains(&rows) {
            let run = &self.run;
            return Err(Error::input(
                "E-MONITOR-033",
                format!("培養 {run} の長さ {:.2} h は、間隔 {step_h:.3} h の格子に合いません（2〜{ROWS_MAX} 点）", self.end_h),
                format!("the run {run} of {:.2} h does not fit a grid of {step_h:.3} h (2 to {ROWS_MAX} points)", self.end_h),
            )
            .at(Place::field("runs"))
            .hint(
                "測定が進んでから判定するか、点の数を変えてください",
                "judge it once more was measured, or change the number of points",
            ));
        }
        let rows = rows as usize;
        let step = (step_h * HOUR_NS) as i64;
        let columns: Vec<Vec<Option<f64>>> = self.lines.iter().map(|l| self.sampled(l.as_ref(), step, rows)).collect();
        let cells: Vec<Vec<Option<f64>>> =
            (0..rows).map(|row| columns.iter().map(|c| c.get(row).copied().flatten()).collect()).collect();
        let marks = phases.iter().filter_map(|phase| Some(Mark { phase: phase.clone(), time: self.mark(phase)? })).collect();
        Ok(Batch {
            name: self.run.clone(),
            times: (0..rows).map(|i| i as f64 * step_h).collect(),
            values: Matrix::from_rows(&cells)?,
            marks,
            ended: self.ended,
        })
    }

    /// One value a row. Cells lie around their row, so that means stand where they belong.
    fn sampled(&self, line: Option<&Line>, step: i64, rows: usize) -> Vec<Option<f64>> {
        let Some(line) = line else { return vec![None; rows] };
        let grid = Grid { start: -step / 2, step, cells: rows };
        let rule = match line.rule {
            _ if line.samples => GridRule::Linear,
            _ if line.holds => GridRule::Last,
            GridRule::Last | GridRule::Sum => line.rule,
            // Many readings a cell: their mean is less noisy than the two around its middle.
            _ if spacing(&line.series).is_some_and(|s| 2 * s <= step) => GridRule::Mean,
            _ => GridRule::Linear,
        };
        let mut aligned = align(&line.series, grid, rule, line.holds);
        if line.holds {
            held_to_the_end(&mut aligned, (self.end_h * HOUR_NS) as i64, grid);
        }
        if !line.samples {
            if rule == GridRule::Linear {
                unbridged(&mut aligned, &line.series, grid);
            }
            silence(&mut aligned, grid, &self.outages);
        }
        aligned.value
    }
}

/// A channel that is written only on change holds its last value to the end of the run, not of its series.
fn held_to_the_end(aligned: &mut toji_store::Aligned, end_ns: i64, grid: Grid) {
    let mut last = None;
    for (cell, value) in aligned.value.iter_mut().enumerate() {
        let from = grid.start.saturating_add((cell as i64).saturating_mul(grid.step));
        match value {
            Some(v) => last = Some(*v),
            None if from <= end_ns => *value = last,
            None => {}
        }
    }
}

/// Takes back lines drawn across a gap: more than three times the usual time between points, and two cells.
fn unbridged(aligned: &mut toji_store::Aligned, series: &Series, grid: Grid) {
    let most = spacing(series).unwrap_or(0).saturating_mul(3).max(grid.step.saturating_mul(2));
    let good: Vec<i64> = (0..series.len()).filter(|i| series.is_good(*i)).filter_map(|i| series.t_ns.get(i).copied()).collect();
    for (cell, value) in aligned.value.iter_mut().enumerate() {
        let at = grid.start.saturating_add((cell as i64).saturating_mul(grid.step)).saturating_add(grid.step / 2);
        let after = good.partition_point(|t| *t < at);
        let gap = good.get(after).zip(after.checked_sub(1).and_then(|i| good.get(i)));
        if gap.is_some_and(|(right, left)| *right != at && right.saturating_sub(*left) > most) {
            *value = None;
        }
    }
}

/// Median time between points.
fn spacing(series: &Series) -> Option<i64> {
    let mut gaps: Vec<i64> = series.t_ns.windows(2).map(|w| w[1].saturating_sub(w[0])).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied()
}

/// Times from the beginning of the culture; what came before is left out, but for a value that still holds.
fn after(mut line: Line, begins_ns: i64) -> Line {
    let series = &mut line.series;
    let first = series.t_ns.partition_point(|t| *t < begins_ns);
    let kept = if line.holds { first.saturating_sub(1) } else { first };
    series.t_ns.drain(..kept);
    series.value.drain(..kept);
    series.quality.drain(..kept);
    series.texts.clear();
    series.t_ns.iter_mut().for_each(|t| *t = t.saturating_sub(begins_ns));
    line
}

/// The channel of a variable, or the results of samples, in the unit of the variable; and the hash of what was read.
fn line(whole: &Whole, variable: &mut Watched) -> Result<(Line, String), Text> {
    let name = variable.variable.as_str();
    let of = |r: &Record, field: &str| text(&r.fields, field);
    let mut found: Vec<&(Record, Series)> = whole
        .channels
        .iter()
        .filter(|(r, series)| {
            let called = r.id.as_str() == name || of(r, "key").as_deref() == Some(name);
            let measured = of(r, "variable").as_deref() == Some(name) && of(r, "origin").as_deref() != Some("setpoint");
            (called || measured) && !series.is_empty()
        })
        .collect();
    found.sort_by_key(|(r, series)| {
        let called = r.id.as_str() == name || of(r, "key").as_deref() == Some(name);
        let sensor = of(r, "origin").as_deref() == Some("sensor");
        (!called, !sensor, std::cmp::Reverse(series.len()), r.id.to_string())
    });
    if let Some((record, series)) = found.first() {
        let mut series = series.clone();
        let hash = inputs::digest(&series).hex();
        converted(&mut series, of(record, "unit"), &mut variable.unit)?;
        let rule = of(record, "variable").as_deref().and_then(variable::get).map_or(GridRule::Mean, |v| v.rule);
        return Ok((Line { series, rule, holds: of(record, "sampling").as_deref() == Some("on-change"), samples: false }, hash));
    }
    let results = variable.unit.as_deref().and_then(|unit| inputs::measured(whole, name, unit));
    let mut points: Vec<(i64, f64)> = results
        .iter()
        .flat_map(|l| &l.points)
        .filter(|p| p.standing == Standing::Good && p.value.is_finite())
        .map(|p| ((p.t_s * 1e9) as i64, p.value))
        .collect();
    if points.is_empty() {
        let unit = variable.unit.as_deref().unwrap_or("?");
        return Err(Text::new(
            format!("«{name}» の測定値（{unit}）がありません"),
            format!("there is no reading of «{name}» ({unit})"),
        ));
    }
    points.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    points.dedup_by_key(|p| p.0);
    let (t_ns, value): (Vec<i64>, Vec<f64>) = points.into_iter().unzip();
    let series = Series { quality: vec![0; t_ns.len()], t_ns, value, texts: Vec::new() };
    let hash = inputs::digest(&series).hex();
    Ok((Line { series, rule: GridRule::Linear, holds: false, samples: true }, hash))
}

fn converted(series: &mut Series, own: Option<String>, wanted: &mut Option<String>) -> Result<(), Text> {
    let Some(to) = wanted.clone() else {
        *wanted = own;
        return Ok(());
    };
    if own.as_deref() == Some(to.as_str()) {
        return Ok(());
    }
    let lost = || {
        let from = own.as_deref().unwrap_or("?");
        Text::new(format!("単位 {from} は {to} に直せません"), format!("its unit {from} cannot be converted to {to}"))
    };
    let from = own.as_deref().and_then(|u| Unit::parse(u).ok()).ok_or_else(lost)?;
    let target = Unit::parse(&to).map_err(|_| lost())?;
    for v in series.value.iter_mut().filter(|v| !v.is_nan()) {
        *v = from.convert(*v, &target).map_err(|_| lost())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of(t_h: &[f64], value: &[f64], holds: bool, samples: bool) -> Line {
        let t_ns = t_h.iter().map(|t| (t * HOUR_NS) as i64).collect();
        Line {
            series: Series { t_ns, value: value.to_vec(), quality: vec![0; value.len()], texts: Vec::new() },
            rule: GridRule::Mean,
            holds,
            samples,
        }
    }
    fn course(end_h: f64, lines: Vec<Option<Line>>) -> Course {
        Course {
            run: "run-1".into(),
            title: String::new(),
            area: None,
            ended: true,
            end_h,
            begins_s: 0.0,
            zero_ns: None,
            events: vec![
                ("inoculation".into(), "植菌 / inoculation".into(), 0.0),
                ("step".into(), "流加開始 / feed started".into(), 3.5),
            ],
            outages: Vec::new(),
            lines,
            lacking: Vec::new(),
            sha256: String::new(),
        }
    }

    #[test]
    fn dense_channels_are_averaged_samples_are_joined_and_held_values_last() {
        let dense: Vec<f64> = (0..=600).map(|i| f64::from(i) / 100.0).collect();
        // A saw around the time itself: its mean over a cell is the time of the row.
        let saw: Vec<f64> = dense.iter().zip(0..).map(|(t, i)| t + if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let course = course(
            6.0,
            vec![
                Some(line_of(&dense, &saw, false, false)),
                Some(line_of(&[0.0, 4.0], &[0.0, 8.0], false, true)),
                Some(line_of(&[0.0, 2.2], &[5.0, 7.0], true, false)),
                None,
            ],
        );
        let batch = course.batch(1.0, &["start".into(), "feed started".into()]).unwrap();
        assert_eq!((batch.times.len(), batch.marks.len(), batch.marks[1].time), (7, 2, 3.5));
        for row in 1..6 {
            assert!((batch.values.get(row, 0).unwrap() - row as f64).abs() < 0.05, "{:?}", batch.values.get(row, 0));
        }
        assert_eq!([0, 2, 4, 5].map(|row| batch.values.get(row, 1)), [Some(0.0), Some(4.0), Some(8.0), None]);
        assert_eq!([1, 2, 3, 6].map(|row| batch.values.get(row, 2)), [Some(5.0), Some(7.0), Some(7.0), Some(7.0)]);
        assert_eq!(batch.values.get(3, 3), None);
        assert_eq!(course.batch(7.0, &[]).unwrap_err().code(), "E-MONITOR-033");
    }

    #[test]
    fn no_line_is_drawn_across_a_gap() {
        // A reading an hour, none from 3 h to 8 h; the grid is as fine as the readings.
        let hours = [0.0, 1.0, 2.0, 3.0, 8.0, 9.0, 10.0];
        let course = course(10.0, vec![Some(line_of(&hours, &hours, false, false))]);
        let batch = course.batch(1.0, &[]).unwrap();
        let seen: Vec<usize> = (0..=10).filter(|row| batch.values.get(*row, 0).is_some()).collect();
        assert_eq!(seen, [0, 1, 2, 3, 8, 9, 10]);
        // Samples are few and joined.
        let mut joined = course.clone();
        joined.lines = vec![Some(line_of(&hours, &hours, false, true))];
        assert_eq!(joined.batch(1.0, &[]).unwrap().values.get(5, 0), Some(5.0));
    }

    #[test]
    fn a_unit_is_converted_or_the_reason_is_said() {
        let mut series = line_of(&[0.0], &[500.0], false, false).series;
        converted(&mut series, Some("mg/L".into()), &mut Some("g/L".into())).unwrap();
        assert!((series.value[0] - 0.5).abs() < 1e-12);
        let mut first = None;
        converted(&mut series, Some("Cel".into()), &mut first).unwrap();
        assert_eq!(first.as_deref(), Some("Cel"));
        let why = converted(&mut series, None, &mut Some("g/L".into())).unwrap_err();
        assert!(why.en.contains("g/L") && why.ja.contains("g/L"));
    }

    #[test]
    fn what_came_before_the_culture_is_left_out_but_for_what_holds() {
        let probe = after(line_of(&[0.0, 1.0, 2.0], &[9.0, 1.0, 2.0], false, false), HOUR_NS as i64);
        assert_eq!((probe.series.t_ns[0], probe.series.value), (0, vec![1.0, 2.0]));
        let held = after(line_of(&[0.0, 2.0], &[9.0, 2.0], true, false), HOUR_NS as i64);
        assert_eq!(held.series.value, [9.0, 2.0]);
    }
}
