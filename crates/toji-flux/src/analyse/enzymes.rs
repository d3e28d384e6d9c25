//! Enzyme constraints: every flux needs so much of its enzymes, and there is only so much protein.

use super::fba::fba;
use crate::lp::{Optimum, Outcome};
use crate::network::Network;
use crate::sparse::Matrix;
use std::collections::BTreeMap;
use toji_core::{Error, Place, Result};

/// Seconds of an hour.
const HOUR: f64 = 3600.0;
/// Fluxes below this carry no enzyme.
const STILL: f64 = 1e-12;

/// An enzyme, or a subunit of one.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Enzyme {
    /// Identifier.
    pub id: String,
    /// Mass in kDa (g/mmol).
    pub mass_kda: f64,
    /// Greatest amount in mmol per gram of dry weight, where it was measured.
    #[serde(default)]
    pub measured_mmol_per_g: Option<f64>,
}

/// Which way of a reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// As the reaction is written.
    Forward,
    /// Against it.
    Backward,
}

/// One entry of a table of turnover numbers: a reaction, one way, by one enzyme or complex. Several entries for one reaction
/// and way are isozymes.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Turnover {
    /// The reaction.
    pub reaction: usize,
    /// Which way.
    pub way: Way,
    /// Turnovers of the complex per second.
    pub kcat_per_s: f64,
    /// The enzymes of the complex by number, and how many of each.
    pub subunits: Vec<(usize, f64)>,
}

/// How enzymes are written into the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// GECKO (Sánchez et al., Mol. Syst. Biol. 13, 2017, 935): every enzyme is a row of its own that a flux uses at
    /// `1/kcat` and a draw from the pool fills at the enzyme's mass; isozymes run side by side.
    Classic,
    /// GECKO 3 light (Chen et al., Nat. Protoc. 19, 2024, 629–667): one row, the pool, that a flux uses at `mass/kcat` of its
    /// cheapest isozyme. Measured amounts play no part.
    Light,
    /// sMOMENT (Bekiaris and Klamt, BMC Bioinformatics 21, 2020, 19): as light, with a row of its own for an enzyme whose
    /// amount was measured.
    Smoment,
}

/// What limits the enzymes.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct EnzymeTask {
    /// The enzymes.
    pub enzymes: Vec<Enzyme>,
    /// The turnover numbers.
    pub turnovers: Vec<Turnover>,
    /// Protein that can be had for these enzymes, in gram per gram of dry weight.
    pub pool_g_per_g: f64,
    /// Average share of its turnover at which an enzyme works, above 0 and at most 1.
    pub saturation: f64,
    /// How they are written into the network.
    pub encoding: Encoding,
}

/// A network with enzyme constraints. Its first columns and rows are those of the network it was made from, so that every
/// analysis of the crate answers for them under their own numbers.
#[derive(Debug, Clone)]
pub struct EnzymeNetwork {
    /// The network.
    pub network: Network,
    reactions: usize,
    /// Column and coefficients of each entry of the table; those of light forms that were not the cheapest have none.
    runs: Vec<Option<Run>>,
    pool: f64,
    pool_row: usize,
    masses: Vec<f64>,
    /// Measured amounts that count.
    limits: Vec<Option<f64>>,
    turnovers: Vec<Turnover>,
    saturation: f64,
}

#[derive(Debug, Clone)]
struct Run {
    column: usize,
    /// Rows whose coefficient goes as one over the turnover number.
    uses: Vec<(usize, f64)>,
}

/// What an enzyme does at an optimum.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Usage {
    /// Amount in use, mmol per gram of dry weight.
    pub mmol_per_g: f64,
    /// Mass in use, gram per gram of dry weight.
    pub g_per_g: f64,
    /// Share of the measured amount that is in use, where one was measured and counts.
    pub of_measured: Option<f64>,
}

/// An optimum under enzyme constraints.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct EnzymeOptimum {
    /// Value of the objective.
    pub objective: f64,
    /// Fluxes of the reactions of the network it was made from.
    pub fluxes: Vec<f64>,
    /// Usage of each enzyme.
    pub usage: Vec<Usage>,
    /// Protein in use, gram per gram of dry weight.
    pub pool_used: f64,
    /// Relative change of the objective with a relative change of the pool: the pool's control coefficient.
    pub pool_control: f64,
    /// The same for each turnover number of the table (from the prices of the optimum; where the optimum is degenerate, one
    /// side's).
    pub control: Vec<f64>,
    /// The optimum with its proof, on the network with enzymes.
    pub optimum: Optimum,
}

