//! Reading parts, block by block, and merging them into one series.

use super::decoded::Decoded;
use super::rollup::RollupBuilder;
use super::write::open_part;
use super::{Base, number};
use crate::fault;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Float64Type, Int8Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, UInt16Type,
};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::file::reader::ChunkReader;
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex};
use toji_core::culture::{Numbers, Points};
use toji_core::{Digest, Error, Id, Result};

/// A series in memory: times ascending, one number and one quality a point.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// Nanoseconds, from the base of the series.
    pub t_ns: Vec<i64>,
    /// Numbers; NaN where the source has none.
    pub value: Vec<f64>,
    /// Packed quality, 0 is good.
    pub quality: Vec<u16>,
    /// Original texts by index, for points that are not numbers.
    pub texts: Vec<(u32, String)>,
}

impl Series {
    /// Number of points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.t_ns.len()
    }
    /// No points?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.t_ns.is_empty()
    }
    /// Is point `i` a good number?
    #[must_use]
    pub fn is_good(&self, i: usize) -> bool {
        self.quality.get(i).is_some_and(|q| q & 0xf == 0) && self.value.get(i).is_some_and(|v| !v.is_nan())
    }

    /// Appends a later part's points. Where both have a point at one time, the later part's stands.
    pub(crate) fn merge(&mut self, later: Self) {
        if self.t_ns.last().zip(later.t_ns.first()).is_none_or(|(a, b)| a < b) {
            let shift = u32::try_from(self.len()).unwrap_or(u32::MAX);
            self.t_ns.extend(later.t_ns);
            self.value.extend(later.value);
            self.quality.extend(later.quality);
            self.texts.extend(later.texts.into_iter().map(|(i, text)| (i.saturating_add(shift), text)));
            return;
        }
        let mut out = Self::default();
        let (mut a, mut b) = (0, 0);
        while a < self.len() || b < later.len() {
            let (ta, tb) = (self.t_ns.get(a).copied().unwrap_or(i64::MAX), later.t_ns.get(b).copied().unwrap_or(i64::MAX));
            if b >= later.len() || (a < self.len() && ta < tb) {
                out.take(self, a);
                a += 1;
            } else {
                while a < self.len() && self.t_ns[a] == tb {
                    a += 1;
                }
                out.take(&later, b);
                b += 1;
            }
        }
        *self = out;
    }
    fn take(&mut self, from: &Self, i: usize) {
        if let Ok(at) = from.texts.binary_search_by_key(&(i as u32), |(index, _)| *index)
            && let Some((_, text)) = from.texts.get(at)
        {
            self.texts.push((self.len() as u32, text.clone()));
        }
        self.t_ns.push(from.t_ns[i]);
        self.value.push(from.value[i]);
        self.quality.push(from.quality[i]);
    }
    /// Appends what lies from `from` to before `to` in a block of the same part.
    pub(crate) fn append(&mut self, block: &Self, from: i64, to: i64) {
        let first = block.t_ns.partition_point(|t| *t < from);
        let last = block.t_ns.partition_point(|t| *t < to).max(first);
        let shift = self.len();
        self.t_ns.extend_from_slice(block.t_ns.get(first..last).unwrap_or_default());
        self.value.extend_from_slice(block.value.get(first..last).unwrap_or_default());
        self.quality.extend_from_slice(block.quality.get(first..last).unwrap_or_default());
        let inside = block.texts.iter().filter(|(i, _)| (first..last).contains(&(*i as usize)));
        self.texts.extend(inside.map(|(i, text)| ((shift + *i as usize - first) as u32, text.clone())));
    }
}

/// Which columns a read needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// Times, numbers, quality.
    Numbers,
    /// Also the texts.
    All,
}

/// Opens parts; keeps the footers of those used lately.
#[derive(Debug, Default)]
pub(crate) struct PartReader {
    footers: Mutex<HashMap<Digest, Arc<ArrowReaderMetadata>>>,
    decoded: Decoded,
}

/// Most footers kept.
const FOOTERS_MAX: usize = 2048;

