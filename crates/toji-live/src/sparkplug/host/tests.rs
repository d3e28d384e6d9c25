use super::super::wire::{PropertySet, PropertyValue};
use super::*;

fn host() -> Host {
    Host::new(
        toml::from_str(
            r#"
name = "s"
broker = { host = "h", client_id = "c" }
run = "{device}-{batch}"
batch_metric = "Batch"
ended = { at = "State", is = "COMPLETE" }
metric = [{ name = "TIC101.MEAS", key = "T.PV", variable = "temperature", unit = "°F", origin = "sensor" }]
"#,
        )
        .unwrap(),
    )
}

fn metric(name: Option<&str>, alias: Option<u64>, ms: u64, value: MetricValue) -> Metric {
    Metric { name: name.map(Into::into), alias, timestamp: Some(ms), value: Some(value), ..Metric::default() }
}

fn payload(seq: Option<u64>, metrics: Vec<Metric>) -> Vec<u8> {
    Payload { timestamp: Some(5), metrics, seq, ..Payload::default() }.encode_to_vec()
}

fn ph_birth() -> Metric {
    let unit = PropertyValue { r#type: Some(datatype::STRING), string_value: Some("[pH]".into()), ..PropertyValue::default() };
    let properties = Some(PropertySet { keys: vec!["engUnit".into()], values: vec![unit] });
    Metric { datatype: Some(datatype::FLOAT), properties, ..metric(Some("pH"), Some(7), 1000, MetricValue::Float(7.02)) }
}

fn nbirth(seq: u64, bd: u64) -> Vec<u8> {
    payload(Some(seq), vec![metric(Some(BD_SEQ), None, 1, MetricValue::Long(bd))])
}

fn dbirth(seq: u64) -> Vec<u8> {
    payload(Some(seq), vec![ph_birth(), metric(Some("Batch"), Some(8), 1000, MetricValue::String("B1".into()))])
}

fn ph(seq: u64, ms: u64, value: f32) -> Vec<u8> {
    payload(Some(seq), vec![metric(None, Some(7), ms, MetricValue::Float(value))])
}

fn points(batches: &[Batch]) -> Vec<(String, String, i64, Said)> {
    let of = |b: &Batch| {
        let point = |p: &Point| (b.run.clone(), b.signals[p.signal as usize].key.clone(), p.t_ns / 1_000_000, p.said.clone());
        b.points.iter().map(point).collect::<Vec<_>>()
    };
    batches.iter().flat_map(of).collect()
}

fn marks(batches: &[Batch]) -> Vec<MarkKind> {
    batches.iter().flat_map(|b| b.marks.iter().map(|m| m.kind)).collect()
}

fn digits(text: &str) -> Said {
    Said::Digits(text.into())
}

#[test]
fn aliases_units_and_batches_follow_the_birth() {
    let (mut host, tally) = (host(), Tally::default());
    assert!(host.take("spBv1.0/g/NBIRTH/n", &nbirth(0, 3), 9, &tally).is_empty());
    let born = host.take("spBv1.0/g/DBIRTH/n/R07", &dbirth(1), 9, &tally);
    assert_eq!(marks(&born), [MarkKind::Birth]);
    assert_eq!(born[0].signals[0].raw_unit.as_deref(), Some("[pH]"));
    let data = host.take("spBv1.0/g/DDATA/n/R07", &ph(2, 2000, 7.01), 9, &tally);
    assert_eq!(points(&data), [("R07-B1".into(), "pH".into(), 2000, digits("7.01"))]);
    // The batch changes in the middle of a message: what stands behind it belongs to the next run.
    let change = vec![
        metric(None, Some(7), 3000, MetricValue::Float(6.9)),
        metric(Some("Batch"), None, 3000, MetricValue::String("B2".into())),
        metric(None, Some(7), 3001, MetricValue::Float(7.0)),
    ];
    let data = host.take("spBv1.0/g/DDATA/n/R07", &payload(Some(3), change), 9, &tally);
    let runs: Vec<String> = points(&data).into_iter().map(|p| p.0).collect();
    assert_eq!(runs, ["R07-B1", "R07-B2", "R07-B2"]);
    assert_eq!(tally.counts().holes, 0);
}

#[test]
fn a_hole_is_marked_and_asks_for_a_birth() {
    let (mut host, tally) = (host(), Tally::default());
    host.take("spBv1.0/g/NBIRTH/n", &nbirth(254, 3), 9, &tally);
    host.take("spBv1.0/g/DBIRTH/n/R07", &dbirth(255), 9, &tally);
    let data = host.take("spBv1.0/g/DDATA/n/R07", &ph(0, 2000, 7.0), 9, &tally);
    assert!(marks(&data).is_empty() && host.rebirths(i64::MAX).is_empty());
    let data = host.take("spBv1.0/g/DDATA/n/R07", &ph(3, 3000, 7.0), 9, &tally);
    assert_eq!(marks(&data), [MarkKind::Lost]);
    assert_eq!(points(&data).len(), 1);
    assert_eq!(host.rebirths(i64::MAX), [("g".into(), "n".into())]);
}

#[test]
fn data_before_the_birth_waits_for_it() {
    let (mut host, tally) = (host(), Tally::default());
    assert!(host.take("spBv1.0/g/DDATA/n/R07", &ph(7, 1500, 7.3), 9, &tally).is_empty());
    assert_eq!(host.rebirths(i64::MAX), [("g".into(), "n".into())]);
    host.take("spBv1.0/g/NBIRTH/n", &nbirth(0, 3), 9, &tally);
    let born = host.take("spBv1.0/g/DBIRTH/n/R07", &dbirth(1), 9, &tally);
    assert!(points(&born).contains(&("R07-B1".into(), "pH".into(), 1500, digits("7.3"))));
}

#[test]
fn without_a_birth_it_is_kept_under_its_alias() {
    let (mut host, tally) = (host(), Tally::default());
    host.take("spBv1.0/g/DDATA/n/R07", &ph(7, 1500, 7.3), 9, &tally);
    assert!(host.give_up_waiting(1_000_000_000, &tally).is_empty());
    let kept = host.give_up_waiting(60_000_000_000, &tally);
    assert_eq!(points(&kept), [("n/R07".into(), "alias 7".into(), 1500, digits("7.3"))]);
    // A death ends the life they belong to.
    host.take("spBv1.0/g/DDATA/n/R07", &ph(8, 1600, 7.4), 9, &tally);
    let kept = host.take("spBv1.0/g/NDEATH/n", &nbirth(0, 3), 9, &tally);
    assert_eq!(points(&kept)[0].1, "alias 7");
}

#[test]
fn deaths_belong_to_their_birth() {
    let (mut host, tally) = (host(), Tally::default());
    host.take("spBv1.0/g/NBIRTH/n", &nbirth(0, 4), 9, &tally);
    host.take("spBv1.0/g/DBIRTH/n/R07", &dbirth(1), 9, &tally);
    assert!(host.take("spBv1.0/g/NDEATH/n", &nbirth(0, 3), 9, &tally).is_empty());
    let dead = host.take("spBv1.0/g/NDEATH/n", &nbirth(0, 4), 9, &tally);
    assert_eq!((marks(&dead), dead[0].run.as_str()), (vec![MarkKind::Death], "R07-B1"));
}

#[test]
fn numbers_keep_their_width_and_sign() {
    let check = |kind: u32, value: MetricValue, expected: Said| {
        assert_eq!(said(&metric(None, None, 0, value), kind).0, expected);
    };
    check(datatype::INT8, MetricValue::Int(0xff), digits("-1"));
    check(datatype::INT16, MetricValue::Int(0xffff_fffe), digits("-2"));
    check(datatype::INT32, MetricValue::Int(u32::MAX), digits("-1"));
    check(datatype::INT64, MetricValue::Long(u64::MAX), digits("-1"));
    check(datatype::UINT64, MetricValue::Long(u64::MAX), digits("18446744073709551615"));
    check(datatype::FLOAT, MetricValue::Float(7.02), digits("7.02"));
    check(datatype::DOUBLE, MetricValue::Double(0.1), Said::Number(0.1));
    check(datatype::DOUBLE, MetricValue::Double(f64::NAN), Said::Text("NaN".into()));
    check(datatype::BOOLEAN, MetricValue::Boolean(true), Said::Text("true".into()));
}

#[test]
fn quality_and_missing_values_are_flagged() {
    let tally = Tally::default();
    let mut host = host();
    host.take("spBv1.0/g/NBIRTH/n", &nbirth(0, 4), 9, &tally);
    let quality = PropertyValue { int_value: Some(quality::STALE), ..PropertyValue::default() };
    let properties = Some(PropertySet { keys: vec!["Quality".into()], values: vec![quality] });
    let stale = Metric { properties, ..metric(Some("a"), None, 1, MetricValue::Double(1.0)) };
    let null = Metric { is_null: Some(true), value: None, ..metric(Some("b"), None, 1, MetricValue::Int(0)) };
    let data = host.take("spBv1.0/g/DDATA/n/R", &payload(Some(1), vec![stale, null]), 9, &tally);
    let flags: Vec<Status> = data[0].points.iter().filter_map(|p| Some(Quality::unpack(p.quality)?.status)).collect();
    assert_eq!(flags, [Status::Uncertain, Status::Bad]);
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_kept_or_ignored(bytes: Vec<u8>) {
        let (mut host, tally) = (host(), Tally::default());
        host.take("spBv1.0/g/NBIRTH/n", &nbirth(0, 4), 9, &tally);
        let batches = host.take("spBv1.0/g/DDATA/n/R", &bytes, 9, &tally);
        proptest::prop_assert!(batches.iter().all(|b| b.points.iter().all(|p| (p.signal as usize) < b.signals.len())));
    }
}

#[test]
fn the_configuration_explains_names_and_hears_the_end() {
    let (mut host, tally) = (host(), Tally::default());
    host.take("spBv1.0/g/NBIRTH/n", &nbirth(0, 3), 9, &tally);
    host.take("spBv1.0/g/DBIRTH/n/R07", &dbirth(1), 9, &tally);
    let state = |word: &str| metric(Some("State"), None, 2000, MetricValue::String(word.into()));
    let tic = metric(Some("TIC101.MEAS"), None, 2000, MetricValue::Double(98.6));
    let data = host.take("spBv1.0/g/DDATA/n/R07", &payload(Some(2), vec![tic, state("RUN")]), 9, &tally);
    let signal = &data[0].signals[0];
    assert_eq!((signal.key.as_str(), signal.variable.as_deref()), ("T.PV", Some("temperature")));
    assert_eq!((signal.raw_unit.as_deref(), signal.origin), (Some("°F"), Origin::Sensor));
    assert_eq!(signal.address, "spBv1.0/g/n/R07#TIC101.MEAS");
    assert!(marks(&data).is_empty());
    let data = host.take("spBv1.0/g/DDATA/n/R07", &payload(Some(3), vec![state("COMPLETE")]), 9, &tally);
    assert_eq!((marks(&data), data[0].marks[0].t_ns), (vec![MarkKind::Ended], 2_000_000_000));
}
