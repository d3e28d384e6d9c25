//! What leaves the process: the answer to standard output or a file, everything else to standard error.

use crate::command::Settings;
use crate::render;
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use toji_core::{Error, Place, Result};
use toji_ops::{Operation, Output};
use toji_server::Problem;

/// Prints the answer of an operation.
///
/// # Errors
/// The output cannot be written. A reader that has gone away is no error.
pub(crate) fn print(operation: &Operation, answer: Output, settings: &Settings) -> Result<()> {
    let Output { json, attachment } = answer;
    match (attachment, &settings.out) {
        (Some(file), Some(path)) => {
            write_file(path, &file.bytes)?;
            let (ja, en) = (format!("{} に書き出しました", path.display()), format!("wrote {}", path.display()));
            tell(settings, &format!("{ja} ({} バイト)", file.bytes.len()), &format!("{en} ({} bytes)", file.bytes.len()));
            if settings.json { write_out(document(&json).as_bytes()) } else { Ok(()) }
        }
        (Some(file), None) if !settings.json => {
            let text = !file.bytes.contains(&0) && std::str::from_utf8(&file.bytes).is_ok();
            if std::io::stdout().is_terminal() && !text {
                return Err(Error::input(
                    "E-CLI-003",
                    format!("{} は文字ではないため、端末には表示しません", file.name),
                    format!("{} is not text and is not shown on a terminal", file.name),
                )
                .hint("--out で書き出すか、別のコマンドに渡してください", "write it with --out or pipe it on"));
            }
            write_out(&file.bytes)
        }
        (_, out) => {
            let text = if settings.json {
                document(&json)
            } else {
                let wide = if out.is_some() { None } else { columns() };
                render::human(operation.name, &json, operation.output.as_value(), settings.lang, wide)
            };
            match out {
                Some(path) => write_file(path, text.as_bytes()),
                None => write_out(text.as_bytes()),
            }
        }
    }
}

/// One JSON document with a line break.
pub(crate) fn document(json: &serde_json::Value) -> String {
    format!("{json}\n")
}

/// Columns of the terminal on standard output, if it is one.
pub(crate) fn columns() -> Option<usize> {
    let (terminal_size::Width(columns), _) = terminal_size::terminal_size_of(std::io::stdout())?;
    Some(usize::from(columns))
}

/// Writes to standard output; a closed pipe ends quietly.
pub(crate) fn write_out(bytes: &[u8]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Error::storage(
            "E-CLI-004",
            format!("標準出力に書けません: {e}"),
            format!("cannot write to standard output: {e}"),
        )),
        _ => Ok(()),
    }
}

/// Writes a file whole or not at all: beside its place first, then moved there.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let fault = |e: std::io::Error| {
        let shown = path.display();
        Error::storage("E-CLI-004", format!("「{shown}」に書けません: {e}"), format!("cannot write {shown}: {e}"))
            .at(Place::field("out"))
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".toji-");
    // The user's mask decides who may read it, as with any file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(fault)?;
    file.write_all(bytes).map_err(fault)?;
    file.as_file().sync_all().map_err(fault)?;
    file.persist(path).map_err(|e| fault(e.error))?;
    Ok(())
}

/// A line on standard error. Nobody can be told when even that fails.
pub(crate) fn note(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", render::clean(line));
}

/// A line on standard error in the user's language, unless quiet.
pub(crate) fn tell(settings: &Settings, ja: &str, en: &str) {
    if !settings.quiet {
        note(if settings.lang == toji_core::Lang::Ja { ja } else { en });
    }
}

/// Shows an error on standard error, as JSON when asked, and gives the exit code 1.
pub(crate) fn refuse(error: &Error, settings: &Settings) -> ExitCode {
    if settings.json {
        let problem = serde_json::to_value(Problem::from(error)).unwrap_or_default();
        let _ = std::io::stderr().lock().write_all(document(&problem).as_bytes());
    } else {
        for line in error.render(settings.lang).lines() {
            note(line);
        }
        if error.category() == toji_core::Category::Bug {
            note(concat!("toji ", env!("CARGO_PKG_VERSION")));
        }
    }
    ExitCode::from(1)
}
