//! Exit codes and the text of refusals.

use crate::runner::{Bench, Seen};

fn seen(code: i32, err: &str) -> Seen {
    Seen { code, out: String::new(), err: err.to_owned() }
}

#[test]
fn usage_faults_end_with_2_and_say_what_was_meant() {
    let bench = Bench::empty();
    let check = |arguments: &[&str], part: &str| {
        let seen = bench.toji(arguments);
        assert_eq!((seen.code, seen.out.as_str()), (2, ""), "{arguments:?} {seen:?}");
        assert!(seen.err.contains(part), "{part} in {}", seen.err);
    };
    check(&["rnu", "list"], "there is no command `rnu`");
    check(&["runn", "list"], "hint: did you mean run?");
    check(&["run", "lst"], "did you mean list?");
    check(&["run", "list", "--limitt", "3"], "did you mean --limit?");
    check(&["run", "show"], "missing: <ID>");
    check(&["--lang", "fr", "run", "list"], "it must be one of ja, en");
    check(&["completions", "tcsh"], "it must be one of bash, zsh, fish");
    check(&["run"], "Usage: toji run");
    check(&[], "Usage: toji");
}

#[test]
fn usage_faults_in_japanese() {
    let bench = Bench::empty();
    let err = "エラー[E-CLI-001]: 「lst」というコマンドはありません\n対処: もしかして: list\n使い方: toji run [オプション] <コマンド>\n";
    let shown = bench.toji(&["--lang", "ja", "run", "lst"]);
    assert_eq!(shown.code, 2);
    assert_eq!(shown.err.lines().take(2).collect::<Vec<_>>(), err.lines().take(2).collect::<Vec<_>>());
    assert!(shown.err.lines().nth(2).unwrap_or_default().starts_with("使い方: toji run"), "{}", shown.err);
}

#[test]
fn values_that_do_not_fit_are_refused_before_the_store_is_touched() {
    let bench = Bench::empty();
    let shown = bench.toji(&["run", "list", "--limit", "many"]);
    assert_eq!(shown, seen(1, "error[E-FIELD-002]: `limit` must be a whole number, not many\n  --> «limit»\n"));
    assert!(!bench.folder().join("toji-store").exists());
    let missing = bench.toji(&["record", "put", "strain", "--fields", "@nothing.json"]);
    assert_eq!(missing.code, 1);
    assert!(missing.err.starts_with("error[E-CLI-002]: cannot read nothing.json"), "{}", missing.err);
}

#[test]
fn a_store_that_is_not_there_is_refused_with_the_way_to_make_one() {
    let bench = Bench::empty();
    let english = bench.toji(&["run", "list"]);
    assert_eq!((english.code, english.out.as_str()), (1, ""));
    assert!(english.err.starts_with("error[E-") && english.err.contains("init`"), "{}", english.err);
    let japanese = bench.toji(&["--lang", "ja", "run", "list"]);
    assert!(japanese.err.starts_with("エラー[E-") && japanese.err.contains("対処: "), "{}", japanese.err);
}

#[test]
fn with_json_the_refusal_is_one_document_on_standard_error() {
    let bench = Bench::with_store();
    for arguments in
        [&["--json", "run", "show", "run-none"][..], &["run", "show", "run-none", "--json"], &["--json", "run", "lst"]]
    {
        let shown = bench.toji(arguments);
        assert_eq!(shown.out, "", "{arguments:?}");
        assert_ne!(shown.code, 0);
        let problem: serde_json::Value = serde_json::from_str(&shown.err).unwrap_or_else(|e| panic!("{e}: {}", shown.err));
        assert!(problem["code"].as_str().unwrap().starts_with("E-"));
        assert!(!problem["message"]["ja"].as_str().unwrap().is_empty() && !problem["message"]["en"].as_str().unwrap().is_empty());
    }
}

#[test]
fn making_a_store_twice_is_refused() {
    let bench = Bench::with_store();
    let again = bench.toji(&["init"]);
    assert_eq!(again.code, 1, "{again:?}");
    assert_eq!(again.out, "");
}
