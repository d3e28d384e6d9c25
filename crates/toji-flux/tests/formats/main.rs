//! Models read from real files, and written again.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails by panicking and says why it skips")]

mod health;
mod json;
mod mat;
mod more;
mod sbml;
mod scenario;
mod suite;

use std::io::Read;
use std::path::PathBuf;
use toji_flux::io::Reading;
use toji_flux::io::sbml::{Options, read};

/// A folder of the shared data; `None`, said on the error stream, where it is missing.
fn shared_folder(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TOJI_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let folder = root.join("data/gem").join(path);
    if !folder.exists() {
        eprintln!("skipped: there is no {}", folder.display());
        return None;
    }
    Some(folder)
}

/// A file of the shared data, unpacked; `None`, said on the error stream, where it is missing.
fn shared(path: &str) -> Option<Vec<u8>> {
    let bytes = std::fs::read(shared_folder(path)?).unwrap();
    if !path.ends_with(".gz") {
        return Some(bytes);
    }
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).unwrap();
    Some(unpacked)
}

/// A JSON reference.
fn reference(path: &str) -> Option<serde_json::Value> {
    shared(path).map(|bytes| serde_json::from_slice(&bytes).unwrap())
}

/// A model in SBML.
fn open(path: &str) -> Option<Reading> {
    shared(path).map(|bytes| read(&bytes[..], &Options::default()).unwrap_or_else(|e| panic!("{path}: {e:?}")))
}
