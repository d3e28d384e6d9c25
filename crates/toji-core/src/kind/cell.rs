//! Fields from and to table cells, without loss: what is written comes back as the same text.

use super::{Field, FieldType};
use crate::clock::Instant;
use crate::decimal::Decimal;
use crate::value::{Value, fold_width};
use serde_json::Value as Json;

/// Reads one cell. `Ok(None)` for an empty cell; `Err` says what was expected (Japanese, English).
///
/// # Errors
/// The text does not fit the field's type.
pub fn read_cell(field: &Field, text: &str) -> Result<Option<Json>, (String, String)> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if field.many && field.field_type != FieldType::Json {
        let separator = field.separator.as_deref().unwrap_or(";");
        let parts: Result<Vec<Json>, _> =
            text.split(separator.trim()).map(str::trim).filter(|p| !p.is_empty()).map(|p| read_one(field, p)).collect();
        return parts.map(|p| Some(Json::Array(p)));
    }
    read_one(field, text).map(Some)
}

fn read_one(field: &Field, text: &str) -> Result<Json, (String, String)> {
    match field.field_type {
        FieldType::Text | FieldType::Choice | FieldType::Ref => Ok(Json::from(text)),
        FieldType::Integer => fold_width(text)
            .parse::<i64>()
            .map(Json::from)
            .map_err(|_| ("整数が必要です".into(), "a whole number is expected".into())),
        FieldType::Number => {
            let number = Decimal::parse(&fold_width(text)).map(Decimal::to_f64);
            let whole = number.filter(|n| n.fract() == 0.0 && n.abs() < 9e15 && !text.contains(['.', 'e', 'E']));
            match (whole, number) {
                #[expect(clippy::cast_possible_truncation, reason = "whole and below 9e15")]
                (Some(n), _) => Ok(Json::from(n as i64)),
                (None, Some(n)) => Ok(Json::from(n)),
                (None, None) => Err(("数値が必要です".into(), "a number is expected".into())),
            }
        }
        FieldType::Boolean => match fold_width(text).to_lowercase().as_str() {
            "true" | "yes" | "1" | "はい" | "有" | "○" => Ok(Json::Bool(true)),
            "false" | "no" | "0" | "いいえ" | "無" | "×" => Ok(Json::Bool(false)),
            _ => Err(("true か false が必要です".into(), "true or false is expected".into())),
        },
        FieldType::Date if is_date(text) => Ok(Json::from(text)),
        FieldType::Date => Err((
            "日付 (2026-11-24、2026-11、2026) が必要です".into(),
            "a date such as 2026-11-24, 2026-11 or 2026 is expected".into(),
        )),
        FieldType::Instant => Instant::parse(text).map(|i| Json::from(i.to_string())).map_err(|_| {
            ("時刻 (2026-11-24T15:02:39Z) が必要です".into(), "an instant such as 2026-11-24T15:02:39Z is expected".into())
        }),
        FieldType::Value => {
            if text.starts_with('{')
                && let Ok(value) = serde_json::from_str::<Value>(text)
            {
                return Ok(serde_json::to_value(value).unwrap_or(Json::Null));
            }
            let value = Value::parse(text);
            let value = match &field.unit {
                Some(unit) => value.with_raw_unit(unit).0,
                None => value,
            };
            Ok(serde_json::to_value(value).unwrap_or(Json::Null))
        }
        FieldType::Json => {
            serde_json::from_str(text).map_err(|e| (format!("JSON として読めません: {e}"), format!("not readable as JSON: {e}")))
        }
    }
}

/// Is it a day, a month or a year of the Gregorian calendar?
pub(super) fn is_date(text: &str) -> bool {
    let padded = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    padded.len() == 10 && padded.parse::<jiff::civil::Date>().is_ok()
}

/// Writes a field as a cell; `None` is an empty cell.
#[must_use]
pub fn write_cell(field: &Field, value: Option<&Json>) -> String {
    match value {
        None | Some(Json::Null) => String::new(),
        Some(Json::Array(parts)) if field.many && field.field_type != FieldType::Json => {
            let separator = field.separator.as_deref().unwrap_or("; ");
            parts.iter().map(|p| write_one(field, p)).collect::<Vec<_>>().join(separator)
        }
        Some(value) => write_one(field, value),
    }
}

fn write_one(field: &Field, value: &Json) -> String {
    match (field.field_type, value) {
        (_, Json::String(text)) => text.clone(),
        (FieldType::Value, Json::Object(map)) => {
            let plain = serde_json::from_value::<Value>(value.clone()).is_ok_and(|v| {
                let again = Value::parse(&v.text);
                let again = match &field.unit {
                    Some(unit) => again.with_raw_unit(unit).0,
                    None => again,
                };
                again == v
            });
            match map.get("text").and_then(Json::as_str) {
                Some(text) if plain => text.to_owned(),
                _ => value.to_string(),
            }
        }
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Text;
    use proptest::prelude::*;

    fn field(field_type: FieldType) -> Field {
        Field {
            name: "f".into(),
            field_type,
            label: Text::same("f"),
            help: None,
            required: false,
            many: false,
            separator: None,
            unit: None,
            unit_field: None,
            choices: Vec::new(),
            vocabulary: Vec::new(),
            open: false,
            target: None,
            ref_field: None,
            low: None,
            high: None,
            sensitive: false,
        }
    }

    #[test]
    fn cells_fit_their_type_or_say_what_is_expected() {
        assert_eq!(read_cell(&field(FieldType::Number), "46.2").unwrap(), Some(Json::from(46.2)));
        assert_eq!(read_cell(&field(FieldType::Number), "1454").unwrap(), Some(Json::from(1454)));
        assert_eq!(read_cell(&field(FieldType::Number), "").unwrap(), None);
        assert!(read_cell(&field(FieldType::Number), "many").unwrap_err().1.contains("number"));
        assert!(read_cell(&field(FieldType::Date), "2024-13").is_err());
        assert!(read_cell(&field(FieldType::Date), "2024-06").is_ok());
        let many = Field { many: true, separator: Some("; ".into()), ..field(FieldType::Text) };
        let read = read_cell(&many, "TAKASAGO; TEIJIN").unwrap();
        assert_eq!(write_cell(&many, read.as_ref()), "TAKASAGO; TEIJIN");
    }

    proptest! {
        #[test]
        fn text_and_values_come_back(text in "[^;\\s][^;]{0,30}") {
            for field in [field(FieldType::Text), field(FieldType::Value)] {
                if let Ok(read) = read_cell(&field, &text) {
                    prop_assert_eq!(write_cell(&field, read.as_ref()), text.trim());
                }
            }
        }
        #[test]
        fn numbers_come_back(number in -1_000_000i64..1_000_000, part in proptest::option::of(1u32..999)) {
            let text = match part { Some(p) => format!("{number}.{p}"), None => number.to_string() };
            let read = read_cell(&field(FieldType::Number), &text).unwrap().unwrap();
            prop_assert_eq!(read.as_f64(), text.parse::<f64>().ok());
        }
    }
}
