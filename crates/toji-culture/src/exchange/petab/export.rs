//! A fit of this crate as a PEtab problem: files, and what they do not say as the fit has it.
//!
//! The model is SBML ([`sbml::write`]); every run is a condition, in version 2 with an experiment of one period. Readings
//! are measurements with their standard deviation, known or a parameter `sd_…`, as `noiseParameters`. A parameter that
//! groups have of their own is set by their conditions. Where runs have forms of the model of their own (a feed that
//! follows the run's record) one model is made of all, in which the constant `run_number` chooses.
//!
//! Priors of a fit are normal on the scale of the search. Version 1 says so; in version 2 a density is that of the value
//! itself, so that on a logarithmic scale a log-normal distribution with its mean raised by the square of its spread is
//! written: it differs from the fit's by a constant factor, as truncation does. [`Exported::constant`] is what all this
//! adds to −2 ln L.

use super::join::joined;
use super::prior::{Kind, Prior};
use super::{PETAB_007, PETAB_W01, PETAB_W02, Scale, Version};
use crate::exchange::sbml::{self, Metadata};
use crate::fit::{self, Noise, Reading, Run};
use crate::kernel::{Definition, Expression, Role};
use crate::model::Model;
use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::PI;
use std::fmt::Write as _;
use std::sync::Arc;
use toji_core::{Diagnostic, Error, Place, Result};

/// Bounds of an estimated standard deviation, as parts of the greatest reading. The fit has it from the residuals without
/// bounds, and far from the best the model may be many times the readings away from them; beyond these bounds the squares
/// of residuals and readings are not told apart in double precision.
const SPREAD: (f64, f64) = (1e-8, 1e8);
/// Between these parts of the greatest reading others may begin their search for one.
const BEGIN: (f64, f64) = (1e-3, 1.0);

/// A fit to be exported.
#[derive(Debug, Clone, Copy)]
pub struct Stated<'s> {
    /// What the problem is called.
    pub name: &'s str,
    /// The model.
    pub definition: &'s Definition,
    /// Names and units of the model.
    pub metadata: &'s Metadata,
    /// Parameters.
    pub parameters: &'s [fit::Parameter],
    /// Runs, with a form of the model of their own where they have one ([`Run::system`] is not looked at).
    pub runs: &'s [(Run<'s>, Option<&'s Definition>)],
    /// Start, in the unit of the model's time.
    pub start: f64,
}

/// A problem in files.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// Names and texts, the YAML file first.
    pub files: Vec<(String, String)>,
    /// What is left out (`W-PETAB-001`) or said otherwise (`W-PETAB-002`, `W-SBML-004`).
    pub losses: Vec<Diagnostic>,
    /// Readings that are left out.
    pub left_out: usize,
    /// How much greater −2 ln (likelihood and priors) of the problem is than that of the fit, whatever the parameters.
    pub constant: f64,
}

/// A row of the table of parameters.
struct Row {
    id: String,
    name: String,
    scale: fit::Scale,
    bounds: (f64, f64),
    nominal: f64,
    prior: Option<fit::Prior>,
    /// Where a search begins, if not anywhere between the bounds.
    begin: Option<(f64, f64)>,
}

/// A number as tables have it: the shortest text that is read back as the same.
fn cell(value: f64) -> String {
    format!("{value:?}")
}

/// An identifier of the tables.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect()
}

/// Text that stays in its cell.
fn words(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || c == '"' { ' ' } else { c }).collect()
}

fn lost(place: Place, ja: String, en: String, remedy: (&str, &str)) -> Diagnostic {
    Diagnostic::warning(PETAB_W01, place, ja, en).remedy(remedy.0, remedy.1)
}

fn otherwise(place: Place, ja: String, en: String, remedy: (&str, &str)) -> Diagnostic {
    Diagnostic::warning(PETAB_W02, place, ja, en).remedy(remedy.0, remedy.1)
}

fn refused(field: &str, ja: String, en: String, hint: (&str, &str)) -> Error {
    Error::input(PETAB_007, ja, en).at(Place::field(field)).hint(hint.0, hint.1)
}

/// Identifiers that are given out once.
struct Names(BTreeSet<String>);

impl Names {
    fn free(&mut self, wanted: String) -> String {
        let mut id = wanted.clone();
        let mut number = 2;
        while !self.0.insert(id.clone()) {
            id = format!("{wanted}_{number}");
            number += 1;
        }
        id
    }
}

