//! Analyses and feedback of simulated runs, held against the truth that the simulator keeps beside them.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use crate::{Options, Progress, Session};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use toji_core::{Access, Digest, Id, Instant};

struct Bench {
    session: Arc<Session>,
    _folder: tempfile::TempDir,
}

const NOW: &str = "2026-11-24T03:00:00Z";

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { zone: Some("Asia/Tokyo".into()), ..Options::default() };
        Self { session: Session::init(&folder.path().join("store"), options).await.unwrap(), _folder: folder }
    }
    async fn call(&self, now: &str, name: &str, input: Json) -> toji_core::Result<Json> {
        let context = self.session.context(Progress::silent(), Instant::parse(now).unwrap());
        Ok(crate::operation(name).unwrap().run(context, input).await?.json)
    }
    async fn run(&self, name: &str, input: Json) -> Json {
        self.call(NOW, name, input.clone()).await.unwrap_or_else(|e| panic!("{name} {input}: {e:?}"))
    }
    /// The truth of a reactor: rows of columns by name, times counted from inoculation (h).
    async fn truth(&self, address: &Json, reactor: &str) -> Vec<BTreeMap<String, f64>> {
        let address = Digest::parse(address.as_str().unwrap()).unwrap();
        let bytes = self.session.store.blob(&Access::owner(), address).await.unwrap();
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let names = reader.headers().unwrap().clone();
        let rows = reader.records().map(Result::unwrap).filter(|r| &r[0] == reactor && r.get(3).is_some());
        rows.map(|r| names.iter().zip(r.iter()).filter_map(|(n, v)| Some((n.to_owned(), v.parse().ok()?))).collect())
            .filter(|r: &BTreeMap<String, f64>| r.contains_key("age_h"))
            .collect()
    }
}

fn of(answer: &Json, code: &str) -> Json {
    let found = answer["quantities"].as_array().unwrap().iter().find(|q| q["code"] == code).cloned();
    found.unwrap_or_else(|| panic!("{code} is not among {}", answer["not_determined"]))
}
fn number(of: &Json) -> f64 {
    of.as_f64().unwrap_or_else(|| panic!("{of} is no number"))
}
fn slope(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let (mx, my) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let (sxy, sxx) = pairs.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + (x - mx) * (y - my), b + (x - mx).powi(2)));
    sxy / sxx
}

