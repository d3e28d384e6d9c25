//! Sessions: a token of 256 bits that only its owner holds, and how long it counts.

use std::fmt;
use toji_core::{Digest, Instant};

/// Bytes to draw for a token.
pub const TOKEN_BYTES: usize = 32;

/// A token as its owner holds it. What is kept is its SHA-256 alone, so whoever reads the store can be nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// From drawn bytes.
    #[must_use]
    pub fn draw(bytes: [u8; TOKEN_BYTES]) -> Self {
        Self(bytes.iter().map(|b| format!("{b:02x}")).collect())
    }
    /// As a cookie or a header gives it; `None` when it cannot be one.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let fine = text.len() == 2 * TOKEN_BYTES && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        fine.then(|| Self(text.to_owned()))
    }
    /// For its owner.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
    /// Under what it is kept.
    #[must_use]
    pub fn hash(&self) -> String {
        Digest::of_parts(&[b"toji session v1\n", self.0.as_bytes()]).hex()
    }
}

/// How long a session counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRule {
    /// Seconds without a request after which it ends.
    pub idle_s: i64,
    /// Seconds after which it ends in any case.
    pub whole_s: i64,
}

impl SessionRule {
    /// One hour idle and a day in all, as NIST SP 800-63B names for its second level.
    pub const HOUSE: Self = Self { idle_s: 3600, whole_s: 24 * 3600 };

    /// Its end in any case.
    #[must_use]
    pub fn ends(self, created: Instant) -> Instant {
        created.plus_ns(self.whole_s * 1_000_000_000).unwrap_or(created)
    }
    /// Does a session count, that was used last then and ends in any case then? A clock that was set back to before
    /// the last use gives nobody more time.
    #[must_use]
    pub fn counts(self, seen: Instant, ends: Instant, now: Instant) -> bool {
        now < ends && (i128::from(now.0) - i128::from(seen.0)) < i128::from(self.idle_s) * 1_000_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_hash_is_kept_and_nothing_shows_the_token() {
        let token = Token::draw([0xab; TOKEN_BYTES]);
        assert_eq!(token.reveal().len(), 64);
        assert!(!token.hash().contains(&token.reveal()[..16]) && token.hash().len() == 64);
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert_eq!(Token::read(token.reveal()), Some(token.clone()));
        for text in ["", "ab", &token.reveal().to_uppercase(), &format!("{}x", token.reveal()), &"z".repeat(64)] {
            assert!(Token::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_session_ends_idle_and_in_any_case() {
        let s = |seconds: i64| Instant(seconds * 1_000_000_000);
        let rule = SessionRule { idle_s: 60, whole_s: 600 };
        let ends = rule.ends(s(0));
        for (seen, now, counts) in [(0, 0, true), (0, 59, true), (0, 60, false), (550, 599, true), (599, 600, false)] {
            assert_eq!(rule.counts(s(seen), ends, s(now)), counts, "{seen} {now}");
        }
    }

    proptest! {
        #[test]
        fn nothing_counts_longer_than_the_rule(created in 0i64..1_000_000, seen in 0i64..1_000_000, now in 0i64..2_000_000) {
            let s = |seconds: i64| Instant(seconds * 1_000_000_000);
            let rule = SessionRule { idle_s: 3600, whole_s: 86_400 };
            if rule.counts(s(seen), rule.ends(s(created)), s(now)) {
                prop_assert!(now < created + rule.whole_s && now - seen < rule.idle_s);
            }
        }
    }
}
