//! The journal's files: frames one behind the other, chained by hash.
//!
//! | bytes | meaning |
//! | --- | --- |
//! | 64 | head of the file: `TOJITAIL`, version, number of the file, hash of the last frame of the file before, check of these |
//! | 16 | head of a frame: `TJF1`, length of its content, check of both and of the hash before |
//! | n | content |
//! | 32 | SHA-256 over the hash before, the length and the content |
//!
//! A crash leaves a frame that ends too early: its head is whole and says so, or its head is cut. That is a *torn
//! end*, nothing of it was acknowledged, and it is cut off. Everything else that does not fit is *damage*: some byte
//! is not what was written. Damage is reported with its place, the frames around it are still read, and the file is
//! kept.

use crate::{blob, fault};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use toji_core::{Digest, Error, Result};

const FILE_MAGIC: &[u8; 8] = b"TOJITAIL";
const FRAME_MAGIC: &[u8; 4] = b"TJF1";
const FILE_HEAD: usize = 64;
const FRAME_HEAD: usize = 16;
const HASH: usize = 32;
/// Longest content of a frame, bytes.
pub(super) const FRAME_BYTES_MAX: usize = 64 << 20;

pub(super) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("journal-{number:012}.tail"))
}
pub(super) fn damaged_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("damaged-{number:012}.tail"))
}

/// Numbers of the journal files in a folder, ascending; `damaged-…` ones apart.
pub(super) fn list(dir: &Path) -> Result<(Vec<u64>, Vec<u64>)> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok((Vec::new(), Vec::new())),
        Err(e) => return Err(fault::io(&e, dir)),
    };
    let (mut whole, mut damaged) = (Vec::new(), Vec::new());
    for entry in entries {
        let name = entry.map_err(|e| fault::io(&e, dir))?.file_name();
        let Some(name) = name.to_str().and_then(|n| n.strip_suffix(".tail")) else { continue };
        let number = |prefix: &str| name.strip_prefix(prefix).and_then(|n| n.parse::<u64>().ok());
        whole.extend(number("journal-"));
        damaged.extend(number("damaged-"));
    }
    whole.sort_unstable();
    damaged.sort_unstable();
    Ok((whole, damaged))
}

fn check(parts: &[&[u8]]) -> [u8; 8] {
    let digest = Digest::of_parts(parts);
    let mut out = [0; 8];
    out.copy_from_slice(digest.bytes().get(..8).unwrap_or(&[0; 8]));
    out
}

fn head_of_file(number: u64, before: Digest) -> [u8; FILE_HEAD] {
    let mut bytes = Vec::with_capacity(FILE_HEAD);
    bytes.extend(FILE_MAGIC);
    bytes.extend(1u64.to_le_bytes());
    bytes.extend(number.to_le_bytes());
    bytes.extend(before.bytes());
    let sum = check(&[&bytes]);
    bytes.extend(sum);
    let mut out = [0; FILE_HEAD];
    out.copy_from_slice(bytes.get(..FILE_HEAD).unwrap_or(&[0; FILE_HEAD]));
    out
}

fn hash_of(before: Digest, content: &[u8]) -> Digest {
    Digest::of_parts(&[before.bytes(), content])
}

/// A frame as bytes, and its hash.
fn framed(before: Digest, content: &[u8], out: &mut Vec<u8>) -> Digest {
    let length = (content.len() as u32).to_le_bytes();
    let hash = hash_of(before, content);
    out.extend(FRAME_MAGIC);
    out.extend(length);
    out.extend(check(&[FRAME_MAGIC, &length, before.bytes()]));
    out.extend(content);
    out.extend(hash.bytes());
    hash
}

/// Where reading a file has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Bytes read; frames begin here.
    pub(super) at: u64,
    /// Hash of the last frame.
    pub(super) hash: Digest,
}

/// What was found from a place on.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Contents of sound frames, in order.
    pub(super) frames: Vec<Vec<u8>>,
    /// Behind the last frame, sound or damaged.
    pub(super) end: Option<Place>,
    /// Hash the file says the file before ended with.
    pub(super) before: Option<Digest>,
    /// Offsets of damage.
    pub(super) damage: Vec<u64>,
    /// Bytes of a torn end.
    pub(super) torn: u64,
}

/// Reads a file from a place on, or from its beginning.
pub(super) fn read(dir: &Path, number: u64, from: Option<Place>) -> Result<Read> {
    let path = path(dir, number);
    read_file(&path, number, from)
}

