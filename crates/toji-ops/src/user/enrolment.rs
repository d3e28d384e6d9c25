//! Enrolment codes: made for an invitation or a reset, shown once, valid for 72 hours.

use super::account::{self, Actor, State};
use super::login::{ENROLMENT, HANDLE, KNOWN, PASSKEYS, PASSWORD, RECOVERY, TOTP, TOTP_NEW, TOTP_USED, random};
use super::node_key::NODE_KEY;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use toji_commons::people::{CODE_BYTES, OneTime};
use toji_core::{Category, Error, Instant, Place, Result};

/// How long an enrolment code counts.
const VALID_NS: i64 = 72 * 3_600 * 1_000_000_000;

/// Makes an enrolment code; the one before counts no more. Gives the code and until when it counts.
pub(super) async fn make(session: &Arc<crate::Session>, user: &str, now: Instant) -> Result<(String, Instant)> {
    let until = now.plus_ns(VALID_NS).unwrap_or(now);
    let (code, one_time) = OneTime::draw(random::<CODE_BYTES>()?, Some(until));
    let kept = serde_json::to_string(&one_time).map_err(|e| Error::bug("E-USER-005", e))?;
    session.store.set_secret(user, ENROLMENT, &kept, now).await?;
    Ok((code, until))
}

/// Input of `user reset`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// User, by pseudonym.
    ///
    /// 利用者の仮名。
    user: String,
}

/// An account that waits for enrolment.
#[derive(Debug, Serialize, JsonSchema)]
struct Reset {
    /// Pseudonym.
    user: String,
    /// State.
    #[serde(rename = "account_state")]
    state: State,
    /// For the person, by a way that nobody else reads; it is not shown again.
    enrolment_code: String,
    /// Counts until before.
    enrolment_until: String,
    /// Sessions that were ended.
    sessions_ended: u64,
}

pub(super) fn reset_operation() -> Operation {
    Operation::declare(
        Words {
            name: "user reset",
            label: ["利用者の再登録", "Reset a user"],
            about: [
                "パスワードと二要素認証 (パスキーを含む) を消し、すべてのセッションを終え、72 時間有効な登録コードを一度だけ示します。パスワードや認証アプリを失った人のための手続きです。役割は変わりません。",
                "Forgets password, second factor and passkeys, ends all sessions, and shows an enrolment code once, which counts for 72 hours. For somebody who has lost the password or the app. The roles stay.",
            ],
            positional: &["user"],
            example: "toji user reset hanako-7",
        },
        Effect::Write,
        |context: Context, input: Input| async move { reset(&context, &input.user).await },
    )
    .shown_once()
}

async fn reset(context: &Context, user: &str) -> Result<Reset> {
    let session = &context.session;
    let actor = Actor::of(context).await?;
    let account = actor.target(session, user).await?;
    if matches!(account.state, State::Closed | State::Locked) {
        return Err(Error::new(
            Category::Conflict,
            "E-USER-006",
            format!("利用者「{user}」は停止中か閉鎖済みです"),
            format!("the user \"{user}\" is locked or closed"),
        )
        .at(Place::field("user"))
        .hint("停止中なら先に toji user unlock を実行してください", "when it is locked, run toji user unlock first"));
    }
    // First nobody can come in, then somebody can again.
    let sorts = [PASSWORD, TOTP, TOTP_NEW, TOTP_USED, RECOVERY, PASSKEYS, HANDLE, KNOWN, NODE_KEY];
    session.store.forget_secrets(user, &sorts).await?;
    let sessions_ended = session.store.end_sessions(user).await?;
    let change = [("state", State::Invited.code().into())];
    account::amend(session, &context.access.who.id, context.now, "user reset", &account, &change).await?;
    let (enrolment_code, until) = make(session, user, context.now).await?;
    Ok(Reset { user: user.to_owned(), state: State::Invited, enrolment_code, enrolment_until: until.to_string(), sessions_ended })
}
