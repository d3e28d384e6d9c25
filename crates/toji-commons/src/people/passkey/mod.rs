//! Passkeys: what a browser says on behalf of an authenticator, and whether it is taken.
//!
//! WebAuthn Level 3 (W3C), §7.1 for a new key and §7.2 for a log-in, for keys of `EdDSA`, ES256 and RS256. Of attestation
//! nothing is asked: a key counts because its owner registered it, whoever made the device; a statement of a key about
//! itself is checked where one comes, any other is refused. Challenge, time and what is kept are the caller's.

mod cbor;
mod data;
mod key;
mod options;
mod party;
#[cfg(test)]
mod soft;
#[cfg(test)]
mod tests;

pub use options::{CHALLENGE_BYTES, HANDLE_BYTES, VALID_S, creation, request};
pub use party::Party;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cbor::Value;
use data::Data;
use key::Key;
use serde::{Deserialize, Serialize};
use toji_core::{Category, Digest, Error, Instant, Text};

/// Letters of a name that are kept.
const NAME_MOST: usize = 60;
/// Ways to reach an authenticator that are kept, and letters of one.
const TRANSPORTS: (usize, usize) = (8, 20);

/// A passkey as it is kept. It holds no secret: the private key never leaves the authenticator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// Identifier, in base64url.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// Public key as COSE writes it, in base64url.
    key: String,
    /// How often its authenticator had signed when it was used last; zero when it does not count.
    count: u32,
    /// May it be copied to other devices of its owner?
    pub eligible: bool,
    /// Is it?
    pub backed_up: bool,
    /// Did the authenticator make sure of its owner when it was made?
    pub verified: bool,
    /// Ways to reach the authenticator, as the browser named them.
    #[serde(default)]
    transports: Vec<String>,
    /// Registered when.
    pub created: Instant,
    /// Used last.
    #[serde(default)]
    pub used: Option<Instant>,
}

/// Why what an authenticator said is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It cannot be read.
    Unreadable,
    /// It answers another question.
    Ceremony,
    /// It answers another challenge.
    Challenge,
    /// It was said on a page of another origin.
    Origin,
    /// It was said in a frame of another page.
    Framed,
    /// It is bound to another domain.
    Domain,
    /// Nobody was there.
    Absent,
    /// Nobody showed who they are.
    Unverified,
    /// What it says of copies cannot be, or has changed.
    Backup,
    /// A kind of key that was not asked for.
    Algorithm,
    /// No key.
    Key,
    /// A statement about the device that is not known.
    Attestation,
    /// It is not signed by the key.
    Signature,
    /// The authenticator counts backwards: there may be a copy of it.
    Counter,
    /// It is another passkey.
    Identifier,
    /// It is somebody else's.
    Owner,
}

impl Refused {
    /// For people.
    #[must_use]
    pub fn label(self) -> Text {
        let (ja, en) = match self {
            Self::Unreadable => ("認証器の応答を読めません", "the answer of the authenticator cannot be read"),
            Self::Ceremony => ("別の手続きへの応答です", "it answers another question"),
            Self::Challenge => ("別の要求への応答です", "it answers another challenge"),
            Self::Origin => ("このサーバーのオリジンのページではありません", "the page is not of the origin of this server"),
            Self::Framed => ("別のページの枠の中で行われました", "it was done in a frame of another page"),
            Self::Domain => ("別のドメインのパスキーです", "it is bound to another domain"),
            Self::Absent => ("人がいることが確かめられていません", "nobody was there"),
            Self::Unverified => (
                "本人確認 (PIN、指紋、顔) が行われていません",
                "the authenticator did not make sure of its owner (PIN, finger, face)",
            ),
            Self::Backup => ("同期の状態が登録時と合いません", "what it says of copies does not fit"),
            Self::Algorithm => ("求めていない種類の鍵です", "a kind of key that was not asked for"),
            Self::Key => ("鍵として読めません", "it is no key"),
            Self::Attestation => {
                ("認証器についての知らない形式の証明が付いています", "a statement about the device that is not known")
            }
            Self::Signature => ("署名が合いません", "the signature does not fit"),
            Self::Counter => (
                "認証器の署名回数が増えていません。複製のおそれがあります",
                "the authenticator does not count on: there may be a copy of it",
            ),
            Self::Identifier => ("別のパスキーです", "it is another passkey"),
            Self::Owner => ("別の利用者のパスキーです", "it is somebody else's"),
        };
        Text::new(ja, en)
    }
    /// As an error, for those who are logged in already.
    #[must_use]
    pub fn error(self) -> Error {
        let Text { ja, en } = self.label();
        Error::new(
            Category::Denied,
            "E-PASSKEY-002",
            format!("パスキーを受け付けられません: {ja}"),
            format!("the passkey is not taken: {en}"),
        )
        .hint("始めからやり直してください", "begin again")
    }
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// By whom.
    pub party: &'a Party,
    /// The challenge; its caller has taken it out of use already.
    pub challenge: &'a [u8],
    /// Must the authenticator make sure of its owner?
    pub verified: bool,
}

