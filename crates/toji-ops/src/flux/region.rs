//! Regions of a flux space as people write them: `EX_succ_e >= 1, BIOMASS <= 0.1, max BIOMASS`, or as JSON.

use serde_json::Value as Json;
use toji_core::{Error, Place, Result};
use toji_flux::design::{Limit, Region};
use toji_flux::model::Scenario;

/// Longest text of a region.
const TEXT_MAX: usize = 20_000;

fn unreadable(field: &str, part: &str, ja: &str, en: &str) -> Error {
    Error::input("E-FLUX-060", format!("「{part}」を読めません: {ja}"), format!("\"{part}\" cannot be read: {en}"))
        .at(Place::field(field))
        .hint(
            "例: EX_succ_e >= 1, EX_o2_e = 0, 2 PFK - PGI <= 5, max BIOMASS（コンマで区切る）",
            "example: EX_succ_e >= 1, EX_o2_e = 0, 2 PFK - PGI <= 5, max BIOMASS (parted by commas)",
        )
}

/// A sum of fluxes, `2 PFK - PGI`. Words are parted by spaces, for signs occur in identifiers.
pub(super) fn sum(text: &str, scenario: &Scenario<'_>, field: &str) -> Result<Vec<(usize, f64)>> {
    let mut terms = Vec::new();
    let (mut sign, mut factor): (f64, Option<f64>) = (1.0, None);
    let mut due = true;
    for word in text.split_whitespace().filter(|word| *word != "*") {
        match word {
            "+" | "-" if factor.is_none() && (!due || terms.is_empty()) => {
                sign = if word == "-" { -1.0 } else { 1.0 };
                due = true;
            }
            _ if !due => {
                return Err(unreadable(field, text, "項の間に + か - がありません", "there is no + or - between two terms"));
            }
            _ => match scenario.reaction_named(word) {
                Ok(reaction) => {
                    terms.push((reaction, sign * factor.take().unwrap_or(1.0)));
                    (sign, due) = (1.0, false);
                }
                Err(missing) => match word.parse::<f64>() {
                    Ok(number) if number.is_finite() && factor.is_none() => factor = Some(number),
                    _ => return Err(missing.at(Place::field(field))),
                },
            },
        }
    }
    if terms.is_empty() || due || factor.is_some() {
        return Err(unreadable(field, text, "反応で終わっていません", "it does not end in a reaction"));
    }
    Ok(terms)
}

/// `sum >= number`, `sum <= number`, `sum = number`, or `number <= sum <= number`.
pub(super) fn limit(text: &str, scenario: &Scenario<'_>, field: &str) -> Result<Limit> {
    const SIGNS: [(&str, &str); 6] = [("≥", ">="), ("≤", "<="), (">=", " >= "), ("<=", " <= "), ("==", " = "), ("=>", " >= ")];
    let spread = SIGNS.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    let mut parts: Vec<String> = vec![String::new()];
    let mut signs: Vec<&str> = Vec::new();
    for word in spread.split_whitespace() {
        match word {
            ">=" | ">" => signs.push(">="),
            "<=" | "<" => signs.push("<="),
            "=" => signs.push("="),
            _ => {
                if let Some(part) = parts.last_mut() {
                    part.push_str(word);
                    part.push(' ');
                }
                continue;
            }
        }
        parts.push(String::new());
    }
    let value = |part: &str| match part.trim() {
        "inf" | "+inf" | "∞" => Some(f64::INFINITY),
        "-inf" | "-∞" => Some(f64::NEG_INFINITY),
        number => number.replace(' ', "").parse::<f64>().ok().filter(|n| n.is_finite()),
    };
    let wrong = || unreadable(field, text, "式 記号 数 の形ではありません", "it is not a sum, a sign and a number");
    let numbers: Vec<Option<f64>> = parts.iter().map(|part| value(part)).collect();
    let (terms, lower, upper) = match (parts.as_slice(), signs.as_slice(), numbers.as_slice()) {
        ([left, _], [sign], [None, Some(number)]) => match *sign {
            ">=" => (left, *number, f64::INFINITY),
            "<=" => (left, f64::NEG_INFINITY, *number),
            _ => (left, *number, *number),
        },
        ([_, right], [sign], [Some(number), None]) => match *sign {
            ">=" => (right, f64::NEG_INFINITY, *number),
            "<=" => (right, *number, f64::INFINITY),
            _ => (right, *number, *number),
        },
        ([_, middle, _], ["<=", "<="], [Some(low), None, Some(high)])
        | ([_, middle, _], [">=", ">="], [Some(high), None, Some(low)]) => (middle, *low, *high),
        _ => return Err(wrong()),
    };
    if lower > upper {
        return Err(unreadable(field, text, "下限が上限を超えます", "the lower limit is above the upper one"));
    }
    Ok(Limit { terms: sum(terms, scenario, field)?, lower, upper })
}