/// Writes enzyme constraints into a network.
///
/// # Errors
/// `E-FLUX-094` when a reaction or enzyme is out of range, or a mass, turnover number, amount, pool or saturation is no number
/// above zero (or the saturation above one).
pub fn with_enzymes(network: &Network, task: &EnzymeTask) -> Result<EnzymeNetwork> {
    check(network, task)?;
    let mut build = Build::new(network, task);
    let chosen = build.chosen();
    let mut runs: Vec<Option<Run>> = vec![None; task.turnovers.len()];
    let mut ways: BTreeMap<(usize, Way), Vec<usize>> = BTreeMap::new();
    for (at, turnover) in task.turnovers.iter().enumerate() {
        ways.entry((turnover.reaction, turnover.way)).or_default().push(at);
    }
    let mut linked: BTreeMap<usize, usize> = BTreeMap::new();
    for ((reaction, way), entries) in ways {
        // The reaction's flux is its runs forward less those backward; ways without an entry are free.
        let link = *linked.entry(reaction).or_insert_with(|| build.link(reaction));
        let sign = if way == Way::Forward { -1.0 } else { 1.0 };
        for at in entries.into_iter().filter(|at| chosen[*at]) {
            let uses = build.uses(&task.turnovers[at]);
            let column = build.column(uses.iter().copied().chain([(link, sign)]).collect(), f64::INFINITY);
            runs[at] = Some(Run { column, uses });
        }
    }
    for (reaction, link) in linked {
        for (way, sign) in [(Way::Forward, -1.0), (Way::Backward, 1.0)] {
            if !task.turnovers.iter().any(|t| t.reaction == reaction && t.way == way) {
                build.column(vec![(link, sign)], f64::INFINITY);
            }
        }
    }
    build.finish(task, network.reactions(), runs)
}

fn check(network: &Network, task: &EnzymeTask) -> Result<()> {
    let above = |v: f64| v > 0.0 && v.is_finite();
    let bad = |field: String| {
        Error::input(
            "E-FLUX-094",
            format!("{field} の反応・酵素が範囲外か、数が正の有限の値ではありません"),
            format!("{field} names a reaction or enzyme out of range, or a number that is not above zero"),
        )
        .at(Place::field(field))
        .hint(
            "質量(kDa)・代謝回転数(毎秒)・量・プールは正の数、飽和度は 0 より大きく 1 以下にしてください",
            "let masses (kDa), turnover numbers (per second), amounts and the pool be above zero, the saturation above zero and at most one",
        )
    };
    if !above(task.pool_g_per_g) {
        return Err(bad("pool_g_per_g".into()));
    }
    if !above(task.saturation) || task.saturation > 1.0 {
        return Err(bad("saturation".into()));
    }
    if let Some(at) = task.enzymes.iter().position(|e| !above(e.mass_kda) || e.measured_mmol_per_g.is_some_and(|m| !above(m))) {
        return Err(bad(format!("enzymes[{at}]")));
    }
    let sound = |t: &Turnover| {
        t.reaction < network.reactions()
            && above(t.kcat_per_s)
            && !t.subunits.is_empty()
            && t.subunits.iter().all(|s| s.0 < task.enzymes.len() && above(s.1))
    };
    match task.turnovers.iter().position(|t| !sound(t)) {
        Some(at) => Err(bad(format!("turnovers[{at}]"))),
        None => Ok(()),
    }
}

/// The network while it grows.
struct Build<'a> {
    task: &'a EnzymeTask,
    columns: Vec<Vec<(usize, f64)>>,
    network: Network,
    rows: usize,
    pool_row: usize,
    /// Row of each enzyme that has one.
    own: Vec<Option<usize>>,
}

impl<'a> Build<'a> {
    fn new(network: &Network, task: &'a EnzymeTask) -> Self {
        let columns = (0..network.reactions()).map(|j| network.stoichiometry.iter(j).collect()).collect();
        let mut build = Self { task, columns, network: network.clone(), rows: network.rows(), pool_row: 0, own: Vec::new() };
        build.pool_row = build.row(f64::NEG_INFINITY, task.pool_g_per_g);
        for enzyme in &task.enzymes {
            let row = match (task.encoding, enzyme.measured_mmol_per_g) {
                (Encoding::Classic, measured) => {
                    let row = build.row(0.0, 0.0);
                    // The draw from the pool.
                    let draw = vec![(row, -1.0), (build.pool_row, enzyme.mass_kda)];
                    build.column(draw, measured.unwrap_or(f64::INFINITY));
                    Some(row)
                }
                (Encoding::Smoment, Some(measured)) => Some(build.row(f64::NEG_INFINITY, measured)),
                _ => None,
            };
            build.own.push(row);
        }
        build
    }

