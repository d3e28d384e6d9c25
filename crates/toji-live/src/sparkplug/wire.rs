//! The messages of Sparkplug B on the wire: field numbers and data types as the published specification
//! (Eclipse Sparkplug 3.0) states them. Tables, templates and extensions are kept as the bytes they are.

use prost::{Message, Oneof};

/// One Sparkplug payload.
#[derive(Clone, PartialEq, Message)]
pub struct Payload {
    /// When it was sent, milliseconds since 1970.
    #[prost(uint64, optional, tag = "1")]
    pub timestamp: Option<u64>,
    /// Values.
    #[prost(message, repeated, tag = "2")]
    pub metrics: Vec<Metric>,
    /// 0…255 and again from 0; missing in a death.
    #[prost(uint64, optional, tag = "3")]
    pub seq: Option<u64>,
    /// Id of what `body` is.
    #[prost(string, optional, tag = "4")]
    pub uuid: Option<String>,
    /// Anything else.
    #[prost(bytes = "vec", optional, tag = "5")]
    pub body: Option<Vec<u8>>,
}

/// One value.
#[derive(Clone, PartialEq, Message)]
pub struct Metric {
    /// Name; after the birth an alias may stand for it.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// Number that stands for the name, unique in the edge node.
    #[prost(uint64, optional, tag = "2")]
    pub alias: Option<u64>,
    /// When it was measured, milliseconds since 1970.
    #[prost(uint64, optional, tag = "3")]
    pub timestamp: Option<u64>,
    /// One of [`datatype`]; after the birth it may be missing.
    #[prost(uint32, optional, tag = "4")]
    pub datatype: Option<u32>,
    /// Sent from a buffer, later than measured.
    #[prost(bool, optional, tag = "5")]
    pub is_historical: Option<bool>,
    /// Not to be kept by a historian.
    #[prost(bool, optional, tag = "6")]
    pub is_transient: Option<bool>,
    /// There is no value.
    #[prost(bool, optional, tag = "7")]
    pub is_null: Option<bool>,
    /// Properties such as the engineering unit.
    #[prost(message, optional, tag = "9")]
    pub properties: Option<PropertySet>,
    /// The value.
    #[prost(oneof = "MetricValue", tags = "10, 11, 12, 13, 14, 15, 16, 17, 18, 19")]
    pub value: Option<MetricValue>,
}

/// The forms of a value.
#[derive(Clone, PartialEq, Oneof)]
pub enum MetricValue {
    /// Up to 32 bits; signed types in two's complement.
    #[prost(uint32, tag = "10")]
    Int(u32),
    /// 64 bits; signed types in two's complement.
    #[prost(uint64, tag = "11")]
    Long(u64),
    /// Single precision.
    #[prost(float, tag = "12")]
    Float(f32),
    /// Double precision.
    #[prost(double, tag = "13")]
    Double(f64),
    /// True or false.
    #[prost(bool, tag = "14")]
    Boolean(bool),
    /// Text.
    #[prost(string, tag = "15")]
    String(String),
    /// Bytes, files and arrays.
    #[prost(bytes = "vec", tag = "16")]
    Bytes(Vec<u8>),
    /// A table, encoded.
    #[prost(bytes = "vec", tag = "17")]
    DataSet(Vec<u8>),
    /// A template, encoded.
    #[prost(bytes = "vec", tag = "18")]
    Template(Vec<u8>),
    /// An extension, encoded.
    #[prost(bytes = "vec", tag = "19")]
    Extension(Vec<u8>),
}

/// Names and values of properties, side by side.
#[derive(Clone, PartialEq, Message)]
pub struct PropertySet {
    /// Names.
    #[prost(string, repeated, tag = "1")]
    pub keys: Vec<String>,
    /// Values.
    #[prost(message, repeated, tag = "2")]
    pub values: Vec<PropertyValue>,
}

/// One property.
#[derive(Clone, PartialEq, Message)]
pub struct PropertyValue {
    /// Data type.
    #[prost(uint32, optional, tag = "1")]
    pub r#type: Option<u32>,
    /// There is no value.
    #[prost(bool, optional, tag = "2")]
    pub is_null: Option<bool>,
    /// Integers.
    #[prost(uint32, optional, tag = "3")]
    pub int_value: Option<u32>,
    /// Text.
    #[prost(string, optional, tag = "8")]
    pub string_value: Option<String>,
}

/// Numbers of the data types used here.
pub mod datatype {
    /// 8 bits, signed.
    pub const INT8: u32 = 1;
    /// 16 bits, signed.
    pub const INT16: u32 = 2;
    /// 32 bits, signed.
    pub const INT32: u32 = 3;
    /// 64 bits, signed.
    pub const INT64: u32 = 4;
    /// 64 bits.
    pub const UINT64: u32 = 8;
    /// Single precision.
    pub const FLOAT: u32 = 9;
    /// Double precision.
    pub const DOUBLE: u32 = 10;
    /// True or false.
    pub const BOOLEAN: u32 = 11;
    /// Text.
    pub const STRING: u32 = 12;
}

/// The quality codes of the specification.
pub mod quality {
    /// Not usable.
    pub const BAD: u32 = 0;
    /// As measured.
    pub const GOOD: u32 = 192;
    /// Not renewed.
    pub const STALE: u32 = 500;
}
