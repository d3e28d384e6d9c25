//! Nova Biomedical BioProfile FLEX2 sample results (CSV).
//!
//! One sample a row. Two column sets are met: with a unit row under the header, and without (then the
//! instrument's default units hold, and the reading says so). `Date & Time` and `Sample Time` of one row
//! may be written in different date orders (`6-24-2022`, `24-6-2022`); each column decides its own, and
//! where it cannot, the other one of the same row does. The file's name is not looked at.

use crate::analyser::{bracketed, header_key};
use crate::analyser_file::Layout;
use crate::analyser_table::Known;
use crate::analyser_table::Role::{Analysed, Fact, Field, Result as Measured, Sample, Taken};
use crate::format::{Evidence, Format, Site};
use crate::source::Source;
use toji_core::clock::DateOrder;
use toji_core::culture::{Instrument, Reading};
use toji_core::{Result, Text};

/// The format.
pub struct NovaFlex2;

const COLUMNS: &[Known] = &[
    ("datetime", Analysed),
    ("sampletime", Taken),
    ("sampleid", Sample),
    ("sampletype", Field("sample-type")),
    ("vesselid", Field("vessel")),
    ("batchid", Field("batch")),
    ("celltype", Field("cell-type")),
    ("operator", Field("operator")),
    ("traylocation", Field("position")),
    ("celldensitydilution", Field("dilution")),
    ("comment", Field("comment")),
    ("comments", Field("comment")),
    ("cellinspectiontype", Fact),
    ("predilutionmultiplier", Fact),
    ("validimages", Fact),
    ("vesselpressure", Fact),
    ("spargingo2%", Fact),
    ("chemistrydilutionratio", Fact),
    ("chemistryflowtime", Fact),
    ("phgasflowtime", Fact),
    ("celldensityflow", Fact),
    ("timeintray", Fact),
    ("gln", Measured("glutamine", "glutamine", "mmol/L")),
    ("glu", Measured("glutamate", "glutamate", "mmol/L")),
    ("gluc", Measured("glucose", "glucose", "g/L")),
    ("lac", Measured("lactate", "lactate", "g/L")),
    ("nh4+", Measured("ammonium", "ammonium", "mmol/L")),
    ("na+", Measured("sodium", "sodium", "mmol/L")),
    ("k+", Measured("potassium", "potassium", "mmol/L")),
    ("ca++", Measured("calcium", "calcium", "mmol/L")),
    ("hco3", Measured("bicarbonate", "hco3", "mmol/L")),
    ("igg", Measured("IgG", "igg", "")),
    ("ph", Measured("pH", "ph", "[pH]")),
    ("po2", Measured("pO2", "po2-gas", "mm[Hg]")),
    ("pco2", Measured("pCO2", "pco2", "mm[Hg]")),
    // Recalculated for the vessel's temperature; the values as measured carry the variable.
    ("ph@temp", Measured("pH at vessel temperature", "", "[pH]")),
    ("po2@temp", Measured("pO2 at vessel temperature", "", "mm[Hg]")),
    ("pco2@temp", Measured("pCO2 at vessel temperature", "", "mm[Hg]")),
    ("o2saturation", Measured("oxygen saturation", "oxygen-saturation", "%")),
    ("co2saturation", Measured("carbon dioxide saturation", "co2-saturation", "%")),
    ("osm", Measured("osmolality", "osmolality", "mosm/kg")),
    ("opticaldensity", Measured("optical density", "optical-density", "{OD}")),
    ("totaldensity", Measured("total cell density", "total-cell-density", "10*6/mL")),
    ("viabledensity", Measured("viable cell density", "viable-cell-density", "10*6/mL")),
    ("viability", Measured("viability", "viability", "%")),
    ("avglivediameter", Measured("average live cell diameter", "viable-cell-diameter", "um")),
    ("averagelivecelldiameter", Measured("average live cell diameter", "viable-cell-diameter", "um")),
    ("averagetotalcelldiameter", Measured("average total cell diameter", "cell-diameter", "um")),
    ("totallivecount", Measured("viable cell count", "viable-cell-count", "{cell}")),
    ("totalcellcount", Measured("total cell count", "total-cell-count", "{cell}")),
    ("livecellstddeviation", Measured("live cell standard deviation", "", "")),
    ("vesseltemperature", Measured("vessel temperature", "temperature", "Cel")),
];

/// Headers that together are this instrument's.
const SIGNS: [&str; 10] = ["gln", "glu", "gluc", "lac", "nh4+", "po2", "pco2", "osm", "chemistrydilutionratio", "phgasflowtime"];

const LAYOUT: Layout = Layout {
    columns: COLUMNS,
    signs: &SIGNS,
    signs_min: 3,
    needed: &["sampleid", "datetime"],
    key: header_key,
    unit: |header| bracketed(header).map(str::to_owned),
    unit_row: true,
    usual: DateOrder::MonthDayYear,
    codes: ["E-FLEX2-001", "E-FLEX2-002", "E-FLEX2-003"],
    examples: "Sample ID, Gln, Gluc …",
};