/// A new key, as a browser hands it on (`RegistrationResponseJSON`).
#[derive(Debug, Clone, Deserialize)]
pub struct Registration {
    id: String,
    #[serde(rename = "type")]
    sort: String,
    response: RegistrationResponse,
}

#[derive(Debug, Clone, Deserialize)]
struct RegistrationResponse {
    #[serde(rename = "clientDataJSON")]
    client: String,
    #[serde(rename = "attestationObject")]
    attestation: String,
    #[serde(default)]
    transports: Vec<String>,
}

/// A log-in, as a browser hands it on (`AuthenticationResponseJSON`).
#[derive(Debug, Clone, Deserialize)]
pub struct Assertion {
    id: String,
    #[serde(rename = "type")]
    sort: String,
    response: AssertionResponse,
}

#[derive(Debug, Clone, Deserialize)]
struct AssertionResponse {
    #[serde(rename = "clientDataJSON")]
    client: String,
    #[serde(rename = "authenticatorData")]
    data: String,
    signature: String,
    #[serde(default, rename = "userHandle")]
    handle: Option<String>,
}

impl Assertion {
    /// The identifier of the passkey that it says it is of.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
    /// Whose it says it is, as bytes that a registration gave.
    #[must_use]
    pub fn handle(&self) -> Option<Vec<u8>> {
        self.response.handle.as_deref().filter(|handle| !handle.is_empty()).and_then(|handle| decode(handle).ok())
    }
}

/// What the browser saw (§5.8.1).
#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    sort: String,
    challenge: String,
    origin: String,
    #[serde(default, rename = "crossOrigin")]
    framed: bool,
    #[serde(default, rename = "topOrigin")]
    above: Option<String>,
}

fn decode(text: &str) -> Result<Vec<u8>, Refused> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Refused::Unreadable)
}

/// Bytes that [`encode`] wrote.
#[must_use]
pub fn decoded(text: &str) -> Option<Vec<u8>> {
    decode(text).ok()
}

