//! The way in and out: enrolment, log-in, sessions, a new password.
//!
//! Whoever fails is told one thing, whether the account does not exist, is not in use, or the password or the code is
//! wrong; a password is hashed in each case, so that the time tells no more. An attempt counts as failed from its
//! beginning (see `toji_commons::people`).

use super::account::{self, Account, State};
use super::doors::Attempt;
use super::passkeys::Second;
use super::second;
use crate::session::{Asker, Session};
use serde::Serialize;
use std::sync::Arc;
use toji_commons::people::{self, Cost, OneTime, SessionRule, TOKEN_BYTES, Token};
use toji_core::{Access, Category, Error, Instant, Result, Text};
use toji_store::SessionRow;

/// Sorts of secrets.
pub(super) const PASSWORD: &str = "password";
pub(super) const ENROLMENT: &str = "enrolment";
pub(super) const TOTP: &str = "totp";
pub(super) const TOTP_NEW: &str = "totp-new";
pub(super) const TOTP_USED: &str = "totp-used";
pub(super) const RECOVERY: &str = "recovery";
pub(super) const PASSKEYS: &str = "passkeys";
/// What authenticators know somebody by.
pub(super) const HANDLE: &str = "passkey-handle";
/// Addresses somebody logged in from: strangers cannot make them wait there.
pub(super) const KNOWN: &str = "known-addresses";

/// Addresses that are remembered of an account.
const KNOWN_MOST: usize = 8;
/// A session notes its use at most so often, in nanoseconds.
const TOUCH_NS: i64 = 60_000_000_000;
/// Letters of what a client calls itself that are kept.
const AGENT_MOST: usize = 120;
/// A hash of the house's cost that fits no password: whoever does not exist takes as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Where a request comes from.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// Network address; empty when it is not known.
    pub address: String,
    /// What it calls itself.
    pub agent: String,
}

/// Why somebody is not let in.
#[derive(Debug)]
pub struct NotIn {
    /// For them.
    pub error: Error,
    /// Seconds to wait, when they have to.
    pub wait_s: Option<i64>,
}

impl From<Error> for NotIn {
    fn from(error: Error) -> Self {
        Self { error, wait_s: None }
    }
}

/// Somebody who has just been let in.
pub struct LoggedIn {
    /// Pseudonym.
    pub user: String,
    /// The token of the session, for its owner alone.
    pub token: Token,
    /// When it ends in any case.
    pub ends: Instant,
    /// Recovery codes, when new ones were made: shown once.
    pub recovery: Vec<String>,
}

/// Somebody with a session that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Pseudonym.
    pub user: String,
    /// Has a second factor.
    pub second_factor: bool,
    /// Under what the session is kept.
    pub(super) session: String,
}

impl Caller {
    /// As who asks operations.
    #[must_use]
    pub fn asker(&self, purpose: Option<String>) -> Asker {
        Asker::User { id: self.user.clone(), purpose }
    }
}

/// Who somebody is, for themselves.
#[derive(Debug, Serialize)]
pub struct WhoAmI {
    /// Pseudonym.
    pub id: String,
    /// Organisation.
    pub organisation: Option<String>,
    /// Roles by code, with their labels.
    pub roles: Vec<RoleShown>,
    /// Has a second factor.
    pub second_factor: bool,
    /// It is an authenticator app, or one of them is.
    pub authenticator_app: bool,
    /// Passkeys.
    pub passkeys: usize,
    /// Recovery codes that are left.
    pub recovery_codes: usize,
    /// When the session ends in any case.
    pub ends: String,
}

/// A role, for people.
#[derive(Debug, Serialize)]
pub struct RoleShown {
    code: toji_commons::agreement::Role,
    label: Text,
}

/// The one answer to every failure.
pub(super) fn refused() -> NotIn {
    Error::new(
        Category::Denied,
        "E-LOGIN-001",
        "ログインできません。利用者名、パスワード、コードのいずれかが違うか、利用できない利用者です",
        "not logged in: user, password or code do not fit, or the account is not in use",
    )
    .hint(
        "入力を確かめてください。忘れたときは、管理者に toji user reset を依頼してください",
        "check what you typed; if it is forgotten, ask an administrator for `toji user reset`",
    )
    .into()
}

