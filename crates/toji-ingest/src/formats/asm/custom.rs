//! Custom information of ASM, in its two forms: labelled data in an aggregate document (the published
//! schema), and a plain object of names and values (as some converters write it).

use super::items;
use serde_json::Value as Json;

/// One piece of custom information.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Info {
    /// Its label.
    pub(super) label: String,
    /// What it says.
    pub(super) datum: Datum,
}

/// What custom information says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Datum {
    /// Words, numbers of plain objects, anything kept as a fact.
    Fact(Json),
    /// A labelled number: a result without a property of its own.
    Number(serde_json::Number, Option<String>),
    /// A labelled time.
    Time(String),
}

impl Info {
    /// The words of a fact.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.datum {
            Datum::Fact(Json::String(text)) => Some(text),
            _ => None,
        }
    }
}

/// Names of the two forms.
pub(super) const AGGREGATE: &str = "custom information aggregate document";
/// The plain form.
pub(super) const PLAIN: &str = "custom information document";

/// Reads either form.
pub(super) fn read(key: &str, value: &Json) -> Vec<Info> {
    if key == PLAIN {
        let entries = value.as_object().into_iter().flatten();
        return entries.map(|(label, value)| Info { label: label.clone(), datum: Datum::Fact(value.clone()) }).collect();
    }
    let documents = value.get(PLAIN).unwrap_or(&Json::Null);
    items(documents)
        .filter_map(|(_, document)| {
            let label = document.get("datum label")?.as_str()?.to_owned();
            let unit = document.get("unit").and_then(Json::as_str).map(str::to_owned);
            let datum = match (document.get("scalar double datum"), document.get("scalar timestamp datum")) {
                (Some(Json::Number(number)), _) => Datum::Number(number.clone(), unit),
                (_, Some(Json::String(time))) => Datum::Time(time.clone()),
                _ => Datum::Fact(
                    document.iter().find(|(key, _)| key.starts_with("scalar ")).map_or(Json::Null, |(_, value)| value.clone()),
                ),
            };
            Some(Info { label, datum })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_forms() {
        let labelled = json!({PLAIN: [
            {"datum label": "a", "scalar double datum": 1.5, "unit": "U/L"},
            {"datum label": "b", "scalar string datum": "x"},
            {"no label": 1},
        ]});
        let read_labelled = read(AGGREGATE, &labelled);
        assert_eq!(read_labelled.len(), 2);
        assert!(matches!(&read_labelled[0].datum, Datum::Number(n, Some(u)) if n.as_f64() == Some(1.5) && u == "U/L"));
        assert_eq!(read_labelled[1].text(), Some("x"));
        assert_eq!(read(PLAIN, &json!({"c": 2}))[0].datum, Datum::Fact(json!(2)));
        assert!(read(AGGREGATE, &json!(3)).is_empty());
    }
}