pub(super) fn read_file(path: &Path, number: u64, from: Option<Place>) -> Result<Read> {
    let mut file = File::open(path).map_err(|e| fault::io(&e, path))?;
    let start = from.map_or(0, |p| p.at);
    file.seek(SeekFrom::Start(start)).map_err(|e| fault::io(&e, path))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|e| fault::io(&e, path))?;
    let mut out = Read::default();
    let (mut at, mut hash) = match from {
        Some(place) => (0, place.hash),
        None => {
            let Some(head) = bytes.get(..FILE_HEAD) else {
                // The head is written whole and made durable before the first frame.
                out.torn = bytes.len() as u64;
                return Ok(out);
            };
            let before: [u8; HASH] = head.get(24..56).and_then(|b| b.try_into().ok()).unwrap_or([0; HASH]);
            let before = Digest::from_bytes(before);
            if head_of_file(number, before) == *head {
                out.before = Some(before);
            } else {
                out.damage.push(0);
            }
            (FILE_HEAD, before)
        }
    };
    while at < bytes.len() {
        match frame_at(&bytes, at, hash) {
            Next::Frame { content, hash: next, end } => {
                out.frames.push(content.to_vec());
                (at, hash) = (end, next);
            }
            Next::Torn => {
                out.torn = (bytes.len() - at) as u64;
                break;
            }
            Next::Damaged { resume, content } => {
                out.damage.push(start + at as u64);
                out.frames.extend(content.map(<[u8]>::to_vec));
                match resume {
                    Some((next, with)) => (at, hash) = (next, with),
                    None => {
                        at = bytes.len();
                        break;
                    }
                }
            }
        }
    }
    out.end = Some(Place { at: start + at as u64, hash });
    Ok(out)
}

enum Next<'a> {
    Frame {
        content: &'a [u8],
        hash: Digest,
        end: usize,
    },
    Torn,
    /// Where sound frames go on, with the hash before them; the content, when only its hash was altered.
    Damaged {
        resume: Option<(usize, Digest)>,
        content: Option<&'a [u8]>,
    },
}

/// Length of the content of a frame whose head fits the hash before it.
fn length_at(bytes: &[u8], at: usize, before: Digest) -> Option<usize> {
    let head = bytes.get(at..at.checked_add(FRAME_HEAD)?)?;
    let length: [u8; 4] = head.get(4..8)?.try_into().ok()?;
    let sound = head.starts_with(FRAME_MAGIC) && head.get(8..) == Some(&check(&[FRAME_MAGIC, &length, before.bytes()]));
    let length = u32::from_le_bytes(length) as usize;
    (sound && length <= FRAME_BYTES_MAX).then_some(length)
}

fn hash_at(bytes: &[u8], end: usize) -> Option<Digest> {
    Some(Digest::from_bytes(bytes.get(end.checked_sub(HASH)?..end)?.try_into().ok()?))
}

fn frame_at(bytes: &[u8], at: usize, before: Digest) -> Next<'_> {
    let rest = bytes.get(at..).unwrap_or_default();
    // A file that a power cut made longer than what reached the disk ends in zeros.
    if rest.len() < FRAME_HEAD || rest.iter().all(|b| *b == 0) {
        return Next::Torn;
    }
    let zeros_from = |i: usize| bytes.get(i..).is_none_or(|b| b.iter().all(|b| *b == 0));
    let Some(length) = length_at(bytes, at, before) else {
        if zeros_from(at + FRAME_HEAD) {
            return Next::Torn;
        }
        return Next::Damaged { resume: frames_after(bytes, at), content: None };
    };
    let end = at + FRAME_HEAD + length + HASH;
    let (Some(content), Some(stored)) = (bytes.get(at + FRAME_HEAD..at + FRAME_HEAD + length), hash_at(bytes, end)) else {
        return Next::Torn;
    };
    let hash = hash_of(before, content);
    if hash == stored {
        return Next::Frame { content, hash, end };
    }
    if zeros_from(end - 4) {
        return Next::Torn;
    }
    // What comes next tells whether the content or its hash was altered.
    if length_at(bytes, end, hash).is_some() {
        return Next::Damaged { resume: Some((end, hash)), content: Some(content) };
    }
    Next::Damaged { resume: Some((end, stored)), content: None }
}

/// The next place where a frame begins that fits the hash standing before it.
fn frames_after(bytes: &[u8], at: usize) -> Option<(usize, Digest)> {
    (at + 1..bytes.len().saturating_sub(FRAME_HEAD)).find_map(|next| {
        let here = bytes.get(next..next + FRAME_MAGIC.len())? == FRAME_MAGIC;
        let before = here.then(|| hash_at(bytes, next)).flatten()?;
        length_at(bytes, next, before).map(|_| (next, before))
    })
}

/// The file that is appended to.
#[derive(Debug)]
pub(super) struct Writer {
    file: File,
    path: PathBuf,
    /// Number of the file.
    pub(super) number: u64,
    /// Behind the last acknowledged frame.
    pub(super) end: Place,
    /// Bytes that could not be taken back: nothing may be written behind them.
    broken: bool,
}

impl Writer {
    /// Begins a file.
    pub(super) fn create(dir: &Path, number: u64, before: Digest) -> Result<Self> {
        let path = path(dir, number);
        blob::write_durably(&path, &head_of_file(number, before))?;
        let file = OpenOptions::new().write(true).open(&path).map_err(|e| fault::io(&e, &path))?;
        Ok(Self { file, path, number, end: Place { at: FILE_HEAD as u64, hash: before }, broken: false })
    }

