//! The probability of meeting each limit, from how sure the correlations are, and which of them carries the risk.
//!
//! Factors are lognormal with median 1. Shares of variance are Sobol' first-order indices of ln(bound/value) by the
//! estimator of A. Saltelli and co-workers, Comput. Phys. Commun. 181 (2010) 259.

use super::tank::{Case, Factors, Limit, Operation};
use serde::{Deserialize, Serialize};
use toji_core::chance::Chance;
use toji_core::{Error, Place, Result, Text};

/// A quantity that is not known for sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// kLa.
    Kla,
    /// Share of the power left when gassed.
    GassedPower,
    /// Power number.
    PowerNumber,
    /// Film coefficient inside the vessel.
    Film,
    /// Metabolic heat of a mole of oxygen.
    MetabolicHeat,
    /// Solubility of oxygen in the broth.
    Solubility,
    /// Gas flow number at flooding.
    Flooding,
    /// kLa of carbon dioxide beside that of oxygen.
    KlaCo2,
    /// Oxygen uptake, where it was measured with an interval.
    Uptake,
}

impl Quantity {
    /// All that the correlations carry; [`Quantity::Uptake`] comes from a measurement.
    pub const ALL: [Self; 8] = [
        Self::Kla,
        Self::GassedPower,
        Self::PowerNumber,
        Self::Film,
        Self::MetabolicHeat,
        Self::Solubility,
        Self::Flooding,
        Self::KlaCo2,
    ];

    /// Label.
    #[must_use]
    pub fn label(self) -> Text {
        match self {
            Self::Kla => Text::new("kLa", "kLa"),
            Self::GassedPower => Text::new("通気動力比", "Gassed power"),
            Self::PowerNumber => Text::new("動力数", "Power number"),
            Self::Film => Text::new("境膜伝熱係数", "Film coefficient"),
            Self::MetabolicHeat => Text::new("代謝熱", "Metabolic heat"),
            Self::Solubility => Text::new("酸素溶解度", "Solubility of oxygen"),
            Self::Flooding => Text::new("フラッディング限界", "Flooding limit"),
            Self::KlaCo2 => Text::new("CO2 の kLa", "kLa of carbon dioxide"),
            Self::Uptake => Text::new("酸素消費速度", "Oxygen uptake rate"),
        }
    }

    /// What would make it surer, on the small scale.
    #[must_use]
    pub fn measurement(self) -> Text {
        match self {
            Self::Kla => Text::new(
                "30 L で実培養液の kLa を、本槽と同じ P/V とガス空塔速度で測る（動的法または排ガス収支法、3 条件以上）",
                "at 30 L, measure kLa in the real broth at the power per volume and gas velocity of the large vessel (dynamic method or exit gas balance, three conditions or more)",
            ),
            Self::GassedPower => Text::new(
                "30 L で通気時の軸トルクを本槽と同じ通気数・フルード数で測る",
                "at 30 L, measure the torque under gas at the gas flow number and Froude number of the large vessel",
            ),
            Self::PowerNumber => Text::new(
                "30 L で無通気の軸トルクを乱流域で測り、動力数を求める",
                "at 30 L, measure the torque without gas in the turbulent range for the power number",
            ),
            Self::Film => Text::new(
                "30 L で加熱・冷却曲線から槽側境膜伝熱係数を求める（実培養液の粘度で）",
                "at 30 L, find the film coefficient from heating and cooling curves, at the viscosity of the real broth",
            ),
            Self::MetabolicHeat => Text::new(
                "熱量計付き小型槽か 30 L の冷却水収支で、酸素 1 mol 当たりの発熱を測る",
                "measure the heat of a mole of oxygen in a small calorimetric vessel, or by the cooling water balance at 30 L",
            ),
            Self::Solubility => Text::new(
                "除菌した実培養液の酸素溶解度を測る（ウィンクラー法または物理的放散）",
                "measure the solubility of oxygen in the sterile spent broth (Winkler, or physical desorption)",
            ),
            Self::Flooding => Text::new(
                "30 L で通気量を上げ、フラッディングを目視と動力で見て限界通気数を求める",
                "at 30 L, raise the gas flow and find flooding by eye and by power",
            ),
            Self::KlaCo2 => Text::new(
                "30 L で溶存 CO2 電極と排ガスから CO2 の kLa を求める",
                "at 30 L, find the kLa of carbon dioxide from a dissolved CO2 probe and the exit gas",
            ),
            Self::Uptake => Text::new(
                "30 L の培養を繰り返し、排ガス収支で最大酸素消費速度を測り直す（通気量の基準温度を記録する）",
                "at 30 L, repeat the culture and measure the largest oxygen uptake by the exit gas again, with the reference of the gas flow on record",
            ),
        }
    }