impl PartReader {
    fn footer(&self, digest: Digest, file: &File) -> Result<Arc<ArrowReaderMetadata>> {
        if let Ok(footers) = self.footers.lock()
            && let Some(found) = footers.get(&digest)
        {
            return Ok(found.clone());
        }
        let read =
            ArrowReaderMetadata::load(file, ArrowReaderOptions::new()).map_err(|e| fault::parquet(e, &digest.hex()[..12]))?;
        let read = Arc::new(read);
        if let Ok(mut footers) = self.footers.lock() {
            if footers.len() >= FOOTERS_MAX {
                footers.clear();
            }
            footers.insert(digest, read.clone());
        }
        Ok(read)
    }

    /// One row group of a part, decoded; kept for the next who asks.
    pub(crate) fn block(&self, path: &Path, digest: Digest, row_group: usize, want: Want) -> Result<Arc<Series>> {
        let key = (digest, row_group, want == Want::All);
        if let Some(found) = self.decoded.get(key) {
            return Ok(found);
        }
        let block = Arc::new(self.read(path, digest, vec![row_group], want)?);
        self.decoded.keep(key, &block);
        Ok(block)
    }

    /// One row group of a part with its digits, as it was written.
    pub(crate) fn points(&self, path: &Path, digest: Digest, row_group: usize) -> Result<Points> {
        let file = open_part(path)?;
        let footer = self.footer(digest, &file)?;
        points_of(file, &footer, row_group, &digest.hex()[..12])
    }

    /// Reads some row groups of a part, in the given order.
    fn read(&self, path: &Path, digest: Digest, row_groups: Vec<usize>, want: Want) -> Result<Series> {
        let name = &digest.hex()[..12];
        let file = open_part(path)?;
        let footer = self.footer(digest, &file)?;
        let groups = footer.metadata().num_row_groups();
        if row_groups.iter().any(|g| *g >= groups) {
            return Err(fault::parquet("a row group is missing", name));
        }
        let columns: &[usize] = match want {
            Want::Numbers => &[1, 2, 3, 4, 5],
            Want::All => &[1, 2, 3, 4, 5, 6],
        };
        let mask = ProjectionMask::leaves(footer.parquet_schema(), columns.iter().copied());
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, (*footer).clone())
            .with_row_groups(row_groups)
            .with_projection(mask)
            .with_batch_size(65_536)
            .build()
            .map_err(|e| fault::parquet(e, name))?;
        let mut series = Series::default();
        for batch in reader {
            let batch = batch.map_err(|e| fault::parquet(e, name))?;
            append(&mut series, &batch).ok_or_else(|| fault::parquet("unexpected columns", name))?;
        }
        Ok(series)
    }
}

fn append(series: &mut Series, batch: &RecordBatch) -> Option<()> {
    let n = batch.num_rows();
    let time = batch.column(0);
    match time.data_type() {
        DataType::Int64 => series.t_ns.extend_from_slice(time.as_primitive::<Int64Type>().values()),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            series.t_ns.extend_from_slice(time.as_primitive::<TimestampNanosecondType>().values());
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            series.t_ns.extend(time.as_primitive::<TimestampMicrosecondType>().values().iter().map(|t| t.saturating_mul(1000)));
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            series
                .t_ns
                .extend(time.as_primitive::<TimestampMillisecondType>().values().iter().map(|t| t.saturating_mul(1_000_000)));
        }
        _ => return None,
    }
    let mantissa = batch.column(1).as_primitive_opt::<Int64Type>()?;
    let scale = batch.column(2).as_primitive_opt::<Int8Type>()?;
    let value = batch.column(3).as_primitive_opt::<Float64Type>()?;
    // Within a row group either every point is scaled or none is; a batch may span two groups.
    if value.null_count() == n {
        let first = scale.values().first().copied().unwrap_or(0);
        if scale.null_count() == 0 && scale.values().iter().all(|s| *s == first) {
            let scale = u8::try_from(first).ok()?;
            number(0, scale)?;
            let read = |m: i64| number(m, scale).unwrap_or(f64::NAN);
            if mantissa.null_count() == 0 {
                series.value.extend(mantissa.values().iter().map(|m| read(*m)));
            } else {
                series.value.extend(mantissa.iter().map(|m| m.map_or(f64::NAN, read)));
            }
        } else {
            for i in 0..n {
                let stated = mantissa.is_valid(i) && scale.is_valid(i);
                let read = || number(mantissa.value(i), u8::try_from(scale.value(i)).ok()?);
                series.value.push(stated.then(read).flatten().unwrap_or(f64::NAN));
            }
        }
    } else {
        for i in 0..n {
            series.value.push(if value.is_valid(i) {
                value.value(i)
            } else if mantissa.is_valid(i) {
                number(mantissa.value(i), u8::try_from(scale.value(i)).ok()?)?
            } else {
                f64::NAN
            });
        }
    }
    series.quality.extend_from_slice(batch.column(4).as_primitive_opt::<UInt16Type>()?.values());
    if let Some(column) = (batch.num_columns() > 5).then(|| batch.column(5)) {
        let text = column.as_string_opt::<i32>()?;
        if text.null_count() < n {
            let shift = series.t_ns.len() - n;
            series.texts.extend((0..n).filter(|i| text.is_valid(*i)).map(|i| ((shift + i) as u32, text.value(i).to_owned())));
        }
    }
    Some(())
}

