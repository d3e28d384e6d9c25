//! What the generators write is read back by our own parsers, and stays marked as simulated.

use toji_core::clock::Zone;
use toji_core::culture::When;
use toji_core::{Severity, ZoneEvidence};
use toji_ingest::generate::{FOUNDRY_REACTORS, demo_files, foundry_day};
use toji_ingest::{Site, Source, read};

fn tokyo() -> Site {
    Site { zone: Zone::named("Asia/Tokyo", ZoneEvidence::SiteDefault).unwrap_or_else(|e| panic!("{e}")), date_order: None }
}

#[test]
fn same_seed_same_bytes() {
    assert_eq!(demo_files(7), demo_files(7));
    assert_ne!(demo_files(7), demo_files(8));
}

/// Format expected for each ending; the table reader takes what nobody else claims.
const FORMATS: [(&str, &str); 9] = [
    (".dasware.csv", "dasware-control"),
    (".ambr.xlsx", "sartorius-ambr"),
    (".biolector.csv", "biolector-1"),
    (".pioreactor.csv", "pioreactor"),
    (".flex2.csv", "nova-flex2"),
    (".cedex_bioht.txt", "roche-cedex-bioht"),
    (".vicell_blu.csv", "beckman-vicell-blu"),
    (".yaml", "sake-progress-yaml"),
    ("_long.csv", "table"),
];

#[test]
fn every_demonstration_file_is_read_back() {
    let mut sampled = Vec::new();
    let mut runs = Vec::new();
    for (name, bytes) in demo_files(1) {
        let source = Source::new(&name, &bytes).unwrap();
        let (format, reading) = read(&source, &tokyo()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let errors: Vec<_> = reading.diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        let known: Vec<&str> = toji_ingest::formats::all().iter().map(|f| f.id()).collect();
        if let Some((_, expected)) = FORMATS.iter().find(|(end, expected)| name.ends_with(end) && known.contains(expected)) {
            assert_eq!(format.id(), *expected, "{name}");
        }
        assert!(!reading.runs.is_empty() || !reading.samples.is_empty(), "{name} gives something");
        for run in &reading.runs {
            assert!(run.simulated, "{name}: run {} says that it is simulated", run.key);
            if format.id() != "table" || !run.channels.is_empty() {
                assert!(run.channels.iter().any(|c| !c.points.is_empty()), "{name}: {}", run.key);
            }
        }
        if name.starts_with("fedbatch_1L") {
            runs.extend(reading.runs.iter().filter_map(|r| {
                let end = r.channels.iter().filter_map(|c| c.points.t_ns.last()).max()?;
                Some((r.zero.as_ref()?.instant.0, *end))
            }));
            sampled.extend(reading.samples.iter().filter_map(|s| match &s.when {
                When::At(at) => Some(at.instant.0),
                _ => None,
            }));
        }
    }
    // Analyser clocks and reactor clocks meet: samples fall into the runs.
    assert!(!sampled.is_empty());
    let slack_ns = 1_800_000_000_000;
    for at in sampled {
        assert!(
            runs.iter().any(|(start, end)| (start - slack_ns..=end + slack_ns).contains(&at)),
            "{at} lies in one of {runs:?}"
        );
    }
}

#[test]
fn the_foundry_workload_has_its_stated_size_and_is_read() {
    let files = foundry_day(3, 2, 0.05);
    assert_eq!(files.len(), 3);
    let mut points = 0;
    let mut flagged = 0;
    for file in &files {
        let mut bytes = Vec::new();
        file.write_to(&mut bytes).unwrap();
        let source = Source::new(&file.name, &bytes).unwrap();
        let (_, reading) = read(&source, &Site::default()).unwrap_or_else(|e| panic!("{}: {e}", file.name));
        assert!(reading.not_read.is_empty(), "{:?}", reading.not_read);
        if file.is_series() {
            let run = &reading.runs[0];
            assert!(run.simulated && run.channels.len() == 20);
            points += run.channels.iter().map(|c| c.points.len()).sum::<usize>();
            flagged += run.channels.iter().flat_map(|c| &c.points.quality).filter(|q| **q != 0).count();
        } else {
            assert!(reading.samples.iter().all(|s| (4..=12).contains(&s.assays.len()) && s.run.is_some()));
        }
    }
    // One point per 10 s and channel; one in a hundred flagged.
    assert_eq!(points, 2 * 20 * 432);
    assert!((0.005..0.02).contains(&(flagged as f64 / points as f64)));
    assert_eq!(foundry_day(3, FOUNDRY_REACTORS, 1.0).len(), 39);
}
