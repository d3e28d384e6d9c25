//! A model as the COBRA Toolbox has it, in a MATLAB file.

use super::level5::Array;
use super::pack;
use crate::io::Written;
use crate::io::findings::Findings;
use crate::model::{Model, Sense};
use std::collections::HashMap;
use toji_core::{Error, Result};

/// Writes a MATLAB file of level 5 with one structure `model` of the COBRA Toolbox's fields, as COBRApy and SciPy read it.
///
/// The sense of the objective is kept (`osenseStr`, and `osense` −1 for max, 1 for min). An unknown charge is NaN, an
/// infinite bound infinite. The report tells what has no place: further objectives, quadratic terms, constraints, groups,
/// notes, annotations, boundary metabolites, characters beyond the 16 bits of MATLAB's.
///
/// # Errors
/// `E-GEM-004` when the model is longer than the format's 4 GiB.
pub fn write(model: &Model) -> Result<Written> {
    let mut losses = Findings::default();
    let structure = Array::Structure(fields(model, &mut losses));
    let bytes = pack::file("model", &structure).ok_or_else(|| {
        Error::input(
            crate::io::findings::GEM_004,
            "モデルが MATLAB ファイルの 4 GiB を超えます",
            "the model is longer than the 4 GiB of a MATLAB file",
        )
        .hint("SBML か JSON で書き出してください", "write it as SBML or JSON")
    })?;
    Ok(Written { bytes, losses: losses.into_notes() })
}

