//! Texts of Cedar: the schema, sets of rules by name, edits.

use crate::Result;
use cedar_policy::{PolicyId, PolicySet, Schema, ValidationMode, Validator};
use std::str::FromStr;
use toji_commons::policy::{ANY_AGREEMENT, RULES, SCHEMA};

/// The schema of the commons.
///
/// # Errors
/// It is no schema, or warns.
pub fn schema() -> Result<Schema> {
    let (schema, warnings) = Schema::from_cedarschema_str(SCHEMA).map_err(|e| format!("{:?}", explain(e)))?;
    let warnings: Vec<String> = warnings.map(|w| w.to_string()).collect();
    if warnings.is_empty() { Ok(schema) } else { Err(warnings.join("\n").into()) }
}

/// An error of Cedar with its place.
fn explain(error: impl std::error::Error + Send + Sync + 'static) -> Vec<String> {
    let mut chain = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        chain.push(cause.to_string());
        next = cause.source();
    }
    chain
}

/// The rules that hold whatever is agreed, with an agreement of any terms.
#[must_use]
pub fn rules() -> String {
    format!("{RULES}\n{ANY_AGREEMENT}")
}

/// Reads rules; each is named by its `@id`.
///
/// # Errors
/// Not Cedar, a rule without a name, or a name twice.
pub fn named(text: &str) -> Result<PolicySet> {
    let read = PolicySet::from_str(text).map_err(|e| format!("{:?}", explain(e)))?;
    let mut named = PolicySet::new();
    for policy in read.policies() {
        let id = policy.annotation("id").ok_or_else(|| format!("a rule without @id: {policy}"))?;
        named.add(policy.new_id(PolicyId::new(id)))?;
    }
    Ok(named)
}

/// Reads rules that fit the schema without error or warning.
///
/// # Errors
/// As [`named`]; or what the validator says.
pub fn valid(text: &str, schema: &Schema) -> Result<PolicySet> {
    let set = named(text)?;
    let found = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
    let said: Vec<String> =
        found.validation_errors().map(|e| e.to_string()).chain(found.validation_warnings().map(|w| w.to_string())).collect();
    if said.is_empty() { Ok(set) } else { Err(said.join("\n").into()) }
}

/// An alteration of one rule.
#[derive(Debug, Clone, Copy)]
pub enum Edit {
    /// The rule is left out.
    Drop,
    /// What stands in it once is replaced.
    Replace(&'static str, &'static str),
}

/// The text with one rule altered.
///
/// # Errors
/// There is no such rule, or not exactly one such place in it.
pub fn edited(text: &str, rule: &str, edit: Edit) -> Result<String> {
    let head = format!("@id(\"{rule}\")");
    let (before, from_here) = text.split_once(&head).ok_or_else(|| format!("no rule {rule}"))?;
    let end = from_here.find("\n@id(").unwrap_or(from_here.len());
    let (body, after) = from_here.split_at(end);
    match edit {
        Edit::Drop => Ok(format!("{before}{after}")),
        Edit::Replace(from, to) if body.matches(from).count() == 1 => {
            Ok(format!("{before}{head}{}{after}", body.replacen(from, to, 1)))
        }
        Edit::Replace(from, _) => Err(format!("rule {rule} has \"{from}\" {} times", body.matches(from).count()).into()),
    }
}