    /// Relative standard error where nothing was measured, and whether the source of the correlation states it.
    ///
    /// Van 't Riet's is the middle of 20 to 40 %; Hughmark's is an average deviation, taken as it is (normal errors of that
    /// average would have 1.25 times of it as standard error). Those that no source states are assumptions. What can be said
    /// of them: metabolic heat was measured as 440 to 453 kJ for a mole of oxygen, within 4.5 % of 460; a power number by
    /// Bujalski's formula met a measured one within 3 %, and measured ones scatter by 2 to 16 %; for kLa of carbon dioxide
    /// the root of the diffusivities gives 0.96, 7 % from 0.89. For film, solubility and flooding nothing was found.
    #[must_use]
    pub fn usual(self) -> (f64, bool) {
        match self {
            Self::Kla => (0.30, true),
            Self::GassedPower => (0.117, true),
            Self::PowerNumber => (0.10, false),
            Self::Film => (0.20, false),
            Self::MetabolicHeat => (0.05, false),
            Self::Solubility => (0.05, false),
            Self::Flooding => (0.20, false),
            Self::KlaCo2 => (0.10, false),
            Self::Uptake => (0.0, true),
        }
    }

    fn set(self, factors: &mut Factors, value: f64) {
        match self {
            Self::Kla => factors.kla = value,
            Self::GassedPower => factors.gassed = value,
            Self::PowerNumber => factors.power_number = value,
            Self::Film => factors.film = value,
            Self::MetabolicHeat => factors.heat = value,
            Self::Solubility => factors.solubility = value,
            Self::Flooding => factors.flooding = value,
            Self::KlaCo2 => factors.kla_co2 = value,
            Self::Uptake => factors.uptake = value,
        }
    }
}

/// How sure a quantity is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Uncertainty {
    /// Quantity.
    pub quantity: Quantity,
    /// Relative standard error, 1.
    pub relative: f64,
    /// Is it stated by the source of the correlation or measured, and not assumed?
    pub stated: bool,
}

/// The usual uncertainties, some replaced by measured ones.
#[must_use]
pub fn uncertainties(measured: &[(Quantity, f64)]) -> Vec<Uncertainty> {
    let one = |quantity: Quantity| {
        let (relative, stated) = quantity.usual();
        match measured.iter().find(|(q, _)| *q == quantity) {
            Some((_, relative)) => Uncertainty { quantity, relative: *relative, stated: true },
            None => Uncertainty { quantity, relative, stated },
        }
    };
    Quantity::ALL.into_iter().map(one).collect()
}

/// The chance of one limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Chances {
    /// Limit.
    pub limit: Limit,
    /// Label.
    pub label: Text,
    /// Probability that it is met.
    pub probability: f64,
    /// Standard error of that by the number of draws.
    pub probability_error: f64,
    /// Bound over value: 5 %, 50 % and 95 % of the draws lie below.
    pub ratio: [f64; 3],
}

/// Share of one quantity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Share {
    /// Quantity.
    pub quantity: Quantity,
    /// Label.
    pub label: Text,
    /// Relative standard error it was drawn with.
    pub relative: f64,
    /// Is that stated or measured, and not assumed?
    pub stated: bool,
    /// Sobol' first-order index: what of the variance would go if it were known.
    pub first_order: f64,
}

/// The risk of settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Risk {
    /// Chances, the least likely limit first.
    pub limits: Vec<Chances>,
    /// Probability that all are met.
    pub all: f64,
    /// The limit whose variance is shared out: the least likely one that varies.
    pub shared: Option<Limit>,
    /// Shares, the largest first.
    pub shares: Vec<Share>,
    /// The measurement on the small scale that lowers the largest share most.
    pub measurement: Option<Text>,
    /// Draws.
    pub draws: usize,
    /// Seed.
    pub seed: u64,
}

/// Sobol' first-order indices of a function of independent draws (A, B and A with one column of B).
#[must_use]
pub fn first_order(draws: &[(Vec<f64>, Vec<f64>)], of: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let width = draws.first().map_or(0, |d| d.0.len());
    let (a, b): (Vec<f64>, Vec<f64>) = draws.iter().map(|(a, b)| (of(a), of(b))).unzip();
    let n = draws.len() as f64;
    let mean = (a.iter().sum::<f64>() + b.iter().sum::<f64>()) / (2.0 * n);
    let variance = a.iter().chain(&b).map(|v| (v - mean).powi(2)).sum::<f64>() / (2.0 * n);
    let index = |i: usize| {
        let mut sum = 0.0;
        for (k, (from, other)) in draws.iter().enumerate() {
            let mut mixed = from.clone();
            mixed[i] = other[i];
            sum += (b[k] - mean) * (of(&mixed) - a[k]);
        }
        if variance > 1e-18 { sum / n / variance } else { 0.0 }
    };
    (0..width).map(index).collect()
}

