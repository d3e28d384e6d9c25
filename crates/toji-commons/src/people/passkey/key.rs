//! The public key of a passkey, as COSE (RFC 9053) writes it.

use super::Refused;
use super::cbor::{self, Value};
use ring::signature::{ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};

/// Kinds of keys that are taken, by their number in COSE, the most wanted first: `EdDSA` on Ed25519, ES256 on P-256, and
/// RS256, which some Windows Hello devices know alone.
pub(super) const ALGORITHMS: [i64; 3] = [-8, -7, -257];
/// Bits of an RSA key, at most: more makes a log-in slow and nothing safer.
const RSA_MOST: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// A point of P-256, not compressed.
    Es256([u8; 65]),
    /// A point of Ed25519.
    EdDsa([u8; 32]),
    /// Modulus and exponent, without zeros before them.
    Rs256 { n: Vec<u8>, e: Vec<u8> },
}

impl Key {
    pub(super) fn read(cose: &[u8]) -> Result<Self, Refused> {
        Self::of(&cbor::read_whole(cose).ok_or(Refused::Unreadable)?)
    }

    pub(super) fn of(cose: &Value<'_>) -> Result<Self, Refused> {
        let number = |key: i64| cose.at(key).and_then(Value::integer);
        let bytes = |key: i64| cose.at(key).and_then(Value::bytes);
        let part = |key: i64| bytes(key).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).ok_or(Refused::Key);
        // Type of key, algorithm, curve.
        match (number(1), number(3), number(-1)) {
            (Some(2), Some(-7), Some(1)) => {
                let mut point = [4; 65];
                point[1..33].copy_from_slice(&part(-2)?);
                point[33..].copy_from_slice(&part(-3)?);
                Ok(Self::Es256(point))
            }
            (Some(1), Some(-8), Some(6)) => Ok(Self::EdDsa(part(-2)?)),
            (Some(3), Some(-257), None) => {
                let (n, e) = (bytes(-1).ok_or(Refused::Key)?, bytes(-2).ok_or(Refused::Key)?);
                // The library refuses what is shorter than 2048 bits.
                let fine = n.first().is_some_and(|first| *first != 0) && n.len() * 8 <= RSA_MOST && (1..=4).contains(&e.len());
                if fine { Ok(Self::Rs256 { n: n.to_vec(), e: e.to_vec() }) } else { Err(Refused::Key) }
            }
            (Some(_), Some(algorithm), _) if !ALGORITHMS.contains(&algorithm) => Err(Refused::Algorithm),
            _ => Err(Refused::Key),
        }
    }

    pub(super) fn algorithm(&self) -> i64 {
        match self {
            Self::EdDsa(_) => -8,
            Self::Es256(_) => -7,
            Self::Rs256 { .. } => -257,
        }
    }

    /// Did the holder of the key sign this?
    pub(super) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Es256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature).is_ok(),
            Self::EdDsa(point) => UnparsedPublicKey::new(&ED25519, point).verify(message, signature).is_ok(),
            Self::Rs256 { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
        }
    }
}