/// Bytes as browsers hand them on.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Asked<'_> {
    /// What the browser says, checked; gives its hash (§7.1 steps 6 to 12, §7.2 steps 9 to 15).
    fn client(&self, coded: &str, ceremony: &str) -> Result<[u8; 32], Refused> {
        let bytes = decode(coded)?;
        let client: ClientData = serde_json::from_slice(&bytes).map_err(|_| Refused::Unreadable)?;
        if client.sort != ceremony {
            return Err(Refused::Ceremony);
        }
        if !super::same(&decode(&client.challenge)?, self.challenge) {
            return Err(Refused::Challenge);
        }
        if client.origin != self.party.origin() {
            return Err(Refused::Origin);
        }
        if client.framed || client.above.is_some() {
            return Err(Refused::Framed);
        }
        Ok(sha256(&bytes))
    }

    /// What the authenticator says of the moment (§7.1 steps 14 to 17, §7.2 steps 16 to 19).
    fn moment(&self, data: &Data<'_>) -> Result<(), Refused> {
        if !super::same(data.domain_hash, &sha256(self.party.domain().as_bytes())) {
            return Err(Refused::Domain);
        }
        if !data.present() {
            return Err(Refused::Absent);
        }
        if self.verified && !data.verified() {
            return Err(Refused::Unverified);
        }
        if data.backed_up() && !data.eligible() {
            return Err(Refused::Backup);
        }
        Ok(())
    }

    /// Takes a new key (§7.1). That its identifier is new among those of its owner is the caller's to see; among those
    /// of others it need not be, since a log-in names its owner first.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn register(&self, said: &Registration, name: &str, now: Instant) -> Result<Passkey, Refused> {
        if said.sort != "public-key" {
            return Err(Refused::Unreadable);
        }
        let client_hash = self.client(&said.response.client, "webauthn.create")?;
        let object = decode(&said.response.attestation)?;
        let object = cbor::read_whole(&object).ok_or(Refused::Unreadable)?;
        let raw = object.named("authData").and_then(Value::bytes).ok_or(Refused::Unreadable)?;
        let data = Data::read(raw)?;
        self.moment(&data)?;
        let attested = data.attested.as_ref().ok_or(Refused::Unreadable)?;
        let key = Key::read(attested.cose)?;
        let format = object.named("fmt").and_then(Value::text).ok_or(Refused::Unreadable)?;
        let statement = object.named("attStmt").ok_or(Refused::Unreadable)?;
        about_itself(format, statement, &key, raw, &client_hash)?;
        let id = encode(attested.id);
        if id != said.id {
            return Err(Refused::Identifier);
        }
        Ok(Passkey {
            id,
            name: self::name(name),
            key: encode(attested.cose),
            count: data.count,
            eligible: data.eligible(),
            backed_up: data.backed_up(),
            verified: data.verified(),
            transports: transports(&said.response.transports),
            created: now,
            used: None,
        })
    }

    /// Takes a log-in with a passkey of the owner of `handle` (§7.2), and gives the passkey as it is to be kept from
    /// now on.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn accept(&self, said: &Assertion, passkey: &Passkey, handle: &[u8], now: Instant) -> Result<Passkey, Refused> {
        if said.sort != "public-key" {
            return Err(Refused::Unreadable);
        }
        if said.id != passkey.id {
            return Err(Refused::Identifier);
        }
        if said.handle().is_some_and(|told| !super::same(&told, handle)) {
            return Err(Refused::Owner);
        }
        let client_hash = self.client(&said.response.client, "webauthn.get")?;
        let raw = decode(&said.response.data)?;
        let data = Data::read(&raw)?;
        self.moment(&data)?;
        if data.attested.is_some() {
            return Err(Refused::Unreadable);
        }
        if data.eligible() != passkey.eligible {
            return Err(Refused::Backup);
        }
        let key = Key::read(&decode(&passkey.key)?)?;
        if !key.signed(&[&raw[..], &client_hash].concat(), &decode(&said.response.signature)?) {
            return Err(Refused::Signature);
        }
        if (data.count != 0 || passkey.count != 0) && data.count <= passkey.count {
            return Err(Refused::Counter);
        }
        Ok(Passkey { count: data.count, backed_up: data.backed_up(), used: Some(now), ..passkey.clone() })
    }
}

/// The statement about the device (§8.7 none, §8.2 of a key about itself).
fn about_itself(format: &str, statement: &Value<'_>, key: &Key, raw: &[u8], client_hash: &[u8]) -> Result<(), Refused> {
    match format {
        "none" if *statement == Value::Map(Vec::new()) => Ok(()),
        "packed" if statement.named("x5c").is_none() => {
            let algorithm = statement.named("alg").and_then(Value::integer);
            let signature = statement.named("sig").and_then(Value::bytes).ok_or(Refused::Attestation)?;
            if algorithm != Some(key.algorithm()) {
                return Err(Refused::Attestation);
            }
            if key.signed(&[raw, client_hash].concat(), signature) { Ok(()) } else { Err(Refused::Signature) }
        }
        _ => Err(Refused::Attestation),
    }
}

/// A name as it is kept: one line, no longer than can be shown.
#[must_use]
pub fn name(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(NAME_MOST).collect::<String>().trim().to_owned()
}

fn transports(told: &[String]) -> Vec<String> {
    let plain = |text: &&String| text.len() <= TRANSPORTS.1 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    told.iter().filter(plain).take(TRANSPORTS.0).cloned().collect()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    *Digest::of(bytes).bytes()
}
