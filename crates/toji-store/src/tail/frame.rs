//! What one frame of the journal says: points of one run, as compact bytes.
//!
//! Integers are variable-length, times are differences from the point before, digits stay digits. A frame states
//! its version first; a version this program does not know is refused, never guessed at.

use super::cell::{Cell, Number};
use toji_core::culture::SCALE_MAX;

/// Points of one run.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Frame {
    /// Run.
    pub(super) run: String,
    /// Source that said it.
    pub(super) source: String,
    /// Channels.
    pub(super) channels: Vec<String>,
    /// Index in `channels`, and the point.
    pub(super) points: Vec<(u32, Cell)>,
}

const VERSION: u8 = 1;
const FLOAT: u8 = 0x20;
const NONE: u8 = 0x21;
const WITH_TEXT: u8 = 0x80;

impl Frame {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.channels.len() * 16 + self.points.len() * 12);
        out.push(VERSION);
        put_text(&mut out, &self.run);
        put_text(&mut out, &self.source);
        put_number(&mut out, self.channels.len() as u64);
        self.channels.iter().for_each(|c| put_text(&mut out, c));
        put_number(&mut out, self.points.len() as u64);
        let mut before = 0i64;
        for (channel, cell) in &self.points {
            put_number(&mut out, u64::from(*channel));
            put_number(&mut out, folded(cell.t_ns.wrapping_sub(before)));
            before = cell.t_ns;
            let texts = if cell.text.is_some() { WITH_TEXT } else { 0 };
            match cell.number {
                Number::Scaled { mantissa, scale } => {
                    out.push(scale | texts);
                    put_number(&mut out, folded(mantissa));
                }
                Number::Float(value) => {
                    out.push(FLOAT | texts);
                    out.extend(value.to_bits().to_le_bytes());
                }
                Number::None => out.push(NONE | texts),
            }
            put_number(&mut out, u64::from(cell.quality));
            if let Some(text) = &cell.text {
                put_text(&mut out, text);
            }
        }
        out
    }

    /// `None` when the bytes are no frame of a version known here.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(bytes);
        if bytes.byte()? != VERSION {
            return None;
        }
        let (run, source) = (bytes.text()?, bytes.text()?);
        let channels = (0..bytes.count()?).map(|_| bytes.text()).collect::<Option<Vec<String>>>()?;
        let n = bytes.count()?;
        let mut points = Vec::with_capacity(n);
        let mut before = 0i64;
        for _ in 0..n {
            let channel = u32::try_from(bytes.number()?).ok().filter(|c| (*c as usize) < channels.len())?;
            before = before.wrapping_add(unfolded(bytes.number()?));
            let form = bytes.byte()?;
            let number = match form & !WITH_TEXT {
                scale if scale <= SCALE_MAX => Number::Scaled { mantissa: unfolded(bytes.number()?), scale },
                FLOAT => Number::Float(f64::from_bits(u64::from_le_bytes(bytes.take(8)?.try_into().ok()?))),
                NONE => Number::None,
                _ => return None,
            };
            let quality = u16::try_from(bytes.number()?).ok()?;
            let text = if form & WITH_TEXT == 0 { None } else { Some(bytes.text()?) };
            points.push((channel, Cell { t_ns: before, number, quality, text }));
        }
        bytes.0.is_empty().then_some(Self { run, source, channels, points })
    }
}

/// Small negatives become small positives.
fn folded(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)) as u64
}
fn unfolded(n: u64) -> i64 {
    (n >> 1) as i64 ^ -((n & 1) as i64)
}

fn put_number(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}
fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend(text.as_bytes());
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(head)
    }
    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }
    fn number(&mut self) -> Option<u64> {
        let mut n = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(n);
            }
        }
        None
    }
    /// A number of things that follow: each takes a byte at least, so more than what is left is a fault.
    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok().filter(|n| *n <= self.0.len())
    }
    fn text(&mut self) -> Option<String> {
        let n = self.count()?;
        Some(std::str::from_utf8(self.take(n)?).ok()?.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cells() -> impl Strategy<Value = Cell> {
        let number = prop_oneof![
            (any::<i64>(), 0u8..=SCALE_MAX).prop_map(|(mantissa, scale)| Number::Scaled { mantissa, scale }),
            (-1e300f64..1e300).prop_map(Number::Float),
            Just(Number::None),
        ];
        (any::<i64>(), number, any::<u16>(), proptest::option::of("[a-z温]{0,6}"))
            .prop_map(|(t_ns, number, quality, text)| Cell { t_ns, number, quality, text })
    }

    proptest! {
        #[test]
        fn a_frame_comes_back_as_it_was(points in proptest::collection::vec((0u32..3, cells()), 0..40), run in "[a-z-]{1,20}") {
            let frame = Frame { run, source: "mqtt".into(), channels: ["a", "b", "品温"].map(String::from).to_vec(), points };
            prop_assert_eq!(Frame::decode(&frame.encode()), Some(frame));
        }
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Frame::decode(&bytes);
        }
    }
}
