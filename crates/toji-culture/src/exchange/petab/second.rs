//! Version 2 as it is written: conditions in long form, experiments of periods, placeholders, mapping.

use super::formula::formula;
use super::prior::{KINDS, Kind, NOISES, Prior};
use super::problem::{
    Condition, Experiment, Measurement, Observable, Parameter, Period, Problem, Reader, Scale, Setting, Version, files, numbers,
    refusal, settings, yaml_fault,
};
use super::table::Row;
use super::{PETAB_004, PETAB_005};
use crate::exchange::sbml::{self, Import};
use crate::kernel::Expression;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use toji_core::{Diagnostic, Error, Place, Result};
use yaml_rust2::Yaml;

/// Between bounds this far apart a positive parameter is searched by its logarithm: version 2 states no scale.
const FAR: f64 = 5.0;

/// A fault of a cell that is read but names what is not there, or what may not be named there.
fn misnamed(row: &Row<'_>, column: &str, ja: &str, en: &str) -> Diagnostic {
    Diagnostic { code: PETAB_004.into(), ..row.bad(column, ja, en) }
}

fn unsupported(key: &str, ja: String, en: String, hint: (&str, &str)) -> Error {
    Error::input(PETAB_005, ja, en).at(Place::field(key)).hint(hint.0, hint.1)
}

/// The one model of the YAML file: identifier and file.
fn model_file(root: &Yaml) -> Result<(String, String)> {
    if let Some(extensions) = root["extensions"].as_hash() {
        let needed = extensions.iter().find(|(_, said)| said["required"].as_bool() != Some(false));
        if let Some((name, _)) = needed {
            let name = name.as_str().unwrap_or("?");
            return Err(unsupported(
                "extensions",
                format!("拡張 {name} には対応していません"),
                format!("the extension {name} is not supported"),
                ("拡張を使わない問題にしてください", "state the problem without the extension"),
            ));
        }
    }
    let models = root["model_files"].as_hash().ok_or_else(|| yaml_fault("model_files がありません", "it has no model_files"))?;
    let mut all = models.iter();
    let (Some((id, model)), None) = (all.next(), all.next()) else {
        return Err(unsupported(
            "model_files",
            format!("モデルは一つだけ読めます（{} 個あります）", models.len()),
            format!("exactly one model is read, not {}", models.len()),
            ("モデルごとに問題を分けてください", "make a problem of each model"),
        ));
    };
    let language = model["language"].as_str().unwrap_or_default();
    if !language.eq_ignore_ascii_case("sbml") {
        return Err(unsupported(
            "model_files",
            format!("言語 {language} のモデルは読めません"),
            format!("models in the language {language} are not read"),
            ("SBML のモデルを渡してください", "give a model in SBML"),
        ));
    }
    match (id.as_str(), model["location"].as_str()) {
        (Some(id), Some(location)) => Ok((id.to_owned(), location.to_owned())),
        _ => Err(yaml_fault("model_files の location がありません", "the location of model_files is missing")),
    }
}

/// Of each condition the names its values follow from besides parameters.
type Free = BTreeMap<Arc<str>, BTreeSet<Arc<str>>>;

/// What names may stand for.
struct Known {
    aliases: BTreeMap<Arc<str>, Arc<str>>,
    quantities: BTreeSet<Arc<str>>,
    /// What a condition may set of the model.
    targets: BTreeSet<Arc<str>>,
    /// By the names of the tables and those of the model.
    parameters: BTreeSet<Arc<str>>,
}

impl Known {
    fn new(model: &Import, aliases: BTreeMap<Arc<str>, Arc<str>>, parameters: &[Parameter]) -> Self {
        let quantities = model.definition.quantities.iter().map(|q| q.name.clone()).collect();
        let ruled = |id: &Arc<str>| model.model.assignment_rules.iter().any(|(name, _)| name == id);
        let of = &model.model;
        let things = of.compartments.iter().map(|c| &c.id).chain(of.species.iter().map(|s| &s.id));
        let things = things.chain(of.parameters.iter().map(|p| &p.id));
        let called = |id: &Arc<str>| [Some(id.clone()), aliases.get(id).cloned()];
        Self {
            parameters: parameters.iter().flat_map(|p| called(&p.id)).flatten().collect(),
            aliases,
            quantities,
            targets: things.filter(|id| !ruled(id)).cloned().collect(),
        }
    }

