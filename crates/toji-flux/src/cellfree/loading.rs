//! How to spend a budget of protein.
//!
//! At the best loadings an enzyme that is used has the same share of the protein as of the control (Klipp and Heinrich,
//! BioSystems 54, 1999, 1–14; Heinrich and Schuster, The Regulation of Cellular Systems, 1996, chapter 6). The search steps
//! towards that, in the geometric mean of the two shares, and only uphill; from several starts.

use super::cascade::{Cascade, Task};
use super::control::{Measure, sharpened, unreached};
use super::simulate::Ask;
use super::system::{System, amount};
use super::wrong;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Quantity, Result};

/// What is to be reached, and with how much.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CellFreeGoal")]
pub struct Goal {
    /// Most product at the end, or least time to the target.
    ///
    /// 終了時の生成量を最大にするか、目標到達時間を最小にするか。
    pub measure: Measure,
    /// Enzyme in all, g/L.
    ///
    /// 酵素の総量（g/L）。
    pub protein: Quantity,
}

/// One enzyme in the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CellFreeShare")]
pub struct Share {
    /// Enzyme.
    pub enzyme: String,
    /// Loading, g/L.
    pub loading: f64,
    /// Its share of the protein.
    pub share: f64,
    /// Its share of the control; equal to that of the protein where the loadings are best.
    pub control: f64,
}

/// The best loadings found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CellFreeLoading")]
pub struct Loading {
    /// What was sought.
    pub measure: Measure,
    /// Enzymes.
    pub enzymes: Vec<Share>,
    /// The measure there (mmol or h), run anew a hundred times more exactly.
    pub value: f64,
    /// The measure with the protein in equal shares; none where the target is not reached so.
    pub equal: Option<f64>,
    /// Relative difference between the search and the more exact run.
    pub difference: f64,
    /// The greatest relative gain by giving a hundredth of the protein from one enzyme to another, by the more exact runs:
    /// zero or below at a local optimum.
    pub gain: f64,
    /// Starts of the search, and how many ended within 1e-6 of the best value, relative.
    pub starts: usize,
    /// See `starts`.
    pub agreeing: usize,
    /// Simulations of the search.
    pub simulations: usize,
}

/// Iterations of one search.
const ROUNDS: usize = 60;
/// Shares below this are none.
const NOTHING: f64 = 1e-7;

struct Search<'a> {
    system: &'a System,
    masses: Vec<f64>,
    protein: f64,
    measure: Measure,
    ask: Ask,
    simulations: usize,
}

impl Search<'_> {
    fn with(&self, shares: &[f64]) -> System {
        let mut system = self.system.clone();
        for (e, enzyme) in system.enzymes.iter_mut().enumerate() {
            enzyme.loading = shares[e] * self.protein / self.masses[e] * 1000.0;
        }
        system
    }

    /// To be made as large as can be.
    fn value(&mut self, shares: &[f64], ask: Ask) -> Result<f64> {
        self.simulations += 1;
        let value = self.with(shares).logarithm(self.measure, ask)?;
        Ok(if self.measure == Measure::Time { -value } else { value })
    }

    /// Share of the control by enzyme, none below zero.
    fn control(&mut self, shares: &[f64]) -> Result<Vec<f64>> {
        self.simulations += 2 * shares.len();
        let sign = if self.measure == Measure::Time { -1.0 } else { 1.0 };
        let found = self.with(shares).coefficients(self.measure, self.ask)?;
        let kept = found.into_iter().map(|c| if c.is_finite() { (sign * c).max(0.0) } else { 0.0 });
        Ok(normal(kept.collect()))
    }

    fn climb(&mut self, start: Vec<f64>) -> Result<(Vec<f64>, f64)> {
        let (mut at, mut value) = (start.clone(), self.value(&start, self.ask)?);
        let mut power = 0.5_f64;
        for _ in 0..ROUNDS {
            let control = self.control(&at)?;
            if at.iter().zip(&control).all(|(x, c)| (x - c).abs() < 2e-6) {
                break;
            }
            let mut better = None;
            while power > 1e-3 {
                let moved = at.iter().zip(&control).map(|(x, c)| if *x == 0.0 { 0.0 } else { x * (c / x).max(1e-4).powf(power) });
                let moved = normal(normal(moved.collect()).into_iter().map(|x| if x < NOTHING { 0.0 } else { x }).collect());
                let found = self.value(&moved, self.ask)?;
                if found > value {
                    better = Some((moved, found));
                    break;
                }
                power *= 0.5;
            }
            let Some((moved, found)) = better else { break };
            let gained = found - value;
            (at, value) = (moved, found);
            power = (power * 1.25).min(0.75);
            if gained < 1e-13 {
                break;
            }
        }
        Ok((at, value))
    }
}

