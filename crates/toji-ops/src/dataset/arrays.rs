//! The numbers of a data set: series as stored, and the same on one grid with a mask.

use super::content::{Channel, Content, Run, text};
use super::manifest::CELLS_MAX;
use super::split::Dealt;
use super::tables::{Column as TableColumn, Table, Type};
use std::collections::{BTreeMap, BTreeSet};
use toji_core::variable::{self, GridRule};
use toji_core::{Category, Error, Place, Result, Text};
use toji_store::{Aligned, Column, Grid, align, to_parquet};

/// A file name from an identifier; the same for the same identifiers.
pub(super) fn stem(id: &str) -> String {
    let plain: String = id.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    if plain == id && !plain.starts_with('.') {
        return plain;
    }
    // Two identifiers must not meet in one name.
    let hash = toji_core::Digest::of(id.as_bytes()).hex();
    format!("{}-{}", plain.trim_start_matches('.'), hash.get(..8).unwrap_or_default())
}

/// A run's series as stored: every point at its own time, with its quality and what stood there.
pub(super) fn series(run: &Run) -> Result<Vec<u8>> {
    let n: usize = run.channels.iter().map(|c| c.series.len()).sum();
    let (mut ids, mut keys, mut index) = (Vec::new(), Vec::new(), Vec::with_capacity(n));
    let (mut elapsed, mut time) = (Vec::with_capacity(n), Vec::with_capacity(n));
    let (mut value, mut quality, mut words) = (Vec::with_capacity(n), Vec::with_capacity(n), vec![None; n]);
    for (i, channel) in run.channels.iter().enumerate() {
        let from = index.len();
        ids.push(channel.record.id.to_string());
        keys.push(text(&channel.record.fields, "key").unwrap_or_default().to_owned());
        let series = &channel.series;
        index.extend(std::iter::repeat_n(i as i32, series.len()));
        elapsed.extend(series.t_ns.iter().map(|t| Some(*t)));
        time.extend(series.t_ns.iter().map(|t| run.zero_ns.and_then(|zero| zero.checked_add(*t))));
        value.extend(series.value.iter().map(|v| (!v.is_nan()).then_some(*v)));
        quality.extend_from_slice(&series.quality);
        for (at, word) in &series.texts {
            if let Some(slot) = words.get_mut(from + *at as usize) {
                *slot = Some(word.clone());
            }
        }
    }
    let columns = vec![
        ("channel".to_owned(), Column::Word(ids, index.clone())),
        ("key".to_owned(), Column::Word(keys, index)),
        ("elapsed_ns".to_owned(), Column::Integer(elapsed)),
        ("time".to_owned(), Column::Time(time)),
        ("value".to_owned(), Column::Number(value)),
        ("quality".to_owned(), Column::Quality(quality)),
        ("text".to_owned(), Column::Text(words)),
    ];
    to_parquet(columns, &[("toji.run", run.record.id.as_str())])
}

/// A column of the aligned view.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// Name of the column.
    pub(super) name: String,
    variable: Option<String>,
    origin: String,
    pub(super) unit: Option<String>,
    rule: GridRule,
    /// Runs that have it.
    runs: BTreeSet<String>,
}

/// The aligned view: two tables of the same shape, and what its columns are.
pub(super) struct Grids {
    pub(super) values: Vec<u8>,
    pub(super) mask: Vec<u8>,
    pub(super) columns: Vec<View>,
    pub(super) rows: usize,
    /// Cells that hold a number that was measured in them, and cells that hold any.
    pub(super) measured: u64,
    pub(super) filled: u64,
}

/// What tells columns apart: name, unit and, where a run has several of one sort, their number.
type Key = (String, Option<String>, u32);

/// Which column each channel of a run goes to; channels without numbers go to none.
fn placed(run: &Run) -> Vec<(Key, &Channel)> {
    let mut seen: BTreeMap<(String, Option<String>), u32> = BTreeMap::new();
    let mut out = Vec::new();
    for channel in run.channels.iter().filter(|c| c.series.value.iter().any(|v| !v.is_nan())) {
        let fields = &channel.record.fields;
        let base = text(fields, "variable").or_else(|| text(fields, "key")).unwrap_or("?");
        let name = match text(fields, "origin") {
            Some(origin @ ("setpoint" | "actuator" | "calculated")) => format!("{base}@{origin}"),
            _ => base.to_owned(),
        };
        let unit = text(fields, "unit").map(str::to_owned);
        let n = seen.entry((name.clone(), unit.clone())).or_default();
        *n += 1;
        out.push(((name, unit, *n), channel));
    }
    out
}

