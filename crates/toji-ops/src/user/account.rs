//! An account as its record says, and who may change it.

use crate::operation::Context;
use crate::run::text;
use crate::session::Session;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::sync::Arc;
use toji_commons::agreement::Role;
use toji_commons::people::{self, Seen};
use toji_core::record::FieldMap;
use toji_core::{Access, Category, Error, Id, Instant, OwnerGate, Place, Principal, Result};
use toji_store::{Commit, Put};

/// The kind of the records.
pub(super) const KIND: &str = "user";
/// As who the owner of the store acts.
const OWNER: &str = "owner";
/// Pseudonyms that mean something else.
const RESERVED: [&str; 6] = ["owner", "guest", "anonymous", "system", "toji", "public"];

/// State of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// Waits for enrolment.
    ///
    /// 登録待ち。
    Invited,
    /// In use.
    ///
    /// 使用中。
    Active,
    /// Out of use for a while.
    ///
    /// 停止中。
    Locked,
    /// Closed for good.
    ///
    /// 閉鎖。
    Closed,
}

impl State {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Locked => "locked",
            Self::Closed => "closed",
        }
    }
    /// Whatever is not known is out of use.
    pub(super) fn of(code: &str) -> Self {
        match code {
            "invited" => Self::Invited,
            "active" => Self::Active,
            "closed" => Self::Closed,
            _ => Self::Locked,
        }
    }
}

/// An account.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) id: Id,
    pub(super) version: u64,
    pub(super) organisation: Option<String>,
    pub(super) roles: BTreeSet<Role>,
    pub(super) state: State,
    pub(super) created: String,
    pub(super) fields: FieldMap,
}

impl Account {
    fn of(record: toji_core::Record) -> Self {
        let codes = record.fields.get("commons_roles").and_then(Json::as_array).into_iter().flatten();
        // A role that is not known gives nothing.
        let roles = codes.filter_map(|code| serde_json::from_value(code.clone()).ok()).collect();
        let state = text(&record.fields, "state").unwrap_or_default();
        Self {
            organisation: text(&record.fields, "organisation"),
            roles,
            state: if record.retired { State::Closed } else { State::of(&state) },
            created: text(&record.fields, "created").unwrap_or_default(),
            id: record.id,
            version: record.version,
            fields: record.fields,
        }
    }
    /// One that is still to be made.
    pub(super) fn draft(id: Id, organisation: Option<String>, roles: BTreeSet<Role>) -> Self {
        let (fields, created) = (FieldMap::new(), String::new());
        Self { id, version: 0, organisation, roles, state: State::Invited, created, fields }
    }
    pub(super) fn seen(&self) -> Seen<'_> {
        Seen { id: self.id.as_str(), organisation: self.organisation.as_deref(), roles: &self.roles }
    }
    /// The fields of the record, with some changed.
    pub(super) fn with(&self, changes: &[(&str, Json)]) -> FieldMap {
        let mut fields = self.fields.clone();
        for (name, value) in changes {
            fields.insert((*name).to_owned(), value.clone());
        }
        fields
    }
}

/// Role codes as a record holds them.
pub(super) fn codes(roles: &BTreeSet<Role>) -> Json {
    roles.iter().map(|role| serde_json::to_value(role).unwrap_or_default()).collect()
}

/// A pseudonym that can be one.
pub(super) fn pseudonym(text: &str) -> Result<Id> {
    let id = Id::parse(text.trim()).map_err(|e| e.at(Place::field("user")))?;
    if RESERVED.iter().any(|word| id.as_str().eq_ignore_ascii_case(word)) {
        return Err(Error::input(
            "E-USER-001",
            format!("「{id}」は利用者の識別子にできません"),
            format!("\"{id}\" cannot be the identifier of a user"),
        )
        .at(Place::field("user"))
        .hint("別の仮名にしてください", "take another pseudonym"));
    }
    Ok(id)
}

