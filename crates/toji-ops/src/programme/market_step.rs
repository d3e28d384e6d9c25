//! `market step`: where a product stands on the way from high value to bulk.
//!
//! The strategy begins with high-value fields and widens to bulk. The papers name the steps but no
//! limits between them, so the limits are inputs; their defaults are Toji's and say so.

use super::table::tidy;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_core::{Error, Place, Result, Text, Unit};

/// Input of `market step`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Price, in `price_unit`.
    ///
    /// 価格（単位は `price_unit`）。
    price: f64,
    /// Volume sold, in `volume_unit`.
    ///
    /// 販売数量（単位は `volume_unit`）。
    volume: f64,
    /// Unit of the price: yen per mass, such as `JPY/kg`, `yen/t`.
    ///
    /// 価格の単位：質量あたりの円。例：`JPY/kg`、`円/kg`、`yen/t`。
    #[serde(default = "yen_per_kg")]
    price_unit: String,
    /// Unit of the volume: mass per time, such as `t/a`, `kg/d`.
    ///
    /// 数量の単位：時間あたりの質量。例：`t/a`、`t/年`、`kg/d`。
    #[serde(default = "tonnes_per_year")]
    volume_unit: String,
    /// Identifier of a product record, for its name.
    ///
    /// 製品の記録の識別子。名称に使用。
    #[serde(default)]
    product: Option<String>,
    /// Name, when there is no record.
    ///
    /// 記録がない場合の名称。
    #[serde(default)]
    name: Option<String>,
    /// Prices from here are high value, yen per kg. Default 10000.
    ///
    /// この価格以上は高付加価値（円/kg）。既定は 10000。
    #[serde(default = "high_price")]
    high_value_from_yen_per_kg: f64,
    /// Prices below this are bulk, yen per kg. Default 500.
    ///
    /// この価格未満は汎用（円/kg）。既定は 500。
    #[serde(default = "bulk_price")]
    bulk_below_yen_per_kg: f64,
    /// Volumes below this are high value, tonnes a year. Default 100.
    ///
    /// この数量未満は高付加価値（t/年）。既定は 100。
    #[serde(default = "small_volume")]
    high_value_below_t_per_year: f64,
    /// Volumes from here are bulk, tonnes a year. Default 10000.
    ///
    /// この数量以上は汎用（t/年）。既定は 10000。
    #[serde(default = "bulk_volume")]
    bulk_from_t_per_year: f64,
}

fn yen_per_kg() -> String {
    "JPY/kg".into()
}
fn tonnes_per_year() -> String {
    "t/a".into()
}
fn high_price() -> f64 {
    10_000.0
}
fn bulk_price() -> f64 {
    500.0
}
fn small_volume() -> f64 {
    100.0
}
fn bulk_volume() -> f64 {
    10_000.0
}

/// A step of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Step {
    /// Dear and little.
    HighValue,
    /// Between.
    Middle,
    /// Cheap and much.
    Bulk,
}

impl Step {
    const ALL: [Self; 3] = [Self::HighValue, Self::Middle, Self::Bulk];
    fn label(self) -> Text {
        match self {
            Self::HighValue => Text::new("高付加価値", "High value"),
            Self::Middle => Text::new("中間", "Middle"),
            Self::Bulk => Text::new("汎用", "Bulk"),
        }
    }
    fn number(self) -> usize {
        1 + Self::ALL.iter().position(|s| *s == self).unwrap_or_default()
    }
}

/// Why a product stands on its step.
#[derive(Debug, Serialize, JsonSchema)]
struct Reason {
    /// `price` or `volume`.
    criterion: String,
    /// The product's number, in `unit`.
    value: f64,
    /// Unit.
    unit: Text,
    /// The step by this criterion alone.
    step: Step,
    /// In words, with the limit.
    text: Text,
}

/// A step with its limits.
#[derive(Debug, Serialize, JsonSchema)]
struct StepLimits {
    /// 1 to 3.
    number: usize,
    /// Step.
    step: Step,
    /// Label.
    label: Text,
    /// Price and volume that belong to it.
    limits: Text,
}

/// Output of `market step`.
#[derive(Debug, Serialize, JsonSchema)]
struct Placement {
    /// Product record, when one was named.
    product: Option<String>,
    /// Name.
    name: Text,
    /// The step.
    step: Step,
    /// Its label.
    label: Text,
    /// 1 (high value) to 3 (bulk).
    number: usize,
    /// Why.
    reasons: Vec<Reason>,
    /// How the criteria are brought together.
    rule: Text,
    /// Whose limits these are.
    limits_from: Text,
    /// All steps.
    steps: Vec<StepLimits>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "market step",
            label: ["市場創出の段階", "Market step"],
            about: [
                "製品を、価格と数量から高付加価値・中間・汎用の段階に置き、理由を示します。境界は入力で変えられます。既定値は Toji の目安で、政策資料の数値ではありません。",
                "Places a product on a step from high value over middle to bulk by price and volume, with reasons. The limits are inputs; their defaults are Toji's working values, not figures of the papers.",
            ],
            positional: &["price", "volume"],
            example: "toji market step 12000 50 --name 香料",
        },
        Effect::Read,
        step,
    )
}

