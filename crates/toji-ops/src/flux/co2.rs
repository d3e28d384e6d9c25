//! `strain co2`: strains that fix CO₂, by gas mix, temperature and product, with the uptake that was measured.

use crate::operation::{Context, Effect, Operation, Words};
use crate::record::natural;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_core::record::FieldMap;
use toji_core::{Error, Place, Result, Text};

/// Kind of the records.
const KIND: &str = "co2-fixation";
/// How far from the temperature of a culture a strain still counts as one for a temperature, where its range is not known, °C.
const NEAR_C: f64 = 5.0;

/// Input of `strain co2`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Gases of the mix, e.g. `CO2` `H2` `O2`: a strain fits when it needs no other gas and tolerates all of these.
    ///
    /// 混合ガスの成分（例: CO2 H2 O2）。これ以外のガスを要さず、すべてを許容する株が該当する。
    #[serde(default)]
    gases: Vec<String>,
    /// Temperature, °C.
    ///
    /// 温度（°C）。
    #[serde(default)]
    temperature_c: Option<f64>,
    /// Product, in Japanese or English, or a part of its name.
    ///
    /// 産物（日本語または英語。名称の一部でも可）。
    #[serde(default)]
    product: Option<String>,
    /// Energy of the fixation, e.g. `hydrogen` or `light`.
    ///
    /// 固定のエネルギー源（例: hydrogen、light）。
    #[serde(default)]
    energy: Option<String>,
    /// Also strains of which no measured uptake is recorded.
    ///
    /// 取込みの測定値が記録されていない株も含める。
    #[serde(default)]
    unmeasured: bool,
}

/// An uptake as it was measured.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "MeasuredUptake")]
struct Uptake {
    /// Value.
    value: f64,
    /// What stands behind ±.
    deviation: Option<f64>,
    /// Unit, UCUM.
    unit: String,
    /// What was taken up: `co2`, `carbon` or `all-gases`.
    uptake_of: Option<String>,
    /// How it was measured.
    method: Text,
}

/// A strain under the conditions of one measurement.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Co2Fixer")]
struct Fixer {
    /// Record.
    id: String,
    /// Taxon.
    taxon_name: String,
    /// Strain.
    strain_name: Option<String>,
    /// Deposit numbers.
    deposit_numbers: Vec<String>,
    /// Energy.
    energy: String,
    /// Gases supplied.
    gases: Vec<String>,
    /// Gases that it does not tolerate.
    gases_not_tolerated: Vec<String>,
    /// Gas mix as published.
    gas_mix: Option<String>,
    /// Temperature of the culture, °C.
    temperature_c: Option<f64>,
    /// Range of growth, °C.
    range_c: Option<[f64; 2]>,
    /// Products.
    products: Text,
    /// Uptake; none where no measurement is recorded.
    uptake: Option<Uptake>,
    /// Reference.
    reference: String,
    /// Identifier of the reference.
    reference_uri: Option<String>,
    /// Note.
    note: Option<String>,
}

/// Output of `strain co2`.
#[derive(Debug, Serialize, JsonSchema)]
struct Fixers {
    /// What fits.
    rule: Text,
    /// Strains that fit.
    total: usize,
    /// Strains, the greatest uptake of each unit first; those in other units are not compared.
    strains: Vec<Fixer>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "strain co2",
            label: ["CO₂固定株の検索", "Find strains that fix CO₂"],
            about: [
                "混合ガス・温度・産物から CO₂ を固定する株を探し、測定された取込みの値・単位・測定法・文献を添えて答えます。",
                "Finds strains that fix CO₂ by gas mix, temperature and product, and answers with the uptake that was measured, its unit, method and reference.",
            ],
            positional: &[],
            example: "toji strain co2 --gases CO2 --gases H2 --temperature-c 37 --product ethanol",
        },
        Effect::Read,
        find,
    )
}

fn text(fields: &FieldMap, name: &str) -> Option<String> {
    fields.get(name).and_then(Json::as_str).map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned)
}

