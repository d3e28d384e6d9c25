//! Organisations, persons, data sets and agreements in the JSON of Cedar's entities.

use super::words::code;
use crate::agreement::{Agreement, DataSet, IndustrialUse, Organisation, Person};
use crate::decide::Commons;
use serde_json::{Map, Value, json};
use toji_core::{Id, Instant};

/// All entities of a commons.
pub(super) fn entities(commons: &Commons) -> Value {
    let organisations = commons.organisations().map(|o| organisation(o, commons.first_due(&o.id)));
    let persons = commons.persons().map(person);
    let data_sets = commons.data_sets().map(data_set);
    let agreements = commons.agreements().map(agreement);
    organisations.chain(persons).chain(data_sets).chain(agreements).collect()
}

fn entity(kind: &str, id: &Id, attributes: Map<String, Value>) -> Value {
    json!({"uid": {"type": kind, "id": id.as_str()}, "attrs": attributes, "parents": []})
}

/// An attribute that is another entity.
fn is(kind: &str, id: &str) -> Value {
    json!({"__entity": {"type": kind, "id": id}})
}

fn are<'a>(kind: &str, ids: impl IntoIterator<Item = &'a Id>) -> Value {
    ids.into_iter().map(|id| is(kind, id.as_str())).collect()
}

/// Attributes; what is not there is left out, as the schema's optional attributes are.
fn attributes(of: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Map<String, Value> {
    of.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn at(instant: Option<Instant>) -> Option<Value> {
    instant.map(|i| json!(i.0))
}

fn organisation(o: &Organisation, first_due: Option<Instant>) -> Value {
    let of = attributes([
        ("country", Some(json!(o.country))),
        ("listing", Some(is("Listing", &code(o.listing)))),
        ("covered", Some(json!(o.covered))),
        ("joined", at(o.joined)),
        ("left", at(o.left)),
        ("firstDue", at(first_due)),
    ]);
    entity("Organisation", &o.id, of)
}

fn person(p: &Person) -> Value {
    let roles = p.roles.iter().map(|r| is("Role", &code(r))).collect();
    let of = attributes([("organisation", Some(is("Organisation", p.organisation.as_str()))), ("roles", Some(roles))]);
    entity("Person", &p.id, of)
}

fn data_set(d: &DataSet) -> Value {
    let of = attributes([
        ("owner", Some(is("Organisation", d.owner.as_str()))),
        ("area", Some(is("Area", d.area.code()))),
        ("embargo", at(d.embargo)),
        ("humanDerived", Some(json!(d.human_derived))),
    ]);
    entity("DataSet", &d.id, of)
}

fn agreement(a: &Agreement) -> Value {
    let terms = &a.terms;
    let of = attributes([
        ("dataSets", Some(are("DataSet", &a.data_sets))),
        ("parties", Some(are("Organisation", &a.parties))),
        ("from", at(Some(terms.from))),
        ("until", at(Some(terms.until))),
        ("purposes", Some(terms.purposes.iter().map(|p| is("Purpose", p.code())).collect())),
        ("grants", Some(terms.grants.iter().map(|g| is("Grant", &code(g))).collect())),
        ("industrialUse", Some(json!(terms.industrial_use == IndustrialUse::Permitted))),
        ("earlyAccess", Some(are("Organisation", &terms.early_access))),
        ("countries", terms.countries.as_ref().map(|c| json!(c))),
    ]);
    entity("Agreement", &a.id, of)
}
