//! From runs to factors.

use super::factor::{Factor, FactorInput, LearntFrom};
use super::offset::{Offsets, with_offsets};
use crate::fit::{Noise, Parameter, Prior, Problem, Reading, Run, Scale};
use crate::gp::{Data, Gp, Kernel, Mean, Settings};
use crate::kernel::Options;
use crate::linear::{Cholesky, Matrix};
use crate::model::{File, Model};
use std::collections::BTreeMap;
use toji_core::{Error, Place, Result};

/// Offsets that decide on lengths, variance and noise; the others count all the same in what is learnt.
const DECIDING_MAX: usize = 150;
/// An offset counts among them where the data tell it at least so much better than what was thought before.
const TOLD_MIN: f64 = 0.05;
/// Least variance of an offset among intervals that the inputs do not explain.
const NOISE_MIN: f64 = 1e-4;
/// Bounds of a value of a factor.
const VALUE_MAX: f64 = 8.0;
/// Runs from which a refinement can be judged on runs that were held out.
const JUDGED_MIN: usize = 6;

/// What to learn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learn {
    /// The reaction or the defined quantity whose rate is multiplied.
    pub on: String,
    /// What the factor is a function of: quantities of the model, or `time`.
    pub inputs: Vec<String>,
}

/// How to learn.
#[derive(Debug, Clone, PartialEq)]
pub struct Manner {
    /// Begins of the intervals, from the start of the runs.
    pub knots: Vec<f64>,
    /// What is thought of an offset before: its standard deviation.
    pub sd: f64,
    /// Most inducing points of a factor.
    pub points: usize,
    /// Try a refinement on the readings themselves?
    pub refine: bool,
    /// Seed.
    pub seed: u64,
}

/// Whether a refinement paid, judged on runs that were held out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Refinement {
    /// Mean squared residual of the held-out runs in standard deviations of the sensors, before.
    pub before: f64,
    /// The same after it.
    pub after: f64,
    /// Was it kept?
    pub kept: bool,
}

/// What was learnt.
#[derive(Debug, Clone)]
pub struct Learnt {
    /// Factors by name.
    pub factors: BTreeMap<String, Factor>,
    /// The model file with them.
    pub file: File,
    /// Variance of the offsets that the inputs do not explain, by factor: what differs from run to run besides.
    pub unexplained: BTreeMap<String, f64>,
    /// The refinement, where one was tried.
    pub refinement: Option<Refinement>,
}

impl Learnt {
    /// The sections of the factors as they are appended to the model file.
    ///
    /// # Errors
    /// A bug of ours: what cannot be written.
    pub fn text(&self) -> Result<String> {
        text(&self.factors)
    }
}

/// Sections of factors in the notation of the model file.
///
/// # Errors
/// A bug of ours: what cannot be written.
pub fn text(factors: &BTreeMap<String, Factor>) -> Result<String> {
    #[derive(serde::Serialize)]
    struct Sections<'f> {
        factor: &'f BTreeMap<String, Factor>,
    }
    toml::to_string(&Sections { factor: factors }).map_err(|error| Error::bug("E-HYBRID-003", error))
}

