//! COBRA YAML, COMBINE archives, packed files, FROG reports.

use super::{open, shared};
use proptest::prelude::*;
use toji_flux::io::frog::{self, Report};
use toji_flux::io::omex::{self, Archive, Entry, SBML};
use toji_flux::io::{any, json, sbml, yaml};

#[test]
fn yaml_that_is_written_is_read_the_same() {
    for path in ["models/mini.json", "models/RehMBEL1391.json"] {
        let Some(bytes) = shared(path) else { return };
        let model = json::read(&bytes).unwrap().model;
        let written = yaml::write(&model).unwrap();
        let again = yaml::read(&written.bytes).unwrap();
        assert_eq!(again.findings, []);
        let sorted = |model: &toji_flux::model::Model| {
            // The writer sorts members by name.
            let mut parts = model.clone().into_parts();
            parts.compartments.sort_by(|a, b| a.id.cmp(&b.id));
            parts.reactions.iter_mut().for_each(|r| r.stoichiometry.sort_by_key(|t| t.0));
            parts
        };
        let (one, two) = (sorted(&model), sorted(&again.model));
        assert_eq!(one.reactions.len(), two.reactions.len());
        for (a, b) in one.reactions.iter().zip(&two.reactions) {
            let (mut a, mut b) = (a.clone(), b.clone());
            a.annotation.sort();
            b.annotation.sort();
            a.notes.sort();
            b.notes.sort();
            assert_eq!(a, b);
        }
    }
}

const YAML: &str = "---\n!!omap\n- metaData:\n    id: \"tiny\"\n    date: 2020\n- metabolites:\n  - !!omap\n    - id: a_c\n    - name: \"null\"\n    \
    - charge: -2\n    - annotation: !!omap\n      - chebi: &x [CHEBI:1, CHEBI:2]\n  - !!omap\n    - id: \"010\"\n    - annotation: !!omap\n      - chebi: *x\n\
    - reactions:\n  - !!omap\n    - id: r\n    - metabolites: !!omap\n      - a_c: -1\n      - \"010\": 1.5e0\n    - lower_bound: -.inf\n    \
    - upper_bound: 1000\n    - gene_reaction_rule: g1 and g2\n    - objective_coefficient: 1\n- genes:\n  - !!omap\n    - id: g1\n  - id: g2\n";

#[test]
fn yaml_as_people_write_it() {
    let reading = yaml::read(YAML.as_bytes()).unwrap();
    let model = &reading.model;
    assert_eq!(model.id, "tiny");
    let found: Vec<_> = reading.findings.iter().map(|f| (f.message.en.as_str(), f.place.line)).collect();
    assert_eq!(found, [("not kept: member date of the model", Some(5))]);
    assert_eq!((model.metabolites[1].id.as_str(), model.metabolites[0].name.as_deref()), ("010", Some("null")));
    assert_eq!(model.metabolites[1].annotation.len(), 2);
    let reaction = &model.reactions[0];
    assert_eq!((reaction.lower, reaction.upper), (f64::NEG_INFINITY, 1000.0));
    assert_eq!(reaction.stoichiometry, [(0, -1.0), (1, 1.5)]);
    let wrong = YAML.replace("a_c: -1", "z_c: -1");
    let fault = yaml::read(wrong.as_bytes()).unwrap_err().fault().diagnostics[0].clone();
    assert_eq!((fault.place.line, fault.message.en.as_str()), (Some(21), "there is no metabolite z_c"));
    for text in ["", "- [", "a: *b", "\t- x", "- {", "'"] {
        assert!(yaml::read(text.as_bytes()).is_err(), "{text}");
    }
    assert!(yaml::read("[".repeat(50_000).as_bytes()).is_err());
    let bomb: String = (1..9).fold("a0: &a0 [x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, n| {
        format!("{text}a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 18].join(","))
    });
    assert_eq!(yaml::read(bomb.as_bytes()).unwrap_err().code(), "E-GEM-004");
}

#[test]
fn archives_hold_a_model_and_what_belongs_to_it() {
    let Some(bytes) = shared("models/model_gpr.xml") else { return };
    let entry = |location: &str, format: &str, master| Entry { location: location.into(), format: format.into(), master };
    let report = b"model\tobjective\n";
    let files = [
        (entry("frog/a&b.tsv", "text/tab-separated-values", false), &report[..]),
        (entry("m/model.xml", SBML, true), &bytes[..]),
    ];
    let archive = omex::write(&files).unwrap();
    assert_eq!(archive, omex::write(&files).unwrap());
    let model = sbml::read(&bytes[..], &sbml::Options::default()).unwrap().model;
    assert!(omex::read(&archive, &sbml::Options::default()).unwrap().model == model);
    assert!(any::read(&archive, &sbml::Options::default()).unwrap().model == model);
    let mut open = Archive::open(&archive).unwrap();
    assert!(open.entries.iter().any(|e| e.location == "frog/a&b.tsv"));
    let mut text = String::new();
    std::io::Read::read_to_string(&mut open.file("./frog/a&b.tsv").unwrap(), &mut text).unwrap();
    assert_eq!(text.as_bytes(), report);
    assert_eq!(open.file("nothing").err().unwrap().code(), "E-GEM-003");
    let empty = omex::write(&files[..1]).unwrap();
    assert_eq!(omex::read(&empty, &sbml::Options::default()).unwrap_err().code(), "E-GEM-003");
    assert_eq!(omex::read(b"PK\x03\x04nothing", &sbml::Options::default()).unwrap_err().code(), "E-GEM-001");
}

