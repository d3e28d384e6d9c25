//! A byte source that counts lines as they are taken from it, and refuses a single event of unbounded length.

use std::io::{self, BufRead, Read};

/// Longest tag or text.
const EVENT_BYTES_MAX: usize = 16 << 20;

/// A source with its line, from 1.
#[derive(Debug)]
pub(super) struct Lines<R> {
    inner: R,
    /// The line of the next byte.
    pub(super) line: u64,
    /// Bytes taken since the event began.
    pub(super) taken: usize,
}

impl<R> Lines<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, line: 1, taken: 0 }
    }
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(into.len());
        into[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Lines<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken > EVENT_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a tag or text is longer than 16 MiB"));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        // The same bytes as were given last: a filled buffer is not filled again.
        if let Ok(bytes) = self.inner.fill_buf() {
            self.line += bytes.iter().take(count).filter(|b| **b == b'\n').count() as u64;
        }
        self.taken += count;
        self.inner.consume(count);
    }
}
