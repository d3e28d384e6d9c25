//! The Merkle tree of RFC 9162 §2.1: append, root, proofs.

use toji_core::{Digest, Error, Place, Result};

/// The root of no leaves.
#[must_use]
pub fn empty_root() -> Digest {
    Digest::of(&[])
}

/// The hash of a leaf (RFC 9162 §2.1.1): SHA-256 of 0x00 and the entry.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest::of_parts(&[&[0], entry])
}

/// The hash of an inner node: SHA-256 of 0x01, left and right.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[1], left.bytes(), right.bytes()])
}

/// The tree, kept as the hashes of all complete subtrees: 2 hashes a leaf, roots and proofs in O(log n).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// `levels[h][i]` is the hash of leaves `i·2^h` to before `(i+1)·2^h`.
    levels: Vec<Vec<Digest>>,
}

impl Tree {
    /// No leaves yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The tree of these entries.
    #[must_use]
    pub fn of<T: AsRef<[u8]>>(entries: &[T]) -> Self {
        let mut tree = Self::new();
        for entry in entries {
            tree.append(leaf_hash(entry.as_ref()));
        }
        tree
    }

    /// Adds the hash of a leaf; gives its index.
    pub fn append(&mut self, leaf: Digest) -> u64 {
        let index = self.size();
        let mut hash = leaf;
        for height in 0.. {
            if self.levels.len() == height {
                self.levels.push(Vec::new());
            }
            let level = &mut self.levels[height];
            level.push(hash);
            let n = level.len();
            if n % 2 == 1 {
                break;
            }
            hash = node_hash(&level[n - 2], &level[n - 1]);
        }
        index
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// The hash of one leaf.
    #[must_use]
    pub fn leaf(&self, index: u64) -> Option<Digest> {
        self.levels.first()?.get(usize::try_from(index).ok()?).copied()
    }

    /// The root of all leaves.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.hash_of(0, self.size())
    }

    /// The root as it was when there were `size` leaves.
    ///
    /// # Errors
    /// There are not that many leaves.
    pub fn root_at(&self, size: u64) -> Result<Digest> {
        self.within(size, "size")?;
        Ok(self.hash_of(0, size))
    }

    /// The audit path of a leaf in the tree of `size` leaves (RFC 9162 §2.1.3.1).
    ///
    /// # Errors
    /// There are not that many leaves, or the leaf is not among them.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Digest>> {
        self.within(size, "size")?;
        if index >= size {
            return Err(outside("index", index, size.saturating_sub(1)));
        }
        let (mut from, mut to, mut path) = (0, size, Vec::new());
        while to - from > 1 {
            let middle = from + split(to - from);
            if index < middle {
                path.push(self.hash_of(middle, to));
                to = middle;
            } else {
                path.push(self.hash_of(from, middle));
                from = middle;
            }
        }
        path.reverse();
        Ok(path)
    }

    /// The proof that the tree of `new` leaves continues that of `old` (RFC 9162 §2.1.4.1).
    ///
    /// # Errors
    /// There are not that many leaves, or `old` is not before `new`.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>> {
        self.within(new, "new")?;
        if old > new {
            return Err(outside("old", old, new));
        }
        if old == 0 {
            return Ok(Vec::new());
        }
        let (mut from, mut to, mut path) = (0, new, Vec::new());
        // SUBPROOF(old, D_n, true): descend to where the old tree ends.
        while to != old {
            let middle = from + split(to - from);
            if old <= middle {
                path.push(self.hash_of(middle, to));
                to = middle;
            } else {
                path.push(self.hash_of(from, middle));
                from = middle;
            }
        }
        if from != 0 {
            path.push(self.hash_of(from, to));
        }
        path.reverse();
        Ok(path)
    }

    fn within(&self, size: u64, field: &str) -> Result<()> {
        if size > self.size() { Err(outside(field, size, self.size())) } else { Ok(()) }
    }

    /// MTH of leaves `from` to before `to`, where `from` begins a subtree of the tree.
    fn hash_of(&self, from: u64, to: u64) -> Digest {
        let n = to - from;
        if n == 0 {
            return empty_root();
        }
        if n.is_power_of_two() && from.is_multiple_of(n) {
            // The subtree is complete, so it stands where append put it.
            return self.levels[n.trailing_zeros() as usize][(from / n) as usize];
        }
        let middle = from + split(n);
        node_hash(&self.hash_of(from, middle), &self.hash_of(middle, to))
    }
}

/// The largest power of two below n, for n > 1.
fn split(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

fn outside(field: &str, asked: u64, most: u64) -> Error {
    Error::input(
        "E-LOG-001",
        format!("ログの範囲外です: {asked}(最大 {most})"),
        format!("outside the log: {asked}, at most {most}"),
    )
    .at(Place::field(field))
    .hint("最新のチェックポイントの大きさを確かめてください", "see the size of the newest checkpoint")
}