/// A table being written.
struct Table(String);

impl Table {
    fn new(header: &[&str]) -> Self {
        Self(header.join("\t") + "\n")
    }

    fn row(&mut self, cells: &[&str]) {
        self.0.push_str(&cells.join("\t"));
        self.0.push('\n');
    }
}

/// Names and units of a model file, for its SBML.
#[must_use]
pub fn about(model: &Model) -> Metadata {
    Metadata {
        id: Some(model.id.as_str().into()),
        name: Some(model.title.en.clone()),
        time_unit: Some(model.time.code().to_owned()),
        units: model.described.iter().map(|d| (d.name.as_str().into(), d.unit.code().to_owned())).collect(),
    }
}

/// Writes a fit as a problem of a version.
///
/// # Errors
/// `E-PETAB-007`: version 1 and a start that is not 0; forms of the model that cannot be made one; no reading that can be
/// written. `E-SBML-009`, as [`sbml::write`].
pub fn export(it: &Stated<'_>, version: Version) -> Result<Exported> {
    if version == Version::One && it.start != 0.0 {
        return Err(refused(
            "start",
            format!("PEtab 第 1 版の時刻は 0 から始まります（開始は {}）", it.start),
            format!("time of PEtab version 1 begins at 0, not at {}", it.start),
            ("第 2 版で書き出してください", "export version 2"),
        ));
    }
    let mut losses = Vec::new();
    let estimated: BTreeSet<&str> = it.parameters.iter().map(|p| p.name.as_str()).collect();
    let forms: Vec<Option<&Definition>> = it.runs.iter().map(|(_, own)| *own).collect();
    let chosen = forms.iter().any(Option::is_some);
    let (definition, number) = if chosen {
        let mut keep: BTreeSet<&str> = estimated.clone();
        for (run, _) in it.runs {
            keep.extend(run.set.iter().map(|(name, _)| name.as_str()));
            keep.extend(run.measured.iter().map(|m| m.quantity.as_str()));
        }
        joined(it.definition, &forms, &keep)?
    } else {
        (it.definition.clone(), Arc::from(""))
    };
    let written = sbml::write(&definition, it.metadata)?;
    losses.extend(written.findings.clone());
    let renamed: BTreeMap<&str, &str> = written.renamed.iter().map(|(name, id)| (&**name, &**id)).collect();
    let id_of = |name: &str| (*renamed.get(name).unwrap_or(&name)).to_owned();
    let mut names = Names(definition.quantities.iter().map(|q| id_of(&q.name)).collect());

    let mut rows = Vec::new();
    // What the groups have of their own: parameter and group, and its identifier.
    let mut own: BTreeMap<(&str, &str), String> = BTreeMap::new();
    let groups: BTreeSet<&str> = it.runs.iter().map(|(run, _)| run.group.as_str()).collect();
    for parameter in it.parameters {
        let id = id_of(&parameter.name);
        let said = nominal(&definition, parameter);
        let mut row = |id: String, name: String| {
            let bounds = (parameter.low, parameter.high);
            rows.push(Row { id, name, scale: parameter.scale, bounds, nominal: said, prior: parameter.prior, begin: None });
        };
        if parameter.by_group {
            for group in &groups {
                let of_group = names.free(format!("{id}__{}", plain(group)));
                row(of_group.clone(), format!("{} ({group})", parameter.name));
                own.insert((parameter.name.as_str(), *group), of_group);
            }
        } else {
            row(id, parameter.name.clone());
        }
    }

    let mut spreads: BTreeMap<&str, String> = BTreeMap::new();
    let mut greatest: BTreeMap<&str, f64> = BTreeMap::new();
    let mut observed: BTreeMap<&str, String> = BTreeMap::new();
    let mut left_out = 0;
    for (run, _) in it.runs {
        let mut censored: BTreeMap<&str, usize> = BTreeMap::new();
        for m in &run.measured {
            let Reading::Value(value) = m.reading else {
                *censored.entry(&m.quantity).or_default() += 1;
                continue;
            };
            observed.entry(&m.quantity).or_insert_with(|| names.free(format!("obs_{}", id_of(&m.quantity))));
            if let Noise::Estimated(name) = &m.noise {
                spreads.entry(name).or_insert_with(|| names.free(format!("sd_{}", plain(name))));
                let most = greatest.entry(name).or_default();
                *most = most.max(value.abs());
            }
        }
        for (quantity, count) in censored {
            left_out += count;
            losses.push(lost(
                Place::field(format!("runs.{}.measured.{quantity}", run.name)),
                format!("培養 «{}» の «{quantity}» の検出限界による値 {count} 個は PEtab で表せないため、除きました", run.name),
                format!(
                    "{count} readings of «{quantity}» beyond a limit in the run «{}» cannot be said in PEtab and are left out",
                    run.name
                ),
                (
                    "当てはめは culture fit で行うか、除いた結果であることを明記してください",
                    "fit with culture fit, or say that they are left out",
                ),
            ));
        }
    }
    for (name, id) in &spreads {
        let most = greatest.get(name).copied().filter(|m| *m > 0.0).unwrap_or(1.0);
        let bounds = (SPREAD.0 * most, SPREAD.1 * most);
        rows.push(Row {
            id: id.clone(),
            name: format!("standard deviation of {name}"),
            scale: fit::Scale::Log,
            bounds,
            nominal: 0.05 * most,
            prior: None,
            begin: Some((BEGIN.0 * most, BEGIN.1 * most)),
        });
        losses.push(otherwise(
            Place::field(format!("noise.{name}")),
            format!("«{name}» の誤差の標準偏差は {:.1e} 〜 {:.1e} の母数になります（当てはめでは範囲なしに残差から求めます）", bounds.0, bounds.1),
            format!("the standard deviation of «{name}» becomes a parameter from {:.1e} to {:.1e}; the fit has it from the residuals, without bounds", bounds.0, bounds.1),
            ("範囲の端に達したら広げてください", "widen the bounds if it ends at one of them"),
        ));
    }
    if observed.is_empty() {
        return Err(refused(
            "readings",
            "書き出せる測定値がありません".into(),
            "there is no reading that can be written".into(),
            ("検出限界による値だけでは問題になりません", "readings beyond limits alone make no problem"),
        ));
    }
    notes(it, version, chosen, &definition, &renamed, &mut losses);

    let mut conditions = Vec::new();
    for (i, (run, _)) in it.runs.iter().enumerate() {
        let id = names.free(format!("c_{}", plain(&run.name)));
        let experiment = names.free(format!("e_{}", plain(&run.name)));
        let mut sets: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in run.set.iter().filter(|(name, _)| !estimated.contains(name.as_str())) {
            sets.insert(id_of(name), cell(*value));
        }
        for ((name, group), parameter) in &own {
            if *group == run.group {
                sets.insert(id_of(name), parameter.clone());
            }
        }
        if chosen {
            sets.insert(id_of(&number), cell((i + 1) as f64));
        }
        conditions.push((id, experiment, sets));
    }

    let constant = if version == Version::Two { constant(&rows) } else { 0.0 };
    let mut files = vec![(format!("{}.yaml", plain(it.name)), yaml(it.name, version))];
    files.push(("model.xml".into(), written.text));
    files.push(("observables.tsv".into(), observables(&observed, &id_of, version)));
    files.push(("parameters.tsv".into(), parameters(&rows, version)));
    files.push(("conditions.tsv".into(), in_conditions(it, &definition, &renamed, &conditions, version)));
    if version == Version::Two {
        let mut table = Table::new(&["experimentId", "time", "conditionId"]);
        for (id, experiment, sets) in &conditions {
            table.row(&[experiment, &cell(it.start), if sets.is_empty() { "" } else { id }]);
        }
        files.push(("experiments.tsv".into(), table.0));
    }
    files.push(("measurements.tsv".into(), measurements(it, &conditions, &observed, &spreads, version)));
    Ok(Exported { files, losses, left_out, constant })
}

