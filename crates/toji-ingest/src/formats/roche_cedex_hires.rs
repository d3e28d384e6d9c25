//! Roche Cedex HiRes results: one sample a row, as CSV or saved again as a workbook.
//!
//! No column states a unit. Counts are cells, concentrations cells per millilitre, the diameter is in
//! micrometres; what the maker's export leaves open (areas, compactness, the spread) stays without one.
//! `Date finished` is when the sample was counted, `Sample draw Time` when it was taken. Whether the
//! concentrations are already multiplied by `Dilution` is nowhere stated: it stays a fact of the sample.

use crate::analyser::{bracketed, header_key};
use crate::analyser_file::Layout;
use crate::analyser_table::Known;
use crate::analyser_table::Role::{Analysed, Fact, Field, Result as Measured, Sample, Taken};
use crate::format::{Evidence, Format, Site};
use crate::source::Source;
use serde_json::Value as Json;
use toji_core::clock::DateOrder;
use toji_core::culture::{Instrument, Reading};
use toji_core::{Result, Text};

/// The format.
pub struct RocheCedexHiRes;

/// Field under which a sample's device stands until it is known to be the same for all.
const DEVICE: &str = "Cedex ID";

const COLUMNS: &[Known] = &[
    ("cedexid", Field(DEVICE)),
    ("systemname", Fact),
    ("systemdescription", Fact),
    ("defaultsystem", Fact),
    ("cedexid processed", Fact),
    ("systemname processed", Fact),
    ("systemdescription processed", Fact),
    ("defaultsystem processed", Fact),
    ("workareaname", Fact),
    ("reactoridentifer", Field("vessel")),
    ("reactoridentifier", Field("vessel")),
    ("sampleidentifer", Sample),
    ("sampleidentifier", Sample),
    ("datasetname", Fact),
    ("comment", Field("comment")),
    ("dilution", Field("dilution")),
    ("samplevolume", Field("sample-volume-ul")),
    ("celltypename", Field("cell-type")),
    ("sampledrawtime", Taken),
    ("datefinished", Analysed),
    ("username", Field("operator")),
    ("avgdiameter", Measured("average live cell diameter", "viable-cell-diameter", "um")),
    ("avgarea", Measured("average area", "", "")),
    ("avgperimeter", Measured("average perimeter", "", "")),
    ("avgsegmarea", Measured("average segment area", "", "")),
    ("avgcompactness", Measured("average compactness", "", "1")),
    ("viablecellcount", Measured("viable cell count", "viable-cell-count", "{cell}")),
    ("deadcellcount", Measured("dead cell count", "dead-cell-count", "{cell}")),
    ("totalcellcount", Measured("total cell count", "total-cell-count", "{cell}")),
    ("totalobjectcount", Measured("total object count", "", "{count}")),
    ("viability", Measured("viability", "viability", "%")),
    ("viablecellconc", Measured("viable cell density", "viable-cell-density", "/mL")),
    ("deadcellconc", Measured("dead cell density", "dead-cell-density", "/mL")),
    ("totalcellconc", Measured("total cell density", "total-cell-density", "/mL")),
    ("stddev", Measured("standard deviation", "", "")),
    ("aggregaterate", Measured("aggregate rate", "", "%")),
];

/// The second set of system columns differs by its brackets only.
fn key(header: &str) -> String {
    let key = header_key(header);
    if bracketed(header).is_some_and(|inside| inside.eq_ignore_ascii_case("processed")) {
        format!("{key} processed")
    } else {
        key
    }
}

const LAYOUT: Layout = Layout {
    columns: COLUMNS,
    signs: &[
        "cedexid",
        "workareaname",
        "datasetname",
        "celltypename",
        "avgsegmarea",
        "avgcompactness",
        "viablecellconc",
        "aggregaterate",
    ],
    signs_min: 4,
    needed: &[],
    key,
    unit: |_| None,
    unit_row: false,
    usual: DateOrder::MonthDayYear,
    codes: ["E-CEDEXHIRES-001", "E-CEDEXHIRES-002", "E-CEDEXHIRES-003"],
    examples: "Sample identifier, Viability, Viable Cell Conc. …",
};

impl Format for RocheCedexHiRes {
    fn id(&self) -> &'static str {
        "roche-cedex-hires"
    }
    fn label(&self) -> Text {
        Text::same("Roche Cedex HiRes")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        LAYOUT.detect(
            source,
            82,
            "Cedex HiRes の列見出し（Avg Segm. Area、Viable Cell Conc. …）があります",
            "the header names Cedex HiRes columns (Avg Segm. Area, Viable Cell Conc. …)",
        )
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let mut reading = Reading { format: self.id().to_owned(), ..Reading::default() };
        LAYOUT.read(source, site, &mut reading)?;
        reading.instrument = Some(Instrument {
            maker: Some("Roche".to_owned()),
            model: Some("Cedex HiRes".to_owned()),
            serial: take_device(&mut reading),
            software: Some("Cedex software".to_owned()),
            ..Instrument::default()
        });
        Ok(reading)
    }
}

