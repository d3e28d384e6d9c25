//! SiLA 2 on the wire: gRPC whose messages follow from feature definitions, by the published mapping.
//!
//! Every answer to a property holds its value in field 1, a message of one of SiLA's basic types, so one
//! envelope serves all features: no code is generated, and no protocol compiler is needed.

use prost::Message;

/// An empty request.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Nothing {}

/// Field 1 of a request or an answer, still encoded.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct First {
    /// The encoded value.
    #[prost(bytes = "vec", tag = "1")]
    pub value: Vec<u8>,
}

/// A list in field 1, each still encoded.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Many {
    /// The encoded values.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub values: Vec<Vec<u8>>,
}

/// Basic type String.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Text {
    /// Value.
    #[prost(string, tag = "1")]
    pub value: String,
}

/// Basic type Real.
#[derive(Clone, PartialEq, Message)]
pub struct Real {
    /// Value.
    #[prost(double, tag = "1")]
    pub value: f64,
}

/// Basic type Integer.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Integer {
    /// Value.
    #[prost(int64, tag = "1")]
    pub value: i64,
}

/// Basic type Boolean.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Boolean {
    /// Value.
    #[prost(bool, tag = "1")]
    pub value: bool,
}

/// The feature every SiLA server has.
pub const SERVICE: &str = "sila2.org.silastandard.core.silaservice.v1.SiLAService";

/// A text as field 1.
#[must_use]
pub fn text(value: &str) -> First {
    First { value: Text { value: value.to_owned() }.encode_to_vec() }
}