/// What others may not expect, and what they must be told.
fn notes(
    it: &Stated<'_>,
    version: Version,
    chosen: bool,
    definition: &Definition,
    renamed: &BTreeMap<&str, &str>,
    losses: &mut Vec<Diagnostic>,
) {
    let named: Vec<String> = renamed.iter().map(|(name, id)| format!("{name} → {id}")).collect();
    if !named.is_empty() {
        losses.push(otherwise(
            Place::field("model"),
            format!("識別子にできない名前を変えました: {}", named.join("、")),
            format!("names that are no identifiers are changed: {}", named.join(", ")),
            ("元の名前はモデルの name にあります", "the model keeps them as names"),
        ));
    }
    if !definition.events.is_empty() {
        let n = definition.events.len();
        losses.push(otherwise(
            Place::field("model.events"),
            format!("モデルには {n} 個のイベントがあります。イベントを扱えないソフトウェアでは計算できません"),
            format!("the model has {n} events: software without events cannot simulate it"),
            ("SBML のイベントを扱うものを使ってください", "use one that takes events of SBML"),
        ));
    }
    if chosen {
        losses.push(otherwise(
            Place::field("follow"),
            "培養ごとの時間表は、条件が選ぶ一つのモデルにまとめました".into(),
            "profiles that follow the runs are in one model, in which the condition chooses".into(),
            ("定数 run_number を変えないでください", "leave the constant run_number alone"),
        ));
    }
    if version == Version::Two && it.parameters.iter().any(|p| p.scale == fit::Scale::Log) {
        losses.push(otherwise(
            Place::field("parameters"),
            "第 2 版は探索の尺度を述べません（対数で探索する母数も線形の値で書かれます）".into(),
            "version 2 states no scale of the search: parameters searched by their logarithm are written as they are".into(),
            ("読む側で対数の尺度を選ぶか、第 1 版で書き出してください", "choose the scale where it is read, or export version 1"),
        ));
    }
}