/// Learns factors from runs; `hashes` name the data of each run.
///
/// # Errors
/// Targets and inputs the model does not have; runs that cannot be simulated; no run that tells anything.
pub fn learn(file: &File, what: &[Learn], runs: &[Run], hashes: &[String], manner: &Manner, options: &Options) -> Result<Learnt> {
    let with = Model::of(&with_offsets(file, &what.iter().map(|w| w.on.clone()).collect::<Vec<_>>(), &manner.knots)?)?;
    let offsets =
        runs.iter().map(|run| Offsets::of(&with, what, &manner.knots, run, manner.sd, options)).collect::<Result<Vec<_>>>()?;
    let from: Vec<LearntFrom> =
        runs.iter().zip(hashes).map(|(r, h)| LearntFrom { run: r.name.clone(), hash: h.clone() }).collect();
    let all: Vec<&Offsets> = offsets.iter().collect();
    let mut learnt = from_offsets(file, &with, what, &all, &from, manner)?;
    if !manner.refine || runs.len() < JUDGED_MIN {
        return Ok(learnt);
    }
    // Every third run is held out and judges.
    let (judges, others): (Vec<usize>, Vec<usize>) = (0..runs.len()).partition(|i| i % 3 == 2);
    let some: Vec<&Offsets> = others.iter().map(|i| &offsets[*i]).collect();
    let taught: Vec<Run> = others.iter().map(|i| runs[*i].clone()).collect();
    let rough = from_offsets(file, &with, what, &some, &from, manner)?;
    let fine = refined(&rough, &taught, &manner.knots, options)?;
    let judge = |learnt: &Learnt| -> Result<f64> {
        let model = Model::of(&learnt.file)?;
        let each = judges.iter().map(|i| misfit(&model, &runs[*i], &manner.knots, options)).collect::<Result<Vec<_>>>()?;
        Ok(each.iter().sum::<f64>() / each.len().max(1) as f64)
    };
    let (before, after) = (judge(&rough)?, judge(&fine)?);
    let kept = after < before;
    if kept {
        learnt = refined(&learnt, runs, &manner.knots, options)?;
    }
    learnt.refinement = Some(Refinement { before, after, kept });
    Ok(learnt)
}

/// Mean squared residual of the readings of a run, in standard deviations of their sensors.
///
/// # Errors
/// As [`crate::kernel::System::simulate`]; names the model does not have.
pub fn misfit(model: &Model, run: &Run, knots: &[f64], options: &Options) -> Result<f64> {
    let mut constants = model.system.constants();
    for (name, value) in &run.set {
        constants[model.system.constant(name)?] = *value;
    }
    let mut times: Vec<f64> = run.measured.iter().map(|m| m.time).chain(knots.first().copied()).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    let trajectory = model.system.simulate(&constants, &times, options)?;
    let (mut sum, mut n) = (0.0, 0.0);
    for m in &run.measured {
        let (Reading::Value(value), Noise::Known(sd)) = (m.reading, &m.noise) else { continue };
        let Ok(time) = times.binary_search_by(|t| t.total_cmp(&m.time)) else { continue };
        let off = (value - trajectory.at(time)[model.system.quantity(&m.quantity)?]) / sd;
        sum += off * off;
        n += 1.0;
    }
    Ok(if n > 0.0 { sum / n } else { 0.0 })
}

fn from_offsets(
    file: &File,
    with: &Model,
    what: &[Learn],
    offsets: &[&Offsets],
    from: &[LearntFrom],
    manner: &Manner,
) -> Result<Learnt> {
    let k = manner.knots.len();
    let mut factors = Vec::new();
    let mut noises = Vec::new();
    for (place, one) in what.iter().enumerate() {
        let (factor, noise) = shaped(with, one, place * k..(place + 1) * k, offsets, manner)?;
        factors.push(Factor { learnt_from: from.to_vec(), ..factor });
        noises.push(noise.max(NOISE_MIN));
    }
    valued(&mut factors, &noises, k, offsets)?;
    let named: BTreeMap<String, Factor> = what.iter().map(|w| factor_of(&w.on)).zip(factors).collect();
    let mut file = file.clone();
    file.factor.extend(named.clone());
    let unexplained = what.iter().map(|w| factor_of(&w.on)).zip(noises).collect();
    Ok(Learnt { factors: named, file, unexplained, refinement: None })
}

/// Name of the factor of a target.
fn factor_of(target: &str) -> String {
    format!("f_{target}")
}

