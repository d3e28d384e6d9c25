//! PEtab: the cases of its test suite (version 1), and likelihoods of published problems at their nominal parameters.
//!
//! References: `_NNNN_solution.yaml` of PEtab-dev/petab_test_suite; for the benchmark the values that AMICI keeps
//! (AMICI-dev/AMICI@5c524dd2, tests/benchmark_models/benchmark_models.yaml), but for Crauste, where that value is off by
//! 1.2e-3 for its tolerances: there SciPy's at 1e-13, by `golden/crauste.py`.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test stops at the first thing that is not as it should be")]

use std::path::{Path, PathBuf};
use toji_core::text::Lang;
use toji_culture::exchange::petab::{Kind, Prior, Problem, Scale};
use toji_culture::fit::{Effort, Landscape, fit};
use toji_culture::kernel::{Dual, Options};

fn shared(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TOJI_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from)
        .join("data/modelling")
        .join(folder);
    if root.is_dir() {
        return Some(root);
    }
    eprintln!("skipped: {} is not on this machine (set TOJI_SHARED)", root.display());
    None
}

fn problem(folder: &Path, yaml: &str) -> Problem {
    let text = std::fs::read_to_string(folder.join(yaml)).unwrap();
    Problem::read(&text, &|name| std::fs::read(folder.join(name)).ok()).unwrap_or_else(|e| panic!("{}", e.render(Lang::En)))
}

fn options() -> Options {
    Options { relative: 1e-8, absolute: vec![1e-12], ..Options::default() }
}

/// A number after its key in a file of one key a line.
fn said(text: &str, key: &str) -> f64 {
    text.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix(':')?.trim().parse().ok()).unwrap()
}

/// Log-likelihood, χ², simulations, and where the solution states them priors and posterior: of every case of a version.
fn cases(version: &str, count: usize) {
    let Some(root) = shared(&format!("petab-test-suite/{version}")) else { return };
    let mut ids: Vec<String> = std::fs::read_dir(&root).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    ids.sort();
    for id in &ids {
        let folder = root.join(id);
        let problem = problem(&folder, &format!("_{id}.yaml"));
        let likelihood = problem.compile().unwrap_or_else(|e| panic!("{id}: {}", e.render(Lang::En)));
        let nominal: Vec<f64> = likelihood.parameters().iter().map(|(_, value)| *value).collect();
        let found = likelihood.evaluate(&nominal, &options()).unwrap_or_else(|e| panic!("{id}: {}", e.render(Lang::En)));
        let solution = std::fs::read_to_string(folder.join(format!("_{id}_solution.yaml"))).unwrap();
        let near = |what: &str, found: f64| {
            let wanted = said(&solution, what);
            assert!((found - wanted).abs() <= said(&solution, &format!("tol_{what}")), "{id} {what}: {found} beside {wanted}");
        };
        near("llh", found.log_likelihood);
        near("chi2", found.chi2);
        let table = std::fs::read_to_string(folder.join("_simulations.tsv")).unwrap();
        let mut lines = table.lines();
        let column = lines.next().unwrap().split('\t').position(|h| h == "simulation").unwrap();
        let wanted: Vec<f64> = lines.map(|l| l.split('\t').nth(column).unwrap().parse().unwrap()).collect();
        assert_eq!(wanted.len(), found.simulated.len(), "{id}");
        for (f, w) in found.simulated.iter().zip(&wanted) {
            assert!((f - w).abs() <= said(&solution, "tol_simulations"), "{id}: {f} beside {w}");
        }
        if solution.contains("log_prior:") {
            let priors = likelihood.log_priors(&nominal);
            for (place, found) in &priors {
                let wanted = said(&solution, &format!("  {}", likelihood.parameters()[*place].0));
                assert!((found - wanted).abs() <= said(&solution, "tol_log_prior"), "{id}: {found} beside {wanted}");
            }
            assert_eq!(priors.len(), solution.lines().filter(|line| line.starts_with("  ")).count(), "{id}");
            near("unnorm_log_posterior", found.log_likelihood + priors.iter().map(|(_, p)| p).sum::<f64>());
        }
    }
    eprintln!("PEtab test suite {version}: {} cases pass: {}", ids.len(), ids.join(", "));
    assert_eq!(ids.len(), count);
}