/// The model's own value of a parameter, if it is between the bounds; else their middle.
fn nominal(definition: &Definition, parameter: &fit::Parameter) -> f64 {
    let own = definition.quantities.iter().find(|q| *q.name == *parameter.name).map(|q| &q.role);
    match own {
        Some(Role::Constant(Expression::Number(value))) if (parameter.low..=parameter.high).contains(value) => *value,
        _ if parameter.scale == fit::Scale::Log => libm::sqrt(parameter.low * parameter.high),
        _ => 0.5 * (parameter.low + parameter.high),
    }
}

/// The prior as version 2 has it.
fn second(row: &Row) -> Option<Prior> {
    let prior = row.prior?;
    let (kind, mean) = match row.scale {
        fit::Scale::Linear => (Kind::Normal, prior.mean),
        fit::Scale::Log => (Kind::LogNormal, prior.mean + prior.sd * prior.sd),
    };
    Some(Prior { kind, of: vec![mean, prior.sd], scale: Scale::Linear, within: Some(row.bounds) })
}

/// What priors of version 2 add to −2 ln L besides those of the fit.
fn constant(rows: &[Row]) -> f64 {
    if rows.iter().all(|row| row.prior.is_none()) {
        return 0.0;
    }
    let of = |row: &Row| {
        let Some(prior) = row.prior else { return 2.0 * libm::log(row.bounds.1 - row.bounds.0) };
        let at = row.nominal;
        let searched = if row.scale == fit::Scale::Log { libm::log(at) } else { at };
        let z = (prior.mean - searched) / prior.sd;
        let own = libm::log(2.0 * PI * prior.sd * prior.sd) + z * z;
        second(row).map_or(0.0, |p| -2.0 * p.log_density(at)) - own
    };
    rows.iter().map(of).sum()
}

fn yaml(name: &str, version: Version) -> String {
    match version {
        Version::One => {
            "format_version: 1\nparameter_file: parameters.tsv\nproblems:\n- condition_files:\n  - conditions.tsv\n  \
                         measurement_files:\n  - measurements.tsv\n  observable_files:\n  - observables.tsv\n  sbml_files:\n  - \
                         model.xml\n"
                .into()
        }
        Version::Two => format!(
            "format_version: 2.0.0\nid: p_{}\nmodel_files:\n  model:\n    language: sbml\n    location: model.xml\ncondition_files:\n- \
             conditions.tsv\nexperiment_files:\n- experiments.tsv\nmeasurement_files:\n- measurements.tsv\nobservable_files:\n- \
             observables.tsv\nparameter_files:\n- parameters.tsv\n",
            plain(name)
        ),
    }
}

fn observables(observed: &BTreeMap<&str, String>, id_of: &impl Fn(&str) -> String, version: Version) -> String {
    let last = if version == Version::One { "observableTransformation" } else { "noisePlaceholders" };
    let mut table =
        Table::new(&["observableId", "observableName", "observableFormula", "noiseFormula", "noiseDistribution", last]);
    for (quantity, id) in observed {
        let noise = format!("noiseParameter1_{id}");
        let last = if version == Version::One { "lin" } else { &noise };
        table.row(&[id, &words(quantity), &id_of(quantity), &noise, "normal", last]);
    }
    table.0
}