    /// What the model calls it.
    fn own(&self, id: &Arc<str>) -> Arc<str> {
        self.aliases.get(id).unwrap_or(id).clone()
    }

    fn resolved(&self, expression: &Expression) -> Expression {
        expression.replaced(&|name| self.aliases.get(name).map(|own| Expression::Name(own.clone())))
    }

    /// Does it stand for a quantity or a parameter?
    fn stands(&self, name: &str) -> bool {
        self.quantities.contains(name) || self.parameters.contains(name)
    }
}

impl Reader<'_> {
    /// Reads a problem of version 2. What is found wrong with the tables is in the findings.
    pub(super) fn second(&mut self, root: &Yaml) -> Result<Problem> {
        let (model_id, location) = model_file(root)?;
        let Some(bytes) = self.bytes(&location) else { return Err(refusal(std::mem::take(&mut self.findings))) };
        let model = sbml::import(&bytes).map_err(|e| e.in_file(&location))?;
        let aliases = self.mapping(&files(&root["mapping_files"]), &model);
        let parameters = self.second_parameters(&files(&root["parameter_files"]));
        let mut known = Known::new(&model, aliases, &parameters);
        let observables = self.second_observables(&files(&root["observable_files"]), &known);
        // What formulas of observables name and neither model nor parameters have is given by conditions.
        let mut outputs = BTreeSet::new();
        for observable in &observables {
            for formula in [&observable.formula, &observable.noise] {
                formula.names(&mut |name| {
                    let filled = observable.placeholders.iter().flatten().any(|list| list.contains(name));
                    if !filled && !known.stands(name) && !observables.iter().any(|o| o.id == *name) {
                        outputs.insert(name.clone());
                    }
                });
            }
        }
        known.targets.extend(outputs.iter().cloned());
        known.quantities.extend(outputs.iter().cloned());
        let (conditions, free) = self.second_conditions(&files(&root["condition_files"]), &known);
        let experiments = self.experiments(&files(&root["experiment_files"]), &conditions, &free);
        let set: BTreeSet<&Arc<str>> = conditions.iter().flat_map(|c| c.sets.iter().map(|(id, _)| id)).collect();
        for name in outputs.iter().filter(|name| !set.contains(name)) {
            self.findings.push(
                Diagnostic::error(
                    PETAB_004,
                    Place::field(&**name),
                    format!("観測式の {name} は定義されていません"),
                    format!("{name} in a formula of the observables is not defined"),
                )
                .remedy(
                    "母数の表か条件の表に加えるか、綴りを確かめてください",
                    "add it to the parameters or conditions, or check its spelling",
                ),
            );
        }
        let mut problem = Problem {
            version: Version::Two,
            model,
            conditions,
            experiments,
            aliases: known.aliases.clone(),
            observables,
            measurements: Vec::new(),
            parameters,
            findings: Vec::new(),
        };
        problem.measurements = self.second_measurements(&files(&root["measurement_files"]), &model_id, &problem, &known);
        self.put_in(&mut problem.observables);
        self.unique(&problem);
        Ok(problem)
    }

    fn mapping(&mut self, names: &[String], model: &Import) -> BTreeMap<Arc<str>, Arc<str>> {
        let mut aliases = BTreeMap::new();
        self.rows(names, &["petabEntityId", "modelEntityId"], |_, row, findings| {
            let Some(id) = row.must("petabEntityId", findings) else { return };
            let Some(own) = row.cell("modelEntityId").map(Arc::<str>::from) else { return };
            if !model.definition.quantities.iter().any(|q| q.name == own) {
                findings.push(misnamed(row, "modelEntityId", "モデルにありません", "the model has none of that name"));
            }
            if id != own && aliases.insert(id, own).is_some() {
                findings.push(misnamed(row, "petabEntityId", "二度定義されています", "it is defined twice"));
            }
        });
        aliases
    }

    fn second_parameters(&mut self, names: &[String]) -> Vec<Parameter> {
        let mut parameters = Vec::new();
        self.rows(names, &["parameterId", "estimate"], |_, row, findings| {
            let estimate = row.one_of("estimate", &[("false", false), ("true", true)], findings);
            let (lower, upper) = (row.number("lowerBound", findings), row.number("upperBound", findings));
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
            let prior = row.cell("priorDistribution").filter(|_| estimate).and_then(|_| {
                let kind = row.one_of("priorDistribution", &KINDS, findings);
                let between = matches!(kind, Kind::Uniform | Kind::LogUniform).then(|| vec![bounds.0, bounds.1]);
                let of = numbers(row, "priorParameters", kind, between, findings)?;
                Some(Prior { kind, of, scale: Scale::Linear, within: Some(bounds) })
            });
            let far = bounds.0 > 0.0 && bounds.1.is_finite() && bounds.1 > FAR * bounds.0;
            let logarithmic = bounds.0 > 0.0 && prior.as_ref().is_some_and(|p: &Prior| p.kind.is_logarithmic());
            let scale = if far || logarithmic { Scale::Log } else { Scale::Linear };
            parameters.push(Parameter { id, scale, bounds, nominal: nominal.unwrap_or(f64::NAN), estimate, prior });
        });
        parameters
    }

    fn second_observables(&mut self, names: &[String], known: &Known) -> Vec<Observable> {
        let mut observables = Vec::new();
        self.rows(names, &["observableId", "observableFormula", "noiseFormula"], |_, row, findings| {
            let (scale, distribution) = row.one_of("noiseDistribution", &NOISES, findings);
            let mut list = |column: &str| -> Vec<Arc<str>> {
                let cell = row.cell(column).unwrap_or_default();
                let names: Vec<Arc<str>> = cell.split(';').map(str::trim).filter(|n| !n.is_empty()).map(Arc::from).collect();
                if names.iter().any(|name| known.stands(name)) {
                    let (ja, en) = ("モデルか母数の名前です", "it is a name of the model or of a parameter");
                    findings.push(misnamed(row, column, ja, en));
                }
                names
            };
            let placeholders = Some([list("observablePlaceholders"), list("noisePlaceholders")]);
            let id = row.must("observableId", findings);
            let formula = Self::formula(row, "observableFormula", findings);
            let noise = Self::formula(row, "noiseFormula", findings);
            if let (Some(id), Some(formula), Some(noise)) = (id, formula, noise) {
                let (formula, noise) = (known.resolved(&formula), known.resolved(&noise));
                observables.push(Observable { id, formula, noise, scale, distribution, placeholders });
            }
        });
        observables
    }

    /// Conditions, and of each the names its values follow from besides parameters.
    fn second_conditions(&mut self, names: &[String], known: &Known) -> (Vec<Condition>, Free) {
        let mut conditions: Vec<Condition> = Vec::new();
        let mut free = Free::new();
        self.rows(names, &["conditionId", "targetId", "targetValue"], |_, row, findings| {
            let (Some(id), Some(target)) = (row.must("conditionId", findings), row.must("targetId", findings)) else { return };
            let Some(text) = row.must("targetValue", findings) else { return };
            let target = known.own(&target);
            if known.parameters.contains(&target) {
                let (ja, en) =
                    ("母数の表にある名前は条件で変えられません", "a condition cannot set what the table of parameters has");
                findings.push(misnamed(row, "targetId", ja, en));
            } else if !known.targets.contains(&target) {
                let known = known.quantities.contains(&target);
                findings.push(if known {
                    let (ja, en) = (
                        "規則・反応・反応内の定数は条件で変えられません",
                        "a condition cannot set what a rule decides, a reaction or a parameter of one",
                    );
                    misnamed(row, "targetId", ja, en)
                } else {
                    misnamed(row, "targetId", "モデルにも観測式にもありません", "neither the model nor a formula has it")
                });
            }
            let value = match formula(&text) {
                Ok(value) => known.resolved(&value),
                Err(error) => {
                    let message = &error.fault().message;
                    return findings.push(row.bad("targetValue", &message.ja, &message.en));
                }
            };
            let names = free.entry(id.clone()).or_default();
            value.names(&mut |name| {
                // Parameters of reactions have a point in their name; formulas of the model cannot name them.
                if !known.stands(name) || name.contains('.') {
                    let (ja, en) = (format!("{name} は使えません"), format!("{name} cannot be used here"));
                    findings.push(misnamed(row, "targetValue", &ja, &en));
                }
                if !known.parameters.contains(name) {
                    names.insert(name.clone());
                }
            });
            let value = if let Expression::Number(number) = value { Setting::Number(number) } else { Setting::Formula(value) };
            let condition = match conditions.iter().position(|c| c.id == id) {
                Some(at) => &mut conditions[at],
                None => {
                    conditions.push(Condition { id, sets: Vec::new() });
                    let last = conditions.len() - 1;
                    &mut conditions[last]
                }
            };
            if condition.sets.iter().any(|(name, _)| *name == target) {
                findings.push(misnamed(row, "targetId", "この条件で二度変えられています", "this condition sets it twice"));
            } else {
                condition.sets.push((target, value));
            }
        });
        (conditions, free)
    }

    fn experiments(&mut self, names: &[String], conditions: &[Condition], free: &Free) -> Vec<Experiment> {
        let mut experiments: Vec<Experiment> = Vec::new();
        let mut firsts: Vec<(Arc<str>, f64, Arc<str>, Place)> = Vec::new();
        self.rows(names, &["experimentId", "time", "conditionId"], |_, row, findings| {
            let (id, time) = (row.must("experimentId", findings), row.must_number("time", findings));
            let (Some(id), Some(time)) = (id, time) else { return };
            if time.is_nan() || time == f64::INFINITY {
                return findings.push(row.bad("time", "有限の時刻か -inf です", "it is a finite time, or -inf"));
            }
            let at = experiments.iter().position(|e| e.id == id).unwrap_or_else(|| {
                experiments.push(Experiment { id: id.clone(), periods: Vec::new() });
                experiments.len() - 1
            });
            let periods = &mut experiments[at].periods;
            let at = periods.iter().position(|p| p.time == time).unwrap_or_else(|| {
                periods.push(Period { time, conditions: Vec::new() });
                periods.len() - 1
            });
            let Some(condition) = row.cell("conditionId").map(Arc::<str>::from) else { return };
            if !conditions.iter().any(|c| c.id == condition) {
                findings.push(misnamed(row, "conditionId", "条件がありません", "there is no such condition"));
            }
            let taken: BTreeSet<&Arc<str>> = periods[at].conditions.iter().flat_map(|id| targets(conditions, id)).collect();
            if let Some(twice) = targets(conditions, &condition).find(|target| taken.contains(target)) {
                let words = (format!("{twice} が同じ時刻に二度変えられています"), format!("{twice} is set twice at one time"));
                findings.push(misnamed(row, "conditionId", &words.0, &words.1));
            }
            firsts.push((id, time, condition.clone(), row.place("conditionId")));
            periods[at].conditions.push(condition);
        });
        for experiment in &mut experiments {
            experiment.periods.sort_by(|a, b| a.time.total_cmp(&b.time));
        }
        // What is put in at the start is put in before there is a state that it could follow from.
        for (id, time, condition, place) in firsts {
            let first = experiments.iter().find(|e| e.id == id).and_then(|e| e.periods.first()).is_some_and(|p| p.time == time);
            if let (true, Some(name)) = (first, free.get(&condition).and_then(|names| names.iter().next())) {
                self.findings.push(
                    Diagnostic::error(
                        PETAB_004,
                        place,
                        format!("最初の期間の条件 {condition} の値が {name} に依存します（母数だけが使えます）"),
                        format!(
                            "{condition} begins the experiment, but its values follow from {name}: only parameters may be used"
                        ),
                    )
                    .remedy("母数の表にある名前だけの式にしてください", "use only names of the table of parameters in it"),
                );
            }
        }
        experiments
    }

    fn second_measurements(&mut self, names: &[String], model: &str, problem: &Problem, known: &Known) -> Vec<Measurement> {
        let mut measurements = Vec::new();
        self.rows(names, &["observableId", "measurement", "time"], |_, row, findings| {
            let observable = row.must("observableId", findings);
            let (value, time) = (row.must_number("measurement", findings), row.must_number("time", findings));
            let (Some(observable), Some(value), Some(time)) = (observable, value, time) else { return };
            let condition: Arc<str> = row.cell("experimentId").unwrap_or_default().into();
            if row.cell("modelId").is_some_and(|id| id != model) {
                findings.push(misnamed(row, "modelId", "モデルがありません", "there is no such model"));
            }
            let periods = problem.experiments.iter().find(|e| e.id == condition).map(|e| &e.periods);
            if !condition.is_empty() && periods.is_none() {
                findings.push(misnamed(row, "experimentId", "実験がありません", "there is no such experiment"));
            }
            let start = periods.and_then(|p| p.iter().map(|p| p.time).find(|t| t.is_finite())).unwrap_or(0.0);
            if time.is_nan() || time < start {
                let words = (format!("{start} 以上の時刻か inf です"), format!("it is a time from {start} on, or inf"));
                findings.push(row.bad("time", &words.0, &words.1));
            }
            let given = [settings(row.cell("observableParameters")), settings(row.cell("noiseParameters"))];
            match problem.observables.iter().find(|o| o.id == observable) {
                None => findings.push(misnamed(row, "observableId", "観測量がありません", "there is no such observable")),
                Some(it) => {
                    if it.scale != Scale::Linear && value <= 0.0 {
                        let (ja, en) =
                            ("対数の誤差では正の測定値が要ります", "noise on a logarithm needs a positive measurement");
                        findings.push(row.bad("measurement", ja, en));
                    }
                    let columns = ["observableParameters", "noiseParameters"];
                    for ((column, given), wanted) in columns.into_iter().zip(&given).zip(it.placeholders.iter().flatten()) {
                        if given.len() != wanted.len() {
                            let n = wanted.len();
                            let words = (format!("{n} 個の値が要ります"), format!("{n} values are needed here"));
                            findings.push(misnamed(row, column, &words.0, &words.1));
                        }
                        for setting in given {
                            if let Setting::Name(name) = setting
                                && !known.stands(&known.own(name))
                            {
                                let words = (format!("{name} は定義されていません"), format!("{name} is not defined"));
                                findings.push(misnamed(row, column, &words.0, &words.1));
                            }
                        }
                    }
                }
            }
            let [observable_parameters, noise_parameters] = given.map(|list| list.into_iter().map(|s| own(s, known)).collect());
            measurements.push(Measurement {
                observable,
                before: None,
                condition,
                time,
                value,
                observable_parameters,
                noise_parameters,
                place: row.place("observableId"),
            });
        });
        measurements
    }

    /// Puts observables that formulas name into these.
    fn put_in(&mut self, observables: &mut [Observable]) {
        let all: BTreeMap<Arc<str>, Expression> = observables.iter().map(|o| (o.id.clone(), o.formula.clone())).collect();
        let largest = all.values().map(size).max().unwrap_or(0);
        for observable in observables {
            for formula in [&mut observable.formula, &mut observable.noise] {
                // As many rounds as there are observables resolve whatever is no circle.
                for _ in 0..=all.len() {
                    let mut named = false;
                    formula.names(&mut |name| named |= all.contains_key(name));
                    if !named || size(formula).saturating_mul(largest) > FORMULA_MAX {
                        break;
                    }
                    *formula = formula.replaced(&|name| all.get(name).cloned());
                }
                let mut left = None;
                formula.names(&mut |name| {
                    if all.contains_key(name) {
                        left = Some(name.clone());
                    }
                });
                if let Some(name) = left {
                    let id = &observable.id;
                    self.findings.push(
                        Diagnostic::error(
                            PETAB_004,
                            Place::field(&**id),
                            format!("観測量 {id} の式は {name} を通して自分自身を必要とするか、大きくなりすぎます"),
                            format!("the formula of the observable {id} needs itself by way of {name}, or grows too large"),
                        )
                        .remedy("式の循環や入れ子をなくしてください", "break the circle of formulas, or nest them less"),
                    );
                }
            }
        }
    }
}

