//! Targets of expression: which fluxes rise and which fall as the product is forced up.
//!
//! FSEOF (Choi et al., Appl. Environ. Microbiol. 76, 2010, 3097–3105) forces the product in steps and looks for fluxes that
//! rise with it while the cell grows as well as it still can; FVSEOF (Park et al., BMC Syst. Biol. 6, 2012, 106) looks at the
//! ranges of the fluxes instead of one vector. Here the steps contain every break point of the trade-off between product and
//! growth, between which the best growth is a straight line, so that no change of slope falls between two steps.

use super::thrift::Thrift;
use crate::analyse::{Variability, envelope, fva};
use crate::lp::Outcome;
use crate::network::{Network, Sense};
use toji_core::{Error, Place, Result};

/// Fluxes below this are none.
const STILL: f64 = 1e-7;
/// Most steps.
const STEPS_MAX: usize = 200;

/// What is forced and how far.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct ScanTask {
    /// Reaction whose flux the cell makes as large as it can: growth as a rule.
    ///
    /// 細胞が最大にする反応。ふつうは増殖。
    pub growth: usize,
    /// Reaction whose flux is forced up.
    ///
    /// 流束を強制的に上げる反応。
    pub product: usize,
    /// Even steps from the product at best growth to the end, at least 2; break points are added.
    ///
    /// 最大増殖時の生産から終点までの等間隔の段数(2 以上)。折れ点は加わる。
    pub steps: usize,
    /// The end as a share of the greatest product, above 0 and at most 1; 0.9 is customary.
    ///
    /// 終点。最大生産に対する割合(0 より大きく 1 以下)。ふつう 0.9。
    pub reach: f64,
    /// Whether the ranges of the fluxes are worked out too (FVSEOF).
    ///
    /// 流束の範囲も求めるか(FVSEOF)。
    pub ranges: bool,
    /// Threads; the result is the same for any number.
    ///
    /// スレッド数。結果は数によらない。
    pub threads: usize,
}

/// What a flux is a target for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trend {
    /// It rises with the product: over-expression.
    ///
    /// 生産とともに上がる。強化の対象。
    Up,
    /// It falls with the product but does not end: under-expression.
    ///
    /// 生産とともに下がるが残る。抑制の対象。
    Down,
    /// It falls with the product and ends: removal.
    ///
    /// 生産とともに下がり、なくなる。欠失の対象。
    Off,
    /// It stays, turns round, or changes direction on the way.
    ///
    /// 変わらない、途中で向きを変える、または増減が一定しない。
    None,
}

/// How one flux follows the product.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Follow {
    /// Flux at each step, of least total among those of best growth.
    pub fluxes: Vec<f64>,
    /// Change of its absolute value for each unit of product, by least squares.
    pub slope: f64,
    /// Rises less falls of the absolute value over their sum: +1 it only rises, −1 it only falls, 0 without change.
    pub monotony: f64,
    /// Change of the absolute middle of its range for each unit of product, by least squares; with ranges only.
    pub middle: Option<f64>,
    /// Change of the width of its range for each unit of product, by least squares; with ranges only.
    pub width: Option<f64>,
    /// What it is a target for.
    pub trend: Trend,
}

/// How all fluxes follow the product.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Scan {
    /// Product at each step, ascending.
    pub product: Vec<f64>,
    /// Best growth at each step.
    pub growth: Vec<f64>,
    /// Each reaction, in the order of the network.
    pub reactions: Vec<Follow>,
}

/// Forces the product up step by step and says how every flux follows. A network that is infeasible, or in which growth or
/// product have no limit, is answered as [`crate::analyse::fba`] answers it. With no product to be had there is one step.
///
/// # Errors
/// `E-FLUX-120` for a task that is none, naming the field, and those of [`envelope`].
pub fn scan(network: &Network, task: &ScanTask) -> Result<Result<Scan, Outcome>> {
    let n = network.reactions();
    let wrong = |field: &str, ja: String, en: String| Err(Error::input("E-FLUX-120", ja, en).at(Place::field(field)));
    for (field, j) in [("growth", task.growth), ("product", task.product)] {
        if j >= n {
            return wrong(field, format!("反応の番号 {j} が範囲外です"), format!("reaction number {j} is out of range"));
        }
    }
    if !(2..=STEPS_MAX).contains(&task.steps) {
        return wrong("steps", format!("段数は 2~{STEPS_MAX} です"), format!("use 2 to {STEPS_MAX} steps"));
    }
    if !(task.reach > 0.0 && task.reach <= 1.0) {
        return wrong("reach", "割合は 0 より大きく 1 以下です".into(), "use a share above 0 and at most 1".into());
    }
    let mut held = network.clone();
    held.objective = vec![0.0; n];
    held.objective[task.growth] = 1.0;
    held.sense = Sense::Maximize;
    let levels = match levels(&held, task)? {
        Ok(levels) => levels,
        Err(other) => return Ok(Err(other)),
    };
    let mut thrift = Thrift::new(&held)?;
    let mut found = match follow_levels(&mut thrift, &held, task, &levels)? {
        Ok(found) => found,
        Err(other) => return Ok(Err(other)),
    };
    if task.ranges {
        let mut ranges = Vec::new();
        for &level in &found.product {
            held.lower[task.product] = level;
            held.upper[task.product] = level;
            match fva(&held, &Variability { threads: task.threads, ..Variability::default() })? {
                Ok(range) => ranges.push((range.minimum, range.maximum)),
                Err(other) => return Ok(Err(other)),
            }
        }
        let Scan { product, reactions, .. } = &mut found;
        for (j, follow) in reactions.iter_mut().enumerate() {
            let span = |f: &dyn Fn(f64, f64) -> f64| {
                let values: Vec<f64> = ranges.iter().map(|(low, high)| f(low[j], high[j])).collect();
                Some(slope(product, &values)).filter(|s| s.is_finite())
            };
            follow.middle = span(&|low, high| (0.5 * (low + high)).abs());
            follow.width = span(&|low, high| high - low);
        }
    }
    Ok(Ok(found))
}

