//! A04: what was sensed and decided, beside the series. Values of the runs are drawn here and simulated.

use crate::bench::{Bench, bilingual, texts};
use serde_json::{Value as Json, json};

/// Runs of the drawn brewery.
const RUNS: usize = 8;
/// Visits of the master to each tank, four hours apart.
const VISITS: usize = 18;

/// The same small chance everywhere (a linear congruential generator).
struct Dice(u64);

impl Dice {
    /// 0 to 1.
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1u32 << 31)
    }
}

/// One visit: temperature of the mash, its true fruitiness, foam.
struct Visit {
    at_s: i64,
    temperature: f64,
    fruity: f64,
    foam: &'static str,
}

const FOAM: [&str; 7] = ["foam:suji", "foam:mizu", "foam:iwa", "foam:taka", "foam:ochi", "foam:tama", "foam:ji"];

fn visits(dice: &mut Dice) -> Vec<Visit> {
    (0..VISITS)
        .map(|i| {
            let temperature = 9.0 + 7.0 * dice.roll();
            // The nose follows the temperature, not the hour.
            let fruity = ((temperature - 9.0) / 7.0 * 5.0 + 1.2 * (dice.roll() - 0.5)).round().clamp(0.0, 5.0);
            let foam = FOAM[(i * FOAM.len() / VISITS).min(FOAM.len() - 1)];
            Visit { at_s: 4 * 3600 * (i as i64 + 1), temperature, fruity, foam }
        })
        .collect()
}

/// The master's rule, which nothing below is told: cool a mash at its height that is too warm, else wait.
fn master(visit: &Visit, dice: &mut Dice) -> &'static str {
    let usual = if visit.temperature >= 13.0 { "do:cool" } else { "do:hold" };
    // Now and then even a master does otherwise.
    if dice.roll() < 0.04 { if usual == "do:cool" { "do:hold" } else { "do:cool" } } else { usual }
}

/// A run whose sensor was read every ten minutes, as a table somebody imports.
async fn import(bench: &Bench, number: usize, visits: &[Visit], dice: &mut Dice) -> String {
    let mut csv = String::from("time,temperature [°C],pH\n");
    for minute in (0..=VISITS * 240 + 60).step_by(10) {
        let t = minute as i64 * 60;
        let near = visits.iter().min_by_key(|v| (v.at_s - t).abs()).unwrap();
        let (hours, minutes) = (minute / 60, minute % 60);
        let day = 1 + hours / 24;
        csv.push_str(&format!(
            "2026-02-{day:02} {:02}:{minutes:02}:00,{:.2},{:.2}\n",
            hours % 24,
            near.temperature + 0.05 * (dice.roll() - 0.5),
            4.2 + 0.2 * dice.roll()
        ));
    }
    let path = bench.file(&format!("simulated-tank-{number}.csv"), csv);
    let report = bench.run("run import", json!({ "paths": [path], "zone": "Asia/Tokyo" })).await;
    report["runs"][0]["id"].as_str().unwrap_or_else(|| panic!("{report}")).to_owned()
}

/// Enters every visit of a run as the tablet does: what was smelt and seen, then what was decided.
async fn enter(bench: &Bench, run: &str, visits: &[Visit], dice: &mut Dice) -> Vec<String> {
    let mut decided = Vec::new();
    for (i, visit) in visits.iter().enumerate() {
        let id = |what: &str| format!("{what}-{}-{i}", &run[4..]);
        let sense = |id: String, more: Json| {
            let mut input = json!({ "id": id, "run": run, "elapsed_s": visit.at_s, "observer": "N-07" });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            bench.run("sense record", input)
        };
        sense(id("odour"), json!({ "term": "sake:120", "level": visit.fruity })).await;
        sense(id("foam"), json!({ "term": visit.foam })).await;
        sense(id("look"), json!({ "term": "look:hazy3", "note": "米がよく溶けた" })).await;
        let action = master(visit, dice);
        let decision = json!({
            "id": id("dec"), "run": run, "elapsed_s": visit.at_s + 60, "action": action, "why": "香りと品温を見て",
            "sensed": [id("odour"), id("foam")], "rejected": "追い水", "confidence": 0.9, "author": "N-07",
            "expected": "品温が下がる", "expected_by": "2026-02-20T00:00:00Z",
        });
        bench.run("decision record", decision).await;
        decided.push(action.to_owned());
    }
    decided
}

