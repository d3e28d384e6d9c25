//! Feature definitions: the observable properties of basic types, with their units. Pure.

use quick_xml::events::Event;
use quick_xml::reader::Reader;
use toji_core::{Error, Result};

/// Basic types that are read as numbers or words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basic {
    /// Double precision.
    Real,
    /// 64 bits, signed.
    Integer,
    /// True or false.
    Boolean,
    /// Text.
    String,
}

/// An observable property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Identifier inside the feature.
    pub identifier: String,
    /// Type; `None` when it is none of the basic types read here.
    pub basic: Option<Basic>,
    /// Label of the unit it is constrained to.
    pub unit: Option<String>,
    /// Can it be subscribed to?
    pub observable: bool,
}

/// A feature.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Feature {
    /// Reversed domain of the originator, e.g. `org.silastandard`.
    pub originator: String,
    /// Category, e.g. `core`.
    pub category: String,
    /// Identifier.
    pub identifier: String,
    /// Version, `major.minor`.
    pub version: String,
    /// Properties.
    pub properties: Vec<Property>,
}

impl Feature {
    /// Reads a definition.
    ///
    /// # Errors
    /// Not XML, or no feature.
    pub fn read(xml: &str) -> Result<Self> {
        let mut reader = Reader::from_str(xml);
        reader.config_mut().trim_text(true);
        let bad = |why: String| {
            Error::input(
                "E-LINK-009",
                format!("SiLA の機能定義を読めません: {why}"),
                format!("the SiLA feature definition is not readable: {why}"),
            )
        };
        let mut feature = Self::default();
        let mut path: Vec<String> = Vec::new();
        loop {
            match reader.read_event().map_err(|e| bad(e.to_string()))? {
                Event::Start(start) => {
                    let name = start.local_name().as_ref().to_owned();
                    if name == "Feature" {
                        for attribute in start.attributes().flatten() {
                            let value = attribute.value.into_owned();
                            match attribute.key.as_ref() {
                                "Originator" => feature.originator = value,
                                "Category" => feature.category = value,
                                "FeatureVersion" => feature.version = value,
                                _ => {}
                            }
                        }
                    }
                    path.push(name);
                    if path == ["Feature", "Property"] {
                        feature.properties.push(Property {
                            identifier: String::new(),
                            basic: None,
                            unit: None,
                            observable: false,
                        });
                    }
                }
                Event::Text(text) => {
                    feature.word(&path, text.trim());
                }
                Event::End(_) => {
                    path.pop();
                }
                Event::Eof => break,
                _ => {}
            }
        }
        if feature.identifier.is_empty() {
            return Err(bad("Feature/Identifier".into()));
        }
        Ok(feature)
    }

    fn word(&mut self, path: &[String], text: &str) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        if path == ["Feature", "Identifier"] {
            text.clone_into(&mut self.identifier);
        }
        let ["Feature", "Property", rest @ ..] = path.as_slice() else { return };
        let Some(property) = self.properties.last_mut() else { return };
        match rest {
            ["Identifier"] => text.clone_into(&mut property.identifier),
            ["Observable"] => property.observable = text == "Yes",
            // A list or structure has its basic types deeper, and is not one of them.
            ["DataType", "Basic"] | ["DataType", "Constrained", "DataType", "Basic"] => {
                property.basic = match text {
                    "Real" => Some(Basic::Real),
                    "Integer" => Some(Basic::Integer),
                    "Boolean" => Some(Basic::Boolean),
                    "String" => Some(Basic::String),
                    _ => None,
                };
            }
            ["DataType", "Constrained", "Constraints", "Unit", "Label"] => property.unit = Some(text.to_owned()),
            _ => {}
        }
    }

    fn major(&self) -> &str {
        self.version.split('.').next().unwrap_or("1")
    }

    /// Fully qualified identifier of a property.
    #[must_use]
    pub fn qualified(&self, property: &str) -> String {
        format!("{}/{}/{}/v{}/Property/{property}", self.originator, self.category, self.identifier, self.major())
    }

    /// Name of the gRPC service.
    #[must_use]
    pub fn service(&self) -> String {
        let package = format!("sila2.{}.{}.{}.v{}", self.originator, self.category, self.identifier.to_lowercase(), self.major());
        format!("{package}.{}", self.identifier)
    }

    /// Path of the call that subscribes to a property.
    #[must_use]
    pub fn subscription(&self, property: &str) -> String {
        format!("/{}/Subscribe_{property}", self.service())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<Feature SiLA2Version="1.0" FeatureVersion="1.2" Originator="org.example" Category="bioreactor" xmlns="http://www.sila-standard.org">
  <Identifier>Fermenter</Identifier><DisplayName>F</DisplayName><Description>A vessel</Description>
  <Property><Identifier>Temperature</Identifier><DisplayName>T</DisplayName><Description>T</Description><Observable>Yes</Observable>
    <DataType><Constrained><DataType><Basic>Real</Basic></DataType><Constraints><Unit><Label>°C</Label><Factor>1</Factor>
    <Offset>273.15</Offset><UnitComponent><SIUnit>Kelvin</SIUnit><Exponent>1</Exponent></UnitComponent></Unit></Constraints></Constrained></DataType></Property>
  <Property><Identifier>Names</Identifier><DisplayName>N</DisplayName><Description>N</Description><Observable>No</Observable>
    <DataType><List><DataType><Basic>String</Basic></DataType></List></DataType></Property>
</Feature>"#;

    #[test]
    fn properties_and_units_are_read() {
        let feature = Feature::read(XML).unwrap();
        let temperature =
            Property { identifier: "Temperature".into(), basic: Some(Basic::Real), unit: Some("°C".into()), observable: true };
        assert_eq!(feature.properties[0], temperature);
        assert_eq!((feature.properties[1].basic, feature.properties[1].observable), (None, false));
        assert_eq!(feature.qualified("Temperature"), "org.example/bioreactor/Fermenter/v1/Property/Temperature");
        assert_eq!(
            feature.subscription("Temperature"),
            "/sila2.org.example.bioreactor.fermenter.v1.Fermenter/Subscribe_Temperature"
        );
    }

    #[test]
    fn what_is_no_definition_is_refused() {
        for bad in ["", "<Feature>", "<a><b></a>", "plain"] {
            assert!(Feature::read(bad).is_err(), "{bad}");
        }
    }
}