/// Where a block lies.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    pub(crate) part: Digest,
    pub(crate) row_group: usize,
    pub(crate) seq: i64,
    pub(crate) base: Base,
    pub(crate) points: u64,
    pub(crate) t_min: i64,
    pub(crate) t_max: i64,
    /// The points themselves, when they stand in the live tail and in no file yet.
    pub(crate) tail: Option<Arc<Series>>,
}

/// What a row group of a part holds, as the catalogue must list it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) channel: String,
    pub(crate) base: Base,
    pub(crate) points: i64,
    pub(crate) flagged: i64,
    pub(crate) t_min: i64,
    pub(crate) t_max: i64,
    pub(crate) v_min: Option<f64>,
    pub(crate) v_max: Option<f64>,
    pub(crate) last: Option<(i64, f64)>,
}

impl Found {
    fn of(channel: String, base: Base, series: &Series) -> Self {
        let numbers = || series.value.iter().copied().filter(|v| !v.is_nan());
        let good = (0..series.len()).rev().find(|i| series.is_good(*i));
        Self {
            channel,
            base,
            points: i64::try_from(series.len()).unwrap_or(i64::MAX),
            flagged: series.quality.iter().map(|q| i64::from(*q != 0)).sum(),
            t_min: series.t_ns.first().copied().unwrap_or(i64::MAX),
            t_max: series.t_ns.last().copied().unwrap_or(i64::MIN),
            v_min: numbers().reduce(f64::min),
            v_max: numbers().reduce(f64::max),
            last: good.and_then(|i| Some((*series.t_ns.get(i)?, *series.value.get(i)?))),
        }
    }
}

/// A row group with its digits. Its numbers are all scaled alike, or doubles.
fn points_of(source: impl ChunkReader + 'static, footer: &ArrowReaderMetadata, group: usize, name: &str) -> Result<Points> {
    if group >= footer.metadata().num_row_groups() {
        return Err(fault::parquet("a row group is missing", name));
    }
    let mask = ProjectionMask::leaves(footer.parquet_schema(), [1, 2, 3, 4, 5, 6]);
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(source, footer.clone())
        .with_row_groups(vec![group])
        .with_projection(mask)
        .with_batch_size(65_536)
        .build()
        .map_err(|e| fault::parquet(e, name))?;
    let (mut series, mut mantissa, mut scales) = (Series::default(), Vec::new(), Vec::new());
    for batch in reader {
        let batch = batch.map_err(|e| fault::parquet(e, name))?;
        append(&mut series, &batch).ok_or_else(|| fault::parquet("unexpected columns", name))?;
        let columns = batch.column(1).as_primitive_opt::<Int64Type>().zip(batch.column(2).as_primitive_opt::<Int8Type>());
        let (digits, scale) = columns.ok_or_else(|| fault::parquet("unexpected columns", name))?;
        mantissa.extend(digits.iter().map(|m| m.unwrap_or(Points::NO_NUMBER)));
        scales.extend(scale.iter());
        scales.dedup();
    }
    let numbers = match scales.as_slice() {
        [Some(scale)] => {
            let scale = u8::try_from(*scale).map_err(|e| fault::parquet(e, name))?;
            Numbers::Scaled { scale, mantissa }
        }
        _ => Numbers::Float(series.value),
    };
    Ok(Points { t_ns: series.t_ns, numbers, quality: series.quality, texts: series.texts })
}

