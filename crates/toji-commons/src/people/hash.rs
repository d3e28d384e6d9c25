//! Passwords as Argon2id hashes in the text form of the PHC string format, with their cost beside them, so that a
//! hash made with less is known and made anew.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use toji_core::{Error, Result};
use unicode_normalization::UnicodeNormalization as _;

/// Bytes of a hash.
const OUTPUT_BYTES: usize = 32;
/// Bytes of a salt, at least; 16 is what RFC 9106 names for passwords.
const SALT_BYTES_MIN: usize = 8;

/// What a guess costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// What is used: the figure of the OWASP password storage cheat sheet (19 MiB, two passes, one lane).
    pub const HOUSE: Self = Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
    /// The most that is read from a kept hash: a damaged row must not take the machine's memory.
    const MOST: Self = Self { memory_kib: 1 << 20, passes: 32, lanes: 16 };

    fn fits(self) -> bool {
        self.memory_kib <= Self::MOST.memory_kib && self.passes <= Self::MOST.passes && self.lanes <= Self::MOST.lanes
    }

    fn below(self, other: Self) -> bool {
        self.memory_kib < other.memory_kib || self.passes < other.passes || self.lanes < other.lanes
    }
}

/// The password as it is hashed: NFKC, as NIST SP 800-63B asks for, since keyboards differ in how they write one
/// letter. Nothing is cut and no case is changed.
pub(super) fn normal(password: &str) -> String {
    password.nfkc().collect()
}

/// Hashes a password. The salt is 16 bytes drawn for it alone.
///
/// # Errors
/// `E-PEOPLE-001` the cost cannot be had.
pub fn keep(password: &str, salt: &[u8; 16], cost: Cost) -> Result<String> {
    let hash = run(password, salt, cost, OUTPUT_BYTES)?;
    let Cost { memory_kib, passes, lanes } = cost;
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    Ok(format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}"))
}

/// Is this the password? A kept text that is no such hash fits no password.
#[must_use]
pub fn matches(password: &str, kept: &str) -> bool {
    let Some(kept) = Kept::read(kept) else { return false };
    run(password, &kept.salt, kept.cost, kept.hash.len()).is_ok_and(|hash| super::same(&hash, &kept.hash))
}

/// Was it made with less than this cost, or is it none of ours? Then it is made anew when the password is known next.
#[must_use]
pub fn is_behind(kept: &str, cost: Cost) -> bool {
    Kept::read(kept).is_none_or(|kept| kept.cost.below(cost) || kept.hash.len() < OUTPUT_BYTES || kept.salt.len() < 16)
}

fn run(password: &str, salt: &[u8], cost: Cost, length: usize) -> Result<Vec<u8>> {
    let fault = |e: argon2::Error| Error::bug("E-PEOPLE-001", e);
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(length)).map_err(fault)?;
    let mut hash = vec![0; length];
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon.hash_password_into(normal(password).as_bytes(), salt, &mut hash).map_err(fault)?;
    Ok(hash)
}

struct Kept {
    cost: Cost,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Kept {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
        let (costs, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let mut costs = costs.split(',');
        let mut next = |key: &str| costs.next()?.strip_prefix(key)?.strip_prefix('=')?.parse::<u32>().ok();
        let cost = Cost { memory_kib: next("m")?, passes: next("t")?, lanes: next("p")? };
        let salt = STANDARD_NO_PAD.decode(salt).ok()?;
        let hash = STANDARD_NO_PAD.decode(hash).ok()?;
        let whole = parts.next().is_none() && costs.next().is_none();
        let fits = cost.fits() && (SALT_BYTES_MIN..=64).contains(&salt.len()) && (16..=64).contains(&hash.len());
        (whole && fits).then_some(Self { cost, salt, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

    /// The version 0x13 lines for Argon2id of `src/test.c` of the reference implementation
    /// (P-H-C/phc-winner-argon2).
    #[test]
    fn hashes_of_the_reference_implementation_are_read() {
        let check = |kept: &str, password: &str| {
            assert!(matches(password, kept), "{kept}");
            assert!(!matches(&format!("{password}x"), kept));
        };
        check("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password");
        check("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password");
        check("$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "password");
    }

    #[test]
    fn the_house_cost_is_the_published_figure_and_weaker_hashes_are_known() {
        let Cost { memory_kib, passes, lanes } = Cost::HOUSE;
        assert!(memory_kib >= 19 * 1024 && passes >= 2 && lanes >= 1);
        let kept = keep("a rather long secret", &[7; 16], Cost::HOUSE).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(matches("a rather long secret", &kept) && !is_behind(&kept, Cost::HOUSE));
        assert!(is_behind(&kept, Cost { passes: 3, ..Cost::HOUSE }));
        assert!(is_behind(&keep("x", &[7; 16], CHEAP).unwrap(), Cost::HOUSE));
        assert!(is_behind("", Cost::HOUSE));
    }

    #[test]
    fn a_damaged_hash_fits_nothing_and_takes_no_memory() {
        let good = keep("secret", &[1; 16], CHEAP).unwrap();
        let huge = good.replace("m=64", "m=4294967295");
        let other = good.replace("argon2id", "argon2i");
        for kept in ["", "$argon2id$", "$argon2id$v=19$m=64,t=1,p=1$$", &huge, &other, &good[..good.len() - 30]] {
            assert!(!matches("secret", kept), "{kept}");
        }
        assert!(!matches("secret", &format!("{good}$x")));
    }

    #[test]
    fn one_letter_written_in_two_ways_is_one_letter() {
        let kept = keep("caf\u{e9} \u{ff71}", &[1; 16], CHEAP).unwrap();
        assert!(matches("cafe\u{301} \u{30a2}", &kept));
        assert!(!matches("cafe \u{30a2}", &kept) && !matches("CAF\u{c9} \u{30a2}", &kept));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn only_the_password_itself_fits(password in "\\PC{0,80}", other in "\\PC{0,80}", salt: [u8; 16]) {
            let kept = keep(&password, &salt, CHEAP).unwrap();
            prop_assert!(matches(&password, &kept));
            prop_assert_eq!(matches(&other, &kept), normal(&other) == normal(&password));
            prop_assert!(!kept.contains(&password) || password.len() < 4);
        }
        #[test]
        fn no_kept_text_breaks_it(kept in "(\\$argon2id\\$v=19\\$)?\\PC{0,60}") {
            prop_assert!(!matches("secret", &kept));
        }
    }
}
