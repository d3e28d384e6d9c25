//! The guided importer on tables as people and exports write them, and on real files.

#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use proptest::prelude::*;
use toji_core::clock::{DateOrder, Zone};
use toji_core::culture::{Numbers, Reading, Run, When};
use toji_core::value::NumberStyle;
use toji_core::{Quality, Severity, Status, ValueKind, ZoneEvidence};
use toji_ingest::table::{Layout, Mapping, Proposal, Role, TimeRule, TimeUnit, apply, propose};
use toji_ingest::{Site, Source, detect, read};

fn site(zone: &str) -> Site {
    Site { zone: Zone::named(zone, ZoneEvidence::SiteDefault).unwrap_or_else(|e| panic!("{e}")), date_order: None }
}

/// Proposes and applies.
#[track_caller]
fn guided(name: &str, bytes: &[u8], site: &Site) -> (Proposal, Reading) {
    let source = Source::new(name, bytes).unwrap_or_else(|e| panic!("{e}"));
    let proposal = propose(&source, site).unwrap_or_else(|e| panic!("{e}"));
    let reading = apply(&source, &proposal.mapping, site).unwrap_or_else(|e| panic!("{e}"));
    (proposal, reading)
}

fn channel<'r>(run: &'r Run, key: &str) -> &'r toji_core::culture::Channel {
    run.channels
        .iter()
        .find(|c| c.key == key)
        .unwrap_or_else(|| panic!("no channel {key} in {:?}", run.channels.iter().map(|c| &c.key).collect::<Vec<_>>()))
}

fn numbers(run: &Run, key: &str) -> Vec<Option<f64>> {
    let points = &channel(run, key).points;
    (0..points.len()).map(|i| points.number(i)).collect()
}

fn role(proposal: &Proposal, header: &str) -> Role {
    proposal.mapping.columns.iter().find(|c| c.header == header).unwrap_or_else(|| panic!("no column {header}")).role
}

fn codes(reading: &Reading) -> Vec<&str> {
    reading.diagnostics.iter().map(|d| d.code.as_str()).collect()
}

fn shared(path: &str) -> Option<Vec<u8>> {
    let root =
        std::env::var("TOJI_SHARED").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").to_owned());
    let file = format!("{root}/data/bioprocess/{path}");
    match std::fs::read(&file) {
        Ok(bytes) => Some(bytes),
        Err(e) => {
            eprintln!("skipped: {file}: {e}");
            None
        }
    }
}

#[test]
fn a_plain_wide_table_is_read_unasked() {
    let text = "Time (h),pH,DO (%),Temp (°C),Glucose [mmol/L],X-17\n0,7.01,99.5,30.0,55.5,1\n0.5,7.00,98.25,30.1,54,2\n";
    let source = Source::new("run7.csv", text.as_bytes()).unwrap();
    let (format, reading) = read(&source, &Site::default()).unwrap();
    assert_eq!(format.id(), "table");
    let run = &reading.runs[0];
    assert_eq!((run.key.as_str(), run.zero.clone()), ("run7", None));
    assert_eq!(channel(run, "DO (%)").points.t_ns, [0, 1_800_000_000_000]);
    assert_eq!(channel(run, "DO (%)").points.numbers, Numbers::Scaled { scale: 2, mantissa: vec![9950, 9825] });
    let glucose = channel(run, "Glucose [mmol/L]");
    assert_eq!((glucose.variable.as_deref(), glucose.unit.as_ref().map(|u| u.code())), (Some("glucose"), Some("mmol/L")));
    // A column nobody knows stays, under its own header.
    assert_eq!((channel(run, "X-17").variable.as_deref(), numbers(run, "X-17")), (None, vec![Some(1.0), Some(2.0)]));
    assert!(reading.not_read.is_empty(), "{:?}", reading.not_read);
}

