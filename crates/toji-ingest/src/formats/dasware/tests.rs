use super::*;
use proptest::prelude::*;
use toji_core::culture::{Numbers, Origin, Sampling};
use toji_core::{Cause, Quality, Status};

/// A small export in the shape of version 4; the values are ours.
fn file(core: &str, bias: &str) -> String {
    format!(
        "\"[Info]\"
\"Product\";\"Version\";\"Host\";\"Timestamp\"
\"FngArchiv\";\"4.0.1\";\"PC1\";2024-05-07 10:00:00

\"[CoreInfo]\"
\"Product\";\"Version\";\"Host\";\"Option1\"
\"DASGIP Control Core\";\"{core}\";\"PC1\"
\"TimezoneBias\";{bias}

\"[ProjectInfo]\"
\"ProjName\";\"FullName\";\"Filename\";\"LocName\";\"LocNamePar\";\"LocComment\";\"State\";\"Version\";\"StartTimestamp\";\"StopTimestamp\"
\"Demo.Control\";\"\\Demo.Control\";\"\";\"Demo.Control\";\"\";\"pH control\";1;\"1.3.2\";2024-05-06 09:00:00;2024-05-07 09:00:00
\"Module2\";\"\\Demo.Control\\u1\";\"\";\"Setup 1\";\"Setup 1\";\"\";1;\"1.0\";2024-05-06 09:00:10;2024-05-07 09:00:00;5;\"\";\"{{G}}\";\"UnitNo=1\";\"StpNo=1\"
\"Module3\";\"\\Demo.Control\\u2\";\"\";\"Setup 2\";\"Setup 2\";\"\";1;\"1.0\";2024-05-06 09:00:20;2024-05-07 09:00:00;5;\"\";\"{{H}}\";\"UnitNo = 2;\";\"StpNo=2\"

\"[TrackInfo]\"
\"ProjName\";\"FullName\";\"LocName\";\"LocNamePar\";\"LocComment\";\"Unit\";\"StartTimestamp\";\"StopTimestamp\";\"LogInterval\";\"LogIntervalTime\";\"Deadband\";\"Digits\"
\"Track3\";\"\\Demo\\pH\";\"Unit.pH.PV\";\"Unit 1.pH1.PV\";\"pH sensor\";\"pH\";;;1;\"60s\"; .05;2

\"[TrackData]\"

\"[TrackData1]\"
\"Timestamp\";\"Duration\";\"Unit 1.Inoculation Time []\";\"Unit 1.V1.PV [mL]\";\"Unit 1.pH1.PV [pH]\";\"Unit 1.pH1.SP [pH]\";\"Unit 1.T1.PV [°C]\";\"Unit 1.RQ1 []\"
2024-05-06 09:01:10; 6.94444446708076E-04;1899-12-30 00:00:00; 0; 0; 0; 0; 0
2024-05-06 09:02:10; 1.38888889341615E-03;1899-12-30 00:00:00; 1000.5; 6.7; 7; 36,073; 0
2024-05-06 09:03:10; 2.08333334012423E-03;1899-12-30 00:00:41;\"\"; 6.65;\"\";\"\"; .9
2024-05-06 09:04:10; 2.77777778683230E-03;1899-12-30 00:01:41; 1000.75;\"\";\"\"; 36,1;\"\"

\"[TrackData2]\"
\"Timestamp\";\"Duration\";\"Unit 2.V2.PV [mL]\";\"Unit 2.F2.Out [quux]\"
\"2024-05-06 09:01:20\"; 6.9E-04; 900; 1
\"2024-05-06 09:00:20\"; 1.3E-03; 901;

\"[Events]\"
\"No\";\"Timestamp\";\"Description\";\"Reference\";\"User\"
1;2024-05-06 09:00:00;\"Database; size\";\"\";\"System\"
2;2024-05-06 09:02:00;\"Stirrer started (N.SP=200 rpm)\";\"Demo.Control.Setup 2.Unit 2.N\";\"Manager\"

\"[Fb-Pro]\"

\"[Plant]\"
\"Identifier\"
\"DASGIP Plant\"

\"[Setup1]\"
\"Identifier\";\"Comment\"
\"Demo.Control.Setup 1\";\"\"

\"[Sensor Elements]\"
\"Identifier\";\"Slope\"
\"pH\";\"98,06\"

\"[/Fb-Pro]\"
"
    )
}

fn read(text: &str) -> Reading {
    // As the software writes it: Latin-1.
    let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
    let source = Source::new("x.csv", &bytes).unwrap();
    assert!(Dasware.detect(&source).unwrap().score > 50);
    Dasware.read(&source, &Site::default()).unwrap()
}

