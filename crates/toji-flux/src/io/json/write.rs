//! A model as COBRA JSON.

use crate::io::Written;
use crate::io::findings::Findings;
use crate::model::{Annotation, Metabolite, Model, Notes, Reaction, Sense};
use serde_json::{Map, Value, json};
use toji_core::{Error, Result};

/// Writes COBRA JSON, version 1, as COBRApy reads it.
///
/// The objective is written as coefficients of the reactions, to be maximised; one to be minimised is written with its
/// signs turned. Infinite bounds are written as the texts `inf` and `-inf`. The report tells what has no place: further
/// objectives, constraints, groups, names of objectives, boundary metabolites.
///
/// # Errors
/// None for a checked model, except a fault of the writer itself.
pub fn write(model: &Model) -> Result<Written> {
    let mut losses = Findings::default();
    let document = document(model, &mut losses);
    let bytes = serde_json::to_vec_pretty(&document).map_err(|e| Error::bug("E-GEM-999", e))?;
    Ok(Written { bytes, losses: losses.into_notes() })
}

/// The document as a tree.
pub(in crate::io) fn document(model: &Model, losses: &mut Findings) -> Value {
    let mut coefficients = vec![0.0; model.reactions.len()];
    if let Some(objective) = model.active_objective() {
        let sign = if objective.sense == Sense::Minimize { -1.0 } else { 1.0 };
        objective.terms.iter().for_each(|t| coefficients[t.0] += sign * t.1);
        if objective.sense == Sense::Minimize {
            losses.unwritten(
                &objective.id,
                "最小化という向き(係数の符号を反転)",
                "that the objective is minimised (signs are turned)",
            );
        }
        if !objective.quadratic.is_empty() {
            losses.unwritten(&objective.id, "目的関数の二乗の項", "quadratic terms of the objective");
        }
    }
    for (index, objective) in model.objectives.iter().enumerate() {
        if Some(index) != model.active {
            losses.unwritten(&objective.id, "有効でない目的関数", "an objective that is not active");
        }
    }
    model.constraints.iter().for_each(|c| losses.unwritten(&c.id, "追加の制約", "a user-defined constraint"));
    let annotated = model.compartments.iter().filter(|c| !c.annotation.is_empty());
    annotated.for_each(|c| losses.unwritten(&c.id, "区画の注釈", "annotations of compartments"));
    model.groups.iter().for_each(|g| losses.unwritten(&g.id, "グループ", "a group"));
    let mut root = Map::new();
    let list = |items: Vec<Value>| Value::Array(items);
    root.insert("metabolites".into(), list(model.metabolites.iter().map(|m| metabolite(m, losses)).collect()));
    root.insert("reactions".into(), list(model.reactions.iter().zip(coefficients).map(|(r, c)| reaction(model, r, c)).collect()));
    let gene = |g: &crate::model::Gene| {
        let mut map = Map::new();
        map.insert("id".into(), json!(g.id));
        map.insert("name".into(), json!(g.name.as_deref().unwrap_or("")));
        aside(&mut map, &g.notes, &g.annotation);
        Value::Object(map)
    };
    root.insert("genes".into(), list(model.genes.iter().map(gene).collect()));
    root.insert("id".into(), json!(model.id));
    if let Some(name) = &model.name {
        root.insert("name".into(), json!(name));
    }
    let compartments = model.compartments.iter().map(|c| (c.id.clone(), json!(c.name.as_deref().unwrap_or("")))).collect();
    root.insert("compartments".into(), Value::Object(compartments));
    aside(&mut root, &model.notes, &model.annotation);
    root.insert("version".into(), json!("1"));
    Value::Object(root)
}

fn metabolite(metabolite: &Metabolite, losses: &mut Findings) -> Value {
    let mut map = Map::new();
    map.insert("id".into(), json!(metabolite.id));
    map.insert("name".into(), json!(metabolite.name.as_deref().unwrap_or("")));
    map.insert("compartment".into(), json!(metabolite.compartment));
    if let Some(charge) = metabolite.charge {
        map.insert("charge".into(), number(charge));
    }
    if let Some(formula) = &metabolite.formula {
        map.insert("formula".into(), json!(formula));
    }
    if metabolite.boundary {
        losses.unwritten(
            &metabolite.id,
            "境界の代謝物という印(釣り合いが課されます)",
            "that a metabolite is at the boundary (it will be balanced)",
        );
    }
    aside(&mut map, &metabolite.notes, &metabolite.annotation);
    Value::Object(map)
}

fn reaction(model: &Model, reaction: &Reaction, coefficient: f64) -> Value {
    let mut map = Map::new();
    map.insert("id".into(), json!(reaction.id));
    map.insert("name".into(), json!(reaction.name.as_deref().unwrap_or("")));
    let stoichiometry = reaction.stoichiometry.iter().map(|t| (model.metabolites[t.0].id.clone(), json!(t.1))).collect();
    map.insert("metabolites".into(), Value::Object(stoichiometry));
    map.insert("lower_bound".into(), number(reaction.lower));
    map.insert("upper_bound".into(), number(reaction.upper));
    let rule = reaction.gpr.as_ref().map(|g| g.text(&|i| model.genes[i].id.clone())).unwrap_or_default();
    map.insert("gene_reaction_rule".into(), json!(rule));
    if coefficient != 0.0 {
        map.insert("objective_coefficient".into(), json!(coefficient));
    }
    if let Some(subsystem) = &reaction.subsystem {
        map.insert("subsystem".into(), json!(subsystem));
    }
    aside(&mut map, &reaction.notes, &reaction.annotation);
    Value::Object(map)
}

/// A number; infinity, for which JSON has none, as text; a whole charge without a point.
fn number(value: f64) -> Value {
    match value {
        v if v == f64::INFINITY => json!("inf"),
        v if v == f64::NEG_INFINITY => json!("-inf"),
        v if v.fract() == 0.0 && v.abs() < 1e15 => json!(v as i64),
        v => json!(v),
    }
}

/// Notes and annotation, where there are any.
fn aside(map: &mut Map<String, Value>, notes: &Notes, annotation: &Annotation) {
    let mut gather = |name: &str, entries: Vec<(&str, Value)>| {
        let mut gathered: Map<String, Value> = Map::new();
        for (key, value) in entries {
            match gathered.get_mut(key) {
                None => drop(gathered.insert(key.to_owned(), Value::Array(vec![value]))),
                Some(Value::Array(list)) => list.push(value),
                Some(_) => {}
            }
        }
        if !gathered.is_empty() {
            map.insert(name.to_owned(), Value::Object(gathered));
        }
    };
    gather("notes", notes.iter().map(|(key, value)| (key.as_str(), json!(value))).collect());
    let pair = |r: &crate::model::Reference| match &*r.qualifier {
        crate::io::miriam::IS => json!(r.id),
        qualifier => json!([qualifier, r.id]),
    };
    gather("annotation", annotation.iter().map(|r| (&*r.collection, pair(r))).collect());
}
