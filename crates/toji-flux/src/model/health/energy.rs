//! Energy from nothing: carriers that can be discharged with every exchange closed.

use crate::compress::Compressed;
use crate::lp::{Outcome, Problem, Solver};
use crate::model::{Addition, Metabolite, Model, Scenario, Sense};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::Result;

/// Rates below this count as none; bounds closed carriers run up to.
const ZERO: f64 = 1e-6;
const RATE_MAX: f64 = 1000.0;

/// A carrier that charges itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnergyCycle {
    /// The carrier: `ATP`, `NADH`, …
    pub carrier: String,
    /// Rate of discharge reached, with all exchanges closed.
    pub rate: f64,
    /// Reactions that take part, with their fluxes.
    pub reactions: Vec<(String, f64)>,
}

/// How metabolites are recognised: BiGG's identifier, KEGG, MetaNetX.
type Known = (&'static str, &'static str, &'static str);

const ATP: Known = ("atp", "C00002", "MNXM3");
const ADP: Known = ("adp", "C00008", "MNXM7");
const CTP: Known = ("ctp", "C00063", "MNXM63");
const CDP: Known = ("cdp", "C00112", "MNXM220");
const GTP: Known = ("gtp", "C00044", "MNXM51");
const GDP: Known = ("gdp", "C00035", "MNXM30");
const UTP: Known = ("utp", "C00075", "MNXM121");
const UDP: Known = ("udp", "C00015", "MNXM17");
const ITP: Known = ("itp", "C00081", "MNXM423");
const IDP: Known = ("idp", "C00104", "MNXM495");
const NADH: Known = ("nadh", "C00004", "MNXM10");
const NAD: Known = ("nad", "C00003", "MNXM8");
const NADPH: Known = ("nadph", "C00005", "MNXM6");
const NADP: Known = ("nadp", "C00006", "MNXM5");
const FADH2: Known = ("fadh2", "C01352", "MNXM38");
const FAD: Known = ("fad", "C00016", "MNXM33");
const FMNH2: Known = ("fmnh2", "C01847", "MNXM208");
const FMN: Known = ("fmn", "C00061", "MNXM119");
const UBIQUINOL: Known = ("q8h2", "", "MNXM191");
const UBIQUINONE: Known = ("q8", "", "MNXM232");
const MENAQUINOL: Known = ("mql8", "", "MNXM223");
const MENAQUINONE: Known = ("mqn8", "", "MNXM509");
const ACETYL_COA: Known = ("accoa", "C00024", "MNXM21");
const ACETATE: Known = ("ac", "C00033", "MNXM26");
const COA: Known = ("coa", "C00010", "MNXM12");
const GLUTAMATE: Known = ("glu__L", "C00025", "MNXM89557");
const KETOGLUTARATE: Known = ("akg", "C00026", "MNXM20");
const AMMONIUM: Known = ("nh4", "C00014", "MNXM15");
const WATER: Known = ("h2o", "C00001", "MNXM2");
const PHOSPHATE: Known = ("pi", "C00009", "MNXM9");
const PROTON: Known = ("h", "C00080", "MNXM1");

/// Discharge of each carrier.
fn discharges() -> Vec<(&'static str, Vec<(Known, f64)>)> {
    let nucleotide = |full: Known, spent: Known| vec![(full, -1.0), (WATER, -1.0), (spent, 1.0), (PROTON, 1.0), (PHOSPHATE, 1.0)];
    let reduced = |full: Known, spent: Known, protons: f64| vec![(full, -1.0), (spent, 1.0), (PROTON, protons)];
    vec![
        ("ATP", nucleotide(ATP, ADP)),
        ("CTP", nucleotide(CTP, CDP)),
        ("GTP", nucleotide(GTP, GDP)),
        ("UTP", nucleotide(UTP, UDP)),
        ("ITP", nucleotide(ITP, IDP)),
        ("NADH", reduced(NADH, NAD, 1.0)),
        ("NADPH", reduced(NADPH, NADP, 1.0)),
        ("FADH2", reduced(FADH2, FAD, 2.0)),
        ("FMNH2", reduced(FMNH2, FMN, 2.0)),
        ("ubiquinol-8", reduced(UBIQUINOL, UBIQUINONE, 2.0)),
        ("menaquinol-8", reduced(MENAQUINOL, MENAQUINONE, 2.0)),
        ("acetyl-CoA", vec![(ACETYL_COA, -1.0), (WATER, -1.0), (PROTON, 1.0), (ACETATE, 1.0), (COA, 1.0)]),
        ("L-glutamate", vec![(GLUTAMATE, -1.0), (WATER, -1.0), (KETOGLUTARATE, 1.0), (AMMONIUM, 1.0), (PROTON, 2.0)]),
    ]
}

/// The metabolite in this compartment, by reference or by identifier with the compartment's ending.
fn find(model: &Model, known: Known, compartment: &str) -> Option<usize> {
    let referred = |m: &Metabolite| {
        m.annotation.iter().any(|r| match &*r.collection {
            "bigg.metabolite" => r.id == known.0,
            "kegg.compound" => !known.1.is_empty() && r.id == known.1,
            "metanetx.chemical" => r.id == known.2,
            _ => false,
        })
    };
    let called = |m: &Metabolite| {
        m.id.strip_prefix(known.0)
            .is_some_and(|rest| rest.strip_prefix('_') == Some(compartment) || rest == format!("[{compartment}]"))
    };
    let here = |m: &Metabolite| m.compartment.as_deref() == Some(compartment);
    let metabolites = || model.metabolites.iter().enumerate().filter(|(_, m)| here(m));
    metabolites().find(|(_, m)| called(m)).or_else(|| metabolites().find(|(_, m)| referred(m))).map(|(i, _)| i)
}

/// The compartment that holds both ATP and ADP: `c` first, then in order.
fn cytosol(model: &Model) -> Option<String> {
    let mut ids: Vec<&str> = model.metabolites.iter().filter_map(|m| m.compartment.as_deref()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.sort_by_key(|id| !matches!(*id, "c" | "C_c" | "c0" | "cytosol" | "cytoplasm"));
    ids.into_iter().find(|id| find(model, ATP, id).is_some() && find(model, ADP, id).is_some()).map(str::to_owned)
}

/// Every carrier that charges itself. A model without recognisable carriers has none to tell of.
pub(super) fn cycles(model: &Model) -> Result<Vec<EnergyCycle>> {
    let Some(compartment) = cytosol(model) else { return Ok(Vec::new()) };
    let mut closed = Scenario::new(model);
    for (reaction, boundary) in model.reactions.iter().zip(model.boundaries()) {
        let (lower, upper) = match boundary.is_some() || reaction.stoichiometry.len() < 2 {
            true => (0.0, 0.0),
            // What a model forces (maintenance) and unequal caps are lifted: only directions count.
            false => (if reaction.lower < 0.0 { -RATE_MAX } else { 0.0 }, if reaction.upper > 0.0 { RATE_MAX } else { 0.0 }),
        };
        closed.set_bounds(&reaction.id, lower, upper)?;
    }
    let mut known = Vec::new();
    for (carrier, terms) in discharges() {
        let named =
            terms.iter().map(|(known, c)| find(model, *known, &compartment).map(|m| (model.metabolites[m].id.clone(), *c)));
        let Some(stoichiometry) = named.collect::<Option<Vec<_>>>() else { continue };
        let id = format!("discharge of {carrier}");
        known.push((carrier, Addition { id, name: None, stoichiometry, lower: 0.0, upper: RATE_MAX }));
    }
    if none_runs(&closed, known.iter().map(|k| &k.1))? {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (carrier, discharge) in &known {
        let mut scenario = closed.clone();
        scenario.add_reaction(discharge)?;
        scenario.set_objective(&discharge.id, Sense::Maximize)?;
        let small = Compressed::new(&Problem::from(&scenario.network()?));
        let Some(best) = Solver::new(small.problem.clone())?.solve()?.optimum() else { continue };
        if best.objective > ZERO {
            let fluxes = small.expand(&best.primal);
            let running = (0..model.reactions.len()).filter(|r| fluxes[*r].abs() > ZERO);
            let reactions = running.map(|r| (model.reactions[r].id.clone(), fluxes[r])).collect();
            found.push(EnergyCycle { carrier: (*carrier).to_owned(), rate: best.objective, reactions });
        }
    }
    Ok(found)
}

/// Whether one programme shows that no discharge can run: none can, then, with the others at rest.
fn none_runs<'a>(closed: &Scenario, discharges: impl Iterator<Item = &'a Addition>) -> Result<bool> {
    let mut scenario = closed.clone();
    let mut terms = Vec::new();
    for discharge in discharges {
        scenario.add_reaction(discharge)?;
        terms.push((discharge.id.as_str(), 1.0));
    }
    scenario.set_objective_sum(&terms, Sense::Maximize)?;
    let small = Compressed::new(&Problem::from(&scenario.network()?));
    // What cannot be told of all at once is asked of each.
    let best = Solver::new(small.problem)?.solve().ok().and_then(Outcome::optimum);
    Ok(best.is_some_and(|best| best.objective <= ZERO))
}