/// A region as text: limits parted by commas, and `max SUM` where only the best by that sum count. Or as JSON:
/// `{"limits": ["…", …], "max": "SUM"}`.
pub(super) fn region(given: &Json, scenario: &Scenario<'_>, field: &str) -> Result<Region> {
    let whole;
    let given = match given {
        Json::String(text) if text.trim_start().starts_with('{') => {
            whole = serde_json::from_str::<Json>(text).unwrap_or(Json::Null);
            &whole
        }
        other => other,
    };
    match given {
        Json::String(text) if text.len() <= TEXT_MAX => {
            let mut region = Region::default();
            for part in text.split([',', ';', '\n']).map(str::trim).filter(|part| !part.is_empty()) {
                match part.strip_prefix("max ") {
                    Some(aim) => region.inner = Some(sum(aim, scenario, field)?),
                    None => region.limits.push(limit(part, scenario, field)?),
                }
            }
            Ok(region)
        }
        Json::Object(parts) => {
            let mut region = Region::default();
            for (key, value) in parts {
                match (key.as_str(), value) {
                    ("limits", Json::Array(limits)) => {
                        for one in limits {
                            let text = one.as_str().unwrap_or_default();
                            region.limits.push(limit(text, scenario, field)?);
                        }
                    }
                    ("max", Json::String(aim)) => region.inner = Some(sum(aim, scenario, field)?),
                    ("max", Json::Null) => {}
                    _ => {
                        let (ja, en) = ("limits か max ではありません", "it is neither limits nor max");
                        return Err(unreadable(field, key, ja, en));
                    }
                }
            }
            Ok(region)
        }
        other => Err(unreadable(
            field,
            &other.to_string().chars().take(80).collect::<String>(),
            "領域ではありません",
            "this is no region",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use toji_flux::model::{Model, Parts, Reaction};

    fn model() -> Model {
        let reaction = |id: &str| Reaction { id: id.into(), upper: 9.0, ..Reaction::default() };
        let reactions = ["EX_a", "R-1", "b"].map(reaction).to_vec();
        Model::new(Parts { reactions, ..Parts::default() }).unwrap()
    }

    #[test]
    fn limits_are_read_as_they_are_written() {
        let model = model();
        let scenario = Scenario::new(&model);
        let check = |text: &str, terms: &[(usize, f64)], lower: f64, upper: f64| {
            let right = Limit { terms: terms.to_vec(), lower, upper };
            assert_eq!(limit(text, &scenario, "target").unwrap(), right, "{text}");
        };
        let open = f64::INFINITY;
        check("EX_a >= 1", &[(0, 1.0)], 1.0, open);
        check("EX_a>=1", &[(0, 1.0)], 1.0, open);
        check("2 EX_a - 0.5 * R-1 ≤ -3", &[(0, 2.0), (1, -0.5)], -open, -3.0);
        check("1 <= b", &[(2, 1.0)], 1.0, open);
        check("-1 <= R-1 + b <= 4", &[(1, 1.0), (2, 1.0)], -1.0, 4.0);
        check("4 >= b >= -inf", &[(2, 1.0)], -open, 4.0);
        check("- b = 2", &[(2, -1.0)], 2.0, 2.0);
        for wrong in [
            "",
            "EX_a",
            "EX_a >= x",
            "EX_a b >= 1",
            "2 >= 1",
            "EX_a >= 1 >= 3 <= 4",
            "+ >= 1",
            "5 <= b <= 4",
            "2 <= 3 <= 4",
            "EX_a + >= 1",
        ] {
            let error = limit(wrong, &scenario, "target").unwrap_err();
            assert!(["E-FLUX-060", "E-MODEL-010"].contains(&error.code()), "{wrong}: {error:?}");
        }
    }

    #[test]
    fn regions_are_text_or_json() {
        let model = model();
        let scenario = Scenario::new(&model);
        let text = region(&json!("EX_a >= 1, b <= 2, max b"), &scenario, "target").unwrap();
        let object = json!({"limits": ["EX_a >= 1", "b <= 2"], "max": "b"});
        assert_eq!(text, region(&object, &scenario, "target").unwrap());
        assert_eq!(text, region(&json!(object.to_string()), &scenario, "target").unwrap());
        assert_eq!((text.limits.len(), text.inner), (2, Some(vec![(2, 1.0)])));
        for wrong in [json!(3), json!({"least": "b"}), json!("{]"), json!({"limits": [3]})] {
            assert_eq!(region(&wrong, &scenario, "target").unwrap_err().code(), "E-FLUX-060", "{wrong}");
        }
    }
}
