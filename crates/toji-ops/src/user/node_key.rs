//! Accounts of machines: another node logs in by a key instead of a password.
//!
//! The server draws a challenge, the node signs it together with the house and the account it means, and each challenge
//! counts once and for two minutes. So nothing that was overheard can be sent again, here or at another house.

use super::account::{self, Actor, State};
use super::login::{Client, ENROLMENT, LoggedIn, NotIn, PASSWORD, TOTP, random, refused, turned_away};
use crate::operation::{Context, Effect, Operation, Words};
use crate::session::Session;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use toji_commons::log::{KeyKind, Note, SigningKey, VerifierKey};
use toji_core::{Category, Error, Instant, Place, Result};

/// Sort of the secret that holds the public key.
pub(super) const NODE_KEY: &str = "node-key";
/// First line of what is signed; no other note of the house begins so.
const HEADING: &str = "toji node log-in v1";
/// What stands for the house of a store without a commons.
const NO_HOUSE: &str = "-";

/// Input of `user node-key`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// User that stands for the node, by pseudonym.
    ///
    /// ノードの利用者の仮名。
    user: String,
    /// Public key that the node shows (`toji node connect`).
    ///
    /// ノードが示す公開鍵（`toji node connect`）。
    key: String,
}

/// An account of a node.
#[derive(Debug, Serialize, JsonSchema)]
struct Registered {
    /// Pseudonym.
    user: String,
    /// State.
    #[serde(rename = "account_state")]
    state: State,
    /// Public key.
    key: String,
    /// Sessions that were ended.
    sessions_ended: u64,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "user node-key",
            label: ["ノードの鍵の登録", "Register the key of a node"],
            about: [
                "招待した利用者を、別の Toji（ノード）のための利用者にします。パスワードの代わりに、ノードが持つ鍵でログインします。人の利用者には使えません。鍵を替えると、以前の鍵とそのセッションは終わります。",
                "Makes an invited user stand for another Toji (a node): it logs in by a key that the node holds, instead of a password. Not for people's accounts. A new key ends the one before and its sessions.",
            ],
            positional: &["user"],
            example: "toji user node-key node-a --key node-a+1f2e3d4c+AZ…",
        },
        Effect::Write,
        |context: Context, input: Input| async move { register(&context, &input).await },
    )
}

async fn register(context: &Context, input: &Input) -> Result<Registered> {
    let session = &context.session;
    let account = Actor::of(context).await?.target(session, &input.user).await?;
    let key = VerifierKey::parse(&input.key).map_err(|e| e.at(Place::field("key")))?;
    if key.name() != input.user || key.kind() != KeyKind::Log {
        return Err(Error::input("E-USER-020", "鍵の名前が利用者と合いません", "the key is named otherwise than the user")
            .at(Place::field("key"))
            .hint(
                "ノードで `toji node connect … --user 利用者` を実行し、示された鍵を指定してください",
                "run `toji node connect … --user USER` on the node and give the key it shows",
            ));
    }
    let person = session.store.secret(&input.user, PASSWORD).await?.is_some();
    if person || matches!(account.state, State::Locked | State::Closed) {
        return Err(Error::new(
            Category::Conflict,
            "E-USER-021",
            "人の利用者か、使われていない利用者です",
            "it is an account of a person, or one that is not in use",
        )
        .at(Place::field("user"))
        .hint(
            "ノードのために別の利用者を `toji user invite` で招待してください",
            "invite a user of its own for the node with `toji user invite`",
        ));
    }
    let sessions_ended = session.store.end_sessions(&input.user).await?;
    session.store.forget_secrets(&input.user, &[ENROLMENT]).await?;
    session.store.set_secret(&input.user, NODE_KEY, &key.to_string(), context.now).await?;
    let change = [("state", State::Active.code().into())];
    account::amend(session, &context.access.who.id, context.now, "user node-key", &account, &change).await?;
    Ok(Registered { user: input.user.clone(), state: State::Active, key: key.to_string(), sessions_ended })
}

/// What a node signs.
fn challenge_text(house: &str, user: &str, challenge: &str) -> String {
    format!("{HEADING}\n{house}\n{user}\n{challenge}\n")
}

/// The answer of a node to a challenge, as a signed note.
///
/// # Errors
/// The texts cannot stand in a note.
pub(crate) fn answer_challenge(key: &SigningKey, house: &str, user: &str, challenge: &str) -> Result<String> {
    let fine = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
    if !fine(house) || !fine(user) || !fine(challenge) {
        return Err(Error::input("E-NODE-001", "問いかけが読めません", "the challenge of the other node is not readable"));
    }
    let mut note = Note::new(challenge_text(house, user, challenge))?;
    note.add(key.sign(note.text())?);
    Ok(note.to_string())
}

/// What a node that wants in is told.
#[derive(Debug, Serialize)]
pub struct Challenge {
    /// The organisation this house belongs to, `-` where no commons was founded.
    pub house: String,
    /// To be signed.
    pub challenge: String,
}

impl Session {
    async fn house(&self) -> Result<String> {
        Ok(self.store.setting(crate::commons::HOME).await?.unwrap_or_else(|| NO_HOUSE.to_owned()))
    }

    /// Draws a challenge for a node. Whether there is such an account is not told.
    ///
    /// # Errors
    /// Too many are open; storage faults.
    pub async fn challenge(&self, user: &str, now: Instant) -> Result<Challenge> {
        let challenge = random::<24>()?.map(|b| format!("{b:02x}")).concat();
        self.doors.pose(&challenge, user, now)?;
        Ok(Challenge { house: self.house().await?, challenge })
    }

    /// Lets a node in that signed a challenge with the key of its account.
    ///
    /// # Errors
    /// One answer to every failure; the wait after several.
    pub async fn log_in_by_key(
        self: &Arc<Self>,
        user: &str,
        challenge: &str,
        note: &str,
        client: &Client,
        now: Instant,
    ) -> std::result::Result<LoggedIn, NotIn> {
        let attempt = self.attempt(user, client, now).await?;
        // It counts once, whatever comes of it.
        let posed = self.doors.take_posed(challenge, user, now);
        let account = account::find(self, user).await?.filter(|account| account.state == State::Active);
        let kept = self.store.secret(user, NODE_KEY).await?.and_then(|key| VerifierKey::parse(&key).ok());
        let house = self.house().await?;
        let fits = match (&kept, Note::parse(note)) {
            (Some(key), Ok(note)) => {
                note.text() == challenge_text(&house, user, challenge) && note.verified(std::slice::from_ref(key)).is_ok()
            }
            _ => false,
        };
        let (Some(account), true, true) = (account, posed, fits) else { return Err(turned_away("key of a node", client)) };
        if self.store.secret(user, TOTP).await?.is_some() {
            // A second factor belongs to a person.
            return Err(refused());
        }
        attempt.passed();
        Ok(self.open_session(account.id.as_str(), client, now).await?)
    }

    /// Does an account stand for a node?
    pub(super) async fn is_node(&self, user: &str) -> Result<bool> {
        Ok(self.store.secret(user, NODE_KEY).await?.is_some())
    }
}
