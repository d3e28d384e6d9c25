//! Tables of courses: what was set in each run and what was read.
//!
//! One row a reading: the columns `run` and `time [h]`, readings as `Xv [10*9/L]` and settings as `set:T_2 [Cel]`; also
//! `started`, the instant at which a run began. An empty cell is nothing read; a setting stands in any row of its run.

use super::fit::{Sought, parameter};
use super::{given_quantity, unit_of};
use crate::operation::Context;
use crate::run::fetch;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::{Digest, Error, Instant, Place, Result, Unit};
use toji_culture::fit::{Measured, Noise, Parameter, Reading, Run};
use toji_culture::model::Model;
use toji_culture::predict::{Course, Sensor};

/// Rows of a table.
const ROWS_MAX: usize = 50_000;

/// Noise of what reads a quantity.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoiseOf {
    /// Standard deviation of a reading, as a number in the model's unit or as text with a unit.
    ///
    /// 測定値の標準偏差（モデルの単位の数、または単位を添えた文字）。
    #[serde(default)]
    sd: Option<Json>,
    /// Further standard deviation as a share of the value.
    ///
    /// 値に比例する標準偏差の割合。
    #[serde(default)]
    share: Option<f64>,
}

/// A run of a table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) started: Option<Instant>,
    pub(super) set: BTreeMap<String, f64>,
    /// Times of all its readings, in order.
    pub(super) times: Vec<f64>,
    /// Readings by quantity and time.
    pub(super) read: BTreeMap<String, Vec<Option<f64>>>,
    /// SHA-256 of its settings and readings.
    pub(super) hash: String,
}

/// A table of courses.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) runs: Vec<Row>,
    /// Quantities that were read, in the order of the columns.
    pub(super) quantities: Vec<String>,
    /// SHA-256 of the file.
    pub(super) hash: String,
}

/// A reading: time, quantity, value.
type Cell = (f64, String, f64);

fn refused(file: &str, line: u64, ja: String, en: String) -> Error {
    Error::input("E-COURSE-001", ja, en).at(Place::line(line).in_file(file)).hint(
        "列は run、time [h]、測定値 Xv [10*9/L]、設定 set:T_2 [Cel] の形です",
        "columns are run, time [h], readings such as Xv [10*9/L] and settings such as set:T_2 [Cel]",
    )
}

enum Column {
    Run,
    Time(Unit),
    Started,
    Read(String, Unit),
    Set(String, Unit),
    Other,
}

/// A table by path or address of its file, or as the text itself.
pub(super) async fn table(context: &Context, model: &Model, named: &str) -> Result<Table> {
    let (file, bytes) =
        if named.contains('\n') { ("text".to_owned(), named.as_bytes().to_vec()) } else { fetch(context, named).await? };
    read(model, &file, &bytes)
}

fn column(model: &Model, header: &str, file: &str) -> Result<Column> {
    let (name, unit) = match header.trim().split_once('[') {
        Some((name, unit)) => (name.trim(), Some(unit.trim_end_matches(']').trim())),
        None => (header.trim(), None),
    };
    let parsed = |usual: Unit| -> Result<Unit> {
        let Some(code) = unit else { return Ok(usual) };
        let given = Unit::parse(code).map_err(|e| e.at(Place::line(1).in_file(file)))?;
        given.convert(1.0, &usual).map_err(|e| e.at(Place { field: Some(name.to_owned()), ..Place::line(1).in_file(file) }))?;
        Ok(given)
    };
    Ok(match name {
        "run" => Column::Run,
        "started" => Column::Started,
        "time" => Column::Time(parsed(model.time.clone())?),
        _ => match name.strip_prefix("set:") {
            Some(constant) => {
                model.system.constant(constant).map_err(|e| e.at(Place::line(1).in_file(file)))?;
                Column::Set(constant.to_owned(), parsed(unit_of(model, constant))?)
            }
            None if model.described(name).is_some() => Column::Read(name.to_owned(), parsed(unit_of(model, name))?),
            None => Column::Other,
        },
    })
}

