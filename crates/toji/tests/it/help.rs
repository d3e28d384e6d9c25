//! Help in both languages, made from the registry.

use crate::runner::Bench;

#[test]
fn every_command_explains_itself_in_both_languages() {
    let bench = Bench::empty();
    for operation in toji_ops::operations() {
        let mut words: Vec<&str> = operation.name.split(' ').collect();
        words.push("--help");
        for (lang, usage, label) in [("ja", "使い方: toji", &operation.label.ja), ("en", "Usage: toji", &operation.label.en)] {
            let mut arguments = vec!["--lang", lang];
            arguments.extend(&words);
            let seen = bench.toji(&arguments);
            assert_eq!((seen.code, seen.err.as_str()), (0, ""), "{}", operation.name);
            let joined = seen.out.replace('\n', "");
            assert!(seen.out.contains(usage), "{}: {}", operation.name, seen.out);
            assert!(joined.contains(label.as_str()), "{}: {}", operation.name, seen.out);
            assert!(seen.out.contains(operation.example), "{} shows its example: {}", operation.name, seen.out);
        }
    }
}

#[test]
fn japanese_help_has_no_english_words_of_the_frame() {
    let bench = Bench::empty();
    for arguments in [&["--help"][..], &["run", "--help"], &["run", "list", "--help"], &["serve", "--help"], &["init", "--help"]]
    {
        let seen = bench.toji_with(&[("LANG", "ja_JP.UTF-8")], arguments);
        assert_eq!(seen.code, 0);
        for english in [
            "Usage",
            "Options",
            "OPTIONS",
            "Commands",
            "COMMAND",
            "Arguments",
            "Print help",
            "[default",
            "possible values",
            "aliases",
        ] {
            assert!(!seen.out.contains(english), "{english} in {}", seen.out);
        }
    }
}

#[test]
fn the_language_comes_from_the_flag_before_the_environment() {
    let bench = Bench::empty();
    let japanese =
        |environment: &[(&str, &str)], arguments: &[&str]| bench.toji_with(environment, arguments).out.contains("使い方");
    assert!(!japanese(&[], &["--help"]));
    assert!(japanese(&[("LANG", "ja_JP.UTF-8")], &["--help"]));
    assert!(japanese(&[("LANG", "en_GB.UTF-8"), ("LC_ALL", "ja_JP.UTF-8")], &["--help"]));
    assert!(!japanese(&[("LANG", "ja_JP.UTF-8")], &["--lang", "en", "--help"]));
    assert!(japanese(&[], &["--lang=ja", "--help"]));
}

#[test]
fn help_of_a_special_command_is_a_page() {
    let seen = Bench::empty().toji(&["init", "--help"]);
    let expected = "\
Make a new store.

Usage: toji init [OPTIONS]

Options:
      --catalogue-url <URL>  postgres://… to keep the catalogue in PostgreSQL (default: SQLite inside the store)
      --zone <ZONE>          Zone of times whose file names none, e.g. Asia/Tokyo

Options of every command:
  -h, --help          Show this help
      --store <DIR>   Folder of the store
      --lang <ja|en>  Language of what is shown
      --json          Print the result as one JSON document and nothing else
      --quiet         Show no progress
      --out <FILE>    Write the result to a file

Example:
  toji --store ./my-store init --zone Asia/Tokyo
";
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(squeeze(&seen.out), squeeze(expected), "{}", seen.out);
}

#[test]
fn examples_of_the_registry_are_lines_that_parse() {
    let bench = Bench::empty();
    for operation in toji_ops::operations() {
        let words = shell_words(operation.example);
        assert_eq!(words.first().map(String::as_str), Some("toji"), "{}", operation.example);
        let arguments: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
        let seen = bench.toji(&arguments);
        assert_ne!(seen.code, 2, "{}: {}", operation.example, seen.err);
    }
}

/// Splits a line as a shell does, as far as our examples need it; a pipe or redirection ends it.
fn shell_words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let (mut open, mut quote) = (false, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                if !open {
                    words.push(String::new());
                }
                open = true;
            }
            (None, '|' | '>' | '<' | '#') => break,
            (None, ' ') => open = false,
            (_, c) => match words.last_mut() {
                Some(word) if open => word.push(c),
                _ => {
                    words.push(c.to_string());
                    open = true;
                }
            },
        }
    }
    words
}

#[test]
fn completions_and_the_help_command_come_from_the_same_tree() {
    let bench = Bench::empty();
    for shell in ["bash", "zsh", "fish"] {
        let seen = bench.toji(&["completions", shell]);
        assert_eq!(seen.code, 0, "{}", seen.err);
        assert!(seen.out.contains("run import") || seen.out.contains("__fish_seen_subcommand_from import"), "{}", seen.out);
        assert!(seen.out.contains("dry-run"));
    }
    assert_eq!(bench.toji(&["help", "run", "list"]).out, bench.toji(&["run", "list", "--help"]).out);
    assert_eq!(bench.toji(&["help", "walk"]).code, 1);
}
