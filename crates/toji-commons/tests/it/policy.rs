//! The Cedar text: what needs no Cedar to check. The rest is in `proofs/`.

use crate::scenes::{Mix, random_world};
use crate::world::{World, agreement, organisation, person};
use crate::{day, id};
use proptest::prelude::*;
use std::collections::BTreeSet;
use toji_commons::agreement::{Area, DataSet, Granted, IndustrialUse, Listing, Purpose, Role};
use toji_commons::decide::{Action, Request};
use toji_commons::policy::{ANY_AGREEMENT, RULES, SCHEMA, Total, agreement_rules, any_agreement, compile, question, quoted};
use toji_commons::release::{Cell, Contribution, Field, Rule};
use toji_core::{Id, Unit};

/// What follows the first string of a text, and the string as Cedar reads it.
fn unquoted(text: &str) -> (String, &str) {
    let mut out = String::new();
    let mut rest = text.strip_prefix('"').unwrap();
    loop {
        let c = rest.chars().next().unwrap();
        rest = &rest[c.len_utf8()..];
        match c {
            '"' => return (out, rest),
            '\\' => {
                let escape = rest.chars().next().unwrap();
                rest = &rest[escape.len_utf8()..];
                out.push(match escape {
                    '"' | '\\' => escape,
                    'u' => {
                        let (hex, after) = rest.strip_prefix('{').unwrap().split_once('}').unwrap();
                        rest = after;
                        char::from_u32(u32::from_str_radix(hex, 16).unwrap()).unwrap()
                    }
                    other => panic!("escape {other}"),
                });
            }
            c => out.push(c),
        }
    }
}

proptest! {
    /// Whatever a name contains, it is one string, on one line, and all of it.
    #[test]
    fn a_quoted_text_is_one_string(text in ".*", after in "[a-z ]*") {
        let quoted = quoted(&text);
        prop_assert!(!quoted.contains(|c: char| c.is_control() || ('\u{200b}'..='\u{206f}').contains(&c)), "{}", quoted);
        let whole = format!("{quoted}{after}");
        let (back, rest) = unquoted(&whole);
        prop_assert_eq!((back, rest), (text, after.as_str()));
    }
}