/// Lengths, variance and inducing points of one factor, and the variance that its inputs do not explain.
fn shaped(
    with: &Model,
    one: &Learn,
    places: std::ops::Range<usize>,
    offsets: &[&Offsets],
    manner: &Manner,
) -> Result<(Factor, f64)> {
    let prior = 1.0 / (manner.sd * manner.sd);
    // Input, offset by the data alone, its variance.
    let mut told: Vec<(&Vec<f64>, f64, f64)> = Vec::new();
    for run in offsets {
        let covariance = Cholesky::new(&Matrix::from_fn(run.at.len(), run.at.len(), |i, j| {
            run.precision[(i, j)] + if i == j { prior } else { 0.0 }
        }))?
        .inverse();
        for place in places.clone() {
            let precision = 1.0 / covariance[(place, place)] - prior;
            if precision > TOLD_MIN * prior {
                told.push((&run.inputs[place], run.at[place] / covariance[(place, place)] / precision, 1.0 / precision));
            }
        }
    }
    if told.len() < 3 {
        return Err(Error::input(
            "E-HYBRID-004",
            format!("測定値は «{}» の速度についてほとんど何も語らないため、学習できません", one.on),
            format!("the readings hardly tell anything of the rate of «{}», so nothing is learnt", one.on),
        )
        .at(Place::field("on"))
        .hint(
            "その速度に関わる量の測定を増やすか、区間を長くしてください",
            "measure more of what the rate makes or uses, or take longer intervals",
        ));
    }
    told.sort_by(|a, b| a.2.total_cmp(&b.2));
    let d = one.inputs.len();
    let low: Vec<f64> = (0..d).map(|j| told.iter().map(|t| t.0[j]).fold(f64::INFINITY, f64::min)).collect();
    let high: Vec<f64> = (0..d).map(|j| told.iter().map(|t| t.0[j]).fold(f64::NEG_INFINITY, f64::max)).collect();
    // An input that never changed has a length of its own size: it says nothing, and far from it the factor falls back.
    let range: Vec<f64> = low.iter().zip(&high).map(|(l, h)| if h > l { h - l } else { h.abs().max(1.0) * 0.1 }).collect();
    let deciding = &told[..told.len().min(DECIDING_MAX)];
    let x = Matrix::from_fn(deciding.len(), d, |i, j| (deciding[i].0[j] - low[j]) / range[j]);
    let data = Data { x, y: deciding.iter().map(|t| t.1).collect(), known: deciding.iter().map(|t| t.2).collect() };
    let settings = Settings { kernel: Kernel::SquaredExponential, mean: Mean::Fixed(0.0), starts: 3, ..Settings::default() };
    let hyper = Gp::fit(&data, &settings, manner.seed)?.hyper();
    let input = one.inputs.iter().zip(hyper.lengths.iter().zip(&range)).map(|(name, (length, range))| {
        let unit = with.described(name).map_or_else(|| with.time.clone(), |q| q.unit.clone());
        FactorInput { of: name.clone(), unit: unit.code().to_owned(), length: (length * range).max(1e-9) }
    });
    let mut factor = Factor {
        on: one.on.clone(),
        label: None,
        variance: hyper.variance.clamp(1e-6, 4.0),
        input: input.collect(),
        points: Vec::new(),
        values: Vec::new(),
        spread: Vec::new(),
        waves: 0,
        learnt_from: Vec::new(),
    };
    factor.points = inducing(&factor, &told.iter().map(|t| t.0).collect::<Vec<_>>(), manner.points);
    factor.values = vec![0.0; factor.points.len()];
    Ok((factor, hyper.noise))
}

/// Points where what the earlier ones leave open is the greatest, one after the other.
fn inducing(factor: &Factor, candidates: &[&Vec<f64>], most: usize) -> Vec<Vec<f64>> {
    let alike = |a: &[f64], b: &[f64]| {
        let squared: f64 = a.iter().zip(b).zip(&factor.input).map(|((a, b), i)| ((a - b) / i.length).powi(2)).sum();
        libm::exp(-0.5 * squared)
    };
    let mut open: Vec<f64> = vec![1.0; candidates.len()];
    // Rows of the Cholesky factor by point, over all candidates.
    let mut rows: Vec<Vec<f64>> = Vec::new();
    let mut points = Vec::new();
    while points.len() < most.max(1) {
        let Some((best, left)) = open.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))) else {
            break;
        };
        if left < 1e-3 && !points.is_empty() {
            break;
        }
        let row: Vec<f64> = (0..candidates.len())
            .map(|i| {
                let known: f64 = rows.iter().map(|r| r[best] * r[i]).sum();
                (alike(candidates[best], candidates[i]) - known) / left.sqrt()
            })
            .collect();
        open.iter_mut().zip(&row).for_each(|(o, r)| *o = (*o - r * r).max(0.0));
        rows.push(row);
        points.push(candidates[best].clone());
    }
    points
}

