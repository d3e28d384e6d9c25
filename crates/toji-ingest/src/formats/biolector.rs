//! What the files of both BioLector generations share: the clock of their start, the channels of a
//! filter set, and what is said of faulty lines.

use crate::Site;
use crate::plate::{Counted, zone_note};
use toji_core::clock::{DateOrder, WallClock};
use toji_core::culture::{Channel, Fields, Origin, Points, Sampling};
use toji_core::{ClockTime, Diagnostic, Error, Place, Unit, variable};

/// Does the text begin so, after a byte order mark?
pub(super) fn has_head(bytes: &[u8], word: &[u8]) -> bool {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).starts_with(word)
}

/// The refusal of a file edited by the vendor's software.
pub(super) fn edited() -> Error {
    Error::input(
        "E-BIOLECTOR-001",
        "BioLection で加工された書き出しです。測定値が元のままではありません",
        "this export was edited by BioLection; the readings are not as measured",
    )
    .at(Place::line(1))
    .hint("装置が書いた元の CSV を取り込んでください", "import the raw CSV written by the instrument")
}

/// The start of a run, written under `name`; `text` is what is read, `raw` what stood in the file.
pub(super) fn start(text: &str, raw: &str, name: &str, site: &Site) -> (Option<ClockTime>, Option<Diagnostic>) {
    let order = site.date_order.unwrap_or(DateOrder::DayMonthYear);
    match WallClock::parse(text, order).map(|w| w.in_zone(&site.zone, raw)) {
        Some(Ok(zero)) => {
            let note = zone_note(Some(&zero));
            (Some(zero), note)
        }
        _ => {
            let ja = format!("{name} を日時として読めません");
            (None, Some(no_start(&ja, &format!("{name} is not readable as a date and time"))))
        }
    }
}

/// The start is unknown: the runs keep elapsed time only.
pub(super) fn no_start(ja: &str, en: &str) -> Diagnostic {
    Diagnostic::warning("W-CLOCK-002", Place::field("DATE START"), ja, en)
        .remedy("経過時間だけで取り込みました", "the runs were read with elapsed time only")
}

/// A filter set's optics: which quantity its amplitude is, if that is certain.
pub(super) fn amplitude_variable(name: &str) -> Option<String> {
    let found = variable::find(name)?.0.id.as_str();
    matches!(found, "backscatter" | "fluorescence").then(|| found.to_owned())
}

/// A channel of a filter set.
pub(super) fn optical_channel(key: String, variable: Option<String>, unit: &str, fields: &Fields) -> Channel {
    let mut channel = Channel::new(key, Points::default());
    channel.variable = variable;
    channel.unit = Unit::parse(unit).ok();
    channel.origin = Origin::Sensor;
    channel.sampling = Sampling::Periodic;
    channel.fields.clone_from(fields);
    channel
}

/// Faulty lines of a file, each sort counted.
#[derive(Default)]
pub(super) struct Faults {
    /// Not readable.
    pub(super) broken: Counted,
    /// Of an unknown sort.
    pub(super) unknown: Counted,
    /// The same line again.
    pub(super) repeated: Counted,
    /// Earlier than the one before.
    pub(super) earlier: Counted,
}

impl Faults {
    /// What is said of them, of an incomplete last cycle, and of a file without any reading: `empty` is
    /// then the line its header ends at. `cycles`: name and number of readings of each.
    pub(super) fn say(&self, cycles: &[(&str, u64)], empty: Option<u64>) -> impl Iterator<Item = Diagnostic> + use<> {
        let say = [
            self.broken.say("W-BIOLECTOR-001", "読めない測定行が % 行あります", "% reading lines could not be read"),
            self.unknown.say("W-BIOLECTOR-002", "種類の分からない行が % 行あります", "% lines are of an unknown sort"),
            self.repeated.say(
                "W-BIOLECTOR-003",
                "同じ行の繰り返しが % 行あります。一度だけ取り込みました",
                "% lines repeat the one before them; each was read once",
            ),
            self.earlier.say(
                "W-BIOLECTOR-004",
                "時刻が前後する測定が % 件あります。印を付けて残しました",
                "time runs backwards at % readings; they are kept and flagged",
            ),
            last_cycle(cycles),
            empty.map(|line| {
                let (ja, en) = ("測定がまだ一件もありません", "the file holds no reading yet");
                Diagnostic::warning("W-BIOLECTOR-006", Place::line(line), ja, en)
            }),
        ];
        say.into_iter().flatten()
    }
}

/// Says when the last cycle has fewer readings than the one before it.
fn last_cycle(cycles: &[(&str, u64)]) -> Option<Diagnostic> {
    let [.., (_, before), (cycle, last)] = cycles else { return None };
    (last < before).then(|| {
        Diagnostic::note(
            "N-BIOLECTOR-005",
            Place::default(),
            format!("最後のサイクル {cycle} は途中までです ({before} 件中 {last} 件)"),
            format!("the last cycle, {cycle}, is incomplete ({last} of {before} readings)"),
        )
    })
}
