//! Reactor files of real instruments, checked against simple counting in the files themselves.

#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::excessive_precision)]

use flate2::read::GzDecoder;
use std::io::Read as _;
use std::path::PathBuf;
use toji_core::culture::{Channel, Numbers, Reading, Run, When};
use toji_core::{Quality, ZoneEvidence};
use toji_ingest::{Site, Source, read};

/// The shared folder of real files, or `None` with a printed reason.
fn shared(path: &str) -> Option<Vec<u8>> {
    let root = std::env::var_os("TOJI_SHARED")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")));
    let file = root.join("data/bioprocess").join(path);
    match std::fs::read(&file) {
        Ok(bytes) => Some(bytes),
        Err(e) => {
            eprintln!("skipped: {} is not there ({e})", file.display());
            None
        }
    }
}

fn reading(bytes: &[u8], format: &str) -> Reading {
    // The name says nothing: recognition is by content.
    let source = Source::new("export", bytes).unwrap();
    let (found, reading) = read(&source, &Site::default()).unwrap();
    assert_eq!(found.id(), format);
    reading
}

fn run<'r>(reading: &'r Reading, vessel: &str) -> &'r Run {
    reading.runs.iter().find(|r| r.vessel.as_deref() == Some(vessel)).unwrap_or_else(|| panic!("no run {vessel}"))
}
fn channel<'r>(run: &'r Run, key: &str) -> &'r Channel {
    run.channels.iter().find(|c| c.key == key).unwrap_or_else(|| panic!("no channel {key} in {}", run.key))
}
fn points(reading: &Reading) -> usize {
    reading.runs.iter().flat_map(|r| &r.channels).map(|c| c.points.len()).sum()
}

#[test]
fn biolector_1_every_reading_of_every_well() {
    let Some(packed) = shared("llabka_biolector1/biolector_data.csv.gz") else { return };
    let mut raw = Vec::new();
    GzDecoder::new(&packed[..]).read_to_end(&mut raw).unwrap();
    let text: String = raw.iter().map(|b| char::from(*b)).collect();
    let lines: Vec<&str> = text.lines().skip_while(|l| !l.starts_with("READING;")).skip(1).filter(|l| !l.is_empty()).collect();
    let reading = reading(&packed, "biolector-1");

    assert_eq!(reading.runs.len(), 49, "48 wells and the reference");
    assert_eq!(reading.encoding.as_deref(), Some("windows-1252"));
    assert_eq!(reading.format_version.as_deref(), Some("3.1"));
    assert_eq!(reading.not_read, []);
    // Six numbers a line: amplitude, phase, temperature, humidity, O2, CO2.
    assert_eq!(points(&reading), lines.len() * 6);
    let well = |name: &str, set: &str| -> Vec<Vec<&str>> {
        let cells = lines.iter().map(|l| l.split(';').collect::<Vec<_>>());
        cells.filter(|c| c[1] == name && c[4] == set).collect()
    };
    for name in ["A01", "D05", "F08"] {
        for (set, filter) in [("1", "Biomass"), ("2", "GFP"), ("3", "pH")] {
            let expected = well(name, set);
            for (column, what) in [(6, "amplitude"), (7, "phase")] {
                let channel = channel(run(&reading, name), &format!("{filter} {what}"));
                assert_eq!(channel.points.len(), expected.len());
                for (i, cells) in expected.iter().enumerate() {
                    assert_eq!(channel.points.number(i), cells[column].parse().ok(), "{name} {filter} {what} {i}");
                }
            }
        }
    }
    let run = run(&reading, "A01");
    assert_eq!(run.key, "CX_020302 | manos | 2009-08-06 17:36:03 | A01");
    assert_eq!(run.fields["content"], "X1");
    assert_eq!(run.fields["SET CYCLE TIME [min]"], "10");
    let zero = run.zero.as_ref().unwrap();
    assert_eq!((zero.instant.to_string().as_str(), zero.evidence), ("2009-08-06T17:36:03Z", ZoneEvidence::Assumed));
    let biomass = channel(run, "Biomass amplitude");
    assert_eq!((biomass.points.t_ns[0] - zero.instant.0, biomass.points.number(0)), (34_020_000_000, Some(44.10)));
    assert_eq!(biomass.fields["GAIN"], "30");
    assert!(matches!(biomass.points.numbers, Numbers::Scaled { scale: 2, .. }));
}

#[test]
fn ambr_each_variable_keeps_its_own_clock() {
    let Some(bytes) = shared("edd/ambr_test_data.xlsx") else { return };
    let reading = reading(&bytes, "sartorius-ambr");
    let vessels: Vec<_> = reading.runs.iter().map(|r| r.vessel.clone().unwrap()).collect();
    assert_eq!(vessels, ["HT1", "HT2"]);
    let ht1 = run(&reading, "HT1");
    let acid = channel(ht1, "Acid volume pumped");
    assert_eq!(acid.points.len(), 4);
    assert_eq!(acid.points.number(0), None, "the file says NaN");
    assert_eq!(acid.points.texts, [(0, "NaN".to_owned())]);
    // Written 9.054000000452421e-06: five decimals, as others store it, would make it 0.00001.
    assert_eq!(acid.points.number(1), Some(9.054_000_000_452_421e-6));
    let oxygen = channel(ht1, "DO");
    assert_eq!(oxygen.variable.as_deref(), Some("dissolved-oxygen"));
    assert_eq!((oxygen.points.t_ns[0], oxygen.points.number(0)), (4_812_357_400, Some(99.514_122_906_218_2)));
    assert_ne!(acid.points.t_ns, oxygen.points.t_ns);
    assert!(ht1.zero.is_none());
}

