//! The secret behind the choices.

use std::fmt;
use toji_core::{Digest, Error, Place, Result};

/// Size of a block of SHA-256.
const BLOCK: usize = 64;

/// The secret key of a house. It never shows.
#[derive(Clone, PartialEq, Eq)]
pub struct MarkKey([u8; 32]);

impl fmt::Debug for MarkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MarkKey(…)")
    }
}

impl MarkKey {
    /// From random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// As it is kept: 64 hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        Digest::from_bytes(self.0).hex()
    }

    /// Reads what [`MarkKey::hex`] wrote.
    ///
    /// # Errors
    /// `E-MARK-001` it is none; its content is not told.
    pub fn parse(hex: &str) -> Result<Self> {
        Digest::parse(hex).map(|digest| Self(*digest.bytes())).map_err(|_| {
            Error::storage("E-MARK-001", "保存された透かしの鍵が読めません", "the stored key of the marks is not readable")
                .at(Place::field("key"))
                .hint("`toji store verify` で確かめ、控えから戻してください", "check with `toji store verify` and restore a copy")
        })
    }

    /// HMAC-SHA-256 (RFC 2104) of a purpose and a content.
    pub(super) fn mac(&self, purpose: &str, content: &[u8]) -> [u8; 32] {
        let length = (purpose.len() as u64).to_le_bytes();
        hmac(&self.0, &[&length, purpose.as_bytes(), content])
    }
}

fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let (mut inner, mut outer) = ([0x36_u8; BLOCK], [0x5c_u8; BLOCK]);
    for ((i, o), k) in inner.iter_mut().zip(&mut outer).zip(key) {
        *i ^= k;
        *o ^= k;
    }
    let all: Vec<&[u8]> = std::iter::once(inner.as_slice()).chain(parts.iter().copied()).collect();
    *Digest::of_parts(&[&outer, Digest::of_parts(&all).bytes()]).bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test cases 1 and 2, whose keys end before 32 bytes: zeros behind a key change nothing.
    #[test]
    fn the_code_is_that_of_rfc_4231() {
        let key = |short: &[u8]| {
            let mut key = [0; 32];
            key[..short.len()].copy_from_slice(short);
            key
        };
        let hex = |bytes: [u8; 32]| Digest::from_bytes(bytes).hex();
        assert_eq!(
            hex(hmac(&key(&[0x0b; 20]), &[b"Hi ", b"There"])),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            hex(hmac(&key(b"Jefe"), &[b"what do ya want for nothing?"])),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn a_key_is_kept_and_never_shown() {
        let key = MarkKey::new([7; 32]);
        assert_eq!(MarkKey::parse(&key.hex()).ok(), Some(key.clone()));
        assert_eq!(format!("{key:?}"), "MarkKey(…)");
        assert!(MarkKey::parse("00").is_err_and(|e| e.code() == "E-MARK-001"));
    }
}
