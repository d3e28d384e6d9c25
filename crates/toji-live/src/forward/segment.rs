//! Segment files: `magic`, then frames of `length u32 LE, crc32 u32 LE, JSON of the batches`. The file
//! `position` names the segment and offset up to which everything was handed on; it is replaced atomically.
//! After a crash between handing on and noting it, a frame is handed on twice: sinks know points by their time.

use crate::fault;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use toji_core::{Error, Result, live::Batch};

const MAGIC: &[u8; 8] = b"TOJIFWD1";
/// A segment is closed when it grows past this.
const SEGMENT_BYTES: u64 = 8 << 20;
/// No frame is longer.
const FRAME_BYTES_MAX: u32 = 256 << 20;

/// A frame read back, with where it ends.
pub(super) struct Frame {
    pub(super) batches: Vec<Batch>,
    raw: Vec<u8>,
    segment: u64,
    end: u64,
}

/// All segments of a folder.
pub(super) struct Files {
    folder: PathBuf,
    bytes_max: u64,
    /// Segment that is written, with its length.
    last: u64,
    last_bytes: u64,
    writer: File,
    /// Segment and offset that comes next.
    first: u64,
    offset: u64,
    /// Bytes of frames that wait.
    waiting: u64,
    /// A frame was refused for want of room, and too little has been handed on since.
    full: bool,
    damaged: u64,
}

