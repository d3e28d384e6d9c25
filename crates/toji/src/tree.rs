//! Operations as commands: `toji NOUN VERB`, with flags made from the schema of the input.

use crate::command::{RESERVED, frame};
use crate::words::say;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use toji_core::{Lang, Text};
use toji_ops::Operation;
use toji_server::schema::{Field, Shape, fields, is_japanese};

/// Top-level commands that stand for an operation.
pub(crate) const SHORT_FORMS: [(&str, &str); 3] = [("search", "search query"), ("sql", "sql query"), ("verify", "store verify")];

/// A noun is what can be done with it.
fn noun_about(verbs: &[&Operation]) -> Text {
    let list = |lang: Lang| verbs.iter().map(|operation| operation.label.get(lang)).collect::<Vec<_>>();
    Text::new(list(Lang::Ja).join("、"), list(Lang::En).join(", "))
}

/// Adds a command for every operation.
pub(crate) fn add(root: Command, operations: &'static [Operation], lang: Lang) -> Command {
    let mut nouns: Vec<&str> = Vec::new();
    for operation in operations {
        let (noun, _) = operation.noun_verb();
        if !nouns.contains(&noun) {
            nouns.push(noun);
        }
    }
    let mut root = root;
    for noun in nouns {
        let verbs: Vec<&Operation> = operations.iter().filter(|operation| operation.noun_verb().0 == noun).collect();
        root = root.subcommand(noun_command(noun, &verbs, operations, lang));
    }
    for (short, full) in SHORT_FORMS {
        let is_noun = operations.iter().any(|operation| operation.noun_verb().0 == short);
        if let (false, Some(operation)) = (is_noun, operations.iter().find(|operation| operation.name == full)) {
            root = root.subcommand(operation_command(short, operation, lang));
        }
    }
    root
}

fn noun_command(noun: &'static str, verbs: &[&'static Operation], all: &'static [Operation], lang: Lang) -> Command {
    // A noun that is also a short form takes the arguments of its operation directly.
    let short = SHORT_FORMS.iter().find(|(short, _)| *short == noun);
    let direct = short.and_then(|(_, full)| all.iter().find(|operation| operation.name == *full));
    let single = verbs.iter().find(|operation| operation.noun_verb().1.is_empty()).copied();
    let about = noun_about(verbs);
    let mut command = match direct.or(single) {
        Some(operation) => {
            operation_command(noun, operation, lang).subcommand_negates_reqs(true).args_conflicts_with_subcommands(true)
        }
        None => frame(Command::new(noun), lang, &about, &Text::same("")).subcommand_required(true).arg_required_else_help(true),
    };
    command = command.about(crate::words::pick(&about, lang));
    for operation in verbs {
        let (_, verb) = operation.noun_verb();
        if !verb.is_empty() {
            command = command.subcommand(operation_command(verb, operation, lang));
        }
    }
    command
}

fn operation_command(name: &'static str, operation: &'static Operation, lang: Lang) -> Command {
    let example = Text::new(format!("例:\n  {}", operation.example), format!("Example:\n  {}", operation.example));
    let title = |lang: Lang| format!("{}\n\n{}", operation.label.get(lang), operation.about.get(lang));
    let about = Text::new(title(Lang::Ja), title(Lang::En));
    let command = frame(Command::new(name), lang, &about, &example).about(operation.label.get(lang).to_owned());
    let all = fields(operation.input.as_value());
    let command = positions(operation).enumerate().fold(command, |command, (i, (name, rest))| {
        match all.iter().find(|field| field.name == name) {
            Some(field) => command.arg(positional(field, i + 1, rest, lang)),
            None => command,
        }
    });
    let others = all.iter().filter(|field| !positions(operation).any(|(name, _)| name == field.name));
    others.fold(command, |command, field| command.arg(flag(field, lang)))
}

/// Fields taken by position; true for the one that takes all the rest.
pub(crate) fn positions(operation: &Operation) -> impl Iterator<Item = (&'static str, bool)> {
    operation.positional.iter().map(|name| match name.strip_suffix('…') {
        Some(name) => (name, true),
        None => (*name, false),
    })
}