#[tokio::test(flavor = "multi_thread")]
async fn a04_senses_and_decisions_are_kept_exported_and_repeated_by_a_rule_on_held_out_runs() {
    let bench = Bench::new().await;
    let mut dice = Dice(7);
    let mut runs = Vec::new();
    for number in 0..RUNS {
        let visits = visits(&mut dice);
        let run = import(&bench, number, &visits, &mut dice).await;
        enter(&bench, &run, &visits, &mut dice).await;
        runs.push(run);
    }
    let run = runs[0].as_str();

    // On controlled scales, at a run time, with both languages.
    let shown = bench.run("run show", json!({ "id": run })).await;
    assert_eq!(shown["observations"].as_array().unwrap().len(), 3 * VISITS);
    let odour = shown["observations"].as_array().unwrap().iter().find(|o| o["attribute"] == "odour").unwrap();
    assert!(bilingual(&odour["label"]) && odour["label"]["ja"].as_str().unwrap().contains("果実様"), "{odour}");
    assert_eq!((&odour["elapsed_s"], &odour["value"]["basis"]), (&json!(14_400.0), &json!("intensity")));
    let refused = bench.refusal("sense record", json!({ "run": run, "term": "sake:120", "level": 7 })).await;
    assert_eq!((refused.code(), refused.fault().place.as_ref().unwrap().field.as_deref()), ("E-SENSE-008", Some("level")));
    assert_eq!(bench.refusal("sense record", json!({ "run": run, "term": "sake:999", "level": 1 })).await.code(), "E-SENSE-006");

    // A tablet that lost the answer sends the entry again: nothing is doubled, another entry is refused.
    let again = json!({ "id": format!("odour-{}-0", &run[4..]), "run": run, "elapsed_s": 14_400, "observer": "N-07", "term": "sake:120", "level": odour["value"]["number"] });
    let before = bench.run("store status", json!({})).await["records"].clone();
    assert_eq!(bench.run("sense record", again.clone()).await["changed"], false);
    assert_eq!(bench.run("store status", json!({})).await["records"], before);
    let mut other = again;
    other["note"] = json!("別の所見");
    assert_eq!(bench.refusal("sense record", other).await.code(), "E-SENSE-010");

    exported_beside_the_series(&bench, run).await;
    the_nose_is_explained(&bench).await;
    the_rule_repeats_the_master(&bench).await;
    a_verdict_stays(&bench, run).await;
    bench.is_sound().await;
}

async fn exported_beside_the_series(bench: &Bench, run: &str) {
    let output = bench.output("run export", json!({ "run": run, "format": "csv" })).await;
    let exported = &output.json;
    assert_eq!(
        (&exported["observations"], &exported["decisions"], &exported["without_time"]),
        (&json!(3 * VISITS), &json!(VISITS), &json!(0))
    );
    let bytes = output.attachment.unwrap().bytes;
    let mut table = csv::Reader::from_reader(bytes.as_slice());
    let rows: Vec<std::collections::BTreeMap<String, String>> = table.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len() as u64, exported["rows"].as_u64().unwrap());
    // In order of time, the judgement right beside the sensor minute it was made in.
    let at: Vec<f64> = rows.iter().map(|r| r["elapsed_s"].parse().unwrap()).collect();
    assert!(at.is_sorted());
    let seen = rows.iter().position(|r| r["what"] == "observation" && r["term"] == "sake:120").unwrap();
    let beside = rows.iter().find(|r| r["what"] == "point" && r["elapsed_s"] == rows[seen]["elapsed_s"]).unwrap();
    assert!(!beside["value"].is_empty() && !rows[seen]["level"].is_empty() && rows[seen]["label_en"] == "Fruity");
    let decision = rows.iter().find(|r| r["what"] == "decision").unwrap();
    assert_eq!(
        (decision["why_or_note"].as_str(), decision["expected"].as_str(), decision["person"].as_str()),
        ("香りと品温を見て", "品温が下がる", "N-07")
    );
    let sheet = bench.output("run export", json!({ "run": run, "format": "xlsx" })).await.attachment.unwrap();
    assert!(sheet.bytes.starts_with(b"PK"));
}

