//! Further questions of `toji flux` through the real binary, on networks small enough to be worked by hand.

use crate::flux::{ask, close, small, with_small};
use serde_json::{Value as Json, json};

fn write(bench: &crate::runner::Bench, name: &str, model: &Json) -> String {
    let path = bench.folder().join(name);
    std::fs::write(&path, model.to_string()).unwrap();
    path.display().to_string()
}

#[test]
fn a_plane_of_two_fluxes_has_one_phase() {
    let (bench, model) = with_small();
    // B is x + (u − x) / 2, whatever the uptake u and the flux x of the first way.
    let plane = ask(&bench, &["phase", &model, "EX_a", "AB1"]);
    let phases = plane["phases"].as_array().unwrap();
    assert_eq!(phases.len(), 1, "{plane}");
    assert!(close(&phases[0]["slopes"][0], -0.5) && close(&phases[0]["slopes"][1], 0.5), "{plane}");
    assert!(close(&phases[0]["share"], 1.0), "{plane}");
    assert_eq!(plane["region"].as_array().unwrap().len(), 4, "{plane}");
}

#[test]
fn what_happens_right_after_a_loss_is_nearest_to_what_was() {
    let (bench, model) = with_small();
    // Before: uptake 10, 4 by the first way, 3 by the second, 7 out. Without the first, (2y − 10)² + (y − 3)² + (y − 7)² + 16
    // is least at y = 5.
    let moma = ask(&bench, &["moma", &model, "--knock-out", "g1"]);
    assert!(close(&moma["before"], 7.0) && close(&moma["after"], 5.0) && close(&moma["distance"], 24.0), "{moma}");
    let linear = ask(&bench, &["moma", &model, "--knock-out", "g1", "--method", "linear"]);
    assert!(close(&linear["distance"], 8.0) && close(&linear["fluxes"]["AB1"], 0.0), "{linear}");
    let room = ask(&bench, &["moma", &model, "--knock-out", "g1", "--method", "room"]);
    assert_eq!((&room["proved"], &room["distance"]), (&json!(true), &Json::Null), "{room}");
    assert!(room["changed"].as_array().unwrap().contains(&json!("AB1")), "{room}");
    let missing = bench.toji(&["--json", "flux", "moma", &model, "--reference", r#"{"AB1": 1}"#]);
    assert!(missing.err.contains("E-FLUX-146"), "{missing:?}");
}

#[test]
fn reactions_that_only_run_together_are_one_group() {
    let (bench, model) = with_small();
    let coupled = ask(&bench, &["coupling", &model, "--knock-out", "g1"]);
    assert_eq!(coupled["blocked"], json!(["AB1"]), "{coupled}");
    let groups = coupled["groups"].as_array().unwrap();
    assert_eq!((groups.len(), groups[0].as_array().unwrap().len()), (1, 3), "{coupled}");
}

#[test]
fn media_and_gaps_are_found_with_nothing_to_spare() {
    let (bench, model) = with_small();
    let media = ask(&bench, &["media", &model, "--demands", r#"{"EX_b": 3}"#]);
    assert_eq!((&media["complete"], media["media"].as_array().unwrap().len()), (&json!(true), 1), "{media}");
    assert!(close(&media["media"][0]["uptakes"]["EX_a"], 3.0), "{media}");
    let never = ask(&bench, &["media", &model, "--demands", r#"{"EX_b": 8}"#]);
    assert_eq!((&never["status"], &never["media"]), (&json!("infeasible"), &json!([])), "{never}");

    let mut draft = small();
    draft["reactions"].as_array_mut().unwrap().retain(|r| r["id"].as_str().unwrap().starts_with("EX_"));
    let draft = write(&bench, "draft.json", &draft);
    let fills = ask(&bench, &["gapfill", &draft, &model, "--demands", r#"{"EX_b": 3}"#, "--alternatives", "5"]);
    let sets: Vec<Vec<&String>> =
        fills["fills"].as_array().unwrap().iter().map(|f| f["added"].as_object().unwrap().keys().collect()).collect();
    assert_eq!(sets, [["AB1"], ["AB2"]], "{fills}");
    let both = ask(&bench, &["gapfill", &draft, &model, "--demands", r#"{"EX_b": 7}"#]);
    assert_eq!(both["fills"][0]["added"].as_object().unwrap().len(), 2, "{both}");
}

#[test]
fn samples_are_the_same_for_the_same_seed() {
    let (bench, model) = with_small();
    let out = bench.folder().join("draws.csv");
    let draw = |seed: &str| {
        let path = out.display().to_string();
        let seen = bench.toji(&["--json", "--out", &path, "flux", "sample", &model, "--table", "--seed", seed]);
        assert_eq!(seen.code, 0, "{seen:?}");
        std::fs::read_to_string(&out).unwrap()
    };
    let (first, again, other) = (draw("1"), draw("1"), draw("2"));
    assert!(first == again && first != other);
    assert_eq!(first.lines().count(), 1001);
    let told = ask(&bench, &["sample", &model, "--reactions", "EX_b"]);
    assert_eq!((&told["dimensions"], told["reactions"].as_object().unwrap().len()), (&json!(2), 1), "{told}");
    let mean = told["reactions"]["EX_b"]["mean"].as_f64().unwrap();
    assert!((0.5..6.5).contains(&mean) && told["r_hat_max"].as_f64().unwrap() < 1.2, "{told}");
}

#[test]
fn protein_limits_what_costs_it() {
    let (bench, model) = with_small();
    // 36 kDa at one turnover a second is 0.01 g·h/mmol: 0.02 g/g carry 2, and the second way makes 4 of the other 8.
    let limited = ask(
        &bench,
        &[
            "enzymes",
            &model,
            "--enzymes",
            r#"{"E": {"mass_kda": 36}}"#,
            "--turnovers",
            r#"{"reaction": "AB1", "kcat_per_s": 1, "subunits": {"E": 1}}"#,
            "--pool-g-per-g",
            "0.02",
        ],
    );
    assert!(close(&limited["objective"]["value"], 6.0) && close(&limited["pool_used_g_per_g"], 0.02), "{limited}");
    // ln B by ln pool: 50 · 0.02 / 6.
    assert!(close(&limited["pool_control"], 1.0 / 6.0) && close(&limited["usage"]["E"]["g_per_g"], 0.02), "{limited}");
}

#[test]
fn two_that_feed_each_other_grow_at_one_rate() {
    let bench = crate::runner::Bench::with_store();
    let member = |id: &str, from: &str, to: Option<&str>| {
        let metabolite = |id: &str| json!({"id": id, "name": id, "compartment": "e"});
        let reaction = |id: &str, metabolites: Json, lower: f64, objective: f64| {
            json!({"id": id, "name": id, "metabolites": metabolites, "lower_bound": lower, "upper_bound": 1000.0,
                   "gene_reaction_rule": "", "objective_coefficient": objective})
        };
        let mut growth = json!({from: -1.0});
        let mut metabolites = vec![metabolite(from)];
        let mut reactions = vec![reaction(&format!("EX_{from}"), json!({from: -1.0}), -10.0, 0.0)];
        if let Some(to) = to {
            growth[to] = json!(1.0);
            metabolites.push(metabolite(to));
            reactions.push(reaction(&format!("EX_{to}"), json!({to: -1.0}), 0.0, 0.0));
        }
        reactions.push(reaction("growth", growth, 0.0, 1.0));
        json!({"id": id, "version": "1", "compartments": {"e": "outside"}, "metabolites": metabolites, "genes": [],
               "reactions": reactions})
    };
    let giver = write(&bench, "giver.json", &member("giver", "a", Some("b")));
    let taker = write(&bench, "taker.json", &member("taker", "b", None));
    let ask_with = |members: Json, more: &[&str]| {
        let members = members.to_string();
        let base = ["community", "--members", &members, "--supply", r#"{"EX_a": 10}"#, "--growth-max", "100"];
        ask(&bench, &[&base[..], more].concat())
    };
    // At equal shares the giver uses all of the supply at a growth of 20 per hour, and passes all of B on.
    let fixed = ask_with(json!([{"model": giver, "abundance": 0.5}, {"model": taker, "abundance": 0.5}]), &[]);
    assert!(close(&fixed["growth_per_h"], 20.0), "{fixed}");
    let passed = &fixed["passed"][0];
    assert_eq!((&passed["exchange"], &passed["from"], &passed["to_member"]), (&json!("EX_b"), &json!("giver"), &json!("taker")));
    assert!(close(&passed["flux"], 10.0) && close(&fixed["supply"]["EX_a"], 10.0), "{fixed}");
    // Over all shares with at least half for each there is no other.
    let free = ask_with(json!([{"model": giver}, {"model": taker}]), &["--least-share", "0.5"]);
    assert!((free["growth_per_h"].as_f64().unwrap() - 20.0).abs() < 1e-4, "{free}");
}

#[test]
fn a_route_from_elsewhere_is_found_and_verified() {
    let (bench, _) = with_small();
    let mut host = small();
    let reactions = host["reactions"].as_array_mut().unwrap();
    reactions.retain(|r| r["id"] == "EX_a");
    reactions.push(json!({"id": "growth", "name": "", "metabolites": {"a": -1.0}, "lower_bound": 0.0, "upper_bound": 1000.0,
        "gene_reaction_rule": "", "objective_coefficient": 1.0}));
    let host = write(&bench, "host.json", &host);
    let candidate = |id: &str, a: f64| json!({"id": id, "stoichiometry": [["a", -a], ["b", 1.0]], "lower": 0.0, "upper": 1000.0});
    let universe = json!({"reactions": [candidate("AB1", 1.0), candidate("AB2", 2.0)]}).to_string();
    let task = json!({"product": "b", "growth": "growth", "feed": "EX_a", "min_product": 6.0, "max_reactions": 2, "routes": 3});
    let found = ask(&bench, &["pathway", &host, "--universe", &universe, "--task", &task.to_string()]);
    let routes = found["found"]["routes"].as_array().unwrap();
    // Two of A for one of B give no more than five.
    assert_eq!((routes.len(), &routes[0]["steps"][0]["id"]), (1, &json!("AB1")), "{found}");
    assert!(close(&routes[0]["most"], 10.0) && routes[0]["minimal"] == true, "{found}");
    assert_eq!(routes[0]["screening"]["verdict"], "pending", "{found}");
    let none = bench.toji(&["--json", "flux", "pathway", &host, "--task", &task.to_string()]);
    assert!(none.err.contains("E-FLUX-148"), "{none:?}");
}
