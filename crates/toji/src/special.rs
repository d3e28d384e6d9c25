//! Commands that are no operations: they make a store, serve it, or speak about the command line.
//!
//! To add one: an entry in [`all`], its name in [`run`].

use crate::command::{Settings, frame};
use crate::output;
use crate::words::say;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;
use std::net::SocketAddr;
use toji_core::{Category, Error, Lang, Place, Result, Text};
use toji_ops::{Operation, Options, Session};
use toji_server::{Party, ProviderSettings, ServeOptions, Server};

/// Is this one of ours?
pub(crate) fn is(name: &str) -> bool {
    all(Lang::En).iter().any(|command| command.get_name() == name)
}

/// Does it stay and serve?
pub(crate) fn serves(name: &str) -> bool {
    matches!(name, "serve" | "demo")
}

/// Adds the special commands.
pub(crate) fn add(root: Command, lang: Lang) -> Command {
    root.subcommands(all(lang))
}

/// Runs the special command that the matches name.
///
/// # Errors
/// Whatever it refuses.
pub(crate) async fn run(
    operations: &'static [Operation],
    matches: &ArgMatches,
    settings: &Settings,
    command: Command,
) -> Result<()> {
    match matches.subcommand() {
        Some(("init", own)) => init(own, settings).await,
        Some(("serve", own)) => serve(own, settings).await,
        Some(("demo", own)) => demo(own, operations, settings).await,
        Some(("openapi", _)) => print(toji_server::openapi::text(operations), settings),
        Some(("completions", own)) => complete(own, &command, settings),
        Some(("help", own)) => help(own, command, settings),
        _ => Err(Error::bug("E-CLI-006", "the command line named no command")),
    }
}

