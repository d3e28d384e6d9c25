//! Policies of others: what is read is what was meant or less, and what is not understood is refused.

use crate::scenes::Mix;
use crate::world::agreement;
use crate::{day, id};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use toji_commons::agreement::{
    Agreement, Feedback, Granted, Ground, IndustrialUse, Patents, Purpose, Reading, Terms, from_odrl, to_odrl,
};

const GRANTS: [Granted; 4] = [Granted::Compute, Granted::Read, Granted::Train, Granted::Export];

/// Long enough for every agreement of the tests.
fn ground() -> Ground {
    Ground::new(day(0), day(10_000))
}

fn random_agreement(mix: &mut Mix) -> Agreement {
    let parties: Vec<&str> =
        ["kura", "amino", "enzyme", "酒蔵"].into_iter().filter(|p| *p == "kura" || mix.below(3) > 0).collect();
    let mut a = agreement("gi", &parties, &["koji"]);
    a.parties.insert(id("amino"));
    let (from, length) = (mix.below(300) as i64 - 150, 1 + mix.below(400) as i64);
    let odd = |mix: &mut Mix, n: i64| day(n).plus_ns(mix.below(3) as i64 * 123_456_789).unwrap();
    a.terms = Terms {
        from: odd(mix, from),
        until: odd(mix, from + length),
        purposes: mix.some(&Purpose::ALL, 2),
        grants: mix.some(&GRANTS, 2),
        industrial_use: mix.one(&[IndustrialUse::Permitted, IndustrialUse::Forbidden]),
        patents: mix.one(&[Patents::Free, Patents::None, Patents::Notice { within_days: 45 }]),
        early_access: a.parties.iter().filter(|_| mix.below(3) == 0).cloned().collect(),
        countries: (mix.below(3) == 0).then(|| mix.some(&["JP", "FR", "US"], 2).into_iter().map(str::to_owned).collect()),
        feedback: (mix.below(2) == 0).then(|| Feedback { units: mix.below(9) as u32, within_days: mix.below(400) as u32 }),
    };
    a.terms.purposes.insert(Purpose::Research);
    a.terms.grants.insert(mix.one(&GRANTS));
    if a.terms.industrial_use == IndustrialUse::Forbidden {
        a.terms.purposes.remove(&Purpose::Production);
    }
    a
}

fn exported(of: &Agreement) -> Value {
    to_odrl(of, &id("kura"), &id("koji"), false).unwrap()
}

/// Does one permit no more than the other?
fn is_within(narrow: &Terms, wide: &Terms) -> bool {
    let countries = match (&narrow.countries, &wide.countries) {
        (_, None) => true,
        (Some(narrow), Some(wide)) => narrow.is_subset(wide),
        (None, Some(_)) => false,
    };
    wide.from <= narrow.from
        && narrow.until <= wide.until
        && narrow.purposes.is_subset(&wide.purposes)
        && narrow.grants.is_subset(&wide.grants)
        && narrow.early_access.is_subset(&wide.early_access)
        && (narrow.industrial_use == IndustrialUse::Forbidden || wide.industrial_use == IndustrialUse::Permitted)
        && (narrow.patents == wide.patents || narrow.patents == Patents::None || wide.patents == Patents::Free)
        && (narrow.feedback == wide.feedback || wide.feedback.is_none())
        && countries
}