    fn row(&mut self, lower: f64, upper: f64) -> usize {
        self.network.row_lower.push(lower);
        self.network.row_upper.push(upper);
        self.rows += 1;
        self.rows - 1
    }

    fn column(&mut self, entries: Vec<(usize, f64)>, upper: f64) -> usize {
        self.network.lower.push(0.0);
        self.network.upper.push(upper);
        self.network.objective.push(0.0);
        self.columns.push(entries);
        self.columns.len() - 1
    }

    fn link(&mut self, reaction: usize) -> usize {
        let row = self.row(0.0, 0.0);
        self.columns[reaction].push((row, 1.0));
        row
    }

    /// mmol of complex for each unit of flux (mmol per gram and hour).
    fn amount(&self, turnover: &Turnover) -> f64 {
        1.0 / (turnover.kcat_per_s * HOUR * self.task.saturation)
    }

    fn uses(&self, turnover: &Turnover) -> Vec<(usize, f64)> {
        let amount = self.amount(turnover);
        let mut rows: BTreeMap<usize, f64> = BTreeMap::new();
        for &(enzyme, count) in &turnover.subunits {
            if let Some(row) = self.own[enzyme] {
                *rows.entry(row).or_default() += count * amount;
            }
            if self.task.encoding != Encoding::Classic {
                *rows.entry(self.pool_row).or_default() += count * amount * self.task.enzymes[enzyme].mass_kda;
            }
        }
        rows.into_iter().collect()
    }

    /// Entries that are written: all, or (light) the cheapest of each reaction and way.
    fn chosen(&self) -> Vec<bool> {
        let cost = |t: &Turnover| {
            self.amount(t) * t.subunits.iter().map(|&(e, count)| count * self.task.enzymes[e].mass_kda).sum::<f64>()
        };
        let mut best: BTreeMap<(usize, Way), usize> = BTreeMap::new();
        for (at, turnover) in self.task.turnovers.iter().enumerate() {
            let entry = best.entry((turnover.reaction, turnover.way)).or_insert(at);
            if cost(turnover) < cost(&self.task.turnovers[*entry]) {
                *entry = at;
            }
        }
        let all = self.task.encoding == Encoding::Classic;
        self.task.turnovers.iter().enumerate().map(|(at, t)| all || best.get(&(t.reaction, t.way)) == Some(&at)).collect()
    }

    fn finish(mut self, task: &EnzymeTask, reactions: usize, runs: Vec<Option<Run>>) -> Result<EnzymeNetwork> {
        self.network.stoichiometry = Matrix::from_columns(self.rows, self.columns.iter().map(Vec::as_slice))
            .ok_or_else(|| Error::input("E-FLUX-001", "モデルが大きすぎます", "the model is too large"))?;
        let counts = |e: &Enzyme| if task.encoding == Encoding::Light { None } else { e.measured_mmol_per_g };
        Ok(EnzymeNetwork {
            network: self.network,
            reactions,
            runs,
            pool: task.pool_g_per_g,
            pool_row: self.pool_row,
            masses: task.enzymes.iter().map(|e| e.mass_kda).collect(),
            limits: task.enzymes.iter().map(counts).collect(),
            turnovers: task.turnovers.clone(),
            saturation: task.saturation,
        })
    }
}