fn all(lang: Lang) -> Vec<Command> {
    let text = |ja: &'static str, en: &'static str| say(lang, ja, en);
    let make = |name: &'static str, about: Text, example: &'static str| {
        let after = Text::new(format!("例:\n  {example}"), format!("Example:\n  {example}"));
        let short = about.get(lang).trim_end_matches(['.', '。']).to_owned();
        frame(Command::new(name), lang, &about, &after).about(short)
    };
    let init = make(
        "init",
        Text::new("新しい保存先を作ります。", "Make a new store."),
        "toji --store ./my-store init --zone Asia/Tokyo",
    )
    .arg(Arg::new("catalogue-url").long("catalogue-url").value_name("URL").help(text(
        "目録を PostgreSQL に置く場合の postgres://… (既定: 保存先の中の SQLite)",
        "postgres://… to keep the catalogue in PostgreSQL (default: SQLite inside the store)",
    )))
    .arg(Arg::new("zone").long("zone").value_name(text("時間帯", "ZONE")).help(text(
        "時間帯のない時刻をどこの時刻として読むか (例: Asia/Tokyo)",
        "Zone of times whose file names none, e.g. Asia/Tokyo",
    )));
    let address = Arg::new("address")
        .long("address")
        .value_name(text("アドレス", "ADDRESS"))
        .default_value("127.0.0.1:8080")
        .hide_default_value(true)
        .help(text(
            "待ち受けるアドレス [既定: 127.0.0.1:8080]。ほかの機械に開くには、利用者の招待 (toji user invite) が必要です",
            "Where to listen [default: 127.0.0.1:8080]. To open it to other machines, invite a user first (toji user invite)",
        ));
    let open =
        Arg::new("open").long("open").action(ArgAction::SetTrue).help(text("ブラウザーで開きます", "Open it in the browser"));
    let behind_tls = Arg::new("behind-tls").long("behind-tls").action(ArgAction::SetTrue).help(text(
        "この機械のプロキシーが TLS で受けて中継する場合に指定します。クッキーは TLS だけで送られます",
        "A proxy on this machine takes TLS and passes it on: cookies are for TLS alone",
    ));
    let second_factor = Arg::new("second-factor").long("second-factor").action(ArgAction::SetTrue).help(text(
        "二要素認証を全員に求めます。未登録の人は、登録のほかは何もできません",
        "Ask everybody for a second factor: whoever has none can set one up and nothing else",
    ));
    let origin = Arg::new("origin").long("origin").value_name("URL").help(text(
        "ブラウザーから見たこのサーバーのオリジン (例: https://toji.example)。パスキーに要ります。この機械だけなら不要です",
        "Origin of this server as browsers see it, e.g. https://toji.example: for passkeys; not needed on this machine alone",
    ));
    let provider = Arg::new("provider").long("provider").value_name("FILE").help(text(
        "OpenID プロバイダーの設定 (TOML)。そこでのログインも受け付けます。--origin も要ります",
        "Settings (TOML) of an OpenID provider where people may log in instead; --origin is needed, too",
    ));
    let without_login = Arg::new("without-login").long("without-login").action(ArgAction::SetTrue).help(text(
        "利用者のいない保存先を、承知の上でほかの機械に開きます。誰でも読み書きできます",
        "Open a store without users to other machines all the same: everybody can read and write it",
    ));
    let serve = make("serve", Text::new("画面と API を提供します。", "Serve the pages and the API."), "toji serve --open")
        .arg(address.clone())
        .arg(open.clone())
        .arg(behind_tls.clone())
        .arg(second_factor.clone())
        .arg(origin.clone())
        .arg(provider.clone())
        .arg(without_login.clone());
    let demo = make(
        "demo",
        Text::new(
            "保存先がなければ作り、実演データを取り込んで、画面を提供します。",
            "Make a store where there is none, load the demonstration, and serve the pages.",
        ),
        "toji --store ./toji-demo demo --open",
    )
    .arg(address)
    .arg(open)
    .arg(behind_tls)
    .arg(second_factor)
    .arg(origin)
    .arg(provider)
    .arg(without_login)
    .arg(Arg::new("data").long("data").value_name("DIR").help(text(
        "生成データの代わりに取り込む、装置ファイルのフォルダー",
        "A folder of instrument files to take in instead of the generated ones",
    )));
    let openapi = make(
        "openapi",
        Text::new("API の記述 (OpenAPI 3.1) を出力します。", "Print the description of the API (OpenAPI 3.1)."),
        "toji openapi > openapi.json",
    );
    let completions = make(
        "completions",
        Text::new("シェルの補完の設定を出力します。", "Print the completions of a shell."),
        "source <(toji completions bash)",
    )
    .arg(
        Arg::new("shell")
            .required(true)
            .value_name("SHELL")
            .value_parser(PossibleValuesParser::new(crate::complete::SHELLS))
            .hide_possible_values(true)
            .help(crate::complete::SHELLS.join(", "))
            .help_heading(text("引数", "Arguments")),
    );
    let help = make("help", Text::new("コマンドの説明を表示します。", "Show what a command does."), "toji help run import").arg(
        Arg::new("command")
            .num_args(0..)
            .value_name(text("コマンド", "COMMAND"))
            .help(text("説明するコマンド", "The command to explain"))
            .help_heading(text("引数", "Arguments")),
    );
    vec![init, serve, demo, openapi, completions, help]
}

async fn init(matches: &ArgMatches, settings: &Settings) -> Result<()> {
    let given = |name: &str| matches.get_one::<String>(name).cloned();
    let options = Options { catalogue_url: given("catalogue-url"), zone: given("zone") };
    Session::init(&settings.store, options).await?;
    let shown = settings.store.display();
    if settings.json {
        return print(output::document(&json!({"store": shown.to_string()})), settings);
    }
    let words = say(settings.lang, "保存先を作りました", "made a store at");
    print(format!("{words}: {shown}\n").replace("at: ", "at "), settings)
}