#[test]
fn ambr_offline_samples_and_cultures_meet_by_their_key() {
    let (Some(samples), Some(cultures)) =
        (shared("dtu_ambr250_tp_scale_down/offline_data.xlsx"), shared("dtu_ambr250_tp_scale_down/meta_data.xlsx"))
    else {
        return;
    };
    let samples = reading(&samples, "ambr-offline-table");
    let cultures = reading(&cultures, "ambr-offline-table");
    assert_eq!((samples.samples.len(), samples.runs.len(), cultures.runs.len()), (60, 12, 12));
    let key = "DDB_PD_117_AMBR_DDB35-005_R05_Main_";
    let first = &samples.samples[0];
    assert_eq!((first.key.as_str(), first.run.as_deref()), ("DDB_PD_117_AMBR_R05__S01", Some(key)));
    assert_eq!(first.when, When::Elapsed(43_507_114_056_000));
    let assay = |name: &str| first.assays.iter().find(|a| a.analyte == name).unwrap();
    let glucose = assay("D-glucose");
    assert_eq!((glucose.value.number, glucose.value.unit.as_ref().unwrap().code()), (Some(11.143_792_852_902_1), "g/L"));
    assert_eq!(glucose.variable.as_deref(), Some("glucose"));
    assert_eq!(glucose.place.column, Some(9));
    assert_eq!(assay("CDW_avg").fields["calculated"], true);
    let run = cultures.runs.iter().find(|r| r.key == key).unwrap();
    assert_eq!((run.vessel.as_deref(), run.strain.as_deref()), (Some("R05"), Some("DDB35")));
    assert_eq!(run.fields["pH Control Base Solution"], "Ammonium hydroxide 8%");
}

#[test]
fn pioreactor_every_row_with_its_microseconds() {
    let Some(bytes) = shared("pioreactor/od_readings_with_too_frequently_outlier_detections.csv") else { return };
    let text = String::from_utf8(bytes.clone()).unwrap();
    let rows: Vec<&str> = text.lines().skip(1).filter(|l| !l.is_empty()).collect();
    let reading = reading(&bytes, "pioreactor");
    assert_eq!((reading.runs.len(), points(&reading)), (1, rows.len()));
    let run = &reading.runs[0];
    let channel = channel(run, "od_reading angle=90 channel=2");
    for (i, row) in rows.iter().enumerate() {
        assert_eq!(channel.points.number(i), row.split(',').nth(1).unwrap().parse().ok(), "row {i}");
    }
    let zero = run.zero.as_ref().unwrap();
    assert_eq!((zero.instant.to_string().as_str(), zero.evidence), ("2025-02-26T10:27:40.854742Z", ZoneEvidence::File));
    assert_eq!(channel.points.t_ns.last().copied(), Some(1_740_620_375_841_555_000));
}

#[test]
fn sake_koji_and_moromi() {
    let (Some(koji), Some(moromi)) = (shared("toji_sake/koji_progress.yaml"), shared("toji_sake/moromi_progress.yaml")) else {
        return;
    };
    let koji = reading(&koji, "sake-progress-yaml");
    let marks: Vec<_> = koji.runs[0].events.iter().map(|e| e.label.as_str()).collect();
    assert_eq!(marks, ["引込み", "床揉み", "切返し", "盛り", "仲仕事", "仕舞仕事", "最高積替", "出麹"]);
    assert_eq!(channel(&koji.runs[0], "temps").points.len(), 8);
    assert_eq!(channel(&koji.runs[0], "temps #2").points.number(1), Some(33.0));
    assert_eq!(koji.runs[0].events[2].when, When::Elapsed(10 * 3_600_000_000_000));

    let text = String::from_utf8(shared("toji_sake/moromi_progress.yaml").unwrap_or_default()).unwrap();
    let count = |word: &str| text.lines().filter(|l| l.trim_start().starts_with(word)).count();
    let moromi = reading(&moromi, "sake-progress-yaml");
    let run = &moromi.runs[0];
    assert_eq!(run.key, "sake moromi | 2019-01-16");
    for key in ["baume", "nihonshudo", "alcohol", "room_dry_temp", "temps"] {
        assert_eq!(channel(run, key).points.len(), count(&format!("{key}:")), "{key}");
    }
    assert_eq!(channel(run, "nihonshudo").unit.as_ref().unwrap().code(), "{SMV}");
    assert_eq!(channel(run, "alcohol").points.number(2), Some(7.992));
    assert!(channel(run, "temps").points.quality.iter().all(|q| Quality::unpack(*q).unwrap().is_good()));
    assert_eq!(moromi.not_read, []);
}
