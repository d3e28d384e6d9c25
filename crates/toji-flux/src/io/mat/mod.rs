//! Models of the COBRA Toolbox: a structure in a MATLAB file of level 5, read and written.
//!
//! The fields read: `rxns`, `rxnNames`, `mets`, `metNames`, `metFormulas`, `metCharges` or `metCharge`, `metComps` or
//! `comps`, `S`, `lb`, `ub`, `c`, `osenseStr` or `osense`, `csense`, `b`, `genes`, `geneNames`, `grRules`, `subSystems`,
//! `compNames`, `modelID` or `description`, `modelName`.

mod level5;
mod pack;
mod write;

pub use write::write;

use super::Reading;
use super::findings::{Findings, GEM_001, GEM_002, GEM_005, GEM_W02, GEM_W03};
use super::json::rule;
use crate::model::{Compartment, Gene, Metabolite, Objective, Parts, Reaction, Sense};
use level5::Array;
use std::collections::HashMap;
use toji_core::{Error, Place, Result};

/// Is it a MATLAB file of level 5?
#[must_use]
pub fn is_mat(bytes: &[u8]) -> bool {
    level5::is_level5(bytes)
}

/// Reads the first structure that has reactions, metabolites and a stoichiometric matrix.
///
/// # Errors
/// `E-GEM-001`: no MATLAB file of level 5, cut off, or no model in it. `E-GEM-002`, `E-GEM-005`: faults of the model.
pub fn read(bytes: &[u8]) -> Result<Reading> {
    let broken = |ja: &str, en: &str| {
        Error::input(GEM_001, format!("MATLAB のモデルを読めません: {ja}"), format!("not readable as a model of MATLAB: {en}"))
            .hint("MATLAB で save(…, '-v7') で書き出し直してください", "export it again with save(…, '-v7')")
    };
    let variables = level5::variables(bytes).map_err(|(ja, en)| broken(ja, en))?;
    let model = variables.into_iter().find_map(|(name, array)| match array {
        Array::Structure(fields) if ["rxns", "mets", "S"].iter().all(|f| fields.iter().any(|(n, _)| n == f)) => {
            Some((name, fields))
        }
        _ => None,
    });
    let Some((name, fields)) = model else {
        return Err(broken("rxns・mets・S を持つ構造体がありません", "there is no structure with rxns, mets and S"));
    };
    let mut reader = Reader { fields: fields.into_iter().collect(), findings: Findings::default(), used: Vec::new() };
    let parts = reader.parts(&name);
    let mut unused: Vec<String> = reader.fields.keys().filter(|f| !reader.used.contains(&f.as_str())).cloned().collect();
    unused.sort();
    for field in unused {
        reader.findings.lost(format_args!("field {field}"), || format!("フィールド {field} "), || Place::field(&*field));
    }
    let (model, findings) = reader.findings.finish(parts, "MATLAB")?;
    Ok(Reading { model, findings })
}

struct Reader {
    fields: HashMap<String, Array>,
    findings: Findings,
    used: Vec<&'static str>,
}