#[test]
fn a_japanese_day_sheet_in_cp932_with_eras_and_full_width() {
    let text = "醸造日誌,,,,,\r\nタンク,12号,,,,\r\n日付,時刻,品温（℃）,日本酒度,香り,備考\r\n令和8年11月24日,8:00,１４．８,−27,吟醸香あり,櫂入れ\r\n令和8年11月24日,16:30,15.1,,,\r\nR8.11.25,8:00,14.9,-21,メロン様,\r\n";
    let (bytes, _, _) = encoding_rs::SHIFT_JIS.encode(text);
    let (proposal, reading) = guided("日誌.csv", &bytes, &site("Asia/Tokyo"));
    assert_eq!(proposal.encoding.as_deref(), Some("Shift_JIS"));
    assert!(matches!(proposal.mapping.time.as_ref().unwrap().rule, TimeRule::DateAndTime { .. }));
    assert_eq!(role(&proposal, "香り"), Role::Observation);
    let run = &reading.runs[0];
    assert_eq!(run.vessel.as_deref(), Some("12号"));
    let zero = run.zero.as_ref().unwrap();
    assert_eq!((zero.instant.to_string().as_str(), zero.evidence), ("2026-11-23T23:00:00Z", ZoneEvidence::SiteDefault));
    assert_eq!(numbers(run, "品温（℃）"), [Some(14.8), Some(15.1), Some(14.9)]);
    let smv = channel(run, "日本酒度");
    assert_eq!((smv.variable.as_deref(), smv.unit.as_ref().map(|u| u.code())), (Some("nihonshudo"), Some("{SMV}")));
    assert_eq!(smv.points.number(0), Some(-27.0));
    assert_eq!(run.observations.len(), 2);
    assert_eq!((run.observations[0].attribute.as_str(), run.observations[0].value.text.as_str()), ("odour", "吟醸香あり"));
    assert_eq!(run.events.iter().map(|e| e.label.as_str()).collect::<Vec<_>>(), ["櫂入れ"]);
}

#[test]
fn decimal_commas_are_decided_per_column() {
    let text = "Zeit;Time [h];pH;Count\r\nx;0,0;7,01;1200\r\nx;0,5;7,00;1300\r\n";
    let (proposal, reading) = guided("b.csv", text.as_bytes(), &Site::default());
    let style = |h: &str| proposal.mapping.columns.iter().find(|c| c.header == h).unwrap().numbers;
    assert_eq!((style("Time [h]"), style("pH")), (NumberStyle::Comma, NumberStyle::Comma));
    assert_eq!(channel(&reading.runs[0], "pH").points.t_ns, [0, 1_800_000_000_000]);
    assert_eq!(numbers(&reading.runs[0], "pH"), [Some(7.01), Some(7.0)]);
    assert_eq!(numbers(&reading.runs[0], "Count"), [Some(1200.0), Some(1300.0)]);
    let mixed = "t (s)\tweight (g)\tpH\n0\t1.234,5\t7.01\n10\t1.300,0\t7.02\n";
    let (proposal, reading) = guided("c.tsv", mixed.as_bytes(), &Site::default());
    assert_eq!(
        proposal.mapping.columns.iter().map(|c| c.numbers).collect::<Vec<_>>()[1..],
        [NumberStyle::Comma, NumberStyle::Point]
    );
    assert_eq!(numbers(&reading.runs[0], "weight (g)"), [Some(1234.5), Some(1300.0)]);
}

