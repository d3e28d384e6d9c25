//! Faults of the command line itself, in the user's language: exit code 2.

use crate::command::Settings;
use crate::output;
use crate::words::say;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::process::ExitCode;
use toji_core::{Error, Lang, Text};

/// Shows help where help was asked for, or the fault.
pub(crate) fn leave(error: &clap::Error, settings: &Settings) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nothing can be done, and nothing is lost, when the reader has gone.
            let _ = output::write_out(in_words(&error.render().to_string(), settings.lang).as_bytes());
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            for line in in_words(&error.render().to_string(), settings.lang).trim_end().lines() {
                output::note(line);
            }
            ExitCode::from(2)
        }
        _ => {
            let fault = fault(error);
            let _ = output::refuse(&fault, settings);
            if !settings.json
                && let Some(usage) = usage(error, settings.lang)
            {
                output::note(&usage);
            }
            ExitCode::from(2)
        }
    }
}

/// The one word of a usage line that clap does not let us choose.
pub(crate) fn in_words(text: &str, lang: Lang) -> String {
    text.replace("[OPTIONS]", say(lang, "[オプション]", "[OPTIONS]"))
}

fn fault(error: &clap::Error) -> Error {
    let message = message(error);
    let fault = Error::input("E-CLI-001", message.ja, message.en);
    match suggestion(error) {
        Some(hint) => fault.hint(hint.ja, hint.en),
        None => fault.hint("--help で使い方をご覧ください", "see --help"),
    }
}

fn context(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(list)) => list.join(", "),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

fn message(error: &clap::Error) -> Text {
    let argument = context(error, ContextKind::InvalidArg);
    let value = context(error, ContextKind::InvalidValue);
    let (ja, en) = match error.kind() {
        ErrorKind::UnknownArgument => {
            (format!("「{argument}」という引数はありません"), format!("there is no argument `{argument}`"))
        }
        ErrorKind::InvalidSubcommand => {
            let name = context(error, ContextKind::InvalidSubcommand);
            (format!("「{name}」というコマンドはありません"), format!("there is no command `{name}`"))
        }
        ErrorKind::MissingSubcommand => ("コマンドを指定してください".to_owned(), "give a command".to_owned()),
        ErrorKind::MissingRequiredArgument => (format!("必要な引数がありません: {argument}"), format!("missing: {argument}")),
        ErrorKind::InvalidValue if value.is_empty() => {
            (format!("{argument} の値がありません"), format!("{argument} needs a value"))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let known = context(error, ContextKind::ValidValue);
            let (ja, en) = if known.is_empty() {
                (String::new(), String::new())
            } else {
                (format!("。次のいずれかで指定してください: {known}"), format!("; it must be one of {known}"))
            };
            (format!("{argument} に「{value}」は使えません{ja}"), format!("{argument} cannot be `{value}`{en}"))
        }
        ErrorKind::ArgumentConflict => {
            let prior = context(error, ContextKind::PriorArg);
            if prior == argument || prior.is_empty() {
                (format!("{argument} は一度だけ指定できます"), format!("{argument} can be given once"))
            } else {
                (format!("{argument} と {prior} は同時に指定できません"), format!("{argument} and {prior} exclude each other"))
            }
        }
        ErrorKind::NoEquals => {
            (format!("{argument} の値は = に続けて書いてください"), format!("write the value of {argument} after ="))
        }
        ErrorKind::TooManyValues => {
            (format!("{argument} に値が多すぎます: {value}"), format!("too many values for {argument}: {value}"))
        }
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            (format!("{argument} の値の数が合いません"), format!("{argument} has a wrong number of values"))
        }
        ErrorKind::InvalidUtf8 => ("引数が UTF-8 ではありません".to_owned(), "an argument is not UTF-8".to_owned()),
        kind => (format!("引数が正しくありません ({kind})"), format!("the arguments are wrong ({kind})")),
    };
    Text::new(ja, en)
}

/// What the user may have meant.
fn suggestion(error: &clap::Error) -> Option<Text> {
    let near = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue].into_iter().find_map(
        |kind| match error.get(kind)? {
            // The best guess comes last.
            ContextValue::Strings(list) => list.last().cloned(),
            other => Some(other.to_string()),
        },
    )?;
    Some(Text::new(format!("もしかして: {near}"), format!("did you mean {near}?")))
}

/// The usage line that clap made, under our own word for it.
fn usage(error: &clap::Error, lang: Lang) -> Option<String> {
    let line = context(error, ContextKind::Usage);
    let line = line.trim();
    let bare = line.strip_prefix("Usage:").unwrap_or(line).trim();
    (!bare.is_empty()).then(|| format!("{}: {}", say(lang, "使い方", "usage"), in_words(bare, lang)))
}
