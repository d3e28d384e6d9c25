//! A member's own node: it cosigns a checkpoint only when it continues what the node saw before.

use super::checkpoint::Checkpoint;
use super::note::{Note, Signature, SigningKey, VerifierKey};
use super::proof::verify_consistency;
use super::tree::empty_root;
use serde::{Deserialize, Serialize};
use toji_core::{Category, Digest, Error, Place, Result};

/// What a witness remembers; the caller keeps it durable before it hands the signature on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Size of the newest checkpoint cosigned.
    pub size: u64,
    /// Its root.
    pub root: Digest,
    /// Time of the cosignature, in seconds since 1970.
    pub seconds: u64,
}

impl Default for Seen {
    fn default() -> Self {
        Self { size: 0, root: empty_root(), seconds: 0 }
    }
}

/// A witness of one log.
#[derive(Debug, Clone)]
pub struct Witness {
    key: SigningKey,
    log: VerifierKey,
    origin: String,
    seen: Seen,
}

impl Witness {
    /// A witness of the log with this key and origin that goes on from what it saw.
    #[must_use]
    pub fn new(key: SigningKey, log: VerifierKey, origin: impl Into<String>, seen: Seen) -> Self {
        Self { key, log, origin: origin.into(), seen }
    }

    /// What it saw last.
    #[must_use]
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Cosigns a checkpoint, given the proof from the size this witness saw last.
    ///
    /// # Errors
    /// Not signed by the log, of another log, smaller than what was seen, not proved to continue it (a fork),
    /// or the clock went back. The witness then remembers what it did before.
    pub fn consider(&mut self, note: &Note, proof: &[Digest], seconds: u64) -> Result<Signature> {
        let offered = Checkpoint::open(note, &self.log, &[], 0)?.checkpoint;
        if offered.origin != self.origin {
            return Err(Error::new(
                Category::Conflict,
                "E-LOG-012",
                format!("別のログ「{}」のチェックポイントです", offered.origin),
                format!("the checkpoint is of another log, \"{}\"", offered.origin),
            )
            .at(Place::field("origin"))
            .hint("証人に登録したログを確かめてください", "check which log this witness is for"));
        }
        if seconds < self.seen.seconds {
            return Err(Error::new(
                Category::Conflict,
                "E-LOG-013",
                format!("時計が戻っています: {seconds} は前回の副署 {} より前です", self.seen.seconds),
                format!("the clock went back: {seconds} is before the last cosignature at {}", self.seen.seconds),
            )
            .at(Place::field("time"))
            .hint("節点の時計を合わせてください", "set the clock of the node"));
        }
        let Seen { size, root, .. } = &self.seen;
        verify_consistency(*size, offered.size, proof, root, &offered.root).map_err(|why| self.fork(&offered, &why))?;
        let signature = self.key.cosign(note.text(), seconds)?;
        self.seen = Seen { size: offered.size, root: offered.root, seconds };
        Ok(signature)
    }

    fn fork(&self, offered: &Checkpoint, why: &Error) -> Error {
        let Seen { size, root, .. } = &self.seen;
        Error::new(
            Category::Conflict,
            "E-LOG-014",
            format!(
                "副署を拒否: 大きさ {} ({}) は、前に見た大きさ {size} ({root}) の続きではありません",
                offered.size, offered.root
            ),
            format!(
                "cosignature refused: size {} ({}) does not continue size {size} ({root}) seen before",
                offered.size, offered.root
            ),
        )
        .at(Place::field(if offered.size < *size { "size" } else { "proof" }))
        .hint(
            format!("正しい証明がなければログは分岐しています。他の証人に知らせてください({})", why.fault().message.ja),
            format!("without a right proof the log has forked; tell the other witnesses ({})", why.fault().message.en),
        )
    }
}