/// Accounts are read here for the house itself: who may see them is judged by the roles of the asker.
pub(super) async fn find(session: &Session, id: &str) -> Result<Option<Account>> {
    if Id::parse(id).is_err() {
        return Ok(None);
    }
    match session.store.record(&Access::owner(), KIND, id, None).await {
        Ok(record) => Ok(Some(Account::of(record))),
        Err(error) if error.category() == Category::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) async fn get(session: &Session, id: &str) -> Result<Account> {
    find(session, id).await?.ok_or_else(|| {
        Error::not_found("E-USER-002", format!("利用者「{id}」はいません"), format!("there is no user \"{id}\""))
            .at(Place::field("user"))
            .hint("toji user list で一覧できます", "list them with toji user list")
    })
}

pub(super) async fn all(session: &Session) -> Result<Vec<Account>> {
    Ok(session.store.records(&Access::owner(), KIND, None, true).await?.into_iter().map(Account::of).collect())
}

/// Who asks an operation of this group.
pub(super) enum Actor {
    /// The owner of the store.
    Owner,
    /// An account that is in use.
    User(Account),
}

impl Actor {
    /// # Errors
    /// `E-USER-003`: nobody who is known.
    pub(super) async fn of(context: &Context) -> Result<Self> {
        // The gate of the owner says yes to everything, also by itself; that of no account does.
        if context.access.sees_all() && context.access.who.id == OWNER {
            return Ok(Self::Owner);
        }
        match find(&context.session, &context.access.who.id).await? {
            Some(account) if account.state == State::Active => Ok(Self::User(account)),
            _ => Err(Error::new(Category::Denied, "E-USER-003", "ログインが必要です", "this needs somebody who is logged in")
                .hint("ログインしてから実行してください", "log in first")),
        }
    }
    /// # Errors
    /// Not theirs to change.
    pub(super) fn administers(&self, other: &Account) -> Result<()> {
        match self {
            Self::Owner => Ok(()),
            Self::User(actor) => people::administers(actor.seen(), other.seen()),
        }
    }
    /// The account of this name, when it is theirs to change. Of the others they do not learn whether they exist.
    ///
    /// # Errors
    /// There is none, or it is not theirs.
    pub(super) async fn target(&self, session: &Session, user: &str) -> Result<Account> {
        let Some(account) = find(session, user).await? else {
            if let Ok(id) = Id::parse(user) {
                self.administers(&Account::draft(id, None, BTreeSet::new()))?;
            }
            return get(session, user).await;
        };
        self.administers(&account)?;
        Ok(account)
    }
    /// # Errors
    /// Roles that exclude one another, or that are not theirs to give.
    pub(super) fn grants(&self, roles: &BTreeSet<Role>) -> Result<()> {
        people::together(roles)?;
        match self {
            Self::Owner => Ok(()),
            Self::User(actor) => people::may_grant(&actor.roles, roles),
        }
    }
    pub(super) fn is(&self, id: &Id) -> bool {
        matches!(self, Self::User(account) if account.id == *id)
    }
}

/// Writes the record of an account. That it may be written was judged by the roles; the ledger names who did it.
pub(super) async fn write(session: &Arc<Session>, actor: &str, now: Instant, operation: &str, put: Put) -> Result<u64> {
    let access = Access { who: Principal { id: actor.to_owned(), organisation: None }, gate: Arc::new(OwnerGate) };
    let commit = Commit { operation: operation.into(), puts: vec![put], ..Commit::default() };
    let receipt = session.store.commit(&access, now, commit).await?;
    Ok(receipt.versions.first().copied().unwrap_or_default())
}

/// Changes the record of an account, unless somebody else has changed it meanwhile.
pub(super) async fn amend(
    session: &Arc<Session>,
    actor: &str,
    now: Instant,
    operation: &str,
    account: &Account,
    changes: &[(&str, Json)],
) -> Result<u64> {
    let put = Put { if_version: Some(account.version), ..Put::new(KIND, account.id.clone(), account.with(changes)) };
    write(session, actor, now, operation, put).await
}

impl Session {
    /// Has the store users at all? As soon as somebody is invited, everybody has to log in; also when all accounts
    /// are closed again, for a store must not open by itself.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn has_users(&self) -> Result<bool> {
        use std::sync::atomic::Ordering;
        if !self.peopled.load(Ordering::Relaxed) && self.store.has_records(KIND).await? {
            self.peopled.store(true, Ordering::Relaxed);
        }
        Ok(self.peopled.load(Ordering::Relaxed))
    }

    /// # Errors
    /// `E-USER-004`: the account does not exist or is not in use.
    pub(crate) async fn must_be_active(&self, id: &str) -> Result<()> {
        match find(self, id).await? {
            Some(account) if account.state == State::Active => Ok(()),
            _ => {
                Err(Error::new(Category::Denied, "E-USER-004", "この利用者は使用中ではありません", "this account is not in use")
                    .hint("組織の提供管理者に問い合わせてください", "ask the administrator of your organisation"))
            }
        }
    }
}
