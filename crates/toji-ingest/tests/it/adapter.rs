//! A new instrument is added by writing one adapter against the published guide: the example of the guide
//! is used here as a stranger would, through the public interface only.

#![allow(clippy::unwrap_used)]

#[path = "../../examples/adapter/turbidity_logger.rs"]
mod turbidity_logger;

use proptest::prelude::*;
use toji_core::culture::Numbers;
use toji_core::{Quality, Status};
use toji_ingest::{Format, Formats, Site, Source};
use turbidity_logger::TurbidityLogger;

const FILE: &[u8] = include_bytes!("../../examples/adapter/turbidity_logger.txt");

fn formats() -> Formats {
    Formats::builtin().with(Box::new(TurbidityLogger)).unwrap()
}

#[test]
fn c02_a_new_instrument_is_one_adapter_and_one_fixture() {
    // Without the adapter nobody knows the file.
    let source = Source::new("monday.txt", FILE).unwrap();
    let refused = toji_ingest::read(&source, &Site::default()).unwrap_err();
    assert!(refused.fault().hint.is_some());

    let formats = formats();
    let (format, reading) = formats.read(&source, &Site::default()).unwrap();
    assert_eq!(format.id(), "example-turbidity-logger");
    let run = &reading.runs[0];
    assert!(run.simulated);
    assert_eq!(
        (run.key.as_str(), run.vessel.as_deref()),
        ("turbidity logger | TL-0007 | 2026-10-05T08:00:00+09:00", Some("Flask 3"))
    );
    assert_eq!(run.zero.as_ref().unwrap().instant.to_string(), "2026-10-04T23:00:00Z");
    assert_eq!(run.fields["comment"], "spare shaker");
    let od = &run.channels[0];
    assert_eq!((od.variable.as_deref(), od.unit.as_ref().map(|u| u.code())), (Some("optical-density"), Some("{OD600}")));
    assert!(matches!(&od.points.numbers, Numbers::Scaled { scale: 3, mantissa } if mantissa[0] == 50));
    assert_eq!(od.points.texts, [(2, "over".to_owned())]);
    assert_eq!(Quality::unpack(od.points.quality[3]).unwrap().status, Status::Uncertain);
    assert_eq!(run.channels[1].unit.as_ref().map(|u| u.code()), Some("Cel"));
    assert_eq!(reading.not_read.iter().map(|n| n.place.line).collect::<Vec<_>>(), [Some(11)]);
    assert!(reading.not_read[0].place.file.is_some(), "the registry adds the file's name");
}

#[test]
fn other_files_go_on_being_read_as_before() {
    let formats = formats();
    let source = Source::new("x.csv", b"Time (h),pH\n0,7.0\n1,6.9\n").unwrap();
    assert_eq!(formats.read(&source, &Site::default()).unwrap().0.id(), "table");
    let twice = formats.with(Box::new(TurbidityLogger)).unwrap_err();
    assert_eq!(twice.code(), "E-FORMAT-001");
}

proptest! {
    /// What the guide asks of every adapter: any bytes, no panic.
    #[test]
    fn any_flipped_byte_is_survived(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = FILE.to_vec();
        let i = at.index(bytes.len());
        bytes[i] = byte;
        bytes.truncate(cut.index(bytes.len()).max(1));
        let source = Source::new("x", &bytes).unwrap();
        let _ = (TurbidityLogger.detect(&source), TurbidityLogger.read(&source, &Site::default()));
    }
}
