//! Whole numbers in as few bytes as they need: seven bits a byte, small ones first.

/// Writes.
#[derive(Debug, Default)]
pub(super) struct Packer(Vec<u8>);

impl Packer {
    /// A number from 0 on.
    pub(super) fn count(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.0.push((n as u8) | 0x80);
            n >>= 7;
        }
        self.0.push(n as u8);
    }
    /// A number with a sign; small in both directions.
    pub(super) fn step(&mut self, n: i64) {
        self.count(((n << 1) ^ (n >> 63)) as u64);
    }
    /// Sixty-four bits as they are.
    pub(super) fn bits(&mut self, bits: u64) {
        self.0.extend(bits.to_le_bytes());
    }
    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads; `None` where the bytes end too early or a number is too long.
#[derive(Debug)]
pub(super) struct Unpacker<'a>(&'a [u8]);

impl<'a> Unpacker<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
    pub(super) fn is_done(&self) -> bool {
        self.0.is_empty()
    }
    pub(super) fn count(&mut self) -> Option<u64> {
        let mut n = 0u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                return None;
            }
            n |= part << shift;
            if byte & 0x80 == 0 {
                return Some(n);
            }
        }
        None
    }
    pub(super) fn step(&mut self) -> Option<i64> {
        self.count().map(|n| (n >> 1) as i64 ^ -((n & 1) as i64))
    }
    pub(super) fn bits(&mut self) -> Option<u64> {
        let (bytes, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back(counts in proptest::collection::vec(any::<u64>(), 0..20), steps in proptest::collection::vec(any::<i64>(), 0..20)) {
            let mut out = Packer::default();
            let (counts, steps) = ([counts, vec![0, 127, 128, u64::MAX]].concat(), [steps, vec![0, -1, i64::MIN, i64::MAX]].concat());
            counts.iter().for_each(|n| out.count(*n));
            steps.iter().for_each(|n| out.step(*n));
            counts.iter().for_each(|n| out.bits(*n));
            let bytes = out.finish();
            let mut reader = Unpacker::new(&bytes);
            for n in &counts { prop_assert_eq!(reader.count(), Some(*n)); }
            for n in &steps { prop_assert_eq!(reader.step(), Some(*n)); }
            for n in &counts { prop_assert_eq!(reader.bits(), Some(*n)); }
            prop_assert!(reader.is_done() && reader.count().is_none());
        }
    }
}
