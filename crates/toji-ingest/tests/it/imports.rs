//! Offline sheets, experiment depots, Skyline and batch records: our own fixtures, the real files, and
//! what truncation and flipped bytes may do to them.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use proptest::prelude::*;
use toji_core::culture::{Reading, When};
use toji_core::{Quality, Status, ValueKind};
use toji_ingest::{Formats, Site, Source, read};

fn shared(path: &str) -> Option<Vec<u8>> {
    let root =
        std::env::var("TOJI_SHARED").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").to_owned());
    let file = format!("{root}/data/bioprocess/{path}");
    std::fs::read(&file).map_err(|e| eprintln!("skipped: {file}: {e}")).ok()
}

#[track_caller]
fn reading(bytes: &[u8], format: &str) -> Reading {
    let source = Source::new("export", bytes).unwrap();
    let (found, reading) = read(&source, &Site::default()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(found.id(), format);
    reading
}

fn number(reading: &Reading, run: &str, channel: &str, i: usize) -> Option<f64> {
    let run = reading.runs.iter().find(|r| r.key.ends_with(run)).unwrap();
    run.channels.iter().find(|c| c.key == channel).unwrap().points.number(i)
}

const BIOSTAT: &str = "Time,Hours,Fermenter,OD600,HPLC,Remark\n8h20,0,F3,0.0,T0,simulated\n10h20,2,F3,0.08,T1,\n12H20,4,F3,< 0.1,T2,\n8H20,24,F3,1.28,T3,\n9h20,26,F3,1.3,T4,\n,,F3,9,,\n18h20,0,F1,0.0,T0,\n";
const DESCRIPTION: &str = "simulated,,,\nLine Name,Line Description,Media,Culture Volume\nBW1,wild type,M9,50\narcA,knock-out,M9,50\n,orphan,M9,50\narcA,again,M9,60\n";
const GENERIC: &str = "simulated notes\n,Line   NAME,Colour, Measurement Type,Measured Quantity,Value,Time,Units\n,A ,red,CID:1,Limonene,1.50,8,g/L\n,A,red,CID:1,Limonene,< 0.1,4,g/L\n,,blue,,,,,\n,B,red,CID:2,Ethanol,2,24,mmol/L\n,B,red,CID:2,Ethanol,3,soon,mmol/L\n";
const SKYLINE: &str = "Replicate Name,Protein Name,Peptide,Total Area\nA-1,sim_protA,PEPTIDEK,12345.5\nA-1,sim_protA,SAMPLERK,#N/A\n0012,sim_protB,,1E5\n,sim_protB,X,1\n";
const RECORD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<b:BatchProductionRecord xmlns:b="http://www.mesa.org/xml/B2MML">
  <b:ID>BPR-1</b:ID><b:EntryID>1</b:EntryID><b:ObjectType>Batch Production Record</b:ObjectType>
  <b:BatchID>SIM-17</b:BatchID><b:EquipmentID>FERM-30L</b:EquipmentID><b:Description>simulated</b:Description>
  <b:Comments><b:Comment><b:EntryID>2</b:EntryID><b:TimeStamp>2026-10-05T09:00:00Z</b:TimeStamp><b:RecordReference>1</b:RecordReference><b:CommentText>smelled of apples &amp; bread</b:CommentText></b:Comment></b:Comments>
  <b:ControlRecipes><b:ControlRecipeRecord><b:EntryID>3</b:EntryID></b:ControlRecipeRecord></b:ControlRecipes>
  <b:ChangeHistory><b:Change><b:EntryID>8</b:EntryID><b:TimeStamp>2026-10-05T10:00:00Z</b:TimeStamp><b:RecordReference>7</b:RecordReference><b:PrechangeData><b:ValueString>36.5</b:ValueString><b:UnitOfMeasure>Cel</b:UnitOfMeasure></b:PrechangeData><b:Reason>typing error</b:Reason></b:Change></b:ChangeHistory>
  <b:DataSets><b:DataSet><b:EntryID>4</b:EntryID>
    <b:TagSpecification><b:TagIndex>1</b:TagIndex><b:DataType>double</b:DataType><b:UnitOfMeasure>Cel</b:UnitOfMeasure><b:Alias>Temperature</b:Alias></b:TagSpecification>
    <b:TagSpecification><b:TagIndex>2</b:TagIndex><b:DataType>double</b:DataType><b:UnitOfMeasure>furlong</b:UnitOfMeasure><b:Alias>TIC-9</b:Alias></b:TagSpecification>
    <b:OrderedData><b:TimeValue>2026-10-05T08:00:00Z</b:TimeValue><b:DataValue><b:TagIndex>1</b:TagIndex><b:Value>30.10</b:Value></b:DataValue><b:DataValue><b:TagIndex>2</b:TagIndex><b:Value>5</b:Value></b:DataValue></b:OrderedData>
    <b:OrderedData><b:TimeValue>2026-10-05T08:01:00Z</b:TimeValue><b:DataValue><b:TagIndex>1</b:TagIndex><b:Value>30.20</b:Value><b:Quality>Bad</b:Quality></b:DataValue><b:DataValue><b:TagIndex>9</b:TagIndex><b:Value>7</b:Value></b:DataValue></b:OrderedData>
    <b:OrderedData><b:TimeValue>lunch</b:TimeValue><b:DataValue><b:TagIndex>1</b:TagIndex><b:Value>30.3</b:Value></b:DataValue></b:OrderedData>
  </b:DataSet></b:DataSets>
  <b:Events>
    <b:Event><b:EntryID>5</b:EntryID><b:TimeStamp>2026-10-05T08:00:30Z</b:TimeStamp><b:EventType>Material</b:EventType><b:EventSubType>Consume</b:EventSubType><b:Value><b:ValueString>12.5</b:ValueString><b:UnitOfMeasure>kg</b:UnitOfMeasure></b:Value></b:Event>
    <b:Event><b:EntryID>6</b:EntryID><b:TimeStamp>2026-10-05T08:05:00Z</b:TimeStamp><b:EventType>Alarm</b:EventType><b:EventSubType>Process</b:EventSubType><b:MessageText>foam high</b:MessageText></b:Event>
  </b:Events>
  <b:Samples><b:Sample><b:EntryID>S-1</b:EntryID><b:TimeStamp>2026-10-05T09:30:00Z</b:TimeStamp>
    <b:SampleTest><b:EntryID>T1</b:EntryID><b:TestName>Glucose</b:TestName><b:SampleTestResult><b:EntryID>R1</b:EntryID><b:Results><b:ValueString>&lt; 0.2</b:ValueString><b:UnitOfMeasure>g/L</b:UnitOfMeasure></b:Results></b:SampleTestResult></b:SampleTest>
  </b:Sample></b:Samples>
</b:BatchProductionRecord>
"#;

#[test]
fn biostat_sheets_hold_hours_against_the_clock() {
    let read = reading(BIOSTAT.as_bytes(), "biostat-offline");
    assert_eq!(read.runs.len(), 2);
    let od = &read.runs[0].channels[0];
    assert_eq!(
        (od.key.as_str(), od.variable.as_deref(), od.unit.as_ref().map(|u| u.code())),
        ("OD600", Some("optical-density"), Some("{OD600}"))
    );
    assert_eq!(od.points.texts, [(2, "< 0.1".to_owned())]);
    assert_eq!(od.points.t_ns[3], 24 * 3_600_000_000_000);
    // 9h20 is 25 hours after 8h20, not 26.
    assert_eq!(Quality::unpack(od.points.quality[4]).unwrap().status, Status::Uncertain);
    assert!(read.diagnostics.iter().any(|d| d.code == "W-BIOSTAT-001" && d.place.line == Some(6)));
    assert_eq!(read.not_read.iter().map(|n| n.place.line).collect::<Vec<_>>(), [Some(7)]);
    assert_eq!(read.runs[0].events.iter().map(|e| e.label.as_str()).collect::<Vec<_>>(), ["T0", "T1", "T2", "T3", "T4"]);
    assert!(read.runs[0].channels.iter().any(|c| c.key == "Remark"), "a column nobody knows is kept");
}

#[test]
fn biostat_real_sheets() {
    let Some(bytes) = shared("tolonen_biostat/2024.05-06_Biostat_OD.xlsx") else { return };
    let read = reading(&bytes, "biostat-offline");
    let count: usize = read.runs.iter().flat_map(|r| &r.channels).map(|c| c.points.len()).sum();
    assert_eq!((read.runs.len(), count), (4, 23 + 18));
    assert_eq!((number(&read, "22-05 | F3", "OD600", 6), number(&read, "06-06 | F3", "OD600", 8)), (Some(1.28), Some(0.64)));
    assert_eq!(read.diagnostics.iter().filter(|d| d.code.starts_with("W-")).count(), 0, "{:?}", read.diagnostics);
    assert_eq!(read.not_read, []);
}

#[test]
fn descriptions_of_experiments_are_runs_without_values() {
    let read = reading(DESCRIPTION.as_bytes(), "edd-experiment-description");
    assert_eq!(read.runs.iter().map(|r| r.key.as_str()).collect::<Vec<_>>(), ["BW1", "arcA"]);
    assert_eq!(read.runs[1].fields["Culture Volume"], "50");
    assert_eq!(read.not_read.len(), 3, "{:?}", read.not_read);
    let Some(bytes) = shared("edd/ExperimentDescription_simple.xlsx") else { return };
    let real = reading(&bytes, "edd-experiment-description");
    assert_eq!((real.runs.len(), real.runs[1].fields["Growth Temperature"].as_str()), (2, Some("30")));
}

#[test]
fn generic_imports_keep_line_substance_time_and_unit() {
    let read = reading(GENERIC.as_bytes(), "edd-generic-import");
    let limonene = &read.runs[0].channels[0];
    assert_eq!(
        (read.runs[0].key.as_str(), limonene.key.as_str(), limonene.fields["measurement_type"].as_str()),
        ("A", "Limonene", Some("CID:1"))
    );
    assert_eq!(limonene.points.texts, [(1, "< 0.1".to_owned())]);
    assert_eq!(limonene.points.t_ns, [8 * 3_600_000_000_000, 4 * 3_600_000_000_000]);
    let listed: Vec<&str> = read.not_read.iter().map(|n| n.text.as_str()).collect();
    assert!(listed.contains(&"Colour") && listed.contains(&"blue") && listed.iter().any(|l| l.contains("soon")), "{listed:?}");
    let Some(bytes) = shared("edd/generic_import.csv") else { return };
    let real = reading(&bytes, "edd-generic-import");
    assert_eq!(
        (real.runs.len(), number(&real, "A", "Limonene", 0), number(&real, "B", "R-Mevalonate", 0)),
        (2, Some(1.0), Some(2.0))
    );
    assert!(real.not_read.iter().any(|n| n.text == "Unrecognized Header"));
}

#[test]
fn skyline_areas_are_not_summed_and_no_result_is_not_zero() {
    let read = reading(SKYLINE.as_bytes(), "skyline");
    assert_eq!(read.samples.iter().map(|s| s.key.as_str()).collect::<Vec<_>>(), ["A-1", "0012"]);
    let first = &read.samples[0].assays;
    assert_eq!((first[0].analyte.as_str(), first[0].value.number), ("sim_protA / PEPTIDEK", Some(12345.5)));
    assert_eq!(
        (first[1].value.kind, first[1].value.number, first[1].value.text.as_str()),
        (ValueKind::NotDetermined, None, "#N/A")
    );
    assert_eq!(read.not_read.len(), 1);
}

#[test]
fn a_batch_record_is_a_run_with_events_samples_and_trends() {
    let read = reading(RECORD.as_bytes(), "batchml-record");
    let run = &read.runs[0];
    assert_eq!((run.title.as_str(), run.vessel.as_deref(), run.simulated), ("SIM-17", Some("FERM-30L"), true));
    let temperature = &run.channels[0];
    assert_eq!(
        (temperature.variable.as_deref(), temperature.points.number(0), temperature.points.len()),
        (Some("temperature"), Some(30.1), 2)
    );
    assert_eq!(Quality::unpack(temperature.points.quality[1]).unwrap().status, Status::Bad);
    assert_eq!(run.zero.as_ref().unwrap().instant.to_string(), "2026-10-05T08:00:00Z");
    let events: Vec<(&str, &str)> = run.events.iter().map(|e| (e.sort.as_str(), e.label.as_str())).collect();
    assert_eq!(
        events,
        [
            ("note", "smelled of apples & bread"),
            ("change", "7"),
            ("addition", "Material Consume 12.5 kg"),
            ("alarm", "foam high")
        ]
    );
    assert_eq!(run.events[1].reason.as_deref(), Some("typing error"));
    assert_eq!(run.events[1].fields["PrechangeData"], "36.5 Cel");
    let glucose = &read.samples[0].assays[0];
    assert_eq!(
        (glucose.value.kind, glucose.value.high, glucose.variable.as_deref()),
        (ValueKind::LessThan, Some(0.2), Some("glucose"))
    );
    assert!(matches!(&glucose.when, When::At(at) if at.instant.to_string() == "2026-10-05T09:30:00Z"));
    let codes: Vec<&str> = read.diagnostics.iter().map(|d| d.code.as_str()).collect();
    assert!(codes.contains(&"W-UNIT-001") && codes.contains(&"W-BATCH-001"), "{codes:?}");
    // The recipe, the value of an unknown tag and the value without a time.
    assert_eq!(read.not_read.len(), 3, "{:?}", read.not_read);
    assert!(read.not_read.iter().all(|n| n.place.line.is_some()));
    let cut = Source::new("x.xml", &RECORD.as_bytes()[..RECORD.len() / 2]).unwrap();
    let error = toji_ingest::read(&cut, &Site::default()).unwrap_err();
    assert_eq!(error.code(), "E-BATCH-001");
    assert!(error.fault().place.as_ref().unwrap().line.unwrap() > 5);
}

/// Every file of these folders is read, or refused in both languages with a remedy.
#[test]
fn every_real_file_is_read_or_refused_with_a_remedy() {
    let folders = ["edd", "tolonen_biostat", "dtu_ambr250_tp_scale_down", "toji_sake"];
    let root =
        std::env::var("TOJI_SHARED").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").to_owned());
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(format!("{root}/data/bioprocess/{folder}")) else {
            eprintln!("skipped: {folder} is not there");
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let bytes = std::fs::read(entry.path()).unwrap();
            let outcome = Source::new(&name, &bytes).and_then(|s| read(&s, &Site::default()).map(|(f, _)| f.id()));
            match outcome {
                Ok(_) => assert!(!name.starts_with("LICENSE"), "{name} is no data"),
                Err(e) => {
                    assert!(name.starts_with("LICENSE"), "{name}: {e}");
                    let hint = e.fault().hint.as_ref().unwrap();
                    assert!(!hint.ja.is_empty() && !hint.en.is_empty());
                }
            }
        }
    }
}