/// Describes every row group of a part from its bytes alone, and makes the roll-up that belongs to it.
pub(crate) fn describe_part(bytes: Vec<u8>, digest: Digest) -> Result<(Vec<Found>, Option<Vec<u8>>)> {
    let name = &digest.hex()[..12];
    let bytes = bytes::Bytes::from(bytes);
    let footer = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new()).map_err(|e| fault::parquet(e, name))?;
    let base = if footer.schema().field_with_name("elapsed_ns").is_ok() { Base::Elapsed } else { Base::Utc };
    let (mut found, mut rollup) = (Vec::new(), RollupBuilder::default());
    for group in 0..footer.metadata().num_row_groups() {
        let channel = channel_of(&bytes, &footer, group, name)?;
        let points = points_of(bytes.clone(), &footer, group, name)?;
        rollup.block(group, &points, 0..points.len());
        let value = (0..points.len()).map(|i| points.number(i).unwrap_or(f64::NAN)).collect();
        let series = Series { t_ns: points.t_ns, value, quality: points.quality, texts: Vec::new() };
        found.push(Found::of(channel, base, &series));
    }
    Ok((found, rollup.finish(digest)))
}

/// Most points and unpacked bytes of a part that came from elsewhere.
const FOREIGN_POINTS_MAX: i64 = 1 << 26;
const FOREIGN_BYTES_MAX: i64 = 1 << 31;

/// The base of a part and its channels with their points, in order of its row groups, from bytes nobody vouches for. The
/// reader of the format breaks off on some that contradict themselves; that is a refusal like any other.
pub(crate) fn read_part(bytes: Vec<u8>, name: &str) -> Result<(Base, Vec<(Id, Points)>)> {
    std::panic::catch_unwind(|| read_foreign(bytes, name)).unwrap_or_else(|_| Err(unreadable(name, &"it contradicts itself")))
}

fn unreadable(name: &str, what: &dyn std::fmt::Display) -> Error {
    Error::input("E-SERIES-012", format!("系列の包み {name} を読めません: {what}"), format!("piece {name} is no series: {what}"))
        .hint("もう一度送ってもらってください", "have it sent again")
}

fn read_foreign(bytes: Vec<u8>, name: &str) -> Result<(Base, Vec<(Id, Points)>)> {
    let unreadable = |what: &dyn std::fmt::Display| unreadable(name, what);
    let bytes = bytes::Bytes::from(bytes);
    let footer = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new()).map_err(|e| unreadable(&e))?;
    let groups = footer.metadata().row_groups();
    let rows: i64 = groups.iter().map(|g| g.num_rows().max(0)).fold(0, i64::saturating_add);
    let unpacked: i64 = groups.iter().map(|g| g.total_byte_size().max(0)).fold(0, i64::saturating_add);
    if rows > FOREIGN_POINTS_MAX || unpacked > FOREIGN_BYTES_MAX {
        return Err(unreadable(&format!("{rows} points, {unpacked} bytes")));
    }
    let time = footer.schema().fields().get(1).map(|f| f.name().as_str());
    let base = match time {
        Some("elapsed_ns") => Base::Elapsed,
        Some("time") => Base::Utc,
        _ => return Err(unreadable(&"unexpected columns")),
    };
    let mut channels = Vec::new();
    for group in 0..groups.len() {
        let channel = channel_of(&bytes, &footer, group, name).map_err(|e| unreadable(&e))?;
        let points = points_of(bytes.clone(), &footer, group, name).map_err(|e| unreadable(&e))?;
        channels.push((Id::parse(&channel)?, points));
    }
    Ok((base, channels))
}

/// The one channel a row group names.
fn channel_of(bytes: &bytes::Bytes, footer: &ArrowReaderMetadata, group: usize, name: &str) -> Result<String> {
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes.clone(), footer.clone())
        .with_row_groups(vec![group])
        .with_projection(ProjectionMask::leaves(footer.parquet_schema(), [0]))
        .with_batch_size(65_536)
        .build()
        .map_err(|e| fault::parquet(e, name))?;
    let mut channel = None;
    for batch in reader {
        let batch = batch.map_err(|e| fault::parquet(e, name))?;
        let texts = arrow::compute::cast(batch.column(0), &DataType::Utf8).map_err(|e| fault::parquet(e, name))?;
        for text in texts.as_string::<i32>().iter() {
            let known = channel.get_or_insert_with(|| text.unwrap_or_default().to_owned());
            if text != Some(known.as_str()) {
                return Err(fault::parquet("a row group with two channels", name));
            }
        }
    }
    Ok(channel.unwrap_or_default())
}
