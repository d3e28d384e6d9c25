//! `culture gas-balance`: what a culture takes up, from gas in and out by sensors of any kind, and whether transfer or the
//! cells limit it.

use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result, Text};
use toji_culture::gas::Known;
use toji_culture::gas::balance::{Analysis, Rates, Streams, electron_gap, monte_carlo, rates};
use toji_culture::gas::henry::Gas;
use toji_culture::gas::sensor::{Flow, Reading, dry_flow, dry_fraction};
use toji_culture::gas::transfer::{Offer, Uptake, uptake};

/// Electrons of a carbon of biomass CH1.8O0.5N0.2 with ammonia as its nitrogen.
const OF_BIOMASS: f64 = 4.2;
/// Draws of the check of first-order errors.
const DRAWS: usize = 4_000;
/// Standard errors within which two figures are one.
const APART: f64 = 2.0;

/// Sensors in one stream; a gas that is not there is left out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Side {
    /// H2.
    ///
    /// 水素。
    #[serde(default)]
    hydrogen: Option<Reading>,
    /// O2.
    ///
    /// 酸素。
    #[serde(default)]
    oxygen: Option<Reading>,
    /// CO2.
    ///
    /// 二酸化炭素。
    #[serde(default)]
    carbon_dioxide: Option<Reading>,
    /// N2 or Ar where it is measured; else the rest is taken for inert.
    ///
    /// 測定した不活性ガス（窒素・アルゴン）。省略時は残りを不活性ガスとみなす。
    #[serde(default)]
    inert: Option<Reading>,
}

/// What the gas offers and the cells ask for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Transfer {
    /// Each gas: rate of the cells if nothing were short, partial pressure, least dissolved concentration.
    ///
    /// 各ガスの、不足がないときの菌体の速度・分圧・必要な最低溶存濃度。
    offers: Vec<Offer>,
    /// kLa of oxygen, 1/h.
    ///
    /// 酸素の kLa、1/h。
    kla_oxygen_per_h: f64,
    /// Temperature of the broth, °C.
    ///
    /// 培養液の温度、°C。
    temperature_c: f64,
}

/// Input of `culture gas-balance`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Flow in, with the state its litres are counted at.
    ///
    /// 入口流量と、その基準状態。
    flow: Flow,
    /// Gas in.
    ///
    /// 入口ガス。
    inlet: Side,
    /// Gas out.
    ///
    /// 出口ガス。
    outlet: Side,
    /// Broth, L.
    ///
    /// 液量、L。
    volume_l: Known,
    /// Electrons of a carbon of what is made; biomass with ammonia when missing.
    ///
    /// 生成物の炭素 1 モルあたりの電子数。省略時はアンモニアを窒素源とする菌体。
    #[serde(default = "of_biomass")]
    electrons_per_carbon: f64,
    /// What the gas offers and the cells ask for, to tell what limits.
    ///
    /// 律速を判定するための、ガスの供給と菌体の要求。
    #[serde(default)]
    transfer: Option<Transfer>,
}

fn of_biomass() -> f64 {
    OF_BIOMASS
}

/// What limits the uptake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum LimitedBy {
    /// Transfer from the gas.
    GasTransfer,
    /// The cells.
    Cells,
}

/// Measured uptake of a gas against what transfer can give.
#[derive(Debug, Serialize, JsonSchema)]
struct Against {
    /// Gas.
    gas: Gas,
    /// Measured, mmol/(L·h).
    measured: Known,
    /// By transfer and cells, mmol/(L·h).
    expected_mmol_per_l_h: f64,
    /// Is the measured one within two standard errors of the highest transfer or below it?
    possible: bool,
}

/// Output of `culture gas-balance`.
#[derive(Debug, Serialize, JsonSchema)]
struct Balanced {
    /// Uptake rates with standard errors.
    rates: Rates,
    /// H2, O2 and CO2 by drawing every input from its error, mmol/(L·h).
    drawn: Vec<Known>,
    /// Electrons of hydrogen that neither oxygen nor the carbon fixed accounts for, as a share; none without hydrogen.
    electron_gap: Option<Known>,
    /// Does the balance close: the analysis (where the inert is measured) and the electrons, within two standard errors?
    closes: Option<bool>,
    /// What limits; none when it was not asked.
    limited_by: Option<LimitedBy>,
    /// Uptake by transfer and cells.
    transfer: Option<Uptake>,
    /// Measured uptake against it.
    against_transfer: Vec<Against>,
    /// What to mind.
    warnings: Vec<Text>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture gas-balance",
            label: ["ガス収支と CO2 吸収", "Gas balance and uptake of CO2"],
            about: [
                "入口と出口のガスから、水素・酸素・二酸化炭素の取込み速度を標準不確かさ付きで求めます。測定方法（体積百分率・分圧、湿潤・乾燥、流量計の基準状態）が違っても乾燥ガスの物質量に直すので、比べられます。収支が閉じるかと、ガス移動と菌体のどちらが律速かも答えます。",
                "Uptake of hydrogen, oxygen and carbon dioxide from gas in and out, with standard errors. Readings of any kind (per cent or partial pressure, wet or dry, litres of any state) are brought to moles of dry gas, so that they compare. Says whether the balance closes, and whether transfer or the cells limit.",
            ],
            positional: &[],
            example: "toji culture gas-balance --flow @f.json --inlet @in.json --outlet @out.json --volume-l @v.json",
        },
        Effect::Read,
        balance,
    )
}