#[test]
fn date_orders_are_decided_by_the_column_and_said() {
    let eu = "timestamp,pH\n5/6/2024 10:00,7\n13/6/2024 10:00,7.1\n";
    let (proposal, reading) = guided("eu.csv", eu.as_bytes(), &Site::default());
    assert_eq!(reading.runs[0].zero.as_ref().unwrap().instant.to_string(), "2024-06-05T10:00:00Z");
    assert!(proposal.mapping.time.unwrap().evidence.unwrap().en.contains("13/6/2024"));
    let us = "timestamp,pH\n5/6/2024 10:00,7\n6/13/2024 10:00,7.1\n";
    assert_eq!(
        guided("us.csv", us.as_bytes(), &Site::default()).1.runs[0].zero.as_ref().unwrap().instant.to_string(),
        "2024-05-06T10:00:00Z"
    );
    let open = "timestamp,pH\n5/6/2024 10:00,7\n";
    let (_, reading) = guided("open.csv", open.as_bytes(), &Site::default());
    assert!(codes(&reading).contains(&"W-CLOCK-001"));
    let told = Site { date_order: Some(DateOrder::DayMonthYear), ..Site::default() };
    let (_, reading) = guided("open.csv", open.as_bytes(), &told);
    assert_eq!(reading.runs[0].zero.as_ref().unwrap().instant.to_string(), "2024-06-05T10:00:00Z");
    assert!(!codes(&reading).contains(&"W-CLOCK-001"));
    // Both orders in one column: what can be told is, the rest is flagged.
    let both = "timestamp,pH\n13/6/2024 10:00,7\n6/14/2024 10:00,7.1\n7/8/2024 10:00,7.2\n";
    let (_, reading) = guided("both.csv", both.as_bytes(), &Site::default());
    assert!(codes(&reading).contains(&"W-CLOCK-002"));
    let quality = &channel(&reading.runs[0], "pH").points.quality;
    assert_eq!(Quality::unpack(quality[2]).unwrap().status, Status::Uncertain);
    assert_eq!(quality[..2], [0, 0]);
}

#[test]
fn us_and_eu_columns_in_one_file_are_decided_each_for_itself() {
    let text = "Sample ID,Date & Time,Made on,Gluc (g/L)\nS1,6-24-2022 10:00,24-6-2022,1.5\nS2,6-25-2022 10:00,25-6-2022,<0.2\n";
    let (_, reading) = guided("f.csv", text.as_bytes(), &Site::default());
    let When::At(at) = &reading.samples[0].when else { panic!("a clock time") };
    assert_eq!(at.instant.to_string(), "2022-06-24T10:00:00Z");
    let low = &reading.samples[1].assays[0].value;
    assert_eq!((low.kind, low.high, low.number, low.text.as_str()), (ValueKind::LessThan, Some(0.2), None, "<0.2"));
    assert_eq!(reading.samples[1].fields["Made on"], "25-6-2022");
}

#[test]
fn hours_of_a_clock_change_are_flagged_and_told_apart_by_order() {
    let text = "time,pH\n2024-10-27 01:30,7\n2024-10-27 02:30,7.1\n2024-10-27 02:10,7.2\n2024-10-27 03:10,7.3\n";
    let (_, reading) = guided("dst.csv", text.as_bytes(), &site("Europe/Berlin"));
    let points = &channel(&reading.runs[0], "pH").points;
    let minutes: Vec<i64> = points.t_ns.iter().map(|t| (t - points.t_ns[0]) / 60_000_000_000).collect();
    // 02:30 summer time, then 02:10 winter time, 40 minutes later.
    assert_eq!(minutes, [0, 60, 100, 160]);
    assert_eq!(points.quality.iter().map(|q| *q == 0).collect::<Vec<_>>(), [true, false, false, true]);
    assert!(codes(&reading).contains(&"W-CLOCK-003"));
}

#[test]
fn a_zone_the_file_states_wins_over_the_site() {
    let bias = "TimezoneBias;-60\nBatch;B-1\n\nTime;pH;DO [%]\n2016-07-19 09:04:46;7,1;99,5\n";
    let (_, reading) = guided("z.csv", bias.as_bytes(), &site("Asia/Tokyo"));
    let zero = reading.runs[0].zero.as_ref().unwrap();
    assert_eq!((zero.instant.to_string().as_str(), zero.evidence), ("2016-07-19T08:04:46Z", ZoneEvidence::File));
    assert_eq!(reading.runs[0].key, "B-1");
    let header = "時刻（JST）,pH\n2026-11-24 09:00,7\n";
    let (_, reading) = guided("j.csv", header.as_bytes(), &Site::default());
    assert_eq!(reading.runs[0].zero.as_ref().unwrap().instant.to_string(), "2026-11-24T00:00:00Z");
}