fn list(fields: &FieldMap, name: &str) -> Vec<String> {
    match fields.get(name) {
        Some(Json::Array(parts)) => parts.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        Some(Json::String(one)) if !one.trim().is_empty() => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// A name in both languages; where one is missing the other stands in.
fn words(ja: Option<String>, en: Option<String>) -> Text {
    let first = |a: &Option<String>, b: &Option<String>| a.clone().or_else(|| b.clone()).unwrap_or_default();
    Text::new(first(&ja, &en), first(&en, &ja))
}

fn fixer(id: String, fields: &FieldMap) -> Fixer {
    let number = |name: &str| fields.get(name).and_then(Json::as_f64);
    let joined = |name: &str| Some(list(fields, name).join("; ")).filter(|t| !t.is_empty());
    let uptake = number("uptake").map(|value| Uptake {
        value,
        deviation: number("uptake_deviation"),
        unit: text(fields, "unit").unwrap_or_default(),
        uptake_of: text(fields, "uptake_of"),
        method: words(text(fields, "method_ja"), text(fields, "method_en")),
    });
    Fixer {
        id,
        taxon_name: text(fields, "taxon_name").unwrap_or_default(),
        strain_name: text(fields, "strain_name"),
        deposit_numbers: list(fields, "deposit_numbers"),
        energy: text(fields, "energy").unwrap_or_default(),
        gases: list(fields, "gases"),
        gases_not_tolerated: list(fields, "gases_not_tolerated"),
        gas_mix: text(fields, "gas_mix"),
        temperature_c: number("temperature_c"),
        range_c: number("temperature_min_c").zip(number("temperature_max_c")).map(|(low, high)| [low, high]),
        products: words(joined("products_ja"), joined("products_en")),
        uptake,
        reference: text(fields, "reference").unwrap_or_default(),
        reference_uri: text(fields, "reference_uri"),
        note: text(fields, "note"),
    }
}

/// `CO₂` and `co2` are `CO2`.
fn gas(name: &str) -> String {
    name.trim().replace('₂', "2").replace('₄', "4").to_uppercase()
}

impl Fixer {
    fn fits(&self, input: &Input) -> bool {
        let mix: Vec<String> = input.gases.iter().map(|g| gas(g)).collect();
        let has = |name: &String| mix.contains(&gas(name));
        let gases = mix.is_empty() || (self.gases.iter().all(has) && !self.gases_not_tolerated.iter().any(has));
        let temperature = input.temperature_c.is_none_or(|t| match (self.range_c, self.temperature_c) {
            (Some([low, high]), _) => (low..=high).contains(&t),
            (None, Some(own)) => (t - own).abs() <= NEAR_C,
            (None, None) => false,
        });
        let product = input.product.as_ref().is_none_or(|product| {
            let product = product.trim().to_lowercase();
            [&self.products.ja, &self.products.en].iter().any(|names| names.to_lowercase().contains(&product))
        });
        let energy = input.energy.as_ref().is_none_or(|energy| self.energy.eq_ignore_ascii_case(energy.trim()));
        gases && temperature && product && energy && (input.unmeasured || self.uptake.is_some())
    }
}

async fn find(context: Context, input: Input) -> Result<Fixers> {
    if input.temperature_c.is_some_and(|t| !t.is_finite()) {
        return Err(Error::input("E-FLUX-140", "温度は数です", "the temperature is a number")
            .at(Place::field("temperature_c"))
            .hint("例: 37", "example: 37"));
    }
    let records = context.session.store.records(&context.access, KIND, None, false).await?;
    if records.is_empty() {
        return Err(Error::not_found(
            "E-FLUX-141",
            "CO₂ を固定する株の記録がまだありません",
            "there are no records of strains that fix CO₂ yet",
        )
        .hint(
            "`toji reference load` または `toji record import co2-fixation FILE` で取り込んでください",
            "take them in with `toji reference load` or `toji record import co2-fixation FILE`",
        ));
    }
    let all = records.into_iter().map(|r| fixer(r.id.to_string(), &r.fields));
    let mut strains: Vec<Fixer> = all.filter(|f| f.fits(&input)).collect();
    strains.sort_by(|a, b| {
        let unit = |f: &Fixer| f.uptake.as_ref().map(|u| u.unit.clone());
        let value = |f: &Fixer| f.uptake.as_ref().map_or(0.0, |u| u.value);
        let unmeasured = |f: &Fixer| f.uptake.is_none();
        (unmeasured(a), unit(a))
            .cmp(&(unmeasured(b), unit(b)))
            .then_with(|| value(b).total_cmp(&value(a)))
            .then_with(|| natural(&a.id).cmp(&natural(&b.id)))
    });
    let rule = Text::new(
        "混合ガスのほかに要るガスがなく、混合ガスのすべてを許容し、温度が生育範囲にある株（範囲の記録がなければ培養温度から 5 °C 以内）。取込みは単位ごとに大きい順で、単位の異なる値は比べません",
        "strains that need no gas besides the mix, tolerate all of it, and whose range of growth holds the temperature (where no range is recorded, within 5 °C of the culture). Uptakes are ordered within their unit; values in different units are not compared",
    );
    Ok(Fixers { rule, total: strains.len(), strains })
}
