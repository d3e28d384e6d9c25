//! The whole command line: what holds for every command, and the way from matches to work.

use crate::special;
use crate::tree;
use crate::words::{pick, say};
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::path::PathBuf;
use toji_core::{Lang, Result, Text};
use toji_ops::Operation;

/// Flags that every command has; an operation's own field of such a name gets another flag.
pub(crate) const RESERVED: [&str; 7] = ["store", "lang", "json", "quiet", "out", "help", "version"];

/// What the user set for this call.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) store: PathBuf,
    pub(crate) lang: Lang,
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    pub(crate) out: Option<PathBuf>,
    /// Does the command stay and serve? It then tells of itself by default.
    pub(crate) serves: bool,
}

impl Settings {
    /// Language and form of errors, needed before the arguments can be judged.
    pub(crate) fn before_parsing(arguments: &[String]) -> Self {
        let named = arguments.iter().enumerate().find_map(|(i, argument)| {
            argument
                .strip_prefix("--lang=")
                .or_else(|| (argument == "--lang").then(|| arguments.get(i + 1)).flatten().map(String::as_str))
        });
        let lang = named.map_or_else(lang_of_environment, Lang::from_locale);
        let plain: Vec<&str> = arguments.iter().map(String::as_str).take_while(|argument| *argument != "--").collect();
        Self {
            store: PathBuf::from("toji-store"),
            lang,
            json: plain.contains(&"--json"),
            quiet: plain.contains(&"--quiet"),
            out: None,
            serves: false,
        }
    }

    /// Adds what the parsed arguments say.
    pub(crate) fn after_parsing(mut self, matches: &ArgMatches) -> Self {
        if let Some(store) = matches.get_one::<String>("store") {
            self.store = PathBuf::from(store);
        } else if let Some(store) = std::env::var_os("TOJI_STORE").filter(|store| !store.is_empty()) {
            self.store = PathBuf::from(store);
        }
        self.json = matches.get_flag("json");
        self.quiet = matches.get_flag("quiet");
        self.out = matches.get_one::<String>("out").map(PathBuf::from);
        self.serves = matches.subcommand_name().is_some_and(special::serves);
        self
    }
}

/// The usual order of the environment; the first that is set decides.
fn lang_of_environment() -> Lang {
    let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
    ["TOJI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set).map_or(Lang::En, |locale| Lang::from_locale(&locale))
}

/// The command tree.
pub(crate) fn build(operations: &'static [Operation], settings: &Settings) -> Command {
    let lang = settings.lang;
    let about = Text::new(
        "Toji (杜氏) — 発酵・培養の生データを、ひとつの信頼できる記録にします。",
        "Toji (杜氏) — raw fermenter files become one trusted, visible record.",
    );
    let more = Text::new(
        "保存先は --store か環境変数 TOJI_STORE で指定します (既定: ./toji-store)。\n各コマンドの説明と例は toji コマンド --help でご覧になれます。",
        "The store is given by --store or the environment variable TOJI_STORE (default: ./toji-store).\nSee `toji COMMAND --help` for what a command does, with an example.",
    );
    let root = frame(Command::new("toji"), lang, &about, &more)
        .version(env!("CARGO_PKG_VERSION"))
        .disable_version_flag(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .args(shared(lang))
        .arg(version_flag(lang));
    let root = tree::add(root, operations, lang);
    special::add(root, lang)
}

/// The look of one command's help, with our own words so that it is whole in both languages.
pub(crate) fn frame(command: Command, lang: Lang, about: &Text, after: &Text) -> Command {
    let usage = say(lang, "使い方", "Usage");
    let template = format!("{{before-help}}{usage}: {{usage}}\n\n{{all-args}}{{after-help}}");
    let columns = crate::output::columns().unwrap_or(100).clamp(40, 110);
    let command = command
        .disable_help_flag(true)
        .help_template(template)
        .before_help(crate::words::wrap(about.get(lang), columns))
        .subcommand_help_heading(say(lang, "コマンド", "Commands"))
        .subcommand_value_name(say(lang, "コマンド", "COMMAND"))
        .next_help_heading(say(lang, "オプション", "Options"))
        .disable_help_subcommand(true)
        .term_width(columns);
    if after.get(lang).is_empty() { command } else { command.after_help(after.get(lang).to_owned()) }
}

fn version_flag(lang: Lang) -> Arg {
    Arg::new("version")
        .short('V')
        .long("version")
        .action(ArgAction::Version)
        .help(say(lang, "版を表示します", "Show the version"))
        .help_heading(say(lang, "共通のオプション", "Options of every command"))
}

/// Flags of every command. They are global, so that clap lists them after a command's own.
fn shared(lang: Lang) -> [Arg; 6] {
    let option = |name: &'static str, value: Text, help: Text| {
        let heading = say(lang, "共通のオプション", "Options of every command");
        Arg::new(name).long(name).global(true).value_name(pick(&value, lang)).help(pick(&help, lang)).help_heading(heading)
    };
    let flag = |name: &'static str, help: Text| option(name, Text::same(""), help).action(ArgAction::SetTrue);
    // One flag for both spellings and one page for both: there is no second, longer text to find.
    let help = option("help", Text::same(""), Text::new("この説明を表示します", "Show this help"));
    [
        help.short('h').action(ArgAction::HelpShort),
        option("store", Text::new("フォルダ", "DIR"), Text::new("保存先のフォルダ", "Folder of the store")),
        option("lang", Text::same("ja|en"), Text::new("表示の言語", "Language of what is shown"))
            .value_parser(["ja", "en"])
            .hide_possible_values(true),
        flag("json", Text::new("結果を JSON 一件だけで出力します", "Print the result as one JSON document and nothing else")),
        flag("quiet", Text::new("経過を表示しません", "Show no progress")),
        option("out", Text::new("ファイル", "FILE"), Text::new("結果をファイルに書き出します", "Write the result to a file")),
    ]
}

/// Does what the matches say.
pub(crate) async fn run(
    operations: &'static [Operation],
    matches: &ArgMatches,
    settings: &Settings,
    command: Command,
) -> Result<()> {
    if let Some(name) = matches.subcommand_name()
        && special::is(name)
    {
        return special::run(operations, matches, settings, command).await;
    }
    let Some((operation, own)) = tree::find(operations, matches) else {
        return Err(toji_core::Error::bug("E-CLI-006", "the command line named no operation"));
    };
    let input = crate::input::read(operation, own)?;
    crate::call::run(operation, input, settings).await
}

/// Logs to standard error, as `TOJI_LOG` says; warnings only, or the course of a server.
pub(crate) fn log(settings: &Settings) {
    // The OPC UA library calls every unencrypted connection an error; what matters of a link is among the findings.
    const LINKS: &str = "opcua_client=off,opcua_core=off,opcua_crypto=off";
    let default = format!("{},{LINKS}", if settings.serves && !settings.quiet { "info" } else { "warn" });
    let filter = std::env::var("TOJI_LOG").ok().filter(|wish| !wish.is_empty()).unwrap_or_else(|| default.clone());
    let filter = tracing_subscriber::EnvFilter::try_new(filter).unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    let coloured = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(coloured).with_writer(std::io::stderr).try_init();
}
