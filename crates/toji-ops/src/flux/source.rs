//! Models as they come: by path or address, packed or not, told by content.

use crate::operation::Context;
use crate::run::fetch;
use toji_core::{Place, Result};
use toji_flux::io::Reading;
use toji_flux::io::any::{self, Format};
use toji_flux::io::sbml::Options;

/// The file a model is in, and how it reads.
pub(super) struct Loaded {
    pub(super) reading: Reading,
    pub(super) file: String,
    pub(super) format: Format,
}

/// Reads a model.
///
/// # Errors
/// No such file, no format that is known, faults in the file with their places.
pub(super) async fn load(context: &Context, named: &str) -> Result<Loaded> {
    let (file, bytes) = fetch(context, named).await.map_err(|e| e.at(Place::field("model")))?;
    let format = any::format(&bytes);
    let reading = super::apart(move || any::read(&bytes, &Options::default())).await.map_err(|e| e.in_file(&file))?;
    Ok(Loaded { reading, file, format })
}
