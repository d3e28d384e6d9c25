//! Writing a part.

use super::rollup::{RollupBuilder, rollup_path};
use super::{BLOCK_POINTS_MAX, Base, number};
use crate::{blob, fault};
use arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, Int8Array, Int32Array, Int64Array, RecordBatch, StringArray, UInt16Array,
};
use arrow::array::{StringBuilder, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use toji_core::culture::{Numbers, Points};
use toji_core::{Digest, Id, Result};

/// A row group of a part, as the catalogue lists it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewBlock {
    pub(crate) row_group: i64,
    pub(crate) channel: Id,
    pub(crate) points: i64,
    pub(crate) flagged: i64,
    pub(crate) t_min: i64,
    pub(crate) t_max: i64,
    pub(crate) v_min: Option<f64>,
    pub(crate) v_max: Option<f64>,
    /// Time and value of the latest good number.
    pub(crate) last: Option<(i64, f64)>,
}

/// A part that was written durably but is not in the catalogue yet.
#[derive(Debug)]
pub(crate) struct NewPart {
    pub(crate) digest: Digest,
    pub(crate) base: Base,
    pub(crate) bytes: i64,
    pub(crate) points: u64,
    pub(crate) blocks: Vec<NewBlock>,
}

/// Coarsest unit that holds every time exactly: jitter in microseconds must not cost nanosecond bits.
fn time_unit<'a>(times: impl Iterator<Item = &'a [i64]>) -> TimeUnit {
    let mut unit = TimeUnit::Millisecond;
    for t in times.flatten() {
        if t % 1000 != 0 {
            return TimeUnit::Nanosecond;
        }
        if t % 1_000_000 != 0 {
            unit = TimeUnit::Microsecond;
        }
    }
    unit
}

fn schema(base: Base, unit: TimeUnit) -> Arc<Schema> {
    let time = match base {
        Base::Utc => Field::new("time", DataType::Timestamp(unit, Some("UTC".into())), false),
        Base::Elapsed => Field::new("elapsed_ns", DataType::Int64, false),
    };
    Arc::new(Schema::new(vec![
        Field::new("channel", DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), false),
        time,
        Field::new("mantissa", DataType::Int64, true),
        Field::new("scale", DataType::Int8, true),
        Field::new("value", DataType::Float64, true),
        Field::new("quality", DataType::UInt16, false),
        Field::new("text", DataType::Utf8, true),
    ]))
}

/// How a part is written. Columns that hold nothing but nulls or one word are not compressed: setting
/// up zstd for each of them costs more time than writing them.
fn properties(base: Base, run: &Id, channels: &[(Id, Points)]) -> Result<WriterProperties> {
    let zstd = Compression::ZSTD(ZstdLevel::try_new(3).map_err(|e| fault::parquet(e, "zstd"))?);
    let any = |holds: fn(&Points) -> bool| {
        if channels.iter().any(|(_, points)| holds(points)) { zstd } else { Compression::UNCOMPRESSED }
    };
    let time = match base {
        Base::Utc => "time",
        Base::Elapsed => "elapsed_ns",
    };
    let column = |name: &str| ColumnPath::from(name);
    Ok(WriterProperties::builder()
        .set_compression(zstd)
        .set_column_compression(column("channel"), Compression::UNCOMPRESSED)
        .set_column_compression(column("scale"), Compression::UNCOMPRESSED)
        .set_column_compression(column("mantissa"), any(|p| matches!(p.numbers, Numbers::Scaled { .. })))
        .set_column_compression(column("value"), any(|p| matches!(p.numbers, Numbers::Float(_))))
        .set_column_compression(column("text"), any(|p| !p.texts.is_empty()))
        .set_offset_index_disabled(true)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(column(time), EnabledStatistics::Chunk)
        .set_dictionary_enabled(false)
        .set_column_dictionary_enabled(column("channel"), true)
        .set_column_dictionary_enabled(column("scale"), true)
        .set_column_dictionary_enabled(column("quality"), true)
        .set_column_encoding(column(time), Encoding::DELTA_BINARY_PACKED)
        .set_column_encoding(column("mantissa"), Encoding::DELTA_BINARY_PACKED)
        .set_column_encoding(column("value"), Encoding::BYTE_STREAM_SPLIT)
        .set_max_row_group_row_count(Some(BLOCK_POINTS_MAX))
        .set_created_by("toji".to_owned())
        // Says whose points these are, and keeps equal points of two runs two files.
        .set_key_value_metadata(Some(vec![KeyValue::new("toji.run".to_owned(), run.to_string())]))
        .build())
}

