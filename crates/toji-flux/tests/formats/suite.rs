//! The cases for flux balance constraints of the SBML test suite, level 3: settings and results as published.

use super::{open, reference, shared, shared_folder};
use toji_flux::io::{json, sbml};
use toji_flux::lp::{Outcome, Problem, Solver};
use toji_flux::model::Model;

fn solve(model: &Model) -> Outcome {
    Solver::new(Problem::from(&model.network().unwrap())).unwrap().solve().unwrap()
}

fn setting(settings: &str, key: &str) -> String {
    let line = settings.lines().find_map(|l| l.strip_prefix(key)?.trim_start().strip_prefix(':'));
    line.unwrap_or_default().trim().to_owned()
}

#[test]
fn every_case_of_the_suite_has_its_published_result() {
    let Some(folder) = shared_folder("sbml-fbc") else { return };
    let mut cases = 0;
    let mut entries: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for case in entries {
        let number = case.file_name().unwrap().to_str().unwrap().to_owned();
        let text = |end: &str| std::fs::read_to_string(case.join(format!("{number}-{end}"))).unwrap();
        let settings = text("settings.txt");
        let tolerance = |key: &str| setting(&settings, key).parse::<f64>().unwrap();
        let results = text("results.csv");
        let mut lines = results.lines().map(|l| l.split(',').map(str::trim).collect::<Vec<_>>());
        let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
        assert_eq!(names.join(","), setting(&settings, "variables"));
        for version in ["sbml-l3v1.xml", "sbml-l3v2.xml"] {
            let Ok(bytes) = std::fs::read(case.join(format!("{number}-{version}"))) else { continue };
            cases += 1;
            let model = sbml::read(&bytes[..], &sbml::Options::default()).unwrap().model;
            let optimum = solve(&model).optimum();
            for (name, value) in names.iter().zip(&values) {
                let found = match (&optimum, model.reaction(name)) {
                    (None, _) => f64::NAN,
                    (Some(optimum), Some(reaction)) => optimum.primal[reaction],
                    (Some(optimum), None) => {
                        assert_eq!(model.active_objective().unwrap().id, *name);
                        optimum.objective
                    }
                };
                let expected: f64 = value.parse().unwrap();
                let close = (found - expected).abs() <= tolerance("absolute") + tolerance("relative") * expected.abs();
                assert!(close || found.is_nan() && expected.is_nan(), "{number} {version} {name}: {found} for {expected}");
            }
        }
    }
    assert!(cases >= 44, "{cases}");
}

#[test]
fn growth_is_that_of_the_references() {
    let check = |model: &Model, expected: f64, tolerance: f64| {
        let optimum = solve(model).optimum().unwrap();
        assert!((optimum.objective - expected).abs() <= tolerance * expected, "{}: {}", model.id, optimum.objective);
    };
    for (path, of, key) in [
        ("models/textbook.xml.gz", "textbook.json", "fba"),
        ("models/iJO1366.xml.gz", "iJO1366_fba_fva_deletions.json", "growth"),
    ] {
        let (Some(reading), Some(expected)) = (open(path), reference(of)) else { return };
        check(&reading.model, expected[key].as_f64().unwrap(), 1e-7);
    }
    let (Some(reading), Some(bytes)) = (open("models/iCGB21FR.xml.gz"), shared("models/RehMBEL1391.json")) else { return };
    // As published in the model's FROG report, five digits.
    check(&reading.model, 0.57066, 1e-5);
    let expected = reference("RehMBEL1391.json").unwrap()["fba"].as_f64().unwrap();
    check(&json::read(&bytes).unwrap().model, expected, 1e-7);
}
