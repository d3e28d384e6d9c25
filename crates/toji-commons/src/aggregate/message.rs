//! What members and server send each other. All of it is JSON; bytes are base64.

use super::session::Session;
use super::shamir::{Commitments, Share};
use crate::log::{Note, SigningKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;
use toji_core::canonical::to_canonical;
use toji_core::{Category, Digest, Error, Id, Place, Result};

/// The first line of what is signed.
const HEADING: &str = "toji-commons aggregate v1";

/// A phase of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Keys.
    Keys,
    /// Shares.
    Shares,
    /// Masked inputs.
    Input,
    /// Signatures on who is in.
    Consent,
    /// Unmasking.
    Unmasking,
    /// Nothing more is sent.
    Done,
}

/// Bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Blob(pub Vec<u8>);

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({})", STANDARD.encode(&self.0))
    }
}

impl From<Blob> for String {
    fn from(blob: Blob) -> Self {
        STANDARD.encode(blob.0)
    }
}

impl TryFrom<String> for Blob {
    type Error = base64::DecodeError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        STANDARD.decode(text).map(Self)
    }
}

/// Bytes of a known length.
pub(super) fn bytes_of<const N: usize>(blob: &Blob) -> Option<[u8; N]> {
    blob.0.as_slice().try_into().ok()
}

/// Something signed by a member: a signed note whose text is a heading and canonical JSON.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signed<T> {
    note: String,
    #[serde(skip)]
    of: PhantomData<T>,
}

impl<T> fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.note)
    }
}

impl<T: Serialize + DeserializeOwned + ByMember> Signed<T> {
    /// Signs.
    ///
    /// # Errors
    /// The key is a cosigner's.
    pub fn sign(content: &T, key: &SigningKey) -> Result<Self> {
        let mut note = Note::new(format!("{HEADING}\n{}\n", to_canonical(content)?))?;
        let signature = key.sign(note.text())?;
        note.add(signature);
        Ok(Self { note: note.to_string(), of: PhantomData })
    }

    /// The content, if it is of this session and signed by the member it names.
    ///
    /// # Errors
    /// It is not; who it is said to be from is named.
    pub fn open(&self, session: &Session) -> Result<T> {
        self.open_of(session, &session.digest()?)
    }

    /// The same, the hash of the session known.
    pub(super) fn open_of(&self, session: &Session, digest: &Digest) -> Result<T> {
        let unreadable = || {
            Error::input("E-AGGREGATE-004", "署名された電文として読めません", "not a signed message of this protocol")
                .at(Place::field("message"))
                .hint("電文をそのままのバイト列で渡してください", "pass the message byte for byte")
        };
        let note = Note::parse(&self.note).map_err(|_| unreadable())?;
        let json = note.text().strip_prefix(HEADING).and_then(|t| t.strip_prefix('\n')).ok_or_else(unreadable)?;
        let content: T = serde_json::from_str(json).map_err(|_| unreadable())?;
        let key = session.members.get(content.from()).ok_or_else(|| stranger(content.from()))?;
        if note.verified(std::slice::from_ref(key)).is_err() {
            return Err(blamed(content.from(), "署名が合いません", "its signature does not fit"));
        }
        if content.session() != digest {
            return Err(blamed(content.from(), "別のセッションの電文です", "its message is of another session"));
        }
        Ok(content)
    }
}

/// Signed content names its session and its member.
pub trait ByMember {
    /// Member.
    fn from(&self) -> &Id;
    /// Hash of the session.
    fn session(&self) -> &Digest;
}

/// Phase 1, of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advert {
    /// Session.
    pub session: Digest,
    /// Member.
    pub from: Id,
    /// X25519 key that shares are sealed to.
    pub seal_key: Blob,
    /// X25519 key that pairwise masks come from.
    pub mask_key: Blob,
    /// Commitments to the seed of the own mask.
    pub seed: Commitments,
    /// Commitments to the secret of `mask_key`.
    pub mask: Commitments,
}

/// Phase 4, of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Session.
    pub session: Digest,
    /// Member.
    pub from: Id,
    /// Who is in.
    pub included: BTreeSet<Id>,
}

impl ByMember for Advert {
    fn from(&self) -> &Id {
        &self.from
    }
    fn session(&self) -> &Digest {
        &self.session
    }
}

impl ByMember for Consent {
    fn from(&self) -> &Id {
        &self.from
    }
    fn session(&self) -> &Digest {
        &self.session
    }
}

/// Phase 1, of the server: to all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adverts(pub Vec<Signed<Advert>>);

/// Phase 2, of a member: for every other one its two shares, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shares {
    /// Member.
    pub from: Id,
    /// To whom what.
    pub sealed: BTreeMap<Id, Blob>,
}

/// Phase 2, of the server: to one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbox {
    /// From whom what.
    pub sealed: BTreeMap<Id, Blob>,
}

/// Phase 3, of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Masked {
    /// Member.
    pub from: Id,
    /// Words of 8 bytes, little-endian.
    pub words: Blob,
}

/// Phase 3, of the server: who is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Included(pub BTreeSet<Id>);

/// Phase 4, of the server: to all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consents(pub Vec<Signed<Consent>>);

/// Phase 5, of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmasking {
    /// Member.
    pub from: Id,
    /// Shares of seeds of own masks: of who is in.
    pub seeds: BTreeMap<Id, Share>,
    /// Shares of secrets of pairwise masks: of who is not.
    pub masks: BTreeMap<Id, Share>,
}

/// An error that names who broke the protocol.
pub(super) fn blamed(who: &Id, ja: &str, en: &str) -> Error {
    Error::new(
        Category::Denied,
        "E-AGGREGATE-005",
        format!("「{who}」が手順に反しています: {ja}"),
        format!("\"{who}\" broke the protocol: {en}"),
    )
    .at(Place::field(who.as_str()))
    .hint(
        "この参加者に確かめ、必要なら除いて、新しいセッションでやり直してください",
        "ask that member, leave it out if need be, and begin a new session",
    )
}

/// An error on what the server sent.
pub(super) fn server(ja: &str, en: &str) -> Error {
    Error::new(
        Category::Denied,
        "E-AGGREGATE-006",
        format!("集計者が手順に反しています: {ja}"),
        format!("the server broke the protocol: {en}"),
    )
    .at(Place::field("server"))
    .hint("応じずに、集計者に確かめてください", "do not go on, and ask who runs it")
}

/// Somebody that is no member.
pub(super) fn stranger(who: &Id) -> Error {
    Error::not_found(
        "E-AGGREGATE-007",
        format!("「{who}」は参加者ではありません"),
        format!("\"{who}\" is no member of this session"),
    )
    .at(Place::field(who.as_str()))
    .hint("セッションの参加者を確かめてください", "look at the members of the session")
}

/// Too few are left.
pub(super) fn too_few(left: usize, needed: usize) -> Error {
    Error::new(
        Category::Denied,
        "E-AGGREGATE-008",
        format!("残った参加者が {left} 者で、必要な {needed} 者に足りません"),
        format!("{left} members are left, and {needed} are needed"),
    )
    .at(Place::field("members"))
    .hint("何も明かさずに終わります。新しいセッションでやり直してください", "nothing is told; begin a new session")
}

/// Something at the wrong time.
pub(super) fn out_of_turn(expected: Phase) -> Error {
    Error::new(
        Category::Conflict,
        "E-AGGREGATE-009",
        format!("この段階({expected:?})の電文ではないか、二度目です"),
        format!("not of this phase ({expected:?}), or a second time"),
    )
    .at(Place::field("phase"))
    .hint("段階ごとに一度だけ送ってください", "send once in each phase")
}
