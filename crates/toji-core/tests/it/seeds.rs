//! The 30 policy tables read through their declared kinds alone, and the sums computed from what was read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use toji_core::kind::{Kind, KindSet, read_cell, write_cell};
use toji_core::record::FieldMap;
use toji_core::{Id, Severity};

fn seeds() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../seeds")
}

/// One table: its kind, header and rows as text and as fields.
struct Table {
    kind: &'static Kind,
    header: Vec<String>,
    text: Vec<Vec<String>>,
    rows: Vec<(String, FieldMap)>,
}

#[track_caller]
fn load(name: &str) -> Table {
    let kind = KindSet::builtin().unwrap().get(name).unwrap();
    let mut reader = csv::Reader::from_path(seeds().join(kind.table.as_ref().unwrap())).unwrap();
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let text: Vec<Vec<String>> = reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect();
    let rows = text
        .iter()
        .map(|row| {
            let mut fields = FieldMap::new();
            for (column, cell) in header.iter().zip(row).filter(|(c, _)| *c != "id") {
                let field = kind.field(column).unwrap_or_else(|| panic!("{name}: no field {column}"));
                let read = read_cell(field, cell).unwrap_or_else(|(_, en)| panic!("{name} {}.{column} \"{cell}\": {en}", row[0]));
                fields.extend(read.map(|value| (column.clone(), value)));
            }
            (row[0].clone(), fields)
        })
        .collect();
    Table { kind, header, text, rows }
}

impl Table {
    fn text(fields: &FieldMap, name: &str) -> String {
        fields.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned()
    }
    /// The number `value` of the one row where every (field, text) holds.
    #[track_caller]
    fn one(&self, wanted: &[(&str, &str)], value: &str) -> Option<f64> {
        let cell = |row: &FieldMap, name: &str| write_cell(self.kind.field(name).unwrap(), row.get(name));
        let found: Vec<_> = self.rows.iter().filter(|(_, f)| wanted.iter().all(|(n, t)| cell(f, n) == *t)).collect();
        assert_eq!(found.len(), 1, "{} {wanted:?}", self.kind.kind);
        found[0].1.get(value).and_then(|v| v.as_f64())
    }
    fn findings(&self) -> Vec<toji_core::kind::Finding> {
        self.kind.sum_checks.iter().flat_map(|c| c.run(self.rows.iter().map(|(id, f)| (id.as_str(), f)))).collect()
    }
}

/// File → rows, counted with an independent reader of the tables.
const ROWS: [(&str, usize); 30] = [
    ("adopted_projects.csv", 18),
    ("approvals.csv", 12),
    ("biobanks.csv", 7),
    ("cdmo_market.csv", 13),
    ("company_requests.csv", 15),
    ("council_comments.csv", 26),
    ("drug_stage_gaps.csv", 28),
    ("events.csv", 16),
    ("facilities.csv", 27),
    ("feedstock.csv", 4),
    ("foundry_demand.csv", 65),
    ("funding_calls.csv", 19),
    ("kpis.csv", 89),
    ("market_size.csv", 13),
    ("measures.csv", 53),
    ("modality_gaps.csv", 6),
    ("policy_events.csv", 11),
    ("product_examples.csv", 6),
    ("programmes.csv", 85),
    ("recommendations.csv", 12),
    ("restrictions.csv", 26),
    ("seed_discrepancies.csv", 16),
    ("social_issues.csv", 7),
    ("subsidy_rules.csv", 27),
    ("suppliers.csv", 23),
    ("systems.csv", 249),
    ("technologies.csv", 10),
    ("training.csv", 35),
    ("vc_and_ventures.csv", 42),
    ("vc_criteria.csv", 5),
];

fn tables() -> BTreeMap<&'static str, &'static Kind> {
    KindSet::builtin().unwrap().iter().filter_map(|k| Some((k.table.as_deref()?, k))).collect()
}

#[test]
fn every_table_has_one_kind_and_every_kind_its_table() {
    let mut files: Vec<String> = std::fs::read_dir(seeds())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|f| f.ends_with(".csv"))
        .collect();
    files.sort();
    assert_eq!(tables().keys().copied().collect::<Vec<_>>(), files);
    assert_eq!(files, ROWS.map(|(f, _)| f));
}

#[test]
fn every_cell_is_read_valid_and_comes_back_byte_for_byte() {
    let mut cells = 0;
    let mut warnings = Vec::new();
    for (file, count) in ROWS {
        let table = load(&tables()[file].kind);
        assert_eq!(table.rows.len(), count, "{file}");
        let columns: Vec<&str> = table.kind.fields.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(table.header[0], "id", "{file}");
        assert_eq!(&table.header[1..], columns, "{file}: fields stand in the order of the columns");
        for ((id, fields), row) in table.rows.iter().zip(&table.text) {
            assert!(Id::parse(id).is_ok(), "{file} {id}");
            for finding in table.kind.validate(fields) {
                assert_ne!(finding.severity, Severity::Error, "{file} {id}: {}", finding.render(toji_core::Lang::En));
                warnings.push(format!("{file} {id}: {}", finding.render(toji_core::Lang::En)));
            }
            for (field, cell) in table.kind.fields.iter().zip(&row[1..]) {
                assert_eq!(&write_cell(field, fields.get(&field.name)), cell, "{file} {id}.{}", field.name);
                cells += 1;
            }
        }
    }
    assert!(warnings.is_empty(), "{warnings:#?}");
    assert_eq!(ROWS.iter().map(|r| r.1).sum::<usize>(), 965);
    assert!(cells > 10_000, "{cells}");
}

