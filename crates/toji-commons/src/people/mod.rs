//! Who somebody is: passwords, second factors, one-time codes, delays after failures, sessions, and who may
//! give whom which role. All of it works without a network.
//!
//! Everything random and the time are arguments; what is kept is text that the caller keeps. Passwords follow
//! NIST SP 800-63B and OWASP ASVS 5.0: length and a list of common ones, no rules of composition.

mod code;
mod hash;
pub mod passkey;
mod password;
pub mod provider;
mod role;
mod session;
mod throttle;
mod totp;

pub use code::{CODE_BYTES, OneTime, RECOVERY_CODES};
pub use hash::{Cost, is_behind, keep, matches};
pub use password::{LENGTH_ALONE, LENGTH_MOST, LENGTH_WITH_SECOND, judge};
pub use role::{Seen, administers, may_grant, together};
pub use session::{SessionRule, TOKEN_BYTES, Token};
pub use throttle::{Rule as ThrottleRule, Throttle};
pub use totp::{DIGITS, KEY_BYTES, STEP_S, accept, base32, code_at, step_of, unbase32, uri};

use subtle::ConstantTimeEq as _;

/// Are two secrets equal? Takes as long wherever they differ.
#[must_use]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
