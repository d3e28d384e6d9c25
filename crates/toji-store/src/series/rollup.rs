//! Roll-ups: beside a part, the buckets of its long blocks at several widths, so that a plot of millions
//! of points reads some thousands of buckets.
//!
//! Widths are powers of two nanoseconds and edges whole multiples of them, counted from the base. So the
//! buckets of different blocks and parts share their edges, a wider level is four buckets of the next
//! finer, and every plot whose columns are whole multiples of a width can be drawn from it.
//!
//! A file `_HASH.rollup` beside `HASH.parquet` is derived data: its bytes follow from the part alone. It
//! may be missing (small parts have none, older stores neither); then the points themselves are read.
//! Every piece of it carries a check sum, so that a damaged one is noticed and the points are read
//! instead. [`crate::Store::verify`] compares it with the part; `store rollup` writes it again.
//!
//! | bytes | meaning |
//! | --- | --- |
//! | 8 | `tojirol1` |
//! | 32 | SHA-256 of the part |
//! | 4 | number of levels in the file |
//! | 48 each | level: row group, log₂ of the width, scale (−1 for floats), unit of time, buckets, place, length, points, check sum |
//! | 8 | check sum of all before |
//! | … | buckets, as numbers of variable length, each told from the one before |

use super::bucket::{Bucket, Pick};
use super::number;
use super::packed::{Packer, Unpacker};
use crate::fault;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use toji_core::culture::{Numbers, Points};
use toji_core::{Digest, Error, Result};

/// Blocks with fewer points have no roll-up: reading them is as quick.
pub(crate) const ROLLED_POINTS_MIN: usize = 8192;

/// Points in a bucket of the finest level, on average: from this many to twice as many.
const FINEST_POINTS: u64 = 256;

/// Levels are added while the last has more buckets than this.
const COARSEST_BUCKETS: usize = 64;

const MAGIC: &[u8; 8] = b"tojirol1";
const HEAD: usize = 8 + 32 + 4;
const ENTRY: usize = 48;
const CHECK: usize = 8;
/// Most levels a file may have: far above what a part of the largest size has.
const LEVELS_MAX: usize = 1 << 20;
/// Widths stay far from the end of the numbers.
const LOG2_WIDTH_MAX: u8 = 60;

/// One level of one block.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Level {
    pub(crate) row_group: usize,
    /// A bucket covers `2^log2_width` nanoseconds.
    pub(crate) log2_width: u8,
    scale: Option<u8>,
    unit_ns: i64,
    buckets: usize,
    place: u64,
    length: usize,
    /// Points of the block.
    pub(crate) points: u64,
    check: [u8; CHECK],
}

/// Where the roll-up of a part lies. The `_` tells other readers of the folder that it is not for them.
pub(crate) fn rollup_path(part: &Path) -> PathBuf {
    let stem = part.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    part.with_file_name(format!("_{stem}.rollup"))
}

fn check_of(bytes: &[u8]) -> [u8; CHECK] {
    let mut check = [0; CHECK];
    check.copy_from_slice(Digest::of(bytes).bytes().get(..CHECK).unwrap_or(&[0; CHECK]));
    check
}

/// The roll-up of a part's blocks as bytes, without the part's hash, which is known last. `None` when no block is long.
#[derive(Debug, Default)]
pub(crate) struct RollupBuilder {
    levels: Vec<Level>,
    body: Vec<u8>,
}

impl RollupBuilder {
    /// Adds a block: the points of `range`, sorted by time.
    pub(crate) fn block(&mut self, row_group: usize, points: &Points, range: Range<usize>) {
        if range.len() < ROLLED_POINTS_MIN {
            return;
        }
        let block = Block::of(points, range);
        let mut log2_width = block.finest();
        let mut cells = block.buckets(log2_width);
        loop {
            self.level(row_group, &block, log2_width, &cells);
            if cells.len() <= COARSEST_BUCKETS || log2_width + 2 > LOG2_WIDTH_MAX {
                return;
            }
            log2_width += 2;
            cells = coarser(cells);
        }
    }