/// Notes a failure. The name that was given is not noted: people type passwords into the wrong field.
pub(super) fn turned_away(what: &'static str, client: &Client) -> NotIn {
    tracing::warn!(target: "toji::login", what, address = ?client.address, "an attempt to log in failed");
    refused()
}

pub(super) fn wait(seconds: i64) -> NotIn {
    let error = Error::new(
        Category::Limit,
        "E-LOGIN-002",
        format!("失敗が続いたため、{seconds} 秒お待ちください"),
        format!("too many failures: wait {seconds} s"),
    )
    .hint(
        "待ってから、もう一度お試しください。以前ログインした場所からは待たずに試せます",
        "try again then; from a place you logged in from before, failures of others do not count",
    );
    NotIn { error, wait_s: Some(seconds) }
}

pub(super) fn passkey_wanted() -> NotIn {
    Error::new(Category::Denied, "E-LOGIN-014", "パスキーが必要です", "a passkey is needed")
        .hint("パスキーを使うか、回復用コードを入力してください", "use your passkey, or give a recovery code")
        .into()
}

pub(super) fn code_wanted() -> NotIn {
    Error::new(Category::Denied, "E-LOGIN-003", "認証アプリのコードが必要です", "the code of the authenticator app is needed")
        .hint("6 桁のコードか、回復用コードを入力してください", "give the six digits, or a recovery code")
        .into()
}

/// Bytes from the system.
pub(super) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    crate::random::fill(&mut bytes)?;
    Ok(bytes)
}

