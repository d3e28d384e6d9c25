//! A fit of which each member computes its own part: the problem of a fit, parted by owner, as sites of a training that
//! sees their sums only.

use super::fit::{Of, Taken, runs, take};
use super::fit::{Sought, parameter};
use super::model;
use crate::dataset::Whole;
use crate::operation::Context;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_commons::train::{Bound, Local, Site};
use toji_core::{Action, Error, Id, Place, Result, Text};
use toji_culture::fit::{Landscape, Parameter, Problem};
use toji_culture::kernel::Options;
use toji_culture::linear::{Cholesky, Matrix, symmetric};
use toji_culture::model::Model;

/// What is fitted, in the words of `culture fit`.
pub(crate) struct Asked<'a> {
    pub(crate) model: &'a str,
    pub(crate) readings: &'a BTreeMap<String, String>,
    pub(crate) follow: &'a BTreeMap<String, String>,
    pub(crate) parameters: &'a BTreeMap<String, Sought>,
    pub(crate) noise: &'a BTreeMap<String, Json>,
    pub(crate) set: &'a BTreeMap<String, Json>,
}

/// The model and the runs of each owner, read under the access of the context.
pub(crate) struct Together {
    model: Model,
    parameters: Vec<Parameter>,
    taken: BTreeMap<Id, Vec<Taken>>,
}

/// A parameter that was found.
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) label: Text,
    pub(crate) unit: String,
    pub(crate) value: f64,
    /// From the curvature of all data, on the scale of the search: multiples of the value where that is a logarithm.
    pub(crate) spread: Option<f64>,
}

impl Together {
    /// Reads the runs of each owner, to learn from them.
    ///
    /// # Errors
    /// As `culture fit`; `E-COMMONS-044` a noise that nobody stated, which sites cannot estimate apart.
    pub(crate) async fn load(context: &Context, asked: &Asked<'_>, by_owner: &BTreeMap<Id, Vec<String>>) -> Result<Self> {
        let model = model(context, asked.model).await?;
        let silent = asked.readings.keys().find(|name| !asked.noise.contains_key(*name));
        if let Some(name) = silent {
            return Err(Error::input(
                "E-COMMONS-044",
                format!("「{name}」の測定のばらつきが要ります"),
                format!("the noise of \"{name}\" must be stated"),
            )
            .at(Place::field(format!("noise.{name}")))
            .hint("例: --noise '{\"X\": \"0.1 g/L\"}'", "example: --noise '{\"X\": \"0.1 g/L\"}'"));
        }
        let parameters: Vec<Parameter> =
            asked.parameters.iter().map(|(name, sought)| parameter(&model, name, sought, "parameters")).collect::<Result<_>>()?;
        if let Some(own) = parameters.iter().find(|p: &&Parameter| p.by_group) {
            return Err(Error::input(
                "E-COMMONS-046",
                format!("「{}」は全培養に共通でなければなりません", own.name),
                format!("\"{}\" must be one value for all runs", own.name),
            )
            .at(Place::field(format!("parameters.{}", own.name)))
            .hint("each を外してください", "leave `each` away"));
        }
        let of = of(asked);
        let mut taken = BTreeMap::new();
        let total = Some(by_owner.values().map(Vec::len).sum::<usize>() as u64);
        let mut done = 0;
        for (owner, names) in by_owner {
            let mut own = Vec::with_capacity(names.len());
            for run in names {
                context.progress.step(done, total, "培養を読んでいます", "reading runs")?;
                let whole = Whole::load_to(context, run, Action::Train).await.map_err(|e| e.at(Place::field("runs")))?;
                own.push(take(&of, &model, &whole)?);
                done += 1;
            }
            taken.insert(owner.clone(), own);
        }
        Ok(Self { model, parameters, taken })
    }

