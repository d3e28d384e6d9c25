//! Answers: pure JSON, tables in both languages, files, short forms and pipes.

use crate::runner::{Bench, Seen};
use std::io::Read;
use std::process::Stdio;

fn json(seen: &Seen) -> serde_json::Value {
    assert_eq!(seen.code, 0, "{seen:?}");
    assert_eq!(seen.out.matches('\n').count(), 1, "one document on one line: {}", seen.out);
    serde_json::from_str(&seen.out).unwrap_or_else(|e| panic!("{e}: {}", seen.out))
}

#[test]
fn json_is_one_document_and_nothing_else() {
    let bench = Bench::with_store();
    for arguments in [
        &["--json", "run", "list"][..],
        &["run", "list", "--json"],
        &["run", "--json", "list"],
        &["--json", "--lang", "ja", "run", "list"],
    ] {
        assert!(json(&bench.toji(arguments))["runs"].is_array());
    }
    assert!(json(&bench.toji(&["kind", "list", "--json"]))["kinds"].is_array());
}

#[test]
fn short_forms_stand_for_their_operations() {
    let bench = Bench::with_store();
    let same = |short: &[&str], full: &[&str]| {
        let (short, full) = (bench.toji(short), bench.toji(full));
        assert_eq!(short.code, 0, "{short:?}");
        assert_eq!(short, full);
    };
    same(&["search", "麹", "--json"], &["search", "query", "麹", "--json"]);
    same(&["sql", "select 1 as n", "--json"], &["sql", "query", "select 1 as n", "--json"]);
    same(&["verify", "--ledger", "--json"], &["store", "verify", "--ledger", "--json"]);
}

#[test]
fn people_read_tables() {
    let bench = Bench::with_store();
    let seen = bench.toji(&["sql", "select 1 as n, '純米' as name union all select 20, 'x' order by 1"]);
    assert_eq!((seen.code, seen.err.as_str()), (0, ""));
    assert!(seen.out.starts_with(" n  name\n──  ────\n 1  純米\n20  x\n"), "{}", seen.out);
}

#[test]
fn files_go_to_standard_output_or_whole_to_their_place() {
    let bench = Bench::with_store();
    let query = ["sql", "select 1 as n", "--format", "csv"];
    let piped = bench.toji(&query);
    assert_eq!((piped.code, piped.err.as_str()), (0, ""));
    assert_eq!(piped.out.lines().collect::<Vec<_>>(), ["n", "1"]);
    let written = bench.toji(&[&query[..], &["--out", "rows.csv"]].concat());
    assert_eq!((written.code, written.out.as_str()), (0, ""));
    assert!(written.err.starts_with("wrote rows.csv ("), "{}", written.err);
    assert_eq!(std::fs::read_to_string(bench.folder().join("rows.csv")).unwrap(), piped.out);
    let nowhere = bench.toji(&[&query[..], &["--out", "no/such/folder/rows.csv"]].concat());
    assert_eq!(nowhere.code, 1);
    assert!(nowhere.err.starts_with("error[E-CLI-004]"), "{}", nowhere.err);
    let quiet = bench.toji(&["run", "list", "--json", "--out", "runs.json", "--quiet"]);
    assert_eq!((quiet.code, quiet.out.as_str(), quiet.err.as_str()), (0, "", ""));
    let runs = std::fs::read(bench.folder().join("runs.json")).unwrap();
    assert!(serde_json::from_slice::<serde_json::Value>(&runs).unwrap()["runs"].is_array());
}

#[test]
fn the_store_is_found_by_flag_environment_or_folder() {
    let bench = Bench::empty();
    let made = bench.toji(&["--store", "here", "init", "--zone", "Asia/Tokyo"]);
    assert_eq!(made, Seen { code: 0, out: "made a store at here\n".into(), err: String::new() });
    assert_eq!(bench.toji(&["run", "list"]).code, 1);
    assert_eq!(bench.toji(&["run", "list", "--store", "here"]).code, 0);
    assert_eq!(bench.toji_with(&[("TOJI_STORE", "here")], &["run", "list"]).code, 0);
    assert_eq!(bench.toji_with(&[("TOJI_STORE", "nowhere")], &["--store", "here", "run", "list"]).code, 0);
    let japanese = bench.toji(&["--store", "there", "init", "--lang", "ja"]);
    assert_eq!(japanese.out, "保存先を作りました: there\n");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let bench = Bench::empty();
    let mut child = bench.command(&["openapi"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
}

#[test]
fn the_openapi_document_needs_no_store() {
    let seen = Bench::empty().toji(&["openapi"]);
    assert_eq!(seen.code, 0);
    assert_eq!(seen.out, toji_server::openapi::text(toji_ops::operations()));
}
