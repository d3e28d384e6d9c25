//! Time-based one-time passwords (RFC 6238 over HMAC-SHA-1 of RFC 2104, six digits, steps of 30 s), as every
//! authenticator app makes them. A code counts for its step and the one before and after; a step that was used, and
//! every earlier one, is never accepted again.

use sha1::{Digest as _, Sha1};
use std::fmt::Write as _;
use toji_core::Instant;

/// Length of a step in seconds.
pub const STEP_S: i64 = 30;
/// Digits of a code.
pub const DIGITS: u32 = 6;
/// Bytes of a key: 160 bits, as RFC 4226 §4 asks for.
pub const KEY_BYTES: usize = 20;
/// Bytes of a block of SHA-1.
const BLOCK: usize = 64;

/// The step of a time.
#[must_use]
pub fn step_of(now: Instant) -> i64 {
    now.0.div_euclid(1_000_000_000 * STEP_S)
}

/// The code of a step.
#[must_use]
pub fn code_at(key: &[u8], step: i64) -> String {
    hotp(key, step, DIGITS)
}

/// The step whose code this is, when it lies within one of the present and after the last that was used. The caller
/// keeps it as the last used before it lets anybody in.
#[must_use]
pub fn accept(key: &[u8], given: &str, now: Instant, last_used: Option<i64>) -> Option<i64> {
    let given: String = given.chars().filter(|c| !c.is_whitespace()).collect();
    let present = step_of(now);
    // All three are computed whatever fits, so that the time tells nothing.
    let fits: Vec<i64> =
        (present - 1..=present + 1).filter(|step| super::same(code_at(key, *step).as_bytes(), given.as_bytes())).collect();
    fits.into_iter().find(|step| last_used.is_none_or(|last| *step > last))
}

/// The key as apps take it from a picture or by hand.
#[must_use]
pub fn uri(issuer: &str, account: &str, key: &[u8]) -> String {
    let (issuer, account, key) = (percent(issuer), percent(account), base32(key));
    format!("otpauth://totp/{issuer}:{account}?secret={key}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP_S}")
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
        out
    })
}

/// RFC 4226.
fn hotp(key: &[u8], counter: i64, digits: u32) -> String {
    let mac = hmac(key, &counter.to_be_bytes());
    let at = usize::from(mac[19] & 0x0f);
    let word = u32::from_be_bytes([mac[at], mac[at + 1], mac[at + 2], mac[at + 3]]) & 0x7fff_ffff;
    format!("{:0width$}", word % 10_u32.pow(digits), width = digits as usize)
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 20] {
    let mut block = [0_u8; BLOCK];
    if key.len() > BLOCK {
        block[..20].copy_from_slice(&Sha1::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha1::new().chain_update(block.map(|b| b ^ 0x36)).chain_update(message).finalize();
    Sha1::new().chain_update(block.map(|b| b ^ 0x5c)).chain_update(inner).finalize().into()
}

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// RFC 4648 base 32 without padding, as apps want it.
#[must_use]
pub fn base32(bytes: &[u8]) -> String {
    bytes
        .chunks(5)
        .flat_map(|five| {
            let word = five.iter().enumerate().fold(0_u64, |word, (i, b)| word | (u64::from(*b) << (32 - 8 * i)));
            let letters = (five.len() * 8).div_ceil(5);
            (0..letters).map(move |i| char::from(ALPHABET[((word >> (35 - 5 * i)) & 31) as usize]))
        })
        .collect()
}

/// Reads base 32, with or without padding; `None` when it is none.
#[must_use]
pub fn unbase32(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut out = Vec::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|a| *a == letter.to_ascii_uppercase())?;
        bits = (bits << 5) | u32::try_from(value).ok()?;
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from((bits >> held) & 0xff).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    (bits == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> Instant {
        Instant(seconds * 1_000_000_000)
    }

    /// RFC 6238, appendix B, the lines of SHA-1.
    #[test]
    fn the_vectors_of_rfc_6238() {
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
        ] {
            assert_eq!(hotp(KEY, step_of(at(seconds)), 8), code, "{seconds}");
        }
        // 20000000000 s lies beyond the instants of this house (2262), not beyond the steps.
        assert_eq!(hotp(KEY, 20_000_000_000 / STEP_S, 8), "65353130");
    }

    /// RFC 4226, appendix D.
    #[test]
    fn the_vectors_of_rfc_4226() {
        let codes = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (count, code) in (0..).zip(codes) {
            assert_eq!(code_at(KEY, count), code);
        }
    }

    /// RFC 2202, cases 1, 2, 6.
    #[test]
    fn the_vectors_of_rfc_2202() {
        let hex = |bytes: [u8; 20]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(hex(hmac(&[0x0b; 20], b"Hi There")), "b617318655057264e28bc0b6fb378c8ef146be00");
        assert_eq!(hex(hmac(b"Jefe", b"what do ya want for nothing?")), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        let long = hmac(&[0xaa; 80], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(hex(long), "aa4ae5e15272d00e95705637ce8a3b55ed402112");
    }

    /// RFC 4648, section 10.
    #[test]
    fn the_vectors_of_rfc_4648() {
        for (plain, coded) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(plain.as_bytes()), coded);
            assert_eq!(unbase32(coded).as_deref(), Some(plain.as_bytes()));
        }
        assert_eq!(unbase32("MZXW6YTBOI======").as_deref(), Some(b"foobar".as_slice()));
        assert!(unbase32("MZ1").is_none() && unbase32("MZ").is_none());
    }

    #[test]
    fn a_code_counts_for_one_step_around_and_never_twice() {
        let now = at(1_234_567_890);
        let step = step_of(now);
        for (offset, fits) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let code = code_at(KEY, step + offset);
            assert_eq!(accept(KEY, &code, now, None), fits.then_some(step + offset), "{offset}");
        }
        let code = code_at(KEY, step);
        assert_eq!(accept(KEY, &format!(" {} {}", &code[..3], &code[3..]), now, None), Some(step));
        assert_eq!(accept(KEY, &code, now, Some(step - 1)), Some(step));
        assert_eq!(accept(KEY, &code, now, Some(step)), None);
        assert_eq!(accept(KEY, &code, at(1_234_567_890 + STEP_S), Some(step)), None);
        // Using a later step shuts the earlier ones.
        assert_eq!(accept(KEY, &code_at(KEY, step - 1), now, Some(step)), None);
        for wrong in ["", "12345", "1234567", "abcdef", "000000000000"] {
            assert_eq!(accept(KEY, wrong, now, None), None, "{wrong}");
        }
    }

    #[test]
    fn apps_read_the_address_of_the_key() {
        assert_eq!(
            uri("Toji", "花子", b"foobar"),
            "otpauth://totp/Toji:%E8%8A%B1%E5%AD%90?secret=MZXW6YTBOI&issuer=Toji&algorithm=SHA1&digits=6&period=30"
        );
    }

    proptest! {
        #[test]
        fn base_32_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(unbase32(&base32(&bytes)), Some(bytes));
        }
        #[test]
        fn no_step_is_used_twice(key: [u8; 20], asked in proptest::collection::vec((0i64..12, -2i64..3), 1..60)) {
            let mut last = None;
            let mut used = Vec::new();
            for (elapsed, offset) in asked {
                let now = at(1_700_000_000 + elapsed * 15);
                if let Some(step) = accept(&key, &code_at(&key, step_of(now) + offset), now, last) {
                    prop_assert!(!used.contains(&step) && last.is_none_or(|last| step > last));
                    used.push(step);
                    last = Some(step);
                }
            }
        }
    }
}