impl Format for NovaFlex2 {
    fn id(&self) -> &'static str {
        "nova-flex2"
    }
    fn label(&self) -> Text {
        Text::same("Nova BioProfile FLEX2")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        LAYOUT.detect(
            source,
            76,
            "FLEX2 の列見出し（Gln、Gluc、PO2 …）があります",
            "the header names FLEX2 columns (Gln, Gluc, PO2 …)",
        )
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let mut reading = Reading { format: self.id().to_owned(), ..Reading::default() };
        reading.instrument = Some(Instrument {
            maker: Some("Nova Biomedical".to_owned()),
            model: Some("BioProfile FLEX2".to_owned()),
            ..Instrument::default()
        });
        LAYOUT.read(source, site, &mut reading)?;
        Ok(reading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::{check_damage, every_cut, mutated};
    use proptest::prelude::*;
    use toji_core::culture::When;
    use toji_core::{Unit, ValueKind};

    const WITH_UNITS: &str = "Date & Time,Sample ID,Sample Type,Gluc,Lac,NH4+,pH,PO2,Total Density,IgG,Vessel ID,Batch ID,Cell Density Dilution,Sample Time,Operator\r\n\
        ,,,g / L,g / L,mmol / L,-,mmHg,x10^6 Cells / mL,mg / L,,,,,\r\n\
        6-24-2022 10:00,S1,Default,4.20,< 0.10,1.1,7.01,120.5,1.50,220,V3,B12,1:01,24-6-2022 9:40,toji\r\n\
        6-3-2022 10:00,S2,Default,,0.2,1.1,6.90,,,,,,,3-6-2022 9:40,toji\r\n";

    fn read(text: &str) -> Result<Reading> {
        NovaFlex2.read(&Source::new("renamed.txt", text.as_bytes()).unwrap(), &Site::default())
    }
    fn at(when: &When) -> String {
        match when {
            When::At(at) => at.instant.to_string(),
            _ => String::new(),
        }
    }

    #[test]
    fn unit_row_dates_of_both_orders_and_empty_cells() {
        let reading = read(WITH_UNITS).unwrap();
        let [first, second] = reading.samples.as_slice() else { panic!("two samples") };
        assert_eq!(at(&first.when), "2022-06-24T09:40:00Z");
        assert_eq!(at(&first.assays[0].when), "2022-06-24T10:00:00Z");
        assert_eq!(
            (at(&second.when), at(&second.assays[0].when)),
            ("2022-06-03T09:40:00Z".into(), "2022-06-03T10:00:00Z".into())
        );
        assert_eq!(
            (&first.fields["vessel"], &first.fields["batch"], &first.fields["dilution"]),
            (&"V3".into(), &"B12".into(), &"1:01".into())
        );
        let by = |name: &str| first.assays.iter().find(|a| a.analyte == name).unwrap();
        assert_eq!((by("Lac").value.kind, by("Lac").value.high), (ValueKind::LessThan, Some(0.1)));
        assert_eq!(by("pH").value.unit.as_ref().map(Unit::code), Some("[pH]"));
        assert_eq!(by("Total Density").value.unit.as_ref().map(Unit::code), Some("10*6/mL"));
        assert_eq!((by("IgG").variable.as_deref(), by("IgG").value.raw_unit.as_deref()), (Some("igg"), Some("mg / L")));
        assert_eq!(second.assays.len(), 3, "empty cells are absent");
        assert!(reading.runs.is_empty() && reading.not_read.is_empty(), "{:?}", reading.not_read);
    }

    #[test]
    fn one_ambiguous_row_takes_the_order_that_brings_both_clocks_together() {
        let text = "Date & Time;Sample ID;Gluc;Lac;PO2;Sample Time\n2.3.2021 10:00;A;1,5;0,2;120,5;3.2.2021 9:00\n";
        let reading = read(text).unwrap();
        assert_eq!(at(&reading.samples[0].when), "2021-02-03T09:00:00Z");
        assert_eq!(reading.samples[0].assays[0].value.number, Some(1.5), "decimal comma");
        assert!(reading.diagnostics.iter().any(|d| d.code == "W-CLOCK-010"));
    }

    #[test]
    fn reordered_missing_and_further_columns() {
        let text = "Lac,Sample ID,Gluc,NH4+,Colour,Ethanol (g/L),\n1,S9,2,3,brown,0.4,stray\n";
        let reading = read(text).unwrap();
        let sample = &reading.samples[0];
        assert_eq!((sample.key.as_str(), &sample.when), ("S9", &When::Unknown));
        assert_eq!(sample.fields["Colour"], "brown");
        assert_eq!(sample.assays[3].variable.as_deref(), Some("ethanol"));
        assert_eq!((reading.not_read[0].text.as_str(), reading.not_read[0].place.column), ("stray", Some(7)));
        assert_eq!(reading.diagnostics[0].code, "W-TABLE-001");
    }

    #[test]
    fn broken_files_say_where() {
        assert_eq!(read("").unwrap_err().code(), "E-FLEX2-001");
        assert_eq!(read("hello\nworld").unwrap_err().code(), "E-FLEX2-002");
        let header = WITH_UNITS.lines().next().unwrap();
        assert_eq!(read(header).unwrap_err().code(), "E-FLEX2-003");
        let cut = read(&WITH_UNITS[..WITH_UNITS.find("120.5").unwrap() + 3]).unwrap();
        assert_eq!(cut.not_read[0].text, "120");
        assert!(cut.samples[0].assays.iter().all(|a| a.analyte != "PO2"), "a number that may be cut off is not read");
    }

    #[test]
    fn no_cut_makes_another_number() {
        every_cut(&NovaFlex2, WITH_UNITS);
    }

    proptest! {
        #[test]
        fn damage_never_panics_and_is_never_silent(bytes in proptest::collection::vec(any::<u8>(), 0..400), at in 0usize..700, byte in any::<u8>(), cut in 0usize..700, junk in "[,;\\n\"<>./0-9A-Z%()]{0,4}") {
            check_damage(&NovaFlex2, WITH_UNITS, &bytes, at, byte);
            mutated(&NovaFlex2, WITH_UNITS, cut, at, &junk);
        }
    }
}
