//! A problem as it is written.

use super::formula::formula;
use super::prior::{KINDS_1, Prior};
use super::table::{Row, Table};
use super::{PETAB_001, PETAB_003, PETAB_004, PETAB_005};
use crate::exchange::sbml::{self, Import};
use crate::kernel::Expression;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use toji_core::{Diagnostic, Error, Place, Result};
use yaml_rust2::{Yaml, YamlLoader};

/// A scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// As it is.
    Linear,
    /// Natural logarithm.
    Log,
    /// Decimal logarithm.
    Log10,
}

/// How measurements scatter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// Normal.
    Normal,
    /// Laplace.
    Laplace,
}

/// What something is set to.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// A number.
    Number(f64),
    /// A parameter or quantity.
    Name(Arc<str>),
    /// A formula of these (version 2).
    Formula(Expression),
    /// As the model or the condition before has it.
    Kept,
}

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Identifier.
    pub id: Arc<str>,
    /// What it sets.
    pub sets: Vec<(Arc<str>, Setting)>,
}

/// What is done to a culture, one period after another (version 2).
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    /// Identifier.
    pub id: Arc<str>,
    /// Periods, by time.
    pub periods: Vec<Period>,
}

/// A period of an experiment: it ends where the next begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    /// When it begins; −∞: it lasts until nothing changes any more.
    pub time: f64,
    /// Conditions that are put in at its beginning, all at once.
    pub conditions: Vec<Arc<str>>,
}

/// Version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 1.0.0.
    One,
    /// 2.0.0.
    Two,
}

/// An observable.
#[derive(Debug, Clone, PartialEq)]
pub struct Observable {
    /// Identifier.
    pub id: Arc<str>,
    /// What is observed.
    pub formula: Expression,
    /// The noise: standard deviation, or scale of a Laplace distribution.
    pub noise: Expression,
    /// Scale on which the noise is added.
    pub scale: Scale,
    /// Distribution of the noise.
    pub distribution: Distribution,
    /// Names in its formulas that measurements fill in, of `observableParameters` and of `noiseParameters` (version 2);
    /// none: those called `observableParameterN_…` and `noiseParameterN_…`.
    pub placeholders: Option<[Vec<Arc<str>>; 2]>,
}

/// A measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// Observable.
    pub observable: Arc<str>,
    /// Condition whose steady state comes before.
    pub before: Option<Arc<str>>,
    /// Condition; in version 2 experiment, empty where there is none.
    pub condition: Arc<str>,
    /// Time; infinite: of the steady state.
    pub time: f64,
    /// Value.
    pub value: f64,
    /// What stands for `observableParameterN_…`, in order.
    pub observable_parameters: Vec<Setting>,
    /// What stands for `noiseParameterN_…`, in order.
    pub noise_parameters: Vec<Setting>,
    /// File, line and column.
    pub place: Place,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Identifier.
    pub id: Arc<str>,
    /// Scale on which it is estimated.
    pub scale: Scale,
    /// Bounds, as they are (not on the scale).
    pub bounds: (f64, f64),
    /// Its nominal value.
    pub nominal: f64,
    /// Is it estimated?
    pub estimate: bool,
    /// What is known of it beforehand.
    pub prior: Option<Prior>,
}

/// A problem.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Version it is written in.
    pub version: Version,
    /// The model.
    pub model: Import,
    /// Conditions.
    pub conditions: Vec<Condition>,
    /// Experiments (version 2).
    pub experiments: Vec<Experiment>,
    /// Names of the tables for what the model calls otherwise (version 2).
    pub aliases: BTreeMap<Arc<str>, Arc<str>>,
    /// Observables.
    pub observables: Vec<Observable>,
    /// Measurements.
    pub measurements: Vec<Measurement>,
    /// Parameters.
    pub parameters: Vec<Parameter>,
    /// What to look at.
    pub findings: Vec<Diagnostic>,
}

pub(super) const SCALES: [(&str, Scale); 3] = [("lin", Scale::Linear), ("log", Scale::Log), ("log10", Scale::Log10)];

pub(super) fn yaml_fault(ja: &str, en: &str) -> Error {
    Error::input(PETAB_001, format!("PEtab の YAML ファイル: {ja}"), format!("the YAML file of PEtab: {en}")).hint(
        "format_version が 1 か 2 の問題ファイルか確かめてください",
        "check that it is a problem file of format_version 1 or 2",
    )
}

