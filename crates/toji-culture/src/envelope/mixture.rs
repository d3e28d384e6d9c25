//! One composition against the rules.

use super::polygon::holds;
use super::rule::{LFL, LOC, MARGIN_FUEL, MARGIN_OXYGEN, Rules, UFL};
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result, Text};

/// A dry gas, mol/mol.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mixture {
    /// H2.
    ///
    /// 水素の分率、mol/mol。
    #[serde(default)]
    pub hydrogen: f64,
    /// O2.
    ///
    /// 酸素の分率、mol/mol。
    #[serde(default)]
    pub oxygen: f64,
    /// CO2.
    ///
    /// 二酸化炭素の分率、mol/mol。
    #[serde(default)]
    pub carbon_dioxide: f64,
    /// N2 (and argon).
    ///
    /// 窒素（とアルゴン）の分率、mol/mol。
    #[serde(default)]
    pub nitrogen: f64,
}

impl Mixture {
    /// Nitrogen.
    pub const NITROGEN: Self = Self { hydrogen: 0.0, oxygen: 0.0, carbon_dioxide: 0.0, nitrogen: 1.0 };
    /// Dry air, its argon as nitrogen.
    pub const AIR: Self = Self { hydrogen: 0.0, oxygen: 0.2095, carbon_dioxide: 0.000_42, nitrogen: 0.790_08 };
    /// Hydrogen.
    pub const HYDROGEN: Self = Self { hydrogen: 1.0, oxygen: 0.0, carbon_dioxide: 0.0, nitrogen: 0.0 };
    /// Oxygen.
    pub const OXYGEN: Self = Self { hydrogen: 0.0, oxygen: 1.0, carbon_dioxide: 0.0, nitrogen: 0.0 };
    /// Carbon dioxide.
    pub const CARBON_DIOXIDE: Self = Self { hydrogen: 0.0, oxygen: 0.0, carbon_dioxide: 1.0, nitrogen: 0.0 };

    /// From shares in % that sum to 100.
    ///
    /// # Errors
    /// A share that is negative or not finite, or a sum other than 100.
    pub fn percent(hydrogen: f64, oxygen: f64, carbon_dioxide: f64, nitrogen: f64) -> Result<Self> {
        let shares = [hydrogen, oxygen, carbon_dioxide, nitrogen].map(|v| v / 100.0);
        let [hydrogen, oxygen, carbon_dioxide, nitrogen] = shares;
        let found = Self { hydrogen, oxygen, carbon_dioxide, nitrogen };
        found.check()?;
        Ok(found)
    }

    /// Shares, in the order of the fields.
    #[must_use]
    pub fn shares(&self) -> [f64; 4] {
        [self.hydrogen, self.oxygen, self.carbon_dioxide, self.nitrogen]
    }

    /// Looks the shares through.
    ///
    /// # Errors
    /// A share that is negative or not finite, or a sum other than 1 (to 1e-6).
    pub fn check(&self) -> Result<()> {
        let sum: f64 = self.shares().iter().sum();
        if self.shares().iter().all(|y| y.is_finite() && *y >= 0.0) && (sum - 1.0).abs() <= 1e-6 {
            return Ok(());
        }
        Err(Error::input(
            "E-GAS-012",
            format!("各成分は 0 以上で、合計は 100 % です（合計 {:.4} %）", sum * 100.0),
            format!("every share is zero or more and all make 100 %, not {:.4} %", sum * 100.0),
        )
        .at(Place::field("mixture"))
        .hint("H2・O2・CO2・N2 の乾燥ガス組成を与えてください", "give H2, O2, CO2 and N2 of the dry gas"))
    }

    /// So much of this and the rest of another.
    #[must_use]
    pub fn blended(&self, share: f64, other: &Self) -> Self {
        let mix = |a: f64, b: f64| share * a + (1.0 - share) * b;
        Self {
            hydrogen: mix(self.hydrogen, other.hydrogen),
            oxygen: mix(self.oxygen, other.oxygen),
            carbon_dioxide: mix(self.carbon_dioxide, other.carbon_dioxide),
            nitrogen: mix(self.nitrogen, other.nitrogen),
        }
    }
}

