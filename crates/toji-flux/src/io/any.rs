//! A model of whatever format, told by its first bytes.

use super::findings::{GEM_001, GEM_004};
use super::{Reading, json, mat, omex, sbml, yaml};
use std::io::{BufReader, Read};
use toji_core::{Error, Result};

/// Longest file unpacked into memory.
const UNPACKED_BYTES_MAX: u64 = 1 << 30;

/// The formats told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// SBML.
    Sbml,
    /// COBRA JSON.
    Json,
    /// COBRA YAML.
    Yaml,
    /// MATLAB, level 5.
    Mat,
    /// COMBINE archive.
    Omex,
    /// Any of them, packed by gzip.
    Gzip,
}

/// The format by the first bytes; what is nothing else may be YAML.
#[must_use]
pub fn format(bytes: &[u8]) -> Format {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    match text.first() {
        _ if bytes.starts_with(b"\x1f\x8b") => Format::Gzip,
        _ if mat::is_mat(bytes) => Format::Mat,
        _ if bytes.starts_with(b"PK\x03\x04") => Format::Omex,
        Some(b'<') => Format::Sbml,
        Some(b'{') => Format::Json,
        _ => Format::Yaml,
    }
}

/// Reads a model of any of these formats.
///
/// # Errors
/// Those of the format.
pub fn read(bytes: &[u8], options: &sbml::Options) -> Result<Reading> {
    match format(bytes) {
        Format::Sbml => sbml::read(bytes, options),
        Format::Json => json::read(bytes),
        Format::Yaml => yaml::read(bytes),
        Format::Mat => mat::read(bytes),
        Format::Omex => omex::read(bytes, options),
        Format::Gzip => packed(bytes, options),
    }
}

/// SBML is unpacked as it is read; other formats are unpacked whole.
fn packed(bytes: &[u8], options: &sbml::Options) -> Result<Reading> {
    let unpack = || flate2::read::MultiGzDecoder::new(bytes);
    let broken = |e: &dyn std::fmt::Display| {
        Error::input(GEM_001, format!("gzip を解けません: {e}"), format!("gzip cannot be unpacked: {e}"))
            .hint("途中で切れていないかを確かめてください", "check that it is not cut off")
    };
    let mut start = Vec::new();
    unpack().take(512).read_to_end(&mut start).map_err(|e| broken(&e))?;
    if format(&start) == Format::Sbml {
        return sbml::read(BufReader::with_capacity(1 << 16, unpack()), options);
    }
    let mut whole = Vec::new();
    unpack().take(UNPACKED_BYTES_MAX + 1).read_to_end(&mut whole).map_err(|e| broken(&e))?;
    if whole.len() as u64 > UNPACKED_BYTES_MAX || format(&whole) == Format::Gzip {
        return Err(Error::input(
            GEM_004,
            "解くと 1 GiB を超えるか、二重に圧縮されています",
            "unpacked it is longer than 1 GiB, or it is packed twice",
        )
        .hint("圧縮を解いて渡してください", "unpack it first"));
    }
    read(&whole, options)
}
