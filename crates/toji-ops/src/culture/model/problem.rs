//! PEtab problems: their files fetched, and what they predict.

use super::fit::Seen;
use crate::operation::Context;
use crate::run::fetch;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use toji_core::{Error, Place, Result};
use toji_culture::exchange::petab::Problem;
use toji_culture::fit::Fit;
use toji_culture::kernel::Options;

/// A problem and what it is called.
pub(super) struct Petab {
    pub(super) name: String,
    pub(super) problem: Problem,
}

/// Is it the YAML file of a problem?
pub(super) fn is_one(named: &str) -> bool {
    !named.contains('\n')
        && Path::new(named).extension().is_some_and(|e| e.eq_ignore_ascii_case("yaml") || e.eq_ignore_ascii_case("yml"))
}

/// Reads a problem; the files it names stand beside it.
///
/// # Errors
/// What cannot be read; what [`Problem::read`] refuses.
pub(super) async fn load(context: &Context, path: &str) -> Result<Petab> {
    let (name, bytes) = fetch(context, path).await.map_err(|e| e.at(Place::field("model")))?;
    let yaml = String::from_utf8(bytes).map_err(|_| {
        Error::input("E-FIT-013", "PEtab の YAML が UTF-8 ではありません", "the YAML file is not UTF-8")
            .at(Place::default().in_file(&name))
            .hint("UTF-8 で保存してください", "save it as UTF-8")
    })?;
    let folder = Path::new(path).parent().unwrap_or(Path::new("")).to_owned();
    let mut files: BTreeMap<String, Option<Vec<u8>>> = BTreeMap::new();
    // The reader asks for files as it goes on; those it has not been given are fetched, and it is asked again.
    loop {
        let wanted = Mutex::new(Vec::new());
        let read = Problem::read(&yaml, &|file| {
            let known = files.get(file);
            if known.is_none() {
                wanted.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(file.to_owned());
            }
            known.cloned().flatten()
        });
        let wanted = wanted.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        if wanted.is_empty() {
            return Ok(Petab { name, problem: read.map_err(|e| e.in_file(path))? });
        }
        for file in wanted {
            let content = fetch(context, &folder.join(&file).to_string_lossy()).await.ok().map(|(_, bytes)| bytes);
            files.insert(file, content);
        }
    }
}

impl Petab {
    /// Measurements beside the model at the best point.
    ///
    /// # Errors
    /// What a simulation refuses.
    pub(super) fn seen(&self, fit: &Fit) -> Result<Vec<Seen>> {
        let likelihood = self.problem.compile()?;
        let found: BTreeMap<&str, f64> = fit
            .estimates
            .iter()
            .map(|e| (e.name.as_str(), e.at_best))
            .chain(fit.spreads.iter().map(|(name, sd)| (name.as_str(), *sd)))
            .collect();
        let at: Vec<f64> = likelihood.parameters().iter().map(|(id, nominal)| *found.get(&**id).unwrap_or(nominal)).collect();
        let options = Options { relative: 1e-6, absolute: vec![1e-9], ..Options::default() };
        let simulated = likelihood.evaluate(&at, &options)?.simulated;
        let seen = self.problem.measurements.iter().zip(simulated).filter(|(m, _)| m.time.is_finite());
        Ok(seen
            .map(|(m, modelled)| Seen {
                run: m.condition.to_string(),
                quantity: m.observable.to_string(),
                time: m.time,
                measured: m.value,
                modelled,
                beyond: None,
            })
            .collect())
    }
}
