//! Elements and charge of each reaction, in exact arithmetic.

use super::cascade::Cascade;
use crate::model::Formula;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Zero};
use std::collections::BTreeMap;
use toji_core::{Diagnostic, Error, Place, Result};

/// The number a coefficient was written as: 0.1 is one tenth.
pub(super) fn exact(value: f64) -> BigRational {
    let text = format!("{value}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits: Option<BigInt> = format!("{whole}{fraction}").parse().ok();
    let scale = (0..fraction.len()).fold(BigInt::one(), |s, _| s * 10);
    digits.map_or_else(BigRational::zero, |d| BigRational::new(d, scale))
}

/// Key under which charge is counted beside the elements.
const CHARGE: &str = "charge";

/// Proves the balance of each reaction.
///
/// # Errors
/// `E-FLUX-101` with every reaction that is off, its elements, and by how much.
pub(super) fn prove(cascade: &Cascade, formulas: &BTreeMap<&str, Formula>) -> Result<()> {
    let charges: BTreeMap<&str, i32> = cascade.species.iter().map(|s| (s.id.as_str(), s.charge)).collect();
    let mut faults = Vec::new();
    for (at, reaction) in cascade.reactions.iter().enumerate() {
        let mut sums: BTreeMap<&str, BigRational> = BTreeMap::new();
        for (species, coefficient) in &reaction.stoichiometry {
            let coefficient = exact(*coefficient);
            for (element, count) in formulas.get(species.as_str()).into_iter().flat_map(|f| &f.atoms) {
                *sums.entry(element).or_default() += &coefficient * exact(*count);
            }
            let charge = charges.get(species.as_str()).copied().unwrap_or_default();
            *sums.entry(CHARGE).or_default() += coefficient * BigRational::from_integer(charge.into());
        }
        sums.retain(|_, sum| !sum.is_zero());
        if sums.is_empty() {
            continue;
        }
        let off: Vec<String> =
            sums.iter().map(|(what, sum)| format!("{what} {}{sum}", if *sum > BigRational::zero() { "+" } else { "" })).collect();
        let off = off.join(", ");
        faults.push(
            Diagnostic::error(
                "E-FLUX-101",
                Place::field(format!("reactions[{at}].stoichiometry")),
                format!("反応 {} の収支が合いません（生成側が {off}）", reaction.id),
                format!("reaction {} is off balance: the products have {off}", reaction.id),
            )
            .remedy(
                "係数・組成・電荷を直し、水とプロトンも書いてください",
                "correct coefficients, formulas and charges; write water and protons too",
            ),
        );
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(Error::input(
        "E-FLUX-101",
        format!("元素または電荷の収支が合わない反応が {} 件あります", faults.len()),
        format!("{} reactions are off balance in elements or charge", faults.len()),
    )
    .hint("下の各反応を直してください", "correct each reaction below")
    .with(faults))
}