fn read(model: &Model, file: &str, bytes: &[u8]) -> Result<Table> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).flexible(true).from_reader(bytes);
    let unreadable = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        refused(file, line, format!("表を読めません: {error}"), format!("the table is not readable: {error}"))
    };
    let headers = reader.headers().map_err(unreadable)?.clone();
    let columns = headers.iter().map(|h| column(model, h, file)).collect::<Result<Vec<_>>>()?;
    let of = |wanted: fn(&Column) -> bool| columns.iter().position(wanted);
    let (Some(run), Some(time)) = (of(|c| matches!(c, Column::Run)), of(|c| matches!(c, Column::Time(_)))) else {
        return Err(refused(file, 1, "列 run か time がありません".into(), "there is no column run or no column time".into()));
    };
    let mut found: Vec<(Row, Vec<Cell>)> = Vec::new();
    for (i, record) in reader.records().enumerate() {
        let record = record.map_err(unreadable)?;
        let line = record.position().map_or(0, csv::Position::line);
        if i >= ROWS_MAX {
            return Err(refused(
                file,
                line,
                format!("行が {ROWS_MAX} を超えます"),
                format!("there are more than {ROWS_MAX} rows"),
            ));
        }
        let number = |column: usize, text: &str, from: &Unit, to: &Unit| -> Result<Option<f64>> {
            let text = text.trim();
            if text.is_empty() {
                return Ok(None);
            }
            let value: f64 = text.parse().ok().filter(|v: &f64| v.is_finite()).ok_or_else(|| {
                let field = headers.get(column).map(|header| header.trim().to_owned());
                refused(file, line, format!("«{text}» は数ではありません"), format!("«{text}» is no number"))
                    .at(Place { field, ..Place::line(line).in_file(file) })
            })?;
            from.convert(value, to).map(Some)
        };
        let name = record.get(run).unwrap_or_default().trim().to_owned();
        if name.is_empty() {
            continue;
        }
        let place = match found.iter().position(|(row, _)| row.name == name) {
            Some(place) => place,
            None => {
                let row = Row {
                    name,
                    started: None,
                    set: BTreeMap::new(),
                    times: Vec::new(),
                    read: BTreeMap::new(),
                    hash: String::new(),
                };
                found.push((row, Vec::new()));
                found.len() - 1
            }
        };
        let Column::Time(unit) = &columns[time] else { continue };
        let at = number(time, record.get(time).unwrap_or_default(), unit, &model.time)?;
        for (index, (column, cell)) in columns.iter().zip(record.iter()).enumerate() {
            match column {
                Column::Started if !cell.trim().is_empty() => {
                    let started = Instant::parse(cell.trim()).map_err(|e| e.at(Place::line(line).in_file(file)))?;
                    found[place].0.started = Some(started);
                }
                Column::Set(constant, unit) => {
                    if let Some(value) = number(index, cell, unit, &unit_of(model, constant))? {
                        found[place].0.set.insert(constant.clone(), value);
                    }
                }
                Column::Read(quantity, unit) => {
                    if let (Some(at), Some(value)) = (at, number(index, cell, unit, &unit_of(model, quantity))?) {
                        found[place].1.push((at, quantity.clone(), value));
                    }
                }
                _ => {}
            }
        }
    }
    let quantities: Vec<String> =
        columns.iter().filter_map(|c| if let Column::Read(name, _) = c { Some(name.clone()) } else { None }).collect();
    let runs = found.into_iter().map(|(row, points)| whole(row, points, &quantities)).collect::<Vec<_>>();
    if quantities.is_empty() || runs.is_empty() {
        return Err(refused(
            file,
            1,
            "モデルの量の列か行がありません".into(),
            "there is no column of a quantity of the model, or no row".into(),
        ));
    }
    Ok(Table { runs, quantities, hash: Digest::of(bytes).to_string() })
}

