//! Agreements: signed by all, spelt one way, translated to DUO and ODRL.

use crate::id;
use crate::world::{agreement, organisation};
use std::collections::{BTreeMap, BTreeSet};
use toji_commons::agreement::{Agreement, Area, Feedback, IndustrialUse, Patents, Purpose, sign, to_odrl};
use toji_commons::decide::Commons;
use toji_commons::log::{KeyKind, SigningKey, VerifierKey};
use toji_core::Id;

fn keys() -> (Vec<SigningKey>, BTreeMap<Id, VerifierKey>) {
    let make = |(name, seed): (&str, u8)| SigningKey::from_seed(name, KeyKind::Log, &[seed; 32]).unwrap();
    let keys: Vec<SigningKey> = [("kura", 1), ("amino", 2)].map(make).to_vec();
    let public = keys.iter().map(|k| (id(k.verifier().name()), k.verifier().clone())).collect();
    (keys, public)
}

#[test]
fn it_counts_once_every_party_signed() {
    let (keys, public) = keys();
    let deal = agreement("gi", &["kura", "amino"], &["koji"]);
    let mut note = deal.note().unwrap();
    sign(&mut note, &keys[0]).unwrap();
    let missing = Agreement::open(&note, &public).unwrap_err();
    assert_eq!(missing.code(), "E-AGREEMENT-003");
    assert!(missing.to_string().contains("amino"));
    sign(&mut note, &keys[1]).unwrap();
    assert_eq!(Agreement::open(&note, &public).unwrap(), deal);

    // Other terms under the same signatures; a name taken by another key; another spelling.
    let mut other = deal.clone();
    other.terms.until = crate::day(2000);
    let mut forged = other.note().unwrap();
    note.signatures().iter().for_each(|s| forged.add(s.clone()));
    assert_eq!(Agreement::open(&forged, &public).unwrap_err().code(), "E-LOG-008");
    let thief = SigningKey::from_seed("amino", KeyKind::Log, &[9; 32]).unwrap();
    let mut stolen = deal.note().unwrap();
    sign(&mut stolen, &keys[0]).unwrap();
    sign(&mut stolen, &thief).unwrap();
    assert_eq!(Agreement::open(&stolen, &public).unwrap_err().code(), "E-AGREEMENT-003");
    let spelt = toji_commons::log::Note::new(note.text().replacen("{\"", "{ \"", 1)).unwrap();
    assert_eq!(Agreement::open(&spelt, &public).unwrap_err().code(), "E-AGREEMENT-002");
    let plain = toji_commons::log::Note::new("a checkpoint or so\n").unwrap();
    assert_eq!(Agreement::open(&plain, &public).unwrap_err().code(), "E-AGREEMENT-002");
    assert_ne!(deal.digest().unwrap(), other.digest().unwrap());
}

#[test]
fn all_contradictions_are_told_at_once() {
    let mut deal = agreement("gi", &["kura"], &["koji"]);
    deal.version = 0;
    deal.terms.until = deal.terms.from;
    deal.terms.grants.clear();
    deal.terms.industrial_use = IndustrialUse::Forbidden;
    deal.terms.purposes.insert(Purpose::Production);
    deal.terms.early_access.insert(id("amino"));
    let faults = deal.faults();
    assert_eq!(faults.len(), 6);
    assert!(faults.iter().all(|f| f.remedy.is_some() && f.place.field.is_some() && f.message.ja != f.message.en));
    let mut commons = Commons::new();
    commons.organisation(organisation("kura", "JP"));
    assert_eq!(commons.agreement(deal).unwrap_err().fault().diagnostics.len(), 6);
}

#[test]
fn versions_go_up_and_parties_are_known() {
    let mut commons = Commons::new();
    commons.organisation(organisation("kura", "JP"));
    let mut deal = agreement("gi", &["kura", "amino"], &["koji"]);
    assert_eq!(commons.agreement(deal.clone()).unwrap_err().code(), "E-AGREEMENT-005");
    commons.organisation(organisation("amino", "JP"));
    commons.agreement(deal.clone()).unwrap();
    assert_eq!(commons.agreement(deal.clone()).unwrap_err().code(), "E-AGREEMENT-004");
    deal.version = 2;
    commons.agreement(deal).unwrap();
}

#[test]
fn terms_have_their_codes_of_duo() {
    let mut terms = agreement("gi", &["kura", "amino"], &["koji"]).terms;
    assert_eq!(terms.duo(false), ["DUO:0000025", "DUO:0000028", "DUO:0000042"]);
    terms.purposes = BTreeSet::from([Purpose::Benchmark]);
    terms.industrial_use = IndustrialUse::Forbidden;
    terms.countries = Some(BTreeSet::from(["JP".to_owned()]));
    terms.feedback = Some(Feedback { units: 1, within_days: 90 });
    let all = ["DUO:0000012", "DUO:0000022", "DUO:0000024", "DUO:0000025", "DUO:0000028", "DUO:0000029", "DUO:0000046"];
    assert_eq!(terms.duo(true), all);
}

#[test]
fn it_is_told_in_odrl() {
    let mut deal = agreement("gi", &["kura", "amino", "enzyme"], &["koji"]);
    deal.terms.feedback = Some(Feedback { units: 2, within_days: 90 });
    deal.terms.patents = Patents::None;
    deal.terms.industrial_use = IndustrialUse::Forbidden;
    deal.terms.countries = Some(BTreeSet::from(["JP".to_owned()]));
    let odrl = to_odrl(&deal, &id("kura"), &id("koji"), false).unwrap();
    assert_eq!(odrl["@context"], "http://www.w3.org/ns/odrl.jsonld");
    assert_eq!((&odrl["@type"], &odrl["conflict"]), (&"Agreement".into(), &"prohibit".into()));
    assert_eq!(odrl["signed"], deal.digest().unwrap().to_string());
    let permissions = odrl["permission"].as_array().unwrap();
    assert_eq!(permissions.len(), 4);
    let read = permissions.iter().find(|p| p["action"] == "read").unwrap();
    assert_eq!((&read["assigner"], &read["target"]), (&"kura".into(), &"koji".into()));
    assert_eq!(read["assignee"], serde_json::json!(["amino", "enzyme"]));
    let operands: Vec<&str> = read["constraint"].as_array().unwrap().iter().map(|c| c["leftOperand"].as_str().unwrap()).collect();
    assert_eq!(operands, ["dateTime", "dateTime", "purpose", "spatial"]);
    assert_eq!(read["duty"][0]["constraint"][1]["rightOperand"]["@value"], "P90D");
    assert_eq!(odrl["prohibition"].as_array().unwrap().len(), 2);
}

/// The codes are those of the field `area` of the kind `run`.
#[test]
fn areas_are_those_of_runs() {
    let kind = include_str!("../../../toji-core/kinds/run.toml");
    for area in Area::ALL {
        assert!(kind.contains(&format!("code = \"{}\"", area.code())), "{area:?}");
        assert_eq!(Area::from_code(area.code()), Some(area));
    }
    assert_eq!(Area::from_code("private"), None);
}