async fn step(context: Context, input: Input) -> Result<Placement> {
    check_limits(&input)?;
    let price = amount("price", input.price, "price_unit", &input.price_unit, "{JPY}/kg")?;
    let volume = amount("volume", input.volume, "volume_unit", &input.volume_unit, "t/a")?;
    let name = name(&context, &input).await?;
    let by_price = if price >= input.high_value_from_yen_per_kg {
        Step::HighValue
    } else if price < input.bulk_below_yen_per_kg {
        Step::Bulk
    } else {
        Step::Middle
    };
    let by_volume = if volume < input.high_value_below_t_per_year {
        Step::HighValue
    } else if volume >= input.bulk_from_t_per_year {
        Step::Bulk
    } else {
        Step::Middle
    };
    let step = by_price.max(by_volume);
    let limits_from = if defaults(&input) {
        Text::new(
            "既定の境界 (Toji の目安。政策資料に数値の記載はありません)",
            "default limits (Toji's working values; the papers state no figures)",
        )
    } else {
        Text::new("入力で与えられた境界", "limits given as input")
    };
    Ok(Placement {
        product: input.product.clone(),
        name,
        step,
        label: step.label(),
        number: step.number(),
        reasons: reasons(&input, (price, by_price), (volume, by_volume)),
        rule: Text::new(
            "価格による段階と数量による段階のうち、汎用に近い方に置きます。汎用の価格で、または汎用の量を売る製品は、汎用品として作れなければならないためです",
            "the step nearer to bulk of the two by price and by volume: what sells at a bulk price, or in bulk, must be made as bulk is",
        ),
        limits_from,
        steps: Step::ALL
            .iter()
            .map(|s| StepLimits { number: s.number(), step: *s, label: s.label(), limits: limits(&input, *s) })
            .collect(),
    })
}

fn defaults(input: &Input) -> bool {
    let given = [
        input.high_value_from_yen_per_kg,
        input.bulk_below_yen_per_kg,
        input.high_value_below_t_per_year,
        input.bulk_from_t_per_year,
    ];
    given.iter().zip([high_price(), bulk_price(), small_volume(), bulk_volume()]).all(|(a, b)| (a - b).abs() < f64::EPSILON)
}

fn check_limits(input: &Input) -> Result<()> {
    let ordered = |low: f64, high: f64| low.is_finite() && high.is_finite() && low > 0.0 && low < high;
    let fault = |field: &str| {
        Err(Error::input("E-STEP-001", "境界の大小が逆です", "the limits are not in order")
            .at(Place::field(field))
            .hint("0 < 下の境界 < 上の境界 にしてください", "give 0 < lower limit < upper limit"))
    };
    if !ordered(input.bulk_below_yen_per_kg, input.high_value_from_yen_per_kg) {
        return fault("bulk_below_yen_per_kg");
    }
    if !ordered(input.high_value_below_t_per_year, input.bulk_from_t_per_year) {
        return fault("high_value_below_t_per_year");
    }
    Ok(())
}

/// A positive number in the unit of the limits. `円`, `yen` and `JPY` are the same counted thing.
fn amount(field: &str, number: f64, unit_field: &str, unit: &str, wanted: &str) -> Result<f64> {
    if !number.is_finite() || number <= 0.0 {
        return Err(Error::input(
            "E-STEP-002",
            format!("{number} は正の数ではありません"),
            format!("{number} is not a positive number"),
        )
        .at(Place::field(field))
        .hint("0 より大きい数を入れてください", "give a number above 0"));
    }
    let mut code = unit.trim().replace("{JPY}", "JPY");
    for (from, to) in [("円", "JPY"), ("yen", "JPY"), ("JPY", "{JPY}"), ("年", "a"), ("/year", "/a"), ("/yr", "/a"), ("日", "d")]
    {
        code = code.replace(from, to);
    }
    let place = || Place::field(unit_field);
    let to = Unit::parse(wanted)?;
    Unit::parse(&code).and_then(|from| from.convert(number, &to)).map(tidy).map_err(|e| {
        let m = e.fault().message.clone();
        Error::input(
            "E-STEP-003",
            format!("単位「{unit}」は使えません: {}", m.ja),
            format!("the unit \"{unit}\" does not fit: {}", m.en),
        )
        .at(place())
        .hint(
            format!("{} に換算できる単位にしてください", shown(wanted).ja),
            format!("use a unit that converts to {}", shown(wanted).en),
        )
    })
}

