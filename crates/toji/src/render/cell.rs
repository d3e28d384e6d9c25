//! One JSON value as one line.

use serde_json::{Map, Number, Value as Json};
use toji_core::{Diagnostic, Lang, Place};

/// Most items of a list that a cell spells out.
const ITEMS_MAX: usize = 6;

/// Kinds of a measured value.
const VALUE_KINDS: [&str; 9] =
    ["exact", "less-than", "greater-than", "range", "below-detection", "not-determined", "missing", "text", "category"];

/// Text of a file may hold anything; on a terminal it holds no control characters.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c == '\n' || c == '\t' {
                ' '
            } else if c.is_control() {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// Nothing to show.
pub(crate) fn is_empty(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// The text of a value that is one thing by itself: a scalar, a text in two languages, a measured
/// value, a place, a finding.
pub(super) fn whole(json: &Json, lang: Lang) -> Option<String> {
    match json {
        Json::Null => Some(String::new()),
        Json::Bool(yes) => Some(boolean(*yes, lang).to_owned()),
        Json::Number(number) => Some(legible(number)),
        Json::String(text) => Some(clean(text)),
        Json::Array(_) => None,
        Json::Object(map) => known_object(json, map, lang),
    }
}

/// A number as people read it: one with more than ten digits is rounded to seven. `--json` keeps every bit.
fn legible(number: &Number) -> String {
    let exact = number.to_string();
    let digits = exact.split(['e', 'E']).next().unwrap_or_default().trim_start_matches(['-', '0', '.']);
    let rounded = number.as_f64().filter(|_| number.is_f64() && digits.len() > 11);
    let rounded = rounded.and_then(|x| Number::from_f64(format!("{x:.6e}").parse().ok()?));
    rounded.map_or(exact, |rounded| rounded.to_string())
}

fn boolean(yes: bool, lang: Lang) -> &'static str {
    match (yes, lang) {
        (true, Lang::Ja) => "はい",
        (false, Lang::Ja) => "いいえ",
        (true, Lang::En) => "yes",
        (false, Lang::En) => "no",
    }
}

fn known_object(json: &Json, map: &Map<String, Json>, lang: Lang) -> Option<String> {
    if let (2, Some(Json::String(ja)), Some(Json::String(en))) = (map.len(), map.get("ja"), map.get("en")) {
        return Some(clean(if lang == Lang::Ja { ja } else { en }));
    }
    if is_finding(json) {
        let finding: Diagnostic = serde_json::from_value(json.clone()).ok()?;
        return Some(clean(&finding.render(lang)));
    }
    measured(map).or_else(|| problem(map, lang)).or_else(|| place(json, map))
}

/// Is it a diagnostic?
pub(super) fn is_finding(json: &Json) -> bool {
    let Json::Object(map) = json else { return false };
    let named = ["severity", "code", "message"].iter().all(|key| map.contains_key(*key));
    named && serde_json::from_value::<Diagnostic>(json.clone()).is_ok()
}

/// A measured value: its original text and its unit.
fn measured(map: &Map<String, Json>) -> Option<String> {
    let kind = map.get("kind")?.as_str().filter(|kind| VALUE_KINDS.contains(kind))?;
    let text = clean(map.get("text")?.as_str()?);
    if kind == "missing" && text.trim().is_empty() {
        return Some("—".to_owned());
    }
    let unit =
        ["raw_unit", "unit"].iter().find_map(|key| map.get(*key)?.as_str()).filter(|unit| !unit.is_empty() && *unit != "1");
    match unit {
        Some(unit) if !matches!(kind, "text" | "category" | "missing" | "not-determined") && !text.ends_with(unit) => {
            Some(format!("{text} {}", clean(unit)))
        }
        _ => Some(text),
    }
}

/// A refusal inside an answer, such as one file of many.
fn problem(map: &Map<String, Json>, lang: Lang) -> Option<String> {
    map.get("category")?.as_str()?;
    let code = map.get("code")?.as_str()?;
    let message = map.get("message")?.get(if lang == Lang::Ja { "ja" } else { "en" })?.as_str()?;
    let word = if lang == Lang::Ja { "エラー" } else { "error" };
    let place =
        map.get("place").and_then(|json| place(json, json.as_object()?)).map(|place| format!("{place}: ")).unwrap_or_default();
    Some(format!("{place}{word}[{}]: {}", clean(code), clean(message)))
}

fn place(json: &Json, map: &Map<String, Json>) -> Option<String> {
    const PARTS: [&str; 5] = ["file", "sheet", "line", "column", "field"];
    // A lone `file` or `field` may be anything; with a line, column or sheet it is a place.
    let located = ["line", "column", "sheet"].iter().any(|part| map.contains_key(*part));
    if !located || !map.keys().all(|key| PARTS.contains(&key.as_str())) {
        return None;
    }
    serde_json::from_value::<Place>(json.clone()).ok().map(|place| clean(&place.to_string()))
}

/// Any value as one line, shortened where it would be long.
pub(super) fn of(json: &Json, lang: Lang) -> String {
    if let Some(text) = whole(json, lang) {
        return text;
    }
    match json {
        Json::Array(items) => list(items, lang),
        Json::Object(map) => {
            let shown = map.iter().filter(|(_, value)| !is_empty(value));
            shown.map(|(key, value)| format!("{}={}", clean(key), of(value, lang))).collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    }
}

/// Most columns of a cell that sums up something nested; `--json` has it whole.
const NESTED_COLUMNS_MAX: usize = 40;

/// A value within a table: findings are counted, things with an identifier are named by it.
pub(super) fn short(json: &Json, lang: Lang) -> String {
    if let (Some(text), false) = (whole(json, lang), is_finding(json)) {
        return text;
    }
    match json {
        Json::Array(items) if items.iter().any(is_finding) => count(items.len(), lang),
        Json::Array(items) if items.len() == 1 => items.first().map(|one| short(one, lang)).unwrap_or_default(),
        Json::Object(map) => match ["id", "name", "title"].iter().find_map(|key| map.get(*key)?.as_str()) {
            Some(name) => clean(name),
            None => super::table::cut(&of(json, lang), NESTED_COLUMNS_MAX),
        },
        _ => super::table::cut(&of(json, lang), NESTED_COLUMNS_MAX),
    }
}

fn count(n: usize, lang: Lang) -> String {
    if lang == Lang::Ja { format!("{n} 件") } else { format!("{n} {}", if n == 1 { "item" } else { "items" }) }
}

fn list(items: &[Json], lang: Lang) -> String {
    let simple = items.iter().all(|item| whole(item, lang).is_some() && !is_finding(item));
    if !simple {
        return match items {
            [] => String::new(),
            [one] if !one.is_array() => of(one, lang),
            many => count(many.len(), lang),
        };
    }
    let numbers = items.len() > ITEMS_MAX && items.iter().all(Json::is_number);
    let most = if numbers { 3 } else { ITEMS_MAX * 2 };
    let mut shown = items.iter().take(most).map(|item| of(item, lang)).collect::<Vec<_>>().join(", ");
    if items.len() > most {
        shown.push_str(&format!(", … ({})", count(items.len(), lang)));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn long_fractions_are_rounded_and_nothing_else() {
        let shown = |json: Json| of(&json, Lang::En);
        assert_eq!(shown(json!(0.44721187868975243)), "0.4472119");
        assert_eq!(shown(json!(21.607249999999997)), "21.60725");
        assert_eq!(shown(json!(-15.606784015871206)), "-15.60678");
        assert_eq!(shown(json!(2.404965115943014e-12)), "2.404965e-12");
        assert_eq!(shown(json!(84600.000000013)), "84600.0");
        assert_eq!(shown(json!(7.02)), "7.02");
        assert_eq!(shown(json!(12345.6789)), "12345.6789");
        assert_eq!(shown(json!(1_764_000_000_000_000_123_i64)), "1764000000000000123");
    }

    #[test]
    fn one_line_each() {
        let check = |json: Json, expected: &str| assert_eq!(of(&json, Lang::En), expected);
        check(json!({"kind": "exact", "text": "1,2", "number": 1.2, "unit": "g/L", "raw_unit": "g/l"}), "1,2 g/l");
        check(json!({"kind": "exact", "text": "37 °C", "unit": "Cel", "raw_unit": "°C"}), "37 °C");
        check(json!({"kind": "below-detection", "text": "n.d.", "unit": "g/L"}), "n.d. g/L");
        check(json!({"kind": "missing", "text": ""}), "—");
        check(json!({"kind": "run", "text": "no measured value"}), "kind=run text=no measured value");
        check(json!({"sheet": "A", "line": 3}), "[A]:3");
        check(json!({"a": {"b": 1}, "c": null}), "a=b=1");
        check(json!(["x", "y"]), "x, y");
        check(json!([{"a": 1}, {"a": 2}]), "2 items");
        check(
            json!({"category": "input", "code": "E-X-1", "message": {"ja": "和", "en": "no"}, "place": {"file": "a", "line": 2}}),
            "a:2: error[E-X-1]: no",
        );
    }
}