#[test]
fn several_runs_by_a_column_with_blanks_carried_down() {
    let text = "Reactor,Hours,OD600,Strain,Comment\nR1,0,0.1,K12,start\n,1,0.2,,\nR2,0,0.11,BL21,\nR2,1,ERROR,BL21,\nR2,0.5,0.3,BL21,late\n";
    let (proposal, reading) = guided("s.csv", text.as_bytes(), &Site::default());
    assert_eq!(role(&proposal, "Reactor"), Role::RunKey);
    assert_eq!(
        reading.runs.iter().map(|r| (r.key.as_str(), r.strain.as_deref())).collect::<Vec<_>>(),
        [("R1", Some("K12")), ("R2", Some("BL21"))]
    );
    assert_eq!(numbers(&reading.runs[0], "OD600"), [Some(0.1), Some(0.2)]);
    assert_eq!(numbers(&reading.runs[1], "OD600"), [Some(0.11), None, Some(0.3)]);
    assert_eq!(channel(&reading.runs[1], "OD600").points.texts, [(1, "ERROR".to_owned())]);
    let codes = codes(&reading);
    for code in ["N-TABLE-032", "W-TABLE-031", "W-TABLE-030"] {
        assert!(codes.contains(&code), "{code} in {codes:?}");
    }
    assert_eq!(reading.runs[1].events[0].label, "late");
}

#[test]
fn unit_rows_and_two_header_lines() {
    let units = "Time,pH,DO,Gas in\nh,-,%,slpm\n0,7,99,0.5\n1,7.1,98,0.5\n";
    let (proposal, reading) = guided("u.csv", units.as_bytes(), &Site::default());
    assert_eq!((proposal.mapping.header_row, proposal.mapping.unit_row), (1, Some(2)));
    assert!(proposal.confident);
    assert_eq!(channel(&reading.runs[0], "Gas in").unit.as_ref().unwrap().code(), "L{std}/min");
    let two = ",V1,,V2,\nTime (min),pH,DO,pH,DO\n0,7,99,6.9,90\n1,7.1,98,6.8,89\n";
    let (_, reading) = guided("v.csv", two.as_bytes(), &Site::default());
    assert_eq!(reading.runs.iter().map(|r| r.key.as_str()).collect::<Vec<_>>(), ["V1", "V2"]);
    assert_eq!(numbers(&reading.runs[1], "DO"), [Some(90.0), Some(89.0)]);
}

#[test]
fn a_wrong_unit_is_refused_with_its_place() {
    let text = "Time (h),Temperature (g/L),pH\n0,30,7\n";
    let (_, reading) = guided("w.csv", text.as_bytes(), &Site::default());
    let fault = reading.diagnostics.iter().find(|d| d.severity == Severity::Error).unwrap();
    assert_eq!((fault.code.as_str(), fault.place.line, fault.place.column), ("E-TABLE-021", Some(1), Some(2)));
    assert!(reading.runs[0].channels.iter().all(|c| c.key != "Temperature (g/L)"));
    assert_eq!(reading.not_read[0].place.field.as_deref(), Some("Temperature (g/L)"));
    // Dissolved oxygen in mg/L is its own quantity, never read as a percentage.
    let (_, reading) = guided("d.csv", b"Time (h),DO_mg_L\n0,7.9\n", &Site::default());
    assert_eq!(channel(&reading.runs[0], "DO_mg_L").unit.as_ref().unwrap().code(), "mg/L");
}