/// Value against truth: within the share, and no wider than a reader would believe.
fn near(q: &Json, truth: f64, share: f64) {
    let value = number(&q["value"]);
    assert!((value - truth).abs() <= share * truth.abs(), "{}: {value} against {truth} ({q})", q["code"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_analysis_of_a_simulated_run_agrees_with_its_truth() {
    let bench = Bench::new().await;
    for (organism, seed) in [("e-coli", 7), ("yeast", 8)] {
        let input =
            json!({ "name": format!("T-{organism}"), "organism": organism, "hours": 20.0, "every_s": 20.0, "seed": seed });
        let made = bench.run("simulate run", input).await;
        let run = made["runs"][0]["id"].as_str().unwrap();
        let answer = bench.run("culture analyse", json!({ "run": run })).await;
        let truth = bench.truth(&made["truth"], "R01").await;
        let col = |name: &'static str| truth.iter().map(move |r| (r["age_h"], r[name]));
        let between = |name: &'static str, from: f64, to: f64| col(name).filter(move |(t, _)| (from..=to).contains(t));
        let at = |name: &'static str, t: f64| col(name).min_by(|a, b| (a.0 - t).abs().total_cmp(&(b.0 - t).abs())).unwrap().1;

        // Valid: nothing that a simulated run lacks is an error.
        let errors: Vec<&Json> = answer["findings"].as_array().unwrap().iter().filter(|f| f["severity"] == "error").collect();
        assert!(answer["valid"] == true && errors.is_empty(), "{errors:?}");
        assert_eq!(answer["findings"].as_array().unwrap().iter().filter(|f| f["kind"].is_null()).count(), 0);

        // Growth: the slope of the true ln(biomass) in the very window; the probe's gain is no matter, its noise is.
        let rate = of(&answer, "growth-rate-max");
        let (from, to) = (number(&rate["from_s"]) / 3600.0, number(&rate["to_s"]) / 3600.0);
        let amount: Vec<(f64, f64)> = truth
            .iter()
            .filter(|r| (from..=to).contains(&r["age_h"]))
            .map(|r| (r["age_h"], (r["biomass_g_per_l"] * r["volume_l"]).ln()))
            .collect();
        near(&rate, slope(&amount), 0.03);
        assert!(to - from > 1.0 && number(&rate["low"]) < number(&rate["high"]));
        let fastest = between("growth_per_h", 0.2, 20.0).map(|(_, v)| v).fold(0.0, f64::max);
        assert!(number(&rate["value"]) < 1.05 * fastest && number(&rate["value"]) > 0.75 * fastest, "{rate} of {fastest}");
        // The simulator knows no lag; warming up and the first minutes may look like a little.
        assert!(number(&of(&answer, "lag-time")["value"]).abs() < 0.5, "{}", of(&answer, "lag-time"));

        // Yields: the slope of the true totals at the very samples.
        let samples = bench.session.store.linked(&Access::owner(), "sample", "run", run).await.unwrap();
        let mut drawn: Vec<(f64, f64)> = samples
            .iter()
            .map(|s| {
                (s.fields["elapsed_s"].as_f64().unwrap() / 3600.0, s.fields["fields"]["volume_ml"].as_f64().unwrap() / 1000.0)
            })
            .collect();
        drawn.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(drawn.len() >= 8, "{}", drawn.len());
        let total = |name: &'static str, t: f64| {
            let out: f64 = drawn.iter().filter(|(d, _)| *d < t - 1e-6).map(|(d, l)| at(name, *d) * l).sum();
            at(name, t) * at("volume_l", t) + out
        };
        let totals: Vec<(f64, f64, f64)> = drawn
            .iter()
            .map(|(t, _)| {
                (
                    at("feed_ml", *t) * 0.5 - total("glucose_g_per_l", *t),
                    total("biomass_g_per_l", *t),
                    total("product_g_per_l", *t),
                )
            })
            .collect();
        let xs = slope(&totals.iter().map(|(s, x, _)| (*s, *x)).collect::<Vec<_>>());
        near(&of(&answer, "yield-biomass-substrate"), xs, 0.05);
        let last = drawn.last().unwrap().0;
        if organism == "e-coli" {
            let px = slope(&totals.iter().map(|(_, x, p)| (*x, *p)).collect::<Vec<_>>());
            near(&of(&answer, "yield-product-biomass"), px, 0.08);
            // A sample with 2 % of error.
            near(&of(&answer, "titre-final"), at("product_g_per_l", last), 0.07);
            near(&of(&answer, "productivity"), at("product_g_per_l", last) / last, 0.07);
        } else {
            let why = answer["not_determined"].as_array().unwrap().iter().find(|n| n["code"] == "titre-final").unwrap();
            assert!(why["why"]["ja"].as_str().unwrap().contains("生産物"), "{why}");
        }
        near(&of(&answer, "biomass-final"), at("biomass_g_per_l", last), 0.08);
        let overflow = drawn.iter().map(|(t, _)| at("overflow_g_per_l", *t)).fold(0.0, f64::max);
        near(&of(&answer, "overflow-max"), overflow, 0.1);

        // Gas: the highest mean of ten minutes, and all carbon dioxide over all oxygen. The analyser is off by
        // 0.02 % of O2 (1 σ), the flow meter by half a per cent.
        let means = |name: &'static str| {
            let ten = |i: usize| between(name, i as f64 / 6.0, (i + 1) as f64 / 6.0).map(|(_, v)| v).sum::<f64>() / 10.0;
            (0..119).map(ten).fold(0.0, f64::max)
        };
        near(&of(&answer, "oxygen-uptake-max"), means("our_mmol_per_l_h"), 0.08);
        near(&of(&answer, "carbon-evolution-max"), means("cer_mmol_per_l_h"), 0.08);
        let sum = |name: &str| truth.iter().map(|r| r[name] * r["volume_l"]).sum::<f64>();
        near(&of(&answer, "respiratory-quotient"), sum("cer_mmol_per_l_h") / sum("our_mmol_per_l_h"), 0.06);
        near(&of(&answer, "feed-total"), truth.last().unwrap()["feed_ml"], 0.01);
        near(&of(&answer, "base-total"), truth.last().unwrap()["base_ml"] - truth[0]["base_ml"], 0.03);
        assert!(
            number(&of(&answer, "time-in-band-ph")["value"]) > 90.0
                && number(&of(&answer, "time-in-band-temperature")["value"]) > 90.0
        );
        let growth = &answer["growth"];
        assert_eq!(growth["t_s"].as_array().unwrap().len(), growth["rate_per_h"].as_array().unwrap().len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_inputs_change_nothing_and_a_changed_one_is_a_new_version() {
    let bench = Bench::new().await;
    let made = bench
        .run("simulate run", json!({ "name": "SAME", "hours": 6.0, "every_s": 60.0, "seed": 3, "recipe": { "stop_at_h": 5.5 } }))
        .await;
    let run = made["runs"][0]["id"].as_str().unwrap();
    let tried = bench.run("culture analyse", json!({ "run": run, "keep": false })).await;
    assert!(tried["analysis"].is_null());
    let first = bench.run("culture analyse", json!({ "run": run })).await;
    let id = first["analysis"].as_str().unwrap();
    let seq = bench.session.store.seq(&Access::owner()).await.unwrap();
    let again = bench.call("2026-11-25T03:00:00Z", "culture analyse", json!({ "run": run })).await.unwrap();
    assert_eq!((&again, bench.session.store.seq(&Access::owner()).await.unwrap()), (&first, seq));
    // The end of the run concludes it: the same record, no new event.
    let now = Instant::parse("2026-11-26T03:00:00Z").unwrap();
    let concluded = super::conclude(&bench.session, &Access::owner(), now, &Id::parse(run).unwrap()).await.unwrap();
    assert_eq!((concluded.unwrap().as_str(), bench.session.store.seq(&Access::owner()).await.unwrap()), (id, seq));
    // What is stored is what was answered, with the inputs it came from.
    let stored = bench.session.store.record(&Access::owner(), "analysis", id, None).await.unwrap();
    assert_eq!((stored.version, &stored.fields["quantities"], &stored.fields["run"]), (1, &first["quantities"], &json!(run)));
    let channels = stored.fields["inputs"]["channels"].as_array().unwrap();
    assert!(channels.len() > 10 && channels.iter().all(|c| c["sha256"].as_str().unwrap().len() == 64), "{channels:?}");
    let (quantities, _) = super::analyse::quantities(&bench.session.context(Progress::silent(), now), run).await.unwrap();
    assert_eq!(json!(quantities), first["quantities"]);
    // A stated factor turns OD into dry mass: a changed input, a new version.
    let shown = bench.run("record get", json!({ "kind": "run", "id": run })).await;
    let mut further = shown["fields"]["fields"].clone();
    further["dry_weight_per_unit_g_per_l"] = json!(0.36);
    bench.run("record put", json!({ "kind": "run", "id": run, "fields": { "fields": further } })).await;
    let third = bench.run("culture analyse", json!({ "run": run })).await;
    assert_eq!(third["analysis"], first["analysis"]);
    let now_stored = bench.session.store.record(&Access::owner(), "analysis", id, None).await.unwrap();
    assert!(now_stored.version >= stored.version);
    let error = bench.call(NOW, "culture analyse", json!({ "run": "run-none" })).await.unwrap_err();
    assert!(error.fault().hint.is_some(), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_has_not_ended_is_not_concluded() {
    let bench = Bench::new().await;
    let made = bench
        .run("simulate run", json!({ "name": "OPEN", "hours": 3.0, "every_s": 60.0, "seed": 3, "recipe": { "stop_at_h": 2.5 } }))
        .await;
    let run = Id::parse(made["runs"][0]["id"].as_str().unwrap()).unwrap();
    let events = bench.session.store.linked(&Access::owner(), "event", "run", run.as_str()).await.unwrap();
    for stop in events.iter().filter(|e| e.fields["sort"] == "stop") {
        bench.run("record retire", json!({ "kind": "event", "id": stop.id.as_str(), "reason": "open" })).await;
    }
    let now = Instant::parse(NOW).unwrap();
    assert_eq!(super::conclude(&bench.session, &Access::owner(), now, &run).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn learners_hear_of_their_own_run_with_numbers_and_of_others_only_as_a_class() {
    let bench = Bench::new().await;
    let vessels = bench.run("culture vessels", json!({})).await;
    let system = vessels["vessels"].as_array().unwrap().iter().find(|v| v["units"] == 12).unwrap()["id"].clone();
    let feed = |start: Json| json!({ "feed": { "profile": "exponential", "growth_rate_per_h": 0.15, "start": start } });
    let condition = |name: &str, learner: &str, recipe: Json| json!({ "name": name, "learner": learner, "recipe": recipe });
    let plan = json!({ "name": "class", "system": system, "replicates": 1, "seed": 1, "conditions": [
        condition("on-time", "LEARNER-ALPHA", feed(json!({ "at": "oxygen-rise" }))),
        condition("early", "LEARNER-BETA", feed(json!({ "at": "hour", "h": 4.0 }))),
        condition("late", "LEARNER-GAMMA", feed(json!({ "at": "hour", "h": 13.0 }))),
    ] });
    let experiment = bench.run("culture plan", plan).await["experiment"].clone();
    bench.run("simulate run", json!({ "experiment": experiment, "hours": 18.0, "every_s": 30.0, "seed": 5 })).await;
    let answer = bench.run("culture feedback", json!({ "experiment": experiment })).await;
    assert_eq!(answer["classes"], json!({ "runs": 3, "with_learner": 3 }));
    let learners = answer["learners"].as_array().unwrap();
    let names: Vec<&str> = learners.iter().map(|l| l["learner"].as_str().unwrap()).collect();
    assert_eq!(names, ["LEARNER-ALPHA", "LEARNER-BETA", "LEARNER-GAMMA"]);
    let point = |i: usize, topic: &str| {
        let points = learners[i]["points"].as_array().unwrap();
        points.iter().find(|p| p["topic"] == topic).cloned().unwrap_or_else(|| panic!("{topic} in {points:?}"))
    };
    assert_eq!(point(0, "feed-start")["verdict"], "good", "{}", point(0, "feed-start"));
    // Fed from the fourth hour on sugar that was still there: no rise before the feed, or long after it.
    assert_ne!(point(1, "feed-start")["verdict"], "good", "{}", point(1, "feed-start"));
    let late = point(2, "feed-start");
    assert!(late["verdict"] == "improve" && number(&late["value"]) > 15.0 && late["unit"] == "min", "{late}");
    for (i, learner) in learners.iter().enumerate() {
        for p in learner["points"].as_array().unwrap() {
            let words = format!("{}{}", p["message"]["ja"], p["message"]["en"]);
            assert!(p["message"]["ja"] != p["message"]["en"] && words.chars().any(|c| c.is_ascii_digit()), "{p}");
            for other in names.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, n)| n) {
                assert!(!words.contains(other), "{p} names {other}");
            }
        }
        let compared = learner["compared"].as_array().unwrap();
        let titre = compared.iter().find(|c| c["code"] == "titre-final").unwrap_or_else(|| panic!("{compared:?}"));
        assert!(titre["of"] == 3 && (1..=3).contains(&titre["rank"].as_u64().unwrap()), "{titre}");
        assert!(number(&titre["best"]) >= number(&titre["median"]));
    }
    // Places are given once each, the best is place 1.
    let mut ranks: Vec<(u64, bool)> = learners
        .iter()
        .map(|l| l["compared"].as_array().unwrap().iter().find(|c| c["code"] == "titre-final").unwrap())
        .map(|c| (c["rank"].as_u64().unwrap(), c["own"] == c["best"]))
        .collect();
    ranks.sort_unstable();
    assert_eq!(ranks, [(1, true), (2, false), (3, false)]);
    let one = bench.run("culture feedback", json!({ "experiment": experiment, "learner": "LEARNER-BETA" })).await;
    assert_eq!((one["learners"].as_array().unwrap().len(), &one["learners"][0]), (1, &learners[1]));
    let error = bench.call(NOW, "culture feedback", json!({ "experiment": experiment, "learner": "nobody" })).await.unwrap_err();
    assert_eq!(error.code(), "E-CULTURE-004");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_large_vessel_come_from_a_run_in_a_small_one() {
    let bench = Bench::new().await;
    bench.run("culture vessels", json!({})).await;
    let made =
        bench.run("simulate run", json!({ "name": "SC", "scale": "30-l", "hours": 12.0, "every_s": 30.0, "seed": 4 })).await;
    let run = &made["runs"][0]["id"];
    let analysed = bench.run("culture analyse", json!({ "run": run })).await;
    let answer = bench.run("culture scale", json!({ "run": run, "power_w": 20_000.0, "coil_m2": 4.0 })).await;
    let uptake = number(&of(&analysed, "oxygen-uptake-max")["value"]);
    assert!((number(&answer["oxygen_mmol_per_l_h"]) / uptake - 1.0).abs() < 1e-9, "{answer}");
    let proposals = answer["proposals"].as_array().unwrap();
    assert_eq!(proposals.len(), 8, "four rules for the stirrer, two for the gas");
    for proposal in proposals {
        let limits = proposal["limits"].as_array().unwrap();
        for limit in ["oxygen", "heat", "flooding", "power"] {
            let found = limits.iter().find(|l| l["constraint"] == limit).unwrap_or_else(|| panic!("{limit} in {proposal}"));
            assert_eq!(found["met"] == true, number(&found["bound"]) >= number(&found["value"]));
        }
        assert!((0.0..=1.0).contains(&number(&proposal["probability"])));
    }
    // A range that is left is named: 3,000 L working volume lies beyond van 't Riet's 2.6 m³ or below it, never unsaid.
    let beyond =
        number(&bench.run("record get", json!({ "kind": "vessel", "id": "vessel-3000l" })).await["fields"]["volume_working_l"]);
    let said =
        proposals[0]["warnings"].as_array().unwrap().iter().any(|w| w["en"].as_str().unwrap().contains("volume of the broth"));
    assert_eq!(said, beyond > 2600.0, "{}", proposals[0]);
    let chances = answer["chances"].as_array().unwrap();
    assert!(chances.iter().any(|c| c["vessel"] == "vessel-30l") && chances.iter().any(|c| c["vessel"] == "vessel-3000l"));
    assert!(answer["shares"][0]["first_order"].as_f64().unwrap() > 0.2 && answer["measurement"]["ja"].is_string(), "{answer}");
    // Stated numbers go before the run's, the same seed gives the same, and nothing is guessed.
    let stated = json!({ "agitation_per_min": 500.0, "gas_l_per_min": 20.0, "oxygen_mmol_per_l_h": 400.0, "seed": 1 });
    let hard = bench.run("culture scale", stated.clone()).await;
    assert_eq!(hard, bench.run("culture scale", stated).await);
    assert!(hard["proposals"].as_array().unwrap().iter().all(|p| p["limits"][0]["met"] == false), "no air gives 400 mmol/(L·h)");
    // The map itself, where it is asked for: as many points are feasible in it as are told.
    assert!(hard["margins"].is_null(), "{}", hard["margins"]);
    let asked = json!({ "agitation_per_min": 500.0, "gas_l_per_min": 20.0, "oxygen_mmol_per_l_h": 60.0, "margins": true });
    let drawn = bench.run("culture scale", asked).await;
    let axis = |name: &str| drawn["margins"][name].as_array().unwrap().len();
    let (points, limits) = (axis("agitation_per_min") * axis("gas_l_per_min"), drawn["margins"]["limits"].as_array().unwrap());
    assert!(limits.iter().all(|l| l["ratio"].as_array().unwrap().len() == points && l["label"]["ja"].is_string()));
    // A ratio without bounds is no number in JSON, and met.
    let feasible = (0..points).filter(|i| limits.iter().all(|l| l["ratio"][*i].as_f64().is_none_or(|r| r >= 1.0))).count();
    let share = feasible as f64 / points as f64;
    assert!(share > 0.0 && (share - number(&drawn["feasible_share"])).abs() < 1e-12, "{share} {}", drawn["feasible_share"]);
    let error = bench.call(NOW, "culture scale", json!({ "agitation_per_min": 500.0, "gas_l_per_min": 20.0 })).await.unwrap_err();
    assert_eq!(error.code(), "E-SCALE-010");
}

#[tokio::test]
async fn gas_in_the_explosive_range_is_refused_by_shared_rules() {
    let bench = Bench::new().await;
    let feed = json!({ "mixture": { "hydrogen": 0.7, "oxygen": 0.2, "carbon_dioxide": 0.1 } });
    let answer = bench.run("culture gas-safety", feed.clone()).await;
    assert_eq!((&answer["permitted"], &answer["standing"]), (&json!(false), &json!("inside")));
    assert!(
        answer["reason"]["ja"].as_str().unwrap().contains("4.6 %")
            && answer["caution"]["en"].as_str().unwrap().contains("qualified")
    );
    let safe = bench.run("culture gas-safety", json!({ "mixture": answer["safe"] })).await;
    assert_eq!(safe["permitted"], true);
    // The rules are records that every project may read. The design of a device is none of them.
    bench.run("culture gas-safety", json!({ "publish": true })).await;
    let stored = bench.run("record list", json!({ "kind": "safety-rule" })).await;
    let stored = stored["records"].as_array().unwrap();
    assert_eq!(stored.len(), 6);
    assert!(stored.iter().all(|r| r["fields"]["area"] == "public" && r["fields"]["source"].is_string()));
    // A house is stricter than the shared rules, never laxer.
    let mut rule = stored.iter().find(|r| r["id"] == "h2-loc").unwrap()["fields"].clone();
    let applied = async |rule: &Json, amount: f64| {
        let mut fields = rule.clone();
        fields["amount"] = json!(amount);
        fields["number"] = json!(2);
        bench.run("record put", json!({ "kind": "safety-rule", "id": "h2-loc", "fields": fields })).await;
        let answer = bench.run("culture gas-safety", json!({ "mixture": { "nitrogen": 1.0 } })).await;
        let rules = answer["rules"].as_array().unwrap().clone();
        number(&rules.iter().find(|r| r["id"] == "h2-loc").unwrap()["value"])
    };
    assert_eq!(applied(&rule, 4.0).await, 4.0);
    assert_eq!(applied(&rule, 5.2).await, 4.6);
    rule["unit"] = json!("1");
    assert_eq!(applied(&rule, 0.04).await, 4.6, "a rule in another unit is not compared");
    // A path: hydrogen into air, without a purge.
    let plan = json!({ "head_space_mol": 1.0, "start": { "oxygen": 0.21, "nitrogen": 0.79 }, "faults": { "agitation": false, "supplies": false },
        "phases": [{ "name": "start", "kind": "start-up", "inflows": [
            { "name": "H2", "mixture": { "hydrogen": 1.0 }, "low_mol_per_h": 60.0, "high_mol_per_h": 60.0 }] }] });
    let answer = bench.run("culture gas-safety", json!({ "plan": plan })).await;
    assert_eq!(answer["permitted"], false);
    let first = &answer["entries"][0];
    assert_eq!((&first["spot"], &first["exact"]), (&json!("head-space"), &json!(true)));
    assert!((number(&first["minutes"]) + 0.99_f64.ln()).abs() < 1e-9, "{first}");
    for bad in [json!({}), json!({ "mixture": { "hydrogen": 1.0 }, "plan": plan })] {
        assert_eq!(bench.call(NOW, "culture gas-safety", bad).await.unwrap_err().code(), "E-GAS-020");
    }
    assert_eq!(
        bench.call(NOW, "culture gas-safety", json!({ "mixture": { "hydrogen": 2.0 } })).await.unwrap_err().code(),
        "E-GAS-012"
    );
}

/// Models through their operations: by name, by file and by address; and what is refused, at its field.
#[tokio::test]
async fn models_are_checked_and_simulated_as_they_are_named() {
    let bench = Bench::new().await;
    let checked = bench.run("culture check", json!({ "model": "chen-hwang-1990" })).await;
    assert_eq!((checked["id"].as_str(), checked["states"].as_u64()), (Some("chen-hwang-1990"), Some(5)));
    let input = json!({ "model": "chen-hwang-1990", "until": "3637.6391818206336 min", "quantities": ["product"], "points": 3 });
    let simulated = bench.run("culture simulate", input).await;
    let last = simulated["series"][0]["last"].as_f64().unwrap();
    // Chen and Hwang's problem in ten pieces, re-simulated by an independent solver.
    assert!((last / 20_670.982_232_858_49 - 1.0).abs() < 1e-5, "{last}");
    assert_eq!((simulated["accurate"].as_bool(), simulated["warnings"].as_array().map(Vec::len)), (Some(true), Some(0)));

    let file = bench._folder.path().join("mine.toml");
    let text = toji_culture::model::shipped("monod-fed-batch").unwrap();
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    // The feed holds a growth rate that the strain cannot reach: the formula of the start gives less than nothing.
    let set = json!({ "model": path, "until": "2 h", "set": { "mu_set": "0.01 /min" } });
    let warned = bench.run("culture simulate", set).await;
    assert_eq!(warned["set"][0], json!({ "name": "mu_set", "value": 0.6, "unit": "/h" }));
    assert!(warned["warnings"][0]["en"].as_str().unwrap().contains("«S» is negative at 0 h"), "{}", warned["warnings"]);

    std::fs::write(&file, text.replace("mu * X", "mu * Q")).unwrap();
    let error = bench.call(NOW, "culture check", json!({ "model": path })).await.unwrap_err();
    let found = &error.fault().diagnostics[0];
    assert_eq!(
        (error.code(), found.place.file.as_deref(), found.place.field.as_deref()),
        ("E-MODEL-013", Some("mine.toml"), Some("reaction.growth.rate"))
    );
    for (input, code, field) in [
        (json!({ "model": "nowhere", "until": "1 h" }), "E-RUN-003", "model"),
        (json!({ "model": "monod-fed-batch", "until": "1 kg" }), "E-UNIT-002", "until"),
        (json!({ "model": "monod-fed-batch", "until": "soon" }), "E-MODEL-016", "until"),
        (json!({ "model": "monod-fed-batch", "until": "1 h", "set": { "mu": 1 } }), "E-MODEL-003", "set.mu"),
        (json!({ "model": "monod-fed-batch", "until": "1 h", "points": 1 }), "E-MODEL-017", "points"),
        (json!({ "model": "monod-fed-batch", "until": "1 h", "quantities": ["Q"] }), "E-MODEL-002", "quantities"),
    ] {
        let error = bench.call(NOW, "culture simulate", input).await.unwrap_err();
        let place = error.fault().place.as_ref().and_then(|p| p.field.as_deref());
        assert_eq!((error.code(), place), (code, Some(field)));
    }
}

const FED: &str = r#"
[model]
id = "fed-monod"
title = { ja = "流加培養", en = "Fed-batch" }
source = "Monod J (1949) Annu Rev Microbiol 3:371-394"
time = "h"
[vessel]
volume = 1.0
unit = "L"
[constant]
mu_max = { value = 0.42, unit = "/h" }
K_S = { value = 0.1, unit = "g/L" }
Y = { value = 0.5, unit = "g/g" }
S_feed = { value = 400, unit = "g/L" }
[species]
X = { unit = "g/L", initial = 0.2 }
S = { unit = "g/L", initial = 10 }
[profile.F]
unit = "L/h"
at = [0, 10, 14]
values = [0, 0.01, 0.03]
[reaction.growth]
rate = "mu_max * S / (K_S + S) * X"
unit = "g/(L.h)"
makes = { X = "1 [g/g]", S = "-1 / Y" }
[stream.feed]
inflow = "F"
unit = "L/h"
contains = { S = "S_feed" }
"#;

/// A run whose truth is known: what a model gives, with 3 % of scatter on its biomass, as a table that a fit reads back
/// through the importer, the feed being the run's own.
#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_fitted_to_a_run_that_it_was_not_told_of() {
    let bench = Bench::new().await;
    let truth = bench.run("culture simulate", json!({ "model": FED, "until": "20 h", "points": 41 })).await;
    let of = |name: &str| {
        let line = truth["series"].as_array().unwrap().iter().find(|l| l["name"] == name).unwrap().clone();
        line["values"].as_array().unwrap().iter().map(number).collect::<Vec<f64>>()
    };
    let (x, s, f) = (of("X"), of("S"), of("F"));
    let mut chance = toji_core::chance::Chance::new(11);
    let mut table = String::from("Time (h),Dry weight (g/L),Glucose (g/L),Feed rate (mL/h)\n");
    for (i, t) in truth["time"].as_array().unwrap().iter().enumerate() {
        let (biomass, glucose) = (x[i] * (1.0 + 0.03 * chance.normal()), (s[i] + 0.1 * chance.normal()).max(0.0));
        table += &format!("{t},{biomass:.4},{glucose:.4},{:.3}\n", 1000.0 * f[i]);
    }
    let path = bench._folder.path().join("run.csv");
    std::fs::write(&path, table).unwrap();
    let mapping = bench.run("run propose", json!({ "path": path })).await["mapping"].clone();
    let made = bench.run("run import", json!({ "paths": [path], "mapping": mapping })).await;
    // Told nothing of the truth but its form: other constants, no feed.
    let untold = FED
        .replace("0.42", "0.2")
        .replace("value = 0.5", "value = 0.3")
        .replace("at = [0, 10, 14]", "at = [0]")
        .replace("values = [0, 0.01, 0.03]", "values = [0]");
    let input = json!({
        "model": untold, "runs": [made["runs"][0]["id"]], "readings": { "X": "dry-weight", "S": "glucose" },
        "follow": { "F": "feed" }, "noise": { "X": "3 %", "S": "0.1 g/L" },
        "parameters": {
            "mu_max": ["0.05 /h", "1 /h"], "Y": ["0.1 g/g", 1], "K_S": ["0.001 g/L", "5 g/L"],
            "S_feed": { "low": 300, "high": 500, "expected": "400 g/L", "spread": 0.01, "log": true },
        },
    });
    let fit = bench.run("culture fit", input.clone()).await;
    for (name, truth) in [("mu_max", 0.42), ("Y", 0.5), ("K_S", 0.1)] {
        let found = fit["parameters"].as_array().unwrap().iter().find(|p| p["name"] == name).unwrap();
        let (low, high) = (number(&found["low"]), number(&found["high"]));
        assert!(found["identifiable"] == "determined" && found["at_bound"] == false, "{found}");
        assert!(low < truth && truth < high && high - low < 0.8 * truth, "{name}: {truth} in {low}..{high}");
    }
    assert!(number(&fit["starts_at_best"]) >= 2.0, "{}", fit["starts"]);
    let worst = fit["readings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["quantity"] == "X")
        .map(|r| (number(&r["measured"]) / number(&r["modelled"]) - 1.0).abs());
    assert!(worst.fold(0.0, f64::max) < 0.12);

    // What is found is handed on as it stands.
    let again = json!({ "model": FED, "until": "20 h", "points": 41, "set": fit["set"] });
    let again = bench.run("culture simulate", again).await;
    let last = again["series"].as_array().unwrap().iter().find(|l| l["name"] == "X").map(|l| number(&l["last"])).unwrap();
    assert!((last / x[40] - 1.0).abs() < 0.05, "{last} beside {}", x[40]);

    // The same fit as a PEtab problem, written and read back, ends at the same point.
    for version in [1, 2] {
        let folder = bench._folder.path().join(format!("petab-{version}"));
        let mut asked = input.clone();
        asked["format_version"] = version.into();
        asked["dir"] = folder.to_str().into();
        let written = bench.run("culture petab", asked.clone()).await;
        assert_eq!((&written["readings_left_out"], &written["dir"]), (&json!(0), &asked["dir"]));
        let problem = folder.join(written["files"][0]["name"].as_str().unwrap());
        let read = bench.run("culture fit", json!({ "model": problem, "profiles": false })).await;
        let offset = number(&written["minus_two_log_offset"]);
        let (here, there) = (number(&fit["minus_two_log_likelihood"]), number(&read["minus_two_log_likelihood"]));
        assert!((there - here - offset).abs() < 1e-3 * (1.0 + here.abs()), "version {version}: {there} is {here} and {offset}");
        for (name, value) in fit["set"].as_object().unwrap() {
            let (here, there) = (number(value), number(&read["set"][name]));
            assert!((there / here - 1.0).abs() < 5e-3, "version {version}, {name}: {there} beside {here}");
        }
        assert_eq!(bench.call(NOW, "culture petab", asked).await.unwrap_err().code(), "E-FIT-017", "nothing is written over");
    }
    let mut odd = input.clone();
    odd["format_version"] = 3.into();
    assert_eq!(bench.call(NOW, "culture petab", odd).await.unwrap_err().code(), "E-FIT-014");

    let refused = |field: &str, value: Json| {
        let mut input = input.clone();
        input[field] = value;
        let bench = &bench;
        async move { bench.call(NOW, "culture fit", input).await.unwrap_err().code().to_owned() }
    };
    assert_eq!(refused("readings", json!({ "X": "lactate" })).await, "E-FIT-010");
    assert_eq!(refused("follow", json!({ "F": "antifoam" })).await, "E-FIT-011");
    assert_eq!(refused("follow", json!({ "G": "feed" })).await, "E-FIT-011");
    assert_eq!(refused("runs", json!([])).await, "E-FIT-012");
    assert_eq!(refused("starts", json!(0)).await, "E-FIT-012");
    assert_eq!(refused("parameters", json!({ "mu_max": [1, 0.1] })).await, "E-FIT-001");
}
