//! The whole answer.

use super::Standing;
use super::compound::Given;
use super::demand::{Demand, Transfer, Vessel, demand, transfer};
use super::heat::{Heat, heat};
use super::net::{CLOSED, Crossing, Net, crossing};
use super::wrong;
use crate::model::Model;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::{Diagnostic, Place, Result, substance};

/// What is asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GasTask {
    /// Growth reaction, whose flux is the growth rate; none: no biomass is made.
    ///
    /// 増殖の反応（流束が比増殖速度）。省略時は菌体の生成を数えない。
    #[serde(default)]
    pub growth: Option<String>,
    /// Exchange reaction of the product; none: biomass is the product.
    ///
    /// 生成物の交換反応。省略時は菌体を生成物とする。
    #[serde(default)]
    pub product: Option<String>,
    /// Elemental formula of the biomass, e.g. CH1.8O0.5N0.2; none: by difference of all that crosses the boundary.
    ///
    /// 菌体の元素組成（例: CH1.8O0.5N0.2）。省略時は境界の出入りの差から求める。
    #[serde(default)]
    pub biomass_formula: Option<String>,
    /// Compounds that the table and the model do not know, or not rightly, by metabolite.
    ///
    /// 表やモデルにない、または正しくない成分（代謝物ごと）。
    #[serde(default)]
    pub compounds: BTreeMap<String, Given>,
    /// Vessel.
    ///
    /// 培養槽。
    #[serde(default)]
    pub vessel: Option<Vessel>,
}

/// What follows from an optimum for cells that live on gas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "GasReport")]
pub struct Report {
    /// Net conversion over a mol of product, or a g of biomass.
    pub net: Net,
    /// Product made, g/(g·h).
    pub product: f64,
    /// Product per hydrogen taken up, g/g; none without.
    pub per_hydrogen: Option<f64>,
    /// Carbon of the carbon dioxide taken up that is in the product, mol/mol; none without.
    pub carbon_kept: Option<f64>,
    /// Heat.
    pub heat: Heat,
    /// Gas asked for.
    pub demand: Demand,
    /// Transfer in the vessel.
    pub transfer: Option<Transfer>,
    /// What to mind.
    pub findings: Vec<Diagnostic>,
}

/// The basis: rate of the product in mmol (or of biomass in g), its mass in g, its carbon in mmol, per g and hour.
struct Basis {
    over: f64,
    grams: f64,
    carbon: f64,
    of_product: bool,
}

fn basis(model: &Model, crossing: &Crossing, task: &GasTask) -> Result<Basis> {
    let none = |field: &str| wrong(field, "この流束では生成されません", "nothing of it is made at these fluxes");
    if let Some(id) = &task.product {
        let reaction = model.reaction_named(id)?;
        let flow = crossing.exchanges.iter().find(|e| e.0 == reaction).map(|e| &e.1).filter(|f| f.rate > 0.0);
        let flow = flow.ok_or_else(|| none("product"))?;
        let atoms = &flow.compound.formula.atoms;
        let mass = atoms
            .iter()
            .try_fold(0.0, |sum, (s, n)| Ok::<f64, toji_core::Error>(sum + n * substance::molar_mass_g_per_mol(s)?))?;
        let carbon = flow.rate * atoms.get("C").copied().unwrap_or_default();
        return Ok(Basis { over: flow.rate, grams: flow.rate * mass / 1000.0, carbon, of_product: true });
    }
    let (growth, _, compound) = crossing.biomass.as_ref().ok_or_else(|| none("growth"))?;
    let carbon = growth * compound.formula.atoms.get("C").copied().unwrap_or_default() * 1000.0;
    Ok(Basis { over: *growth, grams: *growth, carbon, of_product: false })
}

/// Looks at the fluxes of a model (mmol/(g·h), in the order of its reactions) as those of cells that live on gas.
///
/// # Errors
/// `E-FLUX-110` and `E-MODEL-010` for an entry that cannot be, `E-FLUX-111` for compounds of unknown composition that cross
/// the boundary, those of units.
pub fn assess(model: &Model, fluxes: &[f64], task: &GasTask) -> Result<Report> {
    let growth = task.growth.as_ref().map(|id| model.reaction_named(id)).transpose()?;
    let crossing = crossing(model, fluxes, growth, task.biomass_formula.as_deref(), &task.compounds)?;
    let basis = basis(model, &crossing, task)?;
    let net = crossing.net(model, basis.over);
    let heat = heat(&crossing, net.closed, basis.over, basis.of_product);
    let told = heat.formation.or(heat.combustion).unwrap_or(heat.oxygen);
    let (hydrogen, dioxide) = (-crossing.rate("h2"), -crossing.rate("co2"));
    let transfer = task.vessel.as_ref().map(|v| transfer(&crossing, v, told)).transpose()?;
    let hydrogen_mass = substance::molar_mass_g_per_mol("H2")? / 1000.0;
    Ok(Report {
        findings: findings(&net, &heat, transfer.as_ref()),
        product: basis.grams,
        per_hydrogen: (hydrogen > 0.0).then(|| basis.grams / (hydrogen * hydrogen_mass)),
        carbon_kept: (dioxide > 0.0).then(|| basis.carbon / dioxide),
        demand: demand(&crossing, basis.grams)?,
        heat,
        transfer,
        net,
    })
}