#[test]
fn nothing_that_a_member_chose_becomes_a_rule() {
    // As a document may bring it: an identifier is refused where it is read, a country is only a string.
    let evil = "gi\"); permit (principal, action, resource); //\n@id(\"\u{202e}x";
    assert!(serde_json::from_value::<Id>(evil.into()).is_err());
    // The strangest that an identifier may be.
    let name = id("gi//+permit:.-_協会");
    let mut deal = agreement("gi", &["kura", "amino"], &["koji"]);
    deal.id = name.clone();
    deal.parties.insert(name.clone());
    deal.data_sets.insert(name.clone());
    deal.terms.early_access.insert(name.clone());
    deal.terms.countries = Some(BTreeSet::from([evil.to_owned()]));
    for text in [agreement_rules(&deal).unwrap(), any_agreement(&name)] {
        let outside = strings_left_out(&text);
        assert_eq!(outside.matches("permit").count(), 2, "{text}");
        assert!(!outside.contains('/') || !text.starts_with('@'), "{text}");
        assert!(text.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'), "{text}");
    }
    deal.data_sets.clear();
    let comment = agreement_rules(&deal).unwrap();
    assert!(comment.starts_with("// ") && comment.lines().count() == 1, "{comment}");
}

/// The text with every string emptied and comments left out.
fn strings_left_out(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '"' {
            rest = unquoted(rest).1;
            out.push_str("\"\"");
        } else if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

#[test]
fn every_rule_has_its_name_and_reason_in_two_languages() {
    let mut world = random_world(&mut Mix(7));
    world.agreements.push(agreement("gi", &["kura", "amino"], &["ds0"]));
    let compiled = compile(&world.commons()).unwrap().policies;
    let mut names = BTreeSet::new();
    for text in [compiled.as_str(), ANY_AGREEMENT] {
        // Notes of rules begin lines.
        for rule in format!("\n{text}").split("\n@id(").skip(1) {
            let (name, rest) = unquoted(rule);
            let note = |key: &str| unquoted(rest.split_once(&format!("\n@{key}(")).unwrap().1).0;
            let (ja, en) = (note("ja"), note("en"));
            assert!(!en.is_empty() && en.is_ascii() && !ja.is_ascii(), "{name}");
            assert_eq!(strings_left_out(rest).matches(';').count(), 1, "{name}");
            assert!(names.insert(name.clone()), "{name} twice");
        }
    }
    for clause in ["clock-set-back", "covered-person", "open", "own", "never-exported", "agreement:gi:1:take", "agreement-take"] {
        assert!(names.contains(clause), "{clause}: {names:?}");
    }
}

/// Closed lists are closed in the schema too, and its limits are those of the rule.
#[test]
fn the_text_says_what_the_types_say() {
    fn codes<T: serde::Serialize>(of: &[T]) -> Vec<String> {
        of.iter().map(|v| serde_json::to_value(v).unwrap().as_str().unwrap().to_owned()).collect()
    }
    let check = |name: &str, codes: Vec<String>| {
        let (_, list) = SCHEMA.split_once(&format!("entity {name} enum [")).unwrap();
        let listed: Vec<String> =
            list.split_once(']').unwrap().0.split(',').map(|c| c.trim().trim_matches('"').to_owned()).collect();
        assert_eq!(listed, codes, "{name}");
    };
    check("Area", codes(&Area::ALL));
    check("Listing", codes(&[Listing::Clear, Listing::Review, Listing::Blocked]));
    check("Role", codes(&Role::ALL));
    check("Purpose", codes(&Purpose::ALL));
    check("Grant", codes(&[Granted::Compute, Granted::Read, Granted::Train, Granted::Export]));
    check("Field", codes(&[Field::Process, Field::Aged, Field::Never]));
    let rule = Rule::default();
    assert_eq!(rule.dominance_n, 2);
    for limit in [
        format!("context.ageDays >= {}", rule.age_days_min),
        format!("context.contributors >= {}", rule.contributors_min),
        format!("context.topSharePercent <= {}", rule.top_share_percent_max),
        format!("context.topTwoPercent <= {}", rule.dominance_percent_max),
        format!("context.nearnessPercent >= {}", rule.p_percent),
    ] {
        assert_eq!(RULES.matches(&limit).count(), 1, "{limit}");
    }
}

#[test]
fn an_agreement_in_its_words() {
    let mut deal = agreement("gi", &["kura", "amino"], &["koji"]);
    deal.version = 3;
    deal.terms.grants = BTreeSet::from([Granted::Read, Granted::Train]);
    deal.terms.industrial_use = IndustrialUse::Forbidden;
    deal.terms.countries = Some(BTreeSet::from(["JP".to_owned()]));
    deal.terms.early_access = BTreeSet::from([id("amino")]);
    let expected = format!(
        r#"@id("agreement:gi:3:describe")
@digest("{digest}")
@from("2025-12-22T00:00:00Z")
@until("2026-07-10T00:00:00Z")
@ja("契約 gi(第 3 版): 概要の閲覧")
@en("agreement gi, version 3: describe")
permit (principal is Person, action == Action::"describe", resource)
when {{
  [DataSet::"koji"].contains(resource) &&
  [Organisation::"amino", Organisation::"kura"].contains(principal.organisation) &&
  [Organisation::"amino", Organisation::"kura"].contains(resource.owner) &&
  1766361600000000000 <= context.now && context.now < 1783641600000000000 &&
  ["JP"].contains(principal.organisation.country)
}};

@id("agreement:gi:3:take")
@digest("{digest}")
@from("2025-12-22T00:00:00Z")
@until("2026-07-10T00:00:00Z")
@ja("契約 gi(第 3 版): 閲覧, 学習")
@en("agreement gi, version 3: read, train")
permit (principal is Person, action in [Action::"read", Action::"train"], resource)
when {{
  [DataSet::"koji"].contains(resource) &&
  [Organisation::"amino", Organisation::"kura"].contains(principal.organisation) &&
  [Organisation::"amino", Organisation::"kura"].contains(resource.owner) &&
  1766361600000000000 <= context.now && context.now < 1783641600000000000 &&
  ["JP"].contains(principal.organisation.country) &&
  [Purpose::"research"].contains(context.purpose) &&
  context.purpose != Purpose::"production" &&
  (!(resource has embargo && context.now < resource.embargo) ||
   [Organisation::"amino"].contains(principal.organisation))
}};
"#,
        digest = deal.digest().unwrap()
    );
    assert_eq!(agreement_rules(&deal).unwrap(), expected);
}

#[test]
fn entities_and_questions_in_their_json() {
    let world = World {
        organisations: vec![organisation("kura", "JP")],
        persons: vec![person("toji", "kura", &[Role::Steward])],
        data_sets: vec![DataSet {
            id: id("koji"),
            owner: id("kura"),
            area: Area::CleanRoom,
            embargo: Some(day(1)),
            human_derived: true,
        }],
        duties: vec![(id("kura"), 1, day(9))],
        noted: Some(day(0)),
        ..World::default()
    };
    let commons = world.commons();
    let entities = compile(&commons).unwrap().entities;
    let is = |kind: &str, id: &str| serde_json::json!({"__entity": {"type": kind, "id": id}});
    assert_eq!(
        entities,
        serde_json::json!([
            {"uid": {"type": "Organisation", "id": "kura"}, "parents": [], "attrs": {
                "country": "JP", "listing": is("Listing", "clear"), "covered": false,
                "joined": day(-2000).0, "firstDue": day(9).0}},
            {"uid": {"type": "Person", "id": "toji"}, "parents": [], "attrs": {
                "organisation": is("Organisation", "kura"), "roles": [is("Role", "steward")]}},
            {"uid": {"type": "DataSet", "id": "koji"}, "parents": [], "attrs": {
                "owner": is("Organisation", "kura"), "area": is("Area", "clean-room"), "embargo": day(1).0, "humanDerived": true}},
        ])
    );
    let (koji, toji, nobody) = (id("koji"), id("toji"), id("nobody"));
    let asked =
        |who| question(&commons, &Request { who, action: Action::Read, data_set: &koji, purpose: Purpose::ScaleUp, now: day(2) });
    let context = serde_json::json!({"now": day(2).0, "noted": day(0).0, "purpose": is("Purpose", "scale-up")});
    assert_eq!(
        asked(&toji),
        serde_json::json!({"principal": "Person::\"toji\"", "action": "Action::\"read\"", "resource": "DataSet::\"koji\"", "context": context})
    );
    assert_eq!(asked(&nobody)["principal"], "Stranger::\"nobody\"");
}

#[test]
fn a_total_is_measured_to_the_side_that_refuses() {
    let of = |values: &[i64], days: i64| {
        let cell = Cell {
            table: id("titre"),
            field: Field::Aged,
            unit: Unit::parse("g/L").unwrap(),
            decimals: 2,
            contributions: (0..)
                .zip(values)
                .map(|(n, value)| Contribution {
                    source: id(&format!("s{n}")),
                    member: id(&format!("m{n}")),
                    value: *value,
                    at: day(0),
                })
                .collect(),
        };
        let t = Total::measure(&cell, day(days).plus_ns(-1).unwrap(), true);
        (t.contributors, t.top_share_percent, t.top_two_percent, t.nearness_percent, t.age_days)
    };
    // 25.0001 % is 26, 85 % exactly is 85, 19.99 % is 19.
    assert_eq!(of(&[250_001, 249_999, 200_000, 300_000 - 100_000, 100_000], 90), (5, 26, 50, 199, 89));
    assert_eq!(of(&[500, 350, 150], 1), (3, 50, 85, 30, 0));
    assert_eq!(of(&[10_000, 5_000, 1_999], 0), (3, 59, 89, 19, -1));
    assert_eq!(of(&[0, 0], 0), (2, 0, 0, 0, -1));
    assert_eq!(of(&[], 0), (0, 0, 0, 0, 0));
}
