//! The four tables of a report.

use super::{Range, Report};
use crate::io::findings::{GEM_001, GEM_002};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use toji_core::{Error, Place, Result};

/// Names of the tables.
pub const FILES: [&str; 4] = ["01_objective.tsv", "02_fva.tsv", "03_gene_deletion.tsv", "04_reaction_deletion.tsv"];

/// Writes the tables, by file name. Numbers are written whole, not rounded.
#[must_use]
pub fn write(report: &Report) -> Vec<(&'static str, String)> {
    let head = |columns: &str| format!("model\tobjective\t{columns}\n");
    let start = format!("{}\t{}", clean(&report.model), clean(&report.objective));
    let one = |value: Option<f64>| match value {
        Some(value) => format!("optimal\t{}", number(value)),
        None => "infeasible\t".to_owned(),
    };
    let [mut objective, mut ranges] = [head("status\tvalue"), head("reaction\tflux\tstatus\tminimum\tmaximum")];
    let [mut genes, mut reactions] = [head("gene\tstatus\tvalue"), head("reaction\tstatus\tvalue")];
    let _ = writeln!(objective, "{start}\t{}", one(report.value));
    for (id, range) in &report.ranges {
        let _ = match range {
            Some(r) => {
                let [flux, minimum, maximum] = [r.flux, r.minimum, r.maximum].map(number);
                writeln!(ranges, "{start}\t{id}\t{flux}\toptimal\t{minimum}\t{maximum}")
            }
            None => writeln!(ranges, "{start}\t{id}\t\tinfeasible\t\t"),
        };
    }
    for (id, value) in &report.genes {
        let _ = writeln!(genes, "{start}\t{id}\t{}", one(*value));
    }
    for (id, value) in &report.reactions {
        let _ = writeln!(reactions, "{start}\t{id}\t{}", one(*value));
    }
    FILES.into_iter().zip([objective, ranges, genes, reactions]).collect()
}

/// Without what parts cells and lines.
fn clean(text: &str) -> String {
    text.replace(['\t', '\n', '\r'], " ")
}

fn number(value: f64) -> String {
    format!("{:?}", if value == 0.0 { 0.0 } else { value })
}

/// A table by the names of its columns.
struct Table<'t> {
    file: &'t str,
    columns: Vec<&'t str>,
    lines: Vec<(u64, Vec<&'t str>)>,
}

impl<'t> Table<'t> {
    fn new(file: &'t str, text: &'t str) -> Result<Self> {
        let split = |line: &'t str| line.trim_end_matches('\r').split('\t').collect::<Vec<_>>();
        let mut lines = text.lines().enumerate();
        let columns = lines.next().map(|l| split(l.1)).unwrap_or_default();
        let lines = lines.filter(|l| !l.1.trim().is_empty()).map(|(n, l)| (n as u64 + 1, split(l))).collect();
        let table = Self { file, columns, lines };
        table.column("status").map(|_| table)
    }

    fn column(&self, name: &str) -> Result<usize> {
        self.columns.iter().position(|c| *c == name).ok_or_else(|| {
            Error::input(GEM_001, format!("{name} の列がありません"), format!("there is no column {name}"))
                .at(Place::line(1).in_file(self.file))
                .hint("FROG の表を渡してください", "hand over a table of FROG")
        })
    }

    fn cell(&self, line: &[&'t str], column: usize) -> &'t str {
        line.get(column).copied().unwrap_or("").trim()
    }

    /// A number of a line that is optimal; `None` of one that is not.
    fn value(&self, at: u64, line: &[&'t str], column: usize) -> Result<Option<f64>> {
        let text = self.cell(line, column);
        if self.cell(line, self.column("status")?) != "optimal" {
            return Ok(None);
        }
        let number = text.parse::<f64>().ok().filter(|n| !n.is_nan());
        number.map(Some).ok_or_else(|| {
            Error::input(GEM_002, format!("数ではありません: {text:?}"), format!("not a number: {text:?}"))
                .at(Place::line(at).in_file(self.file).at_field(self.columns[column]))
                .hint("数を書いてください", "write a number")
        })
    }

    fn values(&self, key: &str) -> Result<BTreeMap<String, Option<f64>>> {
        let (key, value) = (self.column(key)?, self.column("value")?);
        self.lines.iter().map(|(at, line)| Ok((self.cell(line, key).to_owned(), self.value(*at, line, value)?))).collect()
    }
}

/// Reads the tables; `file` gives the text of a file by its name.
///
/// # Errors
/// `E-GEM-001`: a table is missing or is none. `E-GEM-002`: a cell is not a number, with file, line and column.
pub fn read<'t>(file: &dyn Fn(&str) -> Option<&'t str>) -> Result<Report> {
    let mut tables = Vec::with_capacity(4);
    for name in FILES {
        let text = file(name).ok_or_else(|| {
            Error::input(GEM_001, format!("{name} がありません"), format!("there is no {name}"))
                .at(Place::default().in_file(name))
                .hint("FROG の四つの表を揃えてください", "hand over all four tables of FROG")
        })?;
        tables.push(Table::new(name, text)?);
    }
    let [objective, ranges, genes, reactions] = tables.as_slice() else { return Ok(Report::default()) };
    let mut report = Report { genes: genes.values("gene")?, reactions: reactions.values("reaction")?, ..Report::default() };
    if let Some((at, line)) = objective.lines.first() {
        report.model = objective.cell(line, objective.column("model")?).to_owned();
        report.objective = objective.cell(line, objective.column("objective")?).to_owned();
        report.value = objective.value(*at, line, objective.column("value")?)?;
    }
    let columns = [ranges.column("flux")?, ranges.column("minimum")?, ranges.column("maximum")?];
    for (at, line) in &ranges.lines {
        let [flux, minimum, maximum] = columns.map(|c| ranges.value(*at, line, c));
        let range = flux?.zip(minimum?).zip(maximum?).map(|((flux, minimum), maximum)| Range { flux, minimum, maximum });
        report.ranges.insert(ranges.cell(line, ranges.column("reaction")?).to_owned(), range);
    }
    Ok(report)
}
