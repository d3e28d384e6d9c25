//! Beckman Coulter Vi-CELL BLU results (CSV), one sample a row.
//!
//! The micrometre is written with either micro sign (U+00B5, U+03BC). `ERROR` in a count stays "no
//! result", with its word. Densities are already multiplied by the dilution of their row.

use crate::analyser::{bracketed, header_key};
use crate::analyser_file::Layout;
use crate::analyser_table::Known;
use crate::analyser_table::Role::{Analysed, Diluted, Fact, Field, Result as Measured, Sample};
use crate::format::{Evidence, Format, Site};
use crate::source::Source;
use toji_core::clock::DateOrder;
use toji_core::culture::{Instrument, Reading};
use toji_core::{Result, Text, Unit};

/// The format.
pub struct BeckmanViCellBlu;

const COLUMNS: &[Known] = &[
    ("sampleid", Sample),
    ("analysisdatetime", Analysed),
    ("analysisby", Field("operator")),
    ("celltype", Field("cell-type")),
    ("dilution", Field("dilution")),
    ("position", Field("position")),
    ("sampleposition", Field("position")),
    ("tag", Field("comment")),
    ("minimumdiameter", Field("minimum-diameter-um")),
    ("maximumdiameter", Field("maximum-diameter-um")),
    ("imagesforanalysis", Fact),
    ("images", Fact),
    ("cellsharpness", Fact),
    ("minimumcircularity", Fact),
    ("declusterdegree", Fact),
    ("aspirationcycles", Fact),
    ("viablespotbrightness", Fact),
    ("viablespotarea", Fact),
    ("mixingcycles", Fact),
    ("reanalysisdatetime", Fact),
    ("reanalysisby", Fact),
    ("wash", Fact),
    ("cellcount", Measured("total cell count", "total-cell-count", "{cell}")),
    ("viablecells", Measured("viable cell count", "viable-cell-count", "{cell}")),
    ("totalcellsml", Diluted("total cell density", "total-cell-density", "10*6/mL")),
    ("viablecellsml", Diluted("viable cell density", "viable-cell-density", "10*6/mL")),
    ("viability", Measured("viability", "viability", "%")),
    ("averagediameter", Measured("average total cell diameter", "cell-diameter", "um")),
    ("averageviablediameter", Measured("average live cell diameter", "viable-cell-diameter", "um")),
    ("averagecircularity", Measured("average total cell circularity", "cell-circularity", "1")),
    ("averageviablecircularity", Measured("average viable cell circularity", "viable-cell-circularity", "1")),
    ("averagecellsperimage", Measured("average cells per image", "", "")),
    ("averagebackgroundintensity", Measured("average background intensity", "", "")),
    ("bubblecount", Measured("bubble count", "", "")),
    ("clustercount", Measured("cluster count", "", "")),
];

/// Headers that together are this instrument's.
const SIGNS: [&str; 8] = [
    "totalcellsml",
    "viablecellsml",
    "averageviablediameter",
    "averageviablecircularity",
    "imagesforanalysis",
    "viablespotbrightness",
    "declusterdegree",
    "analysisdatetime",
];

const LAYOUT: Layout = Layout {
    columns: COLUMNS,
    signs: &SIGNS,
    signs_min: 3,
    needed: &[],
    key: header_key,
    unit: header_unit,
    unit_row: false,
    usual: DateOrder::MonthDayYear,
    codes: ["E-VICELLBLU-001", "E-VICELLBLU-002", "E-VICELLBLU-003"],
    examples: "Sample ID, Viability (%) …",
};

/// The unit of a cell density: `(x10^6) cells/mL` is 10⁶ per millilitre.
pub(crate) fn density_unit(header: &str) -> Option<String> {
    let inside = bracketed(header)?;
    let power = inside.split_once("10^")?.1.trim();
    let digits = !power.is_empty() && power.len() <= 2 && power.chars().all(|c| c.is_ascii_digit());
    (digits && header.to_lowercase().contains("ml")).then(|| format!("x10^{power}/mL"))
}

/// The unit a header states, where it is understood.
pub(crate) fn header_unit(header: &str) -> Option<String> {
    density_unit(header).or_else(|| bracketed(header).filter(|u| Unit::parse(u).is_ok()).map(str::to_owned))
}