impl Files {
    pub(super) fn open(folder: &Path, bytes_max: u64) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|e| fault::file(folder, e))?;
        let segments = list(folder)?;
        let (first, offset) = position(folder)?.unwrap_or((segments.first().copied().unwrap_or(1), MAGIC.len() as u64));
        let last = segments.last().copied().unwrap_or(first).max(first);
        let mut waiting = 0;
        let mut damaged = 0;
        for segment in segments.iter().copied() {
            let path = path_of(folder, segment);
            if segment < first {
                // Handed on before the crash, only not removed yet.
                fs::remove_file(&path).map_err(|e| fault::file(&path, e))?;
                continue;
            }
            let from = if segment == first { offset } else { MAGIC.len() as u64 };
            let whole = whole_frames(&path, from)?;
            waiting += whole.end.saturating_sub(from);
            if whole.end < whole.length {
                if segment != last {
                    damaged += 1;
                }
                cut(&path, &whole, segment == last)?;
            }
        }
        let (writer, last_bytes) = create(folder, last)?;
        Ok(Self { folder: folder.to_owned(), bytes_max, last, last_bytes, writer, first, offset, waiting, full: false, damaged })
    }

    pub(super) fn waiting_bytes(&self) -> u64 {
        self.waiting
    }

    pub(super) fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Writes a frame and flushes it to disk. Once one was refused for want of room, all are until an eighth of the
    /// space is free: whoever tries again and again pays nothing, and the room then is worth having.
    pub(super) fn append(&mut self, batches: &[Batch]) -> Result<()> {
        if self.full {
            return Err(self.no_room());
        }
        let payload = serde_json::to_vec(batches).map_err(|e| Error::bug("B-LINK-001", e))?;
        let length = u32::try_from(payload.len()).ok().filter(|l| *l <= FRAME_BYTES_MAX);
        let frame_bytes = payload.len() as u64 + 8;
        let Some(length) = length.filter(|_| self.waiting + frame_bytes <= self.bytes_max) else {
            self.full = self.waiting > 0;
            return Err(self.no_room());
        };
        if self.last_bytes > SEGMENT_BYTES {
            let (writer, bytes) = create(&self.folder, self.last + 1)?;
            (self.last, self.writer, self.last_bytes) = (self.last + 1, writer, bytes);
        }
        let mut frame = Vec::with_capacity(payload.len() + 8);
        frame.extend_from_slice(&length.to_le_bytes());
        frame.extend_from_slice(&crc32fast::hash(&payload).to_le_bytes());
        frame.extend_from_slice(&payload);
        let path = path_of(&self.folder, self.last);
        let written = self.writer.write_all(&frame).and_then(|()| self.writer.sync_data());
        if let Err(error) = written {
            // Half a frame may stand there: take it back, so that the next frame begins where it must.
            let _ = self.writer.set_len(self.last_bytes).and_then(|()| self.writer.seek(SeekFrom::End(0)));
            return Err(fault::file(&path, error));
        }
        self.last_bytes += frame_bytes;
        self.waiting += frame_bytes;
        Ok(())
    }

    fn no_room(&self) -> Error {
        fault::full(
            format!("転送待ちの領域がいっぱいです（上限 {} バイト）", self.bytes_max),
            format!("the forward buffer is full (limit {} bytes)", self.bytes_max),
        )
        .hint("接続先を復旧するか、buffer.bytes_max を増やしてください", "bring the far end back, or raise buffer.bytes_max")
    }

    /// The frames that wait longest, in order and of one segment: the first, and more while all together are not
    /// longer than `bytes`. Empty when nothing waits.
    pub(super) fn oldest(&mut self, bytes: u64) -> Result<Vec<Frame>> {
        let mut frames: Vec<Frame> = Vec::new();
        while self.waiting > 0 {
            let path = path_of(&self.folder, self.first);
            let failed = |e| fault::file(&path, e);
            let mut file = std::io::BufReader::new(File::open(&path).map_err(failed)?);
            let mut end = self.offset;
            file.seek(SeekFrom::Start(end)).map_err(failed)?;
            while let Some(raw) = frame(&mut file).map_err(failed)? {
                end += raw.len() as u64 + 8;
                if !frames.is_empty() && end - self.offset > bytes {
                    return Ok(frames);
                }
                match serde_json::from_slice(&raw) {
                    Ok(batches) => frames.push(Frame { batches, raw, segment: self.first, end }),
                    // It is set aside when its turn comes.
                    Err(_) if !frames.is_empty() => return Ok(frames),
                    Err(error) => {
                        self.damaged += 1;
                        let unread = Frame { batches: Vec::new(), raw, segment: self.first, end };
                        self.set_aside(&unread, &Error::bug("B-LINK-002", error))?;
                    }
                }
            }
            if !frames.is_empty() || self.first >= self.last {
                break;
            }
            self.next_segment()?;
        }
        Ok(frames)
    }

    /// Notes that all was handed on up to the end of a frame.
    pub(super) fn done(&mut self, frame: &Frame) -> Result<()> {
        if (frame.segment, frame.end) <= (self.first, self.offset) {
            return Ok(());
        }
        self.waiting = self.waiting.saturating_sub(frame.end - self.offset);
        self.offset = frame.end;
        self.full &= self.waiting > self.bytes_max - self.bytes_max / 8;
        note(&self.folder, self.first, self.offset)
    }

    /// Keeps a refused frame in `refused.jsonl` and goes on.
    pub(super) fn set_aside(&mut self, frame: &Frame, why: &Error) -> Result<()> {
        let path = self.folder.join("refused.jsonl");
        let line = serde_json::json!({ "refused": why.fault(), "frame": String::from_utf8_lossy(&frame.raw) });
        let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(|e| fault::file(&path, e))?;
        writeln!(file, "{line}").and_then(|()| file.sync_all()).map_err(|e| fault::file(&path, e))?;
        self.done(frame)
    }

    fn next_segment(&mut self) -> Result<()> {
        let old = path_of(&self.folder, self.first);
        self.first += 1;
        self.offset = MAGIC.len() as u64;
        note(&self.folder, self.first, self.offset)?;
        fs::remove_file(&old).map_err(|e| fault::file(&old, e))
    }
}

fn path_of(folder: &Path, segment: u64) -> PathBuf {
    folder.join(format!("{segment:012}.tojifwd"))
}