/// Values and spread of all factors together, from the offsets of all runs.
fn valued(factors: &mut [Factor], noises: &[f64], k: usize, offsets: &[&Offsets]) -> Result<()> {
    let roots = factors.iter().map(Factor::root).collect::<Result<Vec<_>>>()?;
    let starts: Vec<usize> = factors
        .iter()
        .scan(0, |at, f| {
            let start = *at;
            *at += f.points.len();
            Some(start)
        })
        .collect();
    let size: usize = factors.iter().map(|f| f.points.len()).sum();
    let mut precision = Matrix::identity(size);
    let mut pull = vec![0.0; size];
    for run in offsets {
        let n = run.at.len();
        let mut features = Matrix::zeros(n, size);
        for (i, inputs) in run.inputs.iter().enumerate() {
            let of = i / k;
            for (j, value) in factors[of].features(&roots[of], inputs).into_iter().enumerate() {
                features[(i, starts[of] + j)] = value;
            }
        }
        // (Λ⁻¹ + N)⁻¹ = D − D (Λ + D)⁻¹ D with D = N⁻¹: what differs from run to run besides counts as noise.
        let d = |i: usize| 1.0 / noises[i / k];
        let inner = Cholesky::new(&Matrix::from_fn(n, n, |i, j| run.precision[(i, j)] + if i == j { d(i) } else { 0.0 }))?;
        let inverse = inner.inverse();
        let weight = Matrix::from_fn(n, n, |i, j| if i == j { d(i) } else { 0.0 } - d(i) * inverse[(i, j)] * d(j));
        let pulled: Vec<f64> = inner.solve(&run.pull).into_iter().enumerate().map(|(i, v)| d(i) * v).collect();
        let seen = features.transposed().product(&weight).product(&features);
        for i in 0..size {
            for j in 0..size {
                precision[(i, j)] += seen[(i, j)];
            }
        }
        for (sum, part) in pull.iter_mut().zip(features.transposed_times(&pulled)) {
            *sum += part;
        }
    }
    let root = Cholesky::new(&precision)?;
    let (values, covariance) = (root.solve(&pull), root.inverse());
    for (factor, start) in factors.iter_mut().zip(starts) {
        let n = factor.points.len();
        factor.values = values[start..start + n].to_vec();
        let own = Cholesky::new(&Matrix::from_fn(n, n, |i, j| covariance[(start + i, start + j)]))?;
        factor.spread = (0..n).map(|i| own.row(i).to_vec()).collect();
    }
    Ok(())
}

/// The values once more, by the readings themselves and their sensitivities.
fn refined(learnt: &Learnt, runs: &[Run], knots: &[f64], options: &Options) -> Result<Learnt> {
    let model = Model::of(&learnt.file)?;
    let mut parameters = Vec::new();
    let mut from = Vec::new();
    for (name, factor) in &learnt.factors {
        for (constant, value) in factor.constants(name).0.into_iter().zip(&factor.values) {
            let prior = Some(Prior { mean: 0.0, sd: 1.0 });
            parameters.push(Parameter {
                name: constant,
                scale: Scale::Linear,
                low: -VALUE_MAX,
                high: VALUE_MAX,
                prior,
                by_group: false,
            });
            from.push(*value);
        }
    }
    let start = knots.first().copied().unwrap_or(0.0);
    let posterior = Problem::new(&model.system, &parameters, runs, start, options.clone())?.posterior_from(&from)?;
    let mut it = learnt.clone();
    let mut found = posterior.at.into_iter();
    for (name, factor) in &mut it.factors {
        factor.values = found.by_ref().take(factor.points.len()).collect();
        it.file.factor.insert(name.clone(), factor.clone());
    }
    Ok(it)
}