#[test]
fn petab_cases_of_version_1_are_as_their_solutions() {
    cases("v1.0.0", 10);
}

#[test]
fn petab_cases_of_version_2_are_as_their_solutions() {
    cases("v2.0.0", 15);
}

#[test]
fn petab_likelihoods_of_published_problems_are_those_of_others() {
    let Some(root) = shared("petab-benchmark") else { return };
    let mut failed = Vec::new();
    for (id, wanted) in [
        ("Boehm_JProteomeRes2014", -138.221_996_94),
        ("Bruno_JExpBot2016", 46.688_176_99),
        ("Crauste_CellSystems2017", -190.963_977_575_720_7),
        ("Elowitz_Nature2000", 63.202_799_91),
        ("Sneyd_PNAS2002", 319.791_778_19),
    ] {
        let likelihood =
            problem(&root.join(id), &format!("{id}.yaml")).compile().unwrap_or_else(|e| panic!("{id}: {}", e.render(Lang::En)));
        let nominal: Vec<f64> = likelihood.parameters().iter().map(|(_, value)| *value).collect();
        match likelihood.evaluate(&nominal, &options()) {
            Ok(found) if (found.log_likelihood - wanted).abs() < 1e-3 => eprintln!("{id}: {}", found.log_likelihood),
            Ok(found) => failed.push(format!("{id}: {} beside {wanted}", found.log_likelihood)),
            Err(error) => failed.push(format!("{id}: {}", error.render(Lang::En))),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The gradient by duals beside differences of the likelihood itself.
#[test]
fn petab_likelihood_has_a_gradient() {
    let Some(root) = shared("petab-benchmark") else { return };
    let likelihood = problem(&root.join("Boehm_JProteomeRes2014"), "Boehm_JProteomeRes2014.yaml").compile().unwrap();
    let nominal: Vec<f64> = likelihood.parameters().iter().map(|(_, value)| *value).collect();
    for k in 0..nominal.len() {
        let duals: Vec<Dual<1>> = nominal
            .iter()
            .enumerate()
            .map(|(i, v)| if i == k { Dual { value: *v, slopes: [1.0] } } else { Dual { value: *v, slopes: [0.0] } })
            .collect();
        let found = likelihood.evaluate(&duals, &options()).unwrap().log_likelihood.slopes[0] * nominal[k];
        let at = |factor: f64| {
            let mut moved = nominal.clone();
            moved[k] *= factor;
            likelihood.evaluate(&moved, &options()).unwrap().log_likelihood
        };
        let step = 1e-4;
        let wanted = (at(1.0 + step) - at(1.0 - step)) / (2.0 * step);
        assert!(
            (found - wanted).abs() < 1e-3 * wanted.abs().max(1.0),
            "{}: {found} beside {wanted}",
            likelihood.parameters()[k].0
        );
    }
}

/// The gradient that a fit descends along, of measurements with estimated noise, beside differences.
#[test]
fn petab_fit_descends_along_the_gradient() {
    let Some(root) = shared("petab-benchmark") else { return };
    let to_fit = problem(&root.join("Boehm_JProteomeRes2014"), "Boehm_JProteomeRes2014.yaml").to_fit(options()).unwrap();
    let middle: Vec<f64> = to_fit.unknowns().iter().map(|u| 0.4 * u.inward(u.low) + 0.6 * u.inward(u.high)).collect();
    let centre = to_fit.at(&middle).unwrap();
    for i in 0..middle.len() {
        let moved = |h: f64| {
            let mut at = middle.clone();
            at[i] += h;
            to_fit.at(&at).unwrap().minus_two_log
        };
        let difference = (moved(1e-4) - moved(-1e-4)) / 4e-4;
        let found = centre.gradient[i];
        assert!((found - difference).abs() < 1e-4 * (1.0 + difference.abs()), "{i}: {found} beside {difference}");
    }
}

/// Boehm's problem from 20 random starts: at least three end at its best known likelihood.
#[test]
fn petab_starts_at_random_find_the_best_of_boehm() {
    let Some(root) = shared("petab-benchmark") else { return };
    let options = Options { relative: 1e-6, absolute: vec![1e-9], ..Options::default() };
    let to_fit = problem(&root.join("Boehm_JProteomeRes2014"), "Boehm_JProteomeRes2014.yaml").to_fit(options).unwrap();
    let begun = std::time::Instant::now();
    let effort = Effort { starts: 20, hops: 5, seed: 1, profiles: false };
    let found = fit(&to_fit, effort, &|_, _| Ok(())).unwrap();
    let ends: Vec<f64> = found.starts.iter().flatten().map(|m| 0.5 * m).collect();
    let good = ends.iter().filter(|end| **end <= 138.23).count();
    eprintln!(
        "Boehm: {good} of 20 starts at 138.23 or less, best {:.4}, in {:?}: {ends:.2?}",
        0.5 * found.minus_two_log,
        begun.elapsed()
    );
    assert!(good >= 3, "{good} of 20: {ends:?}");
}

const YAML: &str = "format_version: 1\nparameter_file: p.tsv\nproblems:\n- condition_files: [c.tsv]\n  measurement_files: [m.tsv]\n  \
                    observable_files: [o.tsv]\n  sbml_files: [model.xml]\n";
const MODEL: &str = "<sbml xmlns=\"http://www.sbml.org/sbml/level3/version2/core\" level=\"3\" version=\"2\"><model><listOfParameters>\
                     <parameter id=\"x\" value=\"1\" constant=\"false\"/><parameter id=\"k\" value=\"1\" constant=\"true\"/>\
                     </listOfParameters><listOfRules><rateRule variable=\"x\"><math xmlns=\"http://www.w3.org/1998/Math/MathML\"><apply>\
                     <times/><ci>k</ci><ci>x</ci></apply></math></rateRule></listOfRules></model></sbml>";

fn tables(of: [(&str, &str); 4]) -> Result<Problem, toji_core::Error> {
    let file = |name: &str| match name {
        "model.xml" => Some(MODEL.as_bytes().to_vec()),
        _ => of.iter().find(|(file, _)| *file == name).map(|(_, text)| text.as_bytes().to_vec()),
    };
    Problem::read(YAML, &file)
}

const C: (&str, &str) = ("c.tsv", "conditionId\tk\nc0\t2\n");
const M: (&str, &str) = ("m.tsv", "observableId\tsimulationConditionId\tmeasurement\ttime\no\tc0\t1\t0\n");
const O: (&str, &str) = ("o.tsv", "observableId\tobservableFormula\tnoiseFormula\no\tlog(x) + x**2\t0.5 + 0.1 * o\n");
const P: (&str, &str) =
    ("p.tsv", "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\nk\tlog10\t0.1\t10\t1\t1\n");

/// ln 1 + 1² = 1 measured as 1 with a noise of 0.6.
#[test]
fn petab_formulas_are_its_own() {
    let likelihood = tables([C, M, O, P]).unwrap().compile().unwrap();
    let found = likelihood.evaluate(&[1.0], &options()).unwrap();
    let wanted = -(0.6 * (2.0 * std::f64::consts::PI).sqrt()).ln();
    assert!((found.log_likelihood - wanted).abs() < 1e-12 && found.chi2.abs() < 1e-20, "{found:?}");
}

#[test]
fn petab_faults_of_tables_have_file_line_and_column() {
    for (tables_of, code, file, line) in [
        ([C, ("m.tsv", "observableId\tmeasurement\n"), O, P], "E-PETAB-002", "m.tsv", Some(1)),
        (
            [C, ("m.tsv", "observableId\tsimulationConditionId\tmeasurement\ttime\no\tc0\tviel\t0\n"), O, P],
            "E-PETAB-003",
            "m.tsv",
            Some(2),
        ),
        (
            [C, ("m.tsv", "observableId\tsimulationConditionId\tmeasurement\ttime\n\no\tc9\t1\t0\n"), O, P],
            "E-PETAB-004",
            "m.tsv",
            Some(3),
        ),
        ([C, M, ("o.tsv", "observableId\tobservableFormula\tnoiseFormula\no\tx +\t1\n"), P], "E-PETAB-003", "o.tsv", Some(2)),
        ([C, M, O, ("q.tsv", "")], "E-PETAB-001", "p.tsv", None),
    ] {
        let error = tables(tables_of).unwrap_err();
        let place = error.fault().place.clone().unwrap();
        assert_eq!((error.code(), place.file.as_deref(), place.line), (code, Some(file), line), "{}", error.render(Lang::Ja));
        assert!(error.fault().diagnostics.iter().all(|d| d.remedy.is_some()));
    }
    for yaml in ["", "format_version: 3\n", "format_version: 2\n", "a: [", "format_version: 1\nproblems: []\n"] {
        assert!(Problem::read(yaml, &|_| None).is_err(), "{yaml}");
    }
    let placeholder = ("o.tsv", "observableId\tobservableFormula\tnoiseFormula\no\tobservableParameter1_o * x\t1\n");
    assert_eq!(tables([C, M, placeholder, P]).unwrap().compile().unwrap_err().code(), "E-PETAB-004");
    let changing = ("p.tsv", "parameterId\tparameterScale\tnominalValue\testimate\nx\tlin\t1\t0\n");
    assert_eq!(tables([C, M, O, changing]).unwrap().compile().unwrap_err().code(), "E-PETAB-004");
}

const SECOND: &str = "format_version: 2.0.0\nmodel_files:\n  m: {language: sbml, location: model.xml}\nparameter_files: [p.tsv]\n\
                      condition_files: [c.tsv]\nexperiment_files: [e.tsv]\nmeasurement_files: [m.tsv]\nobservable_files: [o.tsv]\n\
                      mapping_files: [n.tsv]\n";

/// A document of parts: lists in the order of the schema.
fn sbml(parts: &str) -> String {
    format!(
        "<sbml xmlns=\"http://www.sbml.org/sbml/level3/version2/core\" level=\"3\" version=\"2\"><model>{}</model></sbml>",
        parts.replace("<math>", "<math xmlns=\"http://www.w3.org/1998/Math/MathML\">")
    )
}

fn second(model: &str, of: &[(&str, &str)]) -> Result<Problem, toji_core::Error> {
    let usual = [
        ("c.tsv", "conditionId\ttargetId\ttargetValue\n"),
        ("e.tsv", "experimentId\ttime\tconditionId\n"),
        ("n.tsv", "petabEntityId\tmodelEntityId\n"),
        ("p.tsv", "parameterId\tlowerBound\tupperBound\tnominalValue\testimate\n"),
    ];
    let file = |name: &str| match name {
        "model.xml" => Some(sbml(model).into_bytes()),
        _ => of.iter().chain(&usual).find(|(file, _)| *file == name).map(|(_, text)| text.as_bytes().to_vec()),
    };
    Problem::read(SECOND, &file)
}

fn simulated(problem: &Problem, at: &[f64]) -> Vec<f64> {
    let likelihood = problem.compile().unwrap_or_else(|e| panic!("{}", e.render(Lang::En)));
    likelihood.evaluate(at, &options()).unwrap_or_else(|e| panic!("{}", e.render(Lang::En))).simulated
}

fn near(found: &[f64], wanted: &[f64]) {
    assert_eq!(found.len(), wanted.len());
    for (f, w) in found.iter().zip(wanted) {
        assert!((f - w).abs() < 1e-6, "{found:?} beside {wanted:?}");
    }
}

/// dS/dt = 1 in a compartment of 1. At 10 a condition sets C = S (10) and S = S + 5 by the size before: amount 15, so S is
/// 1.5; then the event of the same instant sees C = 10 and sets it to 15: S is 1, and 3 two hours later.
#[test]
fn petab_conditions_come_before_events_of_their_instant() {
    let model = "<listOfCompartments><compartment id=\"C\" spatialDimensions=\"3\" size=\"1\" constant=\"false\"/></listOfCompartments>\
        <listOfSpecies><species id=\"S\" compartment=\"C\" initialConcentration=\"0\" hasOnlySubstanceUnits=\"false\" \
        boundaryCondition=\"false\" constant=\"false\"/></listOfSpecies><listOfRules><rateRule variable=\"S\"><math><cn>1</cn></math>\
        </rateRule></listOfRules><listOfEvents><event id=\"grow\" useValuesFromTriggerTime=\"true\"><trigger initialValue=\"false\" \
        persistent=\"true\"><math><apply><geq/><csymbol encoding=\"text\" \
        definitionURL=\"http://www.sbml.org/sbml/symbols/time\">t</csymbol><cn>10</cn></apply></math></trigger>\
        <listOfEventAssignments><eventAssignment variable=\"C\"><math><apply><plus/><ci>C</ci><cn>5</cn></apply></math>\
        </eventAssignment></listOfEventAssignments></event></listOfEvents>";
    let problem = second(
        model,
        &[
            ("c.tsv", "conditionId\ttargetId\ttargetValue\nboth\tC\tS\nboth\tS\tS + 5\n"),
            ("e.tsv", "experimentId\ttime\tconditionId\ne\t10\tboth\ne\t0\t\n"),
            ("o.tsv", "observableId\tobservableFormula\tnoiseFormula\ns\tS\t1\nc\tC\t1\n"),
            ("m.tsv", "observableId\texperimentId\tmeasurement\ttime\ns\te\t1\t9\ns\te\t1\t10\nc\te\t15\t10\ns\te\t3\t12\n"),
        ],
    );
    near(&simulated(&problem.unwrap(), &[]), &[9.0, 1.0, 15.0, 3.0]);
}

const DECAY: &str = "<listOfParameters><parameter id=\"x\" value=\"7\" constant=\"false\"/><parameter id=\"a\" value=\"1\" \
                     constant=\"true\"/><parameter id=\"k\" value=\"1\" constant=\"true\"/></listOfParameters><listOfRules><rateRule \
                     variable=\"x\"><math><apply><minus/><ci>a</ci><apply><times/><ci>k</ci><ci>x</ci></apply></apply></math></rateRule>\
                     </listOfRules>";
const O2: (&str, &str) = (
    "o.tsv",
    "observableId\tobservableFormula\tnoiseFormula\tnoiseDistribution\tobservablePlaceholders\tnoisePlaceholders\n\
     o\tby * x\tsd\tnormal\tby\tsd\ntwice\t2 * pow(x, 1)\tpiecewise(1, x > 1, 0.5)\tlog-laplace\t\t\n",
);
const P2: (&str, &str) =
    ("p.tsv", "parameterId\tlowerBound\tupperBound\tnominalValue\testimate\nrate\t0.1\t10\t1\ttrue\nhigh\t\t\t2\tfalse\n");
const N2: (&str, &str) = ("n.tsv", "petabEntityId\tmodelEntityId\nrate\tk\nnote\t\n");
const C2: (&str, &str) = ("c.tsv", "conditionId\ttargetId\ttargetValue\nfed\ta\thigh\nstarved\ta\t0\ndose\tx\tx + high / 2\n");
const E2: (&str, &str) = ("e.tsv", "experimentId\ttime\tconditionId\ne\t-inf\tfed\ne\t5\tstarved\ne\t7\tdose\n");
const M2: (&str, &str) = (
    "m.tsv",
    "observableId\texperimentId\tmeasurement\ttime\tobservableParameters\tnoiseParameters\no\te\t1\t5\t1\t0.5\n\
     o\te\t1\t6\t3\thigh\ntwice\te\t1\t7\t\t\no\te\t0.1\tinf\t1\t1\no\t\t1\t0\t1\t1\n",
);

/// dx/dt = a − k x: steady at 2 with a = 2, then e^−t from 5 on, a dose of 1 at 7, and nothing in the end.
#[test]
fn petab_experiments_go_on_from_a_steady_state() {
    let problem = second(DECAY, &[O2, P2, N2, C2, E2, M2]).unwrap_or_else(|e| panic!("{}", e.render(Lang::En)));
    let wanted = [2.0, 6.0 * (-1.0_f64).exp(), 2.0 * (2.0 * (-2.0_f64).exp() + 1.0), 0.0, 7.0];
    near(&simulated(&problem, &[1.0, 2.0]), &wanted);
    let likelihood = problem.compile().unwrap();
    let found = likelihood.evaluate(&[1.0, 2.0], &options()).unwrap();
    let normal = |m: f64, y: f64, sd: f64| -0.5 * (2.0 * std::f64::consts::PI * sd * sd).ln() - 0.5 * ((m - y) / sd).powi(2);
    // x is 1.27 at 7: the noise is 1, on the logarithm.
    let laplace = -(2.0_f64.ln()) - wanted[2].ln();
    let log = normal(1.0, 2.0, 0.5) + normal(1.0, wanted[1], 2.0) + laplace + normal(0.1, 0.0, 1.0) + normal(1.0, 7.0, 1.0);
    assert!((found.log_likelihood - log).abs() < 1e-6, "{} beside {log}", found.log_likelihood);
    // The slope by the rate, through steady state, start and dose.
    let slope =
        likelihood.evaluate(&[Dual::along(1.1, 0), Dual::<1>::along(2.0, 1)], &options()).unwrap().log_likelihood.slopes[0];
    let at = |rate: f64| likelihood.evaluate(&[rate, 2.0], &options()).unwrap().log_likelihood;
    let wanted = (at(1.1 + 1e-4) - at(1.1 - 1e-4)) / 2e-4;
    assert!((slope - wanted).abs() < 1e-4 * wanted.abs(), "{slope} beside {wanted}");
}

#[test]
fn petab_faults_of_version_2_have_file_line_and_column() {
    let head = |of: &str| -> String { of.lines().next().unwrap().to_owned() + "\n" };
    for (file, rows, code, line, field) in [
        ("c.tsv", "fed\trate\t1", "E-PETAB-004", 2, "targetId"),
        ("c.tsv", "fed\tnothing\t1", "E-PETAB-004", 2, "targetId"),
        ("c.tsv", "fed\ta\tnobody", "E-PETAB-004", 2, "targetValue"),
        ("c.tsv", "fed\ta\t1 +", "E-PETAB-003", 2, "targetValue"),
        ("c.tsv", "fed\ta\t1\nfed\ta\t2", "E-PETAB-004", 3, "targetId"),
        ("e.tsv", "e\tinf\tfed", "E-PETAB-003", 2, "time"),
        ("e.tsv", "e\t0\tnothing", "E-PETAB-004", 2, "conditionId"),
        ("e.tsv", "e\t5\tfed\ne\t5\tstarved", "E-PETAB-004", 3, "conditionId"),
        ("m.tsv", "o\te\t1\t4\t1\t1", "E-PETAB-003", 2, "time"),
        ("m.tsv", "o\tf\t1\t5\t1\t1", "E-PETAB-004", 2, "experimentId"),
        ("m.tsv", "o\te\t1\t5\t1;2\t1", "E-PETAB-004", 2, "observableParameters"),
        ("m.tsv", "o\te\t1\t5\t1\tnobody", "E-PETAB-004", 2, "noiseParameters"),
        ("m.tsv", "twice\te\t-1\t5\t\t", "E-PETAB-003", 2, "measurement"),
        ("p.tsv", "rate\t\t\t1\ttrue", "E-PETAB-003", 2, "lowerBound"),
        ("p.tsv", "rate\t0.1\t10\t1\tmaybe", "E-PETAB-003", 2, "estimate"),
        ("n.tsv", "rate\tnothing", "E-PETAB-004", 2, "modelEntityId"),
    ] {
        let usual = [O2, P2, N2, C2, E2, M2];
        let whole = head(usual.iter().find(|(name, _)| *name == file).unwrap().1) + rows + "\n";
        let tables: Vec<(&str, &str)> =
            usual.iter().map(|(name, text)| (*name, if *name == file { &*whole } else { *text })).collect();
        let error = second(DECAY, &tables).expect_err(rows);
        let faults = &error.fault().diagnostics;
        let found = faults.iter().any(|d| {
            let place = &d.place;
            d.code == code && (place.file.as_deref(), place.line, place.field.as_deref()) == (Some(file), Some(line), Some(field))
        });
        assert!(found, "{file} {rows}: {}", error.render(Lang::Ja));
        assert!(faults.iter().all(|d| d.remedy.is_some()));
    }
    // What begins an experiment follows from parameters alone; the fault is where the experiment names it.
    let c = ("c.tsv", "conditionId\ttargetId\ttargetValue\nfed\ta\tx\nstarved\ta\t0\ndose\tx\t1\n");
    let place = second(DECAY, &[O2, P2, N2, c, E2, M2]).unwrap_err().fault().place.clone().unwrap();
    assert_eq!((place.file.as_deref(), place.line, place.field.as_deref()), (Some("e.tsv"), Some(2), Some("conditionId")));
    // Observables that need each other, several models, other languages, extensions.
    let circle = ("o.tsv", "observableId\tobservableFormula\tnoiseFormula\no\ttwice\t1\ntwice\to\t1\n");
    let m = ("m.tsv", "observableId\texperimentId\tmeasurement\ttime\no\te\t1\t5\n");
    assert_eq!(second(DECAY, &[circle, P2, N2, C2, E2, m]).unwrap_err().code(), "E-PETAB-004");
    for (yaml, code) in [
        (
            "format_version: 2.0.0\nmodel_files: {a: {language: sbml, location: a}, b: {language: sbml, location: b}}\n",
            "E-PETAB-005",
        ),
        ("format_version: 2.0.0\nmodel_files: {a: {language: bngl, location: a}}\n", "E-PETAB-005"),
        ("format_version: 2\nextensions: {x: {version: 1, required: true}}\n", "E-PETAB-005"),
        ("format_version: 2.0.0\nmodel_files: {a: {language: sbml, location: a}}\n", "E-PETAB-001"),
        ("format_version: 2.0.0\nmodel_files: []\n", "E-PETAB-001"),
    ] {
        assert_eq!(Problem::read(yaml, &|_| None).unwrap_err().code(), code, "{yaml}");
    }
}

/// −2 ln of the priors is part of what a fit descends, with its slope.
#[test]
fn petab_fit_descends_along_priors_too() {
    let p = (
        "p.tsv",
        "parameterId\tlowerBound\tupperBound\tnominalValue\testimate\tpriorDistribution\tpriorParameters\n\
         rate\t0.1\t10\t1\ttrue\tgamma\t3;0.5\nhigh\t0.5\t4\t2\ttrue\tlog-normal\t1;0.5\n",
    );
    let problem = second(DECAY, &[O2, p, N2, C2, E2, M2]).unwrap_or_else(|e| panic!("{}", e.render(Lang::En)));
    let (to_fit, likelihood) = (problem.to_fit(options()).unwrap(), problem.compile().unwrap());
    let at = [0.9, 1.7];
    let point: Vec<f64> = to_fit.unknowns().iter().zip(at).map(|(u, x)| u.inward(x)).collect();
    let found = to_fit.at(&point).unwrap();
    let priors: f64 = likelihood.log_priors(&at).iter().map(|(_, p)| p).sum();
    let wanted = -2.0 * (likelihood.evaluate(&at, &options()).unwrap().log_likelihood + priors);
    assert!((found.minus_two_log - wanted).abs() < 1e-8 && priors.abs() > 0.1, "{} beside {wanted}", found.minus_two_log);
    for i in 0..2 {
        let moved = |h: f64| {
            let mut there = point.clone();
            there[i] += h;
            to_fit.at(&there).unwrap().minus_two_log
        };
        let difference = (moved(1e-4) - moved(-1e-4)) / 4e-4;
        assert!((found.gradient[i] - difference).abs() < 1e-4 * (1.0 + difference.abs()), "{i}: {difference}");
    }
}

/// `golden/petab_priors.py` (SciPy): log-densities of the priors of version 2, whole and truncated.
#[test]
fn petab_priors_have_the_densities_of_scipy() {
    let kinds = [
        ("uniform", Kind::Uniform),
        ("normal", Kind::Normal),
        ("laplace", Kind::Laplace),
        ("cauchy", Kind::Cauchy),
        ("chisquare", Kind::ChiSquare),
        ("exponential", Kind::Exponential),
        ("gamma", Kind::Gamma),
        ("rayleigh", Kind::Rayleigh),
        ("log-uniform", Kind::LogUniform),
        ("log-normal", Kind::LogNormal),
        ("log-laplace", Kind::LogLaplace),
    ];
    let mut seen = 0;
    for line in include_str!("golden/petab_priors.tsv").lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let number = |i: usize| cells[i].parse::<f64>().unwrap();
        let kind = kinds.iter().find(|(word, _)| *word == cells[0]).unwrap().1;
        let of: Vec<f64> = cells[1].split(';').map(|n| n.parse().unwrap()).collect();
        let mut prior = Prior { kind, of, scale: Scale::Linear, within: None };
        let (x, whole, cut) = (number(2), number(5), number(6));
        let found = prior.log_density(x);
        assert!((found - whole).abs() < 1e-13 * whole.abs().max(1.0), "{line}: {found}");
        prior.within = Some((number(3), number(4)));
        let found = prior.log_density(x);
        assert!((found - cut).abs() < 1e-10 * cut.abs().max(1.0), "{line}: {found}");
        assert_eq!(prior.log_density(number(4) + 1.0), f64::NEG_INFINITY, "{line}");
        seen += 1;
    }
    assert_eq!(seen, kinds.len());
}
