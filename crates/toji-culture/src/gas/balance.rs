//! Uptake of hydrogen, oxygen and carbon dioxide from the gas that goes in and comes out.
//!
//! What is neither taken up nor given off (nitrogen, argon) tells the flow of the exit gas, as in `rates`: there from
//! air, here for any mixture and with the inert measured where it is. Errors are propagated to first order; a Monte
//! Carlo run beside it shows whether first order is enough.

use super::{Known, propagate};
use serde::{Deserialize, Serialize};
use toji_core::chance::Chance;
use toji_core::{Error, Place, Result, Text};

/// Mass of a mole of carbon dioxide, kg (IUPAC atomic weights 2021, abridged).
const CO2_KG_PER_MOL: f64 = 0.044_009;

/// Analysis of a dry gas, mol/mol.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Analysis {
    /// H2.
    pub hydrogen: Known,
    /// O2.
    pub oxygen: Known,
    /// CO2.
    pub carbon_dioxide: Known,
    /// N2 or Ar as measured. `None`: the rest is taken for inert.
    pub inert: Option<Known>,
}

/// Gas in and out of a culture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Streams {
    /// Dry gas in, mol/h.
    pub flow_mol_per_h: Known,
    /// Gas in.
    pub inlet: Analysis,
    /// Gas out.
    pub outlet: Analysis,
    /// Broth, L.
    pub volume_l: Known,
}

/// Uptake rates, mmol/(L·h); negative is given off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Rates {
    /// H2.
    pub hydrogen: Known,
    /// O2.
    pub oxygen: Known,
    /// CO2.
    pub carbon_dioxide: Known,
    /// CO2 taken up by the whole culture, kg/h.
    pub carbon_dioxide_kg_per_h: Known,
    /// Dry gas out, mol/h.
    pub flow_out_mol_per_h: Known,
    /// Sum of the shares out less one, where the inert is measured on both sides: the gap of the analysis.
    pub gap: Option<Known>,
    /// Is the gap within two standard errors?
    pub closed: Option<bool>,
    /// What the numbers stand for.
    pub basis: Text,
}

/// What stands for the inert on both sides.
#[derive(Clone, Copy, PartialEq)]
enum Inert {
    Measured,
    Rest,
}

/// Flow, volume, and three or four shares in and out.
struct Inputs {
    known: Vec<Known>,
    inert: Inert,
}

impl Inputs {
    fn of(streams: &Streams) -> Result<Self> {
        let inert = match (streams.inlet.inert, streams.outlet.inert) {
            (Some(_), Some(_)) => Inert::Measured,
            (None, None) => Inert::Rest,
            _ => {
                return Err(refused(
                    "inert",
                    "不活性ガスは入口と出口の両方で測るか、両方とも残りとしてください",
                    "measure the inert gas on both sides, or take the rest on both",
                ));
            }
        };
        let mut known = vec![streams.flow_mol_per_h, streams.volume_l];
        for side in [&streams.inlet, &streams.outlet] {
            known.extend([side.hydrogen, side.oxygen, side.carbon_dioxide]);
            known.push(side.inert.unwrap_or_default());
        }
        if known.iter().any(|k| !k.value.is_finite() || !k.error.is_finite() || k.error < 0.0) {
            return Err(refused(
                "streams",
                "有限でない数か負の標準誤差があります",
                "a number is not finite, or a standard error is negative",
            ));
        }
        let found = Self { known, inert };
        let values: Vec<f64> = found.known.iter().map(|k| k.value).collect();
        let shares = &values[2..];
        if values[0] <= 0.0 || values[1] <= 0.0 || shares.iter().any(|y| !(-0.01..=1.0).contains(y)) {
            return Err(refused(
                "streams",
                "流量と液量は正、各分率は 0〜1 です",
                "flow and volume are positive, and every share lies between 0 and 1",
            ));
        }
        let (before, after) = found.inert_of(&values);
        if before < 0.005 || after < 0.005 {
            return Err(refused(
                "inert",
                "不活性ガスが 0.5 % 未満のため、出口流量を決められません",
                "with less than 0.5 % of inert gas the flow out cannot be told",
            ));
        }
        Ok(found)
    }
    fn inert_of(&self, v: &[f64]) -> (f64, f64) {
        match self.inert {
            Inert::Measured => (v[5], v[9]),
            Inert::Rest => (1.0 - v[2] - v[3] - v[4], 1.0 - v[6] - v[7] - v[8]),
        }
    }
    /// Flow out, mol/h.
    fn out(&self, v: &[f64]) -> f64 {
        let (before, after) = self.inert_of(v);
        v[0] * before / after
    }
    /// Moles taken up an hour of the `i`-th gas.
    fn taken(&self, v: &[f64], i: usize) -> f64 {
        v[0] * v[2 + i] - self.out(v) * v[6 + i]
    }
}

