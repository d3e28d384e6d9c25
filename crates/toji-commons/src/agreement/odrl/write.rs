//! Writing: what an owner lets the other parties do with one of its data sets.

use super::{COMMERCIAL, EARLY_ACCESS, FEEDBACK, PATENT, PATENT_APPLICATION, TOJI};
use crate::agreement::signed::Agreement;
use crate::agreement::terms::{Granted, IndustrialUse, Patents};
use serde_json::{Value, json};
use toji_core::{Id, Result};

/// What `owner` lets the other parties do with one of its data sets.
///
/// # Errors
/// As [`Agreement::digest`].
pub fn to_odrl(agreement: &Agreement, owner: &Id, data_set: &Id, embargoed: bool) -> Result<Value> {
    let terms = &agreement.terms;
    let operand =
        |name: &str, operator: &str, value: Value| json!({"leftOperand": name, "operator": operator, "rightOperand": value});
    let mut constraints = vec![
        operand("dateTime", "gteq", json!({"@value": terms.from.to_string(), "@type": "xsd:dateTime"})),
        operand("dateTime", "lt", json!({"@value": terms.until.to_string(), "@type": "xsd:dateTime"})),
        operand("purpose", "isAnyOf", terms.purposes.iter().map(|p| format!("{TOJI}purpose/{}", p.code())).collect()),
    ];
    if let Some(countries) = &terms.countries {
        constraints.push(operand("spatial", "isAnyOf", countries.iter().map(|c| json!(format!("iso3166:{c}"))).collect()));
    }
    let mut duties = Vec::new();
    if let Some(feedback) = terms.feedback {
        duties.push(json!({
            "action": format!("{TOJI}{FEEDBACK}"),
            "constraint": [
                operand("count", "gteq", json!(feedback.units)),
                operand("delayPeriod", "lteq", json!({"@value": format!("P{}D", feedback.within_days), "@type": "xsd:duration"})),
            ],
        }));
    }
    if let Patents::Notice { within_days } = terms.patents {
        let within = json!({"@value": format!("P{within_days}D"), "@type": "xsd:duration"});
        duties.push(json!({
            "action": "inform",
            "constraint": [operand(&format!("{TOJI}{PATENT_APPLICATION}"), "eq", json!(true)), operand("delayPeriod", "lteq", within)],
        }));
    }
    let assignees: Vec<&str> = agreement.parties.iter().filter(|p| *p != owner).map(Id::as_str).collect();
    let rule =
        |action: Value| json!({"target": data_set.as_str(), "assigner": owner.as_str(), "assignee": assignees, "action": action});
    let permissions: Vec<Value> = terms
        .grants
        .iter()
        .map(|granted| {
            let mut permission = rule(json!(action(*granted)));
            permission["constraint"] = json!(constraints);
            permission["duty"] = json!(duties);
            permission
        })
        .collect();
    let mut prohibitions = Vec::new();
    if terms.industrial_use == IndustrialUse::Forbidden {
        prohibitions.push(rule(json!(COMMERCIAL)));
    }
    if terms.patents == Patents::None {
        prohibitions.push(rule(json!(format!("{TOJI}{PATENT}"))));
    }
    let mut policy = json!({
        "@context": "http://www.w3.org/ns/odrl.jsonld",
        "@type": "Agreement",
        "uid": format!("{TOJI}agreement/{}/{}", agreement.id, agreement.version),
        "conflict": "prohibit",
        "permission": permissions,
        "prohibition": prohibitions,
        "duo": terms.duo(embargoed),
        "signed": agreement.digest()?.to_string(),
    });
    if !terms.early_access.is_empty() {
        policy[format!("{TOJI}{EARLY_ACCESS}")] = terms.early_access.iter().map(Id::as_str).collect();
    }
    Ok(policy)
}

fn action(granted: Granted) -> String {
    match granted {
        Granted::Read => "read".to_owned(),
        Granted::Export => "distribute".to_owned(),
        Granted::Compute => format!("{TOJI}action/compute"),
        Granted::Train => format!("{TOJI}action/train"),
    }
}