/// The files a YAML document names under a key: one, or a list.
pub(super) fn files(of: &Yaml) -> Vec<String> {
    match of {
        Yaml::String(name) => vec![name.clone()],
        Yaml::Array(names) => names.iter().filter_map(|n| n.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

struct Files {
    parameters: Vec<String>,
    conditions: Vec<String>,
    measurements: Vec<String>,
    observables: Vec<String>,
    model: String,
}

/// The YAML document and its version.
fn document(yaml: &str) -> Result<(Yaml, Version)> {
    if yaml.len() > 1 << 20 {
        return Err(yaml_fault("大きすぎます", "it is too large"));
    }
    let documents = YamlLoader::load_from_str(yaml).map_err(|e| yaml_fault(&e.to_string(), &e.to_string()))?;
    let root = documents.into_iter().next().ok_or_else(|| yaml_fault("空です", "it is empty"))?;
    let version = match &root["format_version"] {
        Yaml::Integer(number) => number.to_string(),
        Yaml::String(version) | Yaml::Real(version) => version.clone(),
        _ => String::new(),
    };
    match version.split('.').next() {
        Some("1") => Ok((root, Version::One)),
        Some("2") => Ok((root, Version::Two)),
        _ => Err(yaml_fault("format_version が 1 でも 2 でもありません", "its format_version is neither 1 nor 2")),
    }
}

fn listed(root: &Yaml) -> Result<Files> {
    let problems = root["problems"].as_vec().map(Vec::as_slice).unwrap_or_default();
    let [problem] = problems else {
        return Err(Error::input(
            PETAB_005,
            format!("problems は一つだけ読めます（{} 個あります）", problems.len()),
            format!("exactly one entry of problems is read, not {}", problems.len()),
        )
        .hint("問題を一つずつのファイルに分けてください", "make a file of each problem"));
    };
    let models = files(&problem["sbml_files"]);
    let [model] = models.as_slice() else {
        return Err(yaml_fault("sbml_files は一つです", "sbml_files names exactly one file"));
    };
    Ok(Files {
        parameters: files(&root["parameter_file"]),
        conditions: files(&problem["condition_files"]),
        measurements: files(&problem["measurement_files"]),
        observables: files(&problem["observable_files"]),
        model: model.clone(),
    })
}

/// The numbers of a prior, where they make a distribution.
pub(super) fn numbers(
    row: &Row<'_>,
    column: &str,
    kind: super::prior::Kind,
    usual: Option<Vec<f64>>,
    findings: &mut Vec<Diagnostic>,
) -> Option<Vec<f64>> {
    let of = match row.cell(column) {
        Some(cell) => cell.split(';').map(|n| n.trim().parse().unwrap_or(f64::NAN)).collect(),
        None => usual.unwrap_or_default(),
    };
    if kind.allows(&of) {
        return Some(of);
    }
    let takes = kind.takes();
    findings.push(row.bad(
        column,
        &format!("この分布には {takes} 個の数が要ります（幅・尺度は正、下限 < 上限）"),
        &format!("this distribution takes {takes} numbers: spreads and shapes positive, the lower bound first"),
    ));
    None
}

fn setting(cell: Option<&str>) -> Setting {
    match cell {
        None => Setting::Kept,
        Some(cell) => match cell.parse::<f64>() {
            Ok(number) if number.is_nan() => Setting::Kept,
            Ok(number) => Setting::Number(number),
            Err(_) => Setting::Name(cell.into()),
        },
    }
}

pub(super) fn settings(cell: Option<&str>) -> Vec<Setting> {
    cell.map(|cell| cell.split(';').map(|part| setting(Some(part.trim()))).collect()).unwrap_or_default()
}

pub(super) struct Reader<'f> {
    pub(super) file: &'f dyn Fn(&str) -> Option<Vec<u8>>,
    pub(super) findings: Vec<Diagnostic>,
}

impl Reader<'_> {
    pub(super) fn bytes(&mut self, name: &str) -> Option<Vec<u8>> {
        let bytes = (self.file)(name);
        if bytes.is_none() {
            self.findings.push(
                Diagnostic::error(
                    PETAB_001,
                    Place::default().in_file(name),
                    format!("ファイル {name} がありません"),
                    format!("the file {name} is not there"),
                )
                .remedy("問題ファイルと同じ場所に置いてください", "put it beside the problem file"),
            );
        }
        bytes
    }

    pub(super) fn rows(
        &mut self,
        names: &[String],
        columns: &[&str],
        mut each: impl FnMut(&Table, &Row<'_>, &mut Vec<Diagnostic>),
    ) {
        for name in names {
            let Some(bytes) = self.bytes(name) else { continue };
            let Some(table) = Table::read(name, &bytes, columns, &mut self.findings) else { continue };
            for row in table.rows() {
                each(&table, &row, &mut self.findings);
            }
        }
    }

    pub(super) fn formula(row: &Row<'_>, column: &str, findings: &mut Vec<Diagnostic>) -> Option<Expression> {
        let text = row.must(column, findings)?;
        match formula(&text) {
            Ok(expression) => Some(expression),
            Err(error) => {
                let message = &error.fault().message;
                findings.push(row.bad(column, &message.ja, &message.en));
                None
            }
        }
    }

    fn conditions(&mut self, names: &[String]) -> Vec<Condition> {
        let mut conditions = Vec::new();
        self.rows(names, &["conditionId"], |table, row, findings| {
            let columns = table.header().iter().filter(|h| !matches!(h.as_str(), "conditionId" | "conditionName"));
            let sets = columns.map(|h| (h.as_str().into(), setting(row.cell(h)))).collect();
            conditions.extend(row.must("conditionId", findings).map(|id| Condition { id, sets }));
        });
        conditions
    }

    fn observables(&mut self, names: &[String]) -> Vec<Observable> {
        let mut observables = Vec::new();
        self.rows(names, &["observableId", "observableFormula", "noiseFormula"], |_, row, findings| {
            let scale = row.one_of("observableTransformation", &SCALES, findings);
            let words = [("normal", Distribution::Normal), ("laplace", Distribution::Laplace)];
            let distribution = row.one_of("noiseDistribution", &words, findings);
            let id = row.must("observableId", findings);
            let formula = Self::formula(row, "observableFormula", findings);
            let noise = Self::formula(row, "noiseFormula", findings);
            if let (Some(id), Some(formula), Some(noise)) = (id, formula, noise) {
                observables.push(Observable { id, formula, noise, scale, distribution, placeholders: None });
            }
        });
        observables
    }

    fn measurements(&mut self, names: &[String]) -> Vec<Measurement> {
        let mut measurements = Vec::new();
        let columns = ["observableId", "simulationConditionId", "measurement", "time"];
        self.rows(names, &columns, |_, row, findings| {
            let (observable, condition) = (row.must("observableId", findings), row.must("simulationConditionId", findings));
            let (value, time) = (row.must_number("measurement", findings), row.must_number("time", findings));
            let (Some(observable), Some(condition), Some(value), Some(time)) = (observable, condition, value, time) else {
                return;
            };
            if time.is_nan() || time < 0.0 {
                findings.push(row.bad("time", "0 以上の時刻か inf です", "it is a time from 0 on, or inf"));
            }
            measurements.push(Measurement {
                observable,
                condition,
                value,
                time,
                before: row.cell("preequilibrationConditionId").map(Arc::from),
                observable_parameters: settings(row.cell("observableParameters")),
                noise_parameters: settings(row.cell("noiseParameters")),
                place: row.place("observableId"),
            });
        });
        measurements
    }

    fn parameters(&mut self, names: &[String]) -> Vec<Parameter> {
        let mut parameters = Vec::new();
        self.rows(names, &["parameterId", "parameterScale", "estimate"], |_, row, findings| {
            let estimate = row.one_of("estimate", &[("0", false), ("1", true)], findings);
            let scale = row.one_of("parameterScale", &SCALES, findings);
            let bound = |column, findings: &mut Vec<Diagnostic>| row.number(column, findings);
            let (lower, upper) = (bound("lowerBound", findings), bound("upperBound", findings));
            let nominal = row.number("nominalValue", findings);
            let Some(id) = row.must("parameterId", findings) else { return };
            if estimate && (lower.is_none() || upper.is_none()) {
                findings.push(row.bad(
                    "lowerBound",
                    "推定する母数には上下限が要ります",
                    "a parameter to be estimated needs bounds",
                ));
            }
            if !estimate && nominal.is_none() {
                findings.push(row.bad(
                    "nominalValue",
                    "推定しない母数には値が要ります",
                    "a parameter that is not estimated needs a value",
                ));
            }
            let bounds = (lower.unwrap_or(f64::NEG_INFINITY), upper.unwrap_or(f64::INFINITY));
            let prior = row.cell("objectivePriorType").filter(|_| estimate).and_then(|_| {
                let (kind, scaled) = row.one_of("objectivePriorType", &KINDS_1, findings);
                let on = if scaled { scale } else { Scale::Linear };
                // Without parameters a uniform prior is that of the bounds.
                let between = matches!(kind, super::prior::Kind::Uniform)
                    .then(|| vec![super::likelihood::on(on, bounds.0), super::likelihood::on(on, bounds.1)]);
                let of = numbers(row, "objectivePriorParameters", kind, between, findings)?;
                Some(Prior { kind, of, scale: on, within: None })
            });
            parameters.push(Parameter { id, scale, bounds, nominal: nominal.unwrap_or(f64::NAN), estimate, prior });
        });
        parameters
    }

    /// Each identifier once.
    pub(super) fn unique(&mut self, problem: &Problem) {
        let mut clash = |what: (&str, &str), id: &str| {
            self.findings.push(
                Diagnostic::error(
                    PETAB_004,
                    Place::field(id),
                    format!("{} {id} が二度定義されています", what.0),
                    format!("the {} {id} is defined twice", what.1),
                )
                .remedy("どちらかを除いてください", "remove one of them"),
            );
        };
        let mut once = |what, ids: &mut dyn Iterator<Item = &Arc<str>>| {
            let mut seen = BTreeSet::new();
            ids.filter(|id| !seen.insert(id.to_string())).for_each(|id| clash(what, id));
        };
        once(("条件", "condition"), &mut problem.conditions.iter().map(|c| &c.id));
        once(("観測量", "observable"), &mut problem.observables.iter().map(|o| &o.id));
        once(("母数", "parameter"), &mut problem.parameters.iter().map(|p| &p.id));
    }

    /// What measurements name is there.
    fn names(&mut self, problem: &Problem) {
        for measurement in &problem.measurements {
            let condition = |id: &Arc<str>| problem.conditions.iter().any(|c| c.id == *id);
            let observable = problem.observables.iter().any(|o| o.id == measurement.observable);
            let unknown = [
                (!observable).then_some(&measurement.observable),
                (!condition(&measurement.condition)).then_some(&measurement.condition),
                measurement.before.as_ref().filter(|id| !condition(id)),
            ];
            for id in unknown.into_iter().flatten() {
                self.findings.push(
                    Diagnostic::error(
                        PETAB_004,
                        measurement.place.clone(),
                        format!("{id} は定義されていません"),
                        format!("{id} is not defined"),
                    )
                    .remedy("表に加えるか、綴りを確かめてください", "add it to its table, or check its spelling"),
                );
            }
        }
    }
}

impl Problem {
    /// Reads a problem of version 1 or 2: its YAML file, and by their names the files beside it.
    ///
    /// # Errors
    /// `E-PETAB-001` to `-005`: everything that is wrong with the tables, each with file, line and column; what is
    /// wrong with the model, as [`sbml::import`].
    pub fn read(yaml: &str, file: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<Self> {
        let (root, version) = document(yaml)?;
        let mut reader = Reader { file, findings: Vec::new() };
        if version == Version::Two {
            let problem = reader.second(&root)?;
            return if reader.findings.is_empty() { Ok(problem) } else { Err(refusal(reader.findings)) };
        }
        let files = listed(&root)?;
        let Some(model) = reader.bytes(&files.model) else { return Err(refusal(reader.findings)) };
        let model = sbml::import(&model).map_err(|e| e.in_file(&files.model))?;
        let problem = Self {
            version,
            model,
            conditions: reader.conditions(&files.conditions),
            experiments: Vec::new(),
            aliases: BTreeMap::new(),
            observables: reader.observables(&files.observables),
            measurements: reader.measurements(&files.measurements),
            parameters: reader.parameters(&files.parameters),
            findings: Vec::new(),
        };
        reader.unique(&problem);
        reader.names(&problem);
        if reader.findings.is_empty() { Ok(problem) } else { Err(refusal(reader.findings)) }
    }
}

pub(super) fn refusal(mut findings: Vec<Diagnostic>) -> Error {
    const CODES: [&str; 5] = [PETAB_001, super::PETAB_002, PETAB_003, PETAB_004, PETAB_005];
    findings.truncate(200);
    let code = findings.first().and_then(|f| CODES.into_iter().find(|c| *c == f.code)).unwrap_or(PETAB_003);
    let mut error = Error::input(code, "PEtab の問題を取り込めません", "the PEtab problem cannot be taken over");
    if let Some(first) = findings.first() {
        error = error.at(first.place.clone());
    }
    error.with(findings)
}
