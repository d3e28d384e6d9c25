//! A window of text over a byte source that moves on piece by piece, counts lines, and refuses a single piece of unbounded
//! length.

use std::io::{ErrorKind, Read};

/// Longest tag or text.
const PIECE_BYTES_MAX: usize = 16 << 20;
/// Bytes asked of the source at a time; more where a piece is longer.
const CHUNK: usize = 64 << 10;

/// Why there is no more, Japanese and English.
pub(super) type Fault = (String, String);

/// The window.
#[derive(Debug)]
pub(super) struct Window<R> {
    inner: R,
    text: String,
    /// Where what has not been taken begins.
    at: usize,
    /// The line of that, from 1.
    line: u64,
    buffer: Vec<u8>,
    /// Bytes at the start of the buffer that are no whole character yet.
    carried: usize,
    begun: bool,
    ended: bool,
    spoiled: bool,
}

impl<R: Read> Window<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            text: String::new(),
            at: 0,
            line: 1,
            buffer: Vec::new(),
            carried: 0,
            begun: false,
            ended: false,
            spoiled: false,
        }
    }

    /// The line of what has not been taken.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// What is there and has not been taken.
    pub(super) fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Takes so many bytes.
    pub(super) fn take(&mut self, length: usize) {
        self.line += self.text.as_bytes()[self.at..self.at + length].iter().filter(|b| **b == b'\n').count() as u64;
        self.at += length;
    }

    /// Reads more from the source; `false` at its end.
    ///
    /// # Errors
    /// The source failed, is not UTF-8, or holds a piece that is too long.
    pub(super) fn more(&mut self) -> Result<bool, Fault> {
        if self.spoiled {
            return Err(("UTF-8 ではありません".into(), "it is not UTF-8".into()));
        }
        let open = self.text.len() - self.at;
        if open > PIECE_BYTES_MAX {
            return Err(("16 MiB より長いタグか文字列があります".into(), "a tag or text is longer than 16 MiB".into()));
        }
        if self.ended {
            return Ok(false);
        }
        self.text.drain(..self.at);
        self.at = 0;
        // A piece is looked at again each time more of it comes: twice as much each time.
        let wanted = self.carried + CHUNK.max(open);
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        let read = loop {
            match self.inner.read(&mut self.buffer[self.carried..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err((error.to_string(), error.to_string())),
                Ok(read) => break read,
            }
        };
        if read == 0 {
            self.ended = true;
            self.spoiled = self.carried > 0;
            return if self.spoiled { self.more() } else { Ok(false) };
        }
        let total = self.carried + read;
        let bytes = &self.buffer[..total];
        let (good, bad) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, false),
            Err(error) => {
                let good = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
                (good, error.error_len().is_some())
            }
        };
        let kept = good.len();
        // A mark of byte order is no text.
        self.text.push_str(if self.begun { good } else { good.strip_prefix('\u{feff}').unwrap_or(good) });
        self.begun |= kept > 0;
        self.spoiled = bad;
        self.buffer.copy_within(kept..total, 0);
        self.carried = total - kept;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Drip<'t>(&'t [u8]);
    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.len().min(1).min(into.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn characters_are_whole_however_the_bytes_come() {
        let mut window = Window::new(Drip("\u{feff}é\n遺伝子\n".as_bytes()));
        while window.more().unwrap() {}
        assert_eq!(window.rest(), "é\n遺伝子\n");
        window.take("é\n遺".len());
        assert_eq!((window.rest(), window.line()), ("伝子\n", 2));
    }

    #[test]
    fn what_is_not_utf_8_is_refused_after_what_is() {
        for bytes in [&b"ab\xff"[..], b"ab\xe9\x81"] {
            let mut window = Window::new(bytes);
            assert!(window.more().unwrap());
            assert_eq!(window.rest(), "ab");
            assert!(window.more().is_err() && window.more().is_err());
        }
    }

    #[test]
    fn a_piece_without_end_is_refused() {
        let mut window = Window::new(std::io::repeat(b'a'));
        let mut last = Ok(true);
        for _ in 0..1000 {
            last = window.more();
            if last.is_err() {
                break;
            }
        }
        assert!(last.is_err() && window.rest().len() <= 4 * PIECE_BYTES_MAX);
    }
}
