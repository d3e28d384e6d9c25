//! Instruments: a run that ends as a record with its analysis (A20), one protocol on two makers' devices (C02), and
//! their data in one schema (I12). Everything goes over real sockets to simulated devices, faster than the clock.

use crate::bench::{Bench, root, texts, unzip};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use toji_core::Unit;

#[path = "../../crates/toji-ingest/examples/adapter/turbidity_logger.rs"]
mod turbidity_logger;

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Input of `simulate fermenter`, one vessel over OPC UA.
fn fermenter(make: &str, commands: bool, pace: [f64; 3]) -> Json {
    let [period_s, speed, lasts_s] = pace;
    json!({ "make": make, "commands": commands, "speak": ["opcua"], "opcua_port": free_port(), "period_s": period_s,
            "speed": speed, "lasts_s": lasts_s })
}

/// The configuration of a simulated fermenter, as the operator is given it.
async fn configuration(bench: &Bench, fermenter: &Json) -> String {
    let mut only = fermenter.clone();
    only["dry_run"] = json!(true);
    let config = bench.run("simulate fermenter", only).await["config"].as_str().unwrap().to_owned();
    // The plant is faster than the clock: so must be who listens.
    config.replace("sampling_ms = 0.0", "sampling_ms = 0.0\npublish_ms = 100")
}

/// A batch that is warmed up, inoculated, grown, fed and ended. Nobody says which maker's device it is for.
fn steps() -> Json {
    json!([
        { "name": "Preparation", "operations": [{ "name": "Equilibration", "phases": [
            { "name": "Warm up", "set": { "temperature": { "value": 36, "unit": "Cel" }, "ph": { "value": 6.9, "unit": "[pH]" },
                                          "dissolved-oxygen": { "value": 40, "unit": "%{sat}" } },
              "until": { "variable": "temperature", "above": { "value": 35.5, "unit": "Cel" }, "for": { "value": 5, "unit": "min" },
                         "at_most": { "value": 3, "unit": "h" } } }
        ] }] },
        { "name": "Culture", "operations": [
            { "name": "Batch", "phases": [
                { "name": "Grow", "do": ["inoculate"], "until": { "elapsed": { "value": 4, "unit": "h" } } },
                { "name": "Wait for growth", "until": { "variable": "optical-density", "above": { "value": 2, "unit": "{OD600}" },
                  "for": { "value": 2, "unit": "min" }, "at_most": { "value": 4, "unit": "h" } } }
            ] },
            { "name": "Feed", "phases": [
                { "name": "Constant feed", "set": { "feed-rate": { "value": 0.003, "unit": "L/h" } },
                  "until": { "elapsed": { "value": 1, "unit": "h" } } },
                { "name": "End", "do": ["feed-off"], "until": "end" }
            ] }
        ] }
    ])
}

/// What the protocol is to have commanded, in order.
pub(crate) const COMMANDS: [&str; 7] = ["dissolved-oxygen", "ph", "temperature", "inoculate", "feed-rate", "feed-off", "stop"];

pub(crate) async fn with_protocol() -> Bench {
    let bench = Bench::new().await;
    // What is registered before any run: the strain in its bank, the protocol with its medium.
    let strain =
        json!({ "name": "模擬大腸菌", "organism_type": "Bacteria", "taxon_name": "Escherichia coli", "risk_group": "1" });
    bench.put("strain", "STR-1", strain).await;
    let fields = json!({ "name": "大腸菌の流加培養", "number": 1, "steps": steps(), "state": "approved", "medium": "最少培地 (グルコース 15 g/L)" });
    bench.put("protocol", "PROT-1", fields).await;
    bench
}

/// Runs the protocol on a simulated fermenter; answers what `protocol run` says.
pub(crate) async fn ran(bench: &Bench, make: &str, source: &str) -> Json {
    // A culture of about six hours; the device goes on for a while after the end, as devices do.
    let fermenter = fermenter(make, true, [30.0, 900.0, 9.0 * 3600.0]);
    let config = bench.file(&format!("{make}.toml"), configuration(bench, &fermenter).await);
    let run = json!({ "protocol": "PROT-1", "config": config, "source": source, "vessel": "R01", "strain": "STR-1",
                      "silence_s": 30.0 });
    let (_, ran) = tokio::join!(bench.run("simulate fermenter", fermenter), bench.run("protocol run", run));
    ran
}

