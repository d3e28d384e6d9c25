//! The specification of a lot: what its results must keep.

use serde::Deserialize;
use serde_json::Value as Json;
use toji_core::limits::{Limits, Verdict};
use toji_core::record::FieldMap;
use toji_core::{Diagnostic, Place, Text, variable};
use toji_culture::rates::{self, CODES};

/// Most entries of a specification.
const ENTRIES_MAX: usize = 200;

/// Which results of a run an entry judges, when there are several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Which {
    /// All of them.
    #[default]
    Every,
    /// Those of the latest time.
    Last,
}

/// An entry as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    quantity: String,
    #[serde(default)]
    low: Option<f64>,
    #[serde(default)]
    high: Option<f64>,
    unit: String,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    which: Which,
}

/// What one quantity must keep.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// Place in the list, from 0.
    pub(super) index: usize,
    /// Code of the standard analysis, or variable (or analyte) of assays.
    pub(super) quantity: String,
    /// What is allowed.
    pub(super) limits: Limits,
    /// Only for runs of this role.
    pub(super) role: Option<String>,
    /// Which results.
    pub(super) which: Which,
}

impl Entry {
    /// Label of the quantity.
    pub(super) fn label(&self) -> Text {
        label(&self.quantity)
    }
    /// Is it of the standard analysis?
    pub(super) fn is_of_analysis(&self) -> bool {
        CODES.contains(&self.quantity.as_str())
    }
}

/// Label of a quantity: a code of the analysis, a variable, or itself.
pub(super) fn label(quantity: &str) -> Text {
    if CODES.contains(&quantity) {
        return rates::label(quantity);
    }
    variable::get(quantity).map_or_else(|| Text::same(quantity), |v| v.label.clone())
}

/// The entries of a lot's specification, and what of it is not readable.
pub(super) fn entries(fields: &FieldMap) -> (Vec<Entry>, Vec<Diagnostic>) {
    let list = match fields.get("specification") {
        None | Some(Json::Null) => return (Vec::new(), Vec::new()),
        Some(Json::Array(list)) if list.len() <= ENTRIES_MAX => list,
        Some(_) => {
            return (
                Vec::new(),
                vec![unreadable("specification", format!("a list of at most {ENTRIES_MAX} entries is expected"))],
            );
        }
    };
    let (mut out, mut found) = (Vec::new(), Vec::new());
    for (index, entry) in list.iter().enumerate() {
        let place = format!("specification/{index}");
        match serde_json::from_value::<Written>(entry.clone()) {
            Ok(written) => match Limits::new(written.low, written.high, &written.unit) {
                Ok(limits) => {
                    out.push(Entry { index, quantity: written.quantity, limits, role: written.role, which: written.which })
                }
                Err(error) => {
                    let fault = error.fault();
                    let below = fault.place.as_ref().and_then(|p| p.field.clone()).unwrap_or_default();
                    let place = Place::field(format!("{place}/{below}"));
                    let mut one = Diagnostic::error("E-LOT-022", place, fault.message.ja.clone(), fault.message.en.clone());
                    one.remedy = fault.hint.clone();
                    found.push(one);
                }
            },
            Err(error) => found.push(unreadable(&place, error.to_string())),
        }
    }
    (out, found)
}

fn unreadable(place: &str, why: String) -> Diagnostic {
    Diagnostic::error(
        "E-LOT-022",
        Place::field(place),
        format!("規格を読めません: {why}"),
        format!("the specification is not readable: {why}"),
    )
    .remedy(
        "{\"quantity\": \"titre-final\", \"low\": 2, \"unit\": \"g/L\"} のように書いてください",
        "write it like {\"quantity\": \"titre-final\", \"low\": 2, \"unit\": \"g/L\"}",
    )
}

/// The verdict of several results together: one outside is outside, one that is undecided leaves it so, and without a
/// number nothing was measured.
pub(super) fn together(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    let measured = verdicts.into_iter().filter(|v| *v != Verdict::NotMeasured);
    measured.max().unwrap_or(Verdict::NotMeasured)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(specification: Json) -> (Vec<Entry>, Vec<Diagnostic>) {
        entries(&FieldMap::from_iter([("specification".to_owned(), specification)]))
    }

    #[test]
    fn entries_are_read_and_every_fault_has_its_place() {
        let (read, found) = of(json!([
            { "quantity": "titre-final", "low": 2, "unit": "g/L", "role": "main" },
            { "quantity": "glucose", "high": 1, "unit": "g/L", "which": "last" },
            { "quantity": "ph", "unit": "[pH]" },
            { "quantity": "ph", "low": 7, "high": 6, "unit": "[pH]" },
            { "quantity": "ph", "low": 7, "unit": "no such unit" },
            { "quantity": "ph", "lower": 7, "unit": "[pH]" },
            "ph"
        ]));
        assert_eq!(read.iter().map(|e| e.index).collect::<Vec<_>>(), [0, 1]);
        assert_eq!((read[0].which, read[1].which, read[0].role.as_deref()), (Which::Every, Which::Last, Some("main")));
        assert!(read[0].is_of_analysis() && !read[1].is_of_analysis());
        let places: Vec<String> = found.iter().map(|d| d.place.to_string()).collect();
        assert_eq!(
            places,
            [
                "«specification/2/low»",
                "«specification/3/high»",
                "«specification/4/unit»",
                "«specification/5»",
                "«specification/6»"
            ]
        );
        assert!(found.iter().all(|d| d.remedy.is_some() && d.message.ja != d.message.en));
        assert_eq!(of(json!("glucose")).1.len(), 1);
        assert_eq!(of(json!([])), (Vec::new(), Vec::new()));
    }

    #[test]
    fn one_result_outside_is_outside_and_no_number_is_no_result() {
        use Verdict::*;
        assert_eq!(together([]), NotMeasured);
        assert_eq!(together([NotMeasured, NotMeasured]), NotMeasured);
        assert_eq!(together([Within, NotMeasured]), Within);
        assert_eq!(together([Within, Undecided]), Undecided);
        assert_eq!(together([Undecided, Within, Outside]), Outside);
    }
}
