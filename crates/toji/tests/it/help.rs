//! Help in both languages, made from the registry.

use crate::runner::Bench;
use serde_json::{Value as Json, json};
use toji_core::Text;
use toji_server::schema::{Shape, about, fields, is_japanese};

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

/// Said in Japanese, and otherwise than in English?
fn in_both(text: Option<&Text>) -> bool {
    text.is_some_and(|text| is_japanese(&text.ja) && text.ja != text.en)
}

/// What the flags of an input and their choices leave without Japanese.
fn flags_without_japanese(schema: &Json) -> Vec<String> {
    let mut found = Vec::new();
    for field in fields(schema) {
        if !in_both(field.about.as_ref()) {
            found.push(format!("`{}`", field.name));
        }
        let shape = if let Shape::List(item) = &field.shape { item.as_ref() } else { &field.shape };
        if let Shape::Choice(codes) = shape {
            let silent = codes.iter().filter(|choice| !in_both(choice.about.as_ref()));
            found.extend(silent.map(|choice| format!("`{}`, choice `{}`", field.name, choice.code)));
        }
    }
    found
}

/// What the parts of an input leave without Japanese: fields and variants at every depth.
fn parts_without_japanese(schema: &Json, place: &str, found: &mut Vec<String>) {
    let both = |schema: &Json| in_both(about(schema).as_ref());
    for (name, field) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
        let at = format!("{place}.{name}");
        // The tag of a variant is its name; the content of a variant may be explained by the variant.
        let told = field.get("const").is_some() || both(field) || (field.get("description").is_none() && both(schema));
        if !told {
            found.push(at.clone());
        }
        parts_without_japanese(field, &at, found);
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        for variant in schema.get(key).and_then(Json::as_array).into_iter().flatten() {
            let plain = variant.get("$ref").is_some() || variant.get("type") == Some(&json!("null"));
            if !plain && !both(variant) {
                found.push(format!("{place}, variant {}", variant.get("const").unwrap_or(variant)));
            }
            parts_without_japanese(variant, place, found);
        }
    }
    if let Some(codes) = schema.get("enum") {
        found.push(format!("{place}, codes {codes}"));
    }
    for (name, part) in schema.get("$defs").and_then(Json::as_object).into_iter().flatten() {
        parts_without_japanese(part, name, found);
    }
    for key in ["items", "additionalProperties"] {
        schema.get(key).into_iter().for_each(|below| parts_without_japanese(below, place, found));
    }
}

#[test]
fn every_field_of_every_input_explains_itself_in_both_languages() {
    let mut missing = Vec::new();
    for operation in toji_ops::operations() {
        let schema = operation.input.as_value();
        let mut found = flags_without_japanese(schema);
        parts_without_japanese(schema, "input", &mut found);
        missing.extend(found.iter().map(|what| format!("{}: {what}", operation.name)));
    }
    assert!(missing.is_empty(), "give these a Japanese paragraph in their doc comment:\n{}", missing.join("\n"));
}

#[test]
fn a_field_or_a_choice_without_japanese_is_found() {
    let schema = json!({
        "properties": {
            "told": {"type": "string", "description": "Name.\n\n名前。"},
            "english": {"type": "string", "description": "Name."},
            "quoting": {"type": "string", "description": "Unit, such as `円/kg`."},
            "silent": {"type": "string"},
            "speak": {"description": "Protocols.\n\n通信方式。", "type": "array", "items": {"$ref": "#/$defs/Protocol"}},
            "feed": {"description": "Feeding.\n\n流加。", "$ref": "#/$defs/Feed"}
        },
        "$defs": {
            "Protocol": {"oneOf": [
                {"const": "a", "type": "string", "description": "A.\n\n甲。"},
                {"const": "b", "type": "string", "description": "B."}
            ]},
            "Feed": {"oneOf": [{
                "description": "At a constant rate.\n\n定速。",
                "properties": {
                    "profile": {"const": "constant", "type": "string"},
                    "rate": {"type": "number", "description": "Rate."},
                    "start": {"type": "number"}
                }
            }]}
        }
    });
    assert_eq!(flags_without_japanese(&schema), ["`english`", "`quoting`", "`silent`", "`speak`, choice `b`"]);
    let mut found = Vec::new();
    parts_without_japanese(&schema, "input", &mut found);
    let expected = ["Feed.rate", "Protocol, variant \"b\"", "input.english", "input.quoting", "input.silent"];
    found.sort();
    assert_eq!(found, expected);
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
