//! What tests on a larger scale ask of the next strain: constraints with their evidence, the design cycle that takes
//! them up, and the way from a test over constraint, edit and strain to the next test.

mod constrain;
mod cycle;
mod evidence;
mod gather;
mod judge;
mod lineage;
mod rows;

use crate::operation::Operation;
use crate::run::text;
use serde_json::Value as Json;
use toji_core::record::FieldMap;
use toji_core::{Diagnostic, Error, Place, Result};

pub(super) use lineage::{DesignNode, design_lines};

pub(super) fn operations() -> [Operation; 2] {
    [constrain::operation(), cycle::operation()]
}

/// Identifiers of a field that refers to several records.
fn ids(fields: &FieldMap, name: &str) -> Vec<String> {
    let list = fields.get(name).and_then(Json::as_array);
    list.into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
}

/// What may be entered of a constraint by hand or by table: nothing is asked of a strain without evidence.
///
/// # Errors
/// `E-DESIGN-001` without evidence that names records with a kind, an identifier and a hash.
pub(crate) fn may_put_constraint(fields: &FieldMap) -> Result<()> {
    let list = fields.get("evidence").and_then(Json::as_array).filter(|l| !l.is_empty());
    let sound = |one: &Json| {
        let has = |name: &str| one.get(name).and_then(Json::as_str).is_some_and(|t| !t.is_empty());
        let hash = one.get("sha256").and_then(Json::as_str).unwrap_or_default();
        has("kind") && has("id") && hash.len() == 64 && hash.chars().all(|c| c.is_ascii_hexdigit())
    };
    let mut found = Vec::new();
    if list.is_none_or(|l| !l.iter().all(sound)) {
        found.push(
            Diagnostic::error(
                "E-DESIGN-001",
                Place::field("evidence"),
                "根拠（種別・識別子・SHA-256）がありません",
                "evidence (kind, identifier, SHA-256) is missing",
            )
            .remedy(
                "culture constrain が根拠とともに制約を記録します",
                "culture constrain stores a constraint with its evidence",
            ),
        );
    }
    let decided = matches!(text(fields, "state").as_deref(), Some("met" | "refuted"));
    if decided && fields.get("judged_by").is_none_or(Json::is_null) {
        found.push(
            Diagnostic::error(
                "E-DESIGN-001",
                Place::field("judged_by"),
                "達成・棄却の判定には根拠が要ります",
                "a constraint is met or refuted by a test",
            )
            .remedy("判定した試験を judged_by に入れてください", "name the test in judged_by"),
        );
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(Error::input("E-DESIGN-001", "設計の制約を登録できません", "the design constraint cannot be entered")
        .with(found)
        .hint("所見の各項目を直してください", "correct each of the fields named"))
}
