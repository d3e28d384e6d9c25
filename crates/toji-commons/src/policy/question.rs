//! A question in the JSON of Cedar's requests.

use super::words::{code, entity};
use crate::decide::{Commons, Request};
use serde_json::{Value, json};

/// A question to a commons, as `cedar authorize --request-json` takes it. Whoever is not known asks as a stranger.
#[must_use]
pub fn question(commons: &Commons, request: &Request<'_>) -> Value {
    let who = if commons.persons().any(|p| p.id == *request.who) { "Person" } else { "Stranger" };
    let mut context = json!({
        "now": request.now.0,
        "purpose": {"__entity": {"type": "Purpose", "id": request.purpose.code()}},
    });
    if let Some(noted) = commons.noted() {
        context["noted"] = json!(noted.0);
    }
    json!({
        "principal": entity(who, request.who.as_str()),
        "action": entity("Action", &code(request.action)),
        "resource": entity("DataSet", request.data_set.as_str()),
        "context": context,
    })
}
