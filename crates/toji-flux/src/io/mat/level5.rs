//! MATLAB files of level 5: arrays of numbers, text, cells and structures, dense and sparse, packed or not.
//!
//! MathWorks, MAT-File Format, version R2024b, chapter 1.

use flate2::read::ZlibDecoder;
use std::io::Read;

/// Deepest nesting of arrays, most elements of all arrays together, and longest packed variable.
const DEPTH_MAX: usize = 12;
const ELEMENTS_MAX: usize = 50_000_000;
const UNPACKED_BYTES_MAX: u64 = 1 << 30;
/// Length of the header.
const HEADER: usize = 128;

/// A fault, Japanese and English.
pub(super) type Fault = (&'static str, &'static str);
type Read5<T> = Result<T, Fault>;

/// An array.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Array {
    /// Numbers, column by column; sizes.
    Numbers(Vec<f64>, [usize; 2]),
    /// A sparse matrix: row, column and value; sizes.
    Sparse(Vec<(usize, usize, f64)>, [usize; 2]),
    /// Text, row by row.
    Text(Vec<String>),
    /// Cells, column by column.
    Cells(Vec<Array>),
    /// The first structure of an array of them.
    Structure(Vec<(String, Array)>),
    /// Objects, function handles: passed over.
    Other,
}

/// Is it such a file?
pub(super) fn is_level5(bytes: &[u8]) -> bool {
    bytes.len() >= HEADER && bytes.starts_with(b"MATLAB 5.0") && matches!(&bytes[126..128], b"IM" | b"MI")
}

/// The variables of a file.
pub(super) fn variables(bytes: &[u8]) -> Read5<Vec<(String, Array)>> {
    if !is_level5(bytes) {
        return Err(("MATLAB のレベル 5 のファイルではありません", "it is no MATLAB file of level 5"));
    }
    let mut reader = Reader { bytes, at: HEADER, swapped: &bytes[126..128] == b"MI", left: ELEMENTS_MAX };
    let mut found = Vec::new();
    while reader.bytes.len() - reader.at >= 8 {
        let (kind, content) = reader.element()?;
        match kind {
            14 => found.push(reader.inside(content).array(0)?),
            15 => {
                let mut whole = Vec::new();
                let unpacked = ZlibDecoder::new(content).take(UNPACKED_BYTES_MAX).read_to_end(&mut whole);
                unpacked.map_err(|_| ("圧縮を解けません", "it cannot be unpacked"))?;
                let mut inner = reader.inside(&whole);
                let (kind, content) = inner.element()?;
                if kind == 14 {
                    found.push(inner.inside(content).array(0)?);
                }
                reader.left = inner.left;
            }
            _ => {}
        }
    }
    Ok(found)
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    swapped: bool,
    /// Elements that may still come.
    left: usize,
}

const CUT: Fault = ("途中で切れています", "it is cut off");

