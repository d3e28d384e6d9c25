//! What is kept read is what reading anew gives, whoever wrote meanwhile, and judging once for many is judging each.

use crate::home::*;
use serde_json::json;
use std::sync::Arc;
use toji_core::chance::Chance;
use toji_core::{Access, Action, Decision, Gate, Principal, Resource, Text};
use toji_store::{Put, Store};

/// Closes one run with all that is of it, and an area; asked about each record, or once about those alike.
#[derive(Debug)]
struct Shuts {
    run: &'static str,
    each: bool,
}

impl Gate for Shuts {
    fn decide(&self, _who: &Principal, action: Action, what: Resource<'_>) -> Decision {
        let allow = match what {
            Resource::Record { kind: "run", id, of } => id != self.run && of.area != Some("clean-room"),
            Resource::Record { kind, of, .. } => of.run != Some(self.run) && (kind != "event" || of.area != Some("public")),
            _ => true,
        };
        Decision { allow: allow || action != Action::Read, reason: Text::new("試験の定め", "the rule"), remedy: None }
    }
    fn goes_by_name(&self, kind: &str) -> bool {
        self.each || kind == "run"
    }
}

const RUNS: [&str; 3] = ["r1", "r2", "r3"];
const KINDS: [&str; 5] = ["run", "sample", "assay", "event", "observation"];

/// Everything that lists tell.
async fn told(store: &Store, access: &Access) -> String {
    let mut told = String::new();
    for kind in KINDS {
        for retired in [false, true] {
            told += &format!("{:?}\n", store.records(access, kind, None, retired).await.unwrap());
        }
        for run in RUNS {
            told += &format!("{:?}\n", store.linked(access, kind, "run", run).await.unwrap());
        }
        told += &format!("{:?}\n", store.linked(access, kind, "sample", "s1").await.unwrap());
    }
    told += &format!("{:?}\n", store.link_counts(access, "run").await.unwrap());
    for question in ["himitsu", "event", "採取", "r2"] {
        // Scores, and so the order, rest on what of older versions the index still holds.
        let hits = store.search(access, question, &[], 100).await.unwrap().hits;
        let mut hits: Vec<_> = hits.into_iter().map(|hit| (hit.kind, hit.id, hit.title, hit.snippet, hit.field)).collect();
        hits.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        told += &format!("{hits:?}\n");
    }
    told
}

fn change(chance: &mut Chance) -> Put {
    let pick = |chance: &mut Chance, n: usize| chance.below(n);
    let run = RUNS[pick(chance, RUNS.len())];
    let n = pick(chance, 6);
    let area = ["public", "competitive", "clean-room"][pick(chance, 3)];
    let words = format!("himitsu {}", pick(chance, 1000));
    let value = serde_json::to_value(toji_core::Value::parse("4.2")).unwrap();
    let mut put = match pick(chance, 5) {
        0 => put("run", run, json!({"title": words, "key": run, "area": area})),
        1 => put("sample", &format!("s{n}"), json!({"run": run, "key": words})),
        2 => put("assay", &format!("a{n}"), json!({"sample": format!("s{}", pick(chance, 6)), "analyte": words, "value": value})),
        3 => put("event", &format!("e{n}"), json!({"run": run, "sort": "note", "label": words})),
        _ => put("observation", &format!("o{n}"), json!({"run": run, "attribute": "foam", "note": words, "value": value})),
    };
    put.retired = pick(chance, 6) == 0;
    put
}

on_both! {
    async fn kept_is_as_read_anew(home) {
        let other = home.again().await;
        let gate = |run, each| Access {
            who: Principal { id: "guest".into(), organisation: None },
            gate: Arc::new(Shuts { run, each }),
        };
        let mut chance = Chance::new(11);
        for round in 0..40 {
            // Now this process writes, now another.
            let writer = if chance.below(2) == 0 { &home.store } else { &other };
            let puts = (0..=chance.below(3)).map(|_| change(&mut chance)).collect::<Vec<_>>();
            let mut names: Vec<_> = puts.iter().map(|put| (put.kind.clone(), put.id.clone())).collect();
            names.sort();
            names.dedup();
            if names.len() < puts.len() {
                continue;
            }
            commit(writer, round, self::puts(puts)).await.unwrap();
            let anew = home.again().await;
            for run in ["r2", "none"] {
                let kept = told(&home.store, &gate(run, false)).await;
                assert_eq!(kept, told(&anew, &gate(run, true)).await, "round {round}, closed {run}");
                assert_eq!(kept, told(&other, &gate(run, true)).await, "round {round}, closed {run}");
            }
            assert_eq!(told(&home.store, &me()).await, told(&anew, &me()).await, "round {round}");
        }
    }
}
