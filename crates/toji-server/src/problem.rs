//! Refusals as RFC 9457 problem documents: the category of the error decides the status.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use toji_core::{Category, Diagnostic, Error, Place, Text};

/// The document (`application/problem+json`).
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Problem {
    /// `urn:toji:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The category in a few English words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Stable code such as `E-UNIT-002`.
    pub code: String,
    /// Who must act.
    pub category: Category,
    /// What went wrong.
    pub message: Text,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<Text>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// All findings, when there are several.
    pub diagnostics: Vec<Diagnostic>,
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let fault = error.fault();
        Self {
            kind: format!("urn:toji:problem:{}", fault.code),
            title: title(fault.category).to_owned(),
            status: status(fault.category, fault.code).as_u16(),
            code: fault.code.to_owned(),
            category: fault.category,
            message: fault.message.clone(),
            hint: fault.hint.clone(),
            place: fault.place.clone(),
            diagnostics: fault.diagnostics.clone(),
        }
    }
}

fn title(category: Category) -> &'static str {
    match category {
        Category::Input => "the input was refused",
        Category::NotFound => "not found",
        Category::Conflict => "conflict with what is stored",
        Category::Denied => "access denied",
        Category::Model => "the model has no solution",
        Category::Storage => "the store cannot serve",
        Category::Limit => "a limit was reached",
        Category::Cancelled => "the work was cancelled",
        Category::Bug => "a fault of Toji itself",
    }
}

/// The code of a store whose disk is full.
const DISK_FULL: &str = "E-STORE-001";

/// The status of a category.
fn status(category: Category, code: &str) -> StatusCode {
    match category {
        Category::Input | Category::Model => StatusCode::UNPROCESSABLE_ENTITY,
        Category::NotFound => StatusCode::NOT_FOUND,
        Category::Conflict | Category::Cancelled => StatusCode::CONFLICT,
        Category::Denied => StatusCode::FORBIDDEN,
        Category::Limit => StatusCode::PAYLOAD_TOO_LARGE,
        Category::Storage if code == DISK_FULL => StatusCode::INSUFFICIENT_STORAGE,
        Category::Storage => StatusCode::SERVICE_UNAVAILABLE,
        Category::Bug => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Adds to an error kept as JSON (as jobs keep theirs) what makes it a problem document.
pub(crate) fn complete(error: &mut Json) {
    let Some(map) = error.as_object_mut() else { return };
    let Some(code) = map.get("code").and_then(Json::as_str).map(str::to_owned) else { return };
    let category = map.get("category").cloned().unwrap_or_default();
    let category: Category = serde_json::from_value(category).unwrap_or(Category::Bug);
    let members = [
        ("type", Json::from(format!("urn:toji:problem:{code}"))),
        ("title", Json::from(title(category))),
        ("status", Json::from(status(category, &code).as_u16())),
        ("diagnostics", Json::Array(Vec::new())),
    ];
    for (name, value) in members {
        map.entry(name).or_insert(value);
    }
}

/// A refusal on its way out.
#[derive(Debug)]
pub(crate) struct Refusal(Box<Problem>);

impl Refusal {
    /// The same refusal under a status of HTTP that no category has, such as 405.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.0.status = status.as_u16();
        self
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        if matches!(error.category(), Category::Bug | Category::Storage) {
            // These are for the operator; the others are the caller's and go to the caller alone.
            tracing::error!(code = error.code(), message = %error.fault().message.en, "refused");
        }
        Self(Box::new(Problem::from(&error)))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let how = HeaderValue::from_static("Bearer realm=\"toji\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, how);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_has_its_status() {
        let check =
            |category, code, expected| assert_eq!(Problem::from(&Error::new(category, code, "和", "en")).status, expected);
        check(Category::Input, "E-X-1", 422);
        check(Category::NotFound, "E-X-1", 404);
        check(Category::Conflict, "E-X-1", 409);
        check(Category::Denied, "E-X-1", 403);
        check(Category::Limit, "E-X-1", 413);
        check(Category::Cancelled, "E-X-1", 409);
        check(Category::Model, "E-X-1", 422);
        check(Category::Storage, "E-X-1", 503);
        check(Category::Storage, DISK_FULL, 507);
        check(Category::Bug, "E-X-1", 500);
    }

    #[test]
    fn the_document_has_the_members_of_the_contract() {
        let error = Error::input("E-X-1", "和", "en").at(Place::line(3).in_file("a.csv")).hint("対", "do");
        let json = serde_json::to_value(Problem::from(&error)).unwrap();
        let expected = serde_json::json!({
            "type": "urn:toji:problem:E-X-1", "title": "the input was refused", "status": 422, "code": "E-X-1",
            "category": "input", "message": {"ja": "和", "en": "en"}, "hint": {"ja": "対", "en": "do"},
            "place": {"file": "a.csv", "line": 3}, "diagnostics": []
        });
        assert_eq!(json, expected);
        let mut kept = serde_json::to_value(error.fault()).unwrap();
        complete(&mut kept);
        assert_eq!(kept, expected);
    }
}
