//! Storage faults in words an operator can act on.

use std::path::Path;
use toji_core::{Category, Error};

/// An I/O fault at a path.
pub(crate) fn io(error: &std::io::Error, path: &Path) -> Error {
    let shown = path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded | std::io::ErrorKind::FileTooLarge => full(&shown),
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            Error::storage("E-STORE-002", format!("{shown} に書き込む権限がありません"), format!("no permission to use {shown}"))
                .hint("保存先の所有者と権限を確認してください", "check owner and permissions of the store's folder")
        }
        _ => Error::storage(
            "E-STORE-003",
            format!("{shown} の読み書きに失敗しました: {error}"),
            format!("reading or writing {shown} failed: {error}"),
        )
        .hint(
            "ディスクの状態を確認し、`toji verify --ledger` を実行してください",
            "check the disk, then run `toji verify --ledger`",
        ),
    }
}

fn full(what: &str) -> Error {
    Error::storage(
        "E-STORE-001",
        format!("ディスクに空きがないため {what} を保存できません。何も取り込まれていません"),
        format!("the disk is full, {what} was not stored; nothing of it was taken in"),
    )
    .hint("空きを作ってから、もう一度取り込んでください", "make room, then import again")
}

/// A catalogue fault.
pub(crate) fn sql(error: sqlx::Error) -> Error {
    if let sqlx::Error::Database(database) = &error {
        let code = database.code().unwrap_or_default();
        let message = database.message();
        // SQLITE_FULL is 13; PostgreSQL's disk_full is 53100.
        if code == "13" || code == "53100" || message.contains("disk is full") || message.contains("No space left") {
            return full("catalogue");
        }
        // SQLITE_BUSY (5, with extended codes) and PostgreSQL's serialization failures.
        if code == "5" || code == "517" || code == "40001" || message.contains("locked") {
            return Error::new(
                Category::Conflict,
                "E-STORE-004",
                "台帳が他の作業で使用中です",
                "the ledger is in use by other work",
            )
            .hint("少し待ってから、もう一度実行してください", "wait a moment and try again");
        }
        if code == "11" || code == "26" || message.contains("malformed") || message.contains("not a database") {
            return damaged_catalogue(message);
        }
    }
    Error::storage(
        "E-STORE-006",
        format!("カタログの操作に失敗しました: {error}"),
        format!("a catalogue operation failed: {error}"),
    )
    .hint("ディスクの空きと権限、接続先を確認してください", "check disk space, permissions and the connection")
}

/// The catalogue's file is not what it was.
pub(crate) fn damaged_catalogue(what: &str) -> Error {
    Error::storage("E-STORE-005", format!("カタログが壊れています: {what}"), format!("the catalogue is damaged: {what}")).hint(
        "バックアップから戻し、`toji verify --ledger` で確かめてください",
        "restore a backup and check it with `toji verify --ledger`",
    )
}

/// A fault of a series file.
pub(crate) fn parquet(error: impl std::fmt::Display, part: &str) -> Error {
    let text = error.to_string();
    // ENOSPC, EFBIG and EDQUOT: the engine passes on their text alone.
    if ["(os error 28)", "(os error 27)", "(os error 122)", "No space left"].iter().any(|full| text.contains(full)) {
        return full(part);
    }
    Error::storage(
        "E-SERIES-001",
        format!("系列ファイル {part} を扱えません: {text}"),
        format!("the series file {part} cannot be used: {text}"),
    )
    .hint("`toji verify` で確かめてください", "check it with `toji verify`")
}
