use super::*;
use crate::config::Config;

const RECORDS: &str = r#"
[[mqtt]]
name = "hall"
broker = { host = "127.0.0.1", client_id = "toji" }
[[mqtt.topic]]
topic = "hall/{vessel}/data"
run = "{vessel}-{/batch}"
vessel = "{vessel}"
time = "ts"
time_format = "unix-ms"
simulated = "sim"
field = [{ field = "pH", unit = "[pH]" }, { field = "/gas/o2", key = "O2", unit = "%" }]
others = true
[[mqtt.topic]]
topic = "p/{unit}/{batch}/{what#}"
run = "{batch}"
vessel = "{unit}"
signal = "{what}"
[[mqtt.topic]]
topic = "strict/{batch}"
run = "{batch}"
time = "at"
zone = "Asia/Tokyo"
field = [{ field = "T", unit = "Cel" }]
"#;

fn read(topic: &str, payload: &str) -> (Vec<Batch>, Tally) {
    let config = Config::read(RECORDS).unwrap();
    let tally = Tally::default();
    let batches = Reader::new("hall".into(), &config.mqtt[0].topics).read(topic, payload.as_bytes(), 9, &tally);
    (batches, tally)
}

fn values(batch: &Batch) -> Vec<(String, Said, i64, u16)> {
    batch.points.iter().map(|p| (batch.signals[p.signal as usize].key.clone(), p.said.clone(), p.t_ns, p.quality)).collect()
}

fn digits(text: &str) -> Said {
    Said::Digits(text.into())
}

#[test]
fn a_record_keeps_its_digits() {
    let (batches, tally) = read(
        "hall/R07/data",
        r#"{"ts":1000.5,"batch":"B12","sim":true,"pH":7.020,"gas":{"o2":"20.90","co2":1e-2},"state":"feed"}"#,
    );
    assert_eq!((batches[0].run.as_str(), batches[0].vessel.as_deref(), batches[0].simulated), ("R07-B12", Some("R07"), true));
    let t = 1_000_500_000;
    assert_eq!(
        values(&batches[0]),
        [
            ("pH".into(), digits("7.020"), t, 0),
            ("O2".into(), digits("20.90"), t, 0),
            ("gas/co2".into(), digits("1e-2"), t, 0),
            ("state".into(), Said::Text("feed".into()), t, 0)
        ]
    );
    assert_eq!(batches[0].signals[0].raw_unit.as_deref(), Some("[pH]"));
    assert_eq!(batches[0].signals[0].variable.as_deref(), Some("ph"));
    assert_eq!(tally.counts(), crate::tally::Counts::default());
}

#[test]
fn a_list_is_many_records_and_a_bad_one_is_kept() {
    let (batches, tally) =
        read("hall/R07/data", r#"[{"ts":1,"batch":"B","pH":7},{"ts":2,"pH":7.1},{"ts":"?","batch":"B","pH":null}]"#);
    assert_eq!(batches.len(), 3);
    assert_eq!(values(&batches[0]), [("pH".into(), digits("7"), 1_000_000, 0)]);
    // No batch: the run cannot be named, the record is kept under the topic.
    assert_eq!(batches[1].run, "hall/R07/data");
    assert_eq!(values(&batches[1])[0].1, Said::Text(r#"{"ts":2,"pH":7.1}"#.into()));
    // No time and no value: at its time of arrival, flagged.
    let bad = Quality::source(Status::Bad, Cause::NotANumber).pack();
    assert_eq!(values(&batches[2]), [("pH".into(), Said::Text("null".into()), 9, bad)]);
    assert_eq!((tally.counts().unread, tally.counts().without_time), (2, 1));
    assert_eq!(tally.findings().len(), 2);
}

#[test]
fn what_is_not_json_is_kept_as_it_came() {
    for payload in ["{\"ts\":1,\"pH\":NaN}", "", "\u{fffd}garbage", "{\"ts\":1"] {
        let (batches, tally) = read("hall/R07/data", payload);
        assert_eq!(values(&batches[0])[0].1, Said::Text(payload.into()));
        assert_eq!(batches[0].signals[0].key, UNREAD);
        assert_eq!(tally.counts().unread, 1);
    }
}

#[test]
fn one_value_a_topic() {
    let (batches, _) = read("p/unit1/exp-4/stirring/rpm", "500.0");
    assert_eq!((batches[0].run.as_str(), batches[0].vessel.as_deref()), ("exp-4", Some("unit1")));
    assert_eq!(values(&batches[0]), [("stirring/rpm".into(), digits("500.0"), 9, 0)]);
    let (batches, _) = read("p/unit1/exp-4/state", "ready");
    assert_eq!(values(&batches[0]), [("state".into(), Said::Text("ready".into()), 9, 0)]);
}

#[test]
fn fields_nobody_asked_for_are_counted() {
    let (batches, tally) = read("strict/B", r#"{"at":"2026-11-24 09:00:00","T":37.0,"X":1,"deep":{"Y":2}}"#);
    assert_eq!(values(&batches[0]), [("T".into(), digits("37.0"), 1_795_478_400_000_000_000, 0)]);
    assert_eq!(tally.counts().not_asked, 2);
    let places: Vec<String> = tally.findings().iter().map(|(d, _)| d.place.to_string()).collect();
    assert_eq!(places, ["«strict/{batch}#/X»", "«strict/{batch}#/deep/Y»"].map(String::from));
}

#[test]
fn a_doubled_name_loses_nothing() {
    let (batches, _) = read("hall/R07/data", r#"{"ts":1,"batch":"B","a":1,"a":2}"#);
    let keys: Vec<String> = values(&batches[0]).into_iter().map(|v| v.0).collect();
    assert_eq!(keys, ["a", "a~~2"]);
}

#[test]
fn nesting_has_a_limit() {
    let deep = format!("{{\"ts\":1,\"batch\":\"B\",\"a\":{}1{}}}", "{\"a\":".repeat(40), "}".repeat(40));
    let (_, tally) = read("hall/R07/data", &deep);
    assert_eq!(tally.counts().unread, 1);
}

proptest::proptest! {
    #[test]
    fn any_payload_ends_as_points(payload in ".{0,200}") {
        let (batches, _) = read("hall/R07/data", &payload);
        proptest::prop_assert!(batches.iter().all(|b| b.points.iter().all(|p| (p.signal as usize) < b.signals.len())));
    }

    #[test]
    fn every_number_is_kept(value in -1e300f64..1e300) {
        let text = format!("{value}");
        let (batches, _) = read("p/u/b/x", &text);
        proptest::prop_assert_eq!(&batches[0].points[0].said, &digits(&text));
    }
}
