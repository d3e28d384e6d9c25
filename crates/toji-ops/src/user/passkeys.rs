//! Passkeys: registered, listed, named, removed, and used: beside the password, or in place of it where the
//! authenticator makes sure of its owner.

use super::account::{self, State};
use super::login::{
    Caller, Client, HANDLE, LoggedIn, NotIn, PASSKEYS, PASSWORD, RECOVERY, TOTP, random, refused, turned_away, wait,
};
use crate::session::Session;
use serde::Serialize;
use serde_json::Value as Json;
use std::sync::Arc;
use toji_commons::people::passkey::{
    self, Asked, Assertion, CHALLENGE_BYTES, HANDLE_BYTES, Party, Passkey, Refused, Registration, VALID_S,
};
use toji_commons::people::{TOKEN_BYTES, Token};
use toji_core::{Category, Error, Instant, Place, Result};

/// Passkeys of one account, at most.
const MOST: usize = 20;
/// How often a change is tried again that another one has overtaken.
const TRIES: usize = 4;

/// For what a challenge waits.
pub(super) enum Waits {
    /// A new passkey of this user.
    Register(String, [u8; CHALLENGE_BYTES]),
    /// A passkey of this user, who has given the password.
    Beside(String, [u8; CHALLENGE_BYTES]),
    /// A passkey of whoever it belongs to.
    Alone([u8; CHALLENGE_BYTES]),
}

/// A passkey, for its owner.
#[derive(Debug, Serialize)]
pub struct PasskeyShown {
    /// Identifier.
    pub id: String,
    /// What they call it.
    pub name: String,
    /// Registered when.
    pub created: String,
    /// Used last.
    pub used: Option<String>,
    /// May it be copied to other devices of theirs?
    pub eligible: bool,
    /// Is it?
    pub backed_up: bool,
}

/// Whoever answers no challenge that waits.
fn too_late() -> NotIn {
    Error::new(
        Category::Conflict,
        "E-PASSKEY-003",
        "パスキーの手続きが始まっていないか、時間切れです",
        "nothing was begun with a passkey, or too long ago",
    )
    .hint("始めからやり直してください", "begin again")
    .into()
}

fn none_of_this_name() -> Error {
    Error::not_found("E-PASSKEY-004", "そのパスキーはありません", "there is no such passkey")
        .at(Place::field("id"))
        .hint("利用者の設定で一覧できます", "see the list on the page of your account")
}

fn none_at_all() -> NotIn {
    Error::new(Category::Conflict, "E-PASSKEY-005", "パスキーは登録されていません", "no passkey is registered")
        .hint("認証アプリのコードか、回復用コードでログインしてください", "log in with the code of your app, or a recovery code")
        .into()
}

fn named(name: &str) -> Result<String> {
    let name = passkey::name(name);
    if !name.is_empty() {
        return Ok(name);
    }
    Err(Error::input("E-PASSKEY-006", "パスキーの名前がありません", "the passkey has no name")
        .at(Place::field("name"))
        .hint("どの機器のものか分かる名前を付けてください", "give a name that tells which device it is"))
}

fn written(passkeys: &[Passkey]) -> Result<String> {
    serde_json::to_string(passkeys).map_err(|e| Error::bug("E-LOGIN-006", e))
}

/// Under what the challenge of a registration waits: the session that asked.
fn of_session(caller: &Caller) -> String {
    format!("register {}", caller.session)
}

impl Session {
    /// The passkeys of an account, and how they are kept.
    pub(super) async fn passkeys_of(&self, user: &str) -> Result<(Option<String>, Vec<Passkey>)> {
        let kept = self.store.secret(user, PASSKEYS).await?;
        let passkeys = match &kept {
            Some(kept) => serde_json::from_str(kept).map_err(|e| Error::bug("E-LOGIN-006", e))?,
            None => Vec::new(),
        };
        Ok((kept, passkeys))
    }

    /// Keeps others in their place, unless somebody else has changed them meanwhile.
    async fn keep_passkeys(&self, user: &str, read: Option<&str>, passkeys: &[Passkey], now: Instant) -> Result<bool> {
        match read {
            Some(read) if passkeys.is_empty() => self.store.take_secret(user, PASSKEYS, read).await,
            _ => self.store.swap_secret(user, PASSKEYS, read, &written(passkeys)?, now).await,
        }
    }