async fn the_nose_is_explained(bench: &Bench) {
    let answer = bench.run("sense explain", json!({ "term": "sake:120", "max_age_s": 1200, "rounds": 400 })).await;
    assert_eq!((&answer["observations"], &answer["runs"]), (&json!(RUNS * VISITS), &json!(RUNS)));
    let sensors = answer["sensors"].as_array().unwrap();
    assert_eq!(sensors.len(), 2, "{answer}");
    let (first, second) = (&sensors[0], &sensors[1]);
    assert_eq!(first["finding"], "associated", "{first}");
    assert!(
        first["rho"].as_f64().unwrap() > 0.8 && first["interval"]["low"].as_f64().unwrap() > 0.6 && bilingual(&first["says"]),
        "{first}"
    );
    // pH was drawn by dice.
    assert!(second["key"].as_str().unwrap().eq_ignore_ascii_case("ph") && second["finding"] != "associated", "{second}");
    // Few runs: nothing is concluded, however many visits there were.
    let runs: Vec<Json> = answer_runs(bench).await.into_iter().take(3).map(Json::from).collect();
    let few = bench.run("sense explain", json!({ "term": "sake:120", "runs": runs, "rounds": 200 })).await;
    assert!(texts(&few["sensors"], "finding").iter().all(|f| f == "cannot-tell"), "{few}");
}

async fn answer_runs(bench: &Bench) -> Vec<String> {
    texts(&bench.run("run list", json!({})).await["runs"], "id")
}

async fn the_rule_repeats_the_master(bench: &Bench) {
    let rules = bench.run("sense rules", json!({ "max_age_s": 1200, "rounds": 400, "author": "N-07" })).await;
    assert_eq!((&rules["decisions"], &rules["runs"]), (&json!(RUNS * VISITS), &json!(RUNS)));
    let held_out = &rules["held_out"];
    assert_eq!(rules["repeats_the_expert"], true, "{rules}");
    assert!(held_out["right"].as_f64().unwrap() > 0.85, "{held_out}");
    assert!(held_out["gain_interval"]["low"].as_f64().unwrap() > 0.1, "{held_out}");
    // The rule can be read, and names the master's threshold of 13 °C.
    let line = &rules["rules"][0];
    assert!(bilingual(&line["says"]), "{line}");
    let threshold = line["rule"]["when"][0]["threshold"].as_f64().unwrap();
    assert!((threshold - 13.0).abs() < 0.5, "{line}");
    assert_eq!(bench.refusal("sense rules", json!({ "author": "nobody" })).await.code(), "E-SENSE-018");
}