fn positional(field: &Field, index: usize, rest: bool, lang: Lang) -> Arg {
    let arg = Arg::new(arg_id(&field.name))
        .index(index)
        .required(field.required)
        .value_name(field.name.to_uppercase())
        .help(help(field, lang))
        .help_heading(say(lang, "引数", "Arguments"));
    let arg = values(arg, &field.shape);
    if rest || matches!(field.shape, Shape::List(_)) { arg.num_args(1..).action(ArgAction::Append) } else { arg }
}

/// What clap knows a field by. Apart from the names of our own flags, so that no field can clash.
pub(crate) fn arg_id(field: &str) -> String {
    format!("field {field}")
}

/// The flag of a field: `--dry-run` of `dry_run`.
pub(crate) fn flag_name(field: &str) -> String {
    let name = field.replace('_', "-");
    if RESERVED.contains(&name.as_str()) { format!("{name}-value") } else { name }
}

fn flag(field: &Field, lang: Lang) -> Arg {
    let arg = Arg::new(arg_id(&field.name)).long(flag_name(&field.name)).help(help(field, lang));
    match &field.shape {
        // A bare flag means true; `--simulated=false` can be said where false differs from not saying.
        Shape::Boolean => arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .hide_default_value(true)
            .value_name("true|false")
            .value_parser(PossibleValuesParser::new(["true", "false"]))
            .hide_possible_values(true)
            .required(field.required),
        Shape::List(item) => {
            let arg = arg.action(ArgAction::Append).required(field.required).value_name(item.word(lang));
            values(arg, &field.shape)
        }
        Shape::Object => arg.action(ArgAction::Append).required(field.required).value_name(field.shape.word(lang)),
        shape => values(arg.required(field.required).value_name(shape.word(lang)), shape),
    }
}

fn values(arg: Arg, shape: &Shape) -> Arg {
    match shape {
        Shape::List(item) => values(arg, item),
        Shape::Integer | Shape::Number => arg.allow_negative_numbers(true),
        // `--sort -started`: a minus may begin a text. By position it would hide mistyped flags.
        Shape::Words if !arg.is_positional() => arg.allow_hyphen_values(true),
        Shape::Choice(codes) => {
            let codes: Vec<String> = codes.iter().map(|choice| choice.code.clone()).collect();
            arg.value_parser(PossibleValuesParser::new(codes)).hide_possible_values(true)
        }
        _ => arg,
    }
}

/// What the field is, what it may be, and what it is when not given.
fn help(field: &Field, lang: Lang) -> String {
    let mut out = match (&field.about, lang) {
        (None, _) => String::new(),
        // A schema that speaks English alone: at least the name of the field is Japanese.
        (Some(about), Lang::Ja) if about.ja == about.en && !is_japanese(&about.en) => {
            crate::render::japanese(&field.name).map_or_else(|| about.en.clone(), |name| format!("{name} — {}", about.en))
        }
        (Some(about), lang) => about.get(lang).to_owned(),
    };
    let mut add = |text: String| {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&text);
    };
    let inner = if let Shape::List(item) = &field.shape { item.as_ref() } else { &field.shape };
    if let Shape::Choice(codes) = inner {
        let codes = codes.iter().map(|choice| choice.code.as_str()).collect::<Vec<_>>().join(", ");
        add(format!("[{}: {codes}]", say(lang, "選択肢", "one of")));
    }
    match &field.shape {
        Shape::List(_) => add(say(lang, "(繰り返し可)", "(repeatable)").to_owned()),
        Shape::Object => {
            add(say(lang, "(JSON、キー=値 の繰り返し、または @ファイル)", "(JSON, repeated key=value, or @file)").to_owned())
        }
        Shape::Any => add(say(lang, "(JSON または @ファイル)", "(JSON or @file)").to_owned()),
        _ => {}
    }
    if let Some(default) = &field.default {
        let default = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
        add(format!("[{}: {default}]", say(lang, "既定", "default")));
    }
    out
}