/// Where a composition stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Outside what could burn, with the margins.
    Outside,
    /// Within the margins: refused.
    Near,
    /// It could burn: refused.
    Inside,
}

/// The verdict on a composition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Verdict {
    /// Where it stands.
    pub standing: Standing,
    /// Is it permitted? Only outside is.
    pub permitted: bool,
    /// Why.
    pub reason: Text,
    /// Rules that decided, by identifier.
    pub rules: Vec<String>,
    /// Set of rules and its version.
    pub by: String,
    /// The composition that would do, with the least nitrogen added. `None` where none is needed.
    pub safe: Option<Mixture>,
    /// Nitrogen to add for it, mol per mol of the gas.
    pub nitrogen_to_add: f64,
}

/// The verdict on a composition.
///
/// # Errors
/// Shares or rules that cannot be.
pub fn judge(mixture: &Mixture, rules: &Rules) -> Result<Verdict> {
    mixture.check()?;
    let edges = rules.edges()?;
    let (hydrogen, oxygen) = (mixture.hydrogen, mixture.oxygen);
    let at = [hydrogen, oxygen];
    let standing = if holds(&edges.inside, at) {
        Standing::Inside
    } else if holds(&edges.near, at) {
        Standing::Near
    } else {
        Standing::Outside
    };
    let (h, o) = (hydrogen * 100.0, oxygen * 100.0);
    let (lfl, loc, fuel, least) = (edges.lfl * 100.0, edges.loc * 100.0, edges.fuel * 100.0, edges.oxygen * 100.0);
    let (reason, by): (Text, Vec<&str>) = match standing {
        Standing::Inside => (
            Text::new(
                format!(
                    "爆発範囲内: H2 {h:.2} % は下限 {lfl} % 以上、O2 {o:.2} % は限界酸素濃度 {loc} % 以上で、濃い側の境界（空気中上限 {:.0} %）より薄い",
                    edges.ufl * 100.0
                ),
                format!(
                    "inside the flammable range: H2 {h:.2} % is not below the lower limit {lfl} %, O2 {o:.2} % not below the limiting oxygen concentration {loc} %, and the mixture is leaner than the rich edge (upper limit in air {:.0} %)",
                    edges.ufl * 100.0
                ),
            ),
            vec![LFL, LOC, UFL],
        ),
        Standing::Near => (
            Text::new(
                format!(
                    "余裕不足: H2 {h:.2} % は {fuel:.2} % 以上、O2 {o:.2} % は {least:.2} % 以上（下限 {lfl} %・限界酸素濃度 {loc} % に余裕をかけた値）"
                ),
                format!(
                    "within the margin: H2 {h:.2} % is not below {fuel:.2} % and O2 {o:.2} % not below {least:.2} % (the lower limit {lfl} % and the limiting oxygen concentration {loc} % with their margins)"
                ),
            ),
            vec![MARGIN_FUEL, MARGIN_OXYGEN],
        ),
        Standing::Outside if oxygen < edges.oxygen => (
            Text::new(
                format!("O2 {o:.2} % は余裕込みの限界 {least:.2} % 未満"),
                format!("O2 {o:.2} % is below the limit with margin, {least:.2} %"),
            ),
            vec![LOC, MARGIN_OXYGEN],
        ),
        Standing::Outside => (
            Text::new(
                format!("H2 {h:.2} % は余裕込みの下限 {fuel:.2} % 未満"),
                format!("H2 {h:.2} % is below the lower limit with margin, {fuel:.2} %"),
            ),
            vec![LFL, MARGIN_FUEL],
        ),
    };
    // Thinned until one of the two is below its limit, a thousandth below it.
    let share = (edges.oxygen / oxygen).max(edges.fuel / hydrogen) * 0.999;
    let needed = standing != Standing::Outside;
    Ok(Verdict {
        standing,
        permitted: !needed,
        reason,
        rules: by.into_iter().map(str::to_owned).collect(),
        by: rules.name(),
        safe: needed.then(|| mixture.blended(share, &Mixture::NITROGEN)),
        nitrogen_to_add: if needed { 1.0 / share - 1.0 } else { 0.0 },
    })
}