#[test]
fn a_saved_mapping_reads_the_next_file_and_refuses_a_lacking_one() {
    let (proposal, _) = guided("a.csv", b"Time (h),pH,DO (%)\n0,7,99\n", &Site::default());
    let saved = serde_json::to_string_pretty(&proposal.mapping).unwrap();
    let mapping = Mapping::from_json(&saved).unwrap();
    assert_eq!(mapping, proposal.mapping);
    // Other order, one more column: found by header.
    let next = Source::new("b.csv", b"DO (%),Time (h),pH,Feed (mL)\n98,0,7.2,5\n97,1,7.3,6\n").unwrap();
    let reading = apply(&next, &mapping, &Site::default()).unwrap();
    assert_eq!(numbers(&reading.runs[0], "pH"), [Some(7.2), Some(7.3)]);
    assert_eq!(numbers(&reading.runs[0], "Feed (mL)"), [Some(5.0), Some(6.0)]);
    assert!(codes(&reading).contains(&"N-TABLE-021"));
    let lacking = Source::new("c.csv", b"Time (h),DO (%)\n0,99\n").unwrap();
    let error = apply(&lacking, &mapping, &Site::default()).unwrap_err();
    let place = error.fault().place.clone().unwrap();
    assert_eq!(
        (error.code(), place.file.as_deref(), place.line, place.field.as_deref()),
        ("E-TABLE-020", Some("c.csv"), Some(1), Some("pH"))
    );
    assert!(Mapping::from_json(&saved.replace("\"version\": 1", "\"version\": 99")).is_err());
    assert!(Mapping::from_json(&saved.replace("\"layout\"", "\"lay_out\"")).is_err());
}

#[test]
fn long_tables_with_units_and_quality() {
    let text = "Batch,Parameter,Timestamp,Value,Unit,Quality,Operator\nB1,pH,2024-05-06T10:00:00Z,7.01,,good,x\nB1,DO,2024-05-06T10:00:00Z,99,%,bad,x\nB1,DO,2024-05-06T10:00:10Z,7.5,mg/L,good,x\nB1,pH,2024-05-06T10:00:10Z,,,good,x\n";
    let (proposal, reading) = guided("l.csv", text.as_bytes(), &Site::default());
    assert_eq!(proposal.mapping.layout, Layout::Long);
    let run = &reading.runs[0];
    assert_eq!(run.channels.iter().map(|c| c.key.as_str()).collect::<Vec<_>>(), ["pH", "DO", "DO (mg/L)"]);
    assert_eq!(Quality::unpack(channel(run, "DO").points.quality[0]).unwrap().status, Status::Bad);
    assert_eq!(channel(run, "pH").variable.as_deref(), Some("ph"));
    assert_eq!(reading.not_read.iter().filter(|n| n.place.line == Some(5)).count(), 1);
}

#[test]
fn the_fast_path_and_the_general_path_agree() {
    let mut text = String::from("run,channel,t,value,quality\n");
    let values = ["7.01", "7.1", "-3", "< 0.5", "ERROR", "1e-3", "12345678.12345678901", "0.000001", "1,234.5", ".5", "7.", "+2"];
    let marks = ["", "good", "bad", "uncertain", "0", "33", "strange"];
    for i in 0..400usize {
        let value = values[i * 7 % values.len()];
        let value = if value.contains(',') { "88.25" } else { value };
        let channel = ["pH", "DO (%)", "OD600"][i % 3];
        let value = if channel == "pH" { ["7.01", "7.1", "6.9"][i / 3 % 3] } else { value };
        let time = if i % 50 == 49 {
            "2026-10-25 02:30:00".to_owned()
        } else {
            format!("2026-10-24T10:{:02}:{:02}.{:06}Z", i / 60, i % 60, i * 1000)
        };
        text.push_str(&format!("R{},{channel},{time},{value},{}\n", i / 200, marks[i % marks.len()]));
    }
    text.push_str("R1,pH,nonsense,7,good\nR1,,2026-10-24T10:00:00Z,7,\n");
    let berlin = site("Europe/Berlin");
    let fast_source = Source::new("x.csv", text.as_bytes()).unwrap();
    let (format, fast) = read(&fast_source, &berlin).unwrap();
    assert_eq!(format.id(), "table");
    // One quoted cell sends the file down the general path.
    let quoted = text.replacen("R0,pH", "R0,\"pH\"", 1);
    let general_source = Source::new("x.csv", quoted.as_bytes()).unwrap();
    let (_, general) = read(&general_source, &berlin).unwrap();
    assert_eq!(fast.runs.len(), 2);
    for (a, b) in fast.runs.iter().zip(&general.runs) {
        assert_eq!((&a.key, a.zero.is_some()), (&b.key, b.zero.is_some()));
        for (x, y) in a.channels.iter().zip(&b.channels) {
            assert_eq!((&x.key, &x.variable, &x.unit), (&y.key, &y.variable, &y.unit));
            assert_eq!(x.points.texts, y.points.texts, "{}", x.key);
            assert_eq!(x.points.t_ns.len(), y.points.t_ns.len());
            for i in 0..x.points.len() {
                assert_eq!(x.points.number(i), y.points.number(i), "{} {i}", x.key);
            }
        }
        assert_eq!(a.channels.len(), b.channels.len());
    }
    assert_eq!(fast.not_read.iter().filter(|n| n.place.line.is_some()).count(), 2);
    assert!(codes(&fast).contains(&"W-TABLE-034"));
}