/// What was not understood, by its places.
fn refused(policy: &Value, ground: &Ground) -> Vec<String> {
    let error = from_odrl(policy, ground).unwrap_err();
    assert_eq!(error.code(), "E-AGREEMENT-006");
    let fault = error.fault();
    assert!(fault.hint.as_ref().is_some_and(|h| h.ja != h.en));
    fault.diagnostics.iter().map(|d| format!("{}: {}", d.place.field.as_deref().unwrap(), d.message.en)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_written_is_read_again(seed in any::<u64>()) {
        let of = random_agreement(&mut Mix(seed));
        let Reading { terms, assigners, assignees, targets, left_out } = from_odrl(&exported(&of), &ground()).unwrap();
        prop_assert_eq!(terms, of.terms);
        prop_assert_eq!((assigners, targets), (BTreeSet::from(["kura".to_owned()]), BTreeSet::from(["koji".to_owned()])));
        let others: BTreeSet<String> = of.parties.iter().filter(|p| **p != id("kura")).map(ToString::to_string).collect();
        prop_assert_eq!(assignees, others);
        prop_assert!(left_out.is_empty(), "{:?}", left_out);
    }

    /// Anything put in anywhere: what cannot be kept to is refused, and the rest gives no wider terms than before.
    #[test]
    fn what_is_added_never_widens(seed in any::<u64>()) {
        let mut mix = Mix(seed);
        let of = random_agreement(&mut mix);
        let mut policy = exported(&of);
        let n = mix.below(of.terms.grants.len() as u64) as usize;
        let word = mix.one(&["dateTime", "purpose", "spatial", "count", "recipient", "odrl:purpose", "inForceDate", "Membership"]);
        let operator = mix.one(&["eq", "isAnyOf", "lt", "gteq", "lteq", "gt", "neq", "isNoneOf", "isAllOf"]);
        let value = match mix.below(5) {
            0 => json!("iso3166:JP"),
            1 => json!(["https://toji.bio/ns/purpose/research", "elsewhere"]),
            2 => json!({"@value": day(3).to_string(), "@type": "xsd:dateTime"}),
            3 => json!("contractAgreement+5d"),
            _ => json!({"of": 1}),
        };
        let constraint = json!({"leftOperand": word, "operator": operator, "rightOperand": value});
        let constraint = if mix.below(3) == 0 { json!({"and": [constraint]}) } else { constraint };
        let strange = ["count", "recipient", "Membership"].contains(&word) || ["neq", "isNoneOf", "isAllOf"].contains(&operator);
        let place = mix.below(8);
        let by_action = mix.one(&["read", "distribute", "odrl:read", "use", "derive", "edc:read", "delete"]);
        let must_be_refused = match place {
            0 | 1 | 3 | 5 => true,
            2 | 4 => !["read", "distribute", "odrl:read"].contains(&by_action),
            _ => strange,
        };
        match place {
            0 => policy["permission"][n]["duty"].as_array_mut().unwrap().push(json!({"action": "compensate"})),
            1 => policy["permission"][n][mix.one(&["remedy", "failure", "relation", "odrl:constraint"])] = constraint,
            2 => policy["prohibition"].as_array_mut().unwrap().push(json!({"action": by_action, "constraint": [constraint]})),
            3 => policy[mix.one(&["inheritFrom", "obligation", "constraint", "odrl:permission"])] = json!([constraint]),
            4 => policy["prohibition"].as_array_mut().unwrap().push(json!({"action": by_action})),
            5 => policy["permission"][n]["constraint"].as_array_mut().unwrap().push(json!({mix.one(&["or", "xone", "andSequence"]): [constraint]})),
            _ => {
                // Of every permission, or of one alone.
                let all = mix.below(2) == 0;
                let permissions = policy["permission"].as_array_mut().unwrap();
                let of = permissions.iter_mut().enumerate().filter(|(m, _)| all || *m == n);
                of.for_each(|(_, p)| p["constraint"].as_array_mut().unwrap().push(constraint.clone()));
            }
        }
        if let Ok(reading) = from_odrl(&policy, &ground()) {
            prop_assert!(!must_be_refused, "{:#}", policy);
            prop_assert!(is_within(&reading.terms, &of.terms), "{:#} gave {:?}", policy, reading.terms);
        }
    }

    /// Whatever is put in the place of anything else: an answer.
    #[test]
    fn it_answers_to_anything(seed in any::<u64>()) {
        let mut mix = Mix(seed);
        let mut policy = exported(&random_agreement(&mut mix));
        let pointers = pointers(&policy, "");
        for _ in 0..=mix.below(3) {
            let to = &pointers[mix.below(pointers.len() as u64) as usize];
            let with = mix.one(&["null", "[]", "{}", "-1", "\"\"", "{\"@value\": {\"@value\": 1}}", "[[[{}]]]", "{\"and\": {\"@list\": []}}", "\"P99999999999D\""]);
            if let Some(place) = policy.pointer_mut(to) {
                *place = serde_json::from_str(with).unwrap();
            }
        }
        match from_odrl(&policy, &ground()) {
            Ok(reading) => prop_assert!(!reading.terms.grants.is_empty() && reading.terms.from < reading.terms.until),
            Err(error) => prop_assert_eq!(error.code(), "E-AGREEMENT-006"),
        }
    }
}

/// The place of every value, as JSON pointers.
fn pointers(value: &Value, at: &str) -> Vec<String> {
    let inner: Vec<String> = match value {
        Value::Array(items) => items.iter().enumerate().flat_map(|(n, v)| pointers(v, &format!("{at}/{n}"))).collect(),
        Value::Object(of) => {
            of.iter().flat_map(|(k, v)| pointers(v, &format!("{at}/{}", k.replace('~', "~0").replace('/', "~1")))).collect()
        }
        _ => Vec::new(),
    };
    std::iter::once(at.to_owned()).chain(inner).collect()
}

/// In the words of the Catena-X profile 2025/9.
fn catena_x() -> Value {
    json!({
        "@context": ["https://w3id.org/catenax/2025/9/policy/odrl.jsonld", "https://w3id.org/catenax/2025/9/policy/context.jsonld"],
        "@type": "Offer",
        "@id": "offer-1",
        "permission": [{"action": "use", "constraint": [{"and": [
            {"leftOperand": "Membership", "operator": "eq", "rightOperand": "active"},
            {"leftOperand": "FrameworkAgreement", "operator": "eq", "rightOperand": "DataExchangeGovernance:1.0"},
            {"leftOperand": "UsagePurpose", "operator": "isAnyOf", "rightOperand": ["cx.pcf.base:1", "cx.circular.dpp:1"]},
            {"leftOperand": "DataUsageEndDurationDays", "operator": "eq", "rightOperand": 30}]}]}],
        "prohibition": [{"action": "use", "constraint": [
            {"leftOperand": "UsageRestriction", "operator": "isAllOf", "rightOperand": ["cx.thirdParty.forbidden:1"]}]}],
        "obligation": [{"action": "use", "constraint": [
            {"leftOperand": "DataProvisioningEndDate", "operator": "eq", "rightOperand": "2027-10-04T12:30:00Z"}]}],
    })
}

#[test]
fn policies_of_catena_x() {
    let bare = refused(&catena_x(), &Ground { usage: BTreeSet::from([Granted::Read]), ..ground() });
    let about = |word: &str| bare.iter().any(|f| f.contains(word));
    assert!(about("Membership") && about("FrameworkAgreement") && about("UsageRestriction"), "{bare:?}");
    assert!(!about("UsagePurpose") && !about("DataProvisioningEndDate"), "{bare:?}");
    assert!(refused(&catena_x(), &ground()).iter().any(|f| f.contains("no permission")), "`use` grants nothing unasked");

    let met = [
        ("Membership", "active"),
        ("FrameworkAgreement", "DataExchangeGovernance:1.0"),
        ("UsageRestriction", "cx.thirdParty.forbidden:1"),
    ];
    let vouched = Ground {
        usage: BTreeSet::from([Granted::Read, Granted::Compute]),
        purposes: BTreeMap::from([("cx.pcf.base:1".to_owned(), BTreeSet::from([Purpose::Assessment]))]),
        met: met.iter().map(|(l, r)| ((*l).to_owned(), (*r).to_owned())).collect(),
        ..ground()
    };
    let Reading { terms, left_out, .. } = from_odrl(&catena_x(), &vouched).unwrap();
    assert_eq!((terms.from, terms.until), (day(0), day(30)));
    assert_eq!(terms.purposes, BTreeSet::from([Purpose::Assessment]));
    assert_eq!(terms.grants, BTreeSet::from([Granted::Read, Granted::Compute]));
    let said: Vec<&str> = left_out.iter().map(|d| d.message.en.as_str()).collect();
    for word in ["Membership = active", "DataExchangeGovernance:1.0", "cx.circular.dpp:1", "third", "provider"] {
        assert!(said.iter().any(|s| s.contains(word)), "{word}: {said:?}");
    }
    assert!(left_out.iter().all(|d| d.message.ja != d.message.en));

    // Prefixed, as EDC expands it; and without an end, which is then ours.
    let text = catena_x().to_string().replace("\"leftOperand\":\"", "\"odrl:leftOperand\":\"https://w3id.org/catenax/policy/");
    let mut expanded: Value = serde_json::from_str(&text.replace("DataUsageEndDurationDays", "DataUsageEndDefinition")).unwrap();
    let end = expanded.pointer_mut("/permission/0/constraint/0/and/3/rightOperand").unwrap();
    *end = json!({"@value": "cx.dataUsageEnd.unlimited:1"});
    let reading = from_odrl(&expanded, &vouched).unwrap();
    assert_eq!(reading.terms.until, day(10_000));
    assert!(reading.left_out.iter().any(|d| d.message.en.contains("the term ends")));
}

#[test]
fn nothing_is_taken_to_mean_more() {
    let of = agreement("gi", &["kura", "amino"], &["koji"]);
    let with = |change: &dyn Fn(&mut Value)| {
        let mut policy = exported(&of);
        change(&mut policy);
        policy
    };
    // A context that turns words round; prohibitions that would not prevail.
    let renamed = with(&|p| p["@context"] = json!(["http://www.w3.org/ns/odrl.jsonld", {"lt": "odrl:gt"}]));
    assert!(refused(&renamed, &ground())[0].starts_with("@context"));
    let renamed = with(&|p| p["@context"] = json!({"odrl": "https://example.org/"}));
    assert!(refused(&renamed, &ground())[0].starts_with("@context"));
    let weak = with(&|p| p["conflict"] = json!("perm"));
    assert_eq!(from_odrl(&weak, &ground()).unwrap().terms, of.terms);

    // One word twice, under two names; conditions that differ by action; a word of another space.
    let twice = with(&|p| p["permission"][0]["odrl:constraint"] = json!([]));
    assert!(!refused(&twice, &ground()).is_empty());
    let differ = with(&|p| p["permission"][1]["constraint"].as_array_mut().unwrap().truncate(2));
    assert!(refused(&differ, &ground()).iter().any(|f| f.contains("differ")));
    let foreign = with(&|p| p["permission"].as_array_mut().unwrap().iter_mut().for_each(|r| r["action"] = json!("edc:read")));
    assert!(refused(&foreign, &ground()).iter().any(|f| f.contains("no permission")));

    // No purpose is not every purpose.
    let aimless = with(&|p| {
        for rule in p["permission"].as_array_mut().unwrap() {
            rule["constraint"].as_array_mut().unwrap().retain(|c| c["leftOperand"] != "purpose");
        }
    });
    assert!(refused(&aimless, &ground()).iter().any(|f| f.starts_with("purpose")));

    // A prohibited grant is none; all that is wrong is told at once.
    let narrowed = with(&|p| p["prohibition"] = json!([{"action": "distribute"}]));
    assert!(!from_odrl(&narrowed, &ground()).unwrap().terms.grants.contains(&Granted::Export));
    let many = with(&|p| {
        p["inheritFrom"] = json!("x");
        p["prohibition"] = json!([{"action": "derive"}, {"action": "use"}]);
        p["obligation"] = json!([{"action": "delete", "constraint": [{"leftOperand": "DataProvisioningEndDate", "operator": "eq", "rightOperand": "x"}]}]);
    });
    assert_eq!(refused(&many, &ground()).len(), 4);
}
