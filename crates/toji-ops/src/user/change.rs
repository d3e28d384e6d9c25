//! `user roles`, `lock`, `unlock` and `close`.

use super::account::{self, Account, Actor, State, codes};
use super::login::PASSWORD;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use toji_commons::agreement::Role;
use toji_core::{Category, Error, Place, Result};

/// Input of `user roles`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RolesInput {
    /// User, by pseudonym.
    ///
    /// 利用者の仮名。
    user: String,
    /// All roles they shall have; none takes all away.
    ///
    /// 与える役割のすべて。挙げなければ、すべて外す。
    #[serde(default)]
    roles: BTreeSet<Role>,
}

/// Input of `user lock`, `user unlock` and `user close`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// User, by pseudonym.
    ///
    /// 利用者の仮名。
    user: String,
}

/// An account after a change.
#[derive(Debug, Serialize, JsonSchema)]
struct Changed {
    /// Pseudonym.
    user: String,
    /// State.
    #[serde(rename = "account_state")]
    state: State,
    /// Roles.
    roles: BTreeSet<Role>,
    /// Did anything change?
    changed: bool,
    /// Sessions that were ended.
    sessions_ended: u64,
}

pub(super) fn roles_operation() -> Operation {
    Operation::declare(
        Words {
            name: "user roles",
            label: ["役割の変更", "Change roles"],
            about: [
                "利用者の役割を、挙げたものに改めます。同じ組織の提供管理者か基盤運営者が行え、自分自身のものは変えられません。基盤運営者と監査人は、ほかの役割と兼ねられません。変わるとセッションはすべて終わります。",
                "Gives a user these roles and no others. A contributor administrator of the same organisation or the platform operator can do it, nobody for themselves. Operator and auditor exclude every other role. After a change all sessions end.",
            ],
            positional: &["user", "roles…"],
            example: "toji user roles hanako-7 scientist steward",
        },
        Effect::Write,
        |context: Context, input: RolesInput| async move {
            let actor = Actor::of(&context).await?;
            let account = actor.target(&context.session, &input.user).await?;
            actor.grants(&input.roles)?;
            if account.state == State::Closed {
                return Err(closed(&input.user));
            }
            let change = [("commons_roles", codes(&input.roles))];
            let changed = input.roles != account.roles;
            end(&context, "user roles", account, &change, changed, State::code, Some(input.roles)).await
        },
    )
}

pub(super) fn lock_operation() -> Operation {
    Operation::declare(
        Words {
            name: "user lock",
            label: ["利用者の停止", "Lock a user"],
            about: [
                "利用者を停止し、セッションをすべて終えます。user unlock で戻せます。",
                "Takes a user out of use and ends all sessions. It is taken back with user unlock.",
            ],
            positional: &["user"],
            example: "toji user lock hanako-7",
        },
        Effect::Write,
        |context: Context, input: Input| async move { set(&context, "user lock", &input.user, State::Locked).await },
    )
}

pub(super) fn unlock_operation() -> Operation {
    Operation::declare(
        Words {
            name: "user unlock",
            label: ["利用者の停止の解除", "Unlock a user"],
            about: [
                "停止した利用者を戻します。パスワードと二要素認証はそのままです。",
                "Puts a locked user into use again. Password and second factor are as before.",
            ],
            positional: &["user"],
            example: "toji user unlock hanako-7",
        },
        Effect::Write,
        |context: Context, input: Input| async move {
            let enrolled = context.session.store.secret(&input.user, PASSWORD).await?.is_some();
            let state = if enrolled { State::Active } else { State::Invited };
            set(&context, "user unlock", &input.user, state).await
        },
    )
}

pub(super) fn close_operation() -> Operation {
    Operation::declare(
        Words {
            name: "user close",
            label: ["利用者の閉鎖", "Close a user"],
            about: [
                "利用者を閉じ、パスワード・鍵・セッション・接続元を直ちに消します。戻せません。仮名と、その仮名で行われたことの記録は残ります。",
                "Closes a user and erases password, keys, sessions and addresses at once. It cannot be taken back. The pseudonym and what was done under it stay.",
            ],
            positional: &["user"],
            example: "toji user close hanako-7",
        },
        Effect::Write,
        |context: Context, input: Input| async move {
            let answer = set(&context, "user close", &input.user, State::Closed).await?;
            context.session.store.erase_account(&input.user).await?;
            Result::Ok(answer)
        },
    )
}

fn closed(user: &str) -> Error {
    Error::new(
        Category::Conflict,
        "E-USER-008",
        format!("利用者「{user}」は閉鎖されています"),
        format!("the user \"{user}\" is closed"),
    )
    .at(Place::field("user"))
    .hint("新しい仮名で招待してください", "invite them under a new pseudonym")
}

async fn set(context: &Context, operation: &str, user: &str, state: State) -> Result<Changed> {
    let actor = Actor::of(context).await?;
    let account = actor.target(&context.session, user).await?;
    if account.state == State::Closed && state != State::Closed {
        return Err(closed(user));
    }
    // Unlocking opens what was locked and nothing else.
    let stays = operation == "user unlock" && account.state != State::Locked;
    let changed = !stays && account.state != state;
    let change = [("state", Json::from(state.code()))];
    end(context, operation, account, &change, changed, move |old| if stays { old.code() } else { state.code() }, None).await
}

/// Writes the change and ends the sessions.
async fn end(
    context: &Context,
    operation: &str,
    account: Account,
    change: &[(&str, Json)],
    changed: bool,
    state: impl Fn(State) -> &'static str,
    roles: Option<BTreeSet<Role>>,
) -> Result<Changed> {
    let session = &context.session;
    let user = account.id.as_str();
    let mut sessions_ended = 0;
    if changed {
        account::amend(session, &context.access.who.id, context.now, operation, &account, change).await?;
        sessions_ended = session.store.end_sessions(user).await?;
    }
    Ok(Changed {
        user: user.to_owned(),
        state: State::of(state(account.state)),
        roles: roles.unwrap_or_else(|| account.roles.clone()),
        changed,
        sessions_ended,
    })
}