    fn level(&mut self, row_group: usize, block: &Block<'_>, log2_width: u8, cells: &[(i64, Bucket)]) {
        let bytes = block.pack(cells);
        self.levels.push(Level {
            row_group,
            log2_width,
            scale: block.scale(),
            unit_ns: block.unit_ns,
            buckets: cells.len(),
            place: self.body.len() as u64,
            length: bytes.len(),
            points: block.range.len() as u64,
            check: check_of(&bytes),
        });
        self.body.extend(bytes);
    }

    /// The whole file; `None` when no block is long enough to have one.
    pub(crate) fn finish(self, part: Digest) -> Option<Vec<u8>> {
        if self.levels.is_empty() {
            return None;
        }
        let start = (HEAD + self.levels.len() * ENTRY + CHECK) as u64;
        let mut out = Vec::with_capacity(start as usize + self.body.len());
        out.extend(MAGIC);
        out.extend(part.bytes());
        out.extend((self.levels.len() as u32).to_le_bytes());
        for level in &self.levels {
            out.extend((level.row_group as u32).to_le_bytes());
            out.push(level.log2_width);
            out.push(level.scale.unwrap_or(u8::MAX));
            out.extend(0u16.to_le_bytes());
            out.extend((level.unit_ns as u32).to_le_bytes());
            out.extend((level.buckets as u32).to_le_bytes());
            out.extend((start + level.place).to_le_bytes());
            out.extend((level.length as u64).to_le_bytes());
            out.extend(level.points.to_le_bytes());
            out.extend(level.check);
        }
        let check = check_of(&out);
        out.extend(check);
        out.extend(self.body);
        Some(out)
    }
}

/// Neighbouring buckets of one level as buckets of the next, four times as wide.
fn coarser(cells: Vec<(i64, Bucket)>) -> Vec<(i64, Bucket)> {
    let mut out: Vec<(i64, Bucket)> = Vec::with_capacity(cells.len() / 3 + 1);
    for (cell, bucket) in cells {
        match out.last_mut() {
            Some((open, sum)) if *open == cell >> 2 => sum.add(&bucket),
            _ => out.push((cell >> 2, bucket)),
        }
    }
    out
}

/// A block while its roll-up is made.
struct Block<'a> {
    points: &'a Points,
    range: Range<usize>,
    unit_ns: i64,
}

impl<'a> Block<'a> {
    fn of(points: &'a Points, range: Range<usize>) -> Self {
        let times = points.t_ns.get(range.clone()).unwrap_or_default();
        let unit_ns = [1_000_000, 1000].into_iter().find(|unit| times.iter().all(|t| t % unit == 0)).unwrap_or(1);
        Self { points, range, unit_ns }
    }
    fn scale(&self) -> Option<u8> {
        match self.points.numbers {
            Numbers::Scaled { scale, .. } => Some(scale),
            Numbers::Float(_) => None,
        }
    }
    /// log₂ of the narrowest width whose buckets hold [`FINEST_POINTS`] points on average.
    fn finest(&self) -> u8 {
        let times = self.points.t_ns.get(self.range.clone()).unwrap_or_default();
        let (Some(first), Some(last)) = (times.first(), times.last()) else { return 0 };
        let span = last.wrapping_sub(*first) as u64;
        let width = (u128::from(span) * u128::from(FINEST_POINTS)).div_ceil(times.len() as u128).max(1);
        let log2 = 128 - (width - 1).leading_zeros();
        u8::try_from(log2).unwrap_or(LOG2_WIDTH_MAX).min(LOG2_WIDTH_MAX)
    }
    /// A point by its position in the block.
    fn pick(&self, i: usize) -> Pick {
        let at = self.range.start + i;
        Pick {
            at: i as u64,
            t_ns: self.points.t_ns.get(at).copied().unwrap_or_default(),
            value: self.points.number(at).unwrap_or(f64::NAN),
            quality: self.points.quality.get(at).copied().unwrap_or_default(),
        }
    }
    fn buckets(&self, log2_width: u8) -> Vec<(i64, Bucket)> {
        let mut out: Vec<(i64, Bucket)> = Vec::new();
        for i in 0..self.range.len() {
            let pick = self.pick(i);
            let cell = pick.t_ns >> log2_width;
            match out.last_mut() {
                Some((open, bucket)) if *open == cell => bucket.push(pick),
                _ => out.push((cell, Bucket::of(pick))),
            }
        }
        out
    }
    /// The digits of a point, or the bits of its double.
    fn digits(&self, pick: Pick) -> i64 {
        let at = self.range.start + pick.at as usize;
        match &self.points.numbers {
            Numbers::Scaled { mantissa, .. } => mantissa.get(at).copied().unwrap_or(Points::NO_NUMBER),
            // One NaN, whichever the source had: the part keeps none of them.
            Numbers::Float(_) if pick.value.is_nan() => f64::NAN.to_bits() as i64,
            Numbers::Float(_) => pick.value.to_bits() as i64,
        }
    }