fn list(folder: &Path) -> Result<Vec<u64>> {
    let entries = fs::read_dir(folder).map_err(|e| fault::file(folder, e))?;
    let mut segments: Vec<u64> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".tojifwd")?.parse().ok()).collect();
    segments.sort_unstable();
    Ok(segments)
}

fn create(folder: &Path, segment: u64) -> Result<(File, u64)> {
    let path = path_of(folder, segment);
    let failed = |e| fault::file(&path, e);
    let mut file = OpenOptions::new().create(true).append(true).read(true).open(&path).map_err(failed)?;
    let mut bytes = file.metadata().map_err(failed)?.len();
    if bytes < MAGIC.len() as u64 {
        file.set_len(0).map_err(failed)?;
        file.write_all(MAGIC).map_err(failed)?;
        bytes = MAGIC.len() as u64;
    }
    file.sync_all().map_err(failed)?;
    File::open(folder).and_then(|d| d.sync_all()).map_err(failed)?;
    Ok((file, bytes))
}

/// The payload at the reader's place; `None` when no whole, sound frame stands there.
fn frame(file: &mut impl Read) -> std::io::Result<Option<Vec<u8>>> {
    let mut head = [0u8; 8];
    if !fill(file, &mut head)? {
        return Ok(None);
    }
    let [a, b, c, d, e, f, g, h] = head;
    let (length, crc) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
    if length > FRAME_BYTES_MAX {
        return Ok(None);
    }
    let mut payload = Vec::new();
    let read = file.take(u64::from(length)).read_to_end(&mut payload)?;
    Ok((read == length as usize && crc32fast::hash(&payload) == crc).then_some(payload))
}

fn fill(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(e) => Err(e),
    }
}

struct Whole {
    end: u64,
    length: u64,
}

fn whole_frames(path: &Path, from: u64) -> Result<Whole> {
    let failed = |e| fault::file(path, e);
    let mut file = std::io::BufReader::new(File::open(path).map_err(failed)?);
    let length = file.get_ref().metadata().map_err(failed)?.len();
    if length < MAGIC.len() as u64 {
        return Ok(Whole { end: from.min(length), length });
    }
    file.seek(SeekFrom::Start(from)).map_err(failed)?;
    let mut end = from;
    while let Some(payload) = frame(&mut file).map_err(failed)? {
        end += payload.len() as u64 + 8;
    }
    Ok(Whole { end: end.min(length), length })
}

/// Cuts what is no whole frame. The tail of the last segment is a write that was never acknowledged; in an
/// older segment it is damage, and is kept beside it.
fn cut(path: &Path, whole: &Whole, torn: bool) -> Result<()> {
    let failed = |e| fault::file(path, e);
    if !torn || whole.length - whole.end > 8 {
        let mut rest = Vec::new();
        let mut file = File::open(path).map_err(failed)?;
        file.seek(SeekFrom::Start(whole.end)).map_err(failed)?;
        file.read_to_end(&mut rest).map_err(failed)?;
        fs::write(path.with_extension("damaged"), rest).map_err(failed)?;
    }
    let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
    file.set_len(whole.end).and_then(|()| file.sync_all()).map_err(failed)
}

fn position(folder: &Path) -> Result<Option<(u64, u64)>> {
    let path = folder.join("position");
    match fs::read_to_string(&path) {
        Ok(text) => {
            let parsed = text.trim().split_once(' ').and_then(|(s, o)| Some((s.parse().ok()?, o.parse().ok()?)));
            parsed.map(Some).ok_or_else(|| fault::file(&path, "not «segment offset»"))
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(fault::file(&path, e)),
    }
}

fn note(folder: &Path, segment: u64, offset: u64) -> Result<()> {
    let path = folder.join("position");
    let fresh = folder.join("position.new");
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&fresh)?;
        write!(file, "{segment} {offset}")?;
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|e| fault::file(&path, e))
}