/// What a condition sets.
fn targets<'c>(conditions: &'c [Condition], id: &str) -> impl Iterator<Item = &'c Arc<str>> + use<'c> {
    conditions.iter().find(|c| *c.id == *id).into_iter().flat_map(|c| c.sets.iter().map(|(target, _)| target))
}

/// Terms that a formula may have when observables are put into it.
const FORMULA_MAX: usize = 1_000_000;

fn size(expression: &Expression) -> usize {
    match expression {
        Expression::Number(_) | Expression::Time | Expression::Name(_) => 1,
        Expression::Apply(_, arguments) => 1 + arguments.iter().map(size).sum::<usize>(),
        Expression::Piecewise(pieces, otherwise) => {
            1 + pieces.iter().map(|(v, c)| size(v) + size(c)).sum::<usize>() + otherwise.as_deref().map_or(0, size)
        }
    }
}

fn own(setting: Setting, known: &Known) -> Setting {
    match setting {
        Setting::Name(name) => Setting::Name(known.own(&name)),
        other => other,
    }
}

impl Problem {
    /// What the model calls what the tables call so.
    pub(super) fn entity<'p>(&'p self, id: &'p Arc<str>) -> &'p Arc<str> {
        self.aliases.get(id).unwrap_or(id)
    }
}