    fn pack(&self, cells: &[(i64, Bucket)]) -> Vec<u8> {
        let mut out = Packer::default();
        let (mut t_before, mut digits_before) = (0, 0);
        let mut at = 0;
        for (_, bucket) in cells {
            let flagged = bucket.flagged > 0;
            out.count(bucket.points);
            out.count(bucket.points - bucket.good);
            out.count(bucket.flagged);
            if flagged {
                out.count(u64::from(bucket.quality_or));
            }
            if bucket.good > 0 {
                out.bits(bucket.sum_good.to_bits());
            }
            let place = Place { block: self, t_from: bucket.first.t_ns, digits_from: self.digits(bucket.first), flagged };
            out.count(bucket.first.t_ns.wrapping_sub(t_before).wrapping_div(self.unit_ns) as u64);
            place.digits(&mut out, place.digits_from, digits_before);
            place.quality(&mut out, bucket.first);
            place.pick(&mut out, bucket.last);
            out.count(u64::from(bucket.extremes.is_some()));
            if let Some((low, high)) = bucket.extremes {
                for pick in [low, high] {
                    out.count(pick.at - at);
                    place.pick(&mut out, pick);
                }
            }
            if let Some(mark) = bucket.mark {
                out.count(mark.at - at);
                place.pick(&mut out, mark);
            }
            at += bucket.points;
            (t_before, digits_before) = (place.t_from, place.digits_from);
        }
        out.finish()
    }
}

/// What the points of one bucket are told from.
struct Place<'a> {
    block: &'a Block<'a>,
    t_from: i64,
    digits_from: i64,
    flagged: bool,
}

impl Place<'_> {
    fn pick(&self, out: &mut Packer, pick: Pick) {
        out.count(pick.t_ns.wrapping_sub(self.t_from).wrapping_div(self.block.unit_ns) as u64);
        self.digits(out, self.block.digits(pick), self.digits_from);
        self.quality(out, pick);
    }
    fn digits(&self, out: &mut Packer, digits: i64, from: i64) {
        match self.block.points.numbers {
            Numbers::Scaled { .. } => out.step(digits.wrapping_sub(from)),
            Numbers::Float(_) => out.bits(digits as u64),
        }
    }
    fn quality(&self, out: &mut Packer, pick: Pick) {
        if self.flagged {
            out.count(u64::from(pick.quality));
        }
    }
}

/// Reads the buckets of a level.
fn unpack(level: &Level, bytes: &[u8]) -> Option<Vec<Bucket>> {
    let mut reader = BucketReader { bytes: Unpacker::new(bytes), level, t_before: 0, digits_before: 0, at: 0 };
    let mut out = Vec::with_capacity(level.buckets.min(bytes.len()));
    for _ in 0..level.buckets {
        out.push(reader.bucket()?);
    }
    (reader.bytes.is_done() && reader.at == level.points).then_some(out)
}

struct BucketReader<'a> {
    bytes: Unpacker<'a>,
    level: &'a Level,
    t_before: i64,
    digits_before: i64,
    at: u64,
}

