//! Models read from real files, and written again.

mod json;

use std::io::Read;
use std::path::PathBuf;

/// A file of the shared data, unpacked; `None`, said on the error stream, where it is missing.
fn shared(path: &str) -> Option<Vec<u8>> {
    let root = std::env::var_os("TOJI_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from)
        .join("data/gem");
    let bytes = match std::fs::read(root.join(path)) {
        Ok(bytes) => bytes,
        Err(why) => {
            eprintln!("skipped: {}: {why}", root.join(path).display());
            return None;
        }
    };
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