    /// The handle that authenticators know somebody by: drawn once, and kept until a reset.
    async fn handle_of(&self, user: &str, now: Instant) -> Result<Vec<u8>> {
        let drawn = passkey::encode(&random::<HANDLE_BYTES>()?);
        self.store.swap_secret(user, HANDLE, None, &drawn, now).await?;
        let kept = self.store.secret(user, HANDLE).await?.unwrap_or(drawn);
        passkey::decoded(&kept).ok_or_else(|| Error::bug("E-LOGIN-006", "the handle cannot be read"))
    }

    /// One's passkeys, in the order of their registration.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn passkeys(&self, caller: &Caller) -> Result<Vec<PasskeyShown>> {
        let (_, passkeys) = self.passkeys_of(&caller.user).await?;
        let shown = |one: Passkey| PasskeyShown {
            id: one.id,
            name: one.name,
            created: one.created.to_string(),
            used: one.used.map(|used| used.to_string()),
            eligible: one.eligible,
            backed_up: one.backed_up,
        };
        Ok(passkeys.into_iter().map(shown).collect())
    }

    /// Begins a new passkey for somebody who has the password (and the second factor, if any): the options for their
    /// browser.
    ///
    /// # Errors
    /// As for a log-in; they have as many as can be.
    pub async fn begin_passkey(
        &self,
        caller: &Caller,
        party: &Party,
        password: &str,
        code: Option<&str>,
        client: &Client,
        now: Instant,
    ) -> std::result::Result<Json, NotIn> {
        let user = caller.user.as_str();
        self.prove(caller, password, code, client, now).await?;
        let (_, passkeys) = self.passkeys_of(user).await?;
        if passkeys.len() >= MOST {
            return Err(Error::new(
                Category::Conflict,
                "E-PASSKEY-007",
                format!("パスキーは {MOST} 個までです"),
                format!("there are {MOST} passkeys already, the most that can be"),
            )
            .hint("使っていないものを消してください", "remove those you do not use")
            .into());
        }
        let (challenge, handle) = (random::<CHALLENGE_BYTES>()?, self.handle_of(user, now).await?);
        let waits = Waits::Register(user.to_owned(), challenge);
        self.doors.ceremonies.begin(of_session(caller), waits, &client.address, now, VALID_S);
        Ok(passkey::creation(party, &challenge, &handle, user, &passkeys))
    }

    /// Takes the new passkey. With the first second factor, recovery codes are made and answered once; all sessions
    /// end, and a new one begins.
    ///
    /// # Errors
    /// None was begun in this session; what the browser says is not taken; it has no name.
    pub async fn add_passkey(
        self: &Arc<Self>,
        caller: &Caller,
        party: &Party,
        name: &str,
        said: &Registration,
        client: &Client,
        now: Instant,
    ) -> std::result::Result<LoggedIn, NotIn> {
        let user = caller.user.as_str();
        let name = named(name)?;
        let taken = self.doors.ceremonies.take(&of_session(caller), now);
        let Some(Waits::Register(whose, challenge)) = taken else { return Err(too_late()) };
        if whose != user {
            return Err(too_late());
        }
        let asked = Asked { party, challenge: &challenge, verified: false };
        let new = asked.register(said, &name, now).map_err(|refused| {
            tracing::warn!(target: "toji::login", user = ?user, reason = ?refused, "a passkey is not taken");
            refused.error()
        })?;
        let mut added = false;
        for _ in 0..TRIES {
            let (kept, mut passkeys) = self.passkeys_of(user).await?;
            if passkeys.len() >= MOST || passkeys.iter().any(|one| one.id == new.id) {
                return Err(Error::new(
                    Category::Conflict,
                    "E-PASSKEY-008",
                    "このパスキーはすでに登録されています",
                    "this passkey is registered already",
                )
                .hint("別の認証器を使ってください", "use another authenticator")
                .into());
            }
            passkeys.push(new.clone());
            if self.keep_passkeys(user, kept.as_deref(), &passkeys, now).await? {
                added = true;
                break;
            }
        }
        if !added {
            return Err(too_late());
        }
        tracing::info!(target: "toji::login", user = ?user, "a passkey is registered");
        let recovery = match self.store.secret(user, RECOVERY).await? {
            Some(_) => Vec::new(),
            None => self.new_recovery(user, now).await?,
        };
        let mut logged_in = self.renew(user, client, now).await?;
        logged_in.recovery = recovery;
        Ok(logged_in)
    }

    /// Ends all sessions of somebody who has just shown everything, and begins a new one.
    async fn renew(self: &Arc<Self>, user: &str, client: &Client, now: Instant) -> Result<LoggedIn> {
        self.store.end_sessions(user).await?;
        let logged_in = self.open_session(user, client, now).await?;
        self.doors.fresh.mark(&logged_in.token.hash(), now);
        Ok(logged_in)
    }

    /// Gives a passkey another name.
    ///
    /// # Errors
    /// There is none of this identifier; it has no name.
    pub async fn rename_passkey(&self, caller: &Caller, id: &str, name: &str, now: Instant) -> Result<()> {
        let (user, name) = (caller.user.as_str(), named(name)?);
        for _ in 0..TRIES {
            let (kept, mut passkeys) = self.passkeys_of(user).await?;
            let one = passkeys.iter_mut().find(|one| one.id == id).ok_or_else(none_of_this_name)?;
            one.name.clone_from(&name);
            if self.keep_passkeys(user, kept.as_deref(), &passkeys, now).await? {
                return Ok(());
            }
        }
        Err(too_late().error)
    }

    /// Forgets a passkey of somebody who has the password and a second factor. With the last second factor the recovery
    /// codes go, too. All sessions end, and a new one begins.
    ///
    /// # Errors
    /// As for a log-in; there is none of this identifier; the password is too short to stand alone.
    pub async fn remove_passkey(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        password: &str,
        code: Option<&str>,
        client: &Client,
        now: Instant,
    ) -> std::result::Result<LoggedIn, NotIn> {
        let user = caller.user.as_str();
        self.prove(caller, password, code, client, now).await?;
        for _ in 0..TRIES {
            let (kept, mut passkeys) = self.passkeys_of(user).await?;
            let before = passkeys.len();
            passkeys.retain(|one| one.id != id);
            if passkeys.len() == before {
                return Err(none_of_this_name().into());
            }
            let last = passkeys.is_empty() && self.store.secret(user, TOTP).await?.is_none();
            if last {
                // A password that was long enough beside it may be too short alone.
                let account = account::get(self, user).await?;
                self.judge_password(&account, password, false).await?;
            }
            if !self.keep_passkeys(user, kept.as_deref(), &passkeys, now).await? {
                continue;
            }
            if last {
                self.store.forget_secrets(user, &[RECOVERY]).await?;
            }
            tracing::info!(target: "toji::login", user = ?user, "a passkey is removed");
            return Ok(self.renew(user, client, now).await?);
        }
        Err(too_late())
    }

    /// Begins a log-in with a passkey: beside a password, which is checked first, or alone. Gives the options for the
    /// browser, and the ticket that binds the challenge to it.
    ///
    /// # Errors
    /// As for a log-in; somebody who has the password has no passkey.
    pub async fn begin_passkey_log_in(
        &self,
        party: &Party,
        beside: Option<(&str, &str)>,
        client: &Client,
        now: Instant,
    ) -> std::result::Result<(Json, Token), NotIn> {
        let challenge = random::<CHALLENGE_BYTES>()?;
        let (waits, passkeys) = match beside {
            None => (Waits::Alone(challenge), Vec::new()),
            Some((user, password)) => {
                let attempt = self.attempt(user, client, now).await?;
                let account = account::find(self, user).await?.filter(|account| account.state == State::Active);
                let fits = self.password_fits(self.store.secret(user, PASSWORD).await?, password).await?;
                let (Some(account), true) = (account, fits) else { return Err(turned_away("password", client)) };
                attempt.took_no_guess();
                let (_, passkeys) = self.passkeys_of(account.id.as_str()).await?;
                if passkeys.is_empty() {
                    return Err(none_at_all());
                }
                (Waits::Beside(account.id.to_string(), challenge), passkeys)
            }
        };
        let ticket = Token::draw(random::<TOKEN_BYTES>()?);
        self.doors.ceremonies.begin(ticket.hash(), waits, &client.address, now, VALID_S);
        Ok((passkey::request(party, &challenge, &passkeys), ticket))
    }

    /// Lets somebody in who has answered the challenge of their ticket with a passkey. `before` is the token they came
    /// with, if any: that session ends.
    ///
    /// # Errors
    /// None was begun in this browser; one answer to every other failure; the wait after several.
    pub async fn passkey_log_in(
        self: &Arc<Self>,
        party: &Party,
        ticket: Option<&str>,
        said: &Assertion,
        before: Option<&str>,
        client: &Client,
        now: Instant,
    ) -> std::result::Result<LoggedIn, NotIn> {
        let ticket = ticket.and_then(Token::read).ok_or_else(too_late)?;
        let (whose, challenge) = match self.doors.ceremonies.take(&ticket.hash(), now) {
            Some(Waits::Beside(user, challenge)) => (Some(user), challenge),
            Some(Waits::Alone(challenge)) => (None, challenge),
            _ => return Err(too_late()),
        };
        // Nobody guesses a signature: strangers who send wrong ones delay themselves, and not whom they name.
        let key = format!("passkey {}", client.address);
        let attempt = self.doors.begin(key, &client.address, now).map_err(wait)?;
        let alone = whose.is_none();
        let user = match whose {
            Some(user) => user,
            None => match said.handle() {
                Some(handle) => self.store.account_of_secret(HANDLE, &passkey::encode(&handle)).await?.unwrap_or_default(),
                None => String::new(),
            },
        };
        let account = account::find(self, &user).await?.filter(|account| account.state == State::Active);
        let Some(account) = account else { return Err(turned_away("passkey", client)) };
        let user = account.id.as_str();
        let asked = Asked { party, challenge: &challenge, verified: alone };
        if let Err(reason) = self.use_passkey(user, &asked, said, now).await? {
            tracing::warn!(target: "toji::login", user = ?user, ?reason, "a passkey is not taken");
            return Err(turned_away("passkey", client));
        }
        attempt.passed();
        if let Some(before) = before.and_then(Token::read) {
            self.store.end_session(&before.hash()).await?;
        }
        let logged_in = self.open_session(user, client, now).await?;
        self.doors.fresh.mark(&logged_in.token.hash(), now);
        Ok(logged_in)
    }

    /// Checks an answer against the passkeys of a user, and counts it. Of two answers at one moment the second is
    /// checked against what the first has left.
    async fn use_passkey(
        &self,
        user: &str,
        asked: &Asked<'_>,
        said: &Assertion,
        now: Instant,
    ) -> Result<std::result::Result<(), Refused>> {
        let handle = self.handle_of(user, now).await?;
        for _ in 0..TRIES {
            let (kept, mut passkeys) = self.passkeys_of(user).await?;
            let Some(one) = passkeys.iter_mut().find(|one| one.id == said.id()) else { return Ok(Err(Refused::Identifier)) };
            match asked.accept(said, one, &handle, now) {
                Ok(used) => *one = used,
                Err(refused) => return Ok(Err(refused)),
            }
            if self.keep_passkeys(user, kept.as_deref(), &passkeys, now).await? {
                return Ok(Ok(()));
            }
        }
        Ok(Err(Refused::Counter))
    }

    /// The password of somebody who is logged in, and their second factor where they have one: a code, or a passkey
    /// that was used a moment ago to begin this very session.
    pub(super) async fn prove(
        &self,
        caller: &Caller,
        password: &str,
        code: Option<&str>,
        client: &Client,
        now: Instant,
    ) -> std::result::Result<(), NotIn> {
        let user = caller.user.as_str();
        let attempt = self.attempt(user, client, now).await?;
        if !self.password_fits(self.store.secret(user, PASSWORD).await?, password).await? {
            return Err(refused());
        }
        match self.second(caller, code, now).await? {
            Second::Fits => attempt.passed(),
            Second::Wrong => return Err(refused()),
            Second::Wanted(not_in) => {
                attempt.took_no_guess();
                return Err(not_in);
            }
        }
        Ok(())
    }

    /// The second factor alone.
    pub(super) async fn second(&self, caller: &Caller, code: Option<&str>, now: Instant) -> Result<Second> {
        let user = caller.user.as_str();
        let app = self.store.secret(user, TOTP).await?;
        let passkeys = self.store.secret(user, PASSKEYS).await?.is_some();
        if app.is_none() && !passkeys {
            return Ok(Second::Fits);
        }
        if let Some(code) = code.filter(|code| !code.trim().is_empty()) {
            let fits = super::second::takes(&self.store, user, app.as_deref().unwrap_or_default(), code, now).await?;
            return Ok(if fits { Second::Fits } else { Second::Wrong });
        }
        if passkeys && self.doors.fresh.has(&caller.session, now) {
            return Ok(Second::Fits);
        }
        Ok(Second::Wanted(if app.is_some() { super::login::code_wanted() } else { super::login::passkey_wanted() }))
    }
}

/// What became of the second factor.
pub(super) enum Second {
    /// There is none, or it fits.
    Fits,
    /// It does not.
    Wrong,
    /// None was given.
    Wanted(NotIn),
}
