//! The driving force that a pathway can have in all its steps at once.

use super::{Concentration, Step, check, wrong};
use crate::lp::{Optimum, Outcome, Problem, Solver};
use crate::network::Sense;
use crate::sparse::Matrix;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Result};

/// The ratio of two concentrations lies in a range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Ratio {
    /// Compound above the line.
    pub over: usize,
    /// Compound below the line.
    pub under: usize,
    /// Lowest ratio, above zero.
    pub lower: f64,
    /// Highest ratio, finite.
    pub upper: f64,
}

/// A pathway: steps in the direction in which they run, and the concentrations allowed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Pathway {
    /// Its reactions.
    pub steps: Vec<Step>,
    /// Its compounds.
    pub compounds: Vec<Concentration>,
    /// Ratios that are kept besides.
    #[serde(default)]
    pub ratios: Vec<Ratio>,
    /// `R·T`, kJ/mol ([`super::thermal_energy`]).
    pub thermal: f64,
    /// By how many standard deviations each `ΔG'°` may differ from its value, to the pathway's favour; zero: not at all.
    #[serde(default)]
    pub spread: f64,
}

/// The best of the worst driving forces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Force {
    /// Max–min driving force, kJ/mol. The pathway is feasible when it is above zero.
    pub force: f64,
    /// Concentrations that reach it, mol/L; as a rule not the only ones.
    pub concentrations: Vec<f64>,
    /// `−ΔG'` of each step there, kJ/mol.
    pub driving: Vec<f64>,
    /// Share of each step in the limit: what the force gains for each kJ/mol by which the step's `ΔG'°` falls. They sum to
    /// one; a step above zero is a bottleneck.
    pub bottlenecks: Vec<f64>,
    /// The optimum of the programme with its proof: its variables are the force, the logarithms of the concentrations, and
    /// the deviations of the steps' energies.
    pub optimum: Optimum,
}

impl Force {
    /// Whether every step can run forward at once.
    #[must_use]
    pub fn is_feasible(&self) -> bool {
        self.force > 0.0
    }
}

/// Max–min driving force (Noor et al., PLoS Comput. Biol. 10, 2014, e1003483): the concentrations at which the least
/// favoured step has the greatest `−ΔG'`. Concentrations that contradict the ratios are answered by the conflict.
///
/// # Errors
/// `E-FLUX-034`, naming the field; `E-FLUX-012` as for [`Solver::solve`].
pub fn driving_force(pathway: &Pathway) -> Result<Result<Force, Outcome>> {
    let Pathway { steps, compounds, ratios, thermal, spread } = pathway;
    check(steps, compounds, *thermal, *spread)?;
    if steps.is_empty() {
        return Err(wrong("steps".into(), "反応がありません", "there is no reaction"));
    }
    for (at, ratio) in ratios.iter().enumerate() {
        let range = ratio.lower > 0.0 && ratio.upper.is_finite() && ratio.lower <= ratio.upper;
        if !range || ratio.over.max(ratio.under) >= compounds.len() {
            return Err(wrong(format!("ratios[{at}]"), "比の範囲か化合物が誤っています", "its range or a compound is wrong"));
        }
    }
    // Energies in units of R·T, so that coefficients are small whole numbers. Row r: force + Σ ν ln c + e ≤ −ΔG'°.
    let (n, k) = (compounds.len(), steps.len());
    let mut columns: Vec<Vec<(usize, f64)>> = vec![Vec::new(); 1 + n];
    columns[0] = (0..k).map(|r| (r, 1.0)).collect();
    for (r, step) in steps.iter().enumerate() {
        for &(compound, coefficient) in &step.stoichiometry {
            columns[1 + compound].push((r, coefficient));
        }
    }
    for (at, ratio) in ratios.iter().enumerate() {
        columns[1 + ratio.over].push((k + at, 1.0));
        columns[1 + ratio.under].push((k + at, -1.0));
    }
    columns.extend((0..k).map(|r| vec![(r, 1.0)]));
    let doubts = || steps.iter().map(|s| spread * s.deviation / thermal);
    let first = |infinite: f64| std::iter::once(infinite);
    let mut cost = vec![0.0; columns.len()];
    cost[0] = 1.0;
    let matrix = Matrix::from_columns(k + ratios.len(), columns.iter().map(Vec::as_slice))
        .ok_or_else(|| Error::input("E-FLUX-001", "経路が大きすぎます", "the pathway is too large"))?;
    let problem = Problem {
        matrix,
        lower: first(f64::NEG_INFINITY).chain(compounds.iter().map(|c| c.lower.ln())).chain(doubts().map(|d| 0.0 - d)).collect(),
        upper: first(f64::INFINITY).chain(compounds.iter().map(|c| c.upper.ln())).chain(doubts()).collect(),
        cost,
        sense: Sense::Maximize,
        row_lower: steps.iter().map(|_| f64::NEG_INFINITY).chain(ratios.iter().map(|r| r.lower.ln())).collect(),
        row_upper: steps.iter().map(|s| 0.0 - s.standard / thermal).chain(ratios.iter().map(|r| r.upper.ln())).collect(),
    };
    let best = match Solver::new(problem)?.solve()? {
        Outcome::Optimal(best) => best,
        other => return Ok(Err(other)),
    };
    let logarithms = &best.primal[1..=n];
    let driving = steps
        .iter()
        .zip(&best.primal[1 + n..])
        .map(|(step, doubt)| {
            let sum: f64 = step.stoichiometry.iter().map(|&(c, v)| v * logarithms[c]).sum();
            0.0 - (step.standard + thermal * (sum + doubt))
        })
        .collect();
    Ok(Ok(Force {
        force: best.objective * thermal,
        concentrations: logarithms.iter().zip(compounds).map(|(x, range)| x.exp().clamp(range.lower, range.upper)).collect(),
        driving,
        bottlenecks: best.prices[..k].to_vec(),
        optimum: best,
    }))
}