impl BucketReader<'_> {
    fn bucket(&mut self) -> Option<Bucket> {
        let points = self.bytes.count().filter(|n| *n > 0)?;
        let good = points.checked_sub(self.bytes.count()?)?;
        let flagged = self.bytes.count().filter(|n| *n <= points)?;
        let quality_or = if flagged > 0 { self.quality()? } else { 0 };
        let sum_good = if good > 0 { f64::from_bits(self.bytes.bits()?) } else { 0.0 };
        let last_at = self.at.checked_add(points)?.checked_sub(1)?;
        let t_from = self.t_before.wrapping_add(self.time()?);
        let digits_from = self.digits(self.digits_before)?;
        let quality = if flagged > 0 { self.quality()? } else { 0 };
        let first = Pick { at: self.at, t_ns: t_from, value: self.value(digits_from)?, quality };
        (self.t_before, self.digits_before) = (t_from, digits_from);
        let last = self.pick(last_at, flagged > 0)?;
        let extremes = match self.bytes.count()? {
            0 => None,
            _ => Some((self.pick_at(flagged > 0)?, self.pick_at(flagged > 0)?)),
        };
        let mark = if flagged > 0 { Some(self.pick_at(true)?) } else { None };
        self.at = last_at + 1;
        Some(Bucket { points, good, sum_good, flagged, quality_or, first, last, extremes, mark })
    }
    fn pick_at(&mut self, flagged: bool) -> Option<Pick> {
        let at = self.at.checked_add(self.bytes.count()?)?;
        self.pick(at, flagged)
    }
    fn pick(&mut self, at: u64, flagged: bool) -> Option<Pick> {
        let t_ns = self.t_before.wrapping_add(self.time()?);
        let digits = self.digits(self.digits_before)?;
        let quality = if flagged { self.quality()? } else { 0 };
        Some(Pick { at, t_ns, value: self.value(digits)?, quality })
    }
    fn time(&mut self) -> Option<i64> {
        Some((self.bytes.count()? as i64).wrapping_mul(self.level.unit_ns))
    }
    fn digits(&mut self, from: i64) -> Option<i64> {
        match self.level.scale {
            Some(_) => Some(from.wrapping_add(self.bytes.step()?)),
            None => self.bytes.bits().map(|b| b as i64),
        }
    }
    fn value(&self, digits: i64) -> Option<f64> {
        match self.level.scale {
            Some(_) if digits == Points::NO_NUMBER => Some(f64::NAN),
            Some(scale) => number(digits, scale),
            None => Some(f64::from_bits(digits as u64)),
        }
    }
    fn quality(&mut self) -> Option<u16> {
        u16::try_from(self.bytes.count()?).ok()
    }
}

/// The levels a file says it has.
fn levels(head: &[u8], part: Digest) -> Option<Vec<Level>> {
    let (said, check) = head.split_at_checked(head.len().checked_sub(CHECK)?)?;
    if check != check_of(said) || said.get(..8)? != MAGIC || said.get(8..40)? != part.bytes() {
        return None;
    }
    let mut out = Vec::new();
    for entry in said.get(HEAD..)?.chunks_exact(ENTRY) {
        let four = |at: usize| entry.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
        let eight = |at: usize| entry.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
        out.push(Level {
            row_group: four(0)? as usize,
            log2_width: entry.get(4).copied().filter(|w| *w <= LOG2_WIDTH_MAX)?,
            scale: entry.get(5).copied().filter(|s| *s != u8::MAX),
            unit_ns: i64::from(four(8)?),
            buckets: four(12)? as usize,
            place: eight(16)?,
            length: usize::try_from(eight(24)?).ok()?,
            points: eight(32)?,
            check: entry.get(40..48)?.try_into().ok()?,
        });
    }
    Some(out)
}

/// Opens roll-ups; keeps the lists of levels of those used lately.
#[derive(Debug, Default)]
pub(crate) struct RollupReader(Mutex<HashMap<Digest, Arc<Vec<Level>>>>);

/// Most lists kept.
const LISTS_MAX: usize = 2048;

