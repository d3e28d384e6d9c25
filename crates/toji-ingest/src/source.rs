//! The bytes of one file, decoded when somebody asks.

use crate::cell::{Cell, Sheet, read_workbook};
use crate::workbook::{self, Beside};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::OnceLock;
use toji_core::{Error, Result};

/// Most bytes a compressed file may unpack to.
const UNPACKED_BYTES_MAX: u64 = 2 << 30;

/// One file: its name (for messages only), its bytes (unpacked when gzip), and what they decode to.
#[derive(Debug)]
pub struct Source<'a> {
    name: String,
    bytes: Cow<'a, [u8]>,
    text: OnceLock<Decoded<'a>>,
    book: OnceLock<std::result::Result<Vec<Sheet>, String>>,
    beside: OnceLock<BTreeMap<String, Beside>>,
}

/// Text with the encoding it was found in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text, without byte order mark.
    pub text: Cow<'a, str>,
    /// Name of the encoding (WHATWG), e.g. `UTF-8`, `Shift_JIS`, `windows-1252`.
    pub encoding: &'static str,
    /// Some bytes did not fit the encoding and stand as U+FFFD.
    pub damaged: bool,
    /// Another encoding would read the bytes as well; this one is the likelier.
    pub doubtful: bool,
}

impl<'a> Decoded<'a> {
    fn new(text: impl Into<Cow<'a, str>>, encoding: &'static str, damaged: bool) -> Self {
        Self { text: text.into(), encoding, damaged, doubtful: false }
    }
    fn owned(self) -> Decoded<'static> {
        let Self { text, encoding, damaged, doubtful } = self;
        Decoded { text: Cow::Owned(text.into_owned()), encoding, damaged, doubtful }
    }
}

impl<'a> Source<'a> {
    /// Takes a file's bytes; gzip is unpacked.
    ///
    /// # Errors
    /// A gzip file that is cut off or unpacks to more than 2 GiB.
    pub fn new(name: &str, bytes: &'a [u8]) -> Result<Self> {
        let bytes = if bytes.starts_with(&[0x1f, 0x8b]) { Cow::Owned(gunzip(name, bytes)?) } else { Cow::Borrowed(bytes) };
        Ok(Self { name: name.to_owned(), bytes, text: OnceLock::new(), book: OnceLock::new(), beside: OnceLock::new() })
    }
    /// File name without directories.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The (unpacked) bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    /// Is it a workbook (xlsx, xls, ods) by its first bytes?
    #[must_use]
    pub fn is_workbook(&self) -> bool {
        self.bytes.starts_with(b"PK\x03\x04") || self.bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0])
    }
    /// The text: UTF-8, UTF-16 (with or without mark), else Shift_JIS where the bytes form valid
    /// Japanese text, else windows-1252.
    pub fn decoded(&self) -> &Decoded<'a> {
        self.text.get_or_init(|| match &self.bytes {
            // UTF-8 stands as it is: a copy of a large file would cost its size in memory.
            Cow::Borrowed(bytes) => decode(bytes),
            Cow::Owned(bytes) => decode(bytes).owned(),
        })
    }
    /// The text alone.
    pub fn text(&self) -> &str {
        &self.decoded().text
    }
    /// What an .xlsx workbook says beside its values, by sheet.
    pub(crate) fn beside(&self) -> &BTreeMap<String, Beside> {
        self.beside.get_or_init(|| if self.bytes.starts_with(b"PK") { workbook::beside(&self.bytes) } else { BTreeMap::new() })
    }
    /// The sheets of a workbook, or the one table of a delimited text (comma, semicolon or tab, by the
    /// first line), at most `rows_max` rows of it. Rows keep their numbers: a blank line is a blank row.
    ///
    /// # Errors
    /// A workbook that is cut off or too large.
    pub fn tables(&self, rows_max: usize) -> Result<Vec<Sheet>> {
        if self.is_workbook() {
            return self.sheets().map(<[Sheet]>::to_vec);
        }
        // Not so many lines that a large file is split to be looked at.
        let text = self.text();
        let end = text.match_indices('\n').nth(rows_max.saturating_sub(1)).map_or(text.len(), |(at, _)| at + 1);
        let text = text.get(..end).unwrap_or(text);
        let delimiter = crate::delimited::sniff(text.lines().find(|l| l.contains([',', ';', '\t'])).unwrap_or(""));
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for row in crate::delimited::rows(text, delimiter, true) {
            let line = usize::try_from(row.line).unwrap_or(0);
            rows.resize(line.saturating_sub(1).max(rows.len()), Vec::new());
            rows.push(row.cells.into_iter().map(|c| if c.trim().is_empty() { Cell::Empty } else { Cell::Text(c) }).collect());
        }
        Ok(vec![Sheet { rows, ..Sheet::default() }])
    }
    /// The sheets of a workbook.
    ///
    /// # Errors
    /// Not a workbook, cut off, or too large.
    pub fn sheets(&self) -> Result<&[Sheet]> {
        let book = self.book.get_or_init(|| read_workbook(self).map_err(|e| e.fault().message.en.clone()));
        match book {
            Ok(sheets) => Ok(sheets),
            Err(_) => read_workbook(self).map(|_| &[][..]),
        }
    }
}

