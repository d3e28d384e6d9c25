//! Kinds as tables: one column a field, typed as declared.

use super::lazy::LazyTable;
use crate::store::Store;
use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use futures::FutureExt as _;
use serde_json::Value as Json;
use std::sync::Arc;
use toji_core::kind::{Field as KindField, FieldType};
use toji_core::{Access, Error, Instant, Kind, Record, Result};

pub(super) fn table(store: &Arc<Store>, access: &Access, kind: &Kind, schema: &SchemaRef) -> Arc<LazyTable> {
    let (store, access, name, shape) = (store.clone(), access.clone(), kind.kind.clone(), schema.clone());
    Arc::new(LazyTable::new(schema.clone(), move || {
        let (store, access, name, shape) = (store.clone(), access.clone(), name.clone(), shape.clone());
        async move {
            let records = store.records(&access, &name, None, false).await?;
            Ok(vec![batch(store.kinds().get(&name)?, &shape, &records)?])
        }
        .boxed()
    }))
}

/// A value object is five columns: its text under the field's name, then kind, number, low, high, unit.
fn value_columns(name: &str) -> [(String, DataType); 6] {
    [
        (name.to_owned(), DataType::Utf8),
        (format!("{name}_kind"), DataType::Utf8),
        (format!("{name}_number"), DataType::Float64),
        (format!("{name}_low"), DataType::Float64),
        (format!("{name}_high"), DataType::Float64),
        (format!("{name}_unit"), DataType::Utf8),
    ]
}

pub(super) fn schema(kind: &Kind) -> SchemaRef {
    let mut fields = vec![Field::new("id", DataType::Utf8, false), Field::new("version", DataType::Int64, false)];
    for field in &kind.fields {
        if field.field_type == FieldType::Value && !field.many {
            fields.extend(value_columns(&field.name).map(|(name, data_type)| Field::new(name, data_type, true)));
        } else {
            fields.push(Field::new(&field.name, data_type(field), true));
        }
    }
    Arc::new(Schema::new(fields))
}

fn data_type(field: &KindField) -> DataType {
    match field.field_type {
        _ if field.many => DataType::Utf8,
        FieldType::Integer => DataType::Int64,
        FieldType::Number => DataType::Float64,
        FieldType::Boolean => DataType::Boolean,
        FieldType::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        _ => DataType::Utf8,
    }
}

fn batch(kind: &Kind, schema: &SchemaRef, records: &[Record]) -> Result<RecordBatch> {
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(records.iter().map(|r| r.id.as_str()))),
        Arc::new(Int64Array::from_iter_values(records.iter().map(|r| i64::try_from(r.version).unwrap_or(i64::MAX)))),
    ];
    for field in &kind.fields {
        let cells = || records.iter().map(|r| r.fields.get(&field.name));
        if field.field_type == FieldType::Value && !field.many {
            let part = |name: &'static str| cells().map(move |c| c.and_then(|v| v.get(name)));
            let texts = |name| Arc::new(part(name).map(|v| v.and_then(Json::as_str)).collect::<StringArray>()) as ArrayRef;
            let numbers = |name| Arc::new(part(name).map(|v| v.and_then(Json::as_f64)).collect::<Float64Array>()) as ArrayRef;
            columns.extend([texts("text"), texts("kind"), numbers("number"), numbers("low"), numbers("high"), texts("unit")]);
            continue;
        }
        let column: ArrayRef = match data_type(field) {
            DataType::Int64 => Arc::new(cells().map(|c| c.and_then(Json::as_i64)).collect::<Int64Array>()),
            DataType::Float64 => Arc::new(cells().map(|c| c.and_then(Json::as_f64)).collect::<Float64Array>()),
            DataType::Boolean => Arc::new(cells().map(|c| c.and_then(Json::as_bool)).collect::<BooleanArray>()),
            DataType::Timestamp(..) => {
                let instant =
                    |c: Option<&Json>| c.and_then(Json::as_str).and_then(|t| Instant::parse(t).ok()).map(|i| i.0 / 1000);
                Arc::new(cells().map(instant).collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
            }
            _ => Arc::new(cells().map(text_of).collect::<StringArray>()),
        };
        columns.push(column);
    }
    RecordBatch::try_new(schema.clone(), columns).map_err(|e| Error::bug("E-SQL-010", e))
}

fn text_of(cell: Option<&Json>) -> Option<String> {
    match cell? {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        Json::Array(parts) if parts.iter().all(Json::is_string) => {
            Some(parts.iter().filter_map(Json::as_str).collect::<Vec<_>>().join("; "))
        }
        other => Some(other.to_string()),
    }
}
