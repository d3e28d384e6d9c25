//! Codes with their labels, and the two lists that an analysis fills.

use super::{Analysis, Growth, NotDetermined, Quantity};
use toji_core::Text;

/// Every quantity, in the order they are shown.
pub const CODES: [&str; 21] = [
    "duration",
    "inoculated-at",
    "growth-rate-max",
    "doubling-time",
    "lag-time",
    "biomass-final",
    "biomass-max",
    "titre-final",
    "yield-biomass-substrate",
    "yield-product-substrate",
    "yield-product-biomass",
    "productivity",
    "overflow-max",
    "oxygen-uptake-max",
    "carbon-evolution-max",
    "respiratory-quotient",
    "feed-total",
    "base-total",
    "time-in-band-ph",
    "time-in-band-temperature",
    "time-in-band-do",
];

/// Label of a code; an unknown one labels itself.
#[must_use]
pub fn label(code: &str) -> Text {
    let (ja, en) = match code {
        "duration" => ("培養時間", "Duration"),
        "inoculated-at" => ("植菌の時刻", "Inoculated at"),
        "growth-rate-max" => ("最大比増殖速度", "Largest specific growth rate"),
        "doubling-time" => ("倍加時間", "Doubling time"),
        "lag-time" => ("誘導期", "Lag time"),
        "biomass-final" => ("終了時の菌体量", "Biomass at the end"),
        "biomass-max" => ("最大菌体量", "Largest biomass"),
        "titre-final" => ("終了時の力価", "Titre at the end"),
        "yield-biomass-substrate" => ("菌体収率 (対基質)", "Yield of biomass on substrate"),
        "yield-product-substrate" => ("生産物収率 (対基質)", "Yield of product on substrate"),
        "yield-product-biomass" => ("生産物収率 (対菌体)", "Yield of product on biomass"),
        "productivity" => ("容積生産性", "Volumetric productivity"),
        "overflow-max" => ("副生物の最大濃度", "Largest overflow metabolite"),
        "oxygen-uptake-max" => ("最大酸素消費速度", "Largest oxygen uptake rate"),
        "carbon-evolution-max" => ("最大二酸化炭素発生速度", "Largest CO2 evolution rate"),
        "respiratory-quotient" => ("呼吸商", "Respiratory quotient"),
        "feed-total" => ("総流加量", "Feed added in total"),
        "base-total" => ("総アルカリ添加量", "Base added in total"),
        "time-in-band-ph" => ("pH が設定幅にあった時間の割合", "Share of time with pH in its band"),
        "time-in-band-temperature" => ("温度が設定幅にあった時間の割合", "Share of time with the temperature in its band"),
        "time-in-band-do" => ("DO が設定幅にあった時間の割合", "Share of time with dissolved oxygen in its band"),
        other => return Text::same(other),
    };
    Text::new(ja, en)
}

/// A number on its way into the report; times in hours.
pub(super) struct Found {
    pub(super) value: f64,
    pub(super) interval: Option<(f64, f64)>,
    pub(super) unit: String,
    pub(super) method: Text,
    pub(super) n: usize,
    pub(super) from_h: Option<f64>,
    pub(super) to_h: Option<f64>,
}

/// Collects what was found.
#[derive(Default)]
pub(super) struct Report {
    quantities: Vec<Quantity>,
    not_determined: Vec<NotDetermined>,
}

impl Report {
    /// Notes a number; one that is not finite is a reason, not a number.
    pub(super) fn put(&mut self, code: &str, found: Found) {
        let finite = |v: &f64| v.is_finite();
        if !found.value.is_finite() {
            return self.lacks(code, "計算が有限の値になりません", "the numbers give no finite result");
        }
        let (low, high) = found.interval.filter(|(l, h)| l.is_finite() && h.is_finite() && l <= h).unzip();
        self.quantities.push(Quantity {
            code: code.to_owned(),
            label: label(code),
            value: found.value,
            low,
            high,
            unit: found.unit,
            method: found.method,
            n: found.n,
            from_s: found.from_h.map(|h| h * 3600.0).filter(finite),
            to_s: found.to_h.map(|h| h * 3600.0).filter(finite),
        });
    }
    /// Notes a reason.
    pub(super) fn lacks(&mut self, code: &str, ja: impl Into<String>, en: impl Into<String>) {
        self.not_determined.push(NotDetermined { code: code.to_owned(), label: label(code), why: Text::new(ja, en) });
    }
    /// Found, or the reason.
    pub(super) fn settle(&mut self, code: &str, outcome: Result<Found, Text>) {
        match outcome {
            Ok(found) => self.put(code, found),
            Err(why) => self.lacks(code, why.ja, why.en),
        }
    }
    /// In the order of the codes.
    pub(super) fn close(mut self, growth: Option<Growth>) -> Analysis {
        let place = |code: &str| CODES.iter().position(|c| *c == code);
        self.quantities.sort_by_key(|q| place(&q.code));
        self.not_determined.sort_by_key(|q| place(&q.code));
        Analysis { quantities: self.quantities, not_determined: self.not_determined, growth }
    }
}

/// Sentences one after the other.
pub(super) fn joined(parts: &[Text]) -> Text {
    let words = |texts: Vec<&str>, glue: &str| texts.into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(glue);
    Text::new(words(parts.iter().map(|t| t.ja.as_str()).collect(), ""), words(parts.iter().map(|t| t.en.as_str()).collect(), " "))
}