fn gunzip(name: &str, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let result = flate2::read::MultiGzDecoder::new(bytes).take(UNPACKED_BYTES_MAX + 1).read_to_end(&mut out);
    if let Err(e) = result {
        return Err(Error::input(
            "E-GZIP-001",
            format!("gzip を展開できません: {e}"),
            format!("the gzip data does not unpack: {e}"),
        )
        .hint("ファイルを取り直してください", "fetch the file again; it may be cut off")
        .in_file(name));
    }
    if out.len() as u64 > UNPACKED_BYTES_MAX {
        return Err(Error::new(
            toji_core::Category::Limit,
            "E-GZIP-002",
            "展開後の大きさが 2 GiB を超えます",
            "it unpacks to more than 2 GiB",
        )
        .hint("分割してください", "split the file")
        .in_file(name));
    }
    Ok(out)
}

fn decode(bytes: &[u8]) -> Decoded<'_> {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        let (text, damaged) = encoding.decode_without_bom_handling(&bytes[mark..]);
        return Decoded::new(text, encoding.name(), damaged);
    }
    let utf8 = std::str::from_utf8(bytes);
    if let Ok(text) = utf8
        && !text.contains('\0')
    {
        return Decoded::new(text, "UTF-8", false);
    }
    if let Some(encoding) = utf16_without_mark(bytes) {
        let (text, damaged) = encoding.decode_without_bom_handling(bytes);
        return Decoded::new(text, encoding.name(), damaged);
    }
    if let Ok(text) = utf8 {
        return Decoded::new(text, "UTF-8", false);
    }
    if mostly_utf8(bytes) {
        return Decoded::new(String::from_utf8_lossy(bytes), "UTF-8", true);
    }
    // Only lines with a byte beyond ASCII tell the encodings apart; a line's end is never half a character.
    let lines = telling_lines(bytes);
    let decodes = |encoding: &'static encoding_rs::Encoding| {
        let (text, damaged) = encoding.decode_without_bom_handling(&lines);
        (!damaged).then_some(text)
    };
    let (sjis, euc) = (decodes(encoding_rs::SHIFT_JIS), decodes(encoding_rs::EUC_JP));
    let euc = euc.is_some_and(|text| looks_japanese(&text));
    let whole = |encoding: &'static encoding_rs::Encoding, doubtful: bool| {
        let (text, damaged) = encoding.decode_without_bom_handling(bytes);
        Decoded { doubtful, ..Decoded::new(text, encoding.name(), damaged) }
    };
    match sjis {
        Some(text) if looks_japanese(&text) => whole(encoding_rs::SHIFT_JIS, false),
        // Half-width kana alone, in runs: what old loggers send. EUC-JP would hold bytes above them.
        Some(text) if only_half_width(&text) => whole(encoding_rs::SHIFT_JIS, true),
        _ if euc => whole(encoding_rs::EUC_JP, true),
        _ => whole(encoding_rs::WINDOWS_1252, false),
    }
}

/// UTF-8 with a few bytes that are not: more characters of several bytes than faults.
fn mostly_utf8(bytes: &[u8]) -> bool {
    let (mut several, mut faults) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        several += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        faults += usize::from(!chunk.invalid().is_empty());
    }
    several > faults
}