fn rule_of(content: &Content, name: &str, channel: &Channel) -> GridRule {
    let fields = &channel.record.fields;
    let given = |n: &str| content.manifest.rules.get(n).copied();
    let known = text(fields, "variable").and_then(variable::get).map(|v| v.rule);
    let holds = text(fields, "sampling") == Some("on-change");
    given(name)
        .or_else(|| text(fields, "variable").and_then(given))
        .or_else(|| text(fields, "key").and_then(given))
        .or(known)
        .unwrap_or(if holds { GridRule::Last } else { GridRule::Mean })
}

/// Columns of all runs, in order of their names.
fn views(content: &Content) -> BTreeMap<Key, View> {
    let mut out: BTreeMap<Key, View> = BTreeMap::new();
    let mut units: BTreeMap<String, BTreeSet<Option<String>>> = BTreeMap::new();
    for run in &content.runs {
        for (key, channel) in placed(run) {
            units.entry(key.0.clone()).or_default().insert(key.1.clone());
            let fields = &channel.record.fields;
            let view = out.entry(key.clone()).or_insert_with(|| View {
                name: String::new(),
                variable: text(fields, "variable").map(str::to_owned),
                origin: text(fields, "origin").unwrap_or("unknown").to_owned(),
                unit: key.1.clone(),
                rule: rule_of(content, &key.0, channel),
                runs: BTreeSet::new(),
            });
            view.runs.insert(run.record.id.to_string());
        }
    }
    let mut taken: BTreeSet<String> = ["run", "split", "t_s"].into_iter().map(str::to_owned).collect();
    for ((name, unit, n), view) in &mut out {
        // The unit belongs to the name only where it tells columns apart.
        let several = units.get(name).is_some_and(|u| u.len() > 1);
        let mut full = if several { format!("{name} [{}]", unit.as_deref().unwrap_or("?")) } else { name.clone() };
        if *n > 1 {
            full = format!("{full} #{n}");
        }
        while !taken.insert(full.clone()) {
            full.push('\'');
        }
        view.name = full;
    }
    out
}