#[test]
fn elapsed_seconds_and_a_simulated_mark_in_the_fast_path() {
    let text = "run,channel,t,value,quality\nsimulated R1,pH,0.5,7.01,good\nsimulated R1,pH,1.25,7.02,good\n";
    let source = Source::new("x.csv", text.as_bytes()).unwrap();
    let (_, reading) = read(&source, &Site::default()).unwrap();
    let run = &reading.runs[0];
    assert!(run.simulated && run.zero.is_none());
    assert_eq!(run.channels[0].points.t_ns, [500_000_000, 1_250_000_000]);
    assert_eq!(run.channels[0].points.numbers, Numbers::Scaled { scale: 2, mantissa: vec![701, 702] });
}

#[test]
fn column_pairs_each_have_their_own_clock() {
    let text = "Time [h],pH,Time [h],DO (%)\n0,7,0.1,99\n1,7.1,1.2,98\n,,2.2,97\n";
    let (_, reading) = guided("p.csv", text.as_bytes(), &Site::default());
    let hours = |key: &str| channel(&reading.runs[0], key).points.t_ns.iter().map(|t| *t as f64 / 3.6e12).collect::<Vec<_>>();
    assert_eq!(hours("pH"), [0.0, 1.0]);
    assert_eq!(hours("DO (%)"), [0.1, 1.2, 2.2]);
}

#[test]
fn what_is_not_a_table_is_refused_with_a_remedy() {
    for bytes in [&b"hello world\nthis is prose\n"[..], b"1,2,3\n4,5,6\n", b"a,b\n"] {
        let source = Source::new("x.csv", bytes).unwrap();
        let error = propose(&source, &Site::default()).unwrap_err();
        assert_eq!(error.code(), "E-TABLE-001");
        assert!(error.fault().hint.is_some());
        assert!(detect(&source).iter().all(|(_, e)| e.score <= 50));
    }
    // Hours assumed: proposed, but not read unasked.
    let source = Source::new("x.csv", b"Time,pH\n0,7\n1,7.1\n").unwrap();
    let proposal = propose(&source, &Site::default()).unwrap();
    assert!(!proposal.confident && proposal.diagnostics.iter().any(|d| d.code == "W-TABLE-003"));
    assert!(matches!(proposal.mapping.time.unwrap().rule, TimeRule::Elapsed { unit: TimeUnit::H, assumed: true }));
}

