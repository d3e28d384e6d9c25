//! Pathways from elsewhere: which reactions a host must be given to make a product, or more of it.
//!
//! [`routes`] lists the sets of least cost, exactly and without an integer programme. The optimum of the host with some of
//! the reactions has prices for its metabolites; by duality nothing can be gained but by a reaction that these prices favour,
//! so only such reactions are branched on, and no set that could do is passed over. Optima lead back from the product to the
//! host as retrosynthesis does, but whole networks, cofactors and by-products count at every step.
//!
//! The question is that of `OptStrain` (Pharkya, Burgard and Maranas, Genome Res. 14, 2004, 2367–2376); driving forces are
//! those of [`crate::thermo`].

mod route;
mod search;
mod universe;

pub use route::{Route, RouteStep};
pub use search::{Refused, Routes, routes};
pub use universe::{Candidate, Universe, table};

use std::collections::BTreeMap;

/// Energies of reactions and the concentrations at which they run.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Thermodynamics {
    /// Energies of reactions of the host, besides those of the universe: `ΔG'°` and its standard deviation, kJ/mol.
    ///
    /// ユニバースの反応のほかに、宿主の反応の ΔG'° と標準偏差（kJ/mol）。
    #[serde(default)]
    pub energies: BTreeMap<String, (f64, f64)>,
    /// Concentrations of all compounds, lowest and highest, mol/L.
    ///
    /// 化合物の濃度の範囲（mol/L）。
    pub range: (f64, f64),
    /// Concentrations of single compounds, lowest and highest, mol/L.
    ///
    /// 個々の化合物の濃度の範囲（mol/L）。
    #[serde(default)]
    pub concentrations: BTreeMap<String, (f64, f64)>,
    /// Compounds that are part of the energies: water and protons.
    ///
    /// エネルギーに含まれる化合物。水とプロトン。
    #[serde(default)]
    pub contained: Vec<String>,
    /// Temperature, K.
    ///
    /// 温度（K）。
    pub kelvin: f64,
    /// By how many standard deviations each energy may differ to the route's favour.
    ///
    /// 経路に有利な側へ許す標準偏差の倍数。
    #[serde(default)]
    pub spread: f64,
    /// Least driving force of a route, kJ/mol.
    ///
    /// 経路の駆動力の下限（kJ/mol）。
    #[serde(default)]
    pub least: f64,
}

/// A search for routes.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathwayTask {
    /// Product: a metabolite of the host or of the universe, that leaves by a demand of its own.
    ///
    /// 生成物。宿主またはユニバースの代謝物。需要反応で取り出す。
    pub product: String,
    /// Growth reaction.
    ///
    /// 増殖の反応。
    pub growth: String,
    /// Exchange reaction of the feedstock.
    ///
    /// 原料の交換反応。
    pub feed: String,
    /// Growth that is kept, 1/h.
    ///
    /// 保つ増殖（1/h）。
    #[serde(default)]
    pub min_growth: f64,
    /// Product that a route must make possible, mmol/g/h, above zero.
    ///
    /// 経路が可能にすべき生産（mmol/g/h、正の数）。
    pub min_product: f64,
    /// Most reactions of a route.
    ///
    /// 経路の反応数の上限。
    pub max_reactions: usize,
    /// Most cost of a route; no limit where none is given.
    ///
    /// 経路の費用の上限。省略時は制限なし。
    #[serde(default)]
    pub max_cost: Option<f64>,
    /// How many routes are asked for.
    ///
    /// 求める経路の数。
    pub routes: usize,
    /// Most sets that are looked at.
    ///
    /// 調べる組の数の上限。
    #[serde(default = "many")]
    pub max_candidates: usize,
    /// Energies and concentrations; routes without a driving force are refused then.
    ///
    /// エネルギーと濃度。与えると、駆動力のない経路を除く。
    #[serde(default)]
    pub thermodynamics: Option<Thermodynamics>,
}

fn many() -> usize {
    100_000
}
