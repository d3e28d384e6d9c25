//! What is logged, and how a person is forgotten without the log losing its proofs.

use super::checkpoint::Checkpoint;
use super::note::{Note, SigningKey};
use super::tree::{Tree, leaf_hash};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use toji_core::canonical::to_canonical;
use toji_core::{Category, Digest, Error, Instant, Place, Result};

/// Separates commitments from every other hash in the house.
const DOMAIN: &[u8] = b"toji-commons commitment v1\n";

/// 32 bytes drawn by the caller from a secure source, one for each commitment.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// From drawn bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(…)")
    }
}

/// The commitment to a value: SHA-256 over domain, salt and value. Without the salt it tells nothing, not
/// even to whoever can guess the value.
#[must_use]
pub fn commitment(salt: &Salt, value: &str) -> Digest {
    Digest::of_parts(&[DOMAIN, &salt.0, value.as_bytes()])
}

/// Salts and values behind the commitments, kept apart from the log.
#[derive(Debug, Clone, Default)]
pub struct Vault {
    kept: BTreeMap<Digest, (Salt, String)>,
}

impl Vault {
    /// An empty vault.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a value; gives its commitment.
    ///
    /// # Errors
    /// The same salt was used for the same value before: the two entries could then be linked.
    pub fn keep(&mut self, salt: Salt, value: &str) -> Result<Digest> {
        let digest = commitment(&salt, value);
        if self.kept.contains_key(&digest) {
            return Err(Error::input("E-LOG-015", "このソルトは使用済みです", "this salt was used before")
                .at(Place::field("salt"))
                .hint("項目ごとに新しいソルトを引いてください", "draw a new salt for each item"));
        }
        self.kept.insert(digest, (salt, value.to_owned()));
        Ok(digest)
    }

    /// The value behind a commitment, while it is kept; checked against the commitment.
    #[must_use]
    pub fn open(&self, digest: &Digest) -> Option<&str> {
        let (salt, value) = self.kept.get(digest)?;
        (commitment(salt, value) == *digest).then_some(value)
    }

    /// Destroys salt and value: nobody can open the commitment any more. Says whether it was kept.
    pub fn forget(&mut self, digest: &Digest) -> bool {
        self.kept.remove(digest).is_some()
    }
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Instant,
    /// What kind of thing, e.g. `decision`, `ledger-head`, `release`.
    pub kind: String,
    /// What is said openly: organisations, hashes, clauses. Never a person.
    pub facts: BTreeMap<String, String>,
    /// Personal data, by commitment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub personal: BTreeMap<String, Digest>,
}

impl Entry {
    /// The bytes that are hashed: canonical JSON.
    ///
    /// # Errors
    /// Never for an entry that was made.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        Ok(to_canonical(self)?.into_bytes())
    }
}

/// The keeper's side: entries with their tree.
#[derive(Debug, Clone, Default)]
pub struct Log {
    origin: String,
    tree: Tree,
    entries: Vec<Vec<u8>>,
}

impl Log {
    /// An empty log.
    #[must_use]
    pub fn new(origin: impl Into<String>) -> Self {
        Self { origin: origin.into(), ..Self::default() }
    }

    /// Appends an entry; gives its index.
    ///
    /// # Errors
    /// Never for an entry that was made.
    pub fn append(&mut self, entry: &Entry) -> Result<u64> {
        Ok(self.append_bytes(entry.bytes()?))
    }

    /// Appends an entry as it was hashed before: how a log is made again from what was kept.
    pub fn append_bytes(&mut self, bytes: Vec<u8>) -> u64 {
        let index = self.tree.append(leaf_hash(&bytes));
        self.entries.push(bytes);
        index
    }

    /// The tree, for proofs.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The entries as they were hashed: what a mirror copies.
    #[must_use]
    pub fn entries(&self) -> &[Vec<u8>] {
        &self.entries
    }

    /// The head of the log, signed.
    ///
    /// # Errors
    /// The origin cannot stand in a note, or the key is not a log's.
    pub fn checkpoint(&self, key: &SigningKey) -> Result<Note> {
        let (size, root) = (self.tree.size(), self.tree.root());
        Checkpoint { origin: self.origin.clone(), size, root, extensions: Vec::new() }.sign(key)
    }

    /// A mirror: these entries are what the checkpoint says, all of them and nothing else.
    ///
    /// # Errors
    /// Their number or their root differs.
    pub fn mirror(entries: Vec<Vec<u8>>, checkpoint: &Checkpoint) -> Result<Self> {
        let tree = Tree::of(&entries);
        if (tree.size(), tree.root()) != (checkpoint.size, checkpoint.root) {
            return Err(Error::new(
                Category::Conflict,
                "E-LOG-016",
                format!("写しの {} 件は、大きさ {} のチェックポイントと合いません", tree.size(), checkpoint.size),
                format!("the {} entries of the mirror do not fit the checkpoint of size {}", tree.size(), checkpoint.size),
            )
            .at(Place::field("entries"))
            .hint(
                "写しを取り直し、それでも合わなければ証人に知らせてください",
                "copy it again; if it still differs, tell the witnesses",
            ));
        }
        Ok(Self { origin: checkpoint.origin.clone(), tree, entries })
    }
}