impl EnzymeNetwork {
    /// Optimum, usage and control coefficients. The control of a turnover number is `(kcat/z)·dz/dkcat`: the price of each row
    /// that its run uses times what it uses, relative to the objective `z`. An infeasible or unbounded network is answered as
    /// [`super::fba`] answers it.
    ///
    /// # Errors
    /// As for [`super::fba`].
    pub fn solve(&self) -> Result<Result<EnzymeOptimum, Outcome>> {
        let best = match fba(&self.network)? {
            Outcome::Optimal(best) => best,
            other => return Ok(Err(other)),
        };
        let relative = |value: f64| if best.objective == 0.0 { 0.0 } else { value / best.objective };
        let mut amounts = vec![0.0; self.masses.len()];
        let mut control = Vec::new();
        for (turnover, run) in self.turnovers.iter().zip(&self.runs) {
            let flux = run.as_ref().map_or(0.0, |run| best.primal[run.column]);
            for &(enzyme, count) in &turnover.subunits {
                if flux > STILL {
                    amounts[enzyme] += count * flux / (turnover.kcat_per_s * HOUR * self.saturation);
                }
            }
            let worth: f64 = run.iter().flat_map(|run| &run.uses).map(|&(row, a)| best.prices[row] * a * flux).sum();
            control.push(relative(worth));
        }
        let usage: Vec<Usage> = amounts
            .iter()
            .enumerate()
            .map(|(e, &mmol_per_g)| Usage {
                mmol_per_g,
                g_per_g: mmol_per_g * self.masses[e],
                of_measured: self.limits[e].map(|limit| mmol_per_g / limit),
            })
            .collect();
        Ok(Ok(EnzymeOptimum {
            objective: best.objective,
            fluxes: best.primal[..self.reactions].to_vec(),
            pool_used: usage.iter().map(|u| u.g_per_g).sum(),
            usage,
            pool_control: relative(best.prices[self.pool_row] * self.pool),
            control,
            optimum: best,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Column, Sense};

    fn task(encoding: Encoding) -> (Network, EnzymeTask) {
        // In (≤ 100) → A; A → B by two isozymes, B → C by a complex; C out is the objective. A ⇌ waste without an enzyme.
        let column = |stoichiometry, objective| Column { stoichiometry, lower: 0.0, upper: 100.0, objective };
        let columns = [
            column(&[(0, 1.0)][..], 0.0),
            column(&[(0, -1.0), (1, 1.0)], 0.0),
            column(&[(1, -1.0), (2, 1.0)], 0.0),
            column(&[(2, -1.0)], 1.0),
        ];
        let network = Network::new(3, Sense::Maximize, columns).unwrap();
        let enzyme = |id: &str, mass_kda, measured_mmol_per_g| Enzyme { id: id.into(), mass_kda, measured_mmol_per_g };
        let turnover = |reaction, kcat_per_s, subunits| Turnover { reaction, way: Way::Forward, kcat_per_s, subunits };
        let task = EnzymeTask {
            enzymes: vec![enzyme("a", 40.0, None), enzyme("b", 30.0, Some(1e-6)), enzyme("c", 50.0, None)],
            turnovers: vec![
                turnover(1, 10.0, vec![(0, 1.0)]),
                turnover(1, 20.0, vec![(1, 1.0)]),
                turnover(2, 5.0, vec![(2, 2.0)]),
            ],
            pool_g_per_g: 0.1,
            saturation: 0.5,
            encoding,
        };
        (network, task)
    }

    #[test]
    fn protein_limits_as_worked_out_by_hand() {
        // g per unit of flux: a 40/(10·3600·0.5), b 30/(20·3600·0.5), c 2·50/(5·3600·0.5).
        let (a, b, c) = (40.0 / 18_000.0, 30.0 / 36_000.0, 100.0 / 9_000.0);
        let (network, light) = task(Encoding::Light);
        let best = with_enzymes(&network, &light).unwrap().solve().unwrap().unwrap();
        assert!((best.objective - 0.1 / (b + c)).abs() < 1e-9, "{best:?}");
        assert!((best.pool_control - 1.0).abs() < 1e-9 && (best.pool_used - 0.1).abs() < 1e-12);
        assert!((best.control[1] - b / (b + c)).abs() < 1e-9 && best.control[0] == 0.0);
        // With what was measured of b, it carries 1e-6 · 36,000 = 0.036 at most, and a the rest.
        let (_, classic) = task(Encoding::Classic);
        let best = with_enzymes(&network, &classic).unwrap().solve().unwrap().unwrap();
        let want = (0.1 + 0.036 * (a - b)) / (a + c);
        assert!((best.objective - want).abs() < 1e-9, "{} {want}", best.objective);
        assert!((best.usage[1].of_measured.unwrap() - 1.0).abs() < 1e-9 && (best.usage[1].g_per_g - 3e-5).abs() < 1e-12);
        // sMOMENT takes the cheapest isozyme alone, whose amount then limits.
        let (_, smoment) = task(Encoding::Smoment);
        let best = with_enzymes(&network, &smoment).unwrap().solve().unwrap().unwrap();
        assert!((best.objective - 0.036).abs() < 1e-12 && best.pool_control.abs() < 1e-9, "{best:?}");
        assert!((best.control[1] - 1.0).abs() < 1e-9);
        let bad = EnzymeTask { saturation: 1.5, ..light };
        assert_eq!(with_enzymes(&network, &bad).unwrap_err().code(), "E-FLUX-094");
    }
}
