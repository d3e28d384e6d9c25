//! What is compiled from an agreement is the rule for any agreement, with its terms.

use crate::scenes::{Mix, random_world};
use crate::world::{World, agreement, organisation};
use crate::{day, id};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use toji_commons::agreement::{Agreement, IndustrialUse, Purpose};
use toji_commons::policy::{agreement_rules, any_agreement, compile, quoted};
use toji_proofs::prover::Prover;
use toji_proofs::text::{named, schema, valid};

/// A value of the entities as Cedar writes it.
fn literal(value: &Value) -> String {
    match value {
        Value::Object(of) => {
            format!("{}::{}", of["__entity"]["type"].as_str().unwrap(), quoted(of["__entity"]["id"].as_str().unwrap()))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::String(text) => quoted(text),
        plain => plain.to_string(),
    }
}

/// Forbids everything in worlds in which the agreement's entity is not as compiled.
fn as_compiled(world: &World, of: &Agreement) -> String {
    let compiled = compile(&world.commons()).unwrap();
    let entities = compiled.entities.as_array().unwrap();
    let entity = entities.iter().find(|e| e["uid"]["type"] == "Agreement" && e["uid"]["id"] == of.id.as_str()).unwrap();
    let name = format!("Agreement::{}", quoted(of.id.as_str()));
    let mut conditions = Vec::new();
    for (key, value) in entity["attrs"].as_object().unwrap() {
        let has = if key == "countries" { format!("{name} has countries && ") } else { String::new() };
        conditions.push(match value.as_array() {
            Some(items) if items.is_empty() => format!("({has}{name}.{key}.isEmpty())"),
            _ => format!("({has}{name}.{key} == {})", literal(value)),
        });
    }
    if entity["attrs"].get("countries").is_none() {
        conditions.push(format!("!({name} has countries)"));
    }
    let mut text = String::new();
    write!(text, "@id(\"as compiled\") forbid (principal, action, resource) unless {{ {} }};", conditions.join(" && ")).unwrap();
    text
}

/// Proved for agreements of random worlds and for odd ones, over all requests; and that an agreement of other terms is
/// not the same is found.
#[test]
fn a_compiled_agreement_is_any_agreement_with_its_terms() {
    let schema = schema().unwrap();
    let mut prover = Prover::new(schema.clone()).unwrap();
    let mut worlds: Vec<World> = (0..12).map(|seed| random_world(&mut Mix(seed))).collect();
    worlds.push(World {
        organisations: ["kura", "amino", "酒蔵:+//"]
            .iter()
            .map(|n| {
                let mut o = organisation("x", "JP");
                o.id = serde_json::from_value((*n).into()).unwrap();
                o
            })
            .collect(),
        agreements: odd_agreements(),
        ..World::default()
    });
    let mut proved = 0;
    let mut last = None;
    for world in &worlds {
        for of in &world.agreements {
            let only = as_compiled(world, of);
            let concrete = valid(&agreement_rules(of).unwrap(), &schema).unwrap();
            let mut concrete_there = named(&only).unwrap();
            concrete.policies().for_each(|p| concrete_there.add(p.clone()).unwrap());
            let any = valid(&format!("{only}\n{}", any_agreement(&of.id)), &schema).unwrap();
            let (concrete, any) = (prover.compile(&concrete_there).unwrap(), prover.compile(&any).unwrap());
            let only_concrete = prover.only_first(&concrete, &any).unwrap();
            let only_any = prover.only_first(&any, &concrete).unwrap();
            assert!(only_concrete.is_empty() && only_any.is_empty(), "{of:?}\n{only_concrete:?}\n{only_any:?}");
            proved += 1;
            last = Some((of.clone(), any));
        }
    }
    let (mut other, any) = last.unwrap();
    other.terms.until = other.terms.until.plus_ns(1).unwrap();
    let longer = prover.compile(&named(&agreement_rules(&other).unwrap()).unwrap()).unwrap();
    assert!(!prover.only_first(&longer, &any).unwrap().is_empty());
    println!("{proved} compiled agreements proved to be any agreement with their terms");
    assert!(proved > 25);
}

fn odd_agreements() -> Vec<Agreement> {
    let plain = agreement("plain", &["kura", "amino"], &["koji"]);
    let mut nowhere = agreement("nowhere", &["kura", "amino"], &["koji"]);
    nowhere.terms.countries = Some(BTreeSet::new());
    let nothing = agreement("nothing", &["kura", "amino"], &[]);
    let mut evil = agreement("evil", &["kura", "amino"], &["koji"]);
    evil.id = serde_json::from_value("x//+permit:.-_".into()).unwrap();
    evil.parties.insert(serde_json::from_value("酒蔵:+//".into()).unwrap());
    evil.terms.countries = Some(BTreeSet::from(["J\\P".to_owned(), "\n".to_owned()]));
    let mut industry = agreement("industry", &["kura", "amino"], &["koji"]);
    industry.terms.purposes = BTreeSet::from([Purpose::Production]);
    industry.terms.early_access = BTreeSet::from([id("kura"), id("amino")]);
    let mut forbidden = agreement("forbidden", &["kura", "amino"], &["koji"]);
    forbidden.terms.industrial_use = IndustrialUse::Forbidden;
    forbidden.terms.from = day(-1);
    vec![plain, nowhere, nothing, evil, industry, forbidden]
}
