//! PEtab: the cases of its test suite (version 1), and likelihoods of published problems at their nominal parameters.
//!
//! References: `_NNNN_solution.yaml` of PEtab-dev/petab_test_suite; for the benchmark the values that AMICI keeps
//! (AMICI-dev/AMICI@5c524dd2, tests/benchmark_models/benchmark_models.yaml), but for Crauste, where that value is off by
//! 1.2e-3 for its tolerances: there SciPy's at 1e-13, by `golden/crauste.py`.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test stops at the first thing that is not as it should be")]

use std::path::{Path, PathBuf};
use toji_core::text::Lang;
use toji_culture::exchange::petab::Problem;
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