#[test]
fn real_generic_import_of_edd() {
    let Some(bytes) = shared("edd/generic_import.csv") else { return };
    let (proposal, reading) = guided("generic_import.csv", &bytes, &Site::default());
    assert_eq!((proposal.mapping.layout, proposal.mapping.header_row, proposal.confident), (Layout::Long, 2, false));
    assert_eq!(reading.runs.iter().map(|r| r.key.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    let limonene = channel(&reading.runs[0], "Limonene");
    assert_eq!((limonene.points.number(0), limonene.unit.as_ref().map(|u| u.code())), (Some(1.0), Some("g/L")));
    assert_eq!(limonene.points.t_ns, [8 * 3_600_000_000_000]);
    for text in ["Hand-scrawled research notes", "Unrecognized Header", "Cercei"] {
        assert!(reading.not_read.iter().any(|n| n.text.contains(text)), "{text} in {:?}", reading.not_read);
    }
}

#[test]
fn real_workbooks_of_edd() {
    if let Some(bytes) = shared("edd/ImportData_FBA_OD.xlsx") {
        let (proposal, reading) = guided("od.xlsx", &bytes, &Site::default());
        assert_eq!(proposal.mapping.header_rows, 2);
        assert_eq!(reading.runs.iter().map(|r| r.key.as_str()).collect::<Vec<_>>(), ["BW1", "arcA"]);
        assert_eq!(numbers(&reading.runs[1], "Optical Density")[..3], [Some(0.1), Some(1.49), Some(2.62)]);
        assert_eq!(channel(&reading.runs[0], "Optical Density").variable.as_deref(), Some("optical-density"));
    }
    if let Some(bytes) = shared("edd/ExperimentDescription_simple.xlsx") {
        let (proposal, reading) = guided("lines.xlsx", &bytes, &Site::default());
        assert_eq!(proposal.mapping.layout, Layout::Runs);
        assert_eq!(reading.runs.len(), 2);
        assert_eq!(reading.runs[1].fields["Line Description"], "arcA ko");
        assert_eq!(reading.runs[1].fields["Growth Temperature"], "30");
    }
    if let Some(bytes) = shared("edd/ambr_test_data.xlsx") {
        let (_, reading) = guided("ambr.xlsx", &bytes, &Site::default());
        assert_eq!(reading.runs.len(), 2);
        assert_eq!(channel(&reading.runs[0], "DO").points.t_ns[0], (0.001_336_765_944_444_44f64 * 3.6e12).round() as i64);
        assert_eq!(numbers(&reading.runs[1], "CER")[0], Some(0.094_909_840_843_669_6));
    }
}

#[test]
fn real_biostat_workbook_keeps_sheets_and_fermenters_apart() {
    let Some(bytes) = shared("tolonen_biostat/2024.05-06_Biostat_OD.xlsx") else { return };
    let (proposal, reading) = guided("biostat.xlsx", &bytes, &Site::default());
    assert!(proposal.confident);
    let time = proposal.mapping.time.clone().unwrap();
    assert_eq!((time.header.as_str(), time.rule), ("Hours", TimeRule::Elapsed { unit: TimeUnit::H, assumed: false }));
    let keys: Vec<_> = reading.runs.iter().map(|r| (r.key.as_str(), channel(r, "OD600").points.len())).collect();
    assert_eq!(keys, [("22-05/F3", 14), ("22-05/F1", 9), ("06-06/F1", 9), ("06-06/F3", 9)]);
    assert_eq!(reading.runs[0].vessel.as_deref(), Some("F3"));
    assert_eq!(channel(&reading.runs[0], "OD600").unit.as_ref().unwrap().code(), "{OD600}");
}

#[test]
fn real_offline_samples_of_an_ambr_study() {
    let Some(bytes) = shared("dtu_ambr250_tp_scale_down/offline_data.xlsx") else { return };
    let (proposal, reading) = guided("offline_data.xlsx", &bytes, &Site::default());
    assert_eq!(proposal.mapping.layout, Layout::Samples);
    assert_eq!(reading.samples.len(), 60);
    let sample = &reading.samples[0];
    assert_eq!(
        (sample.key.as_str(), sample.run.as_deref()),
        ("DDB_PD_117_AMBR_R05__S01", Some("DDB_PD_117_AMBR_DDB35-005_R05_Main_"))
    );
    assert_eq!(sample.when, When::Elapsed((12.085_309_46f64 * 3.6e12).round() as i64));
    let assay = |name: &str| sample.assays.iter().find(|a| a.analyte == name).unwrap();
    let glucose = assay("D-glucose [g/L]");
    assert_eq!((glucose.variable.as_deref(), glucose.value.number), (Some("glucose"), Some(11.143_792_852_902_1)));
    assert_eq!(glucose.value.unit.as_ref().unwrap().code(), "g/L");
    // A lost mass of glucose is not a concentration of it.
    assert_eq!(assay("lost_glucose_g").variable, None);
    assert_eq!(assay("CDW_1 [g/L]").variable.as_deref(), Some("dry-weight"));
    let run = reading.runs.iter().find(|r| Some(&r.key) == sample.run.as_ref()).unwrap();
    assert_eq!((run.strain.as_deref(), run.vessel.as_deref()), (Some("DDB35"), Some("R05")));
    if let Some(bytes) = shared("dtu_ambr250_tp_scale_down/meta_data.xlsx") {
        let (proposal, reading) = guided("meta_data.xlsx", &bytes, &Site::default());
        assert_eq!((proposal.mapping.layout, reading.runs.len()), (Layout::Runs, 12));
        assert!(reading.runs.iter().any(|r| r.key == run.key && r.fields["Base Medium"] == "DDB_BM_016"));
    }
}

#[test]
fn real_analyser_csvs_can_be_read_by_a_mapping_too() {
    let Some(bytes) = shared("allotropy/beckman_vi_cell_blu/Beckman_Vi-Cell-BLU_example01.csv") else { return };
    let (proposal, reading) = guided("blu.csv", &bytes, &Site::default());
    assert_eq!(proposal.mapping.layout, Layout::Samples);
    assert_eq!(reading.samples[0].key, "CLB001");
    let viable = reading.samples[0].assays.iter().find(|a| a.analyte == "Viable (x10^6) cells/mL").unwrap();
    assert_eq!((viable.variable.as_deref(), viable.value.number), (Some("viable-cell-density"), Some(0.75)));
    assert_eq!(viable.value.unit.as_ref().unwrap().code(), "10*6/mL");
}

/// Cells that have broken readers before.
const NASTY: [&str; 34] = [
    "time",
    "Time (h)",
    "pH",
    "run",
    "value",
    "channel",
    "t",
    "Sample ID",
    "日時",
    "香り",
    "DO [%",
    "(°C)",
    "9999999999999999999",
    "1e400",
    "-",
    "",
    " ",
    "\"",
    "\"\"",
    "a\"b",
    "2024-02-30",
    "2262-04-11T23:59:59",
    "令和元年5月1日",
    "1,234",
    "0,5",
    "< 0.1",
    "24:00",
    "8h",
    "TimezoneBias",
    "-2147483648",
    "\u{feff}",
    "=1+1",
    "\r",
    "１２．５",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_table_is_read_or_refused(
        rows in proptest::collection::vec(proptest::collection::vec(0..NASTY.len(), 0..6), 0..8),
        delimiter in prop_oneof![Just(","), Just(";"), Just("\t")],
    ) {
        let text = rows.iter().map(|r| r.iter().map(|i| NASTY[*i]).collect::<Vec<_>>().join(delimiter)).collect::<Vec<_>>().join("\n");
        let source = Source::new("x.csv", text.as_bytes()).unwrap();
        let _ = read(&source, &site("Europe/Berlin"));
        if let Ok(proposal) = propose(&source, &Site::default()) {
            let _ = apply(&source, &proposal.mapping, &Site::default());
            let json = serde_json::to_string(&proposal.mapping).unwrap();
            prop_assert_eq!(Mapping::from_json(&json).map_err(|e| e.to_string()).ok(), proposal.mapping.check().ok().map(|()| proposal.mapping));
        }
    }
    #[test]
    fn any_text_after_a_long_header_is_read_or_refused(body in "[\\PC\n,;\"]{0,300}") {
        let text = format!("run,channel,t,value,quality\n{body}");
        let source = Source::new("x.csv", text.as_bytes()).unwrap();
        let _ = read(&source, &Site::default());
    }
}
