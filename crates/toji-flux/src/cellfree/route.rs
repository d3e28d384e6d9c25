//! The cells' way beside the cascade's.

use super::simulate::Outcome;
use super::system::amount;
use super::wrong;
use crate::analyse::fba;
use crate::lp::Outcome as Programme;
use crate::model::Scenario;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Category, Error, Quantity, Result, Text, substance};

/// What is asked of a metabolic model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CellFreeCellTask")]
pub struct CellTask {
    /// Exchange reaction of the product.
    ///
    /// 生成物の交換反応。
    pub product: String,
    /// Exchange reaction of the substrate.
    ///
    /// 基質の交換反応。
    pub substrate: String,
    /// Growth reaction.
    ///
    /// 増殖の反応。
    pub growth: String,
    /// Growth that is kept at least, e.g. 0.1 /h.
    ///
    /// 維持する増殖速度の下限（例: 0.1 /h）。
    pub least_growth: Quantity,
    /// Biomass in the vessel, g/L (dry).
    ///
    /// 槽内の乾燥菌体濃度（g/L）。
    pub biomass: Quantity,
    /// Formula of the product, where the model has none.
    ///
    /// 生成物の組成式（モデルにない場合）。
    #[serde(default)]
    pub product_formula: Option<String>,
    /// Formula of the substrate, where the model has none.
    ///
    /// 基質の組成式（モデルにない場合）。
    #[serde(default)]
    pub substrate_formula: Option<String>,
}

/// What the cells can do at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CellFreeCellRoute")]
pub struct CellRoute {
    /// Growth, 1/h.
    pub growth: f64,
    /// Product, mmol/(g·h).
    pub product: f64,
    /// Substrate taken up, mmol/(g·h).
    pub uptake: f64,
    /// Product over substrate, mol/mol; none where nothing is taken up.
    pub yield_mol: Option<f64>,
    /// The same by mass, g/g.
    pub yield_mass: Option<f64>,
    /// Product by volume, g/(L·h).
    pub productivity: f64,
    /// Biomass, g/L.
    pub biomass: f64,
}

/// The greatest production of a model while it grows at least so fast.
///
/// # Errors
/// `E-FLUX-100` and `E-MODEL-010` for an entry that cannot be, `E-FLUX-104` when there is no optimum.
pub fn cell_route(scenario: &Scenario<'_>, task: &CellTask) -> Result<CellRoute> {
    let model = scenario.model();
    let (product, substrate) = (model.reaction_named(&task.product)?, model.reaction_named(&task.substrate)?);
    let growth = model.reaction_named(&task.growth)?;
    let least = amount(&task.least_growth, "/h", "least_growth", false)?;
    let biomass = amount(&task.biomass, "g/L", "biomass", true)?;
    let mass = |reaction: usize, given: &Option<String>, field: &str| -> Result<(f64, f64)> {
        let [(metabolite, coefficient)] = model.reactions[reaction].stoichiometry[..] else {
            return Err(wrong(field, "交換反応ではありません", "it is no exchange reaction"));
        };
        let formula = given.as_ref().or(model.metabolites[metabolite].formula.as_ref());
        let formula = formula
            .filter(|f| !f.is_empty())
            .ok_or_else(|| wrong(format!("{field}_formula"), "モデルに組成式がありません", "the model has no formula for it"))?;
        Ok((substance::molar_mass_g_per_mol(formula)?, -coefficient))
    };
    let (product_mass, product_out) = mass(product, &task.product_formula, "product")?;
    let (substrate_mass, substrate_out) = mass(substrate, &task.substrate_formula, "substrate")?;
    let mut network = scenario.network()?;
    network.lower[growth] = network.lower[growth].max(least);
    network.objective.iter_mut().for_each(|c| *c = 0.0);
    network.objective[product] = product_out;
    network.sense = crate::Sense::Maximize;
    let best = match fba(&network)? {
        Programme::Optimal(best) => best,
        other => return Err(no_optimum(matches!(other, Programme::Infeasible(_)))),
    };
    let made = best.primal[product] * product_out;
    let uptake = -best.primal[substrate] * substrate_out;
    let yield_mol = (uptake > 1e-9).then(|| made / uptake);
    Ok(CellRoute {
        growth: best.primal[growth],
        product: made,
        uptake,
        yield_mol,
        yield_mass: yield_mol.map(|y| y * product_mass / substrate_mass),
        productivity: made * biomass * product_mass / 1000.0,
        biomass,
    })
}

