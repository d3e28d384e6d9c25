//! The head of a log as a signed note (c2sp.org/tlog-checkpoint) with cosignatures of its witnesses.

use super::note::{KeyKind, Note, SigningKey, VerifierKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use toji_core::{Category, Digest, Error, Place, Result};

/// The head of a log: whose, how many entries, which root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree.
    pub root: Digest,
    /// Further lines of the keeper; opaque.
    pub extensions: Vec<String>,
}

/// A checkpoint whose signatures were verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// Checkpoint.
    pub checkpoint: Checkpoint,
    /// Names of the witnesses that cosigned it, with the time in seconds since 1970, by name.
    pub witnesses: Vec<(String, u64)>,
}

impl Checkpoint {
    /// The text of the note.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.bytes()));
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Reads the text of a note.
    ///
    /// # Errors
    /// It is not a checkpoint.
    pub fn parse(text: &str) -> Result<Self> {
        let fault = |field: &str| {
            Error::input("E-LOG-010", "チェックポイントの形式ではありません", "not a checkpoint").at(Place::field(field)).hint(
                "一行目に名前、二行目に大きさ、三行目にルートが要ります(c2sp.org/tlog-checkpoint)",
                "line one names the log, line two the size, line three the root (c2sp.org/tlog-checkpoint)",
            )
        };
        let lines: Vec<&str> = text.strip_suffix('\n').ok_or_else(|| fault("text"))?.split('\n').collect();
        let [origin, size, root, extensions @ ..] = lines.as_slice() else { return Err(fault("text")) };
        if lines.iter().any(|line| line.is_empty()) {
            return Err(fault("text"));
        }
        let number: u64 = size.parse().map_err(|_| fault("size"))?;
        if number.to_string() != *size {
            return Err(fault("size"));
        }
        let bytes: [u8; 32] = STANDARD.decode(root).ok().and_then(|b| b.try_into().ok()).ok_or_else(|| fault("root"))?;
        Ok(Self {
            origin: (*origin).to_owned(),
            size: number,
            root: Digest::from_bytes(bytes),
            extensions: extensions.iter().map(|line| (*line).to_owned()).collect(),
        })
    }

    /// The checkpoint as a note signed by the keeper of the log.
    ///
    /// # Errors
    /// Its lines cannot stand in a note, or the key is not a log's.
    pub fn sign(&self, key: &SigningKey) -> Result<Note> {
        let text = self.text();
        // What cannot be read back must not be signed.
        Self::parse(&text)?;
        let mut note = Note::new(text)?;
        note.add(key.sign(note.text())?);
        Ok(note)
    }

    /// Opens a note: signed by the log, and cosigned by at least `quorum` of these witnesses.
    ///
    /// # Errors
    /// A signature does not verify, the log's is missing, too few witnesses cosigned, or the text is no checkpoint.
    pub fn open(note: &Note, log: &VerifierKey, witnesses: &[VerifierKey], quorum: usize) -> Result<Cosigned> {
        note.verified(std::slice::from_ref(log))?;
        if log.kind() != KeyKind::Log {
            return Err(Error::input("E-LOG-006", "ログの鍵ではありません", "not the key of a log")
                .at(Place::field("key"))
                .hint("ログの検証鍵を指定してください", "give the verifier key of the log"));
        }
        let signed = match note.verified(witnesses) {
            Ok(signed) => signed,
            // No witness signed: how many are needed is judged below.
            Err(error) if error.code() == "E-LOG-009" => Vec::new(),
            Err(error) => return Err(error),
        };
        let timed = signed.into_iter().filter(|(key, _)| key.kind() == KeyKind::Cosigner);
        let mut cosigned: Vec<(String, u64)> = timed.map(|(key, seconds)| (key.name().to_owned(), seconds)).collect();
        cosigned.sort();
        if cosigned.len() < quorum {
            return Err(Error::new(
                Category::Denied,
                "E-LOG-011",
                format!("副署した証人は {} 者で、必要な {quorum} 者に足りません", cosigned.len()),
                format!("{} witnesses cosigned, {quorum} are needed", cosigned.len()),
            )
            .at(Place::field("signature"))
            .hint("証人の副署を待ってから取り直してください", "wait for the witnesses and get it again"));
        }
        Ok(Cosigned { checkpoint: Self::parse(note.text())?, witnesses: cosigned })
    }
}
