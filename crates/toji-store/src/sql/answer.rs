//! The rows of an answer, and the forms they leave in.

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use serde_json::Value as Json;
use std::sync::Arc;
use toji_core::{Error, Result};

/// Columns and rows of an answer.
#[derive(Debug, Clone)]
pub struct Table {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
    /// More rows were there than asked for.
    pub truncated: bool,
}

fn bug(error: impl std::fmt::Display) -> Error {
    Error::bug("E-SQL-020", error)
}

impl Table {
    /// Columns of one name (`x.unit` and `y.unit` of a join) are told apart as `unit` and `unit_2`: rows by name, and
    /// readers of files, know a name once.
    pub(super) fn new(schema: &SchemaRef, batches: Vec<RecordBatch>, truncated: bool) -> Result<Self> {
        let mut names: Vec<String> = Vec::new();
        for field in schema.fields() {
            let again = (2..).map(|n| format!("{}_{n}", field.name()));
            let taken = |name: &String| names.contains(name) || (name != field.name() && schema.column_with_name(name).is_some());
            names.extend(std::iter::once(field.name().clone()).chain(again).find(|name| !taken(name)));
        }
        let fields = schema.fields().iter().zip(names).map(|(field, name)| field.as_ref().clone().with_name(name));
        let schema = Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()));
        let named = |batch: RecordBatch| RecordBatch::try_new(schema.clone(), batch.columns().to_vec()).map_err(bug);
        let batches = batches.into_iter().map(named).collect::<Result<_>>()?;
        Ok(Self { schema, batches, truncated })
    }
    /// Names and types of the columns.
    #[must_use]
    pub fn columns(&self) -> Vec<(String, String)> {
        self.schema.fields().iter().map(|f| (f.name().clone(), f.data_type().to_string())).collect()
    }
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
    /// No rows?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The batches, for those who speak Arrow.
    #[must_use]
    pub fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }
    /// Rows as JSON arrays in order of the columns.
    ///
    /// # Errors
    /// A column type JSON cannot hold.
    pub fn rows(&self) -> Result<Vec<Vec<Json>>> {
        let mut bytes = Vec::new();
        let mut writer =
            arrow::json::WriterBuilder::new().with_explicit_nulls(true).build::<_, arrow::json::writer::JsonArray>(&mut bytes);
        for batch in &self.batches {
            writer.write(batch).map_err(bug)?;
        }
        writer.finish().map_err(bug)?;
        if bytes.is_empty() {
            return Ok(Vec::new());
        }
        let objects: Vec<serde_json::Map<String, Json>> = serde_json::from_slice(&bytes).map_err(bug)?;
        let names: Vec<&String> = self.schema.fields().iter().map(|f| f.name()).collect();
        Ok(objects.into_iter().map(|mut row| names.iter().map(|n| row.remove(*n).unwrap_or(Json::Null)).collect()).collect())
    }
    /// The rows in another order, with a column of texts behind the others.
    ///
    /// # Errors
    /// A place or a text that is not there.
    pub fn arranged(&self, order: &[usize], name: &str, texts: &[String]) -> Result<Self> {
        let all = arrow::compute::concat_batches(&self.schema, &self.batches).map_err(bug)?;
        let places = UInt64Array::from_iter_values(order.iter().map(|place| *place as u64));
        let taken = all.columns().iter().map(|column| arrow::compute::take(column, &places, None).map_err(bug));
        let mut columns: Vec<ArrayRef> = taken.collect::<Result<_>>()?;
        columns.push(Arc::new(StringArray::from_iter_values(texts)));
        let fields: Vec<_> =
            self.schema.fields().iter().cloned().chain([Arc::new(Field::new(name, DataType::Utf8, false))]).collect();
        let schema: SchemaRef = Arc::new(Schema::new_with_metadata(fields, self.schema.metadata().clone()));
        let batch = RecordBatch::try_new(schema.clone(), columns).map_err(bug)?;
        Self::new(&schema, vec![batch], self.truncated)
    }
    /// CSV with a header.
    ///
    /// # Errors
    /// A column type CSV cannot hold.
    pub fn csv(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        {
            let mut writer = arrow::csv::WriterBuilder::new().with_header(true).build(&mut bytes);
            if self.is_empty() {
                writer.write(&RecordBatch::new_empty(self.schema.clone())).map_err(bug)?;
            }
            for batch in &self.batches {
                writer.write(batch).map_err(bug)?;
            }
        }
        Ok(bytes)
    }
    /// An Arrow IPC file.
    ///
    /// # Errors
    /// Never for columns the engine makes.
    pub fn arrow(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        {
            let mut writer = arrow::ipc::writer::FileWriter::try_new(&mut bytes, &self.schema).map_err(bug)?;
            for batch in &self.batches {
                writer.write(batch).map_err(bug)?;
            }
            writer.finish().map_err(bug)?;
        }
        Ok(bytes)
    }
    /// A Parquet file.
    ///
    /// # Errors
    /// Never for columns the engine makes.
    pub fn parquet(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        {
            let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, self.schema.clone(), None).map_err(bug)?;
            for batch in &self.batches {
                writer.write(batch).map_err(bug)?;
            }
            writer.close().map_err(bug)?;
        }
        Ok(bytes)
    }
}