fn no_optimum(infeasible: bool) -> Error {
    let (ja, en) = if infeasible {
        ("その増殖速度を保てる流束がありません", "no fluxes keep that growth")
    } else {
        ("生産に限りがありません", "nothing limits the production")
    };
    Error::new(Category::Model, "E-FLUX-104", ja, en).hint(
        "増殖の下限を下げるか、基質の取り込みの上下限を見直してください",
        "lower the growth to keep, or look at the bounds of the uptake",
    )
}

/// One way, in the units of the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CellFreeWay")]
pub struct Way {
    /// Product over substrate, mol/mol.
    pub yield_mol: Option<f64>,
    /// Product over substrate, g/g.
    pub yield_mass: Option<f64>,
    /// Product by volume and time, g/(L·h).
    pub productivity: f64,
    /// Time to the titre of the cascade, h.
    pub hours: Option<f64>,
    /// Catalyst in the vessel, g/L: protein of the cascade, dry cells.
    pub catalyst: Option<f64>,
    /// Product at that titre over catalyst, g/g.
    pub product_per_catalyst: Option<f64>,
    /// Cofactor to be bought, mmol per mol of product, by cofactor; cells make their own.
    pub cofactors: Vec<(String, f64)>,
}

/// The two ways, to the titre that the cascade reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CellFreeComparison")]
pub struct Comparison {
    /// Titre at which they are compared, g/L.
    pub titre: f64,
    /// The cascade.
    pub cascade: Way,
    /// The cells.
    pub cells: Way,
    /// What is assumed.
    pub assumptions: Vec<Text>,
}

/// Sets a cascade beside cells, at the titre that the cascade reached.
#[must_use]
pub fn compare(cascade: &Outcome, cells: &CellRoute) -> Comparison {
    let s = &cascade.summary;
    let titre = s.titre_mass;
    let end = cascade.course.times.last().copied();
    let per = |catalyst: Option<f64>| catalyst.filter(|c| *c > 0.0).map(|c| titre / c);
    let bought = s.cofactors.iter().filter_map(|c| Some((c.id.clone(), 1000.0 / c.moles.filter(|m| *m > 0.0)?)));
    Comparison {
        titre,
        cascade: Way {
            yield_mol: s.yield_mol,
            yield_mass: s.yield_mass,
            productivity: s.productivity,
            hours: end,
            catalyst: s.protein,
            product_per_catalyst: per(s.protein),
            cofactors: bought.collect(),
        },
        cells: Way {
            yield_mol: cells.yield_mol,
            yield_mass: cells.yield_mass,
            productivity: cells.productivity,
            hours: (cells.productivity > 0.0).then(|| titre / cells.productivity),
            catalyst: Some(cells.biomass),
            product_per_catalyst: per(Some(cells.biomass)),
            cofactors: Vec::new(),
        },
        assumptions: assumptions(),
    }
}

fn assumptions() -> Vec<Text> {
    vec![
        Text::new(
            "細胞の値は流束均衡解析の上限。調節・毒性・輸送の限界は含まない",
            "the cells' figures are upper limits by flux balance: no regulation, toxicity or limits of transport",
        ),
        Text::new(
            "細胞は一定の菌体濃度と一定の速度で生産する。菌体を育てる時間と基質は含まない",
            "the cells work at constant biomass and rate; time and substrate to grow them are not counted",
        ),
        Text::new(
            "カスケードの値は与えられた速度式と失活による。酵素の調製に要する菌体・基質・時間は含まない",
            "the cascade's figures follow from the rate laws and inactivation given; making the enzymes is not counted",
        ),
        Text::new(
            "カスケードの収率は消費した基質あたり、細胞の収率は取り込んだ基質あたり（増殖分を含む）",
            "yields are over substrate consumed by the cascade, and over substrate taken up by the cells, growth included",
        ),
        Text::new(
            "補因子は仕込みの全量を購入し、再使用しないとする。細胞は自らつくる",
            "all cofactor put in is bought and not used again; cells make their own",
        ),
    ]
}
