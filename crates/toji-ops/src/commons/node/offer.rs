//! `node catalogue`: the data sets somebody may know of, as a catalogue of the Dataspace Protocol (Eclipse, 2025-1):
//! DCAT with ODRL offers, for connectors of other data spaces.
//!
//! Only the catalogue is told in its words. Its negotiation has two parties and its transfer calls the consumer back,
//! while agreements here are signed by all parties, off line if need be, and nodes need no way in from outside.

use super::super::share::listed_for;
use crate::commons::seat::{purpose_of, standing};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use toji_commons::agreement::{Area, Purpose, to_odrl};
use toji_core::{Error, Id, Result};

/// Input of `node catalogue`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Address under which this node is reached, as it shall stand in the catalogue.
    ///
    /// 目録に載せる、このノードのアドレス。
    #[serde(default)]
    endpoint: Option<String>,
    /// For what purpose, by its code; research when missing.
    ///
    /// 利用目的の記号。省略時は research。
    #[serde(default)]
    purpose: Option<String>,
}

/// A catalogue in JSON-LD.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
struct Catalogue(Map<String, Json>);

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation::declare(
        Words {
            name: "node catalogue",
            label: ["データスペース形式の目録", "Catalogue for data spaces"],
            about: [
                "公開または効力のある契約で利用できるデータセットを、Dataspace Protocol 2025-1 の目録（DCAT と ODRL の JSON-LD）で示します。",
                "Shows the data sets that are public, or that an agreement in force lets one use, as a catalogue of the Dataspace Protocol 2025-1 (DCAT and ODRL in JSON-LD).",
            ],
            positional: &[],
            example: "toji node catalogue --endpoint https://platform.example",
        },
        Effect::Read,
        |context: Context, input: Input| async move { catalogue(&context, input).await },
    )]
}

async fn catalogue(context: &Context, input: Input) -> Result<Catalogue> {
    let standing = standing(context).await?;
    let purpose = input.purpose.as_deref().map_or(Ok(Purpose::Research), purpose_of)?;
    let mine = context.access.who.organisation.clone();
    let urn = |sort: &str, id: &str| format!("urn:toji:{sort}:{id}");
    let service = urn("node", standing.home.as_str());
    let mut datasets = Vec::new();
    for (id, owner, area, title) in listed_for(context, &standing, purpose).await? {
        let mut offers = Vec::new();
        if area == Area::Public {
            offers
                .push(json!({"@id": urn("offer", &format!("public/{id}")), "@type": "Offer", "permission": [{"action": "use"}]}));
        }
        for agreement in standing.commons.agreements() {
            let in_force = agreement.terms.from <= context.now && context.now < agreement.terms.until;
            let party = mine.as_deref().is_none_or(|m| agreement.parties.iter().any(|p| p.as_str() == m));
            if in_force && party && agreement.data_sets.contains(&id) && agreement.parties.contains(&owner) {
                let embargoed = standing.commons.known_data_set(&id).is_some_and(|d| d.is_embargoed(context.now));
                offers
                    .push(offer(to_odrl(agreement, &owner, &id, embargoed)?, &urn("offer", &format!("{}/{id}", agreement.id)))?);
            }
        }
        if offers.is_empty() {
            continue;
        }
        datasets.push(json!({
            "@id": urn("data-set", id.as_str()),
            "@type": "Dataset",
            "title": title,
            "creator": owner,
            "hasPolicy": offers,
            "distribution": [{"@type": "Distribution", "format": "toji-parcel-v1", "accessService": service}],
        }));
    }
    let endpoint = input.endpoint.unwrap_or_else(|| "/api/v1".to_owned());
    let mut catalogue = json!({
        "@context": ["https://w3id.org/dspace/2025/1/context.jsonld"],
        "@id": urn("catalogue", standing.home.as_str()),
        "@type": "Catalog",
        "participantId": urn("organisation", standing.home.as_str()),
        "service": [{"@id": service, "@type": "DataService", "endpointURL": endpoint}],
    });
    // An empty list is no list in its schema.
    if !datasets.is_empty() {
        catalogue["dataset"] = Json::Array(datasets);
    }
    match catalogue {
        Json::Object(map) => Ok(Catalogue(map)),
        _ => Err(Error::bug("E-NODE-008", "a catalogue that is no object")),
    }
}

/// An agreement's policy as an offer: without target, and with operands as the protocol's schema has them.
fn offer(policy: Json, id: &str) -> Result<Json> {
    let rules = |name: &str| -> Vec<Json> {
        policy.get(name).and_then(Json::as_array).into_iter().flatten().cloned().map(rule).collect()
    };
    let mut offer = json!({"@id": id, "@type": "Offer", "permission": rules("permission")});
    let prohibitions = rules("prohibition");
    if !prohibitions.is_empty() {
        offer["prohibition"] = Json::Array(prohibitions);
    }
    Ok(offer)
}

fn rule(mut rule: Json) -> Json {
    if let Some(map) = rule.as_object_mut() {
        for name in ["target", "assigner", "assignee"] {
            map.remove(name);
        }
        for constraints in ["constraint", "duty"] {
            for one in map.get_mut(constraints).and_then(Json::as_array_mut).into_iter().flatten() {
                if let Some(nested) = one.get_mut("constraint").and_then(Json::as_array_mut) {
                    nested.iter_mut().for_each(operand);
                }
                operand(one);
            }
        }
        map.retain(|_, value| value.as_array().is_none_or(|list| !list.is_empty()));
    }
    rule
}

/// The schema knows texts, objects and lists on the right.
fn operand(constraint: &mut Json) {
    if let Some(right) = constraint.get_mut("rightOperand")
        && (right.is_number() || right.is_boolean())
    {
        *right = Json::String(right.to_string());
    }
}

/// Data set, owner, area, title: what may be known of.
pub(in crate::commons) type Row = (Id, Id, Area, String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_has_the_form_of_the_protocol() {
        let policy = json!({"@context": "x", "uid": "u", "permission": [{"target": "DS", "assigner": "A", "assignee": ["B"],
            "action": "read", "constraint": [{"leftOperand": "count", "operator": "gteq", "rightOperand": 2}],
            "duty": [{"action": "inform", "constraint": [{"leftOperand": "e", "operator": "eq", "rightOperand": true}]}]}],
            "prohibition": []});
        let offer = offer(policy, "urn:o").unwrap();
        assert_eq!(offer["@type"], "Offer");
        assert!(offer.get("target").is_none() && offer.get("prohibition").is_none());
        let permission = &offer["permission"][0];
        assert!(permission.get("target").is_none() && permission.get("assignee").is_none());
        assert_eq!(permission["constraint"][0]["rightOperand"], "2");
        assert_eq!(permission["duty"][0]["constraint"][0]["rightOperand"], "true");
    }
}
