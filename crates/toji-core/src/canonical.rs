//! Canonical JSON and SHA-256 addresses.
//!
//! Canonical form: UTF-8, object keys sorted by Unicode code point, no insignificant white space,
//! numbers as `serde_json` prints them (shortest text that reads back to the same value). Two equal
//! values have one text, hence one hash.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A SHA-256 address, printed as `sha256:<64 hex digits>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The hash of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
    /// The hash of several parts, one after another.
    #[must_use]
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }
    /// The start of every chain.
    #[must_use]
    pub fn zero() -> Self {
        Self([0; 32])
    }
    /// From raw bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
    /// The raw bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
    /// 64 hex digits, without the prefix.
    #[must_use]
    pub fn hex(&self) -> String {
        use fmt::Write as _;
        self.0.iter().fold(String::with_capacity(64), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
    }
    /// Reads `sha256:<hex>` or bare hex.
    pub fn parse(text: &str) -> Result<Self> {
        let hex = text.strip_prefix("sha256:").unwrap_or(text);
        let fault = || {
            Error::input(
                "E-HASH-001",
                format!("SHA-256 のアドレスではありません: {text}"),
                format!("not a SHA-256 address: {text}"),
            )
            .hint("sha256: に続く 64 桁の十六進数で指定してください", "give sha256: followed by 64 hex digits")
        };
        if hex.len() != 64 || !hex.is_ascii() {
            return Err(fault());
        }
        let mut bytes = [0u8; 32];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).map_err(|_| fault())?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// The canonical text of a JSON value (see the module docs).
///
/// # Errors
/// A value that JSON cannot hold, such as a map with keys that are not strings.
pub fn to_canonical<T: Serialize>(value: &T) -> Result<String> {
    // serde_json's map is ordered by key, so going through Value sorts every object.
    let value = serde_json::to_value(value).map_err(|e| Error::bug("E-JSON-001", e))?;
    serde_json::to_string(&value).map_err(|e| Error::bug("E-JSON-002", e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_is_fips_180_4_and_round_trips() {
        // FIPS 180-4 example: SHA-256("abc").
        let digest = Digest::of(b"abc");
        assert_eq!(digest.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(Digest::parse(&digest.to_string()).unwrap(), digest);
        assert!(Digest::parse("sha256:zz").is_err());
        assert!(Digest::parse(&"é".repeat(32)).is_err());
    }

    #[test]
    fn equal_values_have_one_text() {
        let a = serde_json::json!({"b": 1, "a": {"y": 0.1, "x": "酒"}});
        assert_eq!(to_canonical(&a).unwrap(), r#"{"a":{"x":"酒","y":0.1},"b":1}"#);
    }
}
