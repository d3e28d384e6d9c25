//! A log that nobody, not even its keeper, can change unseen.
//!
//! * `tree`: the Merkle tree of RFC 9162 with its inclusion and consistency proofs; `proof`: their verification.
//! * `note`: signed notes (C2SP signed-note) with Ed25519 keys; `checkpoint`: the head of the log as such a note
//!   (C2SP tlog-checkpoint) and its cosignatures (C2SP tlog-cosignature, Ed25519).
//! * `witness`: a member's own node, which cosigns only what continues what it saw; a fork is refused.
//! * `entry`: what is logged. Personal data stand in it as salted commitments, so erasing the salt erases the
//!   person while every hash stays as it was.
//!
//! The specifications: RFC 9162 §2.1 (hashes as in RFC 6962 §2.1), RFC 8032, c2sp.org/signed-note@v1.0.0,
//! c2sp.org/tlog-checkpoint@v1.0.0, c2sp.org/tlog-cosignature.

mod checkpoint;
mod entry;
mod note;
mod proof;
mod tree;
mod witness;

pub use checkpoint::{Checkpoint, Cosigned};
pub use entry::{Entry, Log, Salt, Vault, commitment};
pub use note::{KeyKind, NOTE_BYTES_MAX, Note, SIGNATURES_MAX, Signature, SigningKey, VerifierKey};
pub use proof::{verify_consistency, verify_inclusion};
pub use tree::{Tree, empty_root, leaf_hash, node_hash};
pub use witness::{Seen, Witness};
