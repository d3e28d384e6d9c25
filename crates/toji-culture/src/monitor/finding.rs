//! What kind of departure a batch shows, with the evidence: which variables, when, and which known departure it is like.

use super::batch::OnAxis;
use super::course::Moment;
use super::matrix::{dot, ratio};
use super::scale::Scale;
use serde::{Deserialize, Serialize};

/// Variables that are named as evidence at most.
const NAMED_MAX: usize = 5;
/// From this share on one variable is alone.
const ALONE: f64 = 0.7;
/// Beyond a limit for less than this share of the points since the first one is passing.
const PASSING: f64 = 0.25;

/// Kinds of departure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Departure {
    /// Every point is inside what a whole normal run stays below.
    Inside,
    /// Variables move together as they always do, but farther (T² alone).
    Farther,
    /// Variables do not move together as they always do (SPE alone).
    NewPattern,
    /// Both.
    FartherAndNew,
}

/// How many variables carry a departure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Breadth {
    /// One has 70 % of it or more: its sensor or its own loop comes first.
    Alone,
    /// Several: the culture or what feeds it comes first.
    Together,
}

/// How long a departure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Length {
    /// Beyond a limit at less than a quarter of the points since it began.
    Passing,
    /// At more.
    Lasting,
}

/// One variable behind a departure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Evidence {
    /// Variable.
    pub variable: String,
    /// Its share of the departure, 0 to 1.
    pub share: f64,
    /// Point at which it departs most, from 0.
    pub peak: usize,
    /// Time of that point in the batch (h).
    pub time: Option<f64>,
    /// Its value there, in its own unit.
    pub value: f64,
    /// Mean of the reference there.
    pub usual: f64,
    /// Their difference over the standard deviation of the reference there.
    pub deviation: f64,
}

/// A departure that has a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Known {
    /// What it was.
    pub name: String,
    /// Signature of the batch that showed it, as a [`Finding`] gives it.
    pub signature: Vec<f64>,
}

/// How like a known departure is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Alike {
    /// Known departure.
    pub name: String,
    /// Angle between the two signatures (deg): 0 the same variables in the same direction, 90 nothing in common.
    pub angle: f64,
}

/// What departs, when, and what it is like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Finding {
    /// Kind.
    pub departure: Departure,
    /// First point beyond what a whole normal run stays below, from 0.
    pub first: Option<usize>,
    /// Last such point.
    pub last: Option<usize>,
    /// How many there are.
    pub beyond: usize,
    /// Breadth. `None` inside.
    pub breadth: Option<Breadth>,
    /// Length. `None` inside.
    pub length: Option<Length>,
    /// Variables behind it, largest share first.
    pub evidence: Vec<Evidence>,
    /// Known departures, most alike first.
    pub alike: Vec<Alike>,
    /// Signature: for each variable its deviation from the mean, then from the model, squared with sign, over the points
    /// beyond; the halves by how far T² and SPE are beyond, the whole of unit length. Empty inside.
    pub signature: Vec<f64>,
}

/// What a finding is made from.
pub(super) struct Seen<'a> {
    pub(super) variables: &'a [String],
    /// Scaled cells, batch-wise.
    pub(super) z: &'a [f64],
    /// What the model leaves of them.
    pub(super) residual: &'a [f64],
    pub(super) batch: &'a OnAxis,
    pub(super) scale: &'a Scale,
}