fn share(reading: Option<&Reading>, field: &str) -> Result<Known> {
    reading.map_or(Ok(Known::default()), |r| dry_fraction(r).map_err(|e| e.at(Place::field(field))))
}

fn analysis(side: &Side, name: &str) -> Result<Analysis> {
    let at = |gas: &str| format!("{name}.{gas}");
    Ok(Analysis {
        hydrogen: share(side.hydrogen.as_ref(), &at("hydrogen"))?,
        oxygen: share(side.oxygen.as_ref(), &at("oxygen"))?,
        carbon_dioxide: share(side.carbon_dioxide.as_ref(), &at("carbon_dioxide"))?,
        inert: side.inert.as_ref().map(|r| dry_fraction(r).map_err(|e| e.at(Place::field(at("inert"))))).transpose()?,
    })
}

async fn balance(context: Context, input: Input) -> Result<Balanced> {
    if !(0.0..=8.0).contains(&input.electrons_per_carbon) {
        return Err(Error::input("E-GAS-004", "炭素あたりの電子数は 0〜8 です", "electrons of a carbon are 0 to 8")
            .at(Place::field("electrons_per_carbon"))
            .hint("菌体は 4.2、メタンは 8 です", "biomass has 4.2, methane 8"));
    }
    let streams = Streams {
        flow_mol_per_h: dry_flow(&input.flow).map_err(|e| e.at(Place::field("flow")))?,
        inlet: analysis(&input.inlet, "inlet")?,
        outlet: analysis(&input.outlet, "outlet")?,
        volume_l: input.volume_l,
    };
    let rates = rates(&streams)?;
    let drawn = monte_carlo(&streams, DRAWS, context.seed)?.to_vec();
    let electron_gap = electron_gap(&rates, input.electrons_per_carbon);
    let mut warnings = Vec::new();
    for ((name, first), drawn) in
        [("H2", rates.hydrogen), ("O2", rates.oxygen), ("CO2", rates.carbon_dioxide)].into_iter().zip(&drawn)
    {
        if first.error > 0.0 && (drawn.error / first.error - 1.0).abs() > 0.2 {
            warnings.push(Text::new(
                format!("{name} の不確かさは一次近似では不十分です（{:.3} と {:.3}）", first.error, drawn.error),
                format!("first order is not enough for the error of {name} ({:.3} and {:.3})", first.error, drawn.error),
            ));
        }
    }
    let electrons = electron_gap.map(|gap| gap.value.abs() <= APART * gap.error);
    let closes = match (rates.closed, electrons) {
        (None, None) => None,
        (analysis, electrons) => Some(analysis.unwrap_or(true) && electrons.unwrap_or(true)),
    };
    let transfer = input
        .transfer
        .as_ref()
        .map(|t| uptake(&t.offers, t.kla_oxygen_per_h, t.temperature_c).map_err(|e| e.at(Place::field("transfer"))))
        .transpose()?;
    let mut against_transfer = Vec::new();
    for given in transfer.iter().flat_map(|t| &t.gases) {
        let measured = match given.gas {
            Gas::Hydrogen => rates.hydrogen,
            Gas::Oxygen => rates.oxygen,
            Gas::CarbonDioxide => rates.carbon_dioxide,
            Gas::Nitrogen => continue,
        };
        let possible = measured.value <= given.transfer_mmol_per_l_h + APART * measured.error;
        if !possible {
            warnings.push(Text::new(
                format!("{:?} の測定値は移動できる上限 {:.2} mmol/(L·h) を超えます。kLa か分圧、測定を確かめてください", given.gas, given.transfer_mmol_per_l_h),
                format!("more {:?} is measured than transfer can give ({:.2} mmol/(L·h)): check kLa, partial pressure and the reading", given.gas, given.transfer_mmol_per_l_h),
            ));
        }
        against_transfer.push(Against { gas: given.gas, measured, expected_mmol_per_l_h: given.uptake_mmol_per_l_h, possible });
    }
    let limited_by = transfer.as_ref().map(|t| if t.limited_by.is_some() { LimitedBy::GasTransfer } else { LimitedBy::Cells });
    Ok(Balanced { rates, drawn, electron_gap, closes, limited_by, transfer, against_transfer, warnings })
}
