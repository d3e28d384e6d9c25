//! Random bytes as an argument.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};
use std::fmt;

/// A source of random bytes. For a promise of privacy to hold they must be uniform, independent, unknown to
/// everybody else and never used twice.
pub trait Bytes {
    /// Fills with the next bytes.
    fn fill(&mut self, out: &mut [u8]);
}

/// The ChaCha20 key stream (RFC 8439) of a key. The caller draws the key from the system's generator for each
/// use, or fixes it in a test.
pub struct Stream(ChaCha20Rng);

impl Stream {
    /// The stream of this key from its beginning.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(*key))
    }

    /// The next word, little-endian.
    pub fn word(&mut self) -> u64 {
        self.0.next_u64()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}

impl Bytes for Stream {
    fn fill(&mut self, out: &mut [u8]) {
        self.0.fill_bytes(out);
    }
}
