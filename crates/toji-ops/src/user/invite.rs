//! `user invite`: a new account, and the code its owner enrols with.

use super::account::{self, Actor, KIND, State, codes, pseudonym};
use super::enrolment;
use super::login::random;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use toji_commons::agreement::Role;
use toji_core::record::FieldMap;
use toji_core::{Access, Category, Error, Id, Place, Result};
use toji_store::Put;

/// Input of `user invite`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Pseudonym of the new user; made when missing. No names, no mail addresses.
    ///
    /// 新しい利用者の仮名。省略時は自動。氏名や連絡先は使わない。
    #[serde(default)]
    user: Option<String>,
    /// Organisation they act for, by the identifier of its record.
    ///
    /// 所属組織の記録の識別子。
    #[serde(default)]
    organisation: Option<String>,
    /// Roles.
    ///
    /// 役割。
    #[serde(default)]
    roles: BTreeSet<Role>,
}

/// A new account.
#[derive(Debug, Serialize, JsonSchema)]
struct Invited {
    /// Pseudonym.
    user: String,
    /// Organisation.
    organisation: Option<String>,
    /// Roles.
    roles: BTreeSet<Role>,
    /// State.
    #[serde(rename = "account_state")]
    state: State,
    /// For the person, by a way that nobody else reads; it is not shown again.
    enrolment_code: String,
    /// Counts until before.
    enrolment_until: String,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "user invite",
            label: ["利用者の招待", "Invite a user"],
            about: [
                "利用者を作り、72 時間有効な登録コードを一度だけ示します。本人が画面で利用者名とコードを入れ、パスワードを決めると使えるようになります。一人でも招待すると、画面と API はログインを求めます。",
                "Makes a user and shows an enrolment code once, which counts for 72 hours. The person enters user and code on the page and chooses a password. As soon as one user is invited, pages and API ask for a log-in.",
            ],
            positional: &["user"],
            example: "toji user invite hanako-7 --organisation acme --roles scientist",
        },
        Effect::Write,
        |context: Context, input: Input| async move { invite(&context, input).await },
    )
    .shown_once()
}

async fn invite(context: &Context, input: Input) -> Result<Invited> {
    let session = &context.session;
    let actor = Actor::of(context).await?;
    actor.grants(&input.roles)?;
    let id = match input.user.as_deref() {
        Some(name) => pseudonym(name)?,
        None => Id::derive("user", &[&random::<16>()?.map(|b| format!("{b:02x}")).concat()]),
    };
    let organisation = match (&actor, input.organisation) {
        (_, Some(organisation)) => Some(organisation),
        // Of whoever invites, when nothing else is said.
        (Actor::User(actor), None) => actor.organisation.clone(),
        (Actor::Owner, None) => None,
    };
    if let Some(organisation) = &organisation {
        let there = session.store.record(&Access::owner(), "organisation", organisation, None).await;
        there.map_err(|e| e.at(Place::field("organisation")))?;
    }
    let mut fields = FieldMap::new();
    if let Some(organisation) = &organisation {
        fields.insert("organisation".into(), organisation.as_str().into());
    }
    fields.insert("commons_roles".into(), codes(&input.roles));
    fields.insert("state".into(), State::Invited.code().into());
    fields.insert("created".into(), context.now.to_string().into());
    let wanted = account::Account::draft(id.clone(), organisation.clone(), input.roles.clone());
    actor.administers(&wanted)?;
    if account::find(session, id.as_str()).await?.is_some() {
        return Err(Error::new(
            Category::Conflict,
            "E-USER-007",
            format!("利用者「{id}」はすでにいます"),
            format!("there is a user \"{id}\" already"),
        )
        .at(Place::field("user"))
        .hint(
            "別の仮名にするか、toji user reset で登録コードを作り直してください",
            "take another pseudonym, or make a new enrolment code with toji user reset",
        ));
    }
    let put = Put { if_version: Some(0), ..Put::new(KIND, id.clone(), fields) };
    account::write(session, &context.access.who.id, context.now, "user invite", put).await?;
    let (enrolment_code, until) = enrolment::make(session, id.as_str(), context.now).await?;
    Ok(Invited {
        user: id.to_string(),
        organisation,
        roles: input.roles,
        state: State::Invited,
        enrolment_code,
        enrolment_until: until.to_string(),
    })
}
