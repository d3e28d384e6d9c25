//! A log-in at an OpenID provider: the draws that bind it to its browser, and the account that it opens.
//!
//! Accounts are not made here and roles are not given: the configuration says which person of the provider is which
//! user of the store, and what that user may stands in the store.

use super::account::{self, State};
use super::login::{Client, LoggedIn, NotIn, PASSKEYS, TOTP, random, turned_away, wait};
use crate::session::Session;
use std::sync::Arc;
use toji_commons::people::provider::{SECRET_BYTES, Secrets, VALID_S};
use toji_commons::people::{self, TOKEN_BYTES, Token};
use toji_core::{Category, Error, Instant, Result};

/// A log-in that waits for its browser to come back.
fn too_late() -> NotIn {
    Error::new(
        Category::Conflict,
        "E-PROVIDER-003",
        "プロバイダーでのログインが始まっていないか、時間切れです",
        "no log-in at the provider was begun in this browser, or too long ago",
    )
    .hint("ログインの画面から、始めからやり直してください", "begin again on the log-in page")
    .into()
}

impl Session {
    /// Begins a log-in at a provider: what is drawn for it, and the ticket that binds it to the browser.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn begin_provider(&self, client: &Client, now: Instant) -> Result<(Secrets, Token)> {
        let secrets = Secrets::draw(random::<SECRET_BYTES>()?, random::<SECRET_BYTES>()?, random::<SECRET_BYTES>()?);
        let ticket = Token::draw(random::<TOKEN_BYTES>()?);
        self.doors.providers.begin(ticket.hash(), secrets.clone(), &client.address, now, VALID_S);
        Ok((secrets, ticket))
    }

    /// Takes what was drawn out of use, when browser and state are those it was drawn for.
    ///
    /// # Errors
    /// None was begun in this browser; the state is another one; the wait after several failures.
    pub fn take_provider(
        &self,
        ticket: Option<&str>,
        state: &str,
        client: &Client,
        now: Instant,
    ) -> std::result::Result<Secrets, NotIn> {
        let attempt = self.doors.begin(format!("provider {}", client.address), &client.address, now).map_err(wait)?;
        let ticket = ticket.and_then(Token::read).ok_or_else(too_late)?;
        let secrets = self.doors.providers.take(&ticket.hash(), now).ok_or_else(too_late)?;
        if !people::same(secrets.state.as_bytes(), state.as_bytes()) {
            return Err(turned_away("provider state", client));
        }
        attempt.passed();
        Ok(secrets)
    }

    /// Lets in the user that a provider has vouched for. Somebody who was invited and has not enrolled yet is enrolled by
    /// it; their enrolment code counts no more. `vouches` says that the provider asks for a second factor: where it does
    /// not, nobody who has one here passes by it.
    ///
    /// # Errors
    /// The account does not exist or is not in use; it has a second factor that the provider does not stand for.
    pub async fn provider_log_in(
        self: &Arc<Self>,
        user: &str,
        vouches: bool,
        before: Option<&str>,
        client: &Client,
        now: Instant,
    ) -> std::result::Result<LoggedIn, NotIn> {
        let account = account::find(self, user).await?;
        let account = account.filter(|account| matches!(account.state, State::Active | State::Invited));
        let Some(account) = account else { return Err(turned_away("provider user", client)) };
        let user = account.id.as_str();
        if !vouches && self.store.has_secret(user, [TOTP, PASSKEYS]).await? {
            return Err(Error::new(
                Category::Denied,
                "E-PROVIDER-005",
                "この利用者には二要素認証があり、プロバイダーのログインはその代わりになりません",
                "this user has a second factor, and a log-in at the provider does not stand for it",
            )
            .hint(
                "パスワードと二要素認証か、パスキーでログインしてください",
                "log in with password and second factor, or with a passkey",
            )
            .into());
        }
        if account.state == State::Invited {
            account::amend(self, user, now, "user enrol", &account, &[("state", State::Active.code().into())]).await?;
            self.store.forget_secrets(user, &[super::login::ENROLMENT]).await?;
        }
        if let Some(before) = before.and_then(Token::read) {
            self.store.end_session(&before.hash()).await?;
        }
        Ok(self.open_session(user, client, now).await?)
    }
}