impl Session {
    /// Begins an attempt on an account.
    pub(super) async fn attempt(&self, user: &str, client: &Client, now: Instant) -> std::result::Result<Attempt<'_>, NotIn> {
        let known = self.store.secret(user, KNOWN).await?.unwrap_or_default();
        let at_home = !client.address.is_empty() && known.lines().any(|line| line == client.address);
        // A name as long as a book is no key.
        let name: String = user.chars().take(200).collect();
        let key = if at_home { format!("{name} {}", client.address) } else { name };
        self.doors.begin(key, &client.address, now).map_err(|seconds| {
            tracing::warn!(target: "toji::login", address = ?client.address, seconds, "made to wait");
            wait(seconds)
        })
    }

    /// Does a password fit what is kept? Where nothing is kept it takes as long.
    pub(super) async fn password_fits(&self, kept: Option<String>, password: &str) -> Result<bool> {
        let turn = Arc::clone(&self.doors.turns).acquire_owned().await.map_err(|e| Error::bug("E-LOGIN-005", e))?;
        let password = password.to_owned();
        let fits = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let fits = people::matches(&password, kept.as_deref().unwrap_or(NOBODY));
            fits && kept.is_some()
        });
        fits.await.map_err(|e| Error::bug("E-LOGIN-005", e))
    }

    async fn keep_password(&self, user: &str, password: &str, now: Instant) -> Result<()> {
        let turn = Arc::clone(&self.doors.turns).acquire_owned().await.map_err(|e| Error::bug("E-LOGIN-005", e))?;
        let (password, salt) = (password.to_owned(), random()?);
        let hash = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            people::keep(&password, &salt, Cost::HOUSE)
        });
        let hash = hash.await.map_err(|e| Error::bug("E-LOGIN-005", e))??;
        self.store.set_secret(user, PASSWORD, &hash, now).await
    }

    /// Refuses a password that is short, common or made of words near its owner.
    pub(super) async fn judge_password(&self, account: &Account, password: &str, second_factor: bool) -> Result<()> {
        let mut near = vec![account.id.to_string(), "toji".into(), "杜氏".into(), "biomanufacturing".into()];
        if let Some(organisation) = &account.organisation {
            near.push(organisation.clone());
            if let Ok(record) = self.store.record(&Access::owner(), "organisation", organisation, None).await {
                near.extend(["name", "name_en"].iter().filter_map(|name| crate::run::text(&record.fields, name)));
            }
        }
        let near: Vec<&str> = near.iter().map(String::as_str).collect();
        people::judge(password, second_factor, &near)
    }

    /// Lets somebody in: a new token, whatever token they came with.
    pub(super) async fn open_session(&self, user: &str, client: &Client, now: Instant) -> Result<LoggedIn> {
        let token = Token::draw(random::<TOKEN_BYTES>()?);
        let rule = SessionRule::HOUSE;
        let short = |text: &str| text.chars().filter(|c| !c.is_control()).take(AGENT_MOST).collect::<String>();
        let row = SessionRow {
            token_hash: token.hash(),
            account: user.to_owned(),
            created_at: now,
            seen_at: now,
            ends_at: rule.ends(now),
            address: short(&client.address),
            agent: short(&client.agent),
        };
        let idle = Instant(now.0.saturating_sub(rule.idle_s.saturating_mul(1_000_000_000)));
        self.store.add_session(&row, idle).await?;
        self.remember(user, client, now).await?;
        tracing::info!(target: "toji::login", user = ?user, address = ?row.address, "a session begins");
        Ok(LoggedIn { user: user.to_owned(), token, ends: row.ends_at, recovery: Vec::new() })
    }

    /// Remembers where somebody logged in from.
    async fn remember(&self, user: &str, client: &Client, now: Instant) -> Result<()> {
        if client.address.is_empty() {
            return Ok(());
        }
        let known = self.store.secret(user, KNOWN).await?.unwrap_or_default();
        let rest = known.lines().filter(|line| *line != client.address).take(KNOWN_MOST - 1);
        let lines: Vec<&str> = std::iter::once(client.address.as_str()).chain(rest).collect();
        self.store.set_secret(user, KNOWN, &lines.join("\n"), now).await
    }

    /// Takes somebody's first password against their enrolment code, and lets them in.
    ///
    /// # Errors
    /// One answer to every failure; the wait after several; what is wrong with the password.
    pub async fn enrol(
        self: &Arc<Self>,
        user: &str,
        code: &str,
        password: &str,
        client: &Client,
        now: Instant,
    ) -> std::result::Result<LoggedIn, NotIn> {
        let attempt = self.attempt(user, client, now).await?;
        let account = account::find(self, user).await?.filter(|account| account.state == State::Invited);
        let kept = self.store.secret(user, ENROLMENT).await?;
        let one_time = kept.as_deref().and_then(|kept| serde_json::from_str::<OneTime>(kept).ok());
        let fits = one_time.is_some_and(|one_time| one_time.fits(code, now));
        let (Some(account), Some(kept), true) = (account, kept, fits) else { return Err(turned_away("enrolment", client)) };
        if let Err(error) = self.judge_password(&account, password, false).await {
            attempt.took_no_guess();
            return Err(error.into());
        }
        if !self.store.take_secret(user, ENROLMENT, &kept).await? {
            return Err(refused());
        }
        attempt.passed();
        self.keep_password(user, password, now).await?;
        account::amend(self, user, now, "user enrol", &account, &[("state", State::Active.code().into())]).await?;
        Ok(self.open_session(user, client, now).await?)
    }

    /// Lets somebody in who has the password, and the code where there is a second factor. `before` is the token they
    /// came with, if any: that session ends.
    ///
    /// # Errors
    /// One answer to every failure; the wait after several; that a code is needed, to those who have the password.
    pub async fn log_in(
        self: &Arc<Self>,
        user: &str,
        password: &str,
        code: Option<&str>,
        before: Option<&str>,
        client: &Client,
        now: Instant,
    ) -> std::result::Result<LoggedIn, NotIn> {
        let attempt = self.attempt(user, client, now).await?;
        let account = account::find(self, user).await?.filter(|account| account.state == State::Active);
        let kept = self.store.secret(user, PASSWORD).await?;
        let fits = self.password_fits(kept.clone(), password).await?;
        let (Some(account), Some(kept), true) = (account, kept, fits) else { return Err(turned_away("password", client)) };
        let user = account.id.as_str();
        let app = self.store.secret(user, TOTP).await?;
        if app.is_some() || self.store.secret(user, PASSKEYS).await?.is_some() {
            let Some(code) = code.filter(|code| !code.trim().is_empty()) else {
                attempt.took_no_guess();
                return Err(if app.is_some() { code_wanted() } else { passkey_wanted() });
            };
            if !second::takes(&self.store, user, app.as_deref().unwrap_or_default(), code, now).await? {
                return Err(turned_away("second factor", client));
            }
        }
        attempt.passed();
        if people::is_behind(&kept, Cost::HOUSE) {
            self.keep_password(user, password, now).await?;
        }
        if let Some(before) = before.and_then(Token::read) {
            self.store.end_session(&before.hash()).await?;
        }
        Ok(self.open_session(user, client, now).await?)
    }

    /// Who holds this token, while the session counts and the account is in use.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn caller(&self, token: &str, now: Instant) -> Result<Option<Caller>> {
        let Some(token) = Token::read(token) else { return Ok(None) };
        let hash = token.hash();
        let Some(row) = self.store.session(&hash).await? else { return Ok(None) };
        if !SessionRule::HOUSE.counts(row.seen_at, row.ends_at, now) {
            self.store.end_session(&hash).await?;
            return Ok(None);
        }
        let active = account::find(self, &row.account).await?.is_some_and(|account| account.state == State::Active);
        if !active {
            return Ok(None);
        }
        if now.0.saturating_sub(row.seen_at.0) > TOUCH_NS {
            self.store.touch_session(&hash, now).await?;
        }
        // A node that holds its key needs no app beside it.
        let second_factor = self.store.has_secret(&row.account, [TOTP, PASSKEYS]).await? || self.is_node(&row.account).await?;
        Ok(Some(Caller { user: row.account, second_factor, session: hash }))
    }

    /// Does a session still count? Asking is no use of it.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn still_counts(&self, caller: &Caller, now: Instant) -> Result<bool> {
        let row = self.store.session(&caller.session).await?;
        let counts = row.is_some_and(|row| SessionRule::HOUSE.counts(row.seen_at, row.ends_at, now));
        let account = account::find(self, &caller.user).await?;
        Ok(counts && account.is_some_and(|account| account.state == State::Active))
    }

    /// Who somebody is.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn who_am_i(&self, caller: &Caller) -> Result<WhoAmI> {
        let account = account::get(self, &caller.user).await?;
        let row = self.store.session(&caller.session).await?;
        let recovery = self.store.secret(&caller.user, RECOVERY).await?;
        let left: Vec<OneTime> = recovery.and_then(|kept| serde_json::from_str(&kept).ok()).unwrap_or_default();
        let authenticator_app = self.store.secret(&caller.user, TOTP).await?.is_some();
        let passkeys = self.passkeys_of(&caller.user).await?.1.len();
        Ok(WhoAmI {
            id: caller.user.clone(),
            organisation: account.organisation,
            roles: account.roles.iter().map(|role| RoleShown { code: *role, label: role.label() }).collect(),
            second_factor: authenticator_app || passkeys > 0,
            authenticator_app,
            passkeys,
            recovery_codes: left.len(),
            ends: row.map(|row| row.ends_at.to_string()).unwrap_or_default(),
        })
    }

    /// Ends a session.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn log_out(&self, caller: &Caller) -> Result<()> {
        tracing::info!(target: "toji::login", user = ?caller.user, "a session is ended by its owner");
        self.store.end_session(&caller.session).await.map(|_| ())
    }

    /// Takes a new password from somebody who has the present one (and the code). All their sessions end, and a new
    /// one begins.
    ///
    /// # Errors
    /// As for a log-in; what is wrong with the new password.
    pub async fn change_password(
        self: &Arc<Self>,
        caller: &Caller,
        present: &str,
        new: &str,
        code: Option<&str>,
        client: &Client,
        now: Instant,
    ) -> std::result::Result<LoggedIn, NotIn> {
        let user = caller.user.as_str();
        let attempt = self.attempt(user, client, now).await?;
        let account = account::get(self, user).await?;
        if !self.password_fits(self.store.secret(user, PASSWORD).await?, present).await? {
            return Err(refused());
        }
        let has_second = self.store.has_secret(user, [TOTP, PASSKEYS]).await?;
        // Judged before the code is used up.
        if let Err(error) = self.judge_password(&account, new, has_second).await {
            attempt.took_no_guess();
            return Err(error.into());
        }
        match self.second(caller, code, now).await? {
            Second::Fits => attempt.passed(),
            Second::Wrong => return Err(refused()),
            Second::Wanted(not_in) => {
                attempt.took_no_guess();
                return Err(not_in);
            }
        }
        tracing::info!(target: "toji::login", user = ?user, "the password is changed");
        self.keep_password(user, new, now).await?;
        self.store.end_sessions(user).await?;
        Ok(self.open_session(user, client, now).await?)
    }
}