    /// Lets each owner be a site while `work` trains; answers what it found in the words of the model.
    ///
    /// # Errors
    /// What the problem or the work refuses.
    pub(crate) fn train<T>(
        &self,
        asked: &Asked<'_>,
        work: impl FnOnce(&BTreeMap<Id, &dyn Site>, &[Bound]) -> Result<(Vec<f64>, Vec<f64>, T)>,
    ) -> Result<(Vec<Found>, T)> {
        let options = Options { relative: 1e-6, absolute: vec![1e-9], ..Options::default() };
        let of = of(asked);
        let mut runs_of = BTreeMap::new();
        for (owner, taken) in &self.taken {
            runs_of.insert(owner.clone(), runs(&of, &self.model, taken)?);
        }
        let mut problems = BTreeMap::new();
        for (owner, runs) in &runs_of {
            let problem = Problem::new(&self.model.system, &self.parameters, runs, 0.0, options.clone())?;
            problems.insert(owner.clone(), OwnRuns(problem));
        }
        let Some(OwnRuns(any)) = problems.values().next() else {
            return Err(Error::input("E-COMMONS-045", "学習に使える培養がありません", "there is no run to learn from")
                .at(Place::field("data_sets"))
                .hint(
                    "`toji commons catalogue --purpose model-training` で確かめてください",
                    "see `toji commons catalogue --purpose model-training`",
                ));
        };
        let unknowns = any.unknowns();
        let bounds: Vec<Bound> = unknowns
            .iter()
            .map(|u| {
                let (low, high) = (u.inward(u.low), u.inward(u.high));
                let prior = self.parameters.iter().find(|p| p.name == u.name).and_then(|p| p.prior);
                let (mean, precision) = prior.map_or((0.0, 0.0), |p| (p.mean, 1.0 / (p.sd * p.sd)));
                Bound { start: 0.5 * (low + high), low, high, mean, precision }
            })
            .collect();
        let sites: BTreeMap<Id, &dyn Site> = problems.iter().map(|(id, own)| (id.clone(), own as &dyn Site)).collect();
        let (at, curvature, told) = work(&sites, &bounds)?;
        let spreads = spreads(&curvature, at.len());
        let described = |name: &str| self.model.described(name);
        let found = unknowns
            .iter()
            .zip(&at)
            .enumerate()
            .map(|(i, (u, at))| Found {
                name: u.name.clone(),
                label: described(&u.name).map_or_else(|| Text::same(&u.name), |d| d.label.clone()),
                unit: described(&u.name).map_or_else(String::new, |d| d.unit.code().to_owned()),
                value: u.outward(*at),
                spread: spreads.as_ref().and_then(|s| s.get(i).copied()).filter(|s| s.is_finite()),
            })
            .collect();
        Ok((found, told))
    }
}

fn of<'a>(asked: &'a Asked<'_>) -> Of<'a> {
    Of { readings: asked.readings, follow: asked.follow, noise: asked.noise, set: asked.set, group_by: None }
}

/// Standard deviations from the curvature of all data; none where the data do not tell all parameters apart.
fn spreads(curvature: &[f64], n: usize) -> Option<Vec<f64>> {
    let matrix = Matrix::from_fn(n, n, |i, j| curvature.get(i * n + j).copied().unwrap_or(0.0));
    // A direction in which nothing changes is told by the smallest eigenvalue, beside the rounding of the sums.
    let values = symmetric(&matrix).values;
    let (low, high) = values.iter().fold((f64::INFINITY, 0.0f64), |(low, high), v| (low.min(*v), high.max(*v)));
    if low <= 1e-9 * high {
        return None;
    }
    let inverse = Cholesky::exact(&matrix)?.inverse();
    Some((0..n).map(|i| inverse.row(i)[i].sqrt()).collect())
}

/// The runs of one owner, each a unit by itself.
struct OwnRuns<'a>(Problem<'a>);

impl Site for OwnRuns<'_> {
    fn units(&self, at: &[f64]) -> Vec<Option<Local>> {
        let local = |share: toji_culture::fit::Share| Local {
            n: share.known.n,
            // −ln L: half of the squares and of what their standard deviations add.
            objective: 0.5 * (share.known.sum + share.constant),
            gradient: share.known.gradient,
            curvature: share.known.curvature,
        };
        self.0.shares(at).into_iter().map(|share| share.ok().map(local)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_data_do_not_tell_apart_has_no_spread() {
        let told = spreads(&[4.0, 0.0, 0.0, 25.0], 2).unwrap();
        assert!((told[0] - 0.5).abs() < 1e-12 && (told[1] - 0.2).abs() < 1e-12, "{told:?}");
        // Only the sum of both matters; or nothing was measured of the second.
        assert!(spreads(&[1.0, 1.0, 1.0, 1.0], 2).is_none());
        assert!(spreads(&[1.0, 0.0, 0.0, 0.0], 2).is_none());
    }
}
