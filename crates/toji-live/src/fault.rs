//! Errors of live connections, in both languages, with what to do.

use std::fmt::Display;
use toji_core::{Category, Error, Place};

/// The far end cannot be reached or does not answer; worth trying again.
pub fn away(what: &str, why: impl Display) -> Error {
    Error::storage("E-LINK-001", format!("{what}に接続できません: {why}"), format!("{what} cannot be reached: {why}")).hint(
        "相手が動作しているか、アドレスとネットワークを確認してください",
        "check that it is running, its address and the network",
    )
}

/// The far end answers, but not as its protocol says.
pub fn odd_answer(what: &str, why: impl Display) -> Error {
    Error::input(
        "E-LINK-002",
        format!("{what}の応答が規格どおりではありません: {why}"),
        format!("{what} does not answer as its protocol says: {why}"),
    )
    .hint("接続先とポート、相手の版を確認してください", "check address, port and version of the far end")
}

/// The configuration is wrong at a place.
pub fn config(place: Place, ja: impl Into<String>, en: impl Into<String>) -> Error {
    Error::input("E-LINK-003", ja, en).at(place)
}

/// A limit of ours is reached; nothing is acknowledged until there is room.
pub fn full(ja: impl Into<String>, en: impl Into<String>) -> Error {
    Error::new(Category::Limit, "E-LINK-004", ja, en)
}

/// A file of ours cannot be read or written.
pub fn file(path: &std::path::Path, why: impl Display) -> Error {
    let name = path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
    Error::storage(
        "E-LINK-005",
        format!("{name} を読み書きできません: {why}"),
        format!("{name} cannot be read or written: {why}"),
    )
    .hint("空き容量と権限を確認してください", "check free space and permissions")
}

/// Is it worth trying the same thing again? Only what the input itself says wrong stays wrong.
#[must_use]
pub fn may_pass(error: &Error) -> bool {
    error.category() != Category::Input
}
