//! SiLA 2 on the wire: gRPC whose messages follow from feature definitions, by the published mapping.
//!
//! Every answer to a property holds its value in field 1, a message of one of SiLA's basic types, so one
//! envelope serves all features: no code is generated, and no protocol compiler is needed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::{Message, Oneof};

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

/// The one parameter of a command, still encoded. Zero encodes to nothing, so that it is there must be said apart.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Parameter {
    /// The encoded value; `None` when it is missing.
    #[prost(bytes = "vec", optional, tag = "1")]
    pub value: Option<Vec<u8>>,
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

/// An error as SiLA defines it: base64 of this message stands in the text of a gRPC status `ABORTED`
/// (SiLA 2 Part B, mapping of errors; field numbers of the standard's `SiLAFramework.proto`).
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SilaError {
    /// Which.
    #[prost(oneof = "SilaErrorKind", tags = "1, 2, 3, 4")]
    pub kind: Option<SilaErrorKind>,
}

/// The four sorts of errors.
#[derive(Clone, PartialEq, Eq, Oneof)]
pub enum SilaErrorKind {
    /// A parameter is not valid.
    #[prost(message, tag = "1")]
    Validation(Told),
    /// The feature defines it.
    #[prost(message, tag = "2")]
    Defined(Told),
    /// Nothing defines it.
    #[prost(message, tag = "3")]
    Undefined(Said),
    /// SiLA itself was used wrongly.
    #[prost(message, tag = "4")]
    Framework(Wrong),
}

/// What an error is about, and words on it.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Told {
    /// Fully qualified identifier of the parameter or of the error.
    #[prost(string, tag = "1")]
    pub identifier: String,
    /// Words.
    #[prost(string, tag = "2")]
    pub message: String,
}

/// Words alone.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Said {
    /// Words.
    #[prost(string, tag = "1")]
    pub message: String,
}

/// A framework error.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Wrong {
    /// Which of the standard's list.
    #[prost(int32, tag = "1")]
    pub sort: i32,
    /// Words.
    #[prost(string, tag = "2")]
    pub message: String,
}

/// What a status says as a SiLA error; `None` when it is none.
#[must_use]
pub fn sila_error(status: &tonic::Status) -> Option<String> {
    if status.code() != tonic::Code::Aborted {
        return None;
    }
    let bytes = STANDARD.decode(status.message().trim()).ok()?;
    Some(match SilaError::decode(bytes.as_slice()).ok()?.kind? {
        SilaErrorKind::Validation(Told { identifier, message }) | SilaErrorKind::Defined(Told { identifier, message }) => {
            format!("{identifier}: {message}")
        }
        SilaErrorKind::Undefined(Said { message }) => message,
        SilaErrorKind::Framework(Wrong { sort, message }) => format!("framework error {sort}: {message}"),
    })
}

/// The status of a SiLA error.
#[must_use]
pub fn aborted(kind: SilaErrorKind) -> tonic::Status {
    tonic::Status::aborted(STANDARD.encode(SilaError { kind: Some(kind) }.encode_to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_is_a_parameter_and_nothing_is_none() {
        let zero = Parameter { value: Some(Real { value: 0.0 }.encode_to_vec()) };
        assert_eq!(Parameter::decode(zero.encode_to_vec().as_slice()).unwrap(), zero);
        assert_eq!(Parameter::decode([].as_slice()).unwrap(), Parameter { value: None });
    }

    #[test]
    fn errors_go_there_and_back() {
        let told = |identifier: &str| Told { identifier: identifier.into(), message: "no".into() };
        assert_eq!(sila_error(&aborted(SilaErrorKind::Defined(told("x/y")))).as_deref(), Some("x/y: no"));
        assert_eq!(sila_error(&aborted(SilaErrorKind::Undefined(Said { message: "why".into() }))).as_deref(), Some("why"));
        assert_eq!(sila_error(&tonic::Status::aborted("not base64!")), None);
        assert_eq!(sila_error(&tonic::Status::unavailable("gone")), None);
    }
}
