//! What the crate does for those who use it.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod adjust;
mod asked;
mod cellfree;
mod design;
mod design_judged;
mod design_ranked;
mod design_scaled;
mod dynamic;
mod exact;
mod gas;
mod golden_lp;
mod joined;
mod pathway;
mod random;
mod reference;
mod sample;
mod shape;
mod thermo;
mod threads;
mod vessel;

use std::io::Read;
use std::path::PathBuf;
use toji_flux::io::{json, sbml};
use toji_flux::model::Model;

/// A file of the shared data, unpacked; `None`, said on the error stream, where it is missing.
fn shared(path: &str) -> Option<Vec<u8>> {
    let root = std::env::var_os("TOJI_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let file = root.join("data/gem").join(path);
    let Ok(bytes) = std::fs::read(&file) else {
        eprintln!("skipped: there is no {}", file.display());
        return None;
    };
    if !path.ends_with(".gz") {
        return Some(bytes);
    }
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).unwrap();
    Some(unpacked)
}

/// A model of the shared data.
fn model(name: &str) -> Option<Model> {
    let bytes = shared(&format!("models/{name}"))?;
    let reading = if name.ends_with(".json") { json::read(&bytes) } else { sbml::read(&bytes[..], &sbml::Options::default()) };
    Some(reading.unwrap_or_else(|e| panic!("{name}: {e:?}")).model)
}