impl Reader {
    fn field(&mut self, names: &[&'static str]) -> Option<&Array> {
        self.used.extend(names);
        names.iter().find_map(|n| self.fields.get(*n))
    }

    /// A field of texts, one for each of `count`; absent ones are blank.
    fn texts(&mut self, names: &[&'static str], count: usize) -> Vec<String> {
        let found = self.field(names).map(texts).unwrap_or_default();
        self.counted(names[0], found, count, String::new())
    }

    fn numbers(&mut self, names: &[&'static str], count: usize, default: f64) -> Vec<f64> {
        let found = self.field(names).map(numbers).unwrap_or_default();
        self.counted(names[0], found, count, default)
    }

    fn counted<T: Clone>(&mut self, name: &str, mut found: Vec<T>, count: usize, default: T) -> Vec<T> {
        if !found.is_empty() && found.len() != count {
            let n = found.len();
            let words =
                (format!("{name} は {count} 個のはずが {n} 個です"), format!("{name} has {n} entries instead of {count}"));
            let remedy = ("rxns・mets の数に合わせてください", "let it have as many as rxns or mets");
            self.findings.fault(GEM_002, Place::field(name), words, remedy);
        }
        found.resize(count, default);
        found
    }

    fn parts(&mut self, variable: &str) -> Parts {
        let (rxns, mets) =
            (self.field(&["rxns"]).map(texts).unwrap_or_default(), self.field(&["mets"]).map(texts).unwrap_or_default());
        let (n, m) = (rxns.len(), mets.len());
        let id = self.field(&["modelID", "description"]).map(texts).and_then(|t| t.into_iter().next()).filter(|t| !t.is_empty());
        let mut parts = Parts { id: id.unwrap_or_else(|| variable.to_owned()), ..Parts::default() };
        let titled = self.field(&["modelName"]).map(texts).and_then(|t| t.into_iter().next());
        parts.name = titled.filter(|t| !t.is_empty());
        self.metabolites(mets, &mut parts);
        let genes = self.field(&["genes"]).map(texts).unwrap_or_default();
        let names = self.texts(&["geneNames"], genes.len());
        let named = |(id, name): (String, String)| Gene { id, name: Some(name).filter(|n| !n.is_empty()), ..Gene::default() };
        parts.genes = genes.into_iter().zip(names).map(named).collect();
        let (lower, upper) = (self.numbers(&["lb"], n, f64::NEG_INFINITY), self.numbers(&["ub"], n, f64::INFINITY));
        if !self.fields.contains_key("lb") || !self.fields.contains_key("ub") {
            let words = ("境界 lb・ub がなく、無限とみなしました".into(), "there are no bounds lb, ub; none were assumed".into());
            self.findings.warn(GEM_W02, Place::field("lb"), words, ("lb と ub を加えてください", "add lb and ub"));
        }
        let (names, subsystems) = (self.texts(&["rxnNames"], n), self.texts(&["subSystems"], n));
        let rules = self.texts(&["grRules"], n);
        let mut index: HashMap<String, usize> = parts.genes.iter().enumerate().map(|(i, g)| (g.id.clone(), i)).collect();
        let stoichiometry = self.stoichiometry(n, m);
        let blank = |text: String| if text.is_empty() { None } else { Some(text) };
        let each = rxns.into_iter().zip(names).zip(subsystems).zip(rules).zip(stoichiometry).enumerate();
        for (r, ((((id, name), subsystem), text), stoichiometry)) in each {
            let gpr = match rule(&text, &mut index, &mut parts.genes).0 {
                Ok(gpr) => gpr,
                Err(why) => {
                    let words = (
                        format!("遺伝子の規則が読めず、規則なしとしました: {}", why.ja),
                        format!("a gene rule is unreadable, and the reaction was left without: {}", why.en),
                    );
                    self.findings.warn(GEM_W03, Place::field(&*id), words, ("grRules を直してください", "correct grRules"));
                    None
                }
            };
            let (name, subsystem) = (blank(name), blank(subsystem));
            parts.reactions.push(Reaction {
                id,
                name,
                stoichiometry,
                lower: lower[r],
                upper: upper[r],
                gpr,
                subsystem,
                ..Reaction::default()
            });
        }
        self.objective(n, m, &mut parts);
        parts
    }

    fn metabolites(&mut self, mets: Vec<String>, parts: &mut Parts) {
        let m = mets.len();
        let (names, formulas) = (self.texts(&["metNames"], m), self.texts(&["metFormulas"], m));
        let charges = self.numbers(&["metCharges", "metCharge"], m, f64::NAN);
        let ids = self.field(&["comps"]).map(texts).unwrap_or_default();
        let titles = self.field(&["compNames"]).map(texts).unwrap_or_default();
        // Names of compartments, or their positions in `comps`.
        let of: Vec<String> = match self.field(&["metComps"]) {
            Some(Array::Numbers(positions, _)) => {
                positions.iter().map(|p| ids.get((*p as usize).wrapping_sub(1)).cloned().unwrap_or_default()).collect()
            }
            Some(other) => texts(other),
            None => Vec::new(),
        };
        let titled = |(i, id): (usize, &String)| Compartment {
            id: id.clone(),
            name: titles.get(i).cloned().filter(|t| !t.is_empty()),
            ..Compartment::default()
        };
        parts.compartments = ids.iter().enumerate().map(titled).collect();
        let blank = |text: String| if text.is_empty() { None } else { Some(text) };
        for (i, ((id, name), formula)) in mets.into_iter().zip(names).zip(formulas).enumerate() {
            let bracketed = || id.strip_suffix(']').and_then(|t| t.rsplit_once('[')).map(|t| t.1.to_owned());
            let compartment = of.get(i).cloned().and_then(blank).or_else(bracketed);
            let charge = charges.get(i).copied().filter(|c| c.is_finite());
            parts.metabolites.push(Metabolite {
                id,
                name: blank(name),
                compartment,
                formula: blank(formula),
                charge,
                ..Metabolite::default()
            });
        }
    }

    fn stoichiometry(&mut self, n: usize, m: usize) -> Vec<Vec<(usize, f64)>> {
        let mut columns = vec![Vec::new(); n];
        let (entries, sizes): (Vec<(usize, usize, f64)>, [usize; 2]) = match self.field(&["S"]) {
            Some(Array::Sparse(entries, sizes)) => (entries.clone(), *sizes),
            Some(Array::Numbers(values, sizes)) => {
                let rows = sizes[0].max(1);
                (values.iter().enumerate().map(|(at, v)| (at % rows, at / rows, *v)).collect(), *sizes)
            }
            _ => (Vec::new(), [usize::MAX; 2]),
        };
        if sizes != [m, n] {
            let words = (format!("S は {m} 行 {n} 列のはずです"), format!("S must have {m} rows and {n} columns"));
            self.findings.fault(
                GEM_002,
                Place::field("S"),
                words,
                ("mets・rxns の数に合わせてください", "let it fit mets and rxns"),
            );
            return columns;
        }
        for (row, column, value) in entries {
            if value != 0.0
                && let Some(list) = columns.get_mut(column)
            {
                list.push((row, value));
            }
        }
        columns
    }

    fn objective(&mut self, n: usize, m: usize, parts: &mut Parts) {
        let coefficients = self.numbers(&["c"], n, 0.0);
        let said = self.field(&["osenseStr"]).map(texts).and_then(|t| t.into_iter().next()).unwrap_or_default();
        let number = self.field(&["osense"]).map(numbers).and_then(|v| v.first().copied());
        let least = said.to_lowercase().starts_with("min") || said.is_empty() && number == Some(1.0);
        let terms: Vec<(usize, f64)> = coefficients.into_iter().enumerate().filter(|t| t.1 != 0.0).collect();
        if !terms.is_empty() {
            let sense = if least { Sense::Minimize } else { Sense::Maximize };
            parts.objectives.push(Objective { id: "obj".into(), sense, terms, ..Objective::default() });
            parts.active = Some(0);
        }
        let rest = self.numbers(&["b"], m, 0.0).into_iter().any(|b| b != 0.0);
        let senses: String = self.field(&["csense"]).map(texts).unwrap_or_default().concat();
        if rest || senses.chars().any(|c| !matches!(c, 'E' | 'e' | ' ')) {
            let words = (
                "b・csense による不均衡には対応していません".into(),
                "unbalanced metabolites (b, csense) are not supported".into(),
            );
            let remedy = ("通常の定常状態の形に直してください", "bring the model into the ordinary steady-state form");
            self.findings.fault(GEM_005, Place::field("csense"), words, remedy);
        }
        self.used.extend(["rev", "rules", "rxnGeneMat"]);
    }
}

/// Texts of a cell array or of a matrix of characters; a cell of cells gives its first text.
fn texts(array: &Array) -> Vec<String> {
    let first = |array: &Array| match array {
        Array::Text(rows) => rows.first().map(|r| r.trim_end().to_owned()).unwrap_or_default(),
        Array::Cells(inner) => inner.first().map(texts).and_then(|t| t.into_iter().next()).unwrap_or_default(),
        Array::Numbers(values, _) => values.first().map(f64::to_string).unwrap_or_default(),
        _ => String::new(),
    };
    match array {
        Array::Cells(cells) => cells.iter().map(first).collect(),
        Array::Text(rows) => rows.iter().map(|r| r.trim_end().to_owned()).collect(),
        _ => Vec::new(),
    }
}

fn numbers(array: &Array) -> Vec<f64> {
    match array {
        Array::Numbers(values, _) => values.clone(),
        Array::Sparse(entries, sizes) => {
            let rows = sizes[0].max(1);
            let mut values = vec![0.0; sizes[0].saturating_mul(sizes[1]).min(10_000_000)];
            for (row, column, value) in entries {
                if let Some(slot) = values.get_mut(column * rows + row) {
                    *slot = *value;
                }
            }
            values
        }
        _ => Vec::new(),
    }
}