#[test]
fn packed_files_are_unpacked() {
    use std::io::Write;
    let Some(bytes) = shared("models/mini.json") else { return };
    let model = json::read(&bytes).unwrap().model;
    let pack = |bytes: &[u8]| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    };
    let options = sbml::Options::default();
    assert!(any::read(&pack(&bytes), &options).unwrap().model == model);
    assert!(
        any::read(&pack(&sbml::write(&model).unwrap().bytes), &options).unwrap().model.reactions.len() == model.reactions.len()
    );
    let half = pack(&bytes);
    assert_eq!(any::read(&half[..half.len() / 2], &options).unwrap_err().code(), "E-GEM-001");
    assert_eq!(any::read(&pack(&half), &options).unwrap_err().code(), "E-GEM-004");
}

fn published() -> Option<Report> {
    let folder = super::shared_folder("frog_iCGB21FR")?;
    let texts: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .map(|p| (p.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&p).unwrap()))
        .collect();
    Some(frog::read(&|name| texts.iter().find(|t| t.0 == name).map(|t| t.1.as_str())).unwrap())
}

#[test]
fn the_published_report_of_c_glutamicum_is_reproduced() {
    let (Some(published), Some(reading)) = (published(), open("models/iCGB21FR.xml.gz")) else { return };
    assert_eq!((published.ranges.len(), published.genes.len(), published.reactions.len()), (1539, 805, 1539));
    let ours = frog::report(&reading.model, "iCGB21FR.xml", 1).unwrap();
    assert_eq!(ours.objective, published.objective);
    // The published values have six decimals.
    let differences = frog::compare(&ours, &published, 2e-6, 1e-5);
    // Three minima are 0.0 there because the solver's tolerance on the objective let them be. The report contradicts itself
    // in them: without any of the three reactions it finds less growth, so none can be zero at the optimum.
    let less = |id: &str| published.reactions[id].zip(published.value).is_some_and(|(left, whole)| left < whole);
    let known = |d: &frog::Difference| d.what == "minimum" && d.second == Some(0.0) && less(&d.id);
    let others: Vec<_> = differences.iter().filter(|d| !known(d)).collect();
    assert!(others.is_empty(), "{others:#?}");
    assert_eq!(differences.iter().map(|d| d.id.as_str()).collect::<Vec<_>>(), ["R_AMMQT8_2", "R_AMPMS", "R_GART"]);
    // Of two of them GLPK at exactly the optimum finds the same.
    for (id, expected) in [("R_GART", 0.001_355_6), ("R_AMPMS", 0.000_123_24)] {
        let found = ours.ranges[id].unwrap().minimum;
        assert!((found - expected).abs() < 1e-4 * expected, "{id}: {found}");
    }
    let essential = ours.genes.values().filter(|v| v.unwrap_or(0.0) < 0.01 * 0.57066).count();
    assert_eq!(essential, 119);
    let essential = ours.reactions.values().filter(|v| v.unwrap_or(0.0) < 0.01 * 0.57066).count();
    assert_eq!(essential, 184);
}

#[test]
fn a_report_is_read_as_it_was_written() {
    let Some(published) = published() else { return };
    let mut report = published.clone();
    let first = report.genes.keys().next().unwrap().clone();
    report.genes.insert(first.clone(), None);
    let files = frog::write(&report);
    let again = frog::read(&|name| files.iter().find(|f| f.0 == name).map(|f| f.1.as_str())).unwrap();
    assert_eq!(again, report);
    let differences = frog::compare(&again, &published, 0.0, 0.0);
    assert_eq!((differences.len(), differences[0].id.as_str(), differences[0].first), (1, first.as_str(), None));
    let broken = |name: &str| {
        files.iter().find(|f| f.0 == name).map(|f| if name.starts_with("02") { "reaction\tstatus\n" } else { f.1.as_str() })
    };
    assert_eq!(frog::read(&broken).unwrap_err().code(), "E-GEM-001");
    let bad = files[2].1.replacen("0.57066\n", "much\n", 1);
    let error = frog::read(&|name| {
        files.iter().find(|f| f.0 == name).map(|f| if name.starts_with("03") { bad.as_str() } else { f.1.as_str() })
    })
    .unwrap_err();
    assert_eq!((error.code(), error.fault().place.as_ref().unwrap().line), ("E-GEM-002", Some(3)));
}

proptest! {
    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..60), text in "[-a-c:!&*\\[\\]{}\"' \n,|>]{0,60}", cut in 0_usize..700, put in "\\PC{0,5}") {
        let options = sbml::Options::default();
        let _ = any::read(&bytes, &options);
        let _ = yaml::read(text.as_bytes());
        let _ = omex::read(&[b"PK\x03\x04", &bytes[..]].concat(), &options);
        let _ = any::read(&[b"\x1f\x8b", &bytes[..]].concat(), &options);
        let _ = frog::read(&|_| Some(&text));
        if let Some((before, after)) = YAML.split_at_checked(cut.min(YAML.len())) {
            let _ = yaml::read(format!("{before}{put}{}", after.get(put.len()..).unwrap_or("")).as_bytes());
        }
    }
}
