//! The second factor: an authenticator app, and recovery codes for when it is lost.

use super::login::{Caller, Client, LoggedIn, NotIn, RECOVERY, TOTP, TOTP_NEW, TOTP_USED, random, refused};
use crate::session::Session;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use toji_commons::people::{self, CODE_BYTES, KEY_BYTES, OneTime, RECOVERY_CODES};
use toji_core::{Category, Error, Instant, Result};
use toji_store::Store;

/// How long a key that was not confirmed counts.
const BEGUN_NS: i64 = 600_000_000_000;

/// A key to be put into an authenticator app: shown once.
#[derive(Debug, Serialize)]
pub struct NewKey {
    /// In base 32, for typing.
    pub secret: String,
    /// As `otpauth://…`.
    pub uri: String,
}

#[derive(Serialize, Deserialize)]
struct Begun {
    key: String,
    at: Instant,
}

/// Uses up a code of the app, or a recovery code. Of two at one moment one is told no.
pub(super) async fn takes(store: &Store, user: &str, key: &str, code: &str, now: Instant) -> Result<bool> {
    let used = store.secret(user, TOTP_USED).await?;
    let last = used.as_deref().and_then(|used| used.parse().ok());
    let key = people::unbase32(key).unwrap_or_default();
    if !key.is_empty()
        && let Some(step) = people::accept(&key, code, now, last)
    {
        return store.swap_secret(user, TOTP_USED, used.as_deref(), &step.to_string(), now).await;
    }
    let Some(kept) = store.secret(user, RECOVERY).await? else { return Ok(false) };
    let codes: Vec<OneTime> = serde_json::from_str(&kept).unwrap_or_default();
    let left: Vec<&OneTime> = codes.iter().filter(|one| !one.fits(code, now)).collect();
    if left.len() == codes.len() {
        return Ok(false);
    }
    let left = serde_json::to_string(&left).map_err(|e| Error::bug("E-LOGIN-006", e))?;
    store.swap_secret(user, RECOVERY, Some(&kept), &left, now).await
}

impl Session {
    /// Begins a second factor for somebody who has the password (and the code of the present one, if any): a new key,
    /// which counts once it is confirmed.
    ///
    /// # Errors
    /// As for a log-in.
    pub async fn begin_second_factor(
        self: &Arc<Self>,
        caller: &Caller,
        password: &str,
        code: Option<&str>,
        client: &Client,
        now: Instant,
    ) -> std::result::Result<NewKey, NotIn> {
        let user = caller.user.as_str();
        self.prove(caller, password, code, client, now).await?;
        let key = random::<KEY_BYTES>()?;
        let secret = people::base32(&key);
        let begun = serde_json::to_string(&Begun { key: secret.clone(), at: now }).map_err(|e| Error::bug("E-LOGIN-006", e))?;
        self.store.set_secret(user, TOTP_NEW, &begun, now).await?;
        Ok(NewKey { uri: people::uri("Toji", user, &key), secret })
    }

    /// Confirms it by a code of the app. Recovery codes are made anew and answered once; all sessions end, and a new
    /// one begins.
    ///
    /// # Errors
    /// None was begun; the code does not fit; the wait after several failures.
    pub async fn confirm_second_factor(
        self: &Arc<Self>,
        caller: &Caller,
        code: &str,
        client: &Client,
        now: Instant,
    ) -> std::result::Result<LoggedIn, NotIn> {
        let user = caller.user.as_str();
        let attempt = self.attempt(user, client, now).await?;
        let kept = self.store.secret(user, TOTP_NEW).await?;
        let begun = kept.as_deref().and_then(|kept| serde_json::from_str::<Begun>(kept).ok());
        let begun = begun.filter(|begun| now.0.saturating_sub(begun.at.0) < BEGUN_NS);
        let (Some(kept), Some(begun)) = (kept, begun) else {
            attempt.took_no_guess();
            return Err(Error::new(
                Category::Conflict,
                "E-LOGIN-007",
                "二要素認証の登録が始まっていないか、時間切れです",
                "no second factor was begun, or too long ago",
            )
            .hint("パスワードを入力して、始めからやり直してください", "begin again with your password")
            .into());
        };
        let key = people::unbase32(&begun.key).unwrap_or_default();
        let Some(step) = people::accept(&key, code, now, None) else { return Err(refused()) };
        if !self.store.take_secret(user, TOTP_NEW, &kept).await? {
            return Err(refused());
        }
        attempt.passed();
        self.store.set_secret(user, TOTP_USED, &step.to_string(), now).await?;
        let shown = self.new_recovery(user, now).await?;
        self.store.set_secret(user, TOTP, &begun.key, now).await?;
        self.store.end_sessions(user).await?;
        let mut logged_in = self.open_session(user, client, now).await?;
        logged_in.recovery = shown;
        Ok(logged_in)
    }

    /// Makes recovery codes anew; gives them to be shown once.
    pub(super) async fn new_recovery(&self, user: &str, now: Instant) -> Result<Vec<String>> {
        let mut shown = Vec::new();
        let mut codes = Vec::new();
        for _ in 0..RECOVERY_CODES {
            let (code, one_time) = OneTime::draw(random::<CODE_BYTES>()?, None);
            shown.push(code);
            codes.push(one_time);
        }
        let codes = serde_json::to_string(&codes).map_err(|e| Error::bug("E-LOGIN-006", e))?;
        self.store.set_secret(user, RECOVERY, &codes, now).await?;
        Ok(shown)
    }
}