pub(super) fn finding(look: &Seen<'_>, moments: &[Moment], factor: f64, known: &[Known]) -> Finding {
    let farther = |m: &Moment| m.t2 > factor * m.t2_limit;
    let new = |m: &Moment| m.spe.is_some_and(|spe| m.spe_limit > 0.0 && spe > factor * m.spe_limit);
    let beyond: Vec<usize> = moments.iter().filter(|m| farther(m) || new(m)).map(|m| m.point).collect();
    let departure = match (moments.iter().any(farther), moments.iter().any(new)) {
        (false, false) => Departure::Inside,
        (true, false) => Departure::Farther,
        (false, true) => Departure::NewPattern,
        (true, true) => Departure::FartherAndNew,
    };
    let (Some(first), Some(last)) = (beyond.first().copied(), beyond.last().copied()) else {
        return Finding {
            departure,
            first: None,
            last: None,
            beyond: 0,
            breadth: None,
            length: None,
            evidence: Vec::new(),
            alike: Vec::new(),
            signature: Vec::new(),
        };
    };
    let (from_mean, from_model) = (squared(look, look.z, &beyond), squared(look, look.residual, &beyond));
    // Where the pattern is new, the model says what is unusual; else the mean does.
    let evidence = evidence(look, if departure == Departure::Farther { look.z } else { look.residual }, &beyond);
    let since = moments.len() - first;
    // Each half counts by how far its statistic is beyond what a whole normal run stays below: what is inside says
    // nothing about the departure.
    let excess = |ratio: &dyn Fn(&Moment) -> f64| moments.iter().map(ratio).fold(1.0, f64::max) - 1.0;
    let by_t2 = excess(&|m| ratio(m.t2, factor * m.t2_limit));
    let by_spe = excess(&|m| m.spe.map_or(0.0, |spe| ratio(spe, factor * m.spe_limit)));
    let halves = [(from_mean, by_t2), (from_model, by_spe)];
    let signature: Vec<f64> =
        unit_length(halves.into_iter().flat_map(|(half, by)| unit_length(half).into_iter().map(move |v| v * by)).collect());
    Finding {
        departure,
        first: Some(first),
        last: Some(last),
        beyond: beyond.len(),
        breadth: evidence.first().map(|e| if e.share >= ALONE { Breadth::Alone } else { Breadth::Together }),
        length: Some(if (beyond.len() as f64) < PASSING * since as f64 { Length::Passing } else { Length::Lasting }),
        evidence,
        alike: alike(&signature, known),
        signature,
    }
}

/// Signed squares of each variable over some points.
fn squared(look: &Seen<'_>, of: &[f64], points: &[usize]) -> Vec<f64> {
    let vars = look.variables.len();
    (0..vars).map(|var| points.iter().map(|point| of[point * vars + var]).map(|v| v * v.abs()).sum()).collect()
}

fn unit_length(mut of: Vec<f64>) -> Vec<f64> {
    let length = dot(&of, &of).sqrt();
    of.iter_mut().for_each(|v| *v = ratio(*v, length));
    of
}

fn evidence(look: &Seen<'_>, of: &[f64], beyond: &[usize]) -> Vec<Evidence> {
    let vars = look.variables.len();
    let sizes: Vec<f64> = (0..vars).map(|var| beyond.iter().map(|point| of[point * vars + var].powi(2)).sum()).collect();
    let all: f64 = sizes.iter().sum();
    let mut order: Vec<usize> = (0..vars).filter(|var| sizes[*var] > 0.0).collect();
    order.sort_by(|a, b| sizes[*b].total_cmp(&sizes[*a]).then(a.cmp(b)));
    order
        .into_iter()
        .take(NAMED_MAX)
        .filter_map(|var| {
            let size = |point: &usize| of[point * vars + var].abs();
            let peak = beyond.iter().copied().max_by(|a, b| size(a).total_cmp(&size(b)).then(b.cmp(a)))?;
            let col = peak * vars + var;
            Some(Evidence {
                variable: look.variables[var].clone(),
                share: ratio(sizes[var], all),
                peak,
                time: look.batch.times.get(peak).copied().flatten(),
                value: look.batch.values.get(peak, var)?,
                usual: look.scale.centre[col],
                deviation: look.z[col],
            })
        })
        .collect()
}

fn alike(signature: &[f64], known: &[Known]) -> Vec<Alike> {
    let length = dot(signature, signature).sqrt();
    let mut out: Vec<Alike> = known
        .iter()
        .filter(|known| known.signature.len() == signature.len() && known.signature.iter().all(|v| v.is_finite()))
        .map(|known| {
            let cosine = ratio(dot(&known.signature, signature), length * dot(&known.signature, &known.signature).sqrt());
            Alike { name: known.name.clone(), angle: cosine.clamp(-1.0, 1.0).acos().to_degrees() }
        })
        .collect();
    out.sort_by(|a, b| a.angle.total_cmp(&b.angle).then_with(|| a.name.cmp(&b.name)));
    out
}