/// Numbers of a reading with their times: what a damaged file may lose but not bend.
fn numbers(reading: &Reading) -> Vec<(String, i64, f64)> {
    let mut out = Vec::new();
    for run in &reading.runs {
        for channel in &run.channels {
            for i in 0..channel.points.len() {
                let good = channel.points.quality[i] == 0;
                out.extend(channel.points.number(i).filter(|_| good).map(|n| (channel.key.clone(), channel.points.t_ns[i], n)));
            }
        }
    }
    for sample in &reading.samples {
        out.extend(sample.assays.iter().filter_map(|a| Some((a.analyte.clone(), 0, a.value.number?))));
    }
    out
}

fn fixtures() -> [(&'static str, &'static str); 5] {
    [
        ("biostat-offline", BIOSTAT),
        ("edd-experiment-description", DESCRIPTION),
        ("edd-generic-import", GENERIC),
        ("skyline", SKYLINE),
        ("batchml-record", RECORD),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Cut at the end of a line, nothing that remains may change.
    #[test]
    fn a_file_cut_at_a_line_bends_no_value(which in 0usize..4, at in 0usize..100) {
        let (id, text) = fixtures()[which];
        let ends: Vec<usize> = text.match_indices('\n').map(|(i, _)| i + 1).collect();
        let cut = &text[..ends[at % ends.len()]];
        let formats = Formats::builtin();
        let format = formats.find(id).unwrap();
        let whole = format.read(&Source::new("x", text.as_bytes()).unwrap(), &Site::default()).unwrap();
        if let Ok(part) = format.read(&Source::new("x", cut.as_bytes()).unwrap(), &Site::default()) {
            let all = numbers(&whole);
            for number in numbers(&part) {
                prop_assert!(all.contains(&number), "{number:?}");
            }
        }
    }

    #[test]
    fn any_flipped_byte_is_survived(which in 0usize..5, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let (id, text) = fixtures()[which];
        let mut bytes = text.as_bytes().to_vec();
        let i = at.index(bytes.len());
        bytes[i] = byte;
        bytes.truncate(cut.index(bytes.len()).max(1));
        let formats = Formats::builtin();
        let format = formats.find(id).unwrap();
        let source = Source::new("x", &bytes).unwrap();
        let _ = format.detect(&source);
        if let Err(e) = format.read(&source, &Site::default()) {
            prop_assert!(!e.fault().message.ja.is_empty() && !e.fault().message.en.is_empty());
        }
    }
}
