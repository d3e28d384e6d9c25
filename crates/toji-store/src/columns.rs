//! Plain columns as a Parquet file in memory: what leaves the store for other tools to read.
//!
//! Equal columns give equal bytes: nothing of the moment, the machine or the number of threads goes in.

use crate::fault;
use arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
    UInt8Array, UInt16Array,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use std::sync::Arc;
use toji_core::{Error, Result};

/// Rows of one row group.
const GROUP_ROWS_MAX: usize = 1 << 18;

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// A few words, each row naming one by its index.
    Word(Vec<String>, Vec<i32>),
    /// Words that differ from row to row.
    Text(Vec<Option<String>>),
    /// Whole numbers.
    Integer(Vec<Option<i64>>),
    /// Numbers.
    Number(Vec<Option<f64>>),
    /// Times: nanoseconds since 1970-01-01T00:00Z.
    Time(Vec<Option<i64>>),
    /// Packed quality.
    Quality(Vec<u16>),
    /// 0 or 1.
    Mask(Vec<u8>),
}

impl Column {
    /// Rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Word(_, rows) => rows.len(),
            Self::Text(rows) => rows.len(),
            Self::Integer(rows) | Self::Time(rows) => rows.len(),
            Self::Number(rows) => rows.len(),
            Self::Quality(rows) => rows.len(),
            Self::Mask(rows) => rows.len(),
        }
    }
    /// No rows?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn into_array(self) -> Result<ArrayRef> {
        Ok(match self {
            Self::Word(words, rows) => Arc::new(
                DictionaryArray::<Int32Type>::try_new(Int32Array::from(rows), Arc::new(StringArray::from(words)))
                    .map_err(|e| fault::parquet(e, "words"))?,
            ),
            Self::Text(rows) => Arc::new(StringArray::from(rows)),
            Self::Integer(rows) => Arc::new(Int64Array::from(rows)),
            Self::Number(rows) => Arc::new(Float64Array::from(rows)),
            Self::Time(rows) => Arc::new(TimestampNanosecondArray::from(rows).with_timezone("UTC")),
            Self::Quality(rows) => Arc::new(UInt16Array::from(rows)),
            Self::Mask(rows) => Arc::new(UInt8Array::from(rows)),
        })
    }
}

/// Writes named columns of equal length as one Parquet file; `facts` are kept with the file.
///
/// # Errors
/// Columns of differing length.
pub fn to_parquet(columns: Vec<(String, Column)>, facts: &[(&str, &str)]) -> Result<Vec<u8>> {
    let rows = columns.first().map_or(0, |(_, c)| c.len());
    if let Some((name, _)) = columns.iter().find(|(_, c)| c.len() != rows) {
        return Err(Error::bug("E-COLUMN-001", format!("column {name} does not have {rows} rows")));
    }
    let mut fields = Vec::with_capacity(columns.len());
    let mut arrays = Vec::with_capacity(columns.len());
    for (name, column) in columns {
        let array = column.into_array()?;
        let kept = matches!(array.data_type(), DataType::Dictionary(..) | DataType::UInt16 | DataType::UInt8);
        fields.push(Field::new(name, array.data_type().clone(), !kept));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    let facts = facts.iter().map(|(name, value)| KeyValue::new((*name).to_owned(), (*value).to_owned())).collect();
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).map_err(|e| fault::parquet(e, "zstd"))?))
        .set_max_row_group_row_count(Some(GROUP_ROWS_MAX))
        .set_created_by("toji".to_owned())
        .set_key_value_metadata(Some(facts))
        .build();
    let mut writer =
        ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties)).map_err(|e| fault::parquet(e, "columns"))?;
    let batch = RecordBatch::try_new(schema, arrays).map_err(|e| fault::parquet(e, "columns"))?;
    writer.write(&batch).map_err(|e| fault::parquet(e, "columns"))?;
    writer.into_inner().map_err(|e| fault::parquet(e, "columns"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]
mod tests {
    use super::*;

    fn table() -> Vec<(String, Column)> {
        vec![
            ("name".into(), Column::Word(vec!["a".into(), "b".into()], vec![0, 1, 1])),
            ("text".into(), Column::Text(vec![None, Some("香り".into()), None])),
            ("n".into(), Column::Integer(vec![Some(1), None, Some(3)])),
            ("v".into(), Column::Number(vec![Some(0.1), None, Some(f64::MAX)])),
            ("at".into(), Column::Time(vec![Some(1), None, Some(-1)])),
            ("quality".into(), Column::Quality(vec![0, 1, 2])),
            ("mask".into(), Column::Mask(vec![0, 1, 1])),
        ]
    }

    #[test]
    fn equal_columns_give_equal_bytes_and_other_ones_do_not() {
        let once = to_parquet(table(), &[("run", "r")]).unwrap();
        assert_eq!(once, to_parquet(table(), &[("run", "r")]).unwrap());
        let mut other = table();
        other[3].1 = Column::Number(vec![Some(0.2), None, Some(f64::MAX)]);
        assert_ne!(once, to_parquet(other, &[("run", "r")]).unwrap());
    }

    #[test]
    fn what_was_written_is_read_back() {
        let bytes = bytes::Bytes::from(to_parquet(table(), &[]).unwrap());
        let mut reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
        let batch = reader.next().unwrap().unwrap();
        assert_eq!((batch.num_rows(), batch.num_columns()), (3, 7));
        use arrow::array::AsArray as _;
        assert_eq!(batch.column(1).as_string::<i32>().value(1), "香り");
        assert_eq!(batch.column(3).null_count(), 1);
    }

    #[test]
    fn columns_of_differing_length_are_refused() {
        let columns = vec![("a".to_owned(), Column::Mask(vec![0])), ("b".to_owned(), Column::Mask(vec![]))];
        assert_eq!(to_parquet(columns, &[]).unwrap_err().code(), "E-COLUMN-001");
    }
}