fn parameters(rows: &[Row], version: Version) -> String {
    let mut header = vec!["parameterId", "parameterName", "lowerBound", "upperBound", "nominalValue", "estimate"];
    match version {
        Version::One => header.extend([
            "parameterScale",
            "objectivePriorType",
            "objectivePriorParameters",
            "initializationPriorType",
            "initializationPriorParameters",
        ]),
        Version::Two => header.extend(["priorDistribution", "priorParameters"]),
    }
    let mut table = Table::new(&header);
    for row in rows {
        let [low, high, nominal] = [row.bounds.0, row.bounds.1, row.nominal].map(cell);
        let estimate = if version == Version::One { "1" } else { "true" };
        let name = words(&row.name);
        let mut cells = vec![row.id.as_str(), name.as_str(), &low, &high, &nominal, estimate];
        let scale = if row.scale == fit::Scale::Log { "log" } else { "lin" };
        let (kind, of) = match (version, row.prior, second(row)) {
            (Version::One, Some(prior), _) => ("parameterScaleNormal", format!("{};{}", cell(prior.mean), cell(prior.sd))),
            (Version::Two, _, Some(prior)) => {
                let kind = if prior.kind == Kind::Normal { "normal" } else { "log-normal" };
                (kind, prior.of.iter().map(|n| cell(*n)).collect::<Vec<_>>().join(";"))
            }
            _ => ("", String::new()),
        };
        if version == Version::One {
            cells.push(scale);
        }
        cells.extend([kind, of.as_str()]);
        let begin = row.begin.map(|(low, high)| format!("{};{}", cell(libm::log(low)), cell(libm::log(high))));
        if version == Version::One {
            cells.extend([if begin.is_some() { "parameterScaleUniform" } else { "" }, begin.as_deref().unwrap_or_default()]);
        }
        table.row(&cells);
    }
    table.0
}

/// Identifiers of condition and experiment of a run, and what is set.
type Told = (String, String, BTreeMap<String, String>);

fn in_conditions(
    it: &Stated<'_>,
    definition: &Definition,
    renamed: &BTreeMap<&str, &str>,
    conditions: &[Told],
    version: Version,
) -> String {
    if version == Version::Two {
        let mut table = Table::new(&["conditionId", "targetId", "targetValue"]);
        for (id, _, sets) in conditions {
            sets.iter().for_each(|(target, value)| table.row(&[id, target, value]));
        }
        return table.0;
    }
    // In version 1 every condition says everything: what a run does not set is as the model has it.
    let targets: BTreeSet<&str> = conditions.iter().flat_map(|(_, _, sets)| sets.keys().map(String::as_str)).collect();
    let own: BTreeMap<&str, f64> = definition
        .quantities
        .iter()
        .filter_map(|q| match q.role {
            Role::Constant(Expression::Number(value)) => Some((*renamed.get(&*q.name).unwrap_or(&&*q.name), value)),
            _ => None,
        })
        .collect();
    let mut header = vec!["conditionId", "conditionName"];
    header.extend(&targets);
    let mut table = Table::new(&header);
    for ((id, _, sets), (run, _)) in conditions.iter().zip(it.runs) {
        let mut cells = vec![id.clone(), words(&run.name)];
        cells.extend(targets.iter().map(|target| {
            sets.get(*target).cloned().unwrap_or_else(|| own.get(target).map_or_else(|| "NaN".to_owned(), |v| cell(*v)))
        }));
        table.row(&cells.iter().map(String::as_str).collect::<Vec<_>>());
    }
    table.0
}

fn measurements(
    it: &Stated<'_>,
    conditions: &[Told],
    observed: &BTreeMap<&str, String>,
    spreads: &BTreeMap<&str, String>,
    version: Version,
) -> String {
    let by = if version == Version::One { "simulationConditionId" } else { "experimentId" };
    let mut out = Table::new(&["observableId", by, "measurement", "time", "noiseParameters"]).0;
    for ((condition, experiment, _), (run, _)) in conditions.iter().zip(it.runs) {
        let by = if version == Version::One { condition } else { experiment };
        for m in &run.measured {
            let (Reading::Value(value), Some(id)) = (m.reading, observed.get(m.quantity.as_str())) else { continue };
            let noise = match &m.noise {
                Noise::Known(sd) => cell(*sd),
                Noise::Estimated(name) => spreads.get(name.as_str()).cloned().unwrap_or_default(),
            };
            let _ = writeln!(out, "{id}\t{by}\t{}\t{}\t{noise}", cell(value), cell(m.time));
        }
    }
    out
}
