//! `user list`: the accounts, for those who keep them in order; oneself, for everybody else.

use super::account::{self, Account, Actor, State};
use super::login::{PASSKEYS, TOTP};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use toji_commons::agreement::Role;
use toji_core::Result;

/// Input of `user list`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Only those of this organisation.
    ///
    /// この組織に属する利用者だけ。
    #[serde(default)]
    organisation: Option<String>,
}

/// Output of `user list`.
#[derive(Debug, Serialize, JsonSchema)]
struct Users {
    /// Users, by pseudonym.
    users: Vec<Shown>,
}

/// An account in the list.
#[derive(Debug, Serialize, JsonSchema)]
struct Shown {
    /// Pseudonym.
    user: String,
    /// Organisation.
    organisation: Option<String>,
    /// Roles.
    roles: BTreeSet<Role>,
    /// State.
    #[serde(rename = "account_state")]
    state: State,
    /// Has a second factor.
    second_factor: bool,
    /// Sessions that are open.
    sessions: usize,
    /// Made when.
    created: String,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "user list",
            label: ["利用者の一覧", "List users"],
            about: [
                "利用者を、所属・役割・状態とともに一覧します。基盤運営者はすべて、提供管理者は自分の組織の利用者、ほかの人は自分だけが見えます。",
                "Lists users with organisation, roles and state. The operator sees all, a contributor administrator those of the same organisation, everybody else themselves.",
            ],
            positional: &[],
            example: "toji user list --organisation acme",
        },
        Effect::Read,
        |context: Context, input: Input| async move { list(&context, input).await },
    )
}

async fn list(context: &Context, input: Input) -> Result<Users> {
    let actor = Actor::of(context).await?;
    let mut users = Vec::new();
    for account in account::all(&context.session).await? {
        let wanted = input.organisation.is_none() || account.organisation == input.organisation;
        if wanted && (actor.is(&account.id) || actor.administers(&account).is_ok()) {
            users.push(shown(context, account).await?);
        }
    }
    Ok(Users { users })
}

async fn shown(context: &Context, account: Account) -> Result<Shown> {
    let store = &context.session.store;
    let user = account.id.to_string();
    let open = store.sessions_of(&user).await?;
    Ok(Shown {
        second_factor: store.has_secret(&user, [TOTP, PASSKEYS]).await?,
        sessions: open.iter().filter(|row| super::sessions::counts(row, context.now)).count(),
        organisation: account.organisation,
        roles: account.roles,
        state: account.state,
        created: account.created,
        user,
    })
}