async fn a_verdict_stays(bench: &Bench, run: &str) {
    let id = format!("dec-{}-0", &run[4..]);
    let judged = bench
        .run(
            "decision verdict",
            json!({ "id": id, "outcome": "as-expected", "verdict": "翌朝に 0.8 °C 下がった", "judged_by": "N-07" }),
        )
        .await;
    assert_eq!((&judged["changed"], &judged["version"]), (&json!(true), &json!(2)));
    assert_eq!(bench.refusal("decision verdict", json!({ "id": id, "outcome": "worse" })).await.code(), "E-SENSE-014");
    bench.run("decision verdict", json!({ "id": id, "outcome": "worse", "reason": "記録の取り違え" })).await;
    let history = bench.run("record history", json!({ "kind": "decision", "id": id })).await;
    assert_eq!(history["versions"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn observers_are_calibrated_from_blind_repeats() {
    let bench = Bench::new().await;
    bench.put("run", "run-panel", json!({ "title": "模擬: きき酒会", "key": "panel", "started": "2026-02-01T00:00:00Z", "format": "manual", "zone_evidence": "file", "zero_is": "start-of-file", "simulated": true })).await;
    // Three observers, four blind samples twice each: B judges one step higher, C does not repeat themself.
    let truth = [1.0, 2.0, 3.0, 4.0];
    for (s, level) in truth.iter().enumerate() {
        for round in 0..2 {
            let wobble: f64 = if round == 0 { 1.0 } else { -1.0 };
            for (observer, judged) in [("A", *level), ("B", level + 1.0), ("C", level + wobble)] {
                let at = format!("2026-02-01T0{}:{:02}:00Z", round + 1, s * 10);
                bench.run("sense record", json!({ "run": "run-panel", "term": "sake:510", "level": judged, "observer": observer, "blind": true, "blind_sample": format!("S{s}"), "time": at })).await;
            }
        }
    }
    bench.run("sense record", json!({ "run": "run-panel", "term": "sake:510", "level": 5, "observer": "A" })).await;
    let answer = bench.run("sense observers", json!({ "term": "sake:510" })).await;
    assert_eq!((&answer["used"], &answer["not_used"]), (&json!(24), &json!(1)));
    let panel = &answer["terms"][0]["panel"];
    let of = |name: &str| panel["observers"].as_array().unwrap().iter().find(|o| o["observer"] == name).unwrap().clone();
    assert_eq!((&of("A")["repeatability"], &of("B")["bias"]), (&json!(0.0), &json!(1.0)));
    assert!((of("C")["repeatability"].as_f64().unwrap() - 2.0_f64.sqrt()).abs() < 1e-12);
    assert_eq!(panel["agreement_of"], json!(["A", "B", "C"]));
    let no_sample = bench
        .refusal("sense record", json!({ "run": "run-panel", "term": "sake:510", "level": 1, "observer": "A", "blind": true }))
        .await;
    assert_eq!(
        (no_sample.code(), no_sample.fault().place.as_ref().unwrap().field.as_deref()),
        ("E-SENSE-009", Some("blind_sample"))
    );
}

/// A drawn photo as PNG: the card on the left three fifths, the subject on the right, in warm light.
fn photo(card: &Json, subject: [u8; 3]) -> Vec<u8> {
    const SIDE: usize = 240;
    let mut rows = Vec::new();
    for y in 0..SIDE {
        for x in 0..SIDE {
            let patch = &card["patch"][(y * 4 / SIDE) * 6 + (x * 6 / (SIDE * 3 / 5)).min(5)]["srgb"];
            let colour: [f64; 3] =
                if x < SIDE * 3 / 5 { std::array::from_fn(|c| patch[c].as_f64().unwrap()) } else { subject.map(f64::from) };
            let warm = [0.95, 0.88, 0.72];
            rows.extend((0..3).map(|c| (((colour[c] / 255.0).powf(2.2) * warm[c]).powf(1.0 / 2.2) * 255.0).round() as u8));
        }
    }
    png(SIDE, &rows)
}

/// A PNG of stored (not compressed) blocks: what a test needs of an encoder.
fn png(side: usize, rgb: &[u8]) -> Vec<u8> {
    let crc = |bytes: &[u8]| {
        !bytes.iter().fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 })
        })
    };
    let mut raw = Vec::new();
    for row in rgb.chunks(side * 3) {
        raw.push(0);
        raw.extend(row);
    }
    let (mut a, mut b) = (1u32, 0u32);
    for byte in &raw {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    let mut packed = vec![0x78, 1];
    let blocks: Vec<&[u8]> = raw.chunks(65_535).collect();
    for (i, block) in blocks.iter().enumerate() {
        let n = block.len() as u16;
        packed.push(u8::from(i + 1 == blocks.len()));
        packed.extend(n.to_le_bytes());
        packed.extend((!n).to_le_bytes());
        packed.extend(*block);
    }
    packed.extend((b << 16 | a).to_be_bytes());
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let size = (side as u32).to_be_bytes();
    for (name, body) in [(b"IHDR", [&size[..], &size[..], &[8, 2, 0, 0, 0]].concat()), (b"IDAT", packed), (b"IEND", Vec::new())] {
        out.extend((body.len() as u32).to_be_bytes());
        let chunk = [&name[..], &body].concat();
        out.extend(&chunk);
        out.extend(crc(&chunk).to_be_bytes());
    }
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colour_is_measured_in_a_photo_by_its_card_and_the_photo_kept_as_it_came() {
    let bench = Bench::new().await;
    bench.put("run", "run-colour", json!({ "title": "模擬: 色", "key": "colour", "started": "2026-02-01T00:00:00Z", "format": "manual", "zone_evidence": "file", "zero_is": "start-of-file", "simulated": true })).await;
    let card = bench.output("sense card", json!({})).await;
    assert!(String::from_utf8(card.attachment.unwrap().bytes).unwrap().starts_with("<svg"));
    let bytes = photo(&card.json, [226, 196, 120]);
    let path = bench.file("tank.png", &bytes);
    let corners = json!([[0.0, 0.0], [0.6, 0.0], [0.6, 1.0], [0.0, 1.0]]);
    let subject = json!({ "x": 0.7, "y": 0.3, "width": 0.2, "height": 0.3 });
    let record = |path: String, corners: Json, keep: bool, id: &str| {
        bench.run(
            "sense record",
            json!({ "id": id, "run": "run-colour", "attribute": "colour", "elapsed_s": 60, "observer": "N-07",
            "photo": { "path": path, "corners": corners, "subject": subject, "keep_unmeasured": keep } }),
        )
    };
    let measured = record(path.clone(), corners.clone(), false, "obs-colour").await;
    let lab = &measured["colour"]["lab"];
    // L* a* b* of sRGB (226, 196, 120).
    for (name, wanted) in [("l", 80.35), ("a", 2.36), ("b", 41.03)] {
        assert!((lab[name].as_f64().unwrap() - wanted).abs() < 1.5, "{name}: {measured}");
    }
    assert!(measured["colour"]["error"].as_f64().unwrap() < 2.0);
    let observation = bench.get("observation", "obs-colour").await;
    let file = bench.get("file", observation["fields"]["photo"].as_str().unwrap()).await;
    assert_eq!((&file["fields"]["format"], &file["fields"]["bytes"]), (&json!("photo"), &json!(bytes.len())));
    assert_eq!(record(path.clone(), corners.clone(), false, "obs-colour").await["changed"], false);
    // Corners beside the card: refused, or kept without a number where the person asked for that.
    let beside = json!([[0.3, 0.1], [0.95, 0.1], [0.95, 0.6], [0.3, 0.6]]);
    let refused = bench.refusal("sense colour", json!({ "path": path, "corners": beside, "subject": subject })).await;
    assert!(["E-COLOUR-002", "E-COLOUR-003"].contains(&refused.code()) && refused.fault().hint.is_some(), "{refused:?}");
    let kept = record(path, beside, true, "obs-kept").await;
    assert!(kept["colour"].is_null() && kept["diagnostics"][0]["code"] == "W-SENSE-011", "{kept}");
    assert!(bench.get("observation", "obs-kept").await["fields"]["lightness"].is_null());
    bench.is_sound().await;
}
