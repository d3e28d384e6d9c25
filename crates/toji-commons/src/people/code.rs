//! Codes that count once: for enrolment, and for recovery when the second factor is lost. 120 bits each, so that the
//! SHA-256 of one tells nothing of it and guessing is out of reach.

use toji_core::{Digest, Instant};

/// Bytes to draw for a code.
pub const CODE_BYTES: usize = 15;
/// Recovery codes handed out at a time.
pub const RECOVERY_CODES: usize = 10;
/// Separates hashes of codes from every other hash in the house.
const DOMAIN: &[u8] = b"toji one-time code v1\n";
/// Letters that are not taken for one another.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters between two dashes.
const GROUP: usize = 6;

/// A code that counts once, as it is kept: its hash, and until when it counts.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OneTime {
    /// SHA-256 in hexadecimal.
    hash: String,
    /// Counts before; `None` for always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Instant>,
}

impl OneTime {
    /// From drawn bytes: the code to show once, and what is kept.
    #[must_use]
    pub fn draw(bytes: [u8; CODE_BYTES], until: Option<Instant>) -> (String, Self) {
        let bits = bytes.iter().fold(0_u128, |bits, b| (bits << 8) | u128::from(*b));
        let letters = CODE_BYTES * 8 / 5;
        let mut code = String::new();
        for i in 0..letters {
            if i > 0 && i % GROUP == 0 {
                code.push('-');
            }
            code.push(char::from(ALPHABET[((bits >> (5 * (letters - 1 - i))) & 31) as usize]));
        }
        let kept = Self { hash: hash(&code), until };
        (code, kept)
    }

    /// Is this the code, and does it still count? The caller drops it before it lets anybody in.
    #[must_use]
    pub fn fits(&self, given: &str, now: Instant) -> bool {
        let same = super::same(hash(given).as_bytes(), self.hash.as_bytes());
        same && self.until.is_none_or(|until| now < until)
    }
}

/// The hash of a code however it was typed: small letters, spaces and dashes, O for 0, I and L for 1.
fn hash(code: &str) -> String {
    let plain: String = code
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    Digest::of_parts(&[DOMAIN, plain.as_bytes()]).hex()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Instant = Instant(1_800_000_000_000_000_000);

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let (code, kept) =
            OneTime::draw([0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf, 0x84, 0x65, 0x3a, 0x56, 0xd7], None);
        assert_eq!(code, "012345-6789AB-CDEFGH-JKMNPQ");
        for typed in ["012345-6789AB-CDEFGH-JKMNPQ", "o12345 6789ab cdefgh jkmnpq", "0L23456789ABCDEFGHJKMNPQ\n"] {
            assert!(kept.fits(typed, NOW), "{typed}");
        }
        for typed in ["", "012345-6789AB-CDEFGH-JKMNP", "012345-6789AB-CDEFGH-JKMNPR"] {
            assert!(!kept.fits(typed, NOW), "{typed}");
        }
        assert!(!serde_json::to_string(&kept).unwrap().contains("012345"));
    }

    #[test]
    fn a_code_ends() {
        let (code, kept) = OneTime::draw([9; CODE_BYTES], Some(NOW));
        assert!(kept.fits(&code, Instant(NOW.0 - 1)) && !kept.fits(&code, NOW));
    }

    proptest! {
        #[test]
        fn codes_of_different_bytes_differ(a: [u8; CODE_BYTES], b: [u8; CODE_BYTES]) {
            let ((one, kept), (other, _)) = (OneTime::draw(a, None), OneTime::draw(b, None));
            prop_assert!(kept.fits(&one, NOW));
            prop_assert_eq!(kept.fits(&other, NOW), a == b);
        }
    }
}
