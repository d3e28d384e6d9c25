//! A commons as policies and entities.

use super::RULES;
use super::entities::entities as entities_of;
use super::words::{code, entities, entity, list, quoted};
use crate::agreement::{Agreement, IndustrialUse};
use crate::decide::{Action, Commons};
use serde_json::Value;
use toji_core::{Id, Result};

/// The Cedar text of a commons.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    /// The rules and, agreement by agreement, what it permits.
    pub policies: String,
    /// Organisations, persons, data sets and agreements, in the JSON of Cedar's entities.
    pub entities: Value,
}

/// Compiles a commons.
///
/// # Errors
/// As [`Agreement::digest`].
pub fn compile(commons: &Commons) -> Result<Compiled> {
    let mut policies = RULES.to_owned();
    for agreement in commons.agreements() {
        policies.push('\n');
        policies.push_str(&agreement_rules(agreement)?);
    }
    Ok(Compiled { policies, entities: entities_of(commons) })
}

/// What an agreement permits, with its terms in the text: one rule to describe and one for all that is granted, named
/// by the agreement and its version and bound to the signed document by its hash.
///
/// # Errors
/// As [`Agreement::digest`].
pub fn agreement_rules(agreement: &Agreement) -> Result<String> {
    let Agreement { id, version, parties, data_sets, terms, .. } = agreement;
    let (from, until) = (terms.from, terms.until);
    let nobody = terms.countries.as_ref().is_some_and(std::collections::BTreeSet::is_empty);
    if data_sets.is_empty() || parties.is_empty() || nobody {
        let what = if nobody { "reaches no country" } else { "covers nothing" };
        return Ok(format!("// Agreement {}, version {version}, {what}.\n", quoted(id.as_str())));
    }
    let parties = entities("Organisation", parties.iter().map(Id::as_str));
    let mut reach = vec![
        format!("{}.contains(resource)", entities("DataSet", data_sets.iter().map(Id::as_str))),
        format!("{parties}.contains(principal.organisation)"),
        format!("{parties}.contains(resource.owner)"),
        format!("{} <= context.now && context.now < {}", from.0, until.0),
    ];
    if let Some(countries) = &terms.countries {
        reach.push(format!("{}.contains(principal.organisation.country)", list(countries.iter().map(|c| quoted(c)))));
    }
    let digest = agreement.digest()?.to_string();
    let mut out = String::new();
    let mut rule = |of: &str, what_ja: &str, what_en: &str, actions: &str, conditions: &[String]| {
        let notes = [
            ("id", format!("agreement:{id}:{version}:{of}")),
            ("digest", digest.clone()),
            ("from", from.to_string()),
            ("until", until.to_string()),
            ("ja", format!("契約 {id}(第 {version} 版): {what_ja}")),
            ("en", format!("agreement {id}, version {version}: {what_en}")),
        ];
        if !out.is_empty() {
            out.push('\n');
        }
        for (key, value) in notes {
            out.push_str(&format!("@{key}({})\n", quoted(&value)));
        }
        let conditions = conditions.join(" &&\n  ");
        out.push_str(&format!("permit (principal is Person, action {actions}, resource)\nwhen {{\n  {conditions}\n}};\n"));
    };
    rule("describe", "概要の閲覧", "describe", "== Action::\"describe\"", &reach);
    let grants: Vec<Action> = terms.grants.iter().map(|g| Action::from(*g)).collect();
    if !grants.is_empty() && !terms.purposes.is_empty() {
        let mut take = reach;
        take.push(format!("{}.contains(context.purpose)", entities("Purpose", terms.purposes.iter().map(|p| p.code()))));
        if terms.industrial_use == IndustrialUse::Forbidden {
            take.push("context.purpose != Purpose::\"production\"".to_owned());
        }
        let over = "!(resource has embargo && context.now < resource.embargo)";
        let early = entities("Organisation", terms.early_access.iter().map(Id::as_str));
        take.push(match terms.early_access.is_empty() {
            true => over.to_owned(),
            false => format!("({over} ||\n   {early}.contains(principal.organisation))"),
        });
        let actions = format!("in {}", list(grants.iter().map(|g| entity("Action", &code(g)))));
        let words = |of: fn(Action) -> String| grants.iter().map(|g| of(*g)).collect::<Vec<_>>().join(", ");
        rule("take", &words(|g| g.label().ja), &words(|g| g.label().en), &actions, &take);
    }
    Ok(out)
}