impl RollupReader {
    /// The levels of a part's roll-up; none when there is no file, or one that is not whole.
    pub(crate) fn levels(&self, part_file: &Path, part: Digest) -> Arc<Vec<Level>> {
        if let Ok(kept) = self.0.lock()
            && let Some(found) = kept.get(&part)
        {
            return found.clone();
        }
        let path = rollup_path(part_file);
        let found = match read_levels(&path, part) {
            Ok(found) => Arc::new(found),
            Err(error) => {
                tracing::warn!(file = %path.display(), code = error.code(), "a roll-up is not usable; the points are read instead");
                Arc::default()
            }
        };
        if let Ok(mut kept) = self.0.lock() {
            if kept.len() >= LISTS_MAX {
                kept.clear();
            }
            kept.insert(part, found.clone());
        }
        found
    }

    /// Forgets what was read of a part, when its roll-up was written again.
    pub(crate) fn forget(&self, part: Digest) {
        if let Ok(mut kept) = self.0.lock() {
            kept.remove(&part);
        }
    }

    /// The buckets of a level; `None` when they are damaged, which is also noted.
    pub(crate) fn buckets(&self, part_file: &Path, level: &Level) -> Option<Vec<Bucket>> {
        let path = rollup_path(part_file);
        let mut bytes = vec![0; level.length];
        let read = File::open(&path).and_then(|mut file| {
            file.seek(SeekFrom::Start(level.place))?;
            file.read_exact(&mut bytes)
        });
        let found = read.ok().filter(|()| check_of(&bytes) == level.check).and_then(|()| unpack(level, &bytes));
        if found.is_none() {
            tracing::warn!(file = %path.display(), "a roll-up is damaged; the points are read instead");
        }
        found
    }
}

fn read_levels(path: &Path, part: Digest) -> Result<Vec<Level>> {
    let mut file = match File::open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file.map_err(|e| fault::io(&e, path))?,
    };
    let size = file.metadata().map_err(|e| fault::io(&e, path))?.len();
    let mut head = vec![0; HEAD];
    file.read_exact(&mut head).map_err(|_| damaged(path))?;
    let count = head.get(40..44).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes) as usize;
    if count > LEVELS_MAX || (HEAD + count * ENTRY + CHECK) as u64 > size {
        return Err(damaged(path));
    }
    head.resize(HEAD + count * ENTRY + CHECK, 0);
    file.read_exact(head.get_mut(HEAD..).unwrap_or_default()).map_err(|_| damaged(path))?;
    let found = levels(&head, part).ok_or_else(|| damaged(path))?;
    // Nothing is set aside for a length that the file does not have.
    if found.iter().any(|l| l.place.checked_add(l.length as u64).is_none_or(|end| end > size)) {
        return Err(damaged(path));
    }
    Ok(found)
}