async fn serve(matches: &ArgMatches, settings: &Settings) -> Result<()> {
    let text = matches.get_one::<String>("address").map(String::as_str).unwrap_or_default();
    // `localhost:8080` is a name, not an address; everybody means this one by it.
    let address: SocketAddr = text.replacen("localhost:", "127.0.0.1:", 1).parse().map_err(|_| {
        Error::input("E-CLI-007", format!("アドレスとして読めません: {text}"), format!("not an address: {text}"))
            .at(Place::field("address"))
            .hint("例: 127.0.0.1:8080", "for example 127.0.0.1:8080")
    })?;
    let session = Session::open(&settings.store, Options::default()).await?;
    let (behind_tls, without_login) = (matches.get_flag("behind-tls"), matches.get_flag("without-login"));
    let second_factor = matches.get_flag("second-factor");
    let origin = matches.get_one::<String>("origin").map(|origin| Party::of_origin(origin)).transpose()?;
    let provider = matches.get_one::<String>("provider").map(|file| ProviderSettings::open(file.as_ref())).transpose()?;
    let options = ServeOptions { address, behind_tls, second_factor, without_login, origin, provider, ..ServeOptions::default() };
    let server = Server::bind(session, options).await?;
    let url = format!("http://{}", server.address());
    if settings.json {
        print(output::document(&json!({"url": url})), settings)?;
    } else {
        output::tell(settings, &format!("{url} で提供しています (Ctrl-C で終了)"), &format!("serving at {url} (Ctrl-C to stop)"));
    }
    if matches.get_flag("open") {
        open_browser(&url, settings);
    }
    server.run_until(toji_server::stop_signal()).await
}

async fn demo(matches: &ArgMatches, operations: &'static [Operation], settings: &Settings) -> Result<()> {
    match Session::open(&settings.store, Options::default()).await {
        Ok(session) => drop(session),
        Err(error) if error.category() == Category::NotFound => {
            Session::init(&settings.store, Options { zone: Some("Asia/Tokyo".into()), ..Options::default() }).await?;
        }
        Err(error) => return Err(error),
    }
    let load = operations
        .iter()
        .find(|o| o.name == "store demo")
        .ok_or_else(|| Error::bug("E-CLI-009", "the operation that loads the demonstration is missing"))?;
    crate::call::run(load, json!({ "data": matches.get_one::<String>("data") }), settings).await?;
    serve(matches, settings).await
}

/// Asks the system to open the page; when it cannot, the user has the address.
fn open_browser(url: &str, settings: &Settings) {
    let (program, before): (&str, &[&str]) = match std::env::consts::OS {
        "macos" => ("open", &[]),
        "windows" => ("cmd", &["/C", "start", ""]),
        _ => ("xdg-open", &[]),
    };
    let quiet = std::process::Stdio::null;
    let started =
        std::process::Command::new(program).args(before).arg(url).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
    if started.is_err() {
        output::tell(
            settings,
            &format!("ブラウザーを開けません。{url} を開いてください"),
            &format!("cannot open a browser; open {url}"),
        );
    }
}

fn complete(matches: &ArgMatches, command: &Command, settings: &Settings) -> Result<()> {
    let shell = matches.get_one::<String>("shell").map(String::as_str).unwrap_or_default();
    print(crate::complete::script(shell, command), settings)
}

/// `toji help run import` is `toji run import --help`.
fn help(matches: &ArgMatches, command: Command, settings: &Settings) -> Result<()> {
    let words = matches.get_many::<String>("command").into_iter().flatten().map(String::as_str);
    let mut command = command;
    command.build();
    let mut at = &mut command;
    for word in words {
        at = at.find_subcommand_mut(word).ok_or_else(|| {
            Error::not_found(
                "E-CLI-008",
                format!("「{word}」というコマンドはありません"),
                format!("there is no command `{word}`"),
            )
            .hint("toji --help で一覧をご覧ください", "see toji --help for the list")
        })?;
    }
    output::write_out(crate::usage::in_words(&at.render_help().to_string(), settings.lang).as_bytes())
}

fn print(text: String, settings: &Settings) -> Result<()> {
    match &settings.out {
        Some(path) => output::write_file(path, text.as_bytes()),
        None => output::write_out(text.as_bytes()),
    }
}