fn fields(model: &Model, losses: &mut Findings) -> Vec<(String, Array)> {
    let (n, m, g) = (model.reactions.len(), model.metabolites.len(), model.genes.len());
    let blank = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut text = |id: &str, text: String| {
        // A character beyond 16 bits is two of MATLAB's, which readers count differently.
        if text.chars().any(|c| c.len_utf16() > 1) {
            losses.unwritten(id, "16 ビットを超える文字(U+FFFD に置換)", "characters beyond 16 bits (U+FFFD stands for them)");
        }
        Array::Text(vec![text.chars().map(|c| if c.len_utf16() > 1 { '\u{FFFD}' } else { c }).collect()])
    };
    let positions: HashMap<&str, usize> = model.compartments.iter().enumerate().map(|(i, c)| (c.id.as_str(), i + 1)).collect();
    let column = |values: Vec<f64>| {
        let sizes = [values.len(), 1];
        Array::Numbers(values, sizes)
    };
    let mut coefficients = vec![0.0; n];
    let objective = model.active_objective();
    for &(at, value) in objective.iter().flat_map(|o| &o.terms) {
        coefficients[at] += value;
    }
    let least = objective.is_some_and(|o| o.sense == Sense::Minimize);
    let mut found: Vec<(&str, Array)> = vec![
        ("rxns", Array::Cells(model.reactions.iter().map(|r| text(&r.id, r.id.clone())).collect())),
        ("mets", Array::Cells(model.metabolites.iter().map(|s| text(&s.id, s.id.clone())).collect())),
        ("S", stoichiometry(model)),
        ("lb", column(model.reactions.iter().map(|r| r.lower).collect())),
        ("ub", column(model.reactions.iter().map(|r| r.upper).collect())),
        ("b", column(vec![0.0; m])),
        ("c", column(coefficients)),
        ("csense", Array::Cells((0..m).map(|_| Array::Text(vec!["E".into()])).collect())),
        ("osenseStr", Array::Text(vec![if least { "min" } else { "max" }.into()])),
        ("osense", Array::Numbers(vec![if least { 1.0 } else { -1.0 }], [1, 1])),
        ("genes", Array::Cells(model.genes.iter().map(|x| text(&x.id, x.id.clone())).collect())),
        ("geneNames", Array::Cells(model.genes.iter().map(|x| text(&x.id, blank(&x.name))).collect())),
    ];
    let rule = |r: &crate::model::Reaction| r.gpr.as_ref().map(|rule| rule.text(&|i| model.genes[i].id.clone()));
    found.extend([
        ("grRules", Array::Cells(model.reactions.iter().map(|r| text(&r.id, rule(r).unwrap_or_default())).collect())),
        ("rxnNames", Array::Cells(model.reactions.iter().map(|r| text(&r.id, blank(&r.name))).collect())),
        ("subSystems", Array::Cells(model.reactions.iter().map(|r| text(&r.id, blank(&r.subsystem))).collect())),
        ("metNames", Array::Cells(model.metabolites.iter().map(|s| text(&s.id, blank(&s.name))).collect())),
        ("metFormulas", Array::Cells(model.metabolites.iter().map(|s| text(&s.id, blank(&s.formula))).collect())),
        ("metCharges", column(model.metabolites.iter().map(|s| s.charge.unwrap_or(f64::NAN)).collect())),
    ]);
    // Positions in `comps`; where a metabolite is in none of them, or in one the model does not list, its name.
    let position = |s: &crate::model::Metabolite| s.compartment.as_deref().and_then(|c| positions.get(c).copied());
    let of: Option<Vec<f64>> = model.metabolites.iter().map(|s| position(s).map(|p| p as f64)).collect();
    let metabolite_compartments = match of {
        Some(of) => column(of),
        None => Array::Cells(model.metabolites.iter().map(|s| text(&s.id, blank(&s.compartment))).collect()),
    };
    found.extend([
        ("comps", Array::Cells(model.compartments.iter().map(|c| text(&c.id, c.id.clone())).collect())),
        ("compNames", Array::Cells(model.compartments.iter().map(|c| text(&c.id, blank(&c.name))).collect())),
        ("metComps", metabolite_compartments),
        ("modelID", text("", model.id.clone())),
        ("modelName", text("", blank(&model.name))),
        ("description", text("", model.id.clone())),
    ]);
    if g == 0 {
        found.retain(|field| !matches!(field.0, "genes" | "geneNames"));
    }
    unwritten(model, losses);
    found.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Column by column, the rows of a column in order, as the format wants them.
fn stoichiometry(model: &Model) -> Array {
    let mut entries = Vec::new();
    for (j, reaction) in model.reactions.iter().enumerate() {
        let mut column: Vec<(usize, f64)> = reaction.stoichiometry.clone();
        column.sort_by_key(|t| t.0);
        for (i, value) in column {
            match entries.last_mut() {
                Some((row, of, sum)) if (*row, *of) == (i, j) => *sum += value,
                _ => entries.push((i, j, value)),
            }
        }
    }
    Array::Sparse(entries, [model.metabolites.len(), model.reactions.len()])
}

/// What has no place.
fn unwritten(model: &Model, losses: &mut Findings) {
    for (index, objective) in model.objectives.iter().enumerate() {
        if Some(index) != model.active {
            losses.unwritten(&objective.id, "有効でない目的関数", "an objective that is not active");
        } else if !objective.quadratic.is_empty() {
            losses.unwritten(&objective.id, "目的関数の二乗の項", "quadratic terms of the objective");
        }
    }
    model.constraints.iter().for_each(|c| losses.unwritten(&c.id, "追加の制約", "a user-defined constraint"));
    model.groups.iter().for_each(|g| losses.unwritten(&g.id, "グループ", "a group"));
    let boundary = model.metabolites.iter().filter(|m| m.boundary);
    boundary.for_each(|m| {
        losses.unwritten(
            &m.id,
            "境界の代謝物という印(釣り合いが課されます)",
            "that a metabolite is at the boundary (it will be balanced)",
        );
    });
    let asides = [(model.id.as_str(), !model.annotation.is_empty(), !model.notes.is_empty())].into_iter();
    let asides = asides.chain(model.compartments.iter().map(|c| (c.id.as_str(), !c.annotation.is_empty(), false)));
    let asides = asides.chain(model.metabolites.iter().map(|m| (m.id.as_str(), !m.annotation.is_empty(), !m.notes.is_empty())));
    let asides = asides.chain(model.reactions.iter().map(|r| (r.id.as_str(), !r.annotation.is_empty(), !r.notes.is_empty())));
    let asides = asides.chain(model.genes.iter().map(|g| (g.id.as_str(), !g.annotation.is_empty(), !g.notes.is_empty())));
    for (id, annotated, noted) in asides {
        if annotated {
            losses.unwritten(id, "注釈", "annotations");
        }
        if noted {
            losses.unwritten(id, "ノート", "notes");
        }
    }
}
