//! What a page hands to the browser (WebAuthn Level 3 §5.4, §5.5, in the form of §5.1.8).

use super::key::ALGORITHMS;
use super::{Party, Passkey, encode};
use serde_json::{Value as Json, json};

/// Bytes to draw for a challenge.
pub const CHALLENGE_BYTES: usize = 32;
/// Bytes to draw for the handle of somebody: authenticators keep it, and it says nothing of them.
pub const HANDLE_BYTES: usize = 32;
/// Seconds a challenge counts.
pub const VALID_S: i64 = 300;

fn descriptors(passkeys: &[Passkey]) -> Vec<Json> {
    passkeys.iter().map(|one| json!({"type": "public-key", "id": one.id, "transports": one.transports})).collect()
}

/// For a new passkey of a user; those they have are named, so that no authenticator holds two.
#[must_use]
pub fn creation(party: &Party, challenge: &[u8], handle: &[u8], user: &str, has: &[Passkey]) -> Json {
    let kinds: Vec<Json> = ALGORITHMS.iter().map(|number| json!({"type": "public-key", "alg": number})).collect();
    json!({
        "rp": {"id": party.domain(), "name": "Toji"},
        "user": {"id": encode(handle), "name": user, "displayName": user},
        "challenge": encode(challenge),
        "pubKeyCredParams": kinds,
        "timeout": VALID_S * 1000,
        "excludeCredentials": descriptors(has),
        "authenticatorSelection": {"residentKey": "preferred", "userVerification": "preferred"},
        "attestation": "none",
    })
}

/// For a log-in: with one of these passkeys beside a password, or, with none named, with whichever the authenticator
/// knows for this domain, which then has to make sure of its owner.
#[must_use]
pub fn request(party: &Party, challenge: &[u8], of: &[Passkey]) -> Json {
    json!({
        "rpId": party.domain(),
        "challenge": encode(challenge),
        "timeout": VALID_S * 1000,
        "allowCredentials": descriptors(of),
        "userVerification": if of.is_empty() { "required" } else { "preferred" },
    })
}