/// Half-width kana in runs of three or more, and no other letters beyond ASCII.
fn only_half_width(text: &str) -> bool {
    let half = |c: char| matches!(c, '\u{ff61}'..='\u{ff9f}');
    let (mut run, mut longest) = (0usize, 0usize);
    for c in text.chars() {
        run = if half(c) { run + 1 } else { 0 };
        longest = longest.max(run);
        if !c.is_ascii() && !half(c) {
            return false;
        }
    }
    longest >= 3
}

/// The lines that hold a byte beyond ASCII, one after the other.
fn telling_lines(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut from = 0;
    while let Some(at) = bytes.get(from..).and_then(|rest| rest.iter().position(|b| !b.is_ascii())).map(|i| from + i) {
        let start =
            bytes.get(from..at).and_then(|before| before.iter().rposition(|b| *b == b'\n')).map_or(from, |i| from + i + 1);
        let end = bytes.get(at..).and_then(|rest| rest.iter().position(|b| *b == b'\n')).map_or(bytes.len(), |i| at + i + 1);
        out.extend_from_slice(bytes.get(start..end).unwrap_or_default());
        from = end;
    }
    out
}

/// Every second byte zero in the first kilobyte: UTF-16 of mostly ASCII text.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let head = &bytes[..bytes.len().min(1024) & !1];
    if head.len() < 4 {
        return None;
    }
    let zeros = |offset: usize| head.iter().skip(offset).step_by(2).filter(|b| **b == 0).count() * 2;
    if zeros(1) * 10 > head.len() * 8 && zeros(0) == 0 {
        Some(encoding_rs::UTF_16LE)
    } else if zeros(0) * 10 > head.len() * 8 && zeros(1) == 0 {
        Some(encoding_rs::UTF_16BE)
    } else {
        None
    }
}

/// Shift_JIS accepts many Latin-1 texts (`°C` becomes a half-width kana); Japanese has kana or kanji in runs.
fn looks_japanese(text: &str) -> bool {
    let wide = |c: char| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{3000}'..='\u{303f}' | '\u{ff01}'..='\u{ff5e}');
    let (mut wides, mut halves) = (0usize, 0usize);
    for c in text.chars() {
        wides += usize::from(wide(c));
        halves += usize::from(matches!(c, '\u{ff61}'..='\u{ff9f}'));
    }
    wides > 0 && wides >= halves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], text: &str, encoding: &str) {
        let source = Source::new("x.csv", bytes).unwrap();
        assert_eq!((source.text(), source.decoded().encoding), (text, encoding));
    }

    #[test]
    fn encodings_of_the_floor() {
        check("品温".as_bytes(), "品温", "UTF-8");
        check(b"\xef\xbb\xbfpH", "pH", "UTF-8");
        check(b"\x95\x69\x89\xb7,pH", "品温,pH", "Shift_JIS");
        check(b"Temp [\xb0C]", "Temp [°C]", "windows-1252");
        check(b"\xff\xfep\0H\0", "pH", "UTF-16LE");
        check(b"p\0H\0;\x001\0", "pH;1", "UTF-16LE");
        check(b"", "", "UTF-8");
        // One Latin-1 line among many ASCII lines, and Japanese only far down.
        check(b"a\nb [\xb0C]\nc\n", "a\nb [°C]\nc\n", "windows-1252");
        check(b"a\nb\n\x95\x69\x89\xb7\nc", "a\nb\n品温\nc", "Shift_JIS");
        // Half-width kana, EUC-JP, NUL bytes, and UTF-8 with one byte that is not.
        check(b"\xcb\xdd\xb5\xdd,pH", "ﾋﾝｵﾝ,pH", "Shift_JIS");
        check(&encoding_rs::EUC_JP.encode("経過時間,品温").0, "経過時間,品温", "EUC-JP");
        check(b"pH\n7\0\n", "pH\n7\0\n", "UTF-8");
        check(b"\xe5\x93\x81\xe6\xb8\xa9,\xb0C", "品温,\u{fffd}C", "UTF-8");
    }

    #[test]
    fn a_cut_off_gzip_is_refused() {
        assert_eq!(Source::new("x.gz", &[0x1f, 0x8b, 8, 0]).unwrap_err().code(), "E-GZIP-001");
    }
}
