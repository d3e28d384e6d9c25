//! What an authenticator says of itself and of the moment (WebAuthn Level 3 §6.1).

use super::Refused;
use super::cbor::{self, Value};

/// Somebody was there.
const PRESENT: u8 = 1;
/// They showed who they are: by a PIN, a finger, a face.
const VERIFIED: u8 = 1 << 2;
/// The key may be copied to other devices of its owner.
const ELIGIBLE: u8 = 1 << 3;
/// It is.
const BACKED_UP: u8 = 1 << 4;
/// A new key follows.
const ATTESTED: u8 = 1 << 6;
/// Extensions follow.
const EXTENDED: u8 = 1 << 7;
/// Bytes of an identifier, at most (§6.5.1).
const ID_MOST: usize = 1023;

#[derive(Debug)]
pub(super) struct Data<'a> {
    /// SHA-256 of the domain.
    pub(super) domain_hash: &'a [u8],
    flags: u8,
    /// How often the authenticator signed; zero when it does not count.
    pub(super) count: u32,
    pub(super) attested: Option<Attested<'a>>,
}

#[derive(Debug)]
pub(super) struct Attested<'a> {
    pub(super) id: &'a [u8],
    /// The key, as COSE writes it.
    pub(super) cose: &'a [u8],
}

impl<'a> Data<'a> {
    /// # Errors
    /// Anything that is missing or too much.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Refused> {
        Self::parse(bytes).ok_or(Refused::Unreadable)
    }

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (domain_hash, rest) = bytes.split_at_checked(32)?;
        let (flags, rest) = rest.split_first()?;
        let (count, mut rest) = rest.split_at_checked(4)?;
        let mut attested = None;
        if flags & ATTESTED != 0 {
            // Its model, of which nothing is asked.
            let (_, after) = rest.split_at_checked(16)?;
            let (length, after) = after.split_at_checked(2)?;
            let length = usize::from(u16::from_be_bytes(length.try_into().ok()?));
            let (id, after) = after.split_at_checked(length)?;
            let (_, size) = cbor::read(after)?;
            let (cose, after) = after.split_at_checked(size)?;
            if !(1..=ID_MOST).contains(&length) {
                return None;
            }
            attested = Some(Attested { id, cose });
            rest = after;
        }
        if flags & EXTENDED != 0 {
            let (extensions, size) = cbor::read(rest)?;
            if !matches!(extensions, Value::Map(_)) {
                return None;
            }
            rest = rest.get(size..)?;
        }
        let count = u32::from_be_bytes(count.try_into().ok()?);
        rest.is_empty().then_some(Self { domain_hash, flags: *flags, count, attested })
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
    pub(super) fn present(&self) -> bool {
        self.has(PRESENT)
    }
    pub(super) fn verified(&self) -> bool {
        self.has(VERIFIED)
    }
    pub(super) fn eligible(&self) -> bool {
        self.has(ELIGIBLE)
    }
    pub(super) fn backed_up(&self) -> bool {
        self.has(BACKED_UP)
    }
}