fn shown(unit: &str) -> Text {
    if unit == "t/a" { Text::new("t/年", "t/year") } else { Text::new("円/kg", "JPY/kg") }
}

async fn name(context: &Context, input: &Input) -> Result<Text> {
    let Some(id) = &input.product else {
        return Ok(input.name.as_ref().map_or_else(|| Text::new("製品", "Product"), Text::same));
    };
    let record =
        context.session.store.record(&context.access, "product", id, None).await.map_err(|e| e.at(Place::field("product")))?;
    let text = |name: &str| record.fields.get(name).and_then(Json::as_str).map(str::to_owned);
    let ja = text("name").unwrap_or_else(|| id.clone());
    Ok(Text::new(ja.clone(), text("name_en").unwrap_or(ja)))
}

fn limits(input: &Input, step: Step) -> Text {
    let (high, bulk) = (input.high_value_from_yen_per_kg, input.bulk_below_yen_per_kg);
    let (small, large) = (input.high_value_below_t_per_year, input.bulk_from_t_per_year);
    match step {
        Step::HighValue => {
            Text::new(format!("{high} 円/kg 以上、{small} t/年 未満"), format!("from {high} JPY/kg, below {small} t/year"))
        }
        Step::Middle => Text::new(
            format!("{bulk} 円/kg 以上 {high} 円/kg 未満、{small} t/年 以上 {large} t/年 未満"),
            format!("from {bulk} to below {high} JPY/kg, from {small} to below {large} t/year"),
        ),
        Step::Bulk => Text::new(
            format!("{bulk} 円/kg 未満、または {large} t/年 以上"),
            format!("below {bulk} JPY/kg, or from {large} t/year"),
        ),
    }
}

fn reasons(input: &Input, price: (f64, Step), volume: (f64, Step)) -> Vec<Reason> {
    let (high, bulk) = (input.high_value_from_yen_per_kg, input.bulk_below_yen_per_kg);
    let (small, large) = (input.high_value_below_t_per_year, input.bulk_from_t_per_year);
    let price_text = match price.1 {
        Step::HighValue => Text::new(
            format!("価格 {} 円/kg は {high} 円/kg 以上", price.0),
            format!("price {} JPY/kg is at or above {high} JPY/kg", price.0),
        ),
        Step::Middle => Text::new(
            format!("価格 {} 円/kg は {bulk} 円/kg 以上 {high} 円/kg 未満", price.0),
            format!("price {} JPY/kg is between {bulk} and {high} JPY/kg", price.0),
        ),
        Step::Bulk => Text::new(
            format!("価格 {} 円/kg は {bulk} 円/kg 未満", price.0),
            format!("price {} JPY/kg is below {bulk} JPY/kg", price.0),
        ),
    };
    let volume_text = match volume.1 {
        Step::HighValue => Text::new(
            format!("数量 {} t/年 は {small} t/年 未満", volume.0),
            format!("volume {} t/year is below {small} t/year", volume.0),
        ),
        Step::Middle => Text::new(
            format!("数量 {} t/年 は {small} t/年 以上 {large} t/年 未満", volume.0),
            format!("volume {} t/year is between {small} and {large} t/year", volume.0),
        ),
        Step::Bulk => Text::new(
            format!("数量 {} t/年 は {large} t/年 以上", volume.0),
            format!("volume {} t/year is at or above {large} t/year", volume.0),
        ),
    };
    vec![
        Reason { criterion: "price".into(), value: price.0, unit: shown("{JPY}/kg"), step: price.1, text: price_text },
        Reason { criterion: "volume".into(), value: volume.0, unit: shown("t/a"), step: volume.1, text: volume_text },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_come_in_the_unit_of_the_limits_or_are_refused_with_their_field() {
        let price = |number, unit| amount("price", number, "price_unit", unit, "{JPY}/kg");
        assert_eq!(price(2_000_000.0, "円/t").unwrap(), 2000.0);
        assert_eq!(price(12.0, "yen/g").unwrap(), 12_000.0);
        assert_eq!(price(12.0, "{JPY}/kg").unwrap(), 12.0);
        assert_eq!(amount("volume", 1000.0, "volume_unit", "kg/年", "t/a").unwrap(), 1.0);
        let wrong = price(3.0, "円/L").unwrap_err();
        assert_eq!(wrong.fault().place.as_ref().unwrap().field.as_deref(), Some("price_unit"));
        assert_eq!(price(-1.0, "円/kg").unwrap_err().code(), "E-STEP-002");
    }
}