#[test]
fn a_table_comes_back_as_the_file_it_was() {
    for (file, _) in ROWS {
        let table = load(&tables()[file].kind);
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&table.header).unwrap();
        for (id, fields) in &table.rows {
            let cells = table.kind.fields.iter().map(|f| write_cell(f, fields.get(&f.name)));
            writer.write_record(std::iter::once(id.clone()).chain(cells)).unwrap();
        }
        let written = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        assert_eq!(written, std::fs::read_to_string(seeds().join(file)).unwrap(), "{file}");
    }
}

#[test]
fn references_between_the_tables_hold() {
    let set = KindSet::builtin().unwrap();
    let mut followed = 0;
    for (_, kind) in tables() {
        let table = load(&kind.kind);
        for field in kind.fields.iter().filter(|f| f.target.is_some()) {
            let target = load(&set.get(field.target.as_ref().unwrap()).unwrap().kind);
            for (id, fields) in &table.rows {
                let value = fields.get(&field.name).cloned().unwrap_or_default();
                let names: Vec<String> = match value {
                    serde_json::Value::Array(parts) => parts.iter().map(|p| p.as_str().unwrap().to_owned()).collect(),
                    serde_json::Value::String(text) => vec![text],
                    _ => continue,
                };
                for name in names {
                    let there = |(id, f): &(String, FieldMap)| match &field.ref_field {
                        Some(shared) => Table::text(f, shared) == name,
                        None => *id == name,
                    };
                    assert!(target.rows.iter().any(there), "{} {id}.{}: {name}", kind.kind, field.name);
                    followed += 1;
                }
            }
        }
    }
    assert!(followed > 240, "{followed}");
}

#[test]
fn foundry_use_and_the_printed_inconsistency() {
    let table = load("foundry-demand");
    let stages = ["started, completed", "started, running", "planned", "wishes to use", "interested"];
    let totals =
        |snapshot| stages.map(|s| table.one(&[("snapshot", snapshot), ("stage_en", s), ("kind", "total")], "count").unwrap());
    assert_eq!(totals("August 2024"), [7.0, 14.0, 8.0, 11.0, 18.0]);
    assert_eq!(totals("spring 2024"), [8.0, 11.0, 8.0, 11.0, 18.0]);
    let inquiries = ["joint research wished", "trial make or equipment use wished (incl. scale-up)", "technical consultation"];
    for snapshot in ["spring 2024", "August 2024"] {
        let counts =
            inquiries.map(|s| table.one(&[("snapshot", snapshot), ("stage_en", s), ("kind", "inquiry")], "count").unwrap());
        assert_eq!(counts, [20.0, 5.0, 24.0], "{snapshot}");
    }
    // The paper prints 14 running cases; its sectors add up to 13. All nine other groups agree.
    let findings = table.findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(
        (findings[0].group.as_slice(), findings[0].total, findings[0].sum),
        (["August 2024".to_owned(), "started, running".to_owned()].as_slice(), 14.0, 13.0)
    );
    assert_eq!(findings[0].record, "FD35");
}

#[test]
fn calls_proposed_and_adopted() {
    let table = load("funding-call");
    let money = |stage| {
        let row = [("programme_id", "BIOREV"), ("call", "1"), ("stage_en", stage)];
        (table.one(&row, "state_share_oku_yen"), table.one(&row, "project_total_oku_yen"))
    };
    assert_eq!(money("proposed"), (Some(1454.0), Some(2424.0)));
    assert_eq!(money("adopted"), (Some(297.0), Some(624.0)));
}

#[test]
fn dual_use_sites_add_up() {
    let table = load("facility");
    let counts: Vec<f64> = table
        .rows
        .iter()
        .filter(|(_, f)| Table::text(f, "kind") == "dual-use site")
        .map(|(_, f)| f["count"].as_f64().unwrap())
        .collect();
    assert_eq!(counts, [8.0, 4.0, 4.0, 18.0]);
    assert_eq!(table.one(&[("kind", "dual-use total")], "count"), Some(counts.iter().sum()));
    assert!(table.findings().is_empty());
}

#[test]
fn market_of_bio_manufacturing() {
    let table = load("market-size");
    let market = |year| {
        table.one(&[("market_en", "Bio-manufacturing, drugs excluded"), ("year", year), ("unit", "trillion yen")], "value")
    };
    assert_eq!((market("2030"), market("2040")), (Some(46.2), Some(114.8)));
}

#[test]
fn item_requests_have_no_number() {
    let table = load("programme");
    let requests: Vec<_> = table.rows.iter().filter(|(_, f)| Table::text(f, "amount_kind").contains("事項要求")).collect();
    assert_eq!(requests.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["PG001", "PG007"]);
    assert!(requests.iter().all(|(_, f)| !f.contains_key("amount_oku_yen")));
}

#[test]
fn a_wrong_cell_is_refused_with_what_was_expected() {
    let kind = KindSet::builtin().unwrap().get("funding-call").unwrap();
    let (ja, en) = read_cell(kind.field("cases").unwrap(), "six").unwrap_err();
    assert_eq!((ja.as_str(), en.as_str()), ("整数が必要です", "a whole number is expected"));
    let mut fields = load("funding-call").rows[0].1.clone();
    fields.remove("stage_en");
    fields.insert("colour".into(), "red".into());
    let codes: Vec<String> = kind.validate(&fields).into_iter().map(|d| d.code).collect();
    assert_eq!(codes, ["E-FIELD-001", "E-FIELD-002"]);
}