/// A warning with its cure, Japanese first.
fn warning(code: &str, field: &str, [ja, en]: [String; 2], [cure_ja, cure]: [&str; 2]) -> Diagnostic {
    Diagnostic::warning(code, Place::field(field), ja, en).remedy(cure_ja, cure)
}

fn findings(net: &Net, heat: &Heat, transfer: Option<&Transfer>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    found.extend(net.biomass.iter().flat_map(of_biomass));
    let worst = net.elements.iter().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
    if let Some((element, off)) = worst.filter(|w| w.1.abs() > CLOSED) {
        found.push(warning(
            "W-FLUX-114",
            "net.elements",
            [
                format!("正味の変換の収支が閉じていません（最大は {element}: {off:.2e}）"),
                format!("the net conversion does not balance (most of all {element}: {off:.2e})"),
            ],
            [
                "成分の組成と電荷を compounds で正すか、モデルの収支を直してください",
                "correct compositions under compounds, or the balance of the model",
            ],
        ));
    }
    if heat.agree == Some(false) {
        found.push(warning(
            "W-FLUX-115",
            "heat",
            [
                "二通りの熱が許容差のうちに一致しません".into(),
                "the two ways to the heat do not agree within their tolerance".into(),
            ],
            [
                "酸素以外の電子受容体と、推定した燃焼熱を確かめてください",
                "look for electron acceptors other than oxygen, and at estimated heats of combustion",
            ],
        ));
    }
    found.extend(transfer.into_iter().flat_map(of_transfer));
    found
}

fn of_biomass(biomass: &super::Biomass) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let Some(mass) = biomass.mass.filter(|m| biomass.by_difference && (m - 1.0).abs() > 0.1) {
        let phosphorus = biomass.atoms.get("P").copied().unwrap_or_default();
        found.push(warning(
            "W-FLUX-112",
            "net.biomass",
            [
                format!(
                    "差から求めた菌体は 1 g あたり {mass:.3} g（うちリン {phosphorus:.2} mmol）になり、モデルの菌体の収支が合っていません"
                ),
                format!(
                    "by difference a gram of biomass holds {mass:.3} g (of it {phosphorus:.2} mmol of phosphorus): the biomass of the model does not balance"
                ),
            ],
            [
                "炭素・ガスの値と燃焼熱による熱は使えますが、水・プロトン・リンの値は使わないでください",
                "figures of carbon and gases and the heat by combustion stand; do not use those of water, protons and phosphate",
            ],
        ));
    }
    if let Some(reduction) = biomass.reduction.filter(|r| (r / 4.2 - 1.0).abs() > 0.1) {
        found.push(warning(
            "W-FLUX-113",
            "net.biomass",
            [
                format!("菌体の還元度が炭素 1 mol あたり {reduction:.2} で、通常の 4.2 から離れています"),
                format!("the biomass has a degree of reduction of {reduction:.2} per mol of carbon, far from the usual 4.2"),
            ],
            [
                "菌体の反応の組成を見直すか、biomass_formula を指定してください",
                "look at the biomass reaction, or give biomass_formula",
            ],
        ));
    }
    found
}

fn of_transfer(transfer: &Transfer) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if transfer.outlet.is_none() {
        found.push(warning(
            "W-FLUX-116",
            "transfer.outlet",
            ["この通気では取り込まれるガスをまかなえません".into(), "the gas fed does not bring what is taken up".into()],
            [
                "通気量を least_flow 以上にするか、組成を変えるか、菌体濃度を下げてください",
                "feed at least least_flow, change the mix, or keep fewer cells",
            ],
        ));
    }
    let outlet = transfer.outlet.as_ref();
    let places = [(Some(&transfer.inlet), "inlet", "入口", "fed"), (outlet, "outlet", "出口", "leaving")];
    for (place, field, at_ja, at) in places {
        let Some(place) = place.filter(|p| p.standing != Standing::Outside) else { continue };
        let (code, is_ja, is) = if place.standing == Standing::Inside {
            ("W-FLUX-117", "爆発範囲内です", "flammable")
        } else {
            ("W-FLUX-118", "爆発限界の余裕の内側です", "within the margins of the limits")
        };
        let (h, o) = (place.mix.hydrogen * 100.0, place.mix.oxygen * 100.0);
        found.push(warning(
            code,
            &format!("transfer.{field}"),
            [
                format!("{at_ja}ガスは{is_ja}（H2 {h:.1} %、O2 {o:.1} %）"),
                format!("the gas {at} is {is} (H2 {h:.1} %, O2 {o:.1} %)"),
            ],
            [
                "酸素を限界酸素濃度の余裕より下げるか、窒素を足してください。判断は有資格者が行ってください",
                "lower oxygen below the margin of its limit, or add nitrogen; let a qualified person judge",
            ],
        ));
    }
    found
}