/// The one device all samples were counted on. Where there are several, each sample keeps its own.
fn take_device(reading: &mut Reading) -> Option<String> {
    let first = reading.samples.first()?.fields.get(DEVICE).and_then(Json::as_str)?.to_owned();
    let same = |f: Option<&Json>| f.and_then(Json::as_str) == Some(first.as_str());
    if !reading.samples.iter().all(|s| same(s.fields.get(DEVICE))) {
        return None;
    }
    reading.samples.iter_mut().for_each(|s| drop(s.fields.remove(DEVICE)));
    Some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::{check_damage, every_cut};
    use proptest::prelude::*;
    use toji_core::culture::When;
    use toji_core::{Unit, ValueKind};

    const FILE: &str = "Cedex ID,System name,Cedex ID (processed),Workarea name,Reactor identifer,Sample identifer,Data set name,Comment,Dilution,Sample volume,Cell type name,Sample draw Time,Date finished,Username,Avg Diameter,Avg Segm. Area,Avg Compactness,Viable Cell Count,Viability,Viable Cell Conc.,Dead Cell Conc.,Std Dev.,Aggregate Rate\r\n\
        12,T1,13,simulated,R1,R1_d1,Original,,2,300,Yeast,3-14-2026 8:34:01 AM,3-14-2026 9:46:47 AM,toji,13.5,470.2,1.27,4292,95.3,4529542.5,223733.25,118113.5,8.8\r\n\
        12,T1,13,simulated,R1,R1_d2,Original,odd,2,300,Yeast,3-2-2026 8:34:01 AM,3-2-2026 9:46:47 AM,toji,ERROR,470.2,1.27,< 20,n.d.,,0,118113.5,8.8\r\n";

    fn read(text: &str) -> Result<Reading> {
        RocheCedexHiRes.read(&Source::new("x", text.as_bytes()).unwrap(), &Site::default())
    }

    #[test]
    fn both_clocks_units_of_the_maker_and_the_device() {
        let source = Source::new("x", FILE.as_bytes()).unwrap();
        assert!(RocheCedexHiRes.detect(&source).unwrap().score > 85);
        let reading = read(FILE).unwrap();
        assert_eq!(reading.instrument.as_ref().unwrap().serial.as_deref(), Some("12"));
        let [first, second] = reading.samples.as_slice() else { panic!("two samples") };
        let at = |w: &When| if let When::At(at) = w { at.instant.to_string() } else { String::new() };
        assert_eq!((at(&first.when), at(&first.assays[0].when)), ("2026-03-14T08:34:01Z".into(), "2026-03-14T09:46:47Z".into()));
        assert_eq!(at(&second.when), "2026-03-02T08:34:01Z", "the other row decides month/day");
        let by = |name: &str| first.assays.iter().find(|a| a.analyte == name).unwrap();
        let conc = &by("Dead Cell Conc.").value;
        assert_eq!((conc.number, conc.unit.as_ref().map(Unit::code), conc.dilution), (Some(223_733.25), Some("/mL"), None));
        assert_eq!(first.fields["dilution"], "2");
        assert_eq!(by("Dead Cell Conc.").variable.as_deref(), Some("dead-cell-density"));
        assert_eq!((by("Std Dev.").value.unit.as_ref(), by("Viability").place.column), (None, Some(19)));
        assert_eq!((&first.fields["vessel"], &first.fields["Cedex ID (processed)"]), (&"R1".into(), &"13".into()));
        let kinds: Vec<ValueKind> = second.assays.iter().map(|a| a.value.kind).collect();
        assert!(kinds.contains(&ValueKind::LessThan) && kinds.contains(&ValueKind::NotDetermined), "{kinds:?}");
        assert!(reading.diagnostics.iter().any(|d| d.code == "N-TABLE-001"), "assumed units are said");
        assert!(reading.not_read.is_empty());
    }

    #[test]
    fn two_devices_in_one_file_stay_with_their_samples() {
        let reading = read(&FILE.replacen("\r\n12,", "\r\n77,", 1)).unwrap();
        assert_eq!(reading.instrument.unwrap().serial, None);
        assert_eq!(reading.samples[0].fields[DEVICE], "77");
    }

    #[test]
    fn broken_files_say_where() {
        assert_eq!(read("").unwrap_err().code(), "E-CEDEXHIRES-001");
        assert_eq!(read("a,b\n1,2").unwrap_err().code(), "E-CEDEXHIRES-002");
        assert_eq!(read(FILE.lines().next().unwrap()).unwrap_err().code(), "E-CEDEXHIRES-003");
    }

    #[test]
    fn no_cut_makes_another_number() {
        every_cut(&RocheCedexHiRes, FILE);
    }

    proptest! {
        #[test]
        fn damage_never_panics_and_is_never_silent(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..900, byte in any::<u8>()) {
            check_damage(&RocheCedexHiRes, FILE, &bytes, at, byte);
        }
    }
}
