//! Verification of proofs, as RFC 9162 §2.1.3.2 and §2.1.4.2 write it down.
//!
//! Needs no tree: whoever holds two checkpoints and a proof can check it.

use super::tree::{empty_root, node_hash};
use toji_core::{Category, Digest, Error, Place, Result};

/// Is the leaf at `index` of the tree of `size` leaves with this root?
///
/// # Errors
/// The proof does not lead from the leaf to the root.
pub fn verify_inclusion(leaf: &Digest, index: u64, size: u64, path: &[Digest], root: &Digest) -> Result<()> {
    let refuse =
        || refused("E-LOG-002", "包含証明がチェックポイントに至りません", "the inclusion proof does not lead to the checkpoint");
    if index >= size {
        return Err(refuse());
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for step in path {
        if last == 0 {
            return Err(refuse());
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(step, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, step);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(refuse()) }
}

/// Does the tree of `new` leaves continue the tree of `old` leaves, nothing changed nor taken away?
///
/// # Errors
/// The proof does not show it.
pub fn verify_consistency(old: u64, new: u64, path: &[Digest], old_root: &Digest, new_root: &Digest) -> Result<()> {
    let refuse = || {
        refused(
            "E-LOG-003",
            "新しいチェックポイントが古いものの続きであると証明されていません",
            "it is not proved that the new checkpoint continues the old one",
        )
    };
    if old > new {
        return Err(refuse());
    }
    if old == new || old == 0 {
        let fine = path.is_empty() && if old == new { old_root == new_root } else { *old_root == empty_root() };
        return if fine { Ok(()) } else { Err(refuse()) };
    }
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    // The old tree is a complete subtree of the new: the proof then begins with its root, left out.
    let (start, rest) = if old.is_power_of_two() {
        (*old_root, path)
    } else {
        let (first, rest) = path.split_first().ok_or_else(refuse)?;
        (*first, rest)
    };
    let (mut of_old, mut of_new) = (start, start);
    for step in rest {
        if last == 0 {
            return Err(refuse());
        }
        if node & 1 == 1 || node == last {
            of_old = node_hash(step, &of_old);
            of_new = node_hash(step, &of_new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            of_new = node_hash(&of_new, step);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 && of_old == *old_root && of_new == *new_root { Ok(()) } else { Err(refuse()) }
}

fn refused(code: &'static str, ja: &str, en: &str) -> Error {
    Error::new(Category::Conflict, code, ja, en).at(Place::field("proof")).hint(
        "ログの管理者と他の証人に、手元のチェックポイントを示して照会してください",
        "show your checkpoint to the keeper of the log and to the other witnesses",
    )
}
