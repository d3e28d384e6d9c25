//! `docs/coverage.md`, generated: which functions of the table are covered by a test of this folder.
//!
//! A test counts by its name: `a05_…` covers A05. The suite must be green for a change to be accepted, so
//! a function with a test is a function that passes. `a02_in_part_…` says that the test holds a part of what
//! the table asks for, and that the rest is not there yet.

use crate::bench::{root, seed};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Identifiers at the front of the names of test functions in a source text, with the names.
fn tests_in(source: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut marked = false;
    for line in source.lines().map(str::trim) {
        if line.starts_with("#[") {
            marked |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            continue;
        }
        let name = line.trim_start_matches("async ").strip_prefix("fn ").and_then(|l| l.split('(').next());
        if let Some((id, name)) = name.filter(|_| marked).and_then(|n| n.split_once('_').map(|(id, _)| (id.to_uppercase(), n))) {
            let mut letters = id.chars();
            if letters.next().is_some_and(|c| c.is_ascii_uppercase())
                && letters.clone().count() == 2
                && letters.all(|c| c.is_ascii_digit())
            {
                out.push((id, name.to_owned()));
            }
        }
        marked = false;
    }
    out
}

fn covered() -> BTreeMap<String, Vec<String>> {
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut files: Vec<_> = std::fs::read_dir(root().join("tests/acceptance")).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "rs")) {
        for (id, name) in tests_in(&std::fs::read_to_string(file).unwrap()) {
            out.entry(id).or_default().push(format!("{}::{name}", file.file_stem().unwrap().to_string_lossy()));
        }
    }
    out
}

/// What the tests of a function make of it: nothing yet, a part, or all that is asked.
fn state(tests: &[String]) -> &'static str {
    if tests.is_empty() {
        "未達 / not yet"
    } else if tests.iter().any(|t| t.contains("_in_part_")) {
        "一部 / in part"
    } else {
        "合格 / passing"
    }
}

/// Japanese names of the groups, by the letter of their identifiers; the table has the English ones.
const GROUPS: [(char, &str); 11] = [
    ('A', "菌株・データ・AI 設計基盤"),
    ('B', "培養・プロセス開発・スケールアップ"),
    ('C', "バイオ CRO・エコシステム・標準・バイオセーフティ"),
    ('D', "経済安全保障・供給網・データ保護"),
    ('E', "LCA・市場創出・需要・原料・GX"),
    ('F', "事業・予算・政策の管理"),
    ('G', "創薬ベンチャーエコシステム"),
    ('H', "デュアルユース拠点・部素材・バイオ医薬品製造"),
    ('I', "再生・細胞医療・遺伝子治療"),
    ('J', "バイオバンク・共用研究基盤"),
    ('K', "人材育成"),
];

fn page(covered: &BTreeMap<String, Vec<String>>) -> String {
    let mut table = csv::Reader::from_path(seed("systems.csv")).unwrap();
    let rows: Vec<BTreeMap<String, String>> = table.deserialize().map(Result::unwrap).collect();
    let core: Vec<_> = rows.iter().filter(|r| r["fit"] == "core").collect();
    let known: BTreeSet<&String> = rows.iter().map(|r| &r["id"]).collect();
    for id in covered.keys() {
        assert!(known.contains(id), "a test is named after {id}, which the table does not know");
    }
    let passing = core.iter().filter(|r| covered.get(&r["id"]).is_some_and(|t| state(t) == "合格 / passing")).count();
    let mut out = format!(
        "# 機能の達成状況 / Coverage\n\n\
         `seeds/systems.csv` の中核機能 {n} 件のうち {passing} 件に受入試験があり、合格しています。\
         この頁は `tests/acceptance/` から生成します (`TOJI_BLESS=1 cargo nextest run --workspace -E 'binary(acceptance)'`)。\n\n\
         Of the {n} core functions of `seeds/systems.csv`, {passing} have an acceptance test that passes. \
         This page is generated from `tests/acceptance/` (`TOJI_BLESS=1 cargo nextest run --workspace -E 'binary(acceptance)'`).\n",
        n = core.len(),
    );
    let mut group = "";
    for row in &core {
        if row["group"] != group {
            group = &row["group"];
            let letter = row["id"].chars().next().unwrap();
            let ja = GROUPS.iter().find(|(l, _)| *l == letter).unwrap().1;
            let _ = write!(
                out,
                "\n## {letter}: {ja} / {group}\n\n| 番号 / id | 機能 | function | 状態 / state | 試験 / test |\n| --- | --- | --- | --- | --- |\n"
            );
        }
        let tests = covered.get(&row["id"]).map_or(&[][..], Vec::as_slice);
        let state = state(tests);
        let tests = tests.iter().map(|t| format!("`{t}`")).collect::<Vec<_>>().join(" ");
        let cell = |name: &str| row[name].replace('|', "\\|");
        let _ = writeln!(out, "| {} | {} | {} | {state} | {tests} |", row["id"], cell("name_ja"), cell("name_en"));
    }
    out
}

#[test]
fn the_committed_page_is_the_generated_one() {
    let path = root().join("docs/coverage.md");
    let page = page(&covered());
    if std::env::var_os("TOJI_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "docs/coverage.md is out of date: run the test with TOJI_BLESS=1 and commit the file");
}

#[test]
fn only_test_functions_with_an_identifier_count() {
    let source =
        "#[tokio::test]\nasync fn a05_two() {\n#[test]\nfn helper_x() {}\nfn b15_not_a_test() {}\n#[test]\nfn h041_wrong() {}";
    assert_eq!(tests_in(source), [("A05".to_owned(), "a05_two".to_owned())]);
    let tests = [("A02", "a_dataset::a02_in_part_one"), ("A05", "a_design::a05_two")];
    let page = page(&tests.iter().map(|(id, test)| ((*id).to_owned(), vec![(*test).to_owned()])).collect());
    let rows = |state: &str| page.lines().filter(|l| l.contains(state)).count();
    assert_eq!((rows("合格 / passing"), rows("一部 / in part"), rows("未達 / not yet")), (1, 1, 103));
    assert!(page.contains("105 core functions of `seeds/systems.csv`, 1 have"));
}