/// Writes channels (each sorted by time) as one durable file in `dir`, named by its hash, and its roll-up
/// beside it.
pub(crate) fn write_part(dir: &Path, run: &Id, base: Base, channels: &[(Id, Points)]) -> Result<NewPart> {
    blob::make_folder(dir)?;
    let unit = time_unit(channels.iter().map(|(_, p)| p.t_ns.as_slice()));
    let schema = schema(base, unit);
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(|e| fault::io(&e, dir))?;
    let (mut blocks, mut rollup) = (Vec::new(), RollupBuilder::default());
    {
        let sink = std::io::BufWriter::with_capacity(1 << 18, file.as_file_mut());
        let mut writer = ArrowWriter::try_new(sink, schema.clone(), Some(properties(base, run, channels)?))
            .map_err(|e| fault::parquet(e, "part"))?;
        for (channel, points) in channels {
            let mut from = 0;
            while from < points.len() {
                let to = (from + BLOCK_POINTS_MAX).min(points.len());
                let batch = batch(&schema, base, unit, channel, points, from..to)?;
                writer.write(&batch).map_err(|e| fault::parquet(e, channel.as_str()))?;
                writer.flush().map_err(|e| fault::parquet(e, channel.as_str()))?;
                rollup.block(blocks.len(), points, from..to);
                blocks.push(describe(blocks.len() as i64, channel, points, from..to));
                from = to;
            }
        }
        // Flushed by name: a buffer that is dropped would swallow the fault.
        let mut sink = writer.into_inner().map_err(|e| fault::parquet(e, "part"))?;
        sink.flush().map_err(|e| fault::io(&e, dir))?;
    }
    let content = std::fs::read(file.path()).map_err(|e| fault::io(&e, dir))?;
    let digest = Digest::of(&content);
    let part =
        NewPart { digest, base, bytes: content.len() as i64, points: channels.iter().map(|(_, p)| p.len() as u64).sum(), blocks };
    let path = part_path(dir, digest);
    if let Some(rollup) = rollup.finish(digest) {
        // Its entry in the folder becomes durable with the part's.
        blob::place(&rollup_path(&path), &rollup)?;
    }
    blob::settle(file, &path)?;
    Ok(part)
}

/// Where a part lies in its run's folder.
pub(crate) fn part_path(dir: &Path, digest: Digest) -> std::path::PathBuf {
    dir.join(format!("{}.parquet", digest.hex()))
}

/// Where a part lies that a merge replaced: other readers of the folder pass over names that begin with `_`,
/// and so do not see its points twice.
pub(crate) fn replaced_path(part: &Path) -> std::path::PathBuf {
    let name = part.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    part.with_file_name(format!("_{name}"))
}

/// Opens a part, in force or replaced: one that was listed before a merge is read on after it.
pub(crate) fn open_part(path: &Path) -> Result<std::fs::File> {
    match std::fs::File::open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            std::fs::File::open(replaced_path(path)).map_err(|_| fault::io(&e, path))
        }
        file => file.map_err(|e| fault::io(&e, path)),
    }
}