fn whole(mut row: Row, points: Vec<Cell>, quantities: &[String]) -> Row {
    row.times = points.iter().map(|p| p.0).chain([0.0]).collect();
    row.times.sort_by(f64::total_cmp);
    row.times.dedup();
    for quantity in quantities {
        let mut read = vec![None; row.times.len()];
        for (at, _, value) in points.iter().filter(|p| p.1 == *quantity) {
            if let Ok(place) = row.times.binary_search_by(|t| t.total_cmp(at)) {
                read[place] = Some(*value);
            }
        }
        row.read.insert(quantity.clone(), read);
    }
    let content = serde_json::json!({ "set": row.set, "times": row.times, "read": row.read });
    row.hash = Digest::of(content.to_string().as_bytes()).to_string();
    row
}

impl Table {
    /// What reads the quantities: the noise that was stated, else 5 % of a value and 1 % of the greatest.
    pub(super) fn sensors(&self, model: &Model, noise: &BTreeMap<String, NoiseOf>) -> Result<Vec<Sensor>> {
        for name in noise.keys() {
            if !self.quantities.contains(name) {
                model.system.quantity(name).map_err(|e| e.at(Place::field(format!("noise.{name}"))))?;
            }
        }
        let sensor = |quantity: &String| -> Result<Sensor> {
            let unit = unit_of(model, quantity);
            let most =
                self.runs.iter().filter_map(|r| r.read.get(quantity)).flatten().flatten().fold(0.0f64, |m, v| m.max(v.abs()));
            let stated = noise.get(quantity);
            let field = format!("noise.{quantity}");
            let sd = match stated.and_then(|n| n.sd.as_ref()) {
                Some(sd) => given_quantity(sd, &unit, &field)?,
                None => 0.01 * most,
            };
            let share = stated.and_then(|n| n.share).unwrap_or(if stated.is_some() { 0.0 } else { 0.05 });
            if sd < 0.0 || !(0.0..=1.0).contains(&share) || sd + share <= 0.0 {
                return Err(Error::input(
                    "E-COURSE-002",
                    format!("«{quantity}» の測定誤差は正で、割合は 0〜1 にしてください"),
                    format!("the noise of «{quantity}» is positive, and its share 0 to 1"),
                )
                .at(Place::field(field)));
            }
            Ok(Sensor { quantity: quantity.clone(), sd, share })
        };
        self.quantities.iter().map(sensor).collect()
    }

    /// The courses as forecasts take them.
    pub(super) fn courses(&self) -> Vec<Course> {
        let course = |row: &Row| Course {
            name: row.name.clone(),
            set: row.set.clone().into_iter().collect(),
            times: row.times.clone(),
            read: self.quantities.iter().map(|q| row.read.get(q).cloned().unwrap_or_default()).collect(),
        };
        self.runs.iter().map(course).collect()
    }

    /// The courses as fits take them.
    pub(super) fn fitted(&self, sensors: &[Sensor]) -> Vec<Run<'static>> {
        let run = |row: &Row| {
            let mut measured = Vec::new();
            for sensor in sensors {
                let Some(read) = row.read.get(&sensor.quantity) else { continue };
                for (time, value) in row.times.iter().zip(read) {
                    let Some(value) = *value else { continue };
                    let noise = Noise::Known(sensor.at(value).max(1e-12));
                    let reading = Reading::Value(value);
                    measured.push(Measured { quantity: sensor.quantity.clone(), time: *time, reading, noise });
                }
            }
            Run {
                system: None,
                name: row.name.clone(),
                group: row.name.clone(),
                set: row.set.clone().into_iter().collect(),
                measured,
            }
        };
        self.runs.iter().map(run).collect()
    }
}

/// Parameters that are sought: one value for all runs, or each run its own.
pub(super) fn sought(model: &Model, asked: &BTreeMap<String, Sought>, by_group: bool) -> Result<Vec<Parameter>> {
    asked.iter().map(|(name, of)| Ok(Parameter { by_group, ..parameter(model, name, of, "parameters")? })).collect()
}