/// Events of a run that a protocol recorded, in order: sort, reason, facts.
async fn commanded(bench: &Bench, run: &str) -> Vec<Json> {
    let mut events: Vec<Json> = bench.list("event").await;
    events.retain(|e| e["fields"]["run"] == run && !e["fields"]["fields"]["protocol"].is_null());
    events.sort_by_key(|e| {
        let at = |name: &str| e["fields"][name].as_str().unwrap_or_default().to_owned();
        let order = COMMANDS.iter().position(|c| e["fields"]["fields"]["what"] == *c);
        (at("time"), order)
    });
    events
}

/// A record that stands by itself: linked, sealed, verified, analysed.
async fn is_a_validated_record_with_its_analysis(bench: &Bench, ran: &Json) {
    let run = ran["run"].as_str().unwrap();
    let record = bench.get("run", run).await;
    let field = |name: &str| record["fields"][name].as_str().unwrap_or_default().to_owned();
    assert_eq!((field("protocol").as_str(), field("strain").as_str()), ("PROT-1", "STR-1"));
    assert!(field("medium").starts_with("最少培地") && record["fields"]["simulated"] == true);
    assert_eq!(bench.run("live status", json!({})).await["points"], 0, "nothing is left in the journal");
    bench.is_sound().await;
    let analysis = bench.get("analysis", ran["analysis"].as_str().unwrap()).await;
    assert_eq!(analysis["fields"]["run"], run);
    assert_eq!(analysis["fields"]["valid"], true, "{}", analysis["fields"]["findings"]);
    let quantities = &analysis["fields"]["quantities"];
    let codes: BTreeSet<String> = texts(quantities, "code").into_iter().collect();
    for needed in ["growth-rate-max", "biomass-final", "duration"] {
        assert!(codes.contains(needed), "{needed} in {codes:?}");
    }
    // E. coli on glucose at 36 °C grows between 0.3 and 0.9 /h.
    let growth = quantities.as_array().unwrap().iter().find(|q| q["code"] == "growth-rate-max").unwrap();
    let rate = growth["value"].as_f64().unwrap();
    assert!((0.3..0.9).contains(&rate) && growth["unit"] == "/h", "{growth}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a20_a_run_started_on_an_instrument_ends_as_a_validated_record_with_its_analysis() {
    let bench = with_protocol().await;
    let ran = ran(&bench, "a", "simulated-opcua").await;
    assert!(ran["ended"].is_string(), "the instrument said that it has ended: {ran}");
    is_a_validated_record_with_its_analysis(&bench, &ran).await;

    // Everything in the record came from the instrument or from the protocol, nothing from a hand.
    let run = ran["run"].as_str().unwrap();
    let events = commanded(&bench, run).await;
    let facts = |name: &str| events.iter().map(|e| e["fields"]["fields"][name].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(facts("what"), COMMANDS);
    assert!(facts("outcome").iter().all(|o| o == "done"));
    let reasons: BTreeSet<&str> = events.iter().map(|e| e["fields"]["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons.len(), 4, "every command says which phase asked for it: {reasons:?}");
    let inoculated = events.iter().find(|e| e["fields"]["sort"] == "inoculation").unwrap();
    assert_eq!(inoculated["fields"]["reason"], "Culture / Batch / Grow");
    let history = bench.run("record history", json!({ "kind": "run", "id": run })).await;
    let by_hand = |h: &&Json| h["operation"].as_str().is_some_and(|o| o.starts_with("record"));
    assert!(!history["versions"].as_array().unwrap().iter().any(|h| by_hand(&h)), "{history}");

    // Concluding again, as after a crash, changes nothing: the analysis is the one there is.
    let before = bench.list("analysis").await.len();
    let again = bench.run("live conclude", json!({ "run": run })).await;
    assert_eq!((&again["analysis"], bench.list("analysis").await.len()), (&ran["analysis"], before));
    assert_eq!(again["ended"], ran["ended"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a20_a_run_that_was_only_listened_to_is_concluded_by_itself() {
    // No protocol: an operator's fermenter with its own recipe, heard by `live collect`. That the batch ends is said by
    // the device; the rest follows as a job.
    let bench = Bench::new().await;
    let fermenter = fermenter("b", false, [60.0, 3600.0, 25.0 * 3600.0]);
    let config = bench.file("b.toml", configuration(&bench, &fermenter).await);
    let collect = json!({ "config": config, "for_s": 45.0 });
    let (_, collected) = tokio::join!(bench.run("simulate fermenter", fermenter), bench.run("live collect", collect));
    assert!(collected["total"]["points"].as_u64().unwrap() > 10_000, "{collected}");
    let analyses = bench.list("analysis").await;
    assert_eq!(analyses.len(), 1, "{analyses:?}");
    let run = analyses[0]["fields"]["run"].as_str().unwrap();
    // Nobody told the device which strain it holds: that is the one error the record has, and it is said.
    let findings = analyses[0]["fields"]["findings"].as_array().unwrap();
    let errors: Vec<&str> = findings.iter().filter(|f| f["severity"] == "error").map(|f| f["code"].as_str().unwrap()).collect();
    assert_eq!((errors, &analyses[0]["fields"]["valid"]), (vec!["E-READY-001"], &json!(false)));
    let ended: Vec<Json> = bench.list("event").await.into_iter().filter(|e| e["fields"]["fields"]["mark"] == "ended").collect();
    assert_eq!(ended.len(), 1, "said with every frame, recorded once");
    assert_eq!(ended[0]["fields"]["run"], run);
    bench.is_sound().await;
    // A run that has not ended is not concluded.
    let batch = json!({ "source": "hand", "run": "R9", "signals": [{ "key": "pH", "raw_unit": "pH" }],
                        "points": [{ "signal": 0, "t_ns": 1_795_478_400_000_000_000_i64, "said": { "digits": "7.0" } }] });
    bench.run("live append", json!({ "batches": [batch] })).await;
    let unended = toji_store::live_run_id("hand", "R9").to_string();
    assert_eq!(bench.refusal("live conclude", json!({ "run": unended })).await.code(), "E-LIVE-020");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c02_one_protocol_runs_on_two_makers_devices() {
    let bench = with_protocol().await;
    let plan = bench.run("protocol check", json!({ "protocol": "PROT-1" })).await;
    assert_eq!(plan["phases"].as_array().unwrap().len(), 5);
    let (a, b) = tokio::join!(ran(&bench, "a", "simulated-opcua"), ran(&bench, "b", "simulated-b-opcua"));
    let mut told = Vec::new();
    for ran in [&a, &b] {
        assert!(ran["ended"].is_string(), "{ran}");
        assert_eq!(texts(&ran["commands"], "what"), COMMANDS, "the same commands, phase by phase");
        assert_eq!(ran["phases"], 5);
        is_a_validated_record_with_its_analysis(&bench, ran).await;
        told.push(texts(&ran["commands"], "told"));
    }
    // In each maker's own words and units.
    assert_eq!(told[0][2], "ns=2;s=R01.T.SP = 36 Cel");
    assert_eq!(told[1][2], "ns=2;s=R01.TIC101.SET = 96.8 [degF]");
    assert_eq!((told[0][3].as_str(), told[1][3].as_str()), ("ns=2;s=R01.do.inoculate", "ns=2;s=R01.CMD = INOC"));
    assert!(told[0].iter().zip(&told[1]).all(|(a, b)| a != b));

    // What the devices then did is the same: set-points in one unit, and the culture by its yield.
    let sql = |run: &Json| {
        format!(
            "SELECT unit, max(value) AS top FROM series WHERE run = '{}' AND key = 'T.SP' AND elapsed_s > 3600 GROUP BY unit",
            run["run"].as_str().unwrap()
        )
    };
    for (run, unit) in [(&a, "Cel"), (&b, "[degF]")] {
        let answer = bench.run("sql query", json!({ "query": sql(run) })).await;
        assert_eq!(answer["rows"][0][0], unit, "{answer}");
        let top = answer["rows"][0][1].as_f64().unwrap();
        let celsius = Unit::parse(unit).unwrap().convert(top, &Unit::parse("Cel").unwrap()).unwrap();
        assert!((celsius - 36.0).abs() < 1e-9, "{celsius}");
    }

    // An instrument whose limits do not allow it is told nothing at all.
    let refused = bench
        .refusal("protocol check", json!({ "steps": [{ "name": "u", "operations": [{ "name": "o", "phases": [
            { "name": "hot", "set": { "temperature": { "value": 60, "unit": "Cel" } }, "until": "end" } ] }] }],
            "config": bench.file("limits.toml", configuration(&bench, &fermenter("b", true, [1.0; 3])).await), "source": "simulated-b-opcua" }))
        .await;
    assert_eq!(crate::bench::places(&refused), ["«steps/0/operations/0/phases/0/set/temperature»"]);
    let silent = configuration(&bench, &fermenter("a", false, [1.0; 3])).await;
    let run = json!({ "protocol": "PROT-1", "config": bench.file("silent.toml", silent), "source": "simulated-opcua", "vessel": "R01" });
    assert_eq!(bench.refusal("protocol run", run).await.code(), "E-COMMAND-001", "nothing is told without permission");
}

#[test]
fn c02_a_new_instrument_is_one_adapter_against_the_published_specification() {
    // The specification is the page of the documentation, in both languages, with a complete adapter in it.
    for language in ["en", "ja"] {
        let page = std::fs::read_to_string(root().join(format!("docs/src/{language}/adapters.md"))).unwrap();
        assert!(page.contains("{{#include ../../../crates/toji-ingest/examples/adapter/turbidity_logger.rs}}"), "{language}");
    }
    let file = std::fs::read(root().join("crates/toji-ingest/examples/adapter/turbidity_logger.txt")).unwrap();
    let source = toji_ingest::Source::new("monday.txt", &file).unwrap();
    let site = toji_ingest::Site::default();
    assert!(toji_ingest::read(&source, &site).is_err(), "nobody knows the file without its adapter");
    let formats = toji_ingest::Formats::builtin().with(Box::new(turbidity_logger::TurbidityLogger)).unwrap();
    let (format, reading) = formats.read(&source, &site).unwrap();
    assert_eq!(format.id(), "example-turbidity-logger");
    let od = &reading.runs[0].channels[0];
    assert_eq!((od.variable.as_deref(), od.unit.as_ref().map(Unit::code)), (Some("optical-density"), Some("{OD600}")));
}

/// A table of a release, as rows of named cells.
fn table(bytes: &[u8]) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(bytes).deserialize().map(Result::unwrap).collect()
}

/// Both makers' devices become runs of one lot, and its record speaks of both in one schema: the same variables, of the
/// same origin, in the same units.
async fn feed_one_lot_record(bench: &Bench, runs: &[String; 2]) {
    for (run, (id, maker)) in runs.iter().zip([("VES-A", "甲社"), ("VES-B", "乙社")]) {
        bench.put("vessel", id, json!({ "name": id, "maker": maker, "volume_working_l": 10.0 })).await;
        bench.put("run", run, json!({ "vessel": id })).await;
    }
    let lot = json!({ "title": "二社の装置", "number": "L-002", "state": "open", "simulated": true, "runs": runs,
                      "specification": [{ "quantity": "growth-rate-max", "low": 0.1, "unit": "/h" }] });
    bench.put("lot", "LOT-1", lot).await;
    let shown = bench.run("lot show", json!({ "lot": "LOT-1" })).await;
    let of = |list: &str, run: &str| -> Vec<Json> {
        shown[list].as_array().unwrap().iter().filter(|row| row["run"] == run).cloned().collect()
    };
    let schema = |run: &str| -> BTreeSet<String> {
        let measured = of("series", run).into_iter().filter(|row| row["origin"] != "calculated");
        measured.map(|row| json!([row["key"], row["variable"], row["origin"], row["unit"]]).to_string()).collect()
    };
    let [a, b] = runs;
    assert_eq!(schema(a), schema(b));
    assert!(schema(a).len() >= 18, "{:?}", schema(a));
    let temperature = |run: &str| -> Json {
        of("series", run).into_iter().find(|row| row["variable"] == "temperature" && row["origin"] == "sensor").unwrap()
    };
    assert_eq!((&temperature(a)["stored_unit"], &temperature(b)["stored_unit"]), (&Json::Null, &json!("[degF]")));
    for run in runs {
        let row = temperature(run);
        let (min, max) = (row["min"].as_f64().unwrap(), row["max"].as_f64().unwrap());
        assert!(row["unit"] == "Cel" && 15.0 < min && max < 45.0, "{row}");
        assert_eq!(of("sources", run).len(), 1);
        assert!(!of("steps", run).is_empty(), "what the device said of itself");
        assert_eq!(of("specification", run)[0]["unit"], "/h");
    }
    assert_eq!(texts(&shown["sources"], "maker"), ["甲社", "乙社"]);
    assert_eq!(texts(&shown["sources"], "source_name"), ["simulated-opcua", "simulated-b-opcua"]);
}

/// One schema for two makers, and one lot record (I01) that both feed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i12_two_makers_export_one_schema_and_feed_the_lot_record() {
    let bench = Bench::new().await;
    // The same plant twice, by its seed, before devices of two makers.
    let (a, b) = (fermenter("a", false, [20.0, 600.0, 24_000.0]), fermenter("b", false, [20.0, 600.0, 24_000.0]));
    let both = format!("{}\n{}", configuration(&bench, &a).await, configuration(&bench, &b).await);
    let collect = json!({ "config": bench.file("both.toml", both), "for_s": 45.0 });
    let collecting = bench.run("live collect", collect);
    tokio::join!(bench.run("simulate fermenter", a), bench.run("simulate fermenter", b), collecting);
    let run = |source: &str, batch: &str| toji_store::live_run_id(source, &format!("R01-{batch}")).to_string();
    let runs = [run("simulated-opcua", "simulated-01"), run("simulated-b-opcua", "simulated-b-01")];

    // As stored they differ, as the devices do.
    let schema = |files: &BTreeMap<String, Vec<u8>>| -> Vec<BTreeMap<String, String>> {
        // Without the offset of the device's clock, which the collector adds from the first full minute on.
        table(&files["tables/columns.csv"]).into_iter().filter(|row| row["origin"] != "calculated").collect()
    };
    let mut stored = Vec::new();
    let mut canonical = Vec::new();
    for run in &runs {
        for (units, into) in [("stored", &mut stored), ("canonical", &mut canonical)] {
            let manifest = json!({ "name": "two-makers", "runs": [run], "grid_s": 60, "units": units, "creators": [{ "name": "Toji contributors" }],
                                   "title": { "ja": "試験", "en": "Test" } });
            let released = bench.output("dataset release", json!({ "manifest": manifest })).await;
            let verified = bench.run("dataset verify", json!({ "release": released.json["release"], "remake": true })).await;
            assert_eq!(verified["ok"], true);
            into.push(unzip(released.attachment.unwrap().bytes));
        }
    }
    assert_ne!(schema(&stored[0]), schema(&stored[1]));
    let units = |files| -> BTreeMap<String, String> {
        schema(files).into_iter().map(|row| (row["column"].clone(), row["unit"].clone())).collect()
    };
    assert_eq!((units(&stored[0])["temperature"].as_str(), units(&stored[1])["temperature"].as_str()), ("Cel", "[degF]"));

    // In canonical units the aligned view, its description and the tables are one schema.
    let [a, b] = [&canonical[0], &canonical[1]];
    assert_eq!(schema(a), schema(b), "column by column: variable, origin, unit, rule");
    assert!(schema(a).len() >= 18, "{:?}", schema(a));
    let channels = |files: &BTreeMap<String, Vec<u8>>| -> BTreeSet<[String; 4]> {
        // The offset of a device's clock is the collector's own channel, kept from the first full minute on.
        table(&files["tables/channels.csv"])
            .iter()
            .filter(|row| row["origin"] != "calculated")
            .map(|row| ["key", "variable", "unit", "origin"].map(|name| row[name].clone()))
            .collect()
    };
    assert_eq!(channels(a), channels(b));
    let described = |files: &BTreeMap<String, Vec<u8>>| -> Json {
        let package: Json = serde_json::from_slice(&files["datapackage.json"]).unwrap();
        let is_series = |r: &&Json| r["path"].as_str().is_some_and(|path| path.starts_with("series/"));
        let resources = package["resources"].as_array().unwrap();
        assert_eq!(resources.iter().filter(is_series).count(), 1);
        resources.iter().filter(|r| !is_series(r)).map(|r| json!([r["name"], r["schema"]])).collect()
    };
    assert_eq!(described(a), described(b));

    // And it is the same plant that is exported: value by value, in one unit.
    let query = format!(
        "SELECT x.variable, x.unit, y.unit, x.value, y.value FROM series x JOIN series y ON x.key = y.key AND x.time = y.time \
         WHERE x.run = '{}' AND y.run = '{}' AND x.variable IS NOT NULL \
         AND x.value IS NOT NULL AND y.value IS NOT NULL",
        runs[0], runs[1]
    );
    let answer = bench.run("sql query", json!({ "query": query, "limit": 20_000 })).await;
    let rows = answer["rows"].as_array().unwrap();
    // Whoever connects later shares less time with the other.
    let heard = "SELECT run, min(time), max(time), count(*) FROM series GROUP BY run";
    assert!(rows.len() > 500, "{} rows of {}", rows.len(), bench.run("sql query", json!({ "query": heard })).await["rows"]);
    for row in rows {
        let unit = |i: usize| Unit::parse(row[i].as_str().unwrap()).unwrap();
        let (x, y) = (row[3].as_f64().unwrap(), row[4].as_f64().unwrap());
        let back = unit(2).with_turns_counted().convert(y, &unit(1).with_turns_counted()).unwrap();
        // Exact conversions, but for the stirrer's four decimals: 0.00005 /s are 0.003 /min.
        let tolerance = if row[0] == "stirrer-speed" { 0.0031 } else { 1e-9 * (1.0 + x.abs()) };
        assert!((back - x).abs() <= tolerance, "{row}");
    }
    let variables: BTreeSet<&str> = rows.iter().filter_map(|r| r[0].as_str()).collect();
    assert!(variables.len() >= 12, "{variables:?}");
    feed_one_lot_record(&bench, &runs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c11_sending_a_genome_to_a_foreign_service_warns_of_law_and_risk_and_is_logged() {
    let bench = Bench::new().await;
    bench.commons().await;
    bench.member("ORG-A").await;
    for (id, country) in [("LAB-JP", "JP"), ("LAB-US", "US"), ("LAB-X", "US")] {
        bench.put("organisation", id, json!({ "name": id, "country": country })).await;
    }
    let put = |kind: &str, id: &str, fields: Json| json!({ "kind": kind, "id": id, "fields": fields });
    let strain = json!({ "name": "T-45", "organism_type": "Fungi", "taxon_name": "Kluyveromyces marxianus", "risk_group": "1",
                         "lmo_class": "not-lmo", "origin_country": "ID" });
    bench.run_as("ORG-A-steward", "record put", put("strain", "STR-1", strain)).await;
    let genome = json!({ "name": "T-45 genome", "strain": "STR-1", "accession": "TEST000001", "database": "DDBJ" });
    bench.run_as("ORG-A-steward", "record put", put("genome", "GEN-1", genome)).await;
    let send = |to: &str, settled: bool| json!({ "kind": "genome", "id": "GEN-1", "recipient": to, "reason": "変異の解析", "notes_settled": settled });
    let logged = || async {
        bench.list("transfer").await.iter().map(|t| t["fields"]["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };

    // Within the country nothing stands against it.
    let sent = bench.run_as("ORG-A-steward", "commons send", send("LAB-JP", false)).await;
    assert_eq!(sent["notes"], json!([]));
    // Abroad: law and risk are named with clause and remedy, and the attempt is logged.
    let warned = bench.refusal_as("ORG-A-steward", "commons send", send("LAB-US", false)).await;
    assert_eq!(warned.code(), "E-COMMONS-043");
    let notes: Vec<String> = warned.fault().diagnostics.iter().map(|d| d.message.en.clone()).collect();
    for clause in
        ["Foreign Exchange and Foreign Trade Act (25(1))", "Nagoya Protocol (ABS) (6, 15)", "Leakage of design information"]
    {
        assert!(notes.iter().any(|n| n.starts_with(clause)), "{clause}: {notes:?}");
    }
    assert!(warned.fault().diagnostics.iter().all(|d| d.message.ja != d.message.en && d.remedy.is_some()));
    assert_eq!(logged().await, ["sent", "warned"]);
    // Settled, it goes, and stands in the ledger with who and why.
    let bench = bench.on("2026-11-25T00:00:00Z");
    let sent = bench.run_as("ORG-A-steward", "commons send", send("LAB-US", true)).await;
    assert_eq!((sent["notes"].as_array().unwrap().len(), &sent["country"]), (3, &json!("US")));
    let record = bench.get("transfer", sent["transfer"].as_str().unwrap()).await;
    assert_eq!((&record["fields"]["sent_by"], &record["fields"]["reason"]), (&json!("ORG-A-steward"), &json!("変異の解析")));
    // A recipient on a list is never sent anything; nor does another organisation send what is not its own.
    bench.run("commons apply", json!({ "organisation": "LAB-X", "country": "US", "reason": "x" })).await;
    bench
        .run_as("yushutsu", "commons screen", json!({ "organisation": "LAB-X", "listing": "blocked", "evidence": "該当" }))
        .await;
    assert_eq!(bench.refusal_as("ORG-A-steward", "commons send", send("LAB-X", true)).await.code(), "E-COMMONS-042");
    bench.member("ORG-B").await;
    assert_eq!(bench.refusal_as("ORG-B-steward", "commons send", send("LAB-JP", true)).await.code(), "E-GATE-001");
    bench.is_sound().await;
}