/// Divided by the sum, where there is one.
fn normal(mut of: Vec<f64>) -> Vec<f64> {
    let sum: f64 = of.iter().sum();
    if sum > 0.0 {
        of.iter_mut().for_each(|x| *x /= sum);
    }
    of
}

/// The loadings that reach most with so much protein. The loadings of the cascade are not looked at, its inactivation is.
///
/// # Errors
/// Those of [`super::simulate`]; `E-FLUX-100` where a molar mass is missing; `E-FLUX-103` when no start reaches the target
/// or makes product.
pub fn best_loading(cascade: &Cascade, task: &Task, goal: &Goal) -> Result<Loading> {
    let system = System::new(cascade)?;
    let protein = amount(&goal.protein, "g/L", "protein", true)?;
    let n = system.enzymes.len();
    if n == 0 || n > 24 {
        return Err(wrong("enzymes", "1 から 24 個でなければなりません", "there must be 1 to 24"));
    }
    let masses: Vec<f64> = system
        .enzymes
        .iter()
        .enumerate()
        .map(|(at, e)| {
            let (ja, en) = ("総タンパク量の配分にはモル質量が必要です", "its molar mass is needed to share out protein");
            e.molar_mass.ok_or_else(|| wrong(format!("enzymes[{at}].molar_mass"), ja, en))
        })
        .collect::<Result<_>>()?;
    let ask = sharpened(task, goal.measure)?;
    let mut search = Search { system: &system, masses, protein, measure: goal.measure, ask, simulations: 0 };
    let equal = vec![1.0 / n as f64; n];
    let mut starts = vec![equal.clone()];
    if n > 1 {
        let heavy = |k: usize| (0..n).map(|e| if e == k { 0.6 } else { 0.4 / (n - 1) as f64 }).collect();
        starts.extend((0..n.min(6)).map(heavy));
    }
    let mut ends = Vec::with_capacity(starts.len());
    for start in &starts {
        ends.push(search.climb(start.clone())?);
    }
    let mut best = 0;
    for (k, end) in ends.iter().enumerate() {
        if end.1 > ends[best].1 {
            best = k;
        }
    }
    let (shares, value) = ends[best].clone();
    if !value.is_finite() {
        return Err(unreached(goal.measure));
    }
    let agreeing = ends.iter().filter(|e| value - e.1 <= 1e-6).count();
    let control = search.control(&shares)?;
    let simulations = search.simulations;
    let tight = Ask { tolerance: (ask.tolerance * 0.01).max(1e-12), ..ask };
    let sure = search.value(&shares, tight)?;
    let mut gain = f64::NEG_INFINITY;
    for from in 0..n {
        for to in (0..n).filter(|to| *to != from && shares[from] >= 0.01) {
            let mut moved = shares.clone();
            moved[from] -= 0.01;
            moved[to] += 0.01;
            gain = gain.max(search.value(&moved, tight)? - sure);
        }
    }
    let plain = |v: f64| if goal.measure == Measure::Time { (-v).exp() } else { v.exp() };
    let equal = search.value(&equal, tight)?;
    let enzymes = system.enzymes.iter().zip(shares.iter().zip(&control)).map(|(e, (share, control))| Share {
        enzyme: e.id.clone(),
        loading: share * protein,
        share: *share,
        control: *control,
    });
    Ok(Loading {
        measure: goal.measure,
        enzymes: enzymes.collect(),
        value: plain(sure),
        equal: equal.is_finite().then(|| plain(equal)),
        difference: ((value - sure).exp() - 1.0).abs(),
        gain: if gain.is_finite() { gain.exp() - 1.0 } else { 0.0 },
        starts: starts.len(),
        agreeing,
        simulations,
    })
}
