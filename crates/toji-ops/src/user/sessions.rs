//! `user sessions` and `user end-session`: where somebody is logged in.

use super::account::Actor;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_commons::people::SessionRule;
use toji_core::{Error, Instant, Place, Result};
use toji_store::SessionRow;

/// Letters of a session's hash that name it: enough to tell sessions apart, useless as a key.
const NAME: usize = 12;

/// Input of `user sessions`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// User, by pseudonym; oneself when missing.
    ///
    /// 利用者の仮名。省略時は自分。
    #[serde(default)]
    user: Option<String>,
}

/// Input of `user end-session`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EndInput {
    /// User, by pseudonym; oneself when missing.
    ///
    /// 利用者の仮名。省略時は自分。
    #[serde(default)]
    user: Option<String>,
    /// Session, as `user sessions` names it; all of them when missing.
    ///
    /// `user sessions` が示すセッション名。省略時はすべて。
    #[serde(default)]
    session: Option<String>,
}

/// Output of `user sessions`.
#[derive(Debug, Serialize, JsonSchema)]
struct Sessions {
    /// Pseudonym.
    user: String,
    /// Open sessions, newest first.
    sessions: Vec<Shown>,
}

/// A session.
#[derive(Debug, Serialize, JsonSchema)]
struct Shown {
    /// Its name; the token is known to nobody but its owner.
    session: String,
    /// Since.
    begun: String,
    /// Used last, to the minute.
    used_last: String,
    /// Ends in any case.
    counts_until: String,
    /// Network address it began from.
    address: String,
    /// What the client calls itself.
    client: String,
}

/// Output of `user end-session`.
#[derive(Debug, Serialize, JsonSchema)]
struct Ended {
    /// Pseudonym.
    user: String,
    /// Sessions that were ended.
    sessions_ended: u64,
}

pub(super) fn list_operation() -> Operation {
    Operation::declare(
        Words {
            name: "user sessions",
            label: ["セッションの一覧", "List sessions"],
            about: [
                "利用者のログイン中のセッションを、接続元と最後の利用とともに一覧します。自分のものと、管理する利用者のものが見えます。",
                "Lists the open sessions of a user with where they began and when they were used last. One sees one's own, and those of users one administers.",
            ],
            positional: &["user"],
            example: "toji user sessions hanako-7",
        },
        Effect::Read,
        |context: Context, input: Input| async move {
            let user = whose(&context, input.user).await?;
            let rows = context.session.store.sessions_of(&user).await?;
            let sessions = rows.iter().filter(|row| counts(row, context.now)).map(shown).collect();
            Result::Ok(Sessions { user, sessions })
        },
    )
}

pub(super) fn end_operation() -> Operation {
    Operation::declare(
        Words {
            name: "user end-session",
            label: ["セッションの終了", "End sessions"],
            about: [
                "利用者のセッションを一つ、またはすべて終えます。自分のものと、管理する利用者のものを終えられます。",
                "Ends one session of a user, or all. One can end one's own, and those of users one administers.",
            ],
            positional: &["user", "session"],
            example: "toji user end-session hanako-7",
        },
        Effect::Write,
        |context: Context, input: EndInput| async move {
            let user = whose(&context, input.user).await?;
            let store = &context.session.store;
            let Some(name) = input.session else {
                return Ok(Ended { sessions_ended: store.end_sessions(&user).await?, user });
            };
            let rows = store.sessions_of(&user).await?;
            let row = rows.iter().find(|row| row.token_hash.get(..NAME) == Some(name.as_str())).ok_or_else(|| {
                Error::not_found(
                    "E-USER-009",
                    format!("セッション「{name}」はありません"),
                    format!("there is no session \"{name}\""),
                )
                .at(Place::field("session"))
                .hint("toji user sessions で一覧できます", "list them with toji user sessions")
            })?;
            let ended = store.end_session(&row.token_hash).await?;
            Result::Ok(Ended { user, sessions_ended: u64::from(ended) })
        },
    )
}

/// Whose sessions: one's own, or those of somebody one administers.
async fn whose(context: &Context, user: Option<String>) -> Result<String> {
    let actor = Actor::of(context).await?;
    match (&actor, user) {
        (Actor::User(own), None) => Ok(own.id.to_string()),
        (Actor::Owner, None) => Err(Error::input("E-USER-010", "利用者を指定してください", "name the user")
            .at(Place::field("user"))
            .hint("例: toji user sessions hanako-7", "for example toji user sessions hanako-7")),
        (_, Some(user)) => {
            let own = matches!(&actor, Actor::User(account) if account.id.as_str() == user);
            if !own {
                actor.target(&context.session, &user).await?;
            }
            Ok(user)
        }
    }
}

pub(super) fn counts(row: &SessionRow, now: Instant) -> bool {
    SessionRule::HOUSE.counts(row.seen_at, row.ends_at, now)
}

fn shown(row: &SessionRow) -> Shown {
    Shown {
        session: row.token_hash.get(..NAME).unwrap_or_default().to_owned(),
        begun: row.created_at.to_string(),
        used_last: row.seen_at.to_string(),
        counts_until: row.ends_at.to_string(),
        address: row.address.clone(),
        client: row.agent.clone(),
    }
}
