//! Strings, names and lists of the Cedar text.

use serde::Serialize;

/// A string of Cedar. Letters, digits and visible ASCII stand as they are; quotes, backslashes, and all that is not
/// seen or turns the direction of reading, are escaped.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            ' ' => out.push(' '),
            c if c.is_ascii_graphic() || c.is_alphanumeric() => out.push(c),
            c => out.extend(c.escape_unicode()),
        }
    }
    out.push('"');
    out
}

/// The name of an entity.
pub(super) fn entity(kind: &str, id: &str) -> String {
    format!("{kind}::{}", quoted(id))
}

/// A list of entities of one kind.
pub(super) fn entities<'a>(kind: &str, ids: impl IntoIterator<Item = &'a str>) -> String {
    list(ids.into_iter().map(|id| entity(kind, id)))
}

/// A list.
pub(super) fn list(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(", "))
}

/// The code of a member of a closed list, as it is written everywhere.
pub(super) fn code<T: Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(code)) => code,
        // No such entity: the schema refuses it.
        _ => String::new(),
    }
}
