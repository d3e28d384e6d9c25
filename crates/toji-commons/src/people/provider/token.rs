//! What an ID token must say (OpenID Connect Core 1.0 §3.1.3.7).

use super::Wrong;
use serde_json::Value as Json;
use toji_core::Instant;

/// Seconds that two clocks may differ.
const SKEW_S: i64 = 60;
/// Seconds after which a token is too old, whatever it says of its end: it has just been asked for.
const AGE_S: i64 = 600;
/// Letters of an identifier, at most (§2).
const SUBJECT_MOST: usize = 255;

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The provider.
    pub issuer: &'a str,
    /// Who asked.
    pub client: &'a str,
    /// What was drawn for this log-in.
    pub nonce: &'a str,
    /// The present.
    pub now: Instant,
}

/// What a provider says of somebody, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims(Json);

impl Expected<'_> {
    /// Checks what a signed token says.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn check(&self, payload: &[u8]) -> Result<Claims, Wrong> {
        let claims: Json = serde_json::from_slice(payload).map_err(|_| Wrong::Unreadable)?;
        let text = |name: &str| claims.get(name).and_then(Json::as_str);
        if text("iss") != Some(self.issuer) {
            return Err(Wrong::Issuer);
        }
        // Others that it is meant for would have to be trusted, and nobody is.
        let meant = match claims.get("aud") {
            Some(Json::String(one)) => one == self.client,
            Some(Json::Array(all)) => !all.is_empty() && all.iter().all(|one| one.as_str() == Some(self.client)),
            _ => false,
        };
        let party = claims.get("azp").is_none_or(|party| party.as_str() == Some(self.client));
        if !meant || !party {
            return Err(Wrong::Audience);
        }
        let now = self.now.0.div_euclid(1_000_000_000);
        let time = |name: &str| claims.get(name).and_then(seconds);
        let (Some(ends), Some(made)) = (time("exp"), time("iat")) else { return Err(Wrong::Unreadable) };
        if now >= ends.saturating_add(SKEW_S) || now >= made.saturating_add(AGE_S + SKEW_S) {
            return Err(Wrong::Late);
        }
        let from = match claims.get("nbf") {
            Some(_) => time("nbf").ok_or(Wrong::Unreadable)?,
            None => made,
        };
        if made.max(from) > now.saturating_add(SKEW_S) {
            return Err(Wrong::Early);
        }
        if !text("nonce").is_some_and(|nonce| crate::people::same(nonce.as_bytes(), self.nonce.as_bytes())) {
            return Err(Wrong::Nonce);
        }
        if !text("sub").is_some_and(|subject| !subject.is_empty() && subject.len() <= SUBJECT_MOST) {
            return Err(Wrong::Subject);
        }
        Ok(Claims(claims))
    }
}

/// A time in seconds since 1970, as a whole number or not.
fn seconds(value: &Json) -> Option<i64> {
    let fits = |seconds: f64| seconds.is_finite() && (0.0..1e12).contains(&seconds);
    value.as_i64().or_else(|| value.as_f64().filter(|seconds| fits(*seconds)).map(|seconds| seconds as i64))
}

impl Claims {
    /// What it says under a name, as a text. A mail address counts where the provider has made sure of it.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        if name == "email" && self.0.get("email_verified") != Some(&Json::Bool(true)) {
            return None;
        }
        self.0.get(name).and_then(Json::as_str).filter(|text| !text.is_empty())
    }
}