#[test]
fn a_run_per_unit_on_change_and_in_its_own_zone() {
    let reading = read(&file("4.6.8", "-60"));
    assert_eq!(reading.runs.len(), 2);
    let run = &reading.runs[0];
    assert_eq!(run.key, "Demo.Control | 2024-05-06 09:00:00 | Unit 1");
    let keys: Vec<_> = run.channels.iter().map(|c| (c.key.as_str(), c.points.len())).collect();
    assert_eq!(keys, [("Unit 1.V1.PV", 3), ("Unit 1.pH1.PV", 3), ("Unit 1.pH1.SP", 2), ("Unit 1.T1.PV", 3), ("Unit 1.RQ1", 3)]);
    let ph = &run.channels[1];
    assert_eq!(ph.sampling, Sampling::OnChange { deadband: Some(0.05) });
    assert_eq!((ph.variable.as_deref(), ph.origin, ph.method.as_deref()), (Some("ph"), Origin::Sensor, Some("pH sensor")));
    assert_eq!(ph.fields["Digits"], 2.0);
    assert_eq!(ph.points.numbers, Numbers::Scaled { scale: 2, mantissa: vec![0, 670, 665] });
    assert_eq!(run.channels[3].points.numbers, Numbers::Scaled { scale: 3, mantissa: vec![0, 36_073, 36_100] });
    assert_eq!(run.channels[3].unit.as_ref().unwrap().code(), "Cel");
    assert_eq!(run.channels[2].origin, Origin::Setpoint);
    // 09:02:10 local, UTC = local + (-60 min).
    assert_eq!(toji_core::Instant(ph.points.t_ns[1]).to_string(), "2024-05-06T08:02:10Z");
    assert_eq!(run.fields["Sensor Elements"][1][1], "98,06");
}

#[test]
fn version_5_states_minutes_east() {
    let reading = read(&file("5.0.0.0", "60"));
    assert_eq!(toji_core::Instant(reading.runs[0].channels[0].points.t_ns[0]).to_string(), "2024-05-06T08:01:10Z");
    let zero = reading.runs[0].zero.as_ref().unwrap();
    assert_eq!((zero.evidence, zero.zone.as_str()), (ZoneEvidence::File, "+01"));
}

#[test]
fn start_up_is_flagged_and_inoculation_is_the_zero() {
    let reading = read(&file("4.6.8", "-60"));
    let run = &reading.runs[0];
    for channel in &run.channels {
        let quality = Quality::unpack(channel.points.quality[0]).unwrap();
        assert_eq!((quality.status, quality.cause), (Status::Bad, Cause::StartUp), "{}", channel.key);
        assert!(Quality::unpack(channel.points.quality[1]).unwrap().is_good());
    }
    assert_eq!(
        (run.zero_is, run.zero.as_ref().unwrap().instant.to_string().as_str()),
        (ZeroTime::Inoculation, "2024-05-06T08:02:29Z")
    );
    let events: Vec<_> = run.events.iter().map(|e| (e.sort.as_str(), &e.when)).collect();
    assert_eq!(events, [("note", &When::Elapsed(-149_000_000_000)), ("inoculation", &When::Elapsed(0))]);
}

#[test]
fn units_events_and_clock_of_the_second_vessel() {
    let reading = read(&file("4.6.8", "-60"));
    let run = &reading.runs[1];
    assert_eq!(
        (run.zero_is, run.zero.as_ref().unwrap().instant.to_string().as_str()),
        (ZeroTime::StartOfFile, "2024-05-06T08:00:20Z")
    );
    assert_eq!(run.events.len(), 2);
    assert_eq!((run.events[1].sort.as_str(), run.events[0].label.as_str()), ("start", "Database; size"));
    let odd = &run.channels[1];
    assert_eq!((odd.unit.is_none(), odd.raw_unit.as_deref()), (true, Some("quux")));
    assert_eq!(Quality::unpack(run.channels[0].points.quality[1]).unwrap().cause, Cause::OutOfOrder);
    let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code.as_str()).collect();
    for code in ["N-DASWARE-002", "W-DASWARE-004", "W-DASWARE-006", "W-DASWARE-008", "W-DASWARE-010"] {
        assert!(codes.contains(&code), "{code} in {codes:?}");
    }
    let unread: Vec<_> = reading.not_read.iter().filter_map(|n| n.place.sheet.as_deref()).collect();
    assert_eq!(unread, ["Info", "Plant"]);
}

#[test]
fn a_file_without_bias_takes_the_sites_zone_and_one_without_data_is_refused() {
    let text = file("4.6.8", "-60").replace("\"TimezoneBias\";-60\n", "");
    let site = Site { zone: Zone::named("Asia/Tokyo", ZoneEvidence::SiteDefault).unwrap(), date_order: None };
    let source = Source::new("x", text.as_bytes()).unwrap();
    let reading = Dasware.read(&source, &site).unwrap();
    assert_eq!(toji_core::Instant(reading.runs[0].channels[0].points.t_ns[0]).to_string(), "2024-05-06T00:01:10Z");
    let empty = Source::new("x", b"\"[Info]\"\n\"DASGIP\"\n\"[CoreInfo]\"\n").unwrap();
    assert_eq!(Dasware.read(&empty, &Site::default()).unwrap_err().code(), "E-DASWARE-001");
}

proptest! {
    #[test]
    fn mutated_files_never_panic(cut in 0usize..4000, at in 0usize..4000, junk in "\\PC{0,6}") {
        let mut text: String = file("4.6.8", "-60").chars().take(cut).collect();
        let at = text.char_indices().map(|(i, _)| i).nth(at).unwrap_or(0);
        text.insert_str(at, &junk);
        let source = Source::new("x", text.as_bytes()).unwrap();
        let _ = Dasware.detect(&source);
        let _ = Dasware.read(&source, &Site::default());
    }
    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(source) = Source::new("x", &bytes) {
            let _ = Dasware.detect(&source);
            let _ = Dasware.read(&source, &Site::default());
        }
    }
}