fn refused(field: &str, ja: &str, en: &str) -> Error {
    Error::input("E-GAS-003", ja, en)
        .at(Place::field(field))
        .hint("N2 や Ar を少し加えて測ると収支が決まります", "a little N2 or Ar in the feed, measured, settles the balance")
}

/// Uptake rates with first-order errors.
///
/// # Errors
/// Numbers that cannot be, or no inert gas to tell the flow out by.
pub fn rates(streams: &Streams) -> Result<Rates> {
    let inputs = Inputs::of(streams)?;
    let per_volume = |i: usize| propagate(&inputs.known, |v| 1e3 * inputs.taken(v, i) / v[1]);
    let gap = (inputs.inert == Inert::Measured).then(|| propagate(&inputs.known, |v| v[6] + v[7] + v[8] + v[9] - 1.0));
    Ok(Rates {
        hydrogen: per_volume(0),
        oxygen: per_volume(1),
        carbon_dioxide: per_volume(2),
        carbon_dioxide_kg_per_h: propagate(&inputs.known, |v| CO2_KG_PER_MOL * inputs.taken(v, 2)),
        flow_out_mol_per_h: propagate(&inputs.known, |v| inputs.out(v)),
        closed: gap.map(|g| g.value.abs() <= 2.0 * g.error.max(1e-12)),
        gap,
        basis: Text::new(
            "乾燥ガスの物質量、不活性ガス収支、標準不確かさ（1σ）",
            "moles of dry gas by inert balance, with standard uncertainties (one sigma)",
        ),
    })
}

/// Mean and standard deviation of the three rates (H2, O2, CO2; mmol/(L·h)) over draws of every input.
///
/// # Errors
/// Numbers that cannot be.
pub fn monte_carlo(streams: &Streams, draws: usize, seed: u64) -> Result<[Known; 3]> {
    let inputs = Inputs::of(streams)?;
    let mut chance = Chance::new(seed);
    let (mut sum, mut square) = ([0.0; 3], [0.0; 3]);
    // Deviations from the value at the centre, so that the squares do not cancel.
    let centre: Vec<f64> = inputs.known.iter().map(|k| k.value).collect();
    let at = |v: &[f64]| [0, 1, 2].map(|i| 1e3 * inputs.taken(v, i) / v[1]);
    let middle = at(&centre);
    for _ in 0..draws.max(2) {
        let drawn: Vec<f64> = inputs.known.iter().map(|k| k.value + k.error * chance.normal()).collect();
        for (i, value) in at(&drawn).into_iter().enumerate() {
            let off = value - middle[i];
            sum[i] += off;
            square[i] += off * off;
        }
    }
    let n = draws.max(2) as f64;
    Ok([0, 1, 2].map(|i| {
        let mean = sum[i] / n;
        Known { value: middle[i] + mean, error: ((square[i] - n * mean * mean) / (n - 1.0)).max(0.0).sqrt() }
    }))
}

/// Electrons of hydrogen that neither oxygen nor the carbon fixed accounts for, as a share of those of hydrogen:
/// `1 − (4·O2 + γ·CO2)/(2·H2)`, with γ the electrons of the biomass a carbon (ammonia as nitrogen source).
#[must_use]
pub fn electron_gap(rates: &Rates, electrons_per_carbon: f64) -> Option<Known> {
    let inputs = [rates.hydrogen, rates.oxygen, rates.carbon_dioxide];
    let gap = propagate(&inputs, |v| 1.0 - (4.0 * v[1] + electrons_per_carbon * v[2]) / (2.0 * v[0]));
    (rates.hydrogen.value > 0.0 && gap.value.is_finite()).then_some(gap)
}
