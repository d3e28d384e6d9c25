//! Blocks that were read lately, decoded: a plot that is moved, a second channel, a repeated comparison
//! need not unpack the same Parquet again. Bounded; what was used longest ago goes first.
//!
//! A part is named by its hash and never altered, so an entry cannot grow old. Nothing here decides who
//! may see what: that is asked before a block is fetched.

use super::Series;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use toji_core::Digest;

/// Most bytes kept.
const BYTES_MAX: usize = 256 << 20;

/// A row group of a part, with or without its texts.
pub(super) type Key = (Digest, usize, bool);

#[derive(Debug, Default)]
pub(super) struct Decoded(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    /// Entries with the count of asks at their last use.
    blocks: HashMap<Key, (Arc<Series>, u64)>,
    bytes: usize,
    asks: u64,
}

impl Decoded {
    /// The block, if it is kept; one with texts also serves who needs none.
    pub(super) fn get(&self, (part, group, texts): Key) -> Option<Arc<Series>> {
        let mut shelf = self.0.lock().ok()?;
        shelf.asks += 1;
        let now = shelf.asks;
        let key =
            if texts || shelf.blocks.contains_key(&(part, group, true)) { (part, group, true) } else { (part, group, false) };
        let (block, used) = shelf.blocks.get_mut(&key)?;
        *used = now;
        Some(block.clone())
    }

    pub(super) fn keep(&self, key: Key, block: &Arc<Series>) {
        let bytes = weight(block);
        let Ok(mut shelf) = self.0.lock() else { return };
        if bytes > BYTES_MAX / 8 {
            return;
        }
        if shelf.bytes + bytes > BYTES_MAX {
            shelf.make_room();
        }
        let now = shelf.asks;
        if let Some((old, _)) = shelf.blocks.insert(key, (block.clone(), now)) {
            shelf.bytes -= weight(&old);
        }
        shelf.bytes += bytes;
    }
}

impl Shelf {
    /// Drops the quarter that was used longest ago.
    fn make_room(&mut self) {
        let mut uses: Vec<u64> = self.blocks.values().map(|(_, used)| *used).collect();
        let quarter = uses.len() / 4;
        if quarter == 0 {
            self.blocks.clear();
            self.bytes = 0;
            return;
        }
        let (_, limit, _) = uses.select_nth_unstable(quarter);
        let limit = *limit;
        self.blocks.retain(|_, (_, used)| *used > limit);
        self.bytes = self.blocks.values().map(|(block, _)| weight(block)).sum();
    }
}

fn weight(block: &Series) -> usize {
    const A_POINT: usize = 8 + 8 + 2;
    const AN_ENTRY: usize = 256;
    block.len() * A_POINT + block.texts.iter().map(|(_, text)| text.len() + 32).sum::<usize>() + AN_ENTRY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(points: usize) -> Arc<Series> {
        Arc::new(Series { t_ns: vec![1; points], value: vec![1.0; points], quality: vec![0; points], texts: Vec::new() })
    }

    #[test]
    fn what_was_used_longest_ago_goes_first_and_the_bound_holds() {
        let decoded = Decoded::default();
        let points = BYTES_MAX / 10 / 18;
        for group in 0..8 {
            decoded.keep((Digest::zero(), group, false), &block(points));
            assert!(decoded.get((Digest::zero(), group, false)).is_some());
        }
        assert!(decoded.get((Digest::zero(), 0, false)).is_some());
        for group in 8..14 {
            decoded.get((Digest::zero(), 0, false));
            decoded.keep((Digest::zero(), group, false), &block(points));
            assert!(decoded.0.lock().unwrap().bytes <= BYTES_MAX);
        }
        assert!(decoded.get((Digest::zero(), 0, false)).is_some());
        assert!(decoded.get((Digest::zero(), 1, false)).is_none());
        assert!(decoded.get((Digest::zero(), 13, true)).is_none(), "one without texts does not serve who needs them");
        decoded.keep((Digest::zero(), 13, true), &block(1));
        assert_eq!(decoded.get((Digest::zero(), 13, false)).unwrap().len(), 1);
    }

    #[test]
    fn a_block_too_large_is_not_kept() {
        let decoded = Decoded::default();
        decoded.keep((Digest::zero(), 0, false), &block(BYTES_MAX / 8 / 18 + 1));
        assert!(decoded.get((Digest::zero(), 0, false)).is_none());
    }
}