/// The risk of settings by `draws` draws.
///
/// # Errors
/// Settings that are not positive and finite, a relative error outside 0 to 2, or draws outside 100 to 1,000,000.
pub fn risk(case: &Case, at: &Operation, uncertain: &[Uncertainty], draws: usize, seed: u64) -> Result<Risk> {
    Case::check(at)?;
    if !(100..=1_000_000).contains(&draws) {
        return Err(Error::input(
            "E-SCALE-006",
            format!("試行回数は 100〜1,000,000 です: {draws}"),
            format!("the draws are 100 to 1,000,000, not {draws}"),
        )
        .at(Place::field("draws"))
        .hint("通常は 10000 を指定します", "10000 is usual"));
    }
    if let Some(bad) = uncertain.iter().find(|u| !(0.0..=2.0).contains(&u.relative)) {
        let (label, relative) = (bad.quantity.label(), bad.relative);
        return Err(Error::input(
            "E-SCALE-007",
            format!("{}の相対標準誤差は 0〜2 です: {relative}", label.ja),
            format!("the relative standard error of {} is 0 to 2, not {relative}", label.en),
        )
        .at(Place::field("relative"))
        .hint("30 % は 0.3 です", "30 % is 0.3"));
    }
    // Standard deviation of the logarithm for a relative standard deviation.
    let sigma: Vec<f64> = uncertain.iter().map(|u| (1.0 + u.relative * u.relative).ln().sqrt()).collect();
    let mut chance = Chance::new(seed);
    let mut row = || -> Vec<f64> { sigma.iter().map(|s| s * chance.normal()).collect() };
    let rows: Vec<(Vec<f64>, Vec<f64>)> = (0..draws).map(|_| (row(), row())).collect();
    let logs = |row: &[f64]| {
        let mut factors = Factors::default();
        for (u, ln) in uncertain.iter().zip(row) {
            u.quantity.set(&mut factors, ln.exp());
        }
        case.state(at, &factors)
    };
    let nominal = case.state(at, &Factors::default());
    let states: Vec<Vec<f64>> = rows.iter().map(|(a, _)| logs(a).margins.iter().map(|m| m.ratio).collect()).collect();
    let n = draws as f64;
    let mut limits = Vec::new();
    for (i, margin) in nominal.margins.iter().enumerate() {
        let mut ratios: Vec<f64> = states.iter().map(|s| s[i]).collect();
        ratios.sort_by(f64::total_cmp);
        let probability = ratios.iter().filter(|r| **r >= 1.0).count() as f64 / n;
        let at = |q: f64| ratios[((q * n) as usize).min(draws - 1)];
        limits.push((
            i,
            Chances {
                limit: margin.limit,
                label: margin.limit.label(),
                probability,
                probability_error: (probability * (1.0 - probability) / n).sqrt(),
                ratio: [at(0.05), at(0.5), at(0.95)],
            },
        ));
    }
    let all = states.iter().filter(|s| s.iter().all(|r| *r >= 1.0)).count() as f64 / n;
    limits.sort_by(|(_, a), (_, b)| a.probability.total_cmp(&b.probability).then(a.ratio[1].total_cmp(&b.ratio[1])));
    let shared = limits.iter().find(|(_, c)| c.ratio[2] > c.ratio[0] * (1.0 + 1e-9)).map(|(i, c)| (*i, c.limit));
    let shares = shared.map(|(i, _)| {
        // A few thousand draws are enough for shares: the error is about 1/√n.
        let some = &rows[..draws.min(4000)];
        let found = first_order(some, |row| logs(row).margins.get(i).map_or(0.0, |m| m.ratio.max(1e-12).ln()));
        let mut shares: Vec<Share> = uncertain
            .iter()
            .zip(found)
            .map(|(u, first_order)| Share {
                quantity: u.quantity,
                label: u.quantity.label(),
                relative: u.relative,
                stated: u.stated,
                first_order: first_order.clamp(0.0, 1.0),
            })
            .collect();
        shares.sort_by(|a, b| b.first_order.total_cmp(&a.first_order));
        shares
    });
    let shares = shares.unwrap_or_default();
    let measurement = shares.first().map(|s| s.quantity.measurement());
    Ok(Risk {
        limits: limits.into_iter().map(|(_, c)| c).collect(),
        all,
        shared: shared.map(|(_, l)| l),
        shares,
        measurement,
        draws,
        seed,
    })
}
