//! Signed notes: text, a blank line, and lines of signatures (c2sp.org/signed-note).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer as _;
use std::fmt;
use toji_core::{Category, Digest, Error, Place, Result};

/// Largest note read, in bytes.
pub const NOTE_BYTES_MAX: usize = 1_000_000;
/// Most signatures read on one note (as in the reference implementation, golang.org/x/mod/sumdb/note).
pub const SIGNATURES_MAX: usize = 100;

/// What a key signs; the byte enters its identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// Plain Ed25519 over the text: the keeper of the log.
    Log,
    /// Timed cosignature of a witness (c2sp.org/tlog-cosignature).
    Cosigner,
}

impl KeyKind {
    fn byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Cosigner => 0x04,
        }
    }
}

/// A key that signs notes. Made from a seed that the caller draws and guards.
#[derive(Clone)]
pub struct SigningKey {
    public: VerifierKey,
    key: ed25519_dalek::SigningKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public)
    }
}

impl SigningKey {
    /// The key of this seed (32 bytes, RFC 8032 §5.1.5) under a name.
    ///
    /// # Errors
    /// The name is empty or has white space or `+` in it.
    pub fn from_seed(name: &str, kind: KeyKind, seed: &[u8; 32]) -> Result<Self> {
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        let public = VerifierKey::new(name, kind, key.verifying_key())?;
        Ok(Self { public, key })
    }

    /// The public half.
    #[must_use]
    pub fn verifier(&self) -> &VerifierKey {
        &self.public
    }

    /// Signs the text of a note as the keeper of the log.
    ///
    /// # Errors
    /// The key is a cosigner's.
    pub fn sign(&self, text: &str) -> Result<Signature> {
        if self.public.kind != KeyKind::Log {
            return Err(wrong_kind(&self.public));
        }
        Ok(self.signature(self.key.sign(text.as_bytes()).to_bytes().to_vec()))
    }

    /// Cosigns the text of a note at a time, in seconds since 1970-01-01T00:00Z.
    pub(super) fn cosign(&self, text: &str, seconds: u64) -> Result<Signature> {
        if self.public.kind != KeyKind::Cosigner || seconds > i64::MAX as u64 {
            return Err(wrong_kind(&self.public));
        }
        let mut bytes = seconds.to_be_bytes().to_vec();
        bytes.extend(self.key.sign(cosigned(text, seconds).as_bytes()).to_bytes());
        Ok(self.signature(bytes))
    }

    fn signature(&self, bytes: Vec<u8>) -> Signature {
        Signature { name: self.public.name.clone(), key_id: self.public.id, bytes }
    }
}

/// A key that verifies notes, printed as `<name>+<8 hex digits>+<base64>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    id: [u8; 4],
    key: ed25519_dalek::VerifyingKey,
}

impl VerifierKey {
    fn new(name: &str, kind: KeyKind, key: ed25519_dalek::VerifyingKey) -> Result<Self> {
        check_name(name)?;
        let hash = Digest::of_parts(&[name.as_bytes(), b"\n", &[kind.byte()], key.as_bytes()]);
        let [a, b, c, d, ..] = *hash.bytes();
        Ok(Self { name: name.to_owned(), kind, id: [a, b, c, d], key })
    }

    /// Reads the printed form.
    ///
    /// # Errors
    /// It is not such a key, or its identifier does not fit it.
    pub fn parse(text: &str) -> Result<Self> {
        let fault = || {
            Error::input("E-LOG-004", format!("検証鍵として読めません: {text}"), format!("not a verifier key: {text}"))
                .at(Place::field("key"))
                .hint("「名前+8桁の十六進数+base64」の形で指定してください", "give it as name+8 hex digits+base64")
        };
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(body)) = (parts.next(), parts.next(), parts.next()) else { return Err(fault()) };
        let bytes = STANDARD.decode(body).map_err(|_| fault())?;
        let (kind, key) = match bytes.split_first() {
            Some((0x01, key)) => (KeyKind::Log, key),
            Some((0x04, key)) => (KeyKind::Cosigner, key),
            _ => return Err(fault()),
        };
        let key: [u8; 32] = key.try_into().map_err(|_| fault())?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&key).map_err(|_| fault())?;
        let read = Self::new(name, kind, key)?;
        if hex(read.id) == id { Ok(read) } else { Err(fault()) }
    }

    /// Name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it verifies.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The same public point for another use: one secret signs a log and cosigns others, in formats that never meet.
    ///
    /// # Errors
    /// Never for a key that was read.
    pub fn as_kind(&self, kind: KeyKind) -> Result<Self> {
        Self::new(&self.name, kind, self.key)
    }

    /// Does the signature name this key?
    fn named_by(&self, signature: &Signature) -> bool {
        self.name == signature.name && self.id == signature.key_id
    }

    /// The time of a cosignature, in seconds since 1970; 0 for the signature of a log.
    fn verify(&self, text: &str, signature: &Signature) -> Option<u64> {
        let (seconds, message, bytes) = match self.kind {
            KeyKind::Log => (0, text.to_owned(), signature.bytes.as_slice()),
            KeyKind::Cosigner => {
                let (time, bytes) = signature.bytes.split_first_chunk::<8>()?;
                let seconds = u64::from_be_bytes(*time);
                (seconds, cosigned(text, seconds), bytes)
            }
        };
        let bytes: &[u8; 64] = bytes.try_into().ok()?;
        let fine = seconds <= i64::MAX as u64;
        let signature = ed25519_dalek::Signature::from_bytes(bytes);
        (fine && self.key.verify_strict(message.as_bytes(), &signature).is_ok()).then_some(seconds)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.kind.byte()];
        bytes.extend(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, hex(self.id), STANDARD.encode(bytes))
    }
}