/// All runs on the manifest's grid.
pub(super) fn grids(content: &Content, dealt: &[Dealt]) -> Result<Grids> {
    let views = views(content);
    let step = (content.manifest.grid_s * 1e9).round() as i64;
    let mut cells = Vec::new();
    let mut rows = 0;
    for run in &content.runs {
        let series = || placed(run).into_iter().map(|(_, c)| &c.series);
        let from = series().filter_map(|s| s.t_ns.first()).min().copied();
        let to = series().filter_map(|s| s.t_ns.last()).max().copied();
        let grid = match from.zip(to) {
            Some((from, to)) => Grid::covering(0, from, to, step, CELLS_MAX).ok_or_else(too_fine)?,
            None => Grid { start: 0, step, cells: 0 },
        };
        rows += grid.cells;
        if rows.saturating_mul(views.len() + 1) > CELLS_MAX {
            return Err(too_fine());
        }
        cells.push(grid);
    }
    let (mut run_index, mut t_s) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    let mut values: BTreeMap<&Key, (Vec<Option<f64>>, Vec<u8>)> =
        views.keys().map(|key| (key, (Vec::with_capacity(rows), Vec::with_capacity(rows)))).collect();
    for (i, (run, grid)) in content.runs.iter().zip(&cells).enumerate() {
        run_index.extend(std::iter::repeat_n(i as i32, grid.cells));
        t_s.extend((0..grid.cells).map(|c| Some((grid.start + c as i64 * grid.step) as f64 / 1e9)));
        let mut of_run: BTreeMap<Key, Aligned> = BTreeMap::new();
        for (key, channel) in placed(run) {
            let holds = text(&channel.record.fields, "sampling") == Some("on-change");
            let rule = views.get(&key).map_or(GridRule::Mean, |v| v.rule);
            of_run.insert(key, align(&channel.series, *grid, rule, holds));
        }
        for (key, (value, mask)) in &mut values {
            match of_run.remove(*key) {
                Some(aligned) => {
                    // At the ends of a series a point may lie in a cell whose middle nothing may be said of.
                    mask.extend(aligned.mask.iter().zip(&aligned.value).map(|(m, v)| m & u8::from(v.is_some())));
                    value.extend(aligned.value);
                }
                None => {
                    value.resize(value.len() + grid.cells, None);
                    mask.resize(mask.len() + grid.cells, 0);
                }
            }
        }
    }
    let names: Vec<String> = content.runs.iter().map(|r| r.record.id.to_string()).collect();
    let parts = ["train", "validation", "test"].map(str::to_owned).to_vec();
    let part_of = |i: i32| {
        let run = usize::try_from(i).ok().and_then(|i| names.get(i));
        let part = dealt.iter().find(|d| Some(&d.run) == run).map_or("train", |d| d.part.as_str());
        parts.iter().position(|p| p == part).unwrap_or_default() as i32
    };
    let of_run: Vec<i32> = (0..names.len() as i32).map(part_of).collect();
    let split: Vec<i32> =
        run_index.iter().map(|i| usize::try_from(*i).ok().and_then(|i| of_run.get(i)).copied().unwrap_or_default()).collect();
    let lead = || {
        vec![
            ("run".to_owned(), Column::Word(names.clone(), run_index.clone())),
            ("split".to_owned(), Column::Word(parts.clone(), split.clone())),
            ("t_s".to_owned(), Column::Number(t_s.clone())),
        ]
    };
    let (mut value_columns, mut mask_columns) = (lead(), lead());
    let (mut measured, mut filled) = (0, 0);
    for (key, view) in &views {
        let Some((value, mask)) = values.remove(key) else { continue };
        measured += mask.iter().map(|m| u64::from(*m)).sum::<u64>();
        filled += value.iter().flatten().count() as u64;
        value_columns.push((view.name.clone(), Column::Number(value)));
        mask_columns.push((view.name.clone(), Column::Mask(mask)));
    }
    let values = to_parquet(value_columns, &[])?;
    let mask = to_parquet(mask_columns, &[])?;
    Ok(Grids { values, mask, columns: views.into_values().collect(), rows, measured, filled })
}

fn too_fine() -> Error {
    Error::new(
        Category::Limit,
        "E-DATASET-010",
        format!("整列の升目が多すぎます (最大 {CELLS_MAX})"),
        format!("the aligned view would have more than {CELLS_MAX} cells"),
    )
    .at(Place::field("grid_s"))
    .hint("より広い間隔か、より少ない培養にしてください", "give a wider step or fewer runs")
}

/// What the columns of the aligned view are.
pub(super) fn columns_table(views: &[View]) -> Table {
    let column = |name: &str, sort: Type, ja: &str, en: &str| TableColumn {
        name: name.into(),
        sort,
        label: Text::new(ja, en),
        unit: None,
        target: None,
        required: name == "column",
    };
    let rule = |rule: GridRule| serde_json::to_value(rule).ok().and_then(|r| r.as_str().map(str::to_owned)).unwrap_or_default();
    let rows = views
        .iter()
        .map(|v| {
            let (variable, unit) = (v.variable.clone().unwrap_or_default(), v.unit.clone().unwrap_or_default());
            vec![v.name.clone(), variable, v.origin.clone(), unit, rule(v.rule), v.runs.len().to_string()]
        })
        .collect();
    Table {
        name: "columns",
        label: Text::new("整列した列", "Columns of the aligned view"),
        key: vec!["column"],
        columns: vec![
            column("column", Type::Words, "列", "Column"),
            column("variable", Type::Words, "変数", "Variable"),
            column("origin", Type::Words, "値の由来", "Origin"),
            column("unit", Type::Words, "単位 (UCUM)", "Unit (UCUM)"),
            column("rule", Type::Words, "整列の規則", "Rule of alignment"),
            column("runs", Type::Integer, "培養の数", "Runs that have it"),
        ],
        rows,
    }
}