impl Format for BeckmanViCellBlu {
    fn id(&self) -> &'static str {
        "beckman-vicell-blu"
    }
    fn label(&self) -> Text {
        Text::same("Beckman Coulter Vi-CELL BLU")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        LAYOUT.detect(
            source,
            79,
            "Vi-CELL BLU の列見出し（Images for analysis、Viable spot …）があります",
            "the header names Vi-CELL BLU columns (Images for analysis, Viable spot …)",
        )
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let mut reading = Reading { format: self.id().to_owned(), ..Reading::default() };
        reading.instrument = Some(Instrument {
            maker: Some("Beckman Coulter".to_owned()),
            model: Some("Vi-CELL BLU".to_owned()),
            software: Some("Vi-CELL BLU".to_owned()),
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
    use toji_core::ValueKind;
    use toji_core::culture::When;

    const FILE: &str = "Sample ID,Cell count,Viable cells,Total (x10^6) cells/mL,Viable (x10^6) cells/mL,Viability (%),Average diameter (\u{3bc}m),Average viable circularity,Images for analysis,Cell type,Analysis date/time,Analysis by,Dilution,Tag\r\n\
        K1,2000,1900,0.80,0.76,95.0,18.50,0.88,100,Yeast,3/21/2026 16:56,toji,5,\r\n\
        K2,ERROR,ERROR,2.4,2.3,98.5,19.2,0.87,100,Yeast,3/4/2026 9:00,toji,1,odd\r\n";

    fn read(text: &str) -> Result<Reading> {
        BeckmanViCellBlu.read(&Source::new("x", text.as_bytes()).unwrap(), &Site::default())
    }

    #[test]
    fn both_micro_signs_and_errors() {
        for text in [FILE.to_owned(), FILE.replace('\u{3bc}', "\u{b5}")] {
            let reading = read(&text).unwrap();
            let sample = &reading.samples[0];
            let by = |name: &str| sample.assays.iter().find(|a| a.variable.as_deref() == Some(name)).unwrap();
            assert_eq!(by("cell-diameter").value.unit.as_ref().map(Unit::code), Some("um"));
            let density = &by("total-cell-density").value;
            assert_eq!(
                (density.number, density.unit.as_ref().map(Unit::code), density.dilution),
                (Some(0.8), Some("10*6/mL"), Some(5.0))
            );
            assert_eq!((by("total-cell-density").place.line, by("total-cell-density").place.column), (Some(2), Some(4)));
            assert_eq!(sample.fields["Images for analysis"], "100");
            assert_eq!(reading.samples[1].assays[0].value.kind, ValueKind::NotDetermined);
            let When::At(at) = &reading.samples[1].when else { panic!("a time") };
            assert_eq!(at.instant.to_string(), "2026-03-04T09:00:00Z", "the other row decides month/day");
            assert!(reading.not_read.is_empty());
        }
    }

    #[test]
    fn latin_1_utf_16_and_a_damaged_micro_sign() {
        let latin: Vec<u8> = FILE.replace('\u{3bc}', "\u{b5}").chars().map(|c| c as u8).collect();
        let wide: Vec<u8> = [0xfeff].into_iter().chain(FILE.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let damaged = FILE.replace('\u{3bc}', "?").into_bytes();
        for bytes in [latin, wide, damaged] {
            let source = Source::new("x", &bytes).unwrap();
            assert!(BeckmanViCellBlu.detect(&source).unwrap().score > 80);
            let reading = BeckmanViCellBlu.read(&source, &Site::default()).unwrap();
            let diameter = reading.samples[0].assays.iter().find(|a| a.variable.as_deref() == Some("cell-diameter")).unwrap();
            assert_eq!(diameter.value.unit.as_ref().map(Unit::code), Some("um"));
        }
    }

    #[test]
    fn density_units() {
        let unit = density_unit("Total cells / ml (x 10^6)").unwrap();
        assert_eq!(Unit::parse(&unit).unwrap().code(), "10*6/mL");
        assert_eq!(density_unit("Viability (%)"), None);
        assert_eq!(density_unit("x (10^) ml"), None);
    }

    #[test]
    fn broken_files_say_where() {
        assert_eq!(read("").unwrap_err().code(), "E-VICELLBLU-001");
        assert_eq!(read("a,b\n1,2").unwrap_err().code(), "E-VICELLBLU-002");
        assert_eq!(read(FILE.lines().next().unwrap()).unwrap_err().code(), "E-VICELLBLU-003");
    }

    #[test]
    fn no_cut_makes_another_number() {
        every_cut(&BeckmanViCellBlu, FILE);
    }

    proptest! {
        #[test]
        fn damage_never_panics_and_is_never_silent(bytes in proptest::collection::vec(any::<u8>(), 0..400), at in 0usize..700, byte in any::<u8>(), cut in 0usize..700, junk in "[,;\\n\"<>./0-9A-Z%()]{0,4}") {
            check_damage(&BeckmanViCellBlu, FILE, &bytes, at, byte);
            mutated(&BeckmanViCellBlu, FILE, cut, at, &junk);
        }
    }
}