impl<'b> Reader<'b> {
    fn inside<'c>(&self, bytes: &'c [u8]) -> Reader<'c> {
        Reader { bytes, at: 0, swapped: self.swapped, left: self.left }
    }

    fn word(&self, at: usize) -> Read5<u32> {
        let bytes: [u8; 4] = self.bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).ok_or(CUT)?;
        Ok(if self.swapped { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    /// The kind and content of the next element; small ones hold it in their tag.
    fn element(&mut self) -> Read5<(u32, &'b [u8])> {
        let first = self.word(self.at)?;
        if first >> 16 != 0 {
            let length = (first >> 16) as usize;
            let content = self.bytes.get(self.at + 4..self.at + 4 + length.min(4)).ok_or(CUT)?;
            self.at = (self.at + 8).min(self.bytes.len());
            return Ok((first & 0xFFFF, content));
        }
        let length = self.word(self.at + 4)? as usize;
        let start = self.at + 8;
        let content = self.bytes.get(start..start.checked_add(length).ok_or(CUT)?).ok_or(CUT)?;
        // Packed elements follow each other without padding.
        let padded = if first == 15 { length } else { length.div_ceil(8) * 8 };
        self.at = (start + padded).min(self.bytes.len());
        Ok((first, content))
    }

    /// The numbers of the next element.
    fn numbers(&mut self) -> Read5<Vec<f64>> {
        let (kind, content) = self.element()?;
        let swapped = self.swapped;
        fn each<const N: usize>(content: &[u8], swapped: bool, take: impl Fn([u8; N]) -> f64) -> Vec<f64> {
            let one = |chunk: &[u8]| {
                let mut bytes = [0; N];
                bytes.copy_from_slice(chunk);
                if swapped {
                    bytes.reverse();
                }
                take(bytes)
            };
            content.chunks_exact(N).map(one).collect()
        }
        let values = match kind {
            1 => each(content, swapped, |b: [u8; 1]| f64::from(i8::from_le_bytes(b))),
            2 | 16 => each(content, swapped, |b: [u8; 1]| f64::from(b[0])),
            3 => each(content, swapped, |b| f64::from(i16::from_le_bytes(b))),
            4 | 17 => each(content, swapped, |b| f64::from(u16::from_le_bytes(b))),
            5 => each(content, swapped, |b| f64::from(i32::from_le_bytes(b))),
            6 | 18 => each(content, swapped, |b| f64::from(u32::from_le_bytes(b))),
            7 => each(content, swapped, |b| f64::from(f32::from_le_bytes(b))),
            9 => each(content, swapped, f64::from_le_bytes),
            12 => each(content, swapped, |b| i64::from_le_bytes(b) as f64),
            13 => each(content, swapped, |b| u64::from_le_bytes(b) as f64),
            _ => return Err(("未知の型の数です", "numbers of an unknown type")),
        };
        self.left = self.left.checked_sub(values.len()).ok_or(("要素が多すぎます", "too many elements"))?;
        Ok(values)
    }

    /// Text in its encoding: UTF-8 bytes, or units of UTF-16.
    fn text(&mut self) -> Read5<Vec<char>> {
        let at = self.at;
        let (kind, content) = self.element()?;
        match kind {
            16 => Ok(String::from_utf8_lossy(content).chars().collect()),
            _ => {
                self.at = at;
                let units: Vec<u16> = self.numbers()?.into_iter().map(|n| n as u16).collect();
                Ok(char::decode_utf16(units).map(|c| c.unwrap_or('\u{FFFD}')).collect())
            }
        }
    }

    /// The array whose content this is: name and value.
    fn array(&mut self, depth: usize) -> Read5<(String, Array)> {
        if self.bytes.is_empty() {
            return Ok((String::new(), Array::Numbers(Vec::new(), [0, 0])));
        }
        if depth > DEPTH_MAX {
            return Err(("入れ子が深すぎます", "nested too deeply"));
        }
        let flags = self.element()?.1.first_chunk::<4>().copied().ok_or(CUT)?;
        let flags = if self.swapped { u32::from_be_bytes(flags) } else { u32::from_le_bytes(flags) };
        let sizes: Vec<usize> = self.numbers()?.into_iter().map(|n| n.max(0.0) as usize).collect();
        let name = String::from_utf8_lossy(self.element()?.1).into_owned();
        let rows = sizes.first().copied().unwrap_or(0);
        let columns = sizes.iter().skip(1).try_fold(1_usize, |a, b| a.checked_mul(*b));
        let columns =
            columns.filter(|c| c.checked_mul(rows).is_some_and(|n| n <= ELEMENTS_MAX)).ok_or(("大きすぎます", "it is too large"));
        let class = flags & 0xFF;
        let sizes = [rows, if class == 5 { sizes.get(1).copied().unwrap_or(0) } else { columns? }];
        let value = match class {
            1 => self.cells(sizes[0] * sizes[1], depth)?,
            2 => self.structure(sizes[0] * sizes[1], depth)?,
            4 => Array::Text(rows_of(&self.text()?, sizes)),
            5 => self.sparse(sizes)?,
            6..=15 => Array::Numbers(self.numbers()?, sizes),
            _ => Array::Other,
        };
        Ok((name, value))
    }

    fn cells(&mut self, count: usize, depth: usize) -> Read5<Array> {
        let mut cells = Vec::new();
        for _ in 0..count {
            cells.push(self.child(depth)?);
        }
        Ok(Array::Cells(cells))
    }

    fn child(&mut self, depth: usize) -> Read5<Array> {
        self.left = self.left.checked_sub(1).ok_or(("要素が多すぎます", "too many elements"))?;
        let (kind, content) = self.element()?;
        if kind != 14 {
            return Ok(Array::Other);
        }
        let mut inner = self.inside(content);
        let value = inner.array(depth + 1)?.1;
        self.left = inner.left;
        Ok(value)
    }

    fn structure(&mut self, count: usize, depth: usize) -> Read5<Array> {
        let width = self.numbers()?.first().copied().unwrap_or(0.0) as usize;
        let names = self.element()?.1;
        if width == 0 || count == 0 {
            return Ok(Array::Structure(Vec::new()));
        }
        let mut fields = Vec::new();
        for name in names.chunks(width) {
            let end = name.iter().position(|b| *b == 0).unwrap_or(name.len());
            fields.push((String::from_utf8_lossy(&name[..end]).into_owned(), self.child(depth)?));
        }
        Ok(Array::Structure(fields))
    }

    fn sparse(&mut self, sizes: [usize; 2]) -> Read5<Array> {
        let whole = |v: Vec<f64>| v.into_iter().map(|n| n.max(0.0) as usize).collect::<Vec<_>>();
        let (rows, starts) = (whole(self.numbers()?), whole(self.numbers()?));
        let values = self.numbers()?;
        let mut found = Vec::new();
        for column in 0..sizes[1].min(starts.len().saturating_sub(1)) {
            for at in starts[column]..starts[column + 1].min(values.len()).min(rows.len()) {
                if rows[at] >= sizes[0] {
                    return Err(("疎行列の行が範囲外です", "a row of a sparse matrix is out of range"));
                }
                found.push((rows[at], column, values[at]));
            }
        }
        Ok(Array::Sparse(found, sizes))
    }
}

/// The rows of a matrix of characters that stands column by column.
fn rows_of(characters: &[char], sizes: [usize; 2]) -> Vec<String> {
    let [rows, columns] = sizes;
    if rows <= 1 || columns == 0 || characters.len() < rows * columns {
        return vec![characters.iter().collect()];
    }
    (0..rows).map(|r| (0..columns).map(|c| characters[c * rows + r]).collect()).collect()
}