/// How the fluxes follow the product from level to level. The bounds of the product are left as the last level set them.
pub(super) fn follow_levels(
    thrift: &mut Thrift,
    network: &Network,
    task: &ScanTask,
    levels: &[f64],
) -> Result<Result<Scan, Outcome>> {
    let mut scan = Scan { product: Vec::new(), growth: Vec::new(), reactions: Vec::new() };
    let bounds = (network.lower[task.growth], network.upper[task.growth]);
    let mut fluxes: Vec<Vec<f64>> = Vec::new();
    for &level in levels {
        let possible = thrift.bound(task.product, level, level);
        match thrift.fluxes(task.growth, bounds)? {
            Ok((growth, found)) if possible => {
                scan.product.push(level);
                scan.growth.push(growth);
                fluxes.push(found);
            }
            // The last level may lie a rounding outside.
            Ok(_) | Err(Outcome::Infeasible(_)) if !fluxes.is_empty() => break,
            Err(other) => return Ok(Err(other)),
            Ok(_) => break,
        }
    }
    for j in 0..network.reactions() {
        let own: Vec<f64> = fluxes.iter().map(|step| step[j]).collect();
        scan.reactions.push(follow(&scan.product, own, None, None));
    }
    Ok(Ok(scan))
}

/// The levels of the product: even ones and the break points of the best growth between the ends.
fn levels(held: &Network, task: &ScanTask) -> Result<Result<Vec<f64>, Outcome>> {
    let roof = match envelope(held, task.product, task.growth)? {
        Ok(found) => found.upper,
        Err(other) => return Ok(Err(other)),
    };
    // The product of best growth (the least, should several be as good) and the greatest.
    let best = roof.iter().fold(f64::NEG_INFINITY, |a, p| a.max(p.1));
    let start = roof.iter().find(|p| p.1 >= best - STILL * (1.0 + best.abs())).map_or(0.0, |p| p.0).max(0.0);
    let greatest = roof.last().map_or(0.0, |p| p.0);
    let end = start + task.reach * (greatest - start);
    if end - start <= STILL {
        return Ok(Ok(vec![start]));
    }
    let gap = (end - start) / (task.steps - 1) as f64;
    let mut levels: Vec<f64> = (0..task.steps).map(|k| start + gap * k as f64).collect();
    levels.extend(roof.iter().map(|p| p.0).filter(|&p| p > start && p < end));
    levels.sort_by(f64::total_cmp);
    levels.dedup_by(|a, b| *a - *b < 1e-3 * gap);
    Ok(Ok(levels))
}

fn follow(product: &[f64], fluxes: Vec<f64>, middle: Option<f64>, width: Option<f64>) -> Follow {
    let sizes: Vec<f64> = fluxes.iter().map(|v| v.abs()).collect();
    let (mut up, mut down) = (0.0, 0.0);
    for pair in sizes.windows(2) {
        let change = pair[1] - pair[0];
        if change.abs() > STILL * (1.0 + pair[0]) {
            *(if change > 0.0 { &mut up } else { &mut down }) += change.abs();
        }
    }
    let monotony = if up + down > 0.0 { (up - down) / (up + down) } else { 0.0 };
    let turns = fluxes.iter().any(|&v| v > STILL) && fluxes.iter().any(|&v| v < -STILL);
    let (first, last) = (sizes.first().copied().unwrap_or(0.0), sizes.last().copied().unwrap_or(0.0));
    let trend = match () {
        () if turns => Trend::None,
        () if monotony > 0.9 && last > first + STILL => Trend::Up,
        () if monotony < -0.9 && last <= STILL => Trend::Off,
        () if monotony < -0.9 => Trend::Down,
        () => Trend::None,
    };
    Follow { slope: slope(product, &sizes), fluxes, monotony, middle, width, trend }
}

/// Slope of least squares; zero for fewer than two places.
fn slope(x: &[f64], y: &[f64]) -> f64 {
    let count = x.len().min(y.len());
    if count < 2 {
        return 0.0;
    }
    let mean = |v: &[f64]| v[..count].iter().sum::<f64>() / count as f64;
    let (mx, my) = (mean(x), mean(y));
    let (mut over, mut under) = (0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        over += (x - mx) * (y - my);
        under += (x - mx) * (x - mx);
    }
    if under > 0.0 { over / under } else { 0.0 }
}