/// A roll-up that is not what its part says.
pub(crate) fn damaged(path: &Path) -> Error {
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    Error::storage("E-ROLLUP-001", format!("図の要約 {name} が壊れています"), format!("the roll-up {name} is damaged"))
        .hint("`toji store rollup` で作り直してください", "write it again with `toji store rollup`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Irregular times, steps up and down, gaps, flags, points without a number, several at one time.
    fn points(n: usize, seed: u64, float: bool, unit: i64) -> Points {
        let mut state = seed | 1;
        let mut next = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let (mut t, mut m) = (-(next(1 << 40) as i64) / unit * unit, 0i64);
        let mut out = Points::default();
        let mut mantissa = Vec::new();
        for _ in 0..n {
            t += unit
                * match next(50) {
                    0 => 0,
                    1 => 100_000,
                    _ => 900 + next(200) as i64,
                };
            m += next(21) as i64 - 10;
            out.t_ns.push(t);
            mantissa.push(if next(97) == 0 { Points::NO_NUMBER } else { m });
            out.quality.push(if next(1000) == 0 { 0x1032 } else { 0 });
        }
        out.numbers = if float {
            Numbers::Float(mantissa.iter().map(|m| if *m == Points::NO_NUMBER { f64::NAN } else { *m as f64 / 3.0 }).collect())
        } else {
            Numbers::Scaled { scale: 2, mantissa }
        };
        out
    }

    fn told(buckets: &[Bucket]) -> String {
        format!("{buckets:?}")
    }

    #[test]
    fn every_level_is_what_the_points_say_and_comes_back_as_written() {
        let dir = tempfile::tempdir().unwrap();
        for (seed, float, unit) in [(1, false, 1_000_000), (2, true, 1000), (3, false, 1), (4, true, 1_000_000)] {
            let points = points(60_000, seed, float, unit);
            let mut builder = RollupBuilder::default();
            builder.block(0, &points, 0..9000);
            builder.block(1, &points, 9000..9010);
            builder.block(2, &points, 9010..60_000);
            let part = Digest::of(&seed.to_be_bytes());
            let bytes = builder.finish(part).unwrap();
            let file = dir.path().join("x.parquet");
            std::fs::write(rollup_path(&file), &bytes).unwrap();
            let reader = RollupReader::default();
            let levels = reader.levels(&file, part);
            reader.forget(part);
            assert!(levels.iter().all(|l| l.row_group != 1), "a short block has none");
            let (finest, coarsest) =
                (levels.iter().map(|l| l.buckets).max().unwrap(), levels.iter().map(|l| l.buckets).min().unwrap());
            assert!((40..1000).contains(&finest) && coarsest <= COARSEST_BUCKETS, "{finest} {coarsest}");
            assert!(bytes.len() < 60_000 / 2, "{} bytes for 60000 points", bytes.len());
            for level in levels.iter() {
                let range = if level.row_group == 0 { 0..9000 } else { 9010..60_000 };
                let block = Block::of(&points, range);
                let direct: Vec<Bucket> = block.buckets(level.log2_width).into_iter().map(|(_, b)| b).collect();
                let read = reader.buckets(&file, level).unwrap();
                // Sums are added in another order where levels were put together.
                let unsummed = |b: &[Bucket]| told(&b.iter().map(|b| Bucket { sum_good: 0.0, ..b.clone() }).collect::<Vec<_>>());
                assert_eq!(unsummed(&read), unsummed(&direct), "seed {seed} level {}", level.log2_width);
                assert!(read.iter().zip(&direct).all(|(a, b)| (a.sum_good - b.sum_good).abs() <= 1e-6));
            }
        }
    }

    #[test]
    fn any_damage_is_noticed_and_never_read_as_something_else() {
        let dir = tempfile::tempdir().unwrap();
        let points = points(40_000, 9, false, 1000);
        let mut builder = RollupBuilder::default();
        builder.block(0, &points, 0..40_000);
        let good = builder.finish(Digest::zero()).unwrap();
        let file = dir.path().join("x.parquet");
        let read = |bytes: &[u8]| {
            std::fs::write(rollup_path(&file), bytes).unwrap();
            let reader = RollupReader::default();
            let levels = reader.levels(&file, Digest::zero());
            levels.iter().map(|l| reader.buckets(&file, l).map(|b| told(&b))).collect::<Vec<_>>()
        };
        let whole = read(&good);
        assert!(whole.len() > 1 && whole.iter().all(Option::is_some));
        for i in (0..good.len()).step_by(good.len() / 400 + 1) {
            let mut bad = good.clone();
            bad[i] ^= 1 << (i % 8);
            let found = read(&bad);
            let changed = found.is_empty() || found.iter().any(Option::is_none);
            assert!(changed && found.iter().zip(&whole).all(|(f, w)| f.is_none() || f == w), "byte {i}");
        }
        for end in [0, 7, HEAD, HEAD + 20, good.len() - 1] {
            assert!(read(&good[..end]).iter().all(|l| l.is_none() || l == &whole[0]), "cut at {end}");
        }
        assert!(RollupReader::default().levels(&dir.path().join("none.parquet"), Digest::zero()).is_empty());
    }

    proptest! {
        #[test]
        fn strange_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), scale in proptest::option::of(0u8..40), unit_ns in 0i64..2000) {
            let level = Level { row_group: 0, log2_width: 9, scale, unit_ns, buckets: 50, place: 0, length: bytes.len(), points: 7, check: [0; 8] };
            let _ = unpack(&level, &bytes);
            let _ = levels(&bytes, Digest::zero());
        }
    }
}