/// One line of signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Name of the key.
    pub name: String,
    /// Identifier of the key.
    pub key_id: [u8; 4],
    /// What follows the identifier.
    pub bytes: Vec<u8>,
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.key_id[..], &self.bytes].concat();
        writeln!(f, "\u{2014} {} {}", self.name, STANDARD.encode(bytes))
    }
}

/// A text with signatures. Nothing in it is to be believed before [`Note::verified`] said who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

impl Note {
    /// A note without signatures yet.
    ///
    /// # Errors
    /// The text does not end in a newline or has control characters in it.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        let fine = text.ends_with('\n') && text.len() <= NOTE_BYTES_MAX && text.chars().all(|c| c == '\n' || c >= ' ');
        if fine { Ok(Self { text, signatures: Vec::new() }) } else { Err(malformed("text")) }
    }

    /// Reads a signed note.
    ///
    /// # Errors
    /// It is not one, too long, or has more signatures than [`SIGNATURES_MAX`].
    pub fn parse(note: &str) -> Result<Self> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(malformed("note"));
        }
        let split = note.rfind("\n\n").ok_or_else(|| malformed("note"))?;
        let mut read = Self::new(&note[..=split])?;
        let lines = note[split + 2..].strip_suffix('\n').ok_or_else(|| malformed("signature"))?;
        for line in lines.split('\n') {
            if read.signatures.len() == SIGNATURES_MAX {
                return Err(malformed("signature"));
            }
            read.signatures.push(parse_signature(line).ok_or_else(|| malformed("signature"))?);
        }
        Ok(read)
    }

    /// The text, unverified.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, unverified.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Adds a signature, in place of an earlier one of the same key.
    pub fn add(&mut self, signature: Signature) {
        self.signatures.retain(|s| (&s.name, s.key_id) != (&signature.name, signature.key_id));
        self.signatures.push(signature);
    }

    /// Who of these keys signed the text, with the time of a cosignature in seconds since 1970 (0 for a log).
    /// Signatures of other keys are ignored.
    ///
    /// # Errors
    /// A signature of one of the keys does not verify, or none of the keys signed.
    pub fn verified<'k>(&self, keys: &'k [VerifierKey]) -> Result<Vec<(&'k VerifierKey, u64)>> {
        let mut signed: Vec<(&VerifierKey, u64)> = Vec::new();
        for signature in &self.signatures {
            for key in keys.iter().filter(|k| k.named_by(signature)) {
                let Some(seconds) = key.verify(&self.text, signature) else { return Err(forged(&key.name)) };
                if !signed.iter().any(|(known, _)| *known == key) {
                    signed.push((key, seconds));
                }
            }
        }
        if signed.is_empty() { Err(unsigned()) } else { Ok(signed) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|s| fmt::Display::fmt(s, f))
    }
}

fn parse_signature(line: &str) -> Option<Signature> {
    let (name, body) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    check_name(name).ok()?;
    let bytes = STANDARD.decode(body).ok()?;
    let (key_id, bytes) = bytes.split_first_chunk::<4>()?;
    (!bytes.is_empty()).then(|| Signature { name: name.to_owned(), key_id: *key_id, bytes: bytes.to_vec() })
}

/// What a cosigner signs: header, time and the whole text.
fn cosigned(text: &str, seconds: u64) -> String {
    format!("cosignature/v1\ntime {seconds}\n{text}")
}

fn hex(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}

fn check_name(name: &str) -> Result<()> {
    let fine = !name.is_empty() && name.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '+');
    if fine {
        return Ok(());
    }
    Err(Error::input(
        "E-LOG-005",
        format!("鍵の名前として使えません: 「{name}」"),
        format!("not usable as the name of a key: \"{name}\""),
    )
    .at(Place::field("name"))
    .hint(
        "空白と + を含まない名前にしてください(例: commons.example/log)",
        "use a name without white space and +, such as commons.example/log",
    ))
}

fn wrong_kind(key: &VerifierKey) -> Error {
    Error::input(
        "E-LOG-006",
        format!("鍵「{}」はこの署名の種類には使えません", key.name),
        format!("key \"{}\" is not for this kind of signature", key.name),
    )
    .at(Place::field("key"))
    .hint("ログの鍵と証人の鍵を取り違えていないか確かめてください", "check that a log's key and a witness's are not mixed up")
}

fn malformed(field: &str) -> Error {
    Error::input("E-LOG-007", "署名付きノートの形式ではありません", "not a signed note").at(Place::field(field)).hint(
        "受け取ったままのバイト列を渡してください(c2sp.org/signed-note)",
        "pass it byte for byte as received (c2sp.org/signed-note)",
    )
}

fn forged(name: &str) -> Error {
    Error::new(
        Category::Denied,
        "E-LOG-008",
        format!("「{name}」の署名が本文と合いません"),
        format!("the signature of \"{name}\" does not fit the text"),
    )
    .at(Place::field("signature"))
    .hint("本文が変えられています。発行元から取り直してください", "the text was changed; get it again from its issuer")
}

fn unsigned() -> Error {
    Error::new(Category::Denied, "E-LOG-009", "知っている鍵による署名がありません", "no key you know signed this")
        .at(Place::field("signature"))
        .hint("検証鍵を確かめてください", "check the verifier keys")
}