fn batch(
    schema: &Arc<Schema>,
    base: Base,
    unit: TimeUnit,
    channel: &Id,
    points: &Points,
    range: std::ops::Range<usize>,
) -> Result<RecordBatch> {
    let n = range.len();
    let t = points.t_ns.get(range.clone()).unwrap_or_default();
    let times: ArrayRef = match (base, unit) {
        (Base::Elapsed, _) => Arc::new(Int64Array::from(t.to_vec())),
        (Base::Utc, TimeUnit::Millisecond) => {
            Arc::new(TimestampMillisecondArray::from_iter_values(t.iter().map(|t| t / 1_000_000)).with_timezone("UTC"))
        }
        (Base::Utc, TimeUnit::Microsecond) => {
            Arc::new(TimestampMicrosecondArray::from_iter_values(t.iter().map(|t| t / 1000)).with_timezone("UTC"))
        }
        (Base::Utc, _) => Arc::new(TimestampNanosecondArray::from_iter_values(t.iter().copied()).with_timezone("UTC")),
    };
    let (mantissa, scale, value): (ArrayRef, ArrayRef, ArrayRef) = match &points.numbers {
        Numbers::Scaled { scale, mantissa } => {
            let slice = mantissa.get(range.clone()).unwrap_or_default();
            let digits = i8::try_from(*scale).unwrap_or(i8::MAX);
            (
                Arc::new(slice.iter().map(|m| (*m != Points::NO_NUMBER).then_some(*m)).collect::<Int64Array>()),
                Arc::new(Int8Array::from_value(digits, n)),
                Arc::new(Float64Array::new_null(n)),
            )
        }
        Numbers::Float(values) => (
            Arc::new(Int64Array::new_null(n)),
            Arc::new(Int8Array::new_null(n)),
            Arc::new(
                values
                    .get(range.clone())
                    .unwrap_or_default()
                    .iter()
                    .map(|v| (!v.is_nan()).then_some(*v))
                    .collect::<Float64Array>(),
            ),
        ),
    };
    let quality: ArrayRef = Arc::new(UInt16Array::from(points.quality.get(range.clone()).unwrap_or_default().to_vec()));
    let arrays = vec![
        Arc::new(DictionaryArray::<Int32Type>::new(
            Int32Array::from_value(0, n),
            Arc::new(StringArray::from(vec![channel.as_str()])),
        )) as ArrayRef,
        times,
        mantissa,
        scale,
        value,
        quality,
        texts(points, range),
    ];
    RecordBatch::try_new(schema.clone(), arrays).map_err(|e| fault::parquet(e, channel.as_str()))
}

fn texts(points: &Points, range: std::ops::Range<usize>) -> ArrayRef {
    let inside: Vec<&(u32, String)> = points.texts.iter().filter(|(i, _)| range.contains(&(*i as usize))).collect();
    if inside.is_empty() {
        return Arc::new(StringArray::new_null(range.len()));
    }
    let mut builder = StringBuilder::new();
    let mut next = inside.into_iter().peekable();
    for i in range {
        match next.next_if(|(at, _)| *at as usize == i) {
            Some((_, text)) => builder.append_value(text),
            None => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}

fn describe(row_group: i64, channel: &Id, points: &Points, range: std::ops::Range<usize>) -> NewBlock {
    let mut block = NewBlock {
        row_group,
        channel: channel.clone(),
        points: range.len() as i64,
        flagged: 0,
        t_min: i64::MAX,
        t_max: i64::MIN,
        v_min: None,
        v_max: None,
        last: None,
    };
    for i in range {
        let (Some(&t), Some(&quality)) = (points.t_ns.get(i), points.quality.get(i)) else { break };
        block.flagged += i64::from(quality != 0);
        block.t_min = block.t_min.min(t);
        block.t_max = block.t_max.max(t);
        let number = match &points.numbers {
            Numbers::Scaled { scale, mantissa } => {
                mantissa.get(i).filter(|m| **m != Points::NO_NUMBER).and_then(|m| number(*m, *scale))
            }
            Numbers::Float(values) => values.get(i).copied().filter(|v| !v.is_nan()),
        };
        if let Some(v) = number {
            block.v_min = Some(block.v_min.map_or(v, |m| m.min(v)));
            block.v_max = Some(block.v_max.map_or(v, |m| m.max(v)));
            if quality & 0xf == 0 && block.last.is_none_or(|(at, _)| t >= at) {
                block.last = Some((t, v));
            }
        }
    }
    block
}