    /// Goes on with a sound file, cutting what stands behind `end`.
    pub(super) fn resume(dir: &Path, number: u64, end: Place) -> Result<Self> {
        let path = path(dir, number);
        let file = OpenOptions::new().write(true).open(&path).map_err(|e| fault::io(&e, &path))?;
        let cut = file.set_len(end.at).and_then(|()| file.sync_all());
        cut.map_err(|e| fault::io(&e, &path))?;
        Ok(Self { file, path, number, end, broken: false })
    }

    /// Any frames yet?
    pub(super) fn is_empty(&self) -> bool {
        self.end.at <= FILE_HEAD as u64
    }

    /// Writes frames durably, all or none.
    pub(super) fn append(&mut self, contents: &[Vec<u8>]) -> Result<()> {
        if self.broken {
            return Err(self.unusable());
        }
        let mut bytes = Vec::with_capacity(contents.iter().map(|c| c.len() + FRAME_HEAD + HASH).sum());
        let hash = contents.iter().fold(self.end.hash, |before, content| framed(before, content, &mut bytes));
        let written = self
            .file
            .seek(SeekFrom::Start(self.end.at))
            .and_then(|_| self.file.write_all(&bytes))
            .and_then(|()| self.file.sync_data());
        if let Err(e) = written {
            // What was refused must not come to light after a restart.
            let cut = self.file.set_len(self.end.at).and_then(|()| self.file.sync_all());
            self.broken = cut.is_err();
            return Err(fault::io(&e, &self.path));
        }
        self.end = Place { at: self.end.at + bytes.len() as u64, hash };
        Ok(())
    }

    fn unusable(&self) -> Error {
        Error::storage(
            "E-LIVE-001",
            format!("ジャーナル {} に書き込めなくなっています", self.number),
            format!("journal {} can no longer be written", self.number),
        )
        .hint(
            "ディスクを確認してから、サーバーを再起動してください。受領済みのデータは失われません",
            "check the disk and restart the server; what was acknowledged is not lost",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three(dir: &Path) -> (Vec<Vec<u8>>, Writer) {
        let contents: Vec<Vec<u8>> = ["one", "two and more", "three"].iter().map(|t| t.as_bytes().to_vec()).collect();
        let mut writer = Writer::create(dir, 1, Digest::zero()).unwrap();
        writer.append(&contents[..1]).unwrap();
        writer.append(&contents[1..]).unwrap();
        (contents, writer)
    }

    #[test]
    fn frames_come_back_and_reading_goes_on_where_it_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let (contents, mut writer) = three(dir.path());
        let read_all = read(dir.path(), 1, None).unwrap();
        assert_eq!(read_all.frames, contents);
        assert_eq!((read_all.end, read_all.torn, read_all.damage.len()), (Some(writer.end), 0, 0));
        writer.append(&[b"four".to_vec()]).unwrap();
        assert_eq!(read(dir.path(), 1, read_all.end).unwrap().frames, [b"four".to_vec()]);
        assert_eq!(list(dir.path()).unwrap(), (vec![1], vec![]));
    }

    #[test]
    fn a_file_cut_anywhere_has_a_torn_end_and_no_damage() {
        let dir = tempfile::tempdir().unwrap();
        let (contents, _) = three(dir.path());
        let whole = std::fs::read(path(dir.path(), 1)).unwrap();
        for length in 0..whole.len() {
            std::fs::write(path(dir.path(), 1), &whole[..length]).unwrap();
            let found = read(dir.path(), 1, None).unwrap();
            assert!(found.damage.is_empty(), "cut at {length}");
            assert!(contents.starts_with(&found.frames), "cut at {length}");
            let ends = [64 + 51, 64 + 51 + 60, 64 + 51 + 60 + 53];
            if length >= FILE_HEAD && ends.iter().all(|end| !(end - 4..*end).contains(&length)) {
                let mut grown = whole[..length].to_vec();
                grown.resize(length + 200, 0);
                std::fs::write(path(dir.path(), 1), &grown).unwrap();
                let found = read(dir.path(), 1, None).unwrap();
                assert!(found.damage.is_empty() && contents.starts_with(&found.frames), "zeros from {length} on: {found:?}");
            }
        }
    }

    #[test]
    fn any_altered_byte_is_found_and_costs_one_frame_at_most() {
        let dir = tempfile::tempdir().unwrap();
        let (contents, _) = three(dir.path());
        let whole = std::fs::read(path(dir.path(), 1)).unwrap();
        for i in 0..whole.len() {
            for bit in [0x01, 0x80] {
                let mut bad = whole.clone();
                bad[i] ^= bit;
                std::fs::write(path(dir.path(), 1), &bad).unwrap();
                let found = read(dir.path(), 1, None).unwrap();
                assert!(!found.damage.is_empty(), "byte {i}: {found:?}");
                assert_eq!(found.torn, 0, "byte {i}");
                assert!(found.frames.iter().all(|f| contents.contains(f)), "byte {i}");
                assert!(found.frames.len() >= 2, "byte {i}: {} frames left", found.frames.len());
            }
        }
    }
}
