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
    /// None of them.
    Other,
}

/// The format by the first bytes.
#[must_use]
pub fn format(bytes: &[u8]) -> Format {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    match text.first() {
        _ if bytes.starts_with(b"\x1f\x8b") => Format::Gzip,
        _ if mat::is_mat(bytes) => Format::Mat,
        _ if bytes.starts_with(b"PK\x03\x04") => Format::Omex,
        Some(b'<') => Format::Sbml,
        Some(b'{') => Format::Json,
        _ if may_be_yaml(text) => Format::Yaml,
        _ => Format::Other,
    }
}

/// The format by the first bytes, those beneath gzip where the file is packed by it; [`Format::Gzip`] only when it cannot be
/// unpacked.
#[must_use]
pub fn format_within(bytes: &[u8]) -> Format {
    match format(bytes) {
        Format::Gzip => start(bytes).map_or(Format::Gzip, |start| format(&start)),
        told => told,
    }
}

/// Whether the first line that says something is one of a YAML map or an ordered map: `key: …`, `- key: …`, `!!omap`. A
/// table's is not, nor is a sentence's.
fn may_be_yaml(text: &[u8]) -> bool {
    let lines = text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    let mut telling = lines.filter(|line| !(line.is_empty() || line.starts_with(b"#") || line.starts_with(b"%YAML")));
    let Some(mut line) = telling.next() else { return false };
    if let Some(rest) = line.strip_prefix(b"---") {
        line = rest.trim_ascii_start();
        if line.is_empty() {
            line = telling.next().unwrap_or_default();
        }
    }
    while let Some(rest) = line.strip_prefix(b"- ").or_else(|| line.strip_prefix(b"? ")) {
        line = rest.trim_ascii_start();
    }
    let ends = |at: usize| line.get(at + 1).is_none_or(u8::is_ascii_whitespace);
    let colon = line.iter().enumerate().find(|(at, b)| **b == b':' && ends(*at)).map(|(at, _)| &line[..at]);
    line.starts_with(b"!!omap") || colon.is_some_and(|key| !key.iter().any(|b| matches!(b, b',' | b';' | b'\t' | 0)))
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
        Format::Other => {
            Err(Error::input(GEM_001, "代謝モデルのファイルではありません", "this is not the file of a metabolic model").hint(
                "SBML、COBRA の JSON・YAML、MATLAB、COMBINE アーカイブのいずれかを渡してください（gzip 圧縮も可）",
                "give SBML, COBRA JSON or YAML, MATLAB or a COMBINE archive; it may be packed by gzip",
            ))
        }
    }
}

fn broken(e: &dyn std::fmt::Display) -> Error {
    Error::input(GEM_001, format!("gzip を解けません: {e}"), format!("gzip cannot be unpacked: {e}"))
        .hint("途中で切れていないかを確かめてください", "check that it is not cut off")
}

/// The first bytes beneath gzip.
fn start(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut start = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).take(512).read_to_end(&mut start).map_err(|e| broken(&e))?;
    Ok(start)
}

/// SBML is unpacked as it is read; other formats are unpacked whole.
fn packed(bytes: &[u8], options: &sbml::Options) -> Result<Reading> {
    let unpack = || flate2::read::MultiGzDecoder::new(bytes);
    if format(&start(bytes)?) == Format::Sbml {
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
