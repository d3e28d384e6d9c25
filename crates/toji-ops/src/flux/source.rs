//! Models as they come: by path or address, packed or not, told by content; those asked about lately are kept.

use crate::operation::Context;
use crate::run::{addressed, fetch};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use toji_core::{Digest, Place, Result};
use toji_flux::analyse::{self, Known};
use toji_flux::io::Reading;
use toji_flux::io::any::{self, Format};
use toji_flux::io::sbml::Options;
use toji_flux::lp::Outcome;
use toji_flux::model::{Model, Scenario};
use toji_flux::network::Network;

/// Most models kept.
const MODELS_MAX: usize = 8;
/// Most that the models kept may weigh: compounds, reactions, genes and coefficients together. The largest human models weigh
/// about 90,000, and some 100 MB.
const WEIGHT_MAX: usize = 400_000;

/// A model as it was read, and its optimum once it was asked for.
#[derive(Debug)]
struct Kept {
    reading: Reading,
    format: Format,
    /// None where the model as it is cannot be solved; a question may change that.
    known: OnceLock<Option<Known>>,
}

/// Models asked about lately, by the hash of their file. Nothing is handed out from here before the asker may read the file.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    /// The one used last stands last.
    models: Mutex<Vec<(Digest, Arc<Kept>)>>,
}

fn weight(model: &Model) -> usize {
    let coefficients: usize = model.reactions.iter().map(|r| r.stoichiometry.len()).sum();
    model.metabolites.len() + model.reactions.len() + model.genes.len() + coefficients
}

impl Shelf {
    fn get(&self, address: Digest) -> Option<Arc<Kept>> {
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        let at = models.iter().position(|(of, _)| *of == address)?;
        let found = models.remove(at);
        models.push(found);
        models.last().map(|(_, kept)| kept.clone())
    }

    fn put(&self, address: Digest, kept: &Arc<Kept>) {
        if weight(&kept.reading.model) > WEIGHT_MAX {
            return;
        }
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        models.retain(|(of, _)| *of != address);
        models.push((address, kept.clone()));
        let mut all: usize = models.iter().map(|(_, kept)| weight(&kept.reading.model)).sum();
        while models.len() > MODELS_MAX || all > WEIGHT_MAX {
            all -= weight(&models.remove(0).1.reading.model);
        }
    }
}

/// The file a model is in, and how it reads.
pub(super) struct Loaded {
    pub(super) file: String,
    kept: Arc<Kept>,
}

impl Loaded {
    pub(super) fn reading(&self) -> &Reading {
        &self.kept.reading
    }

    pub(super) fn model(&self) -> &Model {
        &self.kept.reading.model
    }

    pub(super) fn format(&self) -> Format {
        self.kept.format
    }

    /// An optimum of a network of the model, found from that of the model as it is. So the answer is the same whether the
    /// model was kept or not.
    pub(super) fn fba(&self, network: &Network) -> Result<Outcome> {
        let own = || Known::new(Scenario::new(self.model()).network()?);
        match self.kept.known.get_or_init(|| own().ok()) {
            Some(known) => known.fba(network),
            None => analyse::fba(network),
        }
    }
}

/// Reads a model, or takes it from the shelf.
///
/// # Errors
/// No such file, one that the asker may not read, no format that is known, faults in the file with their places.
pub(super) async fn load(context: &Context, named: &str) -> Result<Loaded> {
    load_field(context, named, "model").await
}

/// As [`load`], for a model that another field of the input names.
///
/// # Errors
/// As of [`load`].
pub(super) async fn load_field(context: &Context, named: &str, field: &str) -> Result<Loaded> {
    let shelf = &context.session.models;
    let at = |e: toji_core::Error| e.at(Place::field(field));
    if let Some((file, address)) = addressed(context, named).await.map_err(at)?
        && let Some(kept) = shelf.get(address)
    {
        return Ok(Loaded { file, kept });
    }
    let (file, bytes) = fetch(context, named).await.map_err(at)?;
    let read = move || {
        let address = Digest::of(&bytes);
        let format = any::format_within(&bytes);
        Ok((address, any::read(&bytes, &Options::default())?, format))
    };
    let (address, reading, format) = super::apart(read).await.map_err(|e| e.in_file(&file))?;
    let kept = Arc::new(Kept { reading, format, known: OnceLock::new() });
    shelf.put(address, &kept);
    Ok(Loaded { file, kept })
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_flux::model::{Metabolite, Parts};

    fn kept(metabolites: usize) -> Arc<Kept> {
        let named = |at| Metabolite { id: format!("m{at}"), ..Metabolite::default() };
        let parts = Parts { metabolites: (0..metabolites).map(named).collect(), ..Parts::default() };
        let reading = Reading { model: Model::new(parts).unwrap(), findings: Vec::new() };
        Arc::new(Kept { reading, format: Format::Json, known: OnceLock::new() })
    }

    #[test]
    fn the_model_used_longest_ago_goes_first_and_the_shelf_stays_within_its_bounds() {
        let shelf = Shelf::default();
        let name = |at: usize| Digest::of(at.to_string().as_bytes());
        for at in 0..MODELS_MAX {
            shelf.put(name(at), &kept(1));
        }
        assert!(shelf.get(name(0)).is_some());
        shelf.put(name(100), &kept(1));
        assert!(shelf.get(name(0)).is_some() && shelf.get(name(1)).is_none() && shelf.get(name(100)).is_some());
        shelf.put(name(101), &kept(WEIGHT_MAX / 2));
        shelf.put(name(102), &kept(WEIGHT_MAX / 2 + 1));
        assert!(shelf.get(name(101)).is_none() && shelf.get(name(102)).is_some());
        // One that is too heavy by itself is not kept, and drives nothing out.
        shelf.put(name(103), &kept(WEIGHT_MAX + 1));
        assert!(shelf.get(name(103)).is_none() && shelf.get(name(102)).is_some());
    }
}