/// The operation that the matches name, and its own matches.
pub(crate) fn find<'a>(
    operations: &'static [Operation],
    matches: &'a ArgMatches,
) -> Option<(&'static Operation, &'a ArgMatches)> {
    let (noun, below) = matches.subcommand()?;
    let (name, own) = match below.subcommand() {
        Some((verb, own)) => (format!("{noun} {verb}"), own),
        None => {
            let short = SHORT_FORMS.iter().find(|(short, _)| *short == noun).map_or(noun, |(_, full)| full);
            (short.to_owned(), below)
        }
    };
    operations.iter().find(|operation| operation.name == name).map(|operation| (operation, own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Settings, build};
    use schemars::JsonSchema;
    use serde_json::{Value as Json, json};
    use std::sync::LazyLock;
    use toji_core::Result;
    use toji_ops::{Context, Effect, Words};

    /// Fields of every shape, some of them named like our own flags.
    #[derive(serde::Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Input {
        kind: String,
        paths: Vec<String>,
        out: Option<String>,
        version: Option<u64>,
        level: Option<f64>,
        raw: Option<bool>,
        #[serde(default)]
        tags: Vec<String>,
        fields: Option<std::collections::BTreeMap<String, Json>>,
        anything: Option<Json>,
        #[serde(default)]
        parts: Vec<std::collections::BTreeMap<String, Json>>,
    }

    async fn nothing(_: Context, _: Input) -> Result<Json> {
        Ok(Json::Null)
    }

    fn operations() -> &'static [Operation] {
        static ALL: LazyLock<Vec<Operation>> = LazyLock::new(|| {
            let words = Words {
                name: "thing put",
                label: ["置く", "Put"],
                about: ["置きます。", "Puts."],
                positional: &["kind", "paths…"],
                example: "toji thing put a b",
            };
            vec![Operation::declare(words, Effect::Write, nothing)]
        });
        &ALL
    }

    fn input(line: &str) -> Result<Json> {
        let arguments: Vec<String> = std::iter::once("toji").chain(line.split(' ')).map(str::to_owned).collect();
        let settings = Settings::before_parsing(&arguments);
        let matches = build(operations(), &settings).try_get_matches_from(&arguments).unwrap_or_else(|e| panic!("{e}"));
        let (operation, own) = find(operations(), &matches).unwrap();
        crate::input::read(operation, own)
    }

    #[test]
    fn the_tree_holds_together() {
        let settings = Settings::before_parsing(&[]);
        build(operations(), &settings).debug_assert();
        build(toji_ops::operations(), &settings).debug_assert();
    }

    #[test]
    fn a_line_becomes_the_input() {
        let check = |line: &str, expected: Json| assert_eq!(input(line).unwrap(), expected, "{line}");
        check("thing put a b", json!({"kind": "a", "paths": ["b"]}));
        check("thing put a b,c d --raw e", json!({"kind": "a", "paths": ["b,c", "d", "e"], "raw": true}));
        check("thing put a b --raw=false --level -0.5", json!({"kind": "a", "paths": ["b"], "raw": false, "level": -0.5}));
        check("thing put a b --tags x --tags y,z", json!({"kind": "a", "paths": ["b"], "tags": ["x", "y,z"]}));
        check(
            "thing put a b --fields n=1 --fields {\"m\":[2]}",
            json!({"kind": "a", "paths": ["b"], "fields": {"n": 1, "m": [2]}}),
        );
        check("thing put a b --anything {\"x\":1}", json!({"kind": "a", "paths": ["b"], "anything": {"x": 1}}));
        check("thing put a b --tags -x", json!({"kind": "a", "paths": ["b"], "tags": ["-x"]}));
        // Our own flags stay ours; the field of the same name has another.
        check(
            "thing put a b --out file --out-value x --version-value 3",
            json!({"kind": "a", "paths": ["b"], "out": "x", "version": 3}),
        );
    }

    #[test]
    fn a_file_can_stand_for_json() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"name": "麹"}"#).unwrap();
        let line = format!("thing put a b --fields @{}", file.path().display());
        assert_eq!(input(&line).unwrap()["fields"], json!({"name": "麹"}));
        // A list of objects comes one by one, or whole.
        let one = input(&format!("thing put a b --parts @{0} --parts n=1", file.path().display())).unwrap();
        assert_eq!(one["parts"], json!([{"name": "麹"}, {"n": 1}]));
        std::fs::write(file.path(), r#"[{"name": "麹"}, {"name": "酒母"}]"#).unwrap();
        let all = input(&format!("thing put a b --parts @{}", file.path().display())).unwrap();
        assert_eq!(all["parts"], json!([{"name": "麹"}, {"name": "酒母"}]));
        assert_eq!(input("thing put a b --fields @/none").unwrap_err().code(), "E-CLI-002");
        assert_eq!(input("thing put a b --fields {").unwrap_err().code(), "E-FIELD-004");
    }
}
